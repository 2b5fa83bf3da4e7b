/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * object: opening, probe choice, loading and attaching of a tool's BPF object, and the one sentence
 * that is said when the kernel refuses.
 *
 * A probe is a ladder: the first rung that this kernel grants is used. What can be told beforehand
 * (no such function in BTF, no kprobes in this kernel) rules a rung out at once; what only the
 * kernel knows (lockdown, notrace functions) is found by trying: the object is then opened anew
 * without that rung.
 */
#ifndef BORESCOPE_KERNEL_OBJECT_H
#define BORESCOPE_KERNEL_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/btf.h"
#include "kernel/programs.h"

struct bpf_object;
struct bpf_link;

#define PROBES_MAX  24 /* of one tool */
#define PROBE_RUNGS 6

struct probe {
	const char *name;		/* what it sees: "open", "failed exec" */
	const char *rungs[PROBE_RUNGS]; /* program names, separated by spaces; best first */
	/* Programs of earlier probes: with any of them in use this one adds nothing. NULL: none. */
	const char *unless;
	const bool *when; /* NULL: always; else only when true (checked after configure) */
	bool optional;	  /* go without it (said with -v) when no rung is granted */
	bool later;	  /* loaded, but attached only by object_attach_later() */
	bool instead;	  /* only if none of the probes before it is granted */
};
#define PROBE_LADDER(name_, ...)                                                                   \
	{                                                                                          \
		.name = (name_), .rungs = { __VA_ARGS__ }                                          \
	}

/*
 * Functions that are known at run time only: the programs SEC("fentry/NAME"), SEC("kprobe/NAME")
 * and so on are attached to this function, which may be a module's. (fentry and fexit then need the
 * module's BTF: from 5.11 on, where the kernel has been built with it, and CAP_SYS_ADMIN.)
 */
struct attach_target {
	const char *name;
	const char *function; /* NULL: there is none, and these programs are not used */
};

/*
 * What a tool has to know of this kernel that CO-RE can't relocate: the value of an enumerator (its
 * enum may have no name), 1 for a struct that there is, or the number of arguments of a function or
 * of a tracepoint's typedef (btf_trace_X: the first void * counts). Known when configure is called;
 * *value keeps what the tool put there where this kernel has nothing of that name.
 */
struct kernel_fact {
	const char *name;
	enum btf_what what;
	int64_t *value;
};

/* A tool's compiled BPF object, as bpftool's skeleton embeds it. */
struct object_image {
	const char *name;
	const void *(*bytes)(size_t *size);
};

struct object;

struct object_spec {
	struct object_image image;
	const struct probe *probes;	     /* ends with a name of NULL */
	const struct kernel_fact *facts;     /* ends with a name of NULL; or NULL */
	const struct attach_target *targets; /* ends with a name of NULL; or NULL */
	const char *btf;		     /* --btf; NULL: the kernel's */
	/* Called on every fresh object before it is loaded: fill read-only data, size maps. */
	int (*configure)(struct object *o, void *ctx);
	/* Called on every loaded object before its programs are attached. */
	int (*prepare)(struct object *o, void *ctx);
	void *ctx;
};

struct object {
	struct programs programs; /* what is loaded */
	struct bpf_object *bpf;	  /* these are object.c's own */
	struct bpf_link **links;
	size_t nr_links;
	const struct probe *probes;
	const struct attach_target *targets;
	int rung[PROBES_MAX]; /* of each probe: the one in use, -1: none */
};

/*
 * Is @what among the words of the environment variable BORESCOPE_AVOID (separated by commas)? A way
 * to see how a tool does without: "fexit,kprobe" rules out programs by the first part of their
 * section's name, "stamps" the kernel's own time stamps of block requests. The tests go down every
 * ladder with it.
 */
bool object_avoids(const char *what);

/* Opens, chooses, loads, attaches. Returns 0, or -errno after one line on stderr that says why and
 * what would help. */
int object_start(struct object *o, const struct object_spec *spec);

/* Attaches the probe of this name that has .later. Returns 0, -ENOENT when there is no probe of this
 * name, -ENOTSUP when it has no rung on this kernel, or what the kernel refused it with; prints
 * nothing. */
int object_attach_later(struct object *o, const char *probe);

/* Runs the iterator (SEC("iter/...")) of the probe of this name, which has .later, over all that
 * there is now. Returns 0, -ENOTSUP when there is no such probe or it has no rung on this kernel,
 * or what the kernel refused it with; prints nothing. */
int object_iterate(struct object *o, const char *probe);

/* The programs of the probe's rung in use ("fexit_openat2"), NULL if it isn't there. */
const char *object_rung(const struct object *o, const char *probe);

void object_detach(struct object *o); /* nothing runs in the kernel any more when this returns */
void object_close(struct object *o);

/*
 * Before loading, in the configure hook. A tool's programs have a section of variables (".rodata",
 * ".rodata.hist") or a map because its source includes a header that defines it. Where that is
 * missing the program was not built as it should have been: object_section() and
 * object_resize_map() print what is missing and end the tool with status 1.
 */

/* The initial values of a section. @header: where it is defined; NULL: in the tool's own source. */
void *object_section(const struct object *o, const char *name, const char *header);
/* The same of a section that may be missing: NULL then. Its size goes to *@size, if that is not
 * NULL. Also after loading: the memory that the kernel's map is mapped to. */
void *object_find_section(const struct object *o, const char *name, size_t *size);
/* How many entries (of a ring: bytes) a map has room for. Returns 0 or -errno. */
int object_resize_map(struct object *o, const char *name, uint32_t entries);
/* This map is not to be made. Returns 0 or -errno. */
int object_drop_map(struct object *o, const char *name);

/* The descriptor of a loaded program; -ENOENT: there is no such program, or it was not loaded. */
int object_program(const struct object *o, const char *name);

#endif
