/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Maps: their keys, what is read from them and put into them. */
#include <linux/bpf.h>
#include <string.h>

#include "script/compile.h"

#define ZERO_AT 0 /* in rodata: the key of maps without keys, and zeroes (compile.c) */

void lower_count_lost(struct compiler *c, unsigned counter)
{
	ir_value at = ir_global(c->f, offsetof(struct rt_globals, lost) + 8 * counter);

	ir_atomic_add(c->f, at, 0, ir_const(c->f, 1));
}

/* --- ids ---------------------------------------------------------------------------------- */

/* Makes the id of the struct rt_bytes at @place, and has it sent where it is new. */
static void intern(struct compiler *c, uint32_t place, uint32_t room)
{
	ir_value bytes = ir_scratch(c->f, place), most = ir_const(c->f, room);

	ir_runtime(c->f, "rt_intern", IR_SCALAR, 3, bytes, most,
		   ir_global(c->f, offsetof(struct rt_globals, lost) + 8 * c->out->interning_lost));
	c->out->interns = true;
}

/* The same, and the id is the value at @offset of @to. */
static void intern_to(struct compiler *c, uint32_t place, uint32_t room, ir_value to,
		      uint32_t offset)
{
	intern(c, place, room);
	lower_copy(c, to, offset, ir_scratch(c->f, place), offsetof(struct rt_bytes, id), 16);
}

static void begin_bytes(struct compiler *c, uint32_t place, enum rt_bytes_kind kind)
{
	ir_value bytes = ir_scratch(c->f, place);

	ir_store_imm(c->f, bytes, offsetof(struct rt_bytes, record.statement), 4, RT_BYTES);
	ir_store_imm(c->f, bytes, offsetof(struct rt_bytes, kind), 4, kind);
	ir_store_imm(c->f, bytes, offsetof(struct rt_bytes, pid), 4, 0);
}

static void literal_id(struct compiler *c, const struct node *n, ir_value to, uint32_t offset)
{
	struct compiled *out = c->out;
	struct rt_id none = { 0 };
	struct literal_id *l = NULL;

	for (size_t i = 0; i < out->nr_literals; i++)
		if (out->literals[i].len == n->length &&
		    !memcmp(out->literals[i].text, n->text, n->length))
			l = &out->literals[i];
	if (!l) {
		if (out->nr_literals == c->literals_capacity)
			out->literals = arena_grow(c->arena, out->literals, &c->literals_capacity,
						   16, sizeof(*out->literals));
		l = &out->literals[out->nr_literals++];
		l->text = n->text;
		l->len = n->length;
		/* each has bytes of its own, for they are written later */
		l->offset = lower_rodata_own(c, &none, sizeof(none));
	}
	lower_copy(c, to, offset, ir_rodata(c->f, l->offset), 0, sizeof(none));
}

static void lower_text_id(struct compiler *c, struct node *n, ir_value to, uint32_t offset)
{
	uint32_t room = type_room(n->type), place;

	if (n->kind == NODE_STRING) {
		literal_id(c, n, to, offset);
		return;
	}
	place = lower_place(c, offsetof(struct rt_bytes, len) + RT_STRING_SIZE(room), n->span);
	begin_bytes(c, place, RT_BYTES_TEXT);
	/* .len, .cut and .bytes are a struct rt_string */
	lower_text_to(c, n, place + offsetof(struct rt_bytes, len), room);
	intern_to(c, place, room, to, offset);
}

void lower_place_id(struct compiler *c, const struct type *type, ir_value from, ir_value to,
		    uint32_t offset)
{
	uint32_t room = type_room(type), place;
	ir_value text;

	place = lower_place(c, offsetof(struct rt_bytes, len) + RT_STRING_SIZE(room), c->f->at);
	begin_bytes(c, place, RT_BYTES_TEXT);
	text = ir_scratch(c->f, place + offsetof(struct rt_bytes, len));
	if (type->kind == TYPE_COMM)
		ir_runtime(c->f, "rt_str_comm", IR_SCALAR, 2, text, from);
	else
		ir_runtime(c->f, "rt_str_copy", IR_SCALAR, 3, text, ir_const(c->f, room), from);
	intern_to(c, place, room, to, offset);
}

/* Reads the stack that @n stands for to the struct rt_bytes at @place, which has @room bytes for
 * the addresses. Returns how many bytes they are. */
static ir_value read_stack(struct compiler *c, struct node *n, uint32_t place, uint32_t room)
{
	bool user = n->type->kind == TYPE_USTACK;
	bool called = user && c->target->caller_missing && n->type->depth > 1;
	ir_value context = ir_context(c->f), bytes = ir_scratch(c->f, place);
	ir_value most = ir_const(c->f, room);

	return ir_runtime(c->f, called ? "rt_stack_called" : "rt_stack", IR_SCALAR, 4, context,
			  bytes, most, ir_const(c->f, user ? BPF_F_USER_STACK : 0));
}

ir_value lower_stack_length(struct compiler *c, struct node *n)
{
	uint32_t room = 8 * n->type->depth;
	uint32_t place = lower_place(c, sizeof(struct rt_bytes) + room, n->span);

	return ir_binary_imm(c->f, IR_SHR, read_stack(c, n, place, room), 3);
}

void lower_stack_id(struct compiler *c, struct node *n, ir_value to, uint32_t offset)
{
	uint32_t room = 8 * n->type->depth, place;
	bool user = n->type->kind == TYPE_USTACK;
	ir_value pid;

	place = lower_place(c, sizeof(struct rt_bytes) + room, n->span);
	begin_bytes(c, place, user ? RT_BYTES_USTACK : RT_BYTES_KSTACK);
	if (user) {
		pid = ir_call(c->f, BPF_FUNC_get_current_pid_tgid, IR_SCALAR, 0);
		pid = ir_binary_imm(c->f, IR_SHR, pid, 32);
		ir_store(c->f, ir_scratch(c->f, place), offsetof(struct rt_bytes, pid), 4, pid);
		c->out->user_stacks = true;
	} else {
		c->out->kernel_stacks = true;
	}
	read_stack(c, n, place, room);
	intern_to(c, place, room, to, offset);
}

/* A key of a map is named when the map is shown. So that the process is known when it has ended by
 * then, the address goes out as a stack of its own, once. */
static void announce_usym(struct compiler *c, ir_value usym, uint32_t offset)
{
	uint32_t place = lower_place(c, sizeof(struct rt_bytes) + 8, c->f->at);
	ir_value bytes, part;

	begin_bytes(c, place, RT_BYTES_USTACK);
	bytes = ir_scratch(c->f, place);
	part = ir_load(c->f, usym, offset + offsetof(struct rt_usym, pid), 4, false);
	ir_store(c->f, bytes, offsetof(struct rt_bytes, pid), 4, part);
	ir_store_imm(c->f, bytes, offsetof(struct rt_bytes, len), 4, 8);
	ir_store_imm(c->f, bytes, offsetof(struct rt_bytes, cut), 4, 0);
	part = ir_load(c->f, usym, offset + offsetof(struct rt_usym, address), 8, false);
	ir_store(c->f, bytes, offsetof(struct rt_bytes, bytes), 8, part);
	intern(c, place, 8);
	c->out->user_stacks = true;
}

/* --- keys --------------------------------------------------------------------------------- */

/* Without what stands behind its end, which nobody knows: the place is zeroes. */
static void buffer_key(struct compiler *c, struct node *n, const struct type *type, ir_value to,
		       uint32_t offset)
{
	ir_value from, most, bytes;

	if (n->kind == NODE_CALL) {
		lower_into(c, n, type, to, offset);
		return;
	}
	from = lower_expr(c, n);
	to = offset ? ir_binary_imm(c->f, IR_ADD, to, offset) : to;
	most = ir_const(c->f, type->count);
	bytes = ir_binary_imm(c->f, IR_ADD, from, offsetof(struct rt_string, bytes));
	ir_runtime(c->f, "rt_buf_kernel", IR_SCALAR, 4, to, most, bytes,
		   ir_load(c->f, from, offsetof(struct rt_string, len), 4, false));
}

/* A part of a key as the map has it, which may be wider than the value. */
void lower_key_part(struct compiler *c, struct node *n, const struct type *type, ir_value to,
		    uint32_t offset)
{
	switch (type->kind) {
	case TYPE_STRING_ID:
		if (n->type->kind == TYPE_STRING_ID)
			lower_copy(c, to, offset, lower_expr(c, n), 0, type->size);
		else
			lower_text_id(c, n, to, offset);
		break;
	case TYPE_KSTACK:
	case TYPE_USTACK:
		if (n->kind == NODE_VAR || n->kind == NODE_MAP || n->kind == NODE_TERNARY ||
		    n->kind == NODE_ENTRY)
			lower_into(c, n, type, to, offset);
		else
			lower_stack_id(c, n, to, offset);
		break;
	case TYPE_TUPLE:
		if (n->kind != NODE_TUPLE && n->kind != NODE_RECORD) {
			lower_into(c, n, type, to, offset);
			break;
		}
		for (size_t i = 0; i < n->nr_args; i++) {
			const struct field *f = lower_part(n, type, i);

			lower_key_part(c, n->args[i], f->type, to, offset + f->offset);
		}
		break;
	case TYPE_BUFFER:
		buffer_key(c, n, type, to, offset);
		break;
	case TYPE_USYM:
		lower_into(c, n, type, to, offset);
		announce_usym(c, to, offset);
		break;
	default:
		lower_into(c, n, type, to, offset);
	}
}

ir_value lower_keys(struct compiler *c, const struct map_use *m, struct node **keys, size_t nr)
{
	const struct type *key = m->map.key;
	uint32_t size, used = 0;
	ir_value at;

	if (!key)
		return ir_rodata(c->f, ZERO_AT);
	size = (key->size + 7) & ~7u;
	at = ir_scratch(c->f, lower_place(c, size, c->f->at));
	if (key->kind == TYPE_TUPLE)
		for (size_t i = 0; i < key->nr_fields; i++)
			used += key->fields[i].type->kind == TYPE_TUPLE ||
						key->fields[i].type->kind == TYPE_BUFFER
					? 0
					: key->fields[i].type->size;
	else if (key->kind != TYPE_BUFFER)
		used = key->size;
	/* what is between and behind the parts is compared, too */
	if (used != size)
		lower_zero(c, at, 0, size);
	if (nr == 1) {
		lower_key_part(c, keys[0], key, at, 0);
		return at;
	}
	for (size_t i = 0; i < nr; i++)
		lower_key_part(c, keys[i], key->fields[i].type, at, key->fields[i].offset);
	return at;
}

/* --- values ------------------------------------------------------------------------------- */

ir_value lower_map(struct compiler *c, const struct map_use *m, uint32_t missing)
{
	ir_value map = ir_map(c->f, m->map.index, m->map.generations);
	uint32_t there;

	if (m->map.generations) {
		there = ir_block(c->f);
		ir_branch_imm(c->f, IR_NE, map, 0, there, missing);
		ir_enter(c->f, there);
	}
	return map;
}

ir_value lower_map_lookup(struct compiler *c, const struct map_use *m, ir_value key, uint32_t found,
			  uint32_t missing)
{
	ir_value map = lower_map(c, m, missing), at;

	at = ir_call(c->f, BPF_FUNC_map_lookup_elem, IR_MAP_VALUE, 2, map, key);
	ir_branch_imm(c->f, IR_NE, at, 0, found, missing);
	return at;
}

static ir_value lower_node_keys(struct compiler *c, struct node *n)
{
	return lower_keys(c, n->info, n->args, n->nr_args);
}

/* Goes on in @found with the address of the value, or in @missing. */
static ir_value lookup(struct compiler *c, struct node *n, uint32_t found, uint32_t missing)
{
	return lower_map_lookup(c, n->info, lower_node_keys(c, n), found, missing);
}

ir_value lower_map_slot(struct compiler *c, struct node *n, uint32_t after)
{
	struct map_use *m = n->info;
	uint32_t found = ir_block(c->f), full = ir_block(c->f);
	uint32_t size = load_value_size(&m->map);
	ir_value key = lower_node_keys(c, n), map, at;

	if (m->map.key) {
		map = lower_map(c, m, full);
		at = ir_runtime(c->f, "rt_slot", IR_MAP_VALUE, 3, map, key,
				ir_rodata(c->f, lower_zeroes(c, size)));
		ir_branch_imm(c->f, IR_NE, at, 0, found, full);
	} else {
		at = lower_map_lookup(c, m, key, found, full);
	}
	ir_enter(c->f, full);
	lower_count_lost(c, m->map.lost);
	ir_jump(c->f, after);
	ir_enter(c->f, found);
	return at;
}

/* What an aggregate that programs read is, from its value. */
static ir_value aggregate_read(struct compiler *c, const struct type *type, ir_value at)
{
	ir_value sum;

	if (type->kind != TYPE_AVG)
		return ir_load(c->f, at, 0, 8, false);
	sum = ir_load(c->f, at, offsetof(struct rt_sum, sum), 8, true);
	return ir_runtime(c->f, "rt_div", IR_SCALAR, 2, sum,
			  ir_load(c->f, at, offsetof(struct rt_sum, count), 8, false));
}

static ir_value read_scalar(struct compiler *c, struct node *n)
{
	const struct map_use *m = n->info;
	ir_value value = ir_variable(c->f, IR_SCALAR), at;
	uint32_t found = ir_block(c->f), after = ir_block(c->f);

	ir_set(c->f, value, ir_const(c->f, 0));
	at = lookup(c, n, found, after);
	ir_enter(c->f, found);
	ir_set(c->f, value, aggregate_read(c, m->map.value, at));
	ir_jump(c->f, after);
	ir_enter(c->f, after);
	return value;
}

/* A copy: what is in the map may change or go at any time. */
static ir_value read_place(struct compiler *c, struct node *n)
{
	const struct map_use *m = n->info;
	uint32_t size = load_value_size(&m->map), place = lower_place(c, size, n->span);
	uint32_t found = ir_block(c->f), after = ir_block(c->f);
	ir_value at;

	if (m->map.value->kind == TYPE_STRING)
		lower_zero(c, ir_scratch(c->f, place), 0, 8);
	else
		lower_zero(c, ir_scratch(c->f, place), 0, size);
	at = lookup(c, n, found, after);
	ir_enter(c->f, found);
	lower_copy(c, ir_scratch(c->f, place), 0, at, 0, size);
	ir_jump(c->f, after);
	ir_enter(c->f, after);
	return ir_scratch(c->f, place);
}

ir_value lower_map_read(struct compiler *c, struct node *n)
{
	return type_is_scalar(n->type) ? read_scalar(c, n) : read_place(c, n);
}

/* --- assigning ---------------------------------------------------------------------------- */

/* The value of @n, as the map has it, at @to. */
static void write_value(struct compiler *c, struct node *n, const struct type *type, ir_value to)
{
	if (type_is_scalar(type))
		ir_store(c->f, to, 0, 8, lower_expr(c, n));
	else
		lower_into(c, n, type, to, 0);
}

/* Something was assigned: see script_map_is_marked(). */
static void mark(struct compiler *c, const struct map_use *m, ir_value at)
{
	if (script_map_is_marked(&m->map))
		ir_store_imm(c->f, at, load_value_size(&m->map) - 8, 8, 1);
}

static void update(struct compiler *c, struct map_use *m, ir_value key, ir_value value)
{
	uint32_t full = ir_block(c->f), after = ir_block(c->f);
	ir_value map = lower_map(c, m, full), failed;

	failed = ir_call(c->f, BPF_FUNC_map_update_elem, IR_SCALAR, 4, map, key, value,
			 ir_const(c->f, BPF_ANY));
	ir_branch_imm(c->f, IR_NE, failed, 0, full, after);
	ir_enter(c->f, full);
	lower_count_lost(c, m->map.lost);
	ir_jump(c->f, after);
	ir_enter(c->f, after);
}

void lower_map_assign(struct compiler *c, struct node *n, struct node *value)
{
	struct map_use *m = n->info;
	const struct type *type = m->map.value;
	uint32_t size = load_value_size(&m->map), place = lower_place(c, size, n->span);
	ir_value at;

	if (type_is_aggregate(type)) {
		for (; value->kind == NODE_BLOCK_VALUE; value = value->a)
			lower_statements(c, value->body);
		function_aggregate(c, n, value);
		return;
	}
	at = ir_scratch(c->f, place);
	if (type->kind != TYPE_STRING && type->size % 8 && !type_is_scalar(type))
		lower_zero(c, at, 0, size);
	write_value(c, value, type, at);
	if (m->map.key || !type_is_scalar(type)) {
		ir_value key = lower_node_keys(c, n);

		mark(c, m, ir_scratch(c->f, place));
		update(c, m, key, ir_scratch(c->f, place));
		return;
	}
	uint32_t found = ir_block(c->f), after = ir_block(c->f);
	ir_value kept = ir_load(c->f, ir_scratch(c->f, place), 0, 8, false);

	at = lookup(c, n, found, after);
	ir_enter(c->f, found);
	ir_store(c->f, at, 0, 8, kept);
	mark(c, m, at);
	ir_jump(c->f, after);
	ir_enter(c->f, after);
}

ir_value lower_map_change(struct compiler *c, struct node *n, enum op op, ir_value by, bool wanted,
			  bool before)
{
	uint32_t after = ir_block(c->f);
	ir_value result = ir_variable(c->f, IR_SCALAR), at, now, changed;

	ir_set(c->f, result, ir_const(c->f, 0));
	at = lower_map_slot(c, n, after);
	mark(c, n->info, at);
	if (op == OP_ADD || op == OP_SUB) {
		if (op == OP_SUB)
			by = ir_negate(c->f, by);
		if (wanted) {
			now = ir_load(c->f, at, 0, 8, true);
			ir_set(c->f, result, before ? now : ir_binary(c->f, IR_ADD, now, by));
		}
		ir_atomic_add(c->f, at, 0, by);
	} else {
		now = ir_load(c->f, at, 0, 8, true);
		changed = lower_arithmetic(c, op, now, by, true);
		ir_store(c->f, at, 0, 8, changed);
		ir_set(c->f, result, before ? now : changed);
	}
	ir_jump(c->f, after);
	ir_enter(c->f, after);
	return result;
}
