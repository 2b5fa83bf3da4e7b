/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "base/util.h"
#include "base/worker.h"
#include "symbols/accounts.h"

/* Of the time that passes, one part in so many. */
#define SHARE	    20
#define STALL_SHARE 20

static const int64_t credit[ACCOUNT_KINDS] = {
	[ACCOUNT_FILES] = 15 * NSEC_PER_SEC,
	[ACCOUNT_LOOKS] = NSEC_PER_SEC / 2,
};
#define CREDIT_OF_ALL ((int64_t)(60 * NSEC_PER_SEC))

void accounts_init(struct accounts *a, uint64_t now)
{
	*a = (struct accounts){ .all = { CREDIT_OF_ALL, now } };
}

static struct account *account_of(struct accounts *a, uint32_t uid, uint64_t now)
{
	struct account *user;
	unsigned int i;

	for (i = 0; i < a->nr && i < ACCOUNTS_USERS; i++)
		if (a->users[i].uid == uid)
			return &a->users[i];
	user = &a->users[i];
	if (a->nr > ACCOUNTS_USERS)
		return user;
	a->nr++;
	*user = (struct account){ .uid = uid };
	for (int kind = 0; kind < ACCOUNT_KINDS; kind++)
		user->balance[kind] = (struct balance){ credit[kind], now };
	return user;
}

static int64_t left(struct balance *b, int64_t most, uint64_t now)
{
	b->left += (now - b->since) / SHARE;
	b->since = now;
	if (b->left > most)
		b->left = most;
	return b->left;
}

bool accounts_allow(struct accounts *a, uint32_t uid, enum account_kind kind, uint64_t now)
{
	struct account *user = account_of(a, uid, now);
	bool ok = left(&user->balance[kind], credit[kind], now) > 0;

	if (kind == ACCOUNT_FILES)
		ok = !uid || (ok && left(&a->all, CREDIT_OF_ALL, now) > 0);
	return ok;
}

void accounts_charge(struct accounts *a, uint32_t uid, enum account_kind kind, uint64_t ns,
		     uint64_t now)
{
	account_of(a, uid, now)->balance[kind].left -= (int64_t)ns;
	if (uid && kind == ACCOUNT_FILES)
		a->all.left -= (int64_t)ns;
}

void accounts_stalled(struct accounts *a, dev_t dev, uint64_t stalled, pid_t killed, uint64_t now)
{
	struct stalled_device *d = NULL;

	for (unsigned int i = 0; i < ACCOUNTS_DEVICES && !d; i++)
		if (a->devices[i].until && a->devices[i].dev == dev)
			d = &a->devices[i];
	if (!d)
		d = &a->devices[a->next_device++ % ACCOUNTS_DEVICES];
	*d = (struct stalled_device){ dev, now + STALL_SHARE * stalled, killed };
}

bool accounts_is_stalled(const struct accounts *a, dev_t dev, uint64_t now)
{
	for (unsigned int i = 0; i < ACCOUNTS_DEVICES; i++) {
		const struct stalled_device *d = &a->devices[i];

		if (d->until && d->dev == dev)
			return now < d->until || worker_is_undead(d->killed);
	}
	return false;
}
