/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * table: events as rows of text or as JSON objects, both from one list of columns.
 */
#ifndef BORESCOPE_OUTPUT_TABLE_H
#define BORESCOPE_OUTPUT_TABLE_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/core/events.shared.h"
#include "output/json.h"
#include "output/out.h"

extern bool table_show_clock; /* --time */
/* Rows as comma-separated values, as some of BCC's tools print with -j: without padding; a comma
 * in a cell that is text is written as \\054, but not in the last one. */
extern bool table_csv;

enum column_fmt {
	FMT_UINT,  /* 1, 2, 4 or 8 bytes */
	FMT_KNOWN, /* the same of 4 bytes; EVENT_UNKNOWN is not known: "?", in JSON null */
	FMT_INT,
	FMT_FD,	     /* a call's result: a file descriptor, or -1 */
	FMT_ERRNO,   /* a call's result: 0, or the errno; in JSON errno and, on failure, error */
	FMT_OCTAL,   /* with leading zeros up to the column's width */
	FMT_STR,     /* a char array of the event, escaped */
	FMT_TIME,    /* event_head.ts as local time of day, width decides the fraction: 8, 12, 15 */
	FMT_ELAPSED, /* event_head.ts as seconds since the first event, 9 decimals */
	FMT_CUSTOM,  /* the tool's own functions */
};

struct column {
	const char *title; /* NULL: in JSON only */
	int width; /* at least; negative: right-aligned; the last shown column is never padded */
	enum column_fmt fmt;
	unsigned int offset, size; /* of the member in the event */
	const bool *show;	   /* in text: NULL always, else when true. JSON has every column */
	const char *key;	   /* in JSON; NULL: not there (the head's fields always are) */
	void (*text)(struct out *o, const void *member); /* offset 0: the event */
	void (*json)(struct json *j, const void *event);
};

#define COL(event, member, title_, width_, fmt_, show_, key_)                                      \
	{                                                                                          \
		.title = (title_), .width = (width_), .fmt = (fmt_),                               \
		.offset = offsetof(struct event, member),                                          \
		.size = sizeof(((struct event *)0)->member), .show = (show_), .key = (key_),       \
	}
#define COL_HEAD(member, title_, width_, fmt_, show_)                                              \
	COL(event_head, member, title_, width_, fmt_, show_, NULL)
/* --time: the time of day with microseconds. First in every tool's columns. */
#define COL_CLOCK                                                                                  \
	{                                                                                          \
		.title = "TIME", .width = 15, .fmt = FMT_TIME, .show = &table_show_clock,          \
	}
/* BCC's -T and -t: the time of day, or seconds since the first row. */
#define COL_TIME(show_)                                                                            \
	{                                                                                          \
		.title = "TIME", .width = 8, .fmt = FMT_TIME, .show = (show_),                     \
	}
#define COL_ELAPSED(show_)                                                                         \
	{                                                                                          \
		.title = "TIME(s)", .width = 13, .fmt = FMT_ELAPSED, .show = (show_),              \
	}
/* Text and JSON by functions; either may be NULL. */
#define COL_CUSTOM(title_, width_, show_, text_, json_)                                            \
	{                                                                                          \
		.title = (title_), .width = (width_), .fmt = FMT_CUSTOM, .show = (show_),          \
		.text = (text_), .json = (json_),                                                  \
	}

/* Text of one member by a function that knows such things, which is given its address. */
#define COL_PART(event, member, title_, width_, show_, text_)                                      \
	{                                                                                          \
		.title = (title_), .width = (width_), .fmt = FMT_CUSTOM,                           \
		.offset = offsetof(struct event, member), .show = (show_), .text = (text_),        \
	}

void table_header(struct out *o, const struct column *columns);
void table_row(struct out *o, const struct column *columns, const struct event_head *event);
/* One object on one line: time, pid, tid, uid, comm from the head, then the columns. Of a task that
 * is not known (a pid of EVENT_UNKNOWN), pid, tid and comm are null, and "?" in a row. */
void table_json(struct out *o, const struct column *columns, const struct event_head *event);

#endif
