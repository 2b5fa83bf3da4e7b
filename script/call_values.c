/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Calls that give values which are shown in a way of their own: addresses, stacks, times ... */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/cgroup.h"
#include "base/msg.h"
#include "base/util.h"
#include "script/compile.h"

/* Also str("text"), as which parameters come: it is that text from now on. */
bool call_literal(struct node *n)
{
	const struct node *a = n->kind == NODE_CALL && n->nr_args == 1 ? n->args[0] : NULL;

	if (a && !strcmp(n->name, "str") && a->text &&
	    (a->kind == NODE_STRING || (a->positional && a->kind == NODE_INT))) {
		n->kind = NODE_STRING;
		n->text = a->text;
		n->length = strlen(a->text);
	}
	return n->kind == NODE_STRING;
}

/* --- numbers that are shown as something else --------------------------------------------- */

static const struct {
	const char *name, *what;
	enum type_kind kind;
} shown[] = {
	{ "ksym", "ksym()'s address", TYPE_KSYM },
	{ "strerror", "an errno", TYPE_STRERROR },
	{ "syscall_name", "the number of a system call", TYPE_SYSCALL_NAME },
	{ "signal_name", "the number of a signal", TYPE_SIGNAL_NAME },
	{ "username", "a uid", TYPE_USERNAME },
	{ "cgroup_path", "a cgroup's id", TYPE_CGROUP_PATH },
};

static const struct type *check_shown(struct compiler *c, struct node *n)
{
	size_t i = 0;

	while (strcmp(shown[i].name, n->name))
		i++;
	if (n->nr_args > 1 && call_literal(n->args[1]))
		n->args[1]->type =
			type_void(c->types); /* a filter of mounts, which we have no need of */
	if (!check_number(c, n->args[0], shown[i].what))
		return NULL;
	c->out->symbols |= shown[i].kind == TYPE_KSYM;
	return type_of_kind(c->types, shown[i].kind);
}

static ir_value lower_first(struct compiler *c, struct node *n)
{
	return lower_expr(c, n->args[0]);
}

static const struct type *check_strftime(struct compiler *c, struct node *n)
{
	struct type wanted = *type_of_kind(c->types, TYPE_TIMESTAMP);

	if (!call_literal(n->args[0]))
		return check_error(c, n->args[0]->span, "strftime()'s format has to be a literal");
	n->args[0]->type = type_void(c->types);
	if (!check_number(c, n->args[1], "a time"))
		return NULL;
	wanted.name = n->args[0]->text;
	return type_intern(c->types, &wanted);
}

static ir_value lower_strftime(struct compiler *c, struct node *n)
{
	return lower_expr(c, n->args[1]);
}

static const struct type *check_usym(struct compiler *c, struct node *n)
{
	if (!check_number(c, n->args[0], "usym()'s address"))
		return NULL;
	c->out->symbols = true;
	return type_of_kind(c->types, TYPE_USYM);
}

static ir_value lower_usym(struct compiler *c, struct node *n)
{
	ir_value address = lower_expr(c, n->args[0]), ids, at;

	at = ir_scratch(c->f, lower_place(c, sizeof(struct rt_usym), n->span));
	ids = ir_call(c->f, BPF_FUNC_get_current_pid_tgid, IR_SCALAR, 0);
	ir_store(c->f, at, offsetof(struct rt_usym, address), 8, address);
	ir_store(c->f, at, offsetof(struct rt_usym, pid), 4, ir_binary_imm(c->f, IR_SHR, ids, 32));
	ir_store(c->f, at, offsetof(struct rt_usym, tid), 4, ids);
	return at;
}

/* --- constants that are looked up now ----------------------------------------------------- */

static const struct type *become(struct compiler *c, struct node *n, uint64_t value)
{
	n->kind = NODE_INT;
	n->value = value;
	n->info = (void *)type_int(c->types, 8, false);
	return n->info;
}

static const struct type *check_cgroupid(struct compiler *c, struct node *n)
{
	uint64_t id;
	int err;

	if (!call_literal(n->args[0]))
		return check_error(c, n->args[0]->span, "cgroupid() takes a literal path");
	err = cgroup_id_parse(n->args[0]->text, &id);
	if (err)
		return check_error(c, n->span, "cgroupid(): %s: %s", n->args[0]->text,
				   strerror(-err));
	return become(c, n, id);
}

static ir_value lower_constant(struct compiler *c, struct node *n)
{
	return ir_const(c->f, n->value);
}

static const struct type *check_reg(struct compiler *c, struct node *n)
{
	const char *name;

	if (builtin_registers(c) < 0)
		return check_error(c, n->span, "there are no registers in %s probes",
				   ast_provider_name(c->target->point->provider));
	if (!call_literal(n->args[0]))
		return check_error(c, n->args[0]->span, "reg() takes a literal name");
	name = n->args[0]->text;
	if (builtin_register(name) < 0)
		return check_error(c, n->span, "reg(): there is no register %s", name);
	return type_int(c->types, 8, false);
}

static ir_value lower_reg(struct compiler *c, struct node *n)
{
	return ir_load(c->f, ir_context(c->f), builtin_register(n->args[0]->text), 8, false);
}

/* --- clocks, ids -------------------------------------------------------------------------- */

static const struct {
	const char *name;
	int helper;
} clocks[] = {
	{ "monotonic", BPF_FUNC_ktime_get_ns },
	{ "boot", BPF_FUNC_ktime_get_boot_ns },
	{ "tai", BPF_FUNC_ktime_get_tai_ns },	  /* 6.1 */
	{ "sw_tai", BPF_FUNC_ktime_get_boot_ns }, /* the offset is added here */
};

static int clock_helper(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(clocks); i++)
		if (!strcmp(clocks[i].name, name))
			return clocks[i].helper;
	return -1;
}

static const struct type *check_nsecs(struct compiler *c, struct node *n)
{
	struct node *a = n->nr_args ? n->args[0] : NULL;

	if (!a)
		return type_int(c->types, 8, false);
	if (a->kind != NODE_NAME || clock_helper(a->name) < 0)
		return check_error(c, a->span, "nsecs() takes monotonic, boot, tai or sw_tai");
	a->type = type_void(c->types);
	return type_int(c->types, 8, false);
}

static ir_value lower_nsecs(struct compiler *c, struct node *n)
{
	const char *clock = n->nr_args ? n->args[0]->name : "boot";
	ir_value now = ir_call(c->f, clock_helper(clock), IR_SCALAR, 0);
	struct timespec tai, boot;
	int64_t ahead;

	if (strcmp(clock, "sw_tai"))
		return now;
	clock_gettime(CLOCK_TAI, &tai);
	clock_gettime(CLOCK_BOOTTIME, &boot);
	ahead = (tai.tv_sec - boot.tv_sec) * 1000000000LL + tai.tv_nsec - boot.tv_nsec;
	return ir_binary(c->f, IR_ADD, now, ir_const(c->f, ahead));
}

static bool own_pidns(uint64_t *dev, uint64_t *ino)
{
	struct stat st;

	if (stat("/proc/self/ns/pid", &st))
		return false;
	*dev = st.st_dev;
	*ino = st.st_ino;
	return true;
}

/* pid(), tid(): in the namespace of bscope with curr_ns, in the first one with init. */
static const struct type *check_ids(struct compiler *c, struct node *n)
{
	struct node *a = n->nr_args ? n->args[0] : NULL;

	if (a && (a->kind != NODE_NAME || (strcmp(a->name, "curr_ns") && strcmp(a->name, "init"))))
		return check_error(c, a->span, "%s() takes curr_ns or init", n->name);
	if (a)
		a->type = type_void(c->types);
	return type_int(c->types, 4, false);
}

/* The inode of the first namespace of processes (PROC_PID_INIT_INO). */
#define FIRST_PIDNS 0xeffffffc

/* What is not said is as those who look see it: ids of the namespace that bscope is in. */
static bool is_own_pidns(const struct node *n)
{
	uint64_t dev, ino;

	if (n->kind == NODE_CALL && n->nr_args)
		return !strcmp(n->args[0]->name, "curr_ns");
	return own_pidns(&dev, &ino) && ino != FIRST_PIDNS;
}

ir_value call_ids(struct compiler *c, struct node *n)
{
	bool tid = strstr(n->name, "tid"); /* or __builtin_tid */
	uint32_t place;
	uint64_t dev, ino;
	ir_value ids, at, device, inode;

	if (is_own_pidns(n) && own_pidns(&dev, &ino)) {
		/* struct bpf_pidns_info { pid, tgid } (5.7) */
		place = lower_place(c, 8, n->span);
		at = ir_scratch(c->f, place);
		ir_store_imm(c->f, at, 0, 8, 0);
		device = ir_const(c->f, dev);
		inode = ir_const(c->f, ino);
		ir_call(c->f, BPF_FUNC_get_ns_current_pid_tgid, IR_SCALAR, 4, device, inode, at,
			ir_const(c->f, 8));
		return ir_load(c->f, ir_scratch(c->f, place), tid ? 0 : 4, 4, false);
	}
	ids = ir_call(c->f, BPF_FUNC_get_current_pid_tgid, IR_SCALAR, 0);
	return tid ? ir_extend(c->f, ids, 4, false) : ir_binary_imm(c->f, IR_SHR, ids, 32);
}

/* --- bytes -------------------------------------------------------------------------------- */

static const struct type *check_bswap(struct compiler *c, struct node *n)
{
	const struct node *a = n->args[0];
	uint32_t size;

	if (!check_number(c, n->args[0], "what bswap() turns round"))
		return NULL;
	size = a->type->size;
	/* of a $variable as many bytes as what it was given has */
	if (a->kind == NODE_VAR && a->info)
		size = ((const struct variable *)a->info)->width;
	return type_int(c->types, size ? size : 8, false);
}

static ir_value lower_bswap(struct compiler *c, struct node *n)
{
	ir_value value = lower_expr(c, n->args[0]);

	return n->type->size == 1 ? value : ir_bswap(c->f, value, n->type->size);
}

/* ntohs() and its like: on a machine of little endian, bswap() of 2 or 4 bytes. */
static uint32_t net_size(const struct node *n)
{
	return n->name[strlen(n->name) - 1] == 's' ? 2 : 4;
}

static const struct type *check_net(struct compiler *c, struct node *n)
{
	if (!check_number(c, n->args[0], "what is turned round"))
		return NULL;
	return type_int(c->types, net_size(n), false);
}

static ir_value lower_net(struct compiler *c, struct node *n)
{
	return ir_bswap(c->f, lower_expr(c, n->args[0]), net_size(n));
}

static const struct type *check_pointer(struct compiler *c, struct node *n)
{
	const struct type *type;

	if (!check_number(c, n->args[0], "an address"))
		return NULL;
	type = n->args[0]->type;
	return type_pointer(c->types, type->kind == TYPE_POINTER ? type->to : type_void(c->types),
			    n->name[0] == 'u' ? SPACE_USER : SPACE_KERNEL);
}

static const struct type *check_macaddr(struct compiler *c, struct node *n)
{
	const struct type *type = check_expr(c, n->args[0]);

	if (!type)
		return NULL;
	if (!type_is_scalar(type) && type->kind != TYPE_ARRAY && !type_is_text(type))
		return check_error(c, n->span, "macaddr() takes an address or an array of 6 bytes");
	return type_of_kind(c->types, TYPE_MAC);
}

/* Copies @size bytes that an array has, or a pointer points to, to the scratch at @place. */
static void copy_bytes(struct compiler *c, struct node *n, uint32_t place, uint32_t size)
{
	ir_value from = lower_expr(c, n);

	if (n->type->kind == TYPE_STRING) /* char[] of a record */
		lower_copy(c, ir_scratch(c->f, place), 0, from, offsetof(struct rt_string, bytes),
			   size);
	else if (!type_is_scalar(n->type))
		lower_copy(c, ir_scratch(c->f, place), 0, from, 0, size);
	else
		lower_read(c,
			   n->type->kind == TYPE_POINTER && n->type->space != SPACE_CONTEXT
				   ? n->type->space
				   : SPACE_NONE,
			   place, size, from);
}

static ir_value lower_macaddr(struct compiler *c, struct node *n)
{
	uint32_t place = lower_place(c, 8, n->span);

	ir_store_imm(c->f, ir_scratch(c->f, place), 0, 8, 0);
	copy_bytes(c, n->args[0], place, 6);
	return ir_scratch(c->f, place);
}

/* --- getopt() ----------------------------------------------------------------------------- */

/* What was given as --name or --name=value; NULL: nothing. "" stands for --name alone. */
static const char *named_parameter(struct compiler *c, const char *name)
{
	const struct positional *p = c->options->positional;
	size_t len = strlen(name);

	for (size_t i = p ? p->nr_named : 0; i > 0; i--) {
		const char *given = p->named[i - 1];

		given += 2 * !strncmp(given, "--", 2);
		if (strncmp(given, name, len))
			continue;
		if (!given[len])
			return "";
		if (given[len] == '=')
			return given + len + 1;
	}
	return NULL;
}

static const struct asked *find_asked(struct compiler *c, const char *name, size_t len)
{
	for (size_t i = 0; i < c->nr_asked; i++)
		if (!strncmp(c->asked[i].name, name, len) && !c->asked[i].name[len])
			return &c->asked[i];
	return NULL;
}

static void note_asked(struct compiler *c, const struct node *n)
{
	const char *name = n->args[0]->text;

	if (find_asked(c, name, strlen(name)))
		return;
	if (c->nr_asked == c->asked_capacity)
		c->asked = arena_grow(c->arena, c->asked, &c->asked_capacity, 8, sizeof(*c->asked));
	c->asked[c->nr_asked++] = (struct asked){ name, n->nr_args > 2 ? n->args[2]->text : NULL };
}

void function_named_check(struct compiler *c)
{
	const struct positional *p = c->options->positional;
	const char *unexpected = "", *expected = "";
	bool help = false;

	for (size_t i = 0; p && i < p->nr_named; i++) {
		const char *name = p->named[i] + 2 * !strncmp(p->named[i], "--", 2);
		size_t len = strcspn(name, "=");

		if (find_asked(c, name, len))
			continue;
		help |= !strcmp(name, "help");
		unexpected = arena_printf(c->arena, "%s%s--%.*s", unexpected,
					  *unexpected ? ", " : "", (int)len, name);
	}
	if (!*unexpected || c->source->errors)
		return;
	c->source->errors++;
	for (size_t i = 0; i < c->nr_asked; i++)
		expected = arena_printf(c->arena, "%s%s--%s", expected, i ? ", " : " ",
					c->asked[i].name);
	if (!help)
		error("unexpected program command line options: %s", unexpected);
	source_hint(c->source, "expected program options:%s", *expected ? expected : " none");
	for (size_t i = 0; i < c->nr_asked && help; i++)
		if (c->asked[i].description)
			source_hint(c->source, "--%s: %s", c->asked[i].name,
				    c->asked[i].description);
}

static const struct type *getopt_number(struct compiler *c, struct node *n, const char *given,
					int64_t value, bool is_bool)
{
	char *end;

	bool is_signed = true;

	if (given && is_bool && (!*given || !strcasecmp(given, "true")))
		given = "1";
	if (given && is_bool && !strcasecmp(given, "false"))
		given = "0";
	if (given) {
		errno = 0;
		value = strtoll(given, &end, 0);
		if (errno == ERANGE && *given != '-') {
			errno = 0;
			value = strtoull(given, &end, 0);
			is_signed = false;
		}
		if (errno || !*given || *end || (is_bool && (value & ~1)))
			return check_error(c, n->span, "--%s=%s: it should be %s", n->args[0]->text,
					   given, is_bool ? "true or false" : "a number");
	}
	n->kind = NODE_INT;
	n->value = value;
	n->info = (void *)(is_bool ? type_bool(c->types) : type_int(c->types, 8, is_signed));
	return n->info;
}

/* getopt("name", default, "description"): the parameter, of the type of the default. */
static const struct type *check_getopt(struct compiler *c, struct node *n)
{
	const struct type *type = NULL;
	const char *given;
	int64_t value = 0;

	if (!call_literal(n->args[0]))
		return check_error(c, n->args[0]->span, "getopt() takes a literal name");
	given = named_parameter(c, n->args[0]->text);
	note_asked(c, n);
	if (n->nr_args > 1)
		type = check_expr(c, n->args[1]);
	if (n->nr_args > 1 && call_literal(n->args[1])) {
		n->kind = NODE_STRING;
		n->text = given ? given : n->args[1]->text;
		n->length = strlen(n->text);
		n->type = NULL;
		return check_expr(c, n);
	}
	if (n->nr_args > 1 && !check_constant(c, n->args[1], &value))
		return check_error(c, n->args[1]->span, "getopt()'s default has to be a constant");
	return getopt_number(c, n, given, value, !type || type->kind == TYPE_BOOL);
}

static ir_value lower_getopt(struct compiler *c, struct node *n)
{
	return ir_const(c->f, n->value); /* the check has made it a constant */
}

/* --- ntop() ------------------------------------------------------------------------------- */

static struct node *inet_address(const struct node *n)
{
	return n->args[n->nr_args - 1];
}

/* struct in_addr or in6_addr, say */
static bool is_inet(const struct type *type)
{
	return type->kind == TYPE_RECORD && (type->size == 4 || type->size == 16);
}

static const struct type *check_ntop(struct compiler *c, struct node *n)
{
	const struct type *type = check_expr(c, inet_address(n));

	if (n->nr_args > 1 && !check_number(c, n->args[0], "an address family"))
		return NULL;
	if (!type)
		return NULL;
	if (!type_is_scalar(type) && !is_inet(type) &&
	    !((type->kind == TYPE_ARRAY || type_is_text(type)) && type->size >= 4))
		return check_error(c, n->span, "ntop() takes 4 or 16 bytes, and this is %s",
				   check_text(c, type));
	return type_of_kind(c->types, TYPE_INET);
}

static uint32_t inet_size(const struct type *type)
{
	if (type->kind == TYPE_ARRAY)
		return type->count * type->to->size >= 16 ? 16 : 4;
	if (type->kind == TYPE_COMM || type->kind == TYPE_RECORD)
		return type->size;
	return type->kind == TYPE_STRING && type->count > 16 ? 16 : 4;
}

static ir_value lower_ntop(struct compiler *c, struct node *n)
{
	struct node *a = inet_address(n);
	uint32_t place = lower_place(c, sizeof(struct rt_inet), n->span), size;
	ir_value at, family;

	lower_zero(c, ir_scratch(c->f, place), 0, sizeof(struct rt_inet));
	size = inet_size(a->type);
	if (n->nr_args > 1)
		family = lower_expr(c, n->args[0]);
	else
		family = ir_const(c->f, size == 16 ? AF_INET6 : AF_INET);
	ir_store(c->f, ir_scratch(c->f, place), offsetof(struct rt_inet, family), 4, family);
	at = ir_scratch(c->f, place);
	if (type_is_integer(a->type))
		ir_store(c->f, at, offsetof(struct rt_inet, address), 4, lower_expr(c, a));
	else
		copy_bytes(c, a, place + offsetof(struct rt_inet, address),
			   a->type->kind == TYPE_POINTER ? 16 : size);
	return ir_scratch(c->f, place);
}

static const struct type *check_pton(struct compiler *c, struct node *n)
{
	unsigned char bytes[16];
	bool v6;

	if (!call_literal(n->args[0]))
		return check_error(c, n->args[0]->span, "pton() takes a literal address");
	n->args[0]->type = type_void(c->types);
	v6 = strchr(n->args[0]->text, ':');
	if (inet_pton(v6 ? AF_INET6 : AF_INET, n->args[0]->text, bytes) != 1)
		return check_error(c, n->span, "pton(): this is no address: %s", n->args[0]->text);
	return type_array(c->types, type_int(c->types, 1, false), v6 ? 16 : 4);
}

static ir_value lower_pton(struct compiler *c, struct node *n)
{
	unsigned char bytes[16] = { 0 };
	bool v6 = strchr(n->args[0]->text, ':');

	inet_pton(v6 ? AF_INET6 : AF_INET, n->args[0]->text, bytes);
	return ir_rodata(c->f, lower_rodata(c, bytes, sizeof(bytes)));
}

/* --- stacks ------------------------------------------------------------------------------- */

static const struct type *check_stack(struct compiler *c, struct node *n)
{
	bool user = n->name[0] == 'u';
	struct type wanted = *type_of_kind(c->types, user ? TYPE_USTACK : TYPE_KSTACK);

	wanted.depth = RT_STACK_DEPTH_MAX;
	wanted.stack_mode = c->config->stack_mode;
	for (size_t i = 0; i < n->nr_args; i++) {
		struct node *a = n->args[i];
		int64_t depth;

		if (a->kind == NODE_NAME && (!strcmp(a->name, "perf") || !strcmp(a->name, "raw") ||
					     !strcmp(a->name, "bpftrace"))) {
			wanted.stack_mode = a->name[0];
			a->type = type_void(c->types);
			continue;
		}
		check_expr(c, a);
		if (!check_constant(c, a, &depth) || depth < 1 || depth > 1024)
			return check_error(c, a->span,
					   "%s() takes a number of frames, and the mode: "
					   "bpftrace, perf or raw",
					   n->name);
		if (depth < RT_STACK_DEPTH_MAX)
			wanted.depth = depth;
	}
	return type_intern(c->types, &wanted);
}

static ir_value lower_stack(struct compiler *c, struct node *n)
{
	ir_value at = ir_scratch(c->f, lower_place(c, sizeof(struct rt_id), n->span));

	lower_stack_id(c, n, at, 0);
	return at;
}

const struct function_def function_values[] = {
	{ "ksym", 1, 1, check_shown, lower_first },
	{ "strerror", 1, 1, check_shown, lower_first },
	{ "syscall_name", 1, 1, check_shown, lower_first },
	{ "signal_name", 1, 1, check_shown, lower_first },
	{ "username", 1, 1, check_shown, lower_first },
	{ "cgroup_path", 1, 2, check_shown, lower_first },
	{ "strftime", 2, 2, check_strftime, lower_strftime },
	{ "usym", 1, 1, check_usym, lower_usym },
	{ "cgroupid", 1, 1, check_cgroupid, lower_constant },
	{ "reg", 1, 1, check_reg, lower_reg },
	{ "nsecs", 0, 1, check_nsecs, lower_nsecs },
	{ "pid", 0, 1, check_ids, call_ids },
	{ "tid", 0, 1, check_ids, call_ids },
	{ "bswap", 1, 1, check_bswap, lower_bswap },
	{ "ntohs", 1, 1, check_net, lower_net },
	{ "ntohl", 1, 1, check_net, lower_net },
	{ "htons", 1, 1, check_net, lower_net },
	{ "htonl", 1, 1, check_net, lower_net },
	{ "getopt", 1, 3, check_getopt, lower_getopt },
	{ "uptr", 1, 1, check_pointer, lower_first },
	{ "kptr", 1, 1, check_pointer, lower_first },
	{ "macaddr", 1, 1, check_macaddr, lower_macaddr },
	{ "ntop", 1, 2, check_ntop, lower_ntop },
	{ "pton", 1, 1, check_pton, lower_pton },
	{ "kstack", 0, 2, check_stack, lower_stack },
	{ "ustack", 0, 2, check_stack, lower_stack },
	{ 0 },
};
