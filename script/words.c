/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <arpa/inet.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/cgroup.h"
#include "base/clock.h"
#include "base/syscalls.h"
#include "base/util.h"
#include "script/words.h"

#define TIME_MAX   4096 /* bytes of a time */
#define USERS	   64
#define SIGNAL_MAX 64

uint64_t words_since_epoch(uint64_t boot_ns)
{
	return boot_ns + clock_now_ns(CLOCK_REALTIME) - clock_now_ns(CLOCK_BOOTTIME);
}

/* @format with the fractions filled in: what is left is strftime's. */
static void fill_fractions(struct text *to, const char *format, uint64_t ns)
{
	for (; *format; format++) {
		if (*format != '%' || !format[1]) {
			text_char(to, *format);
			continue;
		}
		format++;
		if (*format == 'f') {
			text_printf(to, "%06u", (unsigned)(ns / 1000));
		} else if (*format == 'k') {
			text_printf(to, "%09u", (unsigned)ns);
		} else if (*format == 'l') {
			text_printf(to, "%03u", (unsigned)(ns / NSEC_PER_MSEC));
		} else {
			text_char(to, '%');
			text_char(to, *format);
		}
	}
	text_char(to, '\0');
}

void words_time(struct text *to, const char *format, uint64_t real_ns)
{
	time_t seconds = real_ns / NSEC_PER_SEC;
	struct text filled = { 0 };
	char text[TIME_MAX];
	struct tm tm;
	size_t len;

	fill_fractions(&filled, format, real_ns % NSEC_PER_SEC);
	tzset();
	localtime_r(&seconds, &tm);
	len = strftime(text, sizeof(text), filled.bytes, &tm);
	text_mem(to, text, len);
	text_free(&filled);
}

void words_error(struct text *to, int64_t err)
{
	text_str(to, strerror((int)err));
}

void words_signal(struct text *to, int64_t signal)
{
	text_str(to, signal < 0 || signal > SIGNAL_MAX ? "N/A" : strsignal((int)signal));
}

void words_syscall(struct text *to, int64_t number)
{
	const char *name = number < 0 || number > INT_MAX ? NULL : syscall_name(number, false);

	if (name)
		text_str(to, name);
	else
		text_s64(to, number);
}

void words_user(struct text *to, uint64_t uid)
{
	static struct {
		uint64_t uid; /* + 1; 0: free */
		char name[40];
	} known[USERS];
	typeof(known[0]) *k = &known[uid % USERS];

	if (k->uid != uid + 1) {
		const struct passwd *pw = uid < UINT32_MAX ? getpwuid(uid) : NULL;

		k->uid = uid + 1;
		if (pw && strlen(pw->pw_name) < sizeof(k->name))
			strcpy(k->name, pw->pw_name);
		else
			snprintf(k->name, sizeof(k->name), "%llu", (unsigned long long)uid);
	}
	text_str(to, k->name);
}

void words_cgroup(struct text *to, uint64_t id)
{
	char path[PATH_MAX];

	if (!cgroup_path_of(id, path, sizeof(path)))
		text_printf(to, "unified:%s", path);
}

void words_inet(struct text *to, const struct rt_inet *address)
{
	char text[INET6_ADDRSTRLEN];
	int family = address->family;

	if ((family == AF_INET || family == AF_INET6) &&
	    inet_ntop(family, address->address, text, sizeof(text)))
		text_str(to, text);
}

void words_mac(struct text *to, const unsigned char *mac)
{
	text_printf(to, "%02X:%02X:%02X:%02X:%02X:%02X", mac[0], mac[1], mac[2], mac[3], mac[4],
		    mac[5]);
}
