/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * names.shared.h: an answer of the DNS that a process has received; shared by
 * bpf/lib/net/names.probes.bpf.h and libcommon/net/names.c.
 */
#ifndef BORESCOPE_BPF_NET_NAMES_SHARED_H
#define BORESCOPE_BPF_NET_NAMES_SHARED_H

#include "lib/core/events.shared.h"

/* In event_head.flags of an answer, and of no other event of a tool that asks for names. */
#define NAMES_ANSWER 0x80000000

#define NAMES_MESSAGE_MAX 1232 /* bytes of one that are read; most servers send no longer ones */

struct names_answer {
	struct event_head head;
	__u64 born; /* when the process was (CLOCK_BOOTTIME, ns) */
	__u32 len;  /* of what is here of the message */
	__u8 message[NAMES_MESSAGE_MAX];
};

struct names_config {
	__u32 recv_args; /* how many arguments udp_recvmsg() has */
};

#endif
