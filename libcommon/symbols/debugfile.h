/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * debugfile: the separate file that holds what was stripped from another one.
 */
#ifndef BORESCOPE_SYMBOLS_DEBUGFILE_H
#define BORESCOPE_SYMBOLS_DEBUGFILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Where to look: below these root directories (O_PATH), in this order. Only files that belong to
 * root, to ourselves or to @owner are taken: the stripped file may be shared by all, in a mount
 * namespace where one user put debug files of his own.
 */
struct debugfile_search {
	int roots[2];
	unsigned int nr_roots;
	const char *path; /* of the stripped file, in the first root; NULL: not known */
	uid_t owner;	  /* of the stripped file */
};

/*
 * Opens /usr/lib/debug/.build-id/xx/yyyy.debug. Returns a descriptor or -ENOENT. That the file has
 * the build id itself is for the caller to check.
 */
int debugfile_open_build_id(const struct debugfile_search *where, const unsigned char id[20],
			    unsigned int id_len);

/*
 * Opens the file that .gnu_debuglink names: beside the stripped one, in .debug there, or in the
 * same directory under /usr/lib/debug. It has to have the CRC @crc (a file beyond 256 MiB never
 * has), and must not be the stripped file itself, which is open as @self. Returns a descriptor or
 * -ENOENT.
 */
int debugfile_open_link(const struct debugfile_search *where, const char *name, uint32_t crc,
			int self);

#endif
