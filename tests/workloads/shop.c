/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * shop: the program that bscope(8) looks at with -c ./shop: some orders, each of which asks for
 * prices and keeps them in memory of its own. It is built with frame pointers (Makefile).
 */
#include <stdlib.h>
#include <time.h>

#define ORDERS	     20
#define PRICES	     5
#define NOINLINE     __attribute__((noipa)) /* nor changed in any other way */
#define BETWEEN_NSEC 2000000

NOINLINE int price(int article)
{
	return article * 7 % 100;
}

NOINLINE int order(int number)
{
	int *prices = malloc(PRICES * sizeof(*prices));
	int sum = 0;

	if (!prices)
		return -1;
	for (int i = 0; i < PRICES; i++)
		sum += prices[i] = price(number + i);
	free(prices);
	return sum;
}

int main(void)
{
	const struct timespec between = { .tv_nsec = BETWEEN_NSEC };
	int sum = 0;

	for (int i = 0; i < ORDERS; i++) {
		sum += order(i);
		nanosleep(&between, NULL);
	}
	return sum < 0;
}
