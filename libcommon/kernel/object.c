/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
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

#include "base/util.h"
#include "kernel/support.h"
#include "kernel/task_iter.h"
#include "base/msg.h"
#include "base/number.h"
#include "kernel/object.h"

#define PROGRAM_LEN 48

#define OWN_STATUS     "/proc/self/status"
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

/* --- choosing ----------------------------------------------------------------------------- */

struct ladder {
	int first[PROBES_MAX];	     /* of each probe: rungs below are ruled out */
	const char *why[PROBES_MAX]; /* why the best one was */
	bool said[PROBES_MAX];
	const char *told; /* why, in the last note: probes that go the same way are one note */
};

static const char *rung_ruled_out(struct support *g, struct bpf_object *obj, const char *rung)
{
	char name[PROGRAM_LEN];

	for (const char *p = rung; word(&p, name);) {
		struct bpf_program *prog = find_program(obj, name);
		const char *why = prog ? support_refusal(g, prog) : "it was not built";

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

static bool is_wanted(const struct object *o, int i)
{
	const struct probe *p = &o->probes[i];
	char name[PROGRAM_LEN];

	if ((p->when && !*p->when) || (p->instead && any_granted(o, i)))
		return false;
	if (p->unless && seen_already(o->bpf, p->unless, name)) {
		debug("%s: %s sees it, too", p->name, name);
		return false;
	}
	return true;
}

/* The best rung that nothing speaks against; -1: there is none. */
static int best_rung(const struct object *o, struct support *g, struct ladder *l, int i)
{
	const struct probe *p = &o->probes[i];

	for (; l->first[i] < PROBE_RUNGS && p->rungs[l->first[i]]; l->first[i]++) {
		const char *why = rung_ruled_out(g, o->bpf, p->rungs[l->first[i]]);

		if (!why)
			return l->first[i];
		if (!l->why[i])
			l->why[i] = why;
	}
	return -1;
}

static int turn_on(struct object *o, const struct support *g, const char *rung)
{
	char name[PROGRAM_LEN];

	while (word(&rung, name)) {
		struct bpf_program *prog = find_program(o->bpf, name);
		int err = support_resolve_calls(g, prog);

		if (err) {
			error("cannot prepare program %s: %s", name, strerror(-err));
			return err;
		}
		bpf_program__set_autoload(prog, true);
	}
	return 0;
}

/* What a rung is called when a tool says which one it uses. */
static void rung_text(const struct object *o, const char *rung, char *text, size_t size)
{
	char name[PROGRAM_LEN];
	const struct attach_target *target;
	struct bpf_program *prog;
	const char *section;

	text[0] = '\0';
	if (!word(&rung, name) || !(prog = find_program(o->bpf, name)))
		return;
	section = bpf_program__section_name(prog);
	target = support_target(o->targets, prog);
	if (target)
		snprintf(text, size, "%.*s%s", (int)strcspn(section, "/") + 1, section,
			 target->function);
	else
		snprintf(text, size, "%s", section);
}

/* Says which rung is in use, when that is not the best one. */
static void say_rung(const struct object *o, struct ladder *l, int i)
{
	const struct probe *p = &o->probes[i];
	int first = p->instead ? 0 : i; /* whose best rung that would have been */
	const char *why = l->why[first];
	char used[80], best[80];

	rung_text(o, p->rungs[o->rung[i]], used, sizeof(used));
	rung_text(o, o->probes[first].rungs[0], best, sizeof(best));
	if ((o->rung[i] > 0 || p->instead) && !l->said[i] && !p->later &&
	    !(p->optional && why == l->told)) {
		note("%s is not available (%s): using %s", best, why, used);
		l->told = why;
	}
	debug("%s: using %s", p->name, used);
	l->said[i] = true;
}

/* Turns the programs of the best possible rungs on. Returns 0, or -errno after saying why: -ENOTSUP
 * when a probe that the tool can't do without has none. */
static int choose(struct object *o, struct support *g, struct ladder *l)
{
	struct bpf_program *prog;

	bpf_object__for_each_program (prog, o->bpf)
		bpf_program__set_autoload(prog, false);
	for (int i = 0; i < PROBES_MAX && o->probes[i].name; i++) {
		const struct probe *p = &o->probes[i];
		int err;

		o->rung[i] = -1;
		if (!is_wanted(o, i))
			continue;
		o->rung[i] = best_rung(o, g, l, i);
		if (o->rung[i] < 0 && !p->optional) {
			error("cannot see %s on this kernel: %s", p->name,
			      l->why[i] ? l->why[i] : "no probe is granted");
			return -ENOTSUP;
		}
		if (o->rung[i] < 0) {
			debug("%s: not seen here: %s", p->name, l->why[i]);
			continue;
		}
		err = turn_on(o, g, p->rungs[o->rung[i]]);
		if (err)
			return err;
		say_rung(o, l, i);
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

/* --- advice ------------------------------------------------------------------------------- */

/* False after having said which capability is missing. */
static bool have_capabilities(void)
{
	uint64_t caps = ~0ULL;
	struct stat st;

	number_field(OWN_STATUS, "CapEff", 16, &caps); /* not to be had: then loading tells */

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

/* Is this kernel locked down so far that programs may not read its memory? (In the other mode,
 * integrity, which comes with Secure Boot, they may.) The verifier then knows no such function. */
static bool is_locked_down(void)
{
	char text[64] = "";
	FILE *f = fopen("/sys/kernel/security/lockdown", "re");

	if (f && !fgets(text, sizeof(text), f))
		text[0] = '\0';
	if (f)
		fclose(f);
	return strstr(text, "[confidentiality]");
}

static void advise_load(int err)
{
	const char *program = msg_failed_program();
	uint64_t seccomp = 0;
	struct utsname u;

	number_field(OWN_STATUS, "Seccomp", 10, &seccomp);
	uname(&u);
	if (err == -EMFILE)
		error("too many open files: raise the limit (ulimit -n)");
	else if (err == -ENOSYS)
		error("there is no bpf(2): a seccomp filter, as containers have, hides it, or the "
		      "kernel is built without CONFIG_BPF_SYSCALL");
	else if (err == -EPERM && !program[0] && seccomp)
		error("the kernel does not let us make BPF maps: the seccomp filter of this "
		      "container has to grant bpf(2), and before Linux 5.11 RLIMIT_MEMLOCK has to "
		      "be raised (ulimit -l unlimited)");
	else if (err == -EPERM && !program[0])
		error("the kernel does not let us make BPF maps: on kernels before 5.11 raise "
		      "RLIMIT_MEMLOCK (ulimit -l unlimited)");
	else if (err == -EPERM || (program[0] && is_locked_down()))
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

/* --- start and stop ----------------------------------------------------------------------- */

/* Of the object that is being loaded: for libbpf's callback, which is given the program only. */
static const struct support *loading;

static int set_target(struct bpf_program *prog, struct bpf_prog_load_opts *opts, long cookie)
{
	return loading ? support_set_target(loading, prog, opts) : -EINVAL;
}

static int attach_target_set(const struct bpf_program *prog, long cookie, struct bpf_link **link)
{
	*link = bpf_program__attach_trace(prog);
	return *link ? 0 : -errno;
}

/* Has libbpf ask us what programs are attached to, instead of looking for it: see support_set_target().
 * To be called before any object is opened. */
static int register_handlers(void)
{
	static const struct {
		const char *section;
		enum bpf_attach_type type;
	} kinds[] = {
		{ "fentry+", BPF_TRACE_FENTRY },
		{ "fexit+", BPF_TRACE_FEXIT },
		{ "tp_btf+", BPF_TRACE_RAW_TP },
	};
	LIBBPF_OPTS(libbpf_prog_handler_opts, opts, .prog_prepare_load_fn = set_target,
		    .prog_attach_fn = attach_target_set);
	static bool taken;

	for (size_t i = 0; !taken && i < ARRAY_SIZE(kinds); i++) {
		int id = libbpf_register_prog_handler(kinds[i].section, BPF_PROG_TYPE_TRACING,
						      kinds[i].type, &opts);

		if (id < 0) {
			error("libbpf takes no handler of programs: %s", strerror(-id));
			return id;
		}
	}
	taken = true;
	return 0;
}

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
	const struct attach_target *target = support_target(o->targets, prog);
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

/* Fills o->programs with all that has been loaded. */
static int list_programs(struct object *o)
{
	struct bpf_program *prog;
	struct bpf_map *map;
	int err = 0;

	bpf_object__for_each_program (prog, o->bpf) {
		bool iterates = bpf_program__expected_attach_type(prog) == BPF_TRACE_ITER;

		if (!err && bpf_program__fd(prog) >= 0)
			err = programs_add(&o->programs, bpf_program__fd(prog), iterates);
	}
	bpf_object__for_each_map (map, o->bpf) {
		const char *name = bpf_map__name(map), *section = strchr(name, '.');

		/* libbpf puts the object's name before ".rodata", ".data" and ".bss" */
		if (!err && bpf_map__autocreate(map) && bpf_map__fd(map) >= 0)
			err = programs_add_map(&o->programs, section ? section : name,
					       bpf_map__fd(map));
	}
	return err;
}

/* One try with the rungs that are left. 0, -errno, or -EAGAIN: a rung fell, try again. */
static int try_start(struct object *o, const struct object_spec *spec, struct support *g,
		     struct ladder *l)
{
	char name[PROGRAM_LEN];
	int err;

	if (spec->configure && (err = spec->configure(o, spec->ctx)))
		return err;
	err = choose(o, g, l);
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
	err = list_programs(o);
	if (!err && spec->prepare)
		err = spec->prepare(o, spec->ctx);
	if (err)
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
	struct support g = { 0 };
	int err;

	*o = (struct object){ .probes = spec->probes, .targets = spec->targets };
	libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
	if (!have_capabilities())
		return -EPERM;
	msg_capture_libbpf();
	err = register_handlers();
	if (!err)
		err = open_object(o, spec);
	if (!err)
		err = support_learn(&g, o->bpf, spec);
	loading = &g;
	while (!err) {
		err = try_start(o, spec, &g, &l);
		if (err != -EAGAIN)
			break;
		object_close(o);
		err = open_object(o, spec);
	}
	loading = NULL;
	support_free(&g);
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

int object_iterate(struct object *o, const char *probe)
{
	const char *program = object_rung(o, probe);
	int fd = program ? object_program(o, program) : -ENOTSUP;

	return fd < 0 ? fd : task_iter_run(fd);
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
	programs_free(&o->programs);
	bpf_object__close(o->bpf);
	o->bpf = NULL;
}

/* --- its parts ---------------------------------------------------------------------------- */

static struct bpf_map *find_map(const struct object *o, const char *name)
{
	return bpf_object__find_map_by_name(o->bpf, name);
}

void *object_find_section(const struct object *o, const char *name, size_t *size)
{
	struct bpf_map *map = find_map(o, name);
	size_t unused;

	return map ? (void *)bpf_map__initial_value(map, size ? size : &unused) : NULL;
}

void *object_section(const struct object *o, const char *name, const char *header)
{
	void *section = object_find_section(o, name, NULL);

	if (section)
		return section;
	if (header)
		error("no section %s: its program does not include %s", name, header);
	else
		error("no section %s: its program does not define it", name);
	exit(1);
}

int object_resize_map(struct object *o, const char *name, uint32_t entries)
{
	struct bpf_map *map = find_map(o, name);

	if (map)
		return bpf_map__set_max_entries(map, entries);
	error("no map %s: its program does not define it", name);
	exit(1);
}

int object_drop_map(struct object *o, const char *name)
{
	struct bpf_map *map = find_map(o, name);

	return map ? bpf_map__set_autocreate(map, false) : -ENOENT;
}

int object_program(const struct object *o, const char *name)
{
	struct bpf_program *prog = find_program(o->bpf, name);
	int fd = prog ? bpf_program__fd(prog) : -1;

	return fd < 0 ? -ENOENT : fd;
}
