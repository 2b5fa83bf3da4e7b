/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * symbols: addresses of a stack to names.
 *
 * Kernel addresses are looked up in /proc/kallsyms (modules and BPF programs too), those of
 * processes in the files that they have mapped: .symtab, .dynsym, .gnu_debugdata, a separate debug
 * file, the vDSO, and the map that a JIT compiler writes. The files belong to other users: whatever
 * they hold, the answer is a name or none, in bounded time and memory.
 *
 * A struct symbols keeps what it has read: one table per file, shared by all processes, the least
 * recently used dropped first (256 MiB and 4,096 files, 8,192 processes at most). Files that don't
 * belong to root may be made to take long: they get a minute of CPU time, then a twentieth of the
 * time that passes; that some were left without names is said once. Not for use by several threads
 * at once.
 */
#ifndef BORESCOPE_SYMBOLS_SYMBOLS_H
#define BORESCOPE_SYMBOLS_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "symbols/frame_name.h"
#include "symbols/stats.h"
#include "symbols/unwind.h"

struct symbols;

/* Reads nothing yet. NULL: no memory (said). symbols_free(NULL) is fine. */
struct symbols *symbols_new(void);
void symbols_free(struct symbols *s);

/*
 * @addr of the kernel. Reads kallsyms when first called, and again when modules or BPF programs
 * have come since: it looks for that once a second for an address without a name or of a BPF
 * program, once in 10 s for another one outside of the kernel's own text. (Without CAP_SYS_ADMIN it
 * can't see programs come, and reads kallsyms once in 10 s.) Where kallsyms hides addresses, that
 * and the remedy is said once, and no function is known.
 */
void symbols_kernel(struct symbols *s, uint64_t addr, struct frame_name *name);

/* Reading kallsyms again takes 50 ms and more. From @hold on it is put off, until a call without:
 * so that no sample takes longer for it. */
void symbols_hold(struct symbols *s, bool hold);

/*
 * Keeps what process @pid has mapped now, so that its addresses resolve when it has ended. Call it
 * for each process seen in a poll: when known and unchanged (by start time, sizes and addresses in
 * /proc/PID/stat) this is one short read. When nothing but its size has changed, its list of
 * mappings is read again only as often as that takes a twentieth of the time. What it had mapped
 * earlier and hasn't now (dlclose) stays known as long as nothing else takes its place. Files
 * are opened here, and read when first needed. @pid is as in our own pid namespace; a thread's id
 * serves too.
 *
 * Returns 0; -ESRCH: the process has ended, or has no memory of its own (a kernel thread); another
 * -errno where /proc can't be read. What was known of an ended process stays known; when its
 * pid is remembered for another one, or it calls execve(), by symbols_user_image() only.
 */
int symbols_remember(struct symbols *s, uint32_t pid);

/* @addr of process @pid, which is remembered now if it was not before. */
void symbols_user(struct symbols *s, uint32_t pid, uint64_t addr, struct frame_name *name);

/*
 * For addresses that are named later: which program process @pid is now, as a number (0: it was
 * never remembered), and a name in that program, whatever the pid stands for by then.
 */
uint32_t symbols_image(struct symbols *s, uint32_t pid);
void symbols_user_image(struct symbols *s, uint32_t pid, uint32_t image, uint64_t addr,
			struct frame_name *name);

/*
 * unwind() by what process @pid, which was remembered, has mapped.
 */
size_t symbols_unwind(struct symbols *s, uint32_t pid, struct unwind_from *from, uint64_t *frames,
		      size_t max, enum unwind_end *end);

/* What is kept, for tests and benchmarks. */
void symbols_stats(const struct symbols *s, struct symbols_stats *stats);

#endif
