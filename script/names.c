/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <string.h>
#include <sys/random.h>

#include "script/names.h"

struct entry {
	const char *name; /* NULL: free */
	void *value;
};

struct names {
	struct arena *arena;
	struct entry *entries;
	size_t used, size; /* a power of two, at least twice what is used */
	uint64_t seed;	   /* a script must not be able to make all its names collide */
};

struct names *names_new(struct arena *arena)
{
	struct names *n = arena_alloc(arena, sizeof(*n));

	n->arena = arena;
	n->size = 16;
	n->entries = arena_alloc(arena, n->size * sizeof(*n->entries));
	if (getrandom(&n->seed, sizeof(n->seed), GRND_NONBLOCK) != sizeof(n->seed))
		n->seed = (uintptr_t)n;
	return n;
}

static uint64_t hash(const struct names *n, const char *name)
{
	uint64_t h = n->seed;

	for (; *name; name++) {
		h = (h ^ (unsigned char)*name) * 0x9e3779b97f4a7c15ull;
		h ^= h >> 29;
	}
	return h;
}

static struct entry *place(const struct names *n, const char *name)
{
	size_t i = hash(n, name) & (n->size - 1);

	while (n->entries[i].name && strcmp(n->entries[i].name, name))
		i = (i + 1) & (n->size - 1);
	return &n->entries[i];
}

void *names_get(const struct names *n, const char *name)
{
	return place(n, name)->value;
}

void names_put(struct names *n, const char *name, void *value)
{
	struct entry *e;

	if (2 * (n->used + 1) > n->size) {
		struct names old = *n;

		n->size *= 2;
		n->entries = arena_alloc(n->arena, n->size * sizeof(*n->entries));
		for (size_t i = 0; i < old.size; i++)
			if (old.entries[i].name)
				*place(n, old.entries[i].name) = old.entries[i];
	}
	e = place(n, name);
	if (!e->name)
		n->used++;
	*e = (struct entry){ name, value };
}

void names_nearest(const struct names *n, struct nearest *nearest)
{
	for (size_t i = 0; i < n->size; i++)
		if (n->entries[i].name && n->entries[i].value)
			nearest_try(nearest, n->entries[i].name);
}
