/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * thread.bpf.h: looks at a thread from a task iterator, and writes what it saw (thread.shared.h) to
 * the reader of the iterator:
 *
 *	w = thread_begin(task);		NULL: that can't be
 *	thread_file(w, task);		the file that it waits for
 *	thread_stacks(w, task, ...);
 *	thread_send(w, seq);
 *
 * All of a record is of one moment: a thread that ran while it was looked at is THREAD_MOVED, and
 * has no stacks.
 */
#ifndef BORESCOPE_BPF_TASKS_THREAD_BPF_H
#define BORESCOPE_BPF_TASKS_THREAD_BPF_H

#include "lib/core/constants.bpf.h"
#include "lib/core/task.bpf.h"
#include "lib/stacks/user_stack.bpf.h"
#include "lib/tasks/fd.bpf.h"
#include "lib/tasks/thread.shared.h"
#include "lib/tasks/waits.bpf.h"

/* Only the tool reads the iterator: there is never more than one thread to be looked at. */
struct thread_work {
	struct path_buf path; /* first: the verifier wants room behind its text */
	struct thread_sample t;
	struct task_user user;
	__u64 switches;
	__u64 kernel_stack[THREAD_FRAMES_MAX], user_stack[THREAD_FRAMES_MAX];
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct thread_work);
} thread_work SEC(".maps");

/* Fills all of the record but the time, the file and the stacks. */
static __always_inline void thread_look(struct thread_work *w, struct task_struct *task)
{
	struct thread_sample *t = &w->t;

	t->head.pid = BPF_CORE_READ(task, tgid);
	t->head.tid = BPF_CORE_READ(task, pid);
	t->head.uid = BPF_CORE_READ(task, cred, uid.val);
	BPF_CORE_READ_STR_INTO(&t->head.comm, task, comm);
	t->head.flags = 0;
	t->state = task_state(task);
	t->nr_kernel = t->nr_user = 0;
	if (BPF_CORE_READ(task, flags) & PF_KTHREAD)
		t->head.flags |= THREAD_OF_KERNEL;
	if (task_on_cpu(task)) {
		t->head.flags |= THREAD_ON_CPU;
		/* it runs: what it has written to be is where it is going, or where it was */
		if (t->state != TASK_IS_ZOMBIE && t->state != TASK_IS_DEAD)
			t->state = TASK_IS_RUNNABLE;
	}
	/* on a CPU, what is saved is of an earlier time; a zombie has no memory any more */
	t->syscall = TASK_NO_SYSCALL;
	w->user.syscall = TASK_NO_SYSCALL;
	w->user.ip = w->user.sp = w->user.compat = 0;
	if (t->head.flags || t->state == TASK_IS_ZOMBIE || t->state == TASK_IS_DEAD)
		goto out;
	task_user(&w->user, task);
	if (!w->user.sp) /* an io_uring worker, which never runs in user space */
		t->head.flags |= THREAD_OF_KERNEL;
	else
		t->syscall = w->user.syscall;
	if (w->user.compat)
		t->head.flags |= THREAD_COMPAT;
out:
	t->args[0] = w->user.args[0];
	t->args[1] = w->user.args[1];
	if (wait_is_idle(t, &w->user))
		t->head.flags |= THREAD_IDLE;
}

/* Looks at @task; the rest of the work is on what this returns. */
static __always_inline struct thread_work *thread_begin(struct task_struct *task)
{
	__u32 zero = 0;
	struct thread_work *w = bpf_map_lookup_elem(&thread_work, &zero);

	if (!w)
		return NULL;
	w->switches = task_switches(task);
	thread_look(w, task);
	return w;
}

/* Describes the file that the thread's system call is about, if it is one that waits for a file. */
static __always_inline void thread_file(struct thread_work *w, struct task_struct *task)
{
	struct file *file;

	__builtin_memset(&w->t.file, 0, sizeof(w->t.file));
	w->path.at = PATH_BYTES;
	if (!wait_is_by_fd(w->t.syscall, w->user.compat))
		return;
	file = task_file(task, w->user.args[0]);
	if (file)
		fd_info(&w->t.file, &w->path, file);
}

static __always_inline void thread_user_stack(struct thread_work *w, struct task_struct *task)
{
	struct thread_sample *t = &w->t;
	bool whole;

	if (t->head.flags & THREAD_OF_KERNEL)
		return;
	if (task_memory_is_locked(task)) {
		t->head.flags |= THREAD_USER_UNREAD;
		return;
	}
	task_image(&t->image, task);
	t->nr_user = user_stack(w->user_stack, task, &w->user, &whole);
	if (!whole)
		t->head.flags |= THREAD_USER_CUT;
}

/* Reads the stacks that are asked for. @user is for sleepable programs only. */
static __always_inline void thread_stacks(struct thread_work *w, struct task_struct *task,
					  bool kernel, bool user)
{
	struct thread_sample *t = &w->t;
	long n;

	if (t->head.flags & THREAD_ON_CPU || t->state == TASK_IS_ZOMBIE || t->state == TASK_IS_DEAD)
		return;
	if (kernel) {
		n = bpf_get_task_stack(task, w->kernel_stack, sizeof(w->kernel_stack), 0);
		if (n > 0)
			t->nr_kernel = n / 8;
		else
			t->head.flags |= THREAD_KERNEL_UNREAD;
	}
	if (user)
		thread_user_stack(w, task);
	if (task_on_cpu(task) || task_switches(task) != w->switches) {
		t->head.flags = (t->head.flags & ~THREAD_USER_CUT) | THREAD_MOVED;
		t->nr_kernel = t->nr_user = 0;
	}
}

/* Writes the record, with the stacks and the path that were read. */
static __always_inline void thread_send(struct thread_work *w, struct seq_file *seq)
{
	struct thread_sample *t = &w->t;
	__u64 kernel = t->nr_kernel, user = t->nr_user, at = w->path.at, path;

	path = at <= PATH_BYTES ? PATH_BYTES - at : 0;
	if (path > THREAD_PATH_MAX) {
		at += path - THREAD_PATH_MAX;
		path = THREAD_PATH_MAX;
	}
	t->path_len = path;
	at -= THREAD_PATH_ROOM(path) - path;
	path = THREAD_PATH_ROOM(path);
	barrier_var(kernel);
	barrier_var(user);
	if (kernel > THREAD_FRAMES_MAX || user > THREAD_FRAMES_MAX)
		return;
	t->size = sizeof(*t) + (kernel + user) * 8 + path;
	bpf_seq_write(seq, t, sizeof(*t));
	bpf_seq_write(seq, w->kernel_stack, kernel * 8);
	bpf_seq_write(seq, w->user_stack, user * 8);
	barrier_var(path);
	at &= PATH_BYTES - 1;
	if (path && path <= THREAD_PATH_MAX)
		bpf_seq_write(seq, &w->path.text[at], path);
}

#endif
