/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <linux/btf.h>

#include "base/util.h"
#include "kernel/btf.h"
#include "kernel/btf_file.h"

#define BTF_DIR "/sys/kernel/btf"

/* Every so many types, where one begins is noted, so that finding a type by its id is a short walk.
 */
#define STRIDE 256

struct btf_view {
	const char *types, *types_end;
	const char *strings;
	uint32_t strings_len;
	uint32_t nr_types; /* ids are 1 to nr_types; of a module, those of base come first */
	uint32_t *index;   /* offset of the types STRIDE * n + 1; not of a module */

	const struct btf_view *base; /* of a module: vmlinux, whose strings come first, too */
	const char *module;	     /* its name */
	struct btf_query *queries;
	size_t nr_queries;
	bool wanted[BTF_ENUMERATOR + 1][256]; /* by name_hash(): few names need a closer look */
};

/* Bits that this version of the format leaves unused count as a part of kind and vlen: a format
 * that comes to use them is refused, or read rightly, but not misread. */
static uint32_t kind_of(const struct btf_type *t)
{
	return t->info >> 24 & 0x7f;
}

static uint32_t vlen_of(const struct btf_type *t)
{
	return t->info & 0xffffff;
}

static size_t size_of(const struct btf_type *t)
{
	return btf_file_type_size(kind_of(t), vlen_of(t));
}

static int check_header(struct btf_view *v, const void *data, size_t size)
{
	struct btf_parts parts;
	int err = btf_file_parts(&parts, data, size, v->base);

	if (err)
		return err;
	v->types = parts.types;
	v->types_end = parts.types + parts.types_len;
	v->strings = parts.strings;
	v->strings_len = parts.strings_len;
	return 0;
}

/* NULL: there is none. */
static const char *string_at(const struct btf_view *v, uint32_t offset)
{
	if (v->base) {
		if (offset < v->base->strings_len)
			return v->base->strings + offset;
		offset -= v->base->strings_len;
	}
	return offset < v->strings_len ? v->strings + offset : NULL;
}

/* Type @id of types that read_types() has found well-formed; NULL: there is none. */
static const struct btf_type *type_by_id(const struct btf_view *v, uint32_t id)
{
	const char *p;
	uint32_t n;

	if (!id || id > v->nr_types)
		return NULL;
	p = v->types + v->index[(id - 1) / STRIDE];
	for (n = (id - 1) % STRIDE; n; n--)
		p += size_of((const struct btf_type *)p);
	return (const struct btf_type *)p;
}

static uint8_t name_hash(const char *name)
{
	return name[0] ? name[0] * 31 + name[1] : 0;
}

/* Looks at one name. @info is what answers need: the type referred to, or the enumerator's value.
 */
static int read_name(const struct btf_view *v, enum btf_what what, uint32_t name_off, int64_t info)
{
	const char *name = string_at(v, name_off);
	size_t i;

	if (!name)
		return -EINVAL;
	if (!v->wanted[what][name_hash(name)])
		return 0;
	for (i = 0; i < v->nr_queries; i++) {
		struct btf_query *q = &v->queries[i];

		if (q->what == what && !q->id && !strcmp(q->name, name)) {
			q->id = v->nr_types;
			q->value = info;
			if (v->module)
				snprintf(q->module, sizeof(q->module), "%s", v->module);
		}
	}
	return 0;
}

static int read_enum(const struct btf_view *v, const struct btf_type *t)
{
	const uint32_t *m = (const uint32_t *)(t + 1);
	bool is_64 = kind_of(t) == BTF_FILE_ENUM64, is_signed = t->info >> 31;
	uint32_t i;

	for (i = 0; i < vlen_of(t); i++, m += is_64 ? 3 : 2) {
		int64_t value = is_64	    ? (int64_t)((uint64_t)m[2] << 32 | m[1])
				: is_signed ? (int32_t)m[1]
					    : (int64_t)m[1];

		if (read_name(v, BTF_ENUMERATOR, m[0], value))
			return -EINVAL;
	}
	return 0;
}

static int read_types(struct btf_view *v)
{
	const char *p = v->types;

	while (p < v->types_end) {
		const struct btf_type *t = (const struct btf_type *)p;
		size_t left = v->types_end - p;
		uint32_t kind;
		int err = 0;

		if (left < sizeof(*t))
			return -EINVAL;
		kind = kind_of(t);
		if (!kind || kind >= BTF_FILE_KINDS || left < size_of(t))
			return -EINVAL;
		if (v->index && v->nr_types % STRIDE == 0)
			v->index[v->nr_types / STRIDE] = p - v->types;
		v->nr_types++;
		p += size_of(t);

		if (kind == BTF_KIND_FUNC)
			err = read_name(v, BTF_FUNCTION, t->name_off, t->type);
		else if (kind == BTF_KIND_TYPEDEF)
			err = read_name(v, BTF_TYPEDEF, t->name_off, t->type);
		else if (kind == BTF_KIND_STRUCT)
			err = read_name(v, BTF_STRUCT, t->name_off, 0);
		else if (kind == BTF_KIND_VAR)
			err = read_name(v, BTF_VARIABLE, t->name_off, 0);
		else if (kind == BTF_KIND_ENUM || kind == BTF_FILE_ENUM64)
			err = read_enum(v, t);
		if (err)
			return err;
	}
	return 0;
}

/* What a function or typedef refers to may stand anywhere, so this is done when all are read. */
static int nr_args(const struct btf_view *v, enum btf_what what, uint32_t type)
{
	const struct btf_type *t = type_by_id(v, type);

	if (what == BTF_TYPEDEF) {
		if (!t || kind_of(t) != BTF_KIND_PTR)
			return -1;
		t = type_by_id(v, t->type);
	}
	return t && kind_of(t) == BTF_KIND_FUNC_PROTO ? (int)vlen_of(t) : -1;
}

static void forget(struct btf_query *queries, size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++) {
		queries[i].id = 0;
		queries[i].nr_args = -1;
		queries[i].value = 0;
		queries[i].module[0] = '\0';
	}
}

static void look_for(struct btf_view *v, struct btf_query *queries, size_t nr)
{
	v->queries = queries;
	v->nr_queries = nr;
	for (size_t i = 0; i < nr; i++)
		v->wanted[queries[i].what][name_hash(queries[i].name)] = true;
}

int btf_scan_mem(const void *data, size_t size, struct btf_query *queries, size_t nr)
{
	struct btf_view v = { 0 };
	size_t i;
	int err;

	forget(queries, nr);
	look_for(&v, queries, nr);
	err = check_header(&v, data, size);
	if (err)
		return err;
	v.index = malloc(((v.types_end - v.types) / sizeof(struct btf_type) / STRIDE + 1) *
			 sizeof(*v.index));
	if (!v.index)
		return -ENOMEM;
	err = read_types(&v);
	if (err)
		forget(queries, nr);
	for (i = 0; i < nr; i++) {
		struct btf_query *q = &queries[i];

		if (q->id && (q->what == BTF_FUNCTION || q->what == BTF_TYPEDEF)) {
			q->nr_args = nr_args(&v, q->what, q->value);
			q->value = 0;
		}
	}
	free(v.index);
	return err;
}

/* The strings of vmlinux, and how many types it has. */
static int read_base(struct btf_view *v, const void *data, size_t size)
{
	int err = check_header(v, data, size);

	return err ? err : read_types(v);
}

static int scan_split(const struct btf_view *base, const void *data, size_t size,
		      const char *module, struct btf_query *queries, size_t nr)
{
	struct btf_view v = { .base = base, .module = module, .nr_types = base->nr_types };
	int err = check_header(&v, data, size);

	look_for(&v, queries, nr);
	if (!err)
		err = read_types(&v);
	for (size_t i = 0; i < nr; i++) {
		if (strcmp(queries[i].module, module))
			continue;
		queries[i].value = 0;
		if (err)
			forget(&queries[i], 1);
	}
	return err;
}

int btf_scan_split(const void *base, size_t base_size, const void *data, size_t size,
		   const char *module, struct btf_query *queries, size_t nr)
{
	struct btf_view v = { 0 };
	int err = read_base(&v, base, base_size);

	return err ? err : scan_split(&v, data, size, module, queries, nr);
}

int btf_scan(const char *path, struct btf_query *queries, size_t nr)
{
	struct btf_file f;
	int err = btf_file_open(&f, AT_FDCWD, path ? path : BTF_KERNEL);

	forget(queries, nr);
	if (err)
		return err;
	err = btf_scan_mem(f.data, f.len, queries, nr);
	btf_file_close(&f);
	return err;
}

static bool all_found(const struct btf_query *queries, size_t nr)
{
	while (nr--)
		if (!queries[nr].id)
			return false;
	return true;
}

/* A module may go while we look, and what we can't read is none of its business. */
static void scan_module(int dir, const char *module, const struct btf_view *base,
			struct btf_query *queries, size_t nr)
{
	struct btf_file f;

	if (btf_file_open(&f, dir, module))
		return;
	scan_split(base, f.data, f.len, module, queries, nr);
	btf_file_close(&f);
}

int btf_scan_modules(struct btf_query *queries, size_t nr)
{
	struct btf_view base = { 0 };
	struct dirent *entry;
	struct btf_file f;
	DIR *dir;
	int err;

	if (all_found(queries, nr))
		return 0;
	dir = opendir(BTF_DIR);
	if (!dir)
		return -errno;
	err = btf_file_open(&f, dirfd(dir), "vmlinux");
	if (err) {
		closedir(dir);
		return err;
	}
	err = read_base(&base, f.data, f.len);
	while (!err && !all_found(queries, nr) && (entry = readdir(dir)))
		if (entry->d_name[0] != '.' && strcmp(entry->d_name, "vmlinux"))
			scan_module(dirfd(dir), entry->d_name, &base, queries, nr);
	btf_file_close(&f);
	closedir(dir);
	return err;
}

int btf_open_module(const char *module)
{
	__u32 id = 0;

	while (!bpf_btf_get_next_id(id, &id)) {
		char name[BTF_MODULE_LEN] = "";
		struct bpf_btf_info info = { .name = (unsigned long)name,
					     .name_len = sizeof(name) };
		__u32 len = sizeof(info);
		int fd = bpf_btf_get_fd_by_id(id);

		if (fd < 0 && errno == ENOENT) /* it has just gone */
			continue;
		if (fd < 0)
			return -errno;
		if (!bpf_obj_get_info_by_fd(fd, &info, &len) && info.kernel_btf &&
		    !strcmp(name, module))
			return fd;
		close(fd);
	}
	return -errno;
}
