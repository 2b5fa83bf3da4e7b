/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * perf: a BPF program that runs at regular times on every CPU, also on those that come online
 * later.
 */
#ifndef BORESCOPE_PERF_H
#define BORESCOPE_PERF_H

#include <stdbool.h>
#include <stdint.h>

struct perf_sampling;

enum perf_source {
	PERF_BEST,   /* cycles where there are any, else the clock */
	PERF_CYCLES, /* the hardware's: comes in the middle of what has interrupts off, too */
	PERF_CLOCK,  /* a timer (cpu-clock) */
};

/* More samples than these are not a profile but a load: at 100,000 a second, which the kernel's own
 * limits allow, a CPU does nothing but walk stacks. Beyond them perf_sampling_start() refuses. */
#define PERF_RATE_MAX	       10000  /* a second on each CPU */
#define PERF_PERIOD_MIN_CLOCK  100000 /* ns */
#define PERF_PERIOD_MIN_CYCLES 500000 /* PERF_RATE_MAX, of a CPU at 5 GHz */

struct perf_sampling_config {
	enum perf_source source;
	uint64_t frequency; /* samples a second and CPU; 0: by @period */
	uint64_t period;    /* cycles, or ns by the clock, from sample to sample */
	int only_cpu;	    /* -1: all */
};

/* What is wrong with how often @config (with PERF_CYCLES or PERF_CLOCK) asks for samples, in static
 * memory: "at least 100000 ns from sample to sample". NULL: nothing. */
const char *perf_rate_problem(const struct perf_sampling_config *config);

/* Attaches @prog_fd (a program of type perf_event), one event a CPU. Returns 0, or -errno after one
 * line on stderr that says why and what would help. */
int perf_sampling_start(struct perf_sampling **sampling, const struct perf_sampling_config *config,
			int prog_fd);

/* To be called now and then: looks for CPUs that went or came. Cheap when there is nothing. */
void perf_sampling_follow(struct perf_sampling *p);

/* No sample is taken any more when this returns. */
void perf_sampling_stop(struct perf_sampling *p);
void perf_sampling_free(struct perf_sampling *p);

/* PERF_CYCLES or PERF_CLOCK: what is in use. May be asked before any attaching (NULL). */
enum perf_source perf_source_of(enum perf_source wanted);

struct perf_sampling_stats {
	unsigned int cpus; /* sampled now (after the end: at the end) */
	uint64_t cpu_ns;   /* of time, over all CPUs that were sampled */
	uint64_t refused;  /* CPUs that came and could not be sampled */
};
void perf_sampling_stats(const struct perf_sampling *p, struct perf_sampling_stats *stats);

#endif
