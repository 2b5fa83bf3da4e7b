/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#include "lib/fd.bpf.h"
#include "lib/filter.bpf.h"
#include "lib/user_stack.bpf.h"
#include "xstack.h"

const volatile struct xstack_config config SEC(".rodata.xstack");
struct xstack_state state SEC(".data.xstack");

/* A sample is read by one task, the tool: there is never more than one thread in work. */
struct work {
	struct path_buf path; /* first: the verifier wants room behind its text */
	struct thread_sample t;
	struct task_user user;
	__u64 kernel_stack[XSTACK_FRAMES_MAX], user_stack[XSTACK_FRAMES_MAX];
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct work);
} work SEC(".maps");

/* @nr: no system call (-1) is none of them. */
static __always_inline bool in_calls(const volatile __u64 *calls, __u32 nr)
{
	__u64 word = nr / 64;

	if (nr >= XSTACK_CALLS)
		return false;
	barrier_var(word); /* or the verifier doesn't see the bound */
	return calls[word & (XSTACK_CALLS / 64 - 1)] >> (nr % 64) & 1;
}

/* Of a futex's operation, those that take a lock are no wait for work. FUTEX_WAIT may be either. */
static __always_inline bool takes_lock(const struct task_user *u)
{
	if (u->syscall != (u->compat ? COMPAT_NR_FUTEX : SYSCALL_NR_FUTEX))
		return false;
	switch (u->args[1] & 0x7f) {
	case 6:	 /* FUTEX_LOCK_PI */
	case 13: /* FUTEX_LOCK_PI2 */
		return true;
	}
	return false;
}

static __always_inline bool is_idle(struct thread_sample *t, const struct task_user *u)
{
	switch (t->state) {
	case TASK_IS_DEAD:
	case TASK_IS_ZOMBIE:
	case TASK_IS_PARKED:
	case TASK_IS_IDLE:
		return true;
	case TASK_IS_SLEEPING:
		if (t->head.flags & XSTACK_ON_CPU)
			return false;
		if (t->head.flags & XSTACK_KERNEL_THREAD)
			return true;
		if (u->compat)
			return in_calls(config.compat.wait, u->syscall) && !takes_lock(u);
		return in_calls(config.native.wait, u->syscall) && !takes_lock(u);
	default:
		return false;
	}
}

static __always_inline void count_idle(const struct thread_sample *t, const struct task_user *u)
{
	__u64 nr = u->syscall;

	barrier_var(nr);
	if (t->head.flags & XSTACK_KERNEL_THREAD)
		state.idle_kernel++;
	else if (t->state != TASK_IS_SLEEPING)
		state.idle_other++;
	else if (u->compat)
		state.idle_compat++;
	else
		state.idle_calls[nr & (XSTACK_CALLS - 1)]++;
}

/* Is this thread to be shown? */
static __always_inline bool wanted(const struct thread_sample *t, const struct task_user *u)
{
	if (config.states && !(config.states >> t->state & 1))
		return false;
	if (!(t->head.flags & XSTACK_IDLE) || config.idle)
		return true;
	/* a state that is nothing but idle was asked for by its name */
	if (config.states && t->state != TASK_IS_SLEEPING)
		return true;
	count_idle(t, u);
	return false;
}

static __always_inline void look(struct work *w, struct task_struct *task)
{
	struct thread_sample *t = &w->t;

	t->head.ts = state.ts;
	t->head.pid = BPF_CORE_READ(task, tgid);
	t->head.tid = BPF_CORE_READ(task, pid);
	t->head.uid = BPF_CORE_READ(task, cred, uid.val);
	BPF_CORE_READ_STR_INTO(&t->head.comm, task, comm);
	t->head.flags = 0;
	t->state = task_state(task);
	if (BPF_CORE_READ(task, flags) & PF_KTHREAD)
		t->head.flags |= XSTACK_KERNEL_THREAD;
	if (task_on_cpu(task))
		t->head.flags |= XSTACK_ON_CPU;
	/* on a CPU, what is saved is from an earlier time; a zombie has left its memory */
	t->syscall = TASK_NO_SYSCALL;
	w->user.syscall = TASK_NO_SYSCALL;
	w->user.ip = w->user.sp = w->user.compat = 0;
	if (t->head.flags || t->state == TASK_IS_ZOMBIE || t->state == TASK_IS_DEAD)
		goto out;
	task_user(&w->user, task);
	if (!w->user.sp) /* an io_uring worker: it never runs in user space */
		t->head.flags |= XSTACK_KERNEL_THREAD;
	else
		t->syscall = w->user.syscall;
	if (w->user.compat)
		t->head.flags |= XSTACK_COMPAT;
out:
	t->args[0] = w->user.args[0];
	t->args[1] = w->user.args[1];
	if (is_idle(t, &w->user))
		t->head.flags |= XSTACK_IDLE;
}

static __always_inline void look_at_file(struct work *w, struct task_struct *task)
{
	struct file *file;

	__builtin_memset(&w->t.file, 0, sizeof(w->t.file));
	w->path.at = PATH_BYTES;
	if (!in_calls(w->user.compat ? config.compat.by_fd : config.native.by_fd, w->t.syscall))
		return;
	file = task_file(task, w->user.args[0]);
	if (file)
		fd_info(&w->t.file, &w->path, file);
}

static __always_inline void read_stacks(struct work *w, struct task_struct *task, bool sleepable)
{
	struct thread_sample *t = &w->t;
	long n;

	if (!config.skip_kernel) {
		n = bpf_get_task_stack(task, w->kernel_stack, sizeof(w->kernel_stack), 0);
		if (n > 0)
			t->nr_kernel = n / 8;
		else
			t->head.flags |= XSTACK_KERNEL_UNREAD;
	}
	if (!sleepable || config.skip_user || t->head.flags & XSTACK_KERNEL_THREAD)
		return;
	if (task_memory_is_locked(task)) {
		t->head.flags |= XSTACK_USER_UNREAD;
	} else {
		bool whole;

		t->nr_user = user_stack(w->user_stack, task, &w->user, &whole);
		if (!whole)
			t->head.flags |= XSTACK_USER_CUT;
	}
}

static __always_inline void send(struct work *w, struct seq_file *seq)
{
	struct thread_sample *t = &w->t;
	__u64 kernel = t->nr_kernel, user = t->nr_user, at = w->path.at, path;

	path = at <= PATH_BYTES ? PATH_BYTES - at : 0;
	if (path > XSTACK_PATH_MAX) {
		at += path - XSTACK_PATH_MAX;
		path = XSTACK_PATH_MAX;
	}
	t->path_len = path;
	at -= XSTACK_PATH_ROOM(path) - path;
	path = XSTACK_PATH_ROOM(path);
	barrier_var(kernel);
	barrier_var(user);
	if (kernel > XSTACK_FRAMES_MAX || user > XSTACK_FRAMES_MAX)
		return;
	t->size = sizeof(*t) + (kernel + user) * 8 + path;
	bpf_seq_write(seq, t, sizeof(*t));
	bpf_seq_write(seq, w->kernel_stack, kernel * 8);
	bpf_seq_write(seq, w->user_stack, user * 8);
	barrier_var(path);
	at &= PATH_BYTES - 1;
	if (path && path <= XSTACK_PATH_MAX)
		bpf_seq_write(seq, &w->path.text[at], path);
}

/* A task whose record did not fit is visited again at once: it counts once. */
static __always_inline void count_visit(struct task_struct *task)
{
	__u32 tid = BPF_CORE_READ(task, pid);

	if (!state.visited || tid != state.last_tid)
		state.visited++;
	state.last_tid = tid;
	state.threads = BPF_CORE_READ(task, signal, nr_threads);
}

static __always_inline int visit(struct bpf_iter__task *ctx, bool sleepable)
{
	struct task_struct *task = ctx->task;
	struct thread_sample *t;
	struct work *w;
	__u32 zero = 0;
	__u64 switches;

	if (!task) /* the end */
		return 0;
	w = bpf_map_lookup_elem(&work, &zero);
	if (!w)
		return 0;
	t = &w->t;
	if (!state.ts)
		state.ts = bpf_ktime_get_ns();
	count_visit(task);
	if (!filter_task(task, false))
		return 0;
	switches = task_switches(task);
	look(w, task);
	if (!wanted(t, &w->user))
		return 0;
	look_at_file(w, task);
	t->nr_kernel = t->nr_user = 0;
	if (!(t->head.flags & XSTACK_ON_CPU) && t->state != TASK_IS_ZOMBIE &&
	    t->state != TASK_IS_DEAD) {
		read_stacks(w, task, sleepable);
		if (task_on_cpu(task) || task_switches(task) != switches) {
			t->head.flags |= XSTACK_MOVED;
			t->nr_kernel = t->nr_user = 0;
		}
	}
	send(w, ctx->meta->seq);
	return 0;
}

SEC("iter.s/task")
int sleepable(struct bpf_iter__task *ctx)
{
	return visit(ctx, true);
}

/* the same for a kernel before 5.18: without user stacks */
SEC("iter/task")
int plain(struct bpf_iter__task *ctx)
{
	return visit(ctx, false);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
