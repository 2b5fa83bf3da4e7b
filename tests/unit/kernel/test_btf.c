/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/btf.h>
#include <cmocka.h>

#include "base/util.h"
#include "kernel/btf.h"

/* Ids in the order in which small_btf() adds them */
enum {
	INT = 1,
	VOID_PTR,
	PROTO3,
	FUNC3,
	EARLY, /* a typedef whose pointer and prototype come later */
	EARLY_PTR,
	EARLY_PROTO,
	STRUCT,
	UNION,
	ENUM,
	ENUM_SIGNED,
	ENUM_64,
	ENUM_64_SIGNED,
	ARRAY,
	FWD,
	VOLATILE,
	CONST,
	RESTRICT,
	VAR,
	DATASEC,
	FLOAT,
	DECL_TAG,
	TYPE_TAG,
	PROTO0,
	FUNC0, /* behind one of each kind: their sizes were right */
	PLAIN, /* a typedef of an int */
	LATE,  /* a typedef whose pointer and prototype came earlier */
	FUNC3_AGAIN,
	NR_TYPES = FUNC3_AGAIN,
};

/* A copy in a block of exactly its size, so that reading beyond is seen. */
static void *copy_of(const void *data, size_t size)
{
	void *p = malloc(size ? size : 1);

	memcpy(p, data, size);
	return p;
}

#define ADD(id, call) assert_int_equal(btf__add_##call, id)

static void *small_btf(uint32_t *size)
{
	struct btf *b = btf__new_empty();
	void *raw;
	int i;

	ADD(INT, int(b, "int", 4, BTF_INT_SIGNED));
	ADD(VOID_PTR, ptr(b, 0));
	ADD(PROTO3, func_proto(b, INT));
	for (i = 0; i < 3; i++)
		assert_int_equal(btf__add_func_param(b, "a", INT), 0);
	ADD(FUNC3, func(b, "three", BTF_FUNC_GLOBAL, PROTO3));
	ADD(EARLY, typedef(b, "btf_trace_early", EARLY_PTR));
	ADD(EARLY_PTR, ptr(b, EARLY_PROTO));
	ADD(EARLY_PROTO, func_proto(b, 0));
	for (i = 0; i < 5; i++)
		assert_int_equal(btf__add_func_param(b, NULL, VOID_PTR), 0);
	ADD(STRUCT, struct(b, "three", 8));
	assert_int_equal(btf__add_field(b, "x", INT, 0, 0), 0);
	assert_int_equal(btf__add_field(b, "y", INT, 32, 0), 0);
	ADD(UNION, union(b, "u", 4));
	assert_int_equal(btf__add_field(b, "x", INT, 0, 0), 0);
	ADD(ENUM, enum(b, NULL, 4));
	assert_int_equal(btf__add_enum_value(b, "E_ZERO", 0), 0);
	assert_int_equal(btf__add_enum_value(b, "E_BIG", 0xfffffff0), 0);
	ADD(ENUM_SIGNED, enum(b, "signed", 4));
	assert_int_equal(btf__add_enum_value(b, "E_MINUS", -7), 0);
	assert_int_equal(btf__add_enum_value(b, "three", 3), 0);
	ADD(ENUM_64, enum64(b, "e64", 8, false));
	assert_int_equal(btf__add_enum64_value(b, "E64_SMALL", 1), 0);
	assert_int_equal(btf__add_enum64_value(b, "E64_BIG", 0x123456789abcdef0), 0);
	ADD(ENUM_64_SIGNED, enum64(b, "s64", 8, true));
	assert_int_equal(btf__add_enum64_value(b, "E64_MINUS", -5), 0);
	ADD(ARRAY, array(b, INT, INT, 7));
	ADD(FWD, fwd(b, "f", BTF_FWD_STRUCT));
	ADD(VOLATILE, volatile(b, INT));
	ADD(CONST, const(b, INT));
	ADD(RESTRICT, restrict(b, VOID_PTR));
	ADD(VAR, var(b, "v", BTF_VAR_STATIC, INT));
	ADD(DATASEC, datasec(b, ".data", 4));
	assert_int_equal(btf__add_datasec_var_info(b, VAR, 0, 4), 0);
	ADD(FLOAT, float(b, "float", 4));
	ADD(DECL_TAG, decl_tag(b, "tag", STRUCT, -1));
	ADD(TYPE_TAG, type_tag(b, "tag", INT));
	ADD(PROTO0, func_proto(b, 0));
	ADD(FUNC0, func(b, "none", BTF_FUNC_STATIC, PROTO0));
	ADD(PLAIN, typedef(b, "plain", INT));
	ADD(LATE, typedef(b, "btf_trace_late", EARLY_PTR));
	ADD(FUNC3_AGAIN, func(b, "none", BTF_FUNC_STATIC, PROTO3));
	assert_int_equal(btf__type_cnt(b), NR_TYPES + 1);

	raw = (void *)btf__raw_data(b, size);
	assert_non_null(raw);
	raw = copy_of(raw, *size);
	btf__free(b);
	return raw;
}

static const struct {
	struct btf_query query;
	int id, nr_args;
	int64_t value;
} wanted[] = {
	{ { .name = "three", .what = BTF_FUNCTION }, FUNC3, 3, 0 },
	{ { .name = "three", .what = BTF_TYPEDEF }, 0, -1, 0 },
	{ { .name = "three", .what = BTF_ENUMERATOR }, ENUM_SIGNED, -1, 3 },
	{ { .name = "none", .what = BTF_FUNCTION }, FUNC0, 0, 0 },
	{ { .name = "non", .what = BTF_FUNCTION }, 0, -1, 0 },
	{ { .name = "nones", .what = BTF_FUNCTION }, 0, -1, 0 },
	{ { .name = "", .what = BTF_FUNCTION }, 0, -1, 0 },
	{ { .name = "btf_trace_early", .what = BTF_TYPEDEF }, EARLY, 5, 0 },
	{ { .name = "btf_trace_late", .what = BTF_TYPEDEF }, LATE, 5, 0 },
	{ { .name = "btf_trace_late", .what = BTF_FUNCTION }, 0, -1, 0 },
	{ { .name = "plain", .what = BTF_TYPEDEF }, PLAIN, -1, 0 },
	{ { .name = "E_ZERO", .what = BTF_ENUMERATOR }, ENUM, -1, 0 },
	{ { .name = "E_BIG", .what = BTF_ENUMERATOR }, ENUM, -1, 0xfffffff0 },
	{ { .name = "E_MINUS", .what = BTF_ENUMERATOR }, ENUM_SIGNED, -1, -7 },
	{ { .name = "signed", .what = BTF_ENUMERATOR }, 0, -1, 0 },
	{ { .name = "E64_SMALL", .what = BTF_ENUMERATOR }, ENUM_64, -1, 1 },
	{ { .name = "E64_BIG", .what = BTF_ENUMERATOR }, ENUM_64, -1, 0x123456789abcdef0 },
	{ { .name = "E64_MINUS", .what = BTF_ENUMERATOR }, ENUM_64_SIGNED, -1, -5 },
	{ { .name = "x", .what = BTF_ENUMERATOR }, 0, -1, 0 },
	{ { .name = "none", .what = BTF_FUNCTION }, FUNC0, 0, 0 }, /* asked twice */
};

static struct btf_query queries[ARRAY_SIZE(wanted)];

static void ask(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(wanted); i++) {
		queries[i] = wanted[i].query;
		/* whatever was there before */
		queries[i].id = 99;
		queries[i].nr_args = 99;
		queries[i].value = 99;
	}
}

static void assert_answers(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(wanted); i++) {
		if (queries[i].id != wanted[i].id || queries[i].nr_args != wanted[i].nr_args ||
		    queries[i].value != wanted[i].value)
			fail_msg("%s: id %d, %d arguments, value %lld", queries[i].name,
				 queries[i].id, queries[i].nr_args, (long long)queries[i].value);
	}
}

static void assert_no_answers(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(wanted); i++) {
		assert_int_equal(queries[i].id, 0);
		assert_int_equal(queries[i].nr_args, -1);
		assert_int_equal(queries[i].value, 0);
	}
}

static void test_answers(void **state)
{
	uint32_t size;
	void *raw = small_btf(&size);

	(void)state;
	ask();
	assert_int_equal(btf_scan_mem(raw, size, queries, ARRAY_SIZE(queries)), 0);
	assert_answers();
	assert_int_equal(btf_scan_mem(raw, size, NULL, 0), 0);
	free(raw);
}

static void test_empty(void **state)
{
	struct btf *b = btf__new_empty();
	uint32_t size;
	void *raw = (void *)btf__raw_data(b, &size);

	(void)state;
	raw = copy_of(raw, size);
	ask();
	assert_int_equal(btf_scan_mem(raw, size, queries, ARRAY_SIZE(queries)), 0);
	assert_no_answers();
	free(raw);
	btf__free(b);
}

/* More types than lie between two entries of the scan's index, found by id at both its sides */
static void test_many(void **state)
{
	static struct btf_query many[2000];
	static char names[2000][16];
	struct btf *b = btf__new_empty();
	uint32_t size;
	void *raw;
	int i, k;

	(void)state;
	btf__add_int(b, "int", 4, BTF_INT_SIGNED);
	for (i = 0; i < 2000; i++) {
		int proto = btf__add_func_proto(b, 1);

		for (k = 0; k < i % 7; k++)
			btf__add_func_param(b, "a", 1);
		snprintf(names[i], sizeof(names[i]), "f%d", i);
		assert_int_equal(btf__add_func(b, names[i], BTF_FUNC_STATIC, proto), 3 + 2 * i);
		many[i] = (struct btf_query){ .name = names[i], .what = BTF_FUNCTION };
	}
	raw = (void *)btf__raw_data(b, &size);
	raw = copy_of(raw, size);
	assert_int_equal(btf_scan_mem(raw, size, many, 2000), 0);
	for (i = 0; i < 2000; i++) {
		assert_int_equal(many[i].id, 3 + 2 * i);
		assert_int_equal(many[i].nr_args, i % 7);
	}
	free(raw);
	btf__free(b);
}

static void test_truncated(void **state)
{
	uint32_t size, len;
	char *raw = small_btf(&size), *part;

	(void)state;
	for (len = 0; len < size; len++) {
		part = copy_of(raw, len);
		ask();
		assert_int_equal(btf_scan_mem(part, len, queries, ARRAY_SIZE(queries)), -EINVAL);
		assert_no_answers();
		free(part);
	}
	/* more than the header speaks of is no harm */
	part = malloc(size + 5);
	memset(part, 0xff, size + 5);
	memcpy(part, raw, size);
	ask();
	assert_int_equal(btf_scan_mem(part, size + 5, queries, ARRAY_SIZE(queries)), 0);
	assert_answers();
	free(part);
	free(raw);
}

/* The same for types that end early, where header and strings are right. */
static void test_truncated_types(void **state)
{
	uint32_t size, len, good = 0;
	char *raw = small_btf(&size), *part;
	struct btf_header h;

	(void)state;
	memcpy(&h, raw, sizeof(h));
	for (len = 0; len < h.type_len; len++) {
		struct btf_header cut = h;

		cut.type_len = len;
		part = copy_of(raw, size);
		memcpy(part, &cut, sizeof(cut));
		ask();
		if (btf_scan_mem(part, size, queries, ARRAY_SIZE(queries)))
			assert_no_answers();
		else
			good++; /* cut between two types */
		free(part);
	}
	assert_int_equal(good, NR_TYPES);
	free(raw);
}

static void test_bad_header(void **state)
{
	struct {
		const char *what;
		size_t offset;
		uint32_t value;
		size_t size;
	} bad[] = {
		{ "other endianness", offsetof(struct btf_header, magic), 0x9feb, 2 },
		{ "ELF", offsetof(struct btf_header, magic), 0x457f, 2 },
		{ "version", offsetof(struct btf_header, version), 2, 1 },
		{ "no header", offsetof(struct btf_header, hdr_len), 0, 4 },
		{ "short header", offsetof(struct btf_header, hdr_len), 20, 4 },
		{ "odd header", offsetof(struct btf_header, hdr_len), 25, 4 },
		{ "long header", offsetof(struct btf_header, hdr_len), UINT32_MAX - 3, 4 },
		{ "types begin", offsetof(struct btf_header, type_off), UINT32_MAX - 23, 4 },
		{ "types begin odd", offsetof(struct btf_header, type_off), 2, 4 },
		{ "types end", offsetof(struct btf_header, type_len), UINT32_MAX, 4 },
		{ "strings begin", offsetof(struct btf_header, str_off), UINT32_MAX - 23, 4 },
		{ "strings end", offsetof(struct btf_header, str_len), UINT32_MAX, 4 },
		{ "no strings", offsetof(struct btf_header, str_len), 0, 4 },
		{ "strings begin without NUL", offsetof(struct btf_header, str_off), 0, 4 },
	};
	uint32_t size;
	char *raw = small_btf(&size), *part;
	struct btf_header h;
	size_t i;

	(void)state;
	memcpy(&h, raw, sizeof(h));
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		part = copy_of(raw, size);
		memcpy(part + bad[i].offset, &bad[i].value, bad[i].size);
		ask();
		if (btf_scan_mem(part, size, queries, ARRAY_SIZE(queries)) != -EINVAL)
			fail_msg("%s: was taken", bad[i].what);
		assert_no_answers();
		free(part);
	}
	part = copy_of(raw, size);
	part[h.hdr_len + h.str_off + h.str_len - 1] = 'x';
	assert_int_equal(btf_scan_mem(part, size, queries, ARRAY_SIZE(queries)), -EINVAL);
	free(part);
	free(raw);
}

struct type {
	uint32_t name_off, info, type;
};

#define INFO(kind, vlen) ((uint32_t)(kind) << 24 | (vlen))

/* Scans types made by hand, for a function "f" and a typedef "t". */
static int scan_types(const struct type *types, size_t nr, struct btf_query q[2])
{
	static const char strings[] = "\0f\0t"; /* "f" is at 1, "t" at 3 */
	struct btf_header h = { .magic = BTF_MAGIC,
				.version = BTF_VERSION,
				.hdr_len = sizeof(h),
				.type_len = nr * sizeof(*types),
				.str_off = nr * sizeof(*types),
				.str_len = sizeof(strings) };
	size_t size = sizeof(h) + h.type_len + h.str_len;
	char *raw = malloc(size);
	int err;

	memcpy(raw, &h, sizeof(h));
	memcpy(raw + sizeof(h), types, h.type_len);
	memcpy(raw + sizeof(h) + h.str_off, strings, sizeof(strings));
	q[0] = (struct btf_query){ .name = "f", .what = BTF_FUNCTION };
	q[1] = (struct btf_query){ .name = "t", .what = BTF_TYPEDEF };
	err = btf_scan_mem(raw, size, q, 2);
	free(raw);
	return err;
}

/* The header of a kernel is longer or shorter than that of the system that this was built on. */
static void test_header_lengths(void **state)
{
	static const char strings[] = "\0f";
	const struct type func = { 1, INFO(BTF_KIND_FUNC, 0), 0 };

	(void)state;
	for (uint32_t len = 20; len <= 40; len += 4) {
		const uint32_t header[10] = { BTF_MAGIC | BTF_VERSION << 16,
					      len,
					      0,
					      sizeof(func),
					      sizeof(func),
					      sizeof(strings) };
		struct btf_query q = { .name = "f", .what = BTF_FUNCTION };
		char raw[sizeof(header) + sizeof(func) + sizeof(strings)]
			__attribute__((aligned(4)));

		memcpy(raw, header, len);
		memcpy(raw + len, &func, sizeof(func));
		memcpy(raw + len + sizeof(func), strings, sizeof(strings));
		assert_int_equal(btf_scan_mem(raw, len + sizeof(func) + sizeof(strings), &q, 1),
				 len < 24 ? -EINVAL : 0);
		assert_int_equal(q.id, len < 24 ? 0 : 1);
	}
}

#define SCAN(q, ...)                                                                               \
	scan_types((struct type[]){ __VA_ARGS__ },                                                 \
		   sizeof((struct type[]){ __VA_ARGS__ }) / sizeof(struct type), q)

static void test_hostile_types(void **state)
{
	static const struct type func = { 1, INFO(BTF_KIND_FUNC, 0), 0 };
	struct btf_query q[2];
	uint32_t kind;

	(void)state;
	/* a type of itself; a circle of typedef and pointer; ids that there are not */
	assert_int_equal(
		SCAN(q, { 1, INFO(BTF_KIND_FUNC, 0), 1 }, { 3, INFO(BTF_KIND_TYPEDEF, 0), 2 }), 0);
	assert_int_equal(q[0].id, 1);
	assert_int_equal(q[0].nr_args, -1);
	assert_int_equal(q[1].id, 2);
	assert_int_equal(q[1].nr_args, -1);
	assert_int_equal(SCAN(q, { 3, INFO(BTF_KIND_TYPEDEF, 0), 2 },
			      { 0, INFO(BTF_KIND_PTR, 0), 1 }, { 1, INFO(BTF_KIND_FUNC, 0), 2 }),
			 0);
	assert_int_equal(q[0].nr_args, -1);
	assert_int_equal(q[1].nr_args, -1);
	assert_int_equal(SCAN(q, { 3, INFO(BTF_KIND_TYPEDEF, 0), 3 },
			      { 1, INFO(BTF_KIND_FUNC, 0), UINT32_MAX },
			      { 0, INFO(BTF_KIND_PTR, 0), 4 }),
			 0);
	assert_int_equal(q[0].id, 2);
	assert_int_equal(q[0].nr_args, -1);
	assert_int_equal(q[1].id, 1);
	assert_int_equal(q[1].nr_args, -1);

	/* members that reach beyond the end */
	assert_int_equal(SCAN(q, { 0, INFO(BTF_KIND_STRUCT, 1), 4 }, func), 0);
	assert_int_equal(q[0].id, 0); /* it was the member */
	assert_int_equal(SCAN(q, func, { 0, INFO(BTF_KIND_STRUCT, 1), 4 }), -EINVAL);
	assert_int_equal(q[0].id, 0);
	assert_int_equal(SCAN(q, func, { 0, INFO(BTF_KIND_STRUCT, 0xffff), 4 }), -EINVAL);
	assert_int_equal(SCAN(q, func, { 0, INFO(BTF_KIND_FUNC_PROTO, 1), 4 }), -EINVAL);
	assert_int_equal(SCAN(q, func, { 0, INFO(BTF_KIND_ENUM, 1), 4 }), -EINVAL);
	assert_int_equal(SCAN(q, func, { 0, INFO(BTF_KIND_ENUM, 0xffffff), 4 }), -EINVAL);
	assert_int_equal(SCAN(q, func, { 0, INFO(19, 1), 4 }), -EINVAL);
	assert_int_equal(SCAN(q, func, { 0, INFO(BTF_KIND_DATASEC, 1), 4 }), -EINVAL);
	assert_int_equal(SCAN(q, func, { 0, INFO(BTF_KIND_INT, 0), 4 }), -EINVAL);
	assert_int_equal(SCAN(q, func, { 0, INFO(BTF_KIND_ARRAY, 0), 0 }), -EINVAL);

	/* names beyond the strings, whose last byte is at 4 */
	assert_int_equal(SCAN(q, { 5, INFO(BTF_KIND_FUNC, 0), 0 }), -EINVAL);
	assert_int_equal(SCAN(q, { 4, INFO(BTF_KIND_FUNC, 0), 0 }), 0);
	assert_int_equal(SCAN(q, { UINT32_MAX, INFO(BTF_KIND_TYPEDEF, 0), 0 }), -EINVAL);
	assert_int_equal(SCAN(q, { 0, INFO(BTF_KIND_ENUM64, 1), 0 }, { 99, 0, 0 }), -EINVAL);

	/* kinds that there are not */
	assert_int_equal(SCAN(q, func, { 0, INFO(0, 0), 0 }), -EINVAL);
	for (kind = 20; kind < 128; kind++)
		assert_int_equal(SCAN(q, func, { 0, INFO(kind, 0), 0 }), -EINVAL);
}

/* Bytes changed at random: any answer, but no read outside (the sanitizer's part). */
static void test_random_damage(void **state)
{
	uint32_t size;
	char *raw = small_btf(&size), *part;
	int i, good = 0;

	(void)state;
	srandom(11);
	for (i = 0; i < 100000; i++) {
		int n = random() % 4 + 1, err;

		part = copy_of(raw, size);
		while (n--)
			part[random() % size] =
				random() % 4 ? random() : "\0\377\200\1"[random() % 4];
		ask();
		err = btf_scan_mem(part, size, queries, ARRAY_SIZE(queries));
		assert_true(err == 0 || err == -EINVAL);
		good += !err;
		free(part);
	}
	assert_true(good > 0 && good < i);
	free(raw);
}

static void test_file(void **state)
{
	uint32_t size;
	char *raw = small_btf(&size), path[64];
	int fd = memfd_create("btf", 0), fds[2];

	(void)state;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	assert_int_equal(btf_scan(path, queries, ARRAY_SIZE(queries)), -EINVAL); /* empty */
	assert_int_equal(write(fd, raw, size), size);
	ask();
	assert_int_equal(btf_scan(path, queries, ARRAY_SIZE(queries)), 0);
	assert_answers();
	assert_int_equal(ftruncate(fd, size - 1), 0);
	ask();
	assert_int_equal(btf_scan(path, queries, ARRAY_SIZE(queries)), -EINVAL);
	assert_no_answers();
	close(fd);

	/* a file that does not tell its size */
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], raw, size), size);
	close(fds[1]);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fds[0]);
	ask();
	assert_int_equal(btf_scan(path, queries, ARRAY_SIZE(queries)), 0);
	assert_answers();
	close(fds[0]);
	free(raw);
}

static void test_no_file(void **state)
{
	(void)state;
	ask();
	assert_int_equal(btf_scan("/no/such/file", queries, ARRAY_SIZE(queries)), -ENOENT);
	assert_no_answers();
	assert_int_equal(btf_scan("/tmp", queries, ARRAY_SIZE(queries)), -EISDIR);
	assert_int_equal(btf_scan("/dev/null", queries, ARRAY_SIZE(queries)), -EINVAL);
	/* it grows and grows: that has an end */
	assert_int_equal(btf_scan("/dev/zero", queries, ARRAY_SIZE(queries)), -EFBIG);
	assert_no_answers();
}

/* A module's BTF on top of small_btf(): its ids and its strings begin where those of the base end,
 * and a name that the base has, too, is the base's. */
enum { M_PROTO = NR_TYPES + 1, M_FUNC, M_NAMED_AS_BASE, M_TYPEDEF, M_LAST };

static void *small_split(const void *base_raw, uint32_t base_size, uint32_t *size)
{
	struct btf *base = btf__new(base_raw, base_size), *b = btf__new_empty_split(base);
	void *raw;

	assert_non_null(b);
	ADD(M_PROTO, func_proto(b, INT));
	ADD(M_FUNC, func(b, "module_read", BTF_FUNC_STATIC, M_PROTO));
	ADD(M_NAMED_AS_BASE, func(b, "signed", BTF_FUNC_STATIC, M_PROTO));
	ADD(M_TYPEDEF, typedef(b, "btf_trace_module", EARLY_PTR));
	ADD(M_LAST, func(b, "module_write", BTF_FUNC_STATIC, PROTO3));
	raw = (void *)btf__raw_data(b, size);
	assert_non_null(raw);
	raw = copy_of(raw, *size);
	btf__free(b);
	btf__free(base);
	return raw;
}

#define MODULE_QUERIES                                                                             \
	{                                                                                          \
		{ .name = "module_write", .what = BTF_FUNCTION },                                  \
			{ .name = "signed", .what = BTF_FUNCTION },                                \
			{ .name = "module_read", .what = BTF_FUNCTION },                           \
			{ .name = "three", .what = BTF_FUNCTION, .id = FUNC3 },                    \
			{ .name = "module_open", .what = BTF_FUNCTION },                           \
			{ .name = "btf_trace_module", .what = BTF_TYPEDEF },                       \
	}

static void test_module(void **state)
{
	static const int ids[] = { M_LAST, M_NAMED_AS_BASE, M_FUNC, FUNC3, 0, M_TYPEDEF };
	struct btf_query q[] = MODULE_QUERIES;
	uint32_t size, base_size;
	char *base = small_btf(&base_size), *raw = small_split(base, base_size, &size);

	(void)state;
	assert_int_equal(btf_scan_split(base, base_size, raw, size, "ext9", q, ARRAY_SIZE(q)), 0);
	for (size_t i = 0; i < ARRAY_SIZE(q); i++) {
		assert_int_equal(q[i].id, ids[i]);
		assert_int_equal(q[i].value, 0);
		/* what had its answer keeps it */
		assert_string_equal(q[i].module, ids[i] && ids[i] != FUNC3 ? "ext9" : "");
	}
	/* another module has it, too: the first one stays */
	assert_int_equal(btf_scan_split(base, base_size, raw, size, "xfs9", q, ARRAY_SIZE(q)), 0);
	assert_string_equal(q[0].module, "ext9");
	free(raw);
	free(base);
}

/* Cut, and damaged at random: what is refused leaves no answer behind. */
static void test_damaged_module(void **state)
{
	uint32_t size, base_size, len;
	char *base = small_btf(&base_size), *raw = small_split(base, base_size, &size), *part;
	int good = 0, i;

	(void)state;
	for (len = 0; len < size; len++) {
		struct btf_query q[] = MODULE_QUERIES;

		part = copy_of(raw, len);
		assert_int_equal(btf_scan_split(base, base_size, part, len, "m", q, ARRAY_SIZE(q)),
				 -EINVAL);
		assert_int_equal(q[0].id, 0);
		free(part);
	}
	srandom(12);
	for (i = 0; i < 20000; i++) {
		struct btf_query q[] = MODULE_QUERIES;
		int err;

		part = copy_of(raw, size);
		part[random() % size] = random() % 4 ? random() : "\0\377\200\1"[random() % 4];
		err = btf_scan_split(base, base_size, part, size, "m", q, ARRAY_SIZE(q));
		assert_true(err == 0 || err == -EINVAL);
		assert_true(!err || (!q[0].id && !q[1].id && !q[2].id && q[3].id == FUNC3));
		good += !err;
		free(part);
	}
	assert_true(good > 0 && good < i);
	free(raw);
	free(base);
}

/* The running kernel's, against libbpf */
static void test_kernel(void **state)
{
	static const struct {
		const char *name;
		enum btf_what what;
		int kind;
	} asked[] = {
		{ "vfs_read", BTF_FUNCTION, BTF_KIND_FUNC },
		{ "do_sys_openat2", BTF_FUNCTION, BTF_KIND_FUNC },
		{ "no_such_function", BTF_FUNCTION, BTF_KIND_FUNC },
		{ "btf_trace_sched_switch", BTF_TYPEDEF, BTF_KIND_TYPEDEF },
		{ "btf_trace_block_rq_issue", BTF_TYPEDEF, BTF_KIND_TYPEDEF },
		{ "pid_t", BTF_TYPEDEF, BTF_KIND_TYPEDEF },
	};
	struct btf_query q[ARRAY_SIZE(asked) + 1] = { 0 };
	struct btf *b;
	size_t i;

	(void)state;
	if (access("/sys/kernel/btf/vmlinux", R_OK))
		skip();
	b = btf__parse_raw("/sys/kernel/btf/vmlinux");
	assert_non_null(b);
	for (i = 0; i < ARRAY_SIZE(asked); i++) {
		q[i].name = asked[i].name;
		q[i].what = asked[i].what;
	}
	q[i].name = "BPF_MAP_TYPE_RINGBUF";
	q[i].what = BTF_ENUMERATOR;
	assert_int_equal(btf_scan(NULL, q, ARRAY_SIZE(q)), 0);
	assert_int_equal(q[i].value, 27);
	for (i = 0; i < ARRAY_SIZE(asked); i++) {
		int id = btf__find_by_name_kind(b, asked[i].name, asked[i].kind), args = -1;
		const struct btf_type *t = btf__type_by_id(b, id > 0 ? id : 0);

		if (id < 0)
			id = 0;
		if (id && asked[i].what == BTF_TYPEDEF)
			t = btf__type_by_id(b, t->type);
		if (id && (asked[i].what == BTF_FUNCTION || btf_is_ptr(t))) {
			t = btf__type_by_id(b, t->type);
			args = btf_is_func_proto(t) ? btf_vlen(t) : -1;
		}
		assert_int_equal(q[i].id, id);
		assert_int_equal(q[i].nr_args, args);
	}
	assert_int_not_equal(q[0].id, 0);
	assert_int_equal(q[0].nr_args, 4);
	btf__free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_truncated_types),
		cmocka_unit_test(test_bad_header),
		cmocka_unit_test(test_header_lengths),
		cmocka_unit_test(test_hostile_types),
		cmocka_unit_test(test_random_damage),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_no_file),
		cmocka_unit_test(test_module),
		cmocka_unit_test(test_damaged_module),
		cmocka_unit_test(test_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
