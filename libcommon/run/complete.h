/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * complete: what a shell may put where the user presses Tab, from the table of options that parsing
 * and --help come from. The shells' side is packaging/completion. A tool is asked by
 *
 *	TOOL --complete WORD...
 *
 * with the words of the command line behind the tool's name up to the cursor; the last one, which
 * may be empty, is being typed. Each line that it prints is
 *
 *	WORD<TAB>WHAT IT IS	a word to put in its place (the tab and what follows may be
 *				missing); where it ends with a slash, it may go on; or
 *	:files	:dirs		the last line: names of files, or of directories, as the shell
 *				knows them, behind what the word has up to its first "="
 *
 * It needs no privileges, loads nothing, and says nothing on stderr.
 */
#ifndef BORESCOPE_RUN_COMPLETE_H
#define BORESCOPE_RUN_COMPLETE_H

#include <stdbool.h>

#include "run/offers.h"
#include "run/opt.h"

struct complete {
	const struct opt *options; /* all that can be given */
	int nr;
	const struct opt *positional; /* in order; ends with { 0 }; NULL: none */
	/* Offers what takes the place of the positional arguments, of which @argc words are in
	 * @argv, the last one being typed; NULL: .positional tells. */
	void (*rest)(struct offers *o, int argc, char **argv);
	bool options_first; /* behind the first word that is no option none is looked for */
};

/* Prints what may stand in the place of the last of @argc words (none: as one that is empty). */
void complete_print(const struct complete *c, int argc, char **argv);

#endif
