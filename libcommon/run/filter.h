/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * filter: which tasks a tool looks at, as the options say it. struct filter itself goes to the
 * kernel side (bpf/lib/core/filter.bpf.h), which judges by it; filter_passes() is for events whose
 * task becomes known only here.
 */
#ifndef BORESCOPE_RUN_FILTER_H
#define BORESCOPE_RUN_FILTER_H

#include <linux/types.h>
#include <stdbool.h>

#include "lib/core/filter.shared.h"

struct event_head;

/*
 * For the table of options (struct opt, .filter). Each returns NULL, or what would be right.
 * Process and thread ids are added to those that @f has; all else replaces what was given before.
 */
const char *filter_parse_pids(const char *arg, struct filter *f);
const char *filter_parse_tids(const char *arg, struct filter *f);
const char *filter_parse_uid(const char *arg, struct filter *f);       /* a user's name or number */
const char *filter_parse_comm(const char *arg, struct filter *f);      /* the whole name */
const char *filter_parse_cgroup(const char *arg, struct filter *f);    /* a directory or an id */
const char *filter_parse_comm_part(const char *arg, struct filter *f); /* BCC's -n */

/* Does it keep any task out (beside the tool itself)? */
bool filter_is_set(const struct filter *f);

/* Do -p, --tid, --comm (and a part of it) let @task through? One that is not known (EVENT_UNKNOWN)
 * passes only where none of these is given. */
bool filter_passes(const struct filter *f, const struct event_head *task);

#endif
