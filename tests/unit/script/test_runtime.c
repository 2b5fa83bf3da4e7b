/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Each function of bpf/script.bpf.c, as clang compiled it, run by the interpreter. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <linux/bpf.h>
#include <cmocka.h>

#include "script/interp.h"
#include "script/load.h"
#include "script_hash.shared.h"

#define SCRATCH 16384
#define KEYED	0 /* maps of the rig: a hash of entries of 16 bytes */
#define HIST	1
#define LHIST	2

/* A program that is put together, run once, and looked at. */
struct rig {
	struct source *source;
	struct compiled c;
	struct script_map maps[3], *all[3];
	struct type types[3], key;
	struct interp *i;
	struct ir_function *f;
	struct code *code;
	int64_t rodata[16];
	void *context; /* of the program; NULL: it has none */
	size_t context_size;
};

static void rig_open(struct rig *r)
{
	memset(r, 0, sizeof(*r));
	r->source = source_new("rig", "begin { }", 9);
	r->key = (struct type){ .kind = TYPE_INT, .size = 8 };
	r->types[KEYED] = (struct type){ .kind = TYPE_STATS, .size = 16 };
	r->types[HIST] = (struct type){ .kind = TYPE_HIST, .count = 3 };
	r->types[LHIST] = (struct type){ .kind = TYPE_LHIST, .lhist = { -10, 25, 10 } };
	for (unsigned n = 0; n < 3; n++) {
		r->maps[n] = (struct script_map){ .name = "m",
						  .key = n ? NULL : &r->key,
						  .value = &r->types[n],
						  .index = n,
						  .entries = 3 };
		r->all[n] = &r->maps[n];
	}
	r->rodata[4] = -10;
	r->rodata[5] = 25;
	r->rodata[6] = 10;
	r->c = (struct compiled){ .source = r->source,
				  .maps = r->all,
				  .nr_maps = 3,
				  .nr_lost = 2,
				  .rodata = r->rodata,
				  .rodata_size = sizeof(r->rodata) };
	r->i = interp_new(&r->c);
}

static void rig_close(struct rig *r)
{
	interp_free(r->i);
	source_free(r->source);
}

static void rig_begin(struct rig *r)
{
	r->f = ir_function_new(r->source->arena, "rig");
	r->f->scratch = SCRATCH;
}

static ir_value constant(struct rig *r, int64_t v)
{
	return ir_const(r->f, v);
}

static ir_value scratch(struct rig *r, uint32_t offset)
{
	return ir_scratch(r->f, offset);
}

/* Bytes of the test into the scratch. */
static void put(struct rig *r, uint32_t offset, const void *bytes, size_t size)
{
	interp_outside(r->i, INTERP_KERNEL, bytes, size);
	ir_call(r->f, BPF_FUNC_probe_read_kernel, IR_SCALAR, 3, scratch(r, offset),
		constant(r, size), constant(r, (intptr_t)bytes));
}

/* A struct rt_string with a text, NUL up to the next multiple of 8, and rubbish behind. */
static void put_string(struct rig *r, uint32_t offset, const char *text, size_t len, size_t room)
{
	size_t size = RT_STRING_SIZE(room);
	struct rt_string *s = arena_alloc(r->source->arena, size);

	memset(s, 'x', size);
	s->len = len;
	s->cut = 0;
	memset(s->bytes, 0, (len + 7) & ~7ull);
	memcpy(s->bytes, text, len);
	put(r, offset, s, size);
}

/* Runs it; @result, if there is one, is stored at the end of the scratch and returned. */
static uint64_t rig_run(struct rig *r, ir_value result)
{
	static const struct emit_config config = { .rings = 4, .cmpxchg = true };
	const char *fault;

	if (result)
		ir_store(r->f, scratch(r, SCRATCH - 8), 0, 8, result);
	ir_return(r->f, 0);
	fault = ir_check(r->f);
	if (fault)
		fail_msg("%s", fault);
	r->code = code_make(r->source, r->f, &config);
	assert_non_null(r->code);
	assert_int_equal(interp_run_code(r->i, r->code, r->context, r->context_size), 0);
	return *(uint64_t *)(r->i->scratch + r->i->scratch_size - 8);
}

static void *at(struct rig *r, uint32_t offset)
{
	return r->i->scratch + r->i->scratch_size - SCRATCH + offset;
}

/* --- texts from elsewhere --- */

/* What is in the string: a text, and all NUL up to the next multiple of 8. */
static void assert_string(struct rig *r, uint32_t offset, const char *text, bool cut)
{
	const struct rt_string *s = at(r, offset);
	size_t len = strlen(text);

	assert_int_equal(s->len, len);
	assert_int_equal(s->cut, cut);
	assert_memory_equal(s->bytes, text, len);
	for (size_t n = len; n % 8; n++)
		assert_int_equal(s->bytes[n], 0);
}

static uint64_t read_string(struct rig *r, const char *function, size_t room, const void *from)
{
	rig_begin(r);
	return rig_run(r, ir_runtime(r->f, function, IR_SCALAR, 3, scratch(r, 0), constant(r, room),
				     constant(r, (intptr_t)from)));
}

static void test_strings_read(void **unused)
{
	static const char text[] = "the quick brown fox";
	struct rig r;

	rig_open(&r);
	interp_outside(r.i, INTERP_USER, text, sizeof(text));
	assert_int_equal(read_string(&r, "rt_str_user", 64, text), 19);
	assert_string(&r, 0, text, false);
	assert_int_equal(read_string(&r, "rt_str_user", 20, text), 19);
	assert_string(&r, 0, text, false);
	assert_int_equal(read_string(&r, "rt_str_user", 19, text), 18);
	assert_string(&r, 0, "the quick brown fo", true);
	assert_int_equal(read_string(&r, "rt_str_user", 17, text), 16);
	assert_string(&r, 0, "the quick brown ", true);
	assert_int_equal(read_string(&r, "rt_str_user", 1, text), 0);
	assert_string(&r, 0, "", false);
	assert_int_equal(read_string(&r, "rt_str_user", 64, text + 19), 0);
	assert_string(&r, 0, "", false);
	/* not the kernel's, and nobody's */
	assert_int_equal(read_string(&r, "rt_str_kernel", 64, text), 0);
	assert_string(&r, 0, "", false);
	assert_int_equal(read_string(&r, "rt_str_any", 64, NULL), 0);
	assert_string(&r, 0, "", false);
	assert_int_equal(read_string(&r, "rt_str_any", 64, text), 19);
	assert_string(&r, 0, text, false);
	assert_int_equal(read_string(&r, "rt_str_any", 10, text), 9);
	assert_string(&r, 0, "the quick", true);
	interp_outside(r.i, INTERP_KERNEL, text, sizeof(text));
	assert_int_equal(read_string(&r, "rt_str_kernel", 20, text), 19);
	assert_string(&r, 0, text, false);
	rig_close(&r);
}

static uint64_t read_buffer(struct rig *r, const char *function, size_t room, const void *from,
			    uint64_t len)
{
	rig_begin(r);
	return rig_run(r, ir_runtime(r->f, function, IR_SCALAR, 4, scratch(r, 0), constant(r, room),
				     constant(r, (intptr_t)from), constant(r, len)));
}

static void test_buffers_read(void **unused)
{
	static const char bytes[32] = "01234567\0abcdefghij";
	const struct rt_string *s;
	struct rig r;

	rig_open(&r);
	interp_outside(r.i, INTERP_USER, bytes, sizeof(bytes));
	for (size_t room = 1; room <= 32; room++)
		for (size_t len = 0; len <= 33; len++) {
			size_t n = len < room ? len : room;

			assert_int_equal(read_buffer(&r, "rt_buf_user", room, bytes, len), n);
			s = at(&r, 0);
			assert_int_equal(s->len, n);
			assert_int_equal(s->cut, len > room);
			assert_memory_equal(s->bytes, bytes, n);
			for (size_t k = n; k % 8; k++)
				assert_int_equal(s->bytes[k], 0);
		}
	assert_int_equal(read_buffer(&r, "rt_buf_kernel", 8, bytes, 8), 0);
	assert_int_equal(read_buffer(&r, "rt_buf_user", 8, bytes, UINT64_MAX), 8);
	s = at(&r, 0);
	assert_int_equal(s->cut, 1);
	rig_close(&r);
}

static void test_reads(void **unused)
{
	static const uint64_t word = 0x1122334455667788;
	static const char *const functions[] = { "rt_read_kernel", "rt_read_user", "rt_read_any" };
	struct rig r;

	rig_open(&r);
	interp_outside(r.i, INTERP_USER, &word, sizeof(word));
	for (int n = 0; n < 3; n++) {
		uint64_t failed = read_string(&r, functions[n], 8, &word);

		assert_int_equal(failed, n ? 0 : (uint64_t)-EFAULT);
		assert_true(*(uint64_t *)at(&r, 0) == (n ? word : 0));
	}
	rig_close(&r);
}

/* --- texts --- */

static void test_comm(void **unused)
{
	struct rig r;

	rig_open(&r);
	for (size_t len = 0; len < 16; len++) {
		char comm[17] = "abcdefghijklmno", text[17];

		memcpy(text, comm, 17);
		text[len] = '\0';
		comm[len] = '\0'; /* and what is behind stays */
		rig_begin(&r);
		put(&r, 100, comm, 16);
		ir_runtime(r.f, "rt_str_comm", IR_SCALAR, 2, scratch(&r, 0), scratch(&r, 100));
		rig_run(&r, 0);
		assert_string(&r, 0, text, false);
	}
	rig_close(&r);
}

static void test_copy(void **unused)
{
	static const char text[] = "abcdefghijklmnopqrstuvwxyz";
	struct rig r;

	rig_open(&r);
	for (size_t len = 0; len <= 26; len++)
		for (size_t room = 1; room <= 32; room++) {
			char expected[32] = "";
			size_t n = len < room ? len : room - 1;

			memcpy(expected, text, n);
			rig_begin(&r);
			put_string(&r, 100, text, len, 40);
			ir_runtime(r.f, "rt_str_copy", IR_SCALAR, 3, scratch(&r, 0),
				   constant(&r, room), scratch(&r, 100));
			rig_run(&r, 0);
			assert_string(&r, 0, expected, n < len);
		}
	rig_close(&r);
}

static uint64_t equal(struct rig *r, const char *a, size_t a_len, const char *b, size_t b_len,
		      size_t room, int n)
{
	ir_value x, y;

	rig_begin(r);
	put_string(r, 0, a, a_len, room);
	put_string(r, 6000, b, b_len, room);
	x = scratch(r, 0);
	y = scratch(r, 6000);
	if (n < 0)
		return rig_run(
			r, ir_runtime(r->f, "rt_str_equal", IR_SCALAR, 3, x, y, constant(r, room)));
	return rig_run(r, ir_runtime(r->f, "rt_str_equal_n", IR_SCALAR, 4, x, y, constant(r, room),
				     constant(r, n)));
}

static void test_equal(void **unused)
{
	static const size_t rooms[] = { 2, 8, 9, 16, 63, 64, 65, 66, 72, 73, 137, 200, 1024, 4096 };
	struct rig r;

	rig_open(&r);
	for (size_t n = 0; n < sizeof(rooms) / sizeof(rooms[0]); n++) {
		size_t room = rooms[n], step = room > 200 ? room / 40 : 1;
		char a[4096], b[4096];

		memset(a, 'a', sizeof(a));
		memset(b, 'a', sizeof(b));
		for (size_t len = 0; len < room; len += step) {
			assert_int_equal(equal(&r, a, len, b, len, room, -1), 1);
			if (len + 1 < room)
				assert_int_equal(equal(&r, a, len, b, len + 1, room, -1), 0);
			for (size_t at_ = 0; at_ < len; at_ += step) {
				b[at_] = 'b';
				assert_int_equal(equal(&r, a, len, b, len, room, -1), 0);
				b[at_] = 'a';
			}
			if (!len)
				continue;
			b[len - 1] = 'b';
			assert_int_equal(equal(&r, a, len, b, len, room, -1), 0);
			b[len - 1] = 'a';
		}
	}
	rig_close(&r);
}

static void test_equal_n(void **unused)
{
	static const char *const texts[] = { "",	 "a",	      "ab",	    "abcdefgh",
					     "abcdefgx", "abcdefghi", "abcdefghij", "b" };
	struct rig r;

	rig_open(&r);
	for (size_t a = 0; a < 8; a++)
		for (size_t b = 0; b < 8; b++)
			for (int n = 0; n < 13; n++)
				assert_int_equal(equal(&r, texts[a], strlen(texts[a]), texts[b],
						       strlen(texts[b]), 16, n),
						 !strncmp(texts[a], texts[b], n));
	rig_close(&r);
}

static uint64_t contains(struct rig *r, const char *a, size_t room_a, const char *b, size_t room_b)
{
	rig_begin(r);
	put_string(r, 0, a, strlen(a), room_a);
	put_string(r, 6000, b, strlen(b), room_b);
	return rig_run(r, ir_runtime(r->f, "rt_str_contains", IR_SCALAR, 4, scratch(r, 0),
				     constant(r, room_a), scratch(r, 6000), constant(r, room_b)));
}

/* Texts of few letters, so that much is nearly found. */
static void test_contains(void **unused)
{
	unsigned state = 1, found = 0;
	struct rig r;

	rig_open(&r);
	for (unsigned n = 0; n < 3000; n++) {
		size_t room_a = 1 + n % 70, room_b = 1 + n % 33;
		char a[80] = "", b[40] = "";

		for (size_t k = 0; k + 1 < room_a; k++)
			a[k] = 'a' + ((state = state * 1103515245 + 12345) >> 16) % 2;
		for (size_t k = 0; k + 1 < room_b && (state >> 20) % 8; k++)
			b[k] = 'a' + ((state = state * 1103515245 + 12345) >> 16) % 2;
		assert_int_equal(contains(&r, a, room_a, b, room_b), !!strstr(a, b));
		found += !!strstr(a, b);
	}
	assert_in_range(found, 500, 2500);
	assert_int_equal(contains(&r, "the quick brown fox jumps", 1024, "brown fox", 64), 1);
	assert_int_equal(contains(&r, "the quick brown fox jumps", 1024, "jumps", 64), 1);
	assert_int_equal(contains(&r, "the quick brown fox jumps", 1024, "the quick brown f", 64),
			 1);
	assert_int_equal(contains(&r, "the quick brown fox jumps", 1024, "jumpsx", 64), 0);
	rig_close(&r);
}

/* --- numbers --- */

static uint64_t divide(struct rig *r, const char *function, int64_t a, int64_t b)
{
	rig_begin(r);
	return rig_run(r, ir_runtime(r->f, function, IR_SCALAR, 2, constant(r, a), constant(r, b)));
}

static void test_division(void **unused)
{
	static const int64_t numbers[] = {
		0, 1, -1, 2, -2, 7, -7, 100, -100, INT64_MAX, INT64_MIN
	};
	struct rig r;

	rig_open(&r);
	for (size_t n = 0; n < 11 * 11; n++) {
		int64_t a = numbers[n / 11], b = numbers[n % 11];
		bool overflow = a == INT64_MIN && b == -1;

		assert_true((int64_t)divide(&r, "rt_div", a, b) == (!b ? 0 : overflow ? a : a / b));
		assert_true((int64_t)divide(&r, "rt_mod", a, b) == (!b ? a : overflow ? 0 : a % b));
	}
	rig_close(&r);
}

/* --- maps --- */

/* The value of a map, for a function that changes it. */
static ir_value slot(struct rig *r, unsigned map, int64_t key)
{
	uint32_t found = ir_block(r->f), missing = ir_block(r->f);
	ir_value at_;

	ir_store_imm(r->f, scratch(r, 4000), 0, 8, key);
	at_ = ir_runtime(r->f, "rt_slot", IR_MAP_VALUE, 3, ir_map(r->f, map, false),
			 scratch(r, 4000), ir_rodata(r->f, 0));
	ir_branch_imm(r->f, IR_EQ, at_, 0, missing, found);
	ir_enter(r->f, missing);
	ir_store_imm(r->f, scratch(r, 4008), 0, 8, 1);
	ir_return(r->f, 0);
	ir_enter(r->f, found);
	ir_store_imm(r->f, scratch(r, 4008), 0, 8, 0);
	return at_;
}

static void test_slot(void **unused)
{
	struct rig r;

	rig_open(&r);
	for (int64_t key = 1; key <= 5; key++)
		for (int again = 0; again < 2; again++) {
			rig_begin(&r);
			ir_atomic_add(r.f, slot(&r, KEYED, key), 8, constant(&r, key));
			rig_run(&r, 0);
			/* of three entries the fourth finds no room */
			assert_int_equal(*(uint64_t *)at(&r, 4008), key > 3);
			if (key <= 3)
				assert_int_equal(
					((uint64_t *)interp_map_value(r.i, KEYED, &key))[1],
					key * (again + 1));
			else
				assert_null(interp_map_value(r.i, KEYED, &key));
		}
	assert_int_equal(interp_map_each(r.i, KEYED, NULL, NULL), 3);
	rig_close(&r);
}

static void test_hist(void **unused)
{
	static const int64_t values[] = {
		-5, 0, 1, 7, 8, 9, 15, 16, 17, 1000, INT64_MAX, INT64_MIN
	};
	const struct rt_hist *h;
	struct rig r;
	uint64_t sum = 0;

	rig_open(&r);
	for (size_t n = 0; n < sizeof(values) / sizeof(values[0]); n++) {
		rig_begin(&r);
		ir_runtime(r.f, "rt_hist", IR_SCALAR, 3, slot(&r, HIST, 0), constant(&r, values[n]),
			   constant(&r, 3));
		rig_run(&r, 0);
	}
	h = interp_map_value(r.i, HIST, NULL);
	assert_int_equal(h->negative, 2);
	assert_int_equal(h->slots[0], 1);
	assert_int_equal(h->slots[7], 1);
	assert_int_equal(h->slots[8], 1); /* 8 */
	assert_int_equal(h->slots[9], 1);
	assert_int_equal(h->slots[15], 1);
	assert_int_equal(h->slots[16], 2); /* 16 and 17 */
	for (size_t n = 0; n < RT_HIST_SLOTS(3); n++)
		sum += h->slots[n];
	assert_int_equal(sum, 10);
	rig_close(&r);
}

/* floor(log2()) by the compiler, and by halves. */
static void test_hist_slot(void **unused)
{
	for (uint32_t bits = 0; bits <= 8; bits++) {
		for (unsigned shift = 0; shift < 63; shift++)
			for (uint64_t more = 0; more < 300; more++) {
				uint64_t v = (1ull << shift) + more * ((1ull << shift) / 300 + 1);
				unsigned log2 = 63 - __builtin_clzll(v);
				uint64_t expected = v;

				if (v >> 63)
					continue;
				if (v >= 1ull << bits)
					expected = ((log2 - bits) << bits) + (v >> (log2 - bits));
				assert_int_equal(rt_hist_slot(v, bits), expected);
				assert_in_range(expected, 0, RT_HIST_SLOTS(bits) - 1);
			}
		assert_int_equal(rt_hist_slot(0, bits), 0);
		assert_int_equal(rt_hist_slot(INT64_MAX, bits),
				 RT_HIST_SLOTS(bits) - (1 << bits) - 1);
	}
}

static void test_lhist(void **unused)
{
	static const int64_t values[] = { INT64_MIN, -11, -10, -1, 0, 9, 10, 24, 25, INT64_MAX };
	static const uint64_t expected[] = {
		2, 2, 2, 1, 1, 2
	}; /* 20..24 and 25.. have their own */
	const uint64_t *slots;
	struct rig r;

	rig_open(&r);
	assert_int_equal(RT_LHIST_SLOTS(-10, 25, 10), 6);
	for (size_t n = 0; n < sizeof(values) / sizeof(values[0]); n++) {
		rig_begin(&r);
		ir_runtime(r.f, "rt_lhist", IR_SCALAR, 4, slot(&r, LHIST, 0),
			   constant(&r, values[n]), ir_rodata(r.f, 32), constant(&r, 6));
		rig_run(&r, 0);
	}
	slots = interp_map_value(r.i, LHIST, NULL);
	for (size_t n = 0; n < 6; n++)
		assert_int_equal(slots[n], expected[n]);
	rig_close(&r);
}

static int64_t extreme(struct rig *r, const char *function, int64_t key, int64_t v, bool is_signed)
{
	rig_begin(r);
	ir_runtime(r->f, function, IR_SCALAR, 3, slot(r, KEYED, key), constant(r, v),
		   constant(r, is_signed));
	rig_run(r, 0);
	return ((struct rt_extreme *)interp_map_value(r->i, KEYED, &key))->value;
}

static void test_extremes(void **unused)
{
	struct rig r;

	rig_open(&r);
	assert_int_equal(extreme(&r, "rt_min", 1, 5, true), 5);
	assert_int_equal(extreme(&r, "rt_min", 1, 7, true), 5);
	assert_int_equal(extreme(&r, "rt_min", 1, -1, true), -1);
	assert_int_equal(extreme(&r, "rt_max", 2, -7, true), -7);
	assert_int_equal(extreme(&r, "rt_max", 2, -8, true), -7);
	assert_int_equal(extreme(&r, "rt_max", 2, 0, true), 0);
	assert_int_equal(extreme(&r, "rt_max", 3, 5, false), 5);
	assert_int_equal(extreme(&r, "rt_max", 3, -1, false), -1); /* the largest of all */
	assert_int_equal(extreme(&r, "rt_min", 3, 4, false), 4);
	rig_close(&r);
}

/* --- records --- */

static void test_append(void **unused)
{
	static const char outside[] = "from outside";
	const uint64_t most = 24 + 64, where = 16ull << 32 | most;
	const struct rt_tail *tail;
	struct rig r;

	rig_open(&r);
	interp_outside(r.i, INTERP_USER, outside, sizeof(outside));
	for (size_t len = 0; len < 32; len++) {
		rig_begin(&r);
		put_string(&r, 4000, "abcdefghijklmnopqrstuvwxyzABCDEF", len, 32);
		assert_int_equal(
			rig_run(&r, ir_runtime(r.f, "rt_append", IR_SCALAR, 5, scratch(&r, 0),
					       constant(&r, 24), constant(&r, 16),
					       scratch(&r, 4000), constant(&r, where))),
			24 + (len < 16 ? (len + 7) / 8 * 8 : 16));
		tail = at(&r, 16);
		assert_int_equal(tail->len, len < 16 ? len : 16);
		assert_int_equal(tail->cut, len > 16);
		assert_memory_equal(at(&r, 24), "abcdefghijklmnopqrstuvwxyzABCDEF", tail->len);
	}
	rig_begin(&r);
	assert_int_equal(
		rig_run(&r, ir_runtime(r.f, "rt_append_any", IR_SCALAR, 5, scratch(&r, 0),
				       constant(&r, most), constant(&r, 13),
				       constant(&r, (intptr_t)outside), constant(&r, where))),
		most + 16);
	tail = at(&r, 16);
	assert_int_equal(tail->len, 12);
	assert_int_equal(tail->cut, 0);
	assert_memory_equal(at(&r, most), "from outside\0\0\0\0", 16);
	/* beyond what there is room for, nothing happens */
	rig_begin(&r);
	assert_int_equal(
		rig_run(&r, ir_runtime(r.f, "rt_append_user", IR_SCALAR, 5, scratch(&r, 0),
				       constant(&r, most + 8), constant(&r, 5),
				       constant(&r, (intptr_t)outside), constant(&r, where))),
		most + 8);
	rig_begin(&r);
	assert_int_equal(
		rig_run(&r, ir_runtime(r.f, "rt_append_kernel", IR_SCALAR, 5, scratch(&r, 0),
				       constant(&r, 24), constant(&r, 5),
				       constant(&r, (intptr_t)outside), constant(&r, where))),
		24);
	assert_int_equal(tail->len, 0);
	rig_close(&r);
}

static ir_value lost(struct rig *r)
{
	return ir_global(r->f, offsetof(struct rt_globals, lost) + 8);
}

static void send(struct rig *r, uint64_t size)
{
	rig_begin(r);
	ir_store_imm(r->f, scratch(r, 0), offsetof(struct rt_record, statement), 4, 7);
	ir_runtime(r->f, "rt_send", IR_SCALAR, 4, scratch(r, 0), constant(r, size), constant(r, 64),
		   lost(r));
	rig_run(r, 0);
}

static void test_send(void **unused)
{
	const struct rt_record *record;
	struct rig r;

	rig_open(&r);
	r.i->world.cpu = 3;
	r.i->world.ring_room = 5 * 48;
	r.i->globals->wake_bytes = 3 * 48;
	for (int n = 0; n < 6; n++)
		send(&r, 40);
	assert_int_equal(r.i->nr_records, 5);
	assert_int_equal(r.i->globals->lost[1], 1);
	assert_int_equal(r.i->globals->lost[0], 0);
	assert_int_equal(r.i->wakeups, 1); /* that by which the mark was passed */
	record = r.i->records[4].bytes;
	assert_int_equal(r.i->records[4].size, 40);
	assert_int_equal(record->statement, 7);
	assert_int_equal(record->cpu, 3);
	assert_true(record->ts > ((struct rt_record *)r.i->records[3].bytes)->ts);
	rig_close(&r);
}

static void intern_text(struct rig *r, const char *text, size_t room)
{
	rig_begin(r);
	ir_store_imm(r->f, scratch(r, 0), offsetof(struct rt_bytes, kind), 8, RT_BYTES_TEXT);
	put_string(r, offsetof(struct rt_bytes, len), text, strlen(text), room);
	ir_runtime(r->f, "rt_intern", IR_SCALAR, 3, scratch(r, 0), constant(r, room), lost(r));
	rig_run(r, 0);
}

static void test_intern(void **unused)
{
	static const char *const texts[] = {
		"",	    "a",	 "abcdefg",
		"abcdefgh", "abcdefghi", "a text that is longer than all the others"
	};
	struct loaded l = { 0 };
	struct rt_id id, ids[6];
	struct rig r;

	rig_open(&r);
	l.globals = r.i->globals;
	for (size_t n = 0; n < 6; n++) {
		const struct rt_bytes *sent;

		intern_text(&r, texts[n], 64);
		intern_text(&r, texts[n], 200); /* it was seen: it is not sent again */
		assert_int_equal(r.i->nr_records, n + 1);
		sent = r.i->records[n].bytes;
		loaded_text_id(&l, texts[n], strlen(texts[n]), &id);
		assert_memory_equal(&sent->id, &id, sizeof(id));
		assert_memory_equal(at(&r, offsetof(struct rt_bytes, id)), &id, sizeof(id));
		assert_int_equal(sent->record.statement, RT_BYTES);
		assert_int_equal(sent->len, strlen(texts[n]));
		assert_memory_equal(sent->bytes, texts[n], strlen(texts[n]));
		assert_int_equal(r.i->records[n].size,
				 sizeof(*sent) + (strlen(texts[n]) + 7) / 8 * 8);
		ids[n] = id;
		for (size_t k = 0; k < n; k++)
			assert_memory_not_equal(&ids[k], &id, sizeof(id));
	}
	/* what found no room is sent by the next one */
	r.i->world.ring_room = r.i->ring_filled;
	intern_text(&r, "lost", 64);
	assert_int_equal(r.i->globals->lost[1], 1);
	r.i->world.ring_room += 200;
	intern_text(&r, "lost", 64);
	assert_int_equal(r.i->nr_records, 7);
	assert_int_equal(r.i->globals->lost[1], 1);
	/* and without the seed, no id is known */
	l.globals->seed[1]++;
	loaded_text_id(&l, texts[5], strlen(texts[5]), &id);
	assert_memory_not_equal(&ids[5], &id, sizeof(id));
	rig_close(&r);
}

static void test_stack(void **unused)
{
	const struct rt_bytes *b;
	struct rig r;

	rig_open(&r);
	for (unsigned room = 8; room <= 40; room += 8) {
		rig_begin(&r);
		assert_int_equal(rig_run(&r, ir_runtime(r.f, "rt_stack", IR_SCALAR, 4,
							ir_context(r.f), scratch(&r, 0),
							constant(&r, room), constant(&r, 1))),
				 room < 16 ? room : 16);
		b = at(&r, 0);
		assert_int_equal(b->len, room < 16 ? room : 16);
		assert_int_equal(b->cut, room <= 16);
		assert_memory_equal(b->bytes, r.i->world.stack + 1, b->len);
	}
	rig_begin(&r);
	rig_run(&r, ir_runtime(r.f, "rt_stack", IR_SCALAR, 4, ir_context(r.f), scratch(&r, 0),
			       constant(&r, 80), constant(&r, 9)));
	assert_int_equal(b->len, 0);
	rig_close(&r);
}

/* Where a function begins: the word on top of the stack is the second frame, unless it can't be
 * read, or the code has 32 bits. */
static void test_stack_called(void **unused)
{
#ifdef __x86_64__
	static const uint64_t top = 0xca11e5;
	uint64_t registers[21] = { [17] = 0x33, [19] = (uintptr_t)&top }; /* cs, sp */
	const struct rt_bytes *b;
	struct rig r;

	rig_open(&r);
	r.context = registers;
	r.context_size = sizeof(registers);
	interp_outside(r.i, INTERP_USER, &top, sizeof(top));
	for (int way = 0; way < 3; way++) {
		const unsigned called = !way, all = called ? 32 : 24;

		for (unsigned room = 16; room <= 48; room += 8) {
			const unsigned len = room < all ? room : all;
			const uint64_t *frames;

			rig_begin(&r);
			assert_int_equal(
				rig_run(&r, ir_runtime(r.f, "rt_stack_called", IR_SCALAR, 4,
						       ir_context(r.f), scratch(&r, 0),
						       constant(&r, room), constant(&r, 0))),
				len);
			b = at(&r, 0);
			frames = at(&r, offsetof(struct rt_bytes, bytes));
			assert_int_equal(b->len, len);
			assert_int_equal(b->cut, room <= all);
			assert_int_equal(frames[0], r.i->world.stack[0]);
			assert_int_equal(frames[1], called ? top : r.i->world.stack[1]);
			assert_memory_equal(frames + 2, r.i->world.stack + 2 - called, len - 16);
		}
		registers[17] = way ? 0x33 : 0x23;
		registers[19] = way ? 0x23 : registers[19];
	}
	rig_close(&r);
#endif
}

/* Each bit of a text changes about half of its id. */
static void test_hash(void **unused)
{
	struct rt_hash h;
	struct rt_id a, b;

	rt_hash_begin(&h, 1, 2);
	rt_hash_word(&h, 3);
	rt_hash_end(&h, &a);
	for (int bit = 0; bit < 64; bit++) {
		int changed;

		rt_hash_begin(&h, 1, 2);
		rt_hash_word(&h, 3 ^ 1ull << bit);
		rt_hash_end(&h, &b);
		changed = __builtin_popcountll(a.word[0] ^ b.word[0]) +
			  __builtin_popcountll(a.word[1] ^ b.word[1]);
		assert_in_range(changed, 35, 93); /* about half of 128 */
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_strings_read), cmocka_unit_test(test_buffers_read),
		cmocka_unit_test(test_reads),	     cmocka_unit_test(test_comm),
		cmocka_unit_test(test_copy),	     cmocka_unit_test(test_equal),
		cmocka_unit_test(test_equal_n),	     cmocka_unit_test(test_contains),
		cmocka_unit_test(test_division),     cmocka_unit_test(test_slot),
		cmocka_unit_test(test_hist),	     cmocka_unit_test(test_hist_slot),
		cmocka_unit_test(test_lhist),	     cmocka_unit_test(test_extremes),
		cmocka_unit_test(test_append),	     cmocka_unit_test(test_send),
		cmocka_unit_test(test_intern),	     cmocka_unit_test(test_stack),
		cmocka_unit_test(test_stack_called), cmocka_unit_test(test_hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
