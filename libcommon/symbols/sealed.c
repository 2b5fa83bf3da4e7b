/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "symbols/sealed.h"

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL)

static int write_all(int fd, const char *data, size_t size)
{
	while (size) {
		ssize_t n = write(fd, data, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		data += n;
		size -= n;
	}
	return 0;
}

int sealed_make(const struct sealed_part *parts, unsigned int nr)
{
	static const char zeros[SEALED_ALIGN];
	int fd = memfd_create("borescope", MFD_CLOEXEC | MFD_ALLOW_SEALING), err = 0;

	if (fd < 0)
		return -errno;
	for (unsigned int i = 0; i < nr && !err; i++) {
		err = write_all(fd, parts[i].data, parts[i].size);
		if (!err)
			err = write_all(fd, zeros, sealed_next(parts[i].size) - parts[i].size);
	}
	if (!err && fcntl(fd, F_ADD_SEALS, SEALS))
		err = -errno;
	if (!err)
		return fd;
	close(fd);
	return err;
}

void *sealed_map(int fd, size_t size)
{
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat st;
	void *map;

	size = sealed_next(size);
	if (seals < 0 || (seals & SEALS) != SEALS || fstat(fd, &st) || !size ||
	    (uint64_t)st.st_size != size)
		return NULL;
	/* private: until 6.7 a sealed file could not be mapped shared, not even to be read */
	map = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	return map == MAP_FAILED ? NULL : map;
}
