/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * samples: takes events that carry stacks (bpf/lib/stacks/stacks.bpf.h) into a set of stacks, and
 * remembers what their processes have mapped while they live.
 */
#ifndef BORESCOPE_STACKS_SAMPLES_H
#define BORESCOPE_STACKS_SAMPLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "output/json.h"
#include "stacks/frames.h"
#include "stacks/stacks.h"

struct stack_samples {
	struct stacks *stacks;
	struct symbols *symbols;
	uint64_t truncated; /* events with a stack that is deeper than the kernel walks */
	uint64_t unread;    /* events with a user stack that could not be read */
	uint64_t cut_frame, unread_frame; /* named frames that stand for these */
	/* With --unwind dwarf: */
	uint64_t unwound;  /* user stacks */
	uint64_t whole;	   /* of these: to their root */
	uint64_t uncopied; /* of these: as far as they were copied */
	uint64_t copied;   /* bytes of user stacks */
};

/* In the setup hook, after stacks_setup(). @config names no symbols: they are made here. Returns
 * false when there is not enough memory, after printing so. What it makes lives as long as the
 * tool. */
bool stack_samples_init(struct stack_samples *e, const struct stacks_config *config);

/* In the event hook: adds @weight to the stack of a struct stack_event of @size bytes. Returns
 * whether it is in the set, which counts what it had no room for. */
bool stack_samples_add(struct stack_samples *e, const void *event, size_t size, uint64_t weight);

/* The same for what was seen @count times, as a struct stack_sum has it. */
struct stack_samples_sum {
	uint64_t count, weight;
	bool by_thread; /* threads are told apart */
	uint32_t label; /* the first of the set's labels: stacks_text(); 0: none */
	uint64_t leaf;	/* stacks_named_frame() that stands above the kernel's leaf; 0: none */
};
bool stack_samples_add_sum(struct stack_samples *e, const void *event, size_t size,
			   const struct stack_samples_sum *sum);

/* As stacks_remarks() and stacks_summary_json(), and what is known here besides. */
void stack_samples_remarks(const struct stack_samples *e);
void stack_samples_summary_json(const struct stack_samples *e, struct json *j);
#define STACK_SAMPLES_SUMMARY_KEYS                                                                 \
	"truncated user_stacks_unreadable " STACKS_SUMMARY_KEYS " " FRAMES_SUMMARY_KEYS
/* And those of a tool with STACKS_UNWIND_OPTION. */
#define STACK_SAMPLES_UNWIND_KEYS "unwound unwound_to_root unwound_uncopied copied_bytes"

#endif
