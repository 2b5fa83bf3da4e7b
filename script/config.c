/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The settings of a script: config = { }, and BPFTRACE_* in the environment. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/msg.h"
#include "base/util.h"
#include "script/check.h"
#include "script.shared.h"

enum kind {
	KIND_NUMBER,
	KIND_BOOL,
	KIND_TEXT,
	KIND_STACK_MODE,
	KIND_MISSING,
	KIND_IGNORED, /* known to bpftrace, and without a meaning here */
};

#define AT(member) offsetof(struct script_config, member)

static const struct setting_def {
	const char *name;
	enum kind kind;
	size_t at;
	uint64_t min, max;
} settings[] = {
	{ "max_strlen", KIND_NUMBER, AT(max_strlen), 1, RT_STRING_MAX },
	{ "strlen", KIND_NUMBER, AT(max_strlen), 1, RT_STRING_MAX },
	{ "max_map_keys", KIND_NUMBER, AT(max_map_keys), 1, 1 << 28 },
	{ "map_keys_max", KIND_NUMBER, AT(max_map_keys), 1, 1 << 28 },
	{ "max_probes", KIND_NUMBER, AT(max_probes), 1, 1 << 16 },
	{ "max_bpf_progs", KIND_IGNORED },
	{ "on_stack_limit", KIND_IGNORED },
	{ "perf_rb_pages", KIND_NUMBER, AT(perf_rb_pages), 1, 1 << 20 },
	{ "stack_mode", KIND_STACK_MODE, AT(stack_mode) },
	{ "missing_probes", KIND_MISSING },
	{ "str_trunc_trailer", KIND_TEXT, AT(str_trunc_trailer) },
	{ "print_maps_on_exit", KIND_BOOL, AT(print_maps_on_exit) },
	{ "unstable_import", KIND_IGNORED },
	{ "unstable_map_decl", KIND_IGNORED },
	{ "unstable_macro", KIND_IGNORED },
	{ "unstable_tseries", KIND_IGNORED },
	{ "unstable_addr", KIND_IGNORED },
	{ "cache_user_symbols", KIND_IGNORED },
	{ "cpp_demangle", KIND_IGNORED },
	{ "no_cpp_demangle", KIND_IGNORED },
	{ "lazy_symbolication", KIND_IGNORED },
	{ "log_size", KIND_IGNORED },
	{ "license", KIND_IGNORED },
	{ "max_cat_bytes", KIND_NUMBER, AT(max_cat_bytes), 1, 1 << 20 },
	{ "max_ast_nodes", KIND_IGNORED },
	{ "max_type_res_iterations", KIND_IGNORED },
	{ "show_debug_info", KIND_IGNORED },
	{ "use_blazesym", KIND_IGNORED },
	{ "symbol_source", KIND_IGNORED },
	{ "debug_output", KIND_IGNORED },
	{ "verify_llvm_ir", KIND_IGNORED },
	{ "btf", KIND_IGNORED },
	{ "vmlinux", KIND_IGNORED },
	{ "kernel_source", KIND_IGNORED },
	{ "kernel_build", KIND_IGNORED },
	{ "probe_inline", KIND_IGNORED },
	{ "color", KIND_IGNORED },
};

/* Sets one; returns NULL, or what would be right. */
static const char *set_text(const struct setting_def *d, struct script_config *config,
			    const char *text)
{
	if (!strcmp(text, "true"))
		text = d->kind == KIND_BOOL ? "1" : text;
	switch (d->kind) {
	case KIND_TEXT:
		*(const char **)((char *)config + d->at) = text;
		return NULL;
	case KIND_STACK_MODE:
		if (!strcmp(text, "build_id"))
			return "bpftrace, perf or raw: build ids are not shown here";
		if (strcmp(text, "bpftrace") && strcmp(text, "perf") && strcmp(text, "raw"))
			return "bpftrace, perf or raw";
		config->stack_mode = text[0];
		return NULL;
	case KIND_MISSING:
		if (strcmp(text, "error") && strcmp(text, "warn") && strcmp(text, "ignore"))
			return "error, warn or ignore";
		config->missing_probes_warn = !strcmp(text, "warn");
		config->missing_probes_ignore = !strcmp(text, "ignore");
		config->missing_probes_error = !strcmp(text, "error");
		return NULL;
	default:
		return "a number";
	}
}

static const char *set_number(const struct setting_def *d, struct script_config *config, uint64_t n)
{
	static char right[80];

	if (d->kind == KIND_BOOL) {
		if (n > 1)
			return "true or false";
		*(bool *)((char *)config + d->at) = n;
		return NULL;
	}
	if (d->kind == KIND_TEXT || d->kind == KIND_STACK_MODE || d->kind == KIND_MISSING)
		return "a text";
	/* as much as there is */
	if (d->at == AT(max_strlen) && n > d->max) {
		warn("%s is bounded: %llu bytes, not %llu", d->name, (unsigned long long)d->max,
		     (unsigned long long)n);
		n = d->max;
	}
	if (n < d->min || n > d->max) {
		snprintf(right, sizeof(right), "a number from %llu to %llu",
			 (unsigned long long)d->min, (unsigned long long)d->max);
		return right;
	}
	*(uint64_t *)((char *)config + d->at) = n;
	return NULL;
}

static const struct setting_def *find(const char *name)
{
	static const char prefix[] = "bpftrace_";
	char lower[64];
	size_t n = 0;

	for (; name[n] && n + 1 < sizeof(lower); n++)
		lower[n] = tolower((unsigned char)name[n]);
	lower[n] = '\0';
	name = lower;
	if (!strncmp(name, prefix, sizeof(prefix) - 1))
		name += sizeof(prefix) - 1;
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
		if (!strcmp(settings[i].name, name))
			return &settings[i];
	return NULL;
}

static void set_from_environment(struct script *script, struct script_config *config)
{
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		const struct setting_def *d = &settings[i];
		char name[64] = "BPFTRACE_", *p = name + 9, *end;
		const char *text, *right;
		unsigned long long n;

		for (const char *s = d->name; *s; s++)
			*p++ = toupper((unsigned char)*s);
		*p = '\0';
		text = getenv(name);
		if (!text || d->kind == KIND_IGNORED)
			continue;
		errno = 0;
		n = strtoull(text, &end, 0);
		if (!errno && *text && !*end && *text != '-')
			right = set_number(d, config, n);
		else
			right = set_text(d, config, text);
		if (right)
			source_error(script->source, (struct span){ 0, 0 },
				     "%s=%s: it should be %s", name, text, right);
	}
}

static void set_from_block(struct script *script, struct script_config *config,
			   const struct setting *s)
{
	const struct setting_def *d = find(s->name);
	const struct node *v = s->value;
	const char *right = NULL;

	if (!d) {
		struct nearest near = { .name = s->name };

		source_error(script->source, s->span, "unknown setting: %s", s->name);
		for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
			nearest_try(&near, settings[i].name);
		if (near.best)
			source_hint(script->source, "did you mean %s?", near.best);
		return;
	}
	if (d->kind == KIND_IGNORED)
		return;
	if (v->kind == NODE_INT)
		right = set_number(d, config, v->value);
	else
		right = set_text(d, config, v->kind == NODE_STRING ? v->text : v->name);
	if (right)
		source_error(script->source, s->span, "%s: it should be %s", s->name, right);
}

void script_configure(struct script *script, struct script_config *config)
{
	*config = (struct script_config){
		.max_strlen = 1024,
		.max_map_keys = 4096,
		.max_probes = 1024,
		.print_maps_on_exit = true,
		.stack_mode = 'b',
		.str_trunc_trailer = "..",
	};
	for (const struct setting *s = script->settings; s; s = s->next)
		set_from_block(script, config, s);
	/* who runs a script has the last word */
	set_from_environment(script, config);
}
