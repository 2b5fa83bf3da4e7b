/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/intern.h"
#include "base/msg.h"
#include "base/status.h"
#include "base/util.h"
#include "script/texts.h"
#include "symbols/symbols.h"

#define MAX_BYTES    (256ull << 20)
#define MEMORY_SHARE 16 /* of the machine's memory at the most, one part of so many */
#define MAX_ITEMS    (4u << 20)

/* Of each id, whose number in .ids is that of its entry. */
struct held {
	size_t at; /* in .bytes */
	uint32_t len, kind, pid, image;
	bool cut;
};

struct texts {
	struct symbols *symbols;
	struct intern ids;
	struct held *held;
	uint32_t nr_held;
	char *bytes;
	size_t used, room, max;
	uint64_t left_out, missing;
	struct texts_entry found;
};

static size_t bound(void)
{
	long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);

	if (pages <= 0 || page <= 0)
		return MAX_BYTES;
	return min_u64(MAX_BYTES, (uint64_t)pages * page / MEMORY_SHARE);
}

struct texts *texts_new(struct symbols *symbols, size_t max_bytes)
{
	struct texts *t = calloc(1, sizeof(*t));

	if (!t) {
		error("not enough memory");
		exit(STATUS_FAILED);
	}
	t->symbols = symbols;
	t->max = max_bytes ? max_bytes : bound();
	t->ids.max_items = MAX_ITEMS;
	return t;
}

void texts_free(struct texts *t)
{
	if (!t)
		return;
	intern_clear(&t->ids);
	free(t->held);
	free(t->bytes);
	free(t);
}

/* Where @len bytes go; NULL: there is no room for them. */
static char *make_room(struct texts *t, size_t len)
{
	size_t need = (len + 7) & ~(size_t)7, room = t->room ? t->room : 4096;
	char *bytes;

	if (need > t->max - t->used)
		return NULL;
	while (room - t->used < need)
		room *= 2;
	if (room > t->room) {
		bytes = realloc(t->bytes, room);
		if (!bytes)
			return NULL;
		t->bytes = bytes;
		t->room = room;
	}
	return t->bytes + t->used;
}

/* Adds what has not been there. Returns its number, INTERN_NONE: it was there, or has no room. */
static uint32_t add(struct texts *t, const struct rt_id *id, const struct held *what,
		    const void *bytes)
{
	uint32_t before = t->ids.nr, number;
	struct held *all;
	char *to;

	if (texts_look(t, id))
		return INTERN_NONE;
	to = make_room(t, what->len);
	number = to ? intern(&t->ids, id, sizeof(*id)) : INTERN_NONE;
	if (number == INTERN_NONE || number < before) {
		t->left_out++;
		return INTERN_NONE;
	}
	all = intern_grow(t->held, sizeof(*all), number, &t->nr_held);
	if (!all) {
		error("not enough memory for the dictionary of texts and stacks");
		exit(STATUS_FAILED);
	}
	t->held = all;
	memcpy(to, bytes, what->len);
	all[number] = *what;
	all[number].at = t->used;
	t->used += (what->len + 7) & ~(size_t)7;
	return number;
}

void texts_add(struct texts *t, const struct rt_bytes *b, size_t size)
{
	struct held what = { .len = b->len, .kind = b->kind, .pid = b->pid, .cut = b->cut };
	uint32_t number;

	if (size < sizeof(*b) || b->len > size - sizeof(*b)) {
		t->left_out++;
		return;
	}
	number = add(t, &b->id, &what, b->bytes);
	if (number == INTERN_NONE || b->kind != RT_BYTES_USTACK || !t->symbols)
		return;
	symbols_remember(t->symbols, b->pid);
	t->held[number].image = symbols_image(t->symbols, b->pid);
}

void texts_expect(struct texts *t, const struct rt_bytes *b)
{
	if (b->kind == RT_BYTES_USTACK && t->symbols)
		symbols_remember(t->symbols, b->pid);
}

void texts_add_text(struct texts *t, const struct rt_id *id, const char *text, size_t len)
{
	const struct held what = { .len = len, .kind = RT_BYTES_TEXT };

	add(t, id, &what, text);
}

/* intern() would take in what it does not know: whether an id is there, it says by its number. */
const struct texts_entry *texts_look(struct texts *t, const struct rt_id *id)
{
	const uint32_t before = t->ids.nr, bound_before = t->ids.max_items;
	const struct held *h;
	uint32_t number;

	t->ids.max_items = before ? before : 1; /* none is taken in */
	number = before ? intern(&t->ids, id, sizeof(*id)) : INTERN_NONE;
	t->ids.max_items = bound_before;
	if (number == INTERN_NONE)
		return NULL;
	h = &t->held[number];
	t->found = (struct texts_entry){
		.kind = h->kind,
		.pid = h->pid,
		.image = h->image,
		.len = h->len,
		.cut = h->cut,
		.bytes = t->bytes + h->at,
	};
	return &t->found;
}

const struct texts_entry *texts_find(struct texts *t, const struct rt_id *id)
{
	const struct texts_entry *e = texts_look(t, id);

	t->missing += !e;
	return e;
}

/* --- addresses ---------------------------------------------------------------------------- */

static void name_frame(struct texts *t, const struct texts_entry *stack, uint64_t address,
		       struct frame_name *name)
{
	*name = (struct frame_name){ .module_offset = address };
	if (!t->symbols)
		return;
	if (stack->kind == RT_BYTES_KSTACK)
		symbols_kernel(t->symbols, address, name);
	else
		symbols_user_image(t->symbols, stack->pid, stack->image, address, name);
}

static void put(struct text *to, const char *s, enum texts_form form)
{
	if (form == TEXTS_SAFE)
		text_escaped(to, s, strlen(s));
	else
		text_str(to, s);
}

static void put_name(struct text *to, const struct frame_name *name, uint64_t address, bool offset,
		     enum texts_form form)
{
	if (!name->function) {
		text_str(to, "0x");
		text_hex(to, address);
		return;
	}
	put(to, name->function, form);
	if (offset) {
		text_char(to, '+');
		text_u64(to, name->offset);
	}
}

static void put_frame(struct texts *t, struct text *to, const struct texts_entry *stack,
		      uint64_t address, char mode, enum texts_form form)
{
	struct frame_name name;

	if (mode == 'r') {
		text_hex(to, address);
		text_char(to, '\n');
		return;
	}
	name_frame(t, stack, address, &name);
	if (mode == 'p') {
		text_char(to, '\t');
		text_hex(to, address);
		text_char(to, ' ');
	} else {
		text_str(to, "        ");
	}
	put_name(to, &name, address, true, form);
	if (mode == 'p') {
		text_str(to, " (");
		put(to, name.module ? name.module : "[unknown]", form);
		text_char(to, ')');
	} else if (!name.function && name.module && frame_name_has_offset(&name)) {
		char where[FRAME_TEXT_LEN];

		text_char(to, ' ');
		put(to, frame_name_text(&name, where, sizeof(where)), form);
	}
	text_char(to, '\n');
}

static size_t frames_of(const struct texts_entry *stack, int depth)
{
	size_t nr = stack->len / sizeof(uint64_t);

	return depth > 0 && (size_t)depth < nr ? (size_t)depth : nr;
}

static uint64_t frame_at(const struct texts_entry *stack, size_t i)
{
	uint64_t address;

	memcpy(&address, stack->bytes + i * sizeof(address), sizeof(address));
	return address;
}

void texts_stack(struct texts *t, struct text *to, const struct texts_entry *stack, char mode,
		 int depth, enum texts_form form)
{
	size_t nr = frames_of(stack, depth);

	text_char(to, '\n');
	for (size_t i = 0; i < nr; i++)
		put_frame(t, to, stack, frame_at(stack, i), mode, form);
}

void texts_kernel(struct texts *t, struct text *to, uint64_t address, bool offset,
		  enum texts_form form)
{
	struct frame_name name = { 0 };

	if (t->symbols)
		symbols_kernel(t->symbols, address, &name);
	put_name(to, &name, address, offset, form);
}

void texts_user(struct texts *t, struct text *to, uint32_t pid, uint64_t address, bool offset,
		enum texts_form form)
{
	struct frame_name name = { 0 };

	if (t->symbols)
		symbols_user(t->symbols, pid, address, &name);
	put_name(to, &name, address, offset, form);
}

void texts_stats(const struct texts *t, struct texts_stats *stats)
{
	*stats = (struct texts_stats){
		.held = t->ids.nr,
		.left_out = t->left_out,
		.missing = t->missing,
	};
}
