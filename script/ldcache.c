/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <stdint.h>
#include <string.h>

#include "script/ldcache.h"

bool ldcache_is_library(const char *file, const char *name)
{
	size_t len = strlen(name);

	if (strncmp(file, name, len))
		return false;
	file += len;
	return !*file || (*file == '.' && (!strncmp(file, ".so", 3) || strstr(name, ".so"))) ||
	       (*file == '-' && file[1] >= '0' && file[1] <= '9' && strstr(file, ".so"));
}

/* What ldconfig writes, from glibc 2.2 on. */
struct cache_header {
	char magic[20];
	uint32_t nr, strings;
	uint32_t unused[5];
};
struct cache_entry {
	int32_t flags;
	uint32_t key, value; /* where the strings are, from the header on */
	uint32_t os_version;
	uint64_t hwcap; /* for these processors only */
};
#define CACHE_MAGIC "glibc-ld.so.cache1.1"

#if defined(__x86_64__)
#define CACHE_FLAGS 0x0303
#elif defined(__aarch64__)
#define CACHE_FLAGS 0x0a03
#else
#define CACHE_FLAGS 0x0003
#endif

static const char *cache_string(const char *cache, size_t size, uint32_t at)
{
	return at < size && memchr(cache + at, '\0', size - at) ? cache + at : "";
}

const char *ldcache_library(struct arena *arena, const void *cache, size_t size, const char *name)
{
	const char *begin = memmem(cache, size, CACHE_MAGIC, strlen(CACHE_MAGIC));
	struct cache_header h;

	if (!begin)
		return NULL;
	size -= begin - (const char *)cache;
	if (size < sizeof(h))
		return NULL;
	memcpy(&h, begin, sizeof(h));
	for (uint64_t i = 0, at = sizeof(h); i < h.nr && at + sizeof(struct cache_entry) <= size;
	     i++, at += sizeof(struct cache_entry)) {
		struct cache_entry e;
		const char *path;

		memcpy(&e, begin + at, sizeof(e));
		if (e.flags != CACHE_FLAGS || e.hwcap ||
		    !ldcache_is_library(cache_string(begin, size, e.key), name))
			continue;
		path = cache_string(begin, size, e.value);
		if (path[0] == '/')
			return arena_strdup(arena, path);
	}
	return NULL;
}
