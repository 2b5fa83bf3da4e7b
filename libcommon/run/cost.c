/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>
#include <sys/resource.h>
#include <bpf/bpf.h>

#include "base/clock.h"
#include "base/util.h"
#include "base/worker.h"
#include "run/cost.h"

static uint64_t own_cpu_ns(uint64_t *peak_bytes)
{
	struct rusage u = { 0 };

	getrusage(RUSAGE_SELF, &u);
	if (peak_bytes)
		*peak_bytes = (uint64_t)u.ru_maxrss * 1024 + workers_peak_bytes();
	return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * NSEC_PER_SEC +
	       (u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1000ULL + workers_cpu_ns();
}

/* The kernel's counters. An iterator runs while the tool reads from it. */
static struct duty_cycle_counts read_counters(const struct programs *p)
{
	struct duty_cycle_counts all = { 0 };

	for (size_t i = 0; i < p->nr_programs; i++) {
		bool own = p->programs[i].iterates;
		struct bpf_prog_info info = { 0 };
		__u32 len = sizeof(info);

		if (bpf_obj_get_info_by_fd(p->programs[i].fd, &info, &len))
			continue;
		*(own ? &all.own_runs : &all.runs) += info.run_cnt;
		*(own ? &all.own_ns : &all.ns) += info.run_time_ns;
	}
	return all;
}

int cost_start(struct cost *c, const struct programs *programs)
{
	int err;

	*c = (struct cost){ .next_ns = UINT64_MAX, .programs = programs };
	c->stats_fd = bpf_enable_stats(BPF_STATS_RUN_TIME);
	err = c->stats_fd < 0 ? -errno : 0;
	c->known = !err;
	c->start_cpu_ns = own_cpu_ns(NULL);
	c->start_ns = clock_mono_ns();
	if (c->known) {
		/* not from 0: others may have counting on */
		struct duty_cycle_counts at = read_counters(c->programs);

		duty_cycle_begin(&c->duty, c->start_ns, &at);
		c->next_ns = c->duty.next_ns;
	}
	return err;
}

void cost_tick(struct cost *c)
{
	struct duty_cycle_counts at;

	if (c->duty.counting) {
		at = read_counters(c->programs);
		if (duty_cycle_rest(&c->duty, clock_mono_ns(), &at)) {
			close(c->stats_fd);
			c->stats_fd = -1;
		}
	} else {
		c->stats_fd = bpf_enable_stats(BPF_STATS_RUN_TIME);
		at = read_counters(c->programs); /* now: it took the kernel some ms */
		if (c->stats_fd < 0)
			duty_cycle_rest_on(&c->duty, clock_mono_ns());
		else
			duty_cycle_resume(&c->duty, clock_mono_ns(), &at);
	}
	c->next_ns = c->duty.next_ns;
}

void cost_read(struct cost *c)
{
	struct duty_cycle_counts at = { 0 };
	uint64_t spent = own_cpu_ns(&c->peak_bytes) - c->start_cpu_ns;

	if (c->duty.counting)
		at = read_counters(c->programs);
	if (c->next_ns != UINT64_MAX)
		duty_cycle_read(&c->duty, clock_mono_ns(), &at);
	c->sampled = c->duty.sampled;
	c->runs = c->duty.total.runs + c->duty.total.own_runs;
	c->kernel_ns = c->duty.total.ns + c->duty.total.own_ns;
	c->tool_ns = spent > c->duty.total.own_ns ? spent - c->duty.total.own_ns : 0;
	c->wall_ns = clock_mono_ns() - c->start_ns;
}

void cost_stop(struct cost *c)
{
	if (c->duty.counting) {
		cost_read(c);
		close(c->stats_fd);
		c->stats_fd = -1;
		c->duty.counting = false;
	}
	c->next_ns = UINT64_MAX;
}

/* Of one CPU, over all the time since cost_start(). */
static double percent_of_cpu(const struct cost *c)
{
	return c->wall_ns ? 100.0 * (double)(c->kernel_ns + c->tool_ns) / (double)c->wall_ns : 0;
}

const char *cost_number(double v, char *text)
{
	int decimals = v >= 9.95 || v <= 0 ? 0 : 1;

	for (double rest = v; decimals && decimals < 6 && rest < 0.995; rest *= 10)
		decimals++;
	snprintf(text, COST_NUMBER_LEN, "%.*f", decimals, v);
	return text;
}

/* 1204331 as "1 204 331" */
static const char *grouped(uint64_t v, char *text)
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)v);
	size_t n = 0;

	for (int i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			text[n++] = ' ';
		text[n++] = digits[i];
	}
	text[n] = '\0';
	return text;
}

static const char *seconds(uint64_t ns, char *text)
{
	return cost_number((double)ns / 1e9, text);
}

const char *cost_text(const struct cost *c, const char *tool, uint64_t events, uint64_t lost,
		      char *text, size_t size)
{
	char runs[COST_NUMBER_LEN], kernel[COST_NUMBER_LEN], own[COST_NUMBER_LEN];
	char percent[COST_NUMBER_LEN], shown[COST_NUMBER_LEN], gone[COST_NUMBER_LEN];
	int len;

	seconds(c->tool_ns, own);
	cost_number(percent_of_cpu(c), percent);
	if (c->known)
		len = snprintf(text, size,
			       "%s%s runs, %llu ns each; %s s in the kernel + %s s in %s = %s %% "
			       "of one CPU",
			       c->sampled ? "about " : "", grouped(c->runs, runs),
			       (unsigned long long)(c->runs ? c->kernel_ns / c->runs : 0),
			       seconds(c->kernel_ns, kernel), own, tool, percent);
	else
		len = snprintf(text, size,
			       "? runs; ? s in the kernel + %s s in %s = at least %s %% "
			       "of one CPU",
			       own, tool, percent);
	if ((size_t)len < size)
		snprintf(text + len, size - len, "; %s events, %s lost; %.1f MB",
			 grouped(events, shown), grouped(lost, gone), (double)c->peak_bytes / 1e6);
	return text;
}

void cost_json(const struct cost *c, struct json *j)
{
	if (c->known) {
		json_u64(j, "cost_runs", c->runs);
		json_bool(j, "cost_sampled", c->sampled);
		json_u64(j, "cost_kernel_ns", c->kernel_ns);
	} else {
		json_null(j, "cost_runs");
		json_null(j, "cost_sampled");
		json_null(j, "cost_kernel_ns");
	}
	json_u64(j, "cost_tool_ns", c->tool_ns);
	json_u64(j, "cost_wall_ns", c->wall_ns);
	json_u64(j, "cost_peak_bytes", c->peak_bytes);
	if (c->known)
		json_fixed(j, "cost_cpu_percent", (uint64_t)(percent_of_cpu(c) * 100), 2);
	else
		json_null(j, "cost_cpu_percent");
}
