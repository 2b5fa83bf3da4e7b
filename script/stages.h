/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * stages: -d, what is shown of a script on its way to instructions.
 */
#ifndef BORESCOPE_SCRIPT_STAGES_H
#define BORESCOPE_SCRIPT_STAGES_H

#include "script/program.h"

struct stages {
	bool ast, ir, bpf;
	bool verifier; /* what the kernel's verifier says, when programs are loaded */
};

/* "ast,bpf"; also what bpftrace calls its stages. Returns NULL, or what is expected. */
const char *stages_parse(struct stages *s, const char *arg);

/* Is one of those shown that come before the loading? */
bool stages_any(const struct stages *s);

/* The code of all programs, on stdout. Returns false where there is none, which was said. */
bool stages_dump(const struct stages *s, const struct compiled *c);

#endif
