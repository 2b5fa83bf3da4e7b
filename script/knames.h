/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * knames: the names of the running kernel's functions and tracepoints, as the kernel lists them.
 */
#ifndef BORESCOPE_SCRIPT_KNAMES_H
#define BORESCOPE_SCRIPT_KNAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "script/source.h"

struct kname {
	const char *name;
	const char
		*group; /* of a function, its module or "vmlinux"; of a tracepoint, its category */
};

struct kname_list {
	int state;	     /* 0: not read yet; 1: there; -errno */
	struct kname *names; /* sorted by name, then group */
	size_t nr, capacity;
	char *text;
};

/* All zero to begin with. */
struct knames {
	struct kname_list functions, symbols, events;
	bool asked;		    /* kname_is_symbol() was asked before */
	const char *functions_file; /* in place of the kernel's own list; NULL: that one */
};

/*
 * Functions that can be traced, by available_filter_functions of tracefs (open as @tracefs). Those
 * that the compiler split off (.part., .cold) are left out. Returns NULL where the kernel does not
 * tell; the reason is in .state.
 */
const struct kname_list *knames_functions(struct knames *k, int tracefs);
/* All functions of /proc/kallsyms, also those that can't be traced. */
const struct kname_list *knames_symbols(struct knames *k);
/* All tracepoints that tracefs has. */
const struct kname_list *knames_events(struct knames *k, int tracefs);

/* The first entry of this name, NULL: none. Those that follow may have it, too. */
const struct kname *kname_find(const struct kname_list *l, const char *name);

/* Whether /proc/kallsyms has a function of that name (and module, if not NULL). To read it takes
 * the kernel 0.1 s: the first time without keeping what is there, which takes 20 MB. True also
 * where it can't be read. */
bool kname_is_symbol(struct knames *k, const char *module, const char *name);

void knames_free(struct knames *k);

#endif
