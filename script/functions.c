/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Calls: which functions there are, and how many arguments they take. */
#include <string.h>

#include "base/util.h"
#include "script/compile.h"

static const struct function_def *const tables[] = {
	function_actions, function_texts,     function_values,
	function_maps,	  function_addresses, builtin_task_functions,
};

/* What bpftrace has and this does not, and what there is instead. */
static const struct {
	const char *name, *instead;
} absent[] = {
	{ "tseries", "print(@x) in an interval probe shows how a value goes" },
	{ "override", "it needs a kernel built for error injection" },
	{ "skboutput", "tcpdump writes pcap files" },
	{ "find", "has_key(@x, k) says whether a key is there" },
	{ "is_literal", NULL },
	{ "write_user", "nothing of a process is changed" },
	{ "socket_cookie", "the address of the socket tells it apart as well: @[args.sk]" },
	{ "debugf", "printf() is for that; nothing is written into the kernel's trace" },
	{ "container_of", "a cast of the address less offsetof() is the same" },
	{ "kfunc_exist", "-l kfunc:NAME lists it" },
	{ "kfunc_allowed", "-l kfunc:NAME lists it" },
	{ "quantize", "hist(n) counts by powers of two" },
	{ "lquantize", "lhist(n, min, max, step) counts by steps" },
	{ "dw_ustack", "ustack() walks by frame pointers; profile --unwind dwarf does without" },
};

static const struct function_def *function_find(const char *name)
{
	for (size_t t = 0; t < ARRAY_SIZE(tables); t++)
		for (const struct function_def *d = tables[t]; d->name; d++)
			if (!strcmp(d->name, name))
				return d;
	return NULL;
}

bool function_is(const char *name)
{
	return function_find(name);
}

static const struct type *unknown_function(struct compiler *c, struct node *n)
{
	struct nearest near = { .name = n->name };

	if (!c->final)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(absent); i++) {
		if (strcmp(absent[i].name, n->name))
			continue;
		check_error(c, n->span, "%s() is not there in bscope", n->name);
		if (absent[i].instead)
			check_hint(c, "%s", absent[i].instead);
		return NULL;
	}
	check_error(c, n->span, "unknown function: %s", n->name);
	for (size_t t = 0; t < ARRAY_SIZE(tables); t++)
		for (const struct function_def *d = tables[t]; d->name; d++)
			nearest_try(&near, d->name);
	if (near.best)
		check_hint(c, "did you mean %s()?", near.best);
	return NULL;
}

static const struct type *wrong_number(struct compiler *c, struct node *n,
				       const struct function_def *d)
{
	if (d->min_args == d->max_args)
		return check_error(c, n->span, "%s() takes %u argument%s, and here are %zu",
				   n->name, d->min_args, d->min_args == 1 ? "" : "s", n->nr_args);
	if (n->nr_args < d->min_args)
		return check_error(c, n->span,
				   "%s() takes at least %u argument%s, and here are %zu", n->name,
				   d->min_args, d->min_args == 1 ? "" : "s", n->nr_args);
	return check_error(c, n->span, "%s() takes at most %u arguments, and here are %zu", n->name,
			   d->max_args, n->nr_args);
}

const struct type *function_check(struct compiler *c, struct node *n)
{
	const struct function_def *d = function_find(n->name);
	bool is_builtin = false;

	/* cpu() is cpu */
	if (!n->nr_args && (!d || d->min_args)) {
		const struct type *type = builtin_check(c, n, &is_builtin);

		if (is_builtin) {
			n->kind = NODE_NAME;
			return type;
		}
	}
	if (!d)
		return unknown_function(c, n);
	n->info = (void *)d;
	if (n->nr_args < d->min_args || n->nr_args > d->max_args)
		return wrong_number(c, n, d);
	if (d->is_unsafe && !c->options->unsafe) {
		check_error(c, n->span, "%s() changes something: it needs --unsafe", n->name);
		return NULL;
	}
	if (d->where == CALL_AGGREGATE && c->assigned != n)
		return check_error(c, n->span, "%s() has to be assigned to a map: @ = %s(...)",
				   n->name, n->name);
	return d->check(c, n);
}

ir_value function_lower(struct compiler *c, struct node *n)
{
	return ((const struct function_def *)n->info)->lower(c, n);
}
