/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * open.probes.bpf.h: the opens of files, wherever this kernel lets them be seen. It defines a
 * ladder of programs, each of which calls the includer's open_done() at the end of an open:
 *
 *	fexit_openat2				one program, no map
 *	kprobe_openat2, kretprobe_openat2
 *
 * and beside those, for opens by io_uring:
 *
 *	fentry_io_openat2, fexit_io_openat2
 *	kprobe_io_openat2, kretprobe_io_openat2
 *
 * The last rung, where no function can be probed, is the exit of all system calls: for that the
 * tool has SYSCALL_EXIT(open_at_exit(regs, ret, typed)), see syscalls.bpf.h.
 */
#ifndef BORESCOPE_BPF_FILES_OPEN_PROBES_BPF_H
#define BORESCOPE_BPF_FILES_OPEN_PROBES_BPF_H

#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#include "lib/core/call_probes.bpf.h"
#include "lib/core/compat.bpf.h"
#include "lib/core/constants.bpf.h"
#include "lib/core/filter.bpf.h"
#include "lib/core/inflight.bpf.h"
#include "lib/core/syscalls.bpf.h"

#define OPEN_URING_NAME_MAX 256 /* of a name that is kept over an io_uring open, with the NUL */

/* An open, as its caller asked for it. */
struct open_call {
	int dfd;
	const char *name;
	__u64 flags, mode, resolve;
};
INFLIGHT(open_calls, struct open_call, INFLIGHT_MAX);

/*
 * The tool defines this. @ret: a file descriptor or a negative error number; an open that a signal
 * has interrupted, and that may begin again, is not over, and does not come here. @slot: 0, or 1
 * where another open of this CPU may be under way. @user: the name is in the process's memory, else
 * in the kernel's, of at most OPEN_URING_NAME_MAX bytes.
 */
static __always_inline void open_done(__u32 slot, struct open_call *call, int ret, bool user);

static __always_inline void open_ended(__u32 slot, struct open_call *call, int ret, bool user)
{
	if (syscall_may_restart(ret))
		return;
	call->flags &= ~O_LARGEFILE; /* the kernel adds it by itself */
	open_done(slot, call, ret, user);
}

/* --- every way to open a file but io_uring's comes here (since 5.6) ----------------------- */

static __always_inline int open_seen(int dfd, const char *name, struct open_how *how, int ret)
{
	struct open_call call = { dfd, name, how->flags, how->mode, how->resolve };

	open_ended(0, &call, ret, true);
	return 0;
}

static __always_inline int open_begins(int dfd, const char *name, struct open_how *how)
{
	struct open_call call = { dfd, name, BPF_CORE_READ(how, flags), BPF_CORE_READ(how, mode),
				  BPF_CORE_READ(how, resolve) };

	if (filter_current())
		inflight_begin(&open_calls, &call);
	return 0;
}

static __always_inline int open_ends(int ret)
{
	struct open_call *call = inflight_get(&open_calls);

	if (call) {
		open_ended(0, call, ret, true);
		inflight_end(&open_calls);
	}
	return 0;
}

/* It returns a long up to 6.12, and an int on 7.x. */
CALL_END_PROBES(openat2, "do_sys_openat2", open_seen(dfd, name, how, ret),
		open_begins(dfd, name, how), open_ends(ret), int dfd, const char *name,
		struct open_how *how)

/* --- no function can be probed: the system calls' own exit -------------------------------- */

static __always_inline void open_read_how(struct open_call *call, const void *how, __u64 size)
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

/* The commonest is found first. */
enum { OPEN_BY_OPENAT, OPEN_BY_OPENAT2, OPEN_BY_OPEN, OPEN_BY_CREAT };
static const struct syscall_row open_syscalls[] = {
	[OPEN_BY_OPENAT] = SYSCALL(OPENAT),
	[OPEN_BY_OPENAT2] = SYSCALL(OPENAT2),
	[OPEN_BY_OPEN] = SYSCALL(OPEN),
	[OPEN_BY_CREAT] = SYSCALL(CREAT),
};

/* For SYSCALL_EXIT(). */
static __always_inline int open_at_exit(struct pt_regs *regs, long ret, bool typed)
{
	struct open_call call = { .dfd = AT_FDCWD };
	bool compat;
	int nr = syscall_find(open_syscalls, syscall_nr_any(regs, typed), &compat);

	if (nr < 0)
		return 0;
	if (nr == OPEN_BY_OPENAT || nr == OPEN_BY_OPENAT2) {
		call.dfd = syscall_arg(regs, 0, compat, typed);
		call.name = (void *)syscall_arg(regs, 1, compat, typed);
		call.flags = syscall_arg(regs, 2, compat, typed);
		call.mode = syscall_arg(regs, 3, compat, typed);
		if (nr == OPEN_BY_OPENAT2)
			open_read_how(&call, (void *)call.flags, call.mode);
	} else {
		call.name = (void *)syscall_arg(regs, 0, compat, typed);
		call.flags = nr == OPEN_BY_CREAT ? O_CREAT | O_TRUNC | O_WRONLY
						 : syscall_arg(regs, 1, compat, typed);
		call.mode = syscall_arg(regs, nr == OPEN_BY_CREAT ? 1 : 2, compat, typed);
	}
	open_ended(0, &call, ret, true);
	return 0;
}

/* --- io_uring: the name is gone when io_openat2() returns, so it is kept from the entry --- */

struct open_uring_call {
	struct open_call call;
	struct io_kiocb *req;
	char name[OPEN_URING_NAME_MAX];
};
INFLIGHT(open_uring_calls, struct open_uring_call, 256);

static __always_inline int open_uring_begins(struct io_kiocb *req)
{
	struct io_open *open = (void *)req;
	struct io_open___delayed *delayed = (void *)req;
	struct open_uring_call u = { .req = req };
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
	inflight_begin(&open_uring_calls, &u);
	return 0;
}

static __always_inline int open_uring_ends(int ret)
{
	struct open_uring_call *u = inflight_get(&open_uring_calls);
	struct io_kiocb___cqe *done;

	if (!u)
		return 0;
	/* not 0: it would have slept, and is tried again by a worker */
	if (!ret) {
		done = (void *)u->req;
		u->call.name = u->name;
		open_ended(1, &u->call, BPF_CORE_READ(done, cqe.res), false);
	}
	inflight_end(&open_uring_calls);
	return 0;
}

CALL_PROBES(io_openat2, "io_openat2", open_uring_begins(req), open_uring_ends(ret),
	    struct io_kiocb *req, unsigned int issue_flags)

#endif
