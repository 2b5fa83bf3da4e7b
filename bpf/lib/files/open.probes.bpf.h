/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * open.probes.bpf.h: the opens of files, wherever this kernel lets them be seen. A ladder of programs,
 * each of which calls the includer's open_done() at the end of an open:
 *
 *	fexit_openat2				one program, no map
 *	kprobe_openat2, kretprobe_openat2
 *	sys_exit, raw_sys_exit			the exit of all system calls (syscalls.bpf.h)
 *
 * and beside those, for opens by io_uring:
 *
 *	fentry_io_openat2, fexit_io_openat2
 *	kprobe_io_openat2, kretprobe_io_openat2
 */
#ifndef BORESCOPE_BPF_FILES_OPEN_PROBES_BPF_H
#define BORESCOPE_BPF_FILES_OPEN_PROBES_BPF_H

#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#include "lib/core/compat.bpf.h"
#include "lib/core/filter.bpf.h"
#include "lib/core/inflight.bpf.h"
#include "lib/core/path.bpf.h"
#include "lib/core/syscalls.bpf.h"

#define URING_NAME_MAX 256 /* of a name that is kept over an io_uring open, with the NUL */

#define O_CREAT		     0100
#define __O_TMPFILE	     020000000
#define O_CREAT_TRUNC_WRONLY (O_CREAT | 01000 | 1)
#define RESOLVE_IN_ROOT	     0x10
#if defined(__TARGET_ARCH_arm64)
#define O_LARGEFILE 0400000
#else
#define O_LARGEFILE 0100000
#endif

/* An open, as its caller asked for it. */
struct open_call {
	int dfd;
	const char *name;
	__u64 flags, mode, resolve;
};
INFLIGHT(calls, struct open_call, INFLIGHT_MAX);

/* @ret: a file descriptor or a negative error number. @slot: 0, or 1 where another open of this CPU
 * may be under way. @user: the name is in the process's memory, else in the kernel's, of at most
 * URING_NAME_MAX bytes. */
static __always_inline void open_done(__u32 slot, struct open_call *call, int ret, bool user);

static __always_inline void opened(__u32 slot, struct open_call *call, int ret, bool user)
{
	call->flags &= ~O_LARGEFILE; /* the kernel adds it by itself */
	open_done(slot, call, ret, user);
}

/* --- every way to open a file but io_uring's comes here (since 5.6) ----------------------- */

SEC("fexit/do_sys_openat2")
int BPF_PROG(fexit_openat2, int dfd, const char *name, struct open_how *how, long ret)
{
	struct open_call call = { dfd, name, how->flags, how->mode, how->resolve };

	opened(0, &call, (int)ret, true); /* it returns int from 7.0 on */
	return 0;
}

SEC("kprobe/do_sys_openat2")
int BPF_KPROBE(kprobe_openat2, int dfd, const char *name, struct open_how *how)
{
	struct open_call call = { dfd, name, BPF_CORE_READ(how, flags), BPF_CORE_READ(how, mode),
				  BPF_CORE_READ(how, resolve) };

	if (filter_current())
		inflight_begin(&calls, &call);
	return 0;
}

SEC("kretprobe/do_sys_openat2")
int BPF_KRETPROBE(kretprobe_openat2, int ret)
{
	struct open_call *call = inflight_get(&calls);

	if (call) {
		opened(0, call, ret, true);
		inflight_end(&calls);
	}
	return 0;
}

/* --- no function can be probed: the system calls' own exit -------------------------------- */

static __always_inline void read_how(struct open_call *call, const void *how, __u64 size)
{
	struct {
		__u64 flags, mode, resolve;
	} user = {}; /* not struct open_how: this one's layout is the ABI's, not to be relocated */

	if (size >= sizeof(user))
		bpf_probe_read_user(&user, sizeof(user), how);
	call->flags = user.flags;
	call->mode = user.mode;
	call->resolve = user.resolve;
}

enum { OPENAT, OPENAT2, OPEN, CREAT }; /* the commonest is found first */
static const struct syscall_row open_calls[] = {
	[OPENAT] = SYSCALL(OPENAT),
	[OPENAT2] = SYSCALL(OPENAT2),
	[OPEN] = SYSCALL(OPEN),
	[CREAT] = SYSCALL(CREAT),
};

static __always_inline int call_done(struct pt_regs *regs, long ret, bool typed)
{
	struct open_call call = { .dfd = AT_FDCWD };
	bool compat;
	int nr = syscall_find(open_calls, syscall_nr_any(regs, typed), &compat);

	if (nr < 0)
		return 0;
	if (nr == OPENAT || nr == OPENAT2) {
		call.dfd = syscall_arg(regs, 0, compat, typed);
		call.name = (void *)syscall_arg(regs, 1, compat, typed);
		call.flags = syscall_arg(regs, 2, compat, typed);
		call.mode = syscall_arg(regs, 3, compat, typed);
		if (nr == OPENAT2)
			read_how(&call, (void *)call.flags, call.mode);
	} else {
		call.name = (void *)syscall_arg(regs, 0, compat, typed);
		call.flags =
			nr == CREAT ? O_CREAT_TRUNC_WRONLY : syscall_arg(regs, 1, compat, typed);
		call.mode = syscall_arg(regs, nr == CREAT ? 1 : 2, compat, typed);
	}
	opened(0, &call, ret, true);
	return 0;
}

SYSCALL_EXIT(call_done)

/* --- io_uring: the name is gone when io_openat2() returns, so it is kept from the entry --- */

struct uring_call {
	struct open_call call;
	struct io_kiocb *req;
	char name[URING_NAME_MAX];
};
INFLIGHT(uring_calls, struct uring_call, 256);

static __always_inline int uring_begins(struct io_kiocb *req)
{
	struct io_open *open = (void *)req;
	struct io_open___delayed *delayed = (void *)req;
	struct uring_call u = { .req = req };
	struct filename *name = NULL;

	if (!filter_current())
		return 0;
	if (bpf_core_field_exists(delayed->filename))
		bpf_core_read(&name, sizeof(name), &delayed->filename);
	else
		name = BPF_CORE_READ(open, filename);
	u.call.dfd = BPF_CORE_READ(open, dfd);
	u.call.flags = BPF_CORE_READ(open, how.flags);
	u.call.mode = BPF_CORE_READ(open, how.mode);
	u.call.resolve = BPF_CORE_READ(open, how.resolve);
	bpf_probe_read_kernel_str(u.name, sizeof(u.name), BPF_CORE_READ(name, name));
	inflight_begin(&uring_calls, &u);
	return 0;
}

static __always_inline int uring_ends(int ret)
{
	struct uring_call *u = inflight_get(&uring_calls);
	struct io_kiocb___cqe *done;

	if (!u)
		return 0;
	/* not 0: it would have slept, and is tried again by a worker */
	if (!ret) {
		done = (void *)u->req;
		u->call.name = u->name;
		opened(1, &u->call, BPF_CORE_READ(done, cqe.res), false);
	}
	inflight_end(&uring_calls);
	return 0;
}

SEC("fentry/io_openat2")
int BPF_PROG(fentry_io_openat2, struct io_kiocb *req)
{
	return uring_begins(req);
}

SEC("fexit/io_openat2")
int BPF_PROG(fexit_io_openat2, struct io_kiocb *req, unsigned int issue_flags, int ret)
{
	return uring_ends(ret);
}

SEC("kprobe/io_openat2")
int BPF_KPROBE(kprobe_io_openat2, struct io_kiocb *req)
{
	return uring_begins(req);
}

SEC("kretprobe/io_openat2")
int BPF_KRETPROBE(kretprobe_io_openat2, int ret)
{
	return uring_ends(ret);
}

#endif
