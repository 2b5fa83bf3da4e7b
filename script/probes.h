/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * probes: from what a script calls its probes to places in the kernel and in programs, and which
 * way this kernel grants to each.
 */
#ifndef BORESCOPE_SCRIPT_PROBES_H
#define BORESCOPE_SCRIPT_PROBES_H

#include <sys/types.h>

#include "script/ast.h"
#include "script/btf.h"

/* By what a program comes to run. It says, too, what its context is. */
enum attach {
	ATTACH_RUN,	   /* run by bscope itself: begin, end, interval, self. No context */
	ATTACH_RAW_TP,	   /* a raw tracepoint: the context is an array of u64, its arguments */
	ATTACH_TRACEPOINT, /* by tracefs id and a perf event: the context is the event's record */
	ATTACH_KPROBE,	   /* also with an offset: the context is struct pt_regs */
	ATTACH_KRETPROBE,
	ATTACH_FENTRY, /* the context is an array of u64: arguments; exit: and what it returns */
	ATTACH_FEXIT,
	ATTACH_UPROBE, /* struct pt_regs */
	ATTACH_URETPROBE,
	ATTACH_PERF, /* profile, software, hardware: struct bpf_perf_event_data */
	/* A raw tracepoint for those of many system calls: see lower_folded.c. The context is an
	 * array of u64: where the registers are, and the number or what is returned. */
	ATTACH_FOLDED,
};

/* One place. */
struct target {
	const struct point *point; /* by which the script asked for it */
	enum attach attach;
	/* What the builtin probe says: "tracepoint:syscalls:sys_enter_openat", with the provider as
	 * written out and all wildcards gone. */
	const char *name;
	const char *function; /* or the tracepoint's name; what the builtin func says, if known */
	const char *category; /* of a tracepoint: its directory below events */
	const char *module;   /* NULL: vmlinux */
	uint64_t tracepoint_id;
	const char *folded; /* of ATTACH_FOLDED: the raw tracepoint's name */
	int syscall;	    /* and the number of the call */
	bool multi;	    /* by one link with those that are alike: see script/multi.h */
	uint32_t btf_id;    /* of fentry, fexit */
	int btf_fd;
	const char *path;     /* of uprobes: as it can be opened */
	uint64_t file_offset; /* of uprobes; of kprobes, the offset in the function */
	uint64_t address;     /* of a kprobe that is given by it; 0: by a function */
	uint64_t semaphore;   /* of usdt: its offset in the file; 0: none */
	bool caller_missing;  /* of uprobes: in stacks, as the kernel makes them here */
	pid_t pid;	      /* of uprobes and perf events: only this process; 0: all */
	/* Of perf events: struct perf_event_attr's type, config and period, or frequency. */
	uint32_t perf_type;
	uint64_t perf_config, perf_period, perf_frequency;
	int cpu;	      /* -1: one event on each CPU */
	uint64_t interval_ns; /* of interval */
	int signal;	      /* of self */
	/*
	 * What args is: of a tracepoint the fields of its format, at their offsets in the record;
	 * of fentry and of a raw tracepoint, of BTF, each 8 bytes; of usdt none. NULL: not known.
	 */
	const struct type *args;
	const struct type *ret; /* of fexit; NULL: not known, or nothing */
	/* Of fentry, fexit: words in the context, whether the script may see them or not. */
	unsigned nr_args;
	/* The function has another name, and other values to be looked at, than the script knows:
	 * that name. NULL: as asked. */
	const char *renamed;
	/* For -v, a clause: "since this kernel has no kprobes"; NULL: as asked. */
	const char *why;
	/* Of latency: which pair of the clause it belongs to, from 1 on; 0: to none. */
	uint32_t pair;
	bool is_entry;		    /* of the pair */
	struct usdt_arg *usdt_args; /* see script/usdt.h; NULL: none */
	size_t nr_usdt_args;
};

struct probe_options {
	pid_t pid;	      /* -p; 0: none */
	const char *command;  /* -c: what bare names of uprobes on it mean; NULL: none */
	size_t max_probes;    /* 0: 1024 */
	uint32_t string_room; /* of texts that a tracepoint's record has elsewhere; 0: 1024 */
	bool missing_ok;      /* a probe that is not there is a warning */
	bool missing_quiet;   /* with missing_ok: not even that */
	bool missing_strict;  /* it is an error also beside others of its clause that are there */
	/* A list of the functions that may be probed, as the kernel's: NULL: that one. What is not
	 * in it is an error, with .unlisted_ok a warning. */
	const char *functions;
	bool unlisted_ok;
	/* -l, --dry-run: nothing is tried, and nothing is refused for what this kernel or the
	 * privileges don't grant, only for what there isn't. */
	bool only_names;
};

struct probes; /* what was learnt of this kernel: names, formats, what it grants */

struct probes *probes_new(struct arena *arena, struct types *types, struct btf_types *btf,
			  const struct probe_options *options);
void probes_free(struct probes *p);

/*
 * The places of one point: *targets becomes an array of *nr. Returns 0 with at least one (of a
 * wildcard, of one of several points of @clause, and with .missing_ok, perhaps none), or -errno
 * after source_error() with, if there is one, the nearest name ("did you mean ..."), and for a
 * kprobe that a hardened kernel refuses the nearest tracepoint. @clause: that @point is of; NULL:
 * none.
 */
int probes_expand(struct probes *p, struct source *src, const struct clause *clause,
		  const struct point *point, struct target ***targets, size_t *nr);

/* Says that nothing matches @point, if probes_expand() has not: an error, or, where other points of
 * its clause have probes (@beside), a warning; of a wildcard, that is nothing. */
void probes_unmatched(struct probes *p, struct source *src, const struct clause *clause,
		      const struct point *point, bool beside);

/*
 * For a target whose args the clause does not look at: .args becomes NULL, so that those with other
 * fields are alike, and a tracepoint a raw tracepoint, where the kernel has one of its name, which
 * costs less and comes off faster. (Those of system calls stay: theirs is called for all calls.)
 * Returns whether it did that.
 */
bool probes_without_args(struct probes *p, struct target *target);

/*
 * Targets of one point that are many functions, and of which the kernel can do all at once, become
 * .multi, with a bpf_get_attach_cookie() and a bpf_get_func_ip() for each. @registers: the clause
 * asks for other registers than those of arguments and results, or for the kernel's stack, which a
 * kernel function has by a probe of its own only.
 */
void probes_choose_multi(struct probes *p, struct target **targets, size_t nr, bool registers);

/* Sets .caller_missing of those where it is so. */
void probes_user_callers(struct probes *p, struct target **targets, size_t nr);

/*
 * Of latency: what ends the call that begins at @entry: the function's return, or another
 * tracepoint, of the same category and the name that goes with it (sys_enter_read and
 * sys_exit_read, irq_handler_entry and irq_handler_exit). NULL: there is none.
 */
struct target *probes_pair(struct probes *p, const struct target *entry);
/* Its name as a probe of its own, for -l; NULL: there is none. */
const char *probes_pair_end(struct probes *p, const struct target *entry);

/* -l and -lv: prints the probes that match @pattern (NULL: all), one a line, as bpftrace does:
 * "tracepoint:syscalls:sys_enter_openat", with @verbose their fields below, indented by four.
 * "struct task_struct" lists a record's fields. Returns how many, or -errno after printing why. */
int probes_list(struct probes *p, const char *pattern, bool verbose, FILE *out);

#endif
