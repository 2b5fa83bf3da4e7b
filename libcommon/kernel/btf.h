/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * btf: a few questions to the kernel's type information, answered in one pass.
 *
 * libbpf parses vmlinux BTF itself when an object is loaded: 6 ms and 10 MB. To choose probes we
 * need far less (is there such a function, how many arguments has this tracepoint), so that
 * parsing it a second time with libbpf would double a tool's start. This reads the raw section
 * once, front to back, and keeps only what it was asked for.
 */
#ifndef BORESCOPE_KERNEL_BTF_H
#define BORESCOPE_KERNEL_BTF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum btf_what {
	BTF_FUNCTION, /* a function */
	BTF_TYPEDEF,  /* a typedef of a function pointer, such as btf_trace_block_rq_issue */
	BTF_STRUCT,
	BTF_VARIABLE,	/* of those of each CPU; others are not there */
	BTF_ENUMERATOR, /* a name in an enum, also one without a name of its own */
};

#define BTF_KERNEL     "/sys/kernel/btf/vmlinux" /* the kernel's own */
#define BTF_MODULE_LEN 56 /* MODULE_NAME_LEN of a 64-bit kernel, with the NUL */

struct btf_query {
	const char *name;
	enum btf_what what;
	/* answers */
	int id;	       /* BTF id of the FUNC, TYPEDEF, VAR or ENUM; 0: there is none */
	int nr_args;   /* of the prototype; -1: not known. A tracepoint's first void * counts */
	int64_t value; /* of the enumerator */
	char module[BTF_MODULE_LEN]; /* whose BTF has it; "": vmlinux */
};

/*
 * Answers all @queries from the raw BTF in @path (NULL: BTF_KERNEL). Returns 0 (also
 * when names were not found), -ENOENT when the kernel has no BTF, another -errno where it can't
 * be read, -EINVAL where it is malformed (checked: every read stays inside the file).
 */
int btf_scan(const char *path, struct btf_query *queries, size_t nr);

/*
 * Looks for those of @queries that have no answer yet in the BTF of the modules that are loaded
 * (split BTF, from 5.11 on): id and module only, and not what is in a prototype. Returns 0, also
 * when names were not found, or -errno.
 */
int btf_scan_modules(struct btf_query *queries, size_t nr);

/* The same from raw BTF in memory (4-byte aligned). */
int btf_scan_mem(const void *data, size_t size, struct btf_query *queries, size_t nr);
int btf_scan_split(const void *base, size_t base_size, const void *data, size_t size,
		   const char *module, struct btf_query *queries, size_t nr);

/* The BTF of a module that is loaded, as a file descriptor, which is how a program names a module;
 * needs CAP_SYS_ADMIN. Returns -errno; -ENOENT: it is not there. The caller closes it. */
int btf_open_module(const char *module);

#endif
