/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/line.h"
#include "base/util.h"
#include "block/disks.h"
#include "block/request.h"
#include "run/filter.h"
#include "run/run.h"

/* RQF_FLUSH_SEQ was a macro, 1 << 4, up to 6.10. The other two are not needed as macros: those
 * kernels clear start_time_ns where they don't set it. */
static int64_t issue_args = 2, getrq_args = 2, flush_seq_bit = 4, io_stat_bit = -1,
	       use_sched_bit = -1;

/* The operations on zones, enum req_op (req_opf before 6.0), whose numbers move between kernels. */
enum { ZONE_OPEN, ZONE_CLOSE, ZONE_FINISH, ZONE_APPEND, ZONE_RESET, ZONE_RESET_ALL, ZONE_OPS };
static int64_t zone_ops[ZONE_OPS] = { -1, -1, -1, -1, -1, -1 };
static const char *const zone_names[ZONE_OPS] = { "ZoneOpen",	"ZoneClose", "ZoneFinish",
						  "ZoneAppend", "ZoneReset", "ZoneResetAll" };

struct request_timing request_timing;

const struct kernel_fact request_facts[] = {
	{ "btf_trace_block_rq_issue", BTF_TYPEDEF, &issue_args },
	{ "btf_trace_block_getrq", BTF_TYPEDEF, &getrq_args },
	{ "__RQF_FLUSH_SEQ", BTF_ENUMERATOR, &flush_seq_bit },
	{ "__RQF_IO_STAT", BTF_ENUMERATOR, &io_stat_bit },
	{ "__RQF_USE_SCHED", BTF_ENUMERATOR, &use_sched_bit },
	{ "REQ_OP_ZONE_OPEN", BTF_ENUMERATOR, &zone_ops[ZONE_OPEN] },
	{ "REQ_OP_ZONE_CLOSE", BTF_ENUMERATOR, &zone_ops[ZONE_CLOSE] },
	{ "REQ_OP_ZONE_FINISH", BTF_ENUMERATOR, &zone_ops[ZONE_FINISH] },
	{ "REQ_OP_ZONE_APPEND", BTF_ENUMERATOR, &zone_ops[ZONE_APPEND] },
	{ "REQ_OP_ZONE_RESET", BTF_ENUMERATOR, &zone_ops[ZONE_RESET] },
	{ "REQ_OP_ZONE_RESET_ALL", BTF_ENUMERATOR, &zone_ops[ZONE_RESET_ALL] },
	{ 0 },
};

void request_configure(struct object *o)
{
	struct request_config *config =
		object_section(o, ".rodata.request", "lib/block/request.bpf.h");

	config->old_args = issue_args == 3; /* the tracepoint's data, queue, request */
	/* up to 5.10: its data, queue, bio, int; block_bio_frontmerge has changed with it */
	config->bio_args = getrq_args > 2;
	config->flush_seq = 1U << flush_seq_bit;
	if (io_stat_bit >= 0 && use_sched_bit >= 0)
		config->time_flags = 1U << io_stat_bit | 1U << use_sched_bit;
	config->queued = request_timing.queued;
	config->only_dev = request_timing.only_dev;
}

/* NULL: it has no name that we know. */
static const char *op_name(unsigned int op)
{
	/* these numbers never changed */
	static const char *const ops[] = {
		[0] = "Read",	 [1] = "Write",	      [2] = "Flush",
		[3] = "Discard", [5] = "SecureErase", [9] = "WriteZeroes",
	};

	for (int i = 0; i < ZONE_OPS; i++)
		if (zone_ops[i] == op)
			return zone_names[i];
	return op < ARRAY_SIZE(ops) ? ops[op] : NULL;
}

const char *request_flags_str(uint64_t flags, char *buf, size_t size)
{
	static const struct {
		int bit;
		const char *name;
	} names[] = {
		{ REQUEST_NOWAIT, "NoWait" },	     { REQUEST_BACKGROUND, "Background" },
		{ REQUEST_RAHEAD, "ReadAhead" },     { REQUEST_PREFLUSH, "PreFlush" },
		{ REQUEST_FUA, "ForcedUnitAccess" }, { REQUEST_IDLE, "Idle" },
		{ REQUEST_NOMERGE, "NoMerge" },	     { REQUEST_PRIO, "Priority" },
		{ REQUEST_META, "Metadata" },	     { REQUEST_SYNC, "Sync" },
	};
	unsigned int op = flags & 0xff;
	const char *name = op_name(op);
	size_t len = 0;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (flags >> names[i].bit & 1 && len < size)
			len += snprintf(buf + len, size - len, "%s-", names[i].name);
	if (len < size && name)
		snprintf(buf + len, size - len, "%s", name);
	else if (len < size)
		snprintf(buf + len, size - len, "Operation%u", op);
	return buf;
}

char request_letter(uint64_t flags)
{
	const char *name = op_name(flags & 0xff);

	return name ? *name : '?';
}

const char *request_operation(uint64_t flags, char *buf, size_t size)
{
	const char *name = op_name(flags & 0xff);
	size_t n = 0;

	if (!name) {
		snprintf(buf, size, "operation_%u", (unsigned int)(flags & 0xff));
		return buf;
	}
	for (const char *c = name; *c && n + 2 < size; c++) {
		if (isupper((unsigned char)*c) && c > name)
			buf[n++] = '_';
		buf[n++] = tolower((unsigned char)*c);
	}
	buf[n] = '\0';
	return buf;
}

int request_errno(int error)
{
	/* blk_status_t: the kernel's blk_errors[]. From 14 on the numbers have moved. */
	static const int errnos[] = {
		[1] = EOPNOTSUPP, [2] = ETIMEDOUT, [3] = ENOSPC, [4] = ENOLINK, [5] = EREMOTEIO,
		[6] = EBADE,	  [7] = ENODATA,   [8] = EILSEQ, [9] = ENOMEM,	[10] = EIO,
		[11] = EREMCHG,	  [12] = EAGAIN,   [13] = EBUSY,
	};

	if (error <= 0)
		return -error;
	return (size_t)error < ARRAY_SIZE(errnos) ? errnos[error] : -1;
}

/* The first line of a disk's attribute; "" when it has none. */
static void disk_attribute(const char *disk, const char *name, char *text, size_t size)
{
	char path[512];

	snprintf(path, sizeof(path), "/sys/block/%s/%s", disk, name);
	line_first(path, text, size);
}

/* Whether the conditions of blk_mq_start_request() or blk_mq_need_time_stamp() hold, as far as
 * sysfs shows them. */
static bool is_stamped(const char *disk, bool at_submission)
{
	char text[256];

	disk_attribute(disk, "queue/scheduler", text, sizeof(text));
	if (at_submission && !strstr(text, "[none]") && text[0])
		return true;
	if (!at_submission && strstr(text, "[kyber]"))
		return true;
	disk_attribute(disk, at_submission ? "queue/iostats" : "queue/wbt_lat_usec", text,
		       sizeof(text));
	/* write-back throttling keeps statistics also while it is off (0); without it, EINVAL */
	return at_submission ? strtol(text, NULL, 10) > 0 : text[0];
}

/*
 * Returns a disk, among those that are traced, on whose requests the kernel does not seem to stamp
 * when they are issued (or submitted, whichever counts). NULL: there is none. This is judged by
 * sysfs, and not certain either way: blk-iocost and others keep statistics that sysfs does not
 * show. The string lives until the next call.
 */
static const char *unstamped_disk(void)
{
	const struct request_timing *t = &request_timing;
	static char name[DISK_NAME_LEN];
	const char *found = NULL;
	bool avoid = probe_avoids("stamps");
	struct dirent *e;
	DIR *d = opendir("/sys/block");

	while (d && !found && (e = readdir(d))) {
		char path[512], text[32];

		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/sys/block/%s/mq", e->d_name);
		if (access(path, F_OK)) /* not a queue of requests: dm, md, zram */
			continue;
		disk_attribute(e->d_name, "size", text, sizeof(text));
		snprintf(name, sizeof(name), "%.63s", e->d_name);
		for (char *c = name; (c = strchr(c, '!')); c++)
			*c = '/';
		if (strtoull(text, NULL, 10) &&
		    (!t->only_dev || !strcmp(name, disk_name(t->only_dev))) &&
		    (avoid || !is_stamped(e->d_name, t->queued)))
			found = name;
	}
	if (d)
		closedir(d);
	return found;
}

void request_setup(const struct run *r)
{
	struct request_timing *t = &request_timing;

	t->owner = filter_is_set(&r->opt.filter);
	t->queueing = t->queued && !t->owner;
	t->issue = !t->queued;
}

/* For requests without the kernel's time stamp: from now on a probe of our own times them. */
static void time_by_probe(struct run *r, const char *disk)
{
	struct request_control control = { .from_issue = 1 };
	const struct request_timing *t = &request_timing;
	const char *probe = t->queueing ? "queueing" : t->issue ? "issue" : NULL;

	request_timing.by_probe = true;
	programs_write(&r->object.programs, ".data.request", &control);
	if (probe && object_attach_later(&r->object, probe))
		warn("requests of %s have no time stamp, and no probe that times them is granted",
		     disk);
	else
		note("the kernel does not stamp the requests of %s: timing them by a probe on each",
		     disk);
}

static uint64_t left_out(const struct run *r, enum request_left_out why)
{
	return programs_percpu_sum(&r->object.programs, "request_left_out", why);
}

/* A disk that was asked for by its name, and has no requests: why, and where to look. */
static void say_without_requests(uint32_t dev)
{
	char below[512], paths[512];

	if (disk_has_requests(dev, below, paths, sizeof(below)))
		return;
	if (below[0])
		note("%s has no requests of its own: look at what it is made of: %s",
		     disk_name(dev), below);
	else if (paths[0])
		note("%s has no requests of its own: they are of the paths to it (%s), which have "
		     "no device number to be chosen by and are seen without -d",
		     disk_name(dev), paths);
	else
		note("%s has no requests: what is read and written is done at once, without a "
		     "queue",
		     disk_name(dev));
}

void request_started(struct run *r)
{
	const char *disk = unstamped_disk();

	if (request_timing.only_dev)
		say_without_requests(request_timing.only_dev);
	if (disk)
		time_by_probe(r, disk);
}

void request_tick(struct run *r)
{
	if (!request_timing.by_probe && left_out(r, REQUEST_UNTIMED))
		time_by_probe(r, "a disk");
}

void request_say_left_out(struct run *r, const char *where)
{
	uint64_t untimed = left_out(r, REQUEST_UNTIMED),
		 passthrough = left_out(r, REQUEST_PASSTHROUGH);
	uint64_t unfollowed = left_out(r, REQUEST_UNFOLLOWED);
	uint64_t ownerless = left_out(r, REQUEST_OWNERLESS);

	run_lost(r, unfollowed);
	if (untimed || unfollowed)
		warn("%llu requests are not %s: their begin was not seen",
		     (unsigned long long)(untimed + unfollowed), where);
	if (ownerless)
		note("%llu requests are not shown: whose they are is not known, so that no filter "
		     "can judge them",
		     (unsigned long long)ownerless);
	if (passthrough)
		note("%llu commands sent past the block layer (SG_IO and the like) are left out",
		     (unsigned long long)passthrough);
}

void request_summary(struct run *r, struct json *j)
{
	json_u64(j, "untimed", left_out(r, REQUEST_UNTIMED));
	json_u64(j, "passthrough", left_out(r, REQUEST_PASSTHROUGH));
	json_str(j, "timed_by", request_timing.by_probe ? "probe" : "kernel");
}

void request_owner_summary(struct run *r, struct json *j)
{
	request_summary(r, j);
	json_u64(j, "ownerless", left_out(r, REQUEST_OWNERLESS));
}
