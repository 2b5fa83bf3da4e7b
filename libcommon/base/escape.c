/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <string.h>

#include "base/escape.h"

int utf8_decode(const char *s, size_t len, uint32_t *cp)
{
	const unsigned char *p = (const unsigned char *)s;
	uint32_t c, least;
	int n, i;

	if (!len)
		return 0;
	c = p[0];
	if (c < 0x80) {
		*cp = c;
		return 1;
	}
	if (c >= 0xc2 && c < 0xe0) {
		n = 2;
		c &= 0x1f;
		least = 0x80;
	} else if (c >= 0xe0 && c < 0xf0) {
		n = 3;
		c &= 0x0f;
		least = 0x800;
	} else if (c >= 0xf0 && c < 0xf5) {
		n = 4;
		c &= 0x07;
		least = 0x10000;
	} else {
		return 0;
	}
	if (len < (size_t)n)
		return 0;
	for (i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < least || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return 0;
	*cp = c;
	return n;
}

bool utf8_is_control(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || cp == 0x61c || cp == 0x200e ||
	       cp == 0x200f || (cp >= 0x2028 && cp <= 0x202e) || (cp >= 0x2066 && cp <= 0x2069) ||
	       cp == 0xfeff;
}

int escape_byte(char text[ESCAPE_MAX], unsigned char c)
{
	static const char letters[] = {
		['\a'] = 'a', ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\v'] = 'v',
		['\f'] = 'f', ['\r'] = 'r', ['"'] = '"',  ['\\'] = '\\'
	};

	text[0] = '\\';
	if (c < sizeof(letters) && letters[c]) {
		text[1] = letters[c];
		return 2;
	}
	text[1] = '0' + (c >> 6);
	text[2] = '0' + (c >> 3 & 7);
	text[3] = '0' + (c & 7);
	return 4;
}

/* How many of the @len bytes at @s are one character that may be shown as it is; 0: none is. */
static int shown(const char *s, size_t len)
{
	uint32_t cp;
	int n = utf8_decode(s, len, &cp);

	return n && !utf8_is_control(cp) ? n : 0;
}

size_t escape_line(char *buf, size_t size, const char *s, size_t len)
{
	size_t at = 0;

	for (size_t i = 0; i < len;) {
		int plain = shown(s + i, len - i), n = plain;
		char text[ESCAPE_MAX];

		if (!plain)
			n = escape_byte(text, s[i]);
		if (size - at < (size_t)n)
			break;
		memcpy(buf + at, plain ? s + i : text, n);
		at += n;
		i += plain ? plain : 1;
	}
	return at;
}
