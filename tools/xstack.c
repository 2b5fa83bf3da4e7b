/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <string.h>

#include "fds.h"
#include "iter.h"
#include "stacks.h"
#include "symbols.h"
#include "syscalls.h"
#include "tool.h"
#include "xstack.h"
#include "xstack.skel.h"

static bool all, quiet, root_first, short_time, with_user, without_user, summarised;
static uint64_t hz = 1, interval_ns, count;
static __u32 states;
static struct iter iter;
static struct symbols *symbols;
static struct stacks *stacks;
static struct xstack_state state;

/* What the samples hold, for what is said at the end. */
static struct {
	uint64_t on_cpu, moved, kernel_unread, user_unread, user_stacks, user_cut;
} seen;

static const char *parse_states(const char *arg, void *value)
{
	*(__u32 *)value = 0;
	for (;; arg += 2) {
		const char *letter = *arg ? strchr(TASK_STATES, *arg) : NULL;

		if (!letter || (arg[1] && arg[1] != ','))
			return "states as ps(1) shows them, of R S D T t X Z P I: D or R,D";
		*(__u32 *)value |= 1U << (letter - TASK_STATES);
		if (!arg[1])
			return NULL;
	}
}

static const struct opt options[] = {
	{ 'a', "all", NULL, OPT_FLAG, &all, "threads that wait for work, too" },
	{ 't', "tid", .type = OPT_COMMON },
	{ 'F', "frequency", "HZ", OPT_UINT, &hz, "samples a second (1)", .min = 1, .max = 1000 },
	{ 'i', "iterations", "N", OPT_UINT, &count, "stop after this many samples", .min = 1 },
	{ 0, "state", "S[,S...]", OPT_PARSE, &states, "only threads in these states: R,D",
	  .parse = parse_states },
	{ 'q', "quiet", NULL, OPT_FLAG, &quiet, "no header, no notes" },
	{ 'r', "reverse", NULL, OPT_FLAG, &root_first, "rows with the outermost function first" },
	STACKS_OPTIONS(0),
	{ 0 },
};

/* clang-format off */
/* Calls in which threads wait until there is something to do. */
static const char *const waits[] = {
	"accept", "accept4", "clock_nanosleep", "clock_nanosleep_time64", "epoll_pwait",
	"epoll_pwait2", "epoll_wait", "futex", "futex_time64", "futex_wait", "futex_waitv",
	"io_getevents", "io_pgetevents", "nanosleep", "pause", "poll", "ppoll", "ppoll_time64",
	"pselect6", "pselect6_time64", "restart_syscall", "rt_sigsuspend", "rt_sigtimedwait",
	"rt_sigtimedwait_time64", "select", "_newselect", "sigsuspend", "wait4", "waitid",
	"waitpid", NULL
};
/* Calls whose first argument is a file descriptor. */
static const char *const by_fd[] = {
	"accept", "accept4", "bind", "close", "connect", "copy_file_range", "epoll_ctl",
	"epoll_pwait", "epoll_pwait2", "epoll_wait", "fadvise64", "fallocate", "fchmod", "fchown",
	"fcntl", "fdatasync", "flock", "fstat", "fstatfs", "fsync", "ftruncate", "getdents",
	"getdents64", "io_uring_enter", "ioctl", "listen", "lseek", "pread64", "preadv", "preadv2",
	"pwrite64", "pwritev", "pwritev2", "read", "readahead", "readv", "recvfrom", "recvmmsg",
	"recvmsg", "sendfile", "sendfile64", "sendmmsg", "sendmsg", "sendto", "shutdown", "splice",
	"sync_file_range", "syncfs", "tee", "vmsplice", "write", "writev", NULL
};
/* clang-format on */

static void set_calls(__u64 *bits, const char *const *names, bool compat)
{
	for (; *names; names++) {
		int nr = syscall_number(*names, compat);

		if (nr >= 0 && nr < XSTACK_CALLS)
			bits[nr / 64] |= 1ULL << (nr % 64);
	}
}

/* --- a thread as a row -------------------------------------------------------------------------
 */

static const __u64 *frames_of(const struct thread_sample *t)
{
	return (const __u64 *)(t + 1);
}

static bool stack_is_unknown(const struct thread_sample *t)
{
	return t->head.flags & (XSTACK_ON_CPU | XSTACK_MOVED);
}

static void print_state(struct out *o, const void *event)
{
	const struct thread_sample *t = event;

	if (t->head.flags & XSTACK_ON_CPU)
		out_str(o, "ON-CPU");
	else
		out_char(o, TASK_STATES[t->state]);
}

static void json_state(struct json *j, const void *event)
{
	const struct thread_sample *t = event;

	json_strn(j, "state", &TASK_STATES[t->state], 1);
	json_bool(j, "on_cpu", t->head.flags & XSTACK_ON_CPU);
	json_bool(j, "idle", t->head.flags & XSTACK_IDLE);
}

static void print_syscall(struct out *o, const void *event)
{
	const struct thread_sample *t = event;
	const char *name = syscall_name(t->syscall, t->head.flags & XSTACK_COMPAT);

	if (t->syscall == TASK_NO_SYSCALL)
		out_char(o, stack_is_unknown(t) ? '?' : '-');
	else if (name)
		out_str(o, name);
	else
		out_s64(o, t->syscall);
}

static void json_syscall(struct json *j, const void *event)
{
	const struct thread_sample *t = event;

	if (t->syscall == TASK_NO_SYSCALL) {
		json_null(j, "syscall");
		return;
	}
	json_str(j, "syscall", syscall_name(t->syscall, t->head.flags & XSTACK_COMPAT));
	json_s64(j, "syscall_nr", t->syscall);
	if (t->head.flags & XSTACK_COMPAT)
		json_bool(j, "compat", true);
}

/* The kernel leaves its scheduler out of the stack: the leaf is what /proc/PID/wchan shows. */
static const char *wait_name(const struct thread_sample *t, char *buf, size_t size)
{
	struct frame_name name;

	if (t->state == TASK_IS_RUNNABLE || !t->nr_kernel)
		return NULL;
	symbols_kernel(symbols, frames_of(t)[0], &name);
	return symbols_frame_text(&name, buf, size);
}

static void print_wait(struct out *o, const void *event)
{
	const struct thread_sample *t = event;
	char buf[FRAME_TEXT_LEN];
	const char *name = wait_name(t, buf, sizeof(buf));

	if (name)
		out_escaped(o, name, strlen(name));
	else
		out_char(o, t->head.flags & (XSTACK_MOVED | XSTACK_KERNEL_UNREAD) ? '?' : '-');
}

static void json_wait(struct json *j, const void *event)
{
	char buf[FRAME_TEXT_LEN];

	json_str(j, "wait", wait_name(event, buf, sizeof(buf)));
}

static size_t file_text(const struct thread_sample *t, char *buf, size_t size)
{
	return fd_text(&t->file, (const char *)t + t->size - t->path_len, t->path_len, buf, size);
}

static void print_file(struct out *o, const void *event)
{
	char buf[FD_TEXT_LEN];
	size_t len = file_text(event, buf, sizeof(buf));

	if (len)
		out_escaped(o, buf, len);
	else
		out_char(o, '-');
}

static void json_file(struct json *j, const void *event)
{
	const struct thread_sample *t = event;
	char buf[FD_TEXT_LEN];
	size_t len = file_text(t, buf, sizeof(buf));

	if (!len)
		return;
	json_u64(j, "fd", t->args[0]);
	json_strn(j, "file", buf, len);
}

static void name_frame(const struct thread_sample *t, unsigned int i, struct frame_name *name)
{
	if (i < t->nr_kernel)
		symbols_kernel(symbols, frames_of(t)[i], name);
	else
		symbols_user(symbols, t->head.pid, frames_of(t)[i], name);
}

static void print_stack(struct out *o, const void *event)
{
	const struct thread_sample *t = event;
	unsigned int from = stacks_options.user_only ? t->nr_kernel : 0;
	unsigned int to = t->nr_kernel + (stacks_options.kernel_only ? 0 : t->nr_user);
	unsigned int first_part = root_first ? to - t->nr_kernel : t->nr_kernel - from;

	if (from == to)
		out_char(o, stack_is_unknown(t) ? '?' : '-');
	for (unsigned int i = from; i < to; i++) {
		struct frame_name name;
		char buf[FRAME_TEXT_LEN];
		const char *text;

		if (i > from)
			out_str(o, i - from == first_part ? " | " : ";");
		name_frame(t, root_first ? to - 1 - (i - from) : i, &name);
		text = symbols_frame_text(&name, buf, sizeof(buf));
		out_escaped(o, text, strlen(text));
	}
}

static void json_frames(struct json *j, const struct thread_sample *t, const char *key,
			unsigned int from, unsigned int nr)
{
	json_array(j, key);
	for (unsigned int i = 0; i < nr; i++) {
		struct frame_name name;

		name_frame(t, from + i, &name);
		json_object(j, NULL);
		json_str(j, "function", name.function);
		json_str(j, "module", name.module);
		if (!name.function)
			json_u64(j, "offset", name.module_offset);
		json_end_object(j);
	}
	json_end_array(j);
}

static void json_stack(struct json *j, const void *event)
{
	const struct thread_sample *t = event;

	if (stack_is_unknown(t) || t->head.flags & XSTACK_KERNEL_UNREAD)
		json_null(j, "kernel");
	else
		json_frames(j, t, "kernel", 0, t->nr_kernel);
	if (stack_is_unknown(t) || t->head.flags & XSTACK_USER_UNREAD || !with_user)
		json_null(j, "user");
	else
		json_frames(j, t, "user", t->nr_kernel, t->nr_user);
	if (t->head.flags & XSTACK_USER_CUT)
		json_bool(j, "user_cut", true);
}

static const struct column columns[] = {
	COL_CLOCK,
	COL_TIME(&short_time),
	COL_HEAD(pid, "PID", 7, FMT_UINT, NULL),
	COL_HEAD(tid, "TID", 7, FMT_UINT, NULL),
	COL_HEAD(comm, "COMM", 15, FMT_STR, NULL),
	COL_CUSTOM("STATE", 6, NULL, print_state, json_state),
	COL_CUSTOM("SYSCALL", 11, NULL, print_syscall, json_syscall),
	COL_CUSTOM("WAIT", 16, NULL, print_wait, json_wait),
	COL_CUSTOM("FILE", 8, NULL, print_file, json_file),
	COL_CUSTOM("STACK", 0, NULL, print_stack, json_stack),
	{ 0 },
};

/* --- sampling ----------------------------------------------------------------------------------
 */

/* Code without frame pointers may leave anything there: a frame that is in no code ends the stack.
 * (Nothing is known of a process that ended since.) */
static void trim_user_stack(struct thread_sample *t)
{
	struct frame_name name;

	if (!t->nr_user || symbols_remember(symbols, t->head.pid))
		return;
	for (unsigned int i = 1; i < t->nr_user; i++) {
		symbols_user(symbols, t->head.pid, frames_of(t)[t->nr_kernel + i], &name);
		if (name.function || name.module)
			continue;
		t->nr_user = i;
		t->head.flags |= XSTACK_USER_CUT;
	}
}

static void count_thread(const struct thread_sample *t)
{
	seen.on_cpu += !!(t->head.flags & XSTACK_ON_CPU);
	seen.moved += (t->head.flags & (XSTACK_ON_CPU | XSTACK_MOVED)) == XSTACK_MOVED;
	seen.kernel_unread += !!(t->head.flags & XSTACK_KERNEL_UNREAD);
	seen.user_unread += !!(t->head.flags & XSTACK_USER_UNREAD);
	seen.user_stacks += t->nr_user > 0;
	seen.user_cut += t->nr_user && t->head.flags & XSTACK_USER_CUT;
}

/* For what is printed at the end. False: there is no room. */
static bool add_stack(const struct thread_sample *t)
{
	struct stack_key key = { .pid = t->head.pid,
				 .image = t->nr_user ? symbols_image(symbols, t->head.pid) : 0 };
	const uint64_t *kernel = (const uint64_t *)frames_of(t), *user = kernel + t->nr_kernel;
	unsigned int nr_kernel = t->nr_kernel;
	const char letter[2] = { TASK_STATES[t->state] }, *call;
	uint64_t instead;

	memcpy(key.comm, t->head.comm, sizeof(key.comm));
	call = syscall_name(t->syscall, t->head.flags & XSTACK_COMPAT);
	key.labels[0] = stacks_text(stacks, t->head.flags & XSTACK_ON_CPU ? "ON-CPU" : letter);
	key.labels[1] = call ? stacks_text(stacks, call) : 0;
	if (stack_is_unknown(t)) {
		instead = stacks_named_frame(stacks, t->head.flags & XSTACK_ON_CPU
							     ? "[on a CPU: no stack]"
							     : "[it moved: no stack]");
		kernel = &instead;
		nr_kernel = 1;
	}
	return stacks_add(stacks, &key, kernel, nr_kernel, user, t->nr_user, 1);
}

static void take(void *ctx, void *record, size_t size)
{
	struct thread_sample *t = record;
	struct run *r = ctx;

	if (r->stop)
		return;
	if (size !=
	    sizeof(*t) + 8UL * (t->nr_kernel + t->nr_user) + XSTACK_PATH_ROOM(t->path_len)) {
		r->lost++;
		return;
	}
	trim_user_stack(t);
	count_thread(t);
	if (!summarised) {
		run_show(r, t, size);
		return;
	}
	if (!add_stack(t))
		r->lost++;
	else if (++r->nr_events == r->opt.max_events)
		r->stop = true;
}

/* A process's walk ends early when a thread ends just as it is visited: the rest was not seen. */
static void count_missed(struct run *r)
{
	if (iter.narrow && !r->opt.filter.nr_tids && state.visited < state.threads)
		r->lost += state.threads - state.visited;
}

static void sample(struct run *r)
{
	state.ts = 0;
	for (size_t i = 0; i < iter.nr && !r->stop; i++) {
		int err;

		state.visited = state.threads = 0;
		err = object_section_write(r->object.bpf, ".data.xstack", &state);
		if (!err)
			err = iter_read(&iter, i, offsetof(struct thread_sample, size), take, r);
		if (!err)
			err = object_section_read(r->object.bpf, ".data.xstack", &state);
		if (err) {
			error("cannot read the threads: %s", strerror(-err));
			r->failed = true;
			return;
		}
		count_missed(r);
	}
}

static void report(struct run *r)
{
	if (summarised)
		stacks_report(stacks, r);
}

/* --- what is said at the end -------------------------------------------------------------------
 */

static uint64_t idle_total(void)
{
	uint64_t total = state.idle_kernel + state.idle_other + state.idle_compat;

	for (int i = 0; i < XSTACK_CALLS; i++)
		total += state.idle_calls[i];
	return total;
}

/* "futex 1200, epoll_wait 40, ..." of the three calls that most idle threads were in. */
static void say_idle(void)
{
	uint64_t left = idle_total() - state.idle_kernel;
	__u64 calls[XSTACK_CALLS];
	char text[256];
	size_t len = 0;

	if (!idle_total())
		return;
	memcpy(calls, state.idle_calls, sizeof(calls));
	for (int n = 0; n < 3; n++) {
		int top = 0;

		for (int i = 1; i < XSTACK_CALLS; i++)
			if (calls[i] > calls[top])
				top = i;
		if (!calls[top])
			break;
		len += snprintf(text + len, sizeof(text) - len, "%s %llu, ",
				syscall_name(top, false) ?: "?", (unsigned long long)calls[top]);
		left -= calls[top];
		calls[top] = 0;
	}
	if (state.idle_kernel)
		len += snprintf(text + len, sizeof(text) - len, "kernel threads %llu, ",
				(unsigned long long)state.idle_kernel);
	if (left)
		len += snprintf(text + len, sizeof(text) - len, "others %llu, ",
				(unsigned long long)left);
	text[len - 2] = '\0';
	note("not shown, as they wait for work: %s; -a shows them", text);
}

static void finish(struct run *r)
{
	if (r->late_samples)
		warn("%llu samples were left out: reading the threads took longer than 1/%llu s",
		     (unsigned long long)r->late_samples, (unsigned long long)hz);
	if (quiet)
		return;
	if (seen.moved + seen.kernel_unread + seen.user_unread + seen.on_cpu)
		note("stacks that could not be read: %llu on a CPU, %llu moved meanwhile, %llu "
		     "refused, %llu in locked memory",
		     (unsigned long long)seen.on_cpu, (unsigned long long)seen.moved,
		     (unsigned long long)seen.kernel_unread, (unsigned long long)seen.user_unread);
	if (seen.user_cut)
		note("%llu of %llu user stacks are cut: code built without frame pointers",
		     (unsigned long long)seen.user_cut, (unsigned long long)seen.user_stacks);
	say_idle();
}

static uint64_t left_out(void)
{
	struct stacks_stats st;

	stacks_stats(stacks, &st);
	return st.left_out;
}

static void summary_json(struct run *r, struct json *j)
{
	json_u64(j, "samples", r->samples);
	json_u64(j, "late_samples", r->late_samples);
	json_u64(j, "idle_hidden", idle_total());
	json_u64(j, "on_cpu", seen.on_cpu);
	json_u64(j, "moved", seen.moved);
	json_u64(j, "kernel_unread", seen.kernel_unread);
	json_u64(j, "user_unread", seen.user_unread);
	json_u64(j, "user_stacks", seen.user_stacks);
	json_u64(j, "user_stacks_cut", seen.user_cut);
	if (summarised)
		json_u64(j, "stacks_left_out", left_out());
}

/* --- the tool ----------------------------------------------------------------------------------
 */

static int64_t copy_helper;
static const struct kernel_fact facts[] = {
	{ "BPF_FUNC_copy_from_user_task", BTF_ENUMERATOR, &copy_helper },
	{ 0 },
};
static const struct probe probes[] = {
	{ .name = "threads", .rungs = { "sleepable" }, .when = &with_user, .later = true },
	{ .name = "threads without user stacks",
	  .rungs = { "plain" },
	  .when = &without_user,
	  .later = true },
	{ 0 },
};

static int setup(struct run *r)
{
	int status = stacks_setup(&r->opt);

	if (status >= 0)
		return status;
	interval_ns = 1000000000 / hz;
	short_time = !table_show_clock;
	summarised = stacks_options.folded || stacks_options.top || stacks_options.svg;
	r->no_header = quiet || summarised;
	return -1;
}

static void configure(struct run *r, struct bpf_object *obj)
{
	struct xstack_config *c = object_section(obj, ".rodata.xstack", NULL);

	with_user = copy_helper && !object_avoids("iter.s");
	without_user = !with_user;
	c->states = states;
	c->skip_user = stacks_options.kernel_only;
	c->skip_kernel = stacks_options.user_only && summarised;
	c->idle = all || r->opt.filter.nr_tids;
	set_calls(c->native.wait, waits, false);
	set_calls(c->compat.wait, waits, true);
	set_calls(c->native.by_fd, by_fd, false);
	set_calls(c->compat.by_fd, by_fd, true);
}

static int attach(struct run *r)
{
	struct stacks_config config = { .labels = { "state", "syscall" }, .unit = "threads" };
	struct bpf_program *prog =
		bpf_object__find_program_by_name(r->object.bpf, with_user ? "sleepable" : "plain");
	struct frame_name name;
	int err = iter_open_tasks(&iter, prog, &r->opt.filter);

	if (err) {
		error("cannot attach the task iterator: %s", strerror(-err));
		return err;
	}
	config.symbols = symbols = symbols_new();
	stacks = symbols ? stacks_new(&config) : NULL;
	if (!stacks)
		return -ENOMEM;
	symbols_kernel(symbols, 0, &name); /* reads kallsyms now, not in the first sample */
	return 0;
}

static void detach(struct run *r)
{
	iter_close(&iter);
}

static void started(struct run *r)
{
	if (without_user)
		note("kernel stacks only: reading user stacks takes Linux 5.18");
	if (summarised && !quiet && !count && !r->opt.duration_ns)
		note("tracing threads: Ctrl-C ends it and shows their stacks");
}

/* clang-format off */
static const char *const examples[] = {
	"xstack", "each second, what threads do",
	"xstack -p 1234 -a -i 1", "all threads of process 1234, once",
	"xstack --state D", "who waits uninterruptibly, and for what",
	"xstack -F 20 --svg waits.svg", "until Ctrl-C, as a flame graph",
	"xstack -F 20 --duration 9 --top -K", "where in the kernel threads wait",
	NULL
};
/* clang-format on */

static const struct tool tool = {
	.name = "xstack",
	.summary = "shows what threads wait for, and their stacks, without touching them",
	.options = options,
	.columns = columns,
	.event_size = sizeof(struct thread_sample),
	.probes = probes,
	.facts = facts,
	.image = TOOL_IMAGE(xstack),
	.examples = examples,
	.setup = setup,
	.configure = configure,
	.attach = attach,
	.detach = detach,
	.started = started,
	.sample = sample,
	.report = report,
	.finish = finish,
	.summary_json = summary_json,
	.interval_ns = &interval_ns,
	.count = &count,
};

int main(int argc, char **argv)
{
	return tool_main(&tool, argc, argv);
}
