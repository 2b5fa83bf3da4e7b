/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/patience.h"

static atomic_uint current, given_up;
static void (*meanwhile)(void *ctx);
static void *meanwhile_ctx;

/* Returns as write(2) does, but waits where the file is non-blocking. */
static ssize_t try(int fd, const void *data, size_t len)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	ssize_t n = write(fd, data, len);

	if (n < 0 && errno == EAGAIN) {
		poll(&p, 1, -1);
		errno = EINTR;
	}
	return n;
}

static void call_meanwhile(void)
{
	static bool within;

	if (!meanwhile || within)
		return;
	within = true;
	meanwhile(meanwhile_ctx);
	within = false;
}

ssize_t patience_write(int fd, const void *data, size_t len)
{
	static unsigned int last;
	const unsigned int number = ++last ?: ++last;
	ssize_t n;

	atomic_store(&current, number);
	while ((n = try(fd, data, len)) < 0 && errno == EINTR) {
		if (atomic_load(&given_up) == number) {
			errno = ETIMEDOUT;
			break;
		}
		call_meanwhile();
		atomic_store(&current, number); /* it may have written */
	}
	atomic_store(&current, 0);
	return n;
}

void patience_meanwhile(void (*fn)(void *ctx), void *ctx)
{
	meanwhile = fn;
	meanwhile_ctx = ctx;
}

unsigned int patience_current(void)
{
	return atomic_load(&current);
}

void patience_give_up(unsigned int number)
{
	atomic_store(&given_up, number);
}
