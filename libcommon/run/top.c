/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/util.h"
#include "output/time.h"
#include "run/top.h"

/* Home, and from there on nothing: clear(1) without its loss of what scrolled away. */
#define CLEAR_SCREEN "\033[H\033[J"

struct top_options top_options;

static uint64_t interval_ns = NSEC_PER_SEC, count;
const struct opt top_positional[] = {
	OPT(0, "interval", .arg = "SEC", .sec = &interval_ns,
	    .help = "seconds between reports (default: 1)"),
	OPT(0, "count", .arg = "N", .uint = &count, .min = 1, .help = "how many reports"),
	{ 0 },
};

void top_setup(struct run *r)
{
	r->plan.interval_ns = interval_ns;
	r->plan.count = count;
}

/* "12:34:56 loadavg: 0.99 0.97 0.96 2/1085 5713" and an empty line, as BCC has it. */
static void load_line(struct out *o, uint64_t real_ns)
{
	int fd = open("/proc/loadavg", O_RDONLY | O_CLOEXEC);
	char text[128];
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text));

	if (fd >= 0)
		close(fd);
	time_of_day(o, real_ns, table_show_clock ? 6 : 0);
	out_str(o, " loadavg: ");
	out_mem(o, n > 0 ? text : "?\n", n > 0 ? n : 2);
	out_char(o, '\n');
}

/* How many rows the terminal has room for below what stands above them, where each takes one line
 * or, if it is wider than the terminal, several. 0: it does not say how large it is. */
static size_t rows_that_fit(const struct winsize *size, int width)
{
	int lines = 1, left = size->ws_row - (top_options.no_load ? 0 : 2);

	if (!size->ws_row || !size->ws_col)
		return 0;
	if (width > size->ws_col)
		lines = (width + size->ws_col - 1) / size->ws_col;
	left = (left - 1) / lines - 1; /* the header is as wide; the cursor has a line, too */
	return left > 1 ? left : 1;
}

/* Prints what stands above the rows; returns how many there may be. */
static size_t begin(struct run *r, const struct column *columns, uint64_t now, size_t nr)
{
	struct winsize size = { 0 };
	const bool clear = !r->opt.json && !top_options.no_clear && isatty(r->out.fd);
	size_t fit = 0;

	if (clear && !ioctl(r->out.fd, TIOCGWINSZ, &size))
		fit = rows_that_fit(&size, table_width(columns));
	if (fit && fit < nr)
		nr = fit;
	if (top_options.rows && top_options.rows < nr)
		nr = top_options.rows;
	if (r->opt.json)
		return nr;
	out_str(&r->out, clear ? CLEAR_SCREEN : "\n");
	if (!top_options.no_load)
		load_line(&r->out, clock_real_ns(now));
	else
		run_report_clock(r, clock_real_ns(now), false);
	table_header(&r->out, columns);
	return nr;
}

void top_report(struct run *r, const struct column *columns, void *rows, size_t nr, size_t row_size)
{
	uint64_t now = clock_mono_ns(), interval = run_interval(r, now);

	nr = begin(r, columns, now, nr);
	for (size_t i = 0; i < nr && !r->out.error; i++) {
		struct report_row *row = (void *)((char *)rows + i * row_size);

		row->head.ts = now;
		row->interval_ns = interval;
		run_row(r, columns, row);
	}
	run_count(r, nr);
}
