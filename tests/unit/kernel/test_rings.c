/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Records of several rings come in order; one that is being written holds the younger back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <linux/bpf.h>

#include "base/util.h"
#include "kernel/rings.h"
#include "lib/core/events.shared.h"

#define SIZE 4096
#define ALL  UINT64_MAX

struct memory {
	unsigned long consumer, producer;
	char data[2 * SIZE];
};

static struct memory memory[3];
static struct ring rings[3];
static uint64_t too_short;
static const struct rings all = { rings, 3, &too_short };
static uint64_t shown[64];
static size_t nr_shown;
static bool stop;

static int setup(void **state)
{
	memset(memory, 0, sizeof(memory));
	memset(rings, 0, sizeof(rings));
	for (size_t i = 0; i < ARRAY_SIZE(rings); i++) {
		rings[i].size = SIZE;
		rings[i].consumer = &memory[i].consumer;
		rings[i].producer = &memory[i].producer;
		rings[i].data = memory[i].data;
	}
	too_short = nr_shown = 0;
	stop = false;
	return 0;
}

/* As the kernel side sends it; returns its header. */
static __u32 *send(int ring, uint64_t ts, __u32 flags)
{
	struct memory *m = &memory[ring];
	__u32 *header = (void *)(m->data + (m->producer & (SIZE - 1)));
	struct event_head *head = (void *)(header + 2);

	memset(head, 0, sizeof(*head));
	head->ts = ts;
	*header = sizeof(*head) | flags;
	m->producer += BPF_RINGBUF_HDR_SZ + sizeof(*head);
	return header;
}

static void show(void *ctx, const void *event, size_t size)
{
	assert_int_equal(size, sizeof(struct event_head));
	shown[nr_shown++] = ((const struct event_head *)event)->ts;
}

static void drain(uint64_t before, uint64_t busy_before)
{
	const struct rings_until until = { before, busy_before };
	size_t was = nr_shown;
	size_t nr = rings_drain(&all, &until, sizeof(struct event_head), show, NULL, &stop);

	assert_int_equal(nr, nr_shown - was);
}

static void expect(size_t nr, const uint64_t *stamps)
{
	assert_int_equal(nr_shown, nr);
	for (size_t i = 0; i < nr; i++)
		assert_int_equal(shown[i], stamps[i]);
}

#define EXPECT(...)                                                                                \
	do {                                                                                       \
		const uint64_t stamps[] = { __VA_ARGS__ };                                         \
		expect(ARRAY_SIZE(stamps), stamps);                                                \
	} while (0)

static void test_order(void **state)
{
	send(0, 10, 0);
	send(0, 40, 0);
	send(1, 20, 0);
	send(1, 30, BPF_RINGBUF_DISCARD_BIT);
	send(2, 15, 0);
	send(2, 50, 0);
	drain(50, 50);
	EXPECT(10, 15, 20, 40);
	assert_int_equal(rings[2].next->ts, 50);
	drain(ALL, ALL);
	EXPECT(10, 15, 20, 40, 50);
	assert_null(rings[2].next);
	assert_int_equal(memory[0].consumer, memory[0].producer);
}

/* Each is seen ahead once, also after others were taken, and what is being written when it is
 * there; all of them stay. */
static void test_ahead(void **state)
{
	__u32 *late;

	send(0, 10, 0);
	late = send(0, 40, BPF_RINGBUF_BUSY_BIT);
	send(1, 20, 0);
	rings_ahead(&all, sizeof(struct event_head), show, NULL);
	EXPECT(10, 20);
	drain(ALL, 0);
	EXPECT(10, 20, 10);
	*late &= ~BPF_RINGBUF_BUSY_BIT;
	send(1, 50, 0);
	rings_ahead(&all, sizeof(struct event_head), show, NULL);
	rings_ahead(&all, sizeof(struct event_head), show, NULL);
	EXPECT(10, 20, 10, 40, 50);
	drain(ALL, ALL);
	EXPECT(10, 20, 10, 40, 50, 20, 40, 50);
	assert_int_equal(too_short, 0);
}

/* Stamped 25, seen only after 30 and 40 of the other rings: they wait for it. */
static void test_busy(void **state)
{
	__u32 *late;

	send(0, 10, 0);
	send(0, 40, 0);
	send(1, 20, 0);
	late = send(1, 25, BPF_RINGBUF_BUSY_BIT);
	send(2, 15, 0);
	send(2, 30, 0);
	drain(100, 5);
	EXPECT(10, 15, 20);
	drain(100, 5);
	EXPECT(10, 15, 20);
	*late &= ~BPF_RINGBUF_BUSY_BIT;
	drain(100, 5);
	EXPECT(10, 15, 20, 25, 30, 40);
}

/* But not for ever. */
static void test_busy_for_long(void **state)
{
	send(0, 30, 0);
	send(0, 40, 0);
	send(1, 25, BPF_RINGBUF_BUSY_BIT);
	drain(100, 20);
	assert_int_equal(nr_shown, 0); /* nothing is known of the ring with the busy one */
	drain(100, 35);
	EXPECT(30);
	drain(100, 100);
	EXPECT(30, 40);
	assert_int_equal(memory[1].consumer, 0); /* it is still there */
}

static void test_too_short(void **state)
{
	__u32 *header = send(0, 10, 0);

	*header = 8;
	memory[0].producer = BPF_RINGBUF_HDR_SZ + 8;
	drain(ALL, ALL);
	assert_int_equal(nr_shown, 0);
	assert_int_equal(too_short, 1);
	assert_int_equal(memory[0].consumer, memory[0].producer);
}

/* More than fit at once, round and round. */
static void test_around(void **state)
{
	for (uint64_t ts = 1; ts < 1000; ts++) {
		nr_shown = 0;
		send(ts % 3, ts, 0);
		drain(ALL, ALL);
		EXPECT(ts);
	}
}

static void test_stop(void **state)
{
	send(0, 10, 0);
	stop = true;
	drain(ALL, ALL);
	assert_int_equal(nr_shown, 0);
	assert_int_equal(memory[0].consumer, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_order, setup),
		cmocka_unit_test_setup(test_busy, setup),
		cmocka_unit_test_setup(test_ahead, setup),
		cmocka_unit_test_setup(test_busy_for_long, setup),
		cmocka_unit_test_setup(test_too_short, setup),
		cmocka_unit_test_setup(test_around, setup),
		cmocka_unit_test_setup(test_stop, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
