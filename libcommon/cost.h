/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * cost: what looking costs. The kernel counts the runs and the run time of this tool's programs
 * while BPF statistics are on (BPF_ENABLE_STATS, 5.8; needs CAP_SYS_ADMIN); the tool's own CPU time
 * comes from getrusage(2). What lies before a program's first instruction (trampoline or tracepoint
 * entry) is not in these figures.
 */
#ifndef BORESCOPE_COST_H
#define BORESCOPE_COST_H

#include <stdbool.h>
#include <stdint.h>

#include "json.h"

struct bpf_object;

struct cost {
	int stats_fd;	   /* keeps BPF statistics on; -1: not gathered */
	uint64_t start_ns; /* wall (CLOCK_MONOTONIC) and own CPU at cost_start() */
	uint64_t start_cpu_ns;
	uint64_t runs, kernel_ns, tool_ns, wall_ns; /* by the last cost_read() */
	uint64_t peak_bytes;			    /* of the tool, resident */
};

/* Begins to count. Returns 0, or -errno when the kernel does not let us. */
int cost_start(struct cost *c);
void cost_read(struct cost *c, struct bpf_object *obj);
/* Of one CPU, over all the time since cost_start(). */
double cost_percent(const struct cost *c);
/* "cost: 1 204 331 runs, 212 ns each; ..." on stderr. */
void cost_note(const struct cost *c, uint64_t events, uint64_t lost);
void cost_json(const struct cost *c, struct json *j);

#endif
