/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* execsnoop.shared.h: an exec, as both sides of execsnoop see it. */
#ifndef BORESCOPE_BPF_EXECSNOOP_SHARED_H
#define BORESCOPE_BPF_EXECSNOOP_SHARED_H

#include "lib/core/events.shared.h"

#define EXEC_FILENAME_MAX 4096 /* PATH_MAX, with the NUL */
#define EXEC_ARGS_MAX	  16384
#define EXEC_ARGS_DEFAULT 4096

/* event_head.flags */
#define EXEC_ARGS_CUT	 1 /* there are more arguments than what is here */
#define EXEC_ARGS_UNREAD 2 /* the arguments could not be read */
#define EXEC_SCRIPT	 4 /* an interpreter runs: the arguments are its own, filename the script */

/* Of an exec that failed when the old image was gone, filename is the path of the new one's
 * file. */

/* text is the file name, with its NUL; then the arguments, each with its NUL (but for the last
 * one if it is cut). */
struct exec_event {
	struct event_head head;
	__u32 ppid;
	__s32 ret;	    /* 0, or -errno */
	__u32 filename_len; /* with the NUL; 0: it could not be read */
	__u32 args_len;
	char text[];
};

#endif
