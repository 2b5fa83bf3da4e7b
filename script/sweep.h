/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * sweep: what latency: notes at an entry is taken out at the return. A thread that ends in between
 * leaves its notes behind.
 */
#ifndef BORESCOPE_SCRIPT_SWEEP_H
#define BORESCOPE_SCRIPT_SWEEP_H

#include "script/load.h"

/* Takes out the notes of processes and threads that are gone. Where ids are not those of the
 * kernel, in a pid namespace, nothing: the maps are bounded, and what finds no room is counted. */
void sweep_latencies(const struct loaded *l);

#endif
