/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <stdio.h>
#include <string.h>

#include "run/complete.h"

/* By its whole name, or by a beginning that no other one has, as getopt_long(3) finds it. */
static const struct opt *by_name(const struct complete *c, const char *name, size_t len)
{
	const struct opt *found = NULL;
	int nr = 0;

	for (int i = 0; i < c->nr; i++) {
		const struct opt *o = &c->options[i];

		if (!o->name || strncmp(o->name, name, len))
			continue;
		if (!o->name[len])
			return o;
		found = o;
		nr++;
	}
	return nr == 1 ? found : NULL;
}

static const struct opt *by_letter(const struct complete *c, char letter)
{
	for (int i = 0; i < c->nr; i++)
		if (c->options[i].letter == letter)
			return &c->options[i];
	return NULL;
}

static bool is_option(const char *word)
{
	return word[0] == '-' && word[1];
}

/* The option in @word whose argument is the next word; NULL: there is none. */
static const struct opt *awaits(const struct complete *c, const char *word)
{
	const struct opt *o = NULL;

	if (!is_option(word) || (word[1] == '-' && strchr(word, '=')))
		return NULL;
	if (word[1] == '-') {
		o = by_name(c, word + 2, strlen(word + 2));
		return o && o->arg ? o : NULL;
	}
	while (*++word) {
		o = by_letter(c, *word);
		if (!o || o->arg)
			return o && !word[1] ? o : NULL;
	}
	return NULL;
}

static bool is_arg(const struct opt *opt, const char *arg)
{
	return opt->arg && !strcmp(opt->arg, arg);
}

/* The value of @opt, of which @typed is there, behind the first @len bytes of @word. */
static void offer_value(struct offers *o, const struct opt *opt, const char *word, int len)
{
	const char *comma = opt->arg && strstr(opt->arg, "[,") ? strrchr(word + len, ',') : NULL;

	if (comma)
		len = (int)(comma + 1 - word);
	o->before = word;
	o->before_len = len;
	o->typed = word + len;
	if (opt->choices)
		offers_words(o, opt->choices);
	if (opt->offer)
		opt->offer(o);
	if (is_arg(opt, "FILE"))
		o->end = "files";
	if (is_arg(opt, "DIR"))
		o->end = "dirs";
}

static void offer_options(struct offers *o, const struct complete *c)
{
	char word[64];

	for (int i = 0; i < c->nr; i++) {
		const struct opt *opt = &c->options[i];

		if (!opt->help)
			continue;
		snprintf(word, sizeof(word), "--%s", opt->name ?: "");
		if (!opt->name || (opt->letter && o->typed[0] == '-' && !o->typed[1]))
			snprintf(word, sizeof(word), "-%c", opt->letter);
		offers_add(o, word, opt->help);
		if (opt->name && word[1] != '-') {
			snprintf(word, sizeof(word), "--%s", opt->name);
			offers_add(o, word, opt->help);
		}
	}
}

/* An option that is being typed: its name, or its value behind "=". */
static void offer_option(struct offers *o, const struct complete *c, const char *word)
{
	const char *equals = word[1] == '-' ? strchr(word, '=') : NULL;
	const struct opt *opt = equals ? by_name(c, word + 2, equals - word - 2) : NULL;
	const struct opt *letter = word[1] && !word[2] ? by_letter(c, word[1]) : NULL;

	if (opt && opt->arg)
		offer_value(o, opt, word, (int)(equals + 1 - word));
	else if (letter)
		offers_add(o, word, letter->help);
	else if (!equals)
		offer_options(o, c);
}

/* Positional argument number @nr. */
static void offer_positional(struct offers *o, const struct complete *c, const char *word, int nr)
{
	for (const struct opt *p = c->positional; p && p->name; p++)
		if (!nr--)
			offer_value(o, p, word, 0);
}

void complete_print(const struct complete *c, int argc, char **argv)
{
	const char *word = argc ? argv[argc - 1] : "";
	struct offers o = { .before = "", .typed = word };
	const struct opt *value_of = NULL;
	int nr = 0, first = argc - 1; /* positional arguments, and where the first one is */
	bool ended = false;	      /* no options follow */

	for (int i = 0; i < argc - 1; i++) {
		bool given = value_of;

		value_of = given || ended ? NULL : awaits(c, argv[i]);
		if (given || (!ended && is_option(argv[i]) && strcmp(argv[i], "--")))
			continue;
		if (!ended && !strcmp(argv[i], "--")) {
			ended = true;
			continue;
		}
		first = nr++ ? first : i;
		ended = ended || c->options_first;
	}
	if (value_of)
		offer_value(&o, value_of, word, 0);
	else if (!ended && word[0] == '-')
		offer_option(&o, c, word);
	else if (c->rest)
		c->rest(&o, argc - first, argv + first);
	else
		offer_positional(&o, c, word, nr);
	if (o.end)
		printf(":%s\n", o.end);
}
