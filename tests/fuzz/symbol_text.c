/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* libFuzzer: any bytes as one of the texts that symbols reads; the first byte says which. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "symbols/demangle.h"
#include "symbols/kallsyms.h"
#include "symbols/maps.h"
#include "symbols/perfmap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void kallsyms(char *text, size_t size)
{
	char *modules = memmem(text, size, "\n\n", 2);
	size_t len = modules ? (size_t)(modules - text) : size;
	FILE *s = fmemopen(text, len ? len : 1, "r");
	FILE *m = modules ? fmemopen(modules, size - len, "r") : NULL;
	struct frame_name name;
	struct kallsyms k;
	uint64_t addr;

	if (!kallsyms_read(&k, s, m)) {
		for (addr = 0xffffffff81000000; addr < 0xffffffff81001000; addr += 99)
			kallsyms_find(&k, addr, &name);
		kallsyms_find(&k, 0xffffffffc0001010, &name);
		kallsyms_free(&k);
	}
	if (m)
		fclose(m);
	fclose(s);
}

static int each(void *arg, const struct mapping_line *m)
{
	size_t *sum = arg;

	if (m->end <= m->start)
		abort();
	*sum += strlen(m->path);
	return 0;
}

static void maps(char *text, size_t size)
{
	FILE *f = fmemopen(text, size ? size : 1, "r");
	size_t sum = 0;

	maps_each(f, each, &sum);
	fclose(f);
}

/* The text in two parts, as a JIT compiler would add to it. */
static void perf_map(const char *text, size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC), part;
	struct perf_map m = { 0 };
	uint64_t addr;

	for (part = 0; part < 2; part++) {
		size_t len = part ? size - size / 2 : size / 2;

		if (write(fd, text + (part ? size / 2 : 0), len) != (ssize_t)len ||
		    perf_map_read(&m, fd))
			abort();
		for (addr = 0; addr < 4096; addr += 33)
			perf_map_find(&m, addr);
	}
	perf_map_free(&m);
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint32_t uid, pid;
	struct process_id id;
	char buf[1024], *text;

	if (!size)
		return 0;
	text = malloc(size);
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	switch (data[0] % 6) {
	case 0:
		kallsyms(text, size - 1);
		break;
	case 1:
		maps(text, size - 1);
		break;
	case 2:
		perf_map(text, size - 1);
		break;
	case 3:
		process_id_parse(text, &id);
		break;
	case 4:
		process_status_parse(text, &uid, &pid);
		break;
	case 5:
		if (strlen(demangle(text, buf, sizeof(buf))) >= sizeof(buf) &&
		    demangle(text, buf, sizeof(buf)) == buf)
			abort();
		break;
	}
	free(text);
	return 0;
}
