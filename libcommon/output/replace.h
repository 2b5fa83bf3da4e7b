/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * replace: a file that is written at the end, under a path that may lie where other users write.
 *
 * What stands there before is replaced as a whole: a new file beside it, of a name that nobody can
 * know, gets the path at the end. Nothing is written through a hard link or into a file that
 * another user has made, and a reader sees the old file or the new one.
 */
#ifndef BORESCOPE_OUTPUT_REPLACE_H
#define BORESCOPE_OUTPUT_REPLACE_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

struct replace {
	char path[PATH_MAX];	  /* behind all symbolic links */
	char temp[PATH_MAX + 32]; /* between replace_begin() and replace_end() */
	mode_t mode;
	int fd; /* -1: there is none yet */
};

/*
 * Looks whether @path can be written, before work is put into what is to stand there. Returns 0, or
 * -errno; then @*why is a sentence of why not.
 *
 * Symbolic links are followed if they belong to this user or to root, and so are a device and a
 * pipe used, and a file that can only be written in place: one in a directory that can't be
 * written, or one that is a mount of its own. A link of /proc, as /dev/stdout has one, is opened as
 * it is.
 */
int replace_check(struct replace *f, const char *path, const char **why);

/* Opens what is to be written; it is f->fd. Returns 0 or -errno. */
int replace_begin(struct replace *f);

/* Gives what was written its path if @whole, or else removes it, and closes it. Returns 0 or
 * -errno. */
int replace_end(struct replace *f, bool whole);

#endif
