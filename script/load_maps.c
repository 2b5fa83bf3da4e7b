/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/msg.h"
#include "kernel/advice.h"
#include "lib/core/types.shared.h"
#include "script.shared.h"
#include "script_hash.shared.h"
#include "script/load_maps.h"

#define SEEN_ENTRIES 16384
#define RING_MAX     (1 << 30)

static uint32_t round_up_8(uint32_t size)
{
	return (size + 7) & ~7u;
}

static uint32_t value_size(const struct script_map *map)
{
	const struct type *v = map->value;

	switch (v->kind) {
	case TYPE_COUNT:
		return sizeof(uint64_t);
	case TYPE_SUM:
	case TYPE_AVG:
	case TYPE_STATS:
		return sizeof(struct rt_sum);
	case TYPE_MIN:
	case TYPE_MAX:
		return sizeof(struct rt_extreme);
	case TYPE_HIST:
		return RT_HIST_SIZE(v->count);
	case TYPE_LHIST:
		return 8 * RT_LHIST_SLOTS(v->lhist.min, v->lhist.max, v->lhist.step);
	default:
		return type_is_scalar(v) ? 8 : round_up_8(v->size ? v->size : 8);
	}
}

uint32_t load_value_size(const struct script_map *map)
{
	return value_size(map) + (script_map_is_marked(map) ? sizeof(uint64_t) : 0);
}

static uint32_t key_size(const struct script_map *map)
{
	if (!map->key)
		return sizeof(uint32_t);
	return round_up_8(map->key->size ? map->key->size : 8);
}

static size_t page_size(void)
{
	return sysconf(_SC_PAGESIZE);
}

/* --- what all scripts have --- */

unsigned load_maps_rings(void)
{
	int cpus = libbpf_num_possible_cpus();
	unsigned nr = 1;

	while ((int)nr * 2 <= cpus && nr < 32)
		nr *= 2;
	return nr;
}

/* Is it one that every event may have, and that is of some length? */
static bool is_row(enum action action)
{
	return action != ACTION_PRINT_MAP && action != ACTION_CLEAR && action != ACTION_ZERO &&
	       action != ACTION_TIME && action != ACTION_EXIT;
}

/*
 * As libcommon/kernel/events.c has it: 8 MiB hold what a CPU can send in 50 ms at its worst; all
 * together never more than 32 MiB. Less where no rows are sent, for all of it is mapped, and begin
 * costs what it takes to make it: a text or a stack comes once, what is done with maps is short,
 * and some scripts send nothing but the end. But it may be said in pages, too.
 */
static size_t ring_bytes(const struct compiled *c, size_t nr)
{
	size_t bytes = page_size(), most = 1 << 16;

	for (size_t i = 0; i < c->nr_statements; i++) {
		enum action action = c->statements[i]->action;

		if (is_row(action))
			most = 8 << 20;
		else if (action != ACTION_EXIT && most < 1 << 20)
			most = 1 << 20;
	}
	if (c->interns && most < 1 << 20)
		most = 1 << 20;
	if (!c->config->perf_rb_pages) {
		most = nr <= 4 ? most : most * 4 / nr;
		return most > page_size() ? most : page_size();
	}
	while (bytes / page_size() < c->config->perf_rb_pages && bytes < RING_MAX)
		bytes *= 2;
	return bytes;
}

static int make(struct loaded *l, int *fd, enum bpf_map_type type, const char *name, uint32_t key,
		uint32_t value, uint32_t entries, uint32_t flags)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = flags);
	int made = bpf_map_create(type, name, key, value, entries, &opts);

	if (made < 0)
		return made;
	*fd = made;
	if (type == BPF_MAP_TYPE_RINGBUF)
		l->map_bytes += entries;
	else if (type == BPF_MAP_TYPE_PERCPU_ARRAY)
		l->map_bytes += (uint64_t)value * entries * libbpf_num_possible_cpus();
	else
		l->map_bytes += (uint64_t)(key + value + 48) * entries;
	return 0;
}

static int make_rings(struct loaded *l)
{
	size_t nr = load_maps_rings();
	int err = 0;

	l->ring_bytes = ring_bytes(l->compiled, nr);
	for (l->nr_rings = 0; !err && l->nr_rings < nr; l->nr_rings += !err)
		err = make(l, &l->rings[l->nr_rings], BPF_MAP_TYPE_RINGBUF, "ring", 0, 0,
			   l->ring_bytes, 0);
	return err;
}

static size_t globals_size(const struct compiled *c)
{
	return sizeof(struct rt_globals) + 8 * c->nr_lost;
}

static int make_globals(struct loaded *l)
{
	size_t size = globals_size(l->compiled);
	int err =
		make(l, &l->globals_fd, BPF_MAP_TYPE_ARRAY, "globals", 4, size, 1, BPF_F_MMAPABLE);
	void *map;

	if (err)
		return err;
	map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, l->globals_fd, 0);
	if (map == MAP_FAILED)
		return -errno;
	l->globals = map;
	l->globals->wake_bytes = l->ring_bytes / 4;
	if (getrandom(l->globals->seed, sizeof(l->globals->seed), 0) != sizeof(l->globals->seed))
		return -EIO;
	return 0;
}

void loaded_text_id(const struct loaded *l, const char *text, size_t len, struct rt_id *id)
{
	uint32_t head[4] = { RT_BYTES_TEXT, 0, len, 0 };
	struct rt_hash h;
	uint64_t word;

	rt_hash_begin(&h, l->globals->seed[0], l->globals->seed[1]);
	for (size_t i = 0; i < sizeof(head); i += 8) {
		memcpy(&word, (const char *)head + i, 8);
		rt_hash_word(&h, word);
	}
	for (size_t i = 0; i < len; i += 8) {
		word = 0;
		memcpy(&word, text + i, len - i < 8 ? len - i : 8);
		rt_hash_word(&h, word);
	}
	rt_hash_end(&h, id);
}

/* With the ids of the texts of the script in it, and then no more to be written. */
static int make_rodata(struct loaded *l)
{
	const struct compiled *c = l->compiled;
	uint32_t zero = 0, size = round_up_8(c->rodata_size ? c->rodata_size : 8);
	char *bytes = calloc(1, size);
	int err;

	if (!bytes)
		return -ENOMEM;
	if (c->rodata_size)
		memcpy(bytes, c->rodata, c->rodata_size);
	for (size_t i = 0; i < c->nr_literals; i++) {
		struct rt_id id;

		loaded_text_id(l, c->literals[i].text, c->literals[i].len, &id);
		memcpy(bytes + c->literals[i].offset, &id, sizeof(id));
	}
	err = make(l, &l->rodata_fd, BPF_MAP_TYPE_ARRAY, "rodata", 4, size, 1, BPF_F_RDONLY_PROG);
	if (!err)
		err = bpf_map_update_elem(l->rodata_fd, &zero, bytes, BPF_ANY);
	if (!err)
		err = bpf_map_freeze(l->rodata_fd);
	free(bytes);
	return err;
}

static int make_common(struct loaded *l, uint32_t scratch, uint32_t entries)
{
	int err = make_rings(l);

	if (!err)
		err = make_globals(l);
	if (!err)
		err = make_rodata(l);
	if (!err && scratch)
		err = make(l, &l->scratch_fd, BPF_MAP_TYPE_PERCPU_ARRAY, "scratch", 4, scratch,
			   entries, 0);
	if (!err && l->compiled->interns)
		err = make(l, &l->seen_fd, BPF_MAP_TYPE_LRU_HASH, "seen", sizeof(struct rt_id), 8,
			   SEEN_ENTRIES, 0);
	return err;
}

/* --- those of the script --- */

/*
 * May programs that trace use hashes whose entries are allocated when they come? From 6.1 on
 * (96da3f7d489d). Before, the kernel refuses that to some, and warns of others in its log, so it
 * can't be tried; but maps of this type came with the same version.
 */
static bool may_allocate(void)
{
	static int may = -1;
	int fd;

	if (may >= 0)
		return may;
	fd = bpf_map_create(BPF_MAP_TYPE_USER_RINGBUF, "version", 0, 0, page_size(), NULL);
	may = fd >= 0;
	if (fd >= 0)
		close(fd);
	return may;
}

static enum bpf_map_type type_of(const struct script_map *map)
{
	if (!map->key)
		return map->per_cpu ? BPF_MAP_TYPE_PERCPU_ARRAY : BPF_MAP_TYPE_ARRAY;
	if (map->lru)
		return map->per_cpu ? BPF_MAP_TYPE_LRU_PERCPU_HASH : BPF_MAP_TYPE_LRU_HASH;
	return map->per_cpu ? BPF_MAP_TYPE_PERCPU_HASH : BPF_MAP_TYPE_HASH;
}

const char *load_name(const char *name, char text[16])
{
	size_t n = 0;

	for (; name[n] && n < 15; n++) {
		char c = name[n];
		bool plain =
			(c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

		text[n] = plain ? c : '_';
	}
	text[n] = '\0';
	return text;
}

int load_maps_again(const struct script_map *map)
{
	enum bpf_map_type type = type_of(map);
	bool is_hash = type == BPF_MAP_TYPE_HASH || type == BPF_MAP_TYPE_PERCPU_HASH;
	LIBBPF_OPTS(bpf_map_create_opts, opts,
		    .map_flags = is_hash && may_allocate() ? BPF_F_NO_PREALLOC : 0);
	char name[16];

	return bpf_map_create(type, load_name(map->name, name), key_size(map), load_value_size(map),
			      map->key ? map->entries : 1, &opts);
}

/* Puts the map into an array of maps, in which it can be exchanged. */
static int make_outer(struct loaded *l, const struct script_map *map)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .inner_map_fd = l->maps[map->index]);
	uint32_t zero = 0;
	char name[16];
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, load_name(map->name, name), 4, 4, 1,
				&opts);

	if (fd < 0)
		return fd;
	l->outer[map->index] = fd;
	return bpf_map_update_elem(fd, &zero, &l->maps[map->index], BPF_ANY);
}

static int make_map(struct loaded *l, const struct script_map *map)
{
	uint64_t values = map->per_cpu ? libbpf_num_possible_cpus() : 1;
	int fd = load_maps_again(map);

	if (fd < 0)
		return fd;
	l->maps[map->index] = fd;
	l->map_bytes += (load_value_size(map) * values + key_size(map) + 48) *
			(map->key ? map->entries : 1) * (map->generations ? 2 : 1);
	return map->generations ? make_outer(l, map) : 0;
}

static int refuse_map(const struct loaded *l, const struct script_map *map, int err)
{
	struct source *src = l->compiled->source;

	if (err == -E2BIG || err == -ENOMEM)
		source_error(src, map->at,
			     "the kernel has no memory for @%s: %u entries of %u bytes%s",
			     map->name, map->entries, load_value_size(map) + key_size(map),
			     map->per_cpu ? ", the values on each CPU" : "");
	else if (err == -EPERM)
		advice_load(err, "");
	else
		source_error(src, map->at, "the kernel does not make the map @%s: %s", map->name,
			     strerror(-err));
	return err;
}

int load_maps_open(struct loaded *l, uint32_t scratch, uint32_t entries)
{
	const struct compiled *c = l->compiled;
	int err;

	err = make_common(l, scratch, entries);
	if (err) {
		advice_load(err, "");
		return err;
	}
	for (size_t i = 0; i < c->nr_maps; i++) {
		err = make_map(l, c->maps[i]);
		if (err)
			return refuse_map(l, c->maps[i], err);
	}
	return 0;
}

static void close_one(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void load_maps_close(struct loaded *l)
{
	for (size_t i = 0; l->maps && i < l->compiled->nr_maps; i++)
		close_one(&l->maps[i]);
	for (size_t i = 0; l->outer && i < l->compiled->nr_maps; i++)
		close_one(&l->outer[i]);
	for (size_t i = 0; i < l->nr_rings; i++)
		close_one(&l->rings[i]);
	l->nr_rings = 0;
	if (l->globals)
		munmap(l->globals, globals_size(l->compiled));
	l->globals = NULL;
	close_one(&l->globals_fd);
	close_one(&l->seen_fd);
	close_one(&l->scratch_fd);
	close_one(&l->rodata_fd);
}
