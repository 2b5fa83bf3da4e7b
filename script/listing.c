/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/msg.h"
#include "script/listing.h"

/* A rate is not part of what is listed. */
static bool takes_rate(enum provider p)
{
	return p == PROVIDER_INTERVAL || p == PROVIDER_PROFILE || p == PROVIDER_SOFTWARE ||
	       p == PROVIDER_HARDWARE;
}

static int list_one(struct probes *p, const char *name, bool verbose)
{
	if (verbose)
		return probes_list(p, name, true, stdout) < 0;
	printf("%s\n", name);
	return 0;
}

static int list_point(struct probes *p, struct source *src, const struct point *point, bool verbose)
{
	struct target **targets;
	int err = 0;
	size_t nr;

	if (takes_rate(point->provider)) {
		printf("%s:%s:\n", ast_provider_name(point->provider),
		       point->nr_parts ? point->parts[0] : "hz");
		return 0;
	}
	err = probes_expand(p, src, NULL, point, &targets, &nr);
	if (!err && !nr)
		probes_unmatched(p, src, NULL, point, false);
	for (size_t i = 0; !err && i < nr; i++) {
		const char *end = point->latency ? probes_pair_end(p, targets[i]) : NULL;

		err = list_one(p, targets[i]->name, verbose);
		if (!err && end)
			err = list_one(p, end, verbose);
	}
	return err;
}

void listing_check_pattern(const char *pattern)
{
	if (strchr(pattern, '.') && !strpbrk(pattern, ":*"))
		fprintf(stderr,
			"WARNING: It appears that '%s' is a filename but the file does not exist. "
			"Treating '%s' as a search pattern.\n",
			pattern, pattern);
}

/* Those like @pattern. Returns whether there is one, after saying so if not. */
static bool list_pattern(const struct listing *l, struct probes *probes, const char *pattern)
{
	int nr = probes_list(probes, pattern, l->verbose, stdout);

	if (!nr && !l->compat)
		error("there is no %s", pattern ? pattern : "probe");
	return nr > 0 || (!nr && l->compat);
}

/* Of @script, or where that is NULL those like @pattern. */
static bool list(const struct listing *l, struct source *src, const struct script *script,
		 const char *pattern)
{
	struct types *types = types_new(src->arena);
	struct btf_types *btf = btf_types_new(types, src->arena, l->btf);
	struct probes *probes = probes_new(src->arena, types, btf, &l->probes);
	int err = 0;

	for (struct clause *c = script ? script->clauses : NULL; c; c = c->next)
		for (size_t i = 0; i < c->nr_points; i++)
			err |= list_point(probes, src, &c->points[i], l->verbose);
	if (!script)
		err = !list_pattern(l, probes, pattern);
	err |= fflush(stdout) && errno != EPIPE;
	probes_free(probes);
	btf_types_free(btf);
	return !err && !src->errors;
}

bool listing_script(const struct listing *l, const struct script *script)
{
	return list(l, script->source, script, NULL);
}

bool listing_pattern(const struct listing *l, const char *pattern)
{
	struct source *src = source_new("", "", 0);
	bool done = list(l, src, NULL, pattern);

	source_free(src);
	return done;
}
