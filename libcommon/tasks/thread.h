/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * thread: shows threads that a task iterator has looked at (bpf/lib/tasks/thread.bpf.h), as rows,
 * as JSON objects, or as stacks of a set:
 *
 *	thread_init(&config);				in the attach hook
 *	if (thread_take(t, size))			for each record
 *		run_show(r, t, size);			as a row, with THREAD_COLUMNS,
 *		thread_add(t);				or into the set of stacks
 *	thread_remarks(); thread_summary_json(j);	at the end
 *
 * There is one set of threads in a program, since a table's columns know nothing but their event.
 * Rows and objects are of the record that was taken last.
 */
#ifndef BORESCOPE_TASKS_THREAD_H
#define BORESCOPE_TASKS_THREAD_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/tasks/thread.shared.h"
#include "output/json.h"
#include "output/out.h"
#include "output/table.h"
#include "stacks/frames.h"
#include "stacks/stacks.h"

struct thread_config {
	struct symbols *symbols; /* have to live as long as the tool */
	bool root_first;	 /* rows have the outermost function first */
	bool without_user;	 /* this kernel gives no user stacks: JSON has null for them */
};

/* Returns 0, or -ENOMEM after printing so. What it makes lives as long as the tool. */
int thread_init(const struct thread_config *config);

/*
 * Makes a record of @size bytes ready to be shown, and counts it. Its process is remembered, and
 * its user stack is ended where it leaves all code, as it may where there are no frame pointers. A
 * stack that begins where programs and threads do is not THREAD_USER_CUT any more. Returns false,
 * and does not count the record, when the sizes in it can't be right.
 */
bool thread_take(struct thread_sample *t, size_t size);

/* Adds the stack of a record to the set, by process, name, state and system call. Returns false
 * when there is no room for it, which the set counts. */
bool thread_add(const struct thread_sample *t);
struct stacks *thread_stack_set(void);

/*
 * For the table of options (struct opt, .parse): states by their letters, "R,D", into a __u32 of
 * bits 1 << enum task_state.
 */
const char *thread_parse_states(const char *arg, void *value);
#define THREAD_STATES "R S D T t X Z P I" /* for .choices */

/* For a tool's table of columns: THREAD_COLUMNS, and the functions behind it. */
void thread_state_text(struct out *o, const void *event);
void thread_syscall_text(struct out *o, const void *event);
void thread_wait_text(struct out *o, const void *event);
void thread_file_text(struct out *o, const void *event);
void thread_stack_text(struct out *o, const void *event);
void thread_state_json(struct json *j, const void *event);
void thread_syscall_json(struct json *j, const void *event);
void thread_wait_json(struct json *j, const void *event);
void thread_file_json(struct json *j, const void *event);
void thread_stack_json(struct json *j, const void *event);
#define THREAD_COLUMNS                                                                             \
	COL_CUSTOM("STATE", .width = 6, .text = thread_state_text, .json = thread_state_json,      \
		   .keys = "state on_cpu idle"),                                                   \
		COL_CUSTOM("SYSCALL", .width = 11, .text = thread_syscall_text,                    \
			   .json = thread_syscall_json, .keys = "syscall syscall_nr compat"),      \
		COL_CUSTOM("WAIT", .width = 16, .text = thread_wait_text,                          \
			   .json = thread_wait_json, .keys = "wait"),                              \
		COL_CUSTOM("FILE", .width = 8, .text = thread_file_text, .json = thread_file_json, \
			   .keys = "fd file"),                                                     \
		COL_CUSTOM("STACK", .text = thread_stack_text, .json = thread_stack_json,          \
			   .keys = "kernel user user_cut")

/* In the finish hook: prints notes about the stacks that could not be read, or not to their end. */
void thread_remarks(void);

/* Members of the summary: how many of the records taken are "on_cpu", "moved" and so on. */
void thread_summary_json(struct json *j);
#define THREAD_SUMMARY_KEYS                                                                        \
	"on_cpu moved kernel_unread user_unread user_stacks user_stacks_cut " FRAMES_SUMMARY_KEYS

#endif
