/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * workload.h: what the test workloads share. A workload prepares, prints "pid=N" and waits for a
 * line on stdin (or its end), so that a tool can be attached in between; then it does one thing and
 * prints what a tool must report: one line per event, fields "key=value" with a tab between.
 */
#ifndef WORKLOAD_H
#define WORKLOAD_H

#include <errno.h>
#include <fcntl.h>
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

/* A program of 128 bytes that only exits, so that a spawn costs little more than the exec itself.
 */
static inline void write_tiny_program(const char *path)
{
	static const unsigned char elf[] = {
		0x7f, 'E',  'L',  'F',	2,    1,    1,	  0, 0,	   0, 0,    0,
		0,    0,    0,	  0,	2,    0,    0x3e, 0, 1,	   0, 0,    0, /* ET_EXEC, x86-64 */
		0x78, 0,    0x40, 0,	0,    0,    0,	  0,		       /* entry 0x400078 */
		0x40, 0,    0,	  0,	0,    0,    0,	  0, /* program header at 64 */
		0,    0,    0,	  0,	0,    0,    0,	  0, 0,	   0, 0,    0,
		0x40, 0,    0x38, 0,	1,    0,    0,	  0, 0,	   0, 0,    0,
		1,    0,    0,	  0,	5,    0,    0,	  0, /* PT_LOAD, read and execute */
		0,    0,    0,	  0,	0,    0,    0,	  0, /* from offset 0 */
		0,    0,    0x40, 0,	0,    0,    0,	  0, 0,	   0, 0x40, 0,
		0,    0,    0,	  0, /* at 0x400000 */
		0x80, 0,    0,	  0,	0,    0,    0,	  0, 0x80, 0, 0,    0,
		0,    0,    0,	  0,	0,    0x10, 0,	  0, 0,	   0, 0,    0,
		0x6a, 0x3c, 0x58, 0x31, 0xff, 0x0f, 0x05, 0, /* push 60; pop rax; xor edi,edi;
								syscall */
	};
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);

	if (fd < 0 || write(fd, elf, sizeof(elf)) != sizeof(elf) || fchmod(fd, 0755) || close(fd))
		die(path);
}

#endif
