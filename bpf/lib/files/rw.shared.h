/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * rw.shared.h: what bpf/lib/files/rw.probes.bpf.h is told by libcommon/files/rw.c.
 */
#ifndef BORESCOPE_BPF_FILES_RW_SHARED_H
#define BORESCOPE_BPF_FILES_RW_SHARED_H

#include "lib/core/types.shared.h"

/* What the tracepoint io_uring_complete says beside the ring. */
enum rw_uring {
	RW_URING_BY_CQE,       /* the request, and the entry (from 6.15 or so) */
	RW_URING_BY_REQUEST,   /* the request, the program's number, the result (from 5.19 on) */
	RW_URING_BY_USER_DATA, /* the program's number and the result (5.10) */
};

/* Filled before the programs are loaded. */
struct rw_config {
	__u32 uring; /* enum rw_uring */
};

#endif
