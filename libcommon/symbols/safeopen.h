/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * safeopen: opening files whose paths are another user's to choose.
 */
#ifndef BORESCOPE_SYMBOLS_SAFEOPEN_H
#define BORESCOPE_SYMBOLS_SAFEOPEN_H

#include <stdbool.h>
#include <sys/stat.h>

/*
 * Opens the regular file @path for reading, as a process sees it whose root directory is open as
 * @root (O_PATH): no symbolic link and no .. leads out of it. What is not a regular file is not
 * opened at all, for opening a device has effects, and opening a FIFO waits. With @no_link the last
 * part of @path may not be a symbolic link. Returns a descriptor (O_NONBLOCK, O_CLOEXEC), with what
 * fstat says of it in @st if that is not NULL, or -errno; -ENXIO: it is not a regular file. Needs
 * Linux 5.6 (openat2).
 */
int safeopen_in_root(int root, const char *path, bool no_link, struct stat *st);

/* The same for a link in /proc that leads to a file by itself: map_files, exe. */
int safeopen_proc_link(const char *path, struct stat *st);

/* Returns an O_PATH descriptor of the root directory of process @pid, or -errno. */
int safeopen_root_of(unsigned int pid);

#endif
