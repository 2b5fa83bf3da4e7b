/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What looking costs: what is counted a part of the time is reckoned up to the truth; the line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "run/cost.h"

#define MS	       1000000ULL
#define SECOND	       (1000 * MS)
#define START	       (12345 * SECOND) /* the clock does not begin at 0 */
#define NS_EACH	       50
#define PER_SEC(n, ns) ((n) * (ns) / SECOND)

/* A load: how many runs there have been until @at (ns since the beginning). */
typedef uint64_t (*load_fn)(uint64_t at);

/* The kernel's side of it. */
struct kernel {
	load_fn load;
	bool by_others; /* somebody else has counting on, too */
	bool counting;
	uint64_t at, counted, own;
};

static void advance(struct kernel *k, uint64_t to)
{
	if (k->counting || k->by_others)
		k->counted += k->load(to) - k->load(k->at);
	k->at = to;
}

static struct duty_cycle_counts counters(const struct kernel *k)
{
	return (struct duty_cycle_counts){ .runs = k->counted,
					   .ns = k->counted * NS_EACH,
					   .own_runs = k->own,
					   .own_ns = k->own * NS_EACH };
}

/* Runs @d for this long, as cost.c does; returns for how long counting was on. @read_every: ns. */
static uint64_t run(struct duty_cycle *d, struct kernel *k, uint64_t duration, uint64_t read_every)
{
	struct duty_cycle_counts at;
	uint64_t next_read = read_every, on = 0, last = 0;

	k->counting = true;
	at = counters(k);
	duty_cycle_begin(d, START, &at);
	while (last < duration) {
		uint64_t next = d->next_ns - START, before = d->total.runs;

		next = next < next_read ? next : next_read;
		next = next < duration ? next : duration;
		assert_true(next > last || next == next_read);
		on += d->counting ? next - last : 0;
		advance(k, next);
		at = counters(k);
		last = next;
		if (START + next >= d->next_ns) {
			if (!d->counting)
				duty_cycle_resume(d, START + next, &at);
			else
				duty_cycle_rest(d, START + next, &at);
			k->counting = d->counting;
		}
		if (next >= next_read) {
			duty_cycle_read(d, START + next, &at);
			next_read += read_every;
		}
		assert_true(d->total.runs >= before);
	}
	at = counters(k);
	duty_cycle_read(d, START + last, &at);
	return on;
}

static void assert_about(uint64_t got, uint64_t truth, unsigned int percent)
{
	if (got < truth - truth * percent / 100 || got > truth + truth * percent / 100)
		fail_msg("%llu, not about %llu", (unsigned long long)got,
			 (unsigned long long)truth);
}

static uint64_t few(uint64_t at)
{
	return PER_SEC(100000, at);
}

static uint64_t many(uint64_t at)
{
	return PER_SEC(2000000ULL, at);
}

/* 3 ms of each 100 at 3,000,000 a second: 90,000. */
static uint64_t bursts(uint64_t at)
{
	uint64_t within = at % (100 * MS);

	return at / (100 * MS) * 9000 + PER_SEC(3000000, within < 3 * MS ? within : 3 * MS);
}

/* In step with a clock of 5 Hz, the time between two windows: 10 ms at 50,000,000 a second. */
static uint64_t in_step(uint64_t at)
{
	uint64_t within = at % (200 * MS);

	return at / (200 * MS) * 500000 + PER_SEC(50000000ULL, within < 10 * MS ? within : 10 * MS);
}

/* Seven seconds of a storm, three of quiet. */
static uint64_t storms(uint64_t at)
{
	uint64_t within = at % (10 * SECOND);

	return at / (10 * SECOND) * 7000000 +
	       PER_SEC(1000000, within < 7 * SECOND ? within : 7 * SECOND);
}

/* 250,000 a second, in bursts of 25 ms every 100: a window sees one, a part of one, or none. */
static uint64_t near_the_limit(uint64_t at)
{
	uint64_t within = at % (100 * MS);

	return at / (100 * MS) * 25000 + PER_SEC(1000000, within < 25 * MS ? within : 25 * MS);
}

/* What is little is counted, to the last run, whenever one looks. */
static void test_little_is_exact(void **state)
{
	static const load_fn loads[] = { few, bursts };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(loads); i++)
		for (uint64_t every = 7 * MS; every < 20 * SECOND; every *= 13) {
			struct kernel k = { .load = loads[i], .counted = 4711 };
			struct duty_cycle d;

			assert_int_equal(run(&d, &k, 10 * SECOND, every), 10 * SECOND);
			assert_false(d.sampled);
			assert_int_equal(d.total.runs, loads[i](10 * SECOND));
			assert_int_equal(d.total.ns, loads[i](10 * SECOND) * NS_EACH);
		}
}

/* What is much is reckoned up from a part of it, however often one looks, and whoever counts. */
static void test_much_is_reckoned(void **state)
{
	static const struct {
		load_fn load;
		unsigned int percent; /* that it may be wrong */
	} cases[] = { { many, 1 }, { in_step, 15 }, { storms, 3 }, { near_the_limit, 10 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		for (int others = 0; others < 2; others++)
			for (uint64_t every = 7 * MS; every < 20 * SECOND; every *= 13) {
				struct kernel k = { .load = cases[i].load, .by_others = others };
				struct duty_cycle d;
				uint64_t on = run(&d, &k, 200 * SECOND, every);
				uint64_t truth = cases[i].load(200 * SECOND);

				assert_true(d.sampled);
				assert_true(cases[i].load == many ? on < 25 * SECOND
								  : on < 120 * SECOND);
				assert_about(d.total.runs, truth, cases[i].percent);
				assert_about(d.total.ns, truth * NS_EACH, cases[i].percent);
			}
}

/* The end in the midst of the first rest, and of the window after it. */
static void test_short_storms(void **state)
{
	(void)state;
	for (uint64_t ms = 100; ms < 1000; ms += 17) {
		struct kernel k = { .load = many };
		struct duty_cycle d;

		run(&d, &k, ms * MS, 20 * SECOND);
		assert_int_equal(d.sampled, ms >= 200);
		assert_about(d.total.runs, many(ms * MS), 1);
	}
}

/* Iterators run in the tool's own time: however many, counting need not rest for them. */
static void test_own_runs(void **state)
{
	struct duty_cycle_counts at = { 0 };
	struct duty_cycle d;

	(void)state;
	duty_cycle_begin(&d, START, &at);
	for (int i = 0; i < 20; i++) {
		at.own_runs += 10 * DUTY_CYCLE_MANY;
		at.own_ns += SECOND / 2;
		assert_false(duty_cycle_rest(&d, d.next_ns, &at));
	}
	assert_false(d.sampled);
	assert_int_equal(d.total.own_runs, 200 * DUTY_CYCLE_MANY);
	assert_int_equal(d.total.own_ns, 10 * SECOND);
	assert_int_equal(d.total.runs, 0);
}

/* Counting could not be turned on: later, then. */
static void test_rest_goes_on(void **state)
{
	struct duty_cycle_counts at = { 0 };
	struct duty_cycle d;
	uint64_t now = START;

	(void)state;
	duty_cycle_begin(&d, now, &at);
	at.runs = DUTY_CYCLE_MANY;
	now += 200 * MS;
	assert_true(duty_cycle_rest(&d, now, &at));
	now = d.next_ns;
	duty_cycle_rest_on(&d, now);
	assert_false(d.counting);
	assert_true(d.next_ns > now);
	duty_cycle_resume(&d, now + 800 * MS, &at);
	duty_cycle_read(&d, now + 800 * MS, &at);
	assert_about(d.total.runs, PER_SEC(5ULL * DUTY_CYCLE_MANY, now + 800 * MS - START), 1);
}

static void test_numbers(void **state)
{
	static const struct {
		double v;
		const char *text;
	} cases[] = {
		{ 0, "0" },	      { 0.26, "0.26" }, { 0.0946, "0.095" },  { 0.00462, "0.0046" },
		{ 1e-9, "0.000000" }, { 1.7, "1.7" },	{ 0.999, "1.0" },     { 9.96, "10" },
		{ 12.3, "12" },	      { 123.4, "123" }, { 99999.6, "100000" }
	};
	char text[COST_NUMBER_LEN];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(cost_number(cases[i].v, text), cases[i].text);
}

/* The line, also with the largest figures there can be. */
static void test_text(void **state)
{
	struct cost c = { .known = true,
			  .runs = 1204331,
			  .kernel_ns = 255318172,
			  .tool_ns = 90000000,
			  .wall_ns = 20 * SECOND,
			  .peak_bytes = 12800000 };
	char text[COST_TEXT_LEN], small[20];

	(void)state;
	assert_string_equal(cost_text(&c, "opensnoop", 31201, 0, text, sizeof(text)),
			    "1 204 331 runs, 212 ns each; 0.26 s in the kernel + 0.090 s in "
			    "opensnoop = 1.7 % of one CPU; 31 201 events, 0 lost; 12.8 MB");
	c.sampled = true;
	assert_string_equal(cost_text(&c, "x", 1000, 999, small, sizeof(small)),
			    "about 1 204 331 run");
	c = (struct cost){ .tool_ns = 90000000, .wall_ns = 3 * SECOND };
	assert_string_equal(cost_text(&c, "opensnoop", 0, 12, text, sizeof(text)),
			    "? runs; ? s in the kernel + 0.090 s in opensnoop = at least 3.0 % of "
			    "one CPU; 0 events, 12 lost; 0.0 MB");
	c = (struct cost){ .known = true,
			   .sampled = true,
			   .runs = UINT64_MAX,
			   .wall_ns = 1,
			   .kernel_ns = UINT64_MAX / 2,
			   .tool_ns = UINT64_MAX / 2 };
	c.peak_bytes = UINT64_MAX;
	cost_text(&c, "btrfsslower", UINT64_MAX, UINT64_MAX, text, sizeof(text));
	assert_true(strlen(text) < sizeof(text) - 1);
	assert_non_null(strstr(text, " MB"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_little_is_exact),
		cmocka_unit_test(test_much_is_reckoned),
		cmocka_unit_test(test_short_storms),
		cmocka_unit_test(test_own_runs),
		cmocka_unit_test(test_rest_goes_on),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
