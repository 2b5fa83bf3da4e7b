/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Calls that give addresses: kaddr(), percpu_kaddr(), uaddr(); and path(), which begins at one. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>

#include "script/compile.h"
#include "script/elffuncs.h"

static bool is_literal(struct compiler *c, struct node *n)
{
	if (call_literal(n->args[0]))
		return true;
	check_error(c, n->args[0]->span, "%s() takes a literal name", n->name);
	return false;
}

/* --- of the kernel ------------------------------------------------------------------------ */

/* Functions and data; 0: there is none of this name, or its address is hidden. */
static uint64_t symbol_address(const char *name)
{
	FILE *f = fopen("/proc/kallsyms", "re");
	unsigned long long address = 0;
	char line[512], symbol[256];

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%llx %*c %255s", &address, symbol) == 2 && !strcmp(symbol, name))
			break;
		address = 0;
	}
	if (f)
		fclose(f);
	return address;
}

/* Keeps the address of the symbol @name in the node of the literal. */
static bool find_symbol(struct compiler *c, struct node *n, const char *name, uint64_t *address)
{
	*address = c->final ? symbol_address(name) : 1;
	if (!*address)
		check_error(c, n->span, "%s(): the kernel shows no symbol %s", n->name, name);
	return *address;
}

static const struct type *check_kaddr(struct compiler *c, struct node *n)
{
	if (!is_literal(c, n) || !find_symbol(c, n, n->args[0]->text, &n->args[0]->value))
		return NULL;
	return type_int(c->types, 8, false);
}

static ir_value lower_kaddr(struct compiler *c, struct node *n)
{
	return ir_const(c->f, n->args[0]->value);
}

static const struct type *check_percpu_kaddr(struct compiler *c, struct node *n)
{
	if (!is_literal(c, n) || !find_symbol(c, n, n->args[0]->text, &n->args[0]->value) ||
	    !find_symbol(c, n, "__per_cpu_offset", &n->value) ||
	    (n->nr_args > 1 && !check_number(c, n->args[1], "the number of a CPU")))
		return NULL;
	return type_pointer(c->types, type_int(c->types, 8, false), SPACE_KERNEL);
}

/* Where the CPU's own copy is; 0: there is no such CPU. */
static ir_value lower_percpu_kaddr(struct compiler *c, struct node *n)
{
	uint32_t inside = ir_block(c->f), after = ir_block(c->f),
		 place = lower_place(c, 8, n->span);
	ir_value result = ir_variable(c->f, IR_SCALAR), cpu, at, offsets, offset, symbol;

	cpu = n->nr_args > 1
		      ? lower_expr(c, n->args[1])
		      : ir_extend(c->f, ir_call(c->f, BPF_FUNC_get_smp_processor_id, IR_SCALAR, 0),
				  4, false);
	ir_set(c->f, result, ir_const(c->f, 0));
	ir_branch_imm(c->f, IR_ULT, cpu, libbpf_num_possible_cpus(), inside, after);
	ir_enter(c->f, inside);
	at = ir_binary_imm(c->f, IR_MUL, cpu, 8);
	offsets = ir_const(c->f, n->value);
	lower_read(c, SPACE_KERNEL, place, 8, ir_binary(c->f, IR_ADD, at, offsets));
	offset = ir_load(c->f, ir_scratch(c->f, place), 0, 8, false);
	symbol = ir_const(c->f, n->args[0]->value);
	ir_set(c->f, result, ir_binary(c->f, IR_ADD, offset, symbol));
	ir_jump(c->f, after);
	ir_enter(c->f, after);
	return result;
}

/* --- of a process ------------------------------------------------------------------------- */

struct user_symbol {
	uint64_t address, size;
	uint64_t probe; /* the address of the probe, in the same file */
};

/* NULL, or what is wrong. */
static const char *find_user_symbol(const struct target *t, const char *name, struct user_symbol *s)
{
	struct elf_segment segments[ELF_MAX_SEGMENTS];
	const char *wrong = NULL;
	struct elf_image im;
	int fd = open(t->path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || elf_image_open(&im, fd)) {
		if (fd >= 0)
			close(fd);
		return "its file can't be read";
	}
	if (!elffuncs_symbol(&im, name, &s->address, &s->size))
		wrong = "its file has no such symbol";
	else if (!elf_segments_vaddr(segments, elf_image_segments(&im, segments), t->file_offset,
				     &s->probe))
		wrong = "the probe is nowhere in its file";
	elf_image_close(&im);
	close(fd);
	return wrong;
}

static const struct type *check_uaddr(struct compiler *c, struct node *n)
{
	struct user_symbol s;
	const char *wrong;

	if (c->target->attach != ATTACH_UPROBE) {
		check_error(c, n->span, "uaddr() is there in uprobe and usdt probes, and not in %s",
			    ast_provider_name(c->target->point->provider));
		if (c->target->attach == ATTACH_URETPROBE)
			check_hint(c, "latency:FILE:FUNCTION has entry(*uaddr(\"...\"))");
		return NULL;
	}
	if (!is_literal(c, n))
		return NULL;
	wrong = find_user_symbol(c->target, n->args[0]->text, &s);
	if (wrong)
		return check_error(c, n->span, "uaddr(): %s: %s: %s", n->args[0]->text,
				   c->target->name, wrong);
	/* how far the symbol is behind the probe */
	n->args[0]->value = s.address - s.probe;
	s.size = s.size == 1 || s.size == 2 || s.size == 4 ? s.size : 8;
	return type_pointer(c->types, type_int(c->types, s.size, false), SPACE_USER);
}

/* Where the file was loaded, the probe has been, too: all of a file lies as far apart in memory as
 * its addresses say. */
static ir_value lower_uaddr(struct compiler *c, struct node *n)
{
	ir_value ip = ir_load(c->f, ir_context(c->f), builtin_register("ip"), 8, false);

	return ir_binary(c->f, IR_ADD, ip, ir_const(c->f, n->args[0]->value));
}

/* --- path() ------------------------------------------------------------------------------- */

/* What the kernel's records of files are called, in the order of enum rt_path_offset. */
static const struct {
	const char *record, *field;
} path_fields[RT_PATH_OFFSETS] = {
	[RT_PATH_MNT] = { "path", "mnt" },
	[RT_PATH_DENTRY] = { "path", "dentry" },
	[RT_PATH_MOUNT] = { "mount", "mnt" },
	[RT_PATH_MNT_ROOT] = { "vfsmount", "mnt_root" },
	[RT_PATH_MNT_PARENT] = { "mount", "mnt_parent" },
	[RT_PATH_MOUNTPOINT] = { "mount", "mnt_mountpoint" },
	[RT_PATH_PARENT] = { "dentry", "d_parent" },
	[RT_PATH_NAME] = { "qstr", "name" },
	[RT_PATH_LEN] = { "qstr", "len" },
	[RT_PATH_QSTR] = { "dentry", "d_name" },
};

static bool path_offsets(struct compiler *c, struct node *n, uint32_t *offsets)
{
	for (size_t i = 0; i < RT_PATH_OFFSETS; i++) {
		const struct type *type = btf_type(c->btf, "struct", path_fields[i].record);

		if (type)
			record_complete(type);
		if (!type || !type_field(type, path_fields[i].field, &offsets[i])) {
			check_error(c, n->span,
				    "path() needs the kernel's BTF, which has no field %s of %s",
				    path_fields[i].field, path_fields[i].record);
			return false;
		}
	}
	return true;
}

static const struct type *check_path(struct compiler *c, struct node *n)
{
	uint64_t room = c->config->max_strlen;
	const struct type *type = check_expr(c, n->args[0]);
	uint32_t offsets[RT_PATH_OFFSETS];
	int64_t size;

	if (!type || !path_offsets(c, n, offsets))
		return NULL;
	if (type->kind == TYPE_POINTER)
		type = type->to;
	if (type->kind != TYPE_RECORD || !type->name || strcmp(type->name, "path"))
		return check_error(c, n->args[0]->span,
				   "path() takes a struct path, and this is %s",
				   check_text(c, n->args[0]->type));
	if (n->nr_args > 1) {
		check_expr(c, n->args[1]);
		if (!check_constant(c, n->args[1], &size) || size < RT_PATH_ROOM_MIN)
			return check_error(c, n->args[1]->span,
					   "path()'s size is a constant of at least %d",
					   RT_PATH_ROOM_MIN);
		room = (uint64_t)size < room ? (uint64_t)size : room;
	}
	if (room < RT_PATH_ROOM_MIN)
		room = RT_PATH_ROOM_MIN;
	return type_string(c->types, room < RT_PATH_ROOM_MAX ? room : RT_PATH_ROOM_MAX);
}

static ir_value lower_path(struct compiler *c, struct node *n)
{
	uint32_t offsets[RT_PATH_OFFSETS], place;
	ir_value from, to, room, table;

	if (!path_offsets(c, n, offsets))
		return 0;
	place = lower_place(c, RT_STRING_SIZE(n->type->count) + RT_PATH_NAME_MAX, n->span);
	from = n->args[0]->type->kind == TYPE_POINTER ? lower_expr(c, n->args[0])
						      : lower_address(c, n->args[0]);
	to = ir_scratch(c->f, place);
	room = ir_const(c->f, n->type->count);
	table = ir_rodata(c->f, lower_rodata(c, offsets, sizeof(offsets)));
	ir_runtime(c->f, "rt_path", IR_SCALAR, 4, to, room, from, table);
	return ir_scratch(c->f, place);
}

const struct function_def function_addresses[] = {
	{ "kaddr", 1, 1, check_kaddr, lower_kaddr },
	{ "percpu_kaddr", 1, 2, check_percpu_kaddr, lower_percpu_kaddr },
	{ "uaddr", 1, 1, check_uaddr, lower_uaddr },
	{ "path", 1, 2, check_path, lower_path },
	{ 0 },
};
