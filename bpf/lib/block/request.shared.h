/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * request.shared.h: block requests, as both sides see them (bpf/lib/block/request.bpf.h,
 * libcommon/block/request.h).
 */
#ifndef BORESCOPE_BPF_BLOCK_REQUEST_SHARED_H
#define BORESCOPE_BPF_BLOCK_REQUEST_SHARED_H

#include "lib/core/types.shared.h"

/* The flags of a request, as bits of a word of which the low 8 bits are its operation (enum
 * req_op). The order is ours: the kernel's bits move between versions. */
enum request_flag {
	REQUEST_SYNC = 8,
	REQUEST_META,
	REQUEST_PRIO,
	REQUEST_NOMERGE,
	REQUEST_IDLE,
	REQUEST_FUA,
	REQUEST_PREFLUSH,
	REQUEST_RAHEAD,
	REQUEST_BACKGROUND,
	REQUEST_NOWAIT,
};

/* What CO-RE can't tell the programs about this kernel, and what is wanted. request_configure()
 * fills it before the programs are loaded. */
struct request_config {
	__u32 old_args;	 /* block_rq_issue and block_rq_insert have the queue as first argument */
	__u32 bio_args;	 /* block_getrq and block_bio_frontmerge have more arguments than the bio */
	__u32 flush_seq; /* RQF_FLUSH_SEQ */
	/* RQF_... of which one must be set, or else start_time_ns is an earlier request's; 0: this
	 * kernel sets start_time_ns to 0 where it does not stamp */
	__u32 time_flags;
	__u32 only_dev; /* 0: all disks */
	/* for request_time.probes.bpf.h */
	__u32 queued; /* time from when a request is submitted, not from when it is issued */
};

/* May be changed while the programs run. */
struct request_control {
	__u32 from_issue; /* the kernel does not stamp requests: time them from block_rq_issue */
};

/* Why a request is not shown; the indexes of the map request_left_out, which counts them. */
enum request_left_out {
	REQUEST_UNTIMED,     /* it had no time stamp, and the tool did not see its issue */
	REQUEST_PASSTHROUGH, /* a command from user space (diskstats counts those up to 5.10) */
	REQUEST_UNFOLLOWED,  /* there were more requests on their way than the map holds */
	REQUEST_OWNERLESS,   /* there is a filter, and nobody knows whose it is */
	REQUEST_LEFT_OUT_NR,
};

#endif
