/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * status: the exit statuses of every tool. A function that checks what the user asked for returns
 * GO_ON where nothing is wrong, and else, after printing why, the status to exit with.
 */
#ifndef BORESCOPE_BASE_STATUS_H
#define BORESCOPE_BASE_STATUS_H

enum status {
	GO_ON = -1,
	STATUS_OK,
	STATUS_FAILED,
	STATUS_USAGE,	   /* a wrong command line: nothing was traced */
	STATUS_TOO_COSTLY, /* stopped by --max-cost */
};

#endif
