/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "stacks/frames.h"
#include "base/msg.h"
#include "base/util.h"
#include "stacks/internal.h"
#include "symbols/symbols.h"

/* Room for frames, of kernel and of user stacks, each a different sequence once. */
#define FRAMES_PER_STACK 64
/* A named frame: this at the top, a number of texts below, and between them what nobody can guess:
 * an address is whatever a process has on its stack. */
#define NAMED_TOP   0x7f00000000000000ULL
#define NAMED_MASK  0xffffffff00000000ULL
#define SHORT_STACK 2

/* A stack by address. Compared as bytes: no padding. */
struct entry_key {
	struct stack_key key;
	uint32_t kernel, user; /* numbers of traces */
};
_Static_assert(sizeof(struct entry_key) == sizeof(struct stack_key) + 8, "padding");

struct place {
	uint64_t addr;
	uint32_t pid, image;
	uint64_t kernel; /* compared as bytes: no padding */
};

/* --- the set ------------------------------------------------------------------------------ */

static uint64_t secret(void)
{
	uint64_t bits;

	if (getrandom(&bits, sizeof(bits), GRND_NONBLOCK) != sizeof(bits))
		bits = clock_mono_ns() * 0x9e3779b97f4a7c15ULL; /* early in boot */
	return bits;
}

struct stacks *stacks_new(const struct stacks_config *config)
{
	struct stacks *s = calloc(1, sizeof(*s));
	uint64_t max = config->max ? config->max : stacks_options.max;

	if (!s || intern(&s->labels, "", 0)) {
		error("not enough memory");
		stacks_free(s);
		return NULL;
	}
	s->config = *config;
	s->named = NAMED_TOP | (secret() & NAMED_MASK & ~(0xffULL << 56));
	s->entries.max_items = min_u64(max, INTERN_NONE - 1);
	s->traces.max_items = min_u64(2 * max + 1, INTERN_NONE - 1);
	s->traces.max_bytes = max * FRAMES_PER_STACK * sizeof(uint64_t) + STACK_FRAMES_KEPT * 16;
	return s;
}

static void forget_names(struct stacks *s)
{
	intern_clear(&s->texts);
	intern_clear(&s->syms);
	intern_clear(&s->places);
	intern_clear(&s->shown);
	free(s->place_sym);
	free(s->shown_weights);
	free(s->order);
	free(s->cut);
	s->place_sym = s->order = NULL;
	s->shown_weights = NULL;
	s->cut = NULL;
	s->nr_place_sym = s->nr_shown_weights = s->nr_cut = 0;
	s->shown_added = 0;
	s->stats.user_short = 0;
}

void stacks_clear(struct stacks *s)
{
	forget_names(s);
	intern_clear(&s->traces);
	intern_clear(&s->entries);
	free(s->weights);
	s->weights = NULL;
	s->nr_weights = 0;
	s->stats = (struct stacks_stats){ 0 };
}

void stacks_free(struct stacks *s)
{
	if (!s)
		return;
	stacks_clear(s);
	intern_clear(&s->labels);
	free(s);
}

uint32_t stacks_text(struct stacks *s, const char *text)
{
	uint32_t number = intern(&s->labels, text, strlen(text) + 1);

	return number == INTERN_NONE ? 0 : number;
}

uint64_t stacks_named_frame(struct stacks *s, const char *text)
{
	return s->named | stacks_text(s, text);
}

static bool is_named(const struct stacks *s, uint64_t frame)
{
	return (frame & NAMED_MASK) == s->named && (uint32_t)frame < s->labels.nr;
}

static bool has_address(const struct stacks *s, const uint64_t *frames, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		if (!is_named(s, frames[i]))
			return true;
	return false;
}

static struct weights *entry_of(struct stacks *s, struct entry_key *key, const uint64_t *kernel,
				size_t nr_kernel, const uint64_t *user, size_t nr_user)
{
	struct weights *w;
	uint32_t number;

	key->kernel =
		intern(&s->traces, kernel, min_u64(nr_kernel, STACK_FRAMES_KEPT) * sizeof(*kernel));
	key->user = intern(&s->traces, user, min_u64(nr_user, STACK_FRAMES_KEPT) * sizeof(*user));
	if (key->kernel == INTERN_NONE || key->user == INTERN_NONE)
		return NULL;
	number = intern(&s->entries, key, sizeof(*key));
	if (number == INTERN_NONE)
		return NULL;
	w = intern_grow(s->weights, sizeof(*w), number, &s->nr_weights);
	if (!w)
		return NULL;
	s->weights = w;
	return &w[number];
}

bool stacks_add(struct stacks *s, const struct stack_key *key, const uint64_t *kernel,
		size_t nr_kernel, const uint64_t *user, size_t nr_user, uint64_t weight)
{
	struct entry_key entry = { .key = *key };
	size_t len = strnlen(key->comm, sizeof(key->comm) - 1);
	struct weights *w;

	memset(entry.key.comm + len, 0, sizeof(entry.key.comm) - len);
	w = entry_of(s, &entry, kernel, nr_kernel, user, nr_user);
	if (!w) {
		s->stats.left_out++;
		return false;
	}
	w->count++;
	w->weight += weight;
	s->stats.added++;
	s->stats.weight += weight;
	s->stats.user += has_address(s, user, nr_user);
	return true;
}

void stacks_stats(const struct stacks *s, struct stacks_stats *stats)
{
	*stats = s->stats;
	stats->different = s->entries.nr;
	stats->bytes = intern_bytes(&s->labels) + intern_bytes(&s->traces) +
		       intern_bytes(&s->entries) + s->nr_weights * sizeof(*s->weights) +
		       intern_bytes(&s->texts) + intern_bytes(&s->syms) + intern_bytes(&s->places) +
		       intern_bytes(&s->shown) + s->nr_place_sym * sizeof(*s->place_sym) +
		       s->nr_shown_weights * sizeof(*s->shown_weights);
}

/* --- from addresses to names -------------------------------------------------------------- */

void stacks_no_memory(struct stacks *s)
{
	if (!s->failed)
		error("not enough memory to show the stacks");
	s->failed = true;
}

/* The number of an item, as intern(); 0, which is the one that is not known, if it has no room. */
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
	return text ? known(s, &s->texts, text, strlen(text) + 1) : 0;
}

const char *stacks_sym_text(const struct stacks *s, uint32_t number)
{
	return intern_get(&s->texts, number, NULL);
}

const char *stacks_label(const struct stacks *s, uint32_t number)
{
	return intern_get(&s->labels, number, NULL);
}

static struct sym look_up(struct stacks *s, const struct place *p)
{
	struct frame_name name = { 0 };
	struct sym sym = { .kernel = p->kernel };

	if (is_named(s, p->addr)) {
		sym.function = text_of(s, stacks_label(s, (uint32_t)p->addr));
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
	return sym;
}

const struct sym *stacks_sym(const struct stacks *s, uint32_t number)
{
	return intern_get(&s->syms, number, NULL);
}

static uint32_t sym_number(struct stacks *s, const struct sym *sym)
{
	return known(s, &s->syms, sym, sizeof(*sym));
}

/* The number of the sym of an address, looked up once per process. */
static uint32_t name_place(struct stacks *s, const struct stack_key *key, uint64_t addr,
			   bool kernel)
{
	struct place p = { .addr = addr,
			   .pid = kernel ? 0 : key->pid,
			   .image = kernel ? 0 : key->image,
			   .kernel = kernel };
	uint32_t number = intern(&s->places, &p, sizeof(p)), *seen = NULL;
	struct sym sym;

	if (number != INTERN_NONE)
		seen = intern_grow(s->place_sym, sizeof(*seen), number, &s->nr_place_sym);
	if (!seen) {
		stacks_no_memory(s);
		return 0;
	}
	s->place_sym = seen;
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

/* A short user stack, unless it begins where programs and threads do, is put down to the module
 * that its leaf is in. */
static void count_cut(struct stacks *s, const uint32_t *user, uint32_t nr, uint64_t count)
{
	const char *function[SHORT_STACK] = { NULL };
	uint32_t addresses = 0, module = 0;
	uint64_t *cut;

	for (uint32_t i = 0; i < nr; i++) {
		const struct sym *sym = stacks_sym(s, user[i]);

		if (sym->named)
			continue;
		if (addresses == SHORT_STACK)
			return;
		if (!addresses)
			module = sym->module;
		function[addresses++] = sym->function ? stacks_sym_text(s, sym->function) : NULL;
	}
	if (!addresses ||
	    frames_begin_at(function[addresses - 1], addresses > 1 ? function[0] : NULL, addresses))
		return;
	s->stats.user_short += count;
	cut = intern_grow(s->cut, sizeof(*cut), module, &s->nr_cut);
	if (!cut)
		return;
	s->cut = cut;
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
	shown = intern(&s->shown, head, (char *)end - (char *)head);
	if (shown == INTERN_NONE)
		return false;
	w = intern_grow(s->shown_weights, sizeof(*w), shown, &s->nr_shown_weights);
	if (!w)
		return false;
	s->shown_weights = w;
	w[shown].count += from->count;
	w[shown].weight += from->weight;
	return true;
}

static int by_weight(const void *a, const void *b, void *arg)
{
	const struct stacks *s = arg;
	uint32_t i = *(const uint32_t *)a, k = *(const uint32_t *)b;
	uint64_t x = s->shown_weights[i].weight, y = s->shown_weights[k].weight;

	return x != y ? (x < y ? -1 : 1) : (i < k ? -1 : i > k);
}

static bool sort_shown(struct stacks *s)
{
	s->order = calloc(s->shown.nr + 1, sizeof(*s->order));
	if (!s->order)
		return false;
	for (uint32_t i = 0; i < s->shown.nr; i++)
		s->order[i] = i;
	qsort_r(s->order, s->shown.nr, sizeof(*s->order), by_weight, s);
	return true;
}

bool stacks_name(struct stacks *s)
{
	struct shown_head *head;
	struct sym unknown = { 0 };
	bool ok = true;

	if (s->order && s->shown_added == s->stats.added)
		return true;
	forget_names(s);
	head = malloc(sizeof(*head) + 2 * STACK_FRAMES_KEPT * sizeof(uint32_t));
	ok = head && !intern(&s->texts, "", 1) && !intern(&s->syms, &unknown, sizeof(unknown));
	for (uint32_t i = 0; ok && i < s->entries.nr; i++)
		ok = name_entry(s, i, head);
	free(head);
	ok = ok && sort_shown(s);
	if (!ok)
		stacks_no_memory(s);
	s->shown_added = s->stats.added;
	return ok;
}

struct shown stacks_shown(const struct stacks *s, uint32_t number)
{
	struct shown sh = { .head = intern_get(&s->shown, number, NULL),
			    .w = s->shown_weights[number] };

	sh.kernel = (const uint32_t *)(sh.head + 1);
	sh.user = sh.kernel + sh.head->nr_kernel;
	return sh;
}

uint32_t stacks_module_sym(struct stacks *s, uint32_t number)
{
	struct sym sym = *stacks_sym(s, number);

	if (!sym.offset)
		return number;
	sym.offset = 0;
	return sym_number(s, &sym);
}
