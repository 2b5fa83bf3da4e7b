/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * btf_file: raw BTF out of a file, and its parts: what kernel/btf.c, which answers a few questions
 * in one pass, and script/btf_raw.c, which keeps an index, have in common.
 */
#ifndef BORESCOPE_KERNEL_BTF_FILE_H
#define BORESCOPE_KERNEL_BTF_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A file in memory of its own from mmap(), so that it is given back for good. */
struct btf_file {
	char *data;
	size_t len; /* bytes of the file; what is mapped may be more */
	size_t size;
};

/* Maps or reads the file @path, below the directory @dir (AT_FDCWD) if it is relative; 256 MiB at
 * the most. Returns 0, or -errno with nothing to close. */
int btf_file_open(struct btf_file *f, int dir, const char *path);
void btf_file_close(const struct btf_file *f);

struct btf_parts {
	const char *types, *strings; /* in the data */
	uint32_t types_len, strings_len;
};

/* Finds the types and the strings, both inside @data (aligned to 4 bytes): any offset into the
 * strings is one that ends inside. @split: of a module, whose strings follow those of vmlinux.
 * Returns 0, or -EINVAL. */
int btf_file_parts(struct btf_parts *parts, const void *data, size_t size, bool split);

/* Kinds that the headers of older systems don't have. */
#define BTF_FILE_FLOAT	  16
#define BTF_FILE_DECL_TAG 17
#define BTF_FILE_TYPE_TAG 18
#define BTF_FILE_ENUM64	  19
#define BTF_FILE_KINDS	  20 /* kinds are below */

/* The bytes of a type: struct btf_type and what follows it. @kind is below BTF_FILE_KINDS. */
size_t btf_file_type_size(uint32_t kind, uint32_t vlen);

#endif
