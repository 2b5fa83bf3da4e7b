/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "disks.h"
#include "hists.h"
#include "requests.h"
#include "biolatency.h"
#include "biolatency.skel.h"

static bool flags, disks, queued, milliseconds, extension, show_time;
static bool filtered, queued_unfiltered, issued;
static __u32 only_dev;
static uint64_t interval_ns, count;
static struct hists hists;
static bool from_issue;

#define MAX_KEYS 512 /* of disks with flags: 5 MB of kernel memory */

static const struct opt options[] = {
	{ 'F', "flags", NULL, OPT_FLAG, &flags, "a histogram for each set of request flags" },
	{ 'T', "timestamp", NULL, OPT_FLAG, &show_time, "the time of day above each report" },
	{ 'Q', "queued", NULL, OPT_FLAG, &queued, "with the time in the kernel's queues" },
	{ 'm', "milliseconds", NULL, OPT_FLAG, &milliseconds, "in milliseconds" },
	{ 'D', "disks", NULL, OPT_FLAG, &disks, "a histogram for each disk" },
	{ 'e', "extension", NULL, OPT_FLAG, &extension, "the total time, too" },
	{ 'd', "disk", "DISK", OPT_PARSE, &only_dev, "this disk only", .parse = disk_parse },
	{ 0 },
};
static const struct opt positional[] = {
	{ 0, "interval", "SEC", OPT_SEC, &interval_ns,
	  "seconds between reports (default: one at the end)" },
	{ 0, "count", "N", OPT_UINT, &count, "how many reports", .min = 1 },
	{ 0 },
};

static const struct probe probes[] = {
	PROBE_LADDER("the end of block I/O", "rq_complete"),
	{ .name = "who submits",
	  .rungs = { "io_start", "rq_insert rq_issue_direct" },
	  .when = &filtered },
	{ .name = "queueing",
	  .rungs = { "io_start", "rq_insert rq_issue_direct" },
	  .when = &queued_unfiltered,
	  .later = true },
	{ .name = "issue", .rungs = { "rq_issue" }, .when = &issued, .later = true },
	{ 0 },
};

static void title(struct out *o, const struct hist_key *key, const char *name)
{
	char text[160];

	if (disks)
		out_printf(o, "disk = %s%s", disk_name(key->k32), flags ? ", " : "");
	if (flags)
		out_printf(o, "flags = %s", io_flags_str(key->k64, text, sizeof(text)));
}

static void members(struct json *j, const struct hist_key *key, const char *name)
{
	char text[160];

	if (disks)
		json_str(j, "disk", disk_name(key->k32));
	if (flags)
		json_str(j, "flags", io_flags_str(key->k64, text, sizeof(text)));
}

static int setup(struct run *r)
{
	filtered = filter_is_set(&r->opt.filter);
	queued_unfiltered = queued && !filtered;
	issued = !queued;
	hists = (struct hists){
		.keyed = disks || flags,
		.max_keys = flags ? MAX_KEYS : disk_count() + 16,
		.unit_ns = milliseconds ? 1000000 : 1000,
		.total = extension,
		.clock = show_time,
		.title = title,
		.members = members,
	};
	return -1;
}

static void configure(struct run *r, struct bpf_object *obj)
{
	struct biolatency_bpf__rodata *ro = TOOL_RODATA(biolatency, obj);

	ro->queued = queued;
	ro->by_disk = disks;
	ro->by_flags = flags;
	ro->only_dev = only_dev;
	requests_configure(obj);
	hists_configure(&hists, obj);
}

/* Requests without the kernel's time stamp: from now on they are timed by a probe of our own. */
static void time_by_probe(struct run *r, const char *disk)
{
	struct io_control control = { .from_issue = 1 };

	from_issue = true;
	object_section_write(r->object.bpf, ".data.control", &control);
	if (!(queued && filtered) && object_attach_later(&r->object, queued ? "queueing" : "issue"))
		warn("requests of %s have no time stamp, and no probe that times them is granted",
		     disk);
	else
		note("the kernel does not stamp the requests of %s: timing them by a probe on each",
		     disk);
}

static void started(struct run *r)
{
	const char *disk = requests_unstamped(only_dev, queued);

	note("tracing block I/O%s",
	     interval_ns || r->opt.duration_ns ? "" : ": Ctrl-C ends it and shows the histogram");
	if (disk)
		time_by_probe(r, disk);
}

static void tick(struct run *r)
{
	if (!from_issue && object_percpu_sum(r->object.bpf, "io_left_out", IO_UNTIMED))
		time_by_probe(r, "a disk");
}

static uint64_t left_out(struct run *r, enum io_left_out why)
{
	return object_percpu_sum(r->object.bpf, "io_left_out", why);
}

static void finish(struct run *r)
{
	uint64_t untimed = left_out(r, IO_UNTIMED), passthrough = left_out(r, IO_PASSTHROUGH);
	uint64_t unfollowed = left_out(r, IO_UNFOLLOWED);

	r->lost += unfollowed;
	if (untimed || unfollowed)
		warn("%llu requests are not in these histograms: their begin was not seen",
		     (unsigned long long)(untimed + unfollowed));
	if (passthrough)
		note("%llu commands sent past the block layer (SG_IO and the like) are left out",
		     (unsigned long long)passthrough);
}

static void summary_json(struct run *r, struct json *j)
{
	json_u64(j, "untimed", left_out(r, IO_UNTIMED));
	json_u64(j, "passthrough", left_out(r, IO_PASSTHROUGH));
	json_str(j, "timed_by", from_issue ? "probe" : "kernel");
}

static void report(struct run *r)
{
	hists_report(&hists, r);
}

static const char *const examples[] = { "biolatency",
					"block I/O latency until Ctrl-C",
					"biolatency -mD 1 10",
					"each disk in ms: ten reports, one a second",
					"biolatency -Q -d nvme0n1",
					"one disk, with queueing",
					"biolatency -F -j 5",
					"by request flags, as JSON, every 5 s",
					NULL };

static const struct tool tool = {
	.name = "biolatency",
	.summary = "block I/O latency as histograms",
	.options = options,
	.positional = positional,
	.examples = examples,
	.image = TOOL_IMAGE(biolatency),
	.probes = probes,
	.facts = request_facts,
	.setup = setup,
	.configure = configure,
	.started = started,
	.report = report,
	.interval_ns = &interval_ns,
	.count = &count,
	.tick = tick,
	.finish = finish,
	.summary_json = summary_json,
};

int main(int argc, char **argv)
{
	return tool_main(&tool, argc, argv);
}
