/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * biosnoop.bpf.c: an event for each block request, when it is over.
 *
 * Programs: rq_ended below; request_made, bio_gets_request, bio_merged_front, request_issued
 * (lib/block/request_owner.probes.bpf.h).
 */
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>

#include "biosnoop.shared.h"
#include "lib/block/bio_file.bpf.h"
#include "lib/block/request_owner.probes.bpf.h"
#include "lib/core/events.bpf.h"
#include "lib/core/path.bpf.h"

const volatile __u64 min_ns;	/* only what took so long */
const volatile bool min_queued; /* with the time in the queue */
const volatile bool want_pattern;
const volatile bool want_all; /* flags, cgroup and file */

/* --- sequential or random ------------------------------------------------------------------ */

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);   /* disk */
	__type(value, __u64); /* the sector behind its last request */
} last_sectors SEC(".maps");

static __always_inline enum bio_pattern pattern_of(__u32 dev, const struct request_end *end)
{
	__u64 next = end->sector + (end->bytes >> 9), *last;
	bool follows;

	if (!end->bytes)
		return BIO_PATTERN_UNKNOWN;
	last = bpf_map_lookup_elem(&last_sectors, &dev);
	if (!last) {
		bpf_map_update_elem(&last_sectors, &dev, &next, BPF_ANY);
		return BIO_PATTERN_UNKNOWN;
	}
	follows = *last == end->sector;
	*last = next;
	return follows ? BIO_SEQUENTIAL : BIO_RANDOM;
}

/* --- the event ------------------------------------------------------------------------------ */

struct bio_scratch {
	struct bio_event event;
	char path[PATH_BYTES];
	bool busy;
};
EVENT_SCRATCH(struct bio_scratch, 1);

/* Writes a path of @inode. Returns its length; 0: no name of it is in memory. */
static __always_inline __u64 put_path(struct bio_scratch *s, struct inode *inode)
{
	struct dentry *dentry = inode_dentry(inode);
	struct path_buf *walk;
	__u32 zero = 0;

	walk = bpf_map_lookup_elem(&path_scratch, &zero);
	if (!dentry || !walk)
		return 0;
	path_walk_below(walk, dentry, NULL);
	return path_copy(s->path, walk, path_relative(walk));
}

static __always_inline void send_with_path(struct bio_event *e, struct inode *inode)
{
	struct bio_scratch *s = event_begin(0);
	__u64 size;

	e->inode = BPF_CORE_READ(inode, i_ino);
	if (!s || s->busy) { /* an interrupt has come in between */
		event_send(e, sizeof(*e));
		return;
	}
	s->busy = true;
	s->event = *e;
	s->event.path_len = put_path(s, inode);
	size = sizeof(*e) + s->event.path_len;
	barrier_var(size);
	if (size <= sizeof(*s))
		event_send(s, size);
	s->busy = false;
}

static __always_inline void fill_owner(struct bio_event *e, const struct request_owner *owner)
{
	if (owner) {
		e->head = owner->head;
		e->cgroup = owner->cgroup;
	} else {
		e->head.pid = e->head.tid = e->head.uid = EVENT_UNKNOWN;
		e->cgroup = ~0ULL;
	}
}

/* Fills the times. False: it did not take long enough. */
static __always_inline bool fill_times(struct bio_event *e, const struct request_end *end)
{
	__u64 now = bpf_ktime_get_ns(), took;

	e->head.ts = now;
	e->latency_ns = e->queued_ns = ~0ULL;
	if (!end->issued_ns) {
		request_leave_out(REQUEST_UNTIMED);
		return !min_ns;
	}
	took = e->latency_ns = now > end->issued_ns ? now - end->issued_ns : 0;
	if (end->made_ns) {
		e->queued_ns = end->issued_ns > end->made_ns ? end->issued_ns - end->made_ns : 0;
		if (min_queued)
			took += e->queued_ns;
	}
	return took >= min_ns;
}

static __always_inline void ended(struct request *rq, int error, unsigned int nr_bytes)
{
	struct bio_event e = {};
	struct request_end end;
	struct inode *inode;

	if (!request_ended(&end, rq, nr_bytes))
		return;
	e.dev = request_config.only_dev ?: request_dev(rq);
	if (want_pattern)
		e.pattern = pattern_of(e.dev, &end);
	if (!request_end_wanted(&end))
		return;
	fill_owner(&e, end.owner);
	if (!fill_times(&e, &end))
		return;
	e.sector = end.sector;
	e.bytes = end.bytes;
	e.part = request_part(rq);
	e.flags = want_all ? request_flags(request_asked_flags(rq)) : request_op(rq);
	e.error = error;
	inode = want_all ? bio_inode(rq->bio, e.flags) : NULL;
	if (inode)
		send_with_path(&e, inode);
	else
		event_send(&e, sizeof(e));
}

/* In an interrupt, or in a task: that of a loop device, or whoever submits, with null_blk. */
SEC("tp_btf/block_rq_complete")
int BPF_PROG(rq_ended, struct request *rq, int error, unsigned int nr_bytes)
{
	preempt_off();
	ended(rq, error, nr_bytes);
	preempt_on();
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
