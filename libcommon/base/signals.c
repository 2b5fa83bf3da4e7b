/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <signal.h>
#include <stddef.h>

#include "base/signals.h"
#include "base/util.h"

#define RT_FIRST 32 /* the kernel's; C libraries keep some of them for themselves */
#define RT_LAST	 64

/* A list of our own: glibc has sigabbrev_np() from 2.32 on, musl has nothing. */
#define N(s) [SIG##s] = #s
static const char *const signal_names[RT_FIRST] = {
	N(HUP),	 N(INT),    N(QUIT), N(ILL),   N(TRAP), N(ABRT), N(BUS),  N(FPE),
	N(KILL), N(USR1),   N(SEGV), N(USR2),  N(PIPE), N(ALRM), N(TERM), N(STKFLT),
	N(CHLD), N(CONT),   N(STOP), N(TSTP),  N(TTIN), N(TTOU), N(URG),  N(XCPU),
	N(XFSZ), N(VTALRM), N(PROF), N(WINCH), N(IO),	N(PWR),	 N(SYS),
};

const char *signal_name(int number)
{
	if (number >= RT_FIRST && number <= RT_LAST)
		return "RT";
	return number > 0 && number < RT_FIRST ? signal_names[number] : NULL;
}
