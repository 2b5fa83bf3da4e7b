/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The parts of an object that is open, and not loaded: biolatency's, as it was built. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <bpf/libbpf.h>

#include <cmocka.h>

#include "base/msg.h"
#include "kernel/events.h"
#include "kernel/object.h"
#include "lib/block/request.shared.h"
#include "lib/core/filter.shared.h"
#include "lib/hist/hist.shared.h"
#include "biolatency.skel.h"

static struct object object;

static int open_object(void **state)
{
	const struct object_spec spec = { .image = { "biolatency", biolatency_bpf__elf_bytes } };

	msg_init("biolatency");
	return object_open(&object, &spec);
}

static int close_object(void **state)
{
	object_close(&object);
	return 0;
}

/* Runs @fn in a process of its own, which it has to end by status 1 after printing @line. */
static void assert_ends(void (*fn)(void), const char *line)
{
	char text[256];
	int fds[2], status;
	ssize_t len;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		dup2(fds[1], STDERR_FILENO);
		fn();
		_exit(99); /* it came back */
	}
	close(fds[1]);
	len = read(fds[0], text, sizeof(text) - 1);
	assert_true(len >= 0);
	text[len] = '\0';
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_string_equal(text, line);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 1);
}

static void test_section(void **state)
{
	struct hist_config *config = object_section(&object, ".rodata.hist", "lib/hist/hist.bpf.h");
	size_t size = 0;

	assert_ptr_equal(config, object_find_section(&object, ".rodata.hist", &size));
	assert_true(size >= sizeof(*config));
	config->keyed = 1;
	assert_non_null(object_section(&object, ".rodata", NULL));
	assert_null(object_find_section(&object, ".rodata.stacks", &size));
}

static void forgotten_header(void)
{
	object_section(&object, ".rodata.stacks", "lib/stacks/stacks.bpf.h");
}

static void forgotten_variable(void)
{
	object_section(&object, ".rodata.xstack", NULL);
}

static void forgotten_map(void)
{
	object_resize_map(&object, "waiting", 1);
}

static void test_forgotten(void **state)
{
	assert_ends(forgotten_header, "biolatency: no section .rodata.stacks: its program does not "
				      "include lib/stacks/stacks.bpf.h\n");
	assert_ends(forgotten_variable,
		    "biolatency: no section .rodata.xstack: its program does not "
		    "define it\n");
	assert_ends(forgotten_map, "biolatency: no map waiting: its program does not define it\n");
}

static void test_maps(void **state)
{
	struct bpf_map *map = bpf_object__find_map_by_name(object.bpf, "hist_keyed");

	assert_non_null(map);
	assert_int_equal(object_resize_map(&object, "hist_keyed", 12345), 0);
	assert_int_equal(bpf_map__max_entries(map), 12345);
	assert_int_equal(object_drop_map(&object, "hist_keyed"), 0);
	assert_false(bpf_map__autocreate(map));
	assert_int_equal(object_drop_map(&object, "waiting"), -ENOENT);
	assert_int_equal(events_configure(&object), 0); /* it has no rings */
}

static void test_program_names(void **state)
{
	const char *first = object_next_program(&object, NULL), *last = first;

	assert_non_null(first);
	assert_non_null(strchr(object_program_section(&object, first), '/'));
	for (const char *p = first; p; p = object_next_program(&object, p))
		last = p;
	assert_string_not_equal(first, last);
	assert_null(object_program_section(&object, "no_such_program"));
	assert_int_equal(object_program(&object, "no_such_program"), -ENOENT);
	assert_int_equal(object_program(&object, first), -ENOENT); /* not loaded */
}

/* As it is once loaded, with descriptors of other things. */
static void test_programs(void **state)
{
	struct programs p = { 0 };
	struct events *events;

	assert_int_equal(programs_map(&p, "hist_all"), -ENOENT);
	assert_int_equal(programs_add_map(&p, "hist_all", 3), 0);
	assert_int_equal(programs_add_map(&p, ".data.hist", 4), 0);
	assert_int_equal(programs_add(&p, 5, true), 0);
	assert_int_equal(programs_map(&p, "hist_all"), 3);
	assert_int_equal(programs_map(&p, ".data.hist"), 4);
	assert_int_equal(programs_map(&p, "hist"), -ENOENT);
	assert_int_equal(programs_write(&p, ".data.other", ""), -ENOENT);
	assert_int_equal(programs_read(&p, ".data.other", NULL), -ENOENT);
	assert_int_equal(programs_percpu_sum(&p, "hist_lost", 0), 0);
	assert_int_equal(events_open(&p, &events), 0);
	assert_null(events);
	programs_free(&p);
	assert_int_equal(programs_map(&p, "hist_all"), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_section),	 cmocka_unit_test(test_forgotten),
		cmocka_unit_test(test_maps),	 cmocka_unit_test(test_program_names),
		cmocka_unit_test(test_programs),
	};

	return cmocka_run_group_tests(tests, open_object, close_object);
}
