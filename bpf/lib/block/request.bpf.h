/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * request.bpf.h: what a program can ask a block request (struct request). It is that of a tp_btf
 * program, whose type the verifier knows: its fields are read directly.
 */
#ifndef BORESCOPE_BPF_BLOCK_REQUEST_BPF_H
#define BORESCOPE_BPF_BLOCK_REQUEST_BPF_H

#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#include "lib/block/request.shared.h"

const volatile struct request_config request_config SEC(".rodata.request");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, REQUEST_LEFT_OUT_NR);
	__type(key, __u32);
	__type(value, __u64);
} request_left_out SEC(".maps");

volatile struct request_control request_control SEC(".data.request") = {};

static __always_inline void request_leave_out(__u32 why)
{
	__u64 *n = bpf_map_lookup_elem(&request_left_out, &why);

	if (n)
		__sync_fetch_and_add(n, 1);
}

/* The disk of a request: request->rq_disk up to 5.16, request_queue->disk from 5.15 on. NULL for a
 * request to a device without one. */
static __always_inline struct gendisk *request_disk(struct request *rq)
{
	struct request___disk *old = (void *)rq;

	if (bpf_core_field_exists(old->rq_disk))
		return old->rq_disk;
	return rq->q->disk;
}

/* Its device number in the kernel's form: major << 20 | minor. */
static __always_inline __u32 request_disk_dev(struct gendisk *disk)
{
	return disk->major << 20 | disk->first_minor;
}

static __always_inline __u32 request_dev(struct request *rq)
{
	return request_disk_dev(request_disk(rq));
}

static __always_inline bool request_on_wanted_disk(struct request *rq)
{
	return !request_config.only_dev || request_dev(rq) == request_config.only_dev;
}

/* The device number of its partition, or of the disk if it went to no partition; 0: the kernel
 * keeps no account of it (queue/iostats is 0, or it is a flush). */
static __always_inline __u32 request_part(struct request *rq)
{
	struct gendisk___hd *old = NULL;
	__u32 dev = 0;

	if (!rq->part)
		return 0;
	if (!bpf_core_field_exists(old->part0.__dev.devt))
		return rq->part->bd_dev;
	/* asked by way of gendisk: for a type that there is not, libbpf would look in the BTF of
	 * modules, which needs CAP_SYS_ADMIN */
	bpf_probe_read_kernel(&dev, sizeof(dev),
			      (void *)rq->part + bpf_core_field_offset(old->part0.__dev.devt) -
				      bpf_core_field_offset(old->part0));
	return dev;
}

/* enum req_op (req_opf before 6.0): these values never changed. */
#define REQ_OP_FLUSH		  2
#define REQ_OP_LOWEST_PASSTHROUGH 32 /* SCSI_IN (up to 5.12), DRV_IN 34 */

static __always_inline __u32 request_op(struct request *rq)
{
	return rq->cmd_flags & 0xff;
}

/* Is it a command from user space, or from a driver for itself? Those are not accounted as I/O. */
static __always_inline bool request_is_passthrough(struct request *rq)
{
	return request_op(rq) >= REQ_OP_LOWEST_PASSTHROUGH;
}

/*
 * At block_rq_complete: is this the end that diskstats counts? The tracepoint is called for every
 * part of a request, and for the data of a flush sequence once more when the whole sequence is
 * done.
 */
static __always_inline bool request_is_done(struct request *rq, unsigned int nr_bytes)
{
	if (nr_bytes < rq->__data_len)
		return false;
	return !(rq->rq_flags & request_config.flush_seq) || request_op(rq) == REQ_OP_FLUSH;
}

/* When the request was allocated; 0: the kernel has not written it down. */
static __always_inline __u64 request_submitted_ns(struct request *rq)
{
	__u32 needed = request_config.time_flags;

	if (needed && !(rq->rq_flags & needed) && request_op(rq) != REQ_OP_FLUSH)
		return 0;
	return rq->start_time_ns;
}

/* The request of block_rq_issue and block_rq_insert: the second argument up to 5.10, the only one
 * from 5.11 (a54895fa057c) and 5.10.137 on. */
static __always_inline struct request *request_arg(unsigned long long *ctx)
{
	return (void *)(request_config.old_args ? ctx[1] : ctx[0]);
}

/* cmd_flags as they were asked for: for a flush sequence, the kernel takes its flags away. */
static __always_inline __u32 request_asked_flags(struct request *rq)
{
	struct bio *bio = rq->bio;

	return bio ? rq->cmd_flags | (bio->bi_opf & ~0xffU) : rq->cmd_flags;
}

/* Sets our flag if the kernel's is set in cmd_flags, and exists in this kernel. There is no branch
 * on it: the verifier would follow each combination of flags through the rest of the program. */
#define REQUEST_FLAG(ours, theirs)                                                                 \
	do {                                                                                       \
		if (bpf_core_enum_value_exists(enum req_flag_bits, theirs))                        \
			flags |=                                                                   \
				(cmd_flags >> bpf_core_enum_value(enum req_flag_bits, theirs) & 1) \
				<< (ours);                                                         \
	} while (0)

/* Operation and flags of a request, in the form of request.shared.h. */
static __always_inline __u32 request_flags(__u32 cmd_flags)
{
	__u32 flags = cmd_flags & 0xff;

	REQUEST_FLAG(REQUEST_SYNC, __REQ_SYNC);
	REQUEST_FLAG(REQUEST_META, __REQ_META);
	REQUEST_FLAG(REQUEST_PRIO, __REQ_PRIO);
	REQUEST_FLAG(REQUEST_NOMERGE, __REQ_NOMERGE);
	REQUEST_FLAG(REQUEST_IDLE, __REQ_IDLE);
	REQUEST_FLAG(REQUEST_FUA, __REQ_FUA);
	REQUEST_FLAG(REQUEST_PREFLUSH, __REQ_PREFLUSH);
	REQUEST_FLAG(REQUEST_RAHEAD, __REQ_RAHEAD);
	REQUEST_FLAG(REQUEST_BACKGROUND, __REQ_BACKGROUND);
	REQUEST_FLAG(REQUEST_NOWAIT, __REQ_NOWAIT);
	return flags;
}

#endif
