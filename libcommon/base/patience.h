/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * patience: write(2) for what may be stuck: a pipe whose reader does not read, a terminal that is
 * stopped. By itself a write waits as long as it takes. Another thread (run/guard.h) can look
 * whether one moves, and have it given up. One thread of the process writes.
 */
#ifndef BORESCOPE_BASE_PATIENCE_H
#define BORESCOPE_BASE_PATIENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * As write(2), but it also waits where the file is non-blocking, and does not return for a signal.
 * Returns -1 with errno ETIMEDOUT when it was given up.
 */
ssize_t patience_write(int fd, const void *data, size_t len);

/* What each signal that interrupts a write calls from now on, in the midst of the write; it may
 * write, too, but its own writes call nothing. */
void patience_meanwhile(void (*fn)(void *ctx), void *ctx);

/*
 * For the other thread. The number of the write that is under way, 0 when there is none: as long as
 * it stays the same, nothing was written. Signals (whose handlers have no SA_RESTART) have it
 * change, if anything could be written meanwhile.
 */
unsigned int patience_current(void);
/* This write is to be given up; the next signal does it. Since one that comes too early is lost,
 * they are sent until patience_current() changes. */
void patience_give_up(unsigned int number);

#endif
