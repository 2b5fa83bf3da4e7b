/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * grants: which of a tool's programs this kernel can have, as far as that can be told before they
 * are loaded: by its BTF, and by trying what it grants at all. A layer below object.
 */
#ifndef BORESCOPE_GRANTS_H
#define BORESCOPE_GRANTS_H

#include <stdbool.h>
#include <stddef.h>

#include "kernel/btf.h"
#include "kernel/object.h"

struct bpf_program;
struct bpf_prog_load_opts;

#define GRANTS_NAMES_MAX   64 /* kernel names that one tool's programs and facts ask for */
#define GRANTS_MODULES_MAX 4  /* modules that one tool's programs are attached to */

struct grants {
	const struct attach_target *targets;
	struct btf_query names[GRANTS_NAMES_MAX];
	char text[GRANTS_NAMES_MAX][80];
	size_t nr, nr_targets; /* those of the targets come first */
	int trampolines;       /* 1: granted, 0: not yet asked, -errno: refused */
	bool kprobes, own_btf;
	bool modules_scanned; /* for the targets that vmlinux has not */
	struct {
		char name[BTF_MODULE_LEN];
		int fd; /* of its BTF */
	} modules[GRANTS_MODULES_MAX];
	size_t nr_modules;
};

/* Learns, in one pass over the kernel's BTF, all that the programs of @obj will be asked about, and
 * fills the facts of @spec, which @g points to from then on. Returns 0, or -errno after one line on
 * stderr that says why. */
int grants_learn(struct grants *g, struct bpf_object *obj, const struct object_spec *spec);

/* To be given back when all is loaded. */
void grants_free(struct grants *g);

/* Why this kernel can't have @prog, as the end of a sentence; a string constant. NULL: nothing
 * speaks against it. */
const char *grants_refusal(struct grants *g, struct bpf_program *prog);

/* Tells the kernel what @prog is attached to, by the ids that grants_learn() has found: libbpf
 * would look through all types of vmlinux for each program, and for a module's function through
 * those of vmlinux again with each module. Returns 0 or -errno. */
int grants_aim(const struct grants *g, const struct bpf_program *prog,
	       struct bpf_prog_load_opts *opts);

/* Before loading: puts the kernel's functions into the calls of @prog, or nothing where it has no
 * such function (see bpf/lib/core/calls.shared.h). Returns 0 or -errno. */
int grants_resolve_calls(const struct grants *g, struct bpf_program *prog);

/* What @prog is for, where the tool names it at run time; NULL: its section does. */
const struct attach_target *target_of(const struct attach_target *targets,
				      const struct bpf_program *prog);

#endif
