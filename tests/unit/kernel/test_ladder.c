/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Which rung of each probe is used, on a kernel that is made up; and what is said about it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/msg.h"
#include "base/util.h"
#include "kernel/ladder.h"

/* All programs of the tests, by name; a "late" one is attached to what the tool names. */
static const struct {
	const char *name, *section;
} built[] = {
	{ "fexit_open", "fexit/do_open" },   { "fexit_open2", "fexit/do_open2" },
	{ "kprobe_open", "kprobe/do_open" }, { "tp_exit", "tp_btf/sys_exit" },
	{ "late", "fentry/read" },	     { "sample", "perf_event" },
};
static const struct attach_target targets[] = { { "read", "xfs_file_read_iter" }, { 0 } };

/* The kernel refuses what is of one of these types, by the clause behind it. */
struct kernel {
	const char *type, *why;
	const char *type2, *why2;
	/* What escapes programs of these types, from nothing on. */
	const char *bounded, *gappy;
};

static bool ask_place(void *ctx, const char *program, struct place *place)
{
	for (size_t i = 0; i < ARRAY_SIZE(built); i++) {
		if (strcmp(built[i].name, program))
			continue;
		*place = probe_place(built[i].section, targets);
		return true;
	}
	return false;
}

static const char *ask_refusal(void *ctx, const struct place *place)
{
	const struct kernel *k = ctx;

	if (k->type && !strcmp(k->type, place->type))
		return k->why;
	return k->type2 && !strcmp(k->type2, place->type) ? k->why2 : NULL;
}

static enum place_gaps ask_gaps(void *ctx, const struct place *place, const char **why)
{
	const struct kernel *k = ctx;

	*why = "something escapes it";
	if (k->gappy && !strcmp(k->gappy, place->type))
		return PLACE_HAS_GAPS;
	return k->bounded && !strcmp(k->bounded, place->type) ? PLACE_HAS_BOUND : PLACE_SEES_ALL;
}

static const char tool[] = "test";
static char said[2048];

/* Chooses on @k; what was printed is in said[]. */
static int choose(struct ladder *l, struct kernel *k)
{
	const struct ladder_asks asks = { ask_place, ask_refusal, ask_gaps, k };
	int pipe_fds[2], old = dup(STDERR_FILENO), err;
	ssize_t len;

	msg_init(tool);
	assert_int_equal(pipe(pipe_fds), 0);
	dup2(pipe_fds[1], STDERR_FILENO);
	err = ladder_choose(l, &asks);
	dup2(old, STDERR_FILENO);
	close(old);
	close(pipe_fds[1]);
	len = read(pipe_fds[0], said, sizeof(said) - 1);
	assert_true(len >= 0);
	said[len] = '\0';
	close(pipe_fds[0]);
	return err;
}

static struct ladder ladder_of(const struct probe *probes)
{
	struct ladder l;

	ladder_init(&l, probes);
	return l;
}

static void test_best_rung(void **state)
{
	const struct probe probes[] = { PROBE_LADDER("open", "fexit_open fexit_open2", "tp_exit"),
					{ 0 } };
	struct ladder l = ladder_of(probes);
	struct kernel all_granted = { 0 };

	assert_null(ladder_rung(&l, 0));
	assert_false(ladder_uses(&l, "fexit_open"));
	assert_int_equal(choose(&l, &all_granted), 0);
	assert_string_equal(ladder_rung(&l, 0), "fexit_open fexit_open2");
	assert_true(ladder_uses(&l, "fexit_open"));
	assert_true(ladder_uses(&l, "fexit_open2"));
	assert_false(ladder_uses(&l, "tp_exit"));
	assert_false(ladder_uses(&l, "fexit"));
	assert_string_equal(said, "");
	assert_int_equal(ladder_find(&l, "open"), 0);
	assert_int_equal(ladder_find(&l, "close"), -1);
}

/* By what is known beforehand: each word of a rung counts. */
static void test_ruled_out(void **state)
{
	const struct probe probes[] = {
		PROBE_LADDER("open", "tp_exit fexit_open", "kprobe_open", "tp_exit"), { 0 }
	};
	struct ladder l = ladder_of(probes);
	struct kernel k = { "fexit", "no trampolines", "kprobe", "no kprobes" };

	assert_int_equal(choose(&l, &k), 0);
	assert_string_equal(ladder_rung(&l, 0), "tp_exit");
	assert_string_equal(said, "test: tp_btf/sys_exit is not available (no trampolines): using "
				  "tp_btf/sys_exit\n");
	assert_int_equal(choose(&l, &k), 0);
	assert_string_equal(said, ""); /* once is enough */
}

static void test_not_built(void **state)
{
	const struct probe probes[] = { PROBE_LADDER("open", "misspelt", "kprobe_open"), { 0 } };
	struct ladder l = ladder_of(probes);
	struct kernel k = { 0 };

	assert_int_equal(choose(&l, &k), 0);
	assert_string_equal(ladder_rung(&l, 0), "kprobe_open");
	assert_string_equal(said, "test: misspelt is not available (it was not built): using "
				  "kprobe/do_open\n");
}

/* Named at run time: that is how it is called, too. */
static void test_target(void **state)
{
	const struct probe probes[] = { PROBE_LADDER("read", "fexit_open", "late"), { 0 } };
	struct ladder l = ladder_of(probes);
	struct kernel k = { "fexit", "because" };

	assert_int_equal(choose(&l, &k), 0);
	assert_string_equal(said, "test: fexit/do_open is not available (because): using "
				  "fentry/xfs_file_read_iter\n");
}

static void test_none_left(void **state)
{
	const struct probe probes[] = { PROBE_LADDER("open", "fexit_open", "kprobe_open"), { 0 } };
	struct ladder l = ladder_of(probes);
	struct kernel k = { "fexit", "no trampolines", "kprobe", "no kprobes" };

	assert_int_equal(choose(&l, &k), -ENOTSUP);
	assert_string_equal(said, "test: cannot see open on this kernel: no trampolines\n");
	assert_null(ladder_rung(&l, 0));
}

static void test_optional(void **state)
{
	const struct probe probes[] = {
		{ .name = "failed", .rungs = { "fexit_open" }, .optional = true },
		PROBE_LADDER("open", "tp_exit"),
		{ 0 },
	};
	struct ladder l = ladder_of(probes);
	struct kernel k = { "fexit", "no trampolines" };

	assert_int_equal(choose(&l, &k), 0);
	assert_null(ladder_rung(&l, 0));
	assert_string_equal(ladder_rung(&l, 1), "tp_exit");
	assert_string_equal(said, "");
}

/* Two probes that go the same way are one note, if the tool can do without the second. */
static void test_one_note(void **state)
{
	const struct probe probes[] = {
		PROBE_LADDER("open", "fexit_open", "tp_exit"),
		{ .name = "others", .rungs = { "fexit_open2", "kprobe_open" }, .optional = true },
		{ 0 },
	};
	struct ladder l = ladder_of(probes);
	struct kernel k = { "fexit", "no trampolines" };

	assert_int_equal(choose(&l, &k), 0);
	assert_string_equal(ladder_rung(&l, 1), "kprobe_open");
	assert_string_equal(said, "test: fexit/do_open is not available (no trampolines): using "
				  "tp_btf/sys_exit\n");
}

static void test_when(void **state)
{
	static bool wanted;
	const struct probe probes[] = {
		{ .name = "open", .rungs = { "fexit_open" }, .when = &wanted }, { 0 }
	};
	struct ladder l = ladder_of(probes);
	struct kernel none = { "fexit", "no trampolines" }, all = { 0 };

	assert_int_equal(choose(&l, &none), 0); /* not needed: not missed */
	assert_null(ladder_rung(&l, 0));
	wanted = true;
	assert_int_equal(choose(&l, &none), -ENOTSUP);
	l = ladder_of(probes);
	assert_int_equal(choose(&l, &all), 0);
	assert_non_null(ladder_rung(&l, 0));
}

static void test_unless(void **state)
{
	const struct probe probes[] = {
		PROBE_LADDER("open", "fexit_open", "tp_exit"),
		{ .name = "others", .rungs = { "kprobe_open" }, .unless = "sample tp_exit" },
		{ 0 },
	};
	struct ladder l = ladder_of(probes);
	struct kernel all = { 0 }, no_fexit = { "fexit", "no trampolines" };

	assert_int_equal(choose(&l, &all), 0);
	assert_string_equal(ladder_rung(&l, 1), "kprobe_open");
	l = ladder_of(probes);
	assert_int_equal(choose(&l, &no_fexit), 0);
	assert_null(ladder_rung(&l, 1)); /* tp_exit sees those, too */
}

static void test_instead(void **state)
{
	const struct probe probes[] = {
		{ .name = "reads", .rungs = { "fexit_open" }, .optional = true },
		{ .name = "writes", .rungs = { "fexit_open2" }, .optional = true },
		{ .name = "calls", .rungs = { "tp_exit" }, .instead = true },
		{ 0 },
	};
	struct ladder l = ladder_of(probes);
	struct kernel all = { 0 }, no_fexit = { "fexit", "no trampolines" };

	assert_int_equal(choose(&l, &all), 0);
	assert_null(ladder_rung(&l, 2));
	l = ladder_of(probes);
	assert_int_equal(choose(&l, &no_fexit), 0);
	assert_string_equal(ladder_rung(&l, 2), "tp_exit");
	assert_string_equal(said, "test: fexit/do_open is not available (no trampolines): using "
				  "tp_btf/sys_exit\n");
}

/* What misses least is taken; the first of those that miss the same. No note: nothing better is to
 * be had. */
static void test_gaps(void **state)
{
	const struct probe probes[] = {
		PROBE_LADDER("open", "fexit_open", "kprobe_open", "tp_exit"), { 0 }
	};
	static const struct {
		struct kernel kernel;
		const char *rung;
	} cases[] = {
		{ { .gappy = "fexit" }, "kprobe_open" },
		{ { .bounded = "fexit" }, "kprobe_open" },
		{ { .bounded = "kprobe" }, "fexit_open" },
		{ { .gappy = "fexit", .bounded = "kprobe" }, "tp_exit" },
		{ { "tp_btf", "none", .gappy = "fexit", .bounded = "kprobe" }, "kprobe_open" },
		{ { "tp_btf", "none", "kprobe", "none", .gappy = "fexit" }, "fexit_open" },
		{ { "fexit", "none", .bounded = "kprobe" }, "tp_exit" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct kernel k = cases[i].kernel;
		struct ladder l = ladder_of(probes);
		bool fexit_refused = k.type && !strcmp(k.type, "fexit");

		assert_int_equal(choose(&l, &k), 0);
		assert_string_equal(ladder_rung(&l, 0), cases[i].rung);
		assert_string_equal(said, fexit_refused ? "test: fexit/do_open is not available "
							  "(none): using tp_btf/sys_exit\n"
							: "");
	}
}

/* A rung counts by its worst program. */
static void test_gaps_of_pairs(void **state)
{
	const struct probe probes[] = {
		PROBE_LADDER("open", "tp_exit fexit_open", "late kprobe_open", "kprobe_open"), { 0 }
	};
	struct ladder l = ladder_of(probes);
	struct kernel k = { .gappy = "fexit", .bounded = "fentry" };

	assert_int_equal(choose(&l, &k), 0);
	assert_string_equal(ladder_rung(&l, 0), "kprobe_open");
}

/* Where the better one can't be attached after all, the one that waited is still there. */
static void test_gaps_step_down(void **state)
{
	const struct probe probes[] = { PROBE_LADDER("open", "fexit_open", "kprobe_open"), { 0 } };
	struct ladder l = ladder_of(probes);
	struct kernel k = { .gappy = "fexit" };

	assert_int_equal(choose(&l, &k), 0);
	assert_string_equal(ladder_rung(&l, 0), "kprobe_open");
	assert_true(ladder_step_down(&l, "kprobe_open", "refused"));
	assert_int_equal(choose(&l, &k), 0);
	assert_string_equal(ladder_rung(&l, 0), "fexit_open");
	assert_string_equal(said, "");
	assert_false(ladder_step_down(&l, "fexit_open", "refused"));
}

/* Attached later, or never: no note about the rung; but it has to be there. */
static void test_later(void **state)
{
	const struct probe probes[] = {
		{ .name = "issue", .rungs = { "fexit_open", "sample" }, .later = true }, { 0 }
	};
	struct ladder l = ladder_of(probes);
	struct kernel k = { "fexit", "no trampolines" };
	struct kernel none = { "fexit", "no trampolines", "perf_event", "no perf" };

	assert_int_equal(choose(&l, &k), 0);
	assert_string_equal(ladder_rung(&l, 0), "sample");
	assert_string_equal(said, "");
	l = ladder_of(probes);
	assert_int_equal(choose(&l, &none), -ENOTSUP);
}

/* What only trying tells. */
static void test_step_down(void **state)
{
	const struct probe probes[] = {
		PROBE_LADDER("open", "fexit_open fexit_open2", "kprobe_open", "tp_exit"),
		{ .name = "samples", .rungs = { "sample" }, .optional = true },
		{ 0 },
	};
	struct ladder l = ladder_of(probes);
	struct kernel k = { 0 };

	assert_int_equal(choose(&l, &k), 0);
	assert_false(ladder_step_down(&l, "", "refused"));	  /* it is not known which */
	assert_false(ladder_step_down(&l, "tp_exit", "refused")); /* not in use */
	assert_true(ladder_step_down(&l, "fexit_open2", "refused"));
	assert_int_equal(choose(&l, &k), 0);
	assert_string_equal(ladder_rung(&l, 0), "kprobe_open");
	assert_string_equal(said, "test: fexit/do_open is not available (refused): using "
				  "kprobe/do_open\n");
	assert_true(ladder_step_down(&l, "kprobe_open", "refused, too"));
	assert_int_equal(choose(&l, &k), 0);
	assert_string_equal(said, "test: fexit/do_open is not available (refused): using "
				  "tp_btf/sys_exit\n");		  /* why the best one is not used */
	assert_false(ladder_step_down(&l, "tp_exit", "refused")); /* that was the last one */
	l = ladder_of(probes);
	assert_int_equal(choose(&l, &k), 0);
	assert_true(ladder_step_down(&l, "sample", "refused")); /* the tool goes on without */
	assert_int_equal(choose(&l, &k), 0);
	assert_null(ladder_rung(&l, 1));
	assert_non_null(ladder_rung(&l, 0));
}

/* What doctor is told of each probe. */
static void test_choice(void **state)
{
	const bool unwanted = false;
	const struct probe probes[] = {
		PROBE_LADDER("open", "fexit_open", "kprobe_open"),
		{ .name = "sample", .rungs = { "sample" } },
		{ .name = "not now", .rungs = { "tp_exit" }, .when = &unwanted },
		{ .name = "read", .rungs = { "late" }, .optional = true },
		{ .name = "calls", .rungs = { "tp_exit" }, .optional = true },
		{ 0 },
	};
	const struct probe instead[] = {
		{ .name = "read", .rungs = { "fexit_open" }, .optional = true },
		{ .name = "calls", .rungs = { "tp_exit" }, .instead = true },
		{ 0 },
	};
	struct kernel k = { "fexit", "no trampolines", "fentry", "no BTF", .bounded = "kprobe" };
	const struct ladder_asks asks = { ask_place, ask_refusal, ask_gaps, &k };
	struct ladder l = ladder_of(probes);
	struct ladder_choice c;

	assert_int_equal(choose(&l, &k), 0);
	assert_true(ladder_choice(&l, &asks, 0, &c));
	assert_string_equal(c.probe, "open");
	assert_string_equal(c.used, "kprobe/do_open");
	assert_string_equal(c.best, "fexit/do_open");
	assert_string_equal(c.why, "no trampolines");
	assert_string_equal(c.gaps, "something escapes it");
	assert_true(c.less && !c.replaced);
	assert_true(ladder_choice(&l, &asks, 1, &c));
	assert_string_equal(c.used, "perf_event");
	assert_true(!c.less && !c.why && !c.gaps && !c.best[0]);
	assert_false(ladder_choice(&l, &asks, 2, &c));
	assert_true(ladder_choice(&l, &asks, 3, &c));
	assert_string_equal(c.used, "");
	assert_string_equal(c.best, "fentry/xfs_file_read_iter");
	assert_string_equal(c.why, "no BTF");
	assert_true(!c.less && !c.replaced && !c.gaps);
	assert_false(ladder_choice(&l, &asks, 5, &c));

	l = ladder_of(instead);
	assert_int_equal(choose(&l, &k), 0);
	assert_true(ladder_choice(&l, &asks, 0, &c) && c.replaced && !c.used[0]);
	assert_true(ladder_choice(&l, &asks, 1, &c) && c.less);
	assert_string_equal(c.best, "fexit/do_open");
	assert_string_equal(c.why, "no trampolines");
}

static void test_place(void **state)
{
	const struct attach_target none[] = { { "read", NULL }, { 0 } };
	struct place p = probe_place("kretprobe/do_open", NULL);

	assert_int_equal(p.kind, PLACE_KPROBE);
	assert_string_equal(p.type, "kretprobe");
	assert_string_equal(p.name, "do_open");
	assert_false(p.named);
	p = probe_place("fentry/read", none);
	assert_int_equal(p.kind, PLACE_TRAMPOLINE);
	assert_true(p.named);
	assert_null(p.name);
	p = probe_place("iter.s/task", targets);
	assert_int_equal(p.kind, PLACE_OTHER);
	assert_string_equal(p.type, "iter.s");
	p = probe_place("perf_event", targets);
	assert_int_equal(p.kind, PLACE_OTHER);
	assert_string_equal(p.name, "");
	assert_int_equal(probe_place("raw_tp/sched_switch", NULL).kind, PLACE_TP_BTF);
}

static void test_avoids(void **state)
{
	unsetenv("BORESCOPE_AVOID");
	assert_false(probe_avoids("fexit"));
	setenv("BORESCOPE_AVOID", "kprobe,fexit", 1);
	assert_true(probe_avoids("fexit"));
	assert_true(probe_avoids("kprobe"));
	assert_false(probe_avoids("fexi"));
	assert_false(probe_avoids("kprobe,fexit"));
	unsetenv("BORESCOPE_AVOID");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_best_rung),      cmocka_unit_test(test_ruled_out),
		cmocka_unit_test(test_not_built),      cmocka_unit_test(test_target),
		cmocka_unit_test(test_none_left),      cmocka_unit_test(test_optional),
		cmocka_unit_test(test_one_note),       cmocka_unit_test(test_when),
		cmocka_unit_test(test_unless),	       cmocka_unit_test(test_instead),
		cmocka_unit_test(test_gaps),	       cmocka_unit_test(test_gaps_of_pairs),
		cmocka_unit_test(test_gaps_step_down), cmocka_unit_test(test_later),
		cmocka_unit_test(test_step_down),      cmocka_unit_test(test_place),
		cmocka_unit_test(test_avoids),	       cmocka_unit_test(test_choice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
