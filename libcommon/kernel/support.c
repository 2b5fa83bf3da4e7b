/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/syscall.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <bpf/bpf.h>

#include "base/msg.h"
#include "base/number.h"
#include "base/util.h"
#include "kernel/advice.h"
#include "kernel/preempt.h"
#include "kernel/support.h"
#include "lib/core/kfuncs.shared.h"

static void ask(struct support *s, const char *prefix, const char *name, enum btf_what what)
{
	if (s->nr == SUPPORT_NAMES_MAX) {
		warn("SUPPORT_NAMES_MAX is too small: %s%s is not looked for", prefix, name);
		return;
	}
	snprintf(s->text[s->nr], sizeof(s->text[0]), "%s%s", prefix, name);
	s->names[s->nr] = (struct btf_query){ .name = s->text[s->nr], .what = what };
	s->nr++;
}

static const struct btf_query *answer(const struct support *s, const char *prefix, const char *name)
{
	char full[80];

	snprintf(full, sizeof(full), "%s%s", prefix, name);
	for (size_t i = 0; i < s->nr; i++)
		if (!strcmp(s->text[i], full))
			return &s->names[i];
	return NULL;
}

/* A tracepoint's arguments are known by the typedef of its name. */
static const char *prefix_of(const struct place *place)
{
	return place->kind == PLACE_TP_BTF ? "btf_trace_" : "";
}

/* What was asked for @place: its function, or the typedef of its tracepoint. NULL: nothing was. */
static const struct btf_query *query_of(const struct support *s, const struct place *place)
{
	if (!place->name)
		return NULL;
	return answer(s, place->named ? "" : prefix_of(place), place->name);
}

/* Kernel functions that programs call; see bpf/lib/core/kfuncs.shared.h. */
static const struct {
	int place;
	const char *name;
} calls[] = {
	{ KFUNC_PREEMPT_DISABLE, "bpf_preempt_disable" },
	{ KFUNC_PREEMPT_ENABLE, "bpf_preempt_enable" },
};
#define ANY_FUNCTION "vfs_read" /* that every kernel has: to try what it grants */

/*
 * What tells how this kernel does it. struct fprobe_hlist: from 6.14 on (4346ba160409) an fprobe
 * keeps what it needs until a function returns on the shadow stack of the task; before, it had, as
 * kretprobes have, a number of places. tracepoint_srcu and struct srcu_ctr: the first alone is for
 * tracepoints in idle CPUs (up to 6.12); with srcu_ctr, which is for SRCU-fast (6.15), programs at
 * tracepoints are run by a read lock of SRCU instead of with preemption off (seen on 7.3).
 */
static const struct {
	const char *name;
	enum btf_what what;
} marks[] = {
	{ "fprobe_hlist", BTF_STRUCT },
	{ "tracepoint_srcu_srcu_data", BTF_VARIABLE },
	{ "srcu_ctr", BTF_STRUCT },
};

void support_init(struct support *s, const struct attach_target *targets)
{
	memset(s, 0, sizeof(*s));
	for (const struct attach_target *t = targets; t && t->name; t++)
		if (t->function)
			ask(s, "", t->function, BTF_FUNCTION);
	s->nr_targets = s->nr;
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		ask(s, "", calls[i].name, BTF_FUNCTION);
	ask(s, "", ANY_FUNCTION, BTF_FUNCTION);
	for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
		ask(s, "", marks[i].name, marks[i].what);
}

void support_add(struct support *s, const struct place *place)
{
	if (!place->named && place->kind != PLACE_OTHER)
		ask(s, prefix_of(place), place->name,
		    place->kind == PLACE_TP_BTF ? BTF_TYPEDEF : BTF_FUNCTION);
}

static void fill_facts(const struct support *s, const struct kernel_fact *facts)
{
	for (const struct kernel_fact *f = facts; f && f->name; f++) {
		const struct btf_query *q = answer(s, "", f->name);

		if (q && q->id)
			*f->value = f->what == BTF_ENUMERATOR ? q->value
				    : f->what == BTF_STRUCT   ? 1
							      : q->nr_args;
	}
}

static bool has_mark(const struct support *s, const char *name)
{
	const struct btf_query *q = answer(s, "", name);

	return q && q->id;
}

/* What programs miss here. */
static void learn_gaps(struct support *s)
{
	s->fprobes = has_mark(s, "fprobe_hlist") && !probe_avoids("fprobe");
	s->preempts = preempt_inside();
	s->preempts_tracepoints =
		s->preempts && has_mark(s, "tracepoint_srcu_srcu_data") && has_mark(s, "srcu_ctr");
	debug("this kernel %s tasks inside it", s->preempts ? "preempts" : "does not preempt");
}

int support_learn(struct support *s, const struct kernel_fact *facts, const char *btf)
{
	int err;

	for (const struct kernel_fact *f = facts; f && f->name; f++)
		ask(s, "", f->name, f->what);
	err = btf_scan(btf, s->names, s->nr);
	if (err) {
		advice_btf(btf, err);
		return err;
	}
	fill_facts(s, facts);
	s->own_btf = !access(BTF_KERNEL, R_OK);
	if (btf && s->own_btf) /* ids are of the kernel's own */
		err = btf_scan(NULL, s->names, s->nr);
	if (err) {
		advice_btf(NULL, err);
		return err;
	}
	s->kprobes = !access("/sys/bus/event_source/devices/kprobe/type", R_OK);
	learn_gaps(s);
	return 0;
}

/* Does the kernel let us load an fexit program on a function that it has? (Lockdown may not.) */
static int try_trampoline(struct support *s, int btf_id)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_FEXIT,
		    .attach_btf_id = btf_id);
	int fd;

	if (s->trampolines)
		return s->trampolines;
	fd = bpf_prog_load(BPF_PROG_TYPE_TRACING, "try", "GPL", insns, 2, &opts);
	s->trampolines = fd < 0 ? -errno : 1;
	if (fd >= 0)
		close(fd);
	return s->trampolines;
}

int support_try_kprobe(void)
{
	static const char type_file[] = "/sys/bus/event_source/devices/kprobe/type";
	struct perf_event_attr attr = { .size = sizeof(attr), .disabled = 1 };
	static int tried = 1; /* not yet; else 0 or -errno */
	uint64_t type;
	int fd;

	if (tried <= 0)
		return tried;
	tried = number_read(type_file, 1, &type);
	if (tried)
		return tried;
	attr.type = type;
	attr.kprobe_func = (uintptr_t) "kernel_halt";
	fd = syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	tried = fd < 0 ? -errno : 0;
	if (fd >= 0)
		close(fd);
	return tried;
}

static const char *trampoline_ruled_out(struct support *s, int btf_id)
{
	if (!btf_id)
		return "this kernel has no such function";
	if (try_trampoline(s, btf_id) >= 0)
		return NULL;
	return s->trampolines == -EPERM ? "this kernel refuses fentry and fexit programs"
					: "this kernel has no BPF trampolines";
}

/* -errno; 0: of vmlinux */
static int btf_fd(const struct support *s, const char *module)
{
	if (!module[0])
		return 0;
	for (size_t i = 0; i < s->nr_modules; i++)
		if (!strcmp(s->modules[i].name, module))
			return s->modules[i].fd;
	return -ENOENT;
}

static int open_module(struct support *s, const char *module)
{
	int fd = btf_fd(s, module);

	if (fd != -ENOENT)
		return fd;
	if (s->nr_modules == SUPPORT_MODULES_MAX)
		return -E2BIG;
	fd = btf_open_module(module);
	if (fd < 0)
		return fd;
	strcpy(s->modules[s->nr_modules].name, module);
	s->modules[s->nr_modules++].fd = fd;
	return fd;
}

void support_free(struct support *s)
{
	while (s->nr_modules)
		close(s->modules[--s->nr_modules].fd);
}

/* Asks BTF for a function that may be a module's. NULL: BTF is not asked for that name. */
static const struct btf_query *find_named(struct support *s, const struct place *place)
{
	const struct btf_query *q = query_of(s, place);

	if (q && !q->id && !s->modules_scanned) {
		s->modules_scanned = true;
		btf_scan_modules(s->names, s->nr_targets); /* an error is no answer, too */
	}
	return q;
}

/* Which of the targets are symbols of the kernel or of a module. Where that can't be read, all may
 * be. */
static void read_symbols(struct support *s)
{
	FILE *f = fopen("/proc/kallsyms", "re");
	char line[512]; /* "0000000000000000 t ext4_file_open	[ext4]" */

	s->symbols_read = true;
	for (size_t i = 0; i < s->nr_targets; i++)
		s->is_symbol[i] = !f;
	while (f && fgets(line, sizeof(line), f)) {
		const char *type = strchr(line, ' '), *name = type ? strchr(type + 1, ' ') : NULL;
		size_t len = name ? strcspn(++name, "\t\n") : 0;

		for (size_t i = 0; i < s->nr_targets && len; i++)
			s->is_symbol[i] |= !strncmp(name, s->text[i], len) && !s->text[i][len];
	}
	if (f)
		fclose(f);
}

/* A kprobe's function that may be a module's. What BTF lacks (on 5.10, all of modules) is looked
 * for among the symbols, once: some 50 ms, where a kprobe that is refused costs a second start. */
static const char *named_kprobe_ruled_out(struct support *s, const struct place *place)
{
	const struct btf_query *q;

	if (!s->kprobes)
		return "this kernel has no kprobes";
	q = s->own_btf ? find_named(s, place) : query_of(s, place);
	if (!q || q->id || q - s->names >= (ptrdiff_t)s->nr_targets)
		return NULL;
	if (!s->symbols_read)
		read_symbols(s);
	return s->is_symbol[q - s->names] ? NULL : "this kernel has no such function";
}

static const char *named_ruled_out(struct support *s, const struct place *place)
{
	const struct btf_query *q, *any = answer(s, "", ANY_FUNCTION);
	const char *why;

	if (!place->name)
		return "there is no such function";
	if (place->kind == PLACE_KPROBE)
		return named_kprobe_ruled_out(s, place);
	if (!s->own_btf)
		return "this kernel has no BTF of its own";
	why = trampoline_ruled_out(s, any ? any->id : 0);
	if (why)
		return why;
	q = find_named(s, place);
	if (!q || !q->id)
		return "neither this kernel's BTF nor its modules' has such a function";
	switch (open_module(s, q->module)) {
	case -EPERM:
		return "it takes CAP_SYS_ADMIN to find a module's function";
	case -ENOENT:
		return "its module has gone";
	default:
		return NULL;
	}
}

int support_btf_id(const struct support *s, const struct place *place, int *fd)
{
	const struct btf_query *q = query_of(s, place);

	if (!q || !q->id)
		return -ENOENT;
	*fd = btf_fd(s, q->module);
	return *fd < 0 ? *fd : q->id;
}

const char *support_refusal(struct support *s, const struct place *place)
{
	const struct btf_query *q = query_of(s, place);

	if (probe_avoids(place->type))
		return "BORESCOPE_AVOID rules it out";
	if (place->named)
		return named_ruled_out(s, place);
	switch (place->kind) {
	case PLACE_TRAMPOLINE:
		if (!s->own_btf)
			return "this kernel has no BTF of its own";
		return trampoline_ruled_out(s, q ? q->id : 0);
	case PLACE_TP_BTF:
		if (!s->own_btf && strcmp(place->type, "raw_tp"))
			return "this kernel has no BTF of its own";
		return q && q->id ? NULL : "this kernel has no such tracepoint";
	case PLACE_KPROBE:
		if (!s->kprobes)
			return "this kernel has no kprobes";
		return q && q->id ? NULL : "this kernel has no such function";
	case PLACE_OTHER:
		if (!s->own_btf && !strncmp(place->type, "iter", 4))
			return "this kernel has no BTF of its own";
		return NULL;
	}
	return NULL;
}

bool support_has_fprobe(const struct support *s, const struct place *place)
{
	return s->fprobes && place->kind == PLACE_KPROBE;
}

enum place_gaps support_gaps(const struct support *s, const struct place *place, const char **why)
{
	bool preempted = place->kind == PLACE_TRAMPOLINE ? s->preempts
			 : place->kind == PLACE_TP_BTF	 ? s->preempts_tracepoints
							 : false;

	if (probe_avoids("gaps"))
		return PLACE_SEES_ALL;
	if (preempted) {
		*why = "this kernel preempts tasks in such programs, and leaves out other runs of "
		       "them meanwhile";
		return PLACE_HAS_GAPS;
	}
	if (!strcmp(place->type, "kretprobe") && !support_has_fprobe(s, place)) {
		*why = "this kernel follows a number of calls at the same time, and no more";
		return PLACE_HAS_BOUND;
	}
	return PLACE_SEES_ALL;
}

/* A call of the kernel's function, or a jump to the next instruction. */
static struct bpf_insn call_of(const struct support *s, const char *name)
{
	const struct btf_query *q = answer(s, "", name);

	if (!q || !q->id || !s->own_btf)
		return (struct bpf_insn){ .code = BPF_JMP | BPF_JA };
	return (struct bpf_insn){ .code = BPF_JMP | BPF_CALL,
				  .src_reg = BPF_PSEUDO_KFUNC_CALL,
				  .imm = q->id };
}

bool support_resolve_calls(const struct support *s, struct bpf_insn *insns, size_t nr)
{
	bool any = false;

	for (size_t i = 0; i < nr; i++) {
		for (size_t c = 0; c < ARRAY_SIZE(calls); c++) {
			if (insns[i].code != (BPF_JMP | BPF_CALL) || insns[i].imm != calls[c].place)
				continue;
			insns[i] = call_of(s, calls[c].name);
			any = true;
			break;
		}
	}
	return any;
}
