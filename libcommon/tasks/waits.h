/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * waits: tells bpf/lib/tasks/waits.bpf.h which threads wait for work, and which for a file.
 *
 * A sleeping thread waits for work when it is in a system call in which threads wait until there is
 * something to do; a thread of the kernel waits for work when it sleeps in state S or I. A read or
 * receive is no such call, for the thread may wait for an answer.
 */
#ifndef BORESCOPE_TASKS_WAITS_H
#define BORESCOPE_TASKS_WAITS_H

#include <linux/types.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/tasks/waits.shared.h"

struct object;
struct programs;

/* In the configure hook: tells the kernel side the numbers of these calls. */
void waits_configure(struct object *o);

/* Reads how many threads were left out until now. Returns 0, or -errno with @counts all zero. */
int waits_idle(const struct programs *p, struct wait_idle_counts *counts);
uint64_t waits_idle_total(const struct wait_idle_counts *counts);

/* Writes "futex 1200, epoll_wait 40, kernel threads 70, others 7" into @buf, with the three calls
 * that most threads were in; "" if there were none. Returns @buf. */
#define WAITS_TEXT_LEN 256
const char *waits_idle_text(const struct wait_idle_counts *counts, char *buf, size_t size);

#endif
