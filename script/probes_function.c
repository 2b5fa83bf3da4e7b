/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "kernel/preempt.h"
#include "script/probes_internal.h"
#include "script/renamed.h"

#define EXIT_ARGS_MAX 6 /* that a trampoline hands over on every architecture and kernel */
#define REGISTERS     6 /* that hold arguments on every architecture */

static bool is_exit(enum provider provider)
{
	return provider == PROVIDER_KRETPROBE || provider == PROVIDER_FEXIT;
}

static bool is_trampoline(enum provider provider)
{
	return provider == PROVIDER_FENTRY || provider == PROVIDER_FEXIT;
}

/* --- the nearest tracepoint of a function that can't be probed --- */

/* Parts of names that say nothing about what a function does. */
static bool is_noise(const char *word, size_t len)
{
	static const char *const noise[] = { "do",  "sys", "x64", "arm64", "vfs",  "ksys", "se",
					     "the", "sk",  "in",  "enter", "exit", NULL };

	for (size_t i = 0; noise[i]; i++)
		if (strlen(noise[i]) == len && !strncmp(noise[i], word, len))
			return true;
	return len < 2;
}

/* Takes the next word of a name with words and underscores. */
static const char *next_word(const char **at, size_t *len)
{
	const char *word = *at + strspn(*at, "_");

	*len = strcspn(word, "_");
	*at = word + *len;
	return *len ? word : NULL;
}

/* How much of @name's words @other has, less what else it has. */
static int likeness(const char *name, const char *other)
{
	const char *at = other, *word, *in, *w;
	int score = 0;
	size_t len, n;

	while ((word = next_word(&at, &len))) {
		bool found = false;

		if (is_noise(word, len))
			continue;
		for (in = name; !found && (w = next_word(&in, &n));)
			found = n == len && !strncmp(w, word, len);
		score += found ? 4 * (int)len : -(int)len;
	}
	return score;
}

static const char *nearest_tracepoint(struct expansion *e, const char *function)
{
	const struct kname_list *events = knames_events(&e->p->names, probes_tracefs(e->p));
	const struct kname *best = NULL;
	int most = 7; /* less than a word of two letters in common is nothing */

	for (size_t i = 0; events && i < events->nr; i++) {
		int score = likeness(function, events->names[i].name);

		if (score > most) {
			most = score;
			best = &events->names[i];
		}
	}
	return best ? arena_printf(e->p->arena, "tracepoint:%s:%s", best->group, best->name) : NULL;
}

static int refused(struct expansion *e, const char *function, bool has_btf)
{
	const char *name = e->point->nr_parts ? e->point->parts[e->point->nr_parts - 1] : function;
	const char *best;

	/* of a wildcard the first that matches tells nothing */
	if (probes_is_pattern(name)) {
		probes_error(e,
			     "this kernel grants neither kprobes nor fentry: no %s can be probed",
			     name);
		return -EPERM;
	}
	best = nearest_tracepoint(e, function);
	if (probes_has_trampolines(e->p) && !has_btf)
		probes_error(e, "this kernel has no kprobes, and its BTF has no %s for fentry",
			     function);
	else
		probes_error(e, "this kernel grants neither kprobes nor fentry: %s can't be probed",
			     function);
	if (best)
		source_hint(e->src, "the nearest tracepoint is %s", best);
	return -EPERM;
}

/* --- the ladder --- */

static const char *target_name(struct expansion *e, const char *module, const char *function)
{
	const char *provider = ast_provider_name(e->point->provider);

	if (e->point->has_offset)
		return arena_printf(e->p->arena, "%s:%s+%llu", provider, function,
				    (unsigned long long)e->point->offset);
	if (module)
		return arena_printf(e->p->arena, "%s:%s:%s", provider, module, function);
	return arena_printf(e->p->arena, "%s:%s", provider, function);
}

/* Returns are seen by fexit without a bound on how many are under way, unless this kernel's
 * programs at trampolines leave something out. */
static bool fexit_is_better(struct expansion *e, const struct function *f)
{
	return f && f->btf_id && f->args_fit && f->args->nr_fields <= EXIT_ARGS_MAX &&
	       !e->p->options.only_names && probes_has_trampolines(e->p) && !preempt_inside();
}

static void by_trampoline(struct target *t, const struct function *f, bool exit)
{
	t->attach = exit ? ATTACH_FEXIT : ATTACH_FENTRY;
	t->btf_id = f->btf_id;
	t->btf_fd = f->btf_fd;
	t->args = f->args;
	t->nr_args = f->args->size / 8;
}

/* What of a function's arguments a kprobe finds in registers. */
static const struct type *register_args(struct expansion *e, const struct function *f)
{
	struct type args = *f->args;
	size_t nr;

	for (nr = 0; nr < args.nr_fields && nr < REGISTERS; nr++)
		if (!type_is_scalar(args.fields[nr].type))
			break;
	if (nr == args.nr_fields)
		return f->args;
	args.nr_fields = nr;
	args.size = nr * 8;
	return type_intern(e->p->types, &args);
}

/* A kprobe, as asked, or what this kernel has in its place. */
static int choose_kprobe(struct expansion *e, struct target *t, const struct function *f,
			 bool single)
{
	bool exit = is_exit(e->point->provider);

	t->attach = exit ? ATTACH_KRETPROBE : ATTACH_KPROBE;
	t->args = f && !exit && !e->point->has_offset ? register_args(e, f) : NULL;
	if ((exit || e->point->latency) && single && fexit_is_better(e, f)) {
		by_trampoline(t, f, exit);
		if (exit)
			t->args = NULL; /* a kretprobe has none */
		t->why = "since it loses no return";
		return 0;
	}
	if (e->p->options.only_names || probes_has_kprobes(e->p))
		return 0;
	if (!f || !f->btf_id || e->point->has_offset || !probes_has_trampolines(e->p))
		return refused(e, t->function, f);
	by_trampoline(t, f, exit);
	t->why = "since this kernel has no kprobes";
	return 0;
}

static int choose_trampoline(struct expansion *e, struct target *t, const struct function *f)
{
	bool exit = is_exit(e->point->provider);

	by_trampoline(t, f, exit);
	if (e->p->options.only_names || probes_has_trampolines(e->p))
		return 0;
	if (!probes_has_kprobes(e->p))
		return refused(e, t->function, true);
	t->attach = exit ? ATTACH_KRETPROBE : ATTACH_KPROBE;
	t->args = exit ? NULL : register_args(e, f);
	t->why = "since this kernel refuses fentry and fexit";
	return 0;
}

/* @f: what BTF has of it; NULL: nothing. @module: NULL, where the script does not say. */
static int add_function(struct expansion *e, const char *module, const char *name,
			const struct function *f, bool single)
{
	struct target *t = probes_add(e);

	if (!t)
		return 0;
	t->function = arena_strdup(e->p->arena, name);
	if (is_trampoline(e->point->provider))
		module = f->module;
	t->name = target_name(e, module, name);
	t->module = module && strcmp(module, "vmlinux") ? arena_strdup(e->p->arena, module) : NULL;
	t->ret = f && (is_exit(e->point->provider) || e->point->latency) ? f->ret : NULL;
	if (e->point->has_offset)
		t->file_offset = e->point->offset;
	return is_trampoline(e->point->provider) ? choose_trampoline(e, t, f)
						 : choose_kprobe(e, t, f, single);
}

/* --- names --- */

struct name_search {
	struct nearest near;
	const char *variant; /* a name that begins as the one asked for: "f.isra.0", "f_locked" */
};

static void try_name(struct name_search *s, const char *name)
{
	size_t len = strlen(s->near.name);
	const char *core = name + strspn(name, "_");

	nearest_try(&s->near, name);
	if (!s->variant && !strncmp(core, s->near.name, len) &&
	    (core[len] == '.' || !core[len] || !strcmp(core + len, "_locked")))
		s->variant = name;
}

static void try_btf_name(void *ctx, const char *module, const char *name)
{
	try_name(ctx, name);
}

/* What came after a function that is gone, as far as this kernel has it; else @best. */
static const char *successor(struct expansion *e, const char *name, const char *best)
{
	const struct kname_list *events = knames_events(&e->p->names, probes_tracefs(e->p));
	const char *near;

	for (size_t i = 0; (near = renamed_nearest(name, i)); i++) {
		const char *last = strrchr(near, ':') + 1;

		if (strncmp(near, "tracepoint:", 11) ? kname_is_symbol(&e->p->names, NULL, last)
						     : events && kname_find(events, last))
			return near;
	}
	return best;
}

static int no_function(struct expansion *e, const char *module, const char *name)
{
	struct name_search s = { .near = { .name = name } };
	const struct kname_list *list = NULL;
	const char *best;

	if (!is_trampoline(e->point->provider))
		list = knames_symbols(&e->p->names);
	for (size_t i = 0; list && i < list->nr; i++)
		try_name(&s, list->names[i].name);
	if (!list)
		btf_each_function(e->p->btf, false, try_btf_name, &s);
	best = s.variant ? s.variant : s.near.best;
	best = best ? arena_printf(e->p->arena, "%s:%s", ast_provider_name(e->point->provider),
				   best)
		    : NULL;
	return probes_missing(e, module ? arena_printf(e->p->arena, "%s:%s", module, name) : name,
			      successor(e, name, best));
}

/* Did the compiler make @full of @name for its callers' sake: name.isra.0, name.constprop.1? What
 * it split off (name.part.0, name.cold) is not the function. */
static bool is_made_of(const char *full, const char *name)
{
	const char *rest = full + strlen(name);

	return !strncmp(full, name, strlen(name)) &&
	       (!strncmp(rest, ".isra.", 6) || !strncmp(rest, ".constprop.", 11)) &&
	       !strstr(rest, ".part.") && !strstr(rest, ".cold");
}

/* What this kernel has of @name, if it is one function by another name; NULL: nothing, or more. */
static const struct kname *only_variant(struct expansion *e, const char *module, const char *name)
{
	const struct kname_list *list = knames_symbols(&e->p->names);
	const struct kname *found = NULL;

	for (size_t i = 0; list && i < list->nr; i++) {
		const struct kname *n = &list->names[i];

		if (!is_made_of(n->name, name) || (module && strcmp(module, n->group)))
			continue;
		if (found)
			return NULL;
		found = n;
	}
	return found;
}

static int add_variant(struct expansion *e, const char *module, const struct kname *variant,
		       const char *name)
{
	source_warning(e->src, e->point->span,
		       "this kernel has %s as %s, which the compiler made of it: its arguments may "
		       "be fewer, and some calls of it may be part of their callers",
		       name, variant->name);
	return add_function(e, module, variant->name, NULL, true);
}

/* Of those that the probe could look at. */
static bool has_other_values(const struct expansion *e, const struct renamed *r)
{
	if (e->point->latency || e->point->provider == PROVIDER_FEXIT)
		return r->other_args || r->other_result;
	return is_exit(e->point->provider) ? r->other_result : r->other_args;
}

/* The function @r->is in place of @r->was, as it is or as the compiler has made it. */
static bool add_renamed(struct expansion *e, const char *module, const struct renamed *r, int *err)
{
	bool kprobe = !is_trampoline(e->point->provider);
	const struct kname *variant = NULL;
	size_t before = e->nr;
	struct function f;
	bool known = btf_function(e->p->btf, module, r->is, &f);
	bool there = known || (kprobe && kname_is_symbol(&e->p->names, module, r->is));

	if (!there && kprobe)
		variant = only_variant(e, module, r->is);
	if ((!there && !variant) || probes_is_named(e, r->is))
		return false;
	probes_by_other_name(e, r->was, r);
	*err = variant ? add_variant(e, module, variant, r->is)
		       : add_function(e, module, r->is, known ? &f : NULL, true);
	for (size_t i = before; has_other_values(e, r) && i < e->nr; i++)
		e->targets[i]->renamed = r->is;
	return true;
}

/* A function that this kernel has by another name. False: it has none. */
static bool expand_renamed(struct expansion *e, const char *module, const char *name, int *err)
{
	/* since 6.10, allocators are counted by where they are called from; they did not change */
	const struct renamed counted = { name, arena_printf(e->p->arena, "%s_noprof", name) };
	const struct renamed *r = NULL;

	if (e->point->has_offset)
		return false;
	while ((r = renamed_function(name, r)))
		if (add_renamed(e, module, r, err))
			return true;
	return add_renamed(e, module, &counted, err);
}

static bool module_is_loaded(const char *module)
{
	char path[128];

	if (!strcmp(module, "vmlinux"))
		return true;
	return !strchr(module, '/') &&
	       snprintf(path, sizeof(path), "/sys/module/%s", module) < (int)sizeof(path) &&
	       !access(path, F_OK);
}

/* Is it on the list that was given? Returns 0, also where there is none, or -errno after saying
 * what is wrong. */
static int check_listed(struct expansion *e, const char *name)
{
	const struct kname_list *list;

	if (!e->p->options.functions)
		return 0;
	list = knames_functions(&e->p->names, -ENOENT);
	if (!list)
		return probes_error(e, "cannot read %s: %s", e->p->options.functions,
				    strerror(-e->p->names.functions.state));
	if (kname_find(list, name))
		return 0;
	source_warning(e->src, e->point->span, "%s is not traceable: %s does not have it", name,
		       e->p->options.functions);
	return e->p->options.unlisted_ok ? 0 : probes_missing(e, name, NULL);
}

static int expand_one(struct expansion *e, const char *module, const char *name)
{
	bool kprobe = !is_trampoline(e->point->provider);
	const struct kname *variant;
	struct function f;
	int err = check_listed(e, name);

	if (err)
		return err;
	if (module && !module_is_loaded(module))
		return probes_error(e, "specified module %s in probe %s:%s:%s is not loaded.",
				    module, ast_provider_name(e->point->provider), module, name);
	if (btf_function(e->p->btf, module, name, &f))
		return add_function(e, module, name, &f, true);
	if (kprobe && kname_is_symbol(&e->p->names, module, name))
		return add_function(e, module, name, NULL, true);
	variant = kprobe ? only_variant(e, module, name) : NULL;
	if (variant && !probes_is_named(e, variant->name))
		return add_variant(e, module, variant, name);
	if (expand_renamed(e, module, name, &err))
		return err;
	if (!kprobe && btf_types_error(e->p->btf))
		return probes_error(e,
				    "%s needs the kernel's BTF (CONFIG_DEBUG_INFO_BTF), which "
				    "can't be read: %s",
				    ast_provider_name(e->point->provider),
				    strerror(-btf_types_error(e->p->btf)));
	return no_function(e, module, name);
}

/* --- wildcards --- */

struct function_search {
	struct expansion *e;
	const char *module, *name; /* patterns */
	bool with_module;	   /* the script gave one */
	int err;
};

/* What BPF programs and those who run them call themselves: a wildcard does not mean these. */
static bool is_dangerous(const char *name)
{
	static const char *const beginnings[] = {
		"rcu_",		"__rcu_",	"bpf_",
		"__bpf_",	"htab_",	"_raw_spin_",
		"__raw_spin_",	"queued_spin_", "native_queued_spin_",
		"lock_acquire", "lock_release", "preempt_count_",
		"__kprobe",	"kprobe_",	"ftrace_",
		"__ftrace_",
	};

	for (size_t i = 0; i < ARRAY_SIZE(beginnings); i++)
		if (!strncmp(name, beginnings[i], strlen(beginnings[i])))
			return true;
	return false;
}

static void try_function(struct function_search *s, const char *module, const char *name)
{
	struct expansion *e = s->e;
	struct function f;
	bool known;

	if (s->err || e->full || !probes_match(s->name, name) || !probes_match(s->module, module) ||
	    is_dangerous(name))
		return;
	known = (is_trampoline(e->point->provider) || !probes_has_kprobes(e->p) ||
		 e->point->latency) &&
		btf_function(e->p->btf, module, name, &f);
	if (is_trampoline(e->point->provider) && (!known || !f.for_trampolines))
		return; /* not in BTF, which does not have all, or not for programs */
	s->err = add_function(e, s->with_module ? module : NULL, name, known ? &f : NULL, false);
}

static void try_btf_function(void *ctx, const char *module, const char *name)
{
	try_function(ctx, module, name);
}

static int expand_pattern(struct expansion *e, const char *module, const char *name)
{
	struct function_search s = {
		.e = e, .module = module ? module : "*", .name = name, .with_module = module
	};
	const struct kname_list *list = knames_functions(&e->p->names, probes_tracefs(e->p));

	if (!list && !is_trampoline(e->point->provider))
		list = knames_symbols(&e->p->names);
	for (size_t i = 0; list && i < list->nr; i++)
		try_function(&s, list->names[i].group, list->names[i].name);
	if (!list)
		btf_each_function(e->p->btf, strcmp(s.module, "vmlinux"), try_btf_function, &s);
	if (s.err || e->nr)
		return s.err;
	return probes_missing(e, module ? arena_printf(e->p->arena, "%s:%s", module, name) : name,
			      NULL);
}

/* kprobe:0xffffffff81234567: an instruction, whatever function it is part of. */
static int add_address(struct expansion *e)
{
	struct point *point;
	struct target *t;

	if (e->point->provider != PROVIDER_KPROBE || e->point->latency)
		return probes_error(e, "only a kprobe can be at an address");
	t = probes_add(e);
	if (!t)
		return 0;
	t->function = arena_printf(e->p->arena, "0x%llx", (unsigned long long)e->point->number);
	t->name = arena_printf(e->p->arena, "kprobe:%s", t->function);
	t->attach = ATTACH_KPROBE;
	t->address = e->point->number;
	point = arena_alloc(e->p->arena, sizeof(*point));
	*point = *e->point;
	point->has_offset = true;
	t->point = point;
	if (!e->p->options.only_names && !probes_has_kprobes(e->p))
		return probes_error(e, "this kernel grants no kprobes: %s can't be probed",
				    t->function);
	return 0;
}

int probes_function(struct expansion *e)
{
	const struct point *point = e->point;
	const char *module = point->nr_parts == 2 ? point->parts[0] : NULL, *name;

	if (point->has_number && !point->nr_parts)
		return add_address(e);
	if (point->nr_parts < 1 || point->nr_parts > 2)
		return probes_error(e,
				    "%s takes a function, and perhaps a module before it: "
				    "%s:vfs_read",
				    ast_provider_name(point->provider),
				    ast_provider_name(point->provider));
	name = point->parts[point->nr_parts - 1];
	if (point->has_offset && point->provider != PROVIDER_KPROBE)
		return probes_error(e, "only a kprobe can be at an offset in a function");
	if (probes_is_pattern(name) || (module && probes_is_pattern(module)))
		return expand_pattern(e, module, name);
	return expand_one(e, module, name);
}
