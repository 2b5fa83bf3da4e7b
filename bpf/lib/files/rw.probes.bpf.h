/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * rw.probes.bpf.h: reads and writes of files of any kind, timed where the VFS has them. It defines
 *
 *	fentry_NAME, fexit_NAME, kprobe_NAME, kretprobe_NAME
 *		vfs_read, vfs_write, vfs_readv, vfs_writev: what read(2), write(2) and their forms
 *		with p and v come to; sendfile, splice, copy_file_range
 *	fentry_NAME, kprobe_NAME
 *		aio_read, aio_write, aio_rw_done: io_submit(2), until it is complete
 *	uring_submit_req, uring_submit_sqe, uring_complete, and raw_NAME for a kernel without BTF
 *		io_uring(7), from the submission to the completion
 *	sys_enter, raw_sys_enter
 *		the system calls, where no function can be probed: see fscalls.probes.bpf.h
 *
 * The functions are those that system calls come to, and nothing else: a file system that reads
 * another's files (overlayfs, fuse, ecryptfs) does it by others. So a read is one operation, on
 * the file that was opened. Slow ones go to the tool's fsops_done(): see fsops.bpf.h.
 */
#ifndef BORESCOPE_BPF_FILES_RW_PROBES_BPF_H
#define BORESCOPE_BPF_FILES_RW_PROBES_BPF_H

#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>

#include "lib/core/call_probes.bpf.h"
#include "lib/core/syscalls.bpf.h"
#include "lib/files/fscalls.probes.bpf.h"
#include "lib/files/fsops.bpf.h"
#include "lib/files/rw.shared.h"

const volatile struct rw_config rw_config SEC(".rodata.rw");

/* --- the functions of system calls that read or write ------------------------------------- */

static __always_inline int rw_begins(__u32 op, struct file *file, __s64 *pos)
{
	if (filter_current())
		fsops_note(op, (__u64)file, (__u64)pos);
	return 0;
}

/* @args: of the function, for fexit; NULL: the begin has noted them. */
static __always_inline int rw_ends(__u32 op, __u64 *args, __s64 ret)
{
	struct fs_done d = { .op = op, .ret = ret, .offset = FS_OFFSET_UNKNOWN };
	struct file *file = args ? (void *)args[0] : NULL;
	struct call_start stamp;
	__u64 pos = 0;
	__s64 at;

	if (!call_start_end(fs_starts, op, &stamp)) {
		if (stamp.owner && file && fsops_is_wanted(file) && filter_current())
			event_count_lost();
		return 0;
	}
	d.start = stamp.start;
	d.end = bpf_ktime_get_ns();
	if (d.end - d.start < fs_config.min_ns)
		return 0;
	if (!args)
		file = (void *)stamp.args[0];
	if (!fsops_is_wanted(file))
		return 0;
	if (args) /* 5.10 allows no load of a pointer to a number */
		bpf_probe_read_kernel(&pos, sizeof(pos), &args[3]);
	else
		pos = stamp.args[1];
	/* the position is in the caller's frame, so that it is there still; NULL: there is none */
	if (!bpf_probe_read_kernel(&at, sizeof(at), (void *)pos))
		d.offset = fsops_began_at(at, ret);
	fsops_of_file(&d, file);
	fsops_show(&d, NULL, FS_IN_TASK);
	return 0;
}

/* @nr: how many arguments the function has; the first is the file, the fourth its position. */
#define RW_FUNCTION(name, op, nr)                                                                  \
	SEC("fentry/" #name) int fentry_##name(void *ctx)                                          \
	{                                                                                          \
		fsops_note(op, 0, 0);                                                              \
		return 0;                                                                          \
	}                                                                                          \
	SEC("fexit/" #name) int fexit_##name(__u64 *ctx)                                           \
	{                                                                                          \
		return rw_ends(op, ctx, ctx[nr]);                                                  \
	}                                                                                          \
	CALL_KPROBE(name, #name,                                                                   \
		    rw_begins(op, (void *)PT_REGS_PARM1(ctx), (void *)PT_REGS_PARM4(ctx)))         \
	CALL_KRETPROBE(name, #name, rw_ends(op, NULL, PT_REGS_RC(ctx)))

RW_FUNCTION(vfs_read, FS_READ, 4)
RW_FUNCTION(vfs_write, FS_WRITE, 4)
RW_FUNCTION(vfs_readv, FS_READ, 5)
RW_FUNCTION(vfs_writev, FS_WRITE, 5)

/* --- from one file to another ------------------------------------------------------------- */

/* The functions of the calls: those that they come to are called by each other, too. */
static __always_inline int rw_move_begins(struct pt_regs *regs)
{
	if (filter_current())
		fsops_note(FS_NONE, (__u64)regs, 0);
	return 0;
}

/* @call: FS_CALL_SENDFILE and so on, a constant. @args: of the function, and what it returns, for
 * fexit; NULL: the begin has noted them, and it is @ret. */
static __always_inline int rw_move_ends(__u32 call, __u64 *args, long ret)
{
	struct fs_done d = { .ret = args ? (__s64)args[1] : ret };
	struct call_start stamp;
	struct pt_regs *regs;

	if (!call_start_end(fs_starts, FS_NONE, &stamp)) {
		if (stamp.owner && filter_current())
			event_count_lost();
		return 0;
	}
	d.start = stamp.start;
	d.end = bpf_ktime_get_ns();
	if (d.end - d.start < fs_config.min_ns)
		return 0;
	regs = (void *)stamp.args[0];
	if (args) /* 5.10's BTF lacks the struct of copy_file_range's: that may not be loaded */
		bpf_probe_read_kernel(&regs, sizeof(regs), &args[0]);
	fsops_move_ends(&d, call, regs, false, false);
	return 0;
}

#define RW_MOVE(name, function, call)                                                              \
	SEC("fentry/" SYSCALL_FUNCTION(function)) int fentry_##name(void *ctx)                     \
	{                                                                                          \
		fsops_note(FS_NONE, 0, 0);                                                         \
		return 0;                                                                          \
	}                                                                                          \
	SEC("fexit/" SYSCALL_FUNCTION(function)) int fexit_##name(__u64 *ctx)                      \
	{                                                                                          \
		return rw_move_ends(call, ctx, 0);                                                 \
	}                                                                                          \
	CALL_KPROBE(name, SYSCALL_FUNCTION(function), rw_move_begins(regs), struct pt_regs *regs)  \
	CALL_KRETPROBE(name, SYSCALL_FUNCTION(function), rw_move_ends(call, NULL, ret), long ret)

RW_MOVE(sendfile, "sendfile64", FS_CALL_SENDFILE | FS_CALL_AT)
RW_MOVE(splice_call, "splice", FS_CALL_SPLICE)
RW_MOVE(copy_file_range, "copy_file_range", FS_CALL_SPLICE)

/* --- io_submit(2) ------------------------------------------------------------------------- */

/* Every request that comes to its file is completed by aio_complete_rw(), be it at once. */
static __always_inline int rw_aio_begins(__u32 op, struct kiocb *req, struct iocb *iocb)
{
	fsops_async_note(op, (__u64)req, BPF_CORE_READ(req, ki_filp),
			 BPF_CORE_READ(iocb, aio_offset));
	return 0;
}

#define RW_AIO(name, op)                                                                           \
	CALL_FENTRY(name, #name, rw_aio_begins(op, req, iocb), struct kiocb *req,                  \
		    struct iocb *iocb)                                                             \
	CALL_KPROBE(name, #name, rw_aio_begins(op, req, iocb), struct kiocb *req, struct iocb *iocb)

RW_AIO(aio_read, FS_READ)
RW_AIO(aio_write, FS_WRITE)
FS_COMPLETION(aio_rw_done, "aio_complete_rw")

/* --- io_uring(7) -------------------------------------------------------------------------- */

/* include/uapi/linux/io_uring.h; reads that go on until they are cancelled are left out. */
enum rw_uring_op {
	RW_URING_READV = 1,
	RW_URING_WRITEV = 2,
	RW_URING_READ_FIXED = 4,
	RW_URING_WRITE_FIXED = 5,
	RW_URING_READ = 22,
	RW_URING_WRITE = 23,
	RW_URING_READV_FIXED = 60, /* from 6.15 */
	RW_URING_WRITEV_FIXED = 61,
};

static __always_inline __u32 rw_uring_op(__u8 opcode)
{
	if (opcode == RW_URING_READ || opcode == RW_URING_READV || opcode == RW_URING_READ_FIXED ||
	    opcode == RW_URING_READV_FIXED)
		return FS_READ;
	if (opcode == RW_URING_WRITE || opcode == RW_URING_WRITEV ||
	    opcode == RW_URING_WRITE_FIXED || opcode == RW_URING_WRITEV_FIXED)
		return FS_WRITE;
	return FS_NONE;
}

/* Where a completion does not say of which request it is (5.10), but of which ring, and the
 * number that the program gave. */
static __always_inline __u64 rw_uring_key(__u64 ring, __u64 user_data)
{
	return (ring ^ user_data * 0x9e3779b97f4a7c15ull) * 0xc2b2ae3d27d4eb4full;
}

static __always_inline int rw_uring_begins(struct io_kiocb *req, __u64 key)
{
	struct kiocb *iocb = (void *)req; /* or another command: of another opcode */
	__u32 op = rw_uring_op(BPF_CORE_READ(req, opcode));
	struct fs_async *twin;
	__s64 at;

	if (!op)
		return 0;
	if (rw_config.uring == RW_URING_BY_USER_DATA) {
		twin = bpf_map_lookup_elem(&fs_asyncs, &key);
		if (twin) {
			__sync_fetch_and_add(&twin->twins, 1);
			twin->op = FS_NONE;
			return 0;
		}
	}
	at = BPF_CORE_READ(iocb, ki_pos); /* -1: at the file's position */
	fsops_async_note(op, key, BPF_CORE_READ(iocb, ki_filp), at < 0 ? FS_OFFSET_UNKNOWN : at);
	return 0;
}

/* @req: 0 where it is not known. */
static __always_inline int rw_uring_ends(__u64 key, struct kiocb *req, int ret)
{
	struct fs_async *io = bpf_map_lookup_elem(&fs_asyncs, &key);

	if (!io)
		return 0;
	if (rw_config.uring != RW_URING_BY_USER_DATA) {
		io->file = BPF_CORE_READ(req, ki_filp); /* from 5.19 on it has none before */
	} else if (io->op == FS_NONE) {
		if (bpf_ktime_get_ns() - io->start >= fs_config.min_ns)
			event_count_unseen();
		if (io->twins)
			__sync_fetch_and_add(&io->twins, -1);
		else
			bpf_map_delete_elem(&fs_asyncs, &key);
		return 0;
	}
	return fsops_async_ends(key, FS_ASYNC, ret, FS_IN_TASK);
}

/* The arguments of the tracepoints, of which newer kernels have other ones (struct rw_config). */
static __always_inline int rw_uring_submitted(__u64 *ctx)
{
	if (rw_config.uring == RW_URING_BY_USER_DATA)
		return rw_uring_begins((void *)ctx[1], rw_uring_key(ctx[0], ctx[3]));
	return rw_uring_begins((void *)ctx[0], ctx[0]);
}

static __always_inline int rw_uring_completed(__u64 *ctx)
{
	struct io_uring_cqe *cqe;

	if (rw_config.uring == RW_URING_BY_USER_DATA)
		return rw_uring_ends(rw_uring_key(ctx[0], ctx[1]), NULL, ctx[2]);
	if (rw_config.uring == RW_URING_BY_REQUEST)
		return rw_uring_ends(ctx[1], (void *)ctx[1], ctx[3]);
	cqe = (void *)ctx[2];
	return rw_uring_ends(ctx[1], (void *)ctx[1], BPF_CORE_READ(cqe, res));
}

#define RW_URING_PROBE(name, tracepoint, call)                                                     \
	SEC("tp_btf/" tracepoint) int name(__u64 *ctx)                                             \
	{                                                                                          \
		return call;                                                                       \
	}                                                                                          \
	SEC("raw_tp/" tracepoint) int raw_##name(__u64 *ctx)                                       \
	{                                                                                          \
		return call;                                                                       \
	}

RW_URING_PROBE(uring_submit_req, "io_uring_submit_req", rw_uring_submitted(ctx))
RW_URING_PROBE(uring_submit_sqe, "io_uring_submit_sqe", rw_uring_submitted(ctx))
RW_URING_PROBE(uring_complete, "io_uring_complete", rw_uring_completed(ctx))

#endif
