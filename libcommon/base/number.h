/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * number: whole numbers out of arguments, and out of short texts of the kernel's: a sysctl, a file
 * in /proc or /sys.
 */
#ifndef BORESCOPE_BASE_NUMBER_H
#define BORESCOPE_BASE_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

/* Parses a whole decimal number and nothing else: no sign, no blank. False: @text is not one, or it
 * is not within the bounds; *value may have changed then. */
bool number_parse(const char *text, uint64_t min, uint64_t max, uint64_t *value);

/*
 * Reads word @nth (1 is the first) of the file @path as a decimal number. Words end at blanks, line
 * ends and slashes: "0.20 0.18 0.12 1/80 11206" has six. Returns 0, or -errno and leaves @value as
 * it was. -EINVAL means that the word is not a number, or is not in the first 4,095 bytes.
 */
int number_read(const char *path, unsigned int nth, uint64_t *value);

/*
 * Reads the number after "KEY:" at the beginning of a line of @path, as in /proc/PID/status, in
 * base @base. Returns 0, or -errno and leaves @value as it was. -ENOENT also means that there is no
 * such line.
 */
int number_field(const char *path, const char *key, int base, uint64_t *value);

#endif
