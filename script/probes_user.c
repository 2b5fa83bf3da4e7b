/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "script/elffuncs.h"
#include "script/probes_internal.h"
#include "script/usdt.h"
#include "script/userpath.h"
#include "symbols/demangle.h"

#define DEMANGLED_MAX 1024

/* One file that is being looked through. */
struct file_search {
	struct expansion *e;
	const struct user_file *file;
	struct elf_image *im;
	const char *provider; /* of usdt; a pattern */
	const char *name;     /* a pattern, or the name */
	bool demangled;	      /* the name is one as it stands in the source */
	bool params;	      /* ... with its parameters */
	bool pattern;
	bool indirect; /* there is one of that name, but see elffuncs.h */
	size_t first;  /* targets of this file begin here */
	struct nearest near;
	uint64_t size; /* of the function that was found last; 0: not known */
};

/* --- targets --- */

static struct target *add_target(struct file_search *s, uint64_t offset)
{
	struct expansion *e = s->e;
	struct target *t;

	t = probes_add(e);
	if (!t)
		return NULL;
	t->attach = e->point->provider == PROVIDER_URETPROBE ? ATTACH_URETPROBE : ATTACH_UPROBE;
	t->path = s->file->path;
	t->file_offset = offset;
	t->pid = e->p->options.pid;
	return t;
}

/* Symbols of one name may be several functions, and one function has several names. */
static bool is_there(const struct file_search *s, uint64_t offset, const char *name)
{
	for (size_t i = s->first; i < s->e->nr; i++)
		if (s->e->targets[i]->file_offset == offset &&
		    (!s->pattern || !strcmp(s->e->targets[i]->function, name)))
			return true;
	return false;
}

static void add_function(struct file_search *s, const struct elf_function *f)
{
	struct expansion *e = s->e;
	const char *provider = ast_provider_name(e->point->provider);
	uint64_t offset = f->offset + (e->point->has_offset ? e->point->offset : 0);
	struct target *t;

	if (is_there(s, offset, f->name))
		return;
	s->size = f->size;
	t = add_target(s, offset);
	if (!t)
		return;
	t->function = arena_strdup(e->p->arena, f->name);
	if (e->point->has_offset)
		t->name = arena_printf(e->p->arena, "%s:%s:%s+%llu", provider, s->file->shown,
				       f->name, (unsigned long long)e->point->offset);
	else
		t->name = arena_printf(e->p->arena, "%s:%s:%s", provider, s->file->shown, f->name);
}

/* --- names --- */

/* Cuts "(int, char)" off "ns::f(int, char)"; that of "operator()(int)" stays as far as it is the
 * name. */
static void cut_params(char *text)
{
	char *at = text, *op = strstr(text, "operator()");

	if (op)
		at = op + strlen("operator()");
	at = strchr(at, '(');
	if (at)
		*at = '\0';
}

static bool matches(struct file_search *s, const char *name)
{
	char text[DEMANGLED_MAX];

	if (!s->demangled)
		return s->pattern ? probes_match(s->name, name) : !strcmp(s->name, name);
	if (demangle(name, text, sizeof(text)) == name)
		return probes_match(s->name, name);
	if (!s->params)
		cut_params(text);
	return probes_match(s->name, text);
}

static bool try_symbol(void *ctx, const struct elf_function *f)
{
	struct file_search *s = ctx;

	if (f->indirect)
		s->indirect = s->indirect || (!s->pattern && !strcmp(s->name, f->name));
	else if (matches(s, f->name))
		add_function(s, f);
	else if (!s->pattern && !s->e->nr)
		nearest_try(&s->near, f->name);
	if (s->near.best == f->name) /* which goes when the call ends */
		s->near.best = arena_strdup(s->e->p->arena, f->name);
	return !s->e->full;
}

/* An address of the file, as nm and objdump show it. */
static int add_address(struct file_search *s)
{
	struct expansion *e = s->e;
	uint64_t address = e->point->number, offset;
	struct target *t;

	if (!elffuncs_offset(s->im, address, true, &offset))
		return probes_error(e, "Could not resolve address: %s:0x%llx", s->file->shown,
				    (unsigned long long)address);
	t = add_target(s, offset);
	if (t)
		t->name = arena_printf(e->p->arena, "%s:%s:%llu",
				       ast_provider_name(e->point->provider), s->file->shown,
				       (unsigned long long)address);
	return 0;
}

/* --- files --- */

static void keep_open(struct probes *p, int fd)
{
	if (fd < 0)
		return;
	if (p->nr_user_files == p->user_files_capacity)
		p->user_files = arena_grow(p->arena, p->user_files, &p->user_files_capacity, 8,
					   sizeof(*p->user_files));
	p->user_files[p->nr_user_files++] = fd;
}

/* Calls @look for each file that @name means. What is no ELF file is passed over where a wildcard
 * has found it. */
static int each_file_of(struct file_search *s, const char *name, int (*look)(struct file_search *s))
{
	struct expansion *e = s->e;
	struct user_files files = { 0 };
	int err =
		userpath_find(e->p->arena, name, e->p->options.pid, e->p->options.command, &files);
	bool many = probes_is_pattern(name) || !name[0];

	if (err)
		return probes_error(e, "%s: %s", name, strerror(-err));
	if (!files.nr)
		return probes_error(e, "%s target file '%s' does not exist or is not executable",
				    e->point->provider == PROVIDER_USDT ? "usdt" : "uprobe", name);
	for (size_t i = 0; i < files.nr; i++) {
		struct elf_image im;
		int fd = userpath_open(&files.files[i]), failed;

		failed = fd < 0 ? fd : elf_image_open(&im, fd);
		keep_open(e->p, files.files[i].keep);
		if (!failed && !err && !e->full) {
			s->file = &files.files[i];
			s->im = &im;
			s->first = e->nr;
			err = look(s);
		}
		if (!failed)
			elf_image_close(&im);
		if (fd >= 0)
			close(fd);
		if (failed && !many && !err)
			err = probes_error(e, "%s: %s", files.files[i].shown,
					   failed == -ENOEXEC ? "not an ELF file"
							      : strerror(-failed));
	}
	return err;
}

static int each_file(struct file_search *s, int (*look)(struct file_search *s))
{
	return each_file_of(s, s->e->point->parts[0], look);
}

static int look_for_function(struct file_search *s)
{
	struct expansion *e = s->e;

	if (!s->name)
		return add_address(s);
	elffuncs_each(s->im, try_symbol, s);
	if (e->nr > s->first && e->point->has_offset && s->size && e->point->offset >= s->size)
		return probes_error(e, "Offset outside the function bounds ('%s' size is %llu)",
				    s->name, (unsigned long long)s->size);
	return 0;
}

static int read_point(struct file_search *s)
{
	const struct point *point = s->e->point;
	const char *language = point->nr_parts == 3 ? point->parts[1] : NULL;

	if (point->nr_parts < 1 || point->nr_parts > 3 ||
	    (point->nr_parts == 1 && !point->has_number))
		return probes_error(s->e,
				    "%s should be attached to a function and/or address: "
				    "%s:/bin/bash:readline",
				    ast_provider_name(point->provider),
				    ast_provider_name(point->provider));
	if (language && strcmp(language, "cpp"))
		return probes_error(s->e, "unsupported language type: %s", language);
	if (point->has_offset && point->provider == PROVIDER_URETPROBE)
		return probes_error(s->e, "uretprobes can not be attached to a function offset");
	if (point->nr_parts == 1)
		return 0;
	s->name = s->near.name = point->parts[point->nr_parts - 1];
	s->pattern = probes_is_pattern(s->name);
	s->params = strchr(s->name, '(');
	s->demangled = language || s->params || strstr(s->name, "::");
	return 0;
}

/* A library that is empty since glibc 2.34 has made it a part of its libc.so.6. */
static bool is_part_of_libc(const char *name)
{
	static const char *const parts[] = { "libpthread", "librt", "libdl", "libutil", "libanl" };

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		const char *rest = name + strlen(parts[i]);

		if (!strncmp(name, parts[i], strlen(parts[i])) && (!*rest || strchr(".-", *rest)))
			return true;
	}
	return false;
}

/* Looks for the function in the C library beside that which does not have it. */
static int look_in_libc(struct file_search *s)
{
	struct expansion *e = s->e;
	const char *name = e->point->parts[0], *slash = strrchr(name, '/');
	const char *base = slash ? slash + 1 : name, *libc = "libc";
	int err;

	if (!s->name || s->pattern || !is_part_of_libc(base))
		return 0;
	if (slash)
		libc = arena_printf(e->p->arena, "%.*slibc.so.6", (int)(base - name), name);
	err = each_file_of(s, libc, look_for_function);
	if (!err && e->nr)
		source_warning(e->src, e->point->span,
			       "%s is in %s since glibc 2.34, and is taken from there", s->name,
			       libc);
	return err;
}

int probes_user(struct expansion *e)
{
	struct file_search s = { .e = e };
	const char *best = NULL;
	int err = read_point(&s);

	if (!err)
		err = each_file(&s, look_for_function);
	if (!err && !e->nr)
		err = look_in_libc(&s);
	if (err || e->nr)
		return err;
	if (s.indirect)
		return probes_error(e,
				    "%s is chosen by each program when it starts, so it has no "
				    "address (its versions have names such as __%s_avx2)",
				    s.name, s.name);
	if (s.near.best)
		best = arena_printf(e->p->arena, "%s:%s:%s", ast_provider_name(e->point->provider),
				    e->point->parts[0], s.near.best);
	return probes_missing(e, arena_printf(e->p->arena, "%s:%s", e->point->parts[0], s.name),
			      best);
}

/* --- usdt --- */

static bool try_note(void *ctx, const struct usdt_note *n)
{
	struct file_search *s = ctx;
	struct arena *arena = s->e->p->arena;
	struct usdt_arg args[USDT_ARGS_MAX];
	struct target *t;

	if (!probes_match(s->provider, n->provider) || !probes_match(s->name, n->name)) {
		const char *before = s->near.best;

		nearest_try(&s->near, n->name);
		if (s->near.best != before)
			s->near.best = arena_printf(arena, "%s", n->name);
		return true;
	}
	t = add_target(s, n->offset);
	if (!t)
		return false;
	t->name = arena_printf(arena, "usdt:%s:%s:%s", s->file->shown, n->provider, n->name);
	t->function = arena_strdup(arena, n->name);
	t->semaphore = n->semaphore;
	t->nr_usdt_args = usdt_parse(s->im, usdt_machine(s->im), n->address, n->args, args);
	if (t->nr_usdt_args) {
		t->usdt_args = arena_alloc(arena, t->nr_usdt_args * sizeof(args[0]));
		memcpy(t->usdt_args, args, t->nr_usdt_args * sizeof(args[0]));
	}
	return true;
}

static int look_for_notes(struct file_search *s)
{
	return usdt_each(s->im, try_note, s);
}

int probes_user_usdt(struct expansion *e)
{
	const struct point *point = e->point;
	struct file_search s = { .e = e, .provider = "*" };
	const char *best = NULL;
	int err;

	if (point->nr_parts == 1 && !strcmp(point->parts[0], "*")) {
		s.name = "*"; /* usdt:* */
		return each_file(&s, look_for_notes);
	}
	if (point->nr_parts < 2 || point->nr_parts > 3)
		return probes_error(e, "usdt takes a file, perhaps a provider, and a name: "
				       "usdt:/bin/program:provider:name");
	if (point->nr_parts == 3 && point->parts[1][0])
		s.provider = point->parts[1];
	s.name = s.near.name = point->parts[point->nr_parts - 1];
	if (!point->parts[0][0] && !e->p->options.pid)
		return probes_error(e, "usdt probe must specify at least path or pid to probe. To "
				       "target all paths/pids set the path to '*'.");
	err = each_file(&s, look_for_notes);
	if (err || e->nr)
		return err;
	if (s.near.best)
		best = arena_printf(e->p->arena, "usdt:%s:%s", point->parts[0], s.near.best);
	return probes_missing(
		e, arena_printf(e->p->arena, "%s:%s:%s", point->parts[0], s.provider, s.name),
		best);
}

/* --- stacks --- */

/* Whether it is where a function begins that was called; nobody calls that which a program begins
 * with. */
static bool begins_function(const struct target *t)
{
	return t->point->provider == PROVIDER_UPROBE && !t->point->offset &&
	       !t->point->has_number && t->function && strcmp(t->function, "_start") != 0;
}

#if defined(__x86_64__)

/*
 * At its first instruction a function has not saved the frame pointer yet, so that a stack made of
 * frame pointers lacks its caller. The return address is on top of the stack then.
 * Since Linux 6.11 (cfa7f3d2c526) the kernel puts it in where the instruction is `push %rbp` or,
 * if it is built with CONFIG_X86_KERNEL_IBT, `endbr64`, and only there (is_uprobe_at_func_entry()
 * in arch/x86/events/core.c). For that, and in the same commit, struct uprobe_task got a pointer to
 * the instruction; ibt_save() is there with that option only. So all is known here, and it need
 * not be guessed from a stack, in which a function that calls itself looks the same.
 */
struct added {
	bool push, endbr;
};

static struct added added_callers(struct probes *p)
{
	const struct type *task = btf_type(p->btf, "struct", "uprobe_task");
	struct added added = { 0 };
	struct function f;
	uint32_t at;

	if (!task)
		return added;
	record_complete(task);
	added.push = type_field(task, "auprobe", &at);
	added.endbr = added.push && (btf_function(p->btf, "vmlinux", "ibt_save", &f) ||
				     kname_is_symbol(&p->names, NULL, "ibt_save"));
	return added;
}

static bool is_added(const struct added *added, const unsigned char *insn)
{
	static const unsigned char endbr64[] = { 0xf3, 0x0f, 0x1e, 0xfa };

	return (added->push && insn[0] == 0x55) ||
	       (added->endbr && !memcmp(insn, endbr64, sizeof(endbr64)));
}

void probes_user_callers(struct probes *p, struct target **targets, size_t nr)
{
	const struct added added = added_callers(p);
	const char *path = NULL;
	int fd = -1;

	for (size_t i = 0; i < nr; i++) {
		struct target *t = targets[i];
		unsigned char insn[4];

		if (!begins_function(t))
			continue;
		if (!path || strcmp(path, t->path)) {
			if (fd >= 0)
				close(fd);
			path = t->path;
			fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
		}
		if (fd >= 0 && pread(fd, insn, sizeof(insn), t->file_offset) == sizeof(insn))
			t->caller_missing = !is_added(&added, insn);
	}
	if (fd >= 0)
		close(fd);
}

#else

/* On arm64 a call leaves the return address in a register, and the kernel's stack begins with the
 * frame pointer's, which is the caller's still. */
void probes_user_callers(struct probes *p, struct target **targets, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		struct target *t = targets[i];

		t->caller_missing = begins_function(t);
	}
}

#endif
