/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * mapped: what processes map to be executed, as the kernel tells it of those who have a perf event
 * with attr.mmap: one ring a CPU.
 */
#ifndef BORESCOPE_KERNEL_MAPPED_H
#define BORESCOPE_KERNEL_MAPPED_H

#include <stdint.h>

/* A part of a file that a process has just mapped, or has made executable. */
struct mapped {
	uint64_t ts; /* ns, CLOCK_MONOTONIC */
	uint32_t pid;
	uint64_t start, end;
};

/* @m of NULL: some were lost. */
typedef void (*mapped_take)(void *arg, const struct mapped *m);

struct perf_event_attr;
struct mapped_ring;

/* Has the event that is opened with @attr tell of mappings. */
void mapped_ask(struct perf_event_attr *attr);

/* The ring of the event open as @fd. NULL: there is none to be had. mapped_ring_free(NULL) does
 * nothing. */
struct mapped_ring *mapped_ring_new(int fd);
void mapped_ring_free(struct mapped_ring *ring);

/* Calls @take for what has come since. Code that is made while a process runs, in memory without a
 * file or in a memfd, is not told of. */
void mapped_ring_drain(struct mapped_ring *ring, mapped_take take, void *arg);

#endif
