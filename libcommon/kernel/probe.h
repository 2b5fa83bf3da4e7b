/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * probe: what a tool says about its programs: which of them see the same thing, in what order they
 * are to be tried, and what they are attached to.
 *
 * A probe is a ladder of rungs. A rung is one or several programs that together see what the probe
 * is about. The first rung that this kernel grants is used (kernel/ladder.h).
 */
#ifndef BORESCOPE_KERNEL_PROBE_H
#define BORESCOPE_KERNEL_PROBE_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/btf.h"

#define PROBES_MAX	  24 /* of one tool */
#define PROBE_RUNGS	  6
#define PROBE_PROGRAM_LEN 48 /* of a program's name, with the NUL */

struct probe {
	const char *name;		/* what it sees: "open", "failed exec" */
	const char *rungs[PROBE_RUNGS]; /* program names, separated by spaces; best first */
	/* Programs of earlier probes: with any of them in use this one adds nothing. NULL: none. */
	const char *unless;
	const bool *when; /* NULL: always; else only when true (checked after configure) */
	bool optional; /* the tool goes without it when no rung is granted, and says so with -v */
	bool later;    /* loaded, but attached only by object_attach_later() */
	bool instead;  /* only if none of the probes before it is granted */
};
#define PROBE_LADDER(name_, ...)                                                                   \
	{                                                                                          \
		.name = (name_), .rungs = { __VA_ARGS__ }                                          \
	}

/* The programs of a rung, one by one, into @name (PROBE_PROGRAM_LEN):
 * for (const char *at = rung; probe_next_program(&at, name);) */
bool probe_next_program(const char **at, char *name);

/*
 * Functions that are known at run time only: the programs SEC("fentry/NAME"), SEC("kprobe/NAME")
 * and so on are attached to this function, which may be a module's. (fentry and fexit then need the
 * module's BTF: from 5.11 on, where the kernel has been built with it, and CAP_SYS_ADMIN.)
 */
struct attach_target {
	const char *name;
	const char *function; /* NULL: there is none, and these programs are not used */
};

/*
 * What a tool has to know of this kernel that CO-RE can't relocate: the value of an enumerator (its
 * enum may have no name), 1 for a struct that there is, or the number of arguments of a function or
 * of a tracepoint's typedef (btf_trace_X: the first void * counts). Known when configure is called;
 * *value keeps what the tool put there where this kernel has nothing of that name.
 */
struct kernel_fact {
	const char *name;
	enum btf_what what;
	int64_t *value;
};

enum place_kind {
	PLACE_TRAMPOLINE, /* fentry, fexit */
	PLACE_TP_BTF,	  /* tp_btf, raw_tp */
	PLACE_KPROBE,	  /* kprobe, kretprobe */
	PLACE_OTHER,	  /* whatever else: iterators, perf events, classic tracepoints */
};

/* What escapes a program, from best to worst. */
enum place_gaps {
	PLACE_SEES_ALL,
	PLACE_HAS_BOUND, /* so many at the same time */
	PLACE_HAS_GAPS,	 /* anything, at any time */
};

/* Where in the kernel a program runs. */
struct place {
	enum place_kind kind;
	char type[24];	  /* the first part of its section's name: "fexit", "iter.s" */
	const char *name; /* of the function or tracepoint; NULL: the tool knows of none */
	bool named;	  /* by the tool at run time: it may be a module's function */
};

/* What the name of a program's section says, and @targets (ends with a name of NULL; or NULL) for
 * what is known at run time only. The place lives as long as both. */
struct place probe_place(const char *section, const struct attach_target *targets);

/*
 * Is @what among the words of the environment variable BORESCOPE_AVOID (separated by commas)? A way
 * to see how a tool does without: "fexit,kprobe" rules out programs by the first part of their
 * section's name, "stamps" the kernel's own time stamps of block requests; with "gaps" nobody asks
 * what escapes a rung, so that a ladder goes by its own order. The tests go down every ladder with
 * it.
 */
bool probe_avoids(const char *what);

#endif
