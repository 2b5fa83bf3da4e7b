/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The yardstick: programs that do nothing. What one of them adds to an operation is what any tool on
 * that hook has to pay. yardstick.c attaches one of them; the program's name is the choice.
 */
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>

#define EMPTY(name, section)                                                                       \
	SEC(section) int name(void *ctx)                                                           \
	{                                                                                          \
		return 0;                                                                          \
	}

EMPTY(sys_exit, "tp_btf/sys_exit")
EMPTY(do_sys_openat2, "fexit/do_sys_openat2")
EMPTY(sched_process_exec, "tp_btf/sched_process_exec")
EMPTY(block_rq_complete, "tp_btf/block_rq_complete")
EMPTY(inet_sock_set_state, "tp_btf/inet_sock_set_state")
EMPTY(sched_switch, "tp_btf/sched_switch")

char LICENSE[] SEC("license") = "Dual BSD/GPL";
