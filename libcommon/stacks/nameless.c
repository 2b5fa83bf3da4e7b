/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/msg.h"
#include "base/util.h"
#include "stacks/names.h"
#include "stacks/nameless.h"

#define LEAST 20 /* samples, to say anything of a process */

/* Which compilers can write a perf map, and how they are told to. */
static const struct {
	const char *exe; /* the program's file name begins so */
	const char *remedy;
} compilers[] = {
	{ "java", "'jcmd %u Compiler.perfmap' names them" },
	{ "node", "node with --perf-basic-prof names them" },
	{ "python", "python with -X perf names them" },
	{ "pypy", "a perf map (/tmp/perf-%u.map) would name them" },
	{ "dotnet", "DOTNET_PerfMapEnabled=1 in its environment has them named" },
	{ "ruby", "ruby with --yjit-perf names them" },
};

/* What would give names to code of the program @exe, which runs as @pid. The text lives until the
 * next call. */
static const char *remedy_of(const char *exe, uint32_t pid)
{
	static char text[128];

	for (size_t i = 0; i < ARRAY_SIZE(compilers); i++) {
		if (strncmp(exe, compilers[i].exe, strlen(compilers[i].exe)))
			continue;
		snprintf(text, sizeof(text), compilers[i].remedy, pid);
		return text;
	}
	snprintf(
		text, sizeof(text),
		"if a compiler made it, it may be able to write /tmp/perf-%u.map, which names them",
		pid);
	return text;
}

struct share {
	uint32_t pid;
	char comm[sizeof(((struct stack_key *)0)->comm) + 1];
	uint64_t all, nameless;
};

static int by_pid(const void *va, const void *vb)
{
	const struct share *a = va, *b = vb;

	return a->pid < b->pid ? -1 : a->pid > b->pid;
}

/* The stacks as they are shown, one after another. Returns how many. */
static size_t fill(const struct stacks *s, struct share *shares, uint32_t nr)
{
	for (uint32_t i = 0; i < nr; i++) {
		struct shown_stack stack = stacks_shown(s, i);
		struct shown_frame leaf = { 0 };

		if (stack.nr_user && !stack.nr_kernel)
			leaf = stacks_frame(s, stack.user[0]);
		shares[i] = (struct share){ .pid = stack.key->pid, .all = stack.count };
		memcpy(shares[i].comm, stack.key->comm, sizeof(stack.key->comm));
		if (leaf.name.module && !leaf.name.function && !strcmp(leaf.name.module, "[anon]"))
			shares[i].nameless = stack.count;
	}
	return nr;
}

/* The process with the most of them; NULL: there are few everywhere. */
static const struct share *worst(struct share *shares, size_t nr)
{
	const struct share *best = NULL;
	struct share *sum = shares;

	qsort(shares, nr, sizeof(*shares), by_pid);
	for (size_t i = 1; i < nr; i++) {
		if (shares[i].pid != sum->pid) {
			sum = &shares[i];
			continue;
		}
		sum->all += shares[i].all;
		sum->nameless += shares[i].nameless;
		shares[i].nameless = 0;
	}
	for (size_t i = 0; i < nr; i++)
		if (shares[i].nameless >= LEAST && shares[i].nameless * 2 > shares[i].all &&
		    (!best || shares[i].nameless > best->nameless))
			best = &shares[i];
	return best;
}

/* The file name of the program, or what the kernel calls the process. */
static const char *program_of(const struct share *share, char *buf, size_t size)
{
	char link[32];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/%u/exe", share->pid);
	n = readlink(link, buf, size - 1);
	if (n <= 0)
		return share->comm;
	buf[n] = '\0';
	return strrchr(buf, '/') ? strrchr(buf, '/') + 1 : buf;
}

void nameless_remark(const struct stacks *s)
{
	uint32_t nr = stacks_shown_set(s).nr;
	struct share *shares = calloc(nr + 1, sizeof(*shares));
	const struct share *most = shares ? worst(shares, fill(s, shares, nr)) : NULL;
	char buf[4096];
	const char *exe;

	if (most) {
		exe = program_of(most, buf, sizeof(buf));
		note("most samples of %s (%u) are code without names: %s", exe, most->pid,
		     remedy_of(exe, most->pid));
	}
	free(shares);
}
