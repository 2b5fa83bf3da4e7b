/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * btf: the kernel's types and functions by their names, read when they are asked for.
 *
 * libbpf's btf__parse() costs 6 ms and 10 MB for vmlinux. This one maps or reads the raw section,
 * makes an index of where each type begins in one pass, and makes a struct type only of what a
 * script names. Every read stays inside the section, whatever it holds.
 */
#ifndef BORESCOPE_SCRIPT_BTF_H
#define BORESCOPE_SCRIPT_BTF_H

#include "script/types.h"

struct btf_types;

/* @path: --btf; NULL: the running kernel's, and its modules'. Nothing is read before the first
 * question. Never NULL. */
struct btf_types *btf_types_new(struct types *types, struct arena *arena, const char *path);
/* 0, or -errno: whether there is BTF at all. Where it is that of --btf and can't be read, the first
 * call says so. */
int btf_types_error(struct btf_types *b);
/* Types stay: what they have of the BTF is in the arena. */
void btf_types_free(struct btf_types *b);

/* A struct, union, typedef or enum ("task_struct", "size_t"); @keyword: "struct", "union", "enum"
 * or NULL: a typedef or a base type such as "unsigned int". NULL: there is none of that name. */
const struct type *btf_type(struct btf_types *b, const char *keyword, const char *name);

/* The record of this name, which record_complete() looks for when its fields are asked for: so a
 * mere pointer to it costs no BTF. @keyword: "struct" or "union". Until then its size is 0. */
const struct type *btf_type_later(struct btf_types *b, const char *keyword, const char *name);

/* The fields of a record that came from BTF; its pointers are of @space. Does nothing where they
 * are known. type_field() needs it done. */
void record_complete(const struct type *record);

struct function {
	const char *name;
	const char *module; /* "vmlinux" or a module's name */
	uint32_t btf_id;    /* of the FUNC */
	int btf_fd;	    /* of the module's BTF, for attach_btf_obj_fd; 0: vmlinux */
	const struct type *ret;
	/* A record: each of 8 bytes as fentry has them, of whose lower ones it takes as many as its
	 * type has; names as in C. What the function returns stands behind them, at .size (fexit).
	 * Pointers to records are of SPACE_KERNEL; those to anything else may be a caller's of user
	 * space, which BTF tells of kernels only that clang has built, and are of SPACE_NONE. */
	const struct type *args;
	bool args_fit; /* each of them is a scalar of 8 bytes or less */
	/* The kernel takes it for fentry: btf_distill_func_proto(), of 6.12, refuses what returns
	 * a record, takes a union, more than 12 arguments, or any number of them. */
	bool for_trampolines;
};

/* The function of this name and its arguments. @module NULL: vmlinux's, else any module's. False:
 * BTF knows none. */
bool btf_function(struct btf_types *b, const char *module, const char *name, struct function *f);
/* The arguments of a raw tracepoint, of the typedef btf_trace_NAME without its first one. */
bool btf_tracepoint(struct btf_types *b, const char *name, struct function *f);
/* Each function, or tracepoint, of vmlinux and, with @modules, of these. */
void btf_each_function(struct btf_types *b, bool modules,
		       void (*fn)(void *ctx, const char *module, const char *name), void *ctx);
void btf_each_tracepoint(struct btf_types *b,
			 void (*fn)(void *ctx, const char *module, const char *name), void *ctx);
/* Is there such a tracepoint in vmlinux, its modules left aside? */
bool btf_has_tracepoint(struct btf_types *b, const char *name);
/* Each struct, union and enum that has a name: for -lv "struct NAME" and for did-you-mean. */
void btf_each_record(struct btf_types *b,
		     void (*fn)(void *ctx, const char *keyword, const char *name), void *ctx);

/* For -lv, as C has them, a line each, indented as @indent says: what a function takes (and,
 * @retval, gives), or a tracepoint. False: BTF knows none. */
bool btf_print_function(struct btf_types *b, const char *module, const char *name, bool retval,
			const char *indent, FILE *out);
bool btf_print_tracepoint(struct btf_types *b, const char *name, const char *indent, FILE *out);
/* "struct sockaddr {", its fields, "};". False: BTF knows none. */
bool btf_print_record(struct btf_types *b, const char *keyword, const char *name, FILE *out);

/* The value of an enumerator of any enum of vmlinux; *@type: the enum, if it has a name, else int.
 */
bool btf_enumerator(struct btf_types *b, const char *name, int64_t *value,
		    const struct type **type);

#endif
