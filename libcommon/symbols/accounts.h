/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * accounts: what reading for the sake of each user may take, in time.
 *
 * Each user whose processes or files are read has two balances: one for files and for the first
 * look at a process, one for looking at a process again. A balance begins with a credit and grows
 * by a share of the time that passes. What was taken is charged in full, also where it was more
 * than was left: a balance can be negative, and nothing is read until it has recovered. The first
 * ACCOUNTS_USERS users have their own; those beyond share one, for who may have one id may have
 * 65,536 (subordinate ids). All users other than root share one more.
 *
 * A file system that stalled is left alone: for STALL_SHARE times as long as it stalled, and for as
 * long as the worker that was killed for it could not die.
 *
 * Times are CLOCK_MONOTONIC, in ns.
 */
#ifndef BORESCOPE_SYMBOLS_ACCOUNTS_H
#define BORESCOPE_SYMBOLS_ACCOUNTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define ACCOUNTS_USERS	 16
#define ACCOUNTS_DEVICES 32

enum account_kind {
	ACCOUNT_FILES,
	ACCOUNT_LOOKS,
	ACCOUNT_KINDS,
};

struct balance {
	int64_t left;
	uint64_t since;
};

struct account {
	uint32_t uid;
	struct balance balance[ACCOUNT_KINDS];
};

struct stalled_device {
	dev_t dev;
	uint64_t until;
	pid_t killed; /* the worker */
};

struct accounts {
	struct account users[ACCOUNTS_USERS + 1]; /* the last one: all others */
	unsigned int nr;
	struct balance all; /* of users other than root: for files */
	struct stalled_device devices[ACCOUNTS_DEVICES];
	unsigned int next_device;
};

void accounts_init(struct accounts *a, uint64_t now);

/* Whether reading for @uid is allowed now. Root's files and first looks always are. */
bool accounts_allow(struct accounts *a, uint32_t uid, enum account_kind kind, uint64_t now);
void accounts_charge(struct accounts *a, uint32_t uid, enum account_kind kind, uint64_t ns,
		     uint64_t now);
/* @stalled: for how long. */
void accounts_stalled(struct accounts *a, dev_t dev, uint64_t stalled, pid_t killed, uint64_t now);
bool accounts_is_stalled(const struct accounts *a, dev_t dev, uint64_t now);

#endif
