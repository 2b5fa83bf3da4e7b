/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <linux/bpf.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/msg.h"
#include "base/util.h"
#include "kernel/advice.h"
#include "kernel/object.h"
#include "kernel/support.h"
#include "kernel/task_iter.h"

static struct bpf_program *find_program(const struct object *o, const char *name)
{
	struct bpf_program *prog = bpf_object__find_program_by_name(o->bpf, name);

	if (!prog)
		debug("there is no program %s in this object", name);
	return prog;
}

static struct place place_of(const struct object *o, const struct bpf_program *prog)
{
	return probe_place(bpf_program__section_name(prog), o->targets);
}

/* --- loading ------------------------------------------------------------------------------ */

/* What is being loaded: for libbpf's callback, which is given the program only. */
static struct {
	const struct object *object;
	const struct support *support;
} loading;

/* Tells the kernel what @prog is attached to. */
static int set_target(struct bpf_program *prog, struct bpf_prog_load_opts *opts, long cookie)
{
	struct place place;
	int id, fd;

	if (!loading.object)
		return -EINVAL;
	place = place_of(loading.object, prog);
	id = support_btf_id(loading.support, &place, &fd);
	if (id < 0)
		return id;
	opts->attach_btf_id = id;
	opts->attach_btf_obj_fd = fd;
	return 0;
}

static int attach_target_set(const struct bpf_program *prog, long cookie, struct bpf_link **link)
{
	*link = bpf_program__attach_trace(prog);
	return *link ? 0 : -errno;
}

/* Has libbpf ask us what programs are attached to, instead of looking for it: see support_btf_id().
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

int object_open(struct object *o, const struct object_spec *spec)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = spec->image.name,
		    .btf_custom_path = spec->btf);
	size_t size;
	const void *bytes = spec->image.bytes(&size);
	int err;

	o->bpf = bpf_object__open_mem(bytes, size, &opts);
	if (o->bpf)
		return 0;
	err = -errno;
	error("cannot open its own BPF object: %s", strerror(-err));
	return err;
}

/* struct ladder_asks, of the object that is being loaded */
static bool ask_place(void *ctx, const char *program, struct place *place)
{
	const struct bpf_program *prog = find_program(loading.object, program);

	if (prog)
		*place = place_of(loading.object, prog);
	return prog;
}

static const char *ask_refusal(void *support, const struct place *place)
{
	return support_refusal(support, place);
}

static enum place_gaps ask_gaps(void *support, const struct place *place, const char **why)
{
	return support_gaps(support, place, why);
}

static int resolve_calls(struct bpf_program *prog, const struct support *s)
{
	size_t cnt = bpf_program__insn_cnt(prog);
	struct bpf_insn *insns = malloc(cnt * sizeof(*insns));
	int err = 0;

	if (!insns)
		return -ENOMEM;
	memcpy(insns, bpf_program__insns(prog), cnt * sizeof(*insns));
	if (support_resolve_calls(s, insns, cnt))
		err = bpf_program__set_insns(prog, insns, cnt);
	free(insns);
	return err;
}

/* Only the programs on a rung in use are loaded. Returns 0, or -errno after printing why. */
static int turn_on(struct object *o, const struct support *s)
{
	struct bpf_program *prog;

	bpf_object__for_each_program (prog, o->bpf) {
		bool on = ladder_uses(&o->ladder, bpf_program__name(prog));
		int err = on ? resolve_calls(prog, s) : 0;
		const struct place place = place_of(o, prog);

		if (!err && support_has_fprobe(s, &place))
			err = bpf_program__set_expected_attach_type(prog, BPF_TRACE_KPROBE_MULTI);
		if (err) {
			error("cannot prepare program %s: %s", bpf_program__name(prog),
			      strerror(-err));
			return err;
		}
		bpf_program__set_autoload(prog, on);
	}
	return 0;
}

static struct bpf_link *attach_to(const struct object *o, const struct bpf_program *prog)
{
	const struct place place = place_of(o, prog);
	const bool at_return = !strcmp(place.type, "kretprobe");
	const char *function = place.name;
	LIBBPF_OPTS(bpf_kprobe_multi_opts, opts, .syms = &function, .cnt = 1,
		    .retprobe = at_return);

	if (place.kind != PLACE_KPROBE)
		return bpf_program__attach(prog);
	if (bpf_program__expected_attach_type(prog) == BPF_TRACE_KPROBE_MULTI)
		return bpf_program__attach_kprobe_multi_opts(prog, NULL, &opts);
	return bpf_program__attach_kprobe(prog, at_return, function);
}

static int attach(struct object *o, struct bpf_program *prog)
{
	struct bpf_link *link = attach_to(o, prog), **links;

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

/* The program that could not be attached, if any, is named in @failed. */
static int attach_probe(struct object *o, int i, char *failed)
{
	const char *at = ladder_rung(&o->ladder, i);

	while (probe_next_program(&at, failed)) {
		int err = attach(o, find_program(o, failed));

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

/* -EAGAIN: @program's rung has fallen, and there is another one. */
static int step_down(struct object *o, const char *program, const char *why)
{
	return ladder_step_down(&o->ladder, program, why) ? -EAGAIN : 0;
}

static int load(struct object *o)
{
	int err;

	advice_listen();
	err = bpf_object__load(o->bpf);
	if (!err)
		return list_programs(o);
	if (step_down(o, advice_failed_program(), "the kernel refuses to load it"))
		return -EAGAIN;
	advice_load(err, advice_failed_program());
	return err;
}

static int attach_all(struct object *o)
{
	const struct probe *probes = o->ladder.probes;
	char name[PROBE_PROGRAM_LEN];

	for (int i = 0; i < PROBES_MAX && probes[i].name; i++) {
		int err = 0;

		if (ladder_rung(&o->ladder, i) && !probes[i].later)
			err = attach_probe(o, i, name);
		if (!err)
			continue;
		if (step_down(o, name, "the kernel refuses to attach it"))
			return -EAGAIN;
		error("cannot attach %s: %s", name, strerror(-err));
		return err;
	}
	return 0;
}

/* In the place of attaching: would the kernel refuse a kprobe? It is the only kind whose programs
 * may be loaded, and not attached, for reasons of the whole kernel (lockdown). */
static int try_kprobes(struct object *o)
{
	struct bpf_program *prog;

	bpf_object__for_each_program (prog, o->bpf) {
		if (bpf_program__fd(prog) < 0 || place_of(o, prog).kind != PLACE_KPROBE ||
		    bpf_program__expected_attach_type(prog) == BPF_TRACE_KPROBE_MULTI)
			continue;
		if (support_try_kprobe() &&
		    step_down(o, bpf_program__name(prog), "the kernel refuses to attach it"))
			return -EAGAIN;
	}
	return 0;
}

static void tell_chosen(const struct object *o, const struct object_spec *spec,
			const struct ladder_asks *asks)
{
	struct ladder_choice c;

	for (int i = 0; i < PROBES_MAX && o->ladder.probes[i].name; i++)
		if (ladder_choice(&o->ladder, asks, i, &c))
			spec->chosen(&c, spec->ctx);
}

/* One try with the rungs that are left. 0, -errno, or -EAGAIN: a rung fell, try again. */
static int try_start(struct object *o, const struct object_spec *spec, struct support *s)
{
	const struct ladder_asks asks = { ask_place, ask_refusal, ask_gaps, s };
	int err = spec->configure ? spec->configure(o, spec->ctx) : 0;

	if (!err)
		err = ladder_choose(&o->ladder, &asks);
	if (!err)
		err = turn_on(o, s);
	if (!err)
		err = load(o);
	if (!err && spec->prepare)
		err = spec->prepare(o, spec->ctx);
	if (err || !spec->chosen)
		return err ? err : attach_all(o);
	err = try_kprobes(o);
	if (!err)
		tell_chosen(o, spec, &asks);
	return err;
}

/* Learns what this kernel supports of all that the object may ask for. */
static int learn(struct object *o, const struct object_spec *spec, struct support *s)
{
	struct bpf_program *prog;

	support_init(s, spec->targets);
	bpf_object__for_each_program (prog, o->bpf) {
		const struct place place = place_of(o, prog);

		support_add(s, &place);
	}
	return support_learn(s, spec->facts, spec->btf);
}

int object_start(struct object *o, const struct object_spec *spec)
{
	struct support s = { 0 };
	int err;

	*o = (struct object){ .targets = spec->targets };
	ladder_init(&o->ladder, spec->probes);
	libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
	if (!advice_capabilities())
		return -EPERM;
	advice_listen();
	err = register_handlers();
	if (!err)
		err = object_open(o, spec);
	if (!err)
		err = learn(o, spec, &s);
	loading.object = o;
	loading.support = &s;
	while (!err) {
		err = try_start(o, spec, &s);
		if (err != -EAGAIN)
			break;
		object_close(o);
		err = object_open(o, spec);
	}
	loading.object = NULL;
	support_free(&s);
	if (err)
		object_close(o);
	return err;
}

/* --- running ------------------------------------------------------------------------------ */

int object_attach_later(struct object *o, const char *probe)
{
	char name[PROBE_PROGRAM_LEN];
	int i = ladder_find(&o->ladder, probe);

	if (i < 0)
		return -ENOENT;
	return ladder_rung(&o->ladder, i) ? attach_probe(o, i, name) : -ENOTSUP;
}

/* Of the probe's iterator; -ENOTSUP: there is none. */
static int iterator(const struct object *o, const char *probe)
{
	const char *program = object_rung(o, probe);

	return program ? object_program(o, program) : -ENOTSUP;
}

int object_iterate(struct object *o, const char *probe)
{
	int fd = iterator(o, probe);

	return fd < 0 ? fd : task_iter_run(fd);
}

int object_iterate_map(struct object *o, const char *probe, const char *map)
{
	int fd = iterator(o, probe), map_fd = programs_map(&o->programs, map);

	if (fd < 0 || map_fd < 0)
		return fd < 0 ? fd : map_fd;
	return task_iter_run_map(fd, map_fd);
}

const char *object_rung(const struct object *o, const char *probe)
{
	int i = ladder_find(&o->ladder, probe);

	return i < 0 ? NULL : ladder_rung(&o->ladder, i);
}

bool object_misses_returns(const struct object *o)
{
	struct bpf_program *prog;

	bpf_object__for_each_program (prog, o->bpf) {
		if (bpf_program__fd(prog) >= 0 && !strcmp(place_of(o, prog).type, "kretprobe") &&
		    bpf_program__expected_attach_type(prog) != BPF_TRACE_KPROBE_MULTI)
			return true;
	}
	return false;
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
	struct bpf_program *prog = find_program(o, name);
	int fd = prog ? bpf_program__fd(prog) : -1;

	return fd < 0 ? -ENOENT : fd;
}

const char *object_program_section(const struct object *o, const char *name)
{
	struct bpf_program *prog = bpf_object__find_program_by_name(o->bpf, name);

	return prog ? bpf_program__section_name(prog) : NULL;
}

const char *object_next_program(const struct object *o, const char *name)
{
	struct bpf_program *prog = name ? bpf_object__find_program_by_name(o->bpf, name) : NULL;

	prog = bpf_object__next_program(o->bpf, prog);
	return prog ? bpf_program__name(prog) : NULL;
}
