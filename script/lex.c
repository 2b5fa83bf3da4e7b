/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <string.h>

#include "base/util.h"
#include "script/lex.h"

bool lex_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool lex_is_name_start(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool lex_is_name(char c)
{
	return lex_is_name_start(c) || lex_is_digit(c);
}

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The byte so many places ahead; NUL where there is none. */
static char ahead(const struct lexer *lx, uint32_t n)
{
	return lx->end - lx->at > n ? lx->text[lx->at + n] : 0;
}

__attribute__((format(printf, 4, 5))) static void fail(struct lexer *lx, uint32_t from, uint32_t to,
						       const char *fmt, ...)
{
	va_list args;

	lx->failed = true;
	if (lx->quiet || from < lx->reported)
		return;
	lx->reported = from + 1;
	va_start(args, fmt);
	source_verror(lx->src, (struct span){ from, to }, fmt, args);
	va_end(args);
}

/* --- blanks and comments --- */

static void skip_comment(struct lexer *lx)
{
	uint32_t from = lx->at;
	const char *end;

	if (ahead(lx, 1) == '/') {
		end = memchr(lx->text + lx->at, '\n', lx->end - lx->at);
		lx->at = end ? (uint32_t)(end - lx->text) : lx->end;
		return;
	}
	end = memmem(lx->text + lx->at + 2, lx->end - lx->at - 2, "*/", 2);
	if (end) {
		lx->at = end + 2 - lx->text;
		return;
	}
	fail(lx, from, from + 2, "this comment has no end: */ is missing");
	lx->open_comment = true;
	lx->at = lx->end;
}

void lex_blank(struct lexer *lx)
{
	while (lx->at < lx->end) {
		if (is_blank(lx->text[lx->at]))
			lx->at++;
		else if (lx->text[lx->at] == '/' && (ahead(lx, 1) == '/' || ahead(lx, 1) == '*'))
			skip_comment(lx);
		else if (lx->text[lx->at] == '\\' && ahead(lx, 1) == '\n')
			lx->at += 2; /* as in a shell's command: the line goes on */
		else
			return;
	}
}

/* May there be a path behind this first part of a probe's name? It is one of user space, or of an
 * iterator, or not known. */
static bool may_have_path(const char *part, uint32_t len)
{
	if (memchr(part, '=', len) || memchr(part, '*', len))
		return true;
	if (*part == 'i')
		return len > 1 && part[1] == 't';
	return !strchr("bBeEkrtfpsh", *part);
}

uint32_t lex_probe_end(const char *text, uint32_t at, uint32_t end)
{
	uint32_t from = at;
	bool colon = false, path = false;

	for (; at < end; at++) {
		char c = text[at];

		if (c == '"') {
			for (at++; at < end && text[at] != '"' && text[at] != '\n'; at++)
				if (text[at] == '\\' && at + 1 < end)
					at++;
			if (at >= end)
				return end;
		} else if (is_blank(c) || c == ',' || c == '{' || (c == '/' && !path)) {
			return at;
		} else if (c == ':') {
			path = colon ? path : may_have_path(text + from, at - from);
			colon = true;
		}
	}
	return end;
}

/* --- numbers --- */

static const struct suffix {
	const char *text;
	uint64_t factor;
	bool is_unsigned;
} suffixes[] = {
	{ "", 1 },
	{ "ns", 1 },
	{ "us", 1000 },
	{ "ms", 1000 * 1000 },
	{ "s", 1000 * 1000 * 1000 },
	{ "m", 60ull * 1000 * 1000 * 1000 },
	{ "h", 3600ull * 1000 * 1000 * 1000 },
	{ "d", 86400ull * 1000 * 1000 * 1000 },
	{ "u", 1, true },
	{ "ul", 1, true },
	{ "lu", 1, true },
	{ "ull", 1, true },
	{ "llu", 1, true },
	{ "l", 1 },
	{ "ll", 1 },
};

static const struct suffix *find_suffix(const char *s, size_t len)
{
	char lower[4] = "";

	if (len >= sizeof(lower))
		return NULL;
	for (size_t i = 0; i < len; i++)
		lower[i] = s[i];
	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++)
		if (!strcmp(lower, suffixes[i].text))
			return &suffixes[i];
	/* those of C may be in capitals, too; of time they may not: 1M would be a riddle */
	for (size_t i = 0; i < len; i++) {
		if (lower[i] == 'U' || lower[i] == 'L')
			lower[i] += 'a' - 'A';
		else if (lower[i] != 'u' && lower[i] != 'l')
			return NULL;
	}
	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++)
		if (!strcmp(lower, suffixes[i].text))
			return &suffixes[i];
	return NULL;
}

static unsigned digit_of(char c)
{
	if (lex_is_digit(c))
		return c - '0';
	c |= 'a' - 'A';
	return c >= 'a' && c <= 'f' ? 10u + c - 'a' : 99;
}

#define TOO_BIG "this number does not fit into 64 bits"

/* Digits with _ between them, from *@at on. */
static const char *read_digits(const char *s, size_t len, size_t *at, unsigned base,
			       uint64_t *value)
{
	size_t from = *at;
	bool over = false;

	*value = 0;
	while (*at < len && (s[*at] == '_' || digit_of(s[*at]) < base)) {
		if (s[*at] != '_') {
			over |= __builtin_mul_overflow(*value, base, value);
			over |= __builtin_add_overflow(*value, digit_of(s[*at]), value);
		}
		++*at;
	}
	if (*at == from)
		return "digits are missing in this number";
	if (s[*at - 1] == '_')
		return "this number ends with a '_'";
	return over ? TOO_BIG : NULL;
}

static const char *read_exponent(const char *s, size_t len, size_t *at, uint64_t *value)
{
	uint64_t exponent;
	const char *wrong;

	++*at;
	wrong = read_digits(s, len, at, 10, &exponent);
	if (wrong)
		return wrong;
	for (; exponent && *value; exponent--)
		if (__builtin_mul_overflow(*value, (uint64_t)10, value))
			return TOO_BIG;
	return NULL;
}

const char *lex_number(const char *s, size_t len, uint64_t *value, bool *is_unsigned,
		       bool *is_negative)
{
	const struct suffix *suffix;
	unsigned base = 10;
	const char *wrong;
	size_t at = 0;

	*is_unsigned = false;
	if (is_negative) {
		*is_negative = len && *s == '-';
		at += *is_negative;
	}
	if (at < len && !lex_is_digit(s[at]))
		return "this is not a number";
	if (len - at > 1 && s[at] == '0' && (s[at + 1] | 0x20) == 'x')
		base = 16;
	else if (len - at > 1 && s[at] == '0' && (s[at + 1] | 0x20) == 'b')
		base = 2;
	else if (len - at > 1 && s[at] == '0' && (lex_is_digit(s[at + 1]) || s[at + 1] == '_'))
		base = 8;
	at += base == 16 || base == 2 ? 2 : 0;
	wrong = read_digits(s, len, &at, base, value);
	if (wrong)
		return wrong;
	if (base == 8 && at < len && lex_is_digit(s[at]))
		return "a number that begins with 0 is octal: its digits are 0 to 7";
	if (base == 10 && at < len && (s[at] | 0x20) == 'e') {
		wrong = read_exponent(s, len, &at, value);
		if (wrong)
			return wrong;
	}
	suffix = find_suffix(s + at, len - at);
	if (!suffix)
		return "this number ends with something that is no suffix: these are ns, us, ms, "
		       "s, m, h, d, "
		       "u, l, ul, ll, ull";
	if (__builtin_mul_overflow(*value, suffix->factor, value))
		return TOO_BIG;
	*is_unsigned = suffix->is_unsigned || *value > INT64_MAX;
	if (is_negative && *is_negative) {
		if (*value > (uint64_t)INT64_MAX + 1)
			return TOO_BIG;
		*value = -*value;
		*is_unsigned = false;
	}
	return NULL;
}

static void number_token(struct lexer *lx, struct token *t)
{
	const char *s = lx->text + lx->at;
	const char *wrong;
	uint32_t len = 0;

	while (lx->at + len < lx->end && lex_is_name(s[len]))
		len++;
	lx->at += len;
	wrong = lex_number(s, len, &t->value, &t->is_unsigned, NULL);
	t->kind = TOKEN_INT;
	if (wrong) {
		fail(lx, t->span.from, lx->at, "%s", wrong);
		t->kind = TOKEN_BAD;
	}
}

/* --- strings --- */

/* One escape, behind its '\'; returns how many bytes it is, 0: it is none. */
static uint32_t read_escape(const char *s, uint32_t len, char *byte)
{
	static const char letters[] = "abefnrtv\"'\\?", values[] = "\a\b\033\f\n\r\t\v\"'\\?";
	const char *letter;
	unsigned value = 0;
	uint32_t n = 0;

	if (!len)
		return 0;
	if (*s >= '0' && *s <= '7') {
		for (; n < 3 && n < len && s[n] >= '0' && s[n] <= '7'; n++)
			value = value * 8 + s[n] - '0';
		*byte = (char)value;
		return value > 255 ? 0 : n;
	}
	if (*s == 'x' || *s == 'X') {
		for (n = 1; n < 3 && n < len && digit_of(s[n]) < 16; n++)
			value = value * 16 + digit_of(s[n]);
		*byte = (char)value;
		return n > 1 ? n : 0;
	}
	letter = *s ? strchr(letters, *s) : NULL;
	if (!letter)
		return 0;
	*byte = values[letter - letters];
	return 1;
}

/* Where the string that begins behind its '"' ends; the lexer's end: nowhere. */
static uint32_t string_end(const struct lexer *lx)
{
	uint32_t at = lx->at;

	while (at < lx->end && lx->text[at] != '"' && lx->text[at] != '\n')
		at += lx->text[at] == '\\' && at + 1 < lx->end && lx->text[at + 1] != '\n' ? 2 : 1;
	return at;
}

static void string_token(struct lexer *lx, struct token *t)
{
	uint32_t end;
	char *to;

	lx->at++;
	end = string_end(lx);
	if (end >= lx->end || lx->text[end] != '"') {
		fail(lx, t->span.from, end, "this text has no end: \" is missing");
		lx->at = end;
		t->kind = TOKEN_BAD;
		return;
	}
	t->kind = TOKEN_STRING;
	to = arena_alloc(lx->src->arena, end - lx->at + 1);
	t->text = to;
	while (lx->at < end) {
		uint32_t n;

		if (lx->text[lx->at] != '\\') {
			*to++ = lx->text[lx->at++];
			continue;
		}
		n = read_escape(lx->text + lx->at + 1, end - lx->at - 1, to);
		if (!n)
			fail(lx, lx->at, lx->at + 2, "there is no such escape in texts");
		else
			to++;
		lx->at += n ? 1 + n : 2;
	}
	t->length = to - t->text;
	lx->at = end + 1;
}

/* --- all words --- */

static const struct sign {
	char text[4];
	int kind;
} signs[] = {
	{ "<<=", TOKEN_SHL_ASSIGN }, { ">>=", TOKEN_SHR_ASSIGN }, { "...", TOKEN_ELLIPSIS },
	{ "->", TOKEN_ARROW },	     { "++", TOKEN_INCREMENT },	  { "--", TOKEN_DECREMENT },
	{ "&&", TOKEN_LOGICAL_AND }, { "||", TOKEN_LOGICAL_OR },  { "==", TOKEN_EQ },
	{ "!=", TOKEN_NE },	     { "<=", TOKEN_LE },	  { ">=", TOKEN_GE },
	{ "<<", TOKEN_SHL },	     { ">>", TOKEN_SHR },	  { "+=", TOKEN_ADD_ASSIGN },
	{ "-=", TOKEN_SUB_ASSIGN },  { "*=", TOKEN_MUL_ASSIGN },  { "/=", TOKEN_DIV_ASSIGN },
	{ "%=", TOKEN_MOD_ASSIGN },  { "&=", TOKEN_AND_ASSIGN },  { "|=", TOKEN_OR_ASSIGN },
	{ "^=", TOKEN_XOR_ASSIGN },  { "..", TOKEN_RANGE },
};

static void sign_token(struct lexer *lx, struct token *t)
{
	char c = lx->text[lx->at];

	for (size_t i = 0; i < ARRAY_SIZE(signs); i++) {
		size_t len = strlen(signs[i].text);

		if (lx->end - lx->at >= len && !memcmp(lx->text + lx->at, signs[i].text, len)) {
			lx->at += len;
			t->kind = signs[i].kind;
			return;
		}
	}
	if (c && strchr("+-*/%&|^~!<>=?:;,.(){}[]#", c)) {
		lx->at++;
		t->kind = c;
		return;
	}
	/* all that follows and is no better: one mistake */
	do
		lx->at++;
	while (lx->at < lx->end && (lx->text[lx->at] <= 0 || lx->text[lx->at] == c));
	fail(lx, t->span.from, lx->at, "this has no meaning here");
	t->kind = TOKEN_BAD;
}

static const char *take_name(struct lexer *lx)
{
	uint32_t from = lx->at;

	while (lx->at < lx->end && lex_is_name(lx->text[lx->at]))
		lx->at++;
	return arena_strndup(lx->src->arena, lx->text + from, lx->at - from);
}

static void dollar_token(struct lexer *lx, struct token *t)
{
	bool is_unsigned;

	lx->at++;
	if (ahead(lx, 0) == '#') {
		lx->at++;
		t->kind = TOKEN_COUNT;
	} else if (lex_is_digit(ahead(lx, 0))) {
		const char *digits = take_name(lx);
		const char *wrong = NULL;

		for (const char *d = digits; *d; d++)
			if (!lex_is_digit(*d))
				wrong = "this is no parameter: they are $1, $2 ...";
		if (!wrong && *digits == '0')
			wrong = "the first parameter is $1";
		if (!wrong)
			wrong = lex_number(digits, strlen(digits), &t->value, &is_unsigned, NULL);
		t->kind = TOKEN_POSITIONAL;
		if (wrong) {
			fail(lx, t->span.from, lx->at, "%s", wrong);
			t->kind = TOKEN_BAD;
		}
	} else if (lex_is_name_start(ahead(lx, 0))) {
		t->name = take_name(lx);
		t->kind = TOKEN_VARIABLE;
	} else {
		fail(lx, t->span.from, lx->at, "a name is missing behind '$'");
		t->kind = TOKEN_BAD;
	}
}

void lex_token(struct lexer *lx, struct token *t)
{
	char c;

	lex_blank(lx);
	*t = (struct token){ .kind = TOKEN_END, .span = { lx->at, lx->at } };
	if (lx->at >= lx->end)
		return;
	c = lx->text[lx->at];
	if (lex_is_name_start(c)) {
		t->kind = TOKEN_NAME;
		t->name = take_name(lx);
	} else if (lex_is_digit(c)) {
		number_token(lx, t);
	} else if (c == '"') {
		string_token(lx, t);
	} else if (c == '$') {
		dollar_token(lx, t);
	} else if (c == '@') {
		lx->at++;
		t->kind = TOKEN_MAP;
		t->name = lex_is_name_start(ahead(lx, 0)) ? take_name(lx) : "";
	} else {
		sign_token(lx, t);
	}
	t->span.to = lx->at;
}

const char *lex_describe(struct lexer *lx, const struct token *t)
{
	uint32_t len = t->span.to - t->span.from;

	if (t->kind == TOKEN_END)
		return "the end";
	if (t->kind == TOKEN_STRING)
		return "a text";
	if (len > 40)
		return arena_printf(lx->src->arena, "'%.40s..'", lx->text + t->span.from);
	return arena_printf(lx->src->arena, "'%.*s'", (int)len, lx->text + t->span.from);
}
