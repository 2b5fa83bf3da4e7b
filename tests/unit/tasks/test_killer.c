/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/util.h"
#include "lib/core/cgroup.shared.h"
#include "tasks/killer.h"

static struct out out;

/* What has been written since the last call. */
static const char *written(void)
{
	out.buf[out.len] = '\0';
	out.len = 0;
	return out.buf;
}

static const char *text_of(const struct killer *k, uint32_t victim)
{
	killer_text(&out, k, victim);
	return written();
}

static void test_text(void **state)
{
	struct killer k = { .kind = KILLER_TASK, .pid = 3111, .comm = "a\033]0;b\\" };
	const struct killer kernel = { .kind = KILLER_KERNEL }, unknown = { 0 },
			    odd = { .kind = UINT32_MAX, .pid = 5 };

	assert_string_equal(text_of(&k, 5), "from 3111 a\\033]0;b\\\\");
	assert_string_equal(text_of(&k, 3111), "from itself");
	memset(k.comm, 'x', sizeof(k.comm)); /* without a NUL */
	assert_string_equal(text_of(&k, 5), "from 3111 xxxxxxxxxxxxxxxx");
	assert_string_equal(text_of(&kernel, 0), "from kernel");
	assert_string_equal(text_of(&unknown, 0), "from ?");
	assert_string_equal(text_of(&odd, 5), "from ?");
}

static const char *json_of(const struct killer *k)
{
	struct json j;

	json_init(&j, &out);
	json_object(&j, NULL);
	killer_json(&j, k);
	json_end_object(&j);
	return written();
}

static void test_json(void **state)
{
	const struct killer k = { .kind = KILLER_TASK, .pid = 7, .uid = 1000, .comm = "kill" },
			    kernel = { .kind = KILLER_KERNEL, .pid = -1, .code = 2 },
			    unknown = { .pid = -1 };

	assert_string_equal(json_of(&k), "{\"sender\":\"process\",\"killer_pid\":7,"
					 "\"killer_uid\":1000,\"killer_comm\":\"kill\","
					 "\"signal_code\":0}\n");
	assert_string_equal(json_of(&kernel), "{\"sender\":\"kernel\",\"killer_pid\":null,"
					      "\"killer_uid\":null,\"killer_comm\":null,"
					      "\"signal_code\":2}\n");
	assert_string_equal(json_of(&unknown), "{\"sender\":null,\"killer_pid\":null,"
					       "\"killer_uid\":null,\"killer_comm\":null,"
					       "\"signal_code\":null}\n");
}

static const char *oom_text(const struct killer_oom *oom, const char *cgroup, size_t len)
{
	killer_oom_text(&out, oom, cgroup, len);
	return written();
}

static const char *oom_json(const struct killer_oom *oom, const char *cgroup, size_t len)
{
	struct json j;

	json_init(&j, &out);
	json_object(&j, NULL);
	killer_oom_json(&j, oom, cgroup, len);
	json_end_object(&j);
	return written();
}

static void test_oom(void **state)
{
	struct killer_oom oom = { .known = 1, .anon = 2048, .file = 1024, .shmem = 1 };
	char path[CGROUP_PATH_BYTES];
	unsigned long kb = 3073ul * sysconf(_SC_PAGESIZE) / 1024;
	char expected[64];

	snprintf(expected, sizeof(expected), "OOM in ?, %lu KB, /a/\\n", kb);
	assert_string_equal(oom_text(&oom, "\n\0a", 4), expected);
	snprintf(expected, sizeof(expected), "\"oom_bytes\":%lu,", kb * 1024);
	assert_non_null(strstr(oom_json(&oom, "b\0a", 4), expected));
	/* what is of a kill that was not seen is not looked at */
	oom.known = 0;
	oom.nr_frames = UINT32_MAX;
	assert_string_equal(oom_text(&oom, NULL, 0), "OOM in ?, ? KB, /");
	assert_string_equal(oom_json(&oom, "b\0a", 4),
			    "{\"oom_scope\":null,\"oom_cgroup\":\"/a/b\"}\n");
	/* the longest path there can be is not cut */
	memset(path, 'x', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(strlen(oom_text(&oom, path, sizeof(path))),
			 strlen("OOM in ?, ? KB, ") + sizeof(path));
}

/* An address that is no function's. */
static void test_scope(void **state)
{
	struct killer_oom oom = { .known = 1, .nr_frames = UINT32_MAX, .frames = { 16 } };

	assert_non_null(strstr(oom_json(&oom, NULL, 0), "\"oom_scope\":null,"));
	killer_free();
	assert_non_null(strstr(oom_text(&oom, NULL, 0), "OOM in ?, 0 KB, "));
	killer_free();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_oom),
		cmocka_unit_test(test_scope),
	};

	out_init(&out, -1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
