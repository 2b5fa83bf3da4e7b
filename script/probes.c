/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <linux/bpf.h>
#include <bpf/bpf.h>

#include "base/util.h"
#include "script/formats.h"
#include "script/multi.h"
#include "script/probes_internal.h"
#include "script/renamed.h"

/* Where the options don't say: of one point, and of one string. */
#define MAX_PROBES  1024
#define STRING_ROOM 1024

struct probes *probes_new(struct arena *arena, struct types *types, struct btf_types *btf,
			  const struct probe_options *options)
{
	struct probes *p = arena_alloc(arena, sizeof(*p));

	*p = (struct probes){
		.arena = arena, .types = types, .btf = btf, .options = *options, .tracefs = 1
	};
	p->names.functions_file = options->functions;
	if (!p->options.max_probes)
		p->options.max_probes = MAX_PROBES;
	if (!p->options.string_room)
		p->options.string_room = STRING_ROOM;
	return p;
}

void probes_free(struct probes *p)
{
	if (!p)
		return;
	if (p->tracefs > 1)
		close(p->tracefs);
	while (p->nr_user_files)
		close(p->user_files[--p->nr_user_files]);
	knames_free(&p->names);
}

int probes_tracefs(struct probes *p)
{
	if (p->tracefs == 1)
		p->tracefs = tracefs_open();
	return p->tracefs;
}

/* --- what this kernel grants --- */

/* Lockdown, in its stricter mode, refuses kprobes; some kernels don't have them. */
static bool lockdown_refuses(void)
{
	FILE *f = fopen("/sys/kernel/security/lockdown", "re");
	char line[128] = "";

	if (f && !fgets(line, sizeof(line), f))
		line[0] = '\0';
	if (f)
		fclose(f);
	return strstr(line, "[confidentiality]");
}

bool probes_has_kprobes(struct probes *p)
{
	if (p->kprobes == GRANT_UNKNOWN)
		p->kprobes = !access("/sys/bus/event_source/devices/kprobe/type", R_OK) &&
					     !lockdown_refuses()
				     ? GRANTED
				     : REFUSED;
	return p->kprobes == GRANTED;
}

/* A program that does nothing, for a function that every kernel has: loaded, not attached. */
static enum grant try_trampoline(struct probes *p)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_FEXIT);
	struct function f;
	int fd;

	if (!btf_function(p->btf, "vmlinux", "vfs_read", &f) || !f.btf_id)
		return REFUSED;
	opts.attach_btf_id = f.btf_id;
	fd = bpf_prog_load(BPF_PROG_TYPE_TRACING, "try", "GPL", insns, ARRAY_SIZE(insns), &opts);
	if (fd < 0)
		return REFUSED;
	close(fd);
	return GRANTED;
}

bool probes_has_trampolines(struct probes *p)
{
	if (p->trampolines == GRANT_UNKNOWN)
		p->trampolines = try_trampoline(p);
	return p->trampolines == GRANTED;
}

static bool has_multi(struct probes *p, bool user)
{
	if (p->multi[user] == GRANT_UNKNOWN)
		p->multi[user] =
			(user || probes_has_kprobes(p)) && multi_granted(user) ? GRANTED : REFUSED;
	return p->multi[user] == GRANTED;
}

/* --- many at once --- */

#define MULTI_FROM 4 /* fewer functions keep a probe each */

static bool is_user(const struct target *t)
{
	return t->attach == ATTACH_UPROBE || t->attach == ATTACH_URETPROBE;
}

/* A function of a module is looked for in this alone by a probe of its own only. */
static bool may_be_multi(const struct target *t)
{
	switch (t->point->provider) {
	case PROVIDER_KPROBE:
	case PROVIDER_KRETPROBE:
		return (t->attach == ATTACH_KPROBE || t->attach == ATTACH_KRETPROBE) &&
		       !t->module && !t->pid && !t->point->has_offset;
	case PROVIDER_UPROBE:
	case PROVIDER_URETPROBE:
		return true;
	default:
		return false;
	}
}

void probes_choose_multi(struct probes *p, struct target **targets, size_t nr, bool registers)
{
	size_t fit = 0;
	const char *why;

	for (size_t i = 0; i < nr; i++)
		fit += may_be_multi(targets[i]) && (is_user(targets[i]) || !registers);
	if (fit < MULTI_FROM || p->options.only_names || !has_multi(p, is_user(targets[0])))
		return;
	why = arena_printf(p->arena, "one for %zu functions (%s)", fit,
			   is_user(targets[0]) ? "uprobe_multi" : "kprobe_multi");
	for (size_t i = 0; i < nr; i++) {
		targets[i]->multi = may_be_multi(targets[i]);
		if (targets[i]->multi)
			targets[i]->why = why;
	}
}

/* --- targets --- */

struct target *probes_add(struct expansion *e)
{
	struct target *t;

	if (e->nr >= e->p->options.max_probes) {
		e->full = true;
		return NULL;
	}
	if (e->nr == e->capacity)
		e->targets =
			arena_grow(e->p->arena, e->targets, &e->capacity, 4, sizeof(*e->targets));
	t = e->targets[e->nr++] = arena_alloc(e->p->arena, sizeof(*t));
	*t = (struct target){ .point = e->point, .cpu = -1 };
	return t;
}

bool probes_is_pattern(const char *text)
{
	return text[strcspn(text, "*?")];
}

bool probes_match(const char *pattern, const char *text)
{
	const char *star = NULL, *again = NULL; /* the last *, and what it did not take yet */

	while (*text) {
		if (*pattern == '*') {
			star = ++pattern;
			again = text;
		} else if (*pattern && (*pattern == '?' || *pattern == *text)) {
			pattern++;
			text++;
		} else if (star) {
			pattern = star;
			text = ++again;
		} else {
			return false;
		}
	}
	return !pattern[strspn(pattern, "*")];
}

int probes_error(struct expansion *e, const char *fmt, ...)
{
	char text[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	source_error(e->src, e->point->span, "%s", text);
	return -EINVAL;
}

static bool is_wildcard(const struct point *point)
{
	for (size_t i = 0; i < point->nr_parts; i++)
		if (probes_is_pattern(point->parts[i]))
			return true;
	return false;
}

/* May be missing, as long as other points of the clause have probes: a wildcard, and one of several
 * names for what kernels call differently. */
static bool is_one_of_several(const struct expansion *e)
{
	return is_wildcard(e->point) ||
	       (e->clause && e->clause->nr_points > 1 && !e->p->options.missing_ok &&
		!e->p->options.missing_strict);
}

bool probes_is_named(const struct expansion *e, const char *name)
{
	for (size_t i = 0; e->clause && i < e->clause->nr_points; i++) {
		const struct point *p = &e->clause->points[i];

		if (p != e->point && p->nr_parts && !strcmp(p->parts[p->nr_parts - 1], name))
			return true;
	}
	return false;
}

void probes_by_other_name(const struct expansion *e, const char *was, const struct renamed *r)
{
	source_warning(e->src, e->point->span, "this kernel has %s by the name %s%s%s", was, r->is,
		       r->but ? ": " : "", r->but ? r->but : "");
}

int probes_missing(struct expansion *e, const char *what, const char *best)
{
	const char *provider = ast_provider_name(e->point->provider);
	bool warn = e->beside || e->p->options.missing_ok;

	if (!e->unmatched && is_one_of_several(e))
		return -ENOENT;
	if (e->unmatched && is_wildcard(e->point))
		source_error(e->src, e->point->span,
			     "Probe has no valid attach points: nothing matches %s %s", provider,
			     what);
	else if (!warn)
		source_error(e->src, e->point->span, "No matches for %s %s.", provider, what);
	else if (!e->p->options.missing_quiet)
		source_warning(e->src, e->point->span, "No matches for %s %s. Skipping.", provider,
			       what);
	if (best && !(warn && (e->p->options.missing_quiet || e->src->no_warnings)))
		source_hint(e->src, "did you mean %s?", best);
	return -ENOENT;
}

static int expand(struct expansion *e)
{
	switch (e->point->provider) {
	case PROVIDER_BEGIN:
	case PROVIDER_END:
	case PROVIDER_INTERVAL:
	case PROVIDER_PROFILE:
	case PROVIDER_SELF:
		return probes_time(e);
	case PROVIDER_SOFTWARE:
	case PROVIDER_HARDWARE:
		return probes_event(e);
	case PROVIDER_TRACEPOINT:
		return probes_kernel_tracepoint(e);
	case PROVIDER_RAWTRACEPOINT:
		return probes_kernel_rawtracepoint(e);
	case PROVIDER_KPROBE:
	case PROVIDER_KRETPROBE:
	case PROVIDER_FENTRY:
	case PROVIDER_FEXIT:
		return probes_function(e);
	case PROVIDER_UPROBE:
	case PROVIDER_URETPROBE:
		return probes_user(e);
	case PROVIDER_USDT:
		return probes_user_usdt(e);
	default:
		return probes_error(e, "bscope has no %s probes",
				    ast_provider_name(e->point->provider));
	}
}

int probes_expand(struct probes *p, struct source *src, const struct clause *clause,
		  const struct point *point, struct target ***targets, size_t *nr)
{
	struct expansion e = { .p = p, .src = src, .point = point, .clause = clause };
	int err = expand(&e);

	*targets = NULL;
	*nr = 0;
	if (!err && e.full)
		return probes_error(&e,
				    "%s stands for more than %zu probes (BPFTRACE_MAX_PROBES, "
				    "or max_probes in config, allows more)",
				    point->text, p->options.max_probes);
	if (err == -ENOENT && (p->options.missing_ok || is_one_of_several(&e)))
		return 0;
	if (err)
		return err;
	*targets = e.targets;
	*nr = e.nr;
	return 0;
}

void probes_unmatched(struct probes *p, struct source *src, const struct clause *clause,
		      const struct point *point, bool beside)
{
	struct expansion e = { .p = p,
			       .src = src,
			       .point = point,
			       .clause = clause,
			       .unmatched = true,
			       .beside = beside };

	if (is_one_of_several(&e) && !(beside && is_wildcard(point)))
		expand(&e);
}
