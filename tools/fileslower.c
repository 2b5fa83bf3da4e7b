/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <stdio.h>

#include "base/util.h"
#include "files/fsops.h"
#include "files/rw.h"
#include "run/tool.h"
#include "tasks/fd.h"
#include "fileslower.shared.h"
#include "fileslower.skel.h"

static bool all_files;
static uint64_t min_ms = 10;

static const struct opt options[] = {
	OPT('a', "all-files", .flag = &all_files,
	    .help = "not only regular files: pipes, sockets, devices"),
	{ 0 },
};
static const struct opt positional[] = {
	OPT(0, "min_ms", .arg = "MS", .uint = &min_ms, .max = 1000000000,
	    .help = "show what took at least so long (default 10; 0: all)"),
	{ 0 },
};

static void print_direction(struct out *o, const void *event)
{
	out_char(o, fsops_letter(((const struct rw_event *)event)->op));
}

static void json_operation(struct json *j, const void *event)
{
	const struct rw_event *e = event;

	json_str(j, "operation", fsops_name(e->op));
	if (e->head.flags & FS_ASYNC)
		json_bool(j, "async", true);
	if (e->head.flags & FS_MOVE)
		json_bool(j, "move", true);
}

/* The path; "?": it has none that can be told. */
static size_t file_text(const struct rw_event *e, char *text, size_t size)
{
	size_t len = fd_text(&e->file, e->path, e->path_len, text, size);

	if (!len)
		text[len++] = '?';
	return len;
}

static char text[4096 + FD_TEXT_LEN];

static void print_file(struct out *o, const void *event)
{
	table_text(o, text, file_text(event, text, sizeof(text)));
}

static void json_file(struct json *j, const void *event)
{
	const struct rw_event *e = event;
	char dev[24];

	snprintf(dev, sizeof(dev), "%u:%u", e->dev >> 20, e->dev & 0xfffff);
	json_str(j, "filesystem", e->filesystem);
	json_str(j, "device", dev);
	json_strn(j, "path", text, file_text(e, text, sizeof(text)));
}

static const struct column columns[] = {
	COL_CLOCK,
	COL_ELAPSED(NULL),
	COL_HEAD(comm, "COMM", .width = 14, .fmt = FMT_STR),
	COL_HEAD(tid, "TID", .width = 7),
	COL_CUSTOM("D", .width = 1, .text = print_direction, .json = json_operation,
		   .keys = "operation async move"),
	COL(rw_event, bytes, "BYTES", .width = 7, .key = "bytes"),
	COL(rw_event, latency_ns, "LAT(ms)", .width = -7, .text = table_ms, .key = "latency_ns"),
	COL_CUSTOM("FILENAME", .text = print_file, .json = json_file,
		   .keys = "filesystem device path"),
	COL(rw_event, offset, NULL, .fmt = FMT_KNOWN, .key = "offset"),
	COL(rw_event, err, NULL, .fmt = FMT_ERRNO, .key = "errno"),
	COL_END,
};

static void configure(struct run *r)
{
	rw_configure(&r->object, min_ms * NSEC_PER_MSEC, all_files);
}

static const char *const examples[] = { "fileslower",
					"what takes 10 ms and more",
					"fileslower 1 -p 1234",
					"1 ms and more, of process 1234",
					"fileslower -a 100 --comm nginx",
					"what nginx waits for, sockets, too",
					"fileslower --json 0 --cgroup web.service",
					"all that a service reads, writes",
					NULL };

static const struct tool tool = {
	.name = "fileslower",
	.summary = "shows reads and writes of files that were slow",
	.options = options,
	.positional = positional,
	.columns = columns,
	.event_size = sizeof(struct rw_event),
	.probes = rw_probes,
	.facts = rw_facts,
	.image = TOOL_IMAGE(fileslower),
	.examples = examples,
	.configure = configure,
	.started = rw_started,
	.count_losses = rw_count_losses,
};

int main(int argc, char **argv)
{
	return tool_main(&tool, argc, argv);
}
