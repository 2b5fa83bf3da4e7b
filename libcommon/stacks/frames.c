/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "stacks/frames.h"
#include "stacks/options.h"

/* A frame that has been named. A string is kept as the place where it begins in texts, plus 1; 0 is
 * NULL. */
struct frame_known {
	uint64_t offset, module_offset;
	size_t function, module;
	bool named;
};

void frames_set(struct named_frames *f, const struct frames *frames)
{
	size_t nr = frames->nr_kernel + frames->nr_user;

	f->frames = *frames;
	f->texts_len = 0;
	if (nr > f->max_known) {
		free(f->known);
		f->known = calloc(nr, sizeof(*f->known));
		f->max_known = f->known ? nr : 0;
	} else if (nr) {
		memset(f->known, 0, nr * sizeof(*f->known));
	}
}

static struct frame_name look_up(const struct frames *f, size_t i)
{
	struct frame_name name;

	if (i < f->nr_kernel)
		symbols_kernel(f->symbols, f->kernel[i], &name);
	else
		symbols_user_image(f->symbols, f->pid, f->image, f->user[i - f->nr_kernel], &name);
	return name;
}

/* Copies @text behind the other texts. False: no memory. */
static bool keep_text(struct named_frames *f, const char *text, size_t *at)
{
	size_t len = text ? strlen(text) + 1 : 0;
	char *more;

	*at = text ? f->texts_len + 1 : 0;
	if (f->texts_len + len > f->texts_max) {
		more = realloc(f->texts, 2 * (f->texts_len + len));
		if (!more)
			return false;
		f->texts = more;
		f->texts_max = 2 * (f->texts_len + len);
	}
	if (text)
		memcpy(f->texts + f->texts_len, text, len);
	f->texts_len += len;
	return true;
}

struct frame_name frames_name(struct named_frames *f, size_t i)
{
	struct frame_known *known = i < f->max_known ? &f->known[i] : NULL;

	if (!known || !known->named) {
		struct frame_name name = look_up(&f->frames, i);

		if (!known || !keep_text(f, name.function, &known->function) ||
		    !keep_text(f, name.module, &known->module))
			return name; /* no memory to keep it in */
		known->offset = name.offset;
		known->module_offset = name.module_offset;
		known->named = true;
	}
	return (struct frame_name){
		.function = known->function ? f->texts + known->function - 1 : NULL,
		.offset = known->offset,
		.module = known->module ? f->texts + known->module - 1 : NULL,
		.module_offset = known->module_offset,
	};
}

bool frames_text(struct out *o, struct named_frames *f, bool root_first)
{
	size_t from = stacks_options.user_only ? f->frames.nr_kernel : 0;
	size_t to = f->frames.nr_kernel + (stacks_options.kernel_only ? 0 : f->frames.nr_user);
	size_t turn = f->frames.nr_kernel - root_first; /* where the other part begins */

	for (size_t n = from; n < to; n++) {
		size_t i = root_first ? to - 1 - (n - from) : n;
		char buf[FRAME_TEXT_LEN];
		struct frame_name name = frames_name(f, i);
		const char *text = frame_name_text(&name, buf, sizeof(buf));

		if (n > from)
			out_str(o, i == turn ? " | " : ";");
		out_escaped(o, text, strlen(text));
	}
	return to > from;
}

void frames_json_frame(struct json *j, const struct frame_name *name)
{
	json_object(j, NULL);
	json_str(j, "function", name->function);
	json_str(j, "module", name->module);
	if (!name->function && frame_name_has_offset(name))
		json_u64(j, "offset", name->module_offset);
	else if (!name->function && name->module)
		json_null(j, "offset");
	json_end_object(j);
}

static void json_part(struct json *j, const char *key, struct named_frames *f, size_t from,
		      size_t nr)
{
	json_array(j, key);
	for (size_t i = from; i < from + nr; i++) {
		const struct frame_name name = frames_name(f, i);

		frames_json_frame(j, &name);
	}
	json_end_array(j);
}

void frames_json_kernel(struct json *j, const char *key, struct named_frames *f)
{
	json_part(j, key, f, 0, f->frames.nr_kernel);
}

void frames_json_user(struct json *j, const char *key, struct named_frames *f)
{
	json_part(j, key, f, f->frames.nr_kernel, f->frames.nr_user);
}

void frames_summary_json(struct json *j, const struct symbols *symbols)
{
	struct symbols_stats st;

	symbols_stats(symbols, &st);
	json_u64(j, "files_unread", st.files_unread);
	json_u64(j, "processes_unread", st.processes_unread);
}

/* Whether @function is @name, but for what a compiler ("main.cold") or a linker
 * ("clone@@GLIBC_2.2.5") adds. */
static bool is_named(const char *function, const char *name)
{
	size_t len = strlen(name);

	return !strncmp(function, name, len) &&
	       (!function[len] || function[len] == '.' || function[len] == '@');
}

bool frames_begin_at(const char *root, const char *next, size_t nr)
{
	static const char *const starts[] = {
		"main",
		"_start",
		"_start_c", /* musl */
		"__libc_start_main",
		"__libc_start_main_impl",
		"__libc_start_call_main",
		"start_thread",
		/* These only behind another function: a stack that ends in one of them is of a
		 * thread that makes another one. */
		"clone",
		"__clone",
		"clone3",
		"__clone3",
	};
	const size_t all = ARRAY_SIZE(starts), clones = 4;

	if (!root)
		return next && is_named(next, "main");
	for (size_t i = 0; i < (nr > 1 ? all : all - clones); i++)
		if (is_named(root, starts[i]))
			return true;
	return false;
}
