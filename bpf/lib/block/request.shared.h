/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * request.shared.h: block requests, as both sides see them (bpf/lib/block/request.bpf.h,
 * libcommon/block/request.h).
 */
#ifndef BORESCOPE_BPF_BLOCK_REQUEST_SHARED_H
#define BORESCOPE_BPF_BLOCK_REQUEST_SHARED_H

#include "lib/core/types.shared.h"

/* A request's flags in our own order (the kernel's bits move between versions), behind its
 * operation: enum req_op in the low 8 bits. */
enum io_flag {
	IO_SYNC = 8,
	IO_META,
	IO_PRIO,
	IO_NOMERGE,
	IO_IDLE,
	IO_FUA,
	IO_PREFLUSH,
	IO_RAHEAD,
	IO_BACKGROUND,
	IO_NOWAIT,
};

/* What CO-RE can't tell the programs of this kernel; filled by request_configure(). */
struct request_config {
	__u32 old_args;	  /* block_rq_issue and block_rq_insert have the queue as first argument */
	__u32 flush_seq;  /* RQF_FLUSH_SEQ */
	__u32 time_flags; /* flags without which start_time_ns is an earlier request's; 0: it is 0
			     then */
	/* for request_time.bpf.h */
	__u32 queued;	/* time from when a request is submitted, not from when it is issued */
	__u32 only_dev; /* 0: all disks */
};

/* Switched while running. */
struct request_control {
	__u32 from_issue; /* time from block_rq_issue: the kernel does not stamp the requests */
};

/* Requests that are not shown; indexes of the map io_left_out. */
enum io_left_out {
	IO_UNTIMED,	/* neither a time stamp nor an issue that we saw */
	IO_PASSTHROUGH, /* commands from user space (diskstats counts them up to 5.10 only) */
	IO_UNFOLLOWED,	/* more requests on their way than the map holds */
	IO_LEFT_OUT_NR,
};

#endif
