/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/resource.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "clock.h"
#include "cost.h"
#include "msg.h"

#define MANY_RUNS 200000 /* a second: more are not all counted */
#define COUNT_NS  20000000ULL
#define REST_NS	  180000000ULL

static uint64_t own_cpu_ns(uint64_t *peak_bytes)
{
	struct rusage u = { 0 };

	getrusage(RUSAGE_SELF, &u);
	if (peak_bytes)
		*peak_bytes = (uint64_t)u.ru_maxrss * 1024;
	return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000000ULL +
	       (u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1000ULL;
}

int cost_start(struct cost *c)
{
	uint64_t now = clock_mono_ns();

	*c = (struct cost){ .start_ns = now, .start_cpu_ns = own_cpu_ns(NULL), .looked_ns = now };
	c->stats_fd = bpf_enable_stats(BPF_STATS_RUN_TIME);
	c->next_ns = c->stats_fd < 0 ? UINT64_MAX : now + COUNT_NS;
	return c->stats_fd < 0 ? -errno : 0;
}

/* The kernel's counters, which never go back. */
static void read_counters(struct bpf_object *obj, uint64_t *runs, uint64_t *ns)
{
	struct bpf_program *prog;

	*runs = *ns = 0;
	bpf_object__for_each_program (prog, obj) {
		struct bpf_prog_info info = { 0 };
		__u32 len = sizeof(info);
		int fd = bpf_program__fd(prog);

		if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &len)) {
			*runs += info.run_cnt;
			*ns += info.run_time_ns;
		}
	}
}

/* Adds what was counted since the last look. The time before it without counting is taken to have
 * been as the time before that and the time since, half and half. */
static void look(struct cost *c, struct bpf_object *obj, uint64_t now)
{
	double runs_rate = c->runs_rate, ns_rate = c->ns_rate;
	uint64_t runs, ns, span = now - c->looked_ns;

	read_counters(obj, &runs, &ns);
	if (span) {
		c->runs_rate = (double)(runs - c->seen_runs) / (double)span;
		c->ns_rate = (double)(ns - c->seen_ns) / (double)span;
	}
	c->runs += runs - c->seen_runs;
	c->runs += (uint64_t)((runs_rate + c->runs_rate) / 2 * (double)c->unseen_ns);
	c->kernel_ns += ns - c->seen_ns;
	c->kernel_ns += (uint64_t)((ns_rate + c->ns_rate) / 2 * (double)c->unseen_ns);
	c->seen_runs = runs;
	c->seen_ns = ns;
	c->looked_ns = now;
	c->unseen_ns = 0;
}

void cost_tick(struct cost *c, struct bpf_object *obj)
{
	uint64_t now = clock_mono_ns();

	if (c->stats_fd >= 0) {
		look(c, obj, now);
		c->next_ns = now + COUNT_NS;
		if (c->runs_rate * 1e9 < MANY_RUNS)
			return;
		close(c->stats_fd);
		c->stats_fd = -1;
		c->sampled = true;
		c->next_ns = now + REST_NS;
		return;
	}
	read_counters(obj, &c->seen_runs, &c->seen_ns); /* others may have counting on */
	c->stats_fd = bpf_enable_stats(BPF_STATS_RUN_TIME);
	now = clock_mono_ns(); /* turning it on takes the kernel some ms */
	c->unseen_ns += now - c->looked_ns;
	c->looked_ns = now;
	c->next_ns = now + COUNT_NS;
}

void cost_read(struct cost *c, struct bpf_object *obj)
{
	uint64_t now = clock_mono_ns();

	if (c->stats_fd >= 0) {
		look(c, obj, now);
	} else if (c->next_ns != UINT64_MAX) {
		c->runs += (uint64_t)(c->runs_rate * (double)(now - c->looked_ns));
		c->kernel_ns += (uint64_t)(c->ns_rate * (double)(now - c->looked_ns));
		c->looked_ns = now;
	}
	c->tool_ns = own_cpu_ns(&c->peak_bytes) - c->start_cpu_ns;
	c->wall_ns = now - c->start_ns;
}

double cost_percent(const struct cost *c)
{
	return c->wall_ns ? 100.0 * (double)(c->kernel_ns + c->tool_ns) / (double)c->wall_ns : 0;
}

/* 1204331 as "1 204 331" */
static const char *grouped(uint64_t v, char *text, size_t size)
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)v);
	size_t n = 0;

	for (int i = 0; i < len && n + 2 < size; i++) {
		if (i && (len - i) % 3 == 0)
			text[n++] = ' ';
		text[n++] = digits[i];
	}
	text[n] = '\0';
	return text;
}

void cost_note(const struct cost *c, uint64_t events, uint64_t lost)
{
	char runs[32], shown[32], gone[32];

	note("cost: %s%s runs, %llu ns each; %.2f s in the kernel + %.2f s in %s = %.2g %% of one "
	     "CPU; %s events, %s lost; %.1f MB",
	     c->sampled ? "about " : "", grouped(c->runs, runs, sizeof(runs)),
	     (unsigned long long)(c->runs ? c->kernel_ns / c->runs : 0), (double)c->kernel_ns / 1e9,
	     (double)c->tool_ns / 1e9, msg_tool(), cost_percent(c),
	     grouped(events, shown, sizeof(shown)), grouped(lost, gone, sizeof(gone)),
	     (double)c->peak_bytes / 1e6);
}

void cost_json(const struct cost *c, struct json *j)
{
	json_u64(j, "cost_runs", c->runs);
	json_bool(j, "cost_sampled", c->sampled);
	json_u64(j, "cost_kernel_ns", c->kernel_ns);
	json_u64(j, "cost_tool_ns", c->tool_ns);
	json_u64(j, "cost_wall_ns", c->wall_ns);
	json_u64(j, "cost_peak_bytes", c->peak_bytes);
	json_fixed(j, "cost_cpu_percent", (uint64_t)(cost_percent(c) * 100), 2);
}
