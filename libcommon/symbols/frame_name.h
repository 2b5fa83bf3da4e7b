/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * frame_name: what is known about an address of a stack, and its text.
 */
#ifndef BORESCOPE_SYMBOLS_FRAME_NAME_H
#define BORESCOPE_SYMBOLS_FRAME_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The strings belong to the struct symbols that filled it in, and live until its next call: copy
 * what you keep. They may hold any byte but NUL, since they come from files of other users: print
 * them through table, json or out, which escape them.
 */
struct frame_name {
	const char *function; /* demangled ("ns::f(int)"); NULL: not known */
	uint64_t offset;      /* of the address in the function; 0 without one */
	/* "libc.so.6" (the last part of the path), "[vdso]", "[jit]" (named by a perf map),
	 * "[anon]" (executable memory without a file), "[kernel]", "[bpf]", "ext4" (a kernel
	 * module). NULL: the address belongs to nothing that is known */
	const char *module;
	/* The address in the module. For an ELF file: the virtual address in the file, which is
	 * what addr2line, nm and objdump use. For a kernel module: counted from its base in
	 * /proc/modules. Otherwise the address itself; 0 with "[kernel]" where this user may not
	 * know it (/proc/kallsyms hides addresses). */
	uint64_t module_offset;
};

/* Is .module_offset known? */
bool frame_name_has_offset(const struct frame_name *name);

/*
 * A frame as the tools print it, into @buf: the function's name ("main"; what else of the frame is
 * shown is up to the caller), "[libfoo.so.1+0x1234]" where only the module is known, "[kernel]", or
 * "[unknown]". Returns @buf. FRAME_TEXT_LEN holds any; a smaller one gets what fits.
 */
#define FRAME_TEXT_LEN 1024
const char *frame_name_text(const struct frame_name *name, char *buf, size_t size);

#endif
