/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <linux/bpf.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/msg.h"
#include "base/util.h"
#include "kernel/support.h"
#include "script.shared.h"
#include "script/explain.h"
#include "script/hists.h"
#include "script/multi.h"

#define NAMES_SHOWN 8  /* probes of one program */
#define OVERHEAD    64 /* bytes of an element of a hash, about */

/* --- the probes --------------------------------------------------------------------------- */

static const char *way_text(enum attach attach)
{
	switch (attach) {
	case ATTACH_RUN:
		return "run by bscope itself";
	case ATTACH_RAW_TP:
		return "raw tracepoint";
	case ATTACH_TRACEPOINT:
		return "tracepoint";
	case ATTACH_KPROBE:
		return "kprobe";
	case ATTACH_KRETPROBE:
		return "kretprobe";
	case ATTACH_FENTRY:
		return "fentry";
	case ATTACH_FEXIT:
		return "fexit";
	case ATTACH_UPROBE:
		return "uprobe";
	case ATTACH_URETPROBE:
		return "uretprobe";
	case ATTACH_PERF:
		return "perf event";
	case ATTACH_FOLDED:
		return "raw tracepoint";
	}
	return "?";
}

static void explain_program(const struct compiled *c, const struct program *p, FILE *out)
{
	unsigned line, column;

	source_place(c->source, p->clause->span.from, &line, &column);
	for (size_t i = 0; i < p->nr_targets && i < NAMES_SHOWN; i++) {
		const struct target *t = p->targets[i];

		fprintf(out, "  %s (line %u): %s%s%s%s\n", t->name, line, way_text(t->attach),
			!t->pair      ? ""
			: t->is_entry ? ", the entry"
				      : ", the end",
			t->why ? ", " : "", t->why ? t->why : "");
	}
	if (p->nr_targets > NAMES_SHOWN)
		fprintf(out, "  ... and %zu more\n", p->nr_targets - NAMES_SHOWN);
}

static size_t count_targets(const struct compiled *c)
{
	size_t nr = 0;

	for (size_t i = 0; i < c->nr_programs; i++)
		nr += c->programs[i]->nr_targets;
	return nr;
}

/* --- the maps ----------------------------------------------------------------------------- */

static uint64_t value_bytes(const struct type *type)
{
	if (type->kind == TYPE_HIST || type->kind == TYPE_LHIST)
		return hists_size(type);
	return type->size;
}

/* About. */
static uint64_t map_bytes(const struct script_map *map)
{
	int cpus = libbpf_num_possible_cpus();
	uint64_t value = (value_bytes(map->value) + 7) & ~7ull;

	if (map->per_cpu && cpus > 0)
		value *= cpus;
	if (!map->key)
		return value;
	return (uint64_t)map->entries * (value + map->key->size + OVERHEAD) *
	       (map->generations ? 2 : 1);
}

static void explain_map(const struct compiled *c, const struct script_map *map, FILE *out)
{
	if (map->latency) {
		fprintf(out, "  what %s notes at entries: %u calls at once, %llu KiB at the most\n",
			map->name, map->entries,
			(unsigned long long)((map_bytes(map) + 1023) / 1024));
		return;
	}
	fprintf(out, "  @%s", map->name);
	if (map->key)
		fprintf(out, "[%s]", type_text(c->types, map->key));
	fprintf(out, ": %s", type_text(c->types, map->value));
	if (map->key)
		fprintf(out, ", %u keys%s", map->entries, map->lru ? ", the least used go" : "");
	fprintf(out, "%s%s, %llu KiB at the most\n", map->per_cpu ? ", a value for each CPU" : "",
		map->generations ? ", two of it, for clear()" : "",
		(unsigned long long)((map_bytes(map) + 1023) / 1024));
}

/* --- the statements ----------------------------------------------------------------------- */

static const char *action_text(enum action action)
{
	switch (action) {
	case ACTION_PRINTF:
		return "printf";
	case ACTION_ERRORF:
		return "errorf";
	case ACTION_WARNF:
		return "warnf";
	case ACTION_SYSTEM:
		return "system";
	case ACTION_CAT:
		return "cat";
	case ACTION_PRINT_MAP:
	case ACTION_PRINT_VALUE:
	case ACTION_PRINT_ENTRY:
		return "print";
	case ACTION_CLEAR:
		return "clear";
	case ACTION_ZERO:
		return "zero";
	case ACTION_TIME:
		return "time";
	case ACTION_JOIN:
		return "join";
	case ACTION_EXIT:
		return "exit";
	}
	return "?";
}

static bool sends_texts(const struct statement *st)
{
	for (size_t i = 0; i < st->nr_args; i++)
		if (st->args[i].type->kind == TYPE_STRING || st->args[i].type->kind == TYPE_BUFFER)
			return true;
	return false;
}

static void explain_statement(const struct compiled *c, const struct statement *st, FILE *out)
{
	unsigned line, column;

	source_place(c->source, st->at.from, &line, &column);
	fprintf(out, "  line %u: %s, a record of %u bytes%s\n", line, action_text(st->action),
		st->size, sends_texts(st) ? " and its texts" : "");
}

void script_explain(const struct compiled *c, FILE *out)
{
	fprintf(out, "%zu probes by %zu programs:\n", count_targets(c), c->nr_programs);
	for (size_t i = 0; i < c->nr_programs; i++)
		explain_program(c, c->programs[i], out);
	fprintf(out, "%zu maps:\n", c->nr_maps);
	for (size_t i = 0; i < c->nr_maps; i++)
		explain_map(c, c->maps[i], out);
	if (c->interns)
		fprintf(out, "  and one of the texts and stacks that were sent already\n");
	fprintf(out, "%zu statements that send something:\n", c->nr_statements);
	for (size_t i = 0; i < c->nr_statements; i++)
		explain_statement(c, c->statements[i], out);
}

void script_explain_ways(const struct compiled *c)
{
	for (size_t i = 0; i < c->nr_programs; i++)
		for (size_t k = 0; k < c->programs[i]->nr_targets; k++) {
			const struct target *t = c->programs[i]->targets[k];

			if (t->why)
				debug("%s: %s, %s", t->name, way_text(t->attach), t->why);
			if (t->attach == ATTACH_FOLDED || t->multi)
				break; /* that was said of all */
		}
}

/* --- the kernel --------------------------------------------------------------------------- */

static void say(FILE *out, const char *what, bool yes)
{
	fprintf(out, "  %s: %s\n", what, yes ? "yes" : "no");
}

static bool has_helper(enum bpf_prog_type type, enum bpf_func_id helper)
{
	return libbpf_probe_bpf_helper(type, helper, NULL) == 1;
}

/* Does the kernel grant a program at a function, of this type ("kprobe/", "fentry/")? */
static bool grants(const char *section)
{
	const struct place place = probe_place(section, NULL);
	static struct support s;
	bool granted;

	support_init(&s, NULL);
	support_add(&s, &place);
	granted = !support_learn(&s, NULL, NULL) && !support_refusal(&s, &place);
	support_free(&s);
	return granted;
}

static bool exists(const char *path)
{
	return !access(path, F_OK);
}

static const struct {
	const char *name;
	enum bpf_func_id id;
} helpers[] = {
	{ "probe_read", BPF_FUNC_probe_read },
	{ "probe_read_str", BPF_FUNC_probe_read_str },
	{ "probe_read_user", BPF_FUNC_probe_read_user },
	{ "probe_read_user_str", BPF_FUNC_probe_read_user_str },
	{ "probe_read_kernel", BPF_FUNC_probe_read_kernel },
	{ "probe_read_kernel_str", BPF_FUNC_probe_read_kernel_str },
	{ "get_current_cgroup_id", BPF_FUNC_get_current_cgroup_id },
	{ "send_signal", BPF_FUNC_send_signal },
	{ "override_return", BPF_FUNC_override_return },
	{ "get_boot_ns", BPF_FUNC_ktime_get_boot_ns },
	{ "dpath", BPF_FUNC_d_path },
	{ "skboutput", BPF_FUNC_skb_output },
	{ "get_tai_ns", BPF_FUNC_ktime_get_tai_ns },
	{ "get_func_ip", BPF_FUNC_get_func_ip },
	{ "jiffies64", BPF_FUNC_jiffies64 },
	{ "for_each_map_elem", BPF_FUNC_for_each_map_elem },
	{ "get_ns_pid_tgid", BPF_FUNC_get_ns_current_pid_tgid },
	{ "lookup_percpu_elem", BPF_FUNC_map_lookup_percpu_elem },
};

static void explain_helpers(FILE *out)
{
	fprintf(out, "Kernel helpers\n");
	for (size_t i = 0; i < ARRAY_SIZE(helpers); i++)
		say(out, helpers[i].name,
		    has_helper(helpers[i].id == BPF_FUNC_d_path ||
					       helpers[i].id == BPF_FUNC_skb_output
				       ? BPF_PROG_TYPE_TRACING
				       : BPF_PROG_TYPE_KPROBE,
			       helpers[i].id));
}

void script_explain_kernel(FILE *out)
{
	const bool btf = exists("/sys/kernel/btf/vmlinux");
	struct utsname u;

	uname(&u);
	fprintf(out, "System\n  OS: %s %s %s\n  Arch: %s\n\nBuild\n  version: bscope %s\n",
		u.sysname, u.release, u.version, u.machine, BORESCOPE_VERSION);
	fprintf(out,
		"  libbpf: %s\n  LLVM: none\n  unsafe probe: no\n  libdw (DWARF support): no\n\n",
		libbpf_version_string());
	explain_helpers(out);
	fprintf(out, "\nKernel features\n");
	fprintf(out, "  Loop support: yes\n");
	say(out, "btf", btf);
	say(out, "module btf", btf && exists("/sys/kernel/btf"));
	fprintf(out, "\nMap types\n");
	say(out, "hash", libbpf_probe_bpf_map_type(BPF_MAP_TYPE_HASH, NULL) == 1);
	say(out, "array", libbpf_probe_bpf_map_type(BPF_MAP_TYPE_ARRAY, NULL) == 1);
	say(out, "percpu array", libbpf_probe_bpf_map_type(BPF_MAP_TYPE_PERCPU_ARRAY, NULL) == 1);
	say(out, "ringbuf", libbpf_probe_bpf_map_type(BPF_MAP_TYPE_RINGBUF, NULL) == 1);
	fprintf(out, "\nProbe types\n");
	say(out, "kprobe", grants("kprobe/vfs_read"));
	say(out, "uprobe", exists("/sys/bus/event_source/devices/uprobe"));
	say(out, "tracepoint", libbpf_probe_bpf_prog_type(BPF_PROG_TYPE_TRACEPOINT, NULL) == 1);
	say(out, "perf_event", libbpf_probe_bpf_prog_type(BPF_PROG_TYPE_PERF_EVENT, NULL) == 1);
	say(out, "fentry", btf && grants("fentry/vfs_read"));
	say(out, "kprobe_multi", grants("kprobe/vfs_read") && multi_granted(false));
	say(out, "uprobe_multi", multi_granted(true));
	say(out, "kprobe_session", false);
	say(out, "iter", false);
}
