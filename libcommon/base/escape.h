/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * escape: which bytes of a string from elsewhere (the name of a process or of a file) may reach a
 * terminal as they are, and what is written in place of the others. out and json have it for data,
 * msg for what a tool says.
 */
#ifndef BORESCOPE_BASE_ESCAPE_H
#define BORESCOPE_BASE_ESCAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Decodes the UTF-8 sequence at @s (@len bytes left). Returns its length in bytes with the code
 * point in @cp, or 0 where it is not valid UTF-8 (overlong, surrogate, > U+10FFFF, truncated).
 */
int escape_utf8_decode(const char *s, size_t len, uint32_t *cp);

/* Must this code point not reach a terminal raw? These are C0, DEL, C1, the bidirectional controls,
 * and what can't be seen, or not be told from a space: two names must not look the same because of
 * them. */
bool escape_utf8_is_control(uint32_t cp);

#define ESCAPE_MAX 4

/* Writes what stands for the byte @c, \ooo or a C escape as \n, without a NUL. Returns its
 * length. */
int escape_byte(char text[ESCAPE_MAX], unsigned char c);

/*
 * Copies the @len bytes at @s, of which any may come from elsewhere: bytes that are not valid
 * UTF-8, NUL, and those of what escape_utf8_is_control() names, become escape_byte()'s. A
 * backslash stays, for the text around such a name has some of its own. Of what does not fit into
 * @size bytes, the end is left out, at the boundary of a character. Writes no NUL. Returns the
 * number of bytes.
 */
size_t escape_line(char *buf, size_t size, const char *s, size_t len);

#endif
