/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/msg.h"
#include "base/util.h"
#include "script/elffuncs.h"
#include "script/formats.h"
#include "script/probes_internal.h"
#include "script/usdt.h"
#include "script/userpath.h"

/* The lines of one provider, without its name. */
struct lines {
	char **text;
	size_t nr, capacity;
};

struct lister {
	struct probes *p;
	bool verbose;
	bool all; /* no provider was named: what this kernel refuses is left out */
	FILE *out;
	const char *whole; /* a pattern for the line with its provider; NULL: none */
	const char *rest;  /* a pattern for what stands behind the provider */
	const char *provider;
	struct lines lines;
	int nr;
};

/* Keeps a line if it is asked for. */
static void add_line(struct lister *l, const char *text)
{
	struct lines *lines = &l->lines;

	if (l->whole) {
		char full[1024];

		snprintf(full, sizeof(full), "%s:%s", l->provider, text);
		if (!probes_match(l->whole, full))
			return;
	}
	if (lines->nr == lines->capacity)
		lines->text = arena_grow(l->p->arena, lines->text, &lines->capacity, 1024,
					 sizeof(*lines->text));
	lines->text[lines->nr++] = arena_strdup(l->p->arena, text);
}

static void add_pair(struct lister *l, const char *a, const char *b)
{
	char text[1024];

	snprintf(text, sizeof(text), "%s:%s", a, b);
	if (l->whole || probes_match(l->rest, text))
		add_line(l, text);
}

static void add_simple(struct lister *l, const char *text)
{
	if (l->whole || probes_match(l->rest, text))
		add_line(l, text);
}

/* A pattern of two parts where the script may leave out the first. */
static const char *with_group(struct lister *l, const char *rest)
{
	return strchr(rest, ':') ? rest : arena_printf(l->p->arena, "*:%s", rest);
}

/* --- what a provider has --- */

static void list_tracepoints(struct lister *l)
{
	const struct kname_list *events = knames_events(&l->p->names, probes_tracefs(l->p));

	if (!events)
		warn("tracepoints are found by tracefs, which can't be read: %s",
		     strerror(-l->p->names.events.state));
	l->rest = with_group(l, l->rest);
	for (size_t i = 0; events && i < events->nr; i++)
		add_pair(l, events->names[i].group, events->names[i].name);
}

static void try_raw(void *ctx, const char *module, const char *name)
{
	add_pair(ctx, module, name);
}

static void list_raw_tracepoints(struct lister *l)
{
	l->rest = with_group(l, l->rest);
	btf_each_tracepoint(l->p->btf, try_raw, l);
}

static void list_kprobes(struct lister *l)
{
	const struct kname_list *list;
	bool modules = !l->whole && strchr(l->rest, ':');

	if (l->all && !probes_has_kprobes(l->p))
		return;
	list = knames_functions(&l->p->names, probes_tracefs(l->p));
	if (!list)
		list = knames_symbols(&l->p->names);
	for (size_t i = 0; list && i < list->nr; i++) {
		if (modules)
			add_pair(l, list->names[i].group, list->names[i].name);
		else if (!i || strcmp(list->names[i].name, list->names[i - 1].name))
			add_simple(l, list->names[i].name);
	}
}

/* What BTF knows and, where the kernel tells that, can be traced. */
static void try_function(void *ctx, const char *module, const char *name)
{
	struct lister *l = ctx;
	const struct kname_list *list = knames_functions(&l->p->names, probes_tracefs(l->p));

	if (!list || kname_find(list, name))
		add_pair(l, module, name);
}

static void list_functions(struct lister *l)
{
	if (l->all && !probes_has_trampolines(l->p))
		return;
	l->rest = with_group(l, l->rest);
	btf_each_function(l->p->btf, true, try_function, l);
}

static void list_events(struct lister *l, enum provider provider)
{
	size_t nr;
	const struct perf_event_name *list = probes_event_names(provider, &nr);

	for (size_t i = 0; i < nr; i++) {
		char text[64];

		snprintf(text, sizeof(text), "%s:", list[i].name);
		add_simple(l, text);
		if (!list[i].alias)
			continue;
		snprintf(text, sizeof(text), "%s:", list[i].alias);
		add_simple(l, text);
	}
}

static void list_units(struct lister *l)
{
	static const char *const units[] = { "hz:", "ms:", "s:", "us:" };

	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		add_simple(l, units[i]);
}

/* --- programs --- */

struct file_list {
	struct lister *l;
	const char *path, *name;
};

static bool try_symbol(void *ctx, const struct elf_function *f)
{
	const struct file_list *list = ctx;

	if (!f->indirect && probes_match(list->name, f->name))
		add_line(list->l, arena_printf(list->l->p->arena, "%s:%s", list->path, f->name));
	return true;
}

static bool try_note(void *ctx, const struct usdt_note *n)
{
	const struct file_list *list = ctx;
	const char *text = arena_printf(list->l->p->arena, "%s:%s", n->provider, n->name);

	if (probes_match(list->name, text))
		add_line(list->l, arena_printf(list->l->p->arena, "%s:%s", list->path, text));
	return true;
}

static void list_file(struct lister *l, const struct user_file *file, const char *name, bool notes)
{
	struct file_list list = { .l = l, .path = file->shown, .name = name };
	int fd = userpath_open(file);
	struct elf_image im;

	if (fd >= 0 && !elf_image_open(&im, fd)) {
		if (notes)
			usdt_each(&im, try_note, &list);
		else
			elffuncs_each(&im, try_symbol, &list);
		elf_image_close(&im);
	}
	if (fd >= 0)
		close(fd);
	if (file->keep >= 0)
		close(file->keep);
}

/* "PATH:NAME", "PATH", of usdt also "PATH:PROVIDER:NAME". Without a path or a process there is no
 * end to it. */
static void list_programs(struct lister *l, bool notes)
{
	const char *colon = strchr(l->rest, ':'), *name = colon ? colon + 1 : "*";
	size_t len = colon ? (size_t)(colon - l->rest) : strlen(l->rest);
	char *path = arena_strndup(l->p->arena, l->rest, len);
	struct user_files files = { 0 };
	int err;

	if (!l->p->options.pid && (!path[0] || !strcmp(path, "*"))) {
		if (!l->all)
			note("%s needs a file (%s:/bin/bash:*) or a process (-p)", l->provider,
			     l->provider);
		return;
	}
	if (notes && !strchr(name, ':'))
		name = arena_printf(l->p->arena, "*:%s", name);
	err = userpath_find(l->p->arena, path, l->p->options.pid, l->p->options.command, &files);
	if (err)
		warn("%s: %s", path, strerror(-err));
	for (size_t i = 0; i < files.nr; i++)
		list_file(l, &files.files[i], name, notes);
}

/* --- printing --- */

struct field_printer {
	FILE *out;
};

static void print_field(void *ctx, const struct format_field *f)
{
	const struct field_printer *p = ctx;

	if (!f->is_common)
		fprintf(p->out, "    %.*s\n", (int)f->length, f->declaration);
}

static void print_tracepoint(struct lister *l, const char *line)
{
	const char *colon = strchr(line, ':');
	char *text = probes_kernel_format(l->p, arena_strndup(l->p->arena, line, colon - line),
					  colon + 1);

	if (text)
		format_each_field(text, print_field, &(struct field_printer){ l->out });
}

static void print_fields(struct lister *l, enum provider provider, const char *line)
{
	const char *colon = strchr(line, ':');
	const char *module = colon ? arena_strndup(l->p->arena, line, colon - line) : NULL;
	const char *name = colon ? colon + 1 : line;

	switch (provider) {
	case PROVIDER_TRACEPOINT:
		print_tracepoint(l, line);
		break;
	case PROVIDER_RAWTRACEPOINT:
		btf_print_tracepoint(l->p->btf, name, "    ", l->out);
		break;
	case PROVIDER_KPROBE:
	case PROVIDER_FENTRY:
	case PROVIDER_FEXIT:
		btf_print_function(l->p->btf, module, name, provider == PROVIDER_FEXIT, "    ",
				   l->out);
		break;
	default:
		break;
	}
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void print_lines(struct lister *l, enum provider provider)
{
	struct lines *lines = &l->lines;

	if (lines->nr)
		qsort(lines->text, lines->nr, sizeof(*lines->text), compare);
	for (size_t i = 0; i < lines->nr; i++) {
		if (i && !strcmp(lines->text[i], lines->text[i - 1]))
			continue;
		fprintf(l->out, "%s:%s\n", l->provider, lines->text[i]);
		l->nr++;
		if (l->verbose)
			print_fields(l, provider, lines->text[i]);
	}
	lines->nr = 0;
}

/* --- providers --- */

/* In the order of the listing. Those of returns, of times and of programs are listed when they are
 * named. */
static const struct {
	enum provider provider;
	bool always;
	const char *aliases; /* with blanks around each */
} providers[] = {
	{ PROVIDER_FENTRY, true, " f kfunc " }, { PROVIDER_FEXIT, false, " fr kretfunc " },
	{ PROVIDER_HARDWARE, true, " h " },	{ PROVIDER_INTERVAL, false, " i " },
	{ PROVIDER_KPROBE, true, " k " },	{ PROVIDER_KRETPROBE, false, " kr " },
	{ PROVIDER_PROFILE, false, " p " },	{ PROVIDER_RAWTRACEPOINT, true, " rt " },
	{ PROVIDER_SELF, false, " " },		{ PROVIDER_SOFTWARE, true, " s " },
	{ PROVIDER_TRACEPOINT, true, " t " },	{ PROVIDER_UPROBE, false, " u " },
	{ PROVIDER_URETPROBE, false, " ur " },	{ PROVIDER_USDT, false, " U " },
};

static void list_provider(struct lister *l, enum provider provider, const char *rest)
{
	l->provider = ast_provider_name(provider);
	l->rest = rest;
	switch (provider) {
	case PROVIDER_TRACEPOINT:
		list_tracepoints(l);
		break;
	case PROVIDER_RAWTRACEPOINT:
		list_raw_tracepoints(l);
		break;
	case PROVIDER_KPROBE:
	case PROVIDER_KRETPROBE:
		list_kprobes(l);
		break;
	case PROVIDER_FENTRY:
	case PROVIDER_FEXIT:
		list_functions(l);
		break;
	case PROVIDER_SOFTWARE:
	case PROVIDER_HARDWARE:
		list_events(l, provider);
		break;
	case PROVIDER_INTERVAL:
	case PROVIDER_PROFILE:
		list_units(l);
		break;
	case PROVIDER_SELF:
		add_simple(l, "signal:SIGUSR1");
		break;
	default:
		list_programs(l, provider == PROVIDER_USDT);
		break;
	}
	print_lines(l, provider);
}

static bool is_provider(size_t i, const char *name)
{
	char word[32];

	if (!strcasecmp(ast_provider_name(providers[i].provider), name))
		return true;
	return snprintf(word, sizeof(word), " %s ", name) < (int)sizeof(word) &&
	       strstr(providers[i].aliases, word);
}

static bool is_of_programs(enum provider provider)
{
	return provider == PROVIDER_UPROBE || provider == PROVIDER_USDT;
}

/* All that are listed by themselves and whose name matches. Returns how many. */
static int list_matching(struct lister *l, const char *pattern, const char *rest, bool programs)
{
	int nr = 0;

	for (size_t i = 0; i < ARRAY_SIZE(providers); i++) {
		enum provider provider = providers[i].provider;

		if (!probes_match(pattern, ast_provider_name(provider)) ||
		    !(providers[i].always || (programs && is_of_programs(provider))))
			continue;
		list_provider(l, provider, rest);
		nr++;
	}
	return nr;
}

/* "kprobe:tcp_*", "*ware:*", "*sleep*", "tracepoint" */
static void list_probes(struct lister *l, const char *pattern)
{
	const char *colon = strchr(pattern, ':');
	const char *rest = colon && colon[1] ? colon + 1 : "*";
	char *name = arena_strndup(l->p->arena, pattern,
				   colon ? colon - pattern : (long)strlen(pattern));
	bool programs = l->p->options.pid || (colon && strchr(rest, '/'));

	for (size_t i = 0; i < ARRAY_SIZE(providers); i++) {
		if (!is_provider(i, name))
			continue;
		list_provider(l, providers[i].provider, rest);
		return;
	}
	l->all = true;
	if (list_matching(l, name, rest, programs) || colon)
		return;
	l->whole =
		probes_is_pattern(pattern) ? pattern : arena_printf(l->p->arena, "*%s*", pattern);
	list_matching(l, "*", "*", false);
	l->whole = NULL;
}

/* --- records --- */

struct record_list {
	struct lister *l;
	const char *keyword, *pattern;
};

static void try_record(void *ctx, const char *keyword, const char *name)
{
	struct record_list *r = ctx;

	if (!strcmp(keyword, r->keyword) && probes_match(r->pattern, name))
		add_line(r->l, name);
}

static void list_records(struct lister *l, const char *keyword, const char *pattern)
{
	struct record_list r = { l, keyword, pattern };
	bool whole = l->verbose || !probes_is_pattern(pattern);
	struct lines *lines = &l->lines;

	btf_each_record(l->p->btf, try_record, &r);
	if (lines->nr)
		qsort(lines->text, lines->nr, sizeof(*lines->text), compare);
	for (size_t i = 0; i < lines->nr; i++) {
		if (i && !strcmp(lines->text[i], lines->text[i - 1]))
			continue;
		l->nr++;
		if (l->verbose)
			fputs("vmlinux: ", l->out);
		if (!whole || !btf_print_record(l->p->btf, keyword, lines->text[i], l->out))
			fprintf(l->out, "%s %s\n", keyword, lines->text[i]);
	}
	lines->nr = 0;
}

static void list_one(struct lister *l, const char *pattern)
{
	static const char *const keywords[] = { "struct", "union", "enum" };

	for (size_t i = 0; i < ARRAY_SIZE(keywords); i++) {
		size_t len = strlen(keywords[i]);

		if (strncmp(pattern, keywords[i], len) || pattern[len] != ' ')
			continue;
		list_records(l, keywords[i], pattern + len + strspn(pattern + len, " "));
		return;
	}
	list_probes(l, pattern);
}

int probes_list(struct probes *p, const char *pattern, bool verbose, FILE *out)
{
	struct lister l = { .p = p, .verbose = verbose, .out = out };
	char *patterns = arena_strdup(p->arena, pattern && pattern[0] ? pattern : "*"), *at;

	while ((at = strsep(&patterns, ",")))
		if (at[0])
			list_one(&l, at);
	return l.nr;
}
