/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * helpers: the kernel's functions for programs, by number, and the runtime's, by name: what they
 * are called, and what they take.
 */
#ifndef BORESCOPE_SCRIPT_HELPERS_H
#define BORESCOPE_SCRIPT_HELPERS_H

/* "map_lookup_elem"; of one that is not known, "helper 1234" in memory that the next call uses. */
const char *helper_name(int number);

/*
 * A letter for each argument: m a map, c the context, a an address of the program's own memory, k a
 * number that the verifier has to see, s any number, * anything. NULL: the function is not known.
 */
const char *helper_arguments(int number);
const char *helper_runtime_arguments(const char *name);

#endif
