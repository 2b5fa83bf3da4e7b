/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <string.h>

#include "base/escape.h"
#include "base/search.h"
#include "base/util.h"

int escape_utf8_decode(const char *s, size_t len, uint32_t *cp)
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

/*
 * C0, DEL and C1; Default_Ignorable_Code_Point of Unicode 14.0 (DerivedCoreProperties.txt), which
 * has the bidirectional controls and what is of no width: joiners, fillers, selectors, tags; and of
 * UnicodeData.txt the categories Zs, Zl and Zp without U+0020, the Cf that have no glyph, and
 * U+2800, the empty pattern of Braille. By code point.
 */
static const struct range {
	uint64_t first, last;
} unseen[] = {
	{ 0x0, 0x1f },	      { 0x7f, 0xa0 },	    { 0xad, 0xad },	  { 0x34f, 0x34f },
	{ 0x61c, 0x61c },     { 0x115f, 0x1160 },   { 0x1680, 0x1680 },	  { 0x17b4, 0x17b5 },
	{ 0x180b, 0x180f },   { 0x2000, 0x200f },   { 0x2028, 0x202f },	  { 0x205f, 0x206f },
	{ 0x2800, 0x2800 },   { 0x3000, 0x3000 },   { 0x3164, 0x3164 },	  { 0xfe00, 0xfe0f },
	{ 0xfeff, 0xfeff },   { 0xffa0, 0xffa0 },   { 0xfff0, 0xfffb },	  { 0x13430, 0x13438 },
	{ 0x1bca0, 0x1bca3 }, { 0x1d173, 0x1d17a }, { 0xe0000, 0xe0fff },
};

bool escape_utf8_is_control(uint32_t cp)
{
	const struct range *r = search_last(unseen, ARRAY_SIZE(unseen), first, cp);

	return r && cp <= r->last;
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
	int n = escape_utf8_decode(s, len, &cp);

	return n && !escape_utf8_is_control(cp) ? n : 0;
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
