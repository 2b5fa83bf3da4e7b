/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * request: what user space knows of block requests; the other side is bpf/lib/block/request.bpf.h.
 */
#ifndef BORESCOPE_BLOCK_REQUEST_H
#define BORESCOPE_BLOCK_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/types.h>

#include "kernel/object.h"
#include "lib/block/request.shared.h"

struct json;
struct run;

/* For a tool's .facts, and for its configure hook, which tells the kernel side what it has to know
 * of this kernel and of request_timing. */
extern const struct kernel_fact request_facts[];
void request_configure(struct object *o);

/*
 * Writes a request's operation (enum req_op, the low 8 bits) and flags (bits of enum request_flag,
 * bpf/lib/block/request.shared.h) in BCC's words into @buf: "Sync-Write", "ReadAhead-Read". Returns
 * @buf.
 */
const char *request_flags_str(uint64_t flags, char *buf, size_t size);

/* Its operation by one letter: R, W, F (flush), D (discard), S (secure erase), Z (of zones); "?":
 * one that we don't know. */
char request_letter(uint64_t flags);

/* Its operation as other programs are given it: "read", "write_zeroes". Returns @buf. */
const char *request_operation(uint64_t flags, char *buf, size_t size);

/* The errno of what block_rq_complete says of the end: -errno, or (from 5.18 or so) a blk_status_t.
 * 0: it was done; -1: it failed, for a reason whose number moves between kernels. */
int request_errno(int error);

/*
 * Timing requests, as bpf/lib/block/request_time.probes.bpf.h does it: by the kernel's own stamps,
 * and by a probe on each request where there are none. A tool's options go into request_timing;
 * REQUEST_PROBES stand among its probes, request_setup() and request_started() are called by its
 * hooks of that name, and .facts, .tick and .summary_json are request_facts, request_tick and
 * request_summary.
 */
extern struct request_timing {
	/* What the tool's options ask for: */
	bool queued;	   /* time from when a request is submitted, not from when it is issued */
	uint32_t only_dev; /* this disk's requests alone; 0: all disks */

	/*
	 * Which of REQUEST_PROBES that takes. request_setup() tells from the above and the filter.
	 * The first is attached from the beginning; one of the others is attached later, when it
	 * turns out that the kernel does not stamp requests.
	 */
	bool owner;    /* a probe notes who submits: there is a filter, which judges that task */
	bool queueing; /* a probe notes when a request is submitted (with owner, that probe does) */
	bool issue;    /* a probe notes when a request is issued */

	/* The kernel does not stamp the requests: probes time them from now on. */
	bool by_probe;
} request_timing;

#define REQUEST_PROBE(name_, when_, later_, ...)                                                   \
	{                                                                                          \
		.name = (name_), .rungs = { __VA_ARGS__ }, .when = &request_timing.when_,          \
		.later = (later_)                                                                  \
	}
#define REQUEST_BEGIN "io_start", "rq_insert rq_issue_direct"
#define REQUEST_PROBES                                                                             \
	REQUEST_PROBE("who submits", owner, false, REQUEST_BEGIN),                                 \
		REQUEST_PROBE("queueing", queueing, true, REQUEST_BEGIN),                          \
		REQUEST_PROBE("issue", issue, true, "rq_issue")

/* In the place of REQUEST_PROBES, for a tool that says whose each request is (it includes
 * bpf/lib/block/request_owner.probes.bpf.h). */
#define REQUEST_OWNER_PROBES                                                                       \
	PROBE_LADDER("who submits", "request_made", "bio_gets_request bio_merged_front"),          \
		REQUEST_PROBE("issue", issue, true, "request_issued")

void request_setup(const struct run *r);
/* Prints a note where requests are timed by a probe. */
void request_started(struct run *r);
/* Does the same where only the requests themselves have shown that they are not stamped. */
void request_tick(struct run *r);

/* In the finish hook: prints how many requests are not @where ("in these histograms"), and why; and
 * how many are not shown as nobody knows whether their owner passes the filter. */
void request_say_left_out(struct run *r, const char *where);
/* Members of the summary. */
void request_summary(struct run *r, struct json *j);
#define REQUEST_SUMMARY_KEYS "untimed passthrough timed_by"
/* The same, for a tool with REQUEST_OWNER_PROBES. */
void request_owner_summary(struct run *r, struct json *j);
#define REQUEST_OWNER_SUMMARY_KEYS REQUEST_SUMMARY_KEYS " ownerless"

#endif
