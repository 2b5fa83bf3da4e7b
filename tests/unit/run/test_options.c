/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Tables of options: what they take, what they refuse, whose letters they are, and --help. */
#include <fcntl.h>
#include <getopt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/regex.h"
#include "base/status.h"
#include "base/util.h"
#include "output/table.h"
#include "run/filter.h"
#include "run/options.h"

static bool failed, quiet;
static uint64_t hz, interval_ns, took_ns, port, local, min_ms, count;
static const char *file;
static struct regex regex;
static struct common_options common;

static const char *parse_port(const char *arg, void *value)
{
	*(uint64_t *)value = strtoull(arg, NULL, 10);
	return *(uint64_t *)value ? NULL : "a port";
}

/* As a wing offers them to all its tools. */
#define PORT_OPTIONS                                                                               \
	OPT(0, "rport", .arg = "PORT", .parse = parse_port, .value = &port, .help = "to this"),    \
		OPT(0, "lport", .arg = "PORT", .parse = parse_port, .value = &local,               \
		    .help = "from this")

static const struct opt options[] = {
	OPT('x', "failed", .flag = &failed, .help = "what failed"),
	OPT_LETTER('P', "rport"),
	OPT('F', "frequency", .arg = "HZ", .uint = &hz, .min = 1, .max = 1000, .help = "how often"),
	OPT(0, "min", .arg = "N", .uint = &min_ms, .min = 5, .help = "at least"),
	OPT_LETTER('t', "tid"),
	OPT_LETTER('d', "duration", .help = "how long"),
	OPT('j', "quiet", .flag = &quiet, .help = "no notes"),
	PORT_OPTIONS,
	OPT_LETTER('L', "lport", .help = "from that"),
	OPT(0, "took", .arg = "MS", .ms = &took_ns, .help = "so long"),
	OPT(0, "interval", .arg = "SEC", .sec = &interval_ns, .help = "between reports"),
	OPT('o', "out", .arg = "FILE", .str = &file, .help = "into FILE"),
	OPT('r', "regex", .arg = "REGEX", .regex = &regex, .help = "only these"),
	OPT('n', "name", .arg = "NAME", .filter = filter_parse_comm_part, .help = "a part of it"),
	{ 0 },
};

static const struct opt positional[] = {
	OPT(0, "count", .uint = &count, .min = 1, .help = "how many"),
	{ 0 },
};

static const char *const examples[] = { "", "all of it", " -x", "what failed", NULL };

static int saved_out, saved_err, printed_fd;

static int setup(void **state)
{
	failed = quiet = table_show_clock = false;
	took_ns = hz = interval_ns = port = local = min_ms = count = 0;
	file = NULL;
	common = (struct common_options){ 0 };
	optind = 0; /* getopt(3) of glibc and musl begins anew */
	return 0;
}

/* What is printed on stdout and stderr goes into a file, for said(). */
static int setup_group(void **state)
{
	char path[] = "/tmp/borescope-unit-options-XXXXXX";

	printed_fd = mkstemp(path);
	assert_true(printed_fd >= 0);
	unlink(path);
	saved_out = dup(STDOUT_FILENO);
	saved_err = dup(STDERR_FILENO);
	return 0;
}

#define PARSE(...) parse((char *[]){ "tool", __VA_ARGS__, NULL }, true)

static const struct opt *table = options;

static int parse(char **argv, bool prints_rows)
{
	const struct options_spec spec = {
		.name = "tool",
		.called = "tool",
		.summary = "tries options",
		.options = table,
		.positional = positional,
		.examples = examples,
		.prints_rows = prints_rows,
	};
	int argc = 0, status;

	while (argv[argc])
		argc++;
	setup(NULL);
	assert_int_equal(ftruncate(printed_fd, 0), 0);
	lseek(printed_fd, 0, SEEK_SET);
	fflush(stdout);
	dup2(printed_fd, STDOUT_FILENO);
	dup2(printed_fd, STDERR_FILENO);
	status = options_parse(&spec, &common, argc, argv);
	fflush(stdout);
	dup2(saved_out, STDOUT_FILENO);
	dup2(saved_err, STDERR_FILENO);
	return status;
}

static const char *said(void)
{
	static char text[8192];
	ssize_t n = pread(printed_fd, text, sizeof(text) - 1, 0);

	assert_true(n >= 0);
	text[n] = '\0';
	return text;
}

static void test_values(void **state)
{
	assert_int_equal(PARSE("-x", "-F", "99", "--interval", "0.5", "-o", "a", "-n", "gin"),
			 GO_ON);
	assert_true(failed);
	assert_int_equal(hz, 99);
	assert_int_equal(interval_ns, 500000000);
	assert_string_equal(file, "a");
	assert_int_equal(common.filter.comm_part_len, 3);
	assert_int_equal(PARSE("--min=5", "7"), GO_ON);
	assert_int_equal(min_ms, 5);
	assert_int_equal(count, 7);
	assert_int_equal(PARSE("-r", "^a"), GO_ON);
	assert_true(regex_matches(&regex, "abc", 3));
	assert_false(regex_matches(&regex, "bac", 3));
	assert_int_equal(PARSE("-r", "b$"), GO_ON); /* the last one is meant */
	assert_true(regex_matches(&regex, "ab\0c", 4));
	assert_string_equal(said(), "");
	regfree(&regex.compiled);
	regex.set = false;
}

static void test_common(void **state)
{
	assert_int_equal(
		PARSE("-p", "1,2", "--duration", "2", "--events", "23", "--max-cost", "1.5"),
		GO_ON);
	assert_int_equal(common.filter.nr_pids, 2);
	assert_int_equal(common.duration_ns, 2000000000);
	assert_int_equal(common.max_events, 23);
	assert_true(common.max_cost == 1.5);
	assert_int_equal(PARSE("--json", "--time", "--cost", "--btf", "/x"), GO_ON);
	assert_true(common.json && table_show_clock && common.cost);
	assert_string_equal(common.btf, "/x");
}

/* What the tool's letter means goes before what it means elsewhere; the long name always stays. */
static void test_letters(void **state)
{
	assert_int_equal(PARSE("-t", "7", "-d", "2", "-j"), GO_ON);
	assert_int_equal(common.filter.nr_tids, 1);
	assert_int_equal(common.duration_ns, 2000000000);
	assert_true(quiet);
	assert_false(common.json);
	assert_int_equal(PARSE("--tid", "7", "--json"), GO_ON);
	assert_true(common.json);
	assert_int_equal(PARSE("-P", "443", "-L", "80"), GO_ON); /* of a macro's options */
	assert_int_equal(port, 443);
	assert_int_equal(local, 80);
	assert_int_equal(PARSE("--rport=22"), GO_ON);
	assert_int_equal(port, 22);
}

#define REFUSED(error_, ...)                                                                       \
	do {                                                                                       \
		assert_int_equal(PARSE(__VA_ARGS__), STATUS_USAGE);                                \
		assert_string_equal(said(), "tool: " error_ "\n");                                 \
	} while (0)

static void test_refused(void **state)
{
	REFUSED("-F: '0' is not valid; it takes a whole number from 1 to 1000", "-F", "0");
	REFUSED("-F: '1001' is not valid; it takes a whole number from 1 to 1000", "-F1001");
	REFUSED("--frequency: '12x' is not valid; it takes a whole number from 1 to 1000",
		"--frequency", "12x");
	REFUSED("--min: '4' is not valid; it takes a whole number of at least 5", "--min=4");
	REFUSED("count: 'abc' is not valid; it takes a whole number of at least 1", "abc");
	REFUSED("argument '3' is one too many: see tool --help", "2", "3");
	REFUSED("--interval: '0' is not valid; it takes seconds, more than 0: 10 or 0.5",
		"--interval", "0");
	REFUSED("--interval: '1e3' is not valid; it takes seconds, more than 0: 10 or 0.5",
		"--interval=1e3");
	REFUSED("--interval: 'inf' is not valid; it takes seconds, more than 0: 10 or 0.5",
		"--interval=inf");
	REFUSED("--took: '-1' is not valid; it takes milliseconds: 10 or 0.5", "--took=-1");
	REFUSED("--took: '1ms' is not valid; it takes milliseconds: 10 or 0.5", "--took", "1ms");
	REFUSED("-o: '' is not valid; it takes something, not nothing", "-o", "");
	REFUSED("-r: '(' is not valid; it takes an extended regular expression (man 7 regex)", "-r",
		"(");
	REFUSED("-P: 'x' is not valid; it takes a port", "-P", "x");
	REFUSED("-p: '-1' is not valid; it takes process ids, at most 64: 1234 or 12,34", "-p",
		"-1");
	REFUSED("--events: '0' is not valid; it takes a whole number of at least 1", "--events",
		"0");
	REFUSED("--max-cost: '0' is not valid; it takes a percentage of one CPU, more than 0",
		"--max-cost", "0");
	REFUSED("--max-cost: 'nan' is not valid; it takes a percentage of one CPU, more than 0",
		"--max-cost", "nan");
}

static void test_unknown(void **state)
{
	REFUSED("there is no option -y: see tool --help", "-y");
	REFUSED("there is no option --yes: see tool --help", "--yes");
	REFUSED("more than one option begins with --f: see tool --help", "--f", "1");
	REFUSED("option --failed takes no argument: see tool --help", "--failed=1");
	REFUSED("option -F needs an argument: HZ", "-F");
	REFUSED("option --frequency needs an argument: HZ", "--frequency");
}

/* Only tools that print rows have --events. */
static void test_events(void **state)
{
	char *argv[] = { "tool", "--events", "2", NULL };

	assert_int_equal(parse(argv, true), GO_ON);
	assert_int_equal(parse(argv, false), STATUS_USAGE);
	assert_string_equal(said(), "tool: there is no option --events: see tool --help\n");
}

/* A mistake in a tool's table is found by whatever calls the tool, its --help first. */
static void test_letter_of_nothing(void **state)
{
	static const struct opt wrong[] = {
		OPT_LETTER('t', "tids"),
		{ 0 },
	};

	table = wrong;
	assert_int_equal(PARSE("--help"), STATUS_FAILED);
	assert_string_equal(said(), "tool: -t cannot be --tids: there is no such option\n");
	table = options;
}

static void test_help(void **state)
{
	assert_int_equal(PARSE("--help"), STATUS_OK);
	assert_string_equal(
		said(), "tool: tries options\n"
			"\n"
			"usage: tool [options] [count]\n"
			"  count                     how many\n"
			"\n"
			"Options of tool:\n"
			"  -x, --failed              what failed\n"
			"  -F, --frequency HZ        how often\n"
			"      --min N               at least\n"
			"  -t, --tid TID[,TID...]    these threads only\n"
			"  -d, --duration SEC        how long\n"
			"  -j, --quiet               no notes\n"
			"  -P, --rport PORT          to this\n"
			"  -L, --lport PORT          from that\n"
			"      --took MS             so long\n"
			"      --interval SEC        between reports\n"
			"  -o, --out FILE            into FILE\n"
			"  -r, --regex REGEX         only these\n"
			"  -n, --name NAME           a part of it\n"
			"\n"
			"Options of every tool:\n"
			"  -p, --pid PID[,PID...]    these processes only\n"
			"      --uid USER            this user only (name or number)\n"
			"      --comm NAME           processes of exactly this name only\n"
			"      --cgroup PATH|ID      this cgroup and those below it only\n"
			"      --events N            stop after this many events\n"
			"      --json                one JSON object a line\n"
			"      --time                a column with the time of day, with "
			"microseconds\n"
			"      --cost                say at the end what looking has cost\n"
			"      --max-cost PERCENT    stop (status 3) when it costs more of one "
			"CPU\n"
			"      --btf FILE            the kernel's BTF, where the kernel has none\n"
			"  -v, --verbose             say which probes are used; libbpf's messages\n"
			"  -h, --help                show this\n"
			"  -V, --version             show the version\n"
			"\n"
			"Examples:\n"
			"  tool                                all of it\n"
			"  tool -x                             what failed\n"
			"\n"
			"The manual: man tool\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),	cmocka_unit_test(test_common),
		cmocka_unit_test(test_letters), cmocka_unit_test(test_refused),
		cmocka_unit_test(test_unknown), cmocka_unit_test(test_events),
		cmocka_unit_test(test_help),	cmocka_unit_test(test_letter_of_nothing),
	};

	return cmocka_run_group_tests(tests, setup_group, NULL);
}
