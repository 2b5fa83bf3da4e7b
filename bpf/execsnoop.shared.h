/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef BORESCOPE_BPF_EXECSNOOP_SHARED_H
#define BORESCOPE_BPF_EXECSNOOP_SHARED_H

#include "lib/core/events.shared.h"

#define EXEC_FILENAME_MAX 4096 /* PATH_MAX, with the NUL */
#define EXEC_ARGS_MAX	  16384
#define EXEC_ARGS_DEFAULT 4096

/* event_head.flags */
#define EXEC_ARGS_CUT	 1 /* there is more than what is here */
#define EXEC_ARGS_UNREAD 2 /* the arguments could not be read */
#define EXEC_SCRIPT	 4 /* by an interpreter: args begin with its own, not with filename */

/* The file name, NUL-terminated, then the arguments, each with its NUL (the last without when cut).
 */
struct exec_event {
	struct event_head head;
	__u32 ppid;
	__s32 ret;	    /* 0, or -errno */
	__u32 filename_len; /* with the NUL; 0: could not be read */
	__u32 args_len;
	char text[];
};

#endif
