/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * compat: bpftrace's command line, where bscope's differs: what it does when it is called by that
 * name, or with --compat.
 */
#ifndef BORESCOPE_SCRIPT_COMPAT_H
#define BORESCOPE_SCRIPT_COMPAT_H

#include <stdbool.h>

#define COMPAT_VERSION "bpftrace v0.26.1"
extern const char compat_usage[];

/* Is it called so? */
bool compat_asked(int argc, char **argv);
/* Says what bpftrace says of the argument of -p. False: it is wrong. */
bool compat_pids(int argc, char **argv);

#endif
