/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#define KEYS   256
#define MIDDLE 1000000

/* Of every four keys two have a race for the maximum, two for the minimum, and each of the two that
 * race has to win one of them. */
#define RACE_FAR(key, who) (((key)&1) == (who))
#define RACE_VALUE(key, who)                                                                       \
	((key)&2 ? MIDDLE + (RACE_FAR(key, who) ? 2000 : 1000)                                     \
		 : MIDDLE - (RACE_FAR(key, who) ? 2000 : 1000))
