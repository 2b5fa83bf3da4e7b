/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * names: a set of stacks with names in the place of addresses, as print.c shows it. Stacks whose
 * frames have the same names are one here.
 *
 * What these functions return is good until more is added to the set, or it is cleared.
 */
#ifndef BORESCOPE_STACKS_NAMES_H
#define BORESCOPE_STACKS_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stacks/stacks.h"
#include "symbols/frame_name.h"

/* Names everything that was added to the set; does nothing when nothing was added since the last
 * time. Returns false when there is not enough memory, after printing so. */
bool stacks_name(struct stacks *s);

/* All of the set. */
struct shown_set {
	const struct stacks_config *config;
	uint64_t weight;       /* of all stacks */
	uint32_t nr;	       /* of stacks; their numbers begin at 0 */
	uint32_t nr_functions; /* numbers of functions are below this one */
};
struct shown_set stacks_shown_set(const struct stacks *s);

/* One of the stacks; number 0 is the one of least weight. */
struct shown_stack {
	const struct stack_key *key;
	const char *labels[STACK_LABELS_MAX]; /* NULL: it has none */
	const uint32_t *kernel, *user; /* frames, leaf first; user frames follow the kernel's */
	uint32_t nr_kernel, nr_user;
	uint64_t count, weight;
};
struct shown_stack stacks_shown(const struct stacks *s, uint32_t number);

/* One of its frames, by the number that the stack has for it. */
struct shown_frame {
	/* .offset is filled in with -s only, .module_offset where the function is not known. */
	struct frame_name name;
	bool kernel;
	bool is_text; /* a text of the tool (stacks_named_frame()), which is .name.function */
};
struct shown_frame stacks_frame(const struct stacks *s, uint32_t frame);

/*
 * Returns the function that a frame is in, to count by: the number of a frame that stands for all
 * of them. Frames of which only the module is known are in one function for each module; it has no
 * .module_offset.
 */
uint32_t stacks_function(const struct stacks *s, uint32_t frame);

/* Returns the module that most of the short user stacks (stacks_stats.user_short) end in; NULL:
 * none. */
const char *stacks_most_cut(const struct stacks *s);

/* Prints, once for each set, that there is not enough memory, and sets .failed. */
void stacks_no_memory(struct stacks *s);

/* For set.c. */
void stacks_forget_names(struct stacks *s);
size_t stacks_names_bytes(const struct stacks *s); /* of memory that names take */

#endif
