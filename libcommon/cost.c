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
	*c = (struct cost){ .start_ns = clock_mono_ns(), .start_cpu_ns = own_cpu_ns(NULL) };
	c->stats_fd = bpf_enable_stats(BPF_STATS_RUN_TIME);
	return c->stats_fd < 0 ? -errno : 0;
}

void cost_read(struct cost *c, struct bpf_object *obj)
{
	struct bpf_program *prog;

	c->runs = c->kernel_ns = 0;
	bpf_object__for_each_program (prog, obj) {
		struct bpf_prog_info info = { 0 };
		__u32 len = sizeof(info);
		int fd = bpf_program__fd(prog);

		if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &len)) {
			c->runs += info.run_cnt;
			c->kernel_ns += info.run_time_ns;
		}
	}
	c->tool_ns = own_cpu_ns(&c->peak_bytes) - c->start_cpu_ns;
	c->wall_ns = clock_mono_ns() - c->start_ns;
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

	note("cost: %s runs, %llu ns each; %.2f s in the kernel + %.2f s in %s = %.2g %% of one "
	     "CPU; %s events, %s lost; %.1f MB",
	     grouped(c->runs, runs, sizeof(runs)),
	     (unsigned long long)(c->runs ? c->kernel_ns / c->runs : 0), (double)c->kernel_ns / 1e9,
	     (double)c->tool_ns / 1e9, msg_tool(), cost_percent(c),
	     grouped(events, shown, sizeof(shown)), grouped(lost, gone, sizeof(gone)),
	     (double)c->peak_bytes / 1e6);
}

void cost_json(const struct cost *c, struct json *j)
{
	json_u64(j, "cost_runs", c->runs);
	json_u64(j, "cost_kernel_ns", c->kernel_ns);
	json_u64(j, "cost_tool_ns", c->tool_ns);
	json_u64(j, "cost_wall_ns", c->wall_ns);
	json_u64(j, "cost_peak_bytes", c->peak_bytes);
	json_fixed(j, "cost_cpu_percent", (uint64_t)(cost_percent(c) * 100), 2);
}
