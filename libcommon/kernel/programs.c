/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/bpf.h>
#include <linux/membarrier.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/msg.h"
#include "kernel/programs.h"

int programs_add(struct programs *p, int fd, bool iterates)
{
	struct program_fd *all = realloc(p->programs, (p->nr_programs + 1) * sizeof(*all));

	if (!all)
		return -ENOMEM;
	p->programs = all;
	all[p->nr_programs++] = (struct program_fd){ .fd = fd, .iterates = iterates };
	return 0;
}

int programs_add_map(struct programs *p, const char *name, int fd)
{
	struct program_map *all = realloc(p->maps, (p->nr_maps + 1) * sizeof(*all));

	if (!all)
		return -ENOMEM;
	p->maps = all;
	all[p->nr_maps++] = (struct program_map){ .name = name, .fd = fd };
	return 0;
}

void programs_free(struct programs *p)
{
	free(p->programs);
	free(p->maps);
	*p = (struct programs){ 0 };
}

int programs_map(const struct programs *p, const char *name)
{
	for (size_t i = 0; i < p->nr_maps; i++)
		if (!strcmp(p->maps[i].name, name))
			return p->maps[i].fd;
	return -ENOENT;
}

int programs_write(const struct programs *p, const char *section, const void *data)
{
	int fd = programs_map(p, section);
	__u32 zero = 0;

	if (fd < 0)
		return fd;
	return bpf_map_update_elem(fd, &zero, data, BPF_ANY) ? -errno : 0;
}

int programs_read(const struct programs *p, const char *section, void *data)
{
	int fd = programs_map(p, section);
	__u32 zero = 0;

	if (fd < 0)
		return fd;
	return bpf_map_lookup_elem(fd, &zero, data) ? -errno : 0;
}

uint64_t *programs_percpu(const struct programs *p, const char *map, uint32_t index, int *nr)
{
	int fd = programs_map(p, map);
	uint64_t *values;

	*nr = libbpf_num_possible_cpus();
	if (fd < 0 || *nr <= 0)
		return NULL;
	values = calloc(*nr, sizeof(*values));
	if (values && bpf_map_lookup_elem(fd, &index, values)) {
		free(values);
		return NULL;
	}
	return values;
}

uint64_t programs_percpu_sum(const struct programs *p, const char *map, uint32_t index)
{
	uint64_t sum = 0, *values;
	int cpus;

	values = programs_percpu(p, map, index, &cpus);
	for (int i = 0; values && i < cpus; i++)
		sum += values[i];
	free(values);
	return sum;
}

/*
 * For an RCU grace period. membarrier() refuses that where there are nohz_full CPUs; a change of a
 * map of maps, for which any map will do, waits for the same.
 */
void programs_wait(int any_map_fd)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .inner_map_fd = any_map_fd);
	__u32 zero = 0;
	int fd;

	if (!syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0))
		return;
	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "grace_period", sizeof(zero), sizeof(zero),
			    1, &opts);
	if (fd >= 0 && !bpf_map_update_elem(fd, &zero, &any_map_fd, BPF_ANY)) {
		close(fd);
		return;
	}
	warn("cannot wait for programs that are running: a few events may be missing (%s)",
	     strerror(errno));
	if (fd >= 0)
		close(fd);
}

uint32_t programs_flip(const struct programs *p, const char *section, uint32_t *epoch,
		       int any_map_fd)
{
	uint32_t old = *epoch, next = !old;

	if (!programs_write(p, section, &next))
		*epoch = next;
	programs_wait(any_map_fd);
	return old;
}

size_t programs_keys(int map_fd, void *keys, size_t size, size_t max)
{
	char *prev = NULL, *at = keys;
	size_t nr;

	for (nr = 0; nr < max && !bpf_map_get_next_key(map_fd, prev, at); nr++) {
		prev = at;
		at += size;
	}
	return nr;
}

uint64_t programs_missed(const struct programs *p)
{
	uint64_t missed = 0;

	for (size_t i = 0; i < p->nr_programs; i++) {
		struct bpf_prog_info info = { 0 };
		__u32 len = sizeof(info);

		if (!bpf_obj_get_info_by_fd(p->programs[i].fd, &info, &len))
			missed += info.recursion_misses;
	}
	return missed;
}
