/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * dns: reads an answer of the domain name system (RFC 1035). It comes from the network: whatever
 * it says, no byte outside of it is read, and the reading ends.
 */
#ifndef BORESCOPE_NET_DNS_H
#define BORESCOPE_NET_DNS_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/net/flow.shared.h"

#define DNS_NAME_LEN  1024 /* of a name as text, with the NUL */
#define DNS_ADDRS_MAX 32   /* that are read of one answer */

struct dns_answer {
	/* The name that was asked for, as a master file has it: "www.example.org". What is neither
	 * a letter, a digit nor a sign there is \DDD, and a backslash and a dot in a label have a
	 * backslash before them. The root is ".". */
	char name[DNS_NAME_LEN];
	/* Its addresses of IPv4 and IPv6: those of the name, and of what the answer says that it is
	 * an alias of (CNAME). Other names' addresses are not believed. */
	struct inet_addr addrs[DNS_ADDRS_MAX];
	unsigned int nr;
};

/*
 * Reads a message of @len bytes, which may have been cut off: then it has what stands before that.
 * False: it is no answer to one question about the internet's names, it is malformed, or it has no
 * address.
 */
bool dns_read(struct dns_answer *answer, const void *message, size_t len);

#endif
