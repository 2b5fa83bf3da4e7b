/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * frames: one stack as text and as JSON. (Many, counted: stacks.h.)
 */
#ifndef BORESCOPE_STACKS_FRAMES_H
#define BORESCOPE_STACKS_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "output/json.h"
#include "output/out.h"
#include "symbols/symbols.h"

/* Addresses, leaf first. */
struct frames {
	struct symbols *symbols;
	uint32_t pid; /* of the user frames */
	const uint64_t *kernel, *user;
	size_t nr_kernel, nr_user;
};

/* "leaf;caller;... | leaf;caller;...": the kernel's part and the program's; or, with @root_first,
 * the whole turned around. Nothing for an empty one. */
void frames_text(struct out *o, const struct frames *f, bool root_first);

/* An array of frame objects, under @key. */
void frames_json_kernel(struct json *j, const char *key, const struct frames *f);
void frames_json_user(struct json *j, const char *key, const struct frames *f);

/* {"function","module"}, null where not known, and "offset" (in the module) of a place of which
 * only the module is. */
void frame_json(struct json *j, const struct frame_name *name);
#define FRAME_KEYS "function module offset"

/*
 * Is nothing missing of a user stack of @nr frames whose outermost functions are @root and, called
 * by it, @next (NULL: not known, or none)? So it is where libc begins a program or a thread, and at
 * main(): what calls it has no name, and often no frame pointer.
 */
bool frames_begin_at(const char *root, const char *next, size_t nr);

#endif
