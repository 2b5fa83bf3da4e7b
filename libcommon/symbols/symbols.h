/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * symbols: turns addresses of a stack into names.
 *
 * Kernel addresses are looked up in /proc/kallsyms, which has modules and BPF programs, too; those
 * of processes in the files that they have mapped: .symtab, .dynsym, .gnu_debugdata, a separate
 * debug file, the vDSO, and the map that a JIT compiler writes. The files belong to other users:
 * whatever they hold, the answer is a name or none, in bounded time and memory.
 *
 * A struct symbols keeps what it has read: one table per file, shared by all processes. It holds at
 * most 256 MiB or an eighth of the memory, 4,096 files and 8,192 processes, and drops the least
 * recently used first. All of it is read by a child process, which is given up when it takes too
 * much (foreign.h): what could not be read has no names, and is counted for symbols_remarks(). A
 * struct symbols must not be used by several threads at once.
 */
#ifndef BORESCOPE_SYMBOLS_SYMBOLS_H
#define BORESCOPE_SYMBOLS_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/core/task.shared.h"
#include "symbols/frame_name.h"
#include "symbols/stats.h"
#include "symbols/unwind.h"

struct symbols;

/* Reads nothing yet. Returns NULL when there is not enough memory, after printing so.
 * symbols_free(NULL) does nothing. */
struct symbols *symbols_new(void);
void symbols_free(struct symbols *s);

/*
 * Names @addr of the kernel. Reads kallsyms when it is first called, and again when modules or BPF
 * programs have been loaded since. It looks for new ones at most once a second for an address that
 * has no name or is a BPF program's, and once in 10 s for another one outside of the kernel's own
 * text. Without CAP_SYS_ADMIN it can't see new programs, and reads kallsyms once in 10 s instead.
 * Where kallsyms hides addresses, no function and no offset is known; a note says so once, with
 * the remedy.
 */
void symbols_kernel(struct symbols *s, uint64_t addr, struct frame_name *name);

/* Reading kallsyms again takes 50 ms and more. With @hold it is put off until a call without
 * @hold, so that no sample takes longer for it. */
void symbols_hold(struct symbols *s, bool hold);

/*
 * Keeps what process @pid has mapped now, so that its addresses can be named when it has ended.
 * Call it for each process seen in a poll: when the process is known and has not changed (by the
 * start time, sizes and addresses in /proc/PID/stat) this is one short read. When nothing but its
 * size has changed, its list of mappings is read again only so often that this takes a twentieth
 * of the time at most. What it had mapped earlier and has no more (dlclose) stays known as long as
 * nothing else takes its place. Files are opened here, and read when they are first needed. @pid is
 * an id of our own pid namespace, of a process or of any of its threads.
 *
 * Returns 0; -ESRCH when the process has ended, or has no memory of its own (a kernel thread);
 * another -errno where /proc can't be read. What was known of an ended process stays known. Once
 * its pid stands for another process, or it has called execve(), only symbols_user_image() finds
 * it.
 */
int symbols_remember(struct symbols *s, uint32_t pid);

/*
 * The same for a sample, taken at @ts (ns, CLOCK_MONOTONIC), that says itself which program the
 * process was (struct task_image). To be called for each sample: /proc is asked for a program that
 * is new, with @again, and else once a second. Returns a number for symbols_user_image(), which
 * stands for that program and no other. When the process has meanwhile ended or become another
 * program, before anything was read of the one that the sample is of, that is SYMBOLS_GONE: its
 * addresses have no names.
 */
#define SYMBOLS_GONE UINT32_MAX
uint32_t symbols_remember_image(struct symbols *s, uint32_t pid, const struct task_image *im,
				uint64_t ts, bool again);

/*
 * Process @pid has mapped code, a part of a file, at [@start, @end) at @ts. To be called before the
 * samples that are younger: code that took the place of other code names those, and only those.
 * What a process maps is looked at again when its next sample comes. symbols_mapped_lost(): such
 * calls are missing.
 */
void symbols_mapped(struct symbols *s, uint32_t pid, uint64_t ts, uint64_t start, uint64_t end);
void symbols_mapped_lost(struct symbols *s);
/* @drain calls symbols_mapped() for all that is older than its call, as is wanted after each look.
 */
void symbols_set_drain(struct symbols *s, void (*drain)(void *arg), void *arg);

/* Names @addr of process @pid, which is remembered now if it was not before. */
void symbols_user(struct symbols *s, uint32_t pid, uint64_t addr, struct frame_name *name);

/*
 * For addresses that are named later. symbols_image() returns a number for the program that process
 * @pid is now (0: it was never remembered); symbols_user_image() names @addr in that program,
 * whatever @pid stands for by then.
 */
uint32_t symbols_image(struct symbols *s, uint32_t pid);
void symbols_user_image(struct symbols *s, uint32_t pid, uint32_t image, uint64_t addr,
			struct frame_name *name);

/* As unwind(), by the tables of the files that program @image of process @pid has mapped. */
size_t symbols_unwind(struct symbols *s, uint32_t pid, uint32_t image, struct unwind_from *from,
		      uint64_t *frames, size_t max, enum unwind_end *end);

/* At the end: one note each about files and about processes that could not be read in time, or are
 * too large. */
void symbols_remarks(const struct symbols *s);

/* What is kept, for tests and benchmarks. */
void symbols_stats(const struct symbols *s, struct symbols_stats *stats);

#endif
