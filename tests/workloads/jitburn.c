/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * jitburn MILLISECONDS: makes code in memory, as a JIT compiler does, under a name in
 * /tmp/perf-PID.map that drives a terminal, breaks out of XML and folded lines, and is no UTF-8;
 * and runs it under a comm of that kind. Removes the map at its end, which comes when stdin ends.
 */
#include <sys/mman.h>
#include <sys/prctl.h>

#include "workload.h"

#define NAME "</title><script>alert(1)</script>;a]]>&\033]0;x\007\302\235\377\"'"
#define COMM "\033]0;<&;\377\302\233\""

/* push rbp; mov rbp, rsp; 1: dec rdi; jnz 1b; pop rbp; ret */
static const unsigned char loop[] = { 0x55, 0x48, 0x89, 0xe5, 0x48, 0xff,
				      0xcf, 0x75, 0xfb, 0x5d, 0xc3 };

int main(int argc, char **argv)
{
	char map[64];
	void (*code)(unsigned long);
	uint64_t end_ns;
	FILE *f;

	if (argc != 2)
		usage("MILLISECONDS");
	snprintf(map, sizeof(map), "/tmp/perf-%d.map", getpid());
	code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		    0);
	if (code == MAP_FAILED)
		die("mmap");
	memcpy((void *)code, loop, sizeof(loop));
	f = fopen(map, "wxe");
	if (!f || fprintf(f, "%lx %zx %s\n", (unsigned long)code, sizeof(loop), NAME) < 0 ||
	    fclose(f))
		die(map);
	if (prctl(PR_SET_NAME, COMM))
		die("prctl");
	wait_for_go();
	end_ns = now_ns() + number(argv[1]) * 1000000ull;
	while (now_ns() < end_ns)
		code(1000000);
	printf("done=1\n");
	fflush(stdout);
	while (getchar() != EOF)
		;
	return unlink(map) ? 1 : 0;
}
