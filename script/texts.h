/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * texts: the dictionary: what the ids stand for that are in the keys and records of a script. The
 * programs send the bytes of a text or a stack when it is seen first (struct rt_bytes).
 *
 * A process whose stack comes for the first time is remembered then, while it lives; what its
 * addresses are called is found out when the stack is shown. The dictionary is bounded; what it has
 * no room for is counted, as is what was asked for and is not there.
 */
#ifndef BORESCOPE_SCRIPT_TEXTS_H
#define BORESCOPE_SCRIPT_TEXTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "script.shared.h"
#include "script/text.h"

struct symbols;
struct texts;

/* @symbols: where addresses get their names; it has to outlive the dictionary. NULL: they have
 * none. @max_bytes: of all that it holds; 0: 256 MiB, or less where there is little memory. */
struct texts *texts_new(struct symbols *symbols, size_t max_bytes);
void texts_free(struct texts *t);

/* A record of RT_BYTES, of @size bytes. */
void texts_add(struct texts *t, const struct rt_bytes *b, size_t size);
/* One that will come: what the process of a user stack has mapped is remembered, for it may have
 * ended by then. */
void texts_expect(struct texts *t, const struct rt_bytes *b);
/* A text of the script itself. */
void texts_add_text(struct texts *t, const struct rt_id *id, const char *text, size_t len);

struct texts_entry {
	uint32_t kind;	   /* enum rt_bytes_kind */
	uint32_t pid;	   /* of a user stack */
	uint32_t image;	   /* what symbols calls the program that it is of */
	uint32_t len;	   /* bytes */
	bool cut;	   /* there was more */
	const char *bytes; /* aligned to 8 */
};
/* NULL, after counting it: it is not there. What is found is good until more is added. */
const struct texts_entry *texts_find(struct texts *t, const struct rt_id *id);
/* The same without counting. */
const struct texts_entry *texts_look(struct texts *t, const struct rt_id *id);

enum texts_form {
	TEXTS_SAFE, /* for a terminal: names are escaped */
	TEXTS_RAW,  /* as they are */
};
/*
 * A stack as bpftrace prints it: a newline, then a frame a line, which ends with a newline.
 * @mode: 'b' "        name+offset", 'p' "\taddress name+offset (module)", 'r' "address".
 * @depth: frames at the most; 0: all.
 */
void texts_stack(struct texts *t, struct text *to, const struct texts_entry *stack, char mode,
		 int depth, enum texts_form form);
/* An address as "name" or "name+offset"; as 0x... where there is no name. */
void texts_kernel(struct texts *t, struct text *to, uint64_t address, bool offset,
		  enum texts_form form);
void texts_user(struct texts *t, struct text *to, uint32_t pid, uint64_t address, bool offset,
		enum texts_form form);

struct texts_stats {
	uint64_t held;	   /* texts and stacks */
	uint64_t left_out; /* that there was no room for */
	uint64_t missing;  /* ids that were asked for, and are not there */
};
void texts_stats(const struct texts *t, struct texts_stats *stats);

#endif
