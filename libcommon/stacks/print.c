/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/msg.h"
#include "output/flamegraph.h"
#include "stacks/frames.h"
#include "stacks/names.h"

static uint64_t scaled(const struct stacks_config *config, uint64_t weight)
{
	return config->scale ? weight / config->scale : weight;
}

/* Label @l of a stack, as everything but the JSON has it; NULL: none. */
static const char *label_of(const struct stacks_config *config, const struct shown_stack *sh, int l)
{
	return config->labels_in_json ? NULL : sh->labels[l];
}

/* --- lines and objects -------------------------------------------------------------------- */

/* As everything but the JSON has it: "main", "[libfoo.so.1+0x1234]", "[unknown]"; of a function of
 * stacks_function() whose name is not known, "[libfoo.so.1]". */
static const char *frame_text(const struct shown_frame *f, char *buf)
{
	const struct frame_name *name = &f->name;

	if (f->is_text)
		return name->function;
	if (name->module && !name->function && !name->module_offset) {
		snprintf(buf, FRAME_TEXT_LEN, *name->module == '[' ? "%s" : "[%s]", name->module);
		return buf;
	}
	return frame_name_text(name, buf, FRAME_TEXT_LEN);
}

static bool annotate(const struct shown_frame *f)
{
	return stacks_options.annotated && f->kernel && !f->is_text;
}

static void list_frames(const struct stacks *s, struct out *o, const uint32_t *frames, uint32_t nr)
{
	char buf[FRAME_TEXT_LEN];

	for (uint32_t i = 0; i < nr; i++) {
		const struct shown_frame f = stacks_frame(s, frames[i]);
		const char *name = frame_text(&f, buf);

		out_str(o, "    ");
		out_escaped(o, name, strlen(name));
		if (stacks_options.offsets && f.name.function && !f.is_text)
			out_printf(o, "+0x%llx", (unsigned long long)f.name.offset);
		out_str(o, annotate(&f) ? "_[k]\n" : "\n");
	}
}

void stacks_listing(struct stacks *s, struct out *o)
{
	struct shown_set all;

	if (!stacks_name(s))
		return;
	all = stacks_shown_set(s);
	for (uint32_t i = 0; i < all.nr; i++) {
		const struct shown_stack sh = stacks_shown(s, i);
		const struct stack_key *key = sh.key;

		list_frames(s, o, sh.kernel, sh.nr_kernel);
		if (stacks_options.delimited && sh.nr_kernel && sh.nr_user)
			out_str(o, "    --\n");
		list_frames(s, o, sh.user, sh.nr_user);
		out_str(o, "    -                ");
		out_escaped(o, key->comm, sizeof(key->comm));
		out_printf(o, " (%u)", key->tid ? key->tid : key->pid);
		for (int l = 0; l < STACK_LABELS_MAX; l++) {
			const char *label = label_of(all.config, &sh, l);

			if (!label)
				continue;
			out_char(o, ' ');
			out_escaped(o, label, strlen(label));
		}
		out_str(o, "\n        ");
		out_u64(o, scaled(all.config, sh.weight));
		out_str(o, "\n\n");
	}
}

/* Writes a part of a folded line: with ':' for ';', and without what a terminal would obey. */
static void fold_part(struct out *o, const char *name, size_t len)
{
	len = strnlen(name, len);
	for (;;) {
		size_t n = 0;

		while (n < len && name[n] != ';')
			n++;
		out_escaped(o, name, n);
		if (n == len)
			return;
		out_char(o, ':');
		name += n + 1;
		len -= n + 1;
	}
}

static void fold_frames(const struct stacks *s, struct out *o, const uint32_t *frames, uint32_t nr)
{
	char buf[FRAME_TEXT_LEN];

	while (nr--) {
		const struct shown_frame f = stacks_frame(s, frames[nr]);
		const char *name = frame_text(&f, buf);

		out_char(o, ';');
		fold_part(o, name, strlen(name));
		if (annotate(&f))
			out_str(o, "_[k]");
	}
}

void stacks_folded(struct stacks *s, struct out *o)
{
	struct shown_set all;

	if (!stacks_name(s))
		return;
	all = stacks_shown_set(s);
	for (uint32_t i = 0; i < all.nr; i++) {
		const struct shown_stack sh = stacks_shown(s, i);
		const struct stack_key *key = sh.key;

		fold_part(o, key->comm, sizeof(key->comm));
		for (int l = 0; l < STACK_LABELS_MAX; l++) {
			const char *label = label_of(all.config, &sh, l);

			if (!label)
				continue;
			out_char(o, ';');
			fold_part(o, label, strlen(label));
		}
		fold_frames(s, o, sh.user, sh.nr_user);
		if (stacks_options.delimited && sh.nr_kernel && sh.nr_user)
			out_str(o, ";-");
		fold_frames(s, o, sh.kernel, sh.nr_kernel);
		out_char(o, ' ');
		out_u64(o, scaled(all.config, sh.weight));
		out_char(o, '\n');
	}
}

static void json_frames(const struct stacks *s, struct json *j, const char *key,
			const uint32_t *frames, uint32_t nr)
{
	json_array(j, key);
	for (uint32_t i = 0; i < nr; i++) {
		const struct shown_frame f = stacks_frame(s, frames[i]);

		frames_json_frame(j, &f.name);
	}
	json_end_array(j);
}

void stacks_json(struct stacks *s, struct json *j)
{
	struct shown_set all;

	if (!stacks_name(s))
		return;
	all = stacks_shown_set(s);
	for (uint32_t i = 0; i < all.nr; i++) {
		const struct shown_stack sh = stacks_shown(s, i);
		const struct stack_key *key = sh.key;

		json_object(j, NULL);
		json_u64(j, "pid", key->pid);
		if (key->tid)
			json_u64(j, "tid", key->tid);
		json_strn(j, "comm", key->comm, sizeof(key->comm));
		for (int l = 0; l < STACK_LABELS_MAX && all.config->labels[l]; l++)
			json_str(j, all.config->labels[l], sh.labels[l]);
		json_u64(j, "count", all.config->weight_key ? sh.count : sh.weight);
		if (all.config->weight_key)
			json_u64(j, all.config->weight_key, sh.weight);
		json_frames(s, j, "kernel", sh.kernel, sh.nr_kernel);
		json_frames(s, j, "user", sh.user, sh.nr_user);
		json_end_object(j);
	}
}

/* --- the hottest functions ---------------------------------------------------------------- */

struct hot {
	uint64_t self, total; /* weights */
	uint32_t function;
	uint32_t seen; /* the number + 1 of the last stack counted in total */
};

static void heat(struct hot *h, uint32_t stack, uint64_t self, uint64_t total)
{
	h->self += self;
	if (h->seen != stack + 1) /* recursion counts once */
		h->total += total;
	h->seen = stack + 1;
}

static int by_self(const void *a, const void *b)
{
	const struct hot *x = a, *y = b;

	if (x->self != y->self)
		return x->self < y->self ? 1 : -1;
	if (x->total != y->total)
		return x->total < y->total ? 1 : -1;
	return x->function < y->function ? -1 : x->function > y->function;
}

/* The functions that were seen, the hottest first, in an array to be freed. NULL: there are none,
 * or not enough memory, after printing so. */
static struct hot *find_hot(struct stacks *s, uint32_t *nr)
{
	const bool named = stacks_name(s);
	const struct shown_set all = stacks_shown_set(s);
	struct hot *hot = named ? calloc(all.nr_functions, sizeof(*hot)) : NULL;

	*nr = 0;
	if (!hot) {
		stacks_no_memory(s);
		return NULL;
	}
	for (uint32_t i = 0; i < all.nr; i++) {
		const struct shown_stack sh = stacks_shown(s, i);

		for (uint32_t f = 0; f < sh.nr_kernel + sh.nr_user; f++) {
			uint32_t function = stacks_function(s, sh.kernel[f]);

			hot[function].function = function;
			heat(&hot[function], i, f ? 0 : sh.weight, sh.weight);
		}
	}
	qsort(hot, all.nr_functions, sizeof(*hot), by_self);
	while (*nr < all.nr_functions && hot[*nr].total)
		(*nr)++;
	return hot;
}

static void out_percent(struct out *o, uint64_t part, uint64_t all, int width)
{
	size_t mark = out_mark(o);

	out_fixed(o, all ? (uint64_t)((double)part * 10000 / (double)all + 0.5) : 0, 2);
	out_pad_left(o, mark, width);
}

void stacks_top(struct stacks *s, struct out *o, size_t rows)
{
	char buf[FRAME_TEXT_LEN];
	uint32_t nr;
	struct hot *hot = find_hot(s, &nr);
	uint64_t all = stacks_shown_set(s).weight, rest = 0;
	const struct stacks_config *config = stacks_shown_set(s).config;

	out_printf(o, "%6s %7s %9s  %-30s %s\n", "SELF%", "TOTAL%",
		   config->column ? config->column : "SAMPLES", "FUNCTION", "MODULE");
	for (uint32_t i = 0; i < nr; i++) {
		const struct shown_frame f = stacks_frame(s, hot[i].function);
		const char *name = frame_text(&f, buf);
		size_t mark;

		if (rows && i >= rows) {
			rest += hot[i].self;
			continue;
		}
		out_percent(o, hot[i].self, all, 6);
		out_percent(o, hot[i].total, all, 8);
		mark = out_mark(o);
		out_u64(o, scaled(config, hot[i].self));
		out_pad_left(o, mark, 10);
		out_str(o, "  ");
		mark = out_mark(o);
		out_escaped(o, name, strlen(name));
		if (f.name.module) {
			out_pad(o, mark, 30);
			out_char(o, ' ');
			out_escaped(o, f.name.module, strlen(f.name.module));
		}
		out_char(o, '\n');
	}
	if (rest) {
		out_percent(o, rest, all, 6);
		out_printf(o, " %7s %9llu  (%u more functions)\n", "",
			   (unsigned long long)scaled(config, rest), (uint32_t)(nr - rows));
	}
	free(hot);
}

void stacks_top_json(struct stacks *s, struct json *j)
{
	uint32_t nr;
	struct hot *hot = find_hot(s, &nr);
	const struct stacks_config *config = stacks_shown_set(s).config;

	for (uint32_t i = 0; i < nr; i++) {
		const struct frame_name name = stacks_frame(s, hot[i].function).name;

		json_object(j, NULL);
		json_str(j, "type", "function");
		json_u64(j, config->self_key ? config->self_key : "self", hot[i].self);
		json_u64(j, config->weight_key ? config->weight_key : "total", hot[i].total);
		json_str(j, "function", name.function);
		json_str(j, "module", name.module);
		json_end_object(j);
	}
	free(hot);
}

/* --- the flame graph ---------------------------------------------------------------------- */

struct drawing {
	struct flame_frame *frames;
	char (*names)[FRAME_TEXT_LEN];
	size_t nr;
};

static void draw_text(struct drawing *d, const char *name, size_t len, enum flame_kind kind)
{
	len = strnlen(name, len < FRAME_TEXT_LEN ? len : FRAME_TEXT_LEN - 1);
	memcpy(d->names[d->nr], name, len);
	d->names[d->nr][len] = '\0';
	d->frames[d->nr] = (struct flame_frame){ d->names[d->nr], kind };
	d->nr++;
}

static enum flame_kind kind_of(const struct shown_frame *f)
{
	if (f->is_text)
		return FLAME_LABEL;
	if (f->kernel)
		return FLAME_KERNEL;
	if (!f->name.function)
		return FLAME_UNKNOWN;
	return f->name.module && !strcmp(f->name.module, "[jit]") ? FLAME_JIT : FLAME_USER;
}

static bool is_unknown(const struct shown_frame *f)
{
	return !f->name.function && !f->name.module && !f->kernel;
}

/* Adjacent frames of which nothing is known are drawn as one: a register that is no frame pointer
 * led there. */
static void draw_frames(const struct stacks *s, struct drawing *d, const uint32_t *frames,
			uint32_t nr)
{
	char buf[FRAME_TEXT_LEN];
	bool was = false;

	while (nr--) {
		const struct shown_frame f = stacks_frame(s, stacks_function(s, frames[nr]));
		bool is = is_unknown(&f);

		if (!is || !was)
			draw_text(d, frame_text(&f, buf), FRAME_TEXT_LEN, kind_of(&f));
		was = is;
	}
}

static int draw(const struct stacks *s, struct drawing *d, struct flame *flame)
{
	const struct shown_set all = stacks_shown_set(s);
	int err = 0;

	for (uint32_t i = 0; !err && i < all.nr; i++) {
		const struct shown_stack sh = stacks_shown(s, i);

		d->nr = 0;
		draw_text(d, sh.key->comm, sizeof(sh.key->comm), FLAME_LABEL);
		for (int l = 0; l < STACK_LABELS_MAX; l++)
			if (label_of(all.config, &sh, l))
				draw_text(d, sh.labels[l], FRAME_TEXT_LEN, FLAME_LABEL);
		draw_frames(s, d, sh.user, sh.nr_user);
		draw_frames(s, d, sh.kernel, sh.nr_kernel);
		err = flame_add(flame, d->frames, d->nr, scaled(all.config, sh.weight));
	}
	return err;
}

void stacks_svg(struct stacks *s, struct out *o)
{
	size_t most_frames = 1 + STACK_LABELS_MAX + 2 * STACK_FRAMES_KEPT;
	struct drawing d = { .frames = calloc(most_frames, sizeof(*d.frames)),
			     .names = malloc(most_frames * sizeof(*d.names)) };
	struct flame *flame = flame_new();
	const struct stacks_config *config = stacks_shown_set(s).config;

	if (!d.frames || !d.names || !flame) {
		stacks_no_memory(s);
	} else if (stacks_name(s)) {
		if (draw(s, &d, flame))
			stacks_no_memory(s);
		flame_write(flame, o, config->title ? config->title : msg_tool(), config->unit);
	}
	flame_free(flame);
	free(d.frames);
	free(d.names);
}
