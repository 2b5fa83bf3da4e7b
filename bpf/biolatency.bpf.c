/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * biolatency.bpf.c: how long block requests took, as histograms.
 *
 * Programs: rq_complete below; io_start, rq_insert, rq_issue, rq_issue_direct
 * (lib/block/request_time.probes.bpf.h).
 */
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "lib/hist/hist.bpf.h"
#include "lib/block/request_time.probes.bpf.h"

const volatile bool by_disk, by_flags;

/* The end of a request. Where the kernel stamps requests, this is the only program that runs. */
SEC("tp_btf/block_rq_complete")
int BPF_PROG(rq_complete, struct request *rq, int error, unsigned int nr_bytes)
{
	__u32 dev = 0, flags = 0;
	__u64 start, now;

	if (!request_is_done(rq, nr_bytes))
		return 0;
	start = request_began_ns(rq);
	if (!start)
		return 0;
	now = bpf_ktime_get_ns();
	if (by_disk)
		dev = request_config.only_dev ?: request_dev(rq);
	if (by_flags)
		flags = request_flags(rq->cmd_flags);
	hist_record(dev, flags, now > start ? now - start : 0);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
