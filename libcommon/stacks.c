/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <linux/types.h>

#include "../bpf/lib/stacks.h"
#include "cfi.h"
#include "clock.h"
#include "flamegraph.h"
#include "frames.h"
#include "intern.h"
#include "msg.h"
#include "number.h"
#include "stacks.h"
#include "symbols.h"
#include "tool.h"

/* Room for frames, of kernel and of user stacks, each a different sequence once. */
#define FRAMES_PER_STACK 64
#define FRAMES_MAX	 8192 /* of one stack */
/* A named frame: this at the top, a number of texts below, and between them what nobody can guess:
 * an address is whatever a process has on its stack. */
#define NAMED_TOP	 0x7f00000000000000ULL
#define NAMED_MASK	 0xffffffff00000000ULL
#define TOP_ROWS	 30
#define UNWIND_BYTES_MIN 512
#define SHORT_STACK	 2
/* Say so from this share of short stacks on, when there are enough to tell. */
#define CUT_PERMILLE 200
#define CUT_MIN	     20

struct stacks_options stacks_options = { .max = STACKS_MAX_DEFAULT };
static int svg_fd = -1;

/* A stack by address. Compared as bytes: no padding. */
struct entry_key {
	struct stack_key key;
	uint32_t kernel, user; /* numbers of traces */
};
_Static_assert(sizeof(struct entry_key) == sizeof(struct stack_key) + 8, "padding");

struct weights {
	uint64_t count, weight;
};

/* What a frame is called. Numbers of texts; 0: not known. Compared as bytes, too. */
struct sym {
	uint64_t offset; /* in the module, where the function is not known */
	uint32_t function, module;
	uint32_t kernel, named;
};

struct place {
	uint64_t addr;
	uint32_t pid, image;
	uint64_t kernel; /* compared as bytes: no padding */
};

/* A stack by name: this, then the numbers of its syms, kernel first, each leaf first. */
struct shown_head {
	struct stack_key key;
	uint32_t nr_kernel, nr_user;
};

struct stacks {
	struct stacks_config config;
	struct stacks_stats stats;
	struct intern labels; /* texts of the tool; number 0 is "" */
	uint64_t named;	      /* what named frames have in the bits of NAMED_MASK */
	struct intern traces;
	struct intern entries; /* struct entry_key */
	struct weights *weights;
	uint32_t nr_weights;

	/* what is known of names; made when the stacks are shown */
	struct intern texts;
	struct intern syms;
	struct intern places; /* struct place */
	uint32_t *place_sym;  /* a sym's number + 1, of each place */
	uint32_t nr_place_sym;
	struct intern shown; /* struct shown_head */
	struct weights *shown_weights;
	uint32_t nr_shown_weights;
	uint32_t *order; /* of shown, the least first */
	uint64_t shown_added;
	uint64_t *cut; /* short user stacks, by the text of the leaf's module */
	uint32_t nr_cut;
	bool failed; /* what was shown is not all there is (said) */
};

/* --- options -----------------------------------------------------------------------------------
 */

const char *stacks_parse_unwind(const char *arg, void *value)
{
	uint64_t *bytes = value;
	char *end;

	*bytes = 0;
	if (!strcmp(arg, "fp"))
		return NULL;
	*bytes = STACK_COPY_MAX;
	if (!strcmp(arg, "dwarf"))
		return NULL;
	if (!strncmp(arg, "dwarf,", 6) && arg[6] >= '0' && arg[6] <= '9') {
		errno = 0;
		*bytes = strtoull(arg + 6, &end, 10);
		if (!errno && !*end && *bytes >= UNWIND_BYTES_MIN && *bytes <= STACK_COPY_MAX)
			return NULL;
	}
	return "fp, dwarf, or dwarf,BYTES with 512 to 16384";
}

static bool svg_is_stdout(void)
{
	return !strcmp(stacks_options.svg, "-");
}

int stacks_setup(const struct common_options *common)
{
	const struct stacks_options *opt = &stacks_options;

	if (opt->user_only && opt->kernel_only) {
		error("-U and -K: it is one or the other, or both stacks without them");
		return 2;
	}
	if (opt->folded && (opt->top || common->json)) {
		error("-f and %s: it is one or the other", opt->top ? "--top" : "--json");
		return 2;
	}
	if (opt->unwind && opt->kernel_only) {
		error("-K and --unwind: there are no user stacks to unwind");
		return 2;
	}
	if (opt->unwind && !cfi_supported()) {
		error("--unwind dwarf: this build is for a machine whose tables it does not know "
		      "(it knows x86-64 and arm64)");
		return 2;
	}
	if (!opt->svg)
		return -1;
	if (svg_is_stdout()) {
		if (opt->folded || opt->top || common->json) {
			error("--svg - and %s: both would go to stdout; give a file",
			      opt->folded ? "-f"
			      : opt->top  ? "--top"
					  : "--json");
			return 2;
		}
		svg_fd = STDOUT_FILENO;
		return -1;
	}
	svg_fd = open(opt->svg, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (svg_fd < 0) {
		error("--svg: cannot write '%s': %s", opt->svg, strerror(errno));
		return 1;
	}
	return -1;
}

void stacks_configure(struct bpf_object *obj)
{
	struct stack_config *config = object_section(obj, ".rodata.stacks", NULL);
	uint64_t depth = 0;

	number_read("/proc/sys/kernel/perf_event_max_stack", 1, &depth);
	depth = depth ? depth : 127;
	config->depth = depth < STACK_FRAMES_MAX ? depth : STACK_FRAMES_MAX;
	config->kernel = !stacks_options.user_only;
	config->user = !stacks_options.kernel_only;
	config->copy = stacks_options.unwind & ~7ull;
}

/* --- the set -----------------------------------------------------------------------------------
 */

static uint64_t most(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

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
	s->entries.max_items = most(max, INTERN_NONE - 1);
	s->traces.max_items = most(2 * max + 1, INTERN_NONE - 1);
	s->traces.max_bytes = max * FRAMES_PER_STACK * sizeof(uint64_t) + FRAMES_MAX * 16;
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

	key->kernel = intern(&s->traces, kernel, most(nr_kernel, FRAMES_MAX) * sizeof(*kernel));
	key->user = intern(&s->traces, user, most(nr_user, FRAMES_MAX) * sizeof(*user));
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

/* --- from addresses to names -------------------------------------------------------------------
 */

static void no_memory(struct stacks *s)
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
	no_memory(s);
	return 0;
}

static uint32_t text_of(struct stacks *s, const char *text)
{
	return text ? known(s, &s->texts, text, strlen(text) + 1) : 0;
}

static const char *text(const struct stacks *s, uint32_t number)
{
	return intern_get(&s->texts, number, NULL);
}

static const char *label(const struct stacks *s, uint32_t number)
{
	return intern_get(&s->labels, number, NULL);
}

static struct sym look_up(struct stacks *s, const struct place *p)
{
	struct frame_name name = { 0 };
	struct sym sym = { .kernel = p->kernel };

	if (is_named(s, p->addr)) {
		sym.function = text_of(s, label(s, (uint32_t)p->addr));
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

static const struct sym *sym_at(const struct stacks *s, uint32_t number)
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
		no_memory(s);
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
		const struct sym *sym = sym_at(s, user[i]);

		if (sym->named)
			continue;
		if (addresses == SHORT_STACK)
			return;
		if (!addresses)
			module = sym->module;
		function[addresses++] = sym->function ? text(s, sym->function) : NULL;
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

/* Names everything that was added; once, until more is added. False: no memory (said). */
static bool make_shown(struct stacks *s)
{
	struct shown_head *head;
	struct sym unknown = { 0 };
	bool ok = true;

	if (s->order && s->shown_added == s->stats.added)
		return true;
	forget_names(s);
	head = malloc(sizeof(*head) + 2 * FRAMES_MAX * sizeof(uint32_t));
	ok = head && !intern(&s->texts, "", 1) && !intern(&s->syms, &unknown, sizeof(unknown));
	for (uint32_t i = 0; ok && i < s->entries.nr; i++)
		ok = name_entry(s, i, head);
	free(head);
	ok = ok && sort_shown(s);
	if (!ok)
		no_memory(s);
	s->shown_added = s->stats.added;
	return ok;
}

/* One stack, ready to be shown. */
struct shown {
	const struct shown_head *head;
	const uint32_t *kernel, *user;
	struct weights w;
};

static struct shown shown_at(const struct stacks *s, uint32_t number)
{
	struct shown sh = { .head = intern_get(&s->shown, number, NULL),
			    .w = s->shown_weights[number] };

	sh.kernel = (const uint32_t *)(sh.head + 1);
	sh.user = sh.kernel + sh.head->nr_kernel;
	return sh;
}

/* --- showing them ------------------------------------------------------------------------------
 */

/* As everything but the JSON has it: "main", "[libfoo.so.1+0x1234]", "[unknown]". */
static const char *sym_text(const struct stacks *s, const struct sym *sym, char *buf)
{
	struct frame_name name = { 0 };

	if (sym->named)
		return text(s, sym->function);
	if (sym->function)
		name.function = text(s, sym->function);
	if (sym->module)
		name.module = text(s, sym->module);
	name.module_offset = sym->offset;
	if (name.module && !name.function && !sym->offset) { /* module_sym() */
		snprintf(buf, FRAME_TEXT_LEN, *name.module == '[' ? "%s" : "[%s]", name.module);
		return buf;
	}
	return symbols_frame_text(&name, buf, FRAME_TEXT_LEN);
}

static bool annotate(const struct sym *sym)
{
	return stacks_options.annotated && sym->kernel && !sym->named;
}

static void list_frames(const struct stacks *s, struct out *o, const uint32_t *frames, uint32_t nr)
{
	char buf[FRAME_TEXT_LEN];

	for (uint32_t i = 0; i < nr; i++) {
		const struct sym *sym = sym_at(s, frames[i]);
		const char *name = sym_text(s, sym, buf);

		out_str(o, "    ");
		out_escaped(o, name, strlen(name));
		out_str(o, annotate(sym) ? "_[k]\n" : "\n");
	}
}

void stacks_listing(struct stacks *s, struct out *o)
{
	if (!make_shown(s))
		return;
	for (uint32_t i = 0; i < s->shown.nr; i++) {
		struct shown sh = shown_at(s, s->order[i]);
		const struct stack_key *key = &sh.head->key;

		list_frames(s, o, sh.kernel, sh.head->nr_kernel);
		if (stacks_options.delimited && sh.head->nr_kernel && sh.head->nr_user)
			out_str(o, "    --\n");
		list_frames(s, o, sh.user, sh.head->nr_user);
		out_str(o, "    -                ");
		out_escaped(o, key->comm, sizeof(key->comm));
		out_printf(o, " (%u)", key->tid ? key->tid : key->pid);
		for (int l = 0; l < STACK_LABELS_MAX; l++) {
			const char *t = label(s, key->labels[l]);

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
		const struct sym *sym = sym_at(s, frames[nr]);
		const char *name = sym_text(s, sym, buf);

		out_char(o, ';');
		fold_part(o, name, strlen(name));
		if (annotate(sym))
			out_str(o, "_[k]");
	}
}

void stacks_folded(struct stacks *s, struct out *o)
{
	if (!make_shown(s))
		return;
	for (uint32_t i = 0; i < s->shown.nr; i++) {
		struct shown sh = shown_at(s, s->order[i]);
		const struct stack_key *key = &sh.head->key;

		fold_part(o, key->comm, sizeof(key->comm));
		for (int l = 0; l < STACK_LABELS_MAX; l++) {
			const char *t = label(s, key->labels[l]);

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

static void json_name(const struct stacks *s, struct json *j, const struct sym *sym)
{
	json_str(j, "function", sym->function ? text(s, sym->function) : NULL);
	json_str(j, "module", sym->module ? text(s, sym->module) : NULL);
}

static void json_frames(const struct stacks *s, struct json *j, const char *key,
			const uint32_t *frames, uint32_t nr)
{
	json_array(j, key);
	for (uint32_t i = 0; i < nr; i++) {
		const struct sym *sym = sym_at(s, frames[i]);
		const struct frame_name name = {
			.function = sym->function ? text(s, sym->function) : NULL,
			.module = sym->module ? text(s, sym->module) : NULL,
			.module_offset = sym->offset,
		};

		frame_json(j, &name);
	}
	json_end_array(j);
}

void stacks_json(struct stacks *s, struct json *j)
{
	if (!make_shown(s))
		return;
	for (uint32_t i = 0; i < s->shown.nr; i++) {
		struct shown sh = shown_at(s, s->order[i]);
		const struct stack_key *key = &sh.head->key;

		json_object(j, NULL);
		json_u64(j, "pid", key->pid);
		if (key->tid)
			json_u64(j, "tid", key->tid);
		json_strn(j, "comm", key->comm, sizeof(key->comm));
		for (int l = 0; l < STACK_LABELS_MAX && s->config.labels[l]; l++)
			json_str(j, s->config.labels[l],
				 key->labels[l] ? label(s, key->labels[l]) : NULL);
		json_u64(j, "count", s->config.weight_key ? sh.w.count : sh.w.weight);
		if (s->config.weight_key)
			json_u64(j, s->config.weight_key, sh.w.weight);
		json_frames(s, j, "kernel", sh.kernel, sh.head->nr_kernel);
		json_frames(s, j, "user", sh.user, sh.head->nr_user);
		json_end_object(j);
	}
}

/* Without the offset that is told of a place of which only the module is known: all of those of a
 * module are one function of the table, and one frame beside another of the picture. */
static uint32_t module_sym(struct stacks *s, uint32_t number)
{
	struct sym sym = *sym_at(s, number);

	if (!sym.offset)
		return number;
	sym.offset = 0;
	return sym_number(s, &sym);
}

/* --- the hottest functions ---------------------------------------------------------------------
 */

/* A function's weights, by the number of its sym. */
struct hot {
	uint64_t self, total;
	uint32_t sym, seen; /* seen: the number + 1 of the last stack counted in total */
};

static bool heat(struct stacks *s, struct hot **hot, uint32_t *nr, uint32_t sym, uint32_t stack,
		 uint64_t self, uint64_t total)
{
	struct hot *grown, *h;

	sym = module_sym(s, sym);
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
	bool ok = make_shown(s);

	*nr_seen = 0;
	for (uint32_t i = 0; ok && i < s->shown.nr; i++) {
		struct shown sh = shown_at(s, i);
		uint32_t frames = sh.head->nr_kernel + sh.head->nr_user;

		for (uint32_t f = 0; ok && f < frames; f++)
			ok = heat(s, &hot, &nr, sh.kernel[f], i, f ? 0 : sh.w.weight, sh.w.weight);
	}
	if (!ok) {
		no_memory(s);
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
		const struct sym *sym = sym_at(s, hot[i].sym);
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
			name = text(s, sym->module);
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
		json_object(j, NULL);
		json_str(j, "type", "function");
		json_u64(j, "self", hot[i].self);
		json_u64(j, "total", hot[i].total);
		json_name(s, j, sym_at(s, hot[i].sym));
		json_end_object(j);
	}
	free(hot);
}

/* --- the flame graph ---------------------------------------------------------------------------
 */

struct drawing {
	struct flame_frame *frames;
	char (*names)[FRAME_TEXT_LEN];
	size_t nr;
};

static void draw_text(struct drawing *d, const char *name, size_t len, enum flame_kind kind)
{
	len = strnlen(name, most(len, FRAME_TEXT_LEN - 1));
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
	return sym->module && !strcmp(text(s, sym->module), "[jit]") ? FLAME_JIT : FLAME_USER;
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
		const struct sym *sym = sym_at(s, module_sym(s, frames[nr]));
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
		struct shown sh = shown_at(s, i);
		const struct stack_key *key = &sh.head->key;

		d->nr = 0;
		draw_text(d, key->comm, sizeof(key->comm), FLAME_LABEL);
		for (int l = 0; l < STACK_LABELS_MAX; l++)
			if (key->labels[l])
				draw_text(d, label(s, key->labels[l]), FRAME_TEXT_LEN, FLAME_LABEL);
		draw_frames(s, d, sh.user, sh.head->nr_user);
		draw_frames(s, d, sh.kernel, sh.head->nr_kernel);
		err = flame_add(flame, d->frames, d->nr, sh.w.weight);
	}
	return err;
}

void stacks_svg(struct stacks *s, struct out *o)
{
	size_t most_frames = 1 + STACK_LABELS_MAX + 2 * FRAMES_MAX;
	struct drawing d = { .frames = calloc(most_frames, sizeof(*d.frames)),
			     .names = malloc(most_frames * sizeof(*d.names)) };
	struct flame *flame = flame_new();
	const char *title = s->config.title ? s->config.title : msg_tool();

	if (!d.frames || !d.names || !flame) {
		no_memory(s);
	} else if (make_shown(s)) {
		if (draw(s, &d, flame))
			no_memory(s);
		flame_write(flame, o, title, s->config.unit);
	}
	flame_free(flame);
	free(d.frames);
	free(d.names);
}

/* --- as the options say ------------------------------------------------------------------------
 */

/* False: it is not, or not whole, there (said). */
static bool write_svg(struct stacks *s)
{
	struct out *o = malloc(sizeof(*o));
	struct stat st;
	bool ok;

	if (!o) {
		error("not enough memory for the flame graph");
		return false;
	}
	out_init(o, svg_fd);
	if (!svg_is_stdout() && !fstat(svg_fd, &st) && S_ISREG(st.st_mode) && ftruncate(svg_fd, 0))
		o->error = errno;
	stacks_svg(s, o);
	ok = !out_flush(o);
	if (!ok)
		error("cannot write '%s': %s", stacks_options.svg, strerror(o->error));
	else if (!s->failed && !svg_is_stdout())
		note("the flame graph is in %s", stacks_options.svg);
	free(o);
	return ok;
}

void stacks_report(struct stacks *s, struct run *r)
{
	const struct stacks_options *opt = &stacks_options;

	if (opt->svg && !write_svg(s))
		r->failed = true;
	if (table_show_clock && !r->opt.json && !opt->folded && (opt->top || !opt->svg)) {
		out_time_of_day(&r->out, clock_real_ns(clock_mono_ns()), 6);
		out_char(&r->out, '\n');
	}
	if (r->opt.json && opt->top)
		stacks_top_json(s, &r->json);
	else if (r->opt.json)
		stacks_json(s, &r->json);
	else if (opt->top)
		stacks_top(s, &r->out, TOP_ROWS);
	else if (opt->folded)
		stacks_folded(s, &r->out);
	else if (!opt->svg)
		stacks_listing(s, &r->out);
	if (s->failed)
		r->failed = true;
}

static const char *most_cut(const struct stacks *s)
{
	uint32_t best = 0;

	for (uint32_t i = 0; i < s->nr_cut; i++)
		if (s->cut[i] > s->cut[best])
			best = i;
	return best ? text(s, best) : NULL;
}

bool stacks_remarks(struct stacks *s)
{
	const struct stacks_stats *st = &s->stats;
	const char *module;

	if (st->left_out)
		warn("%llu %s are not in these stacks: there were more different ones than "
		     "--stack-storage-size %llu",
		     (unsigned long long)st->left_out, s->config.unit ? s->config.unit : "stacks",
		     (unsigned long long)s->entries.max_items);
	if (st->user < CUT_MIN || s->failed || st->user_short * 1000 < st->user * CUT_PERMILLE ||
	    !make_shown(s))
		return false;
	module = most_cut(s);
	note("%llu %% of user stacks have at most two frames: code built without %s%s%s%s",
	     (unsigned long long)(st->user_short * 100 / st->user),
	     stacks_options.unwind ? "tables to unwind by" : "frame pointers",
	     module ? ", most of it in " : "", module ? module : "",
	     s->config.can_unwind && !stacks_options.unwind ? ": see --unwind dwarf" : "");
	return true;
}

void stacks_summary_json(struct stacks *s, struct json *j)
{
	if (!s->failed)
		make_shown(s); /* for user_short, if it was not shown yet */
	json_u64(j, "stacks_left_out", s->stats.left_out);
	json_u64(j, "user_stacks", s->stats.user);
	json_u64(j, "user_stacks_cut", s->stats.user_short);
}
