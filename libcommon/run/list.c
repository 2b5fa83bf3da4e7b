/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <stdio.h>
#include <string.h>

#include "base/msg.h"
#include "base/status.h"
#include "run/list.h"

/* The next of words with spaces between: for (int n; (n = next_word(&at)); at += n) */
static int next_word(const char **at)
{
	if (!*at)
		return 0;
	*at += strspn(*at, " ");
	return (int)strcspn(*at, " ");
}

/* --- columns and keys --------------------------------------------------------------------- */

static void print_titles(const struct view *v)
{
	const char *at = v->titles;

	for (int n; (n = next_word(&at)); at += n)
		printf("%.*s\n", n, at);
	for (const struct column *c = v->columns; c && c->size; c++)
		if (c->title)
			printf("%s\n", c->title);
}

static void print_words(const char *kind, const char *at)
{
	for (int n; (n = next_word(&at)); at += n)
		printf("%s\t%.*s\n", kind, n, at);
}

static void print_keys(const struct view *v)
{
	if (!v->kind)
		return;
	print_words(v->kind, v->keys);
	print_words(v->kind, v->columns ? TABLE_KEYS : NULL);
	for (const struct column *c = v->columns; c && c->size; c++) {
		print_words(v->kind, c->keys);
		print_words(v->kind, c->key && c->fmt == FMT_ERRNO ? JSON_ERRNO_KEYS : c->key);
	}
}

static void print_views(const struct list_spec *t, void (*print)(const struct view *v))
{
	const struct view rows = { .kind = "event", .columns = t->columns };
	const struct view summary = { .kind = "summary", .keys = t->every_summary_keys };
	const struct view own_summary = { .kind = "summary", .keys = t->summary_keys };

	if (t->columns)
		print(&rows);
	for (const struct view *v = t->views; v && (v->kind || v->columns); v++)
		print(v);
	print(&summary);
	print(&own_summary);
}

/* --- probes ------------------------------------------------------------------------------- */

static void print_programs(const struct object *o, const char *probe, const char *rung,
			   const char *at)
{
	char name[PROBE_PROGRAM_LEN];

	while (at && probe_next_program(&at, name))
		printf("%s\t%s\t%s\t%s\n", probe, rung, name,
		       object_program_section(o, name) ?: "not built");
}

static int print_probes(const struct list_spec *t)
{
	const struct object_spec spec = { .image = t->image };
	struct object o = { 0 };
	const char *program = NULL;

	if (object_open(&o, &spec))
		return STATUS_FAILED;
	for (const struct probe *p = t->probes; p->name; p++) {
		for (int i = 0; i < PROBE_RUNGS && p->rungs[i]; i++) {
			const char rung[] = { '0' + i, '\0' };

			print_programs(&o, p->name, rung, p->rungs[i]);
		}
		print_programs(&o, p->name, "unless", p->unless);
	}
	while ((program = object_next_program(&o, program)))
		print_programs(&o, "", "", program);
	object_close(&o);
	return STATUS_OK;
}

int list_print(const struct list_spec *tool, const char *what)
{
	if (!strcmp(what, "probes"))
		return print_probes(tool);
	if (!strcmp(what, "columns")) {
		print_views(tool, print_titles);
		return STATUS_OK;
	}
	if (!strcmp(what, "keys")) {
		print_views(tool, print_keys);
		return STATUS_OK;
	}
	error("--list: '%s' is neither probes, columns nor keys", what);
	return STATUS_USAGE;
}
