/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/intern.h"

#define ALIGN 8

static uint64_t mix(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* As wyhash does it: a product of 128 bits for each 8 bytes, with a secret in it. */
static uint32_t hash_bytes(uint64_t seed, const char *data, size_t len)
{
	uint64_t h = seed ^ len, word;
	size_t left = len;

	for (; left >= sizeof(word); left -= sizeof(word), data += sizeof(word)) {
		memcpy(&word, data, sizeof(word));
		h = mix(h ^ word, 0x9e3779b97f4a7c15ULL ^ seed);
	}
	word = 0;
	if (left)
		memcpy(&word, data, left);
	h = mix(h ^ word, 0xd6e8feb86659fd93ULL);
	return (uint32_t)(h ^ h >> 32);
}

static void make_seed(struct intern *t)
{
	if (getrandom(&t->seed, sizeof(t->seed), GRND_NONBLOCK) != sizeof(t->seed))
		t->seed = clock_mono_ns() ^ (uintptr_t)t;
	t->seed |= 1;
}

static void put_slot(struct intern *t, uint32_t hash, uint32_t item)
{
	uint32_t at = hash & (t->nr_slots - 1);

	while (t->slots[at].item)
		at = (at + 1) & (t->nr_slots - 1);
	t->slots[at] = (struct intern_slot){ hash, item };
}

/* Never more than two of three slots are taken. */
static bool make_slots(struct intern *t)
{
	struct intern_slot *old = t->slots;
	uint32_t nr = t->nr_slots ? t->nr_slots * 2 : 64;

	if (t->nr_slots && (uint64_t)t->nr * 3 < (uint64_t)t->nr_slots * 2)
		return true;
	if (nr < t->nr_slots)
		return false;
	t->slots = calloc(nr, sizeof(*t->slots));
	if (!t->slots) {
		t->slots = old;
		return false;
	}
	t->nr_slots = nr;
	for (uint32_t i = 0; i < t->nr; i++)
		put_slot(t, t->items[i].hash, i + 1);
	free(old);
	return true;
}

static bool make_bytes(struct intern *t, size_t need)
{
	size_t size = t->size ? t->size : 1024;
	char *bytes;

	while (size < need)
		size *= 2;
	if (size == t->size)
		return true;
	bytes = realloc(t->bytes, size);
	if (!bytes)
		return false;
	t->bytes = bytes;
	t->size = size;
	return true;
}

void *intern_grow(void *array, size_t size, uint32_t number, uint32_t *nr)
{
	uint32_t want = *nr ? *nr : 64;
	char *grown;

	if (number < *nr)
		return array;
	while (want <= number)
		want = want < UINT32_MAX / 2 ? want * 2 : UINT32_MAX;
	grown = reallocarray(array, want, size);
	if (!grown)
		return NULL;
	memset(grown + size * *nr, 0, size * (want - *nr));
	*nr = want;
	return grown;
}

static bool make_room(struct intern *t, size_t at, size_t len)
{
	struct intern_item *items;

	if (t->nr >= INTERN_NONE - 1 || (t->max_items && t->nr >= t->max_items) ||
	    (t->max_bytes && at + len > t->max_bytes))
		return false;
	if (t->no_memory) /* as large a piece would be asked for again, each time */
		return false;
	items = intern_grow(t->items, sizeof(*items), t->nr, &t->nr_alloc);
	if (items)
		t->items = items;
	t->no_memory = !items || !make_slots(t) || !make_bytes(t, at + len);
	return !t->no_memory;
}

uint32_t intern(struct intern *t, const void *data, size_t len)
{
	size_t start = (t->used + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	uint32_t hash;

	if (!t->seed)
		make_seed(t);
	hash = hash_bytes(t->seed, data, len);
	for (uint32_t at = hash; t->nr_slots; at++) {
		const struct intern_slot *s = &t->slots[at & (t->nr_slots - 1)];
		const struct intern_item *i;

		if (!s->item)
			break;
		i = &t->items[s->item - 1];
		if (s->hash == hash && i->len == len &&
		    (!len || !memcmp(t->bytes + i->at, data, len)))
			return s->item - 1;
	}
	if (!make_room(t, start, len))
		return INTERN_NONE;
	if (len) /* @data may be NULL */
		memcpy(t->bytes + start, data, len);
	t->used = start + len;
	t->items[t->nr] = (struct intern_item){ start, len, hash };
	put_slot(t, hash, t->nr + 1);
	return t->nr++;
}

const void *intern_get(const struct intern *t, uint32_t number, size_t *len)
{
	if (len)
		*len = t->items[number].len;
	return t->bytes + t->items[number].at;
}

size_t intern_bytes(const struct intern *t)
{
	return t->size + t->nr_alloc * sizeof(*t->items) + t->nr_slots * sizeof(*t->slots);
}

void intern_clear(struct intern *t)
{
	free(t->bytes);
	free(t->items);
	free(t->slots);
	*t = (struct intern){ .max_items = t->max_items, .max_bytes = t->max_bytes };
}
