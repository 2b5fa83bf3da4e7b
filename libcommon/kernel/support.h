/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * support: which of a tool's programs this kernel can have, as far as that can be told before they
 * are loaded: by its BTF, and by trying what it grants at all. A layer below object.
 */
#ifndef BORESCOPE_KERNEL_SUPPORT_H
#define BORESCOPE_KERNEL_SUPPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "kernel/btf.h"
#include "kernel/object.h"

struct bpf_program;
struct bpf_prog_load_opts;

#define SUPPORT_NAMES_MAX   64 /* kernel names that one tool's programs and facts ask for */
#define SUPPORT_MODULES_MAX 4  /* modules that one tool's programs are attached to */

struct support {
	const struct attach_target *targets;
	struct btf_query names[SUPPORT_NAMES_MAX];
	char text[SUPPORT_NAMES_MAX][80];
	size_t nr, nr_targets; /* those of the targets come first */
	int trampolines;       /* 1: granted, 0: not yet asked, -errno: refused */
	bool kprobes, own_btf;
	bool modules_scanned; /* for the targets that vmlinux has not */
	struct {
		char name[BTF_MODULE_LEN];
		int fd; /* of its BTF */
	} modules[SUPPORT_MODULES_MAX];
	size_t nr_modules;
};

/* Learns, in one pass over the kernel's BTF, all that the programs of @obj will be asked about, and
 * fills the facts of @spec, which @g points to from then on. Returns 0, or -errno after one line on
 * stderr that says why. */
int support_learn(struct support *g, struct bpf_object *obj, const struct object_spec *spec);

/* To be given back when all is loaded. */
void support_free(struct support *g);

/* Why this kernel can't have @prog, as the end of a sentence; a string constant. NULL: nothing
 * speaks against it. */
const char *support_refusal(struct support *g, struct bpf_program *prog);

/* Tells the kernel what @prog is attached to, by the ids that support_learn() has found: libbpf
 * would look through all types of vmlinux for each program, and for a module's function through
 * those of vmlinux again with each module. Returns 0 or -errno. */
int support_set_target(const struct support *g, const struct bpf_program *prog,
		       struct bpf_prog_load_opts *opts);

/* Before loading: puts the kernel's functions into the calls of @prog, or nothing where it has no
 * such function (see bpf/lib/core/kfuncs.shared.h). Returns 0 or -errno. */
int support_resolve_calls(const struct support *g, struct bpf_program *prog);

/* What @prog is for, where the tool names it at run time; NULL: its section does. */
const struct attach_target *support_target(const struct attach_target *targets,
					   const struct bpf_program *prog);

#endif
