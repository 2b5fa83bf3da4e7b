/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * internal: the inside of a set of stacks. set.c fills it, names.c gives its frames their names,
 * report.c reads what has to be said about it. print.c sees what names.h shows, and no more.
 */
#ifndef BORESCOPE_STACKS_INTERNAL_H
#define BORESCOPE_STACKS_INTERNAL_H

#include "base/intern.h"
#include "stacks/stacks.h"

/* A named frame (stacks_named_frame()) has the number of its text in the lower half, and what the
 * set has in .named in the upper one. */
#define STACK_NAMED_MASK 0xffffffff00000000ULL

struct weights {
	uint64_t count, weight;
};

/* A stack by address. Compared as bytes: no padding. */
struct entry_key {
	struct stack_key key;
	uint32_t kernel, user; /* numbers of traces */
};
_Static_assert(sizeof(struct entry_key) == sizeof(struct stack_key) + 8, "padding");

/* What is known of names: made when stacks are shown, forgotten when the set is cleared. */
struct stack_names {
	struct intern texts;
	struct intern syms;   /* struct sym */
	struct intern places; /* struct place */
	uint32_t *place_sym;  /* of each place: its sym's number + 1 */
	uint32_t nr_place_sym;
	uint32_t *functions; /* of each sym: the number of the function it is in, also a sym */
	uint32_t nr_functions;
	struct intern shown;	 /* struct shown_head */
	struct weights *weights; /* of each stack shown */
	uint32_t nr_weights;
	uint32_t *order; /* numbers of the stacks shown, the least first */
	uint64_t added;	 /* stacks_stats.added when all this was made */
	uint64_t *cut;	 /* short user stacks, by the text of the leaf's module */
	uint32_t nr_cut;
};

struct stacks {
	struct stacks_config config;
	struct stacks_stats stats;
	struct intern labels;	 /* texts of the tool; number 0 is "" */
	uint64_t named;		 /* what named frames have in the bits of STACK_NAMED_MASK */
	struct intern traces;	 /* sequences of addresses, leaf first */
	struct intern entries;	 /* struct entry_key */
	struct weights *weights; /* of each entry */
	uint32_t nr_weights;
	struct stack_names names;
	bool failed; /* what was shown is not all there is; an error line has said so */
};

static inline bool stacks_is_named(const struct stacks *s, uint64_t frame)
{
	return (frame & STACK_NAMED_MASK) == s->named && (uint32_t)frame < s->labels.nr;
}

#endif
