/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "base/errnos.h"
#include "block/disks.h"
#include "block/request.h"
#include "run/tool.h"
#include "biosnoop.shared.h"
#include "biosnoop.skel.h"

static bool queued, pattern, extended;
static uint64_t min_ns;

static const struct opt options[] = {
	OPT('Q', "queue", .flag = &queued,
	    .help = "a column QUE(ms): the time in the kernel's queue"),
	OPT('d', "disk", .arg = "DISK", .parse = disk_parse, .value = &request_timing.only_dev,
	    .offer = disk_offer, .help = "this disk only"),
	OPT('P', "pattern", .flag = &pattern, .help = "a column P: sequential or random"),
	OPT('e', "extended", .flag = &extended,
	    .help = "partition, flags, error, cgroup and file, too"),
	OPT(0, "min", .arg = "MS", .ms = &min_ns,
	    .help = "only what took so long (with -Q, queue included)"),
	{ 0 },
};

/* --- columns ------------------------------------------------------------------------------ */

static void print_disk(struct out *o, const void *dev)
{
	out_escaped(o, disk_name(*(const uint32_t *)dev), DISK_NAME_LEN);
}

/* "-": it went to the whole disk. */
static void print_part(struct out *o, const void *event)
{
	const struct bio_event *e = event;

	if (e->part && e->part != e->dev)
		print_disk(o, &e->part);
	else
		out_char(o, e->part ? '-' : '?');
}

static void json_disk(struct json *j, const void *event)
{
	const struct bio_event *e = event;

	json_str(j, "disk", disk_name(e->dev));
	json_str(j, "partition", e->part && e->part != e->dev ? disk_name(e->part) : NULL);
}

static void print_letter(struct out *o, const void *flags)
{
	out_char(o, request_letter(*(const uint32_t *)flags));
}

static void print_flags(struct out *o, const void *flags)
{
	char text[160];

	out_str(o, request_flags_str(*(const uint32_t *)flags, text, sizeof(text)));
}

static void json_flags(struct json *j, const void *event)
{
	const struct bio_event *e = event;
	char text[160];

	json_str(j, "operation", request_operation(e->flags, text, sizeof(text)));
	json_str(j, "flags", request_flags_str(e->flags, text, sizeof(text)));
}

static void print_pattern(struct out *o, const void *event)
{
	out_char(o, "?SR"[((const struct bio_event *)event)->pattern]);
}

static void json_pattern(struct json *j, const void *event)
{
	static const char *const names[] = { NULL, "sequential", "random" };

	if (pattern)
		json_str(j, "pattern", names[((const struct bio_event *)event)->pattern]);
}

static void print_error(struct out *o, const void *error)
{
	int err = request_errno(*(const int32_t *)error);
	const char *name = err > 0 ? errno_name(err) : NULL;

	out_str(o, !err ? "0" : name ? name : "?");
}

static void json_error(struct json *j, const void *event)
{
	int err = request_errno(((const struct bio_event *)event)->error);

	if (err >= 0)
		json_errno(j, -err);
	else
		json_null(j, "errno");
}

static void print_file(struct out *o, const void *event)
{
	const struct bio_event *e = event;

	if (e->path_len)
		out_escaped(o, e->path, e->path_len);
	else if (e->inode)
		out_printf(o, "inode %llu", (unsigned long long)e->inode);
	else
		out_char(o, '?');
}

static void json_file(struct json *j, const void *event)
{
	const struct bio_event *e = event;

	json_u64_known(j, "inode", e->inode, e->inode);
	json_strn(j, "path", e->path_len ? e->path : NULL, e->path_len);
}

static const struct column columns[] = {
	COL_CLOCK,
	COL_ELAPSED(NULL),
	COL_HEAD(comm, "COMM", .width = 14, .fmt = FMT_STR),
	COL_HEAD(pid, "PID", .width = 7),
	COL(bio_event, dev, "DISK", .width = 9, .text = print_disk, .json = json_disk,
	    .keys = "disk partition"),
	COL(bio_event, flags, "T", .width = 1, .text = print_letter, .json = json_flags,
	    .keys = "operation flags"),
	COL(bio_event, sector, "SECTOR", .width = 10, .key = "sector"),
	COL(bio_event, bytes, "BYTES", .width = 7, .key = "bytes"),
	COL_CUSTOM("P", .width = 1, .show = &pattern, .text = print_pattern, .json = json_pattern,
		   .keys = "pattern"),
	COL(bio_event, queued_ns, "QUE(ms)", .width = -7, .fmt = FMT_KNOWN, .show = &queued,
	    .text = table_ms_us, .key = "queued_ns"),
	COL(bio_event, latency_ns, "LAT(ms)", .width = -7, .fmt = FMT_KNOWN, .text = table_ms_us,
	    .key = "latency_ns"),
	COL_CUSTOM("PART", .width = 9, .show = &extended, .text = print_part),
	COL(bio_event, error, "ERR", .width = 3, .show = &extended, .text = print_error,
	    .json = json_error, .keys = JSON_ERRNO_KEYS),
	COL(bio_event, cgroup, "CGROUP", .width = 6, .fmt = FMT_KNOWN, .show = &extended,
	    .key = "cgroup_id"),
	COL(bio_event, flags, "FLAGS", .width = 18, .show = &extended, .text = print_flags),
	COL_CUSTOM("FILE", .show = &extended, .text = print_file, .json = json_file,
		   .keys = "inode path"),
	COL_END,
};

/* --- hooks -------------------------------------------------------------------------------- */

/* They are attached in this order: so what begins in between has an owner. */
static const struct probe probes[] = {
	REQUEST_OWNER_PROBES,
	PROBE_LADDER("the end of block I/O", "rq_ended"),
	{ 0 },
};

static int setup(struct run *r)
{
	request_setup(r);
	return GO_ON;
}

static void configure(struct run *r)
{
	struct biosnoop_bpf__rodata *ro = TOOL_RODATA(biosnoop, r);

	ro->min_ns = min_ns;
	ro->min_queued = queued;
	ro->want_pattern = pattern;
	ro->want_all = extended || r->opt.json;
	request_configure(&r->object);
}

static void finish(struct run *r)
{
	request_say_left_out(r, min_ns ? "shown" : "timed");
}

static const char *const examples[] = { "biosnoop",
					"every block I/O, and whose it is",
					"biosnoop -Q --min 10",
					"what took 10 ms or more, queueing included",
					"biosnoop -e -d nvme0n1",
					"one disk, with flags, cgroups and files",
					"biosnoop --cgroup /system.slice -j",
					"of services, as JSON",
					NULL };

static const struct tool tool = {
	.name = "biosnoop",
	.summary = "shows block I/O, whose it is and how long it took",
	.options = options,
	.columns = columns,
	.event_size = sizeof(struct bio_event),
	.probes = probes,
	.facts = request_facts,
	.image = TOOL_IMAGE(biosnoop),
	.examples = examples,
	.setup = setup,
	.configure = configure,
	.started = request_started,
	.tick = request_tick,
	.finish = finish,
	.summary_json = request_owner_summary,
	.summary_keys = REQUEST_OWNER_SUMMARY_KEYS,
};

int main(int argc, char **argv)
{
	return tool_main(&tool, argc, argv);
}
