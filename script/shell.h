/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * shell: commands that a script has run, system() and -c, and files that it shows, cat().
 */
#ifndef BORESCOPE_SCRIPT_SHELL_H
#define BORESCOPE_SCRIPT_SHELL_H

#include <stddef.h>
#include <sys/types.h>

#include "script/text.h"

/* Runs @command by sh -c, waits for it, and adds what it prints to stdout (SHELL_OUTPUT_MAX bytes
 * at the most) to @to. Returns 0 or -errno. */
#define SHELL_OUTPUT_MAX (1u << 20)
int shell_run(const char *command, struct text *to);

/* Adds the first @max bytes of a file to @to. Returns 0 or -errno. */
int shell_file(const char *path, size_t max, struct text *to);

/*
 * Starts a command that is split into words at blanks, as bpftrace does it (quotation marks and
 * backslashes keep them together), and holds it before its exec. A byte written to *@go lets it go
 * on; where that is closed without one, it ends. Returns its process id, or -errno.
 */
pid_t shell_start(const char *command, int *go);

#endif
