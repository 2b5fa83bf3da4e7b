/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * limits: what the system lets this process have.
 */
#ifndef BORESCOPE_BASE_LIMITS_H
#define BORESCOPE_BASE_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

/* Were stdin, stdout or stderr closed, the next file to be opened would get its number, and with it
 * what is meant for stdout or stderr: /dev/null is put there. To write to a stdout that was closed
 * fails, as it should. */
void limits_hold_stdio(void);

/* A machine with many CPUs needs some hundred open files. False after printing that they are not
 * granted. */
bool limits_open_files(void);

/* Raises the soft limit of open files to @wanted, or as far as the hard limit allows. Returns what
 * the limit is now; UINT64_MAX where that can't be told. */
uint64_t limits_raise_files(uint64_t wanted);

/* How many threads there are, of all processes; 0: that is not known. */
uint64_t limits_threads_now(void);

/* For how many threads there should be room, of all processes: as many as there are, and then some,
 * but at most @max. */
uint64_t limits_threads(uint64_t max);

#endif
