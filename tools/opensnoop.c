/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "base/open_flags.h"
#include "files/paths.h"
#include "files/open_filter.h"
#include "run/filter.h"
#include "run/offers.h"
#include "run/tool.h"
#include "opensnoop.shared.h"
#include "opensnoop.skel.h"

static bool elapsed, print_uid, failed, extended, full_path, print_pid, print_tid;
static struct flag_filters flag_filters;

static const struct opt options[] = {
	OPT('T', "timestamp", .flag = &elapsed,
	    .help = "a column TIME(s): seconds since the first row"),
	OPT('U', "print-uid", .flag = &print_uid, .help = "a column UID"),
	OPT('x', "failed", .flag = &failed, .help = "only opens that failed"),
	OPT_LETTER('t', "tid"),
	OPT_LETTER('u', "uid"),
	OPT_LETTER('d', "duration"),
	OPT('n', "name", .arg = "NAME", .filter = filter_parse_comm_part, .offer = offers_comms,
	    .help = "only processes with NAME in their name"),
	OPT('e', "extended-fields", .flag = &extended,
	    .help = "a column FLAGS: open(2)'s flags, in octal"),
	OPT('f', "flag-filter", .arg = "FLAG", .parse = open_filter_parse, .value = &flag_filters,
	    .offer = open_filter_offer, .help = "only opens with this flag (again: or this)"),
	OPT('F', "full-path", .flag = &full_path,
	    .help = "absolute paths, also for relative names"),
	{ 0 },
};

static char text[3 * OPEN_PATH_MAX];

/* The name, behind the directory that it is relative to where -F has asked for it. */
static size_t path(const struct open_event *e)
{
	bool unknown = e->head.flags & OPEN_BASE_UNKNOWN;
	const char *base = unknown ? "?" : e->text + e->path_len;

	return paths_join(text, full_path ? base : NULL, unknown ? 1 : e->base_len, e->text,
			  e->path_len);
}

static void print_path(struct out *o, const void *event)
{
	out_escaped(o, text, path(event));
	if (((const struct open_event *)event)->path_cut)
		out_str(o, "...");
}

static void json_open(struct json *j, const void *event)
{
	const struct open_event *e = event;
	char flags[256];

	json_str(j, "flags_text", open_flags_str(e->flags, flags, sizeof(flags)));
	json_strn(j, "path", text, path(e));
	if (e->path_cut)
		json_bool(j, "path_truncated", true);
}

static const struct column columns[] = {
	COL_CLOCK,
	COL_ELAPSED(&elapsed),
	COL_HEAD(uid, "UID", .width = 6, .show = &print_uid),
	COL_HEAD(pid, "PID", .width = 7, .show = &print_pid),
	COL_HEAD(tid, "TID", .width = 7, .show = &print_tid),
	COL_HEAD(comm, "COMM", .width = 16, .fmt = FMT_STR),
	COL(open_event, ret, "FD", .width = -4, .fmt = FMT_FD, .key = "fd"),
	COL(open_event, ret, "ERR", .width = -3, .fmt = FMT_ERRNO, .key = "errno"),
	COL(open_event, flags, "FLAGS", .width = 8, .fmt = FMT_OCTAL, .show = &extended,
	    .key = "flags"),
	COL(open_event, mode, NULL, .key = "mode"),
	COL_CUSTOM("PATH", .text = print_path, .json = json_open,
		   .keys = "flags_text path path_truncated"),
	COL_END,
};

/* An io_uring open's result stands in io_kiocb.cqe, from 5.19 on; before, nowhere. */
static int64_t io_cqe;
static bool uring;
static const struct kernel_fact facts[] = { { "io_cqe", BTF_STRUCT, &io_cqe }, { 0 } };

static const struct probe probes[] = {
	PROBE_LADDER("open", "fexit_openat2", "kprobe_openat2 kretprobe_openat2", "sys_exit",
		     "raw_sys_exit"),
	{ .name = "io_uring open",
	  .rungs = { "fentry_io_openat2 fexit_io_openat2",
		     "kprobe_io_openat2 kretprobe_io_openat2" },
	  .when = &uring,
	  .optional = true },
	{ 0 },
};

/* As in BCC: with -t, the thread stands in the place of the process. */
static int setup(struct run *r)
{
	print_tid = r->opt.filter.nr_tids;
	print_pid = !print_tid;
	return GO_ON;
}

static void configure(struct run *r)
{
	struct opensnoop_bpf__rodata *ro = TOOL_RODATA(opensnoop, r);

	uring = io_cqe;
	ro->only_failed = failed;
	ro->full_path = full_path;
	ro->flag_filters = flag_filters;
}

static const char *const examples[] = { "opensnoop",
					"every open, as it happens",
					"opensnoop -x -p 1234",
					"failed opens of process 1234",
					"opensnoop -F -n nginx",
					"absolute paths that nginx opens",
					"opensnoop -f O_WRONLY -f O_RDWR",
					"files opened for writing",
					NULL };

static const struct tool tool = {
	.name = "opensnoop",
	.summary = "shows files being opened, by whom, and how it ended",
	.options = options,
	.columns = columns,
	.event_size = sizeof(struct open_event),
	.probes = probes,
	.facts = facts,
	.image = TOOL_IMAGE(opensnoop),
	.examples = examples,
	.setup = setup,
	.configure = configure,
};

int main(int argc, char **argv)
{
	return tool_main(&tool, argc, argv);
}
