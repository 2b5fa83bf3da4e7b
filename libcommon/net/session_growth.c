/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <string.h>

#include "kernel/task_iter.h"
#include "net/session_growth.h"
#include "output/tally.h"

/* Sessions that are remembered, of 224 bytes each: of one that is not, nobody can tell by how much
 * it has grown. */
#define SESSIONS_MAX (1 << 18)
#define SESSIONS_FEW 4096

#define STATE_CLOSE 7 /* include/net/tcp_states.h */

static struct {
	struct tally *rows; /* NULL: nothing is set up yet */
	struct task_iter sockets;
	__u32 netns;
	__u32 looks;
	bool quiet; /* the first look, of which nothing is shown */
	bool over;  /* the last look was taken */
	int (*compare)(const void *, const void *);
} all;

/*
 * Where ends of sessions were lost, or have escaped us unseen, so that ever more are remembered,
 * two looks at all sockets, busy or not, tell which are no more. (Not one: before 5.15 a walk may
 * pass a socket over where its bucket changes meanwhile, 525e2f9fd022.)
 */
#define FULL_LOOKS 2
static struct {
	uint64_t lost;	   /* events, when it was looked last */
	size_t remembered; /* sessions, then */
	int looks;	   /* that are still to be taken */
	bool now;	   /* this look is one */
	bool told;	   /* those that are missing are among the lost events */
} full;

/* --- what is seen ------------------------------------------------------------------------- */

static bool set_up(void)
{
	if (!all.rows)
		all.rows = tally_new(sizeof(struct session_growth),
				     offsetof(struct session_growth, key),
				     sizeof(struct session_growth_key), SESSIONS_MAX);
	return all.rows;
}

/* NULL: there are too many, or there is no memory. */
static struct session_growth *find(const struct session_seen *seen)
{
	struct session_growth_key key = { .sock = seen->sock };
	struct session_growth *s;

	memcpy(&key.flow, &seen->flow, sizeof(key.flow)); /* with what lies between its members */
	s = tally_row(all.rows, &key);
	if (s && s->again) {
		key.again = s->again;
		s = tally_row(all.rows, &key);
	}
	if (!s || !s->ended)
		return s;
	/* another one has come to be at the same address meanwhile */
	key.again++;
	if (!tally_row(all.rows, &key))
		return NULL;
	key.again = 0;
	s = tally_row(all.rows, &key);
	key.again = ++s->again;
	return tally_row(all.rows, &key);
}

/* What only grows is not taken back: up to 5.14 a socket is not locked for a look. */
static __u64 grow(__u64 *total, __u64 now)
{
	__u64 before = *total;

	if (now <= before)
		return 0;
	*total = now;
	return now - before;
}

/* False also where it can't be told. */
static bool began_before(const struct session *s, uint64_t ns)
{
	return s->flags & SESSION_BEGAN && s->began < ns;
}

/* Returns its row; NULL: it is lost. */
static struct session_growth *account(struct run *r, const struct session_seen *seen)
{
	struct session_growth *s = set_up() ? find(seen) : NULL;
	const struct session *now = &seen->session;
	__u64 retransmits;

	if (!s) {
		run_lost(r, 1);
		return NULL;
	}
	/* of one that is older than this tool, and new to it all the same, nobody knows how much of
	 * that was carried since the last report */
	if (!s->report.head.ts && (all.quiet || began_before(now, r->started_ns)))
		s->session = *now;
	s->sent += grow(&s->session.sent, now->sent);
	s->received += grow(&s->session.received, now->received);
	retransmits = s->session.retransmits;
	s->retransmits += grow(&retransmits, now->retransmits);
	s->session.retransmits = retransmits;
	s->session.srtt = now->srtt;
	s->session.state = now->state;
	s->report.head = seen->head;
	s->owner = seen->owner;
	s->seen = all.looks;
	return s;
}

void session_growth_take(struct run *r, const struct session_seen *seen)
{
	account(r, seen);
}

/* What ended before the first look was over is not of this run; nor is what is of a namespace that
 * can't be looked at. */
bool session_growth_event(struct run *r, const void *event, size_t size)
{
	const struct session_seen *seen = event;
	struct session_growth *s;

	if (seen->head.ts < r->started_ns || (netns_refused() && !netns_visited(seen->flow.netns)))
		return false;
	s = account(r, seen);
	if (!s)
		return false;
	s->ended = true;
	s->session.state = STATE_CLOSE;
	s->shown = owner_passes(r, &s->owner, &s->report.head);
	return false;
}

/* --- looks -------------------------------------------------------------------------------- */

static void take(void *ctx, void *record, size_t size)
{
	session_growth_take(ctx, record);
}

static int look_there(void *ctx, struct netns *ns)
{
	struct run *r = ctx;
	const struct programs *programs = &r->object.programs;
	struct session_look look = { .since = full.now ? 0 : ns->mark, .quiet = all.quiet };
	int err = programs_write(programs, ".data.session", &look);

	if (!err)
		err = task_iter_read(&all.sockets, 0, offsetof(struct session_seen, size), take, r);
	if (!err)
		err = programs_read(programs, ".data.session", &look);
	if (!err)
		ns->mark = look.now;
	return err;
}

static int look(struct run *r)
{
	int err;

	all.looks++;
	full.now = all.quiet || full.looks > 0;
	full.looks -= full.looks > 0;
	err = netns_each(r, all.netns, look_there, r);
	if (err)
		error("cannot look at the sockets: %s", strerror(-err));
	return err;
}

void session_growth_configure(struct run *r, __u32 netns)
{
	all.netns = netns;
	owner_make_room(&r->object, OWNERS_MAX);
}

int session_growth_attach(struct run *r)
{
	const struct filter everything = { 0 };
	int prog = object_program(&r->object, "session_sockets");
	int err = task_iter_open(&all.sockets, prog, &everything);

	if (err) {
		error("cannot attach the iterator over sockets: %s", strerror(-err));
		return err;
	}
	all.quiet = true;
	err = look(r);
	all.quiet = false;
	return err;
}

void session_growth_detach(struct run *r)
{
	if (r->started_ns && look(r))
		run_fail(r);
	all.over = true;
	task_iter_close(&all.sockets);
}

/* --- reports ------------------------------------------------------------------------------ */

/* Is it one that nobody was found to have? Then it may not have been accepted yet; or it may have
 * been closed since the look, and its end, which we have yet to hear of, will tell who has had
 * it. */
static bool may_be_known_soon(struct session_growth *s)
{
	return !all.over && !s->waited && s->report.head.pid == EVENT_UNKNOWN;
}

/* Owners are asked for only where there is something to show. */
static bool choose(void *row, void *run)
{
	struct session_growth *s = row;
	bool grown = s->sent || s->received || s->retransmits;

	if (s->ended) {
		s->shown = s->shown && grown;
	} else if (grown) {
		s->shown = owner_passes(run, &s->owner, &s->report.head);
		s->waits = may_be_known_soon(s);
		s->shown = s->shown && !s->waits;
	}
	return s->shown || !s->ended;
}

static int compare(const void *a, const void *b)
{
	const struct session_growth *x = a, *y = b;

	if (x->shown != y->shown)
		return x->shown ? -1 : 1;
	return x->shown ? all.compare(x, y) : 0;
}

struct session_growth *session_growth_rows(struct run *r, int (*by)(const void *, const void *),
					   size_t *nr)
{
	struct session_growth *rows;
	size_t known;

	if (!set_up() || (!all.over && look(r)))
		return NULL;
	all.compare = by;
	tally_keep(all.rows, choose, r);
	rows = tally_sorted(all.rows, compare, &known);
	for (*nr = 0; *nr < known && rows[*nr].shown; ++*nr)
		;
	return rows;
}

/* Has it ended, and we were not told? */
static bool is_missing(struct session_growth *s)
{
	if (s->seen == all.looks)
		s->missing = 0;
	else if (full.now && netns_visited(s->key.flow.netns))
		s->missing++;
	return s->missing >= FULL_LOOKS;
}

static bool keep(void *row, void *run)
{
	struct session_growth *s = row;
	bool missing = !s->ended && is_missing(s);

	if (missing && !full.told)
		run_lost(run, 1);
	if (!s->waits)
		s->sent = s->received = s->retransmits = 0;
	s->waited |= s->waits;
	s->waits = s->shown = false;
	s->again = s->key.again = 0; /* all the others have ended */
	return !s->ended && !missing;
}

void session_growth_renew(struct run *r)
{
	size_t remembered = tally_keep(all.rows, keep, r);
	bool lost = run_lost_total(r) != full.lost;

	if (full.looks)
		return;
	if (full.now)
		full.remembered = remembered;
	full.told = lost;
	full.lost = run_lost_total(r);
	if (lost || remembered > 2 * full.remembered + SESSIONS_FEW)
		full.looks = FULL_LOOKS;
}
