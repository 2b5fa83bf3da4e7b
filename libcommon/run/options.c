/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cgroup.h"
#include "base/msg.h"
#include "base/names.h"
#include "base/open_flags.h"
#include "base/status.h"
#include "base/util.h"
#include "output/table.h"
#include "run/options.h"

#define OPTIONS_MAX 64
#define LONG_ONLY   256 /* getopt's value of the option n without a letter: LONG_ONLY + n */

/* The table that getopt and --help see: the tool's own entries, then the common ones. */
struct table {
	struct opt opts[OPTIONS_MAX];
	int nr_own, nr;
};

bool parse_uint(const char *text, uint64_t min, uint64_t max, uint64_t *value)
{
	char *end;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	*value = strtoull(text, &end, 10);
	return !errno && !*end && *value >= min && *value <= max;
}

/* PID[,PID...], behind the @nr that are in @ids. */
static bool parse_ids(const char *text, __u32 *ids, __u32 *nr)
{
	char one[16];

	for (;;) {
		size_t len = strcspn(text, ",");
		uint64_t id;

		if (!len || len >= sizeof(one) || *nr == FILTER_IDS_MAX)
			return false;
		memcpy(one, text, len);
		one[len] = '\0';
		if (!parse_uint(one, 1, 0x7fffffff, &id))
			return false;
		ids[(*nr)++] = id;
		if (!text[len])
			return true;
		text += len + 1;
	}
}

static const char *parse_pids(const char *arg, void *value)
{
	struct filter *f = value;

	return parse_ids(arg, f->pids, &f->nr_pids) ? NULL
						    : "process ids, at most 64: 1234 or 12,34";
}

static const char *parse_tids(const char *arg, void *value)
{
	struct filter *f = value;

	return parse_ids(arg, f->tids, &f->nr_tids) ? NULL
						    : "thread ids, at most 64: 1234 or 12,34";
}

static const char *parse_uid(const char *arg, void *value)
{
	struct filter *f = value;

	if (!*arg || uid_parse(arg, &f->uid))
		return "a user's name or number";
	f->by_uid = 1;
	return NULL;
}

static const char *parse_comm(const char *arg, void *value)
{
	struct filter *f = value;

	if (!*arg || strlen(arg) >= sizeof(f->comm))
		return "a command's name of 1 to 15 bytes, as ps -o comm shows it";
	memset(f->comm, 0, sizeof(f->comm));
	memcpy(f->comm, arg, strlen(arg));
	f->by_comm = 1;
	return NULL;
}

const char *parse_comm_part(const char *arg, void *filter)
{
	struct filter *f = filter;

	if (!*arg || strlen(arg) >= sizeof(f->comm_part))
		return "a part of a command's name, of 1 to 15 bytes";
	f->comm_part_len = strlen(arg);
	memcpy(f->comm_part, arg, f->comm_part_len);
	return NULL;
}

const char *parse_open_flags(const char *arg, void *filters)
{
	struct flag_filters *f = filters;

	if (f->nr == FLAG_FILTERS_MAX)
		return "a place among the first 8";
	if (open_flags_filter(arg, &f->any[f->nr].mask, &f->any[f->nr].value))
		return "an open flag, O_CREAT, or several that must all be there, O_WRONLY|O_TRUNC";
	f->nr++;
	return NULL;
}

bool filter_is_set(const struct filter *f)
{
	return f->nr_pids || f->nr_tids || f->by_uid || f->by_comm || f->comm_part_len || f->cgroup;
}

static bool has_id(const __u32 *ids, __u32 nr, __u32 id)
{
	for (__u32 i = 0; i < nr; i++)
		if (ids[i] == id)
			return true;
	return !nr;
}

bool filter_passes(const struct filter *f, const struct event_head *task)
{
	bool known = task->pid != EVENT_UNKNOWN;

	if (!known && (f->nr_pids || f->nr_tids || f->by_comm || f->comm_part_len))
		return false;
	if (f->by_comm && strncmp(f->comm, task->comm, sizeof(task->comm)))
		return false;
	if (f->comm_part_len && !memmem(task->comm, strnlen(task->comm, sizeof(task->comm)),
					f->comm_part, f->comm_part_len))
		return false;
	return has_id(f->pids, f->nr_pids, task->pid) && has_id(f->tids, f->nr_tids, task->tid);
}

static const char *parse_cgroup(const char *arg, void *value)
{
	struct filter *f = value;
	uint64_t id;
	int err = *arg ? cgroup_id_parse(arg, &id) : -ENOENT;

	if (err == -ENOTSUP)
		return "a number: no cgroup v2 hierarchy is mounted here";
	if (err == -EINVAL)
		return "a directory of cgroup v2: this one is not";
	if (!err && cgroup_is_missing(id))
		return "the id of a cgroup that is there, or its directory";
	if (err)
		return "a cgroup v2 directory, such as /sys/fs/cgroup/system.slice, or a cgroup id";
	f->cgroup = id;
	return NULL;
}

static const char *parse_percent(const char *arg, void *value)
{
	char *end;
	double v = strtod(arg, &end);

	if (!isdigit((unsigned char)*arg) || strpbrk(arg, "xXeE") || *end || !isfinite(v) ||
	    v <= 0 || v > 100000)
		return "a percentage of one CPU, more than 0";
	*(double *)value = v;
	return NULL;
}

static bool parse_sec(const char *arg, uint64_t *ns)
{
	char *end;
	double v = strtod(arg, &end);

	if (!isdigit((unsigned char)*arg) || strpbrk(arg, "xXeE") || *end || !isfinite(v) ||
	    v <= 0 || v > 1e9)
		return false;
	*ns = (uint64_t)(v * 1e9);
	return *ns > 0;
}

static bool parse_regex(const char *arg, struct regex *r)
{
	if (r->set)
		regfree(&r->compiled);
	r->set = *arg && !regcomp(&r->compiled, arg, REG_EXTENDED | REG_NOSUB);
	return r->set;
}

bool regex_matches(const struct regex *r, const char *text, size_t len)
{
	char *copy; /* REG_STARTEND would do without, but musl lacks it */
	bool found;

	if (!r->set)
		return true;
	copy = strndup(text, len);
	found = !copy || !regexec(&r->compiled, copy, 0, NULL, 0);
	free(copy);
	return found;
}

/* --events is only for tools that print rows. */
static void add_common(struct table *t, const struct options_spec *spec, struct common_options *c)
{
	const struct opt common[] = {
		{ 'p', "pid", "PID[,PID...]", OPT_PARSE, &c->filter, "these processes only", 0, 0,
		  parse_pids },
		{ 0, "tid", "TID[,TID...]", OPT_PARSE, &c->filter, "these threads only", 0, 0,
		  parse_tids },
		{ 0, "uid", "USER", OPT_PARSE, &c->filter, "this user only (name or number)", 0, 0,
		  parse_uid },
		{ 0, "comm", "NAME", OPT_PARSE, &c->filter, "processes of exactly this name only",
		  0, 0, parse_comm },
		{ 0, "cgroup", "PATH|ID", OPT_PARSE, &c->filter,
		  "this cgroup and those below it only", 0, 0, parse_cgroup },
		{ 0, "duration", "SEC", OPT_SEC, &c->duration_ns, "stop after this many seconds", 0,
		  0, NULL },
		{ 0, "events", "N", OPT_UINT, &c->max_events, "stop after this many events", 1, 0,
		  NULL },
		{ 'j', "json", NULL, OPT_FLAG, &c->json, "one JSON object a line", 0, 0, NULL },
		{ 0, "time", NULL, OPT_FLAG, &table_show_clock,
		  spec->prints_rows ? "a column with the time of day, with microseconds"
				: "above each report the time of day, with microseconds",
		  0, 0, NULL },
		{ 0, "cost", NULL, OPT_FLAG, &c->cost, "say at the end what looking has cost", 0, 0,
		  NULL },
		{ 0, "max-cost", "PERCENT", OPT_PARSE, &c->max_cost,
		  "stop (status 3) when it costs more of one CPU", 0, 0, parse_percent },
		{ 0, "btf", "FILE", OPT_STR, &c->btf, "the kernel's BTF, where the kernel has none",
		  0, 0, NULL },
		{ 'v', "verbose", NULL, OPT_FLAG, &msg_verbose,
		  "say which probes are used; libbpf's messages", 0, 0, NULL },
		{ 'h', "help", NULL, OPT_FLAG, NULL, "show this", 0, 0, NULL },
		{ 'V', "version", NULL, OPT_FLAG, NULL, "show the version", 0, 0, NULL },
	};

	for (int i = 0; i < t->nr_own; i++)
		if (t->opts[i].type == OPT_PARSE && !t->opts[i].value)
			t->opts[i].value = &c->filter;
	for (size_t i = 0; i < ARRAY_SIZE(common); i++) {
		struct opt o = common[i];
		bool has = true;

		if (!strcmp(o.name, "events") && !spec->prints_rows)
			has = false;
		for (int k = 0; k < t->nr_own; k++) {
			if (t->opts[k].letter == o.letter)
				o.letter = 0;
			if (t->opts[k].name && !strcmp(t->opts[k].name, o.name)) {
				/* the tool's letter (and words, if it has any), the common meaning
				 */
				o.letter = t->opts[k].letter ? t->opts[k].letter : o.letter;
				o.help = t->opts[k].help ? t->opts[k].help : o.help;
				t->opts[k] = o;
				has = false;
			}
		}
		if (has && t->nr < OPTIONS_MAX)
			t->opts[t->nr++] = o;
	}
}

static void help_option(const struct opt *o)
{
	char left[48];
	int len = 0;

	if (o->letter)
		len += snprintf(left + len, sizeof(left) - len, "-%c", o->letter);
	else
		len += snprintf(left + len, sizeof(left) - len, "   ");
	if (o->name)
		len += snprintf(left + len, sizeof(left) - len, "%s--%s", o->letter ? ", " : " ",
				o->name);
	if (o->arg)
		snprintf(left + len, sizeof(left) - len, " %s", o->arg);
	if (strlen(left) > 24)
		printf("  %s\n  %-24s  %s\n", left, "", o->help);
	else
		printf("  %-24s  %s\n", left, o->help);
}

static void help(const struct options_spec *spec, const struct table *t)
{
	printf("%s: %s\n\nusage: %s [options]", spec->name, spec->summary, spec->name);
	for (const struct opt *p = spec->positional; p && p->name; p++)
		printf(" [%s", p->name);
	for (const struct opt *p = spec->positional; p && p->name; p++)
		printf("]");
	printf("\n");
	for (const struct opt *p = spec->positional; p && p->name; p++)
		printf("  %-24s  %s\n", p->name, p->help);
	printf("\nOptions of %s:\n", spec->name);
	for (int i = 0; i < t->nr_own; i++)
		help_option(&t->opts[i]);
	printf("\nOptions of every tool:\n");
	for (int i = t->nr_own; i < t->nr; i++)
		help_option(&t->opts[i]);
	printf("\nExamples:\n");
	for (const char *const *e = spec->examples; e && e[0]; e += 2) {
		bool named = *e[0] && *e[0] != ' ';
		char command[80];

		snprintf(command, sizeof(command), "%s%s", named ? "" : spec->name, e[0]);
		printf("  %-34s  %s\n", command, e[1]);
	}
	printf("\nThe manual: man %s\n", spec->name);
}

/* @shown: the option as the user wrote it. Returns false after having said what is wrong. */
static bool take(const struct opt *o, const char *shown, const char *arg)
{
	const char *right = NULL;
	static char bounds[80];

	switch (o->type) {
	case OPT_FLAG:
		*(bool *)o->value = true;
		break;
	case OPT_UINT:
		if (!parse_uint(arg, o->min, o->max ? o->max : UINT64_MAX, o->value)) {
			if (o->max)
				snprintf(bounds, sizeof(bounds), "a whole number from %llu to %llu",
					 (unsigned long long)o->min, (unsigned long long)o->max);
			else
				snprintf(bounds, sizeof(bounds), "a whole number of at least %llu",
					 (unsigned long long)o->min);
			right = bounds;
		}
		break;
	case OPT_SEC:
		if (!parse_sec(arg, o->value))
			right = "seconds, more than 0: 10 or 0.5";
		break;
	case OPT_STR:
		if (!*arg)
			right = "something, not nothing";
		else
			*(const char **)o->value = arg;
		break;
	case OPT_REGEX:
		if (!parse_regex(arg, o->value))
			right = "an extended regular expression (man 7 regex)";
		break;
	case OPT_PARSE:
		right = o->parse(arg, o->value);
		break;
	case OPT_COMMON:
		break; /* add_common() has put the common option in its place */
	}
	if (right)
		error("%s: '%s' is not valid; it takes %s", shown, arg, right);
	return !right;
}

static int find_by_getopt(const struct table *t, int c)
{
	for (int i = 0; i < t->nr; i++)
		if (c >= LONG_ONLY ? c == LONG_ONLY + i : t->opts[i].letter == c)
			return i;
	return -1;
}

/* How many begin with what stands in @given behind the hyphens. */
static int options_like(const struct table *t, const char *given)
{
	size_t len = strcspn(given + 2, "=");
	int nr = 0;

	for (int i = 0; i < t->nr; i++)
		nr += t->opts[i].name && !strncmp(t->opts[i].name, given + 2, len);
	return nr;
}

static int wrong_option(const struct table *t, int c, char **argv)
{
	const char *given = argv[optind - 1];

	if (c == '?' && !strncmp(given, "--", 2) && strchr(given, '=') && optopt) {
		error("option %.*s takes no argument: see %s --help", (int)strcspn(given, "="),
		      given, msg_tool());
	} else if (c == ':') {
		int i = find_by_getopt(t, optopt);

		if (i >= 0 && !strncmp(given, "--", 2))
			error("option --%s needs an argument: %s", t->opts[i].name, t->opts[i].arg);
		else
			error("option -%c needs an argument: %s", optopt,
			      i >= 0 ? t->opts[i].arg : "see --help");
	} else if (optopt && optopt < LONG_ONLY) {
		error("there is no option -%c: see %s --help", optopt, msg_tool());
	} else {
		error("%s %s: see %s --help",
		      options_like(t, given) > 1 ? "more than one option begins with"
						 : "there is no option",
		      given, msg_tool());
	}
	return STATUS_USAGE;
}

static int positional_args(const struct options_spec *spec, int argc, char **argv)
{
	const struct opt *p = spec->positional;

	for (; optind < argc; optind++) {
		if (!p || !p->name) {
			error("argument '%s' is one too many: see %s --help", argv[optind],
			      spec->name);
			return STATUS_USAGE;
		}
		if (!take(p, p->name, argv[optind]))
			return STATUS_USAGE;
		p++;
	}
	return GO_ON;
}

/* What --help and --version end with. */
static int printed(void)
{
	if ((!fflush(stdout) && !ferror(stdout)) || errno == EPIPE)
		return 0;
	error("cannot write: %s", strerror(errno));
	return 1;
}

int options_parse(const struct options_spec *spec, struct common_options *common, int argc, char **argv)
{
	struct table t = { 0 };
	struct option longs[OPTIONS_MAX + 1] = { 0 };
	char letters[2 * OPTIONS_MAX + 2] = ":";
	size_t len = 1;
	int c, by_name = -1; /* getopt leaves it as it is where a letter was given */

	msg_init(spec->name);
	for (const struct opt *o = spec->options; o && (o->letter || o->name); o++)
		t.opts[t.nr++] = *o;
	t.nr_own = t.nr;
	add_common(&t, spec, common);
	for (int i = 0, n = 0; i < t.nr; i++) {
		const struct opt *o = &t.opts[i];

		if (o->letter) {
			letters[len++] = o->letter;
			if (o->arg)
				letters[len++] = ':';
		}
		if (o->name)
			longs[n++] =
				(struct option){ o->name, o->arg ? required_argument : no_argument,
						 NULL, o->letter ? o->letter : LONG_ONLY + i };
	}

	opterr = 0;
	while ((c = getopt_long(argc, argv, letters, longs, &by_name)) != -1) {
		int i = c == ':' || c == '?' ? -1 : find_by_getopt(&t, c);
		char shown[40];

		if (i < 0)
			return wrong_option(&t, c, argv);
		if (t.opts[i].name && !strcmp(t.opts[i].name, "help")) {
			help(spec, &t);
			return printed();
		}
		if (t.opts[i].name && !strcmp(t.opts[i].name, "version")) {
			printf("%s %s (borescope)\n", spec->name, BORESCOPE_VERSION);
			return printed();
		}
		if (by_name < 0)
			snprintf(shown, sizeof(shown), "-%c", t.opts[i].letter);
		else
			snprintf(shown, sizeof(shown), "--%s", t.opts[i].name);
		by_name = -1;
		if (!take(&t.opts[i], shown, optarg))
			return STATUS_USAGE;
	}
	return positional_args(spec, argc, argv);
}
