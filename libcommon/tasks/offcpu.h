/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * offcpu: for how long threads are off the CPU, by stack, as bpf/lib/tasks/offcpu.bpf.h sees it:
 *
 *	offcpu_configure(&r->object, &config);		in the configure hook
 *	offcpu_begin(&w, r, iterator, take);		in the attach hook
 *	offcpu_count_losses(&w, r);			in the hook of that name
 *	offcpu_end(&w, r);				in the detach hook
 *
 * Sums that had to make place for others come as events, a struct stack_sum each; all others, and
 * the waits that have not ended, come to the function that offcpu_begin() is given.
 */
#ifndef BORESCOPE_TASKS_OFFCPU_H
#define BORESCOPE_TASKS_OFFCPU_H

#include <linux/types.h>
#include <stdint.h>

#include "kernel/object.h"
#include "kernel/task_iter.h"
#include "lib/tasks/offcpu.shared.h"
#include "stacks/sums.h"

struct run;

struct offcpu {
	struct task_iter iter;
	struct offcpu_state state;
	uint64_t unseen; /* ends, as they were counted last */
	stack_sums_fn take;
	struct run *run;
};

/* For the table of options (struct opt, .parse): states into a struct offcpu_states, by their
 * letters, "S,D", or as a number, which has the kernel's bits (0: runnable). */
struct offcpu_states {
	__u32 letters; /* 1 << enum task_state; 0: any */
	__u32 bits;    /* as the kernel has them; 0: any */
};
const char *offcpu_parse_states(const char *arg, void *value);

/* Tells the kernel side which waits count, and makes room for the threads and stacks that there
 * are. */
void offcpu_configure(struct object *o, const struct offcpu_config *config);

/*
 * Looks for threads that wait already, with the program @iterator (a file descriptor; negative:
 * there is none). @take is called with @r until offcpu_end() returns. Returns 0, or -errno after
 * printing what failed.
 */
int offcpu_begin(struct offcpu *w, struct run *r, int iterator, stack_sums_fn take);

/* Waits of which the kernel did not report the end are lost. */
void offcpu_count_losses(struct offcpu *w, struct run *r);

/* Ends the count, and hands over what it has come to. Prints what fails, and then the run fails.
 * After a begin that failed it does nothing. */
void offcpu_end(struct offcpu *w, struct run *r);

/* From the begin to the end, ns: a thread that waited all the time has this. */
uint64_t offcpu_traced_ns(const struct offcpu *w);

#endif
