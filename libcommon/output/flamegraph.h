/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * flamegraph: stacks as one picture, an SVG file that a browser opens from disk: search, zoom,
 * details, by mouse or keyboard; without its script (a viewer of pictures) still a picture.
 */
#ifndef BORESCOPE_OUTPUT_FLAMEGRAPH_H
#define BORESCOPE_OUTPUT_FLAMEGRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "output/out.h"

/* What a frame is: its colour. */
enum flame_kind { FLAME_LABEL, FLAME_USER, FLAME_JIT, FLAME_KERNEL, FLAME_UNKNOWN };

struct flame_frame {
	const char *name; /* any bytes: escaped when written */
	enum flame_kind kind;
};

struct flame;

struct flame *flame_new(void); /* NULL: no memory */
void flame_free(struct flame *f);

/* @frames are root first. Returns 0 or -ENOMEM (what was added before stays good). */
int flame_add(struct flame *f, const struct flame_frame *frames, size_t nr, uint64_t weight);

/* The whole file. Frames too narrow to be seen (a tenth of a pixel) are left out, their parents
 * keep the width. @unit: what a weight is ("samples"). */
void flame_write(struct flame *f, struct out *o, const char *title, const char *unit);

#endif
