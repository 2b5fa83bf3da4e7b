/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * safeopen: opening files whose paths are another user's to choose.
 */
#ifndef BORESCOPE_SYMBOLS_SAFEOPEN_H
#define BORESCOPE_SYMBOLS_SAFEOPEN_H

#include <stdbool.h>
#include <sys/stat.h>

/*
 * Finds the regular file @path as a process sees it whose root directory is open as @root (O_PATH):
 * no symbolic link and no .. leads out of it. With @no_link the last part of @path may not be a
 * symbolic link. Returns an O_PATH descriptor (@st is of what it stands for), or -errno; -ENXIO:
 * not a regular file. Linux 5.6 (openat2).
 *
 * Such a descriptor keeps the file, deleted or not, but nothing can be read from it, and closing it
 * never waits (closing one for reading does, on FUSE).
 */
int safeopen_find_in_root(int root, const char *path, bool no_link, struct stat *st);

/* The same for a link in /proc that leads to a file by itself: map_files, exe. */
int safeopen_find_proc_link(const char *path, struct stat *st);

/* Opens for reading what was found as @at, which stays the caller's. What is not a regular file is
 * not opened at all: opening a device has effects, opening a FIFO waits. Returns a descriptor
 * (O_NONBLOCK, O_CLOEXEC; @st, if not NULL, is of what was opened), or -errno as above. */
int safeopen_found(int at, struct stat *st);

/* Finding and opening in one. */
int safeopen_in_root(int root, const char *path, bool no_link, struct stat *st);
int safeopen_proc_link(const char *path, struct stat *st);

/* Returns an O_PATH descriptor of the root directory of process @pid, or -errno. */
int safeopen_root_of(unsigned int pid);

#endif
