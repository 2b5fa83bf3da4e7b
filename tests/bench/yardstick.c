/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * yardstick OBJECT PROGRAM...: loads those programs of a BPF object and attaches them;
 * yardstick --stats: has the kernel count the run time of all BPF programs.
 * Until SIGINT or SIGTERM.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

static int fail(const char *what)
{
	fprintf(stderr, "yardstick: %s: %s\n", what, strerror(errno));
	return 1;
}

/* @names: NULL-terminated */
static int attach(const char *file, char **names)
{
	struct bpf_object *obj = bpf_object__open_file(file, NULL);
	struct bpf_program *prog;

	if (!obj)
		return fail(file);
	bpf_object__for_each_program (prog, obj)
		bpf_program__set_autoload(prog, false);
	for (char **name = names; *name; name++) {
		prog = bpf_object__find_program_by_name(obj, *name);
		if (!prog)
			return fail(*name);
		bpf_program__set_autoload(prog, true);
	}
	if (bpf_object__load(obj))
		return fail("load");
	bpf_object__for_each_program (prog, obj)
		if (bpf_program__autoload(prog) && !bpf_program__attach(prog))
			return fail("attach");
	return 0;
}

int main(int argc, char **argv)
{
	sigset_t signals;
	int number;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	if (argc == 2 && !strcmp(argv[1], "--stats")) {
		if (bpf_enable_stats(BPF_STATS_RUN_TIME) < 0)
			return fail("bpf_enable_stats");
	} else if (argc < 3) {
		fprintf(stderr, "usage: yardstick OBJECT PROGRAM... | --stats\n");
		return 2;
	} else if (attach(argv[1], argv + 2)) {
		return 1;
	}
	return sigwait(&signals, &number);
}
