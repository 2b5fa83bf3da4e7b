/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * bscope: asks the kernel anything, in bpftrace's language. script/ has the compiler; this is its
 * command line, which is bpftrace's with what every tool has.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/called.h"
#include "base/limits.h"
#include "base/msg.h"
#include "base/regex.h"
#include "base/status.h"
#include "base/util.h"
#include "kernel/advice.h"
#include "kernel/pidns.h"
#include "output/out.h"
#include "output/table.h"
#include "run/filter.h"
#include "run/options.h"
#include "script/check.h"
#include "script/compat.h"
#include "script/explain.h"
#include "script/flames.h"
#include "script/input.h"
#include "script/listing.h"
#include "script/run.h"
#include "script/shell.h"
#include "script/stages.h"

static struct {
	struct regex only;   /* names of probes */
	const char *program; /* -e */
	const char *command; /* -c */
	const char *output;  /* -o */
	const char *svg;
	const char *functions; /* --traceable-functions */
	bool list, quiet, is_unsafe, dry_run, info, no_warnings, explain, raw, compat;
	bool folded, top, json;
	bool unbuffered, full_buffered;
	struct stages stages;
	const char *not_here; /* an option of bpftrace's that is not there */
	const char *file;     /* NULL: none */
	const char *name;     /* of the script, in messages */
	const char **positional, **named;
	size_t nr_positional, nr_named;
} opt;

/* --- options ------------------------------------------------------------------------------ */

static const char *parse_format(const char *arg, void *unused)
{
	if (strcmp(arg, "text") && strcmp(arg, "json")) {
		if (!opt.compat)
			return "text or json";
		fprintf(stderr,
			"ERROR: Invalid output format \"%s\"\nValid formats: 'text', 'json'\n",
			arg);
		exit(STATUS_FAILED);
	}
	opt.json = arg[0] == 'j';
	return NULL;
}

static const char *parse_buffers(const char *arg, void *unused)
{
	if (strcmp(arg, "line") && strcmp(arg, "full") && strcmp(arg, "none"))
		return "line, full or none";
	opt.unbuffered = arg[0] == 'n';
	opt.full_buffered = arg[0] == 'f';
	return NULL;
}

static const char *parse_stages(const char *arg, void *unused)
{
	return stages_parse(&opt.stages, arg);
}

static const char *ignored;
static bool ignored_flag;

/* What --help does not show is accepted since bpftrace has it, and changes nothing here. */
static const struct opt options[] = {
	OPT('e', "execute", .arg = "PROGRAM", .str = &opt.program, .help = "run this program"),
	OPT('l', "list", .flag = &opt.list,
	    .help = "list probes: all, or those like SCRIPT, a pattern"),
	OPT('c', "cmd", .arg = "COMMAND", .str = &opt.command,
	    .help = "run this command, and end when it does"),
	OPT('f', "format", .arg = "FORMAT", .parse = parse_format, .choices = "text json",
	    .help = "text or json"),
	OPT('o', "output", .arg = "FILE", .str = &opt.output, .help = "print into this file"),
	OPT('B', "buffer", .arg = "MODE", .parse = parse_buffers, .choices = "line full none",
	    .help = "when output leaves: line, full or none"),
	OPT('q', "quiet", .flag = &opt.quiet, .help = "print only what the script does"),
	OPT('d', "debug", .arg = "STAGE[,STAGE...]", .parse = parse_stages,
	    .choices = "ast ir bpf verifier all",
	    .help = "show the stages of compiling: ast, ir, bpf, all"),
	OPT(0, "explain", .flag = &opt.explain,
	    .help = "say what it would do: probes, maps, memory"),
	OPT(0, "dry-run", .flag = &opt.dry_run, .help = "compile and load, and run nothing"),
	OPT(0, "unsafe", .flag = &opt.is_unsafe,
	    .help = "grant what changes the system: system() and others"),
	OPT(0, "raw", .flag = &opt.raw, .help = "print strings as they are, unsafe for a terminal"),
	OPT(0, "svg", .arg = "FILE", .str = &opt.svg,
	    .help = "a flame graph of the maps with stacks"),
	OPT(0, "folded", .flag = &opt.folded,
	    .help = "a line for each stack, as flamegraph.pl reads it"),
	OPT(0, "top", .flag = &opt.top, .help = "a table of the hottest functions of the stacks"),
	OPT(0, "no-warnings", .flag = &opt.no_warnings, .help = "no warnings about the script"),
	OPT(0, "info", .flag = &opt.info, .help = "say what this kernel has"),
	OPT(0, "compat", .flag = &opt.compat, .help = "in all as bpftrace: forms, exit statuses"),
	OPT_LETTER(0, "time", .help = "before each row the time of day, with microseconds"),
	OPT('k', "warnings", .flag = &ignored_flag),
	OPT('b', "force-btf", .flag = &ignored_flag),
	OPT('I', NULL, .arg = "DIR", .str = &ignored),
	OPT(0, "include", .arg = "FILE", .str = &ignored),
	OPT(0, "verify-llvm-ir", .flag = &ignored_flag),
	OPT(0, "probe-filter", .arg = "REGEX", .regex = &opt.only),
	OPT(0, "traceable-functions", .arg = "FILE", .str = &opt.functions),
	OPT(0, "usdt-file-activation", .flag = &ignored_flag),
	OPT(0, "debuginfo", .arg = "DIR", .str = &ignored),
	OPT(0, "no-feature", .arg = "FEATURE", .str = &ignored),
	OPT(0, "mode", .arg = "MODE", .str = &opt.not_here),
	{ 0 },
};

static const struct opt positional[] = {
	OPT(0, "SCRIPT", .help = "a file, or - for stdin"),
	OPT(0, "ARGUMENT", .help = "$1 and so on; behind --, --name=value"),
	{ 0 },
};

static const char *const examples[] = {
	" script.bt",
	"run a script",
	" -e 'k:vfs_read { @[comm] = count(); }'",
	"reads, by program",
	" -e 'profile:hz:99 { @[kstack] = count(); }'",
	"the kernel's time",
	" -l 't:sched:*'",
	"the tracepoints of the scheduler",
	" -lv t:sched:sched_switch",
	"what one tells",
	NULL,
};

static int usage_status(void)
{
	if (!opt.compat)
		return STATUS_USAGE;
	fputs(compat_usage, stderr);
	return STATUS_FAILED;
}

static int usage_error(const char *text)
{
	if (opt.compat)
		fprintf(stderr, "ERROR: USAGE: %s\n", text);
	else
		error("%s: see %s --help", text, msg_tool());
	return usage_status();
}

/* --- what is asked for --------------------------------------------------------------------- */

/* The script, its arguments, and those that have names. */
static void sort_arguments(int argc, char **argv, int rest)
{
	opt.positional = calloc(argc + 1, sizeof(*opt.positional));
	opt.named = calloc(argc + 1, sizeof(*opt.named));
	if (!opt.positional || !opt.named) {
		error("not enough memory");
		exit(STATUS_FAILED);
	}
	if (!opt.program && !opt.list && rest < argc)
		opt.file = argv[rest++];
	for (; rest < argc; rest++) {
		if (!strncmp(argv[rest], "--", 2))
			opt.named[opt.nr_named++] = argv[rest];
		else
			opt.positional[opt.nr_positional++] = argv[rest];
	}
}

/* Two that exclude each other; NULL: none do. */
static const char *conflict(const struct common_options *common)
{
	if (opt.command && common->filter.nr_pids)
		return "-c and -p: it is one or the other";
	if ((opt.folded || opt.top) && opt.json)
		return "--folded and --top are text: not with -f json";
	if (opt.not_here)
		return "--mode: tests and benchmarks of scripts are not here";
	if (!opt.program && !opt.file && !opt.list && !opt.info)
		return "a script is needed: -e 'PROGRAM', or a file";
	return NULL;
}

static int take_options(int argc, char **argv, struct common_options *common)
{
	int rest = argc, status;
	const struct options_spec spec = {
		.name = opt.compat ? "bpftrace" : "bscope",
		.called = called(argv[0], opt.compat ? "bpftrace" : "bscope"),
		.summary = "ask the kernel anything, in bpftrace's language",
		.options = options,
		.positional = positional,
		.examples = examples,
		.prints_rows = true,
		.rest = &rest,
		.version = opt.compat ? COMPAT_VERSION : NULL,
		.usage = opt.compat ? compat_usage : NULL,
	};
	const char *wrong;

	if (opt.compat && !compat_pids(argc, argv))
		return STATUS_FAILED;
	status = options_parse(&spec, common, argc, argv);
	if (status == STATUS_USAGE)
		return usage_status();
	if (status != GO_ON)
		return status;
	opt.json |= common->json;
	sort_arguments(argc, argv, rest);
	wrong = conflict(common);
	return wrong ? usage_error(wrong) : GO_ON;
}

/* --- the script --------------------------------------------------------------------------- */

/* NULL after printing why not. */
static struct source *read_script(void)
{
	struct source *src = input_read(opt.program, opt.file, opt.compat);

	if (src)
		src->no_warnings = opt.no_warnings;
	return src;
}

static struct positional parameters(void)
{
	return (struct positional){
		.args = opt.positional,
		.nr = opt.nr_positional,
		.named = opt.named,
		.nr_named = opt.nr_named,
	};
}

static struct script *parse(struct source *src)
{
	const struct positional args = parameters();
	struct script *script = script_parse(src, &args);

	if (opt.stages.ast)
		script_dump(script, stdout);
	return script;
}

/* The process of -p, if it is one. */
static pid_t only_pid(const struct common_options *common)
{
	return common->filter.nr_pids == 1 ? (pid_t)common->filter.pids[0] : 0;
}

static int list(const struct common_options *common)
{
	const struct listing listing = { .compat = opt.compat,
					 .probes = { .only_names = true,
						     .command = opt.command,
						     .pid = only_pid(common),
						     .functions = opt.functions,
						     .unlisted_ok = opt.is_unsafe },
					 .btf = common->btf,
					 .verbose = msg_verbose };
	const char *pattern = opt.nr_positional ? opt.positional[0] : NULL;
	struct source *src;
	bool done;

	if (!opt.program && pattern && !access(pattern, R_OK))
		opt.file = pattern;
	else if (pattern)
		listing_check_pattern(pattern);
	if (!opt.program && !opt.file)
		return listing_pattern(&listing, pattern) ? STATUS_OK : STATUS_FAILED;
	src = read_script();
	if (!src)
		return STATUS_FAILED;
	done = listing_script(&listing, parse(src));
	source_free(src);
	return done ? STATUS_OK : STATUS_FAILED;
}

/* --- running ------------------------------------------------------------------------------- */

static struct out out;

/* Returns whether there is somewhere to print to. */
static bool open_output(void)
{
	int fd = STDOUT_FILENO;

	if (opt.output)
		fd = open(opt.output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd >= 0) {
		out_init(&out, fd);
		return true;
	}
	if (opt.compat)
		fprintf(stderr, "ERROR: Failed to open output file: \"%s\": %s\n", opt.output,
			strerror(errno));
	else
		error("cannot write '%s': %s", opt.output, strerror(errno));
	return false;
}

static int load_and_run(const struct compiled *c, const struct common_options *common, pid_t child,
			int child_go)
{
	const struct load_options load = { .verbose = msg_verbose || opt.stages.verifier };
	const struct script_run_options run = {
		.out = &out,
		.json = opt.json,
		.quiet = opt.quiet,
		.compat = opt.compat,
		.raw = opt.raw || opt.compat,
		.unbuffered = opt.unbuffered,
		.full_buffered = opt.full_buffered,
		.cost = common->cost,
		.max_cost = common->max_cost,
		.duration_ns = common->duration_ns,
		.max_events = common->max_events,
		.svg = opt.svg,
		.folded = opt.folded,
		.top = opt.top,
		.time = table_show_clock,
		.only = opt.only.set ? &opt.only : NULL,
		.pid = only_pid(common),
		.child = child,
		.child_go = child_go,
		.notify = getenv("__BPFTRACE_NOTIFY_PROBES_ATTACHED"),
	};
	struct loaded loaded;
	int status = STATUS_OK;

	if (script_load(&loaded, c, &load))
		return STATUS_FAILED;
	if (!opt.dry_run)
		status = script_run(&loaded, &run);
	script_unload(&loaded);
	return status;
}

static struct compiled *compile(struct script *script, const struct common_options *common,
				struct script_config *config, pid_t child)
{
	static struct filter filter;
	const struct positional args = parameters();
	struct compile_options compile = {
		.probes = {
			.pid = child ? child : only_pid(common),
			.command = opt.command,
			.only_names = opt.dry_run,
			.functions = opt.functions,
			.unlisted_ok = opt.is_unsafe,
		},
		.btf = common->btf,
		.positional = &args,
		.unsafe = opt.is_unsafe,
		.compat = opt.compat,
		.filter = filter_is_set(&common->filter) ? &filter : NULL,
		.by_name = opt.only.set,
	};

	filter = common->filter;
	filter.any = filter_is_set(&filter);
	filter.own_pid = pidns_own_pid();
	compile.probes.max_probes = config->max_probes;
	compile.probes.missing_ok = config->missing_probes_warn || config->missing_probes_ignore;
	compile.probes.missing_quiet = config->missing_probes_ignore;
	compile.probes.missing_strict = config->missing_probes_error || opt.compat;
	compile.probes.string_room = config->max_strlen;
	return script_compile(script, &compile, config);
}

/* What was compiled is shown, or run. */
static int use(const struct compiled *c, const struct common_options *common, pid_t child,
	       int child_go)
{
	if (!stages_dump(&opt.stages, c))
		return STATUS_FAILED;
	if (opt.explain) {
		script_explain(c, stdout);
		return STATUS_OK;
	}
	script_explain_ways(c);
	if ((opt.svg || opt.folded || opt.top) && !flames_possible(c)) {
		error("--svg, --folded and --top: no map of this script has kstack or ustack "
		      "among its keys and is a count(), a sum() or a number");
		return STATUS_FAILED;
	}
	if (stages_any(&opt.stages))
		return STATUS_OK;
	return load_and_run(c, common, child, child_go);
}

/* All that follows the parsing. */
static int go(struct source *src, const struct common_options *common, pid_t child, int child_go)
{
	const bool shows = stages_any(&opt.stages);
	struct script_config config = { 0 };
	struct script *script = parse(src);
	struct compiled *c;
	int status;

	/* without them, where the probes are can't be found out, either */
	if (!src->errors && !shows && !opt.explain && !advice_capabilities())
		return STATUS_FAILED;
	script_configure(script, &config);
	c = compile(script, common, &config, child);
	if (!c)
		return STATUS_FAILED;
	status = use(c, common, child, child_go);
	script_compiled_free(c);
	return status;
}

static int compile_and_run(const struct common_options *common)
{
	struct source *src;
	pid_t child = 0;
	int go_fd = -1, status;

	if (!open_output())
		return STATUS_FAILED;
	src = read_script();
	if (!src)
		return STATUS_FAILED;
	if (opt.command && !opt.dry_run && !opt.explain) {
		child = shell_start(opt.command, &go_fd);
		if (child < 0) {
			error("cannot run '%s': %s", opt.command, strerror(-child));
			return STATUS_FAILED;
		}
	}
	status = go(src, common, child, go_fd);
	source_free(src);
	return status;
}

int main(int argc, char **argv)
{
	static struct common_options common;
	int status;

	opt.compat = compat_asked(argc, argv);
	advice_listen();
	limits_hold_stdio();
	if (argc < 2) {
		msg_init(opt.compat ? "bpftrace" : "bscope");
		return usage_error("a script is needed: -e 'PROGRAM', or a file");
	}
	status = take_options(argc, argv, &common);
	if (status != GO_ON)
		return status;
	if (opt.info) {
		script_explain_kernel(stdout);
		return STATUS_OK;
	}
	if (!limits_open_files())
		return STATUS_FAILED;
	pidns_check(&common.filter);
	return opt.list ? list(&common) : compile_and_run(&common);
}
