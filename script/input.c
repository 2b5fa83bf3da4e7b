/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/msg.h"
#include "script/input.h"

/* All of @fd, at most a byte more than a script may have. NULL: -errno in *@size. */
static char *read_all(int fd, ssize_t *size)
{
	size_t len = 0, room = 65536;
	char *text = malloc(room);
	ssize_t n = 1;

	while (text && n > 0 && len <= SOURCE_MAX) {
		if (len == room)
			text = realloc(text, room *= 2);
		n = text ? read(fd, text + len, room - len) : 0;
		if (n < 0 && errno == EINTR)
			n = 1;
		else
			len += n > 0 ? n : 0;
	}
	*size = n < 0 ? -errno : text ? (ssize_t)len : -ENOMEM;
	return text;
}

static struct source *no_file(const char *path, int err, bool compat)
{
	/* of a program without -e, a file is not what was meant */
	if (!compat && strchr(path, '{'))
		error("there is no file '%s': a program is given by -e", path);
	else if (compat)
		fprintf(stderr, "ERROR: failed to open file '%s': %s\n", path, strerror(err));
	else
		error("cannot read '%s': %s", path, strerror(err));
	return NULL;
}

/* A script that others can write to is theirs to choose. */
static void warn_of_writers(const char *path, int fd)
{
	struct stat st;

	if (!geteuid() && !fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_mode & S_IWOTH)
		warn("'%s' can be changed by any user", path);
}

static struct source *read_file(const char *path, bool compat)
{
	const bool is_stdin = !strcmp(path, "-");
	int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	struct source *src = NULL;
	ssize_t size = 0;
	char *text = NULL;

	if (fd < 0)
		return no_file(path, errno, compat);
	warn_of_writers(path, fd);
	text = read_all(fd, &size);
	if (!is_stdin)
		close(fd);
	if (text && size >= 0)
		src = source_new(is_stdin ? "stdin" : path, text, size);
	else
		no_file(path, -size, compat);
	free(text);
	return src;
}

struct source *input_read(const char *program, const char *path, bool compat)
{
	return program ? source_new("stdin", program, strlen(program)) : read_file(path, compat);
}
