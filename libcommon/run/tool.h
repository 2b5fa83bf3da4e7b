/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * tool: the life cycle that every tool shares. A tool is a description (tables and one or two
 * hooks); tool_main() does the rest:
 *
 *   parse -> setup -> open, configure, choose probes, load, attach -> header ->
 *   events / reports until the deadline, the count, a signal -> detach -> what is left ->
 *   losses, cost, summary -> exit status (0 ok, 1 failed, 2 usage, 3 --max-cost reached)
 */
#ifndef BORESCOPE_RUN_TOOL_H
#define BORESCOPE_RUN_TOOL_H

#include "run/run.h"

/* What a tool is. It never changes: what a run chooses is in its plan (run/run.h), which begins
 * with the members of the same names here. */
struct tool {
	const char *name;
	/* For a tool with several names (tools/links): the one that the program's name, argv[0],
	 * asks for. NULL: .name. */
	const char *(*name_from)(const char *program);
	const char *summary;	      /* one line */
	const struct opt *options;    /* its own; ends with { 0 } */
	const struct opt *positional; /* in order, all optional; ends with { 0 }; NULL: none */
	/* Pairs: a command and what it shows; ends with NULL. A command that is empty or begins
	 * with a space is this tool's name and that: for a tool with several names. */
	const char *const *examples;
	struct object_image image;
	const struct probe *probes;
	const struct kernel_fact *facts;
	const struct attach_target *targets;

	/* After parsing, before anything is loaded: checks combinations of options, and chooses in
	 * r->plan. Returns GO_ON, or the exit status after printing why. */
	int (*setup)(struct run *r);
	/* On every fresh object: fills read-only data. */
	void (*configure)(struct run *r);

	/* After the probes: attaches what libbpf can't by itself (sampling). Returns 0, or -errno
	 * after printing why. detach is called when attach was, before the last events are read. */
	int (*attach)(struct run *r);
	void (*detach)(struct run *r);

	/* For --probes, in place of attach where that may be refused: would it be granted? Returns
	 * as attach does, and leaves nothing. */
	int (*try_attach)(struct run *r);

	/* Attached; before the first event is shown. */
	void (*started)(struct run *r);

	/* Tools that print events. */
	const struct column *columns;
	size_t event_size;
	bool (*event)(struct run *r, const void *event, size_t size);

	/* Tools that report: called at every interval and at the end. */
	void (*report)(struct run *r);
	void (*tick)(struct run *r); /* ten times a second; NULL: never */
	/* Counts what is lost where only a look at the kernel side tells (run_unseen()): once a
	 * second, before losses are told, and before the probes are detached. */
	void (*count_losses)(struct run *r);
	/* Tools that look from time to time: called when attached and at every interval of the
	 * plan, as often as its count says; the report then comes at the end only. */
	void (*sample)(struct run *r);
	void (*finish)(struct run *r); /* after the last report: says what is not in it */
	/* Adds members to the summary object. */
	void (*summary_json)(struct run *r, struct json *j);
	const char *summary_keys; /* all that it may write, with a space between two */

	/* What it can print beside the rows of .columns; ends with VIEW_END; NULL: nothing. */
	const struct view *views;
};

/* In configure(): struct NAME_bpf__rodata of the generated skeleton, the tool's own constants. */
#define TOOL_RODATA(tool_, run_)                                                                   \
	((struct tool_##_bpf__rodata *)object_section(&(run_)->object, ".rodata", NULL))
/* .image from the skeleton's NAME_bpf__elf_bytes(). */
#define TOOL_IMAGE(tool_)                                                                          \
	{                                                                                          \
		.name = #tool_, .bytes = tool_##_bpf__elf_bytes                                    \
	}

/*
 * Besides what the table of options has, and hidden: NAME --list (run/list.h), NAME --complete
 * (run/complete.h), and NAME --probes OPTIONS..., which does all that a run with these options does
 * until its programs are loaded, then prints a line for each probe, and ends without attaching any:
 * PROBE<TAB>USED<TAB>BEST<TAB>STATE<TAB>WHY<TAB>MISSES, which is struct ladder_choice; STATE is
 * "less", "replaced" or empty.
 */
int tool_main(const struct tool *tool, int argc, char **argv);

#endif
