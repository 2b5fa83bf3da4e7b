/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>

#include "stacks/sums.h"

#define SUMS_BYTES (16U << 20) /* of all CPUs, if that gives each enough */
#define SUMS_MIN   32

void stack_sums_configure(struct object *o)
{
	__u32 *mask = object_section(o, ".rodata.stack_sums", "lib/stacks/sums.bpf.h");
	int cpus = libbpf_num_possible_cpus();
	__u32 nr = STACK_SUMS_MAX;

	while (nr > SUMS_MIN &&
	       (uint64_t)nr * (cpus > 0 ? cpus : 1) * sizeof(struct stack_sum_slot) > SUMS_BYTES)
		nr /= 2;
	*mask = nr - 1;
	object_resize_map(o, "stack_sums", nr);
}

int stack_sums_read(const struct programs *p, stack_sums_fn fn, void *ctx)
{
	int fd = programs_map(p, "stack_sums"), cpus = libbpf_num_possible_cpus(), err = 0;
	struct stack_sum_slot *slots;

	if (fd < 0 || cpus <= 0)
		return fd < 0 ? fd : cpus;
	slots = calloc(cpus, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	for (__u32 place = 0; !bpf_map_lookup_elem(fd, &place, slots); place++)
		for (int cpu = 0; cpu < cpus; cpu++)
			if (slots[cpu].sum.count)
				fn(ctx, &slots[cpu].sum, sizeof(*slots));
	if (errno != ENOENT)
		err = -errno;
	free(slots);
	return err;
}
