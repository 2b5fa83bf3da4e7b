/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * guard: sees to it that whoever uses a tool can end it, whatever the tool hangs in. A thread of
 * its own takes SIGINT, SIGTERM and SIGHUP; it needs no CPU time until something happens.
 *
 * The first signal asks for the end, in order. What comes within 100 ms of it is the same request
 * (timeout(1) sends its signal twice). The next SIGINT or SIGTERM ends the process by that signal,
 * at once; the thread does it, since a main thread that waits for a dead file system or for the
 * lock of a memory map runs no handler, and wakes up for a fatal signal only.
 *
 * Once the end is due (a signal, the deadline, guard_ending()):
 * - output of which nothing is read for 2 s is given up: see base/patience.h. Not so if a person
 *   may have stopped reading, since we are in the foreground of a terminal (stderr) and stdout is a
 *   pipe: a pager. Who looks at it has Ctrl-C.
 * - 10 s in which the main thread neither writes nor uses any CPU time end the process with status
 *   1, after a line that says so: it hangs.
 * Time in which the process is stopped (Ctrl-Z, a debugger) does not count.
 */
#ifndef BORESCOPE_RUN_GUARD_H
#define BORESCOPE_RUN_GUARD_H

#include <stdbool.h>
#include <stdint.h>

/* Begins; what follows in the calling thread is watched. Returns a descriptor that becomes readable
 * at the first signal (it stays so), or -errno. It lasts as long as the process. */
int guard_start(void);

/* Whether a signal has asked for the end. */
bool guard_asked(void);

/* The end is due at @at (CLOCK_MONOTONIC, ns). */
void guard_deadline(uint64_t at);

/* A write that is stuck is interrupted once a second from now on, so that what patience_write()
 * calls then can look after --max-cost. */
void guard_interrupt_writes(void);

/* The end is due now. */
void guard_ending(void);

#endif
