/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * internal: the inside of a set of stacks. Its outside is stacks.h; stacks.c fills it and gives its
 * frames names, stackshow.c shows it in each of its forms, stackreport.c does what the options say.
 */
#ifndef BORESCOPE_STACKS_INTERNAL_H
#define BORESCOPE_STACKS_INTERNAL_H

#include "base/intern.h"
#include "stacks/stacks.h"

#define STACK_FRAMES_KEPT 8192 /* of one stack, kernel and user each */

struct weights {
	uint64_t count, weight;
};

/* What a frame is called. Numbers of texts; 0: not known. Compared as bytes: no padding. */
struct sym {
	uint64_t offset; /* in the module, where the function is not known */
	uint32_t function, module;
	uint32_t kernel, named;
};

/* A stack by name: this, then the numbers of its syms, kernel first, each leaf first. */
struct shown_head {
	struct stack_key key;
	uint32_t nr_kernel, nr_user;
};

struct stacks {
	struct stacks_config config;
	struct stacks_stats stats;
	struct intern labels; /* texts of the tool; number 0 is "" */
	uint64_t named;	      /* what named frames have in the bits of NAMED_MASK */
	struct intern traces;
	struct intern entries; /* struct entry_key */
	struct weights *weights;
	uint32_t nr_weights;

	/* what is known of names; made when the stacks are shown */
	struct intern texts;
	struct intern syms;
	struct intern places; /* struct place */
	uint32_t *place_sym;  /* a sym's number + 1, of each place */
	uint32_t nr_place_sym;
	struct intern shown; /* struct shown_head */
	struct weights *shown_weights;
	uint32_t nr_shown_weights;
	uint32_t *order; /* of shown, the least first */
	uint64_t shown_added;
	uint64_t *cut; /* short user stacks, by the text of the leaf's module */
	uint32_t nr_cut;
	bool failed; /* what was shown is not all there is (said) */
};

/* Names everything that was added; once, until more is added. False: no memory (said). */
bool stacks_name(struct stacks *s);

/* One stack, ready to be shown; of the numbers from 0 to .shown.nr - 1. Good until more is added,
 * as are the texts below. */
struct shown {
	const struct shown_head *head;
	const uint32_t *kernel, *user; /* numbers of syms */
	struct weights w;
};
struct shown stacks_shown(const struct stacks *s, uint32_t number);

const struct sym *stacks_sym(const struct stacks *s, uint32_t number);
/* The number of the same sym without the offset that is told of a place of which only the module is
 * known: all of those of a module are one function of the table, and one frame beside another of
 * the picture. */
uint32_t stacks_module_sym(struct stacks *s, uint32_t number);
const char *stacks_sym_text(const struct stacks *s, uint32_t number); /* of a sym */
const char *stacks_label(const struct stacks *s, uint32_t number);    /* of a stack_key */

/* Says, once, that what is shown is not all there is, and sets .failed. */
void stacks_no_memory(struct stacks *s);

#endif
