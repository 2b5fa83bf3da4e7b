/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * sums: the sums by stack that the kernel side keeps (bpf/lib/stacks/sums.bpf.h). Those that had to
 * make place for others came through the rings.
 */
#ifndef BORESCOPE_STACKS_SUMS_H
#define BORESCOPE_STACKS_SUMS_H

#include "kernel/object.h"
#include "kernel/programs.h"
#include "lib/stacks/sums.shared.h"

/* In the configure hook: how many stacks each CPU keeps, by the number of CPUs. */
void stack_sums_configure(struct object *o);

/* Hands all sums that the CPUs have to @fn, once no program adds to them any more. Returns 0 or
 * -errno. */
typedef void (*stack_sums_fn)(void *ctx, const struct stack_sum *sum, size_t size);
int stack_sums_read(const struct programs *p, stack_sums_fn fn, void *ctx);

#endif
