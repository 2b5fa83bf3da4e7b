/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * object: a tool's BPF object, opened, loaded, attached and closed. Which programs it loads is
 * chosen by the ladders of its probes (ladder.h): where the kernel refuses one, the object is
 * opened anew without that rung.
 */
#ifndef BORESCOPE_KERNEL_OBJECT_H
#define BORESCOPE_KERNEL_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/ladder.h"
#include "kernel/probe.h"
#include "kernel/programs.h"

struct bpf_object;
struct bpf_link;

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
	/* Not NULL: nothing is attached; instead this is called for each probe (kernel/ladder.h),
	 * when all is loaded that a run would load. */
	void (*chosen)(const struct ladder_choice *c, void *ctx);
	void *ctx;
};

struct object {
	struct programs programs; /* what is loaded */
	struct bpf_object *bpf;	  /* these are object.c's own */
	struct bpf_link **links;
	size_t nr_links;
	const struct attach_target *targets;
	struct ladder ladder;
};

/* Opens only, which needs no privileges. Returns 0, or -errno after printing why. */
int object_open(struct object *o, const struct object_spec *spec);

/* Opens, chooses, loads, attaches (but see .chosen). Returns 0, or -errno after printing why and
 * what would help.
 * @spec's tables have to live as long as @o. */
int object_start(struct object *o, const struct object_spec *spec);

/*
 * Attaches the probe of this name that has .later. Returns 0, -ENOENT when there is no probe of
 * this name, -ENOTSUP when it has no rung on this kernel, or what the kernel refused it with;
 * prints nothing.
 */
int object_attach_later(struct object *o, const char *probe);

/* Runs the iterator (SEC("iter/...")) of the probe of this name, which has .later, over all that
 * there is now. Returns 0, -ENOTSUP when there is no such probe or it has no rung on this kernel,
 * or what the kernel refused it with; prints nothing. */
int object_iterate(struct object *o, const char *probe);
/* Runs SEC("iter/bpf_map_elem") likewise, over the elements of the map of this name. */
int object_iterate_map(struct object *o, const char *probe, const char *map);

/* The programs of the probe's rung in use ("fexit_openat2"), NULL if it isn't there. */
const char *object_rung(const struct object *o, const char *probe);

/* May the kernel fail to run a program of ours at the return of a function? (As many returns as it
 * has places for kretprobes.) */
bool object_misses_returns(const struct object *o);

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

/* The name of the section of a program (where it runs); NULL: there is no such program. */
const char *object_program_section(const struct object *o, const char *name);
/* The name of the program after @name (NULL: of the first one); NULL: that was the last. */
const char *object_next_program(const struct object *o, const char *name);

/* The descriptor of a loaded program; -ENOENT: there is no such program, or it was not loaded. */
int object_program(const struct object *o, const char *name);

#endif
