/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What looks into the kernel's own record of the task: curtask, ppid, pcomm, leader_tid ... */
#include <linux/bpf.h>
#include <string.h>

#include "script/compile.h"

const struct type *builtin_task_check_curtask(struct compiler *c, struct node *n)
{
	const struct type *task = NULL;

	/* only a field of it needs to know what it is, and that costs reading BTF, unless the
	 * script has a task_struct of its own */
	if (n->arrow)
		task = cdecl_find(c->cdecl, "struct task_struct", SPACE_KERNEL);
	return task ? type_pointer(c->types, task, SPACE_KERNEL) : type_int(c->types, 8, false);
}

ir_value builtin_task_lower_curtask(struct compiler *c, struct node *n)
{
	return ir_call(c->f, BPF_FUNC_get_current_task, IR_SCALAR, 0);
}

static uint32_t task_field(struct compiler *c, struct node *n, const char *record,
			   const char *field, uint32_t *size)
{
	const struct type *type = btf_type(c->btf, "struct", record);
	const struct field *f = NULL;
	uint32_t offset = 0;

	if (type) {
		record_complete(type);
		f = type_field(type, field, &offset);
	}
	if (!f) {
		check_error(c, n->span, "%s needs the kernel's BTF, which has no field %s of %s",
			    n->name, field, record);
		*size = 0;
		return 0;
	}
	*size = f->type->size;
	return offset;
}

/* pcomm and ppid are about the parent, leader_comm and leader_tid about the first thread. */
static const char *relative(const struct node *n)
{
	return strstr(n->name, "leader") ? "group_leader" : "real_parent";
}

/* Whose: the current task's, or that of ppid(task). */
static bool is_task(struct compiler *c, struct node *n)
{
	uint32_t size;

	if (n->nr_args && !check_number(c, n->args[0], "a task"))
		return false;
	task_field(c, n, "task_struct", relative(n), &size);
	return size;
}

const struct type *builtin_task_check_ppid(struct compiler *c, struct node *n)
{
	return is_task(c, n) ? type_int(c->types, 4, false) : NULL;
}

/* Reads @size bytes of the field @field of the relative into the scratch at @place. */
static void read_relative(struct compiler *c, struct node *n, const char *field, uint32_t place,
			  uint32_t size)
{
	uint32_t unused, at = task_field(c, n, "task_struct", relative(n), &unused);
	ir_value task = n->nr_args ? lower_expr(c, n->args[0]) : builtin_task_lower_curtask(c, n);

	lower_read(c, SPACE_KERNEL, place, 8, ir_binary_imm(c->f, IR_ADD, task, at));
	task = ir_load(c->f, ir_scratch(c->f, place), 0, 8, false);
	at = task_field(c, n, "task_struct", field, &unused);
	lower_read(c, SPACE_KERNEL, place, size, ir_binary_imm(c->f, IR_ADD, task, at));
}

ir_value builtin_task_lower_ppid(struct compiler *c, struct node *n)
{
	uint32_t place = lower_place(c, 8, n->span);

	read_relative(c, n, "tgid", place, 4);
	return ir_load(c->f, ir_scratch(c->f, place), 0, 4, false);
}

const struct type *builtin_task_check_pcomm(struct compiler *c, struct node *n)
{
	return is_task(c, n) ? type_of_kind(c->types, TYPE_COMM) : NULL;
}

ir_value builtin_task_lower_pcomm(struct compiler *c, struct node *n)
{
	uint32_t place = lower_place(c, 16, n->span);

	read_relative(c, n, "comm", place, 16);
	return ir_scratch(c->f, place);
}

/* The same of another task than the current one. */
const struct function_def builtin_task_functions[] = {
	{ "ppid", 1, 1, builtin_task_check_ppid, builtin_task_lower_ppid },
	{ "pcomm", 1, 1, builtin_task_check_pcomm, builtin_task_lower_pcomm },
	{ "leader_tid", 1, 1, builtin_task_check_ppid, builtin_task_lower_ppid },
	{ "leader_comm", 1, 1, builtin_task_check_pcomm, builtin_task_lower_pcomm },
	{ 0 },
};
