/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <string.h>
#include <linux/types.h>

#include "base/msg.h"
#include "base/util.h"
#include "base/worker.h"
#include "lib/stacks/stacks.shared.h"
#include "stacks/frames.h"
#include "stacks/samples.h"
#include "symbols/symbols.h"

/* A note tells of stacks that were not unwound to their root when they have this share, and there
 * are enough of them to judge. */
#define ASTRAY_PERCENT 20
#define ASTRAY_MIN     20

bool stack_samples_init(struct stack_samples *e, const struct stacks_config *config)
{
	struct stacks_config own = *config;

	own.symbols = symbols_new();
	*e = (struct stack_samples){ .symbols = own.symbols };
	e->stacks = own.symbols ? stacks_new(&own) : NULL;
	if (!e->stacks)
		return false;
	e->cut_frame = stacks_named_frame(e->stacks, "[truncated]");
	e->unread_frame = stacks_named_frame(e->stacks, "[unreadable user stack]");
	return true;
}

/* Unwinds a user stack of STACK_COPIED, which has @nr words, into @frames. Returns how many. */
static uint32_t unwind_copy(struct stack_samples *e, const struct stack_key *key,
			    const __u64 *words, uint32_t nr, uint64_t *frames)
{
	struct unwind_from from = {
		.stack = (const unsigned char *)(words + STACK_REGS),
		.base = STACK_BASE(words[STACK_REG_SP]),
		.size = (nr - STACK_REGS) * sizeof(*words),
	};
	enum unwind_end end;

	unwind_registers(&from, (const uint64_t *)words);
	nr = symbols_unwind(e->symbols, key->pid, key->image, &from, frames, STACK_FRAMES_MAX,
			    &end);
	e->copied += from.size;
	e->unwound++;
	e->whole += end == UNWIND_ROOT;
	if (end != UNWIND_UNCOPIED && end != UNWIND_DEEP)
		return nr;
	e->uncopied++;
	frames[nr++] = e->cut_frame;
	return nr;
}

static bool is_whole(const struct stack_event *s, size_t size)
{
	uint32_t most = s->head.flags & STACK_COPIED ? STACK_REGS + STACK_COPY_MAX / sizeof(__u64)
						     : STACK_FRAMES_MAX;

	if (s->head.flags & STACK_COPIED && s->nr_user < STACK_REGS)
		return false;
	return s->nr_kernel <= STACK_FRAMES_MAX && s->nr_user <= most &&
	       sizeof(*s) + (s->nr_kernel + s->nr_user) * sizeof(__u64) <= size;
}

bool stack_samples_add_sum(struct stack_samples *e, const void *event, size_t size,
			   const struct stack_samples_sum *sum)
{
	static uint64_t kernel[1 + 2 * STACK_FRAMES_MAX + 3];
	uint64_t *frames = kernel + !!sum->leaf, *user;
	const struct stack_event *s = event;
	uint32_t nr_kernel = s->nr_kernel, nr_user = s->nr_user, flags = s->head.flags;
	struct stack_key key = { .pid = s->head.pid, .labels[0] = sum->label };

	if (!is_whole(s, size) || worker_is_ours(s->head.pid))
		return false;
	if (nr_user)
		key.image = symbols_remember_image(e->symbols, key.pid, &s->image, s->head.ts,
						   flags & STACK_NEW_PROCESS);
	memcpy(key.comm, s->head.comm, sizeof(key.comm));
	key.tid = sum->by_thread ? s->head.tid : 0;
	kernel[0] = sum->leaf;
	memcpy(frames, s->frames, nr_kernel * sizeof(__u64));
	if (flags & STACK_KERNEL_CUT)
		frames[nr_kernel++] = e->cut_frame;
	user = frames + nr_kernel;
	if (flags & STACK_COPIED)
		nr_user = unwind_copy(e, &key, s->frames + s->nr_kernel, nr_user, user);
	else
		memcpy(user, s->frames + s->nr_kernel, nr_user * sizeof(__u64));
	if (flags & STACK_USER_CUT)
		user[nr_user++] = e->cut_frame;
	if (flags & STACK_NO_USER)
		user[nr_user++] = e->unread_frame;
	e->truncated += flags & (STACK_KERNEL_CUT | STACK_USER_CUT) ? sum->count : 0;
	e->unread += flags & STACK_NO_USER ? sum->count : 0;
	return stacks_add_sum(e->stacks, &key, kernel, nr_kernel + !!sum->leaf, user, nr_user,
			      sum->count, sum->weight);
}

bool stack_samples_add(struct stack_samples *e, const void *event, size_t size, uint64_t weight)
{
	const struct stack_samples_sum one = { .count = 1, .weight = weight };

	return stack_samples_add_sum(e, event, size, &one);
}

void stack_samples_remarks(const struct stack_samples *e)
{
	uint64_t astray = e->unwound - e->whole - e->uncopied;

	if (e->truncated)
		note("%llu stacks are deeper than the kernel walks (sysctl "
		     "kernel.perf_event_max_stack): [truncated] stands at their root",
		     (unsigned long long)e->truncated);
	if (e->uncopied)
		note("%llu user stacks are deeper than the %llu bytes that are copied of each, or "
		     "than %d frames: [truncated] stands at their root",
		     (unsigned long long)e->uncopied, (unsigned long long)stacks_options.unwind,
		     STACK_FRAMES_MAX);
	symbols_remarks(e->symbols);
	if (!stacks_remarks(e->stacks) && astray >= ASTRAY_MIN &&
	    astray * 100 >= e->unwound * ASTRAY_PERCENT)
		note("%llu %% of user stacks could not be unwound to their root: code built "
		     "without tables to unwind by",
		     (unsigned long long)(astray * 100 / e->unwound));
}

void stack_samples_summary_json(const struct stack_samples *e, struct json *j)
{
	json_u64(j, "truncated", e->truncated);
	json_u64(j, "user_stacks_unreadable", e->unread);
	if (stacks_options.unwind) {
		json_u64(j, "unwound", e->unwound);
		json_u64(j, "unwound_to_root", e->whole);
		json_u64(j, "unwound_uncopied", e->uncopied);
		json_u64(j, "copied_bytes", e->copied);
	}
	stacks_summary_json(e->stacks, j);
	frames_summary_json(j, e->symbols);
}
