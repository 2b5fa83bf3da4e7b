/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * node: nodes of the tree are made here.
 */
#ifndef BORESCOPE_SCRIPT_NODE_H
#define BORESCOPE_SCRIPT_NODE_H

#include "script/ast.h"

struct node *node_new(struct arena *arena, enum node_kind kind, struct span span);
struct node *node_int(struct arena *arena, struct span span, uint64_t value, bool is_unsigned);
struct node *node_unary(struct arena *arena, struct span span, enum op op, struct node *a);
struct node *node_binary(struct arena *arena, enum op op, struct node *a, struct node *b);

/* Sets .height from what is below it, which must be done when these are complete. False: it is
 * higher than AST_HEIGHT_MAX. */
bool node_measure(struct node *n);

/* A list that grows: of arguments ... */
struct node_array {
	struct node **nodes;
	size_t nr, capacity;
};
void node_array_add(struct arena *arena, struct node_array *array, struct node *n);
/* ... or of statements. All zero to begin with. */
struct node_list {
	struct node *first;
	struct node **last;
};
void node_list_add(struct node_list *list, struct node *n);

/*
 * A block or an if as a value: that of its last statement, where it is an expression without a ';'
 * behind it. NULL: it has none. Else @block is taken apart.
 */
struct node *node_value(struct arena *arena, struct node *block);

#endif
