/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * load_maps: the maps of a script, and those that all scripts have.
 */
#ifndef BORESCOPE_SCRIPT_LOAD_MAPS_H
#define BORESCOPE_SCRIPT_LOAD_MAPS_H

#include "script/load.h"

/* How many rings there are: a power of two, one for each CPU, 32 at the most. */
unsigned load_maps_rings(void);

/* Makes all of them; @scratch: bytes of the largest program's, @entries: how many programs. Returns
 * 0, or -errno after printing why. What was made is closed by load_maps_close(), in any case. */
int load_maps_open(struct loaded *l, uint32_t scratch, uint32_t entries);
void load_maps_close(struct loaded *l);

/* An empty one like that which is in use: its descriptor, or -errno. */
int load_maps_again(const struct script_map *map);

/* What bpf(2) takes as a name: letters, digits and '_', 15 of them. Returns @text. */
const char *load_name(const char *name, char text[16]);

#endif
