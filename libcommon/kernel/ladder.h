/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * ladder: which rung of each probe is used. What can be told beforehand (no such function in BTF,
 * no kprobes in this kernel) rules a rung out at once. What only the kernel knows (lockdown,
 * notrace functions) is found by trying: the caller then steps down from that rung, and chooses
 * again. What would not see everything on this kernel waits: a rung further down that sees more is
 * taken before it.
 *
 * It knows of programs and of the kernel only what it is told through struct ladder_asks.
 */
#ifndef BORESCOPE_KERNEL_LADDER_H
#define BORESCOPE_KERNEL_LADDER_H

#include <stdbool.h>
#include <stddef.h>

#include "kernel/probe.h"

#define LADDER_RUNG_LEN 80 /* of "fexit/do_sys_openat2", with the NUL */

struct ladder_asks {
	/* Where the program of this name runs. False: there is no such program. */
	bool (*place)(void *ctx, const char *program, struct place *place);
	/* Why this kernel can't have a program at @place: a string constant, as the clause of a
	 * message. NULL: nothing speaks against it. */
	const char *(*refusal)(void *ctx, const struct place *place);
	/* What would escape a program at @place on this kernel, and why, likewise. NULL: it makes
	 * no difference, here and in struct ladder_asks as a whole. */
	enum place_gaps (*gaps)(void *ctx, const struct place *place, const char **why);
	void *ctx;
};

struct ladder {
	const struct probe *probes; /* ends with a name of NULL */
	int rung[PROBES_MAX];	    /* of each probe: the one in use; -1: none */

	/* ladder.c's own */
	uint8_t ruled_out[PROBES_MAX]; /* rungs, by 1 << number */
	int best[PROBES_MAX];	       /* the first rung that was ruled out; if any was, */
	const char *why[PROBES_MAX];   /* why */
	bool said[PROBES_MAX];	       /* which rung is in use */
	const char *told; /* why, in the last note: probes that go the same way are one note */
};

/* @probes has to live as long as the ladder. No rung is in use yet. */
void ladder_init(struct ladder *l, const struct probe *probes);

/* Chooses the best rung that is left of each probe, and says so where a better one is not to be
 * had. Returns 0, or -ENOTSUP after printing which probe that the tool can't do without has none.
 */
int ladder_choose(struct ladder *l, const struct ladder_asks *asks);

/* What was chosen for a probe, in the words of the messages. */
struct ladder_choice {
	const char *probe;
	char used[LADDER_RUNG_LEN]; /* the rung in use; "": none is */
	char best[LADDER_RUNG_LEN]; /* the first one that was ruled out; "": none was */
	const char *why;	    /* why it was; NULL: none was */
	/* What escapes the rung in use on this kernel; NULL: nothing does, or none is in use. */
	const char *gaps;
	bool less;     /* the rung in use is not as good as .best */
	bool replaced; /* none is in use, and another probe sees it instead */
};

/* That of probe number @i. False: there is no such probe, or this run needs none: it has not asked
 * for what it sees, or another one sees that. */
bool ladder_choice(const struct ladder *l, const struct ladder_asks *asks, int i,
		   struct ladder_choice *c);

/* Rules out the rung in use that @program is on; @why is a clause that lives as long as @l. Returns
 * whether it is worth choosing again. */
bool ladder_step_down(struct ladder *l, const char *program, const char *why);

/* Is @program on a rung in use? */
bool ladder_uses(const struct ladder *l, const char *program);

/* The number of the probe of this name; -1: there is none. */
int ladder_find(const struct ladder *l, const char *probe);

/* The programs of the rung in use of probe number @i ("fexit_openat2"); NULL: none is. */
const char *ladder_rung(const struct ladder *l, int i);

#endif
