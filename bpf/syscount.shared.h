/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* syscount.shared.h: what syscount says beside what it has counted. */
#ifndef BORESCOPE_BPF_SYSCOUNT_SHARED_H
#define BORESCOPE_BPF_SYSCOUNT_SHARED_H

enum syscount_stat {
	SYSCOUNT_UNTIMED,     /* with -L, calls whose begin was not seen */
	SYSCOUNT_INTERRUPTED, /* with -x and -e, calls of which it is not known whether they fail */
	SYSCOUNT_STATS,
};

#endif
