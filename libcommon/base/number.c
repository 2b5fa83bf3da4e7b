/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/number.h"

#define ENDS " \t\n/"

bool number_parse(const char *text, uint64_t min, uint64_t max, uint64_t *value)
{
	char *end;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	*value = strtoull(text, &end, 10);
	return !errno && !*end && *value >= min && *value <= max;
}

int number_read(const char *path, unsigned int nth, uint64_t *value)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), err;
	char text[4096], *word = text, *end;
	unsigned long long v;
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, text, sizeof(text) - 1);
	err = errno;
	close(fd);
	if (n < 0)
		return -err;
	text[n] = '\0';
	word += strspn(word, ENDS);
	while (nth-- > 1) {
		word += strcspn(word, ENDS);
		word += strspn(word, ENDS);
	}
	if (*word < '0' || *word > '9')
		return -EINVAL;
	errno = 0;
	v = strtoull(word, &end, 10);
	if (errno || (*end && !strchr(ENDS, *end)))
		return -EINVAL;
	*value = v;
	return 0;
}

int number_field(const char *path, const char *key, int base, uint64_t *value)
{
	FILE *f = fopen(path, "re");
	size_t len = strlen(key);
	char line[128];
	int err = -ENOENT;

	if (!f)
		return -errno;
	while (err && fgets(line, sizeof(line), f)) {
		if (strncmp(line, key, len) || line[len] != ':')
			continue;
		*value = strtoull(line + len + 1, NULL, base);
		err = 0;
	}
	fclose(f);
	return err;
}
