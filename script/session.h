/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * session: what the parts of a run share: script/run.c, which has the loop, script/actions.c, which
 * does what records ask for, script/reports.c, which shows maps, and script/losses.c.
 */
#ifndef BORESCOPE_SCRIPT_SESSION_H
#define BORESCOPE_SCRIPT_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "output/out.h"
#include "script/store.h"
#include "script/text.h"
#include "script/values.h"

struct format;
struct loaded;
struct rings;
struct script_run_options;
struct symbols;

/* A print(@x) that waits: if clear(@x) follows, both are done at once. */
struct pending {
	const struct statement *statement;
	uint64_t top, div;
	int old_fd; /* of the generation that is to be shown; -1: what is there */
};
#define PENDING_MAX 64

struct session {
	struct loaded *l;
	const struct script_run_options *opt;
	struct out *out;
	bool unbuffered; /* a flush after each record */
	struct symbols *symbols;
	struct values values;
	struct format **formats; /* of each statement that has one */
	struct value *args;	 /* room for those of any statement */
	struct text row;	 /* what is being written */
	bool *zeroed;		 /* of each map: its values were set to 0, so it is there */

	struct pending pending[PENDING_MAX];
	size_t nr_pending;
	uint32_t pending_cpu;	   /* whose records they were */
	unsigned pending_waited;   /* looks at the rings that they have outlived */
	unsigned long pending_end; /* of its ring, when the programs were waited for */

	bool in_line;	 /* the last row did not end its line */
	uint64_t shown;	 /* statements that were done */
	uint64_t rows;	 /* of these: rows of a printf() or print() of a value */
	uint64_t broken; /* records that are not as they should be */
	bool stop;
	int status; /* of exit() */
};

/* Writes .row, and makes it empty. */
void session_write(struct session *s);
/* Writes {"type": "TYPE", "data": "..."} with the text in .row, and makes it empty. */
void session_write_json(struct session *s, const char *type);

/* --- actions.c --- */

/* A record of the rings, in its turn. */
void action_take(struct session *s, const void *record, size_t size);

/* --- reports.c --- */

void report_print(struct session *s, const struct statement *st, uint32_t cpu, uint64_t top,
		  uint64_t div);
void report_clear(struct session *s, const struct statement *st, uint32_t cpu);
void report_zero(struct session *s, const struct statement *st, uint32_t cpu);
/* print(@x[key]) */
void report_entry(struct session *s, const struct statement *st, const void *key);
/* What waits is shown now. @cpu: of the record that comes; prints of others wait on, for its clear
 * may follow. */
void report_settle(struct session *s, uint32_t cpu);
/* After a look at the rings: what has waited is shown, if no clear() can follow. @all: all is. */
void report_looked(struct session *s, const struct rings *rings, bool all);
/* At the end: all maps that have something, by name; and the files of --svg. */
void report_all(struct session *s);
/* All maps, for SIGUSR1. */
void report_now(struct session *s);

/* --- losses.c --- */

/* How many events were lost as yet. */
uint64_t losses_events(const struct session *s);
/* Says, at most once a second, how many events were lost since the last time. */
void losses_tell(struct session *s, uint64_t *told);
/* At the end, by statement and map, with the remedy. */
void losses_report(struct session *s);
/* Members of the summary object. */
struct json;
void losses_json(struct session *s, struct json *j);

#endif
