/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <setjmp.h>
#include <stdbool.h>
#include <string.h>

#include "symbols/demangle.h"

#ifdef HAVE_LIBIBERTY
/*
 * libiberty's demangle.h is in another place on every system, so what is needed of it stands here.
 * The callback forms keep what they need on the stack: they can be left with longjmp().
 */
#define DMGL_PARAMS (1 << 0)
#define DMGL_ANSI   (1 << 1)
typedef void (*demangle_callbackref)(const char *, size_t, void *);
int cplus_demangle_v3_callback(const char *mangled, int options, demangle_callbackref callback,
			       void *opaque);
int rust_demangle_callback(const char *mangled, int options, demangle_callbackref callback,
			   void *opaque);

/* Longer names are left alone: the time and stack that demangling takes grow with the name. */
#define MAX_MANGLED 4096

/* Leaving rust_demangle_callback() may lose a few KiB that it took for an identifier in Unicode:
 * names of the newer scheme that are too long are cut so often, and then left as they are. */
#define MAX_CUT_RUST 256

struct output {
	char *buf;
	size_t len, size;
	bool cut;
	jmp_buf full;
};

static void put(const char *text, size_t len, void *opaque)
{
	struct output *out = opaque;
	size_t room = out->size - 1 - out->len;

	if (!len)
		return;
	memcpy(out->buf + out->len, text, len < room ? len : room);
	out->len += len < room ? len : room;
	if (len > room)
		longjmp(out->full, 1);
}

static bool print(int (*callback)(const char *, int, demangle_callbackref, void *),
		  const char *name, struct output *out)
{
	out->len = 0;
	if (setjmp(out->full)) {
		memcpy(out->buf + out->size - 4, "...", 4);
		out->cut = true;
		return true;
	}
	if (!callback(name, DMGL_PARAMS | DMGL_ANSI, put, out))
		return false;
	out->buf[out->len] = '\0';
	return out->len;
}

/* As demangle(), for names without a suffix. */
static const char *demangle_whole(const char *name, char *buf, size_t size)
{
	static unsigned int nr_cut;
	struct output out = { .buf = buf, .size = size };

	if (name[0] != '_' || (name[1] != 'Z' && name[1] != 'R') || size < 4 ||
	    strlen(name) > MAX_MANGLED)
		return name;
	if (name[1] == 'R') {
		if (nr_cut == MAX_CUT_RUST || !print(rust_demangle_callback, name, &out))
			return name;
		nr_cut += out.cut;
		return buf;
	}
	/* Rust's older names are valid C++ ones too. */
	if (print(rust_demangle_callback, name, &out) ||
	    print(cplus_demangle_v3_callback, name, &out))
		return buf;
	return name;
}

const char *demangle(const char *name, char *buf, size_t size)
{
	static const char stub[] = "@plt"; /* see plt.h */
	size_t len = strlen(name), end = sizeof(stub) - 1;
	char mangled[MAX_MANGLED];

	if (name[0] != '_' || len <= end || len >= sizeof(mangled) || size <= end ||
	    strcmp(name + len - end, stub) != 0)
		return demangle_whole(name, buf, size);
	memcpy(mangled, name, len - end);
	mangled[len - end] = '\0';
	if (demangle_whole(mangled, buf, size - end) != buf)
		return name;
	return strcat(buf, stub);
}

#else /* make LIBIBERTY=0 */

const char *demangle(const char *name, char *buf, size_t size)
{
	return name;
}

#endif
