/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * rings: BPF ring buffers, mapped, read in place and merged by the time stamps of their records,
 * which begin with one (struct event_head's; nothing else of a record is looked at).
 */
#ifndef BORESCOPE_KERNEL_RINGS_H
#define BORESCOPE_KERNEL_RINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event_head;

struct ring {
	int fd;
	size_t size; /* of the data, in bytes: a power of two */
	unsigned long *consumer, *producer;
	char *data; /* mapped twice, one behind the other */

	unsigned long ahead; /* how far rings_ahead() was */
	/* rings.c's own; .next is the record that waits after rings_drain(), NULL: none is ready */
	unsigned long at, end, released;
	const struct event_head *next;
	size_t next_size;
	bool busy;	  /* the record at .at is being written */
	uint64_t last_ts; /* of the last record that was handed over */
};

/* Maps the ring buffer that is open as @fd, which stays the caller's. Returns 0 or -errno; either
 * way ring_close() ends it. */
int ring_open(struct ring *r, int fd);
void ring_close(struct ring *r);
size_t ring_waiting(const struct ring *r); /* bytes that have not been read */

struct rings {
	struct ring *rings;
	size_t nr;
	uint64_t *too_short; /* counts records shorter than they may be */
};

/*
 * What waits for the next call. A record is stamped before it can be seen, by a microsecond or so;
 * but by as long as it takes where the CPU is taken away in between, by a hypervisor or an
 * interrupt. Younger records of the other CPUs that are shown meanwhile have come too early.
 */
struct rings_until {
	uint64_t before; /* only what is older is handed over */
	/* If a ring ends in a record that is being written, only what is older than that (than the
	 * one before it, as far as is known) or than this. */
	uint64_t busy_before;
};

/* Hands the records that stand in the rings now to @fn, oldest first; see events_drain(). */
size_t rings_drain(const struct rings *all, const struct rings_until *until, size_t min_size,
		   void (*fn)(void *ctx, const void *event, size_t size), void *ctx,
		   const volatile bool *stop);

/* Hands those to @fn that it was not handed before, ring by ring. They stay for rings_drain(). */
void rings_ahead(const struct rings *all, size_t min_size,
		 void (*fn)(void *ctx, const void *event, size_t size), void *ctx);

/* The time stamp of the first record that waits after rings_drain(); 0: none is ready. */
uint64_t rings_oldest(const struct rings *all);
uint64_t rings_waiting(const struct rings *all); /* bytes, in all of them */

#endif
