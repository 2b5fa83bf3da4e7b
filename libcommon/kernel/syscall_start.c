/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "base/limits.h"
#include "kernel/syscall_start.h"

/* The fewest are as many as there are thread ids by default, so that no two share a place. */
#define PLACES_MIN   32768
#define PLACES_MAX   262144
#define CROWDED_ROOM 1024

void syscall_start_configure(struct object *o)
{
	struct syscall_start_config *config =
		object_section(o, ".rodata.syscall_start", "lib/core/syscall_start.bpf.h");
	uint64_t threads = limits_threads_now(), places = PLACES_MIN;

	while (places < 4 * threads && places < PLACES_MAX)
		places *= 2;
	config->mask = places - 1;
	object_resize_map(o, "syscall_starts", places);
	object_resize_map(o, "syscall_starts_crowded", 2 * threads + CROWDED_ROOM);
}
