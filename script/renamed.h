/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * renamed: what Linux calls otherwise today. Scripts live longer than names in the kernel do.
 *
 * Only what is the same thing by another name is a rename: what is counted, timed or read is what
 * the script's author meant. Of what is gone, there may be something near it, which is said and
 * not taken.
 */
#ifndef BORESCOPE_SCRIPT_RENAMED_H
#define BORESCOPE_SCRIPT_RENAMED_H

#include <stdbool.h>
#include <stddef.h>

struct renamed {
	const char *was, *is;
	/* Of functions: some are others, such as a folio in place of a page. */
	bool other_args, other_result;
	const char *but; /* how it is not quite the same, for a message; NULL: it is */
};

/* What was that: the first one behind @last (NULL: of all). NULL: there are no more. */
const struct renamed *renamed_function(const char *name, const struct renamed *last);
/* "vmscan:mm_vmscan_writepage"; the new one has all fields of the former. */
const struct renamed *renamed_event(const char *name);
/* A field of a record, of which .is tells how it is reached now: "q.disk". */
const struct renamed *renamed_field(const char *record, const char *field,
				    const struct renamed *last);

/* What to look at in place of a function, or a tracepoint ("tcp:tcp_set_state"), that is gone:
 * "tracepoint:block:block_rq_insert", the @i-th. NULL: there are no more. */
const char *renamed_nearest(const char *name, size_t i);

#endif
