/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * call_probes.bpf.h: programs at the begin and at the end of a kernel function, in the two ways that
 * a kernel may grant: by trampoline (fentry, fexit) and by kprobe (kprobe, kretprobe). A program is
 * called WAY_NAME, as the ladder of the tool's user side has it.
 *
 *	CALL_PROBES(name, function, begins, ends, parameters...)
 *		fentry_NAME and fexit_NAME; kprobe_NAME and kretprobe_NAME. What @begins has to leave
 *		for @ends goes into an INFLIGHT() map (inflight.bpf.h).
 *	CALL_END_PROBES(name, function, ended, begins, ends, parameters...)
 *		fexit_NAME alone, which calls @ended and sees the arguments and the result at once;
 *		kprobe_NAME and kretprobe_NAME, which call @begins and @ends.
 *
 * @function is a string. @parameters are the function's own, all of them and in its order, as its
 * declaration has them. The others are calls: all may use the parameters (@ends: of fexit and
 * kretprobe only what both have, so none); @ended and @ends may use `ret`, the result as an int.
 *
 *	CALL_PROBES(loss_probe, "tcp_send_loss_probe", probe_begins(sk), probe_ends(), struct sock *sk)
 *
 * Where the verifier knows the arguments' types (fentry and fexit), they may be read as they are; in
 * what a kprobe calls they are read by BPF_CORE_READ().
 */
#ifndef BORESCOPE_BPF_CORE_CALL_PROBES_BPF_H
#define BORESCOPE_BPF_CORE_CALL_PROBES_BPF_H

#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

/* One program each. @call may use `ctx`, too: the arguments as BPF has them. */
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
