/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What symbols takes from text: kallsyms, maps, stat, status, perf maps; and mangled names. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/util.h"
#include "symbols/demangle.h"
#include "symbols/kallsyms.h"
#include "symbols/maps.h"
#include "symbols/perfmap.h"
#include "symbols/sealed.h"

static void read_kallsyms(struct kallsyms *k, const char *symbols, const char *modules)
{
	FILE *s = fmemopen((char *)symbols, strlen(symbols), "r");
	FILE *m = fmemopen((char *)modules, strlen(modules), "r");

	assert_int_equal(kallsyms_read(k, s, m), 0);
	fclose(s);
	fclose(m);
}

static void assert_kernel(const struct kallsyms *k, uint64_t addr, const char *function,
			  uint64_t offset, const char *module, uint64_t module_offset)
{
	struct frame_name n;

	kallsyms_find(k, addr, &n);
	if (function)
		assert_string_equal(n.function, function);
	else
		assert_null(n.function);
	assert_int_equal(n.offset, offset);
	assert_string_equal(n.module, module);
	assert_int_equal(n.module_offset, module_offset);
}

static void test_kallsyms(void **state)
{
	struct kallsyms k;

	(void)state;
	read_kallsyms(&k,
		      "0000000000000000 A fixed_percpu_data\n"
		      "ffffffff81000000 T _text\n"
		      "ffffffff81000000 T _stext\n"
		      "ffffffff81000000 t first\n"
		      "ffffffff81000100 T do_thing\n"
		      "ffffffff81000100 t __do_thing\n"
		      "ffffffff81000100 W weak_thing\n"
		      "ffffffff81000200 t last\n"
		      "ffffffff81000300 T _etext\n"
		      "ffffffff81000400 D jiffies\n"
		      "not a line\n\nffffffff81000500\nffffffff81000500 t\n"
		      "ffffffffc0001010 t ext4_sync_file\t[ext4]\n"
		      "ffffffffc0001100 t ext4_last\t[ext4]\n"
		      "ffffffffc0008010 t bpf_prog_6deef7357e7b4530_sd_fw\t[bpf]\n",
		      "ext4 8192 1 - Live 0xffffffffc0001000\n"
		      "other 4096 0 - Live 0xffffffffc0100000 (OE)\nrubbish\n");
	assert_false(k.hidden);
	assert_kernel(&k, 0xffffffff81000000, "first", 0, "[kernel]", 0xffffffff81000000);
	assert_kernel(&k, 0xffffffff810000ff, "first", 255, "[kernel]", 0xffffffff810000ff);
	assert_kernel(&k, 0xffffffff81000123, "do_thing", 0x23, "[kernel]", 0xffffffff81000123);
	assert_kernel(&k, 0xffffffff810002ff, "last", 0xff, "[kernel]", 0xffffffff810002ff);
	/* behind the text, before it, and nowhere */
	assert_kernel(&k, 0xffffffff81000300, NULL, 0, "[kernel]", 0xffffffff81000300);
	assert_kernel(&k, 0xffffffff80ffffff, NULL, 0, "[kernel]", 0xffffffff80ffffff);
	assert_kernel(&k, 0, NULL, 0, "[kernel]", 0);
	assert_kernel(&k, UINT64_MAX, NULL, 0, "[kernel]", UINT64_MAX);
	assert_kernel(&k, 0xffffffffc0001012, "ext4_sync_file", 2, "ext4", 0x12);
	/* to the end of the module, and no further */
	assert_kernel(&k, 0xffffffffc0002fff, "ext4_last", 0x1eff, "ext4", 0x1fff);
	assert_kernel(&k, 0xffffffffc0003000, NULL, 0, "[kernel]", 0xffffffffc0003000);
	assert_kernel(&k, 0xffffffffc0008020, "bpf_prog_6deef7357e7b4530_sd_fw", 0x10, "[bpf]",
		      0xffffffffc0008020);
	assert_kernel(&k, 0xffffffffc0080000, NULL, 0, "[kernel]", 0xffffffffc0080000);
	assert_kernel(&k, 0xffffffffc0100010, NULL, 0, "other", 0x10);
	kallsyms_free(&k);
}

static void test_kallsyms_hidden(void **state)
{
	struct kallsyms k;

	(void)state;
	read_kallsyms(&k, "0000000000000000 T _text\n0000000000000000 T do_thing\n",
		      "ext4 8192 1 - Live 0x0000000000000000\n");
	assert_true(k.hidden);
	/* who may not read the address there does not learn it here */
	assert_kernel(&k, 0xffffffff81000010, NULL, 0, "[kernel]", 0);
	assert_non_null(strstr(kallsyms_why_not(&k, 0), "kernel addresses have no names"));
	kallsyms_free(&k);
	read_kallsyms(&k, "", "");
	assert_kernel(&k, 0xffffffff81000010, NULL, 0, "[kernel]", 0);
	kallsyms_free(&k);
	read_kallsyms(&k, "ffffffff81000000 T _text\n", "x");
	assert_null(kallsyms_why_not(&k, 0));
	assert_non_null(strstr(kallsyms_why_not(&k, -ENOENT), "CONFIG_KALLSYMS"));
	kallsyms_free(&k);
}

/* Other modules are seen; that one is used more, or by others, is none of our business. */
static void test_kallsyms_changes(void **state)
{
	static const char *const same[] = {
		"ext4 8192 1 - Live 0xffffffffc0001000\nother 4096 0 - Live 0xffffffffc0100000\n",
		"other 4096 7 ext4, Live 0xffffffffc0100000\next4 8192 2 - Live "
		"0xffffffffc0001000\n",
	};
	static const char *const changed[] = {
		"ext4 8192 1 - Live 0xffffffffc0001000\n",
		"ext4 8192 1 - Live 0xffffffffc0001000\nother 4096 0 - Live 0xffffffffc0200000\n",
		"ext4 8192 1 - Live 0xffffffffc0001000\nanother 4096 0 - Live 0xffffffffc0100000\n",
		"ext4 8192 1 - Live 0xffffffffc0001000\nother 4096 0 - Live 0xffffffffc0100000\n"
		"new 4096 0 - Live 0xffffffffc0200000\n",
	};
	struct kallsyms k;

	(void)state;
	read_kallsyms(&k, "ffffffff81000000 T _text\n", same[0]);
	for (size_t i = 0; i < 2; i++) {
		FILE *f = fmemopen((char *)same[i], strlen(same[i]), "r");

		assert_false(kallsyms_other_modules(&k, f));
		fclose(f);
	}
	for (size_t i = 0; i < 4; i++) {
		FILE *f = fmemopen((char *)changed[i], strlen(changed[i]), "r");

		assert_true(kallsyms_other_modules(&k, f));
		fclose(f);
	}
	assert_true(kallsyms_other_modules(&k, NULL));
	kallsyms_free(&k);
}

struct lines {
	struct mapping_line m[8];
	char paths[8][5000];
	int nr;
};

static int keep_line(void *arg, const struct mapping_line *m)
{
	struct lines *l = arg;

	assert_true(l->nr < 8);
	l->m[l->nr] = *m;
	snprintf(l->paths[l->nr++], sizeof(l->paths[0]), "%s", m->path);
	return 0;
}

static void test_maps(void **state)
{
	static struct lines l;
	static char text[20000];
	FILE *f;
	int len;

	(void)state;
	len = snprintf(text, sizeof(text),
		       "7f0000001000-7f0000002000 r-xp 00002000 fe:01 1234                 "
		       "/usr/lib/a b\\012c.so (deleted)\n"
		       "rubbish\n"
		       "7f0000003000-7f0000003000 r-xp 00002000 fe:01 1234 /empty\n"
		       "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0            "
		       "[vsyscall]\n"
		       "7f0000004000-7f0000005000 rw-p 00000000 00:00 0 \n"
		       "7f0000005000-7f0000006000 r-xp 00000000 00:1 18446744073709551615 /");
	memset(text + len, 'x', 6000);
	snprintf(text + len + 6000, 100, "\n7f0000007000-7f0000008000 r-xp 0 0:0 1 /last");
	f = fmemopen(text, strlen(text), "r");
	assert_int_equal(maps_each(f, keep_line, &l), 0);
	fclose(f);
	assert_int_equal(l.nr, 5);
	assert_int_equal(l.m[0].start, 0x7f0000001000);
	assert_int_equal(l.m[0].end, 0x7f0000002000);
	assert_int_equal(l.m[0].offset, 0x2000);
	assert_int_equal(l.m[0].dev_major, 0xfe);
	assert_int_equal(l.m[0].dev_minor, 1);
	assert_int_equal(l.m[0].inode, 1234);
	assert_true(l.m[0].executable);
	assert_true(l.m[0].deleted);
	assert_string_equal(l.paths[0], "/usr/lib/a b\nc.so");
	assert_string_equal(l.paths[1], "[vsyscall]");
	assert_int_equal(l.m[1].end, 0xffffffffff601000);
	assert_string_equal(l.paths[2], "");
	assert_false(l.m[2].executable);
	assert_int_equal(l.m[3].inode, UINT64_MAX);
	assert_true(strlen(l.paths[3]) > 4000 && strlen(l.paths[3]) < 5000);
	assert_string_equal(l.paths[4], "/last");
}

static void test_process_texts(void **state)
{
	struct process_id id;
	uint32_t uid, pid;

	(void)state;
	assert_int_equal(process_id_parse("12 (a) b) (c) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 "
					  "17 18 777 1048576 20 21 94 95 96 22 23",
					  &id),
			 0);
	assert_int_equal(id.start_time, 777);
	assert_int_equal(id.vsize, 1048576);
	assert_int_equal(id.start_code, 94);
	assert_int_equal(id.end_code, 95);
	assert_int_equal(id.start_stack, 96);
	assert_int_equal(process_id_parse("12 (a) S 1 2", &id), -EINVAL);
	assert_int_equal(process_id_parse("", &id), -EINVAL);
	assert_int_equal(process_id_parse("12 (a)", &id), -EINVAL);
	assert_int_equal(process_id_read(getpid(), &id), 0);
	assert_true(id.start_time && id.vsize);
	assert_int_equal(process_id_read(1 << 30, &id), -ESRCH);

	assert_int_equal(
		process_status_parse("Name:\tx\nUid:\t1\t1000\t3\t4\nNStgid:\t77\t8\t1\nX:\n", &uid,
				     &pid),
		0);
	assert_int_equal(uid, 1000);
	assert_int_equal(pid, 1);
	assert_int_equal(process_status_parse("Name:\tx\nUid:\t1\n", &uid, &pid), -EINVAL);
	assert_int_equal(process_status_parse("\nUid:\t1\t1\nNStgid:\t\n", &uid, &pid), -EINVAL);
	assert_int_equal(process_status_parse("", &uid, &pid), -EINVAL);
	assert_int_equal(process_status_read(getpid(), &uid, &pid), 0);
	assert_int_equal(uid, geteuid());
	assert_int_equal(process_status_read(1 << 30, &uid, &pid), -ESRCH);
}

static void add_text(int fd, const char *text)
{
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void assert_jit(const struct perf_map *m, uint64_t addr, const char *want)
{
	const struct symbol *sym = perf_map_find(m, addr);

	if (!want)
		assert_null(sym);
	else if (!sym || strcmp(symtab_name(&m->table, sym), want))
		fail_msg("at %#llx: %s, not %s", (unsigned long long)addr,
			 sym ? symtab_name(&m->table, sym) : NULL, want);
}

static void test_perf_map(void **state)
{
	int fd = memfd_create("map", MFD_CLOEXEC), other;
	struct perf_map m = { 0 };

	(void)state;
	add_text(fd, "7f0000001000 100 plain\n"
		     "0x7f0000001100 0x80 with 0x and blanks \n"
		     "7F0000001180 1 UPPER\r\n"
		     "\nrubbish\n7f0000002000\n7f0000002000 \n7f0000002000 10\n7f0000002000 10 \n"
		     "-7f0000002000 10 minus\nfffffffffffffffff 1 long\n7f0000002000 zz z\n"
		     "0x 10 none\n7f0000002000 0 empty\n"
		     "ffffffffffffff00 ffffffffffffffff wraps\n"
		     "7f0000003000 100 not wh");
	assert_int_equal(perf_map_read(&m, fd), 0);
	assert_int_equal(m.table.nr, 4);
	assert_jit(&m, 0x7f0000001000, "plain");
	assert_jit(&m, 0x7f00000010ff, "plain");
	assert_jit(&m, 0x7f0000001100, "with 0x and blanks");
	assert_jit(&m, 0x7f0000001180, "UPPER");
	assert_jit(&m, 0x7f0000001181, NULL);
	assert_jit(&m, 0x7f0000002000, NULL);
	assert_jit(&m, 0xffffffffffffff80, "wraps");
	assert_jit(&m, 0x10, NULL);
	assert_jit(&m, 0x7f0000003000, NULL);

	/* more of it; what was half there; code in the place of other code */
	add_text(fd, "ole\n7f0000001080 10 inside\n7f0000001000 40 again\n");
	assert_int_equal(perf_map_read(&m, fd), 0);
	assert_jit(&m, 0x7f0000003000, "not whole");
	assert_jit(&m, 0x7f0000001084, "inside");
	assert_jit(&m, 0x7f0000001010, "again");
	assert_jit(&m, 0x7f0000001100, "with 0x and blanks");
	add_text(fd, "7f0000000f00 400 covers\n");
	assert_int_equal(perf_map_read(&m, fd), 0);
	assert_jit(&m, 0x7f0000001084, "covers");
	assert_jit(&m, 0x7f0000001110, "covers");

	/* begun anew, and another file */
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	add_text(fd, "10 10 short\n");
	assert_int_equal(perf_map_read(&m, fd), 0);
	assert_jit(&m, 0x7f0000001084, NULL);
	assert_jit(&m, 0x10, "short");
	other = memfd_create("map2", MFD_CLOEXEC);
	add_text(other, "10 10 other\n20 20 it is longer\n");
	assert_int_equal(perf_map_read(&m, other), 0);
	assert_jit(&m, 0x10, "other");
	perf_map_free(&m);
	close(fd);
	close(other);
}

static void test_perf_map_hostile(void **state)
{
	int fd = memfd_create("map", MFD_CLOEXEC), i;
	struct perf_map m = { 0 };
	char *line;

	(void)state;
	/* a line of 1 MiB, one of zeros, then a good one */
	line = malloc(1 << 20);
	memset(line, 'a', 1 << 20);
	memcpy(line, "10 10 ", 6);
	assert_int_equal(write(fd, line, 1 << 20), 1 << 20);
	add_text(fd, "\n20 10 good\n");
	memset(line, 0, 1 << 20);
	assert_int_equal(write(fd, line, 1 << 20), 1 << 20);
	add_text(fd, "\n30 10 good too\n");
	free(line);
	assert_int_equal(perf_map_read(&m, fd), 0);
	assert_jit(&m, 0x10, NULL);
	assert_jit(&m, 0x20, "good");
	assert_jit(&m, 0x30, "good too");
	/* more symbols than are kept */
	line = malloc(32 << 20);
	for (i = 0; i < 1 << 20; i++)
		sprintf(line + i * 21, "%012x 10 nam%x\n", i, i % 16);
	for (i = 0; i < 2; i++)
		assert_int_equal(write(fd, line, 21 << 20), 21 << 20);
	free(line);
	assert_int_equal(perf_map_read(&m, fd), 0);
	assert_true(m.table.nr <= PERF_MAP_MAX_SYMBOLS);
	assert_int_equal(perf_map_read(&m, fd), 0);
	perf_map_free(&m);
	/* a sparse file of 4 TiB: its end is read */
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(ftruncate(fd, 4ll << 40), 0);
	assert_int_equal(perf_map_read(&m, fd), 0);
	assert_int_equal(m.table.nr, 0);
	perf_map_free(&m);
	close(fd);
}

/* Of more than a map may hold, the newest is kept: also when it is added later. */
static void test_perf_map_large(void **state)
{
	const size_t lines = PERF_MAP_MAX_READ / 64 * 5 / 4;
	int fd = memfd_create("map", MFD_CLOEXEC);
	FILE *f = fdopen(fd, "w");
	struct perf_map m = { 0 };

	(void)state;
	for (size_t i = 0; i < lines; i++)
		fprintf(f, "%012zx 10 %047zu\n", 0x10000 + i * 16, i);
	fprintf(f, "10 10 newest\n");
	fflush(f);
	assert_int_equal(perf_map_read(&m, fd), 0);
	assert_true(m.is_cut && m.is_new);
	assert_jit(&m, 0x10, "newest");
	assert_jit(&m, 0x10000 + (lines - 1) * 16,
		   "00000000000000000000000000000000000000000983039");
	assert_jit(&m, 0x10000, NULL);
	/* a line where it was cut is not taken for one that begins there */
	assert_true(m.table.nr < PERF_MAP_MAX_READ / 64 + 2);
	fprintf(f, "20 10 newer still\n");
	fflush(f);
	assert_int_equal(perf_map_read(&m, fd), 0);
	assert_false(m.is_new);
	assert_jit(&m, 0x20, "newer still");
	assert_jit(&m, 0x10, "newest");
	/* and when there is too much with what was there */
	for (size_t i = 0; i < lines / 2; i++)
		fprintf(f, "%012zx 10 %047zu\n", 0x80000000 + i * 16, i);
	fprintf(f, "30 10 the last\n");
	fflush(f);
	assert_int_equal(perf_map_read(&m, fd), 0);
	assert_jit(&m, 0x30, "the last");
	assert_jit(&m, 0x80000000, "00000000000000000000000000000000000000000000000");
	assert_true(m.table.nr <= PERF_MAP_MAX_SYMBOLS && m.table.names_len <= PERF_MAP_MAX_NAMES);
	perf_map_free(&m);
	fclose(f);
}

/* What another process has read, added to what is there; by whichever path it comes, code that was
 * made later takes the place of older code. */
static void test_perf_map_merge(void **state)
{
	int fd = memfd_create("map", MFD_CLOEXEC);
	struct perf_map m = { 0 }, more = { 0 };

	(void)state;
	add_text(fd, "1000 100 first\n2000 100 second\n");
	assert_int_equal(perf_map_read(&more, fd), 0);
	assert_int_equal(perf_map_merge(&m, &more), 0);
	assert_jit(&m, 0x1000, "first");
	add_text(fd, "3000 10 third\n1000 80 fourth\n800 10 fifth\n");
	more = (struct perf_map){ .dev = m.dev, .ino = m.ino, .read = m.read, .mark = m.mark };
	assert_int_equal(perf_map_read(&more, fd), 0);
	assert_false(more.is_new);
	assert_int_equal(more.table.nr, 3);
	assert_int_equal(perf_map_merge(&m, &more), 0);
	assert_int_equal(m.table.nr, 4);
	assert_jit(&m, 0x1000, "fourth");
	assert_jit(&m, 0x1090, NULL);
	assert_jit(&m, 0x2000, "second");
	assert_jit(&m, 0x800, "fifth");
	assert_int_equal(lseek(fd, 0, SEEK_CUR), m.read);
	/* nothing new; then begun anew */
	more = (struct perf_map){ .dev = m.dev, .ino = m.ino, .read = m.read, .mark = m.mark };
	assert_int_equal(perf_map_read(&more, fd), 0);
	assert_int_equal(perf_map_merge(&m, &more), 0);
	assert_jit(&m, 0x3000, "third");
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	add_text(fd, "10 10 anew\n");
	more = (struct perf_map){ .dev = m.dev, .ino = m.ino, .read = m.read, .mark = m.mark };
	assert_int_equal(perf_map_read(&more, fd), 0);
	assert_int_equal(perf_map_merge(&m, &more), 0);
	assert_int_equal(m.table.nr, 1);
	assert_jit(&m, 0x10, "anew");
	perf_map_free(&m);
	close(fd);
}

/* A table from another process is taken if it is sound, and only if nobody can change it. */
static void test_adopt(void **state)
{
	static const struct {
		struct symbol syms[2];
		char names[4];
	} tables[] = {
		{ { { .addr = 1, .size = 1, .outer = UINT32_MAX },
		    { .addr = 2, .size = 1, .name = 2, .outer = 0 } },
		  "a\0b" },
		{ { { .addr = 3, .size = 1, .outer = UINT32_MAX },
		    { .addr = 2, .size = 1, .name = 2, .outer = 0 } },
		  "a\0b" }, /* not sorted */
		{ { { .addr = 1, .size = 1, .outer = UINT32_MAX },
		    { .addr = 2, .size = 1, .name = 4, .outer = 0 } },
		  "a\0b" }, /* a name outside */
		{ { { .addr = 1, .size = 1, .outer = 0 },
		    { .addr = 2, .size = 1, .name = 2, .outer = 0 } },
		  "a\0b" }, /* one that leads to itself */
		{ { { .addr = 1, .size = 1, .outer = UINT32_MAX },
		    { .addr = UINT64_MAX, .size = 2, .name = 2, .outer = 0 } },
		  "a\0b" }, /* beyond the end */
		{ { { .addr = 1, .size = 1, .outer = UINT32_MAX },
		    { .addr = 2, .size = 1, .name = 2, .outer = 0 } },
		  { 'a', 0, 'b', 'c' } }, /* without an end */
	};
	struct symtab t = { 0 };
	int fd;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		const struct sealed_part parts[] = { { tables[i].syms, sizeof(tables[i].syms) },
						     { tables[i].names, 4 } };

		fd = sealed_make(parts, 2);
		assert_true(fd >= 0);
		assert_int_equal(symtab_adopt(&t, fd, 2, 4), i ? -EINVAL : 0);
		if (!i)
			assert_string_equal(symtab_name(&t, symtab_find(&t, 2)), "b");
		symtab_free(&t);
		assert_int_equal(symtab_adopt(&t, fd, 1, 4), -EINVAL);
		assert_int_equal(symtab_adopt(&t, fd, 2, 100), -EINVAL);
		assert_int_equal(write(fd, "x", 1), -1);
		close(fd);
	}
	fd = memfd_create("open", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert_int_equal(write(fd, &tables[0], sizeof(tables[0].syms) + 8),
			 sizeof(tables[0].syms) + 8);
	assert_int_equal(symtab_adopt(&t, fd, 2, 4), -EINVAL);
	close(fd);
}

static void test_demangle(void **state)
{
	static const char *const names[][2] = {
		{ "main", "main" },
		{ "_start", "_start" },
		{ "_Z", "_Z" },
		{ "_ZZZZ", "_ZZZZ" },
		{ "", "" },
		{ "_", "_" },
		{ "_Z1fi", "f(int)" },
		{ "_ZN2ns3Foo3barERKSsPv", "ns::Foo::bar(std::string const&, void*)" },
		{ "_ZNSt6vectorIiSaIiEE9push_backERKi",
		  "std::vector<int, std::allocator<int> >::push_back(int const&)" },
		{ "_ZZ4mainENKUlvE_clEv", "main::{lambda()#1}::operator()() const" },
		{ "_Z1fi.cold", "f(int) [clone .cold]" },
		{ "_ZN4core3fmt5Write9write_fmt17h0123456789abcdefE",
		  "core::fmt::Write::write_fmt" },
		{ "_ZN71_$LT$Test$u20$$u2b$$u20$$u27$static$u20$as$u20$foo..Bar$LT$Test$GT$$GT$"
		  "3bar17h930b740aa94f1d3aE",
		  "<Test + 'static as foo::Bar<Test>>::bar" },
		{ "_RNvCs1234_7mycrate4main", "mycrate::main" },
		{ "_RNvMsr_NtCs3ssYzQotkvD_3std4pathNtB5_7PathBuf3newCs15kBYyAo9fc_7mycrate",
		  "<std::path::PathBuf>::new" },
	};
	char buf[512];
	size_t i;

	(void)state;
#ifdef HAVE_LIBIBERTY
	for (i = 0; i < ARRAY_SIZE(names); i++)
		assert_string_equal(demangle(names[i][0], buf, sizeof(buf)), names[i][1]);
	assert_string_equal(demangle("_ZN2ns3Foo3barERKSsPv", buf, 10), "ns::Fo...");
#else
	for (i = 0; i < ARRAY_SIZE(names); i++)
		assert_ptr_equal(demangle(names[i][0], buf, sizeof(buf)), names[i][0]);
#endif
}

/* Short names that stand for very long ones, deep ones, and ones that are nothing. */
static void test_demangle_hostile(void **state)
{
	static char name[8192];
	char buf[2048];
	clock_t start = clock();
	int i, len;

	(void)state;
	len = sprintf(name, "_Z1fSt4pairIiiE");
	for (i = 0; i < 60; i++) /* each is a pair of the one before */
		len += sprintf(name + len, "St4pairIS%c_S%c_E",
			       "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[i % 36],
			       "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[i % 36]);
	assert_true(strlen(demangle(name, buf, sizeof(buf))) < 2048);
	strcpy(name, "_RINvC1a1b");
	for (i = 0, len = strlen(name); i < 40; i++) /* tuples of back references */
		len += sprintf(name + len, "TB%c_B%c_E", "abcdefghij"[i % 10],
			       "abcdefghij"[i % 10]);
	strcpy(name + len, "E");
	demangle(name, buf, sizeof(buf));
	for (i = 0; i < 1000; i++) {
		memset(name, "PKRFNILT"[i % 8], sizeof(name));
		memcpy(name, i % 2 ? "_Z1f" : "_RNvC1a", i % 2 ? 4 : 7);
		name[4000 + i % 200] = '\0';
		demangle(name, buf, sizeof(buf));
	}
	srandom(7);
	for (i = 0; i < 20000; i++) {
		static const char some[] = "_ZRNvCSt4pairIES0_T_i17h.$u20B_EKPFJXLDp0123456789abs";
		int k;

		for (k = 0; k < 60; k++)
			name[k] = some[random() % (sizeof(some) - 1)];
		memcpy(name, i % 2 ? "_ZN" : "_RNv", i % 2 ? 3 : 4);
		name[60] = '\0';
		demangle(name, buf, sizeof(buf));
	}
	assert_true(clock() - start < 20 * CLOCKS_PER_SEC); /* an endless one would be */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kallsyms),
		cmocka_unit_test(test_kallsyms_hidden),
		cmocka_unit_test(test_maps),
		cmocka_unit_test(test_process_texts),
		cmocka_unit_test(test_kallsyms_changes),
		cmocka_unit_test(test_perf_map),
		cmocka_unit_test(test_perf_map_hostile),
		cmocka_unit_test(test_perf_map_large),
		cmocka_unit_test(test_perf_map_merge),
		cmocka_unit_test(test_adopt),
		cmocka_unit_test(test_demangle),
		cmocka_unit_test(test_demangle_hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
