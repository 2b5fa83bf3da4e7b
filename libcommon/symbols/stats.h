/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * stats: how much a struct symbols keeps. Each of its parts adds what it has.
 */
#ifndef BORESCOPE_SYMBOLS_STATS_H
#define BORESCOPE_SYMBOLS_STATS_H

#include <stddef.h>

struct symbols_stats {
	size_t processes, mappings;
	size_t files;			       /* known; of these: */
	size_t tables;			       /* their symbols are in memory */
	size_t open;			       /* not read yet: a file descriptor each */
	size_t symbols;			       /* in all tables */
	size_t bytes;			       /* of all tables, kallsyms and perf maps too */
	size_t files_unread, processes_unread; /* for symbols_remarks() */
};

#endif
