/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "output/flamegraph.h"
#include "stacks/frames.h"
#include "base/msg.h"
#include "stacks/internal.h"
#include "symbols/symbols.h"

/* --- lines and objects -------------------------------------------------------------------- */

/* What is not known is NULL. */
static struct frame_name name_of(const struct stacks *s, const struct sym *sym)
{
	return (struct frame_name){
		.function = sym->function ? stacks_sym_text(s, sym->function) : NULL,
		.module = sym->module ? stacks_sym_text(s, sym->module) : NULL,
		.module_offset = sym->offset,
	};
}

/* As everything but the JSON has it: "main", "[libfoo.so.1+0x1234]", "[unknown]". */
static const char *sym_text(const struct stacks *s, const struct sym *sym, char *buf)
{
	struct frame_name name = name_of(s, sym);

	if (sym->named)
		return stacks_sym_text(s, sym->function);
	if (name.module && !name.function && !sym->offset) { /* stacks_module_sym() */
		snprintf(buf, FRAME_TEXT_LEN, *name.module == '[' ? "%s" : "[%s]", name.module);
		return buf;
	}
	return frame_name_text(&name, buf, FRAME_TEXT_LEN);
}

static bool annotate(const struct sym *sym)
{
	return stacks_options.annotated && sym->kernel && !sym->named;
}

static void list_frames(const struct stacks *s, struct out *o, const uint32_t *frames, uint32_t nr)
{
	char buf[FRAME_TEXT_LEN];

	for (uint32_t i = 0; i < nr; i++) {
		const struct sym *sym = stacks_sym(s, frames[i]);
		const char *name = sym_text(s, sym, buf);

		out_str(o, "    ");
		out_escaped(o, name, strlen(name));
		out_str(o, annotate(sym) ? "_[k]\n" : "\n");
	}
}

void stacks_listing(struct stacks *s, struct out *o)
{
	if (!stacks_name(s))
		return;
	for (uint32_t i = 0; i < s->shown.nr; i++) {
		struct shown sh = stacks_shown(s, s->order[i]);
		const struct stack_key *key = &sh.head->key;

		list_frames(s, o, sh.kernel, sh.head->nr_kernel);
		if (stacks_options.delimited && sh.head->nr_kernel && sh.head->nr_user)
			out_str(o, "    --\n");
		list_frames(s, o, sh.user, sh.head->nr_user);
		out_str(o, "    -                ");
		out_escaped(o, key->comm, sizeof(key->comm));
		out_printf(o, " (%u)", key->tid ? key->tid : key->pid);
		for (int l = 0; l < STACK_LABELS_MAX; l++) {
			const char *t = stacks_label(s, key->labels[l]);

			if (!key->labels[l])
				continue;
			out_char(o, ' ');
			out_escaped(o, t, strlen(t));
		}
		out_str(o, "\n        ");
		out_u64(o, sh.w.weight);
		out_str(o, "\n\n");
	}
}

/* A part of a folded line: no ';' in it, nor what a terminal would obey. */
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
		const struct sym *sym = stacks_sym(s, frames[nr]);
		const char *name = sym_text(s, sym, buf);

		out_char(o, ';');
		fold_part(o, name, strlen(name));
		if (annotate(sym))
			out_str(o, "_[k]");
	}
}

void stacks_folded(struct stacks *s, struct out *o)
{
	if (!stacks_name(s))
		return;
	for (uint32_t i = 0; i < s->shown.nr; i++) {
		struct shown sh = stacks_shown(s, s->order[i]);
		const struct stack_key *key = &sh.head->key;

		fold_part(o, key->comm, sizeof(key->comm));
		for (int l = 0; l < STACK_LABELS_MAX; l++) {
			const char *t = stacks_label(s, key->labels[l]);

			if (!key->labels[l])
				continue;
			out_char(o, ';');
			fold_part(o, t, strlen(t));
		}
		fold_frames(s, o, sh.user, sh.head->nr_user);
		if (stacks_options.delimited && sh.head->nr_kernel && sh.head->nr_user)
			out_str(o, ";-");
		fold_frames(s, o, sh.kernel, sh.head->nr_kernel);
		out_char(o, ' ');
		out_u64(o, sh.w.weight);
		out_char(o, '\n');
	}
}

static void json_frames(const struct stacks *s, struct json *j, const char *key,
			const uint32_t *frames, uint32_t nr)
{
	json_array(j, key);
	for (uint32_t i = 0; i < nr; i++) {
		const struct frame_name name = name_of(s, stacks_sym(s, frames[i]));

		frame_json(j, &name);
	}
	json_end_array(j);
}

void stacks_json(struct stacks *s, struct json *j)
{
	if (!stacks_name(s))
		return;
	for (uint32_t i = 0; i < s->shown.nr; i++) {
		struct shown sh = stacks_shown(s, s->order[i]);
		const struct stack_key *key = &sh.head->key;

		json_object(j, NULL);
		json_u64(j, "pid", key->pid);
		if (key->tid)
			json_u64(j, "tid", key->tid);
		json_strn(j, "comm", key->comm, sizeof(key->comm));
		for (int l = 0; l < STACK_LABELS_MAX && s->config.labels[l]; l++)
			json_str(j, s->config.labels[l],
				 key->labels[l] ? stacks_label(s, key->labels[l]) : NULL);
		json_u64(j, "count", s->config.weight_key ? sh.w.count : sh.w.weight);
		if (s->config.weight_key)
			json_u64(j, s->config.weight_key, sh.w.weight);
		json_frames(s, j, "kernel", sh.kernel, sh.head->nr_kernel);
		json_frames(s, j, "user", sh.user, sh.head->nr_user);
		json_end_object(j);
	}
}

/* --- the hottest functions ---------------------------------------------------------------- */

/* A function's weights, by the number of its sym. */
struct hot {
	uint64_t self, total;
	uint32_t sym, seen; /* seen: the number + 1 of the last stack counted in total */
};

static bool heat(struct stacks *s, struct hot **hot, uint32_t *nr, uint32_t sym, uint32_t stack,
		 uint64_t self, uint64_t total)
{
	struct hot *grown, *h;

	sym = stacks_module_sym(s, sym);
	grown = intern_grow(*hot, sizeof(*grown), sym, nr);
	if (!grown)
		return false;
	*hot = grown;
	h = &grown[sym];
	h->sym = sym;
	h->self += self;
	if (h->seen != stack + 1) /* recursion counts once */
		h->total += total;
	h->seen = stack + 1;
	return true;
}

static int by_self(const void *a, const void *b)
{
	const struct hot *x = a, *y = b;

	if (x->self != y->self)
		return x->self < y->self ? 1 : -1;
	if (x->total != y->total)
		return x->total < y->total ? 1 : -1;
	return x->sym < y->sym ? -1 : x->sym > y->sym;
}

/* All functions, the hottest first, into an array to be freed; those that were seen come first.
 * NULL: no memory (said), or nothing. */
static struct hot *find_hot(struct stacks *s, uint32_t *nr_seen)
{
	struct hot *hot = NULL;
	uint32_t nr = 0;
	bool ok = stacks_name(s);

	*nr_seen = 0;
	for (uint32_t i = 0; ok && i < s->shown.nr; i++) {
		struct shown sh = stacks_shown(s, i);
		uint32_t frames = sh.head->nr_kernel + sh.head->nr_user;

		for (uint32_t f = 0; ok && f < frames; f++)
			ok = heat(s, &hot, &nr, sh.kernel[f], i, f ? 0 : sh.w.weight, sh.w.weight);
	}
	if (!ok) {
		stacks_no_memory(s);
		free(hot);
		return NULL;
	}
	if (hot)
		qsort(hot, nr, sizeof(*hot), by_self);
	while (*nr_seen < nr && hot[*nr_seen].total)
		(*nr_seen)++;
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
	uint64_t all = s->stats.weight, rest = 0;
	char buf[FRAME_TEXT_LEN];
	uint32_t nr;
	struct hot *hot = find_hot(s, &nr);

	out_printf(o, "%6s %7s %9s  %-30s %s\n", "SELF%", "TOTAL%", "SAMPLES", "FUNCTION",
		   "MODULE");
	for (uint32_t i = 0; i < nr; i++) {
		const struct sym *sym = stacks_sym(s, hot[i].sym);
		const char *name = sym_text(s, sym, buf);
		size_t mark;

		if (rows && i >= rows) {
			rest += hot[i].self;
			continue;
		}
		out_percent(o, hot[i].self, all, 6);
		out_percent(o, hot[i].total, all, 8);
		mark = out_mark(o);
		out_u64(o, hot[i].self);
		out_pad_left(o, mark, 10);
		out_str(o, "  ");
		mark = out_mark(o);
		out_escaped(o, name, strlen(name));
		if (sym->module) {
			out_pad(o, mark, 30);
			out_char(o, ' ');
			name = stacks_sym_text(s, sym->module);
			out_escaped(o, name, strlen(name));
		}
		out_char(o, '\n');
	}
	if (rest) {
		out_percent(o, rest, all, 6);
		out_printf(o, " %7s %9llu  (%u more functions)\n", "", (unsigned long long)rest,
			   (uint32_t)(nr - rows));
	}
	free(hot);
}

void stacks_top_json(struct stacks *s, struct json *j)
{
	uint32_t nr;
	struct hot *hot = find_hot(s, &nr);

	for (uint32_t i = 0; i < nr; i++) {
		struct frame_name name = name_of(s, stacks_sym(s, hot[i].sym));

		json_object(j, NULL);
		json_str(j, "type", "function");
		json_u64(j, "self", hot[i].self);
		json_u64(j, "total", hot[i].total);
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

static enum flame_kind kind_of(const struct stacks *s, const struct sym *sym)
{
	if (sym->named)
		return FLAME_LABEL;
	if (sym->kernel)
		return FLAME_KERNEL;
	if (!sym->function)
		return FLAME_UNKNOWN;
	return sym->module && !strcmp(stacks_sym_text(s, sym->module), "[jit]") ? FLAME_JIT
										: FLAME_USER;
}

static bool is_unknown(const struct sym *sym)
{
	return !sym->function && !sym->module && !sym->kernel;
}

/* Frames one behind the other of which nothing is known (what a register that is no frame pointer
 * led to) are one. */
static void draw_frames(struct stacks *s, struct drawing *d, const uint32_t *frames, uint32_t nr)
{
	char buf[FRAME_TEXT_LEN];
	bool was = false;

	while (nr--) {
		const struct sym *sym = stacks_sym(s, stacks_module_sym(s, frames[nr]));
		bool is = is_unknown(sym);

		if (!is || !was)
			draw_text(d, sym_text(s, sym, buf), FRAME_TEXT_LEN, kind_of(s, sym));
		was = is;
	}
}

static int draw(struct stacks *s, struct drawing *d, struct flame *flame)
{
	int err = 0;

	for (uint32_t i = 0; !err && i < s->shown.nr; i++) {
		struct shown sh = stacks_shown(s, i);
		const struct stack_key *key = &sh.head->key;

		d->nr = 0;
		draw_text(d, key->comm, sizeof(key->comm), FLAME_LABEL);
		for (int l = 0; l < STACK_LABELS_MAX; l++)
			if (key->labels[l])
				draw_text(d, stacks_label(s, key->labels[l]), FRAME_TEXT_LEN,
					  FLAME_LABEL);
		draw_frames(s, d, sh.user, sh.head->nr_user);
		draw_frames(s, d, sh.kernel, sh.head->nr_kernel);
		err = flame_add(flame, d->frames, d->nr, sh.w.weight);
	}
	return err;
}

void stacks_svg(struct stacks *s, struct out *o)
{
	size_t most_frames = 1 + STACK_LABELS_MAX + 2 * STACK_FRAMES_KEPT;
	struct drawing d = { .frames = calloc(most_frames, sizeof(*d.frames)),
			     .names = malloc(most_frames * sizeof(*d.names)) };
	struct flame *flame = flame_new();
	const char *title = s->config.title ? s->config.title : msg_tool();

	if (!d.frames || !d.names || !flame) {
		stacks_no_memory(s);
	} else if (stacks_name(s)) {
		if (draw(s, &d, flame))
			stacks_no_memory(s);
		flame_write(flame, o, title, s->config.unit);
	}
	flame_free(flame);
	free(d.frames);
	free(d.names);
}
