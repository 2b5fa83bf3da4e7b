/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* opensnoop.shared.h: an open of a file, as both sides of opensnoop see it. */
#ifndef BORESCOPE_BPF_OPENSNOOP_SHARED_H
#define BORESCOPE_BPF_OPENSNOOP_SHARED_H

#include "lib/core/events.shared.h"

/* PATH_MAX, which includes the NUL, and one more to see that a name is longer */
#define OPEN_PATH_MAX	  4097
#define OPEN_BASE_UNKNOWN 1 /* event_head.flags: the directory is wanted, but can't be told */

/* text is the name as the caller gave it, with its NUL; then (with -F, for a name that is relative,
 * or inside a chroot) the directory that it is relative to, without a NUL. */
struct open_event {
	struct event_head head;
	__s32 ret;   /* a file descriptor, or -errno */
	__u32 flags; /* open(2)'s, as the caller gave them */
	__u16 mode;
	__u16 path_len; /* with the NUL; 0: the name could not be read */
	__u16 base_len;
	__u16 path_cut; /* the name is longer than what is here: true or false */
	char text[];
};

#endif
