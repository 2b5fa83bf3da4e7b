/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * list: what a tool consists of by name, so that tests can hold its man page and its programs to
 * it: NAME --list probes|columns|keys. It needs no privileges and nothing of the kernel, and stands
 * in no --help.
 *
 * probes: a line "PROBE<TAB>RUNG<TAB>PROGRAM<TAB>SECTION" for each program of each rung (0 is the
 *	best), for each program of probe.unless (RUNG is "unless"), and for each program of the
 *	object (PROBE and RUNG are empty). SECTION is "not built" if the object has no such program.
 * columns: a line for each title that the tool can print, in any of its views.
 * keys: a line "KIND<TAB>KEY" for each key of each kind of JSON object.
 *
 * A title or key that several columns have comes several times.
 */
#ifndef BORESCOPE_RUN_LIST_H
#define BORESCOPE_RUN_LIST_H

#include "kernel/object.h"
#include "output/table.h"

/* What is listed of a tool; the members are those of struct tool. */
struct list_spec {
	struct object_image image;
	const struct probe *probes;
	const struct column *columns;
	const struct view *views;
	const char *every_summary_keys, *summary_keys; /* of every tool's summary; of this one's */
};

/* Returns the status to exit with: STATUS_OK; STATUS_FAILED if the object can't be read, and
 * STATUS_USAGE if @what is none of these, both after printing why. */
int list_print(const struct list_spec *tool, const char *what);

#endif
