/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * stacks: counts stacks, and shows them: BCC's listing, folded lines, a table of the hottest
 * functions, JSON, a flame graph. It is the face of this wing: the set is in set.c, the names are
 * in names.c, print.c shows the stacks and report.c does what the options say. A tool that has
 * stacks uses it like this:
 *
 *	set = stacks_new(&config);			in its setup hook
 *	stacks_add(set, &key, kernel, n, user, m, 1);	for each
 *	stacks_report(set, r);				in its report hook
 *	stacks_free(set);
 *
 * and puts STACKS_OPTIONS (options.h) into its table of options. Frames are addresses, leaf first,
 * as the kernel gives them. They get their names when they are printed; so the tool has to call
 * symbols_remember_image() for each sample, while the process lives.
 *
 * What the set holds is bounded; what did not fit is counted.
 */
#ifndef BORESCOPE_STACKS_STACKS_H
#define BORESCOPE_STACKS_STACKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "output/json.h"
#include "output/out.h"
#include "stacks/frames.h"
#include "stacks/options.h"

struct object;
struct run;
struct stacks;
struct symbols;
struct frame_name;

/* --- what the options ask for ------------------------------------------------------------- */

/*
 * In the setup hook: checks the options against each other, and that the file of --svg can be
 * written (so that one that can't is reported before anything is traced). Returns GO_ON, or the
 * exit status after printing why.
 */
int stacks_setup(const struct common_options *common);

/* In the configure hook of a tool that uses bpf/lib/stacks/stacks.bpf.h: which stacks, how deep. */
void stacks_configure(struct object *o);

/* --- the set ------------------------------------------------------------------------------ */

#define STACK_LABELS_MAX  4
#define STACK_FRAMES_KEPT 8192 /* of one stack, of kernel and user frames each */

/* What tells two stacks apart, beside their frames. */
struct stack_key {
	uint32_t pid;
	uint32_t tid;	/* 0: threads are not told apart */
	uint32_t image; /* symbols_remember_image(); 0: what the pid is when it is shown */
	char comm[16];
	/* For each of the set's labels a text, from stacks_text(); 0: none. */
	uint32_t labels[STACK_LABELS_MAX];
};

struct stacks_config {
	/* Where names come from. It has to outlive the set. */
	struct symbols *symbols;
	/* Labels beside pid and comm: their JSON keys ("state", "syscall"). In the listing, a
	 * label's text stands behind the pid; in folded lines and flame graphs it is a frame
	 * between the comm and the stack's root, in this order. */
	const char *labels[STACK_LABELS_MAX];
	const char *unit; /* of a weight, in words: "samples", "us" */
	/* Text and flame graphs show weights divided by this, as whole numbers; 0: as they are. */
	uint64_t scale;
	const char *column; /* of --top: what it calls weights; NULL: "SAMPLES" */
	/* JSON: the key of the sum of weights ("total_ns"), beside "count", and in the objects of
	 * functions; and there, of the weight of the function itself ("self_ns"). NULL: weights are
	 * counts, and "count" is their sum; "total" and "self". */
	const char *weight_key, *self_key;
	/* Labels are shown in JSON only. */
	bool labels_in_json;
	const char *title; /* of the flame graph; NULL: the tool's name */
	bool can_unwind;   /* the tool has STACKS_UNWIND_OPTION */
	uint64_t max;	   /* 0: stacks_options.max */
	/* For tests: names come from here, and not from @symbols. */
	void (*name_frame)(uint32_t pid, uint64_t addr, bool kernel, struct frame_name *name);
};

/* Returns NULL when there is not enough memory, after printing so. stacks_free(NULL) does
 * nothing. */
struct stacks *stacks_new(const struct stacks_config *config);
void stacks_free(struct stacks *s);

/* Returns a number for a text (of the traced side, or the tool's own), for stack_key.labels. It is
 * good until stacks_free(), and never 0, unless there is not enough memory. */
uint32_t stacks_text(struct stacks *s, const char *text);

/*
 * Returns a frame that is no address but a text ("[no stack: on a CPU]"), to stand among the
 * addresses given to stacks_add(), as a kernel or a user frame. It differs from run to run, so that
 * nobody can put one on the stack of a process. It is good until stacks_free().
 */
uint64_t stacks_named_frame(struct stacks *s, const char *text);

/*
 * Adds @weight to the stack of @key, @kernel and @user (leaf first; either may be NULL with 0
 * frames). Returns false when the stack is new and there is no room for it, after counting that in
 * stacks_stats.left_out.
 */
bool stacks_add(struct stacks *s, const struct stack_key *key, const uint64_t *kernel,
		size_t nr_kernel, const uint64_t *user, size_t nr_user, uint64_t weight);

/* The same for what was seen @count times, and has @weight in all. */
bool stacks_add_sum(struct stacks *s, const struct stack_key *key, const uint64_t *kernel,
		    size_t nr_kernel, const uint64_t *user, size_t nr_user, uint64_t count,
		    uint64_t weight);

/* Forgets the stacks and the counts of stacks_stats, for a tool that reports at intervals. */
void stacks_clear(struct stacks *s);

struct stacks_stats {
	uint64_t added;	   /* what was counted: calls of stacks_add(), counts of stacks_add_sum() */
	uint64_t weight;   /* of those */
	uint64_t left_out; /* the same of what there was no room for */
	uint64_t different; /* stacks in the set, by address */
	uint64_t user;	    /* of those added: with a user frame that is an address */
	/* Of user: stacks that are cut, as it seems. They have two frames or fewer, and don't begin
	 * where programs and threads do. Known once the stacks have been named. */
	uint64_t user_short;
	uint64_t bytes; /* of memory, about */
};
void stacks_stats(const struct stacks *s, struct stacks_stats *stats);

/* --- showing them ------------------------------------------------------------------------- */

/* Shows the stacks as the options say, --json included, by the functions below. Where not all could
 * be shown, that is printed, and the run fails (run_fail()). */
void stacks_report(struct stacks *s, struct run *r);

/*
 * Each shows all stacks, the one of least weight first and the hottest last, except for the table
 * of functions. Stacks whose frames have the same names (at other places of the same functions) are
 * one.
 *
 * listing: BCC's profile: kernel frames, user frames, "-                comm (pid)", the weight.
 * folded: "comm;root;...;leaf weight". A ';' in a name is written ':'.
 * json: {"pid","tid" (if told apart),"comm", the labels,"count","kernel":[],"user":[]}, leaf first;
 *	a frame is {"function","module"}, both null where not known, and "offset" (in the module)
 *	where the function is not.
 * top: functions by self weight, at most @rows (0: all), and what the others have together.
 * top_json: an object with "type":"function" each, "self", "total", "function", "module".
 */
void stacks_listing(struct stacks *s, struct out *o);
void stacks_folded(struct stacks *s, struct out *o);
void stacks_json(struct stacks *s, struct json *j);
void stacks_top(struct stacks *s, struct out *o, size_t rows);
void stacks_top_json(struct stacks *s, struct json *j);
/* For a tool's .views; @labels_: the keys of its labels (stacks_config.labels). */
#define STACK_VIEWS(labels_) STACK_VIEWS_BY(labels_ " count", "SAMPLES", "self total")
/* The same where weights are no counts; @keys_: also of the weight, and the thread's; @column_,
 * @weights_: stacks_config.column, .self_key and .weight_key */
#define STACK_VIEWS_BY(keys_, column_, weights_)                                                   \
	{ .kind = "stack", .keys = "pid comm " keys_ " kernel user" },                             \
		{ .kind = "frame", .keys = FRAME_KEYS },                                           \
	{                                                                                          \
		.kind = "function", .titles = "SELF% TOTAL% " column_ " FUNCTION MODULE",          \
		.keys = "type " weights_ " function module"                                        \
	}

/* Writes a flame graph into @o. */
void stacks_svg(struct stacks *s, struct out *o);

/*
 * In the finish hook: prints a warning if stacks were left out, and a note when a good part of the
 * user stacks seems to be cut ("61 % of user stacks have at most two frames: code built without
 * frame pointers, most of it in libc.so.6: see --unwind dwarf"). Returns whether it printed the
 * note.
 */
bool stacks_remarks(struct stacks *s);

/* Members of the summary: "stacks_left_out", "user_stacks", and of these "user_stacks_cut". */
void stacks_summary_json(struct stacks *s, struct json *j);
#define STACKS_SUMMARY_KEYS "stacks_left_out user_stacks user_stacks_cut"

#endif
