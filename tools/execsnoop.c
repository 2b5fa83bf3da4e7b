/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <string.h>

#include "base/regex.h"
#include "run/offers.h"
#include "run/tool.h"
#include "execsnoop.shared.h"
#include "execsnoop.skel.h"

static bool show_time, elapsed, print_uid, failed, quote;
static uint64_t max_args = UINT64_MAX, max_bytes = EXEC_ARGS_DEFAULT, ppid;
static struct regex name, line;

static const struct opt options[] = {
	OPT('T', "clock", .flag = &show_time, .help = "a column TIME: the time of day"),
	OPT('t', "timestamp", .flag = &elapsed,
	    .help = "a column TIME(s): seconds since the first row"),
	OPT('U', "print-uid", .flag = &print_uid, .help = "a column UID"),
	OPT_LETTER('u', "uid"),
	OPT('P', "ppid", .arg = "PID", .uint = &ppid, .min = 1, .max = 0x7fffffff,
	    .offer = offers_pids, .help = "only children of this process"),
	OPT('x', "fails", .flag = &failed, .help = "execs that failed, too"),
	OPT('q', "quote", .flag = &quote, .help = "\"quotation marks\" around each argument"),
	OPT('n', "name", .arg = "REGEX", .regex = &name,
	    .help = "only commands whose name matches"),
	OPT('l', "line", .arg = "REGEX", .regex = &line,
	    .help = "only commands whose line matches"),
	OPT(0, "max-args", .arg = "N", .uint = &max_args, .min = 1,
	    .help = "show this many arguments (default: all)"),
	OPT(0, "max-bytes", .arg = "N", .uint = &max_bytes, .min = 64, .max = EXEC_ARGS_MAX,
	    .help = "keep this many bytes of them (4096; at most 16384)"),
	{ 0 },
};

/* The arguments one by one: NULL after the last. The kernel side ends each with a NUL, but not the
 * last of those that were cut: that one ends at .end. */
struct args {
	const char *at, *end;
	uint64_t n;
};

static const char *next_arg(struct args *a)
{
	const char *arg = a->at;

	if (a->at >= a->end || a->n == max_args)
		return NULL;
	a->at += strnlen(a->at, a->end - a->at) + 1;
	a->n++;
	return arg;
}

static struct args first_arg(const struct exec_event *e)
{
	const char *args = e->text + e->filename_len;

	return (struct args){ .at = args, .end = args + e->args_len };
}

static bool is_cut(const struct exec_event *e, const struct args *a)
{
	return (e->head.flags & EXEC_ARGS_CUT) || a->at < a->end;
}

static void print_arg(struct out *o, const char *arg, size_t len)
{
	if (!quote) {
		out_escaped(o, arg, len);
		return;
	}
	out_char(o, '"');
	out_escaped_quoted(o, arg, len);
	out_char(o, '"');
}

/* As BCC does: the file name in the place of the first argument. Behind an interpreter, the
 * arguments as the interpreter got them. */
static void print_args(struct out *o, const void *event)
{
	const struct exec_event *e = event;
	struct args a = first_arg(e);
	const char *arg = next_arg(&a);

	if (e->head.flags & EXEC_SCRIPT && arg)
		print_arg(o, arg, a.end - arg);
	else if (e->filename_len)
		print_arg(o, e->text, e->filename_len);
	else
		out_char(o, '?');
	while ((arg = next_arg(&a))) {
		out_char(o, ' ');
		print_arg(o, arg, a.end - arg);
	}
	if (e->head.flags & EXEC_ARGS_UNREAD)
		out_str(o, " ?");
	if (is_cut(e, &a))
		out_str(o, " ...");
}

static void json_exec(struct json *j, const void *event)
{
	const struct exec_event *e = event;
	struct args a = first_arg(e);
	const char *arg;

	json_strn(j, "filename", e->text, e->filename_len);
	json_array(j, "args");
	while ((arg = next_arg(&a)))
		json_strn(j, NULL, arg, a.end - arg);
	json_end_array(j);
	if (is_cut(e, &a))
		json_bool(j, "args_truncated", true);
	if (e->head.flags & EXEC_ARGS_UNREAD)
		json_bool(j, "args_unread", true);
}

static const struct column columns[] = {
	COL_CLOCK,
	COL_TIME(&show_time),
	COL_ELAPSED(&elapsed),
	COL_HEAD(uid, "UID", .width = 6, .show = &print_uid),
	COL_HEAD(comm, "PCOMM", .width = 16, .fmt = FMT_STR),
	COL_HEAD(pid, "PID", .width = 7),
	COL(exec_event, ppid, "PPID", .width = 7, .key = "ppid"),
	COL(exec_event, ret, "RET", .width = -3, .fmt = FMT_INT, .key = "ret"),
	COL(exec_event, ret, NULL, .fmt = FMT_ERRNO, .key = "errno"),
	COL_CUSTOM("ARGS", .text = print_args, .json = json_exec,
		   .keys = "filename args args_truncated args_unread"),
	COL_END,
};

/* As BCC does, in the line that ARGS shows; but also in each argument by itself, whose begin and
 * end ^ and $ may mean. */
static bool line_matches(const struct exec_event *e)
{
	static char text[EXEC_FILENAME_MAX + EXEC_ARGS_MAX + 1];
	struct args a = first_arg(e);
	size_t len = 0;
	const char *arg;

	if (!line.set)
		return true;
	if (!(e->head.flags & EXEC_SCRIPT))
		len = strnlen(memcpy(text, e->text, e->filename_len), e->filename_len);
	while ((arg = next_arg(&a))) {
		size_t arg_len = strnlen(arg, a.end - arg);

		if (regex_matches(&line, arg, arg_len))
			return true;
		if (a.n == 1 && len)
			continue; /* the file name stands in its place */
		if (a.n > 1)
			text[len++] = ' ';
		memcpy(text + len, arg, arg_len);
		len += arg_len;
	}
	return regex_matches(&line, text, len);
}

static bool event(struct run *r, const void *ev, size_t size)
{
	const struct exec_event *e = ev;

	return regex_matches(&name, e->head.comm, sizeof(e->head.comm)) && line_matches(e);
}

static const struct probe probes[] = {
	PROBE_LADDER("exec", "exec_done", "raw_exec_done"),
	{ .name = "failed exec",
	  .rungs = { "fexit_execve fexit_execveat",
		     "kprobe_execve kretprobe_execve kprobe_execveat kretprobe_execveat",
		     "sys_exit", "raw_sys_exit" },
	  .when = &failed },
	{ .name = "failed 32-bit exec",
	  .rungs = { "fexit_compat_execve fexit_compat_execveat",
		     "kprobe_compat_execve kretprobe_compat_execve "
		     "kprobe_compat_execveat kretprobe_compat_execveat" },
	  .when = &failed,
	  .unless = "sys_exit raw_sys_exit",
	  .optional = true },
	{ 0 },
};

static void configure(struct run *r)
{
	TOOL_RODATA(execsnoop, r)->max_bytes = max_bytes;
	TOOL_RODATA(execsnoop, r)->only_ppid = ppid;
}

static const char *const examples[] = { "execsnoop",
					"every new program, as it starts",
					"execsnoop -x",
					"and those that could not be started",
					"execsnoop -T -n '^(cc1|ld)$'",
					"compilers and linkers, with the time",
					"execsnoop --cgroup /system.slice -j",
					"what services start, as JSON",
					NULL };

static const struct tool tool = {
	.name = "execsnoop",
	.summary = "shows new programs being executed, with their arguments",
	.options = options,
	.columns = columns,
	.event_size = sizeof(struct exec_event),
	.event = event,
	.probes = probes,
	.image = TOOL_IMAGE(execsnoop),
	.examples = examples,
	.configure = configure,
};

int main(int argc, char **argv)
{
	return tool_main(&tool, argc, argv);
}
