/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/bpf.h>

#include "base/number.h"
#include "base/search.h"
#include "symbols/kallsyms.h"

#define MAX_MODULES 4096
#define MAX_TAGS    4096

/*
 * The kernel gives no sizes. The last symbol of a BPF program may be followed by anything: it is
 * given up where it would be larger than programs are.
 */
#define MAX_BPF_SIZE (256u << 10)

static int by_base(const void *va, const void *vb)
{
	const struct kernel_module *a = va, *b = vb;

	return a->base < b->base ? -1 : a->base > b->base;
}

/* "ext4 737280 1 - Live 0xffffffffc0a1b000" */
static int read_modules(struct kallsyms *k, FILE *f)
{
	struct kernel_module m, *more;
	unsigned long long size, base;
	char line[4096];

	while (f && k->nr_modules < MAX_MODULES && fgets(line, sizeof(line), f)) {
		memset(&m, 0, sizeof(m));
		if (sscanf(line, "%63s %llu %*s %*s %*s %llx", m.name, &size, &base) != 3 || !base)
			continue;
		m.base = base;
		m.size = size;
		more = realloc(k->modules, (k->nr_modules + 1) * sizeof(*more));
		if (!more)
			return -ENOMEM;
		k->modules = more;
		k->modules[k->nr_modules++] = m;
	}
	if (k->nr_modules)
		qsort(k->modules, k->nr_modules, sizeof(*k->modules), by_base);
	return 0;
}

/* The tag that stands for a module's name; 0: there are too many of them, or no memory. */
static unsigned int tag_of(struct kallsyms *k, const char *name, size_t len)
{
	char(*more)[64];
	size_t i;

	if (len > sizeof(*k->tags) - 1)
		len = sizeof(*k->tags) - 1;
	/* Symbols of a module stand together. */
	for (i = k->nr_tags; i; i--) {
		if (!strncmp(k->tags[i - 1], name, len) && !k->tags[i - 1][len])
			return i;
	}
	if (k->nr_tags == MAX_TAGS)
		return 0;
	more = realloc(k->tags, (k->nr_tags + 1) * sizeof(*more));
	if (!more)
		return 0;
	k->tags = more;
	memcpy(k->tags[k->nr_tags], name, len);
	k->tags[k->nr_tags][len] = '\0';
	return ++k->nr_tags;
}

static bool is_name(const char *name, size_t len, const char *want)
{
	return strlen(want) == len && !strncmp(name, want, len);
}

/* "_text", "__irqentry_text_end": where sections begin and end, often where a function does. */
static bool is_marker(const char *name, size_t len)
{
	return is_name(name, len, "_text") || is_name(name, len, "_stext") ||
	       (len > 6 && name[0] == '_' && !strncmp(name + len - 6, "_start", 6)) ||
	       (len > 4 && name[0] == '_' && !strncmp(name + len - 4, "_end", 4));
}

/* "ffffffffc0a1b010 t ext4_sync_file\t[ext4]". Hidden ones, with the address 0, are not added. */
static int read_line(struct kallsyms *k, const char *line, size_t *nr)
{
	unsigned int rank, tag = 0;
	const char *name, *end;
	uint64_t addr;
	char *p;
	int err;

	addr = strtoull(line, &p, 16);
	if (p == line || p[0] != ' ' || !p[1] || p[2] != ' ')
		return 0;
	++*nr;
	if (!addr)
		return 0;
	name = p + 3;
	end = name + strcspn(name, "\t \n");
	if (end == name)
		return 0;
	if (*end == '\t' && end[1] == '[')
		tag = tag_of(k, end + 2, strcspn(end + 2, "]\n"));
	switch (p[1]) {
	case 'T':
		rank = 0;
		break;
	case 't':
		rank = RANK_LOCAL;
		break;
	case 'W':
	case 'w':
		rank = RANK_WEAK;
		break;
	default:
		return 0;
	}
	if (is_marker(name, end - name))
		rank |= RANK_FALLBACK;
	if (!tag && is_name(name, end - name, "_stext"))
		k->text = addr;
	if (!tag && is_name(name, end - name, "_etext")) {
		k->text_end = addr;
		return 0;
	}
	err = symtab_add(&k->table, addr, 0, rank, tag, name, end - name);
	return err == -ENOMEM ? err : 0;
}

static const struct kernel_module *module_at(const struct kallsyms *k, uint64_t addr)
{
	const struct kernel_module *m = search_last(k->modules, k->nr_modules, base, addr);

	return m && addr - m->base < m->size ? m : NULL;
}

/* How far a symbol may reach: to the end of the kernel's text or of its module. */
static uint64_t reach(void *arg, uint64_t addr)
{
	const struct kallsyms *k = arg;
	const struct kernel_module *m;

	if (addr >= k->text && addr < k->text_end)
		return k->text_end;
	m = module_at(k, addr);
	return m ? m->base + m->size : addr + MAX_BPF_SIZE;
}

int kallsyms_read(struct kallsyms *k, FILE *symbols, FILE *modules)
{
	size_t nr = 0, size = 0;
	char *line = NULL;
	int err;

	*k = (struct kallsyms){ 0 };
	err = read_modules(k, modules);
	while (!err && getline(&line, &size, symbols) > 0)
		err = read_line(k, line, &nr);
	free(line);
	if (err) {
		kallsyms_free(k);
		return err;
	}
	k->hidden = nr && !k->table.nr;
	symtab_finish(&k->table, reach, k);
	return 0;
}

/* The highest id of a BPF program, if it is above @id, or else @id. -EPERM: we may not know. */
static int newest_prog(uint32_t *id)
{
	int err;

	do
		err = bpf_prog_get_next_id(*id, id) ? -errno : 0;
	while (!err);
	return err == -ENOENT ? 0 : err;
}

int kallsyms_load(struct kallsyms *k)
{
	FILE *symbols = fopen("/proc/kallsyms", "re"), *modules;
	uint32_t newest = 0;
	int err;

	*k = (struct kallsyms){ 0 };
	if (!symbols)
		return -errno;
	newest_prog(&newest);
	modules = fopen("/proc/modules", "re"); /* a kernel without modules has none */
	err = kallsyms_read(k, symbols, modules);
	k->newest_prog = newest;
	if (modules)
		fclose(modules);
	fclose(symbols);
	return err;
}

bool kallsyms_other_modules(const struct kallsyms *k, FILE *modules)
{
	struct kallsyms now = { 0 };
	bool other = read_modules(&now, modules) || now.nr_modules != k->nr_modules;

	for (size_t i = 0; !other && i < k->nr_modules; i++)
		other = now.modules[i].base != k->modules[i].base ||
			now.modules[i].size != k->modules[i].size ||
			strcmp(now.modules[i].name, k->modules[i].name);
	free(now.modules);
	return other;
}

int kallsyms_changed(const struct kallsyms *k)
{
	FILE *modules = fopen("/proc/modules", "re");
	bool other = kallsyms_other_modules(k, modules);
	uint32_t newest = k->newest_prog;
	int err;

	if (modules)
		fclose(modules);
	if (other)
		return 1;
	err = newest_prog(&newest);
	return err ? err : newest != k->newest_prog;
}

void kallsyms_find(const struct kallsyms *k, uint64_t addr, struct frame_name *name)
{
	const struct symbol *sym = symtab_find(&k->table, addr);
	const struct kernel_module *m = module_at(k, addr);

	/* Where names are hidden, so are addresses: this user may not know them, nor a reader. */
	*name = (struct frame_name){
		.module = "[kernel]",
		.module_offset = k->table.nr ? addr : 0,
	};
	if (m) {
		name->module = m->name;
		name->module_offset = addr - m->base;
	}
	if (!sym)
		return;
	name->function = symtab_name(&k->table, sym);
	name->offset = addr - sym->addr;
	if (sym->tag && !strcmp(k->tags[sym->tag - 1], "bpf"))
		name->module = "[bpf]";
	else if (sym->tag && !m)
		name->module = k->tags[sym->tag - 1];
}

const char *kallsyms_why_not(const struct kallsyms *k, int err)
{
	static char text[256];
	uint64_t restricted = 0;

	if (err == -ENOENT)
		return "kernel addresses have no names: this kernel has no /proc/kallsyms "
		       "(CONFIG_KALLSYMS)";
	if (err) {
		snprintf(text, sizeof(text),
			 "kernel addresses have no names: /proc/kallsyms can't be read: %s",
			 strerror(-err));
		return text;
	}
	if (!k->hidden)
		return NULL;
	number_read("/proc/sys/kernel/kptr_restrict", 1, &restricted);
	if (restricted >= 2)
		return "kernel addresses have no names: kptr_restrict hides them from everyone; "
		       "'sysctl kernel.kptr_restrict=1' shows them to root";
	return "kernel addresses have no names: /proc/kallsyms hides them from this user; run as "
	       "root, or with CAP_SYSLOG";
}

void kallsyms_free(struct kallsyms *k)
{
	symtab_free(&k->table);
	free(k->modules);
	free(k->tags);
	*k = (struct kallsyms){ 0 };
}
