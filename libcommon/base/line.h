/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * line: what a file of the kernel's, in /proc or /sys, says in one line.
 */
#ifndef BORESCOPE_BASE_LINE_H
#define BORESCOPE_BASE_LINE_H

#include <stddef.h>

/* Reads the first line of @path, without its end, into the @size (at least 1) bytes at @text, as
 * far as it fits; "" if the file can't be read, or is empty. Returns @text. */
const char *line_first(const char *path, char *text, size_t size);

#endif
