/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * json: writes one JSON object a line into an out buffer.
 *
 * Output is always valid JSON in valid UTF-8, whatever bytes the traced side supplied: a byte that
 * is not part of a valid sequence becomes U+FFFD, and what utf8_is_control() names is escaped, so
 * that cat(1) is safe too. Keys come from our own tables and are written as they are. Commas are
 * the writer's business.
 */
#ifndef BORESCOPE_OUTPUT_JSON_H
#define BORESCOPE_OUTPUT_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "output/out.h"

struct json {
	struct out *out;
	int depth;  /* open objects and arrays */
	bool comma; /* an element stands before the next one */
};

void json_init(struct json *j, struct out *out);

/* @key is NULL inside an array and for the outermost object. */
void json_object(struct json *j, const char *key);
void json_array(struct json *j, const char *key);
void json_end_object(struct json *j); /* closes; at the outermost level also ends the line */
void json_end_array(struct json *j);

void json_u64(struct json *j, const char *key, uint64_t v);
void json_s64(struct json *j, const char *key, int64_t v);
void json_bool(struct json *j, const char *key, bool v);
void json_null(struct json *j, const char *key);
/* @v with @decimals digits behind the point, see out_fixed(). */
void json_fixed(struct json *j, const char *key, uint64_t v, int decimals);
/* null when @s is NULL. */
void json_str(struct json *j, const char *key, const char *s);
/* Of a kernel function's result: "errno" (0 when @ret is not negative) and, on failure, "error"
 * (its name). */
void json_errno(struct json *j, int64_t ret);
#define JSON_ERRNO_KEYS "errno error"
/* Ends at @len or at a NUL, whichever is first. */
void json_strn(struct json *j, const char *key, const char *s, size_t len);
/* A wall-clock time in ns since the epoch, as RFC 3339 in UTC with nanoseconds. */
void json_time(struct json *j, const char *key, uint64_t real_ns);

#endif
