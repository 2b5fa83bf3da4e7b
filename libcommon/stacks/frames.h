/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * frames: writes one stack as text or as JSON. stacks.h is for many, which are counted.
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
	uint32_t image; /* of the user frames: symbols_user_image() */
};

/* The same with the names that were looked up so far. All zero is an empty one. */
struct named_frames {
	struct frames frames;
	/* the rest is frames.c's */
	struct frame_known *known;
	size_t max_known;
	char *texts;
	size_t texts_len, texts_max;
};

/* Takes @frames, whose arrays stay the caller's, in the place of the stack before. The memory that
 * names took is used again. */
void frames_set(struct named_frames *f, const struct frames *frames);

/* The name of frame @i: the kernel's are 0 to nr_kernel - 1, the user's come behind them. It is
 * looked up once, when it is first asked for, and good until the next call for @f. */
struct frame_name frames_name(struct named_frames *f, size_t i);

/* Writes "leaf;caller;... | leaf;caller;...", the kernel's part and the program's, or one of them
 * with -U or -K; with @root_first all of it the other way around. Returns false, and writes
 * nothing, when there are no frames. */
bool frames_text(struct out *o, struct named_frames *f, bool root_first);

/* Write an array of frame objects under @key. */
void frames_json_kernel(struct json *j, const char *key, struct named_frames *f);
void frames_json_user(struct json *j, const char *key, struct named_frames *f);

/* Writes {"function","module"}, with null for what is not known. Where only the module is known,
 * "offset" is the address in it. */
void frames_json_frame(struct json *j, const struct frame_name *name);
#define FRAME_KEYS "function module offset"

/*
 * Whether a user stack of @nr frames is whole, whose outermost function is @root, and @next the one
 * that it has called (NULL: not known, or there is none). A stack is whole when it begins where
 * libc begins a program or a thread, and also when it begins at main(), for what calls main() has
 * no name, and often no frame pointer.
 */
bool frames_begin_at(const char *root, const char *next, size_t nr);

/* Members of the summary: what could not be read for names (symbols_remarks()). */
void frames_summary_json(struct json *j, const struct symbols *symbols);
#define FRAMES_SUMMARY_KEYS "files_unread processes_unread"

#endif
