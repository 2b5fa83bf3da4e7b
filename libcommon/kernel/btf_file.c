/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/btf.h>
#include <linux/magic.h>

#include "kernel/btf_file.h"

#define MAX_FILE_SIZE (256u << 20)

/* What every header has; from Linux 7.2 on, linux/btf.h has more: where the layout of kinds is. */
#define MIN_HEADER (offsetof(struct btf_header, str_len) + sizeof(uint32_t))

/* --- the file ----------------------------------------------------------------------------- */

/* The file's size is a first guess only: what is not a regular file may not tell. */
static int read_all(int fd, struct btf_file *f)
{
	struct stat st;
	ssize_t n;
	void *p;

	if (fstat(fd, &st))
		return -errno;
	f->size = st.st_size > 0 && st.st_size < MAX_FILE_SIZE ? st.st_size + 1 : 1 << 20;
	f->data = mmap(NULL, f->size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (f->data == MAP_FAILED)
		return -errno;
	while ((n = read(fd, f->data + f->len, f->size - f->len))) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		f->len += n;
		if (f->len < f->size)
			continue;
		if (f->size >= MAX_FILE_SIZE)
			return -EFBIG;
		p = mremap(f->data, f->size, f->size * 2, MREMAP_MAYMOVE);
		if (p == MAP_FAILED)
			return -errno;
		f->data = p;
		f->size *= 2;
	}
	return 0;
}

/* From 6.16 on (a539e2a6d51d) the kernel's own BTF can be mapped, which saves to copy it, a page a
 * read. Only there: a file on a disk may become shorter, and a look at what is gone kills. */
static bool map_sysfs(int fd, struct btf_file *f)
{
	struct statfs fs;
	struct stat st;

	if (fstatfs(fd, &fs) || fs.f_type != SYSFS_MAGIC || fstat(fd, &st) || st.st_size <= 0 ||
	    st.st_size >= MAX_FILE_SIZE)
		return false;
	f->data = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (f->data == MAP_FAILED)
		return false;
	f->len = f->size = st.st_size;
	return true;
}

int btf_file_open(struct btf_file *f, int dir, const char *path)
{
	int fd = openat(dir, path, O_RDONLY | O_CLOEXEC), err;

	*f = (struct btf_file){ .data = MAP_FAILED };
	if (fd < 0)
		return -errno;
	err = map_sysfs(fd, f) ? 0 : read_all(fd, f);
	close(fd);
	if (err)
		btf_file_close(f);
	return err;
}

void btf_file_close(const struct btf_file *f)
{
	if (f->data != MAP_FAILED)
		munmap(f->data, f->size);
}

/* --- the format --------------------------------------------------------------------------- */

int btf_file_parts(struct btf_parts *parts, const void *data, size_t size, bool split)
{
	const struct btf_header *h = data;
	uint64_t types, strings;

	if (size < MIN_HEADER || h->magic != BTF_MAGIC || h->version != BTF_VERSION ||
	    h->hdr_len < MIN_HEADER)
		return -EINVAL;
	types = (uint64_t)h->hdr_len + h->type_off;
	strings = (uint64_t)h->hdr_len + h->str_off;
	if (types % 4 || types + h->type_len > size || strings + h->str_len > size)
		return -EINVAL;
	*parts = (struct btf_parts){
		.types = (const char *)data + types,
		.types_len = h->type_len,
		.strings = (const char *)data + strings,
		.strings_len = h->str_len,
	};
	if (h->str_len && parts->strings[h->str_len - 1])
		return -EINVAL;
	return split || (h->str_len && !parts->strings[0]) ? 0 : -EINVAL;
}

size_t btf_file_type_size(uint32_t kind, uint32_t vlen)
{
	/* so many bytes, and so many for each of its vlen members */
	static const struct {
		uint8_t fixed, member;
	} trailing[BTF_FILE_KINDS] = {
		[BTF_KIND_INT] = { 4, 0 },
		[BTF_KIND_ARRAY] = { sizeof(struct btf_array), 0 },
		[BTF_KIND_STRUCT] = { 0, sizeof(struct btf_member) },
		[BTF_KIND_UNION] = { 0, sizeof(struct btf_member) },
		[BTF_KIND_ENUM] = { 0, sizeof(struct btf_enum) },
		[BTF_KIND_FUNC_PROTO] = { 0, sizeof(struct btf_param) },
		[BTF_KIND_VAR] = { 4, 0 },
		[BTF_KIND_DATASEC] = { 0, sizeof(struct btf_var_secinfo) },
		[BTF_FILE_DECL_TAG] = { 4, 0 },
		[BTF_FILE_ENUM64] = { 0, 12 },
		/* of all others, nothing follows */
	};

	return sizeof(struct btf_type) + trailing[kind].fixed +
	       (size_t)trailing[kind].member * vlen;
}
