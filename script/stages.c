/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <stdio.h>
#include <string.h>

#include "base/msg.h"
#include "base/util.h"
#include "script/link.h"
#include "script/stages.h"

const char *stages_parse(struct stages *s, const char *arg)
{
	const struct {
		const char *name;
		bool *stages[3];
	} known[] = {
		{ "all", { &s->ast, &s->ir, &s->bpf } },
		{ "ast", { &s->ast } },
		{ "parse", { &s->ast } },
		{ "types", { &s->ast } },
		{ "ir", { &s->ir } },
		{ "codegen", { &s->ir } },
		{ "codegen-opt", { &s->ir } },
		{ "bpf", { &s->bpf } },
		{ "dis", { &s->bpf } },
		{ "verifier", { &s->verifier } },
		{ "libbpf", { &msg_verbose } },
	};

	while (*arg) {
		size_t len = strcspn(arg, ","), i = 0;

		while (i < ARRAY_SIZE(known) &&
		       (strlen(known[i].name) != len || strncmp(known[i].name, arg, len)))
			i++;
		if (i == ARRAY_SIZE(known))
			return "stages: ast, ir, bpf, verifier or all";
		for (size_t k = 0; k < 3 && known[i].stages[k]; k++)
			*known[i].stages[k] = true;
		arg += len + (arg[len] == ',');
	}
	return NULL;
}

bool stages_any(const struct stages *s)
{
	return s->ast || s->ir || s->bpf;
}

bool stages_dump(const struct stages *s, const struct compiled *c)
{
	const struct emit_config config = { .rings = 1, .cmpxchg = true };

	for (size_t i = 0; i < c->nr_programs && (s->ir || s->bpf); i++) {
		const struct ir_function *f = c->programs[i]->code;
		struct code *code = s->bpf ? code_make(c->source, f, &config) : NULL;

		if (s->ir)
			ir_dump(f, stdout);
		if (code)
			code_dump(code, stdout);
	}
	fflush(stdout);
	return !c->source->errors;
}
