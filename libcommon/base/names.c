/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <ctype.h>
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* The kernel's own flag values. <fcntl.h> must not be included: the C library has O_LARGEFILE as 0.
 */
#include <linux/fcntl.h>

#include "base/names.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* A list of our own: glibc has strerrorname_np() from 2.32 on, musl has nothing. */
#define N(e) [e] = #e
static const char *const errno_names[] = {
	N(EPERM),
	N(ENOENT),
	N(ESRCH),
	N(EINTR),
	N(EIO),
	N(ENXIO),
	N(E2BIG),
	N(ENOEXEC),
	N(EBADF),
	N(ECHILD),
	N(EAGAIN),
	N(ENOMEM),
	N(EACCES),
	N(EFAULT),
	N(ENOTBLK),
	N(EBUSY),
	N(EEXIST),
	N(EXDEV),
	N(ENODEV),
	N(ENOTDIR),
	N(EISDIR),
	N(EINVAL),
	N(ENFILE),
	N(EMFILE),
	N(ENOTTY),
	N(ETXTBSY),
	N(EFBIG),
	N(ENOSPC),
	N(ESPIPE),
	N(EROFS),
	N(EMLINK),
	N(EPIPE),
	N(EDOM),
	N(ERANGE),
	N(EDEADLK),
	N(ENAMETOOLONG),
	N(ENOLCK),
	N(ENOSYS),
	N(ENOTEMPTY),
	N(ELOOP),
	N(ENOMSG),
	N(EIDRM),
	N(ECHRNG),
	N(EL2NSYNC),
	N(EL3HLT),
	N(EL3RST),
	N(ELNRNG),
	N(EUNATCH),
	N(ENOCSI),
	N(EL2HLT),
	N(EBADE),
	N(EBADR),
	N(EXFULL),
	N(ENOANO),
	N(EBADRQC),
	N(EBADSLT),
	N(EBFONT),
	N(ENOSTR),
	N(ENODATA),
	N(ETIME),
	N(ENOSR),
	N(ENONET),
	N(ENOPKG),
	N(EREMOTE),
	N(ENOLINK),
	N(EADV),
	N(ESRMNT),
	N(ECOMM),
	N(EPROTO),
	N(EMULTIHOP),
	N(EDOTDOT),
	N(EBADMSG),
	N(EOVERFLOW),
	N(ENOTUNIQ),
	N(EBADFD),
	N(EREMCHG),
	N(ELIBACC),
	N(ELIBBAD),
	N(ELIBSCN),
	N(ELIBMAX),
	N(ELIBEXEC),
	N(EILSEQ),
	N(ERESTART),
	N(ESTRPIPE),
	N(EUSERS),
	N(ENOTSOCK),
	N(EDESTADDRREQ),
	N(EMSGSIZE),
	N(EPROTOTYPE),
	N(ENOPROTOOPT),
	N(EPROTONOSUPPORT),
	N(ESOCKTNOSUPPORT),
	N(EOPNOTSUPP),
	N(EPFNOSUPPORT),
	N(EAFNOSUPPORT),
	N(EADDRINUSE),
	N(EADDRNOTAVAIL),
	N(ENETDOWN),
	N(ENETUNREACH),
	N(ENETRESET),
	N(ECONNABORTED),
	N(ECONNRESET),
	N(ENOBUFS),
	N(EISCONN),
	N(ENOTCONN),
	N(ESHUTDOWN),
	N(ETOOMANYREFS),
	N(ETIMEDOUT),
	N(ECONNREFUSED),
	N(EHOSTDOWN),
	N(EHOSTUNREACH),
	N(EALREADY),
	N(EINPROGRESS),
	N(ESTALE),
	N(EUCLEAN),
	N(ENOTNAM),
	N(ENAVAIL),
	N(EISNAM),
	N(EREMOTEIO),
	N(EDQUOT),
	N(ENOMEDIUM),
	N(EMEDIUMTYPE),
	N(ECANCELED),
	N(ENOKEY),
	N(EKEYEXPIRED),
	N(EKEYREVOKED),
	N(EKEYREJECTED),
	N(EOWNERDEAD),
	N(ENOTRECOVERABLE),
	N(ERFKILL),
	N(EHWPOISON),
	/* include/linux/errno.h: never seen by a process, but by a probe */
	[512] = "ERESTARTSYS",
	[513] = "ERESTARTNOINTR",
	[514] = "ERESTARTNOHAND",
	[515] = "ENOIOCTLCMD",
	[516] = "ERESTART_RESTARTBLOCK",
	[517] = "EPROBE_DEFER",
	[518] = "EOPENSTALE",
	[519] = "ENOPARAM",
	[521] = "EBADHANDLE",
	[522] = "ENOTSYNC",
	[523] = "EBADCOOKIE",
	[524] = "ENOTSUPP",
	[525] = "ETOOSMALL",
	[526] = "ESERVERFAULT",
	[527] = "EBADTYPE",
	[528] = "EJUKEBOX",
	[529] = "EIOCBQUEUED",
	[530] = "ERECALLCONFLICT",
	[531] = "ENOGRACE",
};
#undef N

const char *errno_name(int err)
{
	return err > 0 && err < (int)ARRAY_SIZE(errno_names) ? errno_names[err] : NULL;
}

int uid_parse(const char *user, uint32_t *uid)
{
	unsigned long long v;
	struct passwd *pw;
	char *end;

	if (isdigit((unsigned char)user[0])) {
		errno = 0;
		v = strtoull(user, &end, 10);
		if (!*end) {
			if (errno || v >= UINT32_MAX) /* (uid_t)-1 is nobody's */
				return -ENOENT;
			*uid = v;
			return 0;
		}
	}
	pw = getpwnam(user);
	if (!pw)
		return -ENOENT;
	*uid = pw->pw_uid;
	return 0;
}

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
