/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * libFuzzer: any bytes as a script, compiled for a kernel that is made up here, and each of its
 * programs run once. The checker of the three-address code is the first judge, the interpreter of
 * the unit tests the second. What bscope asks the kernel and the file system is answered here (the
 * linker's --wrap, see the Makefile), so it takes no privileges and every machine does the same.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <linux/bpf_perf_event.h>

#include "base/util.h"
#include "elf_fixture.h"
#include "script/ast.h"
#include "script/btf_raw.h"
#include "script/check.h"
#include "script/formats.h"
#include "script/interp.h"
#include "script/knames.h"
#include "script/userpath.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

#define WORDS	4096
#define STEPS	200000 /* of a program: what takes more is no fault, but takes too long here */
#define CONTEXT 256    /* bytes: struct pt_regs with what perf events have besides, and more */

static struct btf *kernel_btf;
static int program = -1; /* an ELF file */
static FILE *nowhere;
static uint64_t memory[WORDS]; /* the kernel's, and that of processes: each word leads into it */

/* --- a kernel of our own --- */

static struct kname functions[] = {
	{ "ext4_file_open", "ext4" },
	{ "vfs_read", "vmlinux" },
	{ "vfs_readv", "vmlinux" },
	{ "vfs_write", "vmlinux" },
};
static struct kname events[] = {
	{ "sched_switch", "sched" },
	{ "sched_wakeup", "sched" },
	{ "sys_enter_openat", "syscalls" },
	{ "sys_exit_openat", "syscalls" },
};
static const struct kname_list function_list = { 1, functions, ARRAY_SIZE(functions), 0, NULL };
static const struct kname_list event_list = { 1, events, ARRAY_SIZE(events), 0, NULL };

int __wrap_tracefs_open(void);
int __wrap_tracefs_open(void)
{
	return open("/", O_PATH | O_CLOEXEC);
}

char *__wrap_tracefs_read(struct arena *arena, int dir, const char *path, size_t max);
char *__wrap_tracefs_read(struct arena *arena, int dir, const char *path, size_t max)
{
	const char *fields = NULL;

	if (strstr(path, "sched_switch"))
		fields = "\tfield:char prev_comm[16];\toffset:8;\tsize:16;\tsigned:0;\n"
			 "\tfield:pid_t next_pid;\toffset:24;\tsize:4;\tsigned:1;\n"
			 "\tfield:unsigned long mask[2];\toffset:32;\tsize:16;\tsigned:0;\n"
			 "\tfield:__data_loc char[] name;\toffset:48;\tsize:4;\tsigned:0;\n";
	else if (strstr(path, "sys_enter_openat"))
		fields = "\tfield:int __syscall_nr;\toffset:8;\tsize:4;\tsigned:1;\n"
			 "\tfield:const char * filename;\toffset:16;\tsize:8;\tsigned:0;\n"
			 "\tfield:struct task_struct * t;\toffset:24;\tsize:8;\tsigned:0;\n";
	else if (strstr(path, "sys_exit_openat"))
		fields = "\tfield:int __syscall_nr;\toffset:8;\tsize:4;\tsigned:1;\n"
			 "\tfield:long ret;\toffset:16;\tsize:8;\tsigned:1;\n";
	if (!fields)
		return NULL;
	return arena_printf(arena,
			    "name: x\nID: 7\nformat:\n"
			    "\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n%s"
			    "\nprint fmt: \"\"\n",
			    fields);
}

const struct kname_list *__wrap_knames_functions(struct knames *k, int tracefs);
const struct kname_list *__wrap_knames_functions(struct knames *k, int tracefs)
{
	return &function_list;
}

const struct kname_list *__wrap_knames_symbols(struct knames *k);
const struct kname_list *__wrap_knames_symbols(struct knames *k)
{
	return &function_list;
}

const struct kname_list *__wrap_knames_events(struct knames *k, int tracefs);
const struct kname_list *__wrap_knames_events(struct knames *k, int tracefs)
{
	return &event_list;
}

bool __wrap_kname_is_symbol(struct knames *k, const char *module, const char *name);
bool __wrap_kname_is_symbol(struct knames *k, const char *module, const char *name)
{
	return kname_find(&function_list, name);
}

int __wrap_libbpf_probe_bpf_helper(enum bpf_prog_type type, enum bpf_func_id id, const void *opts);
int __wrap_libbpf_probe_bpf_helper(enum bpf_prog_type type, enum bpf_func_id id, const void *opts)
{
	return 1;
}

/* Modules have none. */
int __wrap_btf_raw_open(struct btf_raw *r, const char *path, const struct btf_raw *base);
int __wrap_btf_raw_open(struct btf_raw *r, const char *path, const struct btf_raw *base)
{
	uint32_t size;
	const void *data = btf__raw_data(kernel_btf, &size);

	return base ? -ENOENT : btf_raw_memory(r, data, size, NULL);
}

/* Every path is that of one program. */
int __wrap_userpath_find(struct arena *arena, const char *name, pid_t pid, const char *command,
			 struct user_files *found);
int __wrap_userpath_find(struct arena *arena, const char *name, pid_t pid, const char *command,
			 struct user_files *found)
{
	found->files = arena_alloc(arena, sizeof(*found->files));
	found->files[0] =
		(struct user_file){ "/bin/program",
				    arena_printf(arena, "/proc/self/fd/%d", program), -1 };
	found->nr = found->capacity = 1;
	return 0;
}

/* --- what there is in it --- */

static void make_task(int i32, int i64, int comm)
{
	int task = btf__add_struct(kernel_btf, "task_struct", 96), pointer;

	/* the pointer that follows has the next number */
	pointer = task + 1;
	btf__add_field(kernel_btf, "pid", i32, 0, 0);
	btf__add_field(kernel_btf, "tgid", i32, 32, 0);
	btf__add_field(kernel_btf, "comm", comm, 64, 0);
	btf__add_field(kernel_btf, "parent", pointer, 192, 0);
	btf__add_field(kernel_btf, "flags", i32, 256, 3);
	btf__add_field(kernel_btf, "more", i32, 259, 29);
	btf__add_field(kernel_btf, "mm", pointer + 1, 320, 0);
	btf__add_field(kernel_btf, "start_time", i64, 384, 0);
	btf__add_field(kernel_btf, "real_parent", pointer, 448, 0);
	btf__add_field(kernel_btf, "", pointer + 2, 512, 0);
	btf__add_ptr(kernel_btf, task);
	btf__add_ptr(kernel_btf, 0);
	btf__add_union(kernel_btf, NULL, 16);
	btf__add_field(kernel_btf, "number", i64, 0, 0);
	btf__add_field(kernel_btf, "bytes", comm, 0, 0);
}

static void make_btf(void)
{
	int i64, i32, i8, comm, proto;

	kernel_btf = btf__new_empty();
	i64 = btf__add_int(kernel_btf, "long", 8, BTF_INT_SIGNED);
	i32 = btf__add_int(kernel_btf, "int", 4, BTF_INT_SIGNED);
	i8 = btf__add_int(kernel_btf, "char", 1, 0);
	comm = btf__add_array(kernel_btf, i32, i8, 16);
	make_task(i32, i64, comm);
	btf__add_enum(kernel_btf, "state", 4);
	btf__add_enum_value(kernel_btf, "RUNNING", 0);
	btf__add_enum_value(kernel_btf, "WAITING", 1);
	btf__add_typedef(kernel_btf, "pid_t", i32);
	proto = btf__add_func_proto(kernel_btf, i64);
	btf__add_func_param(kernel_btf, "task",
			    btf__find_by_name_kind(kernel_btf, "task_struct", BTF_KIND_STRUCT) + 1);
	btf__add_func_param(kernel_btf, "count", i64);
	btf__add_func_param(kernel_btf, "flag", i32);
	btf__add_func(kernel_btf, "vfs_read", BTF_FUNC_STATIC, proto);
	btf__add_func(kernel_btf, "vfs_readv", BTF_FUNC_STATIC, proto);
	btf__add_typedef(kernel_btf, "btf_trace_sched_switch", btf__add_ptr(kernel_btf, proto));
}

/* Two functions and a usdt probe. */
static void make_program(void)
{
	fixture_begin();
	shell("cat > a.s <<'ASM'\n"
	      ".text\n.globl f\n.type f, @function\nf: .skip 16\n.size f, 16\n"
	      ".globl g\n.type g, @function\ng: .skip 8\n.size g, 8\n"
	      ".section .note.stapsdt, \"\", \"note\"\n.balign 4\n.4byte 8, 2f-1f, 3\n"
	      ".asciz \"stapsdt\"\n1: .quad f, 0, f\n.asciz \"p\"\n.asciz \"n\"\n"
	      ".asciz \"8@$5 -4@%edi 1@8(%rax,%rdx,4)\"\n2: .balign 4\nASM\n"
	      "gcc -nostdlib -shared -Wl,--build-id=none -o a a.s");
	program = open(in_dir("a"), O_RDONLY | O_CLOEXEC);
	fixture_end();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	nowhere = fopen("/dev/null", "w");
	make_btf();
	make_program();
	for (size_t i = 0; i < WORDS; i++)
		memory[i] = (uintptr_t)&memory[i * 7919 % WORDS];
	/* texts: without an end, too */
	memset(memory + WORDS / 2, 'a', sizeof(memory) / 8);
	return nowhere && program >= 0 ? 0 : -1;
}

/* --- one script --- */

static size_t context_size(const struct program *p)
{
	const struct target *t = p->targets[0];

	switch (t->attach) {
	case ATTACH_RUN:
		return 0;
	case ATTACH_TRACEPOINT:
		return t->args ? t->args->size : 8;
	case ATTACH_RAW_TP:
		return t->args ? t->args->size : 96;
	case ATTACH_FENTRY:
	case ATTACH_FEXIT:
		return 8 * (t->nr_args + 1);
	case ATTACH_PERF:
		return sizeof(struct bpf_perf_event_data);
	default:
		return sizeof(bpf_user_pt_regs_t);
	}
}

static void run(struct interp *in, const struct program *p, size_t number)
{
	size_t size = context_size(p);
	char *context = NULL; /* its end is watched */

	if (size > sizeof(memory))
		return;
	if (size) {
		context = malloc(size);
		memcpy(context, memory, size);
	}
	if (interp_run_code(in, in->codes[number], context, size) && !in->endless)
		abort();
	free(context);
}

static void execute(const struct compiled *c)
{
	struct interp *in = interp_new(c);

	if (!in) {
		/* what is too large was said; anything else is not to be */
		if (!c->source->errors)
			abort();
		return;
	}
	in->steps_max = STEPS;
	interp_outside(in, INTERP_KERNEL, memory, sizeof(memory));
	interp_outside(in, INTERP_USER, memory, sizeof(memory));
	in->world.task = (uintptr_t)memory;
	for (size_t i = 0; i < c->nr_programs; i++)
		run(in, c->programs[i], i);
	interp_free(in);
}

#define DEFECT "a defect of bscope"

/* The checker of the three-address code had nothing to say. (A script may quote it.) */
static void check_said(const char *said, const struct source *src)
{
	if (strstr(said, DEFECT) && !memmem(src->text, src->size, DEFECT, strlen(DEFECT))) {
		fputs(said, stderr);
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const args[] = { "5", "a b", "-0x7", "vmlinux:vfs_read" };
	const struct positional positional = { .args = args, .nr = 4 };
	const struct compile_options options = { .probes = { .only_names = true },
						 .positional = &positional,
						 .unsafe = true };
	struct source *src = source_new("fuzzed", (const char *)data, size);
	struct script_config config = { 0 };
	struct compiled *c = NULL;
	struct script *script;
	char *said = NULL;
	size_t len;

	if (!src)
		abort();
	src->messages = open_memstream(&said, &len);
	script = script_parse(src, &positional);
	if (!src->errors || size % 2) /* what is half understood is checked, too */
		script_configure(script, &config);
	c = script_compile(script, &options, &config);
	if (c)
		execute(c);
	else if (!src->errors)
		abort();
	script_compiled_free(c);
	fclose(src->messages);
	check_said(said, src);
	free(said);
	source_free(src);
	return 0;
}
