/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/bpf.h>
#include <linux/types.h>
#include <bpf/bpf.h>

#include "base/util.h"
#include "kernel/rings.h"
#include "lib/core/events.shared.h"

/*
 * A ring as the kernel maps it (include/uapi/linux/bpf.h, kernel/bpf/ringbuf.c): a page with the
 * consumer's position, a page with the producer's, then the data, mapped twice in a row so that a
 * record is never torn. A record: u32 length with two flag bits, u32 page offset, data, padding
 * to 8.
 */
/* The consumer's position is a cache line that the kernel side reads: written now and then. */
#define RELEASE_BYTES 16384

static size_t page_size(void)
{
	return sysconf(_SC_PAGESIZE);
}

int ring_open(struct ring *r, int fd)
{
	struct bpf_map_info info = { 0 };
	__u32 len = sizeof(info);
	size_t page = page_size();
	void *map;

	*r = (struct ring){ .fd = fd };
	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return -errno;
	r->size = info.max_entries;
	map = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, 0);
	if (map == MAP_FAILED)
		return -errno;
	r->consumer = map;
	map = mmap(NULL, page + 2 * r->size, PROT_READ, MAP_SHARED, r->fd, page);
	if (map == MAP_FAILED)
		return -errno;
	r->producer = map;
	r->data = (char *)map + page;
	return 0;
}

void ring_close(struct ring *r)
{
	if (r->consumer)
		munmap(r->consumer, page_size());
	if (r->producer)
		munmap(r->producer, page_size() + 2 * r->size);
	*r = (struct ring){ .fd = -1 };
}

size_t ring_waiting(const struct ring *r)
{
	return __atomic_load_n(r->producer, __ATOMIC_ACQUIRE) - *r->consumer;
}

/* Finds the next record that was sent (not one given up by the kernel side) up to r->end. */
static void peek(struct ring *r, size_t min_size, uint64_t *too_short)
{
	r->next = NULL;
	r->busy = false;
	while (r->at < r->end) {
		__u32 *header = (void *)(r->data + (r->at & (r->size - 1)));
		__u32 len = __atomic_load_n(header, __ATOMIC_ACQUIRE);
		__u32 bytes = len & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);

		if (len & BPF_RINGBUF_BUSY_BIT) {
			r->busy = true; /* it and what follows are the next call's */
			return;
		}
		if (!(len & BPF_RINGBUF_DISCARD_BIT) && bytes >= min_size) {
			r->next = (void *)((char *)header + BPF_RINGBUF_HDR_SZ);
			r->next_size = bytes;
			return;
		}
		*too_short += !(len & BPF_RINGBUF_DISCARD_BIT);
		r->at += (BPF_RINGBUF_HDR_SZ + bytes + 7) & ~7UL;
	}
}

/* Gives the space of what was read back to the kernel side. */
static void release(struct ring *r)
{
	if (r->at != r->released)
		__atomic_store_n(r->consumer, r->at, __ATOMIC_RELEASE);
	r->released = r->at;
}

/* Goes on to the record after the one at r->at. */
static void advance(struct ring *r, size_t min_size, uint64_t *too_short)
{
	r->last_ts = r->next->ts;
	r->at += (BPF_RINGBUF_HDR_SZ + r->next_size + 7) & ~7UL;
	peek(r, min_size, too_short);
	if (r->at - r->released >= RELEASE_BYTES)
		release(r);
}

/* @before, or what a record that is being written in @r makes of it. */
static uint64_t hold(const struct ring *r, const struct rings_until *until, uint64_t before)
{
	uint64_t sure = r->last_ts > until->busy_before ? r->last_ts : until->busy_before;

	return r->busy ? min_u64(before, sure) : before;
}

static struct ring *oldest_of(const struct rings *all)
{
	struct ring *oldest = NULL;

	for (struct ring *r = all->rings; r < all->rings + all->nr; r++)
		if (r->next && (!oldest || r->next->ts < oldest->next->ts))
			oldest = r;
	return oldest;
}

size_t rings_drain(const struct rings *all, const struct rings_until *until, size_t min_size,
		   void (*fn)(void *ctx, const void *event, size_t size), void *ctx,
		   const volatile bool *stop)
{
	uint64_t before = until->before;
	struct ring *end = all->rings + all->nr, *oldest;
	size_t shown = 0;

	for (struct ring *r = all->rings; r < end; r++) {
		r->at = r->released = *r->consumer;
		r->end = __atomic_load_n(r->producer, __ATOMIC_ACQUIRE);
	}
	for (struct ring *r = all->rings; r < end; r++) {
		peek(r, min_size, all->too_short);
		before = hold(r, until, before);
	}
	while (!*stop && (oldest = oldest_of(all)) && oldest->next->ts < before) {
		fn(ctx, oldest->next, oldest->next_size);
		shown++;
		advance(oldest, min_size, all->too_short);
		before = hold(oldest, until, before);
	}
	for (struct ring *r = all->rings; r < end; r++)
		release(r);
	return shown;
}

/* A look with a copy of the ring's reader, whose places are its own. */
static void look_ahead(struct ring *r, size_t min_size,
		       void (*fn)(void *ctx, const void *event, size_t size), void *ctx)
{
	struct ring reader = *r;
	uint64_t too_short = 0; /* they are counted when they are taken */

	reader.at = r->ahead > *r->consumer ? r->ahead : *r->consumer;
	reader.end = __atomic_load_n(r->producer, __ATOMIC_ACQUIRE);
	for (peek(&reader, min_size, &too_short); reader.next;
	     peek(&reader, min_size, &too_short)) {
		fn(ctx, reader.next, reader.next_size);
		reader.at += (BPF_RINGBUF_HDR_SZ + reader.next_size + 7) & ~7UL;
	}
	r->ahead = reader.at;
}

void rings_ahead(const struct rings *all, size_t min_size,
		 void (*fn)(void *ctx, const void *event, size_t size), void *ctx)
{
	for (size_t i = 0; i < all->nr; i++)
		look_ahead(&all->rings[i], min_size, fn, ctx);
}

uint64_t rings_oldest(const struct rings *all)
{
	const struct ring *oldest = oldest_of(all);

	return oldest ? oldest->next->ts : 0;
}

uint64_t rings_waiting(const struct rings *all)
{
	uint64_t bytes = 0;

	for (const struct ring *r = all->rings; r < all->rings + all->nr; r++)
		bytes += ring_waiting(r);
	return bytes;
}
