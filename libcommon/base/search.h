/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * search: finds an entry in an array that is sorted by one of its members, as tables of addresses
 * are.
 */
#ifndef BORESCOPE_BASE_SEARCH_H
#define BORESCOPE_BASE_SEARCH_H

#include <stddef.h>
#include <stdint.h>

/*
 * Returns the last of @nr @entries whose @member (a uint64_t) is at most @value, or NULL if none
 * is.
 */
#define search_last(entries, nr, member, value)                                                    \
	search_last_entry(entries, nr, sizeof(*(entries)),                                         \
			  offsetof(__typeof__(*(entries)), member), value)

/* Inline, because the sizes are constants at each call. */
static inline void *search_last_entry(const void *entries, size_t nr, size_t size, size_t member_at,
				      uint64_t value)
{
	const char *first = entries;
	size_t low = 0, high = nr; /* those before low are at most value, those from high on more */

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const uint64_t *member = (const void *)(first + mid * size + member_at);

		if (*member <= value)
			low = mid + 1;
		else
			high = mid;
	}
	return low ? (void *)(first + (low - 1) * size) : NULL;
}

#endif
