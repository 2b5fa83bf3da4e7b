/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * execsnoop.bpf.c: an event for each exec, and for each that failed.
 *
 * Programs: exec_done, raw_exec_done: they call exec_started() below; fexit_CALL, kprobe_CALL,
 * kretprobe_CALL for execve, execveat, compat_execve, compat_execveat: they call exec_failed()
 * below (all in lib/tasks/exec.probes.bpf.h); sys_exit, raw_sys_exit (SYSCALL_EXIT() below).
 */
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>

#include "lib/core/compat.bpf.h"
#include "lib/core/events.bpf.h"
#include "lib/tasks/exec.probes.bpf.h"
#include "lib/core/filter.bpf.h"
#include "lib/core/path.bpf.h"
#include "execsnoop.shared.h"

const volatile __u32 max_bytes = EXEC_ARGS_DEFAULT; /* of arguments; at most EXEC_ARGS_MAX */
const volatile __u32 only_ppid;			    /* 0: any parent */

#define FD_NAME_MAX	32   /* "/dev/fd/" and a number, and more: a power of two */
#define FAILED_ARGS_MAX 128  /* a failed exec's arguments are read one by one */
#define FAILED_ARG_MAX	4096 /* bytes of each, with its NUL */

struct exec_scratch {
	struct exec_event event;
	char text[EXEC_FILENAME_MAX + EXEC_ARGS_MAX + FAILED_ARG_MAX + 1];
	struct exec_call call; /* the one that failed */
	__u64 pointer;	       /* the size of one in call.argv */
};
EVENT_SCRATCH(struct exec_scratch, 2);

static __always_inline bool wanted(void)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	if (only_ppid && BPF_CORE_READ(task, real_parent, tgid) != only_ppid)
		return false;
	return filter_current();
}

static __always_inline void head(struct exec_event *e, int ret)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	event_head(&e->head);
	e->ppid = BPF_CORE_READ(task, real_parent, tgid);
	e->ret = ret;
	e->filename_len = e->args_len = 0;
}

static __always_inline void send(struct exec_scratch *s)
{
	__u32 filename_len = s->event.filename_len, args_len = s->event.args_len;

	if (filename_len > EXEC_FILENAME_MAX || args_len > EXEC_ARGS_MAX)
		return;
	event_send(s, sizeof(s->event) + filename_len + args_len);
}

/*
 * A new image runs. Its arguments lie in one piece at the top of its own stack, just written by the
 * kernel: they are read in one go, whoever called exec and however.
 */
static __always_inline void show_exec(struct task_struct *task, struct linux_binprm *bprm)
{
	struct exec_scratch *s = event_begin(0);
	unsigned long start;
	__u64 len;
	long n;

	if (!s)
		return;
	head(&s->event, 0);
	if (BPF_CORE_READ(bprm, interp) != BPF_CORE_READ(bprm, filename))
		s->event.head.flags |= EXEC_SCRIPT;
	n = bpf_probe_read_kernel_str(s->text, EXEC_FILENAME_MAX, BPF_CORE_READ(bprm, filename));
	if (n < 0 || n > EXEC_FILENAME_MAX)
		n = 0;
	s->event.filename_len = n;

	start = BPF_CORE_READ(task, mm, arg_start);
	len = BPF_CORE_READ(task, mm, arg_end) - start;
	if (len > max_bytes) {
		len = max_bytes;
		s->event.head.flags |= EXEC_ARGS_CUT;
	}
	if (len > EXEC_ARGS_MAX)
		len = EXEC_ARGS_MAX;
	s->event.args_len = len;
	if (bpf_probe_read_user(&s->text[n], len, (void *)start)) {
		s->event.args_len = 0;
		s->event.head.flags |= EXEC_ARGS_UNREAD;
	}
	send(s);
}

static __always_inline void exec_started(struct task_struct *task, struct linux_binprm *bprm)
{
	preempt_off();
	if (wanted())
		show_exec(task, bprm);
	preempt_on();
}

/* Adds argument @i of a failed exec. False: that was the last one that can be added. */
static __always_inline bool add_arg(struct exec_scratch *s, int i)
{
	__u64 at = s->event.args_len, end; /* 64 bits: the verifier follows those best */
	__u64 pointer = s->pointer;
	const char *arg = NULL; /* one of 32 bits is its lower half */
	long n;

	if (pointer > sizeof(arg))
		return false;
	bpf_probe_read_user(&arg, pointer, s->call.argv + pointer * i);
	if (!arg)
		return false;
	if (i == FAILED_ARGS_MAX || at >= max_bytes || at >= EXEC_ARGS_MAX) {
		s->event.head.flags |= EXEC_ARGS_CUT;
		return false;
	}
	end = s->event.filename_len + at;
	if (end > EXEC_FILENAME_MAX + EXEC_ARGS_MAX)
		return false;
	/* there is room for that, whatever max_bytes says: so only one way leads to the next one */
	n = read_user_str(&s->text[end], FAILED_ARG_MAX + 1, arg);
	if (n <= 0 || n > FAILED_ARG_MAX + 1) {
		s->event.head.flags |= EXEC_ARGS_UNREAD;
		return false;
	}
	at += n;
	if (n > FAILED_ARG_MAX || at > max_bytes) {
		s->event.head.flags |= EXEC_ARGS_CUT;
		at -= n > FAILED_ARG_MAX;
		s->event.args_len = at < max_bytes ? at : max_bytes;
		return false;
	}
	s->event.args_len = at;
	return true;
}

/* Writes the name that the kernel gives a program that is known by its descriptor: "/dev/fd/N",
 * with a NUL. Returns its length with that. */
static __always_inline __u32 put_fd_name(char *to, __u32 fd)
{
	__u32 at = sizeof("/dev/fd/") - 1;
	bool begun = false;

	__builtin_memcpy(to, "/dev/fd/", sizeof("/dev/fd/") - 1);
#pragma unroll
	for (__u32 unit = 1000000000; unit; unit /= 10) {
		begun |= fd >= unit || unit == 1;
		if (begun)
			to[at++ & (FD_NAME_MAX - 1)] = '0' + fd / unit % 10;
	}
	to[at++ & (FD_NAME_MAX - 1)] = '\0';
	return at;
}

/* The file of the image that has begun to take the old one's place: all that is known of an exec
 * that failed so late. */
static __always_inline long put_new_image(struct exec_scratch *s)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct path path = {};
	int len;

	s->event.head.flags |= EXEC_ARGS_UNREAD;
	BPF_CORE_READ_INTO(&path, task, mm, exe_file, f_path);
	len = path_read(s->text, &path);
	if (len <= 0 || len >= EXEC_FILENAME_MAX)
		return 0;
	s->text[len] = '\0';
	return len + 1;
}

static __always_inline void show_failed(struct exec_scratch *s, int ret)
{
	bool killed = exec_has_killed();
	long n;

	head(&s->event, ret);
	n = killed ? put_new_image(s) : read_user_str(s->text, EXEC_FILENAME_MAX, s->call.filename);
	if (s->call.by_dfd && !killed && (n == 1 || !s->call.filename))
		n = put_fd_name(s->text, s->call.dfd);
	if (n < 0 || n > EXEC_FILENAME_MAX)
		n = 0;
	s->event.filename_len = n;
	if (killed) {
		send(s);
		return;
	}
	for (int i = 0; s->call.argv && i <= FAILED_ARGS_MAX; i++) {
		barrier(); /* lengths are read anew, or each way to here would be another loop */
		if (!add_arg(s, i))
			break;
	}
	send(s);
}

/* What was asked for goes to where the verifier knows nothing of it. So it follows all that comes
 * after once, and not for each call by 64-bit and by 32-bit programs. */
static __always_inline void exec_failed(const struct exec_call *call, int ret)
{
	struct exec_scratch *s;

	preempt_off();
	s = event_begin(1);
	if (s) {
		s->call = *call;
		s->pointer = call->compat ? sizeof(__u32) : sizeof(__u64);
		if (wanted())
			show_failed(s, ret);
	}
	preempt_on();
}

SYSCALL_EXIT(exec_at_exit(regs, ret, typed))

char LICENSE[] SEC("license") = "Dual BSD/GPL";
