/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "script/node.h"

struct node *node_new(struct arena *arena, enum node_kind kind, struct span span)
{
	struct node *n = arena_alloc(arena, sizeof(*n));

	n->kind = kind;
	n->span = span;
	n->height = 1;
	return n;
}

struct node *node_int(struct arena *arena, struct span span, uint64_t value, bool is_unsigned)
{
	struct node *n = node_new(arena, NODE_INT, span);

	n->value = value;
	n->is_unsigned = is_unsigned;
	return n;
}

struct node *node_unary(struct arena *arena, struct span span, enum op op, struct node *a)
{
	struct node *n = node_new(arena, NODE_UNARY, span);

	n->op = op;
	n->a = a;
	return n;
}

struct node *node_binary(struct arena *arena, enum op op, struct node *a, struct node *b)
{
	struct node *n = node_new(arena, NODE_BINARY, span_join(a->span, b->span));

	n->op = op;
	n->a = a;
	n->b = b;
	return n;
}

static void over(uint32_t *height, const struct node *list)
{
	for (; list; list = list->next)
		if (*height < list->height)
			*height = list->height;
}

bool node_measure(struct node *n)
{
	const struct node *one[] = { n->a, n->b, n->c };
	uint32_t height = 0;

	for (size_t i = 0; i < 3; i++)
		if (one[i] && height < one[i]->height)
			height = one[i]->height;
	for (size_t i = 0; i < n->nr_args; i++)
		if (height < n->args[i]->height)
			height = n->args[i]->height;
	over(&height, n->body);
	over(&height, n->otherwise);
	n->height = height + 1;
	return n->height <= AST_HEIGHT_MAX;
}

void node_array_add(struct arena *arena, struct node_array *array, struct node *n)
{
	if (array->nr == array->capacity)
		array->nodes =
			arena_grow(arena, array->nodes, &array->capacity, 4, sizeof(*array->nodes));
	array->nodes[array->nr++] = n;
}

void node_list_add(struct node_list *list, struct node *n)
{
	if (!list->last)
		list->last = &list->first;
	*list->last = n;
	list->last = &n->next;
}

static bool has_value(const struct node *block);

static bool list_has_value(const struct node *list)
{
	if (!list)
		return false;
	while (list->next)
		list = list->next;
	return list->kind == NODE_EXPRESSION ? list->is_last : has_value(list);
}

static bool has_value(const struct node *block)
{
	if (block->kind == NODE_IF)
		return list_has_value(block->body) && list_has_value(block->otherwise);
	return block->kind == NODE_BLOCK && list_has_value(block->body);
}

static struct node *take_value(struct arena *arena, struct node *block);

static struct node *list_value(struct arena *arena, struct span span, struct node *list)
{
	struct node **last = &list, *value, *n;

	while ((*last)->next)
		last = &(*last)->next;
	value = (*last)->kind == NODE_EXPRESSION ? (*last)->a : take_value(arena, *last);
	*last = NULL;
	if (!list)
		return value;
	n = node_new(arena, NODE_BLOCK_VALUE, span);
	n->body = list;
	n->a = value;
	node_measure(n);
	return n;
}

static struct node *take_value(struct arena *arena, struct node *block)
{
	struct node *n;

	if (block->kind == NODE_BLOCK)
		return list_value(arena, block->span, block->body);
	n = node_new(arena, NODE_TERNARY, block->span);
	n->a = block->a;
	n->b = list_value(arena, block->span, block->body);
	n->c = list_value(arena, block->span, block->otherwise);
	node_measure(n);
	return n;
}

struct node *node_value(struct arena *arena, struct node *block)
{
	return has_value(block) ? take_value(arena, block) : NULL;
}
