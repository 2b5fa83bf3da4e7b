/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/util.h"
#include "elf_fixture.h"
#include "symbols/elfsyms.h"

/* Two functions, one of them local, and enough else for every kind of section. */
static const char program[] =
	"#include <stdio.h>\n"
	"__attribute__((noinline)) static int hidden(int x)\n"
	"{ return printf(\"%d\\n\", x) + x; }\n"
	"__attribute__((noinline)) int shown(int x) { return hidden(x) * 3; }\n"
	"int main(int argc, char **argv) { return shown(argc) & 1; }\n";

/* One call by a stub, one by a pointer, and one that takes a stub's address. */
static const char calls_others[] =
	"#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n"
	"int main(int argc, char **argv)\n"
	"{ atexit((void (*)(void))puts); return puts(argv[0]) + strtol(argv[0], 0, argc)\n"
	"  + (strchr(argv[0], argc) != 0) + (getenv(argv[0]) == (char *)puts); }\n";

static const char choice[] =
	"	.text\n"
	"	.globl global\n"
	"	.weak weaker\n"
	"	.type global, @function\n"
	"	.type weaker, @function\n"
	"	.type local_one, @function\n"
	"	.type alocal, @function\n"
	"local_one:\n"
	"alocal:\n"
	"weaker:\n"
	"global: .skip 16\n"
	"	.size global, 16\n"
	"	.type __other, @function\n"
	"	.type other, @function\n"
	"__other:\n"
	"other: .skip 8\n"
	"label: .skip 8\n"
	"	.size other, 16\n"
	"gap: .skip 16\n" /* a label outside of functions reaches to the next */
	"	.type outer, @function\n"
	"	.type inner, @function\n"
	"outer: .skip 8\n"
	"inner: .skip 8\n"
	"	.size inner, 8\n"
	"	.skip 8\n"
	"	.size outer, 24\n"
	"	.skip 8\n" /* nobody's */
	"	.globl __called\n"
	"	.weak called\n"
	"	.type __called, @function\n"
	"	.type called, @function\n"
	"__called:\n"
	"called: .skip 8\n"
	"	.size called, 8\n"
	"	.type sizeless, @function\n"
	"sizeless: .skip 16\n" /* reaches to the section's end */
	"	.type chosen, @gnu_indirect_function\n"
	"	.section .text2, \"ax\"\n"
	"chosen: .skip 4\n"
	"	.size chosen, 4\n"
	"	.data\n"
	"	.globl not_code\n"
	"	.type not_code, @function\n"
	"not_code: .skip 16\n"
	"	.size not_code, 16\n";

static const char build[] =
	"gcc -O1 -g -pie -fPIE -Wl,--build-id=sha1 -o pie program.c &&"
	"gcc -O1 -no-pie -fno-pie -Wl,--build-id=none -o nopie program.c &&"
	"gcc -O1 -shared -fPIC -Wl,--build-id=0x0123456789 -o lib.so program.c &&"
	"gcc -nostdlib -shared -Wl,--build-id=none -o choice.so choice.s &&"
	/* what Fedora does to all its files */
	"cp pie mini && objcopy --only-keep-debug mini mini.debug &&"
	"echo hidden >keep &&"
	"objcopy -S --remove-section .comment --keep-symbols=keep mini.debug mini.small &&"
	"xz -k mini.small && strip mini && objcopy --add-section .gnu_debugdata=mini.small.xz mini "
	"&&"
	/* with a link, in each of three places */
	"mkdir -p linked/a/.debug root/usr/lib/debug/a root/a &&"
	"objcopy --only-keep-debug nopie nopie.debug && cp nopie bare && strip bare &&"
	"objcopy --add-gnu-debuglink=nopie.debug bare linked/a/prog && cp linked/a/prog "
	"root/a/prog &&"
	/* without one, by build id */
	"cp pie byid && strip byid &&"
	"id=$(readelf -n pie | sed -n 's/.*Build ID: //p') && id_dir=$(echo $id | cut -c 1-2) &&"
	"mkdir -p root/usr/lib/debug/.build-id/$id_dir &&"
	"cp mini.debug root/usr/lib/debug/.build-id/$id_dir/$(echo $id | cut -c 3-).debug &&"
	/* moved after it was stripped, as prelink does */
	"gcc -O1 -no-pie -fno-pie -Wl,--build-id=0xaabbccddee -o low program.c &&"
	"gcc -O1 -no-pie -fno-pie -Wl,--build-id=0xaabbccddee -Wl,-Ttext-segment=0x7000000 -o high "
	"program.c && cp high moved && strip moved &&"
	"mkdir -p root/usr/lib/debug/.build-id/aa &&"
	"objcopy --only-keep-debug low root/usr/lib/debug/.build-id/aa/bbccddee.debug";

static int setup(void **state)
{
	(void)state;
	fixture_begin();
	write_file("program.c", program);
	write_file("stubs.c", calls_others);
	write_file("choice.s", choice);
	shell(build);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fixture_end();
	return 0;
}

static void load_with(struct elf_syms *e, const char *file, const struct debugfile_search *where)
{
	int fd = open(in_dir("%s", file), O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(elf_syms_load(e, fd, where), 0);
	close(fd);
}

/* The name at an address; NULL: none. */
static const char *at(const struct elf_syms *e, uint64_t addr)
{
	const struct symbol *sym = symtab_find(&e->table, addr);

	return sym ? symtab_name(&e->table, sym) : NULL;
}

static void assert_at(const struct elf_syms *e, uint64_t addr, const char *want)
{
	const char *got = at(e, addr);

	if (want ? !got || strcmp(got, want) : got != NULL)
		fail_msg("at %#llx: %s, not %s", (unsigned long long)addr, got, want);
}

static void assert_all(const struct elf_syms *e, const char *with_symbols)
{
	static const char *const names[] = { "hidden", "shown", "main" };
	size_t i;

	for (i = 0; i < 3; i++) {
		uint64_t addr = nm(with_symbols, names[i]);

		assert_at(e, addr, names[i]);
		assert_at(e, addr + 3, names[i]);
	}
}

static void test_symtab(void **state)
{
	static const char *const files[] = { "pie", "nopie", "lib.so" };
	struct elf_syms e;
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		load_with(&e, files[i], NULL);
		assert_all(&e, files[i]);
		assert_at(&e, 0, NULL);
		assert_at(&e, UINT64_MAX, NULL);
		assert_false(e.is_cut);
		elf_syms_free(&e);
	}
}

static void test_addresses(void **state)
{
	struct elf_syms e;
	uint64_t vaddr, addr = nm("nopie", "shown");

	(void)state;
	load_with(&e, "nopie", NULL);
	assert_int_equal(e.nr_segments, 1);
	assert_true(elf_syms_vaddr(&e, addr - e.segments[0].vaddr + e.segments[0].offset, &vaddr));
	assert_int_equal(vaddr, addr);
	assert_false(elf_syms_vaddr(&e, 1ull << 40, &vaddr));
	assert_false(elf_syms_vaddr(&e, UINT64_MAX, &vaddr));
	elf_syms_free(&e);
}

static void test_dynsym_only(void **state)
{
	struct elf_syms e;

	(void)state;
	shell("cp lib.so bare.so && strip bare.so");
	load_with(&e, "bare.so", NULL);
	assert_at(&e, nm("lib.so", "shown"), "shown");
	assert_at(&e, nm("lib.so", "hidden"), NULL);
	elf_syms_free(&e);
}

/* A function of an assembler, which has a name and no size, before one that has lost its name. */
static const char entry[] =
	"__asm__(\".globl entry\\n.type entry, @function\\n\"\n"
	"	\"entry: \" CFI(start) \" nop; nop; ret;\"\n"
	"	CFI(end));\n"
	"static __attribute__((noinline)) int hidden(int x) { return x * 3 + 1; }\n"
	"int shown(int x) { return hidden(x) + hidden(x + 1); }\n"
	"int main(void) { return shown(1); }\n";

static void test_no_size(void **state)
{
	static const struct {
		const char *cfi, *cflags, *strip; /* how it is built */
		bool known, hidden_known;	  /* entry; hidden */
	} cases[] = {
		{ "\".cfi_\" #x \"proc;\"", "", "true", true, true },
		{ "\".cfi_\" #x \"proc;\"", "", "strip", true, false },
		/* where it ends is not known: any number of others may follow */
		{ "\"\"", "", "strip", false, false },
		{ "\"\"", "-fno-asynchronous-unwind-tables", "strip", false, false },
		{ "\"\"", "-fno-asynchronous-unwind-tables", "true", true, true },
		/* without local names only */
		{ "\"\"", "", "strip -x", true, false },
	};
	char line[400];
	struct elf_syms e;

	(void)state;
	write_file("entry.c", entry);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		snprintf(line, sizeof(line),
			 "gcc -O1 -fno-toplevel-reorder %s '-DCFI(x)=%s' -shared -fPIC -o named.so "
			 "entry.c && cp named.so entry.so && %s entry.so",
			 cases[i].cflags, cases[i].cfi, cases[i].strip);
		shell(line);
		load_with(&e, "entry.so", NULL);
		assert_at(&e, nm("named.so", "entry") + 2, cases[i].known ? "entry" : NULL);
		assert_at(&e, nm("named.so", "hidden") + 2,
			  cases[i].hidden_known ? "hidden" : NULL);
		assert_at(&e, nm("named.so", "shown") + 2, "shown");
		elf_syms_free(&e);
	}
}

static void test_minidebuginfo(void **state)
{
	struct elf_syms e;

	(void)state;
	load_with(&e, "mini", NULL);
	assert_at(&e, nm("pie", "hidden"), "hidden");
	assert_at(&e, nm("pie", "shown"), NULL);
	elf_syms_free(&e);
}

static void test_build_id(void **state)
{
	struct debugfile_search where = { .nr_roots = 1 };
	struct elf_syms e;

	(void)state;
	where.roots[0] = open(in_dir("root"), O_PATH | O_CLOEXEC);
	load_with(&e, "byid", NULL);
	assert_at(&e, nm("pie", "hidden"), NULL);
	elf_syms_free(&e);
	load_with(&e, "byid", &where);
	assert_int_equal(e.build_id.len, 20);
	assert_all(&e, "pie");
	elf_syms_free(&e);
	load_with(&e, "moved", &where);
	assert_all(&e, "high");
	elf_syms_free(&e);

	load_with(&e, "lib.so", NULL);
	assert_int_equal(e.build_id.len, 5);
	assert_memory_equal(e.build_id.bytes, "\x01\x23\x45\x67\x89\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
			    20);
	elf_syms_free(&e);

	/* another build's file in its place is not taken */
	shell("cp root/usr/lib/debug/.build-id/aa/bbccddee.debug saved && "
	      "cp nopie root/usr/lib/debug/.build-id/aa/bbccddee.debug");
	load_with(&e, "moved", &where);
	assert_at(&e, nm("high", "hidden"), NULL);
	elf_syms_free(&e);
	shell("rm root/usr/lib/debug/.build-id/aa/bbccddee.debug &&"
	      "mkfifo root/usr/lib/debug/.build-id/aa/bbccddee.debug");
	load_with(&e, "moved", &where); /* doesn't wait */
	elf_syms_free(&e);
	/* an absolute link is the process's, not ours: it stays in its root */
	shell("rm root/usr/lib/debug/.build-id/aa/bbccddee.debug && cp saved root/saved &&"
	      "ln -s /saved root/usr/lib/debug/.build-id/aa/bbccddee.debug");
	load_with(&e, "moved", &where);
	assert_all(&e, "high");
	elf_syms_free(&e);
	shell("rm root/usr/lib/debug/.build-id/aa/bbccddee.debug &&"
	      "ln -s $PWD/saved root/usr/lib/debug/.build-id/aa/bbccddee.debug");
	load_with(&e, "moved", &where);
	assert_at(&e, nm("high", "hidden"), NULL);
	elf_syms_free(&e);
	shell("ln -sf bbccddee.debug root/usr/lib/debug/.build-id/aa/bbccddee.debug");
	load_with(&e, "moved", &where); /* a link to itself */
	elf_syms_free(&e);
	close(where.roots[0]);
}

static void test_debuglink(void **state)
{
	static const char *const places[] = { "root/a/nopie.debug", "root/a/.debug/nopie.debug",
					      "root/usr/lib/debug/a/nopie.debug" };
	struct debugfile_search where = { .nr_roots = 1, .path = "/a/prog" };
	struct elf_syms e;
	size_t i;

	(void)state;
	where.roots[0] = open(in_dir("root"), O_PATH | O_CLOEXEC);
	load_with(&e, "root/a/prog", &where);
	assert_at(&e, nm("nopie", "hidden"), NULL);
	elf_syms_free(&e);
	shell("mkdir -p root/a/.debug");
	for (i = 0; i < 3; i++) {
		char line[1024];

		snprintf(line, sizeof(line), "cp nopie.debug %s", places[i]);
		shell(line);
		load_with(&e, "root/a/prog", &where);
		assert_all(&e, "nopie");
		elf_syms_free(&e);
		/* one byte more, and the CRC is another */
		snprintf(line, sizeof(line), "echo >>%s", places[i]);
		shell(line);
		load_with(&e, "root/a/prog", &where);
		assert_at(&e, nm("nopie", "hidden"), NULL);
		elf_syms_free(&e);
		snprintf(line, sizeof(line), "rm %s", places[i]);
		shell(line);
	}
	close(where.roots[0]);
}

/* The stripped file may be everybody's, the directory where its debug file is looked for isn't. */
static void test_debug_file_owner(void **state)
{
	struct debugfile_search where = { .nr_roots = 1, .path = "/a/prog" };
	struct elf_syms e;

	(void)state;
	if (geteuid())
		skip(); /* only root can give files away */
	where.roots[0] = open(in_dir("root"), O_PATH | O_CLOEXEC);
	shell("cp nopie.debug root/a && chown 12345 root/a/nopie.debug");
	load_with(&e, "root/a/prog", &where);
	assert_at(&e, nm("nopie", "hidden"), NULL);
	elf_syms_free(&e);
	where.owner = 12345;
	load_with(&e, "root/a/prog", &where);
	assert_all(&e, "nopie");
	elf_syms_free(&e);
	shell("rm root/a/nopie.debug");
	close(where.roots[0]);
}

static void test_choice(void **state)
{
	uint64_t start, other, gap, outer, sizeless;
	struct elf_syms e;

	(void)state;
	load_with(&e, "choice.so", NULL);
	start = nm("choice.so", "global");
	other = nm("choice.so", "other");
	gap = nm("choice.so", "gap");
	outer = nm("choice.so", "outer");
	sizeless = nm("choice.so", "sizeless");
	assert_at(&e, start, "global");
	assert_at(&e, start + 15, "global");
	assert_at(&e, nm("choice.so", "called"), "called"); /* not __called */
	assert_at(&e, other, "other");			    /* not __other */
	assert_at(&e, other + 12, "other");		    /* not label */
	assert_at(&e, gap, "gap");
	assert_at(&e, gap + 15, "gap");
	assert_at(&e, outer, "outer");
	assert_at(&e, outer + 8, "inner");
	assert_at(&e, outer + 15, "inner");
	assert_at(&e, outer + 16, "outer"); /* behind inner */
	assert_at(&e, outer + 23, "outer");
	assert_at(&e, outer + 24, NULL);
	assert_at(&e, sizeless + 15, "sizeless");
	assert_at(&e, sizeless + 16, nm("choice.so", "chosen") == sizeless + 16 ? "chosen" : NULL);
	assert_at(&e, nm("choice.so", "chosen"), "chosen");
	assert_at(&e, nm("choice.so", "not_code"), NULL);
	elf_syms_free(&e);
}

static void test_not_elf(void **state)
{
	static const char *const paths[] = { "/dev/null", "/dev/zero", "/", "/proc/self/maps",
					     "/etc/passwd" };
	struct elf_syms e;
	size_t i;
	int fd;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(paths); i++) {
		fd = open(paths[i], O_RDONLY | O_CLOEXEC);
		assert_int_equal(elf_syms_load(&e, fd, NULL), -ENOEXEC);
		close(fd);
	}
}

/* Loads what is in @fd whatever it is, and asks for some addresses. */
static void try_load(int fd)
{
	struct elf_syms e;
	uint64_t addr;

	if (elf_syms_load(&e, fd, NULL))
		return;
	for (addr = 0; addr < 0x4000; addr += 64)
		at(&e, addr);
	elf_syms_vaddr(&e, 0x1000, &addr);
	elf_syms_free(&e);
}

static void test_truncated(void **state)
{
	static const char *const files[] = { "pie", "mini", "choice.so" };
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		int fd;
		struct stat st;
		off_t len;

		shell("cp pie cut.pie; cp mini cut.mini; cp choice.so cut.choice.so");
		fd = open(in_dir("cut.%s", files[i]), O_RDWR | O_CLOEXEC);
		assert_int_equal(fstat(fd, &st), 0);
		for (len = st.st_size; len >= 0; len -= len > 256 ? 61 : 1) {
			assert_int_equal(ftruncate(fd, len), 0);
			try_load(fd);
		}
		close(fd);
	}
}

static void test_corrupt(void **state)
{
	static const char *const files[] = { "pie", "mini", "choice.so" };
	unsigned char whole[65536], bad[65536];
	ssize_t len;
	size_t i;
	int fd, n, k;

	(void)state;
	srandom(23);
	for (i = 0; i < 3; i++) {
		fd = open(in_dir("%s", files[i]), O_RDONLY | O_CLOEXEC);
		len = read(fd, whole, sizeof(whole));
		close(fd);
		fd = memfd_create("corrupt", MFD_CLOEXEC);
		for (n = 0; n < 3000; n++) {
			memcpy(bad, whole, len);
			for (k = random() % 8; k >= 0; k--) {
				/* mostly in the headers, which are at both ends */
				size_t where = random() % 4 == 0 ? random() % len
					       : random() % 2	 ? random() % 1024
								 : len - 1 - random() % 2048;

				bad[where % len] = random() % 3 ? random() : -(random() % 2);
			}
			assert_int_equal(pwrite(fd, bad, len, 0), len);
			try_load(fd);
		}
		close(fd);
	}
}

/* A file of 8 GiB that takes no room on disk, whose headers say that all of it is symbols. */
static void test_sparse(void **state)
{
	struct rusage before, after;
	Elf64_Shdr shdr[3] = { 0 };
	Elf64_Ehdr ehdr = { 0 };
	struct elf_syms e;
	int fd, i;

	(void)state;
	fd = memfd_create("sparse", MFD_CLOEXEC);
	assert_int_equal(ftruncate(fd, 8ll << 30), 0);
	memcpy(ehdr.e_ident, ELFMAG, SELFMAG);
	ehdr.e_ident[EI_CLASS] = ELFCLASS64;
	ehdr.e_ident[EI_DATA] = ELFDATA2LSB;
	ehdr.e_ident[EI_VERSION] = EV_CURRENT;
	ehdr.e_shoff = sizeof(ehdr);
	ehdr.e_shentsize = sizeof(shdr[0]);
	ehdr.e_shnum = 3;
	for (i = 1; i < 3; i++) {
		shdr[i].sh_type = i == 1 ? SHT_SYMTAB : SHT_STRTAB;
		shdr[i].sh_flags = SHF_EXECINSTR;
		shdr[i].sh_size = 4ull << 30;
		shdr[i].sh_entsize = 24;
		shdr[i].sh_link = 2;
	}
	assert_int_equal(pwrite(fd, &ehdr, sizeof(ehdr), 0), sizeof(ehdr));
	assert_int_equal(pwrite(fd, shdr, sizeof(shdr), sizeof(ehdr)), sizeof(shdr));
	getrusage(RUSAGE_SELF, &before);
	assert_int_equal(elf_syms_load(&e, fd, NULL), 0);
	assert_int_equal(e.table.nr, 0);
	assert_true(e.is_cut); /* which is to be said */
	elf_syms_free(&e);
	/* within what may be read */
	shdr[1].sh_size = shdr[2].sh_size = 200u << 20;
	assert_int_equal(pwrite(fd, shdr, sizeof(shdr), sizeof(ehdr)), sizeof(shdr));
	assert_int_equal(elf_syms_load(&e, fd, NULL), 0);
	elf_syms_free(&e);
	/* more sections than a file with so many headers could be right about */
	ehdr.e_shnum = 0;
	shdr[0].sh_size = 1 << 26;
	assert_int_equal(pwrite(fd, &ehdr, sizeof(ehdr), 0), sizeof(ehdr));
	assert_int_equal(pwrite(fd, shdr, sizeof(shdr), sizeof(ehdr)), sizeof(shdr));
	assert_int_equal(elf_syms_load(&e, fd, NULL), 0);
	elf_syms_free(&e);
	getrusage(RUSAGE_SELF, &after);
	assert_true(after.ru_maxrss - before.ru_maxrss < 600 << 10); /* KiB */
	close(fd);
}

/* 64 GiB of zeros make 10 MiB of xz or so; what it unpacks to is bounded. */
static void test_xz_bomb(void **state)
{
	struct elf_syms e;

	(void)state;
	shell("head -c 300000000 /dev/zero | xz -0 >bomb.xz && cp bare bomb &&"
	      "objcopy --add-section .gnu_debugdata=bomb.xz bomb");
	load_with(&e, "bomb", NULL);
	assert_at(&e, nm("nopie", "hidden"), NULL);
	elf_syms_free(&e);
}

static atomic_bool stop;

static void *scribble(void *arg)
{
	unsigned char whole[65536];
	int fd = *(int *)arg;
	ssize_t len = pread(fd, whole, sizeof(whole), 0);
	unsigned int seed = 1;

	while (!stop) {
		size_t where = rand_r(&seed) % len;
		unsigned char byte = rand_r(&seed);

		if (pwrite(fd, &byte, 1, where) != 1 || ftruncate(fd, rand_r(&seed) % len) ||
		    pwrite(fd, whole, len, 0) != len)
			break;
	}
	return NULL;
}

static void test_changes_while_read(void **state)
{
	pthread_t thread;
	int fd, n;

	(void)state;
	shell("cp pie changing");
	fd = open(in_dir("changing"), O_RDWR | O_CLOEXEC);
	assert_int_equal(pthread_create(&thread, NULL, scribble, &fd), 0);
	for (n = 0; n < 3000; n++)
		try_load(fd);
	stop = true;
	pthread_join(thread, NULL);
	close(fd);
}

/* What objdump calls a stub is found at each of its bytes, and nothing else is called one. */
static void compare_stubs(const char *file)
{
	struct elf_syms e;
	char command[256], name[128], want[160];
	unsigned long long addr;
	size_t nr = 0;
	int fd = open(in_dir("%s", file), O_RDONLY | O_CLOEXEC);
	FILE *f;

	assert_true(fd >= 0);
	assert_int_equal(elf_syms_load(&e, fd, NULL), 0);
	close(fd);
	for (size_t i = 0; i < e.table.nr; i++)
		nr += strstr(symtab_name(&e.table, &e.table.syms[i]), "@plt") != NULL;
	assert_true(nr >= 3);
	snprintf(command, sizeof(command),
		 "objdump -d %s | sed -nE 's/^([0-9a-f]+) <([^>]*)@plt>:$/\\1 \\2/p'",
		 in_dir("%s", file));
	f = popen(command, "re");
	assert_non_null(f);
	while (fscanf(f, "%llx %127s", &addr, name) == 2) {
		const struct symbol *sym = symtab_find(&e.table, addr);

		snprintf(want, sizeof(want), "%s@plt", name);
		assert_non_null(sym);
		assert_string_equal(symtab_name(&e.table, sym), want);
		assert_ptr_equal(symtab_find(&e.table, addr + 7), sym);
		nr--;
	}
	assert_int_equal(pclose(f), 0);
	assert_int_equal(nr, 0);
	elf_syms_free(&e);
}

static void test_stubs(void **state)
{
	static const char *const flags[] = { "-fcf-protection=none", "-fcf-protection=full",
					     "-fcf-protection=none -Wl,-z,now",
					     "-no-pie -Wl,-z,now",
					     "-fcf-protection=full -Wl,-z,ibtplt" };
	char command[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		snprintf(command, sizeof(command),
			 "gcc -O1 %s -o stubs%zu stubs.c && strip stubs%zu", flags[i], i, i);
		shell(command);
		snprintf(command, sizeof(command), "stubs%zu", i);
		compare_stubs(command);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stubs),
		cmocka_unit_test(test_symtab),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_dynsym_only),
		cmocka_unit_test(test_no_size),
		cmocka_unit_test(test_minidebuginfo),
		cmocka_unit_test(test_build_id),
		cmocka_unit_test(test_debuglink),
		cmocka_unit_test(test_debug_file_owner),
		cmocka_unit_test(test_choice),
		cmocka_unit_test(test_not_elf),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_corrupt),
		cmocka_unit_test(test_sparse),
		cmocka_unit_test(test_xz_bomb),
		cmocka_unit_test(test_changes_while_read),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
