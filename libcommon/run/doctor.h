/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * doctor: what borescope doctor prints: what the kernel grants (kernel/checkup.h), and of each tool
 * what it would see, which the tool itself says (NAME --probes, see run/tool.h).
 */
#ifndef BORESCOPE_RUN_DOCTOR_H
#define BORESCOPE_RUN_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>

struct doctor_tool {
	const char *name;
	const char *path; /* of its program; NULL: it was not found */
};

/* What doctor_examine() returns besides STATUS_FAILED's number, which is DOCTOR_REDUCED's, too: the
 * status to exit with. */
enum doctor_verdict {
	DOCTOR_FULL,	/* all tools run in full */
	DOCTOR_REDUCED, /* some by worse probes, or without some; or it cannot write */
	DOCTOR_NONE,	/* some do not run at all */
};

/* Examines the machine and then each of @tools, and prints it on stdout, as text for 80 columns or
 * as lines of JSON. Nothing is changed. */
enum doctor_verdict doctor_examine(const struct doctor_tool *tools, size_t nr, bool json);

#endif
