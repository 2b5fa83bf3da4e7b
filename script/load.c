/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "base/msg.h"
#include "kernel/advice.h"
#include "lib/core/types.shared.h"
#include "script.shared.h"
#include "script/insns.h"
#include "script/load_maps.h"
#include "script/multi.h"
#include "script/refusal.h"

#define LOG_BYTES     (16u << 20)
#define LOG_BYTES_MAX (512u << 20)

/* Has the kernel atomic exchange (5.12)? */
static bool has_exchange(void)
{
	struct bpf_insn insns[] = {
		INSN(BPF_ST | BPF_MEM | BPF_DW, BPF_REG_10, 0, -8, 0),
		INSN_MOV_K(BPF_REG_0, 1),
		INSN_ATOMIC(BPF_REG_10, -8, BPF_REG_0, BPF_XCHG),
		INSN_EXIT(),
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "exchange", "GPL", insns,
			       sizeof(insns) / sizeof(insns[0]), NULL);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static int descriptor_of(const struct loaded *l, const struct link_place *p)
{
	switch (p->what) {
	case LINK_MAP:
		return l->maps[p->number];
	case LINK_MAP_NOW:
		return l->outer[p->number];
	case LINK_SCRATCH:
		return l->scratch_fd;
	case LINK_GLOBALS:
		return l->globals_fd;
	case LINK_RODATA:
		return l->rodata_fd;
	case LINK_RING:
		return l->rings[p->number];
	case LINK_SEEN:
		return l->seen_fd;
	}
	return -1;
}

/* Gives the instructions the descriptors that are there now. */
static void fill_places(const struct loaded *l, const struct code *c)
{
	for (size_t i = 0; i < c->nr_places; i++) {
		const struct link_place *p = &c->places[i];
		struct bpf_insn *insn = &c->insns[p->insn];

		insn->src_reg = p->what == LINK_GLOBALS || p->what == LINK_RODATA
					? BPF_PSEUDO_MAP_VALUE
					: BPF_PSEUDO_MAP_FD;
		insn->imm = descriptor_of(l, p);
	}
}

static enum bpf_prog_type type_of(enum attach attach)
{
	switch (attach) {
	case ATTACH_RUN:
	case ATTACH_RAW_TP:
	case ATTACH_FOLDED:
		return BPF_PROG_TYPE_RAW_TRACEPOINT;
	case ATTACH_TRACEPOINT:
		return BPF_PROG_TYPE_TRACEPOINT;
	case ATTACH_FENTRY:
	case ATTACH_FEXIT:
		return BPF_PROG_TYPE_TRACING;
	case ATTACH_PERF:
		return BPF_PROG_TYPE_PERF_EVENT;
	default:
		return BPF_PROG_TYPE_KPROBE;
	}
}

static enum attach attach_of(const struct program *p)
{
	return p->nr_targets ? p->targets[0]->attach : ATTACH_RUN;
}

/*
 * The kernel calls only functions back of which it knows a type. So there are types of all of them:
 * static ones, that take and give nothing.
 */
struct functions {
	struct bpf_func_info *infos;
	size_t nr;
	int btf_fd;
};

static int describe_functions(struct functions *f, const struct code *c)
{
	static const char names[] = "\0function";
	struct {
		struct btf_header header;
		struct btf_type proto, function;
		char names[sizeof(names)];
	} btf = {
		.header = { .magic = BTF_MAGIC,
			    .version = BTF_VERSION,
			    .hdr_len = sizeof(struct btf_header),
			    .type_len = 2 * sizeof(struct btf_type),
			    .str_off = 2 * sizeof(struct btf_type),
			    .str_len = sizeof(names) },
		.proto = { .info = BTF_KIND_FUNC_PROTO << 24 },
		.function = { .name_off = 1,
			      .info = BTF_KIND_FUNC << 24 | BTF_FUNC_STATIC,
			      .type = 1 },
	};

	memcpy(btf.names, names, sizeof(names));
	f->nr = c->nr_functions + 1;
	f->infos = calloc(f->nr, sizeof(*f->infos));
	f->btf_fd = bpf_btf_load(&btf, offsetof(typeof(btf), names) + sizeof(names), NULL);
	if (!f->infos || f->btf_fd < 0)
		return f->infos ? f->btf_fd : -ENOMEM;
	for (size_t i = 0; i < f->nr; i++)
		f->infos[i] = (struct bpf_func_info){ .insn_off = i ? c->functions[i - 1].start : 0,
						      .type_id = 2 };
	return 0;
}

static void functions_free(struct functions *f)
{
	free(f->infos);
	if (f->btf_fd >= 0)
		close(f->btf_fd);
}

/* @log: NULL, or where the verifier's words go. */
static int load_code(const struct program *p, const struct code *c, bool multi, char *log,
		     uint32_t log_size)
{
	enum attach attach = attach_of(p);
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .log_buf = log, .log_size = log_size,
		    .log_level = log ? 1 : 0);
	struct functions functions = { .btf_fd = -1 };
	char name[16];
	int fd;

	if (attach == ATTACH_FENTRY || attach == ATTACH_FEXIT) {
		opts.expected_attach_type =
			attach == ATTACH_FENTRY ? BPF_TRACE_FENTRY : BPF_TRACE_FEXIT;
		opts.attach_btf_id = p->targets[0]->btf_id;
		if (p->targets[0]->btf_fd > 0)
			opts.attach_btf_obj_fd = p->targets[0]->btf_fd;
	}
	if (multi)
		opts.expected_attach_type =
			multi_attach_type(attach == ATTACH_UPROBE || attach == ATTACH_URETPROBE);
	if (c->has_callbacks && !describe_functions(&functions, c)) {
		opts.prog_btf_fd = functions.btf_fd;
		opts.func_info = functions.infos;
		opts.func_info_cnt = functions.nr;
		opts.func_info_rec_size = sizeof(*functions.infos);
	}
	fd = bpf_prog_load(type_of(attach), load_name(p->code->name, name), "GPL", c->insns, c->nr,
			   &opts);
	functions_free(&functions);
	return fd;
}

/* Once more, for the verifier's words. Those of a long story do not fit: old kernels keep its
 * begin, so it takes room until there is the end. */
static int refuse(const struct loaded *l, const struct program *p, const struct code *c, int err,
		  const struct load_options *options)
{
	uint32_t size = LOG_BYTES;
	char *log = NULL;
	int again = -ENOSPC, fd;

	while (again == -ENOSPC && size <= LOG_BYTES_MAX) {
		free(log);
		log = malloc(size);
		if (!log)
			break;
		log[0] = '\0';
		fd = load_code(p, c, false, log, size);
		if (fd >= 0) {
			free(log);
			return fd;
		}
		again = fd;
		size *= 2;
	}
	refusal_tell(l->compiled->source, p, c, again == -ENOSPC ? err : again, log ? log : "",
		     options->verbose);
	free(log);
	return err;
}

/* Returns 0, or -errno after printing why. */
static int load_program(struct loaded *l, size_t i, bool multi, const struct load_options *options)
{
	const struct program *p = l->compiled->programs[i];
	int fd;

	fill_places(l, l->codes[i]);
	fd = load_code(p, l->codes[i], multi, NULL, 0);
	if (fd < 0 && multi) {
		multi = false;
		fd = load_code(p, l->codes[i], false, NULL, 0);
	}
	if (fd < 0)
		fd = refuse(l, p, l->codes[i], fd, options);
	if (fd < 0)
		return fd;
	l->programs[i] = fd;
	l->multi[i] = multi;
	return 0;
}

static int load_programs(struct loaded *l, const struct load_options *options)
{
	const struct compiled *c = l->compiled;
	int err = 0;

	for (size_t i = 0; i < c->nr_programs && !err; i++)
		err = load_program(l, i, c->programs[i]->multi, options);
	return err;
}

int loaded_singly(struct loaded *l, size_t program)
{
	const struct load_options options = { .verbose = msg_verbose };

	close(l->programs[program]);
	l->programs[program] = -1;
	return load_program(l, program, false, &options);
}

static int make_codes(const struct compiled *c, struct code **codes)
{
	struct emit_config config = { .rings = load_maps_rings(), .cmpxchg = has_exchange() };

	for (size_t i = 0; i < c->nr_programs; i++) {
		codes[i] = code_make(c->source, c->programs[i]->code, &config);
		if (!codes[i])
			return -E2BIG;
	}
	return 0;
}

static int *no_descriptors(size_t nr)
{
	int *fds = malloc((nr ? nr : 1) * sizeof(*fds));

	for (size_t i = 0; fds && i < nr; i++)
		fds[i] = -1;
	return fds;
}

int script_load(struct loaded *l, const struct compiled *compiled,
		const struct load_options *options)
{
	uint32_t scratch = 0, entries = 1;
	int err = 0;

	*l = (struct loaded){ .compiled = compiled,
			      .maps = no_descriptors(compiled->nr_maps),
			      .outer = no_descriptors(compiled->nr_maps),
			      .programs = no_descriptors(compiled->nr_programs),
			      .multi = calloc(compiled->nr_programs + 1, sizeof(bool)),
			      .codes = calloc(compiled->nr_programs + 1, sizeof(struct code *)),
			      .globals_fd = -1,
			      .seen_fd = -1,
			      .scratch_fd = -1,
			      .rodata_fd = -1 };
	if (!l->codes || !l->multi || !l->maps || !l->outer || !l->programs) {
		error("out of memory");
		err = -ENOMEM;
	}
	if (!err)
		err = make_codes(compiled, l->codes);
	for (size_t i = 0; !err && i < compiled->nr_programs; i++) {
		if (l->codes[i]->scratch > scratch)
			scratch = l->codes[i]->scratch;
		if (compiled->programs[i]->code->index >= entries)
			entries = compiled->programs[i]->code->index + 1;
	}
	if (!err)
		err = load_maps_open(l, scratch, entries);
	if (!err)
		err = load_programs(l, options);
	if (err)
		script_unload(l);
	return err;
}

void script_unload(struct loaded *l)
{
	for (size_t i = 0; l->programs && i < l->compiled->nr_programs; i++)
		if (l->programs[i] >= 0)
			close(l->programs[i]);
	load_maps_close(l);
	free(l->programs);
	free(l->multi);
	free(l->codes);
	free(l->maps);
	free(l->outer);
	l->programs = l->maps = l->outer = NULL;
	l->multi = NULL;
	l->codes = NULL;
}

int loaded_next_generation(struct loaded *l, const struct script_map *map)
{
	uint32_t zero = 0;
	int old = l->maps[map->index], fd, err;

	if (l->outer[map->index] < 0)
		return -EINVAL;
	fd = load_maps_again(map);
	if (fd < 0)
		return fd;
	/* the kernel returns when no program uses the old one any more (4.18, 1ae80cf31938) */
	err = bpf_map_update_elem(l->outer[map->index], &zero, &fd, BPF_ANY);
	if (err) {
		close(fd);
		return err;
	}
	l->maps[map->index] = fd;
	return old;
}

int loaded_run(struct loaded *l, size_t program)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);

	return bpf_prog_test_run_opts(l->programs[program], &opts);
}
