/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * script.shared.h: what the programs of a script keep and send; shared by bpf/script.bpf.c, the
 * compiler that calls it (script/) and what reads it (script/run.c, script/values.c).
 */
#ifndef BORESCOPE_BPF_SCRIPT_SHARED_H
#define BORESCOPE_BPF_SCRIPT_SHARED_H

#include "lib/core/types.shared.h"

/* --- values that are places --------------------------------------------------------------- */

/* A text or a buffer. A type has room for so many bytes, a text's NUL among them; the place has
 * RT_STRING_SIZE() bytes. What is behind the text up to the next multiple of 8 is NUL. */
struct rt_string {
	__u32 len; /* without a NUL */
	__u32 cut; /* 1: there was more than there was room for, or that is not known */
	char bytes[];
};
#define RT_STRING_SIZE(room) (sizeof(struct rt_string) + (((room) + 7) & ~7u))
#define RT_STRING_MAX	     10240 /* bytes of room at the most */

/* What stands for a text or a stack whose bytes were sent once (struct rt_bytes). All 0: none. */
struct rt_id {
	__u64 word[2];
};

struct rt_usym {
	__u64 address;
	__u32 pid, tid;
};

struct rt_inet {
	__u32 family; /* AF_INET, AF_INET6 of the kernel */
	__u32 reserved;
	__u8 address[16]; /* of AF_INET the first 4 */
};

#define RT_STACK_DEPTH_MAX 127 /* frames: kernel.perf_event_max_stack as it is by default */

/* Where the records of files have what path() reads: offsets in bytes. */
enum rt_path_offset {
	RT_PATH_MNT,	/* struct path */
	RT_PATH_DENTRY,
	RT_PATH_MOUNT,	/* of the struct vfsmount in a struct mount */
	RT_PATH_MNT_ROOT, /* struct vfsmount */
	RT_PATH_MNT_PARENT, /* struct mount */
	RT_PATH_MOUNTPOINT,
	RT_PATH_PARENT, /* struct dentry */
	RT_PATH_NAME,	/* struct qstr */
	RT_PATH_LEN,
	RT_PATH_QSTR,	/* of a struct dentry */
	RT_PATH_OFFSETS,
};
#define RT_PATH_NAME_MAX 256 /* NAME_MAX and a slash: so much is behind the place of a path() */
#define RT_PATH_ROOM_MIN 16
#define RT_PATH_ROOM_MAX 4096

/* --- values of maps ----------------------------------------------------------------------- */

/* count(): __u64, of each CPU. @x++ and integers that programs read: __s64, one for all CPUs. */
struct rt_sum { /* sum(), avg(), stats(): of each CPU */
	__s64 sum;
	__u64 count;
};
struct rt_extreme { /* min(), max(): of each CPU */
	__s64 value;
	__u64 is_set;
};
/*
 * hist(): values below 0, then slots: with @bits, a value below 2^bits has a slot of its own, and
 * each power of two from there on has 2^bits.
 */
struct rt_hist {
	__u64 negative;
	__u64 slots[];
};
#define RT_HIST_SLOTS(bits) (((64 - (bits)) << (bits)) + (1u << (bits)))
#define RT_HIST_SIZE(bits)  (8 + 8 * RT_HIST_SLOTS(bits))
/* lhist(): below min, then a slot for each step, then from max on. */
#define RT_LHIST_SLOTS(min, max, step) (((max) - (min) + (step)-1) / (step) + 2)

/* The slot of a value below 2^63. floor(log2()) by halves, for both sides. */
static inline __attribute__((always_inline)) __u32 rt_hist_slot(__u64 v, __u32 bits)
{
	__u64 log2 = 0, rest = v, more;

	if (v < (1ull << bits))
		return v;
	/* without a branch, for each would double what the verifier has to look at */
	more = ((0xffffffff - rest) >> 63) << 5;
	log2 += more;
	rest >>= more;
	more = ((0xffff - rest) >> 63) << 4;
	log2 += more;
	rest >>= more;
	more = ((0xff - rest) >> 63) << 3;
	log2 += more;
	rest >>= more;
	more = ((0xf - rest) >> 63) << 2;
	log2 += more;
	rest >>= more;
	more = ((3 - rest) >> 63) << 1;
	log2 += more;
	rest >>= more;
	log2 += rest >> 1;
	/* that of 2^bits is 2^bits, as it is the first of the second power */
	return ((log2 - bits) << bits) + (v >> (log2 - bits));
}

/* --- what is sent ------------------------------------------------------------------------- */

/*
 * A record: this, the values of the statement's arguments (each of 8 bytes or, if it is a place, of
 * its type's size rounded up to 8; a string is a struct rt_tail there), then the bytes of the
 * strings, each padded to 8 bytes, in their order.
 */
struct rt_record {
	__u64 ts;	 /* CLOCK_MONOTONIC, ns: rings are merged by it */
	__u32 statement; /* its number, or RT_BYTES */
	__u32 cpu;
};
struct rt_tail {
	__u32 len;    /* of the text */
	__u32 cut;    /* 1: there was more */
};
#define RT_BYTES 0xffffffff

enum rt_bytes_kind {
	RT_BYTES_TEXT,
	RT_BYTES_KSTACK, /* addresses, leaf first, each of 8 bytes */
	RT_BYTES_USTACK,
};

/* The bytes that an id stands for, sent when it is seen first. The id is made of all that follows
 * it (up to the end of the bytes) and of a number that nobody else knows. */
struct rt_bytes {
	struct rt_record record;
	struct rt_id id;
	__u32 kind;
	__u32 pid; /* of a user stack; else 0 */
	__u32 len; /* of bytes[] */
	__u32 cut; /* 1: there was more */
	char bytes[];
};

/* --- what all programs share -------------------------------------------------------------- */

/* exit() closes the gate, also while it waits for begin: then it is not opened. */
enum rt_gate { RT_GATE_CLOSED, RT_GATE_OPEN, RT_GATE_WAITS };

/* The first value of the map "globals", which user space has mapped. */
struct rt_globals {
	__u64 gate;	   /* enum rt_gate. A program does nothing else where it is not open */
	__u64 left_out;	   /* runs of programs that had interrupted themselves on a CPU */
	__u64 wake_bytes;  /* the reader is woken when a ring fills beyond this */
	__u64 seed[2];	   /* of ids */
	__u64 started;	   /* CLOCK_MONOTONIC, ns: when the gate was opened: the builtin elapsed */
	__u64 child;	   /* the process of -c: the builtin cpid */
	__u64 lost[];	   /* what found no room, by statement and by map */
};

/*
 * The functions of bpf/script.bpf.c. Each takes and gives 64-bit words; what is called room or bits
 * must be a constant that the verifier sees. All are written so that what they return needs no
 * bounds that the caller would have to keep.
 *
 * rt_str_user(to, room, from), rt_str_kernel, rt_str_any (the kernel's, else the user's) -> length:
 *	a NUL-terminated text into a struct rt_string; one that can't be read has length 0.
 * rt_buf_user(to, room, from, len), rt_buf_kernel -> length: so many bytes, at most room.
 * rt_str_comm(to, comm): from char[16]; the room is 16.
 * rt_str_copy(to, room, from): from another struct rt_string; cut where it is too long.
 * rt_str_equal(a, b, room) -> 0 or 1: @room is the smaller of the two.
 * rt_str_equal_n(a, b, room, n) -> 0 or 1: the first n bytes, as strncmp() == 0 has it.
 * rt_str_contains(a, room_a, b, room_b) -> 0 or 1
 * rt_read_kernel(to, size, from), rt_read_user, rt_read_any -> 0 or -errno: of constant size;
 *	zeroes where it fails.
 * rt_path(to, room, path, offsets) -> length: of a struct path, from the root of its mounts; what
 *	is longer begins with "...". Behind to there are RT_PATH_NAME_MAX bytes more.
 * rt_div(a, b), rt_mod(a, b): signed, rounded to 0; by 0: 0 and a, as BPF has it.
 * rt_slot(map, key, zero) -> address or 0: finds a value, or makes one from zero.
 * rt_hist(value, v, bits): counts v (signed) in a struct rt_hist.
 * rt_lhist(value, v, lhist, slots): @lhist: address of three __s64 {min, max, step} in rodata;
 *	@slots: RT_LHIST_SLOTS(), known to the verifier.
 * rt_min(value, v, is_signed), rt_max(value, v, is_signed)
 * rt_stack(context, bytes, room, flags): a stack into the .bytes of a struct rt_bytes of so many
 *	bytes of room, by the flags of bpf_get_stack(); sets .len.
 * rt_stack_called(context, bytes, room, flags): a user stack at a function's first instruction, of
 *	two frames of room or more; the second is the caller, which the kernel has left out.
 * rt_intern(bytes, room, lost) -> 0: makes .id of what follows it, and sends it if it was not sent
 *	before. @lost: the address of a counter.
 * rt_append(record, offset, room, from, where) -> the new offset, a multiple of 8: the bytes of a
 *	struct rt_string behind what is in a record. @where, a constant, has in its low 32 bits the
 *	greatest offset (one beyond it is returned as it is), so that plus room rounded up to 8 is
 *	what the record must have; in its high 32 bits, where in the record the struct rt_tail of
 *	it goes.
 * rt_append_user(record, offset, room, from, where), rt_append_kernel, rt_append_any: the same of a
 *	NUL-terminated text that stands at from, read right into the record.
 * rt_send(record, size, most, lost): into this CPU's ring, with .ts and .cpu filled in; at most so
 *	many bytes (a constant).
 * rt_ring() -> map: which ring that is; made by script/link.c.
 */

#endif
