/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "run/run.h"
#include "stacks/stacks.h"
#include "tasks/offcpu.h"
#include "tasks/thread.h"

#define THREADS_MAX 65536 /* 71 MB of kernel memory */

const char *offcpu_parse_states(const char *arg, void *value)
{
	struct offcpu_states *s = value;
	unsigned long bits;
	char *end;

	*s = (struct offcpu_states){ 0 };
	if (!isdigit((unsigned char)*arg))
		return thread_parse_states(arg, &s->letters);
	errno = 0;
	bits = strtoul(arg, &end, 0);
	s->bits = bits;
	if (!bits)
		s->letters = 1 << TASK_IS_RUNNABLE;
	return !errno && !*end && bits <= UINT32_MAX ? NULL
						     : "letters as ps(1) shows them, or a "
						       "number as the kernel has them";
}

void offcpu_configure(struct object *o, const struct offcpu_config *config)
{
	struct offcpu_config *to = object_section(o, ".rodata.offcpu", "lib/tasks/offcpu.bpf.h");

	*to = *config;
	object_resize_map(o, "offcpu_waits", limits_threads(THREADS_MAX));
	stacks_configure(o);
	stack_sums_configure(o);
}

static void take_record(void *ctx, void *record, size_t size)
{
	struct offcpu *w = ctx;

	w->take(w->run, record, size);
}

/* Tells the programs what time it is, and has the iterator visit the threads that there are. */
static int look(struct offcpu *w)
{
	const struct programs *p = &w->run->object.programs;
	int err = programs_write(p, ".data.offcpu", &w->state);

	if (!err && w->state.ended)
		programs_wait(programs_map(p, "offcpu_waits"));
	for (size_t i = 0; i < w->iter.nr && !err; i++)
		err = task_iter_read(&w->iter, i, offsetof(struct stack_sum, size), take_record, w);
	return err;
}

int offcpu_begin(struct offcpu *w, struct run *r, int iterator, stack_sums_fn take)
{
	int err = 0;

	*w = (struct offcpu){ .run = r, .take = take };
	if (iterator >= 0)
		err = task_iter_open(&w->iter, iterator, &r->opt.filter);
	w->state.began = clock_mono_ns(); /* the switches are seen already */
	err = err ?: look(w);
	if (!err)
		return 0;
	error("cannot look at the threads: %s", strerror(-err));
	w->state.began = 0;
	return err;
}

void offcpu_count_losses(struct offcpu *w, struct run *r)
{
	uint64_t unseen = w->unseen;

	programs_read(&r->object.programs, ".data.offcpu_unseen", &unseen);
	run_lost(r, unseen - w->unseen);
	w->unseen = unseen;
}

void offcpu_end(struct offcpu *w, struct run *r)
{
	int err;

	if (!w->state.began)
		return;
	w->state.ended = clock_mono_ns();
	err = look(w);
	err = err ?: stack_sums_read(&r->object.programs, w->take, r);
	task_iter_close(&w->iter);
	if (!err)
		return;
	error("cannot read the waits: %s", strerror(-err));
	run_fail(r);
}

uint64_t offcpu_traced_ns(const struct offcpu *w)
{
	return w->state.ended - w->state.began;
}
