/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * refusal: why the kernel does not take a program, with the place in the script.
 */
#ifndef BORESCOPE_SCRIPT_REFUSAL_H
#define BORESCOPE_SCRIPT_REFUSAL_H

#include "script/link.h"
#include "script/program.h"

/* @err: -errno of bpf(2); @log: the verifier's words, which are printed with @verbose. */
void refusal_tell(struct source *src, const struct program *p, const struct code *c, int err,
		  const char *log, bool verbose);

#endif
