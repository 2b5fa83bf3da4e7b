/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * called: by which name a program was called, where that is one of several.
 */
#ifndef BORESCOPE_BASE_CALLED_H
#define BORESCOPE_BASE_CALLED_H

#include <stdbool.h>

/* Whether @name, "xfsslower", is a word of the last part of @program (argv[0]), as in
 * "/usr/sbin/bpf-xfsslower" and "xfsslower-borescope": what is put around a name when it is
 * installed is parted from it by a sign. "notxfsslower" is another word. */
bool called_as(const char *program, const char *name);

/* What a tool calls itself in --help and in messages: the last part of @program if @name is a word
 * of it, "xfsslower-borescope" or "borescope xfsslower", so that what is shown can be typed; else
 * @name. Both are kept, not copied. */
const char *called(const char *program, const char *name);

#endif
