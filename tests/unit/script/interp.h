/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * interp: runs what script/link.c makes, in user space, with the runtime that clang compiled: what
 * the compiler emits is executed by unit tests and fuzzers, which have no privileges.
 *
 * It is stricter than a CPU: a register or a byte of the stack that was not written may not be
 * read, what a call clobbers is gone, and every access has to lie within something that the program
 * may access. What is wrong goes to stderr, with the instruction, and the run fails.
 */
#ifndef BORESCOPE_TESTS_SCRIPT_INTERP_H
#define BORESCOPE_TESTS_SCRIPT_INTERP_H

#include "lib/core/types.shared.h"
#include "script.shared.h"
#include "script/link.h"
#include "script/program.h"

enum interp_space {
	INTERP_KERNEL,
	INTERP_USER,
};

struct interp_record {
	const void *bytes; /* struct rt_record, or struct rt_bytes */
	size_t size;
};

/* What the world around a program is like. interp_new() has a sensible one. */
struct interp_world {
	uint64_t ktime_ns; /* grows by 1000 with each look */
	uint32_t pid, tid, uid, gid, cpu;
	uint64_t cgroup, task, cookie;
	char comm[16];
	uint64_t stack[64]; /* what bpf_get_stack() gives */
	size_t nr_stack;
	size_t ring_room; /* bytes of each ring */
	int signal;	  /* the last one sent */
};

struct interp {
	const struct compiled *compiled;
	struct rt_globals *globals;
	struct interp_world world;
	struct interp_record *records; /* all that was sent */
	size_t nr_records;
	uint64_t ring_filled;
	unsigned wakeups;
	size_t steps;	  /* of the last run */
	size_t steps_max; /* of each: more are a failure */
	bool endless;	  /* that was the last one's */
	/* interp.c's and interp_helpers.c's own */
	struct code **codes;
	char *rodata, *scratch;
	size_t rodata_size, scratch_size;
	struct interp_map *maps, *seen, *scratches, *element;
	struct interp_outside *outside;
	struct interp_frame *frame;
	const char *fault;
};

/* The maps of @c are made, and its programs; NULL: a program could not be made, which was said in
 * c->source. */
struct interp *interp_new(const struct compiled *c);
void interp_free(struct interp *i);

/* Memory that programs reach by probe reads only. @bytes is neither copied nor freed. */
void interp_outside(struct interp *i, enum interp_space space, const void *bytes, size_t size);

/* Runs a program with no context, or with one. Returns 0, or -1 after saying what went wrong. */
int interp_run(struct interp *i, size_t program);
int interp_run_code(struct interp *i, const struct code *code, void *context, size_t size);

/* The value of a key (NULL: of a map without keys), or NULL: there is none. */
void *interp_map_value(struct interp *i, unsigned map, const void *key);
/* Calls @fn for each entry; returns how many there are. */
size_t interp_map_each(struct interp *i, unsigned map,
		       void (*fn)(void *ctx, const void *key, const void *value), void *ctx);

#endif
