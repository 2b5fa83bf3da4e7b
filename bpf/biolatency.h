/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef BORESCOPE_BIOLATENCY_H
#define BORESCOPE_BIOLATENCY_H

/* What is not in the histogram; indexes of the map io_left_out. */
enum io_left_out {
	IO_UNTIMED,	/* neither a time stamp nor an issue that we saw */
	IO_PASSTHROUGH, /* commands from user space (diskstats counts them up to 5.10 only) */
	IO_UNFOLLOWED,	/* more requests on their way than the map holds */
	IO_LEFT_OUT_NR,
};

/* Switched while running. */
struct io_control {
	__u32 from_issue; /* time from block_rq_issue: the kernel does not stamp the requests */
};

#endif
