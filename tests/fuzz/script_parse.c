/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* libFuzzer: any bytes as a script: read, its types laid out, and shown. */
#include <stdlib.h>

#include "script/cdecl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct cdecl *cdecl;

/* What the compiler relies on. */
static void check_node(struct node *n, void *ctx)
{
	const struct source *src = ctx;

	if (!n->height || n->height > AST_HEIGHT_MAX || n->span.from > n->span.to ||
	    n->span.to > src->size)
		abort();
	if (n->type_name)
		cdecl_find(cdecl, n->type_name, SPACE_USER);
}

static void check_constants(const struct script *script)
{
	for (const struct constant *c = script->constants; c; c = c->next)
		if (!c->name || !*c->name)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const args[] = { "5", "a b", "-0x7", "vmlinux:vfs_read" };
	const struct positional positional = { args, 4 };
	static FILE *nowhere;
	struct source *src = source_new("fuzzed", (const char *)data, size);
	struct btf_types *btf;
	struct script *script;
	struct types *types;

	if (!nowhere)
		nowhere = fopen("/dev/null", "w");
	if (!src || !nowhere)
		abort();
	src->messages = nowhere;
	types = types_new(src->arena);
	btf = btf_types_new(types, src->arena, "/dev/null");
	script = script_parse(src, &positional);
	cdecl = cdecl_new(script, types, btf);
	for (struct clause *c = script->clauses; c; c = c->next) {
		node_walk(c->predicate, check_node, src);
		node_walk(c->body, check_node, src);
	}
	check_constants(script);
	script_dump(script, nowhere);
	btf_types_free(btf);
	source_free(src);
	return 0;
}
