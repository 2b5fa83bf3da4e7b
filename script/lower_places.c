/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What is reached by . -> [] and *: fields, elements, and what pointers point to. */
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "script/compile.h"
#include "script/renamed.h"

/* char[N] of a record is a text. */
static bool is_chars(const struct type *type)
{
	return type->kind == TYPE_ARRAY && type->to->kind == TYPE_INT && type->to->size == 1 &&
	       type->to->is_signed;
}

/* What a script sees of a field or an element that has the type @type. */
static const struct type *seen_as(struct compiler *c, const struct type *type)
{
	return is_chars(type) ? type_string(c->types, type->count + 1) : type;
}

/* --- fields ------------------------------------------------------------------------------- */

static bool is_args(const struct node *n)
{
	return n->kind == NODE_NAME &&
	       (!strcmp(n->name, "args") || !strcmp(n->name, "__builtin_args"));
}

static const struct type *no_field(struct compiler *c, struct node *n, const struct type *record)
{
	struct nearest near = { .name = n->name };

	if (!c->final)
		return NULL;
	if (is_args(n->a) && !record->name)
		check_error(c, n->span, "%s has no argument %s", c->target->name, n->name);
	else if (is_args(n->a))
		check_error(c, n->span, "args has no field %s in %s", n->name, c->target->name);
	else
		check_error(c, n->span, "%s has no field %s", check_text(c, record), n->name);
	for (size_t i = 0; i < record->nr_fields; i++)
		nearest_try(&near, record->fields[i].name);
	if (near.best && *near.best)
		check_hint(c, "did you mean %s?", near.best);
	else if (is_args(n->a) && record->name)
		check_hint(c, "bscope -lv '%s' prints what it has", c->target->name);
	return NULL;
}

/* record.a where the script says record.@n->name, and a is b.c by now: the tree becomes that. */
static bool is_renamed(struct compiler *c, struct node *n, const struct type *record)
{
	const struct renamed *r = NULL;
	const char *first;
	uint32_t offset;

	if (record->kind != TYPE_RECORD || !record->btf || !record->name)
		return false;
	do {
		r = renamed_field(record->name, n->name, r);
		first = r ? arena_strndup(c->arena, r->is, strcspn(r->is, ".")) : NULL;
	} while (r && !type_field(record, first, &offset));
	if (!r)
		return false;
	source_warning(c->source, n->span, "this kernel has the field %s as %s", n->name, r->is);
	n->name = r->is + strcspn(r->is, ".");
	if (*n->name) {
		struct node *inner = arena_alloc(c->arena, sizeof(*inner));

		*inner = *n;
		inner->name = first;
		n->a = inner;
		n->name++;
	} else {
		n->name = first;
	}
	return true;
}

/* The record that the left of a . or -> is, or points to. */
static const struct type *record_of(struct compiler *c, struct node *n)
{
	const struct type *type;

	if (is_args(n->a)) {
		type = builtin_args(c, n->a->span);
		n->a->type = type;
		return type;
	}
	if (n->a->kind == NODE_NAME)
		n->a->arrow = true; /* curtask is asked for a field */
	type = check_expr(c, n->a);
	if (type && type->kind == TYPE_POINTER)
		type = type->to;
	if (!type)
		return NULL;
	if (type->kind != TYPE_RECORD && type->kind != TYPE_TUPLE)
		return check_error(c, n->span, "%s has no fields", check_text(c, n->a->type));
	if (type->kind == TYPE_RECORD)
		record_complete(type);
	return type;
}

/* Through which pointer @n is reached: where that leads. A copy of a process's record may hold
 * pointers of either kind. */
static enum space reached_in(struct compiler *c, const struct node *n)
{
	for (; n; n = n->a) {
		if (n->type && n->type->kind == TYPE_POINTER)
			return n->type->space;
		if (n->kind != NODE_FIELD && n->kind != NODE_INDEX &&
		    !(n->kind == NODE_UNARY && n->op == OP_DEREF))
			break;
	}
	return check_space(c) == SPACE_USER ? SPACE_NONE : SPACE_KERNEL;
}

/* The pointers in the user's memory lead to where that is. */
static const struct type *in_space(struct compiler *c, enum space space, const struct type *type)
{
	if (space != SPACE_USER && space != SPACE_NONE)
		return type;
	if (type->kind == TYPE_ARRAY)
		return type_array(c->types, in_space(c, space, type->to), type->count);
	if (type->kind == TYPE_POINTER && type->space == SPACE_KERNEL)
		return type_pointer(c->types, type->to, space);
	return type;
}

static const struct type *in_space_of(struct compiler *c, const struct node *of,
				      const struct type *type)
{
	return in_space(c, reached_in(c, of), type);
}

/* Of an enum of a tracepoint's format, of which that has the name only. */
static const struct type *with_names(struct compiler *c, const struct type *type)
{
	const struct type *found;

	if (type->kind != TYPE_ENUM || type->nr_enumerators || !type->btf)
		return type;
	found = btf_type(c->btf, "enum", type->name);
	return found && found->kind == TYPE_ENUM && found->size == type->size ? found : type;
}

/* config.max_strlen, and config().max_strlen */
static bool is_config(const struct node *n)
{
	return (n->kind == NODE_NAME || (n->kind == NODE_CALL && !n->nr_args)) &&
	       (!strcmp(n->name, "config") || !strcmp(n->name, "__builtin_config"));
}

/* A setting of the script becomes a constant. */
static const struct type *check_setting(struct compiler *c, struct node *n)
{
	const struct script_config *config = c->config;
	const char *mode = config->stack_mode == 'p'   ? "perf"
			   : config->stack_mode == 'r' ? "raw"
						       : "bpftrace";
	const struct {
		const char *name, *text;
		uint64_t value;
	} known[] = {
		{ "max_strlen", NULL, config->max_strlen },
		{ "max_map_keys", NULL, config->max_map_keys },
		{ "max_probes", NULL, config->max_probes },
		{ "max_cat_bytes", NULL, config->max_cat_bytes ? config->max_cat_bytes : 10240 },
		{ "print_maps_on_exit", NULL, config->print_maps_on_exit },
		{ "stack_mode", mode, 0 },
		{ "str_trunc_trailer", config->str_trunc_trailer, 0 },
		{ "cpp_demangle", NULL, 1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (strcmp(known[i].name, n->name))
			continue;
		n->kind = known[i].text ? NODE_STRING : NODE_INT;
		n->value = known[i].value;
		n->text = known[i].text;
		n->length = n->text ? strlen(n->text) : 0;
		return n->text ? type_string(c->types, n->length + 1) : type_int(c->types, 8, true);
	}
	return check_error(c, n->span, "there is no setting %s that a script could read", n->name);
}

const struct type *check_field(struct compiler *c, struct node *n)
{
	const struct type *record;
	const struct field *f;
	uint32_t offset;

	if (is_config(n->a))
		return check_setting(c, n);
	record = record_of(c, n);
	if (!record)
		return NULL;
	/* what fexit says a function gave back */
	if (is_args(n->a) && !strcmp(n->name, "retval") && c->target->ret)
		return c->target->ret;
	f = type_field(record, n->name, &offset);
	if (!f)
		return is_renamed(c, n, record) ? check_field(c, n) : no_field(c, n, record);
	return in_space_of(c, n->a, with_names(c, seen_as(c, f->type)));
}

/* --- elements, and what a pointer points to ----------------------------------------------- */

const struct type *check_index(struct compiler *c, struct node *n)
{
	const struct type *type = check_expr(c, n->a);
	int64_t at;

	if (!check_number(c, n->b, "an index") || !type)
		return NULL;
	/* a character: of a char of an array of them, too */
	if (type_is_text(type) || type->kind == TYPE_BUFFER)
		return type_int(c->types, 1, type_is_text(type));
	if (type->kind == TYPE_TUPLE) {
		if (!check_constant(c, n->b, &at))
			return check_error(c, n->span,
					   "an element of a tuple is written .0, .1 "
					   "and so on");
		n->kind = NODE_FIELD;
		n->name = arena_printf(c->arena, "%lld", (long long)at);
		return check_field(c, n);
	}
	if (type_is_text(type))
		return type_int(c->types, 1, true);
	if (type->kind != TYPE_ARRAY && type->kind != TYPE_POINTER)
		return check_error(c, n->span, "%s has no elements", check_text(c, type));
	if (type->kind == TYPE_ARRAY && check_constant(c, n->b, &at) && type->count &&
	    (at < 0 || at >= type->count))
		return check_error(c, n->span, "index %lld, and there are %u elements",
				   (long long)at, type->count);
	if (type->to->kind == TYPE_VOID || !type->to->size)
		return check_error(c, n->span, "what %s points to is not known",
				   check_text(c, type));
	return in_space_of(c, n->a, seen_as(c, type->to));
}

const struct type *check_deref(struct compiler *c, struct node *n)
{
	const struct type *type = check_expr(c, n->a);

	if (!type)
		return NULL;
	/* *x of a number: 8 bytes there */
	if (type->kind == TYPE_INT)
		return type_int(c->types, 8, false);
	if (type->kind != TYPE_POINTER)
		return check_error(c, n->span, "%s is no pointer", check_text(c, type));
	if (type->to->kind == TYPE_VOID)
		return check_error(c, n->span,
				   "what this pointer points to is not known: a cast "
				   "says it, as in *(uint64 *)x");
	if (type->to->kind == TYPE_RECORD)
		record_complete(type->to);
	return in_space_of(c, n->a, seen_as(c, type->to));
}

/* --- where it is -------------------------------------------------------------------------- */

static struct location locate(struct compiler *c, struct node *n);

static struct location at_pointer(struct compiler *c, struct node *n)
{
	struct location l = { .space = SPACE_NONE };

	l.base = lower_expr(c, n);
	if (n->type->kind == TYPE_POINTER)
		l.space = n->type->space;
	else if (c->target->attach == ATTACH_UPROBE || c->target->attach == ATTACH_URETPROBE)
		l.space = SPACE_USER;
	return l;
}

/* The fields of fentry's and raw tracepoints' args are 8 bytes each in the context, as far as the
 * verifier lets a program load them there; those of a kprobe are in registers. */
static struct location locate_args(struct compiler *c, const struct type *args,
				   const struct field *f, uint32_t offset)
{
	struct location l = { .space = SPACE_CONTEXT };

	if (c->target->attach == ATTACH_KPROBE || builtin_is_refused(c, f - args->fields)) {
		l.space = SPACE_PROGRAM;
		l.base = ir_scratch(c->f, lower_place(c, 8, c->f->at));
		ir_store(c->f, l.base, 0, 8, builtin_argument(c, f - args->fields));
		return l;
	}
	if (c->target->attach == ATTACH_FOLDED)
		return lower_folded_args(c, offset);
	l.base = ir_context(c->f);
	l.offset = offset;
	return l;
}

static struct location locate_field(struct compiler *c, struct node *n)
{
	const struct type *record = n->a->type;
	struct location l;
	const struct field *f;
	uint32_t offset;

	if (record->kind == TYPE_POINTER)
		record = record->to;
	f = type_field(record, n->name, &offset);
	if (is_args(n->a)) {
		l = locate_args(c, record, f, offset);
	} else {
		l = n->a->type->kind == TYPE_POINTER ? at_pointer(c, n->a) : locate(c, n->a);
		l.offset += offset;
	}
	l.bits = f->bits ? f : NULL;
	l.data_loc = f->data_loc || f->rel_loc ? f : NULL;
	return l;
}

/* A character of a text: NUL where the text has none there. */
static ir_value lower_character(struct compiler *c, struct node *n)
{
	ir_value text = n->a->type->kind == TYPE_BUFFER ? lower_expr(c, n->a) : lower_text(c, n->a);
	uint32_t place = lower_place(c, 8, n->span), inside = ir_block(c->f),
		 after = ir_block(c->f);
	ir_value index = lower_expr(c, n->b), value = ir_variable(c->f, IR_SCALAR), from;

	ir_set(c->f, value, ir_const(c->f, 0));
	ir_branch_imm(c->f, IR_ULT, index, type_room(n->a->type), inside, after);
	ir_enter(c->f, inside);
	/* an index that the verifier need not follow */
	from = ir_binary(c->f, IR_ADD, lower_forget(c, text), index);
	lower_read(c, SPACE_KERNEL, place, 1,
		   ir_binary_imm(c->f, IR_ADD, from, offsetof(struct rt_string, bytes)));
	ir_set(c->f, value, ir_load(c->f, ir_scratch(c->f, place), 0, 1, n->type->is_signed));
	ir_jump(c->f, after);
	ir_enter(c->f, after);
	return value;
}

/* The bytes of a text: those of a record's char[], or behind the length. */
static struct location locate_bytes(struct compiler *c, struct node *n)
{
	struct location l = { .space = SPACE_PROGRAM };
	bool is_raw = n->kind == NODE_INDEX || (n->kind == NODE_UNARY && n->op == OP_DEREF) ||
		      (n->kind == NODE_FIELD && n->a->type->kind != TYPE_TUPLE);

	if (is_raw)
		l = locate(c, n);
	if (is_raw && !l.data_loc)
		return l;
	l = (struct location){ .space = SPACE_PROGRAM, .base = lower_expr(c, n) };
	if (n->type->kind == TYPE_STRING)
		l.offset = offsetof(struct rt_string, bytes);
	return l;
}

static struct location locate_index(struct compiler *c, struct node *n)
{
	const struct type *of = n->a->type;
	uint32_t size = of->to ? of->to->size : 1;
	struct location l;
	int64_t at;
	ir_value index;

	if (type_is_text(of))
		l = locate_bytes(c, n->a);
	else
		l = of->kind == TYPE_POINTER ? at_pointer(c, n->a) : locate(c, n->a);
	if (check_constant(c, n->b, &at) &&
	    (!type_is_text(of) || (at >= 0 && at < type_room(of)))) {
		l.offset += at * size;
		return l;
	}
	index = lower_expr(c, n->b);
	if (l.space == SPACE_CONTEXT || l.space == SPACE_PROGRAM) {
		/* an index that the verifier can't follow: it is read like any other memory */
		l.base = lower_forget(c, l.base);
		l.space = SPACE_KERNEL;
	}
	index = ir_binary_imm(c->f, IR_MUL, index, size);
	l.base = ir_binary(c->f, IR_ADD, l.base, index);
	return l;
}

static struct location locate(struct compiler *c, struct node *n)
{
	struct location l = { .space = SPACE_PROGRAM };

	switch (n->kind) {
	case NODE_FIELD:
		if (!(is_args(n->a) && !strcmp(n->name, "retval") && c->target->ret))
			return locate_field(c, n);
		break;
	case NODE_INDEX:
		return locate_index(c, n);
	case NODE_UNARY:
		if (n->op == OP_DEREF)
			return at_pointer(c, n->a);
		break;
	default:
		break;
	}
	/* a place of the program's own */
	l.base = lower_expr(c, n);
	return l;
}

/* --- reading ------------------------------------------------------------------------------ */

void lower_read(struct compiler *c, enum space space, uint32_t place, uint32_t size, ir_value from)
{
	ir_value to = ir_scratch(c->f, place), n = ir_const(c->f, size);

	if (space == SPACE_NONE)
		ir_runtime(c->f, "rt_read_any", IR_SCALAR, 3, to, n, from);
	else
		ir_call(c->f,
			space == SPACE_USER ? BPF_FUNC_probe_read_user : BPF_FUNC_probe_read_kernel,
			IR_SCALAR, 3, to, n, from);
}

static ir_value address(struct compiler *c, const struct location *l)
{
	return l->offset ? ir_binary_imm(c->f, IR_ADD, l->base, l->offset) : l->base;
}

static bool is_direct(const struct location *l)
{
	return l->space == SPACE_CONTEXT || l->space == SPACE_PROGRAM;
}

static ir_value read_bits(struct compiler *c, ir_value value, const struct type *type,
			  const struct field *f)
{
	unsigned left = 64 - f->bit_offset - f->bits;

	value = ir_binary_imm(c->f, IR_SHL, value, left);
	return ir_binary_imm(c->f, type->is_signed ? IR_SAR : IR_SHR, value, 64 - f->bits);
}

static ir_value read_scalar(struct compiler *c, struct node *n, struct location *l)
{
	uint32_t size = n->type->size, place;
	ir_value value;

	/* a bit field may reach beyond the bytes of its type, where it is packed */
	if (l->bits)
		size = l->bits->bit_offset + l->bits->bits > 32 ? 8 : 4;
	if (is_direct(l) && !l->bits) {
		value = ir_load(c->f, l->base, l->offset, size, n->type->is_signed);
	} else {
		place = lower_place(c, 8, n->span);
		if (is_direct(l)) {
			l->base = lower_forget(c, l->base);
			l->space = SPACE_KERNEL;
		}
		if (l->bits)
			ir_store_imm(c->f, ir_scratch(c->f, place), 0, 8, 0);
		lower_read(c, l->space, place, size, address(c, l));
		value = ir_load(c->f, ir_scratch(c->f, place), 0, l->bits ? 8 : size,
				n->type->is_signed);
	}
	return l->bits ? read_bits(c, value, n->type, l->bits) : value;
}

/* __data_loc: a u32 with where it is, from the record's begin, in its lower half; __rel_loc: from
 * behind this u32. */
static void follow_data_loc(struct compiler *c, struct location *l)
{
	ir_value at = ir_load(c->f, l->base, l->offset, 4, false);
	ir_value begin = lower_forget(c, l->base);

	at = ir_binary_imm(c->f, IR_AND, at, 0xffff);
	l->base = ir_binary(c->f, IR_ADD, begin, at);
	l->offset = l->data_loc->rel_loc ? l->offset + 4 : 0;
	l->space = SPACE_KERNEL;
}

ir_value lower_address(struct compiler *c, struct node *n)
{
	struct location l = locate(c, n);

	if (l.data_loc)
		follow_data_loc(c, &l);
	if (is_direct(&l))
		l.base = lower_forget(c, l.base);
	return address(c, &l);
}

ir_value lower_location(struct compiler *c, struct node *n)
{
	struct location l;
	ir_value from, at;
	uint32_t place;

	/* args.retval */
	if (n->kind == NODE_FIELD && is_args(n->a) && !strcmp(n->name, "retval") && c->target->ret)
		return builtin_result(c);
	if (n->kind == NODE_INDEX && (type_is_text(n->a->type) || n->a->type->kind == TYPE_BUFFER))
		return lower_character(c, n);
	l = locate(c, n);
	if (l.data_loc)
		follow_data_loc(c, &l);
	if (type_is_scalar(n->type))
		return read_scalar(c, n, &l);
	if (n->type->kind == TYPE_STRING && (l.data_loc || !is_direct(&l) || l.offset ||
					     n->kind == NODE_INDEX || n->kind == NODE_FIELD)) {
		if (l.space == SPACE_PROGRAM && !l.data_loc && n->kind == NODE_FIELD &&
		    n->a->type->kind == TYPE_TUPLE)
			return address(c, &l); /* it is a struct rt_string already */
		if (is_direct(&l))
			l = (struct location){ .base = lower_forget(c, l.base),
					       .offset = l.offset,
					       .space = SPACE_KERNEL };
		place = lower_place(c, RT_STRING_SIZE(n->type->count), n->span);
		from = address(c, &l);
		at = ir_scratch(c->f, place);
		ir_runtime(c->f, lower_reader(c, "rt_str", l.space), IR_SCALAR, 3, at,
			   ir_const(c->f, n->type->count), from);
		return ir_scratch(c->f, place);
	}
	if (is_direct(&l) && l.space == SPACE_PROGRAM)
		return address(c, &l);
	if (is_direct(&l))
		l = (struct location){ .base = lower_forget(c, l.base),
				       .offset = l.offset,
				       .space = SPACE_KERNEL };
	place = lower_place(c, n->type->size, n->span);
	lower_read(c, l.space, place, n->type->size, address(c, &l));
	return ir_scratch(c->f, place);
}
