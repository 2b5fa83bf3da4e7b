/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/errnos.h"
#include "base/msg.h"
#include "kernel/object.h"
#include "net/connect.h"
#include "run/run.h"

const char *const connect_result_names[CONNECT_RESULTS] = {
	[CONNECT_RESULT_ESTABLISHED] = "established",
	[CONNECT_RESULT_REFUSED] = "refused",
	[CONNECT_RESULT_RESET] = "reset",
	[CONNECT_RESULT_TIMEOUT] = "timeout",
	[CONNECT_RESULT_UNREACHABLE] = "unreachable",
	[CONNECT_RESULT_FAILED] = "failed",
	[CONNECT_RESULT_ABANDONED] = "abandoned",
	[CONNECT_RESULT_TRYING] = "trying",
	[CONNECT_RESULT_UNKNOWN] = "?",
};

static enum connect_result failure(int err)
{
	switch (err) {
	case -ECONNREFUSED:
		return CONNECT_RESULT_REFUSED;
	case -ECONNRESET:
		return CONNECT_RESULT_RESET;
	case -ETIMEDOUT:
		return CONNECT_RESULT_TIMEOUT;
	case -ENETUNREACH:
	case -EHOSTUNREACH:
	case -ENETDOWN:
	case -EHOSTDOWN:
	case -ENONET:
		return CONNECT_RESULT_UNREACHABLE;
	default:
		return CONNECT_RESULT_FAILED;
	}
}

enum connect_result connect_result(const struct connect_event *e)
{
	switch (e->end) {
	case CONNECT_ESTABLISHED:
		return CONNECT_RESULT_ESTABLISHED;
	case CONNECT_FAILED:
		return failure(e->err);
	case CONNECT_ABANDONED:
		return CONNECT_RESULT_ABANDONED;
	case CONNECT_TRYING:
		return CONNECT_RESULT_TRYING;
	default:
		return CONNECT_RESULT_UNKNOWN;
	}
}

void connect_out_result(struct out *o, const void *event)
{
	const struct connect_event *e = event;
	enum connect_result r = connect_result(e);
	const char *error = r == CONNECT_RESULT_FAILED && e->err ? errno_name(-e->err) : NULL;

	out_str(o, error ? error : connect_result_names[r]);
	if (e->head.flags & CONNECT_MPTCP)
		out_str(o, ",mptcp");
	if (e->head.flags & (CONNECT_FAST_OPEN | CONNECT_SYN_DATA))
		out_str(o, ",fastopen");
}

void connect_json_result(struct json *j, const void *event)
{
	const struct connect_event *e = event;
	enum connect_result r = connect_result(e);

	json_str(j, "result", r == CONNECT_RESULT_UNKNOWN ? NULL : connect_result_names[r]);
	if (r == CONNECT_RESULT_UNKNOWN || (e->end == CONNECT_FAILED && !e->err))
		json_null(j, "errno");
	else
		json_errno(j, e->err);
	if (e->head.flags & CONNECT_MPTCP)
		json_bool(j, "mptcp", true);
	if (e->head.flags & (CONNECT_FAST_OPEN | CONNECT_SYN_DATA))
		json_str(j, "fast_open", e->head.flags & CONNECT_SYN_DATA ? "data" : "cookie");
}

void connect_configure(struct object *o, bool born)
{
	struct connect_config *config =
		object_section(o, ".rodata.connect", "lib/net/connect.probes.bpf.h");

	config->want_born = born;
}

static struct connect_control control;

static void tell(struct run *r)
{
	programs_write(&r->object.programs, ".data.connect", &control);
}

void connect_started(struct run *r, uint64_t trying_ns)
{
	control.calls = !!object_rung(&r->object, "calls that fail");
	control.trying_ns = trying_ns;
	tell(r);
	if (!control.calls)
		note("tracing without connects that fail before anything is sent (no route, no "
		     "free port): this kernel grants no probe that sees why");
	if (!object_rung(&r->object, "connects under way"))
		note("tracing only connects that have a result: this kernel grants no iterator "
		     "that sees the others");
}

void connect_look(struct run *r)
{
	int err = object_iterate_map(&r->object, "connects under way", "connects");

	if (err && err != -ENOTSUP)
		debug("connects under way can't be looked at: %s", strerror(-err));
}

/* A second pass, since the first takes out what it shows. */
void connect_detach(struct run *r)
{
	control.ending = true;
	tell(r);
	connect_look(r);
	connect_look(r);
}
