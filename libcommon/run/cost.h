/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * cost: what looking costs. The kernel counts the runs and the run time of this tool's programs
 * while BPF statistics are on (BPF_ENABLE_STATS, 5.8; needs CAP_SYS_ADMIN), of every type: also
 * iterators and programs of perf events. The tool's own CPU time comes from getrusage(2). What lies
 * before a program's first instruction (trampoline, tracepoint, the interrupt of a sample) is not
 * in these figures.
 *
 * Counting takes two readings of the clock per run, some 20 ns, of every BPF program on the
 * machine. So it is on all the time only while the tool's programs run seldom: see duty.h.
 */
#ifndef BORESCOPE_RUN_COST_H
#define BORESCOPE_RUN_COST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/programs.h"
#include "run/duty_cycle.h"
#include "output/json.h"

struct cost {
	/* by the last cost_read() */
	bool known;		  /* runs and kernel_ns: the kernel let us count */
	bool sampled;		  /* they are reckoned in part */
	uint64_t runs, kernel_ns; /* of this tool's programs */
	uint64_t tool_ns;	  /* its own CPU time, without that of iterators: in kernel_ns */
	uint64_t wall_ns;	  /* since cost_start() */
	uint64_t peak_bytes;	  /* of the tool, resident */

	uint64_t next_ns; /* when cost_tick() is due (CLOCK_MONOTONIC); UINT64_MAX: never */

	/* cost.c's own */
	const struct programs *programs;
	int stats_fd;			 /* keeps BPF statistics on; -1: they are off */
	uint64_t start_ns, start_cpu_ns; /* wall and own CPU at cost_start() */
	struct duty_cycle duty;
};

/* Begins to count what @programs cost, which have to live until cost_stop(). Returns 0, or -errno when the kernel does not let us: then only the tool's own
 * CPU time is known. */
int cost_start(struct cost *c, const struct programs *programs);
/* To be called at c->next_ns: turns counting off and on. */
void cost_tick(struct cost *c);
void cost_read(struct cost *c);
/* The programs run no more, and need not be counted any longer. A cost_read() after that adds what
 * the tool itself still spends. */
void cost_stop(struct cost *c);

/* Of one CPU, over all the time since cost_start(). */
double cost_percent(const struct cost *c);
/* "1 204 331 runs, 212 ns each; ..." into @text, which is returned. @tool: its name. */
#define COST_TEXT_LEN 256
const char *cost_text(const struct cost *c, const char *tool, uint64_t events, uint64_t lost,
		      char *text, size_t size);
/* A number with two digits that count, or more before the point: "0.0046", "1.7", "123". */
#define COST_NUMBER_LEN 32
const char *cost_number(double v, char *text);
void cost_json(const struct cost *c, struct json *j);
#define COST_KEYS                                                                                  \
	"cost_runs cost_sampled cost_kernel_ns cost_tool_ns cost_wall_ns cost_peak_bytes "         \
	"cost_cpu_percent"

#endif
