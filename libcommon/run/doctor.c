/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "base/msg.h"
#include "base/util.h"
#include "kernel/checkup.h"
#include "kernel/probe.h"
#include "output/json.h"
#include "output/out.h"
#include "run/doctor.h"

#define WIDTH	   80
#define CHECK_ROOM 20 /* columns of a check's name */
#define TOOL_ROOM  12 /* of a tool's */
#define STATE_ROOM 9  /* of what is behind it */

/* Of a probe, in the words of NAME --probes. */
struct finding {
	const char *probe, *used, *best, *state, *why, *misses; /* "": nothing */
	bool less;						/* than could be granted */
};

struct examined {
	const struct doctor_tool *tool;
	enum doctor_verdict verdict;
	struct finding findings[PROBES_MAX];
	size_t nr;
	const char *message; /* why it does not run; NULL: it does */
	char *said;	     /* what the texts above are parts of */
	char *complaint;
};

struct doctor {
	struct out out;
	struct json json;
	bool as_json;
	size_t counts[DOCTOR_NONE + 1];
};

static const char *const verdicts[] = { "full", "reduced", "none" };
static const char *const answers[] = { "no", "partly", "yes" };

/* --- advice ------------------------------------------------------------------------------- */

/*
 * What would help, by the reasons that support.c and object.c give. NULL: nothing, for the kernel
 * has nothing there to be seen; where another rung sees it, that is as good.
 */
static const struct {
	const char *why, *advice;
	bool if_used; /* it matters only where there is a rung in use: there is something to see */
} reasons[] = {
	{ "this kernel refuses fentry and fexit programs",
	  "Lockdown or a security module refuses them: with kprobes granted, those stand in." },
	{ "this kernel has no BPF trampolines",
	  "It takes Linux 5.5 (arm64: 6.0) with CONFIG_FUNCTION_TRACER." },
	{ "this kernel has no BTF of its own", "It takes a kernel with CONFIG_DEBUG_INFO_BTF." },
	{ "this kernel has no kprobes", "It takes a kernel with CONFIG_KPROBE_EVENTS." },
	{ "it takes CAP_SYS_ADMIN to find a module's function", "Run it with CAP_SYS_ADMIN." },
	{ "neither this kernel's BTF nor its modules' has such a function",
	  "It takes Linux 5.11 with CONFIG_DEBUG_INFO_BTF_MODULES.", true },
	{ "the kernel refuses to load it",
	  "The tool's -v shows what the kernel's verifier says; a newer kernel may grant it." },
	{ "the kernel refuses to attach it",
	  "Kprobes are refused: by lockdown, or for want of CAP_PERFMON." },
	{ "BORESCOPE_AVOID rules it out", "Unset BORESCOPE_AVOID." },
	{ "it is not granted here", "See what the kernel grants, above." },
	{ "this kernel preempts tasks in such programs, and leaves out other runs of them "
	  "meanwhile",
	  "Kprobes would see all: it takes a kernel with CONFIG_KPROBE_EVENTS, or preempt=none." },
	{ "this kernel follows a number of calls at the same time, and no more",
	  "It takes fexit, or Linux 6.14, whose probes at returns have no such bound." },
};

static const char *advice_on(const char *why, bool used)
{
	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
		if (!strcmp(reasons[i].why, why))
			return reasons[i].if_used && !used ? NULL : reasons[i].advice;
	return NULL;
}

/* --- asking the tools --------------------------------------------------------------------- */

/* All that was written to @fd, with a NUL behind it; NULL: no memory. */
static char *read_back(int fd)
{
	off_t size = lseek(fd, 0, SEEK_END);
	char *text = malloc(size + 1);
	ssize_t n = text ? pread(fd, text, size, 0) : 0;

	if (text)
		text[n > 0 ? n : 0] = '\0';
	close(fd);
	return text;
}

/* Runs a program; what it says goes to @e. Returns its exit status; -1: it could not be run, or was
 * killed. */
static int ask(struct examined *e, char *const argv[])
{
	int out = memfd_create("out", MFD_CLOEXEC), err = memfd_create("err", MFD_CLOEXEC);
	int status = -1;
	pid_t pid = out < 0 || err < 0 ? -1 : fork();

	if (!pid) {
		dup2(out, STDOUT_FILENO);
		dup2(err, STDERR_FILENO);
		execv(e->tool->path, argv);
		_exit(127);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	free(e->said);
	free(e->complaint);
	e->said = out < 0 ? NULL : read_back(out);
	e->complaint = err < 0 ? NULL : read_back(err);
	return pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The last line that the tool has said on stderr, without its name. */
static const char *last_complaint(struct examined *e)
{
	size_t len = e->complaint ? strlen(e->complaint) : 0, name = strlen(e->tool->name);
	char *line;

	while (len && e->complaint[len - 1] == '\n')
		e->complaint[--len] = '\0';
	if (!len)
		return "it ended without a word";
	line = strrchr(e->complaint, '\n');
	line = line ? line + 1 : e->complaint;
	return strncmp(line, e->tool->name, name) || strncmp(line + name, ": ", 2)
		       ? line
		       : line + name + 2;
}

static void add_finding(struct examined *e, struct finding f)
{
	const bool used = *f.used;

	if (!*f.state && used)
		f.why = "";
	f.less = *f.misses || (*f.why && strcmp(f.state, "replaced") && advice_on(f.why, used));
	if (f.less)
		e->verdict = DOCTOR_REDUCED;
	if (e->nr < ARRAY_SIZE(e->findings))
		e->findings[e->nr++] = f;
}

/* Lines of PROBE, USED, BEST, STATE, WHY and MISSES, with tabs between. */
static void take_findings(struct examined *e)
{
	char *line, *at = e->said;

	while ((line = strsep(&at, "\n")) && *line) {
		char *field[6];
		size_t n = 0;

		while (n < ARRAY_SIZE(field) && (field[n] = strsep(&line, "\t")))
			n++;
		if (n == ARRAY_SIZE(field))
			add_finding(e, (struct finding){ field[0], field[1], field[2], field[3],
							 field[4], field[5], false });
	}
}

/* bscope has no table of probes: it says which kinds there are ("  kprobe: no"). */
static void take_kinds(struct examined *e)
{
	static const char *const kinds[] = { "tracepoint", "kprobe", "fentry", "uprobe",
					     "perf_event" };
	const char *types = e->said ? strstr(e->said, "Probe types") : NULL;

	for (size_t i = 0; types && i < ARRAY_SIZE(kinds); i++) {
		char line[40];
		bool has;

		snprintf(line, sizeof(line), "  %s: yes\n", kinds[i]);
		has = strstr(types, line);
		add_finding(e, (struct finding){ kinds[i], has ? kinds[i] : "", "", "",
						 has ? "" : "it is not granted here", "", false });
	}
}

static void examine(struct examined *e)
{
	char *const probes[] = { (char *)e->tool->name, (char *)"--probes", NULL };
	char *const script[] = { (char *)"bscope",
				 (char *)"--dry-run",
				 (char *)"-q",
				 (char *)"-e",
				 (char *)"interval:s:1 { @ = count(); }",
				 NULL };
	char *const info[] = { (char *)"bscope", (char *)"--info", NULL };
	const bool is_bscope = !strcmp(e->tool->name, "bscope");

	if (!e->tool->path) {
		e->verdict = DOCTOR_NONE;
		e->message = "it is not installed: neither beside borescope nor in PATH";
	} else if (ask(e, is_bscope ? script : probes)) {
		e->verdict = DOCTOR_NONE;
		e->message = last_complaint(e);
	} else if (!is_bscope) {
		take_findings(e);
	} else if (!ask(e, info)) {
		take_kinds(e);
	}
}

/* --- as text ------------------------------------------------------------------------------ */

/* Puts @text behind what stands in the line, to column @from; what does not fit goes on below. */
static void put(struct out *o, const char *text, int from)
{
	int column = from;

	while (*text) {
		int len = (int)strcspn(text, " ");

		if (column > from && column + 1 + len > WIDTH) {
			out_printf(o, "\n%*s", from, "");
			column = from;
		}
		if (column > from)
			out_char(o, ' ');
		column += column > from;
		out_escaped(o, text, len);
		column += len;
		text += len;
		text += strspn(text, " ");
	}
	out_char(o, '\n');
}

static void put_advice(struct out *o, const char *advice, int from)
{
	if (!advice)
		return;
	out_printf(o, "%*s> ", from, "");
	put(o, advice, from + 2);
}

/* The probes without a rung in use for the same reason as number @first, in one. */
static void put_unseen(struct out *o, const struct examined *e, size_t first, int from)
{
	const char *why = e->findings[first].why;
	char text[600] = "not seen: ";

	for (size_t i = 0; i < e->nr; i++) {
		const struct finding *f = &e->findings[i];

		if (*f->used || strcmp(f->why, why) || !f->less)
			continue;
		if (i < first)
			return;
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s",
			 i > first ? ", " : "", f->probe);
	}
	snprintf(text + strlen(text), sizeof(text) - strlen(text), " (%s)", why);
	out_printf(o, "%*s", from, "");
	put(o, text, from);
}

/* "PROBE: USED, not BEST (WHY), not all (MISSES)" */
static void rung_words(const struct finding *f, bool is_kind, char *text, size_t size)
{
	int len = snprintf(text, size, "%s", f->probe);

	if (!is_kind)
		len += snprintf(text + len, size - len, ": %s", f->used);
	if (*f->why)
		len += snprintf(text + len, size - len, ", not %s (%s)", f->best, f->why);
	if (*f->misses)
		snprintf(text + len, size - len, ", not all (%s)", f->misses);
}

static void put_findings(struct out *o, const struct examined *e, int from)
{
	const bool is_kind = !strcmp(e->tool->name, "bscope"); /* of probes, and no place */
	const char *advised = "";
	char text[600];
	bool any = false;

	for (size_t i = 0; i < e->nr; i++) {
		const struct finding *f = &e->findings[i];

		if (!*f->used)
			continue;
		rung_words(f, is_kind, text, sizeof(text));
		out_printf(o, "%*s", any ? from : 0, "");
		put(o, text, from);
		any = true;
	}
	for (size_t i = 0; i < e->nr; i++)
		if (e->findings[i].less && !*e->findings[i].used)
			put_unseen(o, e, i, from);
	for (size_t i = 0; i < e->nr; i++) {
		const struct finding *f = &e->findings[i];
		const char *why = *f->why ? f->why : f->misses;

		if (!f->less || !strcmp(why, advised))
			continue;
		put_advice(o, advice_on(why, *f->used), from);
		advised = why;
	}
}

static void show_text(struct doctor *d, const struct examined *e)
{
	const int from = TOOL_ROOM + STATE_ROOM;

	out_printf(&d->out, "%-*s%-*s", TOOL_ROOM, e->tool->name, STATE_ROOM, verdicts[e->verdict]);
	if (e->message)
		put(&d->out, e->message, from);
	else
		put_findings(&d->out, e, from);
}

/* --- as JSON ------------------------------------------------------------------------------ */

static void json_text(struct json *j, const char *key, const char *text)
{
	json_str(j, key, *text ? text : NULL);
}

static void show_json(struct doctor *d, const struct examined *e)
{
	struct json *j = &d->json;

	json_object(j, NULL);
	json_str(j, "type", "tool");
	json_str(j, "tool", e->tool->name);
	json_str(j, "runs", verdicts[e->verdict]);
	json_str(j, "message", e->message);
	json_array(j, "probes");
	for (size_t i = 0; i < e->nr; i++) {
		const struct finding *f = &e->findings[i];

		json_object(j, NULL);
		json_str(j, "probe", f->probe);
		json_text(j, "used", f->used);
		json_text(j, "best", *f->why ? f->best : "");
		json_text(j, "why", f->why);
		json_text(j, "misses", f->misses);
		json_bool(j, "replaced", !strcmp(f->state, "replaced"));
		json_bool(j, "reduced", f->less);
		json_str(j, "advice",
			 f->less ? advice_on(*f->why ? f->why : f->misses, *f->used) : NULL);
		json_end_object(j);
	}
	json_end_array(j);
	json_end_object(j);
}

static void show_check(void *ctx, const struct check *c)
{
	struct doctor *d = ctx;

	if (d->as_json) {
		json_object(&d->json, NULL);
		json_str(&d->json, "type", "check");
		json_str(&d->json, "check", c->name);
		json_str(&d->json, "granted", answers[c->answer]);
		json_str(&d->json, "how", c->how);
		json_str(&d->json, "advice", c->advice);
		json_end_object(&d->json);
		return;
	}
	out_printf(&d->out, "%-*s%-7s", CHECK_ROOM, c->name, answers[c->answer]);
	put(&d->out, c->how, CHECK_ROOM + 7);
	put_advice(&d->out, c->advice, CHECK_ROOM + 7);
}

static void show_summary(struct doctor *d)
{
	if (d->as_json) {
		json_object(&d->json, NULL);
		json_str(&d->json, "type", "summary");
		for (size_t i = 0; i < ARRAY_SIZE(verdicts); i++)
			json_u64(&d->json, verdicts[i], d->counts[i]);
		json_end_object(&d->json);
		return;
	}
	out_printf(&d->out, "\nTools: %zu in full, %zu reduced, %zu not at all.\n",
		   d->counts[DOCTOR_FULL], d->counts[DOCTOR_REDUCED], d->counts[DOCTOR_NONE]);
}

/* --- all of it ---------------------------------------------------------------------------- */

enum doctor_verdict doctor_examine(const struct doctor_tool *tools, size_t nr, bool json)
{
	static struct doctor d; /* 64 KiB of output buffer: not on the stack */
	enum doctor_verdict worst = DOCTOR_FULL;

	d.as_json = json;
	out_init(&d.out, STDOUT_FILENO);
	json_init(&d.json, &d.out);
	if (!json)
		out_str(&d.out, "What this kernel, these privileges and this container grant:\n\n");
	checkup(show_check, &d);
	if (!json)
		out_str(&d.out, "\nWhat each tool would see, and by which probes:\n\n");
	out_flush(&d.out);
	for (size_t i = 0; i < nr && !d.out.error; i++) {
		struct examined e = { .tool = &tools[i] };

		examine(&e);
		(json ? show_json : show_text)(&d, &e);
		out_flush(&d.out);
		d.counts[e.verdict]++;
		worst = e.verdict > worst ? e.verdict : worst;
		free(e.said);
		free(e.complaint);
	}
	show_summary(&d);
	out_flush(&d.out);
	if (!d.out.error || d.out.error == EPIPE)
		return worst;
	error("cannot write: %s", strerror(d.out.error));
	return DOCTOR_REDUCED;
}
