/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * load: makes the maps of a compiled script and loads its programs.
 */
#ifndef BORESCOPE_SCRIPT_LOAD_H
#define BORESCOPE_SCRIPT_LOAD_H

#include "script/link.h"
#include "script/program.h"

/* Bytes of a value of @map as the kernel has it: a multiple of 8, as is a key; that of a map
 * without keys is a u32 that is 0. */
uint32_t load_value_size(const struct script_map *map);

struct loaded {
	const struct compiled *compiled;
	/* Of each of the script's maps: itself, or of one with generations, that in use. */
	int *maps;
	int *outer;    /* of each: the array that it stands in; -1: none */
	int *programs; /* of each of compiled's */
	bool *multi;   /* of each: it is loaded for one link at all its places */
	struct code **codes;
	int rings[32];
	size_t nr_rings;
	size_t ring_bytes;
	int globals_fd, seen_fd, scratch_fd, rodata_fd;
	struct rt_globals *globals; /* mapped */
	uint64_t map_bytes;	    /* kernel memory of all maps, about */
};

struct load_options {
	bool verbose; /* the verifier's log of a refused program goes to stderr */
};

/* The ids of compiled->literals are made here, the gate is closed. Returns 0, or -errno after
 * printing why: what the verifier refuses is said with the line of the script. */
int script_load(struct loaded *l, const struct compiled *compiled,
		const struct load_options *options);
void script_unload(struct loaded *l);

/* Puts an empty map in the place of @map's, of one with generations, and waits until no program
 * writes to the old one. Returns the old one's descriptor, which the caller closes, or -errno. */
int loaded_next_generation(struct loaded *l, const struct script_map *map);

/* Loads a program of .multi again, for a perf event at each of its places. Returns 0, or -errno
 * after printing why. */
int loaded_singly(struct loaded *l, size_t program);

/* Runs a program of ATTACH_RUN once. Returns 0 or -errno. */
int loaded_run(struct loaded *l, size_t program);

/* The id of a text as the programs make it (struct rt_bytes of RT_BYTES_TEXT). */
struct rt_id;
void loaded_text_id(const struct loaded *l, const char *text, size_t len, struct rt_id *id);

#endif
