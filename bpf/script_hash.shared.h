/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * script_hash.shared.h: the ids of texts and stacks: SipHash-1-3 of 128 bits, over words. Who does
 * not know the seed can't make two texts of one id, whatever he chooses them to be.
 */
#ifndef BORESCOPE_BPF_SCRIPT_HASH_SHARED_H
#define BORESCOPE_BPF_SCRIPT_HASH_SHARED_H

#include "script.shared.h"

struct rt_hash {
	__u64 v[4];
};

static inline __attribute__((always_inline)) __u64 rt_hash_turn(__u64 word, unsigned int bits)
{
	return word << bits | word >> (64 - bits);
}

static inline __attribute__((always_inline)) void rt_hash_round(struct rt_hash *h)
{
	h->v[0] += h->v[1];
	h->v[2] += h->v[3];
	h->v[1] = rt_hash_turn(h->v[1], 13) ^ h->v[0];
	h->v[3] = rt_hash_turn(h->v[3], 16) ^ h->v[2];
	h->v[0] = rt_hash_turn(h->v[0], 32);
	h->v[2] += h->v[1];
	h->v[0] += h->v[3];
	h->v[1] = rt_hash_turn(h->v[1], 17) ^ h->v[2];
	h->v[3] = rt_hash_turn(h->v[3], 21) ^ h->v[0];
	h->v[2] = rt_hash_turn(h->v[2], 32);
}

static inline __attribute__((always_inline)) void rt_hash_begin(struct rt_hash *h, __u64 seed0,
								__u64 seed1)
{
	h->v[0] = seed0 ^ 0x736f6d6570736575ull;
	h->v[1] = seed1 ^ 0x646f72616e646f6dull ^ 0xee;
	h->v[2] = seed0 ^ 0x6c7967656e657261ull;
	h->v[3] = seed1 ^ 0x7465646279746573ull;
}

/* All that is hashed has its length within, so none is added at the end. */
static inline __attribute__((always_inline)) void rt_hash_word(struct rt_hash *h, __u64 word)
{
	h->v[3] ^= word;
	rt_hash_round(h);
	h->v[0] ^= word;
}

static inline __attribute__((always_inline)) void rt_hash_end(struct rt_hash *h, struct rt_id *id)
{
	h->v[2] ^= 0xee;
	rt_hash_round(h);
	rt_hash_round(h);
	rt_hash_round(h);
	id->word[0] = h->v[0] ^ h->v[1] ^ h->v[2] ^ h->v[3];
	h->v[1] ^= 0xdd;
	rt_hash_round(h);
	rt_hash_round(h);
	rt_hash_round(h);
	id->word[1] = h->v[0] ^ h->v[1] ^ h->v[2] ^ h->v[3];
}

#endif
