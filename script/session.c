/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "script/session.h"

void session_write(struct session *s)
{
	if (s->row.len) {
		out_mem(s->out, s->row.bytes, s->row.len);
		s->in_line = s->row.bytes[s->row.len - 1] != '\n';
		if (s->unbuffered)
			out_flush(s->out);
	}
	s->row.len = 0;
}

void session_write_json(struct session *s, const char *type)
{
	struct text data = s->row;

	s->row = (struct text){ 0 };
	text_printf(&s->row, "{\"type\": \"%s\", \"data\": ", type);
	text_json(&s->row, data.bytes ? data.bytes : "", data.len);
	text_str(&s->row, "}\n");
	text_free(&data);
	session_write(s);
}
