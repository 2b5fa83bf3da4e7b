/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/msg.h"
#include "files/call_start.h"
#include "files/fscalls.h"
#include "files/rw.h"
#include "kernel/pidns.h"
#include "lib/files/fsops.shared.h"
#include "run/run.h"

#define VFS(begin, end)                                                                            \
	begin "_vfs_read " end "_vfs_read " begin "_vfs_write " end "_vfs_write " begin            \
	      "_vfs_readv " end "_vfs_readv " begin "_vfs_writev " end "_vfs_writev"
#define MOVES(begin, end)                                                                          \
	begin "_sendfile " end "_sendfile " begin "_splice_call " end "_splice_call " begin        \
	      "_copy_file_range " end "_copy_file_range"
#define AIO(way) way "_aio_read " way "_aio_write " way "_aio_rw_done"

/* How many arguments these tracepoints have, the first void * with them; 0: there is none. */
static int64_t submit_req_args, submit_sqe_args, complete_args;
static bool submits_req, submits_sqe;
const struct kernel_fact rw_facts[] = {
	{ "btf_trace_io_uring_submit_req", BTF_TYPEDEF, &submit_req_args },
	{ "btf_trace_io_uring_submit_sqe", BTF_TYPEDEF, &submit_sqe_args },
	{ "btf_trace_io_uring_complete", BTF_TYPEDEF, &complete_args },
	{ 0 },
};

#define MOVES_PROBE "reads and writes of sendfile, splice and copy_file_range"
const struct probe rw_probes[] = {
	PROBE_LADDER("reads and writes", VFS("fentry", "fexit"), VFS("kprobe", "kretprobe"),
		     "sys_enter sys_exit", "raw_sys_enter raw_sys_exit"),
	{ .name = MOVES_PROBE,
	  .rungs = { MOVES("fentry", "fexit"), MOVES("kprobe", "kretprobe") },
	  .unless = "sys_enter raw_sys_enter",
	  .optional = true },
	{ .name = "aio", .rungs = { AIO("fentry"), AIO("kprobe") }, .optional = true },
	{ .name = "io_uring",
	  .rungs = { "uring_submit_req uring_complete", "raw_uring_submit_req raw_uring_complete" },
	  .when = &submits_req,
	  .optional = true },
	{ .name = "io_uring before 6.3",
	  .rungs = { "uring_submit_sqe uring_complete", "raw_uring_submit_sqe raw_uring_complete" },
	  .when = &submits_sqe,
	  .optional = true },
	{ 0 },
};

static uint64_t slow_ns;
static bool misses_returns;

void rw_configure(struct object *o, uint64_t min_ns, bool all_types)
{
	struct fs_config *config = object_section(o, ".rodata.fsops", "lib/files/fsops.bpf.h");
	struct rw_config *rw = object_section(o, ".rodata.rw", "lib/files/rw.probes.bpf.h");

	config->min_ns = slow_ns = min_ns;
	config->types = all_types ? FS_TYPES_ALL : FS_TYPE_BIT(S_IFREG);
	fscalls_fill(config->calls, true);
	rw->uring = complete_args == 4	 ? RW_URING_BY_CQE
		    : complete_args == 5 ? RW_URING_BY_USER_DATA
					 : RW_URING_BY_REQUEST;
	submits_req = submit_req_args;
	/* Others have other arguments: before 5.14 there is no request among them; that of 5.18
	 * and 5.19 is the second one, though their completions are told by it. */
	submits_sqe =
		rw->uring == RW_URING_BY_USER_DATA ? submit_sqe_args >= 8 : submit_sqe_args == 3;
}

void rw_started(struct run *r)
{
	const struct object *o = &r->object;
	bool calls = strstr(object_rung(o, "reads and writes"), "sys_enter");

	misses_returns = object_misses_returns(o) && pidns_is_initial();
	if (!calls && !object_rung(o, MOVES_PROBE))
		note("tracing without sendfile(2), splice(2) and copy_file_range(2): this kernel "
		     "does not show them");
	if (!object_rung(o, "aio"))
		note("tracing without io_submit(2): this kernel does not show what it asks for");
	if (!object_rung(o, "io_uring") && !object_rung(o, "io_uring before 6.3"))
		note("tracing without io_uring(7): this kernel does not show what it asks for");
}

void rw_count_losses(struct run *r)
{
	if (misses_returns)
		run_unseen(r, call_start_sweep(&r->object.programs, "fs_starts", FS_OPS, slow_ns,
					       clock_mono_ns()));
}
