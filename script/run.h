/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * run: a loaded script from its first probe to its last line.
 */
#ifndef BORESCOPE_SCRIPT_RUN_H
#define BORESCOPE_SCRIPT_RUN_H

#include "script/attach.h"

struct out;
struct regex;

struct script_run_options {
	struct out *out; /* where rows go: stdout or the file of -o */
	bool json;
	bool quiet;  /* -q: nothing but what the script prints */
	bool compat; /* bpftrace's forms: no percentiles, no summary */
	bool raw;    /* no escaping of what strings hold */
	bool time;   /* the time of day before each row */
	/* A flush after each record, or none before the end or 64 KiB; neither: at each look at the
	 * rings. */
	bool unbuffered, full_buffered;
	bool cost;
	double max_cost; /* percent; 0: no bound */
	uint64_t duration_ns;
	uint64_t max_events;
	const char *svg; /* files for stacks; NULL: none */
	bool folded, top;
	const struct regex *only; /* --probe-filter: names of probes; NULL: all */
	pid_t pid;		  /* -p: the run ends with it; 0: none */
	pid_t child;		  /* of -c: started, and waits to be let go; 0: none */
	int child_go;		  /* a byte written here lets it go */
	bool notify;		  /* __BPFTRACE_NOTIFY_PROBES_ATTACHED */
};

/* Attaches, opens the gate, runs begin, and all else until the end; prints the maps. Returns the
 * exit status. */
int script_run(struct loaded *l, const struct script_run_options *options);

#endif
