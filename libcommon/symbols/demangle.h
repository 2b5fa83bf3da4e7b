/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * demangle: C++ and Rust names as they stand in the source, by libiberty (which GDB and binutils
 * use; it is a static library of Debian's libiberty-dev and Fedora's binutils-devel). Built with
 * LIBIBERTY=0, names stay as they are.
 */
#ifndef BORESCOPE_SYMBOLS_DEMANGLE_H
#define BORESCOPE_SYMBOLS_DEMANGLE_H

#include <stddef.h>

/*
 * Writes "_ZN2ns1fEi" as "ns::f(int)", and Rust's "_RNvC4demo4main" and the older
 * "_ZN4demo4main17h...E" as "demo::main", into @buf, cut to @size with "..." at the end. Returns
 * @buf, or @name itself when it is not mangled, or not in a way that is understood. A short name
 * can stand for one of gigabytes: no more of it is written than fits.
 */
const char *demangle(const char *name, char *buf, size_t size);

#endif
