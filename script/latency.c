/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * latency: one clause for a begin and its end. Two programs share a map: that at the entry notes
 * the time, and what the clause asks of the entry; that at the return takes it out, and does what
 * the clause says.
 *
 * Which entry a return belongs to is told by the stack: at both, the stack pointer is the same (on
 * x86-64, but for the return address), and no other call that is under way has it. So a function
 * that calls itself is right, and one that was left by longjmp() leaves nothing but a note that the
 * next call from that depth replaces. fentry and fexit don't see registers, but share a trampoline
 * whose frame, and so the context, is the same for both. Tracepoints are told by the thread.
 */
#include <linux/bpf.h>
#include <string.h>

#include "script/compile.h"
#include "script/node.h"

/* The key: who (see lower_key()), where on the stack, which pair of the clause. */
#define KEY_PARTS 3

/* --- before the check --------------------------------------------------------------------- */

struct search {
	struct compiler *c;
	struct latency *l;
};

static bool is_name(const struct node *n, const char *name)
{
	return n->kind == NODE_NAME && !strcmp(n->name, name);
}

static void keep(struct search *s, struct node *n, struct node *what)
{
	struct latency *l = s->l;

	if (l->nr_kept == l->capacity)
		l->kept = arena_grow(s->c->arena, l->kept, &l->capacity, 4, sizeof(*l->kept));
	n->kind = NODE_ENTRY;
	n->value = l->nr_kept;
	n->a = what;
	n->args = NULL;
	n->nr_args = 0;
	l->kept[l->nr_kept++] = what;
}

/* entry.arg0, entry.args.count, entry.args->count, entry(x): the node becomes a NODE_ENTRY. */
static void find_entry(struct node *n, void *ctx)
{
	struct search *s = ctx;
	struct arena *arena = s->c->arena;
	struct node *a = n->a, *name;

	if (n->kind == NODE_CALL && !strcmp(n->name, "entry") && n->nr_args == 1) {
		keep(s, n, n->args[0]);
	} else if (n->kind == NODE_FIELD && a->kind == NODE_FIELD && is_name(a->a, "entry") &&
		   !strcmp(a->name, "args")) {
		struct node *field = node_new(arena, NODE_FIELD, n->span);

		field->a = a->a;
		field->a->name = "args";
		field->name = n->name;
		field->height = n->height;
		keep(s, n, field);
	} else if (n->kind == NODE_FIELD && is_name(a, "entry")) {
		name = node_new(arena, NODE_NAME, n->span);
		name->name = n->name;
		keep(s, n, name);
	}
}

struct latency *latency_new(struct compiler *c, const struct clause *clause)
{
	struct latency *l = arena_alloc(c->arena, sizeof(*l));
	struct search s = { c, l };
	const struct type *u64 = type_int(c->types, 8, false);
	const struct type *key[KEY_PARTS] = { u64, u64, u64 };
	const char *name = NULL;

	for (size_t i = 0; !name && i < clause->nr_points; i++)
		name = clause->points[i].latency ? clause->points[i].text : NULL;
	if (!name)
		return NULL;
	while (names_get(c->map_names, name)) /* another clause has it */
		name = arena_printf(c->arena, "%s (again)", name);
	l->map = check_map_named(c, name, clause->span);
	l->map->map.key = type_tuple(c->types, key, KEY_PARTS);
	l->map->map.latency = true;
	l->map->read = l->map->assigned = l->map->told = true;
	node_walk(clause->predicate, find_entry, &s);
	node_walk(clause->body, find_entry, &s);
	return l;
}

/* As it is written in a script, and as the builtin probe has it. */
static const char *name_of(struct compiler *c, const struct target *entry)
{
	const char *rest = strchr(entry->name, ':') + 1;
	enum provider provider = entry->point->provider;

	if (provider == PROVIDER_TRACEPOINT && !strncmp(rest, "syscalls:sys_enter_", 19))
		return arena_printf(c->arena, "latency:syscall:%s", rest + 19);
	if (provider == PROVIDER_UPROBE || (provider == PROVIDER_KPROBE && !strchr(rest, ':')))
		return arena_printf(c->arena, "latency:%s", rest);
	return arena_printf(c->arena, "latency:%s", entry->name);
}

struct target *latency_pair(struct compiler *c, struct latency *l, struct target *entry, bool alone)
{
	struct target *end = probes_pair(c->probes, entry);

	if (!end && alone) {
		source_error(c->source, entry->point->span,
			     "nothing is known to end what begins with %s", entry->name);
		source_hint(c->source, "latency goes with tracepoints called ..._enter or _entry "
				       "(and _exit), _begin (and _end), _start (and _end, _done, "
				       "_complete)");
	}
	if (!end)
		return NULL;
	entry->is_entry = true;
	entry->pair = end->pair = ++l->pairs;
	entry->name = end->name = name_of(c, entry);
	return end;
}

/* --- what the note is --------------------------------------------------------------------- */

/* The time, and all that is kept. */
void latency_check_entry(struct compiler *c, struct variant *v)
{
	struct latency *l = v->latency;
	const struct type **of, *joined, *note;

	of = arena_alloc(c->arena, (l->nr_kept + 1) * sizeof(*of));
	of[0] = type_int(c->types, 8, false);
	for (size_t i = 0; i < l->nr_kept; i++) {
		struct node *n = l->kept[i];
		const struct type *type = check_expr(c, n);

		if (!type)
			return;
		if (type_is_aggregate(type) || type->kind == TYPE_VOID ||
		    (type->kind == TYPE_POINTER && type->space == SPACE_CONTEXT)) {
			check_error(c, n->span, "%s can't be kept from the entry to the return",
				    type->kind == TYPE_POINTER ? "args as a whole"
							       : check_text(c, type));
			return;
		}
		of[i + 1] = check_kept(c, type);
	}
	note = type_tuple(c->types, of, l->nr_kept + 1);
	joined = check_join(c, l->map->map.value, note);
	if (!joined) {
		check_error(c, v->clause->span,
			    "what entry keeps is %s for one of these probes, and %s for another",
			    check_text(c, l->map->map.value), check_text(c, note));
		return;
	}
	if (joined != l->map->map.value) {
		l->map->map.value = joined;
		c->changed = true;
	}
}

static const struct field *kept_field(const struct compiler *c, const struct node *n)
{
	const struct type *note = c->variant->latency ? c->variant->latency->map->map.value : NULL;

	return note ? &note->fields[n->value + 1] : NULL;
}

const struct type *latency_check_kept(struct compiler *c, struct node *n)
{
	const struct field *f;

	if (!c->variant->latency)
		return check_error(c, n->span, "%s is no pair of probes: it has no entry",
				   c->target->name);
	if (c->target->is_entry)
		return check_error(c, n->span, "this is the entry already");
	f = kept_field(c, n);
	return f ? f->type : NULL;
}

ir_value latency_lower_kept(struct compiler *c, struct node *n)
{
	const struct field *f = kept_field(c, n);
	ir_value note = ir_scratch(c->f, c->noted);

	if (type_is_scalar(f->type))
		return ir_load(c->f, note, f->offset, f->type->size, f->type->is_signed);
	return ir_binary_imm(c->f, IR_ADD, note, f->offset);
}

const struct type *latency_check(struct compiler *c, struct node *n)
{
	if (c->target->is_entry)
		return check_error(c, n->span, "latency is not known at the entry");
	if (!c->target->pair)
		return check_error(c, n->span, "%s is no pair of probes: it has no latency",
				   c->target->name);
	return type_int(c->types, 8, false);
}

ir_value latency_lower(struct compiler *c, struct node *n)
{
	return ir_load(c->f, ir_scratch(c->f, c->noted), 0, 8, false);
}

/* --- the programs ------------------------------------------------------------------------- */

/* Of tracepoints the thread; of CPUs that are idle, whose threads are all 0, the CPU. */
static ir_value lower_thread(struct compiler *c)
{
	ir_value who = ir_variable(c->f, IR_SCALAR);
	uint32_t idle = ir_block(c->f), after = ir_block(c->f);

	ir_set(c->f, who, ir_call(c->f, BPF_FUNC_get_current_pid_tgid, IR_SCALAR, 0));
	ir_branch_imm(c->f, IR_EQ, who, 0, idle, after);
	ir_enter(c->f, idle);
	ir_set(c->f, who, ir_call(c->f, BPF_FUNC_get_smp_processor_id, IR_SCALAR, 0));
	ir_jump(c->f, after);
	ir_enter(c->f, after);
	return who;
}

/* Of functions the process alone: what runs on a stack may come to another thread of it. */
static ir_value lower_process(struct compiler *c)
{
	ir_value ids = ir_call(c->f, BPF_FUNC_get_current_pid_tgid, IR_SCALAR, 0);

	return ir_binary_imm(c->f, IR_SHL, ir_binary_imm(c->f, IR_SHR, ids, 32), 32);
}

/* Where on the stack the call is. A return has taken the return address off it. */
static ir_value lower_depth(struct compiler *c)
{
	ir_value sp;

	if (c->target->attach == ATTACH_FENTRY || c->target->attach == ATTACH_FEXIT)
		return lower_forget(c, ir_context(c->f));
	sp = builtin_stack_pointer(c);
#if defined(__x86_64__)
	if (!c->target->is_entry)
		sp = ir_binary_imm(c->f, IR_SUB, sp, 8);
#endif
	return sp;
}

static ir_value lower_key(struct compiler *c)
{
	bool functions = c->target->point->provider != PROVIDER_TRACEPOINT;
	uint32_t place = lower_place(c, 8 * KEY_PARTS, c->f->at);
	ir_value who = functions ? lower_process(c) : lower_thread(c), key;
	ir_value depth = functions ? lower_depth(c) : ir_const(c->f, 0);

	key = ir_scratch(c->f, place);
	ir_store(c->f, key, 0, 8, who);
	ir_store(c->f, key, 8, 8, depth);
	ir_store_imm(c->f, key, 16, 8, c->target->pair);
	return key;
}

static ir_value lower_now(struct compiler *c)
{
	return ir_call(c->f, BPF_FUNC_ktime_get_ns, IR_SCALAR, 0);
}

void latency_lower_entry(struct compiler *c)
{
	struct latency *l = c->variant->latency;
	const struct type *type = l->map->map.value;
	uint32_t place = lower_place(c, type->size, c->f->at);
	uint32_t full = ir_block(c->f);
	ir_value map, key, note, failed;

	for (size_t i = 0; i < l->nr_kept; i++) {
		const struct field *f = &type->fields[i + 1];

		lower_into(c, l->kept[i], f->type, ir_scratch(c->f, place), f->offset);
	}
	key = lower_key(c);
	/* last of all, so that what has been done until here takes no part of it */
	note = ir_scratch(c->f, place);
	ir_store(c->f, note, 0, 8, lower_now(c));
	map = lower_map(c, l->map, c->leave);
	failed = ir_call(c->f, BPF_FUNC_map_update_elem, IR_SCALAR, 4, map, key, note,
			 ir_const(c->f, BPF_ANY));
	ir_branch_imm(c->f, IR_NE, failed, 0, full, c->leave);
	ir_enter(c->f, full);
	lower_count_lost(c, l->map->map.lost);
}

void latency_lower_return(struct compiler *c)
{
	struct latency *l = c->variant->latency;
	uint32_t size = load_value_size(&l->map->map), seen = ir_block(c->f);
	ir_value now, map, key, at, began, took;

	now = lower_now(c); /* first of all */
	c->noted = lower_place(c, size, c->f->at);
	key = lower_key(c);
	map = lower_map(c, l->map, c->leave);
	at = ir_call(c->f, BPF_FUNC_map_lookup_elem, IR_MAP_VALUE, 2, map, key);
	ir_branch_imm(c->f, IR_NE, at, 0, seen, c->leave);
	ir_enter(c->f, seen);
	lower_copy(c, ir_scratch(c->f, c->noted), 0, at, 0, size);
	ir_call(c->f, BPF_FUNC_map_delete_elem, IR_SCALAR, 2, map, key);
	began = ir_load(c->f, ir_scratch(c->f, c->noted), 0, 8, false);
	took = ir_binary(c->f, IR_SUB, now, began);
	ir_store(c->f, ir_scratch(c->f, c->noted), 0, 8, took);
}
