/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * user_stack.bpf.h: the user stack of a task that is not on a CPU, by frame pointers. For sleepable
 * programs, from 5.18 on (376040e47334: bpf_copy_from_user_task()). A program that runs in the task
 * itself has bpf_get_stack(), see stacks.bpf.h.
 *
 * A frame is two words: where the caller's frame is, and where the function returns to. Frames lie
 * one above the other on the stack; where one does not, the code that made it keeps no frame
 * pointers, and the walk ends there. The walk does not leave the mapping that the stack pointer is
 * in, and reads no mapping of a file: what such code has in the register may point anywhere, and a
 * read would bring in a page that its owner did not ask for, or wait for a file system that does
 * not answer.
 */
#ifndef BORESCOPE_BPF_STACKS_USER_STACK_BPF_H
#define BORESCOPE_BPF_STACKS_USER_STACK_BPF_H

#include "lib/core/task.bpf.h"

#define USER_STACK_MAX 127 /* addresses */

struct user_stack_frame {
	__u64 fp, ret;
};

/* The mapping that a stack is in. */
struct user_stack_area {
	__u64 end;
	__u64 has_file;
};

static long user_stack_area(struct task_struct *task, struct vm_area_struct *vma,
			    struct user_stack_area *area)
{
	area->end = BPF_CORE_READ(vma, vm_end);
	area->has_file = BPF_CORE_READ(vma, vm_file) != NULL;
	return 0;
}

/* Reads the frame at @at. False: it can't be read. */
static __always_inline bool user_stack_frame(struct user_stack_frame *f, struct task_struct *task,
					     __u64 at, bool is_32)
{
	if (is_32) {
		struct {
			__u32 fp, ret;
		} narrow;

		if (bpf_copy_from_user_task(&narrow, sizeof(narrow), (void *)at, task, 0))
			return false;
		f->fp = narrow.fp;
		f->ret = narrow.ret;
		return true;
	}
	return !bpf_copy_from_user_task(f, sizeof(*f), (void *)at, task, 0);
}

/*
 * Writes the addresses to @to, leaf first; returns how many. *@whole: the walk came to the end of
 * the stack, which is a frame that has the frame pointer that a thread begins with: 0. (A 0 in the
 * register says nothing: code without frame pointers has any value there.)
 */
static __always_inline __u32 user_stack(__u64 *to, struct task_struct *task,
					const struct task_user *u, bool *whole)
{
	__u64 lowest = u->sp, at = u->fp, word = u->is_32 ? 4 : 8;
	struct user_stack_area area = {};
	__u32 i;

	*whole = false;
	to[0] = u->ip;
	if (bpf_find_vma(task, u->sp, user_stack_area, &area, 0) || area.has_file)
		area.end = 0;
	for (i = 1; i < USER_STACK_MAX; i++) {
		struct user_stack_frame f;

		if (!at) {
			*whole = i > 1;
			break;
		}
		if (at < lowest || at + 2 * word > area.end || at & (word - 1) ||
		    !user_stack_frame(&f, task, at, u->is_32))
			break;
		if (!f.ret) {
			*whole = true;
			break;
		}
		to[i] = f.ret;
		lowest = at + 2 * word;
		at = f.fp;
	}
	return i;
}

#endif
