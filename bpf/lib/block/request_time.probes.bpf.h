/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * request_time.probes.bpf.h: when a block request began, asked at its end. The kernel's own time
 * stamps are read where it writes them. Where it does not, or where a filter has to judge who
 * submits, the programs here follow each request in a map: io_start, rq_insert, rq_issue and
 * rq_issue_direct. libcommon/block/request.h decides which of them run (REQUEST_PROBES).
 */
#ifndef BORESCOPE_BPF_BLOCK_REQUEST_TIME_PROBES_BPF_H
#define BORESCOPE_BPF_BLOCK_REQUEST_TIME_PROBES_BPF_H

#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "lib/core/filter.bpf.h"
#include "lib/block/request.bpf.h"

#define REQUESTS_MAX 65536

/* Requests on their way, by address: when they began, in ns; or 1: only that they are wanted. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, REQUESTS_MAX);
	__type(key, __u64);
	__type(value, __u64);
} requests SEC(".maps");

/* --- the end of a request ----------------------------------------------------------------- */

/* When a request began. @seen: what its begin has left in the map, or NULL. Returns 0 if that
 * is not known. */
static __always_inline __u64 request_stamp_ns(struct request *rq, const __u64 *seen)
{
	__u64 stamp;

	if (seen && *seen > 1)
		return *seen;
	stamp = request_config.queued ? request_submitted_ns(rq) : rq->io_start_time_ns;
	if (stamp)
		return stamp;
	/* a flush without data is a request that is never issued: it waits for the flush proper */
	return rq->__data_len ? 0 : request_submitted_ns(rq);
}

/*
 * When did this request begin, in ns of CLOCK_MONOTONIC? To be asked at block_rq_complete, once
 * request_is_done(). Returns 0 if the request is not wanted, or if that is not known (which is
 * counted in request_left_out).
 */
static __always_inline __u64 request_began_ns(struct request *rq)
{
	__u64 key = (__u64)rq, began, *seen = NULL;

	if (!request_on_wanted_disk(rq))
		return 0;
	if (request_is_passthrough(rq)) {
		if (!filter_any()) /* with a filter, who sent it matters and is not known */
			request_leave_out(REQUEST_PASSTHROUGH);
		return 0;
	}
	if (request_control.from_issue || filter_any()) {
		seen = bpf_map_lookup_elem(&requests, &key);
		if (!seen && filter_any())
			return 0;
	}
	began = request_stamp_ns(rq, seen);
	if (seen)
		bpf_map_delete_elem(&requests, &key);
	if (!began)
		request_leave_out(REQUEST_UNTIMED);
	return began;
}

/* --- the begin of a request: who submits it, and when if the kernel does not note that ---- */

static __always_inline void request_follow(struct request *rq)
{
	__u64 key = (__u64)rq, value = request_control.from_issue ? bpf_ktime_get_ns() : 1;

	if (bpf_map_update_elem(&requests, &key, &value, BPF_ANY))
		request_leave_out(REQUEST_UNFOLLOWED);
}

static __always_inline void request_submitted(struct request *rq)
{
	__u64 key = (__u64)rq;

	if (!request_on_wanted_disk(rq))
		return;
	if (filter_any() && !filter_current())
		bpf_map_delete_elem(&requests, &key); /* of an earlier request at this address */
	else
		request_follow(rq);
}

SEC("tp_btf/block_io_start") /* from 6.5: in the context of whoever submits */
int BPF_PROG(io_start, struct request *rq)
{
	request_submitted(rq);
	return 0;
}

SEC("tp_btf/block_rq_insert")
int rq_insert(unsigned long long *ctx)
{
	request_submitted(request_arg(ctx));
	return 0;
}

/* A request that goes to the driver without having been inserted first. */
SEC("tp_btf/block_rq_issue")
int rq_issue_direct(unsigned long long *ctx)
{
	struct request *rq = request_arg(ctx);
	__u64 key = (__u64)rq;

	if (!bpf_map_lookup_elem(&requests, &key))
		request_submitted(rq);
	return 0;
}

/* Times the requests that the kernel does not stamp; with a filter, only those that passed it when
 * they were submitted. */
SEC("tp_btf/block_rq_issue")
int rq_issue(unsigned long long *ctx)
{
	struct request *rq = request_arg(ctx);
	__u64 key = (__u64)rq, *seen;

	if (!filter_any()) {
		if (request_on_wanted_disk(rq) && !request_is_passthrough(rq))
			request_follow(rq);
		return 0;
	}
	seen = bpf_map_lookup_elem(&requests, &key);
	if (seen)
		*seen = bpf_ktime_get_ns();
	return 0;
}

#endif
