/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * program: a script, compiled: what is loaded into the kernel (script/load.c), attached
 * (script/attach.c), read and printed (script/run.c, script/values.c).
 */
#ifndef BORESCOPE_SCRIPT_PROGRAM_H
#define BORESCOPE_SCRIPT_PROGRAM_H

#include "script/ir.h"
#include "script/probes.h"
#include "script/types.h"

/* A map of the script. */
struct script_map {
	const char *name;	/* without its @ */
	struct span at;		/* where it stands first */
	const struct type *key; /* NULL: it has no keys. Several: a tuple */
	const struct type *value;
	unsigned index; /* in compiled.maps; also what IR_ADDRESS_MAP means */
	bool per_cpu;	/* aggregates: a value for each CPU, merged when it is read */
	bool lru;
	/* A program clears it while others write: there are two, and clear() puts an empty one in
	 * place (an array of maps with one entry, in the kernel). */
	bool generations;
	uint32_t entries; /* at most; 1 without keys */
	bool sized;	  /* the script said how many */
	/* Not the script's: what is noted at entries, see script/latency.c. .name: the probe's. */
	bool latency;
	unsigned lost; /* rt_globals.lost[]: what found no room */
};

/* The value of a map without keys is always there. Behind that of one that is no aggregate stands a
 * word that is 1 once something was assigned: so 0 can be told from nothing. */
static inline bool script_map_is_marked(const struct script_map *map)
{
	return !map->key && !type_is_aggregate(map->value);
}

/* What user space does when a record of this statement comes. */
enum action {
	ACTION_PRINTF,
	ACTION_ERRORF, /* to stderr */
	ACTION_WARNF,
	ACTION_SYSTEM,	    /* runs the formatted text by sh -c (--unsafe) */
	ACTION_CAT,	    /* prints the file of the formatted name */
	ACTION_PRINT_MAP,   /* map, top, div: args 0 and 1, both u64 */
	ACTION_PRINT_VALUE, /* args[0] */
	ACTION_PRINT_ENTRY, /* map[args[0]]: read when the record comes */
	ACTION_CLEAR,
	ACTION_ZERO,
	ACTION_TIME, /* format */
	ACTION_JOIN, /* args[0]: how many, then so many of the strings that follow are words;
			format: the delimiter */
	ACTION_EXIT, /* args[0]: the status. The gate is closed already */
};

struct argument {
	const struct type *type;
	uint32_t offset; /* in the record, of a multiple of 8 */
};

struct statement {
	enum action action;
	struct span at;
	const char *format; /* with escapes done; NULL: none */
	size_t format_len;
	struct argument *args;
	size_t nr_args;
	struct script_map *map;
	unsigned number; /* in compiled.statements */
	unsigned lost;	 /* rt_globals.lost[]: what found no room in a ring */
	uint32_t size;	 /* of the fixed part of the record, with struct rt_record */
};

/* A program: one clause, for targets that it can serve alike. */
struct program {
	const struct clause *clause;
	const struct target *const *targets;
	size_t nr_targets;
	/* Number of the first target's name in compiled.probe_names. By cookie, the programs of
	 * several targets know which one it is; without, there is one program for each. */
	uint32_t probe_number;
	bool wants_cookie;
	bool multi; /* all by one link, where that can be had */
	struct ir_function *code;
};

struct compiled {
	struct source *source;
	struct types *types;
	struct script_map **maps;
	size_t nr_maps;
	struct statement **statements;
	size_t nr_statements;
	struct program **programs;
	size_t nr_programs;
	const char **probe_names; /* TYPE_PROBE */
	size_t nr_probe_names;
	const void *rodata;
	size_t rodata_size;
	/* Texts that keys of the script itself have: what their ids (of rodata, at .offset, filled
	 * in when the seed is known) stand for. */
	struct literal_id {
		const char *text;
		size_t len;
		uint32_t offset;
	} * literals;
	size_t nr_literals;
	/* Places of the script where something is divided by what may be 0, and which of
	 * rt_globals.lost[] counts how often it was. */
	struct division {
		struct span at;
		unsigned counter;
	} * divisions;
	size_t nr_divisions;
	size_t nr_lost;		 /* of rt_globals.lost[] */
	unsigned interning_lost; /* which of them counts records of RT_BYTES */
	bool interns;		 /* there is a map seen */
	bool user_stacks, kernel_stacks, symbols;
	struct script_config *config;
	struct probes *probes; /* with files that are open until all is attached */
	struct btf_types *btf;
};

/* config = { }, BPFTRACE_* variables; those that are not here are known, and change nothing. */
struct script_config {
	uint64_t max_strlen;	 /* bytes: 1024 */
	uint64_t max_map_keys;	 /* 4096 */
	uint64_t max_probes;	 /* 1024 */
	uint64_t max_cat_bytes;	 /* of a file that cat() shows; 0: 10 KiB */
	uint64_t perf_rb_pages;	 /* bytes of a ring come from it where it is set */
	bool print_maps_on_exit; /* true */
	char stack_mode;	 /* 'b' */
	bool missing_probes_warn, missing_probes_ignore, missing_probes_error;
	const char *str_trunc_trailer; /* ".." */
};

#endif
