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

#include <bpf/libbpf.h>

#include "kernel/events.h"
#include "output/json.h"
#include "base/msg.h"
#include "kernel/object.h"
#include "run/options.h"
#include "output/out.h"
#include "output/table.h"

struct run;

struct tool {
	const char *name;
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

	/* After parsing, before anything is loaded: check combinations. Returns -1 to go on, else
	 * the exit status after having said why. */
	int (*setup)(struct run *r);
	/* On every fresh object: fill read-only data. */
	void (*configure)(struct run *r, struct bpf_object *obj);

	/* After the probes: attaches what libbpf can't by itself (sampling). Returns 0, or -errno
	 * after having said why. detach is called when attach was, before the last events are read.
	 */
	int (*attach)(struct run *r);
	void (*detach)(struct run *r);

	/* Attached; before the first event is shown. */
	void (*started)(struct run *r);

	/* Tools that print events. */
	const struct column *columns; /* NULL: the event hook takes all, and returns false */
	size_t event_size;	      /* of the fixed part of the event */
	bool (*event)(struct run *r, const void *event,
		      size_t size); /* false: don't show; NULL: show all; see run.shown */

	/* Tools that report: called at every interval and at the end. */
	void (*report)(struct run *r);
	uint64_t *interval_ns, *count; /* between reports (0: at the end only), and how many */
	void (*tick)(struct run *r);   /* ten times a second; NULL: never */
	/* Tools that look from time to time: called when attached and at every interval, @count
	 * times; report then comes at the end only. */
	void (*sample)(struct run *r);
	void (*finish)(struct run *r); /* after the last report: say what is not in it */
	void (*summary_json)(struct run *r,
			     struct json *j); /* more members for the summary object */
};

/* What a hook can use. */
struct run {
	const struct tool *tool;
	struct common_options opt;
	struct object object;
	struct events *events;
	const void *shown;   /* in the event hook: what will be shown. The event itself can't be
				written to; the hook may put a completed copy here */
	struct out out;	     /* stdout */
	struct json json;    /* on out */
	uint64_t started_ns; /* CLOCK_MONOTONIC: attached */
	uint64_t nr_events;  /* shown */
	uint64_t lost;	     /* not by the rings: a tool adds what it could not read or keep */
	uint64_t missed;     /* runs that the kernel left out: known at the end */
	uint64_t samples;    /* taken, and left out as the one before took too long */
	uint64_t late_samples;
	bool no_header; /* the setup hook may set it */
	bool stop;	/* a hook may set it */
	bool failed;	/* so may it this one, after saying why: ends with status 1 */
};

/* Shows @event as a row or an object, by the tool's columns: what comes from the rings goes through
 * this, and a tool may hand over its own. Sets run.stop at the last one that --events asks for. */
void run_show(struct run *r, const void *event, size_t size);

/* For an event hook that keeps the event for a report: it counts as shown, for --events, too. */
void run_count(struct run *r);

/* struct NAME_bpf__rodata of the generated skeleton, in the object given to configure(). */
#define TOOL_RODATA(tool_, obj)                                                                    \
	((struct tool_##_bpf__rodata *)object_section((obj), ".rodata", NULL))
/* .image from the skeleton's NAME_bpf__elf_bytes(). */
#define TOOL_IMAGE(tool_)                                                                          \
	{                                                                                          \
		.name = #tool_, .bytes = tool_##_bpf__elf_bytes                                    \
	}

int tool_main(const struct tool *tool, int argc, char **argv);

#endif
