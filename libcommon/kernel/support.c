/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/bpf.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/util.h"
#include "lib/core/kfuncs.shared.h"
#include "kernel/support.h"
#include "base/msg.h"

enum program_kind { KIND_TRAMPOLINE, KIND_TP_BTF, KIND_KPROBE, KIND_TRACEPOINT, KIND_OTHER };

static enum program_kind program_kind(const struct bpf_program *prog, const char **target)
{
	static const struct {
		const char *prefix;
		enum program_kind kind;
	} kinds[] = {
		{ "fentry/", KIND_TRAMPOLINE },	  { "fexit/", KIND_TRAMPOLINE },
		{ "fmod_ret/", KIND_TRAMPOLINE }, { "tp_btf/", KIND_TP_BTF },
		{ "raw_tp/", KIND_TP_BTF },	  { "kprobe/", KIND_KPROBE },
		{ "kretprobe/", KIND_KPROBE },	  { "tp/", KIND_TRACEPOINT },
	};
	const char *section = bpf_program__section_name(prog);

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		size_t len = strlen(kinds[i].prefix);

		if (!strncmp(section, kinds[i].prefix, len)) {
			*target = section + len;
			return kinds[i].kind;
		}
	}
	*target = section;
	return KIND_OTHER;
}

const struct attach_target *support_target(const struct attach_target *targets,
					   const struct bpf_program *prog)
{
	const char *target;

	program_kind(prog, &target);
	for (const struct attach_target *t = targets; t && t->name; t++)
		if (!strcmp(t->name, target))
			return t;
	return NULL;
}

static void ask(struct support *g, const char *prefix, const char *name, enum btf_what what)
{
	if (g->nr == SUPPORT_NAMES_MAX) {
		warn("SUPPORT_NAMES_MAX is too small: %s%s is not looked for", prefix, name);
		return;
	}
	snprintf(g->text[g->nr], sizeof(g->text[0]), "%s%s", prefix, name);
	g->names[g->nr] = (struct btf_query){ .name = g->text[g->nr], .what = what };
	g->nr++;
}

static const struct btf_query *answer(const struct support *g, const char *prefix, const char *name)
{
	char full[80];

	snprintf(full, sizeof(full), "%s%s", prefix, name);
	for (size_t i = 0; i < g->nr; i++)
		if (!strcmp(g->text[i], full))
			return &g->names[i];
	return NULL;
}

/* What was asked for @prog: its function, or the typedef of its tracepoint. NULL: nothing was. */
static const struct btf_query *query_of(const struct support *g, const struct bpf_program *prog)
{
	const struct attach_target *named = support_target(g->targets, prog);
	const char *target;
	bool tp_btf = program_kind(prog, &target) == KIND_TP_BTF;

	if (named)
		return named->function ? answer(g, "", named->function) : NULL;
	return answer(g, tp_btf ? "btf_trace_" : "", target);
}

/* Kernel functions that programs call; see bpf/lib/core/kfuncs.shared.h. */
static const struct {
	int place;
	const char *name;
} calls[] = {
	{ KFUNC_PREEMPT_DISABLE, "bpf_preempt_disable" },
	{ KFUNC_PREEMPT_ENABLE, "bpf_preempt_enable" },
};
#define NR_CALLS ARRAY_SIZE(calls)

#define OWN_BTF	     "/sys/kernel/btf/vmlinux"
#define ANY_FUNCTION "vfs_read" /* that every kernel has: to try what it grants */

static void ask_for_programs(struct support *g, struct bpf_object *obj)
{
	struct bpf_program *prog;

	for (const struct attach_target *t = g->targets; t && t->name; t++)
		if (t->function)
			ask(g, "", t->function, BTF_FUNCTION);
	g->nr_targets = g->nr;
	bpf_object__for_each_program (prog, obj) {
		const char *target;

		if (support_target(g->targets, prog))
			continue;
		switch (program_kind(prog, &target)) {
		case KIND_TRAMPOLINE:
		case KIND_KPROBE:
			ask(g, "", target, BTF_FUNCTION);
			break;
		case KIND_TP_BTF:
			ask(g, "btf_trace_", target, BTF_TYPEDEF);
			break;
		default:
			break;
		}
	}
}

static void fill_facts(const struct support *g, const struct kernel_fact *facts)
{
	for (const struct kernel_fact *f = facts; f && f->name; f++) {
		const struct btf_query *q = answer(g, "", f->name);

		if (q && q->id)
			*f->value = f->what == BTF_ENUMERATOR ? q->value
				    : f->what == BTF_STRUCT   ? 1
							      : q->nr_args;
	}
}

static void say_no_btf(const char *btf, int err)
{
	const char *file = btf ? btf : OWN_BTF;

	if (err == -ENOENT && !btf && access("/sys/kernel", F_OK))
		error("/sys is empty here: mount -t sysfs none /sys");
	else if (err == -ENOENT && !btf)
		error(OWN_BTF " is missing: it takes a kernel with CONFIG_DEBUG_INFO_BTF, or its "
			      "BTF by --btf FILE");
	else if (err == -EINVAL)
		error("%s is not raw BTF: it takes a file like " OWN_BTF, file);
	else
		error("cannot read BTF from %s: %s", file, strerror(-err));
}

int support_learn(struct support *g, struct bpf_object *obj, const struct object_spec *spec)
{
	int err;

	memset(g, 0, sizeof(*g));
	g->targets = spec->targets;
	ask_for_programs(g, obj);
	for (size_t i = 0; i < NR_CALLS; i++)
		ask(g, "", calls[i].name, BTF_FUNCTION);
	ask(g, "", ANY_FUNCTION, BTF_FUNCTION);
	for (const struct kernel_fact *f = spec->facts; f && f->name; f++)
		ask(g, "", f->name, f->what);
	err = btf_scan(spec->btf, g->names, g->nr);
	if (err) {
		say_no_btf(spec->btf, err);
		return err;
	}
	fill_facts(g, spec->facts);
	g->own_btf = !access(OWN_BTF, R_OK);
	if (spec->btf && g->own_btf) /* ids are of the kernel's own */
		err = btf_scan(NULL, g->names, g->nr);
	if (err) {
		say_no_btf(NULL, err);
		return err;
	}
	g->kprobes = !access("/sys/bus/event_source/devices/kprobe/type", R_OK);
	return 0;
}

/* Does the kernel let us load an fexit program on a function that it has? (Lockdown may not.) */
static int try_trampoline(struct support *g, int btf_id)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_FEXIT,
		    .attach_btf_id = btf_id);
	int fd;

	if (g->trampolines)
		return g->trampolines;
	fd = bpf_prog_load(BPF_PROG_TYPE_TRACING, "try", "GPL", insns, 2, &opts);
	g->trampolines = fd < 0 ? -errno : 1;
	if (fd >= 0)
		close(fd);
	return g->trampolines;
}

static const char *trampoline_ruled_out(struct support *g, int btf_id)
{
	if (!btf_id)
		return "this kernel has no such function";
	if (try_trampoline(g, btf_id) >= 0)
		return NULL;
	return g->trampolines == -EPERM ? "this kernel refuses fentry and fexit programs"
					: "this kernel has no BPF trampolines";
}

/* BTF that the kernel has, as a file descriptor, which is how a program names a module; needs
 * CAP_SYS_ADMIN. Returns -errno; -ENOENT: it is not there. */
static int open_btf(const char *module)
{
	__u32 id = 0;

	while (!bpf_btf_get_next_id(id, &id)) {
		char name[BTF_MODULE_LEN] = "";
		struct bpf_btf_info info = { .name = (unsigned long)name,
					     .name_len = sizeof(name) };
		__u32 len = sizeof(info);
		int fd = bpf_btf_get_fd_by_id(id);

		if (fd < 0 && errno == ENOENT) /* it has just gone */
			continue;
		if (fd < 0)
			return -errno;
		if (!bpf_obj_get_info_by_fd(fd, &info, &len) && info.kernel_btf &&
		    !strcmp(name, module))
			return fd;
		close(fd);
	}
	return -errno;
}

/* -errno; 0: of vmlinux */
static int btf_fd(const struct support *g, const char *module)
{
	if (!module[0])
		return 0;
	for (size_t i = 0; i < g->nr_modules; i++)
		if (!strcmp(g->modules[i].name, module))
			return g->modules[i].fd;
	return -ENOENT;
}

static int open_module(struct support *g, const char *module)
{
	int fd = btf_fd(g, module);

	if (fd != -ENOENT)
		return fd;
	if (g->nr_modules == SUPPORT_MODULES_MAX)
		return -E2BIG;
	fd = open_btf(module);
	if (fd < 0)
		return fd;
	strcpy(g->modules[g->nr_modules].name, module);
	g->modules[g->nr_modules++].fd = fd;
	return fd;
}

void support_free(struct support *g)
{
	while (g->nr_modules)
		close(g->modules[--g->nr_modules].fd);
}

/* A function that may be a module's. For a kprobe, attaching tells. */
static const char *target_ruled_out(struct support *g, struct bpf_program *prog,
				    const char *function)
{
	const struct btf_query *q, *any = answer(g, "", ANY_FUNCTION);
	const char *why, *unused;

	if (!function)
		return "there is no such function";
	if (program_kind(prog, &unused) == KIND_KPROBE)
		return g->kprobes ? NULL : "this kernel has no kprobes";
	if (!g->own_btf)
		return "this kernel has no BTF of its own";
	why = trampoline_ruled_out(g, any ? any->id : 0);
	if (why)
		return why;
	q = query_of(g, prog);
	if (q && !q->id && !g->modules_scanned) {
		g->modules_scanned = true;
		btf_scan_modules(g->names, g->nr_targets); /* an error is no answer, too */
	}
	if (!q || !q->id)
		return "neither this kernel's BTF nor its modules' has such a function";
	switch (open_module(g, q->module)) {
	case -EPERM:
		return "it takes CAP_SYS_ADMIN to find a module's function";
	case -ENOENT:
		return "its module has gone";
	default:
		return NULL;
	}
}

int support_set_target(const struct support *g, const struct bpf_program *prog,
		       struct bpf_prog_load_opts *opts)
{
	const struct btf_query *q = query_of(g, prog);
	int fd;

	if (!q || !q->id)
		return -ENOENT;
	fd = btf_fd(g, q->module);
	if (fd < 0)
		return fd;
	opts->attach_btf_id = q->id;
	opts->attach_btf_obj_fd = fd;
	return 0;
}

const char *support_refusal(struct support *g, struct bpf_program *prog)
{
	const char *target, *section = bpf_program__section_name(prog);
	const struct attach_target *named = support_target(g->targets, prog);
	const struct btf_query *q = query_of(g, prog);
	char prefix[16];

	snprintf(prefix, sizeof(prefix), "%.*s", (int)strcspn(section, "/"), section);
	if (object_avoids(prefix))
		return "BORESCOPE_AVOID rules it out";
	if (named)
		return target_ruled_out(g, prog, named->function);
	switch (program_kind(prog, &target)) {
	case KIND_TRAMPOLINE:
		if (!g->own_btf)
			return "this kernel has no BTF of its own";
		return trampoline_ruled_out(g, q ? q->id : 0);
	case KIND_TP_BTF:
		if (!g->own_btf && strcmp(prefix, "raw_tp"))
			return "this kernel has no BTF of its own";
		return q && q->id ? NULL : "this kernel has no such tracepoint";
	case KIND_KPROBE:
		if (!g->kprobes)
			return "this kernel has no kprobes";
		return q && q->id ? NULL : "this kernel has no such function";
	case KIND_TRACEPOINT:
		return NULL;
	case KIND_OTHER:
		if (!g->own_btf && !strncmp(prefix, "iter", 4))
			return "this kernel has no BTF of its own";
		return NULL;
	}
	return NULL;
}

/* A call of the kernel's function, or a jump to the next instruction. */
static struct bpf_insn call_of(const struct support *g, const char *name)
{
	const struct btf_query *q = answer(g, "", name);

	if (!q || !q->id || !g->own_btf)
		return (struct bpf_insn){ .code = BPF_JMP | BPF_JA };
	return (struct bpf_insn){ .code = BPF_JMP | BPF_CALL,
				  .src_reg = BPF_PSEUDO_KFUNC_CALL,
				  .imm = q->id };
}

int support_resolve_calls(const struct support *g, struct bpf_program *prog)
{
	size_t cnt = bpf_program__insn_cnt(prog);
	struct bpf_insn *insns = malloc(cnt * sizeof(*insns));
	int err;

	if (!insns)
		return -ENOMEM;
	memcpy(insns, bpf_program__insns(prog), cnt * sizeof(*insns));
	for (size_t i = 0; i < cnt; i++) {
		for (size_t c = 0; c < NR_CALLS; c++) {
			if (insns[i].code == (BPF_JMP | BPF_CALL) &&
			    insns[i].imm == calls[c].place) {
				insns[i] = call_of(g, calls[c].name);
				break;
			}
		}
	}
	err = bpf_program__set_insns(prog, insns, cnt);
	free(insns);
	return err;
}
