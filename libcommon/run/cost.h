/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * cost: what looking costs. The kernel counts the runs and the run time of this tool's programs
 * while BPF statistics are on (BPF_ENABLE_STATS, from 5.8 on; needs CAP_SYS_ADMIN). That goes for
 * programs of every type, iterators and those of perf events included. The tool's own CPU time
 * comes from getrusage(2), and that of its workers (base/worker.h) is added. What happens before a
 * program's first instruction (the trampoline, the tracepoint, the interrupt of a sample) is not in
 * these figures.
 *
 * Counting reads the clock twice per run, some 20 ns, for every BPF program on the machine. So it
 * is on all the time only while the tool's programs run seldom: see duty_cycle.h.
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
	/* As of the last cost_read(). */
	bool known;		  /* the kernel let us count: runs and kernel_ns are known */
	bool sampled;		  /* a part of them is estimated */
	uint64_t runs, kernel_ns; /* of this tool's programs */
	uint64_t tool_ns;	  /* its own CPU time, less that of iterators: kernel_ns has that */
	uint64_t wall_ns;	  /* since cost_start() */
	uint64_t peak_bytes;	  /* the most memory that the tool and its worker had resident */

	uint64_t next_ns; /* when cost_tick() is due (CLOCK_MONOTONIC); UINT64_MAX: never */

	/* cost.c's own */
	const struct programs *programs;
	int stats_fd;			 /* keeps BPF statistics on; -1: they are off */
	uint64_t start_ns, start_cpu_ns; /* wall and own CPU time at cost_start() */
	struct duty_cycle duty;
};

/* Begins to count what @programs cost; they have to live until cost_stop(). Returns 0, or -errno
 * where the kernel does not let us count: then only the tool's own CPU time is known. */
int cost_start(struct cost *c, const struct programs *programs);

/* To be called at c->next_ns: turns counting off or on. */
void cost_tick(struct cost *c);

/* Brings the figures up to now. */
void cost_read(struct cost *c);

/* Ends counting, after the programs were detached. A cost_read() after this adds only what the tool
 * itself still spends. */
void cost_stop(struct cost *c);

/* "1 204 331 runs, 212 ns each; ..." into @text (COST_TEXT_LEN bytes hold it), which is returned.
 * @tool: its name. @events and @lost: how many were shown, and how many were not. */
#define COST_TEXT_LEN 256
const char *cost_text(const struct cost *c, const char *tool, uint64_t events, uint64_t lost,
		      char *text, size_t size);

/* Writes @v with two digits that count, or with all of those before the point: "0.0046", "1.7",
 * "123". Into @text (COST_NUMBER_LEN bytes), which is returned. */
#define COST_NUMBER_LEN 32
const char *cost_number(double v, char *text);

/* Adds COST_KEYS to an object; what is not known is null. */
void cost_json(const struct cost *c, struct json *j);
#define COST_KEYS                                                                                  \
	"cost_runs cost_sampled cost_kernel_ns cost_tool_ns cost_wall_ns cost_peak_bytes "         \
	"cost_cpu_percent"

#endif
