/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * json: writes one JSON object a line into an out buffer.
 *
 * Output is always valid JSON in valid UTF-8, whatever bytes the traced side supplied: a byte that
 * is not part of a valid sequence becomes U+FFFD, and what escape_utf8_is_control() names is
 * escaped, so that cat(1) is safe too. Keys come from our own tables and are written as they are.
 * The commas between members and elements come by themselves.
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
	bool comma; /* the next element follows another one */
};

void json_init(struct json *j, struct out *out);

/*
 * Begins an object or an array, which json_end_object() or json_end_array() closes. In all
 * functions, @key is NULL inside an array, and for the outermost object.
 */
void json_object(struct json *j, const char *key);
void json_array(struct json *j, const char *key);
void json_end_object(struct json *j); /* that of the outermost object also ends the line */
void json_end_array(struct json *j);

void json_u64(struct json *j, const char *key, uint64_t v);
void json_s64(struct json *j, const char *key, int64_t v);
void json_bool(struct json *j, const char *key, bool v);
void json_null(struct json *j, const char *key);
/* Writes null where @v is not @known. */
void json_u64_known(struct json *j, const char *key, bool known, uint64_t v);
/* Writes @v / 10^@decimals with that many digits behind the point, as out_fixed() does. */
void json_fixed(struct json *j, const char *key, uint64_t v, int decimals);
/* Writes null when @s is NULL. */
void json_str(struct json *j, const char *key, const char *s);
/* Writes a kernel function's result as two members: "errno" (0 when @ret is not negative) and, when
 * that is not 0, "error", its name ("ENOENT"). */
void json_errno(struct json *j, int64_t ret);
#define JSON_ERRNO_KEYS "errno error"
/* Writes @s up to @len bytes or to a NUL, whichever is first; null when @s is NULL. */
void json_strn(struct json *j, const char *key, const char *s, size_t len);
/* Writes a wall-clock time, in ns since the epoch, as RFC 3339 in UTC with nanoseconds. */
void json_time(struct json *j, const char *key, uint64_t real_ns);

#endif
