/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The names of a process that is one program after another, or maps one library after another at
 * the same addresses. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/clock.h"
#include "symbols/maps.h"
#include "symbols_fixture.h"

/* For each line of input "FILE" it closes the library that it has open, opens that one, and prints
 * where its function is; "=PROGRAM" is executed. */
static const char host[] =
	"#include <dlfcn.h>\n#include <stdio.h>\n#include <string.h>\n#include <unistd.h>\n"
	"int main(int argc, char **argv)\n"
	"{\n"
	"	char line[512];\n"
	"	void *open = NULL;\n"
	"	puts(\"0\");\n"
	"	fflush(stdout);\n"
	"	while (fgets(line, sizeof(line), stdin)) {\n"
	"		line[strcspn(line, \"\\n\")] = 0;\n"
	"		if (line[0] == '=') execl(line + 1, line + 1, NULL);\n"
	"		if (open) dlclose(open);\n"
	"		open = dlopen(line, RTLD_NOW);\n"
	"		printf(\"%lx\\n\", open ? (long)dlsym(open, \"where\") : 0);\n"
	"		fflush(stdout);\n"
	"	}\n"
	"	return HOST + argc;\n"
	"}\n"
	"__attribute__((noinline)) int NAME(int x) { return getpid() + x; }\n";
static const char plugin[] = "extern int getpid(void);\n"
			     "__attribute__((noinline)) int NAME(int x) { return getpid() + x; }\n"
			     "__asm__(\".globl where\\n.set where, \" TEXT(NAME));\n";

static int group_setup(void **state)
{
	(void)state;
	fixture_begin();
	write_file("host.c", host);
	write_file("plugin.c", plugin);
	/* both programs at the same addresses, and both plugins as large as each other */
	shell("for x in a b; do"
	      " gcc -O1 -no-pie -DHOST=1 -DNAME=only_in_$x -o host_$x host.c -ldl &&"
	      " gcc -O1 -shared -fPIC -DNAME=hot_$x \"-DTEXT(x)=\\\"hot_$x\\\"\" -o $x.so plugin.c"
	      " || exit 1; done");
	return 0;
}

struct host {
	pid_t pid;
	FILE *to, *from;
};

static uint64_t answer(const struct host *c)
{
	unsigned long long addr;

	assert_int_equal(fscanf(c->from, "%llx", &addr), 1);
	return addr;
}

static void start(struct host *c, const char *name)
{
	int in[2], out[2];

	assert_int_equal(pipe2(in, O_CLOEXEC) | pipe2(out, O_CLOEXEC), 0);
	c->pid = fixture_run(name, NULL, 0, in[0], out[1]);
	close(in[0]);
	close(out[1]);
	c->to = fdopen(in[1], "w");
	c->from = fdopen(out[0], "r");
	answer(c);
}

static void end(struct host *c)
{
	kill(c->pid, SIGKILL);
	waitpid(c->pid, NULL, 0);
	fclose(c->to);
	fclose(c->from);
}

static uint64_t tell(const struct host *c, const char *prefix, const char *name)
{
	fprintf(c->to, "%s%s\n", prefix, in_dir("%s", name));
	fflush(c->to);
	return answer(c);
}

/* What a sample of the process would say now, by the @generation. */
static struct task_image image_of(const struct host *c, uint64_t generation)
{
	struct process_id id;

	assert_int_equal(process_id_read(c->pid, &id), 0);
	return (struct task_image){
		.generation = generation,
		.layout = task_layout(id.start_code, id.end_code, id.start_stack),
	};
}

static uint32_t remember(const struct host *c, const struct task_image *im, uint64_t ts)
{
	return symbols_remember_image(s, c->pid, im, ts, false);
}

/* The same when it may be too early for another look. */
static uint32_t remember_soon(const struct host *c, const struct task_image *im, uint64_t ts)
{
	uint32_t image = SYMBOLS_GONE;

	for (int i = 0; i < 5000 && image == SYMBOLS_GONE; i++) {
		image = remember(c, im, ts);
		usleep(1000);
	}
	assert_int_not_equal(image, SYMBOLS_GONE);
	return image;
}

static void assert_name(const struct host *c, uint32_t image, uint64_t addr, const char *want)
{
	struct frame_name n;

	symbols_user_image(s, c->pid, image, addr, &n);
	if (want ? !n.function || strcmp(n.function, want) : n.function != NULL)
		fail_msg("at %#llx: %s, not %s", (unsigned long long)addr, n.function, want);
}

/* A library in the place of another one, as the kernel tells it. Returns when that was. */
static uint64_t load_over(const struct host *c, const char *name, uint64_t addr)
{
	uint64_t ts;

	assert_int_equal(tell(c, "", name), addr);
	ts = clock_mono_ns();
	symbols_mapped(s, c->pid, ts, addr & ~4095ull, (addr & ~4095ull) + 4096);
	usleep(1000);
	return ts;
}

static void test_execs(void **state)
{
	uint64_t a = nm("host_a", "only_in_a"), b = nm("host_b", "only_in_b");
	struct task_image first, second, third;
	uint32_t in_a, in_b;
	struct host c;

	(void)state;
	assert_int_equal(a, b);
	start(&c, "host_a");
	first = image_of(&c, 1);
	in_a = remember(&c, &first, clock_mono_ns());
	assert_int_not_equal(in_a, SYMBOLS_GONE);
	tell(&c, "=", "host_b");
	second = image_of(&c, 2);
	assert_int_equal(remember(&c, &first, clock_mono_ns()), in_a); /* a late one */
	in_b = remember(&c, &second, clock_mono_ns());
	assert_int_not_equal(in_b, SYMBOLS_GONE);
	assert_int_not_equal(in_b, in_a);
	assert_name(&c, in_b, b, "only_in_b");
	assert_name(&c, in_a, a, "only_in_a");

	/* a sample that comes when its program is there no more */
	tell(&c, "=", "host_a");
	third = image_of(&c, 3);
	tell(&c, "=", "host_b");
	assert_int_equal(remember(&c, &third, clock_mono_ns()), SYMBOLS_GONE);
	assert_name(&c, SYMBOLS_GONE, a, NULL);
	end(&c);
	assert_name(&c, in_b, b, "only_in_b");
	/* one of which nothing is known has ended */
	third.generation = 4;
	assert_int_equal(remember(&c, &third, clock_mono_ns()), SYMBOLS_GONE);
}

/* Without random addresses /proc says the same of both programs. What was read after the last
 * sample of the first one may have been the second one's. */
static void test_not_random(void **state)
{
	uint64_t begun = clock_mono_ns();
	struct task_image first, second;
	uint32_t sure, unsure, now;
	struct host c, d;

	(void)state;
	start(&c, "host_a");
	first = image_of(&c, 1);
	second = image_of(&c, 2);
	unsure = remember(&c, &first, begun);
	now = remember(&c, &second, clock_mono_ns());
	assert_int_not_equal(now, unsure);
	assert_name(&c, now, nm("host_a", "only_in_a"), "only_in_a");
	assert_name(&c, unsure, nm("host_a", "only_in_a"), NULL);
	assert_int_equal(remember(&c, &first, begun), SYMBOLS_GONE);
	end(&c);

	start(&d, "host_a");
	first = image_of(&d, 1);
	second = image_of(&d, 2);
	sure = remember(&d, &first, begun);
	assert_int_equal(remember(&d, &first, clock_mono_ns()), sure);
	remember(&d, &second, clock_mono_ns());
	assert_name(&d, sure, nm("host_a", "only_in_a"), "only_in_a");
	end(&d);
}

static void test_replaced(void **state)
{
	uint64_t addr, begun, to_b, to_a, again;
	uint32_t in_a, in_b;
	struct task_image im;
	struct host c;

	(void)state;
	start(&c, "host_a");
	im = image_of(&c, 1);
	addr = tell(&c, "", "a.so");
	begun = clock_mono_ns();
	in_a = remember(&c, &im, begun);
	to_b = load_over(&c, "b.so", addr);
	in_b = remember_soon(&c, &im, clock_mono_ns());
	assert_int_not_equal(in_b, in_a);
	assert_int_equal(remember(&c, &im, to_b - 1), in_a);
	assert_int_equal(remember(&c, &im, to_b), in_b);
	assert_name(&c, in_a, addr, "hot_a");
	assert_name(&c, in_b, addr, "hot_b");

	/* there and back before anybody has looked */
	to_a = load_over(&c, "a.so", addr);
	again = load_over(&c, "b.so", addr);
	assert_int_equal(remember_soon(&c, &im, again), in_b);
	assert_int_equal(remember(&c, &im, to_a), SYMBOLS_GONE);
	assert_int_equal(remember(&c, &im, again - 1), SYMBOLS_GONE);

	/* the kernel's word got lost */
	assert_int_equal(tell(&c, "", "a.so"), addr);
	symbols_mapped_lost(s);
	for (int i = 0; i < 5000; i++) {
		in_a = remember(&c, &im, clock_mono_ns());
		if (in_a != in_b && in_a != SYMBOLS_GONE)
			break;
		usleep(1000);
	}
	assert_name(&c, in_a, addr, "hot_a");
	assert_name(&c, in_b, addr, "hot_b");
	end(&c);
}

/* What a process did before it was looked at first: of one that is older than we, all counts. */
static void test_before_first_look(void **state)
{
	uint64_t addr, to_a, to_b;
	struct task_image im;
	struct host c, older;
	uint32_t image;

	(void)state;
	start(&older, "host_a");
	im = image_of(&older, 1);
	addr = tell(&older, "", "a.so");
	usleep(20000);
	symbols_free(s);
	s = symbols_new();
	to_b = load_over(&older, "b.so", addr);
	assert_int_equal(remember(&older, &im, to_b - 1), SYMBOLS_GONE);
	image = remember(&older, &im, to_b);
	assert_name(&older, image, addr, "hot_b");
	end(&older);

	usleep(20000);
	start(&c, "host_a");
	im = image_of(&c, 1);
	addr = tell(&c, "", "a.so");
	to_a = clock_mono_ns();
	symbols_mapped(s, c.pid, to_a, addr & ~4095ull, (addr & ~4095ull) + 4096);
	usleep(1000);
	to_b = load_over(&c, "b.so", addr);
	symbols_mapped(s, c.pid, to_b + 1, 4096, 8192); /* a place of its own */
	usleep(1000);
	assert_int_equal(remember(&c, &im, to_b - 1), SYMBOLS_GONE);
	image = remember(&c, &im, to_b);
	assert_name(&c, image, addr, "hot_b");
	end(&c);
}

/* A library that is written anew has the inode of the one before, as a rule: where it was removed,
 * or where it was overwritten (then nothing is left of the old one). */
static void test_built_anew(void **state)
{
	uint32_t in_a, in_b, now;
	struct task_image im;
	struct host c;
	uint64_t addr;

	(void)state;
	shell("cp a.so new.so");
	start(&c, "host_a");
	im = image_of(&c, 1);
	addr = tell(&c, "", "new.so");
	in_a = remember(&c, &im, clock_mono_ns());
	assert_name(&c, in_a, addr, "hot_a");
	shell("mv new.so old.so; rm old.so; cp b.so new.so");
	load_over(&c, "new.so", addr);
	in_b = remember_soon(&c, &im, clock_mono_ns());
	assert_name(&c, in_b, addr, "hot_b");
	assert_name(&c, in_a, addr, "hot_a");

	shell("cp a.so c.so");
	load_over(&c, "c.so", addr);
	in_a = remember_soon(&c, &im, clock_mono_ns()); /* and no name is asked for as yet */
	tell(&c, "", "b.so");
	shell("cat b.so >c.so");
	load_over(&c, "c.so", addr);
	now = remember_soon(&c, &im, clock_mono_ns());
	assert_int_not_equal(now, in_a);
	assert_name(&c, in_a, addr, NULL);
	assert_name(&c, now, addr, "hot_b");
	end(&c);
}

/* A library that is loaded between two samples of a process that ends soon. */
static void test_loaded_later(void **state)
{
	struct symbols_stats before, now;
	struct task_image im;
	struct host c;
	uint32_t image;
	uint64_t addr;

	(void)state;
	start(&c, "host_a");
	im = image_of(&c, 1);
	image = remember(&c, &im, clock_mono_ns());
	addr = tell(&c, "", "a.so");
	symbols_mapped(s, c.pid, clock_mono_ns(), addr & ~4095ull, (addr & ~4095ull) + 4096);
	symbols_stats(s, &before);
	now = before;
	/* a look takes one part in 20 of the time at most */
	for (int i = 0; i < 1000 && now.mappings <= before.mappings; i++) {
		assert_int_equal(remember(&c, &im, clock_mono_ns()), image);
		symbols_stats(s, &now);
		usleep(10000);
	}
	end(&c);
	assert_name(&c, image, addr, "hot_a");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_execs),      TEST(test_not_random),	TEST(test_replaced),
		TEST(test_built_anew), TEST(test_loaded_later), TEST(test_before_first_look),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
