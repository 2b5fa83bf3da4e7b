/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <stdlib.h>
#include <string.h>

#include "base/msg.h"
#include "stacks/frames.h"
#include "stacks/internal.h"
#include "stacks/names.h"
#include "symbols/symbols.h"

#define SHORT_STACK 2 /* frames */

/* What a frame is called. Function and module are numbers of texts; 0: not known. Compared as
 * bytes: no padding. */
struct sym {
	/* in the module, where the function is not known; in the function, with -s */
	uint64_t offset;
	uint32_t function, module;
	uint32_t kernel, named;
};

/* An address of a process, or of the kernel. Compared as bytes: no padding. */
struct place {
	uint64_t addr;
	uint32_t pid, image;
	uint64_t kernel;
};

/* A stack by name: this, then the numbers of its syms, kernel first, each leaf first. */
struct shown_head {
	struct stack_key key;
	uint32_t nr_kernel, nr_user;
};

void stacks_forget_names(struct stacks *s)
{
	struct stack_names *n = &s->names;

	intern_clear(&n->texts);
	intern_clear(&n->syms);
	intern_clear(&n->places);
	intern_clear(&n->shown);
	free(n->place_sym);
	free(n->functions);
	free(n->weights);
	free(n->order);
	free(n->cut);
	*n = (struct stack_names){ 0 };
	s->stats.user_short = 0;
}

size_t stacks_names_bytes(const struct stacks *s)
{
	const struct stack_names *n = &s->names;

	return intern_bytes(&n->texts) + intern_bytes(&n->syms) + intern_bytes(&n->places) +
	       intern_bytes(&n->shown) + n->nr_place_sym * sizeof(*n->place_sym) +
	       n->nr_functions * sizeof(*n->functions) + n->nr_weights * sizeof(*n->weights);
}

void stacks_no_memory(struct stacks *s)
{
	if (!s->failed)
		error("not enough memory to show the stacks");
	s->failed = true;
}

/* The number of an item, as intern() gives it; where it has no room 0, the number of what is not
 * known. */
static uint32_t known(struct stacks *s, struct intern *t, const void *data, size_t len)
{
	uint32_t number = intern(t, data, len);

	if (number != INTERN_NONE)
		return number;
	stacks_no_memory(s);
	return 0;
}

static uint32_t text_of(struct stacks *s, const char *text)
{
	return text ? known(s, &s->names.texts, text, strlen(text) + 1) : 0;
}

static const char *get_text(const struct stacks *s, uint32_t number)
{
	return intern_get(&s->names.texts, number, NULL);
}

static const char *get_label(const struct stacks *s, uint32_t number)
{
	return intern_get(&s->labels, number, NULL);
}

static struct sym look_up(struct stacks *s, const struct place *p)
{
	struct frame_name name = { 0 };
	struct sym sym = { .kernel = p->kernel };

	if (stacks_is_named(s, p->addr)) {
		sym.function = text_of(s, get_label(s, (uint32_t)p->addr));
		sym.named = 1;
		return sym;
	}
	if (s->config.name_frame)
		s->config.name_frame(p->pid, p->addr, p->kernel, &name);
	else if (p->kernel)
		symbols_kernel(s->config.symbols, p->addr, &name);
	else
		symbols_user_image(s->config.symbols, p->pid, p->image, p->addr, &name);
	sym.function = text_of(s, name.function);
	sym.module = text_of(s, name.module);
	if (!sym.function && sym.module)
		sym.offset = name.module_offset;
	else if (sym.function && stacks_options.offsets)
		sym.offset = name.offset;
	return sym;
}

static const struct sym *get_sym(const struct stacks *s, uint32_t number)
{
	return intern_get(&s->names.syms, number, NULL);
}

static uint32_t sym_number(struct stacks *s, const struct sym *sym)
{
	return known(s, &s->names.syms, sym, sizeof(*sym));
}

/* The number of the sym of an address, looked up once per process. */
static uint32_t name_place(struct stacks *s, const struct stack_key *key, uint64_t addr,
			   bool kernel)
{
	struct place p = { .addr = addr,
			   .pid = kernel ? 0 : key->pid,
			   .image = kernel ? 0 : key->image,
			   .kernel = kernel };
	uint32_t number = intern(&s->names.places, &p, sizeof(p)), *seen = NULL;
	struct sym sym;

	if (number != INTERN_NONE)
		seen = intern_grow(s->names.place_sym, sizeof(*seen), number,
				   &s->names.nr_place_sym);
	if (!seen) {
		stacks_no_memory(s);
		return 0;
	}
	s->names.place_sym = seen;
	if (!seen[number]) {
		sym = look_up(s, &p);
		seen[number] = sym_number(s, &sym) + 1;
	}
	return seen[number] - 1;
}

static uint32_t *name_trace(struct stacks *s, const struct stack_key *key, uint32_t trace,
			    bool kernel, uint32_t *to, uint32_t *nr)
{
	const uint64_t *frames;
	size_t len;

	frames = intern_get(&s->traces, trace, &len);
	*nr = len / sizeof(*frames);
	for (size_t i = 0; i < *nr; i++)
		*to++ = name_place(s, key, frames[i], kernel);
	return to;
}

/* Counts a short user stack as cut, for the module that its leaf is in, unless it begins where
 * programs and threads do. */
static void count_cut(struct stacks *s, const uint32_t *user, uint32_t nr, uint64_t count)
{
	const char *function[SHORT_STACK] = { NULL };
	uint32_t addresses = 0, module = 0;
	uint64_t *cut;

	for (uint32_t i = 0; i < nr; i++) {
		const struct sym *sym = get_sym(s, user[i]);

		if (sym->named)
			continue;
		if (addresses == SHORT_STACK)
			return;
		if (!addresses)
			module = sym->module;
		function[addresses++] = sym->function ? get_text(s, sym->function) : NULL;
	}
	if (!addresses ||
	    frames_begin_at(function[addresses - 1], addresses > 1 ? function[0] : NULL, addresses))
		return;
	s->stats.user_short += count;
	cut = intern_grow(s->names.cut, sizeof(*cut), module, &s->names.nr_cut);
	if (!cut)
		return;
	s->names.cut = cut;
	cut[module] += count;
}

static bool name_entry(struct stacks *s, uint32_t number, struct shown_head *head)
{
	uint32_t *syms = (uint32_t *)(head + 1), *user, *end, shown;
	struct entry_key entry = *(const struct entry_key *)intern_get(&s->entries, number, NULL);
	const struct weights *from = &s->weights[number];
	struct weights *w;

	head->key = entry.key;
	head->key.image = 0;
	user = name_trace(s, &entry.key, entry.kernel, true, syms, &head->nr_kernel);
	end = name_trace(s, &entry.key, entry.user, false, user, &head->nr_user);
	count_cut(s, user, head->nr_user, from->count);
	shown = intern(&s->names.shown, head, (char *)end - (char *)head);
	if (shown == INTERN_NONE)
		return false;
	w = intern_grow(s->names.weights, sizeof(*w), shown, &s->names.nr_weights);
	if (!w)
		return false;
	s->names.weights = w;
	w[shown].count += from->count;
	w[shown].weight += from->weight;
	return true;
}

static int by_weight(const void *a, const void *b, void *arg)
{
	const struct stacks *s = arg;
	uint32_t i = *(const uint32_t *)a, k = *(const uint32_t *)b;
	uint64_t x = s->names.weights[i].weight, y = s->names.weights[k].weight;

	return x != y ? (x < y ? -1 : 1) : (i < k ? -1 : i > k);
}

static bool sort_shown(struct stacks *s)
{
	struct stack_names *n = &s->names;

	n->order = calloc(n->shown.nr + 1, sizeof(*n->order));
	if (!n->order)
		return false;
	for (uint32_t i = 0; i < n->shown.nr; i++)
		n->order[i] = i;
	qsort_r(n->order, n->shown.nr, sizeof(*n->order), by_weight, s);
	return true;
}

/* The function of each sym: itself, or where only the module is known the sym without an offset,
 * which is added behind the others if it is new. */
static bool find_functions(struct stacks *s)
{
	struct stack_names *n = &s->names;
	uint32_t *grown;

	for (uint32_t i = 0; i < n->syms.nr; i++) {
		struct sym sym = *get_sym(s, i);

		grown = intern_grow(n->functions, sizeof(*grown), i, &n->nr_functions);
		if (!grown)
			return false;
		n->functions = grown;
		grown[i] = i;
		if (!sym.offset)
			continue;
		sym.offset = 0;
		grown[i] = sym_number(s, &sym);
	}
	return true;
}

bool stacks_name(struct stacks *s)
{
	struct stack_names *n = &s->names;
	struct shown_head *head;
	struct sym unknown = { 0 };
	bool ok = true;

	if (n->order && n->added == s->stats.added)
		return true;
	stacks_forget_names(s);
	head = malloc(sizeof(*head) + 2 * STACK_FRAMES_KEPT * sizeof(uint32_t));
	ok = head && !intern(&n->texts, "", 1) && !intern(&n->syms, &unknown, sizeof(unknown));
	for (uint32_t i = 0; ok && i < s->entries.nr; i++)
		ok = name_entry(s, i, head);
	free(head);
	ok = ok && find_functions(s) && sort_shown(s);
	if (!ok)
		stacks_no_memory(s);
	n->added = s->stats.added;
	return ok;
}

/* --- what printers are given -------------------------------------------------------------- */

struct shown_set stacks_shown_set(const struct stacks *s)
{
	return (struct shown_set){
		.config = &s->config,
		.weight = s->stats.weight,
		.nr = s->names.shown.nr,
		.nr_functions = s->names.syms.nr,
	};
}

struct shown_stack stacks_shown(const struct stacks *s, uint32_t number)
{
	uint32_t shown = s->names.order[number];
	const struct shown_head *head = intern_get(&s->names.shown, shown, NULL);
	struct shown_stack stack = {
		.key = &head->key,
		.kernel = (const uint32_t *)(head + 1),
		.user = (const uint32_t *)(head + 1) + head->nr_kernel,
		.nr_kernel = head->nr_kernel,
		.nr_user = head->nr_user,
		.count = s->names.weights[shown].count,
		.weight = s->names.weights[shown].weight,
	};

	for (int l = 0; l < STACK_LABELS_MAX; l++)
		if (head->key.labels[l])
			stack.labels[l] = get_label(s, head->key.labels[l]);
	return stack;
}

struct shown_frame stacks_frame(const struct stacks *s, uint32_t frame)
{
	const struct sym *sym = get_sym(s, frame);

	return (struct shown_frame){
		.name.function = sym->function ? get_text(s, sym->function) : NULL,
		.name.module = sym->module ? get_text(s, sym->module) : NULL,
		.name.module_offset = sym->function ? 0 : sym->offset,
		.name.offset = sym->function ? sym->offset : 0,
		.kernel = sym->kernel,
		.is_text = sym->named,
	};
}

uint32_t stacks_function(const struct stacks *s, uint32_t frame)
{
	return s->names.functions[frame];
}

const char *stacks_most_cut(const struct stacks *s)
{
	const struct stack_names *n = &s->names;
	uint32_t best = 0;

	for (uint32_t i = 0; i < n->nr_cut; i++)
		if (n->cut[i] > n->cut[best])
			best = i;
	return best ? get_text(s, best) : NULL;
}
