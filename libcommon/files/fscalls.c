/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/util.h"
#include "files/fscalls.h"

#if defined(__x86_64__)
#define COMPAT(i386, arm) i386
#else
#define COMPAT(i386, arm) arm
#endif

/* Numbers of system calls, in the native table (-1: it has no such call) and in the 32-bit one. */
static const struct {
	int native, compat;
	uint8_t op;
} table[] = {
	{ __NR_read, 3, FS_READ },
	{ __NR_pread64, 180, FS_READ | FS_CALL_AT },
	{ __NR_readv, 145, FS_READ },
	{ __NR_preadv, COMPAT(333, 361), FS_READ | FS_CALL_AT },
	{ __NR_preadv2, COMPAT(378, 392), FS_READ | FS_CALL_AT },
	{ __NR_write, 4, FS_WRITE },
	{ __NR_pwrite64, 181, FS_WRITE | FS_CALL_AT },
	{ __NR_writev, 146, FS_WRITE },
	{ __NR_pwritev, COMPAT(334, 362), FS_WRITE | FS_CALL_AT },
	{ __NR_pwritev2, COMPAT(379, 393), FS_WRITE | FS_CALL_AT },
#ifdef __NR_open
	{ __NR_open, 5, FS_OPEN },
	{ __NR_creat, 8, FS_OPEN },
	{ __NR_getdents, 141, FS_READDIR },
#else
	{ -1, 5, FS_OPEN },
	{ -1, 8, FS_OPEN },
	{ -1, 141, FS_READDIR },
#endif
	{ __NR_openat, COMPAT(295, 322), FS_OPEN },
	{ 437, 437, FS_OPEN }, /* openat2 */
	{ __NR_getdents64, COMPAT(220, 217), FS_READDIR },
	{ __NR_fsync, 118, FS_SYNC },
	{ __NR_fdatasync, 148, FS_SYNC },
	{ __NR_sync_file_range, COMPAT(314, 341), FS_SYNC },
	{ __NR_ftruncate, 93, FS_TRUNCATE },
	{ -1, 194, FS_TRUNCATE }, /* ftruncate64 */
	{ __NR_sendfile, 239, FS_CALL_SENDFILE | FS_CALL_AT },
	{ -1, 187, FS_CALL_SENDFILE },
	{ __NR_splice, COMPAT(313, 340), FS_CALL_SPLICE },
	{ __NR_copy_file_range, COMPAT(377, 391), FS_CALL_SPLICE },
};

void fscalls_fill(struct fs_call calls[FS_CALLS], bool only_rw)
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		uint8_t op = table[i].op & FS_CALL_OP;
		bool moves = table[i].op & FS_CALL_MOVES;

		if (only_rw ? !moves && op != FS_READ && op != FS_WRITE : moves)
			continue;
		if (table[i].native >= 0)
			calls[table[i].native].native = table[i].op;
		calls[table[i].compat].compat = table[i].op;
	}
}
