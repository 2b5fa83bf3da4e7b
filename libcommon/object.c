/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "../bpf/lib/calls.h"
#include "btf.h"
#include "msg.h"
#include "object.h"

#define NAMES_MAX   64 /* kernel names that one tool's ladders ask for */
#define PROBES_MAX  ((int)(sizeof(((struct object *)0)->rung) / sizeof(int)))
#define WORDS_MAX   8 /* programs of one rung */
#define PROGRAM_LEN 48

#define INITIAL_USERNS 0xEFFFFFFDU /* its inode: PROC_USER_INIT_INO of the kernel, since 3.8 */

/* The programs of a rung, one by one: for (const char *p = rung; word(&p, name);) */
static bool word(const char **p, char *name)
{
	size_t len;

	*p += strspn(*p, " ");
	len = strcspn(*p, " ");
	if (!len || len >= PROGRAM_LEN)
		return false;
	memcpy(name, *p, len);
	name[len] = '\0';
	*p += len;
	return true;
}

static bool wanted(const struct probe *p)
{
	return !p->when || *p->when;
}

static struct bpf_program *find_program(struct bpf_object *obj, const char *name)
{
	struct bpf_program *prog = bpf_object__find_program_by_name(obj, name);

	if (!prog)
		debug("there is no program %s in this object", name);
	return prog;
}

/* Is one of these programs, whose name goes to @name, turned on already? */
static bool seen_already(struct bpf_object *obj, const char *programs, char *name)
{
	while (word(&programs, name)) {
		struct bpf_program *prog = find_program(obj, name);

		if (prog && bpf_program__autoload(prog))
			return true;
	}
	return false;
}

/* --- what can be told before loading -----------------------------------------------------------
 */

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

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		size_t len = strlen(kinds[i].prefix);

		if (!strncmp(section, kinds[i].prefix, len)) {
			*target = section + len;
			return kinds[i].kind;
		}
	}
	*target = section;
	return KIND_OTHER;
}

/* What @prog is for, where the tool names it at run time; NULL: its section does. */
static const struct attach_target *named_target(const struct attach_target *targets,
						const struct bpf_program *prog)
{
	const char *target;

	program_kind(prog, &target);
	for (const struct attach_target *t = targets; t && t->name; t++)
		if (!strcmp(t->name, target))
			return t;
	return NULL;
}

/* What a rung is called when a tool says which one it uses. */
static void rung_says(struct bpf_object *obj, const struct object_spec *spec, const char *rung,
		      char *text, size_t size)
{
	char name[PROGRAM_LEN];
	const struct attach_target *target;
	struct bpf_program *prog;
	const char *section;

	text[0] = '\0';
	if (!word(&rung, name) || !(prog = find_program(obj, name)))
		return;
	section = bpf_program__section_name(prog);
	target = named_target(spec->targets, prog);
	if (target)
		snprintf(text, size, "%.*s%s", (int)strcspn(section, "/") + 1, section,
			 target->function);
	else
		snprintf(text, size, "%s", section);
}

struct kernel {
	struct btf_query names[NAMES_MAX];
	char text[NAMES_MAX][80];
	size_t nr;
	int trampolines; /* 1: granted, 0: not yet asked, -errno: refused */
	bool kprobes, own_btf;
};

static void ask(struct kernel *k, const char *prefix, const char *name, enum btf_what what)
{
	if (k->nr == NAMES_MAX)
		return;
	snprintf(k->text[k->nr], sizeof(k->text[0]), "%s%s", prefix, name);
	k->names[k->nr] = (struct btf_query){ .name = k->text[k->nr], .what = what };
	k->nr++;
}

static const struct btf_query *answer(const struct kernel *k, const char *prefix, const char *name)
{
	char full[80];

	snprintf(full, sizeof(full), "%s%s", prefix, name);
	for (size_t i = 0; i < k->nr; i++)
		if (!strcmp(k->text[i], full))
			return &k->names[i];
	return NULL;
}

/* Kernel functions that programs call; see bpf/lib/calls.h. */
static const struct {
	int place;
	const char *name;
} calls[] = {
	{ CALL_PREEMPT_DISABLE, "bpf_preempt_disable" },
	{ CALL_PREEMPT_ENABLE, "bpf_preempt_enable" },
};
#define NR_CALLS (sizeof(calls) / sizeof(calls[0]))

#define ANY_FUNCTION "vfs_read" /* that every kernel has: to try what it grants */

/* One pass over the kernel's BTF answers all that the ladders ask. */
static int learn_kernel(struct kernel *k, struct bpf_object *obj, const struct object_spec *spec)
{
	struct bpf_program *prog;
	int err;

	memset(k, 0, sizeof(*k));
	bpf_object__for_each_program (prog, obj) {
		const char *target;

		if (named_target(spec->targets, prog))
			continue;
		switch (program_kind(prog, &target)) {
		case KIND_TRAMPOLINE:
		case KIND_KPROBE:
			ask(k, "", target, BTF_FUNCTION);
			break;
		case KIND_TP_BTF:
			ask(k, "btf_trace_", target, BTF_TYPEDEF);
			break;
		default:
			break;
		}
	}
	for (size_t i = 0; i < NR_CALLS; i++)
		ask(k, "", calls[i].name, BTF_FUNCTION);
	ask(k, "", ANY_FUNCTION, BTF_FUNCTION);
	for (const struct kernel_fact *e = spec->facts; e && e->name; e++)
		ask(k, "", e->name, e->what);
	err = btf_scan(spec->btf, k->names, k->nr);
	if (err == -ENOENT && !spec->btf && access("/sys/kernel", F_OK))
		error("/sys is empty here: mount -t sysfs none /sys");
	else if (err == -ENOENT && !spec->btf)
		error("/sys/kernel/btf/vmlinux is missing: it takes a kernel with "
		      "CONFIG_DEBUG_INFO_BTF, or its BTF by --btf FILE");
	else if (err == -EINVAL)
		error("%s is not raw BTF: it takes a file like /sys/kernel/btf/vmlinux",
		      spec->btf ? spec->btf : "/sys/kernel/btf/vmlinux");
	else if (err)
		error("cannot read BTF from %s: %s",
		      spec->btf ? spec->btf : "/sys/kernel/btf/vmlinux", strerror(-err));
	if (err)
		return err;
	for (const struct kernel_fact *e = spec->facts; e && e->name; e++) {
		const struct btf_query *q = answer(k, "", e->name);

		if (q && q->id)
			*e->value = e->what == BTF_ENUMERATOR ? q->value
				    : e->what == BTF_STRUCT   ? 1
							      : q->nr_args;
	}
	k->own_btf = !access("/sys/kernel/btf/vmlinux", R_OK);
	k->kprobes = !access("/sys/bus/event_source/devices/kprobe/type", R_OK);
	return 0;
}

/* Does the kernel let us load an fexit program on a function that it has? (Lockdown may not.) */
static int try_trampoline(struct kernel *k, int btf_id)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_FEXIT,
		    .attach_btf_id = btf_id);
	int fd;

	if (k->trampolines)
		return k->trampolines;
	fd = bpf_prog_load(BPF_PROG_TYPE_TRACING, "try", "GPL", insns, 2, &opts);
	k->trampolines = fd < 0 ? -errno : 1;
	if (fd >= 0)
		close(fd);
	return k->trampolines;
}

bool object_avoids(const char *what)
{
	const char *list = getenv("BORESCOPE_AVOID");
	size_t len = strlen(what);

	for (; list && *list; list += *list == ',') {
		if (strcspn(list, ",") == len && !strncmp(list, what, len))
			return true;
		list += strcspn(list, ",");
	}
	return false;
}

static const char *trampoline_ruled_out(struct kernel *k, int btf_id)
{
	if (!btf_id)
		return "this kernel has no such function";
	if (try_trampoline(k, btf_id) >= 0)
		return NULL;
	return k->trampolines == -EPERM ? "this kernel refuses fentry and fexit programs"
					: "this kernel has no BPF trampolines";
}

/* A function that may be a module's: libbpf looks for it in all BTF. For a kprobe, attaching tells.
 */
static const char *target_ruled_out(struct kernel *k, struct bpf_program *prog,
				    const char *function)
{
	const struct btf_query *any = answer(k, "", ANY_FUNCTION);
	const char *why, *unused;

	if (!function)
		return "there is no such function";
	if (program_kind(prog, &unused) == KIND_KPROBE)
		return k->kprobes ? NULL : "this kernel has no kprobes";
	if (!k->own_btf)
		return "this kernel has no BTF of its own";
	why = trampoline_ruled_out(k, any ? any->id : 0);
	if (why)
		return why;
	switch (bpf_program__set_attach_target(prog, 0, function)) {
	case 0:
		return NULL;
	case -EPERM:
		return "it takes CAP_SYS_ADMIN to find a module's function";
	default:
		return "neither this kernel's BTF nor its modules' has such a function";
	}
}

static const char *program_ruled_out(struct kernel *k, const struct object_spec *spec,
				     struct bpf_program *prog)
{
	const char *target, *section = bpf_program__section_name(prog);
	const struct attach_target *named = named_target(spec->targets, prog);
	const struct btf_query *q;
	char prefix[16];

	snprintf(prefix, sizeof(prefix), "%.*s", (int)strcspn(section, "/"), section);
	if (object_avoids(prefix))
		return "BORESCOPE_AVOID rules it out";
	if (named)
		return target_ruled_out(k, prog, named->function);
	switch (program_kind(prog, &target)) {
	case KIND_TRAMPOLINE:
		if (!k->own_btf)
			return "this kernel has no BTF of its own";
		q = answer(k, "", target);
		return trampoline_ruled_out(k, q ? q->id : 0);
	case KIND_TP_BTF:
		if (!k->own_btf && strcmp(prefix, "raw_tp"))
			return "this kernel has no BTF of its own";
		q = answer(k, "btf_trace_", target);
		return q && q->id ? NULL : "this kernel has no such tracepoint";
	case KIND_KPROBE:
		q = answer(k, "", target);
		if (!k->kprobes)
			return "this kernel has no kprobes";
		return q && q->id ? NULL : "this kernel has no such function";
	case KIND_TRACEPOINT:
		return NULL;
	case KIND_OTHER:
		if (!k->own_btf && !strncmp(prefix, "iter", 4))
			return "this kernel has no BTF of its own";
		return NULL;
	}
	return NULL;
}

/* Puts the kernel's functions in their places in @prog, or nothing. */
static int resolve_calls(const struct kernel *k, struct bpf_program *prog)
{
	size_t cnt = bpf_program__insn_cnt(prog);
	struct bpf_insn *insns = malloc(cnt * sizeof(*insns));
	int err;

	if (!insns)
		return -ENOMEM;
	memcpy(insns, bpf_program__insns(prog), cnt * sizeof(*insns));
	for (size_t i = 0; i < cnt; i++) {
		for (size_t c = 0; c < NR_CALLS; c++) {
			const struct btf_query *q = answer(k, "", calls[c].name);

			if (insns[i].code != (BPF_JMP | BPF_CALL) || insns[i].imm != calls[c].place)
				continue;
			insns[i] =
				(struct bpf_insn){ .code = BPF_JMP | BPF_JA }; /* to the next one */
			if (q && q->id && k->own_btf)
				insns[i] = (struct bpf_insn){ .code = BPF_JMP | BPF_CALL,
							      .src_reg = BPF_PSEUDO_KFUNC_CALL,
							      .imm = q->id };
		}
	}
	err = bpf_program__set_insns(prog, insns, cnt);
	free(insns);
	return err;
}

/* --- choosing ----------------------------------------------------------------------------------
 */

struct ladder {
	int first[16];	     /* of each probe: rungs below are ruled out */
	const char *why[16]; /* why the best one was */
	bool said[16];
	const char *told; /* why, in the last note: probes that go the same way are one note */
};

static const char *rung_ruled_out(struct kernel *k, const struct object_spec *spec,
				  struct bpf_object *obj, const char *rung)
{
	char name[PROGRAM_LEN];

	for (const char *p = rung; word(&p, name);) {
		struct bpf_program *prog = find_program(obj, name);
		const char *why = prog ? program_ruled_out(k, spec, prog) : "it was not built";

		if (why) {
			debug("%s is ruled out: %s", name, why);
			return why;
		}
	}
	return NULL;
}

/* Has one of the first @n probes a rung? */
static bool any_granted(const struct object *o, int n)
{
	while (n--)
		if (o->rung[n] >= 0)
			return true;
	return false;
}

/* Turns the programs of the best possible rungs on. Returns 0, or -ENOTSUP after saying so. */
static int choose(struct object *o, const struct object_spec *spec, struct kernel *k,
		  struct ladder *l)
{
	struct bpf_program *prog;

	bpf_object__for_each_program (prog, o->bpf)
		bpf_program__set_autoload(prog, false);
	for (int i = 0; i < PROBES_MAX && spec->probes[i].name; i++) {
		const struct probe *p = &spec->probes[i];
		char name[PROGRAM_LEN], says[80], best[80];
		const char *why;

		o->rung[i] = -1;
		if (!wanted(p) || (p->instead && any_granted(o, i)))
			continue;
		if (p->unless && seen_already(o->bpf, p->unless, name)) {
			debug("%s: %s sees it, too", p->name, name);
			continue;
		}
		while (l->first[i] < PROBE_RUNGS && p->rungs[l->first[i]] &&
		       (why = rung_ruled_out(k, spec, o->bpf, p->rungs[l->first[i]]))) {
			if (!l->why[i])
				l->why[i] = why;
			l->first[i]++;
		}
		if (l->first[i] == PROBE_RUNGS || !p->rungs[l->first[i]]) {
			if (!p->optional) {
				error("cannot see %s on this kernel: %s", p->name,
				      l->why[i] ? l->why[i] : "no probe is granted");
				return -ENOTSUP;
			}
			debug("%s: not seen here: %s", p->name, l->why[i]);
			continue;
		}
		o->rung[i] = l->first[i];
		for (const char *r = p->rungs[o->rung[i]]; word(&r, name);) {
			struct bpf_program *chosen = find_program(o->bpf, name);
			int err = resolve_calls(k, chosen);

			if (err) {
				error("cannot prepare program %s: %s", name, strerror(-err));
				return err;
			}
			bpf_program__set_autoload(chosen, true);
		}
		rung_says(o->bpf, spec, p->rungs[o->rung[i]], says, sizeof(says));
		rung_says(o->bpf, spec, spec->probes[p->instead ? 0 : i].rungs[0], best,
			  sizeof(best));
		why = l->why[p->instead ? 0 : i];
		if ((o->rung[i] > 0 || p->instead) && !l->said[i] && !p->later &&
		    !(p->optional && why == l->told)) {
			note("%s is not available (%s): using %s", best, why, says);
			l->told = why;
		}
		debug("%s: using %s", p->name, says);
		l->said[i] = true;
	}
	return 0;
}

/* The probe whose rung in use has this program; -1: none. */
static int probe_of(const struct object *o, const char *program)
{
	for (int i = 0; i < PROBES_MAX && o->probes[i].name; i++) {
		char name[PROGRAM_LEN];

		if (o->rung[i] < 0)
			continue;
		for (const char *r = o->probes[i].rungs[o->rung[i]]; word(&r, name);)
			if (!strcmp(name, program))
				return i;
	}
	return -1;
}

/* Rules out the rung that @program is on. True: it is worth trying again. */
static bool step_down(struct object *o, struct ladder *l, const char *program, const char *why)
{
	int i = probe_of(o, program);

	if (i < 0)
		return false;
	debug("%s: %s", program, why);
	if (!l->why[i])
		l->why[i] = why;
	l->first[i] = o->rung[i] + 1;
	l->said[i] = false;
	return o->probes[i].optional ||
	       (l->first[i] < PROBE_RUNGS && o->probes[i].rungs[l->first[i]]);
}

/* --- advice ------------------------------------------------------------------------------------
 */

/* A hexadecimal number (or a short decimal one) of this process; @unknown: it is not there. */
static unsigned long long own_status(const char *key, unsigned long long unknown)
{
	FILE *f = fopen("/proc/self/status", "re");
	unsigned long long value = unknown;
	size_t len = strlen(key);
	char line[128];

	while (f && fgets(line, sizeof(line), f)) {
		if (strncmp(line, key, len) || line[len] != ':')
			continue;
		value = strtoull(line + len + 1, NULL, 16);
		break;
	}
	if (f)
		fclose(f);
	return value;
}

/* False after having said which capability is missing. */
static bool have_capabilities(void)
{
	unsigned long long caps = own_status("CapEff", ~0ULL);
	struct stat st;

	if (!stat("/proc/self/ns/user", &st) && st.st_ino != INITIAL_USERNS) {
		error("needs CAP_BPF and CAP_PERFMON of the initial user namespace, and this is "
		      "another one (a rootless container?): run it outside, as root");
		return false;
	}
	if (caps >> CAP_SYS_ADMIN & 1)
		return true;
	if (!(caps >> CAP_BPF & 1) || !(caps >> CAP_PERFMON & 1)) {
		error("needs the capabilities CAP_BPF and CAP_PERFMON (%s missing): run it as "
		      "root, with sudo",
		      !(caps >> CAP_BPF & 1)
			      ? (!(caps >> CAP_PERFMON & 1) ? "both are" : "CAP_BPF is")
			      : "CAP_PERFMON is");
		return false;
	}
	return true;
}

/* Has the administrator or secure boot locked this kernel down? */
static bool is_locked_down(void)
{
	char text[64] = "";
	FILE *f = fopen("/sys/kernel/security/lockdown", "re");

	if (f && !fgets(text, sizeof(text), f))
		text[0] = '\0';
	if (f)
		fclose(f);
	return text[0] && !strstr(text, "[none]");
}

static void advise_load(int err)
{
	const char *program = msg_failed_program();
	struct utsname u;

	uname(&u);
	if (err == -EMFILE)
		error("too many open files: raise the limit (ulimit -n)");
	else if (err == -ENOSYS)
		error("there is no bpf(2): a seccomp filter, as containers have, hides it, or the "
		      "kernel is built without CONFIG_BPF_SYSCALL");
	else if (err == -EPERM && !program[0] && own_status("Seccomp", 0))
		error("the kernel does not let us make BPF maps: the seccomp filter of this "
		      "container has to grant bpf(2), and before Linux 5.11 RLIMIT_MEMLOCK has to "
		      "be raised (ulimit -l unlimited)");
	else if (err == -EPERM && !program[0])
		error("the kernel does not let us make BPF maps: on kernels before 5.11 raise "
		      "RLIMIT_MEMLOCK (ulimit -l unlimited)");
	else if (err == -EPERM || is_locked_down())
		error("the kernel refuses program %s: is it locked down? (see "
		      "/sys/kernel/security/lockdown)",
		      program);
	else if (err == -ENOMEM)
		error("not enough kernel memory for this tool's maps");
	else if (program[0])
		error("kernel %s refuses program %s (%s): -v shows the verifier's log", u.release,
		      program, strerror(-err));
	else
		error("cannot load into kernel %s (%s): -v shows why", u.release, strerror(-err));
}

/* --- start and stop ----------------------------------------------------------------------------
 */

static int open_object(struct object *o, const struct object_spec *spec)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = spec->image.name,
		    .btf_custom_path = spec->btf);
	const void *bytes;
	size_t size;

	bytes = spec->image.bytes(&size);
	o->bpf = bpf_object__open_mem(bytes, size, &opts);
	if (!o->bpf) {
		error("cannot open its own BPF object: %s", strerror(errno));
		return -errno;
	}
	return 0;
}

static int attach(struct object *o, struct bpf_program *prog)
{
	const struct attach_target *target = named_target(o->targets, prog);
	const char *section = bpf_program__section_name(prog);
	struct bpf_link *link, **links;

	if (target && !strncmp(section, "kprobe/", 7))
		link = bpf_program__attach_kprobe(prog, false, target->function);
	else if (target && !strncmp(section, "kretprobe/", 10))
		link = bpf_program__attach_kprobe(prog, true, target->function);
	else
		link = bpf_program__attach(prog);
	if (!link)
		return -errno;
	links = realloc(o->links, (o->nr_links + 1) * sizeof(*links));
	if (!links) {
		bpf_link__destroy(link);
		return -ENOMEM;
	}
	o->links = links;
	o->links[o->nr_links++] = link;
	return 0;
}

static int attach_probe(struct object *o, int i, char *failed)
{
	for (const char *r = o->probes[i].rungs[o->rung[i]]; word(&r, failed);) {
		int err = attach(o, find_program(o->bpf, failed));

		if (err)
			return err;
	}
	return 0;
}

/* One try with the rungs that are left. 0, -errno, or -EAGAIN: a rung fell, try again. */
static int try_start(struct object *o, const struct object_spec *spec, struct kernel *k,
		     struct ladder *l)
{
	char name[PROGRAM_LEN];
	int err;

	if (spec->configure && (err = spec->configure(o->bpf, spec->ctx)))
		return err;
	err = choose(o, spec, k, l);
	if (err)
		return err;
	msg_capture_libbpf();
	err = bpf_object__load(o->bpf);
	if (err) {
		if (step_down(o, l, msg_failed_program(), "the kernel refuses to load it"))
			return -EAGAIN;
		advise_load(err);
		return err;
	}
	if (spec->prepare && (err = spec->prepare(o->bpf, spec->ctx)))
		return err;
	for (int i = 0; i < PROBES_MAX && spec->probes[i].name; i++) {
		if (o->rung[i] < 0 || spec->probes[i].later)
			continue;
		err = attach_probe(o, i, name);
		if (!err)
			continue;
		if (step_down(o, l, name, "the kernel refuses to attach it"))
			return -EAGAIN;
		error("cannot attach %s: %s", name, strerror(-err));
		return err;
	}
	return 0;
}

int object_start(struct object *o, const struct object_spec *spec)
{
	struct ladder l = { 0 };
	struct kernel k;
	int err;

	*o = (struct object){ .probes = spec->probes, .targets = spec->targets };
	libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
	if (!have_capabilities())
		return -EPERM;
	msg_capture_libbpf();
	err = open_object(o, spec);
	if (!err)
		err = learn_kernel(&k, o->bpf, spec);
	while (!err) {
		err = try_start(o, spec, &k, &l);
		if (err != -EAGAIN)
			break;
		object_close(o);
		o->probes = spec->probes;
		err = open_object(o, spec);
	}
	if (err)
		object_close(o);
	return err;
}

int object_attach_later(struct object *o, const char *probe)
{
	char name[PROGRAM_LEN];

	for (int i = 0; i < PROBES_MAX && o->probes[i].name; i++)
		if (!strcmp(o->probes[i].name, probe))
			return o->rung[i] < 0 ? -ENOTSUP : attach_probe(o, i, name);
	return -ENOENT;
}

/* To the end of the iterator: what its program does it does while we read. */
static int read_all(int fd)
{
	char text[4096];
	ssize_t n;

	do
		n = read(fd, text, sizeof(text));
	while (n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN)));
	return n < 0 ? -errno : 0;
}

int object_iterate(struct object *o, const char *probe)
{
	const char *program = object_rung(o, probe);
	struct bpf_program *prog = program ? find_program(o->bpf, program) : NULL;
	struct bpf_link *link;
	int fd, err;

	if (!prog)
		return program ? -ENOENT : -ENOTSUP;
	link = bpf_program__attach_iter(prog, NULL);
	if (!link)
		return -errno;
	fd = bpf_iter_create(bpf_link__fd(link));
	err = fd < 0 ? -errno : read_all(fd);
	if (fd >= 0)
		close(fd);
	bpf_link__destroy(link);
	return err;
}

const char *object_rung(const struct object *o, const char *probe)
{
	for (int i = 0; i < PROBES_MAX && o->probes[i].name; i++)
		if (!strcmp(o->probes[i].name, probe))
			return o->rung[i] < 0 ? NULL : o->probes[i].rungs[o->rung[i]];
	return NULL;
}

void object_detach(struct object *o)
{
	for (size_t i = 0; i < o->nr_links; i++)
		bpf_link__destroy(o->links[i]);
	free(o->links);
	o->links = NULL;
	o->nr_links = 0;
}

void object_close(struct object *o)
{
	object_detach(o);
	bpf_object__close(o->bpf);
	o->bpf = NULL;
}

/* --- reading -----------------------------------------------------------------------------------
 */

uint64_t object_missed(const struct object *o)
{
	struct bpf_program *prog;
	uint64_t missed = 0;

	bpf_object__for_each_program (prog, o->bpf) {
		struct bpf_prog_info info = { 0 };
		__u32 len = sizeof(info);
		int fd = bpf_program__fd(prog);

		if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &len))
			missed += info.recursion_misses;
	}
	return missed;
}

void *object_section(struct bpf_object *obj, const char *name, size_t *size)
{
	struct bpf_map *map = bpf_object__find_map_by_name(obj, name);
	size_t unused;

	return map ? (void *)bpf_map__initial_value(map, size ? size : &unused) : NULL;
}

int object_section_write(struct bpf_object *obj, const char *name, const void *data)
{
	struct bpf_map *map = bpf_object__find_map_by_name(obj, name);
	__u32 zero = 0;

	if (!map)
		return -ENOENT;
	return bpf_map_update_elem(bpf_map__fd(map), &zero, data, BPF_ANY) ? -errno : 0;
}

int object_section_read(struct bpf_object *obj, const char *name, void *data)
{
	struct bpf_map *map = bpf_object__find_map_by_name(obj, name);
	__u32 zero = 0;

	if (!map)
		return -ENOENT;
	return bpf_map_lookup_elem(bpf_map__fd(map), &zero, data) ? -errno : 0;
}

uint64_t object_percpu_sum(struct bpf_object *obj, const char *name, uint32_t index)
{
	struct bpf_map *map = bpf_object__find_map_by_name(obj, name);
	int cpus = libbpf_num_possible_cpus();
	uint64_t sum = 0, *values;

	if (!map || cpus <= 0)
		return 0;
	values = calloc(cpus, sizeof(*values));
	if (values && !bpf_map_lookup_elem(bpf_map__fd(map), &index, values))
		for (int i = 0; i < cpus; i++)
			sum += values[i];
	free(values);
	return sum;
}
