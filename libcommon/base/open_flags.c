/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/*
 * The kernel's own flag values. <fcntl.h> must not be included: the C library has O_LARGEFILE as 0.
 */
#include <linux/fcntl.h>

#include "base/open_flags.h"
#include "base/util.h"

/* The lowest two bits are a number, not flags; 3 is for ioctl(2) only. */
static const char *const access_modes[] = { "O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE" };

/* A flag of several bits stands before the one that it includes. */
static const struct {
	const char *name;
	uint32_t bits;
} open_flags[] = {
	{ "O_CREAT", O_CREAT },	    { "O_EXCL", O_EXCL },	    { "O_NOCTTY", O_NOCTTY },
	{ "O_TRUNC", O_TRUNC },	    { "O_APPEND", O_APPEND },	    { "O_NONBLOCK", O_NONBLOCK },
	{ "O_NDELAY", O_NDELAY },   { "O_SYNC", O_SYNC },	    { "O_DSYNC", O_DSYNC },
	{ "O_ASYNC", FASYNC },	    { "O_DIRECT", O_DIRECT },	    { "O_LARGEFILE", O_LARGEFILE },
	{ "O_TMPFILE", O_TMPFILE }, { "O_DIRECTORY", O_DIRECTORY }, { "O_NOFOLLOW", O_NOFOLLOW },
	{ "O_NOATIME", O_NOATIME }, { "O_CLOEXEC", O_CLOEXEC },	    { "O_PATH", O_PATH },
};

const char *open_flags_str(uint32_t flags, char *buf, size_t size)
{
	uint32_t rest = flags & ~3u;
	size_t len, i;

	len = snprintf(buf, size, "%s", access_modes[flags & 3]);
	for (i = 0; i < ARRAY_SIZE(open_flags) && len < size; i++) {
		if ((rest & open_flags[i].bits) != open_flags[i].bits || !open_flags[i].bits)
			continue;
		rest &= ~open_flags[i].bits;
		len += snprintf(buf + len, size - len, "|%s", open_flags[i].name);
	}
	if (rest && len < size)
		snprintf(buf + len, size - len, "|0x%x", rest);
	return buf;
}

static bool is_flag(const char *name, const char *text, size_t len)
{
	return (strlen(name) == len && !strncasecmp(name, text, len)) ||
	       (strlen(name + 2) == len && !strncasecmp(name + 2, text, len));
}

static int open_flag_parse(const char *text, size_t len, uint32_t *flag)
{
	unsigned long long v;
	char *end;
	size_t i;

	if (isdigit((unsigned char)text[0])) {
		errno = 0;
		v = strtoull(text, &end, 0);
		if (errno || v > UINT32_MAX || end != text + len)
			return -EINVAL;
		*flag = v;
		return 0;
	}
	for (i = 0; i < ARRAY_SIZE(access_modes); i++) {
		if (is_flag(access_modes[i], text, len)) {
			*flag = i;
			return 0;
		}
	}
	for (i = 0; i < ARRAY_SIZE(open_flags); i++) {
		if (is_flag(open_flags[i].name, text, len)) {
			*flag = open_flags[i].bits;
			return 0;
		}
	}
	return -EINVAL;
}

int open_flags_parse(const char *text, uint32_t *flags)
{
	uint32_t all = 0, flag;
	size_t len;

	for (;;) {
		len = strcspn(text, "|,");
		if (open_flag_parse(text, len, &flag))
			return -EINVAL;
		all |= flag;
		text += len;
		if (!*text)
			break;
		text++;
	}
	*flags = all;
	return 0;
}

int open_flags_filter(const char *text, uint32_t *mask, uint32_t *value)
{
	int err = open_flags_parse(text, value);

	if (err)
		return err;
	*mask = *value;
	if ((*value & O_ACCMODE) || !*value || strcasestr(text, "RDONLY"))
		*mask |= O_ACCMODE;
	return 0;
}

const char *open_flags_name(size_t i)
{
	const size_t modes = ARRAY_SIZE(access_modes);

	if (i < modes)
		return access_modes[i];
	return i - modes < ARRAY_SIZE(open_flags) ? open_flags[i - modes].name : NULL;
}
