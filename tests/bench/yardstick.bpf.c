/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The yardstick: programs that do nothing. What one of them adds to an operation is what any tool
 * on that hook has to pay; and one that does by hand what a script does. yardstick.c attaches those
 * of them whose names it is given.
 */
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>

#define EMPTY(name, section)                                                                       \
	SEC(section) int name(void *ctx)                                                           \
	{                                                                                          \
		return 0;                                                                          \
	}

EMPTY(sys_enter, "tp_btf/sys_enter")
EMPTY(sys_exit, "tp_btf/sys_exit")
EMPTY(do_sys_openat2, "fexit/do_sys_openat2")
EMPTY(sched_process_exec, "tp_btf/sched_process_exec")
EMPTY(sched_process_exit, "tp_btf/sched_process_exit")
EMPTY(block_io_start, "tp_btf/block_io_start")
EMPTY(block_rq_complete, "tp_btf/block_rq_complete")
EMPTY(inet_sock_set_state, "tp_btf/inet_sock_set_state")
EMPTY(sched_switch, "tp_btf/sched_switch")
EMPTY(ext4_read, "fentry/ext4_file_read_iter")
EMPTY(ext4_read_end, "fexit/ext4_file_read_iter")
EMPTY(ext4_write, "fentry/ext4_file_write_iter")
EMPTY(ext4_write_end, "fexit/ext4_file_write_iter")
EMPTY(vfs_read, "fentry/vfs_read")
EMPTY(vfs_read_end, "fexit/vfs_read")
EMPTY(vfs_write, "fentry/vfs_write")
EMPTY(vfs_write_end, "fexit/vfs_write")

/* What bscope makes of "@[comm] = count()", as one would write it by hand. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 4096);
	__type(key, char[16]);
	__type(value, __u64);
} counts SEC(".maps");

SEC("tp/syscalls/sys_enter_getppid") int count_by_comm(void *ctx)
{
	const __u64 one = 1;
	char comm[16];
	__u64 *count;

	bpf_get_current_comm(comm, sizeof(comm));
	count = bpf_map_lookup_elem(&counts, comm);
	if (count)
		*count += 1;
	else
		bpf_map_update_elem(&counts, comm, &one, BPF_NOEXIST);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
