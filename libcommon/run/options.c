/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/msg.h"
#include "base/number.h"
#include "base/regex.h"
#include "base/status.h"
#include "base/util.h"
#include "output/table.h"
#include "run/complete.h"
#include "run/filter.h"
#include "run/offers.h"
#include "run/options.h"

#define OPTIONS_MAX 64
#define LONG_ONLY   256 /* getopt's value of the option n without a letter: LONG_ONLY + n */

/* The table that getopt and --help see: the tool's own entries, then the common ones. */
struct table {
	struct opt opts[OPTIONS_MAX];
	int nr_own, nr;
	bool help, version; /* asked for */
};

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

/* @unit: ns */
static bool parse_time(const char *arg, double unit, uint64_t *ns)
{
	char *end;
	double v = strtod(arg, &end);

	if (!isdigit((unsigned char)*arg) || strpbrk(arg, "xXeE") || *end || !isfinite(v) ||
	    v < 0 || v > 1e9)
		return false;
	*ns = (uint64_t)(v * unit);
	return true;
}

/* Behind the tool's own options, those that every tool has; one without a name is left out. */
static void add_common(struct table *t, const struct options_spec *spec, struct common_options *c)
{
	const struct opt common[] = {
		OPT('p', "pid", .arg = "PID[,PID...]", .filter = filter_parse_pids,
		    .offer = offers_pids, .help = "these processes only"),
		OPT(0, "tid", .arg = "TID[,TID...]", .filter = filter_parse_tids,
		    .offer = offers_tids, .help = "these threads only"),
		OPT(0, "uid", .arg = "USER", .filter = filter_parse_uid, .offer = offers_users,
		    .help = "this user only (name or number)"),
		OPT(0, "comm", .arg = "NAME", .filter = filter_parse_comm, .offer = offers_comms,
		    .help = "processes of exactly this name only"),
		OPT(0, "cgroup", .arg = "PATH|ID", .filter = filter_parse_cgroup,
		    .offer = offers_cgroups, .help = "this cgroup and those below it only"),
		OPT(0, "duration", .arg = "SEC", .sec = &c->duration_ns,
		    .help = "stop after this many seconds"),
		OPT(0, spec->prints_rows ? "events" : NULL, .arg = "N", .uint = &c->max_events,
		    .min = 1, .help = "stop after this many events"),
		OPT('j', "json", .flag = &c->json, .help = "one JSON object a line"),
		OPT(0, "time", .flag = &table_show_clock,
		    .help = spec->prints_rows
				    ? "a column with the time of day, with microseconds"
				    : "above each report the time of day, with microseconds"),
		OPT(0, "cost", .flag = &c->cost, .help = "say at the end what looking has cost"),
		OPT(0, "max-cost", .arg = "PERCENT", .parse = parse_percent, .value = &c->max_cost,
		    .help = "stop (status 3) when it costs more of one CPU"),
		OPT(0, "btf", .arg = "FILE", .str = &c->btf,
		    .help = "the kernel's BTF, where the kernel has none"),
		OPT('v', "verbose", .flag = &msg_verbose,
		    .help = "say which probes are used; libbpf's messages"),
		OPT('h', "help", .flag = &t->help, .help = "show this"),
		OPT('V', "version", .flag = &t->version, .help = "show the version"),
	};

	for (size_t i = 0; i < ARRAY_SIZE(common); i++)
		if (common[i].name && t->nr < OPTIONS_MAX)
			t->opts[t->nr++] = common[i];
	for (int i = t->nr_own; i < t->nr; i++)
		for (int k = 0; k < t->nr_own; k++)
			if (t->opts[k].letter == t->opts[i].letter)
				t->opts[i].letter = 0;
}

/* An entry of OPT_LETTER(). */
static bool is_letter_only(const struct opt *o)
{
	return !o->flag && !o->uint && !o->sec && !o->ms && !o->str && !o->regex && !o->parse &&
	       !o->filter;
}

/* The whole option of this long name; -1: there is none. */
static int find_by_name(const struct table *t, const char *name)
{
	for (int i = 0; i < t->nr; i++)
		if (!is_letter_only(&t->opts[i]) && t->opts[i].name &&
		    !strcmp(t->opts[i].name, name))
			return i;
	return -1;
}

static void take_out(struct table *t, int i)
{
	memmove(&t->opts[i], &t->opts[i + 1], (t->nr - i - 1) * sizeof(t->opts[0]));
	t->nr--;
	t->nr_own -= i < t->nr_own;
}

/*
 * Gives the options that OPT_LETTER() names their letters and words: the tool's own where they
 * stand, the common ones in the place of that entry. Returns false after saying which of these
 * there is not: a mistake in the tool's table.
 */
static bool give_letters(struct table *t)
{
	for (int i = 0; i < t->nr_own; i++) {
		struct opt letter = t->opts[i], *o;
		int whole;

		if (!is_letter_only(&letter))
			continue;
		whole = find_by_name(t, letter.name);
		if (whole < 0) {
			error("-%c cannot be --%s: there is no such option", letter.letter,
			      letter.name);
			return false;
		}
		o = &t->opts[whole];
		o->letter = letter.letter ? letter.letter : o->letter;
		o->help = letter.help ? letter.help : o->help;
		if (whole < t->nr_own) {
			take_out(t, i--);
		} else {
			t->opts[i] = *o;
			take_out(t, whole);
		}
	}
	return true;
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
	if (spec->usage)
		printf("%s\n", spec->usage);
	printf("%s: %s\n\nusage: %s [options]", spec->called, spec->summary, spec->called);
	for (const struct opt *p = spec->positional; p && p->name; p++)
		printf(" [%s", p->name);
	for (const struct opt *p = spec->positional; p && p->name; p++)
		printf("]");
	printf("\n");
	for (const struct opt *p = spec->positional; p && p->name; p++)
		printf("  %-24s  %s\n", p->name, p->help);
	printf("\nOptions of %s:\n", spec->name);
	for (int i = 0; i < t->nr_own; i++)
		if (t->opts[i].help)
			help_option(&t->opts[i]);
	printf("\nOptions of every tool:\n");
	for (int i = t->nr_own; i < t->nr; i++)
		help_option(&t->opts[i]);
	printf("\nExamples:\n");
	for (const char *const *e = spec->examples; e && e[0]; e += 2) {
		size_t len = strlen(spec->name);
		const char *rest = e[0] + (strncmp(e[0], spec->name, len) ? 0 : len);
		char command[160];

		snprintf(command, sizeof(command), "%s%s", spec->called, rest);
		printf("  %-34s  %s\n", command, e[1]);
	}
	/* of borescope opensnoop, too: borescope-opensnoop */
	printf("\nThe manual: man ");
	for (const char *p = spec->called; *p; p++)
		putchar(*p == ' ' ? '-' : *p);
	printf("\n");
}

/* Returns NULL, or what would be right; that lives until the next call. */
static const char *set_uint(const struct opt *o, const char *arg)
{
	static char bounds[80];

	if (number_parse(arg, o->min, o->max ? o->max : UINT64_MAX, o->uint))
		return NULL;
	if (o->max)
		snprintf(bounds, sizeof(bounds), "a whole number from %llu to %llu",
			 (unsigned long long)o->min, (unsigned long long)o->max);
	else
		snprintf(bounds, sizeof(bounds), "a whole number of at least %llu",
			 (unsigned long long)o->min);
	return bounds;
}

/* Returns NULL, or what would be right. */
static const char *set_value(const struct opt *o, const char *arg, struct filter *filter)
{
	if (o->uint)
		return set_uint(o, arg);
	if (o->sec)
		return parse_time(arg, 1e9, o->sec) && *o->sec ? NULL
							       : "seconds, more than 0: 10 or 0.5";
	if (o->ms)
		return parse_time(arg, 1e6, o->ms) ? NULL : "milliseconds: 10 or 0.5";
	if (o->regex)
		return regex_parse(arg, o->regex) ? NULL
						  : "an extended regular expression (man 7 regex)";
	if (o->parse)
		return o->parse(arg, o->value);
	if (o->filter)
		return o->filter(arg, filter);
	if (o->flag)
		*o->flag = true;
	else if (!*arg)
		return "something, not nothing";
	else
		*o->str = arg;
	return NULL;
}

/* @shown: the option as the user wrote it. Returns false after printing what is wrong. */
static bool take(const struct opt *o, const char *shown, const char *arg, struct filter *filter)
{
	const char *right = set_value(o, arg, filter);

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

static int positional_args(const struct options_spec *spec, struct filter *filter, int argc,
			   char **argv)
{
	const struct opt *p = spec->positional;

	for (; optind < argc; optind++) {
		if (!p || !p->name) {
			error("argument '%s' is one too many: see %s --help", argv[optind],
			      spec->called);
			return STATUS_USAGE;
		}
		if (!take(p, p->name, argv[optind], filter))
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

/* The tables of getopt_long(3), each with room for all options. */
static void getopt_tables(const struct table *t, char *letters, struct option *longs)
{
	*letters++ = ':';
	for (int i = 0; i < t->nr; i++) {
		const struct opt *o = &t->opts[i];

		if (o->letter) {
			*letters++ = o->letter;
			if (o->arg)
				*letters++ = ':';
		}
		if (o->name)
			*longs++ =
				(struct option){ o->name, o->arg ? required_argument : no_argument,
						 NULL, o->letter ? o->letter : LONG_ONLY + i };
	}
}

/* What stands behind the options of a tool that takes a script. */
static void offer_script(struct offers *o, int argc, char **argv)
{
	o->end = "files";
}

static int complete(const struct options_spec *spec, const struct table *t, int argc, char **argv)
{
	const struct complete c = {
		.options = t->opts,
		.nr = t->nr,
		.positional = spec->positional,
		.rest = spec->rest ? offer_script : NULL,
	};

	complete_print(&c, argc, argv);
	return printed();
}

int options_parse(const struct options_spec *spec, struct common_options *common, int argc,
		  char **argv)
{
	struct table t = { 0 };
	struct option longs[OPTIONS_MAX + 1] = { 0 };
	char letters[2 * OPTIONS_MAX + 2] = "";
	int c, by_name = -1; /* getopt leaves it as it is where a letter was given */

	msg_init(spec->called);
	for (const struct opt *o = spec->options; o && (o->letter || o->name); o++)
		t.opts[t.nr++] = *o;
	t.nr_own = t.nr;
	add_common(&t, spec, common);
	if (!give_letters(&t))
		return STATUS_FAILED;
	if (argc > 1 && !strcmp(argv[1], "--complete"))
		return complete(spec, &t, argc - 2, argv + 2);
	getopt_tables(&t, letters, longs);
	opterr = 0;
	while ((c = getopt_long(argc, argv, letters, longs, &by_name)) != -1) {
		int i = c == ':' || c == '?' ? -1 : find_by_getopt(&t, c);
		char shown[40];

		if (i < 0)
			return wrong_option(&t, c, argv);
		if (by_name < 0)
			snprintf(shown, sizeof(shown), "-%c", t.opts[i].letter);
		else
			snprintf(shown, sizeof(shown), "--%s", t.opts[i].name);
		by_name = -1;
		if (!take(&t.opts[i], shown, optarg, &common->filter))
			return STATUS_USAGE;
		if (t.help) {
			help(spec, &t);
			return printed();
		}
		if (t.version) {
			if (spec->version)
				printf("%s\n", spec->version);
			else
				printf("%s %s (borescope)\n", spec->name, BORESCOPE_VERSION);
			return printed();
		}
	}
	if (!spec->rest)
		return positional_args(spec, &common->filter, argc, argv);
	*spec->rest = optind;
	return GO_ON;
}
