/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * open_filter: which opens a tool looks at, by their flags; the kernel side judges by it.
 */
#ifndef BORESCOPE_FILES_OPEN_FILTER_H
#define BORESCOPE_FILES_OPEN_FILTER_H

/*
 * For the table of options (struct opt, .parse), into a struct flag_filters: adds one filter, a
 * flag of open(2) or several that must all be there, "O_WRONLY|O_TRUNC".
 */
const char *open_filter_parse(const char *arg, void *filters);
/* Likewise (.offer): the flags by their names. */
struct offers;
void open_filter_offer(struct offers *o);

#endif
