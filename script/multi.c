/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/bpf.h>
#include <bpf/bpf.h>

#include "base/util.h"
#include "script/insns.h"
#include "script/multi.h"

/* Newer than the headers may be: enum bpf_attach_type, and what union bpf_attr has for it. */
#define TRACE_UPROBE_MULTI 48
#define MULTI_RETURN	   1 /* BPF_F_KPROBE_MULTI_RETURN, BPF_F_UPROBE_MULTI_RETURN */

struct uprobe_multi_attr {
	uint32_t program, target, attach_type, link_flags;
	uint64_t path, offsets, semaphores, cookies;
	uint32_t nr, flags, pid;
	uint32_t reserved;
};

unsigned multi_attach_type(bool user)
{
	return user ? TRACE_UPROBE_MULTI : BPF_TRACE_KPROBE_MULTI;
}

static int link_kernel(int program, const struct multi_places *p)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .kprobe_multi.syms = p->functions,
		    .kprobe_multi.cookies = p->cookies, .kprobe_multi.cnt = p->nr,
		    .kprobe_multi.flags = p->at_return ? MULTI_RETURN : 0);
	int fd = bpf_link_create(program, 0, BPF_TRACE_KPROBE_MULTI, &opts);

	return fd < 0 ? -errno : fd;
}

static int link_user(int program, const struct multi_places *p)
{
	const struct uprobe_multi_attr attr = {
		.program = program,
		.attach_type = TRACE_UPROBE_MULTI,
		.path = (uintptr_t)p->path,
		.offsets = (uintptr_t)p->offsets,
		.semaphores = (uintptr_t)p->semaphores,
		.cookies = (uintptr_t)p->cookies,
		.nr = p->nr,
		.flags = p->at_return ? MULTI_RETURN : 0,
		.pid = p->pid,
	};
	int fd = syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof(attr));

	return fd < 0 ? -errno : fd;
}

int multi_link(int program, const struct multi_places *places)
{
	return places->user ? link_user(program, places) : link_kernel(program, places);
}

/* A program that does nothing. */
static int load_nothing(bool user)
{
	const struct bpf_insn insns[] = { INSN_MOV_K(BPF_REG_0, 0), INSN_EXIT() };
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = multi_attach_type(user));

	return bpf_prog_load(BPF_PROG_TYPE_KPROBE, "try", "GPL", insns, ARRAY_SIZE(insns), &opts);
}

/* By what can't be attached, of which a kernel without it says something else. */
static int try_kernel(int program)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .kprobe_multi.cnt = 1);
	int fd;

	opts.kprobe_multi.addrs = (void *)1; /* is read before it is asked what stands there */
	fd = bpf_link_create(program, 0, BPF_TRACE_KPROBE_MULTI, &opts);
	return fd < 0 ? -errno : fd;
}

/*
 * -EINVAL is what the kernel says of a process that can't be, before it looks at the file, since it
 * filters by process: before 6.10 (46ba0e49b642), it was by thread, and only after it had looked.
 */
static int try_user(int program, pid_t pid)
{
	const uint64_t offset = 0;
	const struct multi_places places = {
		.user = true, .path = "/", .offsets = &offset, .nr = 1, .pid = pid
	};

	return link_user(program, &places);
}

bool multi_granted(bool user)
{
	int program = load_nothing(user);
	bool granted;

	if (program < 0)
		return false;
	if (user)
		granted = try_user(program, 0) == -EBADF && try_user(program, -1) == -EINVAL;
	else
		granted = try_kernel(program) == -EFAULT;
	close(program);
	return granted;
}
