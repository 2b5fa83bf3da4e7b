/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * offers: what a shell may put in place of the word that is being completed; see run/complete.h.
 * Each that begins with what is typed already is a line "WORD<TAB>WHAT IT IS" on stdout.
 *
 * Names that others have chosen are among them. What of them is no printable UTF-8 nobody could
 * type: such a word is not offered, and in what it is, it is escaped. To quote it is up to the
 * shell.
 */
#ifndef BORESCOPE_RUN_OFFERS_H
#define BORESCOPE_RUN_OFFERS_H

struct offers {
	const char *before; /* stands before each word: what was typed and stays ("--pid=1,") */
	int before_len;	    /* bytes of it */
	const char *typed;  /* of the word itself */
	const char *end;    /* what the last line says; NULL: nothing but words */
};

/* @about: what it is; NULL or "": nothing is said. */
void offers_add(struct offers *o, const char *word, const char *about);
/* Words with a space between two. */
void offers_words(struct offers *o, const char *words);
/* The entries of a directory, but for those with a dot in front; none where it can't be read. */
void offers_entries(struct offers *o, const char *dir);

/* Sets for tables of options (struct opt, .offer). */
void offers_pids(struct offers *o);  /* of running processes, with their names */
void offers_tids(struct offers *o);  /* and of their threads */
void offers_comms(struct offers *o); /* names of running processes */
void offers_users(struct offers *o); /* of /etc/passwd: no name service is asked */
/* Below the cgroup that is typed, one level at a time, as paths below the mount of cgroup v2; what
 * ends with a slash has others below. */
void offers_cgroups(struct offers *o);

#endif
