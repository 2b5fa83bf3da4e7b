/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/util.h"
#include "elf_fixture.h"
#include "symbols/elfsyms.h"
#include "symbols/gopclntab.h"

/* Where the code of crafted tables is, and three functions in it, of which the last one's end is
 * known too. */
#define CODE	 0x401000
#define CODE_END 0x401100

static const struct {
	unsigned int at;
	const char *name;
} functions[] = { { 0, "internal/cpu.Initialize" },
		  { 0x40, "main.(*T).burn" },
		  { 0x60, "main.main" },
		  { 0x90, NULL } };

static const uint32_t magics[] = { 0xfffffffb, 0xfffffffa, 0xfffffff0, 0xfffffff1 };

static uint64_t end_of_code(void *arg, uint64_t addr)
{
	(void)arg;
	return addr >= CODE && addr < CODE_END ? CODE_END : addr;
}

struct crafted {
	unsigned char data[1024];
	size_t size;
};

static void put(struct crafted *c, size_t at, uint64_t value, unsigned int bytes)
{
	uint32_t v32 = value;

	memcpy(c->data + at, bytes == 4 ? (void *)&v32 : &value, bytes);
	if (at + bytes > c->size)
		c->size = at + bytes;
}

/* The table of the three functions, with gaps between its parts. */
static void craft(struct crafted *c, uint32_t magic, unsigned int word, uint64_t text)
{
	bool is_relative = magic == 0xfffffff0 || magic == 0xfffffff1;
	unsigned int field = is_relative ? 4 : word, words = 8, i;
	size_t names = 128, list = 256, infos = 512;

	*c = (struct crafted){ 0 };
	put(c, 0, magic, 4);
	put(c, 6, 1, 1);
	c->data[6] = 1;
	c->data[7] = word;
	put(c, 8, 3, word);
	if (magic == 0xfffffffb) {
		list = 8 + word;
	} else {
		words = is_relative ? 3 : 2;
		if (is_relative)
			put(c, 8 + 2 * word, text, word);
		put(c, 8 + words * word, names, word);
		put(c, 8 + (words + 4) * word, list, word);
	}
	for (i = 0; i < 4; i++) {
		uint64_t addr = functions[i].at + (is_relative ? 0 : CODE);
		size_t info = infos + i * 64, base = magic == 0xfffffffb ? 0 : list;
		size_t name = names + i * 40;

		put(c, list + 2 * i * field, addr, field);
		if (!functions[i].name)
			break;
		put(c, list + (2 * i + 1) * field, info - base, field);
		put(c, info, addr, field);
		put(c, info + field, name - (magic == 0xfffffffb ? 0 : names), 4);
		put(c, info + 40, 0, 4);
		strcpy((char *)c->data + name, functions[i].name);
	}
}

/* Reads so many bytes of it, behind which there is nothing. */
static int add(struct symtab *t, const struct crafted *c, size_t size, uint64_t text)
{
	unsigned char *copy = malloc(size ? size : 1);
	int err;

	assert_non_null(copy);
	memcpy(copy, c->data, size);
	err = gopclntab_add(t, &(struct gopclntab){ .data = copy, .size = size, .text = text },
			    end_of_code, NULL);
	free(copy);
	for (size_t i = 0; i < t->nr; i++) {
		assert_true(t->syms[i].addr >= CODE && t->syms[i].size);
		assert_true(t->syms[i].addr + t->syms[i].size <= CODE_END);
	}
	symtab_finish(t, NULL, NULL);
	return err;
}

static void assert_name(const struct symtab *t, uint64_t addr, const char *want)
{
	const struct symbol *sym = symtab_find(t, addr);
	const char *got = sym ? symtab_name(t, sym) : NULL;

	if (want ? !got || strcmp(got, want) : got != NULL)
		fail_msg("at %#llx: %s, not %s", (unsigned long long)addr, got, want);
}

static void assert_functions(const struct symtab *t)
{
	assert_int_equal(t->nr, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_name(t, CODE + functions[i].at, functions[i].name);
		assert_name(t, CODE + functions[i + 1].at - 1, functions[i].name);
	}
	assert_name(t, CODE - 1, NULL);
	assert_name(t, CODE + functions[3].at, NULL);
}

static void test_versions(void **state)
{
	struct crafted c;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(magics); i++) {
		for (unsigned int word = 4; word <= 8; word += 4) {
			struct symtab t = { 0 };

			craft(&c, magics[i], word, CODE);
			assert_int_equal(add(&t, &c, c.size, 0), 0);
			assert_functions(&t);
			symtab_free(&t);
			/* Go 1.26: the code's address is known from elsewhere, or not at all */
			craft(&c, magics[i], word, 0);
			assert_int_equal(add(&t, &c, c.size, CODE), 0);
			assert_functions(&t);
			symtab_free(&t);
			assert_int_equal(add(&t, &c, c.size, 0), i < 2 ? 0 : -ENOEXEC);
			symtab_free(&t);
		}
	}
}

static void test_others(void **state)
{
	static const struct {
		size_t at;
		unsigned char byte;
	} changes[] = { { 0, 0xf2 }, { 3, 0 },	{ 4, 1 }, { 5, 1 }, { 6, 0 },
			{ 6, 3 },    { 7, 16 }, { 7, 0 }, { 8, 0 } /* no function */ };
	struct crafted c;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		struct symtab t = { 0 };

		craft(&c, 0xfffffff1, 8, CODE);
		c.data[changes[i].at] = changes[i].byte;
		assert_int_equal(add(&t, &c, c.size, 0), -ENOEXEC);
		assert_int_equal(t.nr, 0);
	}
}

/* Functions that end before they begin, or in other code, or have no name, are left out; the others
 * are there. */
static void test_odd_functions(void **state)
{
	struct symtab t = { 0 };
	struct crafted c;

	(void)state;
	craft(&c, 0xfffffff0, 8, CODE);
	put(&c, 256 + 8, 0x70, 4); /* the second one is behind the third */
	assert_int_equal(add(&t, &c, c.size, 0), 0);
	assert_int_equal(t.nr, 2);
	assert_name(&t, CODE + 0x60, "main.main");
	symtab_free(&t);

	craft(&c, 0xfffffff0, 8, CODE);
	put(&c, 256 + 24, 0x10000, 4); /* the last one ends beyond the code */
	assert_int_equal(add(&t, &c, c.size, 0), 0);
	assert_name(&t, CODE_END - 1, "main.main");
	assert_name(&t, CODE_END, NULL);
	symtab_free(&t);

	craft(&c, 0xfffffff0, 8, CODE);
	put(&c, 512 + 64 + 4, 0xfffffff0, 4); /* the second one's name */
	c.data[128] = 0;		      /* the first one's is empty */
	assert_int_equal(add(&t, &c, c.size, 0), 0);
	assert_int_equal(t.nr, 1);
	assert_name(&t, CODE + 0x60, "main.main");
	symtab_free(&t);

	craft(&c, 0xfffffff0, 8, CODE_END);
	assert_int_equal(add(&t, &c, c.size, 0), 0); /* none of it is code */
	assert_int_equal(t.nr, 0);
}

static void test_cut(void **state)
{
	struct crafted c;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(magics); i++) {
		for (unsigned int word = 4; word <= 8; word += 4) {
			craft(&c, magics[i], word, CODE);
			for (size_t size = 0; size < c.size; size++) {
				struct symtab t = { 0 };
				int err = add(&t, &c, size, 0);

				assert_true(!err || err == -ENOEXEC);
				/* so many whole entries are not within what is left */
				assert_true(size >= 40 || err == -ENOEXEC);
				assert_true(t.nr <= 3);
				symtab_free(&t);
			}
		}
	}
}

/* Each word of it in turn is something else. */
static void test_hostile(void **state)
{
	static const uint64_t values[] = {
		0,	    1,		7,	   0xff,      0x7fffffff,	0x80000000,
		0xfffffffe, 0xffffffff, INT64_MAX, INT64_MIN, UINT64_MAX - 255, UINT64_MAX
	};
	struct crafted c, good;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(magics); i++) {
		craft(&good, magics[i], i % 2 ? 4 : 8, CODE);
		for (size_t at = 8; at + 8 <= good.size; at += 4) {
			for (size_t v = 0; v < 2 * (ARRAY_SIZE(values) + 8); v++) {
				size_t n = v / 2;
				struct symtab t = { 0 };
				uint64_t value = n < ARRAY_SIZE(values)
							 ? values[n]
							 : good.size - 4 * (n - ARRAY_SIZE(values));

				c = good;
				put(&c, at, value, v % 2 ? 4 : 8);
				add(&t, &c, c.size, 0);
				assert_true(t.nr <= 64);
				symtab_free(&t);
			}
		}
	}
}

static uint64_t all_is_code(void *arg, uint64_t addr)
{
	(void)arg;
	(void)addr;
	return UINT64_MAX;
}

/* Many functions with names as long as may be, of which no two in a row are the same: what is taken
 * is bounded. */
static void test_too_many(void **state)
{
	const uint32_t nr = SYMTAB_MAX_NAMES / SYMTAB_MAX_NAME + 10, names = 72, list = 9072;
	size_t size = list + 8 * nr + 4 + 2 * 8;
	unsigned char *data = calloc(size, 1);
	uint32_t *at = (void *)(data + list);
	struct gopclntab g = { .data = data, .size = size, .text = CODE };
	struct symtab t = { 0 };

	(void)state;
	assert_non_null(data);
	memcpy(data, &magics[3], 4);
	data[6] = 1;
	data[7] = 8;
	memcpy(data + 8, &nr, 4);
	memcpy(data + 8 + 3 * 8, &names, 4);
	memcpy(data + 8 + 7 * 8, &list, 4);
	memset(data + names, 'a', 4499);
	memset(data + names + 4500, 'b', 4499);
	for (uint32_t i = 0; i <= nr; i++) {
		at[2 * i] = 16 * i;
		if (i < nr)
			at[2 * i + 1] = 8 * nr + 4 + i % 2 * 8;
	}
	at[2 * nr + 1 + 2 + 1] = 4500;
	assert_int_equal(gopclntab_add(&t, &g, all_is_code, NULL), -E2BIG);
	assert_true(t.nr > nr / 2 && t.nr < nr);
	symtab_finish(&t, NULL, NULL);
	assert_int_equal(strlen(symtab_name(&t, symtab_find(&t, CODE))), SYMTAB_MAX_NAME);
	symtab_free(&t);
	free(data);
}

/*
 * A file as Go makes it with another linker: code of the C library in front of Go's, an exported
 * function behind it. Its symbols are other names than those of the table, to tell them apart.
 */
static const char file[] = "	.text\n"
			   "	.skip 16\n"
			   "	.type first, @function\n"
			   "	.type second, @function\n"
			   "text:\n"
			   "first: .skip 32\n"
			   "	.size first, 20\n"
			   "second: .skip 16\n"
			   "	.size second, 16\n"
			   "end:\n"
			   "	.globl shown\n"
			   "	.type shown, @function\n"
			   "shown: .skip 8\n"
			   "	.size shown, 8\n"
			   "	.section .note.go.buildid, \"a\"\n"
			   "	.8byte 0\n"
			   "	.section TABLE\n"
			   "	.8byte 0xfffffff1, 1\n"
			   "	.balign 32\n"
			   "table: .4byte MAGIC\n"
			   "	.byte 0, 0, 1, 8\n"
			   "	.8byte 2, 0, TEXT, names - table, 0, 0, 0, list - table\n"
			   "names: .asciz \"main.one\", \"main.two\"\n"
			   "	.balign 8\n"
			   "list: .4byte first - text, one - list, second - text, two - list\n"
			   "	.4byte end - text\n"
			   "one: .4byte first - text, 0\n"
			   "two: .4byte second - text, 9\n"
			   "	.section MODULE, \"aw\"\n"
			   "	.8byte SKEW, table, table\n" /* others that point to it */
			   "	.8byte table\n"
			   "	.fill 19, 8, 0x11\n"
			   "	.8byte first + SKEW, end, text, end\n";

struct built {
	const char *table, *module; /* their sections */
	const char *magic, *text, *skew, *link;
	bool known;
};

static void build_file(const struct built *b, const char *name)
{
	char line[1024];

	snprintf(line, sizeof(line),
		 "sed -e 's/TABLE/%s/' -e 's/MODULE/%s/' -e 's/MAGIC/%s/' -e 's/TEXT/%s/' "
		 "-e 's/SKEW/%s/' file.s >%s.s && gcc -nostdlib -Wl,--build-id=none %s -o %s.full "
		 "%s.s && cp %s.full %s && strip %s",
		 b->table, b->module, b->magic, b->text, b->skew, name, b->link, name, name, name,
		 name, name);
	shell(line);
}

static void load_file(struct elf_syms *e, const char *name)
{
	int fd = open(in_dir("%s", name), O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(elf_syms_load(e, fd, NULL), 0);
	assert_false(e->is_cut);
	close(fd);
}

static void assert_file(const char *name, const char *full, const char *one, const char *two)
{
	uint64_t text = nm(full, "text");
	struct elf_syms e;

	load_file(&e, name);
	assert_name(&e.table, text - 1, NULL);
	assert_name(&e.table, text, one);
	assert_name(&e.table, text + 19, one);
	assert_name(&e.table, text + 32, two);
	assert_name(&e.table, text + 47, two);
	elf_syms_free(&e);
}

#define STATIC "-static -Wl,-e,0"
#define SHARED "-shared"

static void test_files(void **state)
{
	static const struct built files[] = {
		{ ".gopclntab, \"a\"", ".go.data", "0xfffffff0", "text", "0", STATIC, true },
		{ ".gopclntab, \"aw\"", ".go.data", "0xfffffff0", "text", "0", SHARED, true },
		{ ".data.rel.ro.gopclntab, \"aw\"", ".x", "0xfffffff1", "text", "0", SHARED, true },
		/* Go 1.26 on */
		{ ".gopclntab, \"a\"", ".go.module", "0xfffffff1", "0", "0", STATIC, true },
		{ ".gopclntab, \"a\"", ".go.module", "0xfffffff1", "0", "0", SHARED, true },
		{ ".gopclntab, \"a\"", ".data.rel.ro.go.module", "0xfffffff1", "0", "0", SHARED,
		  true },
		/* not known: nothing is guessed */
		{ ".gopclntab, \"a\"", ".go.module", "0xfffffff1", "0", "1", STATIC, false },
		{ ".gopclntab, \"a\"", ".other", "0xfffffff1", "0", "0", STATIC, false },
		{ ".gopclntab, \"a\"", ".go.module", "0xfffffff2", "text", "0", STATIC, false },
		{ ".other, \"a\"", ".go.module", "0xfffffff1", "text", "0", STATIC, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		struct built b = files[i];
		char table[64];

		/* other linkers take the parts of .data.rel.ro together, and what is in front stays
		 * with it; where a section has the table's name, it begins with it */
		snprintf(table, sizeof(table), "%s", b.table);
		write_file("file.s", file);
		if (strncmp(table, ".data.rel.ro", 12))
			shell("sed -i '/0xfffffff1, 1$/d; /balign 32/d' file.s");
		build_file(&b, "made");
		assert_file("made", "made.full", b.known ? "main.one" : NULL,
			    b.known ? "main.two" : NULL);
		assert_file("made.full", "made.full", "first", "second");
	}
}

/* Of the address that is moved along with the file, the file has nothing; the relocation has. */
static void test_only_relocated(void **state)
{
	static const struct built b = {
		".gopclntab, \"aw\"", ".x", "0xfffffff0", "text", "0", SHARED, true
	};
	static const char zeros[8];
	char line[256];
	long offset;
	FILE *f;
	int fd;

	(void)state;
	write_file("file.s", file);
	shell("sed -i '/0xfffffff1, 1$/d; /balign 32/d' file.s");
	build_file(&b, "moved");
	snprintf(line, sizeof(line),
		 "objdump -h %s | awk '$2 == \".gopclntab\" { print \"0x\" $6 }'", in_dir("moved"));
	f = popen(line, "r");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%li", &offset), 1);
	pclose(f);
	fd = open(in_dir("moved"), O_RDWR | O_CLOEXEC);
	assert_int_equal(pwrite(fd, zeros, sizeof(zeros), offset + 8 + 2 * 8), sizeof(zeros));
	close(fd);
	assert_file("moved", "moved.full", "main.one", "main.two");
}

/* What else a file may have kept: it goes before, and both are there. */
static void test_together(void **state)
{
	static const struct built b = {
		".gopclntab, \"aw\"", ".x", "0xfffffff0", "text", "0", SHARED, true
	};
	struct elf_syms e;

	(void)state;
	write_file("file.s", file);
	shell("sed -i '/0xfffffff1, 1$/d; /balign 32/d' file.s");
	build_file(&b, "both");
	load_file(&e, "both");
	assert_name(&e.table, nm("both.full", "shown"), "shown");
	assert_name(&e.table, nm("both.full", "text"), "main.one");
	elf_syms_free(&e);
	/* a table of symbols from which the local ones were taken, and one that is empty */
	shell("cp both.full some && strip -x some && cp both.full none && strip -N shown -x none");
	assert_file("some", "both.full", "main.one", "main.two");
	assert_file("none", "both.full", "main.one", "main.two");
	/* sections cannot be told apart without their names */
	shell("objcopy --rename-section .gopclntab=.y --rename-section .note.go.buildid=.z both "
	      "unknown");
	assert_file("unknown", "both.full", NULL, NULL);
}

static const char program[] =
	"package main\n"
	"import \"C\"\n"
	"type T[K any] struct { k K }\n"
	"//go:noinline\n"
	"func (t *T[K]) burn(n int) int { for i := 0; i < n; i++ { n ^= i }; return n }\n"
	"//export Exported\n"
	"func Exported(n int) int { return func() int { return new(T[int]).burn(n) }() }\n"
	"func main() { println(Exported(100)) }\n";

/* All that nm finds of a program, where that has its symbols, is found without them. */
static void compare(const char *full, const char *name)
{
	char line[512], symbol[512];
	unsigned long long addr;
	struct elf_syms e;
	size_t nr = 0;
	FILE *f;

	load_file(&e, name);
	snprintf(line, sizeof(line),
		 "nm %s | sed -nE 's/^([0-9a-f]+) [tT] ((main|runtime)\\.[^[]*)$/\\1 \\2/p' |"
		 " sed 's/[.]abi0$//' | grep -vE ' runtime.e?text$'",
		 in_dir("%s.full", full));
	f = popen(line, "r");
	assert_non_null(f);
	while (fscanf(f, "%llx %511s", &addr, symbol) == 2) {
		if (strstr(symbol, "_cgo"))
			continue;
		assert_name(&e.table, addr, symbol);
		nr++;
	}
	assert_int_equal(pclose(f), 0);
	assert_true(nr > 200);
	elf_syms_free(&e);
}

static void test_go(void **state)
{
	static const struct {
		const char *name, *cgo, *options, *source;
	} builds[] = {
		{ "plain", "0", "", "plain.go" },
		{ "pie", "0", "-buildmode=pie", "plain.go" },
		{ "cgo", "1", "", "main.go" },
		{ "cgopie", "1", "-buildmode=pie", "main.go" },
		{ "shared", "1", "-buildmode=c-shared", "main.go" },
	};
	char line[1024];

	(void)state;
	if (system("go version >/dev/null 2>&1")) {
		print_message("no go: the package golang-go has it\n");
		skip();
	}
	write_file("main.go", program);
	write_file("go.mod", "module burn\ngo 1.18\n");
	shell("sed -e '/import \"C\"/d' -e '/export/d' main.go >plain.go");
	for (size_t i = 0; i < ARRAY_SIZE(builds); i++) {
		const char *name = builds[i].name;

		snprintf(line, sizeof(line),
			 "export HOME=$PWD GOCACHE=$PWD/cache GOTOOLCHAIN=local CGO_ENABLED=%s;"
			 "go build -p 1 %s -o %s.full %s && cp %s.full %s && strip %s && "
			 "go build -p 1 %s -ldflags='-s -w' -o %s.flags %s",
			 builds[i].cgo, builds[i].options, name, builds[i].source, name, name, name,
			 builds[i].options, name, builds[i].source);
		shell(line);
		compare(name, name);
		snprintf(line, sizeof(line), "%s.flags", name);
		compare(name, line);
	}
}

static int setup(void **state)
{
	(void)state;
	fixture_begin();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fixture_end();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_versions),      cmocka_unit_test(test_others),
		cmocka_unit_test(test_odd_functions), cmocka_unit_test(test_cut),
		cmocka_unit_test(test_hostile),	      cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_files),	      cmocka_unit_test(test_only_relocated),
		cmocka_unit_test(test_together),      cmocka_unit_test(test_go),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
