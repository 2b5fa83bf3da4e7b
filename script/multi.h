/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * multi: one link of the kernel for a program at many functions, of its own (kprobe_multi, Linux
 * 5.18, 0dcac2725406) or of a process's file (uprobe_multi, 6.6, 89ae89f53d20). It attaches and
 * comes off as a whole, where hundreds of perf events take seconds.
 */
#ifndef BORESCOPE_SCRIPT_MULTI_H
#define BORESCOPE_SCRIPT_MULTI_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* What such a program has to be loaded for: an enum bpf_attach_type. */
unsigned multi_attach_type(bool user);

/* Does this kernel have it? Tried each time. @user: for functions of files. */
bool multi_granted(bool user);

struct multi_places {
	bool user, at_return;
	const char *path;	    /* of @user: the file */
	const char **functions;	    /* of the kernel's: names */
	const uint64_t *offsets;    /* of @user: in the file */
	const uint64_t *semaphores; /* of @user: offsets in the file, or 0; NULL: none has one */
	const unsigned long long *cookies; /* __u64 */
	uint32_t nr;
	pid_t pid; /* of @user: only this process; 0: all */
};

/* Returns the link's descriptor or -errno; nothing is attached then. */
int multi_link(int program, const struct multi_places *places);

#endif
