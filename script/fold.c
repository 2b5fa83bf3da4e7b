/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "script/fold.h"

struct number {
	uint64_t value;
	bool is_unsigned;
};

static bool evaluate(const struct node *n, const struct fold *f, struct number *to);

static bool divide(enum op op, struct number a, struct number b, uint64_t *to)
{
	int64_t sa = a.value, sb = b.value;

	if (!b.value)
		return false;
	if (a.is_unsigned || b.is_unsigned)
		*to = op == OP_DIV ? a.value / b.value : a.value % b.value;
	else if (sb == -1)
		*to = op == OP_DIV ? -a.value : 0;
	else
		*to = op == OP_DIV ? sa / sb : sa % sb;
	return true;
}

static bool shift(enum op op, struct number a, struct number b, uint64_t *to)
{
	if (b.value > 63)
		return false;
	if (op == OP_SHL)
		*to = a.value << b.value;
	else
		*to = a.is_unsigned ? a.value >> b.value : (uint64_t)((int64_t)a.value >> b.value);
	return true;
}

static bool compare(enum op op, struct number a, struct number b)
{
	bool is_unsigned = a.is_unsigned || b.is_unsigned;
	bool less = is_unsigned ? a.value < b.value : (int64_t)a.value < (int64_t)b.value;

	switch (op) {
	case OP_EQ:
		return a.value == b.value;
	case OP_NE:
		return a.value != b.value;
	case OP_LT:
		return less;
	case OP_GE:
		return !less;
	case OP_LE:
		return less || a.value == b.value;
	default:
		return !less && a.value != b.value;
	}
}

static bool arithmetic(enum op op, struct number a, struct number b, struct number *to)
{
	to->is_unsigned = a.is_unsigned || b.is_unsigned;
	switch (op) {
	case OP_ADD:
		to->value = a.value + b.value;
		return true;
	case OP_SUB:
		to->value = a.value - b.value;
		return true;
	case OP_MUL:
		to->value = a.value * b.value;
		return true;
	case OP_AND:
		to->value = a.value & b.value;
		return true;
	case OP_OR:
		to->value = a.value | b.value;
		return true;
	case OP_XOR:
		to->value = a.value ^ b.value;
		return true;
	case OP_DIV:
	case OP_MOD:
		return divide(op, a, b, &to->value);
	case OP_SHL:
	case OP_SHR:
		to->is_unsigned = a.is_unsigned;
		return shift(op, a, b, &to->value);
	default:
		*to = (struct number){ compare(op, a, b), false };
		return true;
	}
}

static bool binary(const struct node *n, const struct fold *f, struct number *to)
{
	struct number a, b;
	bool logical = n->op == OP_LOGICAL_AND || n->op == OP_LOGICAL_OR;

	if (!evaluate(n->a, f, &a))
		return false;
	if (logical && !!a.value == (n->op == OP_LOGICAL_OR)) {
		*to = (struct number){ !!a.value, false };
		return true;
	}
	if (!evaluate(n->b, f, &b))
		return false;
	if (!logical)
		return arithmetic(n->op, a, b, to);
	*to = (struct number){ !!b.value, false };
	return true;
}

static bool unary(const struct node *n, const struct fold *f, struct number *to)
{
	if (!evaluate(n->a, f, to))
		return false;
	switch (n->op) {
	case OP_NEGATE:
		to->value = -to->value;
		return true;
	case OP_INVERT:
		to->value = ~to->value;
		return true;
	case OP_NOT:
		*to = (struct number){ !to->value, false };
		return true;
	default:
		return false;
	}
}

static bool evaluate(const struct node *n, const struct fold *f, struct number *to)
{
	int64_t value;

	switch (n->kind) {
	case NODE_INT:
		*to = (struct number){ n->value, n->is_unsigned };
		return true;
	case NODE_NAME:
		if (!f->name || !f->name(f->ctx, n->name, &value))
			return false;
		*to = (struct number){ value, false };
		return true;
	case NODE_SIZEOF:
		if (!n->type_name || !f->size || !f->size(f->ctx, n->type_name, &value))
			return false;
		*to = (struct number){ value, true };
		return true;
	case NODE_UNARY:
		return unary(n, f, to);
	case NODE_BINARY:
		return binary(n, f, to);
	case NODE_TERNARY:
		if (!evaluate(n->a, f, to))
			return false;
		return to->value ? !n->b || evaluate(n->b, f, to) : evaluate(n->c, f, to);
	default:
		return false;
	}
}

bool fold(const struct node *n, const struct fold *f, int64_t *value, bool *is_unsigned)
{
	struct number number;

	if (!evaluate(n, f, &number))
		return false;
	*value = number.value;
	if (is_unsigned)
		*is_unsigned = number.is_unsigned && number.value > INT64_MAX;
	return true;
}
