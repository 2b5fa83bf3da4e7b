/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <netinet/tcp.h>

#include "base/errnos.h"
#include "net/session.h"

/* Without an error: nobody but this end's program has ended it, or both have. */
static const char *orderly(const struct session *s)
{
	switch (s->state) {
	case TCP_FIN_WAIT2: /* from here a FIN, or close() with nothing to read, leads to the end */
		return s->unread && !(s->flags & SESSION_FIN_RECEIVED) ? "local-reset" : "local";
	case TCP_CLOSING:
		return "both";
	case TCP_LAST_ACK:
		return "remote";
	default: /* data that is not read, SO_LINGER, connect() to nowhere */
		return "local-reset";
	}
}

const char *session_end_name(const struct session *s)
{
	const char *name;

	switch (s->err) {
	case 0:
		return orderly(s);
	case ECONNRESET: /* also if data came after close(): it is the kernel that resets then */
		if ((s->state == TCP_FIN_WAIT1 || s->state == TCP_FIN_WAIT2) &&
		    s->flags & SESSION_DEAF && !(s->flags & SESSION_FIN_RECEIVED))
			return "reset";
		return "remote-reset";
	case EPIPE: /* a reset after a FIN */
		return "remote-reset";
	case ETIMEDOUT:
		return "timeout";
	case ECONNABORTED:
		return "killed";
	default:
		name = errno_name(s->err);
		return name ? name : "?";
	}
}
