/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "script/compat.h"

const char compat_usage[] = "USAGE:\n"
			    "    bpftrace [options] filename\n"
			    "    bpftrace [options] - <stdin input>\n"
			    "    bpftrace [options] -e 'program'\n";

bool compat_asked(int argc, char **argv)
{
	const char *name = argc ? strrchr(argv[0], '/') : NULL;

	name = name ? name + 1 : argc ? argv[0] : "";
	if (!strcmp(name, "bpftrace"))
		return true;
	for (int i = 1; i < argc && strcmp(argv[i], "--"); i++)
		if (!strcmp(argv[i], "--compat"))
			return true;
	return false;
}

/* What bpftrace says of the argument of -p. False: it is wrong. */
static bool is_pid(const char *arg)
{
	size_t digits = strspn(arg, "0123456789");

	if (!digits)
		fprintf(stderr, "ERROR: Failed to parse pid: invalid integer: %s\n", arg);
	else if (arg[digits])
		fprintf(stderr, "ERROR: Failed to parse pid: invalid trailing bytes: %s\n", arg);
	else if (strtoull(arg, NULL, 10) > 0x400000)
		fprintf(stderr, "ERROR: Pid out of range: %s\n", arg);
	else
		return true;
	return false;
}

bool compat_pids(int argc, char **argv)
{
	for (int i = 1; i + 1 < argc && strcmp(argv[i], "--"); i++)
		if ((!strcmp(argv[i], "-p") || !strcmp(argv[i], "--pid")) && !is_pid(argv[i + 1]))
			return false;
	return true;
}
