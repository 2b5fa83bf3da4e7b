/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* libFuzzer: what bscope reads of kernels and programs: formats of tracepoints, BTF, the notes and
 * functions of ELF files, ldconfig's cache. The first byte says which. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "script/btf_internal.h"
#include "script/elffuncs.h"
#include "script/formats.h"
#include "script/ldcache.h"
#include "script/usdt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NAMES_MAX 64 /* of one input: as many different questions as are worth their time */

static struct arena *arena;
static struct types *types;
static struct btf_types *btf;
static FILE *nowhere;

/* Every type that is made can be said, and lies where it says. */
static void check_record(const struct type *record)
{
	uint32_t offset;

	for (size_t i = 0; i < record->nr_fields && i < NAMES_MAX; i++) {
		const struct field *f = &record->fields[i];

		if (!*type_text(types, f->type))
			abort();
		if (f->bits > 64 || f->bit_offset + f->bits > 64)
			abort();
		if (f->name[0] && !type_field(record, f->name, &offset))
			abort();
	}
}

static void try_format(const char *text)
{
	uint64_t id;

	format_id(text, &id);
	check_record(format_record(types, arena, btf, "syscalls", "event", text, 64));
	check_record(format_record(types, arena, btf, "other", "event", text, 64));
}

/* --- BTF --- */

struct names {
	size_t nr;
	const char *name[NAMES_MAX];
};

static void keep_name(void *ctx, const char *what, const char *name)
{
	struct names *n = ctx;

	if (n->nr < NAMES_MAX)
		n->name[n->nr++] = name;
}

static void try_records(struct names *n)
{
	static const char *const keywords[] = { "struct", "union", "enum" };

	btf_each_record(btf, keep_name, n);
	for (size_t i = 0; i < n->nr; i++) {
		for (size_t k = 0; k < 3; k++) {
			const struct type *type = btf_type(btf, keywords[k], n->name[i]);

			btf_print_record(btf, keywords[k], n->name[i], nowhere);
			if (!type || type->kind != TYPE_RECORD)
				continue;
			record_complete(type);
			check_record(type);
		}
	}
}

static void try_btf(const void *data, size_t size)
{
	struct names n = { 0 };
	const struct type *type;
	struct function f;
	int64_t value;

	btf->modules_read = true; /* those of the kernel are not split from it */
	btf->state = btf_raw_memory(&btf->vmlinux.raw, data, size, NULL);
	if (btf->state)
		return;
	try_records(&n);
	n.nr = 0;
	btf_each_function(btf, true, keep_name, &n);
	for (size_t i = 0; i < n.nr; i++) {
		if (btf_function(btf, NULL, n.name[i], &f))
			check_record(f.args);
		btf_print_function(btf, NULL, n.name[i], true, "", nowhere);
		btf_enumerator(btf, n.name[i], &value, &type);
	}
	n.nr = 0;
	btf_each_tracepoint(btf, keep_name, &n);
	for (size_t i = 0; i < n.nr; i++)
		if (btf_tracepoint(btf, n.name[i], &f))
			check_record(f.args);
}

/* --- ELF --- */

static bool see_function(void *ctx, const struct elf_function *f)
{
	if (!f->name[0])
		abort();
	return true;
}

static void check_args(const struct usdt_arg *args, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		const struct usdt_arg *a = &args[i];

		if (a->kind == USDT_UNKNOWN)
			continue;
		if ((a->size & (a->size - 1)) || !a->size || a->size > 8 ||
		    (a->reg != USDT_NO_REGISTER && a->reg > 248) ||
		    (a->index != USDT_NO_REGISTER && a->index > 248))
			abort();
	}
}

static bool see_note(void *ctx, const struct usdt_note *n)
{
	struct usdt_arg args[USDT_ARGS_MAX];

	check_args(args, usdt_parse(ctx, usdt_machine(ctx), n->address, n->args, args));
	return strlen(n->name) < SIZE_MAX;
}

static void try_elf(const uint8_t *data, size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	struct elf_image im;

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	if (!elf_image_open(&im, fd)) {
		elffuncs_each(&im, see_function, NULL);
		usdt_each(&im, see_note, &im);
		elf_image_close(&im);
	}
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct usdt_arg args[USDT_ARGS_MAX];
	unsigned int kind = size ? *data % 6 : 0;
	char *copy;

	if (!size)
		return 0;
	if (!nowhere)
		nowhere = fopen("/dev/null", "w");
	size--;
	copy = malloc(size + 1); /* of its size, and aligned */
	memcpy(copy, data + 1, size);
	copy[size] = '\0';
	arena = arena_new();
	types = types_new(arena);
	btf = btf_types_new(types, arena, "/nonexistent");
	if (kind == 0)
		try_format(copy);
	else if (kind == 1)
		check_args(args, usdt_parse(NULL, EM_X86_64, 4096, copy, args));
	else if (kind == 2)
		check_args(args, usdt_parse(NULL, EM_AARCH64, 4096, copy, args));
	else if (kind == 3)
		try_elf((const uint8_t *)copy, size);
	else if (kind == 4)
		try_btf(copy, size);
	else
		ldcache_library(arena, copy, size, "libx");
	btf_types_free(btf);
	arena_free(arena);
	free(copy);
	return 0;
}
