/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <sched.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <linux/netlink.h>
#include <linux/perf_event.h>
#include <bpf/libbpf.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/msg.h"
#include "base/number.h"
#include "base/status.h"
#include "base/util.h"
#include "kernel/mapped.h"
#include "kernel/perf.h"

#define ONLINE	   "/sys/devices/system/cpu/online"
#define MAX_RATE   "/proc/sys/kernel/perf_event_max_sample_rate"
#define LIST_BYTES 65536 /* of the list of CPUs: 8192 of them, every other one, are 44 KiB */
#define SPARE_FDS  128
#define TRIED_MAX  1024 /* CPUs that are asked whether they count cycles */

/* How long the CPU's cycles are counted to learn its frequency, and how often: the best counts. */
#define PACE_NS	   NSEC_PER_MSEC
#define PACE_TRIES 3

struct cpu {
	int fd;		 /* -1: not sampled */
	int listener_fd; /* an event that only tells what is mapped, or -1 */
	struct mapped_ring *mapped;
	uint64_t since_ns;
	uint64_t counted, ended_ns; /* by the event, and when it ended */
};

struct perf_sampling {
	struct perf_sampling_config config;
	int prog_fd, uevents;
	int nr_cpus; /* possible */
	struct cpu *cpus;
	bool *online;
	unsigned int sampled, sampled_last; /* CPUs now, and before the end */
	uint64_t cpu_ns;
	uint64_t enabled_ns, running_ns; /* of the events: while they had a counter */
};

/* What an event gives when it is read. */
struct reading {
	uint64_t value, enabled_ns, running_ns;
};

/* A counter of a CPU, or of this thread (@pid 0, @cpu -1). With a @period it samples;
 * @mapped: it tells of what is mapped there, too.
 *
 * Never with a frequency (attr.freq): for cycles the kernel then begins with a period of one, an
 * interrupt storm until it has found the right one. Where an interrupt of the counter is slow (a
 * virtual machine's: 30 us to 1.5 ms) it does not find it for seconds, and the CPU stands still. */
static int event_open(enum perf_source source, int pid, int cpu, uint64_t period, bool mapped)
{
	const bool cycles = source == PERF_CYCLES;
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = cycles ? PERF_TYPE_HARDWARE : PERF_TYPE_SOFTWARE,
		.config = cycles ? PERF_COUNT_HW_CPU_CYCLES : PERF_COUNT_SW_CPU_CLOCK,
		.sample_period = period,
		.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING,
	};

	if (mapped)
		mapped_ask(&attr);
	return syscall(SYS_perf_event_open, &attr, pid, cpu, -1, PERF_FLAG_FD_CLOEXEC);
}

/* Cycles a second of the CPU that this runs on, busy as now. 0: they can't be counted. */
static uint64_t cycles_hz(void)
{
	int fd = event_open(PERF_CYCLES, 0, -1, 0, false);
	double best = 0;

	for (int i = 0; i < PACE_TRIES && fd >= 0; i++) {
		struct reading from, to;
		uint64_t until = clock_mono_ns() + PACE_NS;

		if (read(fd, &from, sizeof(from)) != sizeof(from))
			break;
		while (clock_mono_ns() < until)
			;
		if (read(fd, &to, sizeof(to)) != sizeof(to) || to.running_ns <= from.running_ns)
			break;
		double hz = (double)(to.value - from.value) * 1e9 /
			    (double)(to.running_ns - from.running_ns);
		best = hz > best ? hz : best;
	}
	if (fd >= 0)
		close(fd);
	return (uint64_t)best;
}

/* --- which CPUs --------------------------------------------------------------------------- */

/* "0-3,8" */
bool perf_cpus_online(bool *online, int nr)
{
	char *text = malloc(LIST_BYTES), *at = text;
	int fd = open(ONLINE, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 || !text ? -1 : read(fd, text, LIST_BYTES - 1);

	if (fd >= 0)
		close(fd);
	memset(online, 0, nr * sizeof(*online));
	text = n > 0 ? text : (free(text), NULL);
	if (!text)
		return false;
	text[n] = '\0';
	while (*at >= '0' && *at <= '9') {
		long from = strtol(at, &at, 10), to = *at == '-' ? strtol(at + 1, &at, 10) : from;

		for (long cpu = from; cpu >= 0 && cpu <= to && cpu < nr; cpu++)
			online[cpu] = true;
		at += *at == ',';
	}
	free(text);
	return true;
}

/* Where the kernel tells of CPUs that come and go. -1: it won't; then the list alone must do. */
static int uevents_open(void)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
			NETLINK_KOBJECT_UEVENT);

	if (fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address))) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* --- start and stop ----------------------------------------------------------------------- */

/* Whether every CPU that is online has a counter of cycles: on a machine with two kinds of cores
 * one kind may say no. */
static bool cycles_everywhere(void)
{
	bool online[TRIED_MAX];
	int fd = -1, nr = libbpf_num_possible_cpus();

	nr = nr < TRIED_MAX ? nr : TRIED_MAX;
	if (nr <= 0 || !perf_cpus_online(online, nr))
		return false;
	for (int cpu = 0; cpu < nr; cpu++) {
		if (!online[cpu])
			continue;
		fd = event_open(PERF_CYCLES, -1, cpu, 0, false);
		if (fd < 0)
			return false;
		close(fd);
	}
	return fd >= 0;
}

static void drain(struct perf_sampling *p, struct cpu *c)
{
	if (c->mapped)
		mapped_ring_drain(c->mapped, p->config.mapped, p->config.mapped_arg);
}

static void stop_listening(struct perf_sampling *p, struct cpu *c)
{
	drain(p, c);
	mapped_ring_free(c->mapped);
	c->mapped = NULL;
	if (c->listener_fd >= 0)
		close(c->listener_fd);
	c->listener_fd = -1;
}

/* On a CPU that is not sampled: a process that is may map something there. */
static void listen_to(struct perf_sampling *p, int cpu)
{
	struct perf_event_attr attr = { .size = sizeof(attr),
					.type = PERF_TYPE_SOFTWARE,
					.config = PERF_COUNT_SW_DUMMY };
	struct cpu *c = &p->cpus[cpu];

	if (!p->config.mapped || c->listener_fd >= 0)
		return;
	mapped_ask(&attr);
	c->listener_fd = syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
	if (c->listener_fd >= 0)
		c->mapped = mapped_ring_new(c->listener_fd);
}

static void cpu_stop(struct perf_sampling *p, struct cpu *c)
{
	struct reading count;

	if (c->fd < 0) {
		stop_listening(p, c);
		return;
	}
	ioctl(c->fd, PERF_EVENT_IOC_DISABLE, 0);
	if (read(c->fd, &count, sizeof(count)) == sizeof(count)) {
		p->enabled_ns += count.enabled_ns;
		p->running_ns += count.running_ns;
		c->counted = count.value;
		c->ended_ns = clock_mono_ns();
	}
	stop_listening(p, c);
	close(c->fd);
	c->fd = -1;
	p->cpu_ns += clock_mono_ns() - c->since_ns;
	p->sampled--;
}

static int cpu_start(struct perf_sampling *p, int cpu)
{
	struct cpu *c = &p->cpus[cpu];
	int err;

	c->fd = event_open(p->config.source, -1, cpu, p->config.period, p->config.mapped);
	if (c->fd < 0)
		return -errno;
	c->since_ns = clock_mono_ns();
	err = p->config.period ? 0 : -EOPNOTSUPP; /* cycles that don't count */
	if (!err && !ioctl(c->fd, PERF_EVENT_IOC_SET_BPF, p->prog_fd)) {
		c->mapped = p->config.mapped ? mapped_ring_new(c->fd) : NULL;
		if (p->config.mapped && !c->mapped)
			debug("CPU %d: no ring for what is mapped: %s", cpu, strerror(errno));
		p->sampled++;
		return 0;
	}
	err = err ? err : -errno;
	close(c->fd);
	c->fd = -1;
	return err;
}

static bool wanted(const struct perf_sampling *p, int cpu)
{
	return p->online[cpu] && (p->config.only_cpu < 0 || p->config.only_cpu == cpu);
}

static void advise(const struct perf_sampling *p, int cpu, int err)
{
	if (err == -EACCES || err == -EPERM)
		error("the kernel does not let us sample CPU %d (%s): it takes root, or "
		      "CAP_PERFMON "
		      "and a kernel.perf_event_paranoid that grants it",
		      cpu, strerror(-err));
	else if (err == -EMFILE)
		error("cannot sample CPU %d: too many open files; raise ulimit -n", cpu);
	else
		error("cannot sample CPU %d by %s: %s", cpu,
		      p->config.source == PERF_CYCLES ? "hardware cycles" : "the CPU clock",
		      strerror(-err));
}

static uint64_t period_min(enum perf_source source)
{
	return source == PERF_CYCLES ? PERF_PERIOD_MIN_CYCLES : PERF_PERIOD_MIN_CLOCK;
}

/* The kernel's own bound, in samples a second: it lowers it where its interrupts take long, and
 * refuses more only to those who leave the period to it. 0: not known. */
static uint64_t kernel_max_rate(void)
{
	uint64_t max = 0;

	number_read(MAX_RATE, 1, &max);
	return max;
}

/* Whether it asks for more samples than is good; said. */
static bool too_often(const struct perf_sampling_config *config)
{
	const uint64_t max = kernel_max_rate();

	if (config->frequency && max && config->frequency > max)
		error("%llu Hz: this kernel takes at most %llu (sysctl "
		      "kernel.perf_event_max_sample_rate)",
		      (unsigned long long)config->frequency, (unsigned long long)max);
	else if (config->frequency > PERF_RATE_MAX)
		error("%llu Hz is too much: at most %d", (unsigned long long)config->frequency,
		      PERF_RATE_MAX);
	else if (!config->frequency && config->period < period_min(config->source))
		error("a sample every %llu %s is too much: at least %llu",
		      (unsigned long long)config->period,
		      config->source == PERF_CYCLES ? "cycles" : "ns",
		      (unsigned long long)period_min(config->source));
	else
		return false;
	return true;
}

static int say_offline(int cpu)
{
	error("CPU %d is not online: " ONLINE " lists those that are", cpu);
	return STATUS_USAGE;
}

/* True as well where the list can't be read: then starting tells. */
static bool is_online(int cpu)
{
	bool *online = calloc(cpu + 1, sizeof(*online));
	bool found = !online || !perf_cpus_online(online, cpu + 1) || online[cpu];

	free(online);
	return found;
}

int perf_sampling_setup(struct perf_sampling_config *config)
{
	uint64_t hz;

	if (config->only_cpu >= 0 && !is_online(config->only_cpu))
		return say_offline(config->only_cpu);
	if (config->frequency && config->period) {
		error("a frequency (-F) and a period (-c): it is one or the other");
		return STATUS_USAGE;
	}
	if (!config->frequency && !config->period)
		config->frequency = PERF_FREQUENCY;
	hz = config->source == PERF_CLOCK ? 0 : cycles_hz();
	if (config->source == PERF_BEST)
		config->source = hz && cycles_everywhere() ? PERF_CYCLES : PERF_CLOCK;
	if (config->frequency)
		config->period =
			(config->source == PERF_CYCLES ? hz : NSEC_PER_SEC) / config->frequency;
	return too_often(config) ? STATUS_USAGE : GO_ON;
}

const char *perf_sampling_text(const struct perf_sampling_config *config)
{
	static char text[60];
	const bool cycles = config->source == PERF_CYCLES;

	if (config->frequency)
		snprintf(text, sizeof(text), "at %llu Hz by %s",
			 (unsigned long long)config->frequency,
			 cycles ? "cycles" : "the CPU clock");
	else
		snprintf(text, sizeof(text), "every %llu %s", (unsigned long long)config->period,
			 cycles ? "cycles" : "ns");
	return text;
}

int perf_sampling_try(const struct perf_sampling_config *config)
{
	const struct perf_sampling p = { .config = *config };
	int cpu = config->only_cpu < 0 ? sched_getcpu() : config->only_cpu;
	int fd = event_open(config->source, -1, cpu, config->period, config->mapped);
	int err = fd < 0 ? -errno : 0;

	if (err)
		advise(&p, cpu, err);
	else
		close(fd);
	return err;
}

int perf_sampling_start(struct perf_sampling **sampling, const struct perf_sampling_config *config,
			int prog_fd)
{
	struct perf_sampling *p = calloc(1, sizeof(*p));
	int nr = libbpf_num_possible_cpus(), started = 0;

	*sampling = p;
	if (p && nr > 0) {
		*p = (struct perf_sampling){ .config = *config, .prog_fd = prog_fd };
		p->cpus = calloc(nr, sizeof(*p->cpus));
		p->online = calloc(nr, sizeof(*p->online));
		p->uevents = uevents_open();
	}
	if (!p || nr <= 0 || !p->cpus || !p->online) {
		error("cannot sample: %s", nr <= 0 ? strerror(-nr) : "not enough memory");
		return nr <= 0 ? nr : -ENOMEM;
	}
	p->nr_cpus = nr;
	for (int cpu = 0; cpu < nr; cpu++)
		p->cpus[cpu].fd = p->cpus[cpu].listener_fd = -1;
	limits_raise_files(nr + SPARE_FDS); /* a descriptor for each CPU */
	if (!perf_cpus_online(p->online, nr)) {
		error("cannot read " ONLINE ": %s", strerror(errno));
		return -EIO;
	}
	for (int cpu = 0; cpu < nr; cpu++) {
		int err = wanted(p, cpu) ? cpu_start(p, cpu) : -ENODEV;

		if (err && err != -ENODEV) { /* ENODEV: it has just gone */
			advise(p, cpu, err);
			return err;
		}
		started += !err;
		if (p->online[cpu] && !wanted(p, cpu))
			listen_to(p, cpu);
	}
	if (!started) {
		say_offline(config->only_cpu);
		return -ENODEV;
	}
	return 0;
}

/* A CPU that went and came back has forgotten its event, however quick it was. */
static void read_uevents(struct perf_sampling *p)
{
	char text[4096];
	ssize_t n;
	int cpu;

	while ((n = recv(p->uevents, text, sizeof(text) - 1, 0)) > 0) {
		text[n] = '\0';
		if (sscanf(text, "offline@/devices/system/cpu/cpu%d", &cpu) == 1 && cpu >= 0 &&
		    cpu < p->nr_cpus)
			cpu_stop(p, &p->cpus[cpu]);
	}
	/* some were dropped: begin again everywhere */
	for (cpu = 0; n < 0 && errno == ENOBUFS && cpu < p->nr_cpus; cpu++)
		cpu_stop(p, &p->cpus[cpu]);
}

void perf_sampling_follow(struct perf_sampling *p)
{
	read_uevents(p);
	if (!perf_cpus_online(p->online, p->nr_cpus))
		return;
	for (int cpu = 0; cpu < p->nr_cpus; cpu++) {
		struct cpu *c = &p->cpus[cpu];

		if (!p->online[cpu]) {
			cpu_stop(p, c);
		} else if (!wanted(p, cpu)) {
			listen_to(p, cpu);
		} else if (c->fd < 0 && c->since_ns != UINT64_MAX) {
			int err = cpu_start(p, cpu);

			if (!err)
				debug("CPU %d came online", cpu);
			else if (err != -ENODEV) { /* ENODEV: not yet, or no more */
				warn("CPU %d came online, and cannot be sampled: %s", cpu,
				     strerror(-err));
				c->since_ns = UINT64_MAX; /* said once is enough */
			}
		}
	}
}

void perf_sampling_drain(struct perf_sampling *p)
{
	for (int cpu = 0; cpu < p->nr_cpus; cpu++)
		drain(p, &p->cpus[cpu]);
}

void perf_sampling_stop(struct perf_sampling *p)
{
	if (p && p->sampled)
		p->sampled_last = p->sampled;
	for (int cpu = 0; p && cpu < p->nr_cpus; cpu++)
		cpu_stop(p, &p->cpus[cpu]);
}

void perf_sampling_free(struct perf_sampling *p)
{
	if (!p)
		return;
	perf_sampling_stop(p);
	if (p->uevents >= 0)
		close(p->uevents);
	free(p->cpus);
	free(p->online);
	free(p);
}

void perf_sampling_stats(const struct perf_sampling *p, struct perf_sampling_stats *stats)
{
	*stats = (struct perf_sampling_stats){ .cpus = p->sampled ? p->sampled : p->sampled_last,
					       .cpu_ns = p->cpu_ns };
	for (int cpu = 0; cpu < p->nr_cpus; cpu++)
		if (p->cpus[cpu].fd >= 0)
			stats->cpu_ns += clock_mono_ns() - p->cpus[cpu].since_ns;
}

uint64_t perf_sampling_since(const struct perf_sampling *p, int cpu, uint64_t last)
{
	const struct cpu *c = cpu < p->nr_cpus ? &p->cpus[cpu] : NULL;
	uint64_t end;

	if (!c)
		return 0;
	end = p->config.source == PERF_CLOCK ? c->ended_ns : c->counted;
	return min_u64(end > last ? end - last : 0, c->counted) / p->config.period;
}

static void say_late(const struct perf_sampling *p, const struct perf_ticks *ticks, double due)
{
	double came = (double)(ticks->run + ticks->skipped), late = (double)ticks->late;

	if (late > (due - came) / 2)
		warn("only %.0f %% of the samples that were due came: the timer's interrupts were "
		     "late (the host has this machine wait, or interrupts are off for long)",
		     100 * came / due);
	else
		warn("only %.0f %% of the samples that were due came: the kernel throttles them "
		     "(kernel.perf_event_max_sample_rate is %llu)",
		     100 * came / due, (unsigned long long)kernel_max_rate());
}

void perf_sampling_check(const struct perf_sampling *p, const struct perf_ticks *ticks)
{
	uint64_t came = ticks->run + ticks->skipped;
	struct perf_sampling_stats st;
	double due;

	if ((double)p->running_ns < (double)p->enabled_ns * 0.9)
		warn("the CPUs' counters of cycles were taken by others: there are samples of %.0f "
		     "%% "
		     "of the time only; --source cpu-clock needs no counter",
		     100 * (double)p->running_ns / (double)p->enabled_ns);
	perf_sampling_stats(p, &st);
	due = p->config.frequency ? (double)st.cpu_ns / 1e9 * (double)p->config.frequency
				  : (double)st.cpu_ns / (double)p->config.period;
	/* one late tick in eight is on time by chance, and of few ticks nothing is said */
	if (came + ticks->late >= 100 && ticks->skipped * 10 > came &&
	    ticks->skipped > ticks->late / 3)
		warn("lost %llu samples of all processes (%.0f %%): the kernel took none at these "
		     "ticks, as of a CPU that is inside bpf(2) or runs a BPF program",
		     (unsigned long long)ticks->skipped,
		     100 * (double)ticks->skipped / (double)came);
	if (p->config.source == PERF_CLOCK && due >= 100 && (double)came < due * 0.9)
		say_late(p, ticks, due);
}
