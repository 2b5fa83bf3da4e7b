/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * formats: what the kernel's tracepoints are and what their records hold, by tracefs:
 * events/CATEGORY/NAME/format.
 */
#ifndef BORESCOPE_SCRIPT_FORMATS_H
#define BORESCOPE_SCRIPT_FORMATS_H

#include "script/btf.h"

/* tracefs where it is mounted, or mounted for us alone, which nobody sees. Returns a descriptor of
 * its directory, or -errno: -EACCES or -EPERM: that takes root; -ENODEV: the kernel has none. */
int tracefs_open(void);

/* Reads the file @path of @dir, at most @max bytes, as a text into @arena. NULL: errno says why. */
char *tracefs_read(struct arena *arena, int dir, const char *path, size_t max);

#define FORMAT_SIZE_MAX (256u << 10) /* of the text of a format */

/* A field as the format has it. */
struct format_field {
	const char *declaration; /* "const char * filename", "__data_loc char[] name" */
	size_t length;		 /* of the declaration, which does not end with a NUL */
	uint32_t offset, size;	 /* bytes */
	bool is_signed;
	bool is_common; /* of those that all events have */
};

/* Calls @fn for each field of the format's text, of which lines that make no sense are left out. */
void format_each_field(const char *text, void (*fn)(void *ctx, const struct format_field *f),
		       void *ctx);

/* The event's id. False: the text has none. */
bool format_id(const char *text, uint64_t *id);

/*
 * What a program's context is, as a record. Integers have the size and sign that the format says;
 * of system calls (@category is "syscalls") those of their types in C, of which the record has 8
 * bytes. char[16] is TYPE_COMM, other arrays of char are arrays of int8; __data_loc char[] is a
 * string with room for @room bytes; other __data_loc arrays have a count of 0. Pointers are the
 * kernel's, of system calls the caller's.
 */
const struct type *format_record(struct types *types, struct arena *arena, struct btf_types *btf,
				 const char *category, const char *name, const char *text,
				 uint32_t room);

#endif
