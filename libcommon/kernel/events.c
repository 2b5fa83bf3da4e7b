/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <bpf/libbpf.h>

#include "kernel/events.h"
#include "kernel/object.h"
#include "kernel/programs.h"
#include "kernel/rings.h"

struct events {
	const struct programs *programs;
	size_t nr;
	uint64_t too_short;
	struct ring rings[EVENT_RINGS_MAX];
};

static size_t ring_count(void)
{
	int cpus = libbpf_num_possible_cpus();
	size_t nr = 1;

	while (nr * 2 <= (size_t)(cpus > 0 ? cpus : 1) && nr < EVENT_RINGS_MAX)
		nr *= 2;
	return nr;
}

/* 8 MiB hold what a CPU can send in 50 ms at its worst; all together never more than 32 MiB. */
static size_t ring_bytes(size_t nr)
{
	return nr <= 4 ? 8 << 20 : (32 << 20) / nr;
}

static size_t wake_bytes(size_t bytes)
{
	return bytes / 4;
}

static const char *ring_name(size_t i)
{
	static char name[32];

	snprintf(name, sizeof(name), "event_ring_%zu", i);
	return name;
}

int events_configure(struct object *o)
{
	struct event_config *config = object_find_section(o, ".rodata.events", NULL);
	size_t nr = ring_count(), bytes = ring_bytes(nr);

	if (!config)
		return 0;
	config->ring_mask = nr - 1;
	config->wake_bytes = wake_bytes(bytes);
	for (size_t i = 0; i < EVENT_RINGS_MAX; i++) {
		int err = i < nr ? object_resize_map(o, ring_name(i), bytes)
				 : object_drop_map(o, ring_name(i));

		if (err)
			return err;
	}
	return 0;
}

int events_open(const struct programs *programs, struct events **events)
{
	struct events *e;
	int err = 0;

	*events = NULL;
	if (programs_map(programs, ring_name(0)) < 0)
		return 0;
	e = calloc(1, sizeof(*e));
	if (!e)
		return -ENOMEM;
	e->programs = programs;
	while (!err && e->nr < EVENT_RINGS_MAX) {
		int fd = programs_map(programs, ring_name(e->nr));

		if (fd < 0)
			break;
		err = ring_open(&e->rings[e->nr++], fd);
	}
	if (err) {
		events_close(e);
		return err;
	}
	*events = e;
	return 0;
}

void events_close(struct events *events)
{
	if (!events)
		return;
	for (size_t i = 0; i < events->nr; i++)
		ring_close(&events->rings[i]);
	free(events);
}

int events_epoll_add(struct events *events, int epoll_fd)
{
	for (size_t i = 0; i < events->nr; i++) {
		struct epoll_event ev = { .events = EPOLLIN | EPOLLET };

		if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, events->rings[i].fd, &ev))
			return -errno;
	}
	return 0;
}

size_t events_drain(struct events *events, const struct rings_until *until, size_t min_size,
		    event_fn fn, void *ctx, const volatile bool *stop)
{
	struct rings all = { events->rings, events->nr, &events->too_short };

	if (min_size < sizeof(struct event_head))
		min_size = sizeof(struct event_head);
	return rings_drain(&all, until, min_size, fn, ctx, stop);
}

static struct rings rings_of(const struct events *events)
{
	return (struct rings){ (struct ring *)events->rings, events->nr, NULL };
}

uint64_t events_oldest(const struct events *events)
{
	struct rings all = rings_of(events);

	return rings_oldest(&all);
}

bool events_pressing(const struct events *events)
{
	for (size_t i = 0; i < events->nr; i++)
		if (ring_waiting(&events->rings[i]) >= wake_bytes(events->rings[i].size))
			return true;
	return false;
}

uint64_t events_waiting(const struct events *events)
{
	struct rings all = rings_of(events);

	return rings_waiting(&all);
}

uint64_t events_unseen(const struct events *events)
{
	return programs_percpu_sum(events->programs, "event_lost", EVENT_END_NOT_SEEN);
}

uint64_t events_lost(const struct events *events)
{
	return programs_percpu_sum(events->programs, "event_lost", EVENT_NO_ROOM);
}

uint64_t events_unreadable(const struct events *events)
{
	return events->too_short;
}
