/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* output.h: what a test of one file shares with others that write: an `out` whose bytes can be
 * looked at. setup_output and teardown_output are cmocka's, or called by the test's own. */
#ifndef OUTPUT_H
#define OUTPUT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "output/out.h"

static struct out o;
static int file;

static inline int setup_output(void **state)
{
	(void)state;
	file = memfd_create("output", 0);
	out_init(&o, file);
	return file < 0;
}

static inline int teardown_output(void **state)
{
	(void)state;
	return close(file);
}

/* All that was written since the last call, flushed; with a NUL behind it. Lives until the next. */
static inline char *text_of(size_t *len)
{
	static char *all;
	off_t size;

	assert_int_equal(out_flush(&o), 0);
	size = lseek(file, 0, SEEK_CUR);
	free(all);
	all = malloc(size + 1);
	assert_non_null(all);
	assert_int_equal(pread(file, all, size, 0), size);
	all[size] = '\0';
	assert_int_equal(ftruncate(file, 0), 0);
	lseek(file, 0, SEEK_SET);
	if (len)
		*len = size;
	return all;
}

static inline char *text(void)
{
	return text_of(NULL);
}

#endif
