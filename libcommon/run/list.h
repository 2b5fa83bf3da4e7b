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

struct tool;

/* Returns the status to exit with: 0; 1 if the object can't be read, and 2 if @what is none of
 * these, both after printing why. */
int list_print(const struct tool *tool, const char *what);

#endif
