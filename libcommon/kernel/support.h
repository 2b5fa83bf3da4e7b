/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * support: what this kernel supports, as far as can be told before a program is loaded: by its BTF,
 * which is read once, and by trying what it grants at all.
 */
#ifndef BORESCOPE_KERNEL_SUPPORT_H
#define BORESCOPE_KERNEL_SUPPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "kernel/btf.h"
#include "kernel/probe.h"

struct bpf_insn;

#define SUPPORT_NAMES_MAX   64 /* kernel names that one tool's programs and facts ask for */
#define SUPPORT_MODULES_MAX 4  /* modules that one tool's programs are attached to */

struct support {
	struct btf_query names[SUPPORT_NAMES_MAX];
	char text[SUPPORT_NAMES_MAX][80];
	size_t nr, nr_targets; /* those of the targets come first */
	int trampolines;       /* 1: granted, 0: not yet asked, -errno: refused */
	bool kprobes, own_btf;
	bool fprobes;			     /* of this kernel follow any number of calls */
	bool preempts, preempts_tracepoints; /* tasks that are inside the kernel */
	bool modules_scanned;		     /* for the targets that vmlinux has not */
	bool symbols_read, is_symbol[SUPPORT_NAMES_MAX]; /* those of the targets */
	struct {
		char name[BTF_MODULE_LEN];
		int fd; /* of its BTF */
	} modules[SUPPORT_MODULES_MAX];
	size_t nr_modules;
};

/*
 * In this order: what will be asked about, all of it, then support_learn(), then the questions.
 * @targets may end with a name of NULL, or be NULL.
 */
void support_init(struct support *s, const struct attach_target *targets);
void support_add(struct support *s, const struct place *place);

/* Learns all that in one pass over the kernel's BTF (two, if @btf, the file of --btf, is not NULL:
 * what programs are relocated by is not what they are attached by), and fills @facts (ends with a
 * name of NULL; or NULL). Returns 0, or -errno after printing why. */
int support_learn(struct support *s, const struct kernel_fact *facts, const char *btf);

/* To be given back when all is loaded. */
void support_free(struct support *s);

/* Why this kernel can't have a program at @place: a string constant, as the clause of a message.
 * NULL: nothing speaks against it. */
const char *support_refusal(struct support *s, const struct place *place);

/* Does the kernel let us set a kprobe? Tries it, once, at a function that is not called while a
 * machine runs. Returns 0 or -errno. */
int support_try_kprobe(void);

/* Is a kprobe or kretprobe at @place to be attached as an fprobe? */
bool support_has_fprobe(const struct support *s, const struct place *place);

/* What escapes a program at @place on this kernel, and in *@why the clause of a message. */
enum place_gaps support_gaps(const struct support *s, const struct place *place, const char **why);

/* By which id in which BTF the kernel knows @place: libbpf would look through all types of vmlinux
 * for each program, and for a module's function through those of vmlinux again with each module.
 * *btf_fd is 0 for vmlinux, else a module's, which belongs to @s. Returns the id, or -errno. */
int support_btf_id(const struct support *s, const struct place *place, int *btf_fd);

/* Puts the kernel's functions into the calls among these instructions, or nothing where it has no
 * such function (see bpf/lib/core/kfuncs.shared.h). Returns whether there were any. */
bool support_resolve_calls(const struct support *s, struct bpf_insn *insns, size_t nr);

#endif
