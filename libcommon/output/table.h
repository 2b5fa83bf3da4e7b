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
/* Rows as comma-separated values, as some of BCC's tools print with -j: without padding; text
 * is as table_text() writes it. */
extern bool table_csv;

/*
 * Writes a name in a cell: as out_escaped() does, and with table_csv so that it is one field, of
 * the same text, for cut(1), for a reader of CSV and for a spreadsheet: commas and quotation marks
 * are \054 and \042, and so is a sign that begins a formula (= + - @) where it comes first.
 */
void table_text(struct out *o, const char *s, size_t len);

/* For .text, of members of 8 bytes: ns as milliseconds with two decimals, as BCC has them, or with
 * three; bytes as KB, without the rest. */
void table_ms(struct out *o, const void *ns);
void table_ms_us(struct out *o, const void *ns);
void table_kb(struct out *o, const void *bytes);

enum column_fmt {
	FMT_UINT,    /* 1, 2, 4 or 8 bytes */
	FMT_KNOWN,   /* of 4 bytes or 8; all bits set: it is not known, "?", in JSON null */
	FMT_INT,     /* signed */
	FMT_FD,	     /* a call's result: a file descriptor, or -1 */
	FMT_ERRNO,   /* a call's result: 0, or the errno; in JSON errno and, on failure, error */
	FMT_OCTAL,   /* with leading zeros up to the column's width */
	FMT_STR,     /* a char array of the event, escaped */
	FMT_TIME,    /* event_head.ts as local time of day, width decides the fraction: 8, 12, 15 */
	FMT_ELAPSED, /* event_head.ts as seconds since the first event, 9 decimals */
};

/* A member of the event: where it stands in text, and what it is called in JSON. */
struct column {
	const char *title; /* in text; NULL: in JSON only */
	int width;	   /* at least; negative: right-aligned; the last one shown is not padded */
	enum column_fmt fmt;	   /* FMT_UINT where nothing is said */
	unsigned int offset, size; /* of the member in the event; a size of 0 ends the table */
	const bool *show;	   /* in text: NULL always, else when true. JSON has every column */
	const char *key;	   /* in JSON; NULL: not there (the head's fields always are) */
	/* Instead of fmt, writes the text of @member (of COL_CUSTOM: the event). */
	void (*text)(struct out *o, const void *member);
	/* Writes members of the JSON object, before that of key. */
	void (*json)(struct json *j, const void *event);
	const char *keys; /* all keys that json may write, with a space between two */
};

/*
 * One line of a table of columns, which COL_END ends: a member of struct @event, by its title, and
 * what else there is to say of it by name:
 *	COL(open_event, ret, "FD", .width = -4, .fmt = FMT_FD, .key = "fd"),
 */
#define COL(event, member, title_, ...)                                                            \
	{                                                                                          \
		.title = (title_), .offset = offsetof(struct event, member),                       \
		.size = sizeof(((struct event *)0)->member), __VA_ARGS__                           \
	}
/* A member of struct event_head. */
#define COL_HEAD(member, title_, ...) COL(event_head, member, title_, __VA_ARGS__)
/* --time: the time of day with microseconds. First in every tool's columns. */
#define COL_CLOCK COL_HEAD(ts, "TIME", .width = 15, .fmt = FMT_TIME, .show = &table_show_clock)
/* BCC's -T and -t: the time of day, or seconds since the first row. */
#define COL_TIME(show_)	   COL_HEAD(ts, "TIME", .width = 8, .fmt = FMT_TIME, .show = (show_))
#define COL_ELAPSED(show_) COL_HEAD(ts, "TIME(s)", .width = 13, .fmt = FMT_ELAPSED, .show = (show_))
/* Of the whole event, by functions: .text, and .json with .keys. */
#define COL_CUSTOM(title_, ...)                                                                    \
	{                                                                                          \
		.title = (title_), .size = 1, __VA_ARGS__                                          \
	}
#define COL_END                                                                                    \
	{                                                                                          \
	}

/*
 * A form of output that a tool has, beside the rows of its own columns: for --list. Either rows by
 * other columns, or what functions write, whose words are declared beside them.
 */
struct view {
	const char *kind; /* of its JSON objects: "event", "histogram"; NULL: it is only text */
	const struct column *columns;
	const char *titles, *keys; /* more of both, with a space between two; NULL: none */
};
#define VIEW_END                                                                                   \
	{                                                                                          \
	}

void table_header(struct out *o, const struct column *columns);
/* How many characters a row has at least, without the end of the line. */
int table_width(const struct column *columns);
void table_row(struct out *o, const struct column *columns, const struct event_head *event);
/* One object on one line: time, pid, tid, uid, comm from the head, then the columns. Of a task that
 * is not known (a pid of EVENT_UNKNOWN), pid, tid and comm are null, and "?" in a row; so is uid,
 * if it is EVENT_UNKNOWN, too. */
void table_json(struct out *o, const struct column *columns, const struct event_head *event);
#define TABLE_KEYS "time pid tid uid comm"

#endif
