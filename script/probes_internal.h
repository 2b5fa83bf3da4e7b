/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * probes_internal: what the files that expand probes (probes*.c) and list them (list.c) share.
 */
#ifndef BORESCOPE_SCRIPT_PROBES_INTERNAL_H
#define BORESCOPE_SCRIPT_PROBES_INTERNAL_H

#include "script/knames.h"
#include "script/probes.h"

enum grant {
	GRANT_UNKNOWN, /* not tried yet */
	GRANTED,
	REFUSED,
};

struct probes {
	struct arena *arena;
	struct types *types;
	struct btf_types *btf;
	struct probe_options options;
	int tracefs; /* a descriptor; -errno; 1: not tried yet */
	struct knames names;
	enum grant kprobes, trampolines, multi[2]; /* of the kernel's functions, of files' */
	int *user_files; /* kept open, for what has no name here: see userpath.h */
	size_t nr_user_files, user_files_capacity;
};

struct renamed;

/* One point that is being expanded. */
struct expansion {
	struct probes *p;
	struct source *src;
	const struct point *point;
	const struct clause *clause; /* it is of; NULL: of none */
	struct target **targets;
	size_t nr, capacity;
	bool full;	/* there are more than max_probes */
	bool unmatched; /* it is known that nothing matches: that is to be said */
	bool beside;	/* ... and that other points of the clause have probes: no error */
};

/* A new target of e->point, of all CPUs. NULL: there are too many already. */
struct target *probes_add(struct expansion *e);

/* Is there a * or ? in it? */
bool probes_is_pattern(const char *text);
/* As glob does it, but * stands for anything, slashes too. */
bool probes_match(const char *pattern, const char *text);

/* "No matches for kprobe foo.", an error, or with .missing_ok a warning; of what may be missing
 * beside others nothing is said yet. Returns -ENOENT. @best: the nearest name; NULL: none. */
int probes_missing(struct expansion *e, const char *what, const char *best);
/* Does another point of the clause name it? Then it is not what this one means. */
bool probes_is_named(const struct expansion *e, const char *name);
/* A warning that what the script calls @was is @r->is by now. */
void probes_by_other_name(const struct expansion *e, const char *was, const struct renamed *r);
/* source_error() at the point. Returns -EINVAL. */
int probes_error(struct expansion *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* What of tracefs: a descriptor or -errno. */
int probes_tracefs(struct probes *p);

/* Does this kernel grant them? Tried once. */
bool probes_has_kprobes(struct probes *p);
bool probes_has_trampolines(struct probes *p);

/* --- by provider: each returns 0, or -errno after a message --- */

int probes_kernel_tracepoint(struct expansion *e);
int probes_kernel_rawtracepoint(struct expansion *e);
int probes_function(struct expansion *e); /* kprobe, kretprobe, fentry, fexit */
int probes_time(struct expansion *e);	  /* begin, end, interval, profile, self */
int probes_event(struct expansion *e);	  /* software, hardware */
int probes_user(struct expansion *e);	  /* uprobe, uretprobe */
int probes_user_usdt(struct expansion *e);

/* The text of events/CATEGORY/NAME/format, in the arena. NULL: there is no such event. */
char *probes_kernel_format(struct probes *p, const char *category, const char *name);

/* The names of software (or hardware) events, and where they have another one, that. */
struct perf_event_name {
	const char *name, *alias;
	uint64_t config, period;
};
const struct perf_event_name *probes_event_names(enum provider provider, size_t *nr);

#endif
