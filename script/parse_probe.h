/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * parse_probe: the names of probes.
 */
#ifndef BORESCOPE_SCRIPT_PARSE_PROBE_H
#define BORESCOPE_SCRIPT_PARSE_PROBE_H

#include "script/parser.h"

/*
 * Reads the list of probes that begins at p->lx.at into @clause, up to '/' or '{'. No word may have
 * been looked at. Mistakes are said. Returns false where it is not known what comes next.
 */
bool parse_probe_list(struct parser *p, struct clause *clause);

#endif
