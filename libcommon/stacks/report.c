/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <stdlib.h>
#include <string.h>
#include <linux/types.h>

#include "base/clock.h"
#include "base/msg.h"
#include "base/number.h"
#include "lib/stacks/stacks.shared.h"
#include "output/replace.h"
#include "run/run.h"
#include "stacks/internal.h"
#include "stacks/nameless.h"
#include "stacks/names.h"
#include "symbols/cfi.h"

#define TOP_ROWS 30
/* A note tells of short stacks when they have this share, and there are enough stacks to judge. */
#define CUT_PERMILLE 200
#define CUT_MIN	     20

static struct replace svg;

static bool svg_is_stdout(void)
{
	return !strcmp(stacks_options.svg, "-");
}

int stacks_setup(const struct common_options *common)
{
	const struct stacks_options *opt = &stacks_options;
	const char *why;
	int err;

	if (opt->user_only && opt->kernel_only) {
		error("-U and -K: it is one or the other, or both stacks without them");
		return STATUS_USAGE;
	}
	if (opt->folded && (opt->top || common->json)) {
		error("-f and %s: it is one or the other", opt->top ? "--top" : "--json");
		return STATUS_USAGE;
	}
	if (opt->offsets && (opt->folded || opt->top || opt->svg || common->json)) {
		error("-s and %s: it is one or the other", opt->folded ? "-f"
							   : opt->top  ? "--top"
							   : opt->svg  ? "--svg"
								       : "--json");
		return STATUS_USAGE;
	}
	if (opt->unwind && opt->kernel_only) {
		error("-K and --unwind: there are no user stacks to unwind");
		return STATUS_USAGE;
	}
	if (opt->unwind && !cfi_supported()) {
		error("--unwind dwarf: this build is for a machine whose tables it does not know "
		      "(it knows x86-64 and arm64)");
		return STATUS_USAGE;
	}
	if (!opt->svg)
		return GO_ON;
	if (svg_is_stdout()) {
		if (opt->folded || opt->top || common->json) {
			error("--svg - and %s: both would go to stdout; give a file",
			      opt->folded ? "-f"
			      : opt->top  ? "--top"
					  : "--json");
			return STATUS_USAGE;
		}
		return GO_ON;
	}
	err = replace_check(&svg, opt->svg, &why);
	if (err) {
		error("--svg: cannot write '%s': %s", opt->svg, why ? why : strerror(-err));
		return STATUS_FAILED;
	}
	return GO_ON;
}

void stacks_configure(struct object *o)
{
	struct stack_config *config =
		object_section(o, ".rodata.stacks", "lib/stacks/stacks.bpf.h");
	uint64_t depth = 0;

	number_read("/proc/sys/kernel/perf_event_max_stack", 1, &depth);
	depth = depth ? depth : 127;
	config->depth = depth < STACK_FRAMES_MAX ? depth : STACK_FRAMES_MAX;
	config->kernel = !stacks_options.user_only;
	config->user = !stacks_options.kernel_only;
	config->copy = stacks_options.unwind & ~7ull;
}

/* Writes the file of --svg. Returns false when it is not there, or not whole, after printing why.
 * */
static bool write_svg(struct stacks *s)
{
	struct out *o = malloc(sizeof(*o));
	int err;

	if (!o) {
		error("not enough memory for the flame graph");
		return false;
	}
	err = replace_begin(&svg);
	if (!err) {
		out_init(o, svg.fd);
		stacks_svg(s, o);
		err = out_flush(o);
		err = replace_end(&svg, !err) ?: err;
	}
	if (err)
		error("cannot write '%s': %s", stacks_options.svg, strerror(-err));
	else if (!s->failed)
		note("the flame graph is in %s", stacks_options.svg);
	free(o);
	return !err;
}

void stacks_report(struct stacks *s, struct run *r)
{
	const struct stacks_options *opt = &stacks_options;

	if (opt->svg && svg_is_stdout())
		stacks_svg(s, &r->out);
	else if (opt->svg && !write_svg(s))
		run_fail(r);
	if (!opt->folded && (opt->top || !opt->svg))
		run_report_clock(r, clock_real_ns(clock_mono_ns()), false);
	if (r->opt.json && opt->top)
		stacks_top_json(s, &r->json);
	else if (r->opt.json)
		stacks_json(s, &r->json);
	else if (opt->top)
		stacks_top(s, &r->out, TOP_ROWS);
	else if (opt->folded)
		stacks_folded(s, &r->out);
	else if (!opt->svg)
		stacks_listing(s, &r->out);
	if (s->failed)
		run_fail(r);
}

bool stacks_remarks(struct stacks *s)
{
	const struct stacks_stats *st = &s->stats;
	const char *module;

	if (st->left_out)
		warn("%llu %s are not in these stacks: there were more different ones than "
		     "--stack-storage-size %llu",
		     (unsigned long long)st->left_out, s->config.unit ? s->config.unit : "stacks",
		     (unsigned long long)s->entries.max_items);
	if (!s->failed && stacks_name(s))
		nameless_remark(s);
	if (st->user < CUT_MIN || s->failed || st->user_short * 1000 < st->user * CUT_PERMILLE ||
	    !stacks_name(s))
		return false;
	module = stacks_most_cut(s);
	note("%llu %% of user stacks have at most two frames: code built without %s%s%s%s",
	     (unsigned long long)(st->user_short * 100 / st->user),
	     stacks_options.unwind ? "tables to unwind by" : "frame pointers",
	     module ? ", most of it in " : "", module ? module : "",
	     s->config.can_unwind && !stacks_options.unwind ? ": see --unwind dwarf" : "");
	return true;
}

void stacks_summary_json(struct stacks *s, struct json *j)
{
	if (!s->failed)
		stacks_name(s); /* for user_short, if it was not shown yet */
	json_u64(j, "stacks_left_out", s->stats.left_out);
	json_u64(j, "user_stacks", s->stats.user);
	json_u64(j, "user_stacks_cut", s->stats.user_short);
}
