/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* libFuzzer: any bytes as an answer of the DNS. */
#include <linux/types.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "net/dns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct dns_answer answer;

	if (!dns_read(&answer, data, size))
		return 0;
	if (!answer.nr || answer.nr > DNS_ADDRS_MAX || !*answer.name)
		abort();
	for (size_t i = 0; i < sizeof(answer.name) && answer.name[i]; i++)
		if (answer.name[i] <= ' ' || answer.name[i] >= 0x7f)
			abort();
	if (!memchr(answer.name, 0, sizeof(answer.name)))
		abort();
	return 0;
}
