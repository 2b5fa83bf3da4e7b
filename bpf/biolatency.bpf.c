/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>

#include "lib/filter.bpf.h"
#include "lib/hist.bpf.h"
#include "lib/request.bpf.h"
#include "biolatency.h"

const volatile bool queued, by_disk, by_flags;
const volatile __u32 only_dev; /* 0: all disks */

volatile struct io_control control SEC(".data.control") = {};

#define REQUESTS_MAX 65536

/* Requests on their way: when they began (or 1: that they are wanted), by the request's address. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, REQUESTS_MAX);
	__type(key, __u64);
	__type(value, __u64);
} requests SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, IO_LEFT_OUT_NR);
	__type(key, __u32);
	__type(value, __u64);
} io_left_out SEC(".maps");

static __always_inline void leave_out(__u32 why)
{
	__u64 *n = bpf_map_lookup_elem(&io_left_out, &why);

	if (n)
		__sync_fetch_and_add(n, 1);
}

/* --- the end of a request: the only hook, where the kernel stamps requests --- */

/* 0: not known. */
static __always_inline __u64 began(struct request *rq, __u64 *seen)
{
	__u64 stamp;

	if (seen && *seen > 1)
		return *seen;
	stamp = queued ? request_submitted_ns(rq) : rq->io_start_time_ns;
	if (stamp)
		return stamp;
	/* a flush without data is a request that is never issued: it waits for the flush proper */
	return rq->__data_len ? 0 : request_submitted_ns(rq);
}

SEC("tp_btf/block_rq_complete")
int BPF_PROG(rq_complete, struct request *rq, int error, unsigned int nr_bytes)
{
	__u32 flags = by_flags ? request_flags(rq->cmd_flags) : 0, dev = 0;
	__u64 key = (__u64)rq, start, now, *seen = NULL;

	if (!request_is_done(rq, nr_bytes))
		return 0;
	if (only_dev || by_disk)
		dev = request_dev(rq);
	if (only_dev && dev != only_dev)
		return 0;
	if (request_is_passthrough(rq)) {
		if (!filter_any()) /* who sent it is not known */
			leave_out(IO_PASSTHROUGH);
		return 0;
	}
	if (control.from_issue || filter_any()) {
		seen = bpf_map_lookup_elem(&requests, &key);
		if (!seen && filter_any())
			return 0;
	}
	start = began(rq, seen);
	if (seen)
		bpf_map_delete_elem(&requests, &key);
	now = bpf_ktime_get_ns();
	if (!start) {
		leave_out(IO_UNTIMED);
		return 0;
	}
	hist_record(dev, flags, now > start ? now - start : 0);
	return 0;
}

/* --- the begin of a request: who wants it, and when, if the kernel does not write that down --- */

static __always_inline void follow(struct request *rq)
{
	__u64 key = (__u64)rq, value = control.from_issue ? bpf_ktime_get_ns() : 1;

	if (bpf_map_update_elem(&requests, &key, &value, BPF_ANY))
		leave_out(IO_UNFOLLOWED);
}

static __always_inline void submitted(struct request *rq)
{
	__u64 key = (__u64)rq;

	if (only_dev && request_dev(rq) != only_dev)
		return;
	if (filter_any() && !filter_current())
		bpf_map_delete_elem(&requests, &key); /* of an earlier request at this address */
	else
		follow(rq);
}

SEC("tp_btf/block_io_start") /* from 6.5: in the context of whoever submits */
int BPF_PROG(io_start, struct request *rq)
{
	submitted(rq);
	return 0;
}

SEC("tp_btf/block_rq_insert")
int rq_insert(unsigned long long *ctx)
{
	submitted(request_arg(ctx));
	return 0;
}

/* A request that goes to the driver without having been inserted first. */
SEC("tp_btf/block_rq_issue")
int rq_issue_direct(unsigned long long *ctx)
{
	struct request *rq = request_arg(ctx);
	__u64 key = (__u64)rq;

	if (!bpf_map_lookup_elem(&requests, &key))
		submitted(rq);
	return 0;
}

/* The clock of requests that the kernel does not stamp. With a filter, only of those that were let
 * through when they were submitted. */
SEC("tp_btf/block_rq_issue")
int rq_issue(unsigned long long *ctx)
{
	struct request *rq = request_arg(ctx);
	__u64 key = (__u64)rq, *seen;

	if (!filter_any()) {
		if ((!only_dev || request_dev(rq) == only_dev) && !request_is_passthrough(rq))
			follow(rq);
		return 0;
	}
	seen = bpf_map_lookup_elem(&requests, &key);
	if (seen)
		*seen = bpf_ktime_get_ns();
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
