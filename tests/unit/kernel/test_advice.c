/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What is told of the verifier's log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <linux/capability.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <bpf/libbpf.h>
#include <cmocka.h>

#include "base/msg.h"
#include "kernel/advice.h"

#define LOG                                                                                        \
	"0: (18) r1 = 0xffff888012345678 ; R1_w=map_ptr(off=0)\n"                                  \
	"1: mask ffffffff81000000, 0xffff, 1234\n"

static libbpf_print_fn_t print;

/* As libbpf would. */
static void say(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	print(LIBBPF_WARN, fmt, args);
	va_end(args);
}

/* What is said of LOG. */
static const char *said(void)
{
	static char text[4096];
	int kept = dup(STDERR_FILENO), file = memfd_create("stderr", MFD_CLOEXEC);
	ssize_t n;

	assert_true(kept >= 0 && file >= 0 && dup2(file, STDERR_FILENO) >= 0);
	say("libbpf: prog 'p': BPF program load failed: %d\n%s", -13, LOG);
	assert_int_equal(dup2(kept, STDERR_FILENO), STDERR_FILENO);
	n = pread(file, text, sizeof(text) - 1, 0);
	assert_true(n > 0);
	text[n] = '\0';
	close(file);
	close(kept);
	return text;
}

static void use_capability(unsigned int cap, bool on)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	assert_int_equal(syscall(SYS_capget, &header, data), 0);
	if (on)
		data[cap / 32].effective |= 1u << cap % 32;
	else
		data[cap / 32].effective &= ~(1u << cap % 32);
	assert_int_equal(syscall(SYS_capset, &header, data), 0);
}

static void test_addresses_in_the_log(void **state)
{
	(void)state;
	if (geteuid())
		skip();
	assert_non_null(strstr(said(), LOG));
	use_capability(CAP_SYSLOG, false);
	assert_non_null(strstr(said(), "r1 = 0xffffxxxxxxxxxxxx ; R1_w=map_ptr(off=0)\n"
				       "1: mask ffffxxxxxxxxxxxx, 0xffff, 1234\n"));
	use_capability(CAP_SYSLOG, true);
	assert_string_equal(advice_failed_program(), "p");
}

static int setup(void **state)
{
	(void)state;
	msg_verbose = true;
	advice_listen();
	print = libbpf_set_print(NULL);
	return print ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses_in_the_log),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
