/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * call_probes.bpf.h: programs at the begin and at the end of a kernel function, in the two ways
 * that a kernel may grant: by trampoline (fentry, fexit) and by kprobe (kprobe, kretprobe). A
 * program is called WAY_NAME: that is what the ladder on the tool's user side says.
 *
 *	CALL_PROBES(name, function, begins, ends, parameters...)
 *		fentry_NAME and fexit_NAME, or kprobe_NAME and kretprobe_NAME. What @begins leaves
 *		for @ends is kept in between (inflight.bpf.h).
 *	CALL_END_PROBES(name, function, ended, begins, ends, parameters...)
 *		fexit_NAME alone, which sees the arguments and the result at once, in @ended; or
 *		kprobe_NAME and kretprobe_NAME, as above.
 *
 * @function is a string; @parameters are all that the function has, as its declaration has them.
 * The others are what the programs call: @begins may use the parameters, @ends may use `ret`, the
 * result as an int, and @ended may use both. For example:
 *
 *	CALL_PROBES(io_openat2, "io_openat2", uring_begins(req), uring_ends(ret),
 *		    struct io_kiocb *req, unsigned int issue_flags)
 *
 * In fexit_NAME the verifier knows the types of the arguments, so that @ended may read them
 * directly; @begins is for both ways, and needs BPF_CORE_READ().
 */
#ifndef BORESCOPE_BPF_CORE_CALL_PROBES_BPF_H
#define BORESCOPE_BPF_CORE_CALL_PROBES_BPF_H

#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

/* One program each, which returns @call. That may use `ctx`, too, and needs no parameters then. */
#define CALL_PROGRAM(way, macro, name, function, call, parameters...)                              \
	SEC(#way "/" function) int macro(way##_##name, ##parameters)                               \
	{                                                                                          \
		return call;                                                                       \
	}
#define CALL_FENTRY(name, function, call, parameters...)                                           \
	CALL_PROGRAM(fentry, BPF_PROG, name, function, call, ##parameters)
#define CALL_FEXIT(name, function, call, parameters...)                                            \
	CALL_PROGRAM(fexit, BPF_PROG, name, function, call, ##parameters)
#define CALL_KPROBE(name, function, call, parameters...)                                           \
	CALL_PROGRAM(kprobe, BPF_KPROBE, name, function, call, ##parameters)
#define CALL_KRETPROBE(name, function, call, parameters...)                                        \
	CALL_PROGRAM(kretprobe, BPF_KRETPROBE, name, function, call, ##parameters)

#define CALL_PROBES(name, function, begins, ends, parameters...)                                   \
	CALL_FENTRY(name, function, begins, parameters)                                            \
	CALL_FEXIT(name, function, ends, parameters, int ret)                                      \
	CALL_KPROBE(name, function, begins, parameters)                                            \
	CALL_KRETPROBE(name, function, ends, int ret)

#define CALL_END_PROBES(name, function, ended, begins, ends, parameters...)                        \
	CALL_FEXIT(name, function, ended, parameters, int ret)                                     \
	CALL_KPROBE(name, function, begins, parameters)                                            \
	CALL_KRETPROBE(name, function, ends, int ret)

#endif
