/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * task_iter: reads the records that the programs of BPF task iterators write (bpf_seq_write()).
 *
 * A pass visits every task once: the kernel calls the program for one after the other while it is
 * read from, and again for a task whose record did not fit into the kernel's buffer (32 KiB). There
 * is no bound on tasks. The program runs in the context of the reader, and nowhere else.
 */
#ifndef BORESCOPE_KERNEL_TASK_ITER_H
#define BORESCOPE_KERNEL_TASK_ITER_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/core/filter.shared.h"

struct task_iter {
	int links[FILTER_IDS_MAX]; /* file descriptors */
	size_t nr;		   /* passes that make a sample */
	bool narrow;		   /* each visits one process or thread only; else one visits all */
};

/*
 * Makes the passes of the program @prog_fd over what @filter names: one for each thread or process,
 * where the kernel can narrow an iterator to it (from 6.1 on, f0d74c4da1f0) and ids mean the same
 * to it and to us (we are in the initial pid namespace); else, or if it names none, one over all
 * tasks, and the program has to filter. Returns 0 or -errno.
 */
int task_iter_open(struct task_iter *it, int prog_fd, const struct filter *filter);
void task_iter_close(struct task_iter *it);

/* A record of @size bytes; it lives until this returns, and may be changed. */
typedef void (*task_iter_fn)(void *ctx, void *record, size_t size);

/* One pass over all there is, for what the program does: what it writes is thrown away. Returns 0
 * or -errno. */
int task_iter_run(int prog_fd);
/* The same over the elements of a map, with a program for SEC("iter/bpf_map_elem"). */
int task_iter_run_map(int prog_fd, int map_fd);

/*
 * One pass. Hands each record to @fn. A record says its own size, in the __u32 at @size_offset.
 * Returns 0 or -errno: what was read until then has been handed over. -EPROTO: a record's size
 * can't be.
 */
int task_iter_read(struct task_iter *it, size_t pass, size_t size_offset, task_iter_fn fn,
		   void *ctx);

#endif
