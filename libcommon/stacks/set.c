/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/msg.h"
#include "base/util.h"
#include "stacks/internal.h"
#include "stacks/names.h"

/* How many frames there is room for, for each stack. A sequence of frames is kept once. */
#define FRAMES_PER_STACK 64

/* The upper half of a named frame: this at the top, and below it what nobody can guess, for an
 * address is whatever a process has on its stack. */
#define NAMED_TOP 0x7f00000000000000ULL

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
	s->named = NAMED_TOP | (secret() & STACK_NAMED_MASK & ~(0xffULL << 56));
	s->entries.max_items = min_u64(max, INTERN_NONE - 1);
	s->traces.max_items = min_u64(2 * max + 1, INTERN_NONE - 1);
	s->traces.max_bytes = max * FRAMES_PER_STACK * sizeof(uint64_t) + STACK_FRAMES_KEPT * 16;
	return s;
}

void stacks_clear(struct stacks *s)
{
	stacks_forget_names(s);
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

static bool has_address(const struct stacks *s, const uint64_t *frames, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		if (!stacks_is_named(s, frames[i]))
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

bool stacks_add_sum(struct stacks *s, const struct stack_key *key, const uint64_t *kernel,
		    size_t nr_kernel, const uint64_t *user, size_t nr_user, uint64_t count,
		    uint64_t weight)
{
	struct entry_key entry = { .key = *key };
	size_t len = strnlen(key->comm, sizeof(key->comm) - 1);
	struct weights *w;

	memset(entry.key.comm + len, 0, sizeof(entry.key.comm) - len);
	w = entry_of(s, &entry, kernel, nr_kernel, user, nr_user);
	if (!w) {
		s->stats.left_out += count;
		return false;
	}
	w->count += count;
	w->weight += weight;
	s->stats.added += count;
	s->stats.weight += weight;
	s->stats.user += has_address(s, user, nr_user) ? count : 0;
	return true;
}

bool stacks_add(struct stacks *s, const struct stack_key *key, const uint64_t *kernel,
		size_t nr_kernel, const uint64_t *user, size_t nr_user, uint64_t weight)
{
	return stacks_add_sum(s, key, kernel, nr_kernel, user, nr_user, 1, weight);
}

void stacks_stats(const struct stacks *s, struct stacks_stats *stats)
{
	*stats = s->stats;
	stats->different = s->entries.nr;
	stats->bytes = intern_bytes(&s->labels) + intern_bytes(&s->traces) +
		       intern_bytes(&s->entries) + s->nr_weights * sizeof(*s->weights) +
		       stacks_names_bytes(s);
}
