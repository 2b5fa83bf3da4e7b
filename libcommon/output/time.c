/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <time.h>

#include "base/util.h"
#include "output/time.h"

#define SEC_PER_DAY 86400

/* Seconds to add to UTC at @sec. A minute's answer is kept. */
static long local_offset(uint64_t sec)
{
	static uint64_t minute = UINT64_MAX;
	static long east;

	if (sec / 60 != minute) {
		time_t t = sec;
		struct tm tm;

		tzset();
		east = localtime_r(&t, &tm) ? tm.tm_gmtoff : 0;
		minute = sec / 60;
	}
	return east;
}

static char *two_digits(char *p, unsigned int v)
{
	*p++ = '0' + v / 10;
	*p++ = '0' + v % 10;
	return p;
}

static char *hms(char *p, unsigned int sec_of_day)
{
	p = two_digits(p, sec_of_day / 3600);
	*p++ = ':';
	p = two_digits(p, sec_of_day / 60 % 60);
	*p++ = ':';
	return two_digits(p, sec_of_day % 60);
}

void time_of_day(struct out *o, uint64_t real_ns, int decimals)
{
	uint64_t sec = real_ns / NSEC_PER_SEC, fraction = real_ns % NSEC_PER_SEC;
	char text[8];
	int i;

	/* No zone is a day west of Greenwich: what is taken the modulus of stays positive. */
	hms(text, (sec + SEC_PER_DAY + local_offset(sec)) % SEC_PER_DAY);
	out_mem(o, text, sizeof(text));
	if (decimals > 0) {
		for (i = decimals; i < 9; i++)
			fraction /= 10;
		out_char(o, '.');
		out_u64_pad(o, fraction, decimals);
	}
}

/* "2026-11-22T02:58:31." of @sec, 20 bytes. */
static void date_and_time(char *p, uint64_t sec)
{
	/*
	 * Years that begin in March have the leap day at their end: count from 0000-03-01, in the
	 * 400-year cycles of 146097 days that the Gregorian calendar repeats in.
	 */
	unsigned int day = sec / SEC_PER_DAY + 719468;
	unsigned int cycle = day / 146097;
	unsigned int doc = day % 146097; /* day of the cycle */
	unsigned int yoc = (doc - doc / 1460 + doc / 36524 - doc / 146096) / 365;
	unsigned int doy = doc - (365 * yoc + yoc / 4 - yoc / 100);
	unsigned int month = (5 * doy + 2) / 153; /* 0 is March */
	unsigned int mday = doy - (153 * month + 2) / 5 + 1;
	unsigned int year = cycle * 400 + yoc + (month >= 10);

	p = two_digits(p, year / 100);
	p = two_digits(p, year % 100);
	*p++ = '-';
	p = two_digits(p, month < 10 ? month + 3 : month - 9);
	*p++ = '-';
	p = two_digits(p, mday);
	*p++ = 'T';
	p = hms(p, sec % SEC_PER_DAY);
	*p = '.';
}

void time_rfc3339(struct out *o, uint64_t real_ns)
{
	static uint64_t last = UINT64_MAX; /* events come many to a second */
	static char text[20];

	if (real_ns / NSEC_PER_SEC != last) {
		last = real_ns / NSEC_PER_SEC;
		date_and_time(text, last);
	}
	out_mem(o, text, sizeof(text));
	out_u64_pad(o, real_ns % NSEC_PER_SEC, 9);
	out_char(o, 'Z');
}
