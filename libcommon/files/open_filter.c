/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <linux/types.h>

#include "base/open_flags.h"
#include "files/open_filter.h"
#include "lib/core/filter.shared.h"
#include "run/offers.h"

const char *open_filter_parse(const char *arg, void *filters)
{
	struct flag_filters *f = filters;

	if (f->nr == FLAG_FILTERS_MAX)
		return "a place among the first 8";
	if (open_flags_filter(arg, &f->any[f->nr].mask, &f->any[f->nr].value))
		return "an open flag, O_CREAT, or several that must all be there, O_WRONLY|O_TRUNC";
	f->nr++;
	return NULL;
}

void open_filter_offer(struct offers *o)
{
	const char *name;

	for (size_t i = 0; (name = open_flags_name(i)); i++)
		offers_add(o, name, NULL);
}
