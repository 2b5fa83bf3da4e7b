/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * words: numbers of the kernel as words: times, users, cgroups, errors, signals, addresses. All are
 * looked up when they are shown.
 */
#ifndef BORESCOPE_SCRIPT_WORDS_H
#define BORESCOPE_SCRIPT_WORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "script.shared.h"
#include "script/text.h"

/* The local time of @real_ns (since the epoch) by a format of strftime(3) that besides has %f, %k
 * and %l: the fraction of the second in us, ns and ms. */
void words_time(struct text *to, const char *format, uint64_t real_ns);
/* A time since boot (CLOCK_BOOTTIME, ns) as ns since the epoch. */
uint64_t words_since_epoch(uint64_t boot_ns);

void words_error(struct text *to, int64_t err);
void words_signal(struct text *to, int64_t signal);
void words_syscall(struct text *to, int64_t number);
/* A user's name; the number of one that is not known. */
void words_user(struct text *to, uint64_t uid);
/* "unified:/system.slice/x.service"; "" where there is none of this id. */
void words_cgroup(struct text *to, uint64_t id);
void words_inet(struct text *to, const struct rt_inet *address);
void words_mac(struct text *to, const unsigned char *mac);

#endif
