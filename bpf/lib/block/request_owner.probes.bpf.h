/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * request_owner.probes.bpf.h: whose a block request is, asked at its end, when any task may be on
 * the CPU. It defines the programs that note who makes a request: request_made, or, on a kernel
 * without that tracepoint, bio_gets_request and bio_merged_front; and request_issued, for requests
 * that the kernel does not stamp (libcommon/block/request.h decides: REQUEST_OWNER_PROBES).
 *
 * block_io_start (from 6.5, 5a80bd075f3b) is passed by the task that submits, as soon as there is a
 * request. Before, block_getrq is passed by the same task in the same place, but is given the bio
 * only: so it is by its first bio that a request is found there. One that is merged into a request
 * in front of it becomes its first bio (block_bio_frontmerge). block_rq_insert and block_rq_issue
 * would not do: requests of a flush sequence, such as a journal's, pass these in a thread of the
 * kernel (kblockd), or not at all.
 *
 * A kernel thread submits for others. The cgroup on whose account that is stands in the bio.
 */
#ifndef BORESCOPE_BPF_BLOCK_REQUEST_OWNER_PROBES_BPF_H
#define BORESCOPE_BPF_BLOCK_REQUEST_OWNER_PROBES_BPF_H

#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>

#include "lib/core/compat.bpf.h"
#include "lib/core/constants.bpf.h"
#include "lib/core/events.bpf.h"
#include "lib/core/filter.bpf.h"
#include "lib/block/request.bpf.h"

#define REQUEST_OWNERS_MAX 32768

enum request_known {
	REQUEST_OVER,	/* what is here is about an earlier request */
	REQUEST_UNSEEN, /* nobody saw it begin */
	REQUEST_UNWANTED,
	REQUEST_WANTED, /* its owner passes the filter */
};

struct request_owner {
	struct event_head head; /* who submits; ts: when */
	__u64 cgroup;		/* id; all bits set: not known */
	__u64 issued_ns;	/* 0: that was not noted here */
	__u64 sector;		/* where it began, once a part of it is done */
	__u32 bytes;		/* that are done, while others are not */
	__u32 known;		/* enum request_known */
};

/*
 * By the address of the request, or of its first bio. An entry is not deleted when the request is
 * over, for another request will be at the same address soon: that saves half of the time. The
 * kernel forgets the least used ones.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, REQUEST_OWNERS_MAX);
	__type(key, __u64);
	__type(value, struct request_owner);
} request_owners SEC(".maps");

/* The entry of @key, made if there is none. */
static __always_inline struct request_owner *request_owner_entry(__u64 key)
{
	struct request_owner *owner = bpf_map_lookup_elem(&request_owners, &key);

	if (!owner) {
		struct request_owner none = {};

		bpf_map_update_elem(&request_owners, &key, &none, BPF_ANY);
		owner = bpf_map_lookup_elem(&request_owners, &key);
	}
	return owner;
}

/* --- the begin ---------------------------------------------------------------------------- */

static __always_inline bool request_owner_is_kernel(void)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	if (have_task_btf())
		return bpf_get_current_task_btf()->flags & PF_KTHREAD;
	return BPF_CORE_READ(task, flags) & PF_KTHREAD;
}

/* The cgroup on whose account @bio is; NULL: it is of cgroups v1, or there are no such accounts. */
static __always_inline struct cgroup *request_owner_account(struct bio *bio)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct cgroup *cgrp;

	if (!bpf_core_field_exists(bio->bi_blkg))
		return NULL;
	cgrp = BPF_CORE_READ(bio, bi_blkg, blkcg, css.cgroup);
	if (BPF_CORE_READ(cgrp, root) != BPF_CORE_READ(task, cgroups, dfl_cgrp, root))
		return NULL;
	return cgrp;
}

/* That is the root for all that nobody has put on somebody's account: then it is not known. */
static __always_inline __u64 request_owner_account_id(struct cgroup *cgrp)
{
	return cgrp && BPF_CORE_READ(cgrp, level) ? BPF_CORE_READ(cgrp, kn, id) : ~0ULL;
}

/* The task on the CPU makes the request of @key, of @bio. @made_ns: when; 0: now. */
static __always_inline void request_owner_is_current(__u64 key, struct bio *bio, __u64 made_ns)
{
	bool kernel = request_owner_is_kernel();
	struct cgroup *account = kernel ? request_owner_account(bio) : NULL;
	struct request_owner *owner = request_owner_entry(key);

	if (!owner)
		return;
	owner->issued_ns = 0;
	owner->bytes = 0;
	if (!filter_current_for(account)) {
		owner->known = REQUEST_UNWANTED;
		return;
	}
	event_head_at(&owner->head, made_ns ?: bpf_ktime_get_ns());
	owner->cgroup = kernel ? request_owner_account_id(account) : bpf_get_current_cgroup_id();
	owner->known = REQUEST_WANTED;
}

SEC("tp_btf/block_io_start")
int BPF_PROG(request_made, struct request *rq)
{
	preempt_off();
	if (request_on_wanted_disk(rq) && !request_is_passthrough(rq))
		request_owner_is_current((__u64)rq, rq->bio, request_submitted_ns(rq));
	preempt_on();
	return 0;
}

static __always_inline void request_owner_of_bio(struct bio *bio)
{
	struct bio___disk *old = (void *)bio;
	__u32 dev;

	preempt_off();
	if (request_config.only_dev) {
		dev = request_disk_dev(bpf_core_field_exists(old->bi_disk) ? old->bi_disk
									   : bio->bi_bdev->bd_disk);
		if (dev != request_config.only_dev)
			goto out;
	}
	request_owner_is_current((__u64)bio, bio, 0);
out:
	preempt_on();
}

/* The bio stands behind others up to 5.10. These are two loads, kept apart by asm that differs: the
 * verifier allows no load from the context at a computed place. */
#define REQUEST_OWNER_BIO(behind)                                                                  \
	({                                                                                         \
		__u64 __bio;                                                                       \
		if (request_config.bio_args) {                                                     \
			__bio = ctx[behind];                                                       \
			__asm__ volatile("/* behind */" : "+r"(__bio));                            \
		} else {                                                                           \
			__bio = ctx[0];                                                            \
			__asm__ volatile("/* first */" : "+r"(__bio));                             \
		}                                                                                  \
		(void *)__bio;                                                                     \
	})

SEC("tp_btf/block_getrq")
int bio_gets_request(unsigned long long *ctx)
{
	request_owner_of_bio(REQUEST_OWNER_BIO(1));
	return 0;
}

SEC("tp_btf/block_bio_frontmerge")
int bio_merged_front(unsigned long long *ctx)
{
	request_owner_of_bio(REQUEST_OWNER_BIO(2));
	return 0;
}

/* --- on the way --------------------------------------------------------------------------- */

/* What is known of @rq since its begin; NULL: nothing. *@by_bio: it is its bio's entry. */
static __always_inline struct request_owner *request_owner_find(struct request *rq, bool *by_bio)
{
	__u64 key = (__u64)rq;
	struct request_owner *owner = bpf_map_lookup_elem(&request_owners, &key);

	*by_bio = false;
	if (owner && owner->known)
		return owner;
	/* that of a flush sequence, whose data are written, is the last one again */
	key = (__u64)rq->bio ?: (__u64)rq->biotail;
	if (!key)
		return NULL;
	*by_bio = true;
	owner = bpf_map_lookup_elem(&request_owners, &key);
	return owner && owner->known ? owner : NULL;
}

/* That of @rq by its own address: for what comes when its first bio may be gone. */
static __always_inline struct request_owner *request_owner_keep(struct request *rq)
{
	struct request_owner copy = {}, *owner;
	__u64 key = (__u64)rq;
	bool by_bio;

	owner = request_owner_find(rq, &by_bio);
	if (owner && !by_bio)
		return owner;
	copy.known = REQUEST_UNSEEN;
	if (owner) {
		copy = *owner;
		owner->known = REQUEST_OVER;
	}
	bpf_map_update_elem(&request_owners, &key, &copy, BPF_ANY);
	return bpf_map_lookup_elem(&request_owners, &key);
}

static __always_inline void request_owner_issued(struct request *rq)
{
	struct request_owner *owner;

	if (!request_on_wanted_disk(rq) || request_is_passthrough(rq))
		return;
	owner = request_owner_keep(rq);
	if (owner)
		owner->issued_ns = bpf_ktime_get_ns();
}

/* For requests that the kernel does not stamp. */
SEC("tp_btf/block_rq_issue")
int request_issued(unsigned long long *ctx)
{
	preempt_off();
	request_owner_issued(request_arg(ctx));
	preempt_on();
	return 0;
}

/* --- the end ------------------------------------------------------------------------------ */

/* A request that is over. */
struct request_end {
	struct request_owner *owner; /* NULL: not known */
	__u32 known;		     /* of it (enum request_known) */
	__u32 bytes;
	__u64 sector;
	__u64 made_ns, issued_ns; /* 0: not known */
};

/*
 * The request that waits for the flush @rq, the first of them: the flush is made for its sake. It
 * is a request that is never submitted itself.
 */
static __always_inline __u64 request_owner_waiter(struct request *rq)
{
	struct blk_flush_queue *fq = BPF_CORE_READ(rq, mq_hctx, fq);
	struct request___flush *old = NULL;
	__u32 running = BPF_CORE_READ_BITFIELD_PROBED(fq, flush_running_idx);
	struct list_head list = {};

	bpf_core_read(&list, sizeof(list), &fq->flush_queue[running & 1]);
	if (bpf_core_field_exists(old->flush.list))
		return (__u64)list.next - bpf_core_field_offset(old->flush.list);
	return (__u64)list.next - bpf_core_field_offset(rq->queuelist);
}

static __always_inline struct request_owner *request_owner_of_flush(struct request *rq)
{
	__u64 key = request_owner_waiter(rq);
	struct request *waiter = (void *)key;
	struct request_owner *owner = bpf_map_lookup_elem(&request_owners, &key);

	if (owner && owner->known)
		return owner;
	key = (__u64)BPF_CORE_READ(waiter, biotail);
	owner = bpf_map_lookup_elem(&request_owners, &key);
	return owner && owner->known ? owner : NULL;
}

/* A part of it is done, of @nr_bytes: the request goes on behind it. */
static __always_inline void request_part_ended(struct request *rq, unsigned int nr_bytes)
{
	struct request_owner *owner;

	if (!nr_bytes || !(owner = request_owner_keep(rq)))
		return;
	if (!owner->bytes)
		owner->sector = rq->__sector;
	owner->bytes += nr_bytes < rq->__data_len ? nr_bytes : rq->__data_len;
}

/* When it was made, and issued. */
static __always_inline void request_end_times(struct request_end *end, struct request *rq,
					      const struct request_owner *owner)
{
	end->made_ns = request_submitted_ns(rq);
	end->issued_ns = rq->io_start_time_ns;
	if (owner && owner->issued_ns)
		end->issued_ns = owner->issued_ns;
	if (owner && !end->made_ns && owner->known == REQUEST_WANTED)
		end->made_ns = owner->head.ts;
	/* a flush without data is never issued: it waits for the flush proper */
	if (!end->issued_ns && !end->bytes)
		end->issued_ns = end->made_ns;
}

/* At block_rq_complete: is it the end of a request, and what of? (False also for commands from user
 * space, and on other disks than the one that is wanted.) */
static __always_inline bool request_ended(struct request_end *end, struct request *rq,
					  unsigned int nr_bytes)
{
	struct request_owner *owner;
	bool by_bio;

	if (!request_on_wanted_disk(rq))
		return false;
	if (request_is_passthrough(rq)) {
		if (!filter_any()) /* with a filter, who sent it matters and is not known */
			request_leave_out(REQUEST_PASSTHROUGH);
		return false;
	}
	if (!request_is_done(rq, nr_bytes)) {
		request_part_ended(rq, nr_bytes);
		return false;
	}
	owner = request_owner_find(rq, &by_bio);
	end->owner = owner;
	end->bytes = rq->__data_len;
	end->sector = rq->__sector;
	if (owner && owner->bytes) {
		end->bytes += owner->bytes;
		end->sector = owner->sector;
	}
	request_end_times(end, rq, owner);
	if (request_op(rq) == REQ_OP_FLUSH) {
		end->owner = request_owner_of_flush(rq);
		end->sector = 0;
	}
	end->known = end->owner ? end->owner->known : REQUEST_UNSEEN;
	if (end->known == REQUEST_UNSEEN)
		end->owner = NULL;
	if (owner)
		owner->known = REQUEST_OVER;
	return true;
}

/* Does its owner pass the filter? Where there is none, a request is shown whose owner is not
 * known. */
static __always_inline bool request_end_wanted(const struct request_end *end)
{
	if (end->known != REQUEST_UNSEEN)
		return end->known == REQUEST_WANTED;
	if (filter_any())
		request_leave_out(REQUEST_OWNERLESS);
	return !filter_any();
}

#endif
