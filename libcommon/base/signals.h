/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * signals: the names of signals.
 */
#ifndef BORESCOPE_BASE_SIGNALS_H
#define BORESCOPE_BASE_SIGNALS_H

/* "KILL" for 9, "RT" for those that have no name of their own (32 to 64). NULL: there is no such
 * signal. */
const char *signal_name(int number);

#endif
