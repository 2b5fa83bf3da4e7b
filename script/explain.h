/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * explain: what a script will do, said before it runs, and what bscope finds in this kernel.
 */
#ifndef BORESCOPE_SCRIPT_EXPLAIN_H
#define BORESCOPE_SCRIPT_EXPLAIN_H

#include <stdio.h>

#include "script/program.h"

/* --explain: the probes with the way that each takes, the maps with their memory, the statements
 * with what they send. */
void script_explain(const struct compiled *c, FILE *out);

/* -v: the ways that were not the first choice, on stderr. */
void script_explain_ways(const struct compiled *c);

/* --info: lines as bpftrace has them ("fentry: yes"). */
void script_explain_kernel(FILE *out);

#endif
