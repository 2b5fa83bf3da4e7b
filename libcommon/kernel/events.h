/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * events: the reader of bpf/lib/core/events.bpf.h's rings.
 *
 * libbpf's ring_buffer reads one ring after the other; with a ring per CPU that would show events
 * out of order. This one merges the rings by time stamp, reading them in place.
 */
#ifndef BORESCOPE_KERNEL_EVENTS_H
#define BORESCOPE_KERNEL_EVENTS_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/rings.h"
#include "lib/core/events.shared.h"

struct events;
struct object;
struct programs;

/* Before loading: sizes @o's rings by the number of CPUs (32 MiB in all at the most). Returns 0,
 * also when @o has no event rings, or -errno. */
int events_configure(struct object *o);

/* After loading, before attaching: maps the rings of @programs, which have to live until
 * events_close(). NULL in *@events when they have none. Returns 0 or -errno. */
int events_open(const struct programs *programs, struct events **events);
void events_close(struct events *events);

/* Adds the rings to an epoll set: they become readable when one passes its fill mark. */
int events_epoll_add(struct events *events, int epoll_fd);

/* @event lives until the callback returns, and is at least @min_size given to events_drain() long.
 */
typedef void (*event_fn)(void *ctx, const void *event, size_t size);

/*
 * Hands what stands in the rings now, as far as @until lets it, to @fn, oldest first; what arrives
 * meanwhile waits for the next call. Stops early when *@stop becomes non-zero. Returns the number
 * of events. A record shorter than @min_size is a defect of the kernel side: it is counted as lost.
 */
size_t events_drain(struct events *events, const struct rings_until *until, size_t min_size,
		    event_fn fn, void *ctx, const volatile bool *stop);

/* When the oldest event was that events_drain() left for the next call; 0: there is none. */
uint64_t events_oldest(const struct events *events);

/* Whether a ring is beyond its fill mark, so that what waits has to go. */
bool events_pressing(const struct events *events);

/* How many bytes of records wait to be read. */
uint64_t events_waiting(const struct events *events);

/* Events that the kernel side did not send since the end of a call was not seen, in all. */
uint64_t events_unseen(const struct events *events);

/* Events that it could not send for want of room, in all. */
uint64_t events_lost(const struct events *events);

/* Events that came shorter than they may be, in all: a mistake of the program that sent them. */
uint64_t events_unreadable(const struct events *events);

#endif
