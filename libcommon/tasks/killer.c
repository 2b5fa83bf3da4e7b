/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/cgroup.h"
#include "base/util.h"
#include "lib/core/cgroup.shared.h"
#include "symbols/symbols.h"
#include "tasks/killer.h"

void killer_text(struct out *o, const struct killer *k, uint32_t victim)
{
	if (k->kind == KILLER_KERNEL) {
		out_str(o, "from kernel");
	} else if (k->kind != KILLER_TASK) {
		out_str(o, "from ?");
	} else if (k->pid == victim) {
		out_str(o, "from itself");
	} else {
		out_printf(o, "from %u ", k->pid);
		out_escaped(o, k->comm, sizeof(k->comm));
	}
}

void killer_json(struct json *j, const struct killer *k)
{
	bool task = k->kind == KILLER_TASK, kernel = k->kind == KILLER_KERNEL;

	json_str(j, "sender", task ? "process" : kernel ? "kernel" : NULL);
	json_u64_known(j, "killer_pid", task, k->pid);
	json_u64_known(j, "killer_uid", task, k->uid);
	json_strn(j, "killer_comm", task ? k->comm : NULL, sizeof(k->comm));
	if (task || kernel)
		json_s64(j, "signal_code", k->code);
	else
		json_null(j, "signal_code");
}

/* --- the out-of-memory killer ------------------------------------------------------------- */

static struct symbols *symbols; /* made with the first victim: most runs see none */

void killer_free(void)
{
	symbols_free(symbols);
	symbols = NULL;
}

/* Was it for want of memory in a cgroup or in the whole system? That is told by who has called the
 * killer; NULL: it is not known. */
static const char *oom_scope(const struct killer_oom *oom)
{
	bool inside = false; /* of the killer: the next frame has called it */

	for (__u32 i = 0; oom->known && i < oom->nr_frames && i < KILLER_FRAMES; i++) {
		struct frame_name name = {};

		if (!symbols && !(symbols = symbols_new()))
			return NULL;
		symbols_kernel(symbols, oom->frames[i], &name);
		if (!name.function)
			return NULL;
		if (!strcmp(name.function, "mem_cgroup_out_of_memory"))
			return "cgroup";
		if (inside)
			return "system";
		inside = !strcmp(name.function, "out_of_memory");
	}
	return NULL;
}

static uint64_t bytes_of(uint64_t pages)
{
	return pages * sysconf(_SC_PAGESIZE);
}

static uint64_t victim_bytes(const struct killer_oom *oom)
{
	return bytes_of(oom->anon + oom->file + oom->shmem);
}

#define PATH_ROOM (CGROUP_PATH_BYTES + 1) /* each name has a slash instead of its NUL */

void killer_oom_text(struct out *o, const struct killer_oom *oom, const char *cgroup, size_t len)
{
	const char *scope = oom_scope(oom);
	char path[PATH_ROOM];

	cgroup_path_join(path, sizeof(path), cgroup, len);
	out_printf(o, "OOM in %s, ", scope ? scope : "?");
	if (oom->known)
		out_u64(o, victim_bytes(oom) / 1024);
	else
		out_char(o, '?');
	out_str(o, " KB, ");
	out_escaped(o, path, sizeof(path));
}

void killer_oom_json(struct json *j, const struct killer_oom *oom, const char *cgroup, size_t len)
{
	char path[PATH_ROOM];

	cgroup_path_join(path, sizeof(path), cgroup, len);
	json_str(j, "oom_scope", oom_scope(oom));
	json_str(j, "oom_cgroup", path);
	if (!oom->known)
		return;
	json_u64(j, "oom_bytes", victim_bytes(oom));
	json_u64(j, "oom_anon_bytes", bytes_of(oom->anon));
	json_u64(j, "oom_file_bytes", bytes_of(oom->file));
	json_u64(j, "oom_shmem_bytes", bytes_of(oom->shmem));
}
