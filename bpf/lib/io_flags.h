/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef BORESCOPE_BPF_IO_FLAGS_H
#define BORESCOPE_BPF_IO_FLAGS_H

/* A request's flags in our own order (the kernel's bits move between versions), behind its
 * operation: enum req_op in the low 8 bits. */
enum io_flag {
	IO_SYNC = 8,
	IO_META,
	IO_PRIO,
	IO_NOMERGE,
	IO_IDLE,
	IO_FUA,
	IO_PREFLUSH,
	IO_RAHEAD,
	IO_BACKGROUND,
	IO_NOWAIT,
};

#endif
