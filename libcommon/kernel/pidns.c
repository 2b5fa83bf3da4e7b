/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "base/msg.h"
#include "base/number.h"
#include "base/util.h"
#include "kernel/pidns.h"

#define INITIAL_PIDNS 0xEFFFFFFCU /* its inode: PROC_PID_INIT_INO of the kernel, since 3.8 */

bool pidns_is_initial(void)
{
	struct stat st;

	return stat("/proc/self/ns/pid", &st) || st.st_ino == INITIAL_PIDNS;
}

__u32 pidns_own_pid(void)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_get_current_pid_tgid },
		{ .code = BPF_ALU64 | BPF_RSH | BPF_K, .dst_reg = BPF_REG_0, .imm = 32 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_test_run_opts, run);
	int fd, err;

	if (pidns_is_initial())
		return getpid();
	fd = bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "own_pid", "Dual BSD/GPL", insns,
			   ARRAY_SIZE(insns), NULL);
	if (fd < 0)
		return PID_UNKNOWN;
	err = bpf_prog_test_run_opts(fd, &run);
	close(fd);
	return err ? PID_UNKNOWN : run.retval;
}

/* The process that the thread @id belongs to; 0: not known. */
static __u32 process_of(__u32 id)
{
	char path[32];
	uint64_t tgid = 0;

	snprintf(path, sizeof(path), "/proc/%u/status", id);
	number_field(path, "Tgid", 10, &tgid);
	return tgid;
}

static bool exists(__u32 id)
{
	return !kill(id, 0) || errno != ESRCH;
}

void pidns_check(const struct filter *f)
{
	if (!f->nr_pids && !f->nr_tids)
		return;
	if (!pidns_is_initial()) {
		warn("this is a pid namespace of its own, but process and thread ids are taken as "
		     "ps outside of it shows them; --cgroup needs none");
		return;
	}
	for (__u32 i = 0; i < f->nr_pids; i++) {
		__u32 process = process_of(f->pids[i]);

		if (!exists(f->pids[i]))
			warn("there is no process %u now", f->pids[i]);
		else if (process && process != f->pids[i])
			warn("%u is a thread of process %u, not a process: --tid takes threads",
			     f->pids[i], process);
	}
	for (__u32 i = 0; i < f->nr_tids; i++)
		if (!exists(f->tids[i]))
			warn("there is no thread %u now", f->tids[i]);
}
