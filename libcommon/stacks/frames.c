/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <string.h>

#include "base/util.h"
#include "stacks/frames.h"

/* The name of frame @i of the kernel's and the user's, one behind the other. */
static void name_frame(const struct frames *f, size_t i, struct frame_name *name)
{
	if (i < f->nr_kernel)
		symbols_kernel(f->symbols, f->kernel[i], name);
	else
		symbols_user(f->symbols, f->pid, f->user[i - f->nr_kernel], name);
}

void frames_text(struct out *o, const struct frames *f, bool root_first)
{
	size_t nr = f->nr_kernel + f->nr_user, first_part = root_first ? f->nr_user : f->nr_kernel;

	for (size_t i = 0; i < nr; i++) {
		struct frame_name name;
		char buf[FRAME_TEXT_LEN];
		const char *text;

		if (i)
			out_str(o, i == first_part ? " | " : ";");
		name_frame(f, root_first ? nr - 1 - i : i, &name);
		text = frame_name_text(&name, buf, sizeof(buf));
		out_escaped(o, text, strlen(text));
	}
}

void frame_json(struct json *j, const struct frame_name *name)
{
	json_object(j, NULL);
	json_str(j, "function", name->function);
	json_str(j, "module", name->module);
	if (!name->function && name->module)
		json_u64(j, "offset", name->module_offset);
	json_end_object(j);
}

static void json_part(struct json *j, const char *key, const struct frames *f, size_t from,
		      size_t nr)
{
	json_array(j, key);
	for (size_t i = from; i < from + nr; i++) {
		struct frame_name name;

		name_frame(f, i, &name);
		frame_json(j, &name);
	}
	json_end_array(j);
}

void frames_json_kernel(struct json *j, const char *key, const struct frames *f)
{
	json_part(j, key, f, 0, f->nr_kernel);
}

void frames_json_user(struct json *j, const char *key, const struct frames *f)
{
	json_part(j, key, f, f->nr_kernel, f->nr_user);
}

/* @function, up to what a compiler ("main.cold") or a linker ("clone@@GLIBC_2.2.5") adds. */
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
		/* behind another function: who is in it begins a thread, and does not begin there
		 */
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
