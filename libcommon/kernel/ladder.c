/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/msg.h"
#include "kernel/ladder.h"

void ladder_init(struct ladder *l, const struct probe *probes)
{
	*l = (struct ladder){ .probes = probes };
	for (int i = 0; i < PROBES_MAX; i++)
		l->rung[i] = -1;
}

static bool is_probe(const struct ladder *l, int i)
{
	return i < PROBES_MAX && l->probes[i].name;
}

static bool has_rung(const struct probe *p, int rung)
{
	return rung < PROBE_RUNGS && p->rungs[rung];
}

const char *ladder_rung(const struct ladder *l, int i)
{
	return l->rung[i] < 0 ? NULL : l->probes[i].rungs[l->rung[i]];
}

int ladder_find(const struct ladder *l, const char *probe)
{
	for (int i = 0; is_probe(l, i); i++)
		if (!strcmp(l->probes[i].name, probe))
			return i;
	return -1;
}

/* The probe whose rung in use has this program; -1: none. */
static int probe_of(const struct ladder *l, const char *program)
{
	for (int i = 0; is_probe(l, i); i++) {
		char name[PROBE_PROGRAM_LEN];
		const char *at = ladder_rung(l, i);

		while (at && probe_next_program(&at, name))
			if (!strcmp(name, program))
				return i;
	}
	return -1;
}

bool ladder_uses(const struct ladder *l, const char *program)
{
	return probe_of(l, program) >= 0;
}

/* Of a rung, what the worst of its programs has. */
static enum place_gaps rung_gaps(const struct ladder_asks *asks, const char *rung, const char **why)
{
	enum place_gaps worst = PLACE_SEES_ALL;
	char name[PROBE_PROGRAM_LEN];
	struct place place;

	while (asks->gaps && probe_next_program(&rung, name)) {
		const char *this_why = NULL;
		enum place_gaps gaps = asks->place(asks->ctx, name, &place)
					       ? asks->gaps(asks->ctx, &place, &this_why)
					       : PLACE_SEES_ALL;

		if (gaps > worst) {
			worst = gaps;
			*why = this_why;
		}
	}
	return worst;
}

static const char *rung_refusal(const struct ladder_asks *asks, const char *rung)
{
	char name[PROBE_PROGRAM_LEN];
	struct place place;

	while (probe_next_program(&rung, name)) {
		const char *why = asks->place(asks->ctx, name, &place)
					  ? asks->refusal(asks->ctx, &place)
					  : "it was not built";

		if (why) {
			debug("%s is ruled out: %s", name, why);
			return why;
		}
	}
	return NULL;
}

/* Has one of the first @n probes a rung? */
static bool any_granted(const struct ladder *l, int n)
{
	while (n--)
		if (l->rung[n] >= 0)
			return true;
	return false;
}

/* The first of @programs that is in use; its name is in @name. */
static bool seen_already(const struct ladder *l, const char *programs, char *name)
{
	while (probe_next_program(&programs, name))
		if (ladder_uses(l, name))
			return true;
	return false;
}

static bool is_wanted(const struct ladder *l, int i)
{
	const struct probe *p = &l->probes[i];
	char name[PROBE_PROGRAM_LEN];

	if ((p->when && !*p->when) || (p->instead && any_granted(l, i)))
		return false;
	if (p->unless && seen_already(l, p->unless, name)) {
		debug("%s: %s sees it, too", p->name, name);
		return false;
	}
	return true;
}

/* Is there a probe behind it that may be used instead? */
static bool has_substitute(const struct ladder *l, int i)
{
	while (is_probe(l, ++i))
		if (l->probes[i].instead)
			return true;
	return false;
}

static void rule_out(struct ladder *l, int i, int rung, const char *why)
{
	l->ruled_out[i] |= 1 << rung;
	if (l->why[i])
		return;
	l->why[i] = why;
	l->best[i] = rung;
}

/* The best rung that nothing speaks against; of those that don't see everything, the one that sees
 * most. -1: there is none. */
static int best_rung(struct ladder *l, const struct ladder_asks *asks, int i)
{
	enum place_gaps least = PLACE_HAS_GAPS + 1;
	const struct probe *p = &l->probes[i];
	int best = -1;

	for (int rung = 0; has_rung(p, rung) && least > PLACE_SEES_ALL; rung++) {
		enum place_gaps gaps;
		const char *why;

		if (l->ruled_out[i] & 1 << rung)
			continue;
		why = rung_refusal(asks, p->rungs[rung]);
		if (why) {
			rule_out(l, i, rung, why);
			continue;
		}
		gaps = rung_gaps(asks, p->rungs[rung], &why);
		if (gaps)
			debug("%s waits for a better one: %s", p->rungs[rung], why);
		if (gaps < least) {
			least = gaps;
			best = rung;
		}
	}
	return best;
}

/* What a rung is called when a tool says which one it uses: where its first program runs; if that
 * was not built, by the program's name. */
static void rung_text(const struct ladder_asks *asks, const char *rung, char *text, size_t size)
{
	char name[PROBE_PROGRAM_LEN];
	struct place place;

	text[0] = '\0';
	if (!probe_next_program(&rung, name))
		return;
	if (!asks->place(asks->ctx, name, &place))
		snprintf(text, size, "%s", name);
	else if (place.name && *place.name)
		snprintf(text, size, "%s/%s", place.type, place.name);
	else
		snprintf(text, size, "%s", place.type);
}

static bool is_replaced(const struct ladder *l, int i)
{
	while (is_probe(l, ++i))
		if (l->probes[i].instead && l->rung[i] >= 0)
			return true;
	return false;
}

static void tell_choice(const struct ladder *l, const struct ladder_asks *asks, int i,
			struct ladder_choice *c)
{
	const struct probe *p = &l->probes[i];
	int first = p->instead ? 0 : i; /* whose best rung that would have been */

	*c = (struct ladder_choice){ .probe = p->name, .why = l->why[first] };
	if (c->why)
		rung_text(asks, l->probes[first].rungs[l->best[first]], c->best, sizeof(c->best));
	c->replaced = l->rung[i] < 0 && is_replaced(l, i);
	if (l->rung[i] < 0)
		return;
	rung_text(asks, ladder_rung(l, i), c->used, sizeof(c->used));
	rung_gaps(asks, ladder_rung(l, i), &c->gaps);
	c->less = (c->why && l->rung[i] > l->best[i]) || p->instead;
}

bool ladder_choice(const struct ladder *l, const struct ladder_asks *asks, int i,
		   struct ladder_choice *c)
{
	if (!is_probe(l, i) || (l->rung[i] < 0 && !l->why[i]))
		return false;
	tell_choice(l, asks, i, c);
	return true;
}

/* Says which rung is in use, when a better one was ruled out. */
static void say_rung(struct ladder *l, const struct ladder_asks *asks, int i)
{
	const struct probe *p = &l->probes[i];
	struct ladder_choice c;

	tell_choice(l, asks, i, &c);
	if (c.less && !l->said[i] && !p->later && !(p->optional && c.why == l->told)) {
		note("%s is not available (%s): using %s", c.best, c.why, c.used);
		l->told = c.why;
	}
	debug("%s: using %s", p->name, c.used);
	l->said[i] = true;
}

int ladder_choose(struct ladder *l, const struct ladder_asks *asks)
{
	for (int i = 0; i < PROBES_MAX; i++)
		l->rung[i] = -1;
	for (int i = 0; is_probe(l, i); i++) {
		const struct probe *p = &l->probes[i];

		if (!is_wanted(l, i))
			continue;
		l->rung[i] = best_rung(l, asks, i);
		if (l->rung[i] >= 0) {
			say_rung(l, asks, i);
		} else if (p->optional) {
			debug("%s: %s: %s", p->name,
			      has_substitute(l, i) ? "no probe of its own" : "not seen here",
			      l->why[i]);
		} else {
			error("cannot see %s on this kernel: %s", p->name,
			      l->why[i] ? l->why[i] : "no probe is granted");
			return -ENOTSUP;
		}
	}
	return 0;
}

static bool any_left(const struct ladder *l, int i)
{
	for (int rung = 0; has_rung(&l->probes[i], rung); rung++)
		if (!(l->ruled_out[i] & 1 << rung))
			return true;
	return false;
}

bool ladder_step_down(struct ladder *l, const char *program, const char *why)
{
	int i = probe_of(l, program);

	if (i < 0)
		return false;
	debug("%s: %s", program, why);
	rule_out(l, i, l->rung[i], why);
	l->said[i] = false;
	return l->probes[i].optional || any_left(l, i);
}
