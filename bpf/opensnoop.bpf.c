/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * opensnoop.bpf.c: an event for each open of a file.
 *
 * Programs: fexit_openat2, kprobe_openat2, kretprobe_openat2; fentry_io_openat2, fexit_io_openat2,
 * kprobe_io_openat2, kretprobe_io_openat2 (lib/files/open.probes.bpf.h): they call open_done()
 * below; sys_exit, raw_sys_exit (SYSCALL_EXIT() below).
 */
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>

#include "lib/core/events.bpf.h"
#include "lib/core/filter.bpf.h"
#include "lib/files/open.probes.bpf.h"
#include "lib/core/path.bpf.h"
#include "opensnoop.shared.h"

const volatile bool only_failed, full_path;
const volatile struct flag_filters flag_filters;

struct open_scratch {
	struct open_event event;
	char text[OPEN_PATH_MAX + 2 * PATH_BYTES];
};
EVENT_SCRATCH(struct open_scratch, 2);

/* Writes the path of the directory that the name is relative to behind the name. */
static __always_inline void add_base(struct open_scratch *s, const struct open_call *call)
{
	bool absolute = s->text[0] == '/' && !(call->resolve & RESOLVE_IN_ROOT);
	__u32 path_len = s->event.path_len;
	struct path base = {};
	int len = -1;

	if (path_len <= OPEN_PATH_MAX && path_base(&base, call->dfd, absolute))
		len = path_read(&s->text[path_len], &base);
	if (len < 0)
		s->event.head.flags |= OPEN_BASE_UNKNOWN;
	else
		s->event.base_len = len;
}

static __always_inline bool wanted(const struct open_call *call, int ret)
{
	return (!only_failed || ret < 0) && filter_flags(&flag_filters, call->flags) &&
	       filter_current();
}

static __always_inline void show(__u32 slot, const struct open_call *call, int ret, bool user)
{
	struct open_scratch *s;
	__u64 size;
	long len;

	s = event_begin(slot);
	if (!s)
		return;
	event_head(&s->event.head);
	s->event.ret = ret;
	s->event.flags = call->flags;
	s->event.mode = call->flags & (O_CREAT | __O_TMPFILE) ? call->mode : 0;
	s->event.base_len = 0;
	len = user ? read_user_str(s->text, OPEN_PATH_MAX, call->name)
		   : bpf_probe_read_kernel_str(s->text, OPEN_PATH_MAX, call->name);
	if (len < 0 || len > OPEN_PATH_MAX)
		len = 0;
	s->event.path_len = len;
	s->event.path_cut = len == (user ? OPEN_PATH_MAX : OPEN_URING_NAME_MAX);
	if (full_path && len > 0)
		add_base(s, call);
	size = sizeof(s->event) + len + s->event.base_len;
	if (size <= sizeof(*s))
		event_send(s, size);
}

static __always_inline void open_done(__u32 slot, struct open_call *call, int ret, bool user)
{
	preempt_off();
	if (wanted(call, ret))
		show(slot, call, ret, user);
	preempt_on();
}

SYSCALL_EXIT(open_at_exit(regs, ret, typed))

char LICENSE[] SEC("license") = "Dual BSD/GPL";
