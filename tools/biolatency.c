/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "base/util.h"
#include "block/disks.h"
#include "hist/hist_maps.h"
#include "block/request.h"
#include "run/tool.h"
#include "biolatency.skel.h"

static bool flags, disks, milliseconds, extension, show_time;
static struct hist_maps hists;

#define MAX_KEYS 512 /* of disks with flags: 5 MB of kernel memory */

static const struct opt options[] = {
	OPT('F', "flags", .flag = &flags, .help = "a histogram for each set of request flags"),
	OPT('T', "timestamp", .flag = &show_time, .help = "the time of day above each report"),
	OPT('Q', "queued", .flag = &request_timing.queued,
	    .help = "with the time in the kernel's queues"),
	OPT('m', "milliseconds", .flag = &milliseconds, .help = "in milliseconds"),
	OPT('D', "disks", .flag = &disks, .help = "a histogram for each disk"),
	OPT('e', "extension", .flag = &extension, .help = "the total time, too"),
	OPT('d', "disk", .arg = "DISK", .parse = disk_parse, .value = &request_timing.only_dev,
	    .offer = disk_offer, .help = "this disk only"),
	{ 0 },
};

static const struct probe probes[] = {
	PROBE_LADDER("the end of block I/O", "rq_complete"),
	REQUEST_PROBES,
	{ 0 },
};

static void title(struct out *o, const struct hist_key *key, const char *name)
{
	char text[160];

	if (disks)
		out_printf(o, "disk = %s%s", disk_name(key->k32), flags ? ", " : "");
	if (flags)
		out_printf(o, "flags = %s", request_flags_str(key->k64, text, sizeof(text)));
}

static void members(struct json *j, const struct hist_key *key, const char *name)
{
	char text[160];

	if (disks)
		json_str(j, "disk", disk_name(key->k32));
	if (flags)
		json_str(j, "flags", request_flags_str(key->k64, text, sizeof(text)));
}

static const struct view views[] = { HIST_VIEWS("disk flags total", "disk flags"), VIEW_END };

static int setup(struct run *r)
{
	request_setup(r);
	hist_maps_setup(r);
	hists = (struct hist_maps){
		.keyed = disks || flags,
		.max_keys = flags ? MAX_KEYS : disk_count() + 16,
		.unit_ns = milliseconds ? NSEC_PER_MSEC : NSEC_PER_USEC,
		.total = extension,
		.clock = show_time,
		.title = title,
		.members = members,
	};
	return GO_ON;
}

static void configure(struct run *r)
{
	struct biolatency_bpf__rodata *ro = TOOL_RODATA(biolatency, r);

	ro->by_disk = disks;
	ro->by_flags = flags;
	request_configure(&r->object);
	hist_maps_configure(&hists, r);
}

static void started(struct run *r)
{
	hist_maps_started(r, "block I/O");
	request_started(r);
}

static void finish(struct run *r)
{
	hist_maps_finish(r, "requests");
	request_say_left_out(r, "in these histograms");
}

static void report(struct run *r)
{
	hist_maps_report(&hists, r);
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
	.positional = hist_maps_positional,
	.examples = examples,
	.image = TOOL_IMAGE(biolatency),
	.probes = probes,
	.facts = request_facts,
	.setup = setup,
	.configure = configure,
	.started = started,
	.report = report,
	.tick = request_tick,
	.finish = finish,
	.summary_json = request_summary,
	.summary_keys = REQUEST_SUMMARY_KEYS,
	.views = views,
};

int main(int argc, char **argv)
{
	return tool_main(&tool, argc, argv);
}
