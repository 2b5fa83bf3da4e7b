/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Values of every type as text and as JSON, their order, and histograms. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "base/syscalls.h"
#include "base/util.h"
#include "script.shared.h"
#include "script/hists.h"
#include "script/shown.h"
#include "script/values.h"

static const char *end(void)
{
	text_char(&made, '\0');
	made.len = 0;
	return made.bytes;
}

static const char *as_text(const struct type *type, const void *data)
{
	struct value v = value_at(type, data);

	value_text(&values, &made, &v, 1);
	return end();
}

static const char *as_json(const struct type *type, const void *data)
{
	struct value v = value_at(type, data);

	value_json(&values, &made, &v, 1);
	return end();
}

static const struct type *integer(unsigned size, bool is_signed)
{
	return type_int(types, size, is_signed);
}

static void test_integers(void **state)
{
	const int64_t minus = -1;
	const uint64_t big = UINT64_MAX;
	const unsigned char yes = 1;

	(void)state;
	assert_string_equal(as_text(integer(8, true), &minus), "-1");
	assert_string_equal(as_text(integer(8, false), &minus), "18446744073709551615");
	assert_string_equal(as_text(integer(4, true), &minus), "-1");
	assert_string_equal(as_text(integer(4, false), &minus), "4294967295");
	assert_string_equal(as_text(integer(1, true), &minus), "-1");
	assert_string_equal(as_text(integer(2, false), &minus), "65535");
	assert_string_equal(as_json(integer(8, false), &big), "18446744073709551615");
	values.compat = true; /* what a double does not hold is a string */
	assert_string_equal(as_json(integer(8, false), &big), "\"18446744073709551615\"");
	assert_string_equal(as_json(integer(8, true), &minus), "-1");
	values.compat = false;
	assert_string_equal(as_text(type_bool(types), &yes), "true");
	assert_string_equal(as_json(type_bool(types), "\0"), "false");
}

/* As many digits as there are; JSON has no word for what is no number. */
static void test_floats(void **state)
{
	const float half = 5.5f, third = 1 / 3.0f;
	const double tenth = 0.1, none = __builtin_nan("");

	(void)state;
	assert_string_equal(as_text(type_float(types, 4), &half), "5.5");
	assert_string_equal(as_text(type_float(types, 4), &third), "0.3333333");
	assert_string_equal(as_text(type_float(types, 8), &tenth), "0.1");
	assert_string_equal(as_json(type_float(types, 4), &half), "5.5");
	assert_string_equal(as_json(type_float(types, 8), &none), "null");
	values.compat = true;
	assert_string_equal(as_json(type_float(types, 4), &half), "null");
	values.compat = false;
	assert_string_equal(type_text(types, type_float(types, 4)), "float");
	assert_string_equal(type_text(types, type_float(types, 8)), "double");
}

static void test_numbers_with_names(void **state)
{
	static const struct enumerator names[] = { { "ONE", 1 }, { "TWO", 2 } };
	const struct type *e = type_intern(types, &(struct type){ .kind = TYPE_ENUM,
								  .size = 4,
								  .align = 4,
								  .name = "numbers",
								  .enumerators = names,
								  .nr_enumerators = 2 });
	const struct type *pointer = type_pointer(types, type_void(types), SPACE_KERNEL);
	const int64_t two = 2, seven = 7, address = 0xabc0,
		      openat = syscall_number("openat", false);
	const char *probes[] = { "begin", "kprobe:f" };

	(void)state;
	compiled.probe_names = probes;
	compiled.nr_probe_names = 2;
	assert_string_equal(as_text(e, &two), "TWO");
	assert_string_equal(as_text(e, &seven), "7");
	assert_string_equal(as_json(e, &two), "2");
	assert_string_equal(as_text(pointer, &address), "0xabc0");
	assert_string_equal(as_json(pointer, &address), "43968");
	assert_string_equal(as_text(type_of_kind(types, TYPE_STRERROR), &two),
			    "No such file or directory");
	assert_string_equal(as_text(type_of_kind(types, TYPE_SIGNAL_NAME), &two), "Interrupt");
	assert_string_equal(as_text(type_of_kind(types, TYPE_SYSCALL_NAME), &openat), "openat");
	assert_string_equal(as_text(type_of_kind(types, TYPE_SYSCALL_NAME), &(int64_t){ -1 }),
			    "-1");
	assert_string_equal(as_text(type_of_kind(types, TYPE_KSYM), &address), "0xabc0");
	assert_string_equal(as_text(type_of_kind(types, TYPE_PROBE), &(int64_t){ 1 }), "kprobe:f");
	assert_string_equal(as_text(type_of_kind(types, TYPE_PROBE), &two), "?");
	assert_string_equal(as_text(type_of_kind(types, TYPE_USERNAME), &(int64_t){ 0 }), "root");
}

/* As a map holds it. */
static const void *string(const char *bytes, unsigned len, unsigned cut)
{
	static union {
		struct rt_string s;
		char room[256];
	} u;

	memset(&u, 0, sizeof(u));
	u.s.len = len;
	u.s.cut = cut;
	memcpy(u.s.bytes, bytes, len);
	return &u;
}

static void test_strings(void **state)
{
	const struct type *text = type_string(types, 64), *buffer = type_buffer(types, 64);

	(void)state;
	assert_string_equal(as_text(text, string("hello", 5, 0)), "hello");
	assert_string_equal(as_text(text, string("hello", 5, 1)), "hello..");
	assert_string_equal(as_json(text, string("a\"b\\\n", 5, 0)), "\"a\\\"b\\\\\\n\"");
	assert_string_equal(as_text(buffer, string("ok\0\x1f", 4, 0)), "ok\\x00\\x1f");
	assert_string_equal(as_json(buffer, string("ok\xff", 3, 0)), "[111,107,255]");
	assert_string_equal(as_text(type_of_kind(types, TYPE_COMM), "sixteen-byte-com"),
			    "sixteen-byte-com");
	assert_string_equal(as_text(type_of_kind(types, TYPE_COMM), "sh\0\0hidden\0\0\0\0\0\0"),
			    "sh");
}

/* A length that is not true leads nowhere. */
static void test_string_lengths(void **state)
{
	struct {
		struct rt_string s;
		char bytes[8];
	} s = { .s = { .len = 0xffffffff }, .bytes = "12345678" };

	(void)state;
	assert_string_equal(as_text(type_string(types, 8), &s), "12345678");
}

static void test_terminal_is_safe(void **state)
{
	const struct type *text = type_string(types, 64);
	const char *evil = "\x1b]0;x\x07 \xff\xc2\x9b\xe2\x80\xae\\";

	(void)state;
	assert_string_equal(as_text(text, string(evil, strlen(evil), 0)),
			    "\\033]0;x\\a \\377\\302\\233\\342\\200\\256\\\\");
	assert_string_equal(as_json(text, string(evil, strlen(evil), 0)),
			    "\"\\u001b]0;x\\u0007 \xef\xbf\xbd\\u009b\\u202e\\\\\"");
	values.raw = true;
	assert_string_equal(as_text(text, string(evil, strlen(evil), 0)), evil);
	values.raw = false;
	assert_string_equal(
		as_text(type_of_kind(types, TYPE_COMM), "\x1b[2J\0\0\0\0\0\0\0\0\0\0\0"),
		"\\033[2J");
	/* a NUL within, and characters that are no controls */
	assert_string_equal(as_text(text, string("a\0b\xc3\xa9", 5, 0)), "a\\000b\xc3\xa9");
	assert_string_equal(as_json(text, string("a\0b\xf0\x9f\x98\x80", 7, 0)),
			    "\"a\\u0000b\xf0\x9f\x98\x80\"");
}

static void test_addresses(void **state)
{
	const struct rt_inet v4 = { .family = AF_INET, .address = { 127, 0, 0, 1 } };
	const struct rt_inet v6 = { .family = AF_INET6, .address = { [15] = 1 } };
	const struct rt_inet other = { .family = 77 };
	const struct rt_usym usym = { .address = 0x123, .pid = 1 };

	(void)state;
	assert_string_equal(as_text(type_of_kind(types, TYPE_INET), &v4), "127.0.0.1");
	assert_string_equal(as_json(type_of_kind(types, TYPE_INET), &v6), "\"::1\"");
	assert_string_equal(as_text(type_of_kind(types, TYPE_INET), &other), "");
	assert_string_equal(as_text(type_of_kind(types, TYPE_MAC), "\x01\xab\x00\x00\x00\xff\0\0"),
			    "01:AB:00:00:00:FF");
	assert_string_equal(as_text(type_of_kind(types, TYPE_USYM), &usym), "0x123");
}

static void test_parts(void **state)
{
	const struct type *i8 = integer(8, true), *c = type_of_kind(types, TYPE_COMM);
	const struct type *of[] = { i8, c };
	const struct type *tuple = type_tuple(types, of, 2);
	const struct type *array = type_array(types, integer(4, true), 3);
	const struct type *nested = type_tuple(types, (const struct type *[]){ i8, tuple }, 2);
	struct {
		int64_t first, n;
		char comm[16];
	} data = { .first = 3, .n = 1, .comm = "hi there" };
	struct value key = value_at(tuple, &data.n);

	(void)state;
	assert_string_equal(as_text(tuple, &data.n), "(1, hi there)");
	assert_string_equal(as_json(tuple, &data.n), "[1,\"hi there\"]");
	assert_string_equal(as_text(nested, &data), "(3, (1, hi there))");
	assert_string_equal(as_text(array, (int[]){ 1, -2, 3 }), "[1,-2,3]");
	assert_string_equal(as_text(type_array(types, integer(1, true), 4), "abcd"), "abcd");
	value_key_text(&values, &made, &key);
	assert_string_equal(end(), "1, hi there");
	value_key_json(&values, &made, &key);
	assert_string_equal(end(), "\"1,hi there\"");
	values.compat = true;
	value_key_json(&values, &made, &key);
	assert_string_equal(end(), "\"1,hithere\"");
	values.compat = false;
}

static void test_records(void **state)
{
	static struct field fields[4];
	const struct type *u32 = integer(4, false), *s32 = integer(4, true);
	const struct type *record;
	const unsigned char data[] = { 7, 0, 0, 0, 0xf5, 0, 0, 0, 2, 0, 0, 0 };

	(void)state;
	fields[0] = (struct field){ .name = "a", .type = u32 };
	fields[1] = (struct field){ .name = "low", .type = u32, .offset = 4, .bits = 4 };
	fields[2] = (struct field){
		.name = "high", .type = s32, .offset = 4, .bit_offset = 4, .bits = 4
	};
	fields[3] = (struct field){ .name = "", .type = u32, .offset = 8 };
	record = type_intern(types, &(struct type){ .kind = TYPE_RECORD,
						    .size = 12,
						    .align = 4,
						    .name = "r",
						    .fields = fields,
						    .nr_fields = 4 });
	assert_string_equal(as_text(record, data), "{ .a = 7, .low = 5, .high = -1, . = 2 }");
	assert_string_equal(as_json(record, data), "{\"a\": 7, \"low\": 5, \"high\": -1, \"\": 2}");
}

static void test_ids(void **state)
{
	const struct rt_id none = { { 0, 0 } }, text = { { 1, 2 } }, unknown = { { 3, 4 } };
	const struct type *kstack = type_of_kind(types, TYPE_KSTACK);
	struct {
		struct rt_bytes b;
		uint64_t frames[2];
	} stack = { .b = { .id = { { 5, 6 } }, .kind = RT_BYTES_KSTACK, .len = 16 },
		    .frames = { 0x10, 0x20 } };
	struct type raw = *kstack;
	struct texts_stats stats;

	(void)state;
	texts_add_text(values.texts, &text, "say \x1b", 5);
	texts_add(values.texts, &stack.b, sizeof(stack));
	texts_add(values.texts, &stack.b, sizeof(stack)); /* sent again */
	assert_string_equal(as_text(type_of_kind(types, TYPE_STRING_ID), &text), "say \\033");
	assert_string_equal(as_text(type_of_kind(types, TYPE_STRING_ID), &none), "");
	assert_string_equal(as_text(type_of_kind(types, TYPE_STRING_ID), &unknown), "[lost text]");
	assert_string_equal(as_text(kstack, &stack.b.id), "\n        0x10\n        0x20\n");
	assert_string_equal(as_json(kstack, &stack.b.id), "\"\\n        0x10\\n        0x20\\n\"");
	raw.stack_mode = 'r';
	raw.depth = 1;
	assert_string_equal(as_text(&raw, &stack.b.id), "\n10\n");
	raw.stack_mode = 'p';
	assert_string_equal(as_text(&raw, &stack.b.id), "\n\t10 0x10 ([unknown])\n");
	assert_string_equal(as_text(kstack, &none), "\n");
	assert_string_equal(as_text(kstack, &unknown), "\n        [lost stack]\n");
	texts_stats(values.texts, &stats);
	assert_int_equal(stats.held, 2);
	assert_int_equal(stats.missing, 2);
	assert_int_equal(stats.left_out, 0);
}

/* What comes is bounded, and no record is read beyond its end. */
static void test_dictionary_bounds(void **state)
{
	struct texts *small = texts_new(NULL, 64);
	struct {
		struct rt_bytes b;
		char bytes[40];
	} text = { .b = { .kind = RT_BYTES_TEXT, .len = 40 } };
	struct texts_stats stats;

	(void)state;
	for (unsigned i = 1; i <= 3; i++) {
		text.b.id.word[0] = i;
		texts_add(small, &text.b, sizeof(text));
	}
	text.b.id.word[0] = 9;
	texts_add(small, &text.b, sizeof(text.b) + 39);
	texts_stats(small, &stats);
	assert_int_equal(stats.held, 1);
	assert_int_equal(stats.left_out, 3);
	assert_null(texts_find(small, &text.b.id));
	assert_non_null(texts_find(small, &(struct rt_id){ { 1 } }));
	texts_free(small);
}

static const struct type *hist_type(unsigned bits, int shown)
{
	return type_intern(types, &(struct type){ .kind = TYPE_HIST,
						  .size = RT_HIST_SIZE(bits),
						  .align = 8,
						  .count = bits,
						  .depth = shown });
}

static void count(void *value, unsigned bits, int64_t v)
{
	struct rt_hist *h = value;

	if (v < 0)
		h->negative++;
	else
		h->slots[rt_hist_slot(v, bits)]++;
}

static void test_hist(void **state)
{
	const struct type *type = hist_type(4, 0);
	struct rt_hist *h = calloc(1, RT_HIST_SIZE(4));

	(void)state;
	assert_string_equal(as_text(type, h), "");
	assert_string_equal(as_json(type, h), "[]");
	count(h, 4, -1);
	count(h, 4, 2);
	count(h, 4, 3);
	count(h, 4, 7);
	count(h, 4, 20);
	assert_string_equal(
		as_text(type, h),
		"(..., 0)               1 |@@@@@@@@@@@@@@@@@@@@@@@@@@                          |\n"
		"[0]                    0 |                                                    |\n"
		"[1]                    0 |                                                    |\n"
		"[2, 4)                 2 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@|\n"
		"[4, 8)                 1 |@@@@@@@@@@@@@@@@@@@@@@@@@@                          |\n"
		"[8, 16)                0 |                                                    |\n"
		"[16, 32)               1 |@@@@@@@@@@@@@@@@@@@@@@@@@@                          "
		"|\n");
	assert_string_equal(as_json(type, h),
			    "[{\"max\": -1, \"count\": 1},{\"min\": 0, \"max\": 0, \"count\": 0},"
			    "{\"min\": 1, \"max\": 1, \"count\": 0},{\"min\": 2, \"max\": 3, "
			    "\"count\": 2},{\"min\": 4, \"max\": 7, \"count\": 1},{\"min\": 8, "
			    "\"max\": 15, \"count\": 0},{\"min\": 16, \"max\": 31, \"count\": 1}]");
	hists_percentiles_text(&made, type, h);
	assert_string_equal(end(), "p50 3 p90 20 p99 20 p99.9 20 max 20");
	count(h, 4, -5);
	count(h, 4, -5);
	count(h, 4, -5);
	hists_percentiles_json(&made, type, h);
	assert_string_equal(end(),
			    "{\"p50\": null, \"p90\": 20, \"p99\": 20, \"p999\": 20, \"max\": 20}");
	free(h);
}

static void test_hist_units(void **state)
{
	const struct type *type = hist_type(4, 0), *fine = hist_type(4, 3);
	struct rt_hist *h = calloc(1, RT_HIST_SIZE(4));

	(void)state;
	count(h, 4, 1500);
	assert_string_equal(as_text(type, h),
			    "[1K, 2K)               1 "
			    "|@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@|\n");
	assert_string_equal(as_text(fine, h),
			    "[1408, 1536)           1 "
			    "|@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@|\n");
	memset(h, 0, RT_HIST_SIZE(4));
	count(h, 4, INT64_MAX);
	assert_string_equal(as_json(type, h),
			    "[{\"min\": 4611686018427387904, \"max\": 9223372036854775807, "
			    "\"count\": 1}]");
	free(h);
}

/* The rows of all slots together have all that was counted. */
static void test_hist_rows_have_all(void **state)
{
	(void)state;
	for (int shown = 0; shown <= 4; shown++) {
		const struct type *type = hist_type(4, shown);
		struct rt_hist *h = calloc(1, RT_HIST_SIZE(4));
		uint64_t sum = 0, expect = 0;
		const char *json;

		for (unsigned i = 0; i < 63; i++) {
			count(h, 4, 1ll << i);
			count(h, 4, (1ll << i) + (1ll << i) / 3);
			expect += 2;
		}
		json = as_json(type, h);
		while ((json = strstr(json, "\"count\": "))) {
			json += 9;
			sum += strtoul(json, NULL, 10);
		}
		assert_int_equal(sum, expect);
		assert_int_equal(hists_total(type, h), expect);
		free(h);
	}
}

static const struct type *lhist_type(int64_t min, int64_t max, int64_t step)
{
	struct type wanted = { .kind = TYPE_LHIST,
			       .size = 8 * RT_LHIST_SLOTS(min, max, step),
			       .align = 8 };

	wanted.lhist.min = min;
	wanted.lhist.max = max;
	wanted.lhist.step = step;
	return type_intern(types, &wanted);
}

static void test_lhist(void **state)
{
	const uint64_t slots[7] = { 1, 0, 2, 0, 1, 0, 1 }, kilo[4] = { 0, 1, 0, 0 };
	const uint64_t one[4] = { 0, 3 };

	(void)state;
	assert_string_equal(
		as_text(lhist_type(0, 10, 2), slots),
		"(..., 0)               1 |@@@@@@@@@@@@@@@@@@@@@@@@@@                          |\n"
		"[0, 2)                 0 |                                                    |\n"
		"[2, 4)                 2 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@|\n"
		"[4, 6)                 0 |                                                    |\n"
		"[6, 8)                 1 |@@@@@@@@@@@@@@@@@@@@@@@@@@                          |\n"
		"[8, 10)                0 |                                                    |\n"
		"[10, ...)              1 |@@@@@@@@@@@@@@@@@@@@@@@@@@                          "
		"|\n");
	assert_string_equal(as_text(lhist_type(1024, 3072, 1024), kilo),
			    "[1K, 2K)               1 "
			    "|@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@|\n");
	assert_string_equal(as_text(lhist_type(5, 7, 1), one),
			    "[5]                    3 "
			    "|@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@|\n");
	assert_string_equal(as_json(lhist_type(0, 10, 2), (uint64_t[7]){ [6] = 2 }),
			    "[{\"min\": 10, \"count\": 2}]");
}

static void test_aggregates(void **state)
{
	struct type sum = *type_of_kind(types, TYPE_SUM), stats, avg, min;
	const struct rt_sum s = { .sum = -9, .count = 2 };
	const struct rt_extreme e = { .value = -3, .is_set = 1 }, unset = { .value = 5 };
	struct value v;

	(void)state;
	sum.is_signed = true;
	stats = avg = min = sum;
	stats.kind = TYPE_STATS;
	avg.kind = TYPE_AVG;
	min.kind = TYPE_MIN;
	assert_string_equal(as_text(type_of_kind(types, TYPE_COUNT), &(uint64_t){ 12 }), "12");
	assert_string_equal(as_text(&sum, &s), "-9");
	assert_string_equal(as_text(&avg, &s), "-4");
	assert_string_equal(as_text(&avg, &(struct rt_sum){ 0 }), "0");
	assert_string_equal(as_text(&stats, &s), "{ .count = 2, .average = -4, .total = -9 }");
	assert_string_equal(as_json(&stats, &s), "{\"count\": 2, \"average\": -4, \"total\": -9}");
	assert_string_equal(as_text(&min, &e), "-3");
	assert_string_equal(as_text(&min, &unset), "0");
	v = value_at(&stats, &s);
	value_text(&values, &made, &v, 2);
	assert_string_equal(end(), "{ .count = 2, .average = -2, .total = -9 }");
}

static void test_order(void **state)
{
	const struct type *i8 = integer(8, true), *u8 = integer(8, false);
	const struct type *tuple = type_tuple(types, (const struct type *[]){ i8, i8 }, 2);
	const int64_t minus = -1, one = 1;
	const int64_t a[2] = { 1, 2 }, b[2] = { 1, 3 };
	const struct rt_id first = { { 0xb } }, second = { { 0xa } }, lost = { { 0xc } };
	const struct type *id = type_of_kind(types, TYPE_STRING_ID);
	const struct type *text = type_string(types, 64);
	char long_text[80];

	(void)state;
	assert_true(value_compare(&values, i8, &minus, &one) < 0);
	assert_true(value_compare(&values, u8, &minus, &one) > 0);
	assert_true(value_compare(&values, tuple, a, b) < 0);
	assert_int_equal(value_compare(&values, tuple, a, a), 0);
	texts_add_text(values.texts, &first, "abc", 3);
	texts_add_text(values.texts, &second, "abd", 3);
	assert_true(value_compare(&values, id, &first, &second) < 0);
	assert_true(value_compare(&values, id, &second, &first) > 0);
	assert_true(value_compare(&values, id, &first, &lost) > 0);
	memcpy(long_text, string("abcd", 4, 0), sizeof(long_text));
	assert_true(value_compare(&values, text, long_text, string("abc", 3, 0)) > 0);
}

/* Of a record of the rings: scalars in 8 bytes, texts behind what is fixed. */
static void test_record(void **state)
{
	struct argument args[] = {
		{ .type = type_string(types, 64), .offset = 16 },
		{ .type = integer(4, true), .offset = 24 },
		{ .type = type_buffer(types, 64), .offset = 32 },
	};
	const struct statement st = { .args = args, .nr_args = 3, .size = 40 };
	struct {
		struct rt_record r;
		struct rt_tail text;
		int64_t n;
		struct rt_tail buffer;
		char bytes[16];
	} record = { .text = { .len = 5, .cut = 1 },
		     .n = -2,
		     .buffer = { .len = 3 },
		     .bytes = "hello\0\0\0xyz" };
	struct value v[3];

	(void)state;
	assert_true(value_record(&st, &record, sizeof(record), v));
	value_text(&values, &made, &v[0], 1);
	value_text(&values, &made, &v[1], 1);
	value_text(&values, &made, &v[2], 1);
	assert_string_equal(end(), "hello..-2xyz");
	/* cut off anywhere, it is not read */
	assert_true(value_record(&st, &record, 40 + 8 + 3, v));
	assert_false(value_record(&st, &record, 40 + 8 + 2, v));
	assert_false(value_record(&st, &record, 40 + 4, v));
	assert_false(value_record(&st, &record, 39, v));
	record.text.len = 0xfffffffe;
	assert_false(value_record(&st, &record, sizeof(record), v));
	args[1].offset = 40;
	assert_false(value_record(&st, &record, sizeof(record), v));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_floats),
		cmocka_unit_test(test_integers),
		cmocka_unit_test(test_numbers_with_names),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_string_lengths),
		cmocka_unit_test(test_terminal_is_safe),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_records),
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_dictionary_bounds),
		cmocka_unit_test(test_hist),
		cmocka_unit_test(test_hist_units),
		cmocka_unit_test(test_hist_rows_have_all),
		cmocka_unit_test(test_lhist),
		cmocka_unit_test(test_aggregates),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_record),
	};

	return cmocka_run_group_tests(tests, shown_setup, shown_teardown);
}
