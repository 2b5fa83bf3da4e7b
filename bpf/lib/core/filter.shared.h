/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * filter.shared.h: which tasks a tool looks at. libcommon/run fills it before the programs are
 * loaded. It is read-only data, so that the verifier removes every test that isn't asked for.
 */
#ifndef BORESCOPE_BPF_CORE_FILTER_SHARED_H
#define BORESCOPE_BPF_CORE_FILTER_SHARED_H

#include "lib/core/types.shared.h"

#define FILTER_IDS_MAX 64

/* A cgroup that is asked for is found if it is less than so many levels below the root. */
#define FILTER_CGROUP_LEVELS_MAX 32

struct filter {
	__u32 nr_pids, nr_tids; /* 0: any */
	__u32 pids[FILTER_IDS_MAX];
	__u32 tids[FILTER_IDS_MAX];
	__u32 own_pid; /* the tool itself: never looked at */
	__u32 uid;
	__u8 by_uid;
	__u8 comm_part_len; /* 0: any; else comm_part stands somewhere in the name */
	__u8 by_comm;	    /* comm is the whole name */
	__u8 any;	    /* some of these is asked for; own_pid alone does not count */
	__u64 cgroup;	    /* 0: any; else the id of a cgroup v2: in it or below it */
	char comm[16];
	char comm_part[16];
};

/* Which flags are wanted: those of which (flags & mask) == value for any of these, so that a
 * flag of 0 and flags of several bits can be asked for. With nr == 0 all are wanted. */
#define FLAG_FILTERS_MAX 8
struct flag_filters {
	__u32 nr;
	struct {
		__u32 mask, value;
	} any[FLAG_FILTERS_MAX];
};

#endif
