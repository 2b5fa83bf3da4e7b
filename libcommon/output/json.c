/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <string.h>

#include "base/escape.h"
#include "base/errnos.h"
#include "output/json.h"
#include "output/time.h"

void json_init(struct json *j, struct out *out)
{
	j->out = out;
	j->depth = 0;
	j->comma = false;
}

/* What comes before an element's value. */
static void element(struct json *j, const char *key)
{
	size_t len = key ? strlen(key) : 0;
	struct out *o = j->out;
	char *p;

	out_reserve(o, len + 4);
	p = o->buf + o->len;
	if (j->comma)
		*p++ = ',';
	j->comma = true;
	if (key) {
		*p++ = '"';
		memcpy(p, key, len);
		p += len;
		*p++ = '"';
		*p++ = ':';
	}
	o->len = p - o->buf;
}

static void begin(struct json *j, const char *key, char bracket)
{
	element(j, key);
	out_char(j->out, bracket);
	j->depth++;
	j->comma = false;
}

static void end(struct json *j, char bracket)
{
	out_char(j->out, bracket);
	j->depth--;
	j->comma = j->depth > 0;
	if (!j->comma)
		out_char(j->out, '\n');
}

void json_object(struct json *j, const char *key)
{
	begin(j, key, '{');
}

void json_array(struct json *j, const char *key)
{
	begin(j, key, '[');
}

void json_end_object(struct json *j)
{
	end(j, '}');
}

void json_end_array(struct json *j)
{
	end(j, ']');
}

void json_u64(struct json *j, const char *key, uint64_t v)
{
	element(j, key);
	out_u64(j->out, v);
}

void json_s64(struct json *j, const char *key, int64_t v)
{
	element(j, key);
	out_s64(j->out, v);
}

void json_bool(struct json *j, const char *key, bool v)
{
	element(j, key);
	out_str(j->out, v ? "true" : "false");
}

void json_null(struct json *j, const char *key)
{
	element(j, key);
	out_str(j->out, "null");
}

void json_u64_known(struct json *j, const char *key, bool known, uint64_t v)
{
	if (known)
		json_u64(j, key, v);
	else
		json_null(j, key);
}

void json_fixed(struct json *j, const char *key, uint64_t v, int decimals)
{
	element(j, key);
	out_fixed(j->out, v, decimals);
}

static void escape_unit(struct out *o, uint32_t unit)
{
	char text[6] = { '\\', 'u' };

	for (int i = 5; i >= 2; i--, unit >>= 4)
		text[i] = "0123456789abcdef"[unit & 15];
	out_mem(o, text, sizeof(text));
}

static void escape(struct out *o, const char *s, int n, uint32_t cp)
{
	static const char letters[] = { ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f',
					['\r'] = 'r', ['"'] = '"',  ['\\'] = '\\' };
	const char text[2] = { '\\', cp < sizeof(letters) ? letters[cp] : '\0' };

	if (cp == NOT_UTF8) {
		out_mem(o, "\xef\xbf\xbd", 3); /* U+FFFD */
		return;
	}
	if (text[1]) {
		out_mem(o, text, 2);
	} else if (cp < 0x10000) {
		escape_unit(o, cp);
	} else { /* two of UTF-16's surrogates */
		escape_unit(o, 0xd7c0 + (cp >> 10));
		escape_unit(o, 0xdc00 + (cp & 0x3ff));
	}
}

void json_strn(struct json *j, const char *key, const char *s, size_t len)
{
	if (!s) {
		json_null(j, key);
		return;
	}
	element(j, key);
	out_char(j->out, '"');
	out_escape(j->out, s, len, '"', escape);
	out_char(j->out, '"');
}

void json_str(struct json *j, const char *key, const char *s)
{
	json_strn(j, key, s, SIZE_MAX);
}

void json_time(struct json *j, const char *key, uint64_t real_ns)
{
	element(j, key);
	out_char(j->out, '"');
	time_rfc3339(j->out, real_ns);
	out_char(j->out, '"');
}

void json_errno(struct json *j, int64_t ret)
{
	const char *name = ret < 0 ? errno_name((int)-ret) : NULL;

	json_u64(j, "errno", ret < 0 ? -ret : 0);
	if (name)
		json_str(j, "error", name);
}
