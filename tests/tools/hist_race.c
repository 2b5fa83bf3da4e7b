/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * hist_race OBJECT ROUNDS: runs hist_race.bpf.c on two CPUs at once, and prints how many extremes
 * are missing: from what both CPUs share ("overwritten": without those there was no race), and from
 * that together with what each of them has kept ("lost": there must be none).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/types.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "lib/hist/hist.shared.h"
#include "hist_race.h"

static struct bpf_object *obj;
static pthread_barrier_t start;

static void check(int err, const char *what)
{
	if (!err)
		return;
	fprintf(stderr, "hist_race: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void run(__u64 who)
{
	__u64 args[1] = { who };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = args, .ctx_size_in = sizeof(args));
	struct bpf_program *prog = bpf_object__find_program_by_name(obj, "race");

	check(bpf_prog_test_run_opts(bpf_program__fd(prog), &opts), "test run");
}

static void *racer(void *arg)
{
	cpu_set_t cpu;

	CPU_ZERO(&cpu);
	CPU_SET((long)arg, &cpu);
	check(sched_setaffinity(0, sizeof(cpu), &cpu), "sched_setaffinity");
	pthread_barrier_wait(&start);
	run((long)arg);
	return NULL;
}

static int map_fd(const char *name)
{
	return bpf_object__find_map_fd_by_name(obj, name);
}

static int missing(const struct hist_extremes *e, __u32 key)
{
	return key & 2 ? e->max != MIDDLE + 2000 : ~e->not_min != MIDDLE - 2000;
}

/* Adds up what is missing in this round, and forgets the keys. */
static void look(long *overwritten, long *lost)
{
	int cpus = libbpf_num_possible_cpus();
	struct hist_extremes kept[cpus];
	struct hist h;

	for (__u32 i = 0; i < KEYS; i++) {
		struct hist_key key = { .k32 = i };

		check(bpf_map_lookup_elem(map_fd("hist_keyed"), &key, &h), "no such key");
		check(bpf_map_lookup_elem(map_fd("hist_extremes"), &key, kept), "nothing is kept");
		*overwritten += missing(&h.extremes, i);
		for (int cpu = 0; cpu < cpus; cpu++)
			hist_widen(&h.extremes, kept[cpu].max, kept[cpu].not_min);
		*lost += missing(&h.extremes, i);
		check(bpf_map_delete_elem(map_fd("hist_keyed"), &key), "delete");
		check(bpf_map_delete_elem(map_fd("hist_extremes"), &key), "delete");
	}
}

static void prepare(const char *file)
{
	struct bpf_map *map;
	size_t size;

	obj = bpf_object__open_file(file, NULL);
	check(!obj, file);
	bpf_object__for_each_map (map, obj) {
		if (!strcmp(bpf_map__name(map), ".rodata.hist"))
			((struct hist_config *)bpf_map__initial_value(map, &size))->keyed = 1;
		if (!strcmp(bpf_map__name(map), "hist_keyed") ||
		    !strcmp(bpf_map__name(map), "hist_extremes"))
			bpf_map__set_max_entries(map, KEYS);
	}
	check(bpf_object__load(obj), "load");
}

int main(int argc, char **argv)
{
	long overwritten = 0, lost = 0;
	pthread_t racers[2];

	if (argc != 3)
		return 2;
	prepare(argv[1]);
	pthread_barrier_init(&start, NULL, 2);
	for (int round = atoi(argv[2]); round > 0; round--) {
		run(2);
		for (long i = 0; i < 2; i++)
			check(pthread_create(&racers[i], NULL, racer, (void *)i), "pthread_create");
		for (int i = 0; i < 2; i++)
			pthread_join(racers[i], NULL);
		look(&overwritten, &lost);
	}
	printf("overwritten=%ld\tlost=%ld\n", overwritten, lost);
	return 0;
}
