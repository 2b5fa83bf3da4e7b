/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/msg.h"
#include "kernel/advice.h"
#include "script/refusal.h"

/* "12: (7b) ...": the number; -1: the line is another one. */
static long insn_of_line(const char *line)
{
	char *end;
	long n;

	if (*line < '0' || *line > '9')
		return -1;
	n = strtol(line, &end, 10);
	return end[0] == ':' && end[1] == ' ' && end[2] == '(' ? n : -1;
}

/* The begin of the line that ends before @end. */
static const char *line_before(const char *log, const char *end)
{
	while (end > log && end[-1] != '\n')
		end--;
	return end;
}

/* The number of the last instruction of the program itself that the log tells of, or -1. */
static long last_insn(const struct code *c, const char *log)
{
	const char *end = log + strlen(log);

	while (end > log) {
		const char *line = line_before(log, end);
		long n = insn_of_line(line);

		/* the runtime's stand behind: of them, it is the call that is meant */
		if (n >= 0 && (size_t)n < c->own)
			return n;
		end = line > log ? line - 1 : log;
	}
	return -1;
}

/* What the verifier said last: the line before its statistics. */
static size_t reason(const char *log, const char **text)
{
	const char *end = log + strlen(log);

	while (end > log) {
		const char *line = line_before(log, end);

		if (line < end && strncmp(line, "processed ", 10) &&
		    strncmp(line, "verification time", 17) && strncmp(line, "stack depth", 11)) {
			*text = line;
			return end - line;
		}
		end = line > log ? line - 1 : log;
	}
	*text = "";
	return 0;
}

static struct span place_of(const struct program *p, const struct code *c, const char *log)
{
	long n = last_insn(c, log);

	return n >= 0 ? c->at[n] : p->clause ? p->clause->span : p->code->at;
}

void refusal_tell(struct source *src, const struct program *p, const struct code *c, int err,
		  const char *log, bool verbose)
{
	struct span at = place_of(p, c, log);
	struct utsname u;
	const char *text;
	size_t len = reason(log, &text);

	uname(&u);
	if (verbose && *log)
		msg_foreign(log);
	if (err == -EPERM) {
		advice_load(err, p->code->name);
	} else if (err == -E2BIG || strstr(log, "is too large") || strstr(log, "too complex")) {
		source_error(src, p->clause ? p->clause->span : at,
			     "kernel %s refuses this probe as too large: %zu instructions, more "
			     "than its verifier looks through",
			     u.release, c->nr);
	} else {
		source_error(src, at, "kernel %s refuses this: %.*s%s", u.release,
			     (int)(len < 200 ? len : 200), len ? text : strerror(-err),
			     verbose ? "" : " (-v shows the verifier's log)");
	}
}
