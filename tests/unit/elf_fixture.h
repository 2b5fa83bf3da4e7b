/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * elf_fixture: programs that the tests of symbols are tried on, built in a directory of their own.
 */
#ifndef ELF_FIXTURE_H
#define ELF_FIXTURE_H

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char fixture_dir[64];

/* A path in the fixtures' directory; four of them live at a time. */
static inline char *in_dir(const char *fmt, ...)
{
	static char paths[4][512];
	static unsigned int next;
	char *path = paths[next++ % 4];
	va_list args;
	int len;

	len = snprintf(path, sizeof(paths[0]), "%s/", fixture_dir);
	va_start(args, fmt);
	vsnprintf(path + len, sizeof(paths[0]) - len, fmt, args);
	va_end(args);
	return path;
}

/* Runs a shell command there; the test program ends if it fails. */
static inline void shell(const char *command)
{
	char line[8192];

	if (snprintf(line, sizeof(line), "cd %s && { %s\n}", fixture_dir, command) >=
		    (int)sizeof(line) ||
	    system(line)) {
		fprintf(stderr, "failed: %s\n", line);
		exit(1);
	}
}

static inline void write_file(const char *name, const char *text)
{
	FILE *f = fopen(in_dir("%s", name), "w");

	if (!f || fputs(text, f) < 0 || fclose(f)) {
		perror(name);
		exit(1);
	}
}

static inline void fixture_begin(void)
{
	strcpy(fixture_dir, "/tmp/borescope-unit-XXXXXX");
	if (!mkdtemp(fixture_dir)) {
		perror(fixture_dir);
		exit(1);
	}
}

static inline void fixture_end(void)
{
	char line[128];

	snprintf(line, sizeof(line), "rm -rf %s", fixture_dir);
	if (system(line))
		fprintf(stderr, "left behind: %s\n", fixture_dir);
}

/* The address that nm gives for a symbol; the test program ends if it gives none. */
static inline uint64_t nm(const char *file, const char *symbol)
{
	unsigned long long addr = 0;
	char line[1024];
	FILE *f;

	snprintf(line, sizeof(line), "cd %s && nm %s | awk '$3 == \"%s\" { print $1; exit }'",
		 fixture_dir, file, symbol);
	f = popen(line, "r");
	if (!f || fscanf(f, "%llx", &addr) != 1) {
		fprintf(stderr, "%s has no %s\n", file, symbol);
		exit(1);
	}
	pclose(f);
	return addr;
}

#endif
