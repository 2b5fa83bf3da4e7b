/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "base/util.h"
#include "output/out.h"
#include "output.h"

static void test_numbers(void **state)
{
	(void)state;
	out_u64(&o, 0);
	out_char(&o, ' ');
	out_u64(&o, 10);
	out_char(&o, ' ');
	out_u64(&o, UINT64_MAX);
	assert_string_equal(text(), "0 10 18446744073709551615");

	out_s64(&o, 0);
	out_char(&o, ' ');
	out_s64(&o, -1);
	out_char(&o, ' ');
	out_s64(&o, INT64_MIN);
	out_char(&o, ' ');
	out_s64(&o, INT64_MAX);
	assert_string_equal(text(), "0 -1 -9223372036854775808 9223372036854775807");

	out_u64_pad(&o, 7, 2);
	out_char(&o, ' ');
	out_u64_pad(&o, 123, 2);
	out_char(&o, ' ');
	out_u64_pad(&o, 0, 9);
	out_char(&o, ' ');
	out_u64_pad(&o, 5, 0);
	out_char(&o, ' ');
	out_u64_pad(&o, 1, 1000);
	assert_string_equal(text(), "07 123 000000000 5 00000000000000000001");

	out_fixed(&o, 1234567, 3);
	out_char(&o, ' ');
	out_fixed(&o, 5, 3);
	out_char(&o, ' ');
	out_fixed(&o, 5, 0);
	out_char(&o, ' ');
	out_fixed(&o, UINT64_MAX, 9);
	out_char(&o, ' ');
	out_fixed(&o, UINT64_MAX, 19);
	assert_string_equal(text(), "1234.567 0.005 5 18446744073.709551615 1.8446744073709551615");
}

static void test_numbers_as_printf(void **state)
{
	char want[64];
	int i;

	(void)state;
	srandom(1);
	for (i = 0; i < 20000; i++) {
		uint64_t v = (uint64_t)random() << 33 ^ (uint64_t)random() << 11 ^ random();

		v >>= random() % 64;
		snprintf(want, sizeof(want), "%" PRIu64 " %" PRId64 "\n", v, (int64_t)v);
		out_u64(&o, v);
		out_char(&o, ' ');
		out_s64(&o, v);
		out_char(&o, '\n');
		assert_string_equal(text(), want);
	}
}

static void test_printf(void **state)
{
	char *big = malloc(200001);
	size_t len;

	(void)state;
	out_printf(&o, "%s=%d%c", "x", -5, '\n');
	out_printf(&o, "%s", "");
	assert_string_equal(text(), "x=-5\n");

	memset(big, 'a', 200000);
	big[200000] = '\0';
	out_printf(&o, "<%s>", big);
	assert_int_equal(text_of(&len)[0], '<');
	assert_int_equal(len, 200002);
	free(big);
}

static void test_mem_of_any_length(void **state)
{
	static const size_t lengths[] = { 0, 1, OUT_SIZE - 1, OUT_SIZE, OUT_SIZE + 1, 1000003 };
	size_t i, j, len;
	char *in, *got;

	(void)state;
	out_mem(&o, NULL, 0);
	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		in = malloc(lengths[i] + 1);
		for (j = 0; j < lengths[i]; j++)
			in[j] = j * 7 % 251;
		out_char(&o, '>');
		out_mem(&o, in, lengths[i]);
		out_char(&o, '<');
		got = text_of(&len);
		assert_int_equal(len, lengths[i] + 2);
		assert_int_equal(got[0], '>');
		assert_memory_equal(got + 1, in, lengths[i]);
		assert_int_equal(got[len - 1], '<');
		free(in);
	}
}

/* Everything through buffers that fill up at every possible place of a row. */
static void test_rows_across_flushes(void **state)
{
	size_t len, i, at = 0;
	char want[64], *got;
	const int rows = 20000;

	(void)state;
	for (i = 0; i < (size_t)rows; i++) {
		size_t mark = out_mark(&o);

		out_u64(&o, i);
		out_pad_left(&o, mark, 7);
		out_char(&o, ' ');
		mark = out_mark(&o);
		out_escaped(&o, "n\303\244me\t", 16);
		out_pad(&o, mark, 9);
		out_str(&o, "|\n");
	}
	got = text_of(&len);
	for (i = 0; i < (size_t)rows; i++) {
		int n = snprintf(want, sizeof(want), "%7zu n\303\244me\\t   |\n", i);

		assert_true(at + n <= len);
		assert_memory_equal(got + at, want, n);
		at += n;
	}
	assert_int_equal(at, len);
}

static void test_only_whole_lines_leave_early(void **state)
{
	char line[101], last;
	off_t end;
	int i;

	(void)state;
	memset(line, 'x', sizeof(line));
	line[100] = '\n';
	for (i = 0; i < 5000; i++) {
		out_mem(&o, line, sizeof(line));
		end = lseek(file, 0, SEEK_CUR);
		if (!end)
			continue;
		assert_int_equal(pread(file, &last, 1, end - 1), 1);
		assert_int_equal(last, '\n');
	}
	assert_true(lseek(file, 0, SEEK_CUR) > 400000);
}

static void test_pad(void **state)
{
	size_t mark;

	(void)state;
	mark = out_mark(&o);
	out_str(&o, "ab");
	out_pad(&o, mark, 5);
	out_char(&o, '|');
	mark = out_mark(&o);
	out_str(&o, "ab");
	out_pad_left(&o, mark, 5);
	out_char(&o, '|');
	assert_string_equal(text(), "ab   |   ab|");

	/* nothing is cut; nothing is written at all; a width that makes no sense */
	mark = out_mark(&o);
	out_str(&o, "toolong");
	out_pad(&o, mark, 3);
	out_pad_left(&o, mark, 7);
	out_pad(&o, mark, 0);
	out_pad(&o, mark, -5);
	mark = out_mark(&o);
	out_pad(&o, mark, 2);
	out_pad_left(&o, mark, 4);
	out_char(&o, '|');
	assert_string_equal(text(), "toolong    |");

	/* code points: 2-, 3- and 4-byte sequences are one column each */
	mark = out_mark(&o);
	out_str(&o, "\303\244\342\202\254\360\237\230\200");
	out_pad(&o, mark, 5);
	out_char(&o, '|');
	assert_string_equal(text(), "\303\244\342\202\254\360\237\230\200  |");
}

static void test_pad_after_flush(void **state)
{
	size_t mark, len, i;
	char *got;

	(void)state;
	out_str(&o, "xy");
	mark = out_mark(&o);
	out_str(&o, "ab");
	out_flush(&o);
	out_pad(&o, mark, 9);
	out_pad_left(&o, mark, 9);
	out_char(&o, '|');
	assert_string_equal(text(), "xyab|");

	/* A line longer than the buffer: not padded, and nothing else goes wrong */
	mark = out_mark(&o);
	for (i = 0; i < OUT_SIZE + 10; i++)
		out_char(&o, 'x');
	out_pad_left(&o, mark, 100);
	out_pad(&o, mark, 100);
	text_of(&len);
	assert_int_equal(len, OUT_SIZE + 10);

	/* The padding itself does not fit any more */
	for (i = 0; i < OUT_SIZE - 4; i++)
		out_char(&o, 'x');
	mark = out_mark(&o);
	out_str(&o, "abc");
	out_pad_left(&o, mark, 10);
	out_pad(&o, mark, 10);
	got = text_of(&len);
	assert_int_equal(len, OUT_SIZE - 1);
	assert_string_equal(got + len - 4, "xabc");

	/* A width beyond the buffer */
	out_pad(&o, out_mark(&o), INT32_MAX);
	text_of(&len);
	assert_int_equal(len, OUT_SIZE);
}

static const char *esc(const char *s, size_t len)
{
	out_escaped(&o, s, len);
	return text();
}

static void test_escaped(void **state)
{
	(void)state;
	assert_string_equal(esc("bash", 16), "bash");
	assert_string_equal(esc("bash", 2), "ba");
	assert_string_equal(esc("", 0), "");
	assert_string_equal(esc("a\0b", 3), "a");
	assert_string_equal(esc(" ~\"'", 16), " ~\"'");
	assert_string_equal(esc("a\\b", 16), "a\\\\b");
	assert_string_equal(esc("\a\b\t\n\v\f\r", 16), "\\a\\b\\t\\n\\v\\f\\r");
	assert_string_equal(esc("\033[31m\001\177", 16), "\\033[31m\\001\\177");
	/* C1, in UTF-8 (CSI) and as a lone byte; U+00A1 is none any more */
	assert_string_equal(esc("\302\233x\233", 16), "\\302\\233x\\233");
	assert_string_equal(esc("\302\200\302\237\302\241", 16), "\\302\\200\\302\\237\302\241");
	/* bidirectional controls, line separators, byte order mark, and their neighbours */
	assert_string_equal(esc("\330\233\330\234\330\235", 16), "\330\233\\330\\234\330\235");
	assert_string_equal(esc("\342\200\215\342\200\216\342\200\217\342\200\220", 16),
			    "\\342\\200\\215\\342\\200\\216\\342\\200\\217\342\200\220");
	assert_string_equal(esc("\342\200\247\342\200\250\342\200\251\342\200\252", 16),
			    "\342\200\247\\342\\200\\250\\342\\200\\251\\342\\200\\252");
	assert_string_equal(esc("\342\200\256\342\200\260", 16), "\\342\\200\\256\342\200\260");
	assert_string_equal(esc("\342\201\236\342\201\246\342\201\257\342\201\260", 16),
			    "\342\201\236\\342\\201\\246\\342\\201\\257\342\201\260");
	assert_string_equal(esc("\357\273\277\357\273\276", 16), "\\357\\273\\277\357\273\276");
	/* text stays text */
	assert_string_equal(esc("\303\244\342\202\254\360\237\230\200", 16),
			    "\303\244\342\202\254\360\237\230\200");
	/* cut in the middle of a sequence, by the length and by the NUL */
	assert_string_equal(esc("a\342\202\254", 3), "a\\342\\202");
	assert_string_equal(esc("a\342\202\0\254", 5), "a\\342\\202");
	assert_string_equal(esc("\342\202x", 3), "\\342\\202x");
	/* overlong '/', surrogate, above U+10FFFF, never valid */
	assert_string_equal(esc("\300\257", 2), "\\300\\257");
	assert_string_equal(esc("\340\200\257", 3), "\\340\\200\\257");
	assert_string_equal(esc("\355\240\200", 3), "\\355\\240\\200");
	assert_string_equal(esc("\364\220\200\200", 4), "\\364\\220\\200\\200");
	assert_string_equal(esc("\376\377", 2), "\\376\\377");

	out_escaped_quoted(&o, "a\"\\\n'", 16);
	assert_string_equal(text(), "a\\\"\\\\\\n'");
}

/* A checker of its own: no control character, and nothing that is not UTF-8. */
static void assert_harmless(const unsigned char *s, size_t len)
{
	size_t i = 0;

	while (i < len) {
		uint32_t cp = s[i];
		int more = 0;

		assert_true(cp >= 0x20 && cp != 0x7f);
		if (cp >= 0x80) {
			assert_true(cp >= 0xc0 && cp < 0xf8);
			more = cp >= 0xf0 ? 3 : cp >= 0xe0 ? 2 : 1;
			cp &= 0x3f >> more;
		}
		assert_true(i + more < len);
		for (i++; more; more--, i++) {
			assert_int_equal(s[i] >> 6, 2);
			cp = cp << 6 | (s[i] & 0x3f);
		}
		assert_false(cp >= 0x80 && cp < 0xa0);
		assert_false(cp >= 0xd800 && cp < 0xe000);
		assert_false(cp >= 0x202a && cp <= 0x202e);
		assert_false(cp >= 0x2066 && cp <= 0x2069);
		assert_true(cp != 0x2028 && cp != 0x2029 && cp != 0xfeff && cp != 0x61c);
		assert_true(cp <= 0x10ffff);
	}
}

/* Undoes the escapes: what was escaped must be told apart from what only looks like it. */
static size_t unescape(const char *s, size_t len, char *to)
{
	static const char from[] = "abtnvfr\\", chars[] = "\a\b\t\n\v\f\r\\";
	size_t i = 0, n = 0;

	while (i < len) {
		const char *c;

		if (s[i] != '\\') {
			to[n++] = s[i++];
			continue;
		}
		assert_true(i + 1 < len);
		c = strchr(from, s[i + 1]);
		if (c) {
			to[n++] = chars[c - from];
			i += 2;
		} else {
			assert_true(i + 3 < len);
			to[n++] = (s[i + 1] - '0') << 6 | (s[i + 2] - '0') << 3 | (s[i + 3] - '0');
			i += 4;
		}
	}
	return n;
}

static void test_escaped_random(void **state)
{
	static const char *const pieces[] = { "\033[2J",
					      "\302\233",
					      "\342\200\256",
					      "\357\273\277",
					      "\303\244",
					      "\342\202",
					      "\360\237\230\200",
					      "\355\240\200",
					      "\\033",
					      "\\",
					      "\n",
					      "\304" };
	char back[256];
	int i;

	(void)state;
	srandom(2);
	for (i = 0; i < 50000; i++) {
		size_t len = random() % 64, j, n;
		/* exact size, so that reading one byte too far is seen */
		char *in = malloc(len ? len : 1), *got;

		for (j = 0; j < len; j++)
			in[j] = random() % 255 + 1;
		for (j = random() % 4; j; j--) {
			const char *p = pieces[random() % (ARRAY_SIZE(pieces))];
			size_t at = random() % (len + 1);

			if (at + strlen(p) <= len)
				memcpy(in + at, p, strlen(p));
		}
		out_escaped(&o, in, len);
		got = text_of(&n);
		assert_harmless((unsigned char *)got, n);
		assert_int_equal(unescape(got, n, back), len);
		assert_memory_equal(back, in, len);
		free(in);
	}
}

static void test_full_disk(void **state)
{
	size_t i;

	(void)state;
	out_init(&o, open("/dev/full", O_WRONLY));
	out_str(&o, "x\n");
	assert_int_equal(o.error, 0);
	assert_int_equal(out_flush(&o), -ENOSPC);
	close(o.fd);

	/* From then on nothing is tried any more: not even where it would work */
	o.fd = file;
	for (i = 0; i < 3 * OUT_SIZE; i++)
		out_str(&o, "dropped\n");
	out_printf(&o, "%s", "dropped");
	out_pad(&o, out_mark(&o), 10);
	assert_int_equal(out_flush(&o), -ENOSPC);
	assert_int_equal(o.error, ENOSPC);
	assert_int_equal(lseek(file, 0, SEEK_END), 0);
}

static void test_reader_left(void **state)
{
	int fds[2];

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(fds), 0);
	close(fds[0]);
	out_init(&o, fds[1]);
	out_str(&o, "x\n");
	assert_int_equal(out_flush(&o), -EPIPE);
	assert_int_equal(out_flush(&o), -EPIPE);
	close(fds[1]);
}

static void test_bad_fd(void **state)
{
	(void)state;
	out_init(&o, -1);
	assert_int_equal(out_flush(&o), 0); /* nothing to write, nothing to fail */
	out_char(&o, 'x');
	assert_int_equal(out_flush(&o), -EBADF);
}

static volatile sig_atomic_t alarms;

static void on_alarm(int sig)
{
	(void)sig;
	alarms++;
}

/* A slow reader of a small pipe counts and sums what arrives; signals interrupt the writer. */
static void through_pipe(bool nonblock)
{
	struct sigaction sa = { .sa_handler = on_alarm }; /* no SA_RESTART */
	struct itimerval every_ms = { { 0, 1000 }, { 0, 1000 } }, stop = { 0 };
	const uint32_t rows = 100000;
	int fds[2], status;
	uint32_t i;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	fcntl(fds[1], F_SETPIPE_SZ, 4096);
	pid = fork();
	if (!pid) {
		char line[32], want[32];
		FILE *f = fdopen(fds[0], "r");

		close(fds[1]);
		for (i = 0; fgets(line, sizeof(line), f); i++) {
			snprintf(want, sizeof(want), "%u\n", i);
			if (strcmp(line, want))
				_exit(1);
			if (i % 4096 == 0)
				usleep(2000);
		}
		_exit(i == rows ? 0 : 2);
	}
	close(fds[0]);
	if (nonblock)
		fcntl(fds[1], F_SETFL, O_NONBLOCK);
	alarms = 0;
	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &every_ms, NULL);
	out_init(&o, fds[1]);
	for (i = 0; i < rows; i++) {
		out_u64(&o, i);
		out_char(&o, '\n');
	}
	assert_int_equal(out_flush(&o), 0);
	setitimer(ITIMER_REAL, &stop, NULL);
	close(fds[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_true(alarms > 0);
}

static void test_interrupted_and_short_writes(void **state)
{
	(void)state;
	through_pipe(false);
}

static void test_nonblocking(void **state)
{
	(void)state;
	through_pipe(true);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, setup_output, teardown_output)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_numbers),
		TEST(test_numbers_as_printf),
		TEST(test_printf),
		TEST(test_mem_of_any_length),
		TEST(test_rows_across_flushes),
		TEST(test_only_whole_lines_leave_early),
		TEST(test_pad),
		TEST(test_pad_after_flush),
		TEST(test_escaped),
		TEST(test_escaped_random),
		TEST(test_full_disk),
		TEST(test_reader_left),
		TEST(test_bad_fd),
		TEST(test_interrupted_and_short_writes),
		TEST(test_nonblocking),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
