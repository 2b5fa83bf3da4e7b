/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <stdio.h>

#include "base/intern.h"
#include "output.h"
#include "output/flamegraph.h"
#include "run/run.h"
#include "stacks/frames.h"
#include "stacks/stacks.h"
#include "symbols/symbols.h"

#define MAIN   0x1000
#define WORK   0x2000
#define SLEEP  0x3000
#define EVIL   0x4000
#define START  0x5000
#define THREAD 0x6000
#define KERNEL 0xffffffff81000000

static struct json j;
static struct stacks *set;

/* Anywhere in a page is in its function; a place beyond 0x10000 is in no function of its module. */
static void name_frame(uint32_t pid, uint64_t addr, bool kernel, struct frame_name *name)
{
	(void)pid;
	if (kernel) {
		*name = (struct frame_name){ .function = "schedule", .module = "[kernel]" };
		return;
	}
	name->module = "prog";
	name->module_offset = addr;
	switch (addr & ~0xfffULL) {
	case MAIN:
		name->function = "main";
		break;
	case WORK:
		name->function = "work";
		break;
	case SLEEP:
		name->function = "sleep";
		break;
	case EVIL:
		name->function = "a;b<c>&\"\033]0;x\007\377]]>";
		break;
	case START:
		name->function = "__libc_start_call_main";
		break;
	case THREAD:
		name->function = "start_thread";
		break;
	default:
		if (addr >= 0x100000)
			name->module = NULL;
	}
}

static int setup(void **state)
{
	const struct stacks_config config = { .unit = "samples",
					      .title = "<&>",
					      .labels = { "state" },
					      .name_frame = name_frame,
					      .max = 8 };

	json_init(&j, &o);
	stacks_options = (struct stacks_options){ .max = STACKS_MAX_DEFAULT };
	set = stacks_new(&config);
	return setup_output(state) || !set;
}

static int teardown(void **state)
{
	stacks_free(set);
	return teardown_output(state);
}

#define ADD(key_, kernel_, user_, weight_)                                                         \
	stacks_add(set, (key_), (kernel_), sizeof(kernel_) / sizeof(uint64_t), (user_),            \
		   sizeof(user_) / sizeof(uint64_t), (weight_))
#define STACK(...) ((const uint64_t[]){ __VA_ARGS__ })

static const uint64_t none[] = {};
static const struct stack_key p = { .pid = 7, .comm = "prog" };

static void add_some(void)
{
	assert_true(ADD(&p, none, STACK(WORK, MAIN), 3));
	assert_true(ADD(&p, none, STACK(WORK + 8, MAIN + 4), 4)); /* other places of the same */
	assert_true(ADD(&p, STACK(KERNEL), STACK(SLEEP, MAIN), 2));
	assert_true(ADD(&p, none, STACK(WORK, WORK, MAIN), 1)); /* recursion */
}

static void test_listing(void **state)
{
	(void)state;
	add_some();
	stacks_options.delimited = stacks_options.annotated = true;
	stacks_listing(set, &o);
	assert_string_equal(text(), "    work\n    work\n    main\n"
				    "    -                prog (7)\n        1\n\n"
				    "    schedule_[k]\n    --\n    sleep\n    main\n"
				    "    -                prog (7)\n        2\n\n"
				    "    work\n    main\n"
				    "    -                prog (7)\n        7\n\n");
}

static void test_folded(void **state)
{
	(void)state;
	add_some();
	stacks_folded(set, &o);
	assert_string_equal(text(), "prog;main;work;work 1\n"
				    "prog;main;sleep;schedule 2\n"
				    "prog;main;work 7\n");
}

static void test_top(void **state)
{
	const char *t;

	(void)state;
	add_some();
	stacks_top(set, &o, 2);
	t = text();
	assert_non_null(strstr(t, " SELF%  TOTAL%   SAMPLES  FUNCTION"));
	/* recursion counts once in the total */
	assert_non_null(strstr(t, "\n 80.00   80.00         8  work "));
	assert_non_null(strstr(t, "\n 20.00   20.00         2  schedule "));
	assert_null(strstr(t, "main"));
	stacks_top_json(set, &j);
	t = text();
	assert_non_null(strstr(t, "{\"type\":\"function\",\"self\":8,\"total\":8,"
				  "\"function\":\"work\",\"module\":\"prog\"}\n"));
	assert_non_null(strstr(t, "\"self\":0,\"total\":10,\"function\":\"main\""));
}

/* Places of which only the module is known are one function of the table, and one frame of the
 * picture; elsewhere each says where it is. */
static void test_unknown(void **state)
{
	const char *t;

	(void)state;
	assert_true(ADD(&p, none, STACK(0x10010, MAIN), 3));
	assert_true(ADD(&p, none, STACK(0x10020, 0x10030, MAIN), 2));
	assert_true(ADD(&p, none, STACK(0x200000), 1)); /* in no module */
	stacks_folded(set, &o);
	assert_string_equal(text(), "prog;[unknown] 1\n"
				    "prog;main;[prog+0x10030];[prog+0x10020] 2\n"
				    "prog;main;[prog+0x10010] 3\n");
	stacks_top(set, &o, 0);
	t = text();
	assert_non_null(
		strstr(t, "\n 83.33   83.33         5  [prog]                         prog\n"));
	assert_non_null(strstr(t, "\n 16.67   16.67         1  [unknown]\n"));
	stacks_top_json(set, &j);
	t = text();
	assert_non_null(strstr(t, "{\"type\":\"function\",\"self\":5,\"total\":5,"
				  "\"function\":null,\"module\":\"prog\"}\n"));
	assert_non_null(strstr(t, "\"self\":1,\"total\":1,\"function\":null,\"module\":null}\n"));
	stacks_svg(set, &o);
	t = text();
	assert_non_null(strstr(t, "<title>[prog] (5 samples, 83.33 %)"));
	assert_null(strstr(t, "0x10010"));
}

/* Short stacks are cut, unless they begin where programs and threads do. */
static void test_cut(void **state)
{
	struct stacks_stats st;

	(void)state;
	assert_true(ADD(&p, none, STACK(WORK, MAIN), 1));
	assert_true(ADD(&p, none, STACK(MAIN, START), 1));
	assert_true(ADD(&p, none, STACK(MAIN, 0x10010), 1)); /* libc without its local symbols */
	assert_true(ADD(&p, none, STACK(WORK, THREAD), 1));
	stacks_folded(set, &o);
	text();
	stacks_stats(set, &st);
	assert_int_equal(st.user, 4);
	assert_int_equal(st.user_short, 0);
	assert_true(ADD(&p, none, STACK(WORK, 0x10010), 5));
	assert_true(ADD(&p, none, STACK(0x10010), 5));
	assert_true(ADD(&p, none, STACK(START, WORK), 5));
	assert_true(ADD(&p, none, STACK(WORK, WORK, WORK), 5)); /* not short */
	stacks_summary_json(set, &j);
	assert_string_equal(text(),
			    "\"stacks_left_out\":0,\"user_stacks\":8,\"user_stacks_cut\":3");
}

static void test_beginnings(void **state)
{
	(void)state;
	assert_true(frames_begin_at("_start", NULL, 1));
	assert_true(frames_begin_at("__libc_start_main@@GLIBC_2.34", "main", 5));
	assert_true(frames_begin_at("main.cold", NULL, 1));
	assert_true(frames_begin_at("clone3", "start_thread", 3));
	assert_false(frames_begin_at("clone3", NULL, 1)); /* makes a thread */
	assert_true(frames_begin_at(NULL, "main", 2));
	assert_false(frames_begin_at(NULL, NULL, 1));
	assert_false(frames_begin_at(NULL, "work", 2));
	assert_false(frames_begin_at("work", "main", 2));
	assert_false(frames_begin_at("mainly", NULL, 1));
	assert_false(frames_begin_at("clone_it", NULL, 2));
	assert_false(frames_begin_at("ns::main(int)", NULL, 1));
	assert_false(frames_begin_at("", "", 2));
}

/* So that memory can be short. */
#define MAX_ALLOCATION_MIB 32
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1:max_allocation_size_mb=32";
}

/* there if a sanitizer is linked in, which bounds memory */
void __asan_init(void) __attribute__((weak));

/* Where memory ends, that is said, and the tool fails. */
static void test_no_memory(void **state)
{
	const struct stacks_config config = { .name_frame = name_frame, .max = 4096 };
	static uint64_t frames[8192];
	static struct run r;
	struct stacks *many = stacks_new(&config);
	struct stack_key key = p;

	(void)state;
	if (!__asan_init)
		skip();
	assert_non_null(many);
	out_init(&r.out, file);
	stacks_options.folded = true;
	for (size_t i = 0; i < 8192; i++)
		frames[i] = MAIN + i % 0x1000;
	assert_true(stacks_add(many, &key, NULL, 0, frames, 8192, 1));
	stacks_report(many, &r);
	assert_false(r.failed);
	/* one stack of addresses, but as stacks of names 32 KiB for each process */
	while (key.pid < MAX_ALLOCATION_MIB * 32 + 100) {
		key.pid++;
		assert_true(stacks_add(many, &key, NULL, 0, frames, 8192, 1));
	}
	stacks_report(many, &r);
	assert_true(r.failed);
	stacks_remarks(many);
	stacks_free(many);
}

static void test_json(void **state)
{
	struct stack_key key = p;

	(void)state;
	key.labels[0] = stacks_text(set, "D");
	key.tid = 8;
	assert_true(ADD(&key, none, STACK(0x10010, 0x200000), 5));
	stacks_json(set, &j);
	assert_string_equal(
		text(), "{\"pid\":7,\"tid\":8,\"comm\":\"prog\",\"state\":\"D\",\"count\":5,"
			"\"kernel\":[],\"user\":[{\"function\":null,\"module\":\"prog\",\"offset\":"
			"65552},{\"function\":null,\"module\":null}]}\n");
	stacks_listing(set, &o);
	assert_string_equal(text(), "    [prog+0x10010]\n    [unknown]\n"
				    "    -                prog (8) D\n        5\n\n");
}

/* Where a weight is not a count (the time that a thread was blocked), JSON has both. */
static void test_weights(void **state)
{
	const struct stacks_config config = {
		.unit = "us", .weight_key = "total_us", .name_frame = name_frame, .max = 8
	};
	struct stacks *timed = stacks_new(&config);
	const uint64_t work[] = { WORK, MAIN }, sleep[] = { SLEEP, MAIN };

	(void)state;
	assert_non_null(timed);
	assert_true(stacks_add(timed, &p, NULL, 0, sleep, 2, 500));
	assert_true(stacks_add(timed, &p, NULL, 0, work, 2, 30));
	assert_true(stacks_add(timed, &p, NULL, 0, work, 2, 40));
	stacks_json(timed, &j);
	assert_string_equal(text(),
			    "{\"pid\":7,\"comm\":\"prog\",\"count\":2,\"total_us\":70,"
			    "\"kernel\":[],\"user\":[{\"function\":\"work\",\"module\":\"prog\"},"
			    "{\"function\":\"main\",\"module\":\"prog\"}]}\n"
			    "{\"pid\":7,\"comm\":\"prog\",\"count\":1,\"total_us\":500,"
			    "\"kernel\":[],\"user\":[{\"function\":\"sleep\",\"module\":\"prog\"},"
			    "{\"function\":\"main\",\"module\":\"prog\"}]}\n");
	stacks_folded(timed, &o);
	assert_string_equal(text(), "prog;main;work 70\nprog;main;sleep 500\n");
	stacks_free(timed);
}

/* Sums that were made before, in a unit that text does not show; a label that only JSON has. */
static void test_sums(void **state)
{
	const struct stacks_config config = {
		.labels = { "state" },
		.labels_in_json = true,
		.unit = "us",
		.scale = 1000,
		.column = "TIME(us)",
		.weight_key = "total_ns",
		.self_key = "self_ns",
		.name_frame = name_frame,
		.max = 1,
	};
	struct stacks *timed = stacks_new(&config);
	const uint64_t work[] = { WORK, MAIN }, sleep[] = { SLEEP, MAIN };
	struct stacks_stats st;
	struct stack_key key = p;

	(void)state;
	assert_non_null(timed);
	key.labels[0] = stacks_text(timed, "D");
	assert_true(stacks_add_sum(timed, &key, NULL, 0, sleep, 2, 20, 1500000));
	assert_true(stacks_add_sum(timed, &key, NULL, 0, sleep, 2, 3, 1999));
	assert_false(stacks_add_sum(timed, &key, NULL, 0, work, 2, 7, 5000));
	stacks_stats(timed, &st);
	assert_int_equal(st.added, 23);
	assert_int_equal(st.user, 23);
	assert_int_equal(st.weight, 1501999);
	assert_int_equal(st.left_out, 7);
	stacks_json(timed, &j);
	assert_string_equal(
		text(), "{\"pid\":7,\"comm\":\"prog\",\"state\":\"D\",\"count\":23,\"total_ns\":"
			"1501999,\"kernel\":[],\"user\":[{\"function\":\"sleep\",\"module\":"
			"\"prog\"},{\"function\":\"main\",\"module\":\"prog\"}]}\n");
	stacks_folded(timed, &o);
	assert_string_equal(text(), "prog;main;sleep 1501\n");
	stacks_listing(timed, &o);
	assert_string_equal(text(), "    sleep\n    main\n    -                prog (7)\n"
				    "        1501\n\n");
	stacks_top(timed, &o, 1);
	assert_string_equal(text(),
			    " SELF%  TOTAL%  TIME(us)  FUNCTION                       MODULE\n"
			    "100.00  100.00      1501  sleep                          prog\n");
	stacks_top_json(timed, &j);
	assert_string_equal(text(),
			    "{\"type\":\"function\",\"self_ns\":1501999,\"total_ns\":1501999,"
			    "\"function\":\"sleep\",\"module\":\"prog\"}\n"
			    "{\"type\":\"function\",\"self_ns\":0,\"total_ns\":1501999,"
			    "\"function\":\"main\",\"module\":\"prog\"}\n");
	stacks_free(timed);
}

/* What a name holds makes no frame, no markup and drives no terminal. */
static void test_hostile(void **state)
{
	const struct stack_key key = { .pid = 7, .comm = "x;\033[1m\377" };
	const char *t;

	(void)state;
	assert_true(ADD(&key, none, STACK(EVIL, MAIN), 1));
	stacks_folded(set, &o);
	assert_string_equal(text(), "x:\\033[1m\\377;main;a:b<c>&\"\\033]0:x\\a\\377]]> 1\n");
	stacks_svg(set, &o);
	t = text();
	assert_null(strchr(t, '\033'));
	assert_null(strstr(t, "<c>"));
	assert_non_null(strstr(t, "a;b&lt;c&gt;&amp;&quot;\357\277\275]0;x"));
	assert_non_null(strstr(t, ">&lt;&amp;&gt;</text>")); /* the title */
}

/* A process can have anything on its stack: no address of its own is taken for a text of ours. */
static void test_named_frames(void **state)
{
	uint64_t named = stacks_named_frame(set, "[cut]");
	struct stacks_stats st;

	(void)state;
	assert_true(ADD(&p, none, STACK(WORK, named), 1));
	assert_true(ADD(&p, none, STACK(WORK, named ^ 0x0000010000000000, named + 1000), 2));
	assert_true(ADD(&p, none, STACK(0x7f00000000000001, 0x7fffffffffffffff, 0x7f000000ffffffff),
			3));
	stacks_folded(set, &o);
	assert_string_equal(text(), "prog;[cut];work 1\n"
				    "prog;[unknown];[unknown];work 2\n"
				    "prog;[unknown];[unknown];[unknown] 3\n");
	stacks_stats(set, &st);
	assert_int_equal(st.user, 3);
	assert_int_equal(st.user_short, 1); /* the named frame is none */
}

static void test_bounds(void **state)
{
	uint64_t frame[1];
	struct stacks_stats st;
	bool added = true;
	int n = 0;

	(void)state;
	for (; n < 100 && added; n++) {
		frame[0] = n;
		added = ADD(&p, none, frame, 1);
	}
	assert_int_equal(n - 1, 8); /* config.max */
	frame[0] = 0;
	assert_true(ADD(&p, none, frame, 1)); /* one that is known has its place */
	stacks_stats(set, &st);
	assert_int_equal(st.left_out, 1);
	assert_int_equal(st.added, 9);
	assert_int_equal(st.different, 8);
	stacks_clear(set);
	assert_true(ADD(&p, none, frame, 1));
	stacks_stats(set, &st);
	assert_int_equal(st.different, 1);
}

/* A stack of the deepest kind is shown in full, one that is deeper is cut and not overrun. */
static void test_deep(void **state)
{
	static uint64_t frames[20000];
	size_t lines = 0;

	(void)state;
	for (size_t i = 0; i < 20000; i++)
		frames[i] = MAIN + i % 0x1000;
	assert_true(stacks_add(set, &p, NULL, 0, frames, 20000, 1));
	stacks_listing(set, &o);
	/* too long for text(): counted in the file */
	assert_int_equal(out_flush(&o), 0);
	lseek(file, 0, SEEK_SET);
	for (char c; read(file, &c, 1) == 1;)
		lines += c == '\n';
	assert_int_equal(lines, 8192 + 3);
}

/* Widths are shares, siblings stand by name, what is too narrow is left out. */
static void test_flame(void **state)
{
	const struct flame_frame a[] = { { "r", FLAME_LABEL }, { "b", FLAME_USER } };
	const struct flame_frame b[] = { { "r", FLAME_LABEL }, { "a", FLAME_KERNEL } };
	const struct flame_frame c[] = { { "r", FLAME_LABEL }, { "tiny", FLAME_USER } };
	struct flame *f = flame_new();
	const char *t;

	(void)state;
	assert_non_null(f);
	assert_int_equal(flame_add(f, a, 2, 30000), 0);
	assert_int_equal(flame_add(f, b, 2, 69999), 0);
	assert_int_equal(flame_add(f, c, 2, 1), 0);
	flame_write(f, &o, "t", "samples");
	t = text();
	assert_non_null(strstr(t, "data-l=\"0\" data-n=\"69999\"><title>a (69999 samples, 70.00 %)"
				  "</title><rect x=\"10.0\""));
	assert_non_null(strstr(t, "data-l=\"69999\" data-n=\"30000\"><title>b (30000 samples, "
				  "30.00 %)</title><rect x=\"836.0\""));
	assert_null(strstr(t, "tiny"));
	assert_non_null(strstr(t, "<title>all (100000 samples, 100.00 %)"));
	flame_free(f);
}

/* The same bytes, the same number; the empty string is one, too. */
static void test_intern(void **state)
{
	struct intern t = { .max_items = 5000, .max_bytes = 60000 };
	char name[16];
	size_t len;

	(void)state;
	assert_int_equal(intern(&t, "", 0), 0);
	for (int round = 0; round < 2; round++)
		for (int i = 1; i < 4000; i++) {
			snprintf(name, sizeof(name), "%d", i);
			assert_int_equal(intern(&t, name, strlen(name)), i);
		}
	assert_memory_equal(intern_get(&t, 1234, &len), "1234", 4);
	assert_int_equal(len, 4);
	memset(name, 'x', sizeof(name));
	for (int i = 0; i < 2000; i++) {
		memcpy(name, &i, sizeof(i));
		intern(&t, name, sizeof(name));
	}
	assert_true(t.nr <= 5000 && t.used <= 60000);
	assert_int_equal(intern(&t, "no room", 7), INTERN_NONE);
	assert_int_equal(intern(&t, "17", 2), 17);
	intern_clear(&t);
	assert_int_equal(intern(&t, "first", 5), 0);
	intern_clear(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_listing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_folded, setup, teardown),
		cmocka_unit_test_setup_teardown(test_top, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unknown, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cut, setup, teardown),
		cmocka_unit_test(test_beginnings),
		cmocka_unit_test_setup_teardown(test_no_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(test_json, setup, teardown),
		cmocka_unit_test_setup_teardown(test_weights, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sums, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hostile, setup, teardown),
		cmocka_unit_test_setup_teardown(test_named_frames, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bounds, setup, teardown),
		cmocka_unit_test_setup_teardown(test_deep, setup, teardown),
		cmocka_unit_test_setup_teardown(test_flame, setup, teardown),
		cmocka_unit_test(test_intern),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
