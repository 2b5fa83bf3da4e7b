/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * killer: text and JSON for who sent the signal that a process died of, as killer_of() and
 * killer_oom_of() of bpf/lib/tasks/killer.probes.bpf.h have found it.
 *
 * Names of processes and cgroups are other users': as text they are escaped here.
 */
#ifndef BORESCOPE_TASKS_KILLER_H
#define BORESCOPE_TASKS_KILLER_H

#include <stddef.h>
#include <stdint.h>

#include "lib/tasks/killer.shared.h"
#include "output/json.h"
#include "output/out.h"

/* Writes "from 3111 watchdog", "from itself" (@victim is the process that died), "from kernel", or
 * "from ?". */
void killer_text(struct out *o, const struct killer *k, uint32_t victim);

/* Members of an event: who it was, null where that is not known or not a process. */
void killer_json(struct json *j, const struct killer *k);
#define KILLER_KEYS "sender killer_pid killer_uid killer_comm signal_code"

/*
 * Of a victim of the out-of-memory killer. @cgroup, of @len bytes, are the names of the one that
 * its memory was charged to, as cgroup_path_read() gives them. Writes "OOM in cgroup, 136052 KB,
 * /shop.slice/report.service"; for a kill that was not seen, "OOM in ?, ? KB, ".
 *
 * Whether a cgroup or the whole system was short of memory is told by the functions on the kernel's
 * stack: the first call reads /proc/kallsyms, which is kept until killer_free(). Where that hides
 * addresses it is "?".
 */
void killer_oom_text(struct out *o, const struct killer_oom *oom, const char *cgroup, size_t len);
/* Members of an event; those in bytes only where they are known. */
void killer_oom_json(struct json *j, const struct killer_oom *oom, const char *cgroup, size_t len);
#define KILLER_OOM_KEYS                                                                            \
	"oom_scope oom_cgroup oom_bytes oom_anon_bytes oom_file_bytes oom_shmem_bytes"
/* In the finish hook. */
void killer_free(void);

#endif
