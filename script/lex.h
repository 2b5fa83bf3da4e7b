/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * lex: the words of a script. Of code they are read by lex_token(). Lists of probes are another
 * language, in which a path may hold what begins a comment elsewhere: lex_probe_end().
 */
#ifndef BORESCOPE_SCRIPT_LEX_H
#define BORESCOPE_SCRIPT_LEX_H

#include "script/source.h"

/* What is one character has its code; these are all others. */
enum token_kind {
	TOKEN_END = 256,
	TOKEN_BAD,	  /* was said already */
	TOKEN_NAME,	  /* .name */
	TOKEN_INT,	  /* .value, .is_unsigned */
	TOKEN_STRING,	  /* .text, .length: escapes are done */
	TOKEN_VARIABLE,	  /* $x: .name */
	TOKEN_MAP,	  /* @x: .name, "" for @ */
	TOKEN_POSITIONAL, /* $1: .value */
	TOKEN_COUNT,	  /* $# */
	TOKEN_ARROW,
	TOKEN_INCREMENT,
	TOKEN_DECREMENT,
	TOKEN_LOGICAL_AND,
	TOKEN_LOGICAL_OR,
	TOKEN_EQ,
	TOKEN_NE,
	TOKEN_LE,
	TOKEN_GE,
	TOKEN_SHL,
	TOKEN_SHR,
	TOKEN_ADD_ASSIGN, /* from here on in the order of enum op */
	TOKEN_SUB_ASSIGN,
	TOKEN_MUL_ASSIGN,
	TOKEN_DIV_ASSIGN,
	TOKEN_MOD_ASSIGN,
	TOKEN_AND_ASSIGN,
	TOKEN_OR_ASSIGN,
	TOKEN_XOR_ASSIGN,
	TOKEN_SHL_ASSIGN,
	TOKEN_SHR_ASSIGN,
	TOKEN_RANGE,	/* .. */
	TOKEN_ELLIPSIS, /* ... */
};

struct token {
	int kind;
	struct span span;
	const char *name;
	uint64_t value;
	bool is_unsigned;
	const char *text;
	size_t length;
};

struct lexer {
	struct source *src;
	const char *text; /* of the source, or with blanks in the place of what is not to be read */
	uint32_t at, end;
	bool quiet;	   /* errors are not said; */
	bool failed;	   /* but there was one */
	bool open_comment; /* a comment has no end, so everything is part of it */
	uint32_t reported; /* errors before this place were said: a word may be read twice */
};

/* The next word; TOKEN_END at the end, as often as it is asked for. */
void lex_token(struct lexer *lx, struct token *t);
/* Goes to the next word, over blanks and comments. */
void lex_blank(struct lexer *lx);

/*
 * The end of the name of a probe that begins at @at: before a blank, a comma, '{', or a '/' that
 * begins a predicate or a comment, since there can't be a path; outside of quotation marks.
 */
uint32_t lex_probe_end(const char *text, uint32_t at, uint32_t end);

/* The text of @t as it is written: "'+='", "a name", for messages. In the arena. */
const char *lex_describe(struct lexer *lx, const struct token *t);

/* A number and nothing else: decimal, 0x, octal, 1e6, 1_000, with a suffix of C or of time. Also a
 * '-' in front if @is_negative is not NULL. NULL, or what is wrong with it. */
const char *lex_number(const char *text, size_t len, uint64_t *value, bool *is_unsigned,
		       bool *is_negative);

bool lex_is_name_start(char c);
bool lex_is_name(char c); /* or a digit */
bool lex_is_digit(char c);

#endif
