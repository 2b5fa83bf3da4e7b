/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * cost: what looking costs. The kernel counts the runs and the run time of this tool's programs
 * while BPF statistics are on (BPF_ENABLE_STATS, 5.8; needs CAP_SYS_ADMIN); the tool's own CPU time
 * comes from getrusage(2). What lies before a program's first instruction (trampoline or tracepoint
 * entry) is not in these figures.
 *
 * Counting takes two readings of the clock per run, some 20 ns, of every BPF program on the
 * machine. So it is on all the time only while the tool's programs run seldom; from 200,000 runs a
 * second on it is on for a tenth of the time, and the rest is reckoned from that.
 */
#ifndef BORESCOPE_COST_H
#define BORESCOPE_COST_H

#include <stdbool.h>
#include <stdint.h>

#include "json.h"

struct bpf_object;

struct cost {
	uint64_t runs, kernel_ns, tool_ns, wall_ns; /* by the last cost_read() */
	uint64_t peak_bytes;			    /* of the tool, resident */
	bool sampled;				    /* runs and kernel_ns are reckoned in part */
	uint64_t next_ns; /* when cost_tick() is due (CLOCK_MONOTONIC); UINT64_MAX: never */

	/* cost.c's own */
	int stats_fd;			 /* keeps BPF statistics on; -1: they are off */
	uint64_t start_ns, start_cpu_ns; /* wall and own CPU at cost_start() */
	uint64_t seen_runs, seen_ns;	 /* the kernel's counters at the last look, */
	uint64_t looked_ns;		 /* which was then (or when counting went off) */
	uint64_t unseen_ns;		 /* before it, without counting, not yet reckoned */
	double runs_rate, ns_rate;	 /* per ns, between the last two looks */
};

/* Begins to count. Returns 0, or -errno when the kernel does not let us: then only the tool's own
 * CPU time is known. */
int cost_start(struct cost *c);
/* To be called at c->next_ns: turns counting off and on. */
void cost_tick(struct cost *c, struct bpf_object *obj);
void cost_read(struct cost *c, struct bpf_object *obj);
/* Of one CPU, over all the time since cost_start(). */
double cost_percent(const struct cost *c);
/* "cost: 1 204 331 runs, 212 ns each; ..." on stderr. */
void cost_note(const struct cost *c, uint64_t events, uint64_t lost);
void cost_json(const struct cost *c, struct json *j);

#endif
