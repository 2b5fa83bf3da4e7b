/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The arguments of usdt probes: constants, registers and memory, as the notes in the file say. */
#include <linux/bpf.h>

#include "script/compile.h"
#include "script/usdt.h"

const struct type *usdt_argument_type(struct compiler *c, unsigned n)
{
	const struct usdt_arg *arg = &c->target->usdt_args[n];

	return type_int(c->types, arg->size ? arg->size : 8, arg->is_signed);
}

static ir_value register_value(struct compiler *c, const struct usdt_arg *arg)
{
	ir_value value = ir_load(c->f, ir_context(c->f), arg->reg, 8, false);

	return arg->shift ? ir_binary_imm(c->f, IR_SHR, value, arg->shift) : value;
}

static ir_value memory_value(struct compiler *c, const struct usdt_arg *arg)
{
	uint32_t place = lower_place(c, 8, c->f->at);
	ir_value at = ir_const(c->f, arg->value), index;

	if (arg->reg != USDT_NO_REGISTER)
		at = ir_binary(c->f, IR_ADD, at,
			       ir_load(c->f, ir_context(c->f), arg->reg, 8, false));
	if (arg->index != USDT_NO_REGISTER) {
		index = ir_load(c->f, ir_context(c->f), arg->index, 8, false);
		at = ir_binary(c->f, IR_ADD, at, ir_binary_imm(c->f, IR_MUL, index, arg->scale));
	}
	lower_read(c, SPACE_USER, place, arg->size, at);
	return ir_load(c->f, ir_scratch(c->f, place), 0, arg->size, arg->is_signed);
}

ir_value usdt_argument(struct compiler *c, unsigned n)
{
	const struct usdt_arg *arg = &c->target->usdt_args[n];

	switch (arg->kind) {
	case USDT_CONSTANT:
		return ir_extend(c->f, ir_const(c->f, arg->value), arg->size, arg->is_signed);
	case USDT_REGISTER:
		return ir_extend(c->f, register_value(c, arg), arg->size, arg->is_signed);
	case USDT_MEMORY:
		return memory_value(c, arg);
	default:
		/* check_arg() has refused it */
		return ir_const(c->f, 0);
	}
}
