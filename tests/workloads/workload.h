/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * workload.h: what the test workloads share. A workload prepares, prints "pid=N" and waits for a
 * line on stdin (or its end), so that a tool can be attached in between; then it does one thing and
 * prints what a tool must report: one line per event, fields "key=value" with a tab between.
 */
#ifndef WORKLOAD_H
#define WORKLOAD_H

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static inline void die(const char *what)
{
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, strerror(errno));
	exit(1);
}

static inline void usage(const char *text)
{
	fprintf(stderr, "usage: %s %s\n", program_invocation_short_name, text);
	exit(2);
}

static inline long number(const char *text)
{
	char *end;
	long value = strtol(text, &end, 10);

	if (*end || end == text || value < 0) {
		fprintf(stderr, "%s: not a number: %s\n", program_invocation_short_name, text);
		exit(2);
	}
	return value;
}

static inline pid_t tid(void)
{
	return syscall(SYS_gettid);
}

static inline void wait_for_go(void)
{
	int c;

	printf("pid=%d\n", getpid());
	fflush(stdout);
	while ((c = getchar()) != EOF && c != '\n')
		;
}

static inline uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static inline char *format(const char *fmt, const char *a, long n)
{
	char *text;

	if (asprintf(&text, fmt, a, n) < 0)
		die("asprintf");
	return text;
}

/* A program of some 130 bytes that only exits, so that a spawn costs little more than the exec
 * itself. */
static inline void write_tiny_program(const char *path)
{
#if defined(__x86_64__)
	enum { MACHINE = EM_X86_64 };
	static const unsigned char code[] = { 0x6a, 0x3c, 0x58, /* push 60; pop rax: exit */
					      0x31, 0xff,	/* xor edi, edi */
					      0x0f, 0x05 };	/* syscall */
#elif defined(__aarch64__)
	enum { MACHINE = EM_AARCH64 };
	static const uint32_t code[] = { 0xd2800ba8,   /* mov x8, 93: exit */
					 0xd2800000,   /* mov x0, 0 */
					 0xd4000001 }; /* svc 0 */
#else
#error "workload.h knows no exit(0) for this machine"
#endif
	struct {
		Elf64_Ehdr file;
		Elf64_Phdr segment;
		unsigned char code[sizeof(code)];
	} elf = {
		.file = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
			  .e_type = ET_EXEC,
			  .e_machine = MACHINE,
			  .e_version = EV_CURRENT,
			  .e_entry = 0x400000 + offsetof(typeof(elf), code),
			  .e_phoff = offsetof(typeof(elf), segment),
			  .e_ehsize = sizeof(elf.file),
			  .e_phentsize = sizeof(elf.segment),
			  .e_phnum = 1 },
		.segment = { .p_type = PT_LOAD,
			     .p_flags = PF_R | PF_X,
			     .p_vaddr = 0x400000,
			     .p_filesz = sizeof(elf),
			     .p_memsz = sizeof(elf),
			     .p_align = 0x1000 },
	};
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);

	memcpy(elf.code, code, sizeof(code));
	if (fd < 0 || write(fd, &elf, sizeof(elf)) != sizeof(elf) || fchmod(fd, 0755) || close(fd))
		die(path);
}

#endif
