/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * parser: what all parts of the parser stand on: the word that comes next, what is expected, and
 * one message for one mistake.
 */
#ifndef BORESCOPE_SCRIPT_PARSER_H
#define BORESCOPE_SCRIPT_PARSER_H

#include "script/lex.h"
#include "script/names.h"
#include "script/node.h"

/* How deep blocks, parentheses and signs may nest: what reads them calls itself. */
#define PARSER_DEPTH_MAX 200
/* Words of a script, with those that #define puts in: what is made of them takes memory. */
#define PARSER_WORDS_MAX 1000000

/* #define NAME text */
struct define {
	const char *name;
	struct span at;	  /* of the name */
	struct span body; /* the text, without blanks around it */
	bool has_arguments;
	bool is_constant; /* it is an integer: .value; script.constants has it */
	int64_t value;
	bool open;     /* being read, so that it can't be part of itself */
	bool is_wrong; /* which was said */
};

struct parser {
	struct lexer lx;
	struct source *src;
	struct arena *arena;
	struct token token; /* comes next, if .have */
	bool have;
	struct span last; /* of the word before */
	/* A mistake was said, and what follows is not: up to the ';' or '}' behind it. */
	bool panic;
	unsigned depth;
	unsigned *words; /* that were read, also where they were read again */
	const struct positional *positional;
	struct names *defines;	 /* of struct define; NULL: none */
	struct names *types;	 /* names that the script's own typedefs have; NULL: none */
	bool in_predicate;	 /* and in no parentheses: a '/' in front of '{' ends it */
	bool as_text;		 /* str($1): a parameter is a text here */
	const char *define_text; /* where the texts of .defines are */
	/* Reads a block or an if, for those that stand where a value is wanted: the parser of
	 * statements. NULL: there are none here. */
	struct node *(*statement)(struct parser *p);
};

/* Reads @span of @text: of the source, or with blanks in the place of what is not to be read. */
void parser_init(struct parser *p, struct source *src, const char *text, struct span span);

/* There were too many words, which was said: all that comes is the end. */
bool parser_is_full(const struct parser *p);

/* The word that comes next, and its kind. */
const struct token *parser_peek(struct parser *p);
int parser_kind(struct parser *p);
/* Takes it. */
struct token parser_take(struct parser *p);
/* Takes it if it is of this kind. */
bool parser_accept(struct parser *p, int kind);
/* Is it this name? */
bool parser_is_word(struct parser *p, const char *word);
bool parser_accept_word(struct parser *p, const char *word);
/* Takes it, or says that @what ("';'") was expected. */
bool parser_expect(struct parser *p, int kind, const char *what);

/* From @from to the word that was taken last, which may have been one before. */
struct span parser_span(const struct parser *p, struct span from);

/* Back to where @saved was, for what can only be known by trying; what was said stays said. */
void parser_rewind(struct parser *p, const struct parser *saved);

/* Says what is wrong, once, until parser_recover(). */
void parser_error(struct parser *p, struct span at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* "expected WHAT, not 'x'", at the word that comes next. */
void parser_unexpected(struct parser *p, const char *what);
/* After a mistake: goes behind the next ';', or in front of the next '}' of this block, from where
 * on mistakes are said again; or to the end. */
void parser_recover(struct parser *p);
/* Over all up to the bracket that closes the one that comes next. False: there is none. */
bool parser_skip_brackets(struct parser *p);

/* One level deeper; false: that is too deep, which is said. parser_leave() in any case. */
bool parser_enter(struct parser *p);
void parser_leave(struct parser *p);

/* A node that is complete. Where it is too high, that is said, and another one takes its place. */
struct node *parser_done(struct parser *p, struct node *n);

#endif
