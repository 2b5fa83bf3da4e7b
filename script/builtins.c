/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Names that stand for what a program finds where it runs: comm, pid, arg0, args ... */
#include <linux/bpf.h>
#include <string.h>
#include <unistd.h>
#include <bpf/libbpf.h>

#include "base/util.h"
#include "script/compile.h"
#include "script/usdt.h"

struct builtin {
	const char *name;
	const struct type *(*check)(struct compiler *c, struct node *n);
	ir_value (*lower)(struct compiler *c, struct node *n);
};

static bool of_process(const struct compiler *c)
{
	return check_space(c) == SPACE_USER;
}

static const struct type *not_here(struct compiler *c, struct node *n)
{
	check_error(c, n->span, "%s is not there in %s probes", n->name,
		    ast_provider_name(c->target->point->provider));
	if (c->target->pair && !c->target->is_entry && !strncmp(n->name, "arg", 3))
		check_hint(c, "entry.%s is what it was at the entry", n->name);
	return NULL;
}

/* --- the task, the clock, the CPU --------------------------------------------------------- */

static const struct type *check_uint64(struct compiler *c, struct node *n)
{
	return type_int(c->types, 8, false);
}

static const struct type *check_uint32(struct compiler *c, struct node *n)
{
	return type_int(c->types, 4, false);
}

static ir_value call(struct compiler *c, int helper)
{
	return ir_call(c->f, helper, IR_SCALAR, 0);
}

static ir_value lower_uid(struct compiler *c, struct node *n)
{
	return ir_extend(c->f, call(c, BPF_FUNC_get_current_uid_gid), 4, false);
}

static ir_value lower_gid(struct compiler *c, struct node *n)
{
	return ir_binary_imm(c->f, IR_SHR, call(c, BPF_FUNC_get_current_uid_gid), 32);
}

static ir_value lower_nsecs(struct compiler *c, struct node *n)
{
	return call(c, BPF_FUNC_ktime_get_boot_ns); /* 5.8 */
}

static ir_value lower_elapsed(struct compiler *c, struct node *n)
{
	ir_value started =
		ir_load(c->f, ir_global(c->f, offsetof(struct rt_globals, started)), 0, 8, false);

	return ir_binary(c->f, IR_SUB, call(c, BPF_FUNC_ktime_get_ns), started);
}

static ir_value lower_cpu(struct compiler *c, struct node *n)
{
	return ir_extend(c->f, call(c, BPF_FUNC_get_smp_processor_id), 4, false);
}

static ir_value lower_numaid(struct compiler *c, struct node *n)
{
	return ir_extend(c->f, call(c, BPF_FUNC_get_numa_node_id), 4, false);
}

static ir_value lower_rand(struct compiler *c, struct node *n)
{
	return ir_extend(c->f, call(c, BPF_FUNC_get_prandom_u32), 4, false);
}

static ir_value lower_cgroup(struct compiler *c, struct node *n)
{
	return call(c, BPF_FUNC_get_current_cgroup_id);
}

static ir_value lower_jiffies(struct compiler *c, struct node *n)
{
	return call(c, BPF_FUNC_jiffies64);
}

static ir_value lower_ncpus(struct compiler *c, struct node *n)
{
	return ir_const(c->f, sysconf(_SC_NPROCESSORS_CONF));
}

static ir_value lower_cpid(struct compiler *c, struct node *n)
{
	return ir_load(c->f, ir_global(c->f, offsetof(struct rt_globals, child)), 0, 8, false);
}

static const struct type *check_bool(struct compiler *c, struct node *n)
{
	return type_bool(c->types);
}

static ir_value lower_has_cpid(struct compiler *c, struct node *n)
{
	ir_value child = lower_cpid(c, n);

	/* 1 unless it is 0: a pid is positive */
	return ir_binary_imm(c->f, IR_SHR, ir_negate(c->f, child), 63);
}

static const struct type *check_comm(struct compiler *c, struct node *n)
{
	return type_of_kind(c->types, TYPE_COMM);
}

#define COMM_SIZE 16 /* TASK_COMM_LEN */

ir_value builtin_comm(struct compiler *c, struct span at)
{
	ir_value comm = ir_scratch(c->f, lower_place(c, COMM_SIZE, at));

	/* the helper of 6.1 writes no further than the word of the name's end */
	lower_zero(c, comm, 0, COMM_SIZE);
	ir_call(c->f, BPF_FUNC_get_current_comm, IR_SCALAR, 2, comm, ir_const(c->f, COMM_SIZE));
	return comm;
}

static ir_value lower_comm(struct compiler *c, struct node *n)
{
	return builtin_comm(c, n->span);
}

static const struct type *check_username(struct compiler *c, struct node *n)
{
	return type_of_kind(c->types, TYPE_USERNAME);
}

/* --- registers and arguments -------------------------------------------------------------- */

#if defined(__x86_64__)
static const struct {
	const char *name;
	int at;
} registers[] = {
	{ "r15", 0 },  { "r14", 8 },  { "r13", 16 }, { "r12", 24 }, { "bp", 32 },  { "bx", 40 },
	{ "r11", 48 }, { "r10", 56 }, { "r9", 64 },  { "r8", 72 },  { "ax", 80 },  { "cx", 88 },
	{ "dx", 96 },  { "si", 104 }, { "di", 112 }, { "ip", 128 }, { "cs", 136 }, { "flags", 144 },
	{ "sp", 152 }, { "ss", 160 }, { "pc", 128 }, { "fp", 32 },
};
static const int argument_registers[] = { 112, 104, 96, 88, 72, 64 };
#define REGISTER_RESULT 80
#define REGISTER_SP	152
#define REGISTER_IP	128
#define REGISTER_CS	136
#else /* arm64: struct user_pt_regs */
static const struct {
	const char *name;
	int at;
} registers[] = {
	{ "r0", 0 },	{ "r1", 8 },	   { "r2", 16 },   { "r3", 24 },   { "r4", 32 },
	{ "r5", 40 },	{ "r6", 48 },	   { "r7", 56 },   { "r8", 64 },   { "r9", 72 },
	{ "r10", 80 },	{ "r11", 88 },	   { "r12", 96 },  { "r13", 104 }, { "r14", 112 },
	{ "r15", 120 }, { "r16", 128 },	   { "r17", 136 }, { "r18", 144 }, { "r19", 152 },
	{ "r20", 160 }, { "r21", 168 },	   { "r22", 176 }, { "r23", 184 }, { "r24", 192 },
	{ "r25", 200 }, { "r26", 208 },	   { "r27", 216 }, { "r28", 224 }, { "r29", 232 },
	{ "r30", 240 }, { "fp", 232 },	   { "lr", 240 },  { "sp", 248 },  { "pc", 256 },
	{ "ip", 256 },	{ "pstate", 264 },
};
static const int argument_registers[] = { 0, 8, 16, 24, 32, 40, 48, 56 };
#define REGISTER_RESULT 0
#define REGISTER_SP	248
#define REGISTER_IP	256
#endif

int builtin_register(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(registers); i++)
		if (!strcmp(registers[i].name, name))
			return registers[i].at;
	return -1;
}

int builtin_registers(const struct compiler *c)
{
	switch (c->target->attach) {
	case ATTACH_KPROBE:
	case ATTACH_KRETPROBE:
	case ATTACH_UPROBE:
	case ATTACH_URETPROBE:
	case ATTACH_PERF:
		return 0;
	default:
		return -1;
	}
}

static ir_value load_register(struct compiler *c, int at)
{
	return ir_load(c->f, ir_context(c->f), at, 8, false);
}

ir_value builtin_stack_pointer(struct compiler *c)
{
	return load_register(c, REGISTER_SP);
}

/*
 * The verifier lets a program of fentry take pointers to records, to void and to char out of its
 * context; to another integer only since 5.17 (bb6728d75611), and to a pointer not in 6.12 either.
 */
bool builtin_is_refused(const struct compiler *c, unsigned n)
{
	const struct type *args = c->target->args, *type;
	enum attach attach = c->target->attach;

	if ((attach != ATTACH_FENTRY && attach != ATTACH_FEXIT) || !args || n >= args->nr_fields ||
	    args->fields[n].type->kind != TYPE_POINTER)
		return false;
	type = args->fields[n].type->to;
	return type->kind != TYPE_RECORD && type->kind != TYPE_VOID &&
	       !(type->kind == TYPE_INT && type->size == 1);
}

static ir_value read_argument(struct compiler *c, unsigned n)
{
	uint32_t place = lower_place(c, 8, c->f->at);
	ir_value from = lower_forget(c, ir_context(c->f));

	lower_read(c, SPACE_KERNEL, place, 8, ir_binary_imm(c->f, IR_ADD, from, 8 * n));
	return ir_load(c->f, ir_scratch(c->f, place), 0, 8, false);
}

ir_value builtin_argument(struct compiler *c, unsigned n)
{
	enum attach attach = c->target->attach;

	if (c->target->nr_usdt_args)
		return usdt_argument(c, n);
	if (builtin_is_refused(c, n))
		return read_argument(c, n);
	if (attach == ATTACH_FENTRY || attach == ATTACH_FEXIT || attach == ATTACH_RAW_TP)
		return ir_load(c->f, ir_context(c->f), 8 * n, 8, false);
	return load_register(c, argument_registers[n]);
}

static unsigned argument_number(const struct node *n)
{
	const char *s = n->name;

	return (s[strcspn(s, "0123456789")] - '0');
}

static unsigned arguments_known(const struct compiler *c)
{
	switch (c->target->attach) {
	case ATTACH_FENTRY:
	case ATTACH_FEXIT:
		return c->target->args ? c->target->args->nr_fields : 0;
	case ATTACH_RAW_TP:
		return c->target->args ? c->target->args->nr_fields : 10;
	case ATTACH_KPROBE:
		return ARRAY_SIZE(argument_registers);
	case ATTACH_UPROBE:
		return c->target->point->provider == PROVIDER_USDT ? c->target->nr_usdt_args
								   : ARRAY_SIZE(argument_registers);
	default:
		return 0;
	}
}

static const struct type *check_arg(struct compiler *c, struct node *n)
{
	unsigned known = arguments_known(c), number = argument_number(n);

	if (!known && c->target->point->provider != PROVIDER_USDT)
		return not_here(c, n);
	if (number >= known) {
		check_error(c, n->span, "%s: %s has %u argument%s that can be seen here", n->name,
			    c->target->name, known, known == 1 ? "" : "s");
		if (c->target->attach == ATTACH_KPROBE || c->target->attach == ATTACH_UPROBE)
			check_hint(c, "those behind them are on the stack: sarg0 and so on");
		return NULL;
	}
	if (c->target->point->provider == PROVIDER_USDT) {
		if (c->target->usdt_args[number].kind == USDT_UNKNOWN)
			return check_error(c, n->span, "%s: where this probe has it can't be told",
					   n->name);
		return usdt_argument_type(c, number);
	}
	return type_int(c->types, 8, false);
}

static ir_value lower_arg(struct compiler *c, struct node *n)
{
	return builtin_argument(c, argument_number(n));
}

static const struct type *check_sarg(struct compiler *c, struct node *n)
{
	enum attach attach = c->target->attach;

	if (attach != ATTACH_KPROBE && attach != ATTACH_UPROBE)
		return not_here(c, n);
	return type_int(c->types, 8, false);
}

static ir_value lower_sarg(struct compiler *c, struct node *n)
{
	uint32_t place = lower_place(c, 8, n->span);
	ir_value sp = load_register(c, REGISTER_SP);
	int at = 8 * argument_number(n);

#if defined(__x86_64__)
	at += 8; /* the return address */
#endif
	lower_read(c, check_space(c), place, 8, ir_binary_imm(c->f, IR_ADD, sp, at));
	return ir_load(c->f, ir_scratch(c->f, place), 0, 8, false);
}

/* What the tracepoint at the end of a pair says of how it went; NULL: nothing. */
static const struct field *result_field(const struct compiler *c)
{
	const struct type *args = c->target->args;
	const struct field *f;
	uint32_t offset;

	f = args && !c->target->is_entry ? type_field(args, "ret", &offset) : NULL;
	return f && type_is_scalar(f->type) ? f : NULL;
}

static const struct type *check_retval(struct compiler *c, struct node *n)
{
	switch (c->target->attach) {
	case ATTACH_FEXIT:
		if (!c->target->ret)
			return check_error(c, n->span, "%s returns nothing", c->target->name);
		if (!type_is_scalar(c->target->ret))
			return check_error(c, n->span, "%s returns %s, which is not supported",
					   c->target->name, check_text(c, c->target->ret));
		return c->target->ret;
	case ATTACH_KRETPROBE:
	case ATTACH_URETPROBE:
		return type_int(c->types, 8, true);
	case ATTACH_TRACEPOINT:
		if (c->variant->latency && result_field(c))
			return result_field(c)->type;
		return not_here(c, n);
	default:
		return not_here(c, n);
	}
}

ir_value builtin_result(struct compiler *c)
{
	const struct type *ret = c->target->ret;
	ir_value value;

	if (c->target->attach == ATTACH_TRACEPOINT)
		return ir_load(c->f, ir_context(c->f), result_field(c)->offset,
			       result_field(c)->type->size, result_field(c)->type->is_signed);
	if (c->target->attach != ATTACH_FEXIT)
		return load_register(c, REGISTER_RESULT);
	value = ir_load(c->f, ir_context(c->f), 8 * c->target->nr_args, 8, false);
	/* a function's int leaves the upper half as it was */
	return ret->size < 8 ? ir_extend(c->f, value, ret->size, ret->is_signed) : value;
}

static ir_value lower_retval(struct compiler *c, struct node *n)
{
	return builtin_result(c);
}

const struct type *builtin_args(struct compiler *c, struct span at)
{
	if (c->target->args && c->target->attach != ATTACH_KRETPROBE &&
	    c->target->attach != ATTACH_PERF)
		return c->target->args;
	check_error(c, at, "what the arguments of %s are is not known here", c->target->name);
	if (c->target->pair && !c->target->is_entry) {
		check_hint(c, "entry.args and entry.arg0 are what they were at the entry");
		return NULL;
	}
	if (c->target->attach == ATTACH_KPROBE || c->target->attach == ATTACH_UPROBE)
		check_hint(c, "arg0, arg1 and so on are there by number");
	return NULL;
}

static const struct type *check_args(struct compiler *c, struct node *n)
{
	const struct type *args = builtin_args(c, n->span);

	/* of a function they are nowhere one behind the other */
	if (!args || args->size != 8 * args->nr_fields || args->name)
		return args ? type_pointer(c->types, args, SPACE_CONTEXT) : NULL;
	return args;
}

static ir_value lower_ctx(struct compiler *c, struct node *n)
{
	return lower_forget(c, ir_context(c->f));
}

/* All arguments of a function, as a record. */
static ir_value lower_args(struct compiler *c, struct node *n)
{
	uint32_t place;

	if (n->type->kind == TYPE_POINTER)
		return lower_ctx(c, n);
	place = lower_place(c, n->type->size, n->span);
	for (unsigned i = 0; i < n->type->nr_fields; i++) {
		ir_value argument = builtin_argument(c, i);

		ir_store(c->f, ir_scratch(c->f, place), 8 * i, 8, argument);
	}
	return ir_scratch(c->f, place);
}

static const struct type *check_ctx(struct compiler *c, struct node *n)
{
	return type_int(c->types, 8, false);
}

/* --- where it is -------------------------------------------------------------------------- */

static const struct type *check_probe(struct compiler *c, struct node *n)
{
	return type_of_kind(c->types, TYPE_PROBE);
}

static ir_value lower_known(struct compiler *c, const char *text)
{
	return ir_rodata(c->f, lower_literal(c, text, strlen(text)));
}

static ir_value lower_probe(struct compiler *c, struct node *n)
{
	if (c->target->attach == ATTACH_FOLDED)
		return lower_folded_probe(c);
	if (n->type->kind == TYPE_STRING)
		return lower_known(c, c->target->name);
	if (c->variant->by_cookie)
		return ir_call(c->f, BPF_FUNC_get_attach_cookie, IR_SCALAR, 1, ir_context(c->f));
	return ir_const(c->f, c->variant->first_name);
}

/* The text of probe and func; NULL: it is not known now. */
static const char *known_text(const struct compiler *c, const struct node *n)
{
	if (n->kind != NODE_NAME || c->variant->nr_targets != 1)
		return NULL;
	if (n->type->kind == TYPE_PROBE && strstr(n->name, "probe"))
		return c->target->name;
	/* with an offset, the address says more than the function */
	return c->target->point->has_offset ? NULL : c->target->function;
}

const struct type *builtin_as_text(struct compiler *c, struct node *n)
{
	enum type_kind kind = n->type ? n->type->kind : TYPE_VOID;
	const char *text = NULL;

	if (n->kind == NODE_NAME && (kind == TYPE_PROBE || kind == TYPE_KSYM || kind == TYPE_USYM))
		text = known_text(c, n);
	if (text)
		n->type = type_string(c->types, strlen(text) + 1);
	return n->type;
}

static const char *probe_type(const struct compiler *c)
{
	return c->target->pair ? "latency" : ast_provider_name(c->target->point->provider);
}

static const struct type *check_probetype(struct compiler *c, struct node *n)
{
	return type_string(c->types, strlen(probe_type(c)) + 1);
}

static ir_value lower_probetype(struct compiler *c, struct node *n)
{
	return lower_known(c, probe_type(c));
}

static bool is_one_function(const struct compiler *c)
{
	return c->variant->alone && c->target->function &&
	       c->target->point->provider != PROVIDER_USDT && !c->target->point->has_offset;
}

static const struct type *check_func(struct compiler *c, struct node *n)
{
	enum attach attach = c->target->attach;

	/* known now, even if the process has ended when it is shown */
	if (of_process(c) && is_one_function(c))
		return type_string(c->types, strlen(c->target->function) + 1);
	if (of_process(c) && (attach == ATTACH_URETPROBE || c->target->multi))
		return type_of_kind(c->types, TYPE_PROBE); /* by its name, too */
	c->out->symbols = true;
	if (of_process(c))
		return type_of_kind(c->types, TYPE_USYM);
	if (attach == ATTACH_FENTRY || attach == ATTACH_FEXIT)
		return type_string(c->types, strlen(c->target->function) + 1);
	if (attach == ATTACH_KPROBE || (attach == ATTACH_KRETPROBE && c->target->multi))
		return type_of_kind(c->types, TYPE_KSYM);
	if (attach == ATTACH_KRETPROBE && c->variant->alone)
		return type_string(c->types, strlen(c->target->function) + 1);
	if (attach == ATTACH_KRETPROBE)
		return type_of_kind(c->types, TYPE_PROBE);
	return not_here(c, n);
}

static ir_value lower_usym_at(struct compiler *c, struct node *n, ir_value address)
{
	ir_value at = ir_scratch(c->f, lower_place(c, sizeof(struct rt_usym), n->span));
	ir_value ids = call(c, BPF_FUNC_get_current_pid_tgid);

	ir_store(c->f, at, offsetof(struct rt_usym, address), 8, address);
	ir_store(c->f, at, offsetof(struct rt_usym, pid), 4, ir_binary_imm(c->f, IR_SHR, ids, 32));
	ir_store(c->f, at, offsetof(struct rt_usym, tid), 4, ids);
	return at;
}

/* 5.15 (9ffd9f3ff719) */
static bool has_func_ip(void)
{
	static int known = -1;

	if (known < 0)
		known = libbpf_probe_bpf_helper(BPF_PROG_TYPE_KPROBE, BPF_FUNC_get_func_ip, NULL) !=
			0;
	return known;
}

/*
 * Where the function is that was hit. A kprobe's instruction pointer is not always that: where
 * functions begin with endbr64 the probe is behind it, and on x86-64 it points behind the
 * breakpoint.
 */
static ir_value function_address(struct compiler *c)
{
	ir_value ip;

	if (c->target->multi ||
	    (c->target->attach == ATTACH_KPROBE && !c->target->point->has_offset && has_func_ip()))
		return ir_call(c->f, BPF_FUNC_get_func_ip, IR_SCALAR, 1, ir_context(c->f));
	ip = load_register(c, REGISTER_IP);
#if defined(__x86_64__)
	if (c->target->attach == ATTACH_KPROBE)
		ip = ir_binary_imm(c->f, IR_SUB, ip, 1);
#endif
	return ip;
}

static ir_value lower_func(struct compiler *c, struct node *n)
{
	ir_value ip;

	if (n->type->kind == TYPE_STRING)
		return lower_known(c, c->target->function);
	if (n->type->kind == TYPE_PROBE)
		return ir_binary_imm(c->f, IR_ADD, lower_probe(c, n), c->variant->nr_targets);
	ip = function_address(c);
	return n->type->kind == TYPE_USYM ? lower_usym_at(c, n, ip) : ip;
}

static const struct type *check_usermode(struct compiler *c, struct node *n)
{
	enum attach attach = c->target->attach;

	if (builtin_registers(c) < 0 && attach != ATTACH_RUN && attach != ATTACH_FENTRY &&
	    attach != ATTACH_FEXIT)
		return not_here(c, n);
	return type_int(c->types, 1, false);
}

static ir_value lower_usermode(struct compiler *c, struct node *n)
{
	/* begin, end and interval are run by bscope itself */
	if (c->target->attach == ATTACH_RUN)
		return ir_const(c->f, 1);
	if (builtin_registers(c) < 0)
		return ir_const(c->f, 0); /* a function of the kernel */
#if defined(__x86_64__)
	ir_value mode = ir_binary_imm(c->f, IR_AND, load_register(c, REGISTER_CS), 3);

	return ir_binary_imm(c->f, IR_SHR, mode, 1);
#else
	/* the mode EL0t is 0 */
	ir_value mode = ir_binary_imm(c->f, IR_AND, load_register(c, 264), 0xf);

	mode = ir_binary_imm(c->f, IR_SUB, mode, 1);
	return ir_binary_imm(c->f, IR_SHR, mode, 63);
#endif
}

/* --- stacks ------------------------------------------------------------------------------- */

static const struct type *stack_type(struct compiler *c, struct node *n, enum type_kind kind)
{
	struct type wanted = *type_of_kind(c->types, kind);

	wanted.depth = RT_STACK_DEPTH_MAX;
	wanted.stack_mode = c->config->stack_mode;
	return type_intern(c->types, &wanted);
}

static const struct type *check_kstack(struct compiler *c, struct node *n)
{
	return stack_type(c, n, TYPE_KSTACK);
}

static const struct type *check_ustack(struct compiler *c, struct node *n)
{
	return stack_type(c, n, TYPE_USTACK);
}

static ir_value lower_stack(struct compiler *c, struct node *n)
{
	ir_value at = ir_scratch(c->f, lower_place(c, sizeof(struct rt_id), n->span));

	lower_stack_id(c, n, at, 0);
	return at;
}

/* --- the table ---------------------------------------------------------------------------- */

static const struct builtin builtins[] = {
	{ "pid", check_uint32, call_ids },
	{ "tid", check_uint32, call_ids },
	{ "uid", check_uint32, lower_uid },
	{ "gid", check_uint32, lower_gid },
	{ "username", check_username, lower_uid },
	{ "nsecs", check_uint64, lower_nsecs },
	{ "elapsed", check_uint64, lower_elapsed },
	{ "cpu", check_uint32, lower_cpu },
	{ "ncpus", check_uint64, lower_ncpus },
	{ "numaid", check_uint32, lower_numaid },
	{ "rand", check_uint32, lower_rand },
	{ "cgroup", check_uint64, lower_cgroup },
	{ "jiffies", check_uint64, lower_jiffies },
	{ "cpid", check_uint64, lower_cpid },
	{ "has_cpid", check_bool, lower_has_cpid },
	{ "comm", check_comm, lower_comm },
	{ "ppid", builtin_task_check_ppid, builtin_task_lower_ppid },
	{ "pcomm", builtin_task_check_pcomm, builtin_task_lower_pcomm },
	{ "leader_tid", builtin_task_check_ppid, builtin_task_lower_ppid },
	{ "leader_comm", builtin_task_check_pcomm, builtin_task_lower_pcomm },
	{ "curtask", builtin_task_check_curtask, builtin_task_lower_curtask },
	{ "retval", check_retval, lower_retval },
	{ "latency", latency_check, latency_lower },
	{ "args", check_args, lower_args },
	{ "ctx", check_ctx, lower_ctx },
	{ "probe", check_probe, lower_probe },
	{ "probetype", check_probetype, lower_probetype },
	{ "func", check_func, lower_func },
	{ "usermode", check_usermode, lower_usermode },
	{ "kstack", check_kstack, lower_stack },
	{ "ustack", check_ustack, lower_stack },
};

static const struct builtin argument = { "arg0", check_arg, lower_arg };
static const struct builtin stack_argument = { "sarg0", check_sarg, lower_sarg };

/* "arg0" to "arg9", by @stem. */
static bool is_numbered(const char *name, const char *stem)
{
	size_t n = strlen(stem);

	return !strncmp(name, stem, n) && name[n] >= '0' && name[n] <= '9' && !name[n + 1];
}

static const struct builtin *find(const char *name)
{
	static const char prefix[] = "__builtin_";

	if (!strncmp(name, prefix, sizeof(prefix) - 1))
		name += sizeof(prefix) - 1;
	if (is_numbered(name, "arg"))
		return &argument;
	if (is_numbered(name, "sarg"))
		return &stack_argument;
	for (size_t i = 0; i < ARRAY_SIZE(builtins); i++)
		if (!strcmp(builtins[i].name, name))
			return &builtins[i];
	return NULL;
}

const struct type *builtin_check(struct compiler *c, struct node *n, bool *known)
{
	const struct builtin *b = find(n->name);

	/* elsewhere the name may be a constant's or an enumerator's */
	if (b && b->check == latency_check && !c->variant->latency)
		b = NULL;
	*known = b;
	n->info = (void *)b;
	return b ? b->check(c, n) : NULL;
}

ir_value builtin_lower(struct compiler *c, struct node *n)
{
	return ((const struct builtin *)n->info)->lower(c, n);
}

const char *const *script_builtin_names(void)
{
	static const char *names[ARRAY_SIZE(builtins) + 3];

	if (!names[0]) {
		for (size_t i = 0; i < ARRAY_SIZE(builtins); i++)
			names[i] = builtins[i].name;
		names[ARRAY_SIZE(builtins)] = "arg0";
		names[ARRAY_SIZE(builtins) + 1] = "sarg0";
	}
	return names;
}
