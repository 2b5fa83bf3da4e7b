/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * random_ir: functions made at random, with many values alive, loops, branches and calls, and what
 * they mean: for tests that compare it with what BPF instructions do.
 */
#ifndef BORESCOPE_TESTS_SCRIPT_RANDOM_IR_H
#define BORESCOPE_TESTS_SCRIPT_RANDOM_IR_H

#include "script/ir.h"

#define RANDOM_CONTEXT                                                                             \
	12 /* words of the context that functions read: a raw tracepoint has so many */

void random_seed(uint64_t seed); /* not 0 */
unsigned random_below(unsigned n);
int64_t random_number(void);

/* Of so many statements at the most, with f->scratch bytes of scratch, a multiple of 8. */
struct ir_function *random_function(struct arena *arena, unsigned statements);
/* What the function leaves in its scratch. */
void random_meaning(const struct ir_function *f, const uint64_t *context, char *scratch);
/* What bpf_get_current_pid_tgid() gives there. */
extern uint64_t random_ids;

#endif
