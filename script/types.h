/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * types: what an expression is. Types are made once and compared by address, except that records
 * of the kernel know their fields only after record_complete().
 */
#ifndef BORESCOPE_SCRIPT_TYPES_H
#define BORESCOPE_SCRIPT_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "script/source.h"

struct types;
struct btf_types; /* script/btf.h */

enum type_kind {
	TYPE_VOID,
	/* --- scalars: a value is a number of 64 bits --- */
	TYPE_INT,     /* .size 1, 2, 4, 8; .is_signed */
	TYPE_BOOL,    /* of C: .size 1 */
	TYPE_ENUM,    /* .name, .size, .enumerators */
	TYPE_FLOAT,   /* .size 4, 8: only its bits, which are shown; there is no arithmetic of it */
	TYPE_POINTER, /* .to (TYPE_VOID: not known), .space */
	TYPE_KSYM,    /* a kernel address, shown as its symbol */
	TYPE_TIMESTAMP,	   /* CLOCK_BOOTTIME, ns (as nsecs), shown by strftime()'s format: .name */
	TYPE_STRERROR,	   /* an errno, shown as words */
	TYPE_SYSCALL_NAME, /* the number of a system call */
	TYPE_SIGNAL_NAME,
	TYPE_USERNAME,	  /* a uid */
	TYPE_CGROUP_PATH, /* a cgroup's id */
	TYPE_PROBE,	  /* the number of a probe: its name (the builtin probe) */
	/* --- places: a value is the address of .size bytes that the program can read --- */
	TYPE_STRING,	/* struct rt_string with room for .count bytes (script.shared.h) */
	TYPE_STRING_ID, /* 16 bytes: what stands for a text in keys; can only be shown */
	TYPE_COMM,	/* char[16], with NULs behind it: a string whose room is known */
	TYPE_BUFFER,	/* struct rt_string, too, shown as \x00 */
	TYPE_USYM,	/* struct rt_usym: address and process */
	TYPE_KSTACK,	/* struct rt_stack_id */
	TYPE_USTACK,
	TYPE_INET,   /* struct rt_inet */
	TYPE_MAC,    /* 6 bytes, in 8 */
	TYPE_RECORD, /* struct or union, .name, .fields */
	TYPE_ARRAY,  /* .count of .to */
	TYPE_TUPLE,  /* .fields "0", "1" ... */
	/* --- what only a map has --- */
	TYPE_COUNT,
	TYPE_SUM, /* .is_signed */
	TYPE_MIN,
	TYPE_MAX,
	TYPE_AVG,
	TYPE_STATS,
	/* .count: bits, the logarithm of the slots of each power of two; .depth: that of the rows
	 * that are shown: hist()'s second argument, at most .count */
	TYPE_HIST,
	TYPE_LHIST, /* .lhist */
};

/* Where a pointer points to, so how it is read. */
enum space {
	SPACE_NONE, /* not known: tried as the kernel's, then as the user's */
	SPACE_KERNEL,
	SPACE_USER,
	SPACE_CONTEXT, /* the program's own context: read directly */
	SPACE_PROGRAM, /* what the program itself keeps */
};

struct field {
	const char *name; /* "": of a record without a name, whose fields are found through it */
	const struct type *type;
	uint32_t offset;	  /* bytes */
	uint8_t bit_offset, bits; /* a bit field: within the bytes at .offset; .bits 0: none */
	/* Of a tracepoint: the type at .offset is a u32 that says where the text or array is
	 * (__data_loc: from the record's begin; __rel_loc: from behind this field). .type is what
	 * the script sees. */
	bool data_loc, rel_loc;
};

struct enumerator {
	const char *name;
	int64_t value;
};

struct type {
	enum type_kind kind;
	uint32_t size;	/* bytes in a map, a key or a record */
	uint32_t align; /* 1, 2, 4, 8 */
	bool is_signed;
	enum space space;
	const struct type *to; /* of a pointer, an array */
	const char *name;      /* of a record or enum, without "struct" */
	bool is_union;
	uint32_t count;
	struct field *fields;
	size_t nr_fields;
	const struct enumerator *enumerators;
	size_t nr_enumerators;
	struct {
		int64_t min, max, step;
	} lhist;
	int depth;	 /* of a stack: how many frames are shown; of TYPE_HIST see there */
	char stack_mode; /* 'b' bpftrace, 'p' perf, 'r' raw, 'i' build_id */
	/* Of a record of the kernel: how to find its fields. */
	struct btf_types *btf;
	uint32_t btf_id; /* 0: complete */
};

struct types *types_new(struct arena *arena);

const struct type *type_void(struct types *t);
const struct type *type_int(struct types *t, uint32_t size, bool is_signed);
const struct type *type_bool(struct types *t);
const struct type *type_float(struct types *t, uint32_t size);
const struct type *type_pointer(struct types *t, const struct type *to, enum space space);
const struct type *type_array(struct types *t, const struct type *of, uint32_t count);
const struct type *type_string(struct types *t, uint32_t room);
const struct type *type_buffer(struct types *t, uint32_t room);
/* Fields one behind the other, each aligned as C does it. */
const struct type *type_tuple(struct types *t, const struct type *const *of, size_t nr);
/* The same with fields that have the names of those of @like: (a = 1, b = 2). */
const struct type *type_tuple_like(struct types *t, const struct type *const *of,
				   const struct type *like);
/* Of such a tuple, and not of (1, 2). */
bool type_has_names(const struct type *tuple);
/* Of a kind that has nothing but its kind. */
const struct type *type_of_kind(struct types *t, enum type_kind kind);
/* Any other: @wanted is copied, or one that is equal is found. */
const struct type *type_intern(struct types *t, const struct type *wanted);

bool type_is_scalar(const struct type *type);
bool type_is_integer(const struct type *type);	 /* TYPE_INT, TYPE_BOOL, TYPE_ENUM */
bool type_is_aggregate(const struct type *type); /* TYPE_COUNT ... TYPE_LHIST */
bool type_is_text(const struct type *type);	 /* TYPE_STRING, TYPE_COMM */
/* How many bytes a text or a buffer has room for, a text's NUL among them. */
uint32_t type_room(const struct type *type);

/* Finds a field, also inside of those without a name; *@offset is then from the begin of @record.
 * NULL: there is none. @record must be complete. */
const struct field *type_field(const struct type *record, const char *name, uint32_t *offset);

/* "struct task_struct *", "uint64", for messages; in the arena of @t. */
const char *type_text(struct types *t, const struct type *type);

#endif
