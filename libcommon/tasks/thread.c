/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <string.h>

#include "base/msg.h"
#include "base/syscalls.h"
#include "stacks/frames.h"
#include "symbols/symbols.h"
#include "tasks/fd.h"
#include "tasks/thread.h"

static struct thread_config config;
static struct stacks *stacks;
static struct named_frames stack; /* of the record that was taken last */
static struct {
	uint64_t on_cpu, moved, kernel_unread, user_unread, user_stacks, user_cut;
} seen;

int thread_init(const struct thread_config *c)
{
	const struct stacks_config kept = { .symbols = c->symbols,
					    .labels = { "state", "syscall" },
					    .unit = "threads" };

	config = *c;
	stacks = stacks_new(&kept);
	return stacks ? 0 : -ENOMEM;
}

struct stacks *thread_stack_set(void)
{
	return stacks;
}

const char *thread_parse_states(const char *arg, void *value)
{
	*(__u32 *)value = 0;
	for (;; arg += 2) {
		const char *letter = *arg ? strchr(TASK_STATES, *arg) : NULL;

		if (!letter || (arg[1] && arg[1] != ','))
			return "states as ps(1) shows them, of " THREAD_STATES ": D or R,D";
		*(__u32 *)value |= 1U << (letter - TASK_STATES);
		if (!arg[1])
			return NULL;
	}
}

/* --- a record ----------------------------------------------------------------------------- */

static const uint64_t *frames_of(const struct thread_sample *t)
{
	return (const uint64_t *)(t + 1);
}

static const uint64_t *user_frames_of(const struct thread_sample *t)
{
	return frames_of(t) + t->nr_kernel;
}

static bool stack_is_unknown(const struct thread_sample *t)
{
	return t->head.flags & (THREAD_ON_CPU | THREAD_MOVED);
}

/* Whether the user stack begins where programs and threads do. */
static bool is_whole(const struct thread_sample *t)
{
	size_t root = t->nr_kernel + t->nr_user - 1;
	struct frame_name name = frames_name(&stack, root);

	if (name.function || t->nr_user < 2)
		return frames_begin_at(name.function, NULL, t->nr_user);
	name = frames_name(&stack, root - 1);
	return frames_begin_at(NULL, name.function, t->nr_user);
}

/* Code without frame pointers may leave anything there: a frame that is in no code ends the stack.
 * (Nothing is known of a process that has ended since.) */
static void trim_user_stack(struct thread_sample *t)
{
	if (!t->nr_user || stack.frames.image == SYMBOLS_GONE)
		return;
	for (unsigned int i = 1; i < t->nr_user; i++) {
		struct frame_name name = frames_name(&stack, t->nr_kernel + i);

		if (name.function || name.module)
			continue;
		t->nr_user = stack.frames.nr_user = i;
		t->head.flags |= THREAD_USER_CUT;
	}
	if (t->head.flags & THREAD_USER_CUT && is_whole(t))
		t->head.flags &= ~THREAD_USER_CUT;
}

static void count(const struct thread_sample *t)
{
	seen.on_cpu += !!(t->head.flags & THREAD_ON_CPU);
	seen.moved += (t->head.flags & (THREAD_ON_CPU | THREAD_MOVED)) == THREAD_MOVED;
	seen.kernel_unread += !!(t->head.flags & THREAD_KERNEL_UNREAD);
	seen.user_unread += !!(t->head.flags & THREAD_USER_UNREAD);
	seen.user_stacks += t->nr_user > 0;
	seen.user_cut += t->nr_user && t->head.flags & THREAD_USER_CUT;
}

static uint32_t image_of(const struct thread_sample *t)
{
	return t->nr_user ? symbols_remember_image(config.symbols, t->head.pid, &t->image,
						   t->head.ts, false)
			  : SYMBOLS_GONE;
}

bool thread_take(struct thread_sample *t, size_t size)
{
	size_t frames = (t->nr_kernel + t->nr_user) * sizeof(uint64_t);
	struct frames now = {
		.symbols = config.symbols,
		.pid = t->head.pid,
		.kernel = frames_of(t),
		.user = user_frames_of(t),
		.nr_kernel = t->nr_kernel,
		.nr_user = t->nr_user,
	};

	if (size != sizeof(*t) + frames + THREAD_PATH_ROOM(t->path_len))
		return false;
	now.image = image_of(t);
	frames_set(&stack, &now);
	trim_user_stack(t);
	count(t);
	return true;
}

bool thread_add(const struct thread_sample *t)
{
	struct stack_key key = { .pid = t->head.pid, .image = t->nr_user ? stack.frames.image : 0 };
	const uint64_t *kernel = frames_of(t);
	unsigned int nr_kernel = t->nr_kernel;
	const bool on_cpu = t->head.flags & THREAD_ON_CPU;
	const char letter[2] = { TASK_STATES[t->state] }, *call;
	uint64_t instead;

	memcpy(key.comm, t->head.comm, sizeof(key.comm));
	call = syscall_name(t->syscall, t->head.flags & THREAD_COMPAT);
	key.labels[0] = stacks_text(stacks, on_cpu ? "ON-CPU" : letter);
	key.labels[1] = call ? stacks_text(stacks, call) : 0;
	if (stack_is_unknown(t)) {
		instead = stacks_named_frame(stacks, on_cpu ? "[on a CPU: no stack]"
							    : "[it moved: no stack]");
		kernel = &instead;
		nr_kernel = 1;
	}
	return stacks_add(stacks, &key, kernel, nr_kernel, user_frames_of(t), t->nr_user, 1);
}

/* --- columns ------------------------------------------------------------------------------ */

void thread_state_text(struct out *o, const void *event)
{
	const struct thread_sample *t = event;

	if (t->head.flags & THREAD_ON_CPU)
		out_str(o, "ON-CPU");
	else
		out_char(o, TASK_STATES[t->state]);
}

void thread_state_json(struct json *j, const void *event)
{
	const struct thread_sample *t = event;

	json_strn(j, "state", &TASK_STATES[t->state], 1);
	json_bool(j, "on_cpu", t->head.flags & THREAD_ON_CPU);
	json_bool(j, "idle", t->head.flags & THREAD_IDLE);
}

void thread_syscall_text(struct out *o, const void *event)
{
	const struct thread_sample *t = event;
	const char *name = syscall_name(t->syscall, t->head.flags & THREAD_COMPAT);

	if (t->syscall == TASK_NO_SYSCALL)
		out_char(o, stack_is_unknown(t) ? '?' : '-');
	else if (name)
		out_str(o, name);
	else
		out_s64(o, t->syscall);
}

void thread_syscall_json(struct json *j, const void *event)
{
	const struct thread_sample *t = event;

	if (t->syscall == TASK_NO_SYSCALL) {
		json_null(j, "syscall");
		return;
	}
	json_str(j, "syscall", syscall_name(t->syscall, t->head.flags & THREAD_COMPAT));
	json_s64(j, "syscall_nr", t->syscall);
	if (t->head.flags & THREAD_COMPAT)
		json_bool(j, "compat", true);
}

/* The kernel leaves its scheduler out of the stack: the leaf is what /proc/PID/wchan shows. */
static const char *wait_name(const struct thread_sample *t, char *buf, size_t size)
{
	struct frame_name name;

	if (t->state == TASK_IS_RUNNABLE || !t->nr_kernel)
		return NULL;
	name = frames_name(&stack, 0);
	return frame_name_text(&name, buf, size);
}

void thread_wait_text(struct out *o, const void *event)
{
	const struct thread_sample *t = event;
	char buf[FRAME_TEXT_LEN];
	const char *name = wait_name(t, buf, sizeof(buf));

	if (name)
		out_escaped(o, name, strlen(name));
	else
		out_char(o, t->head.flags & (THREAD_MOVED | THREAD_KERNEL_UNREAD) ? '?' : '-');
}

void thread_wait_json(struct json *j, const void *event)
{
	char buf[FRAME_TEXT_LEN];

	json_str(j, "wait", wait_name(event, buf, sizeof(buf)));
}

static size_t file_text(const struct thread_sample *t, char *buf, size_t size)
{
	return fd_text(&t->file, (const char *)t + t->size - t->path_len, t->path_len, buf, size);
}

void thread_file_text(struct out *o, const void *event)
{
	char buf[FD_TEXT_LEN];
	size_t len = file_text(event, buf, sizeof(buf));

	if (len)
		out_escaped(o, buf, len);
	else
		out_char(o, '-');
}

void thread_file_json(struct json *j, const void *event)
{
	const struct thread_sample *t = event;
	char buf[FD_TEXT_LEN];
	size_t len = file_text(t, buf, sizeof(buf));

	if (!len)
		return;
	json_u64(j, "fd", t->args[0]);
	json_strn(j, "file", buf, len);
}

void thread_stack_text(struct out *o, const void *event)
{
	if (!frames_text(o, &stack, config.root_first))
		out_char(o, stack_is_unknown(event) ? '?' : '-');
}

void thread_stack_json(struct json *j, const void *event)
{
	const struct thread_sample *t = event;

	if (stack_is_unknown(t) || t->head.flags & THREAD_KERNEL_UNREAD)
		json_null(j, "kernel");
	else
		frames_json_kernel(j, "kernel", &stack);
	if (stack_is_unknown(t) || t->head.flags & THREAD_USER_UNREAD || config.without_user)
		json_null(j, "user");
	else
		frames_json_user(j, "user", &stack);
	if (t->head.flags & THREAD_USER_CUT)
		json_bool(j, "user_cut", true);
}

/* --- at the end --------------------------------------------------------------------------- */

void thread_remarks(void)
{
	if (seen.moved + seen.kernel_unread + seen.user_unread + seen.on_cpu)
		note("stacks that could not be read: %llu on a CPU, %llu moved meanwhile, %llu "
		     "refused, %llu in locked memory",
		     (unsigned long long)seen.on_cpu, (unsigned long long)seen.moved,
		     (unsigned long long)seen.kernel_unread, (unsigned long long)seen.user_unread);
	if (seen.user_cut)
		note("%llu of %llu user stacks are cut: code built without frame pointers",
		     (unsigned long long)seen.user_cut, (unsigned long long)seen.user_stacks);
}

void thread_summary_json(struct json *j)
{
	json_u64(j, "on_cpu", seen.on_cpu);
	json_u64(j, "moved", seen.moved);
	json_u64(j, "kernel_unread", seen.kernel_unread);
	json_u64(j, "user_unread", seen.user_unread);
	json_u64(j, "user_stacks", seen.user_stacks);
	json_u64(j, "user_stacks_cut", seen.user_cut);
	frames_summary_json(j, config.symbols);
}
