/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <stdlib.h>
#include <string.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/clock.h"
#include "base/util.h"
#include "hist/hist_maps.h"

static uint64_t interval_ns, count;
const struct opt hist_maps_positional[] = {
	OPT(0, "interval", .arg = "SEC", .sec = &interval_ns,
	    .help = "seconds between reports (default: one at the end)"),
	OPT(0, "count", .arg = "N", .uint = &count, .min = 1, .help = "how many reports"),
	{ 0 },
};

void hist_maps_setup(struct run *r)
{
	r->plan.interval_ns = interval_ns;
	r->plan.count = count;
}

struct one {
	struct hist_key key;
	struct hist hist;
};

void hist_maps_configure(const struct hist_maps *hs, struct run *r)
{
	struct hist_config *config =
		object_section(&r->object, ".rodata.hist", "lib/hist/hist.bpf.h");

	config->keyed = hs->keyed;
	if (!hs->keyed)
		return;
	object_resize_map(&r->object, "hist_keyed", 2 * hs->max_keys);
	object_resize_map(&r->object, "hist_extremes", 2 * hs->max_keys);
}

void hist_maps_started(const struct run *r, const char *what)
{
	bool ends = r->plan.interval_ns || r->opt.duration_ns;

	note("tracing %s%s", what, ends ? "" : ": Ctrl-C ends it and shows the histogram");
}

static int map_fd(struct run *r, const char *name)
{
	return programs_map(&r->object.programs, name);
}

/* Has the programs fill the other histograms from now on. Returns the old epoch, to whose
 * histograms nothing writes any more then. */
static uint32_t flip(struct run *r)
{
	static uint32_t epoch;

	return programs_flip(&r->object.programs, ".data.hist", &epoch, map_fd(r, "hist_all"));
}

static struct one *read_all(struct run *r, uint32_t epoch, size_t *nr)
{
	int cpus = libbpf_num_possible_cpus(), fd = map_fd(r, "hist_all");
	struct hist *parts = cpus > 0 ? calloc(cpus, sizeof(*parts)) : NULL;
	struct one *one = calloc(1, sizeof(*one));

	*nr = 0;
	if (parts && one && !bpf_map_lookup_elem(fd, &epoch, parts)) {
		for (int i = 0; i < cpus; i++)
			hist_merge(&one->hist, &parts[i]);
		*nr = 1;
		memset(parts, 0, cpus * sizeof(*parts));
		bpf_map_update_elem(fd, &epoch, parts, BPF_ANY);
	}
	free(parts);
	return one;
}

/* Each CPU has kept the extremes that it has seen itself. */
static void add_extremes(struct one *one, int fd, struct hist_extremes *parts, int cpus)
{
	if (bpf_map_lookup_elem(fd, &one->key, parts))
		return;
	for (int i = 0; i < cpus; i++)
		hist_widen(&one->hist.extremes, parts[i].max, parts[i].not_min);
	bpf_map_delete_elem(fd, &one->key);
}

static int by_count(const void *a, const void *b)
{
	uint64_t x = hist_count(&((const struct one *)a)->hist);
	uint64_t y = hist_count(&((const struct one *)b)->hist);

	return x < y ? -1 : x > y;
}

static struct one *read_keyed(struct run *r, uint32_t epoch, uint32_t max_keys, size_t *nr)
{
	int fd = map_fd(r, "hist_keyed"), extremes = map_fd(r, "hist_extremes");
	int cpus = libbpf_num_possible_cpus();
	struct hist_extremes *parts = cpus > 0 ? calloc(cpus, sizeof(*parts)) : NULL;
	size_t most = 2 * (size_t)max_keys; /* one epoch may have taken the other's places, too */
	struct one *all = calloc(most + 1, sizeof(*all));
	struct hist_key key, *prev = NULL;

	*nr = 0;
	while (all && *nr < most && !bpf_map_get_next_key(fd, prev, &key)) {
		prev = &all[*nr].key; /* a scratch place until the next one is taken */
		*prev = key;
		if (key.epoch != epoch || bpf_map_lookup_elem(fd, &key, &all[*nr].hist))
			continue;
		(*nr)++;
	}
	for (size_t i = 0; i < *nr; i++) {
		if (parts)
			add_extremes(&all[i], extremes, parts, cpus);
		bpf_map_delete_elem(fd, &all[i].key);
	}
	free(parts);
	if (*nr)
		qsort(all, *nr, sizeof(*all), by_count);
	return all;
}

static void print(const struct hist_maps *hs, struct run *r, const struct one *one, uint64_t now,
		  uint64_t span_ns)
{
	if (r->opt.json) {
		json_object(&r->json, NULL);
		json_time(&r->json, "time", now);
		json_u64(&r->json, "interval_ns", span_ns);
		if (hs->keyed)
			hs->members(&r->json, &one->key, one->hist.name);
		hist_json(&r->json, &one->hist);
		json_end_object(&r->json);
		return;
	}
	if (!hist_count(&one->hist))
		return;
	if (hs->keyed) {
		hs->title(&r->out, &one->key, one->hist.name);
		out_char(&r->out, '\n');
	}
	hist_print(&r->out, &one->hist, hs->unit_ns,
		   hs->unit_ns == NSEC_PER_USEC ? "usecs" : "msecs", hs->total);
	out_char(&r->out, '\n');
}

void hist_maps_report(const struct hist_maps *hs, struct run *r)
{
	uint64_t lost = programs_percpu_sum(&r->object.programs, "hist_lost", 0);
	static uint64_t lost_before;
	uint32_t epoch = flip(r);
	uint64_t mono = clock_mono_ns(), now = clock_real_ns(mono);
	uint64_t span_ns = run_interval(r, mono);
	struct one *all;
	size_t nr;

	all = hs->keyed ? read_keyed(r, epoch, hs->max_keys, &nr) : read_all(r, epoch, &nr);
	run_report_clock(r, now, hs->clock);
	for (size_t i = 0; i < nr; i++) {
		run_count(r, hist_count(&all[i].hist));
		print(hs, r, &all[i], now, span_ns);
	}
	free(all);
	run_lost(r, lost - lost_before);
	lost_before = lost;
}

void hist_maps_finish(const struct run *r, const char *what)
{
	if (!r->opt.json && !r->nr_events && !r->lost && !r->out.error)
		note("no %s were counted", what);
}
