/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * perf: a BPF program that runs at regular times on every CPU, also on those that come online
 * later.
 */
#ifndef BORESCOPE_KERNEL_PERF_H
#define BORESCOPE_KERNEL_PERF_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/mapped.h"

struct perf_sampling;

enum perf_source {
	PERF_BEST,   /* cycles where there are any, else the clock */
	PERF_CYCLES, /* the hardware's: comes in the middle of what has interrupts off, too */
	PERF_CLOCK,  /* a timer (cpu-clock) */
};

#define PERF_FREQUENCY 49 /* Hz; not 50: not in step with what happens 100 times a second */

/* More samples than these are not a profile but a load: at 100,000 a second, which the kernel's own
 * limits allow, a CPU does nothing but walk stacks. perf_sampling_setup() refuses them. */
#define PERF_RATE_MAX	       10000  /* a second on each CPU */
#define PERF_PERIOD_MIN_CLOCK  100000 /* ns */
#define PERF_PERIOD_MIN_CYCLES 500000 /* PERF_RATE_MAX, of a CPU at 5 GHz */

struct perf_sampling_config {
	enum perf_source source;
	uint64_t frequency; /* samples a second of a busy CPU; 0: by @period */
	uint64_t period;    /* cycles, or ns by the clock, from sample to sample */
	int only_cpu;	    /* -1: all */
	mapped_take mapped; /* NULL: nobody wants to know what processes map */
	void *mapped_arg;
};

/* In the setup hook: @config as the options say becomes complete, with PERF_FREQUENCY if it has
 * neither a frequency nor a period, PERF_CYCLES or PERF_CLOCK for PERF_BEST, and a period for a
 * frequency: by cycles, those that a CPU makes in that time when it is busy now (which takes some
 * ms to learn). So every sample stands for as much as any other, where a frequency that the kernel
 * keeps up gives the few cycles of a CPU that mostly idles as many samples as those of a busy one.
 * Returns GO_ON, or the exit status after printing what is wrong. */
int perf_sampling_setup(struct perf_sampling_config *config);

/* "at 49 Hz by cycles", in static memory. */
const char *perf_sampling_text(const struct perf_sampling_config *config);

/* Would the kernel grant what perf_sampling_start() needs? Opens one event and closes it again, and
 * returns as that does. */
int perf_sampling_try(const struct perf_sampling_config *config);

/* Attaches @prog_fd (a program of type perf_event), one event a CPU. Returns 0, or -errno after one
 * line on stderr that says why and what would help. */
int perf_sampling_start(struct perf_sampling **sampling, const struct perf_sampling_config *config,
			int prog_fd);

/* To be called now and then: looks for CPUs that went or came. Cheap when there is nothing. */
void perf_sampling_follow(struct perf_sampling *p);

/* Calls .mapped for what was mapped on any CPU: all that is older than this call. */
void perf_sampling_drain(struct perf_sampling *p);

/* No sample is taken any more when this returns. */
void perf_sampling_stop(struct perf_sampling *p);
void perf_sampling_free(struct perf_sampling *p);

/* Which of the first @nr CPUs are online. False: that can't be read, and none of @online is set. */
bool perf_cpus_online(bool *online, int nr);

struct perf_sampling_stats {
	unsigned int cpus; /* sampled now (after the end: at the end) */
	uint64_t cpu_ns;   /* of time, over all CPUs that were sampled */
};

/* After perf_sampling_stop(): how many whole periods of the event of @cpu had passed since it had
 * counted @last cycles, or by the clock since that time (CLOCK_MONOTONIC, ns). */
uint64_t perf_sampling_since(const struct perf_sampling *p, int cpu, uint64_t last);

/* What became of the ticks of all CPUs. */
struct perf_ticks {
	uint64_t run;	  /* the program ran */
	uint64_t skipped; /* it did not */
	uint64_t late;	  /* they never came */
};

/* After perf_sampling_stop(): a warning each if others had the hardware's counters for more than a
 * tenth of the time; if the kernel did not run the program at more than a tenth of 100 ticks or
 * more; and if the CPU clock gave fewer than nine tenths of the ticks that were due: it ticks on
 * idle CPUs, too. */
void perf_sampling_check(const struct perf_sampling *p, const struct perf_ticks *ticks);

void perf_sampling_stats(const struct perf_sampling *p, struct perf_sampling_stats *stats);

#endif
