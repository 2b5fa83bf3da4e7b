/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <linux/bpf.h>
#include <bpf/bpf.h>

#include "kernel/btf.h"
#include "script/btf_internal.h"

#define BTF_DIR	   "/sys/kernel/btf"
#define TRACEPOINT "btf_trace_" /* typedefs of the functions that a tracepoint calls */
#define ITERATOR   "__traceiter_"
#define ARGS_MAX   32 /* of a function; fentry takes 12 at the most */

/* --- modules --- */

/* One that can't be read is left out: it may have gone meanwhile. */
static void read_module(struct btf_types *b, const char *name, struct btf_section **tail)
{
	char path[sizeof(BTF_DIR) + 1 + 256];
	struct btf_section *s;

	s = arena_alloc(b->arena, sizeof(*s));
	snprintf(path, sizeof(path), BTF_DIR "/%s", name);
	if (btf_raw_open(&s->raw, path, &b->vmlinux.raw))
		return;
	s->module = arena_strdup(b->arena, name);
	s->fd = -1;
	s->next = *tail;
	*tail = s;
}

struct btf_section *btf_modules(struct btf_types *b)
{
	struct dirent *entry;
	DIR *dir;

	if (b->modules_read || btf_types_error(b))
		return b->modules;
	b->modules_read = true;
	if (b->path) /* the kernel's modules are not split from that */
		return NULL;
	dir = opendir(BTF_DIR);
	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.' && strcmp(entry->d_name, "vmlinux"))
			read_module(b, entry->d_name, &b->modules);
	if (dir)
		closedir(dir);
	return b->modules;
}

static int section_fd(struct btf_types *b, struct btf_section *s)
{
	if (s == &b->vmlinux)
		return 0;
	if (s->fd == -1)
		s->fd = btf_open_module(s->module);
	return s->fd;
}

/* vmlinux first, or with @module only that. */
static struct btf_section *first_section(struct btf_types *b, const char *module)
{
	struct btf_section *s;

	if (btf_types_error(b))
		return NULL;
	if (!module || !strcmp(module, "vmlinux"))
		return &b->vmlinux;
	for (s = btf_modules(b); s && strcmp(s->module, module); s = s->next)
		;
	return s;
}

static struct btf_section *next_section(struct btf_types *b, const char *module,
					const struct btf_section *s)
{
	if (module)
		return NULL;
	return s == &b->vmlinux ? btf_modules(b) : s->next;
}

/* Finds a type of one of these kinds by its name. 0: there is none. */
static uint32_t find_type(struct btf_types *b, const char *module, uint32_t kinds, const char *name,
			  struct btf_section **where)
{
	for (struct btf_section *s = first_section(b, module); s; s = next_section(b, module, s)) {
		uint32_t id = btf_raw_find(&s->raw, kinds, name);

		if (id) {
			*where = s;
			return id;
		}
	}
	return 0;
}

/* --- functions --- */

/* What may be a caller's pointer is tried both ways. */
static const struct type *argument_type(struct btf_types *b, struct btf_section *s, uint32_t id)
{
	const struct type *type = btf_make(b, s, id);

	if (type->kind != TYPE_POINTER || type->space != SPACE_KERNEL ||
	    type->to->kind == TYPE_RECORD)
		return type;
	return type_pointer(b->types, type->to, SPACE_NONE);
}

#define TRAMPOLINE_ARGS_MAX 12 /* MAX_BPF_FUNC_ARGS */

/* See struct function. An argument of 16 bytes is taken from 6.0 on (720e6a435194). */
static bool is_for_trampolines(const struct type *arg)
{
	return type_is_scalar(arg) ||
	       (arg->kind == TYPE_RECORD && !arg->is_union && arg->size <= 16);
}

/* @skip: leading parameters that are not arguments. */
static void read_proto(struct btf_types *b, struct btf_section *s, const struct btf_type *proto,
		       uint32_t skip, struct function *f)
{
	const struct btf_param *p = (const void *)(proto + 1);
	struct type args = { .kind = TYPE_RECORD, .align = 8 };
	uint32_t nr = btf_raw_vlen(proto);

	if (nr > ARGS_MAX)
		nr = ARGS_MAX;
	args.fields = arena_alloc(b->arena, (nr + 1) * sizeof(*args.fields));
	f->args_fit = true;
	f->for_trampolines = btf_raw_vlen(proto) - skip <= TRAMPOLINE_ARGS_MAX;
	for (uint32_t i = skip; i < nr; i++) {
		struct field *field = &args.fields[args.nr_fields];
		const char *name = btf_raw_string(&s->raw, p[i].name_off);

		if (!p[i].type) { /* ... */
			f->args_fit = f->for_trampolines = false;
			break;
		}
		field->type = argument_type(b, s, p[i].type);
		field->name = name[0] ? name : arena_printf(b->arena, "arg%zu", args.nr_fields);
		field->offset = args.size;
		args.nr_fields++;
		args.size += field->type->size > 8 ? (field->type->size + 7) & ~7u : 8;
		f->args_fit = f->args_fit && type_is_scalar(field->type);
		f->for_trampolines = f->for_trampolines && is_for_trampolines(field->type);
	}
	f->args = type_intern(b->types, &args);
	f->ret = btf_make(b, s, proto->type);
	if (f->ret->kind == TYPE_VOID)
		f->ret = NULL;
	else if (!type_is_scalar(f->ret))
		f->for_trampolines = false;
}

static const struct btf_type *proto_of(const struct btf_section *s, uint32_t id)
{
	const struct btf_type *t = btf_strip(&s->raw, &id);

	return t && btf_raw_kind(t) == BTF_KIND_FUNC_PROTO ? t : NULL;
}

/* With --btf, types come from that file, but it is by its own ids that the kernel knows things. */
static uint32_t own_id(struct btf_types *b, uint32_t kinds, const char *name)
{
	if (b->own_state > 0)
		b->own_state = btf_raw_open(&b->own, BTF_KERNEL, NULL);
	if (b->own_state)
		return 0;
	return btf_raw_find(&b->own, kinds, name);
}

static void set_place(struct btf_types *b, struct btf_section *s, uint32_t kinds, uint32_t id,
		      const char *name, struct function *f)
{
	f->module = s->module;
	f->btf_id = b->path ? own_id(b, kinds, name) : id;
	f->btf_fd = section_fd(b, s);
}

bool btf_function(struct btf_types *b, const char *module, const char *name, struct function *f)
{
	const uint32_t kinds = BTF_RAW_KIND(BTF_KIND_FUNC);
	const struct btf_type *proto;
	struct btf_section *s;
	uint32_t id = find_type(b, module, kinds, name, &s);

	if (!id)
		return false;
	proto = proto_of(s, btf_raw_type(&s->raw, id)->type);
	if (!proto)
		return false;
	*f = (struct function){ .name = arena_strdup(b->arena, name) };
	set_place(b, s, kinds, id, name, f);
	read_proto(b, s, proto, 0, f);
	return true;
}

/*
 * The prototype of a tracepoint's functions, whose first parameter is not the tracepoint's. That of
 * the function that calls them all (from 5.10 on, d25e37d89dd2) has the names of the others.
 */
static const struct btf_type *tracepoint_proto(struct btf_types *b, const char *name,
					       struct btf_section **s, uint32_t *id)
{
	const struct btf_type *t;
	uint32_t other;
	char full[256];

	if (snprintf(full, sizeof(full), TRACEPOINT "%s", name) >= (int)sizeof(full))
		return NULL;
	*id = find_type(b, NULL, BTF_RAW_KIND(BTF_KIND_TYPEDEF), full, s);
	if (!*id)
		return NULL;
	snprintf(full, sizeof(full), ITERATOR "%s", name);
	other = btf_raw_find(&(*s)->raw, BTF_RAW_KIND(BTF_KIND_FUNC), full);
	t = other ? proto_of(*s, btf_raw_type(&(*s)->raw, other)->type) : NULL;
	if (t)
		return t;
	other = *id;
	t = btf_strip(&(*s)->raw, &other);
	return t && btf_raw_kind(t) == BTF_KIND_PTR ? proto_of(*s, t->type) : NULL;
}

bool btf_tracepoint(struct btf_types *b, const char *name, struct function *f)
{
	struct btf_section *s;
	uint32_t id;
	const struct btf_type *proto = tracepoint_proto(b, name, &s, &id);
	const char *full;

	if (!proto)
		return false;
	full = arena_printf(b->arena, TRACEPOINT "%s", name);
	*f = (struct function){ .name = full + strlen(TRACEPOINT) };
	set_place(b, s, BTF_RAW_KIND(BTF_KIND_TYPEDEF), id, full, f);
	read_proto(b, s, proto, 1, f);
	f->ret = NULL;
	return true;
}

bool btf_has_tracepoint(struct btf_types *b, const char *name)
{
	struct btf_section *s;
	char full[256];

	return snprintf(full, sizeof(full), TRACEPOINT "%s", name) < (int)sizeof(full) &&
	       find_type(b, "vmlinux", BTF_RAW_KIND(BTF_KIND_TYPEDEF), full, &s);
}

/* --- text --- */

bool btf_print_function(struct btf_types *b, const char *module, const char *name, bool retval,
			const char *indent, FILE *out)
{
	struct btf_section *s;
	uint32_t id = find_type(b, module, BTF_RAW_KIND(BTF_KIND_FUNC), name, &s);
	const struct btf_type *proto = id ? proto_of(s, btf_raw_type(&s->raw, id)->type) : NULL;

	if (proto)
		btf_print_params(&s->raw, proto, 0, retval, indent, out);
	return proto;
}

bool btf_print_tracepoint(struct btf_types *b, const char *name, const char *indent, FILE *out)
{
	struct btf_section *s;
	uint32_t id;
	const struct btf_type *proto = tracepoint_proto(b, name, &s, &id);

	if (proto)
		btf_print_params(&s->raw, proto, 1, false, indent, out);
	return proto;
}

bool btf_print_record(struct btf_types *b, const char *keyword, const char *name, FILE *out)
{
	uint32_t kinds = !strcmp(keyword, "enum")
				 ? BTF_ENUM_KINDS
				 : BTF_RAW_KIND(!strcmp(keyword, "union") ? BTF_KIND_UNION
									  : BTF_KIND_STRUCT);
	struct btf_section *s;
	uint32_t id = find_type(b, NULL, kinds, name, &s);

	if (id)
		btf_print_type(&s->raw, btf_raw_type(&s->raw, id), out);
	return id;
}

/* --- all of them --- */

void btf_each_function(struct btf_types *b, bool modules,
		       void (*fn)(void *ctx, const char *module, const char *name), void *ctx)
{
	const char *only = modules ? NULL : "vmlinux";

	for (struct btf_section *s = first_section(b, only); s; s = next_section(b, only, s))
		for (uint32_t id = 0;
		     (id = btf_raw_next(&s->raw, BTF_RAW_KIND(BTF_KIND_FUNC), id + 1));)
			fn(ctx, s->module,
			   btf_raw_string(&s->raw, btf_raw_type(&s->raw, id)->name_off));
}

void btf_each_tracepoint(struct btf_types *b,
			 void (*fn)(void *ctx, const char *module, const char *name), void *ctx)
{
	for (struct btf_section *s = first_section(b, NULL); s; s = next_section(b, NULL, s)) {
		for (uint32_t id = 0;
		     (id = btf_raw_next(&s->raw, BTF_RAW_KIND(BTF_KIND_TYPEDEF), id + 1));) {
			const char *name =
				btf_raw_string(&s->raw, btf_raw_type(&s->raw, id)->name_off);

			if (!strncmp(name, TRACEPOINT, strlen(TRACEPOINT)))
				fn(ctx, s->module, name + strlen(TRACEPOINT));
		}
	}
}

void btf_each_record(struct btf_types *b,
		     void (*fn)(void *ctx, const char *keyword, const char *name), void *ctx)
{
	for (struct btf_section *s = first_section(b, NULL); s; s = next_section(b, NULL, s)) {
		for (uint32_t id = 0;
		     (id = btf_raw_next(&s->raw, BTF_RECORD_KINDS | BTF_ENUM_KINDS, id + 1));) {
			const struct btf_type *t = btf_raw_type(&s->raw, id);
			const char *name = btf_raw_string(&s->raw, t->name_off);

			if (name[0])
				fn(ctx,
				   btf_raw_kind(t) == BTF_KIND_STRUCT  ? "struct"
				   : btf_raw_kind(t) == BTF_KIND_UNION ? "union"
								       : "enum",
				   name);
		}
	}
}

/* --- enumerators --- */

bool btf_enumerator(struct btf_types *b, const char *name, int64_t *value, const struct type **type)
{
	struct btf_section *s = first_section(b, "vmlinux");
	struct btf_enumerator e = { 0 };
	const struct type *of;

	if (s)
		e = btf_raw_enumerator(&s->raw, name);
	if (!e.id)
		return false;
	of = btf_make(b, s, e.id);
	*value = of->enumerators[e.nth].value;
	*type = of->name ? of : type_int(b->types, of->size, true);
	return true;
}
