/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * checkup: what this kernel, these privileges and this container grant, as borescope doctor says
 * it. Some of it is read, some is tried: small programs are loaded, and events opened, and closed
 * at once. Nothing is attached to what runs, and nothing stays.
 */
#ifndef BORESCOPE_KERNEL_CHECKUP_H
#define BORESCOPE_KERNEL_CHECKUP_H

enum check_answer { CHECK_NO, CHECK_PARTLY, CHECK_YES };

struct check {
	const char *name; /* "fentry" */
	enum check_answer answer;
	char how[240];	    /* what was read or tried, and what came of it */
	const char *advice; /* a sentence: what to change; NULL: nothing */
};

/* Checks all, and hands over each. */
void checkup(void (*show)(void *ctx, const struct check *c), void *ctx);

#endif
