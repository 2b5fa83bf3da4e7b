/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * maps: reads from the texts of /proc/PID what is needed to name the addresses of a process.
 */
#ifndef BORESCOPE_SYMBOLS_MAPS_H
#define BORESCOPE_SYMBOLS_MAPS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

/* A line of /proc/PID/maps. */
struct mapping_line {
	uint64_t start, end, offset; /* bytes */
	uint32_t dev_major, dev_minor;
	uint64_t inode;	 /* 0: no file */
	bool executable; /* x */
	bool changes;	 /* it may be written to here, or (shared) by another mapping of the file */
	bool deleted;	 /* the path ended in " (deleted)", which is cut off */
	/* As the process sees it, with the kernel's \ooo turned into the bytes that they stand
	 * for; "" for memory without a file, "[vdso]" and the like for the kernel's own. Lives
	 * until the next line. */
	const char *path;
};

/*
 * Calls @each for every line of @f that is a mapping, until it returns something other than 0.
 * Returns that, or -EIO when reading failed, or 0. Paths longer than 4,095 bytes are cut. Stops
 * after 1 << 20 lines.
 */
int maps_each(FILE *f, int (*each)(void *arg, const struct mapping_line *line), void *arg);

/* Tells one process from the next one with the same pid, and a program from the next one that the
 * same process executes: fields 22, 23, 26, 27 and 28 of /proc/PID/task/PID/stat. */
struct process_id {
	uint64_t start_time; /* clock ticks since boot */
	uint64_t vsize, start_code, end_code, start_stack;
};
/* Returns 0; -ESRCH: no such process; -EINVAL: not such a text. */
int process_id_parse(const char *text, struct process_id *id);
int process_id_read(pid_t pid, struct process_id *id);

/* A .start_time as ns since boot (CLOCK_BOOTTIME). */
uint64_t process_born_ns(uint64_t start_time);

/* From /proc/PID/status: in @uid the effective user id, in @ns_pid the pid of the process in its
 * own pid namespace, also when @pid is another thread of it. Return values are as above. */
int process_status_parse(const char *text, uint32_t *uid, uint32_t *ns_pid);
int process_status_read(pid_t pid, uint32_t *uid, uint32_t *ns_pid);

#endif
