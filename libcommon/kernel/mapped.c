/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <linux/perf_event.h>

#include "base/util.h"
#include "kernel/mapped.h"

#define RING_BYTES (32u << 10) /* a power of two; a record has some 100 bytes */
#define NAME_BYTES 16	       /* of a name are looked at */

struct mapped_ring {
	struct perf_event_mmap_page *page; /* then RING_BYTES */
	size_t page_size;
};

/* PERF_RECORD_MMAP; the name follows, and then, of all records, the time (sample_id_all). */
struct record {
	struct perf_event_header header;
	uint32_t pid, tid;
	uint64_t addr, len, offset;
	char name[NAME_BYTES];
};

void mapped_ask(struct perf_event_attr *attr)
{
	attr->mmap = 1;
	attr->sample_id_all = 1;
	attr->sample_type = PERF_SAMPLE_TIME;
	attr->use_clockid = 1;
	attr->clockid = CLOCK_MONOTONIC;
}

struct mapped_ring *mapped_ring_new(int fd)
{
	struct mapped_ring *ring = calloc(1, sizeof(*ring));

	if (!ring)
		return NULL;
	ring->page_size = sysconf(_SC_PAGESIZE);
	ring->page =
		mmap(NULL, ring->page_size + RING_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (ring->page != MAP_FAILED)
		return ring;
	free(ring);
	return NULL;
}

void mapped_ring_free(struct mapped_ring *ring)
{
	if (!ring)
		return;
	munmap(ring->page, ring->page_size + RING_BYTES);
	free(ring);
}

/* @size bytes at @at of the ring. */
static void copy(const struct mapped_ring *ring, uint64_t at, void *to, size_t size)
{
	const char *bytes = (const char *)ring->page + ring->page_size;
	size_t from = at % RING_BYTES, first = min_u64(size, RING_BYTES - from);

	memcpy(to, bytes + from, first);
	memcpy((char *)to + first, bytes, size - first);
}

/* Whether the name is one of a file that is code as it stands: "//anon", "[heap]" and "/memfd:..."
 * are not. */
static bool is_file(const struct record *r)
{
	static const char memfd[] = "/memfd:", anon[] = "//anon";

	return r->name[0] == '/' && strncmp(r->name, memfd, strlen(memfd)) != 0 &&
	       strncmp(r->name, anon, strlen(anon)) != 0;
}

static void take_record(const struct mapped_ring *ring, uint64_t at, size_t size, mapped_take take,
			void *arg)
{
	struct record r = { 0 };
	struct mapped m;

	copy(ring, at, &r, min_u64(size, sizeof(r)));
	if (r.header.type == PERF_RECORD_LOST)
		take(arg, NULL);
	if (r.header.type != PERF_RECORD_MMAP || size < offsetof(struct record, name) + 16 ||
	    !is_file(&r))
		return;
	copy(ring, at + size - sizeof(m.ts), &m.ts, sizeof(m.ts));
	m.pid = r.pid;
	m.start = r.addr;
	m.end = r.addr + r.len;
	take(arg, &m);
}

void mapped_ring_drain(struct mapped_ring *ring, mapped_take take, void *arg)
{
	uint64_t head = __atomic_load_n(&ring->page->data_head, __ATOMIC_ACQUIRE);
	uint64_t tail = ring->page->data_tail;
	struct perf_event_header h;

	while (tail < head) {
		copy(ring, tail, &h, sizeof(h));
		if (h.size < sizeof(h))
			break;
		take_record(ring, tail, h.size, take, arg);
		tail += h.size;
	}
	__atomic_store_n(&ring->page->data_tail, tail, __ATOMIC_RELEASE);
}
