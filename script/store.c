/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/msg.h"
#include "base/status.h"
#include "base/util.h"
#include "script.shared.h"
#include "script/hists.h"
#include "script/store.h"

/* What is asked for at a time, if it is one entry at least. */
#define BATCH	    256 /* entries */
#define BATCH_BYTES (4u << 20)

/* A map as the kernel has it. */
struct kernel_map {
	int fd;
	unsigned cpus; /* values of an entry: 1, or one of each CPU */
	size_t key_size, stride, entry_size;
	uint32_t max_entries;
	bool is_array;
};

static void *need(void *memory)
{
	if (memory)
		return memory;
	error("not enough memory for what a map holds");
	exit(STATUS_FAILED);
}

static size_t round_up(size_t size)
{
	return (size + 7) & ~(size_t)7;
}

/* Of a value when it is merged. */
static size_t merged_size(const struct type *type)
{
	if (type->kind == TYPE_HIST || type->kind == TYPE_LHIST)
		return hists_size(type);
	return type->size;
}

/* --- in memory ---------------------------------------------------------------------------- */

void store_begin(struct store *s, const struct script_map *map)
{
	s->map = map;
	s->nr = s->used = 0;
	s->key_size = map->key ? round_up(map->key->size) : 0;
	s->value_size = merged_size(map->value);
}

void store_end(struct store *s)
{
	free(s->entries);
	free(s->bytes);
	*s = (struct store){ 0 };
}

const void *store_key(const struct store *s, size_t i)
{
	return s->bytes + s->entries[i];
}

const void *store_value(const struct store *s, size_t i)
{
	return s->bytes + s->entries[i] + s->key_size;
}

/* Behind the value: which of those with keys that are written alike it is; 0: the first, or
 * only. */
static uint64_t *entry_number(const struct store *s, size_t at)
{
	return (uint64_t *)(s->bytes + at + s->key_size + round_up(s->value_size));
}

/* Room for one more, all zeros; where it is. */
static char *append(struct store *s)
{
	size_t size = s->key_size + round_up(s->value_size) + sizeof(uint64_t);
	char *entry;

	if (s->nr == s->room) {
		s->room = s->room ? s->room * 2 : 64;
		s->entries = need(reallocarray(s->entries, s->room, sizeof(*s->entries)));
	}
	if (s->bytes_room - s->used < size) {
		while (s->bytes_room - s->used < size)
			s->bytes_room = s->bytes_room ? s->bytes_room * 2 : 4096;
		s->bytes = need(realloc(s->bytes, s->bytes_room));
	}
	s->entries[s->nr++] = s->used;
	entry = s->bytes + s->used;
	memset(entry, 0, size);
	s->used += size;
	return entry;
}

static void merge_extreme(struct rt_extreme *to, const struct rt_extreme *from,
			  const struct type *type)
{
	bool less = type->is_signed ? from->value < to->value
				    : (uint64_t)from->value < (uint64_t)to->value;

	if (from->is_set && (!to->is_set || less == (type->kind == TYPE_MIN)))
		*to = *from;
}

static void merge(void *to, const void *from, const struct type *type)
{
	const struct rt_sum *sum = from;
	struct rt_sum *all = to;

	switch (type->kind) {
	case TYPE_COUNT:
		*(uint64_t *)to += *(const uint64_t *)from;
		break;
	case TYPE_SUM:
	case TYPE_AVG:
	case TYPE_STATS:
		all->sum = (int64_t)((uint64_t)all->sum + (uint64_t)sum->sum);
		all->count += sum->count;
		break;
	case TYPE_MIN:
	case TYPE_MAX:
		merge_extreme(to, from, type);
		break;
	case TYPE_HIST:
	case TYPE_LHIST:
		hists_merge(type, to, from);
		break;
	default:
		memcpy(to, from, type->size);
	}
}

void store_add(struct store *s, const void *key, const void *values, size_t stride, unsigned cpus)
{
	char *entry = append(s);

	if (s->map->key)
		memcpy(entry, key, s->map->key->size);
	for (unsigned i = 0; i < cpus; i++)
		merge(entry + s->key_size, (const char *)values + i * stride, s->map->value);
}

/* --- out of the kernel -------------------------------------------------------------------- */

static int look_at(struct kernel_map *k, const struct script_map *map, int fd)
{
	struct bpf_map_info info = { 0 };
	__u32 len = sizeof(info);
	int cpus = libbpf_num_possible_cpus();

	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return -errno;
	*k = (struct kernel_map){
		.fd = fd,
		.cpus = 1,
		.key_size = info.key_size,
		.stride = info.value_size,
		.max_entries = info.max_entries,
		.is_array =
			info.type == BPF_MAP_TYPE_ARRAY || info.type == BPF_MAP_TYPE_PERCPU_ARRAY,
	};
	if (info.type == BPF_MAP_TYPE_PERCPU_ARRAY || info.type == BPF_MAP_TYPE_PERCPU_HASH ||
	    info.type == BPF_MAP_TYPE_LRU_PERCPU_HASH) {
		k->cpus = cpus > 0 ? cpus : 1;
		k->stride = round_up(info.value_size);
	}
	k->entry_size = k->stride * k->cpus;
	if (info.value_size <
		    merged_size(map->value) + (script_map_is_marked(map) ? sizeof(uint64_t) : 0) ||
	    (map->key && info.key_size < map->key->size))
		return -EINVAL;
	return 0;
}

static bool all_zero(const char *bytes, size_t len)
{
	return !len || (!bytes[0] && !memcmp(bytes, bytes + 1, len - 1));
}

/* The entries in turn, also where some are deleted meanwhile: a deleted one makes the kernel begin
 * anew, so there is a bound. */
static int read_each(struct store *s, const struct kernel_map *k)
{
	char *keys = need(calloc(2, k->key_size)), *values = need(malloc(k->entry_size));
	char *key = keys, *last = NULL;
	uint64_t most = 2ull * k->max_entries;

	while (most-- && !bpf_map_get_next_key(k->fd, last, key)) {
		if (!bpf_map_lookup_elem(k->fd, key, values))
			store_add(s, key, values, k->stride, k->cpus);
		last = key;
		key = key == keys ? keys + k->key_size : keys;
	}
	free(keys);
	free(values);
	return 0;
}

static uint32_t first_room(const struct kernel_map *k)
{
	uint64_t room = BATCH_BYTES / (k->key_size + k->entry_size) + 1;

	return min_u64(min_u64(room, BATCH), k->max_entries);
}

/* A part of them at a time, by buckets, so that none is seen twice. -EINVAL: this kernel can't. */
static int read_batches(struct store *s, const struct kernel_map *k)
{
	LIBBPF_OPTS(bpf_map_batch_opts, opts);
	uint32_t room = first_room(k), count;
	uint64_t batch[2] = { 0 };
	char *keys = NULL, *values = NULL;
	bool first = true;
	int err = 0;

	while (!err) {
		keys = need(reallocarray(keys, room, k->key_size));
		values = need(reallocarray(values, room, k->entry_size));
		count = room;
		err = bpf_map_lookup_batch(k->fd, first ? NULL : &batch[0], &batch[1], keys, values,
					   &count, &opts)
			      ? -errno
			      : 0;
		if (err == -ENOSPC && room < k->max_entries) { /* a bucket with more */
			room = room < k->max_entries / 2 ? room * 2 : k->max_entries;
			err = 0;
			continue;
		}
		if (err && err != -ENOENT)
			break;
		for (uint32_t i = 0; i < count; i++)
			store_add(s, keys + i * k->key_size, values + i * k->entry_size, k->stride,
				  k->cpus);
		batch[0] = batch[1];
		first = false;
	}
	free(keys);
	free(values);
	return err == -ENOENT ? 0 : err;
}

/* Of a map without keys: its mark, or an aggregate that has counted something. */
static bool was_assigned(const struct store *s, const char *values, const struct kernel_map *k)
{
	uint64_t mark;

	if (!script_map_is_marked(s->map))
		return !all_zero(store_value(s, 0), s->value_size);
	memcpy(&mark, values + round_up(s->value_size), sizeof(mark));
	return mark;
}

int store_read_one(struct store *s, const struct script_map *map, int fd, const void *key)
{
	struct kernel_map k;
	char *zero, *values;
	int err = look_at(&k, map, fd);

	store_begin(s, map);
	if (err)
		return err;
	zero = need(calloc(1, k.key_size));
	if (map->key)
		memcpy(zero, key, map->key->size);
	values = need(malloc(k.entry_size));
	err = bpf_map_lookup_elem(fd, zero, values) ? -errno : 0;
	if (!err) {
		store_add(s, key, values, k.stride, k.cpus);
		s->assigned = was_assigned(s, values, &k);
	}
	free(values);
	free(zero);
	return err;
}

int store_read(struct store *s, const struct script_map *map, int fd, bool always)
{
	struct kernel_map k;
	int err;

	store_begin(s, map);
	err = look_at(&k, map, fd);
	if (err)
		return err;
	if (!map->key) {
		err = store_read_one(s, map, fd, NULL);
		if (!err && !always && !s->assigned)
			s->nr = 0;
		return err == -ENOENT ? 0 : err;
	}
	err = read_batches(s, &k);
	if (!err)
		return 0;
	store_begin(s, map);
	return read_each(s, &k);
}

/* Calls @fn with each key, and the other map. */
static int each_key(const struct kernel_map *k, int other_fd,
		    int (*fn)(const struct kernel_map *k, void *key, int other_fd))
{
	char *key = need(calloc(1, k->key_size)), *keys = NULL;
	size_t nr = 0, room = 0;
	int err = 0;

	while (nr < 2ull * k->max_entries &&
	       !bpf_map_get_next_key(k->fd, nr ? keys + (nr - 1) * k->key_size : NULL, key)) {
		if (nr == room) {
			room = room ? room * 2 : 64;
			keys = need(reallocarray(keys, room, k->key_size));
		}
		memcpy(keys + nr++ * k->key_size, key, k->key_size);
	}
	for (size_t i = 0; i < nr && !err; i++)
		err = fn(k, keys + i * k->key_size, other_fd);
	free(keys);
	free(key);
	return err;
}

static int put_zero(const struct kernel_map *k, int fd, void *key, uint64_t how)
{
	char *zero = need(calloc(1, k->entry_size));
	int err = bpf_map_update_elem(fd, key, zero, how) ? -errno : 0;

	free(zero);
	return err;
}

static int zero_entry(const struct kernel_map *k, void *key, int other_fd)
{
	int err = put_zero(k, k->fd, key, BPF_EXIST);

	return err == -ENOENT ? 0 : err;
}

static int keep_entry(const struct kernel_map *k, void *key, int other_fd)
{
	int err = put_zero(k, other_fd, key, BPF_NOEXIST);

	return err == -EEXIST || err == -E2BIG ? 0 : err;
}

static int delete_entry(const struct kernel_map *k, void *key, int other_fd)
{
	int err = bpf_map_delete_elem(k->fd, key) ? -errno : 0;

	return err == -ENOENT ? 0 : err;
}

int store_clear(const struct script_map *map, int fd)
{
	struct kernel_map k;
	int err = look_at(&k, map, fd);

	return err ? err : each_key(&k, -1, k.is_array ? zero_entry : delete_entry);
}

/* The mark of what was assigned stays. */
static int zero_marked(const struct kernel_map *k)
{
	size_t mark = k->stride - sizeof(uint64_t);
	char *value = need(malloc(k->entry_size));
	uint32_t key = 0;
	int err = bpf_map_lookup_elem(k->fd, &key, value);

	memset(value, 0, mark);
	if (!err)
		err = bpf_map_update_elem(k->fd, &key, value, BPF_EXIST);
	free(value);
	return err ? -errno : 0;
}

int store_zero(const struct script_map *map, int fd)
{
	struct kernel_map k;
	int err = look_at(&k, map, fd);

	if (err || script_map_is_marked(map))
		return err ? err : zero_marked(&k);
	return each_key(&k, -1, zero_entry);
}

int store_keep_keys(const struct script_map *map, int from_fd, int to_fd)
{
	struct kernel_map k;
	int err = look_at(&k, map, from_fd);

	return err || k.is_array ? err : each_key(&k, to_fd, keep_entry);
}

/* --- order -------------------------------------------------------------------------------- */

struct order {
	const struct store *s;
	const struct values *v;
	bool by_value;
};

static int compare(const void *a, const void *b, void *ctx)
{
	const struct order *o = ctx;
	const size_t *x = a, *y = b;
	const struct store *s = o->s;
	int order = 0;

	if (o->by_value)
		order = value_compare(o->v, s->map->value, s->bytes + *x + s->key_size,
				      s->bytes + *y + s->key_size);
	if (!order && s->map->key)
		order = value_compare(o->v, s->map->key, s->bytes + *x, s->bytes + *y);
	return order;
}

void store_sort(struct store *s, const struct values *v)
{
	struct order o = { s, v,
			   type_is_integer(s->map->value) || type_is_aggregate(s->map->value) };

	qsort_r(s->entries, s->nr, sizeof(*s->entries), compare, &o);
}

/* --- keys that are written alike ---------------------------------------------------------- */

struct alike {
	struct text key; /* as JSON has it */
	size_t entry;
};

static bool is_number(const struct type *type)
{
	return type->kind == TYPE_INT || type->kind == TYPE_BOOL || type->kind == TYPE_ENUM ||
	       type->kind == TYPE_POINTER;
}

/* Are different keys always written differently? */
static bool is_distinct(const struct type *key)
{
	bool numbers = key->kind == TYPE_TUPLE;

	for (size_t i = 0; numbers && i < key->nr_fields; i++)
		numbers = is_number(key->fields[i].type);
	return numbers || is_number(key);
}

static int alike_order(const void *a, const void *b)
{
	const struct alike *x = a, *y = b;
	int order = memcmp(x->key.bytes, y->key.bytes, min_u64(x->key.len, y->key.len));

	return order ? order : (x->key.len > y->key.len) - (x->key.len < y->key.len);
}

static int alike_and_place(const void *a, const void *b)
{
	const struct alike *x = a, *y = b;
	int order = alike_order(a, b);

	return order ? order : (x->entry > y->entry) - (x->entry < y->entry);
}

/* "key (2)" of "key" */
static void put_number(struct text *key, uint64_t number)
{
	if (!number)
		return;
	key->len--;
	text_printf(key, " (%llu)\"", (unsigned long long)number);
}

/* The least number behind @number with which the key is none that there is. */
static uint64_t next_number(const struct alike *all, size_t nr, const struct alike *one,
			    uint64_t number)
{
	struct alike numbered = { 0 };
	bool is_there = true;

	for (number = number ? number : 1; is_there;) {
		numbered.key.len = 0;
		text_mem(&numbered.key, one->key.bytes, one->key.len);
		put_number(&numbered.key, ++number);
		is_there = bsearch(&numbered, all, nr, sizeof(*all), alike_order);
	}
	text_free(&numbered.key);
	return number;
}

/* Adds up what can be, and numbers what can't. */
static void join_alike(struct store *s, const struct alike *all)
{
	const struct alike *first = all;
	const size_t nr = s->nr;
	uint64_t number = 0;

	s->nr = 0;
	for (size_t i = 0; i < nr; i++) {
		if (alike_order(first, &all[i])) {
			first = &all[i];
			number = 0;
		} else if (i && type_is_aggregate(s->map->value)) {
			merge(s->bytes + first->entry + s->key_size,
			      s->bytes + all[i].entry + s->key_size, s->map->value);
			continue;
		} else if (i) {
			number = next_number(all, nr, first, number);
		}
		*entry_number(s, all[i].entry) = number;
		s->entries[s->nr++] = all[i].entry;
	}
}

void store_distinguish(struct store *s, const struct values *v)
{
	size_t nr = s->nr;
	struct alike *all;

	if (nr < 2 || !s->map->key || is_distinct(s->map->key))
		return;
	all = need(calloc(nr, sizeof(*all)));
	for (size_t i = 0; i < nr; i++) {
		struct value key = value_at(s->map->key, store_key(s, i));

		value_key_json(v, &all[i].key, &key);
		all[i].entry = s->entries[i];
	}
	qsort(all, nr, sizeof(*all), alike_and_place);
	join_alike(s, all);
	for (size_t i = 0; i < nr; i++)
		text_free(&all[i].key);
	free(all);
}

/* --- shown -------------------------------------------------------------------------------- */

static bool is_hist(const struct store *s)
{
	return s->map->value->kind == TYPE_HIST || s->map->value->kind == TYPE_LHIST;
}

/* "5\n", or the rows of a histogram and an empty line behind them. */
static void value_lines(const struct store *s, const struct values *v, struct text *to,
			const void *data, uint64_t div)
{
	struct value value = value_at(s->map->value, data);

	value_text(v, to, &value, div);
	if (s->map->value->kind == TYPE_HIST && !v->compat && hists_total(value.type, data)) {
		hists_percentiles_text(to, value.type, data);
		text_char(to, '\n');
	}
	text_char(to, '\n');
}

/* What stands for a value that is not there. */
static void *zero_value(const struct store *s)
{
	return need(calloc(1, round_up(s->value_size)));
}

static size_t first_shown(const struct store *s, size_t top)
{
	return top && s->nr > top ? s->nr - top : 0;
}

void store_text(const struct store *s, const struct values *v, struct text *to, size_t top,
		uint64_t div, bool zeros)
{
	void *zero = !s->nr && zeros && !s->map->key && !is_hist(s) ? zero_value(s) : NULL;

	if (zero) {
		text_printf(to, "@%s: ", s->map->name);
		value_lines(s, v, to, zero, div);
		free(zero);
	}
	for (size_t i = first_shown(s, top); i < s->nr; i++) {
		text_printf(to, "@%s", s->map->name);
		if (s->map->key) {
			struct value key = value_at(s->map->key, store_key(s, i));

			text_char(to, '[');
			value_key_text(v, to, &key);
			text_char(to, ']');
		}
		text_str(to, is_hist(s) ? ":\n" : ": ");
		value_lines(s, v, to, store_value(s, i), div);
	}
}

static const char *json_type(const struct store *s)
{
	switch (s->map->value->kind) {
	case TYPE_HIST:
	case TYPE_LHIST:
		return "hist";
	case TYPE_AVG:
	case TYPE_STATS:
		return "stats";
	default:
		return "map";
	}
}

static void one_json(const struct store *s, const struct values *v, struct text *to,
		     const void *data, uint64_t div, bool percentiles)
{
	struct value value = value_at(s->map->value, data);

	if (!percentiles)
		value_json(v, to, &value, div);
	else if (hists_total(value.type, data))
		hists_percentiles_json(to, value.type, data);
	else
		text_str(to, "null");
}

/* {"@x": 5} or {"@x": {"key": 5}} */
static void object_json(const struct store *s, const struct values *v, struct text *to, size_t top,
			uint64_t div, bool percentiles)
{
	size_t first = first_shown(s, top);
	void *zero;

	text_printf(to, "{\"@%s\": ", s->map->name);
	if (!s->nr) {
		zero = zero_value(s);
		one_json(s, v, to, zero, div, percentiles);
		free(zero);
	} else if (!s->map->key) {
		one_json(s, v, to, store_value(s, 0), div, percentiles);
	}
	for (size_t i = first; s->map->key && i < s->nr; i++) {
		struct value key = value_at(s->map->key, store_key(s, i));

		text_str(to, i == first ? "{" : ", ");
		value_key_json(v, to, &key);
		put_number(to, *entry_number(s, s->entries[i]));
		text_str(to, ": ");
		one_json(s, v, to, store_value(s, i), div, percentiles);
	}
	text_str(to, s->map->key ? "}}" : "}");
}

void store_json(const struct store *s, const struct values *v, struct text *to, size_t top,
		uint64_t div, bool zeros)
{
	if (!s->nr && (!zeros || s->map->key || is_hist(s)))
		return;
	text_printf(to, "{\"type\": \"%s\", \"data\": ", json_type(s));
	object_json(s, v, to, top, div, false);
	if (s->map->value->kind == TYPE_HIST && !v->compat) {
		text_str(to, ", \"percentiles\": ");
		object_json(s, v, to, top, div, true);
	}
	text_str(to, "}\n");
}
