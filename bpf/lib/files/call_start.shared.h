/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * call_start.shared.h: where it is noted when an operation began; the user side looks for those
 * whose end was not seen, and whose thread has gone.
 */
#ifndef BORESCOPE_BPF_FILES_CALL_START_SHARED_H
#define BORESCOPE_BPF_FILES_CALL_START_SHARED_H

#include "lib/core/types.shared.h"

#define CALL_START_SLOTS 1024 /* of each kind; a power of two */

struct call_start {
	__u64 owner;   /* pid and tid; 0: free */
	__u64 start;   /* CLOCK_MONOTONIC, ns */
	__u64 args[2]; /* what the begin leaves for the end */
};

struct call_start_key {
	__u64 owner, kind;
};

#endif
