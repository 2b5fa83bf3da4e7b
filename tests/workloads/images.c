/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * images exec|map MILLISECONDS FILE...: works in image_here(), which stands at the same addresses
 * in each FILE, a copy of this program that may call it something else.
 *
 * exec: for so long, then executes FILE, which does the same with the next.
 * map: for so long in each FILE, which is mapped to where the one before was; the thread has the
 * file's name meanwhile. It maps on CPU 1 and works on CPU 0.
 */
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "workload.h"

#define PAGE 4096

extern char __executable_start[];

__attribute__((noinline, aligned(PAGE))) void image_here(long times);
void image_here(long times)
{
	for (volatile long i = 0; i < times; i++)
		;
}

static void work(void (*how)(long), long ms)
{
	uint64_t end = now_ns() + ms * 1000000ull;

	while (now_ns() < end)
		how(200000);
}

/* Where there is such a CPU. */
static void go_to(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static void *map(const char *path, void *where)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	void *at = mmap(where, PAGE, PROT_READ | PROT_EXEC,
			MAP_PRIVATE | (where ? MAP_FIXED_NOREPLACE : 0), fd,
			(char *)image_here - __executable_start);

	if (fd < 0 || at == MAP_FAILED)
		die(path);
	if (memcmp(at, image_here, 16))
		die("not a copy, or linked otherwise");
	close(fd);
	return at;
}

int main(int argc, char **argv)
{
	void *at = NULL;
	long ms;

	if (argc < 3 || (strcmp(argv[1], "exec") && strcmp(argv[1], "map")))
		usage("exec|map MILLISECONDS FILE...");
	ms = number(argv[2]);
	if (strcmp(argv[0], "again"))
		wait_for_go();
	if (!strcmp(argv[1], "exec")) {
		char *file = argv[3];

		work(image_here, ms);
		if (!file)
			return 0;
		argv[3] = argv[2]; /* as it was called, without the first FILE */
		argv[2] = argv[1];
		argv[1] = "again";
		execv(file, argv + 1);
		die(file);
	}
	for (int i = 3; i < argc; i++) {
		go_to(1);
		at = map(argv[i], at);
		go_to(0);
		prctl(PR_SET_NAME, strrchr(argv[i], '/') + 1);
		work((void (*)(long))at, ms);
		munmap(at, PAGE);
	}
	return 0;
}
