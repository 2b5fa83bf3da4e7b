/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "files/fsops.h"
#include "run/tool.h"
#include "ext4slower.shared.h"
#include "ext4slower.skel.h"

static bool csv, show_time;
static uint64_t min_ms = 10;
static const char *path_prefix = "";

static const char *parse_prefix(const char *arg, void *value)
{
	arg += strspn(arg, "/");
	if (!*arg || strlen(arg) > FS_PREFIX_MAX)
		return "the beginning of a path below the mount, of at most 256 bytes: var/log/";
	*(const char **)value = arg;
	return NULL;
}

static const struct opt options[] = {
	OPT('j', "csv", .flag = &csv, .help = "just the fields: comma-separated values"),
	OPT_LETTER('d', "duration"),
	OPT(0, "path", .arg = "PREFIX", .parse = parse_prefix, .value = &path_prefix,
	    .help = "only files whose path below the mount begins so"),
	{ 0 },
};
static const struct opt positional[] = {
	OPT(0, "min_ms", .arg = "MS", .uint = &min_ms, .max = 1000000000,
	    .help = "show what took at least so long (default 10; 0: all)"),
	{ 0 },
};

/* --- columns ------------------------------------------------------------------------------ */

static void print_letter(struct out *o, const void *event)
{
	out_char(o, fsops_letter(((const struct fs_event *)event)->op));
}

static void json_operation(struct json *j, const void *event)
{
	json_str(j, "operation", fsops_name(((const struct fs_event *)event)->op));
}

static void print_kb(struct out *o, const void *event)
{
	const struct fs_event *e = event;

	if (e->offset == FS_OFFSET_UNKNOWN)
		out_char(o, '?');
	else
		out_s64(o, e->offset >> 10);
}

static void print_ms(struct out *o, const void *event)
{
	const struct fs_event *e = event;

	table_ms(o, &e->latency_ns);
	if (e->head.flags & FS_END_GONE)
		out_char(o, '+');
}

static void json_latency(struct json *j, const void *event)
{
	const struct fs_event *e = event;

	if (e->head.flags & FS_ASYNC)
		json_bool(j, "async", true);
	if (e->head.flags & FS_END_GONE)
		json_u64(j, "submission_ns", e->latency_ns);
	else
		json_u64(j, "latency_ns", e->latency_ns);
}

static void print_path(struct out *o, const void *event)
{
	const struct fs_event *e = event;

	table_text(o, e->path, e->path_len);
}

static void json_file(struct json *j, const void *event)
{
	const struct fs_event *e = event;
	char dev[24];

	snprintf(dev, sizeof(dev), "%u:%u", e->dev >> 20, e->dev & 0xfffff);
	json_str(j, "device", dev);
	json_strn(j, "path", e->path, e->path_len);
}

static const struct column columns[] = {
	COL_CLOCK,
	COL_TIME(&show_time),
	COL_HEAD(comm, "COMM", .width = 14, .fmt = FMT_STR),
	COL_HEAD(pid, "PID", .width = 7),
	COL_CUSTOM("T", .width = 1, .text = print_letter, .json = json_operation,
		   .keys = "operation"),
	COL(fs_event, bytes, "BYTES", .width = 7, .key = "bytes"),
	COL_CUSTOM("OFF_KB", .width = 8, .text = print_kb),
	COL_CUSTOM("LAT(ms)", .width = -7, .text = print_ms, .json = json_latency,
		   .keys = "async submission_ns latency_ns"),
	COL_CUSTOM("FILENAME", .text = print_path, .json = json_file, .keys = "device path"),
	COL(fs_event, offset, NULL, .fmt = FMT_KNOWN, .key = "offset"),
	COL(fs_event, err, NULL, .fmt = FMT_ERRNO, .key = "errno"),
	COL_END,
};

/* What BCC prints with -j. */

static void print_end_us(struct out *o, const void *event)
{
	out_u64(o, ((const struct event_head *)event)->ts / NSEC_PER_USEC);
}

static void print_us(struct out *o, const void *event)
{
	out_u64(o, ((const struct fs_event *)event)->latency_ns / NSEC_PER_USEC);
}

static const struct column csv_columns[] = {
	COL_CUSTOM("ENDTIME_us", .text = print_end_us),
	COL_HEAD(comm, "TASK", .fmt = FMT_STR),
	COL_HEAD(pid, "PID"),
	COL_CUSTOM("TYPE", .text = print_letter),
	COL(fs_event, bytes, "BYTES"),
	COL(fs_event, offset, "OFFSET_b", .fmt = FMT_KNOWN),
	COL_CUSTOM("LATENCY_us", .text = print_us),
	COL_CUSTOM("FILE", .text = print_path),
	COL_END,
};

static const struct view views[] = { { .columns = csv_columns }, VIEW_END };

/* --- hooks -------------------------------------------------------------------------------- */

static int setup(struct run *r)
{
	if (!fsops_is_known())
		return STATUS_FAILED;
	show_time = !table_show_clock;
	if (csv && r->opt.json) {
		error("-j (CSV) and --json: it is one or the other");
		return STATUS_USAGE;
	}
	if (csv) {
		table_csv = true;
		r->plan.columns = csv_columns;
	}
	return GO_ON;
}

static void configure(struct run *r)
{
	struct ext4slower_bpf__rodata *ro = TOOL_RODATA(ext4slower, r);

	ro->prefix_len = strlen(path_prefix);
	memcpy((void *)ro->prefix, path_prefix, ro->prefix_len);
	fsops_configure(&r->object, min_ms * NSEC_PER_MSEC);
}

/* The program's name stands in front. */
static const char *const examples[] = { "",
					"what takes 10 ms and more",
					" 0 -p 1234",
					"all that process 1234 does there",
					" 100 --path var/lib/db/",
					"what takes 100 ms below that directory",
					" -j 1 > slow.csv",
					"for a spreadsheet: 1 ms and more",
					NULL };

/* "ext4slower", "xfsslower": of the file system that the program's name says. */
static const char *name(const char *program)
{
	static char text[16];

	snprintf(text, sizeof(text), "%sslower", fsops_choose(program, "slower"));
	return text;
}

static const struct tool tool = {
	.name_from = name,
	.summary = "shows operations of a file system that were slow",
	.options = options,
	.positional = positional,
	.columns = columns,
	.views = views,
	.event_size = sizeof(struct fs_event),
	.probes = fsops_probes,
	.facts = fsops_facts,
	.targets = fsops_targets,
	.image = TOOL_IMAGE(ext4slower),
	.examples = examples,
	.setup = setup,
	.configure = configure,
	.started = fsops_started,
	.count_losses = fsops_count_losses,
};

int main(int argc, char **argv)
{
	return tool_main(&tool, argc, argv);
}
