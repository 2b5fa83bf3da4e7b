/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <linux/bpf.h>

#include "script/helpers.h"

#define NAME(name, ...) #name
static const char *const names[] = { __BPF_FUNC_MAPPER(NAME) };

const char *helper_name(int number)
{
	static char unknown[32];

	if (number > 0 && (size_t)number < sizeof(names) / sizeof(names[0]))
		return names[number];
	snprintf(unknown, sizeof(unknown), "helper %d", number);
	return unknown;
}

const char *helper_arguments(int number)
{
	static const char *const kinds[] = {
		[BPF_FUNC_map_lookup_elem] = "ma",
		[BPF_FUNC_map_update_elem] = "maas",
		[BPF_FUNC_map_delete_elem] = "ma",
		[BPF_FUNC_ktime_get_ns] = "",
		[BPF_FUNC_get_prandom_u32] = "",
		[BPF_FUNC_get_smp_processor_id] = "",
		[BPF_FUNC_get_current_pid_tgid] = "",
		[BPF_FUNC_get_current_uid_gid] = "",
		[BPF_FUNC_get_current_comm] = "ak",
		[BPF_FUNC_get_current_task] = "",
		[BPF_FUNC_get_numa_node_id] = "",
		[BPF_FUNC_get_stack] = "caks",
		[BPF_FUNC_override_return] = "cs",
		[BPF_FUNC_get_current_cgroup_id] = "",
		[BPF_FUNC_send_signal] = "s",
		[BPF_FUNC_send_signal_thread] = "s",
		[BPF_FUNC_probe_read_user] = "ak*",
		[BPF_FUNC_probe_read_kernel] = "ak*",
		[BPF_FUNC_probe_read_user_str] = "ak*",
		[BPF_FUNC_probe_read_kernel_str] = "ak*",
		[BPF_FUNC_probe_write_user] = "*ak",
		[BPF_FUNC_jiffies64] = "",
		[BPF_FUNC_get_ns_current_pid_tgid] = "ssak",
		[BPF_FUNC_ktime_get_boot_ns] = "",
		[BPF_FUNC_get_func_ip] = "c",
		[BPF_FUNC_get_attach_cookie] = "c",
	};

	if (number < 0 || (size_t)number >= sizeof(kinds) / sizeof(kinds[0]))
		return NULL;
	return kinds[number];
}

const char *helper_runtime_arguments(const char *name)
{
	static const struct {
		const char *name, *kinds;
	} functions[] = {
		{ "rt_append", "askak" },
		{ "rt_append_any", "ask*k" },
		{ "rt_append_kernel", "ask*k" },
		{ "rt_append_user", "ask*k" },
		{ "rt_buf_kernel", "ak*s" },
		{ "rt_buf_user", "ak*s" },
		{ "rt_div", "ss" },
		{ "rt_hist", "ask" },
		{ "rt_intern", "aka" },
		{ "rt_lhist", "asak" },
		{ "rt_max", "ass" },
		{ "rt_min", "ass" },
		{ "rt_mod", "ss" },
		{ "rt_path", "ak*a" },
		{ "rt_read_any", "ak*" },
		{ "rt_read_kernel", "ak*" },
		{ "rt_read_user", "ak*" },
		{ "rt_ring", "" },
		{ "rt_send", "aska" },
		{ "rt_slot", "maa" },
		{ "rt_stack", "caks" },
		{ "rt_stack_called", "caks" },
		{ "rt_str_any", "ak*" },
		{ "rt_str_comm", "aa" },
		{ "rt_str_contains", "akak" },
		{ "rt_str_copy", "aka" },
		{ "rt_str_equal", "aak" },
		{ "rt_str_equal_n", "aaks" },
		{ "rt_str_kernel", "ak*" },
		{ "rt_str_user", "ak*" },
	};

	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
		if (!strcmp(functions[i].name, name))
			return functions[i].kinds;
	return NULL;
}
