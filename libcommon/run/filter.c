/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <pwd.h>
#include <string.h>

#include "base/cgroup.h"
#include "base/number.h"
#include "run/filter.h"
#include "lib/core/events.shared.h"

/* PID[,PID...], behind the @nr that are in @ids. */
static bool parse_ids(const char *text, __u32 *ids, __u32 *nr)
{
	char one[16];

	for (;;) {
		size_t len = strcspn(text, ",");
		uint64_t id;

		if (!len || len >= sizeof(one) || *nr == FILTER_IDS_MAX)
			return false;
		memcpy(one, text, len);
		one[len] = '\0';
		if (!number_parse(one, 1, 0x7fffffff, &id))
			return false;
		ids[(*nr)++] = id;
		if (!text[len])
			return true;
		text += len + 1;
	}
}

const char *filter_parse_pids(const char *arg, struct filter *f)
{
	return parse_ids(arg, f->pids, &f->nr_pids) ? NULL
						    : "process ids, at most 64: 1234 or 12,34";
}

const char *filter_parse_tids(const char *arg, struct filter *f)
{
	return parse_ids(arg, f->tids, &f->nr_tids) ? NULL
						    : "thread ids, at most 64: 1234 or 12,34";
}

/* False: there is no such user. (uid_t)-1 is nobody's. */
static bool parse_user(const char *user, __u32 *uid)
{
	struct passwd *pw;
	uint64_t number;

	if (number_parse(user, 0, UINT32_MAX - 1, &number)) {
		*uid = number;
		return true;
	}
	pw = getpwnam(user);
	if (pw)
		*uid = pw->pw_uid;
	return pw;
}

const char *filter_parse_uid(const char *arg, struct filter *f)
{
	if (!*arg || !parse_user(arg, &f->uid))
		return "a user's name or number";
	f->by_uid = 1;
	return NULL;
}

const char *filter_parse_comm(const char *arg, struct filter *f)
{
	if (!*arg || strlen(arg) >= sizeof(f->comm))
		return "a command's name of 1 to 15 bytes, as ps -o comm shows it";
	memset(f->comm, 0, sizeof(f->comm));
	memcpy(f->comm, arg, strlen(arg));
	f->by_comm = 1;
	return NULL;
}

const char *filter_parse_comm_part(const char *arg, struct filter *f)
{
	if (!*arg || strlen(arg) >= sizeof(f->comm_part))
		return "a part of a command's name, of 1 to 15 bytes";
	f->comm_part_len = strlen(arg);
	memcpy(f->comm_part, arg, f->comm_part_len);
	return NULL;
}

_Static_assert(FILTER_CGROUP_LEVELS_MAX == 32, "the message below says so");

const char *filter_parse_cgroup(const char *arg, struct filter *f)
{
	uint64_t id;
	int err = *arg ? cgroup_id_parse(arg, &id) : -ENOENT;
	int level = err ? 0 : cgroup_level(id);

	if (err == -ENOTSUP)
		return "a number: no cgroup v2 hierarchy is mounted here";
	if (err == -EINVAL)
		return "a directory of cgroup v2: this one is not";
	if (level >= FILTER_CGROUP_LEVELS_MAX)
		return "a cgroup at most 31 levels below the root: the filter can't see this one";
	if (level == -ESTALE)
		return "the id of a cgroup that is there, or its directory";
	if (err)
		return "a cgroup v2 directory, such as /sys/fs/cgroup/system.slice, or a cgroup id";
	f->cgroup = id;
	return NULL;
}

bool filter_is_set(const struct filter *f)
{
	return f->nr_pids || f->nr_tids || f->by_uid || f->by_comm || f->comm_part_len || f->cgroup;
}

static bool has_id(const __u32 *ids, __u32 nr, __u32 id)
{
	for (__u32 i = 0; i < nr; i++)
		if (ids[i] == id)
			return true;
	return !nr;
}

bool filter_passes(const struct filter *f, const struct event_head *task)
{
	bool known = task->pid != EVENT_UNKNOWN;

	if (!known && (f->nr_pids || f->nr_tids || f->by_comm || f->comm_part_len))
		return false;
	if (f->by_comm && strncmp(f->comm, task->comm, sizeof(task->comm)))
		return false;
	if (f->comm_part_len && !memmem(task->comm, strnlen(task->comm, sizeof(task->comm)),
					f->comm_part, f->comm_part_len))
		return false;
	return has_id(f->pids, f->nr_pids, task->pid) && has_id(f->tids, f->nr_tids, task->tid);
}
