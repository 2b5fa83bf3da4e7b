/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * requests: what user space knows of block requests; the other side is bpf/lib/request.bpf.h.
 */
#ifndef BORESCOPE_REQUESTS_H
#define BORESCOPE_REQUESTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/types.h>

#include "../bpf/lib/request.h"
#include "object.h"

/* For a tool's .facts, and in its configure hook: what the kernel side has to know of this kernel.
 */
extern const struct kernel_fact request_facts[];
void requests_configure(struct bpf_object *obj);

/*
 * A block request's operation (enum req_op, the low 8 bits) and flags (bits of enum io_flag,
 * bpf/lib/request.h) in BCC's words: "Sync-Write", "ReadAhead-Read". Into @buf; returns @buf.
 */
const char *io_flags_str(uint64_t flags, char *buf, size_t size);

/*
 * A disk with a request queue on which the kernel does not seem to write down when a request is
 * issued (or, with
 * @at_submission, when it was submitted), among all or of @only_dev if that is not 0. NULL: there
 * is none. From sysfs, so not certain either way: blk-iocost and others keep statistics that sysfs
 * does not show. The string lives until the next call.
 */
const char *requests_unstamped(uint32_t only_dev, bool at_submission);

#endif
