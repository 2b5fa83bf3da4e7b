/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * advice: the one sentence that is printed when the kernel refuses, with what would help.
 */
#ifndef BORESCOPE_KERNEL_ADVICE_H
#define BORESCOPE_KERNEL_ADVICE_H

#include <stdbool.h>

/* May this process load programs? False after printing which capability is missing. */
bool advice_capabilities(void);

/* Prints why the kernel's BTF, or that of the file @btf (--btf), could not be read: -errno of
 * btf_scan(). */
void advice_btf(const char *btf, int err);

/* Prints why maps or programs could not be loaded. @program: the one that was refused; "": none of
 * them was, or it is not known which. */
void advice_load(int err, const char *program);

/*
 * Takes over libbpf's messages, which are then shown with -v only, and forgets the failed program.
 */
void advice_listen(void);
/* The program that libbpf named last in a warning about a failure; "" when there was none. */
const char *advice_failed_program(void);

#endif
