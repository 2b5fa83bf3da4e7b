/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * userpath: from what a script calls a program or a library ("bash", "libc", "./a.out") to its
 * file.
 */
#ifndef BORESCOPE_SCRIPT_USERPATH_H
#define BORESCOPE_SCRIPT_USERPATH_H

#include <sys/types.h>

#include "script/source.h"

struct user_file {
	const char *shown; /* as its users see it */
	const char *path;  /* as the kernel finds it now */
	/* Of a file that has no name here (another mount namespace): what path stands for, which
	 * has to stay open until the probe is attached. -1: none. */
	int keep;
};

struct user_files {
	struct user_file *files;
	size_t nr, capacity;
};

/*
 * Finds the files that @name means. With a slash, it is a path, perhaps with wildcards; without,
 * a program in PATH, else a library (of @pid, if that is not 0, among those that it has mapped; or
 * by /etc/ld.so.cache), else a file in the current directory. "*": all that @pid has mapped, or all
 * processes have. Where @pid has another mount namespace, paths are those of its own. Returns 0
 * (with none, perhaps), or -errno.
 */
int userpath_find(struct arena *arena, const char *name, pid_t pid, const char *command,
		  struct user_files *found);

/* Opens for reading what is a regular file. -errno: it can't be opened, -ENXIO: it is something
 * else. */
int userpath_open(const struct user_file *f);

#endif
