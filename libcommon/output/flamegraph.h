/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * flamegraph: stacks as one picture, an SVG file that a browser opens from disk. Its script lets
 * one search, zoom and see details, by mouse or keyboard; a viewer that runs no scripts still shows
 * the picture.
 */
#ifndef BORESCOPE_OUTPUT_FLAMEGRAPH_H
#define BORESCOPE_OUTPUT_FLAMEGRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "output/out.h"

/* What a frame is, which its colour shows. */
enum flame_kind { FLAME_LABEL, FLAME_USER, FLAME_JIT, FLAME_KERNEL, FLAME_UNKNOWN };

struct flame_frame {
	const char *name; /* any bytes: they are escaped when written */
	enum flame_kind kind;
};

struct flame;

struct flame *flame_new(void); /* NULL: no memory */
void flame_free(struct flame *f);

/* Adds a stack of @nr frames, root first, with this @weight; the names are copied. Returns 0 or
 * -ENOMEM; what was added before stays good. */
int flame_add(struct flame *f, const struct flame_frame *frames, size_t nr, uint64_t weight);

/* Writes the whole file. Frames too narrow to be seen (a tenth of a pixel) are left out; their
 * parents keep the width. @unit says what a weight is ("samples"). */
void flame_write(struct flame *f, struct out *o, const char *title, const char *unit);

#endif
