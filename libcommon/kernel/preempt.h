/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * preempt: does this kernel preempt tasks that are inside it? One that does may schedule a task out
 * in the middle of a BPF program, and leaves out every other run of that program on the CPU until
 * the task is back. Which of them do is a setting of the build or of the boot (preempt=), and can
 * be changed on a running kernel; none of it shows in the version.
 */
#ifndef BORESCOPE_KERNEL_PREEMPT_H
#define BORESCOPE_KERNEL_PREEMPT_H

#include <stdbool.h>

enum preempt {
	PREEMPT_UNKNOWN,
	PREEMPT_NOT,
	PREEMPT_INSIDE,
};

/* By the setting as it is now; where the kernel does not show that, by the command line of the boot
 * and the configuration of the build. Not known: false. */
bool preempt_inside(void);

/* What each of these says. @version: of uname(2): no kernel without "PREEMPT" in it does, and one
 * with "PREEMPT_DYNAMIC" can be told to, or not to. */
enum preempt preempt_by_version(const char *version);
/* Of sched/preempt in debugfs: "none voluntary (full)". */
enum preempt preempt_by_setting(const char *setting);
/* Of /proc/cmdline. */
enum preempt preempt_by_boot(const char *cmdline);
/* One line of the build's .config. */
enum preempt preempt_by_config_line(const char *line);

#endif
