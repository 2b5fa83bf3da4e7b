// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * script.bpf.c: the functions that bscope's compiler puts behind the programs it makes. Their list
 * stands in script.shared.h; script/link.c copies those that are called.
 *
 * The verifier looks into them at each call, with what the caller passes: so a room is a constant
 * here. Two things keep its work small: a loop has few ways out, and what is known on one of them
 * only (the number of the round) is of no use behind it. 5.10 forgets the bounds of what clang puts
 * on the stack, and clang removes a second comparison: bounded() hides from it that there was one.
 */
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>

#include "script_hash.shared.h"

extern struct rt_globals rt_globals;
extern struct rt_seen rt_seen; /* a map */
void *rt_ring(void);

#define RING_HEADER	8 /* bytes that a ring has for each record itself: BPF_RINGBUF_HDR_SZ */
#define ADD(counter, n) __sync_fetch_and_add(counter, n)

/* @v, of which the verifier then knows that it is @most at the most. */
static __always_inline __u64 bounded(__u64 v, __u64 most)
{
	barrier_var(v);
	if (v > most)
		v = most;
	barrier_var(v);
	return v;
}

/* The bytes of so many words. A multiplication that clang does not see through: it would take it
 * for an alignment of the bytes, which loses the bound. */
static __always_inline __u64 word_bytes(__u64 words)
{
	barrier_var(words);
	return words << 3;
}

/* Makes all NUL that is behind the first @n bytes of a text up to the next multiple of 8. Of @n 0,
 * that is nothing. The text has @room bytes, rounded up to 8. */
static __always_inline void pad(char *bytes, __u64 room, __u64 n)
{
	__u64 last, shift;

	if (!n)
		return;
	n = bounded(n - 1, room - 1); /* the last byte that stays */
	shift = 56 - ((n & 7) << 3);
	last = word_bytes(n >> 3);
	*(__u64 *)(bytes + last) &= ~0ull >> shift;
}

/* --- texts from elsewhere --- */

enum space { KERNEL, USER, ANY };

static __always_inline long read_text(void *to, __u64 room, const void *from, enum space space)
{
	long n = -1;

	if (space != USER)
		n = bpf_probe_read_kernel_str(to, room, from);
	if (space != KERNEL && n < 0)
		n = bpf_probe_read_user_str(to, room, from);
	return n;
}

static __always_inline long read_bytes(void *to, __u64 size, const void *from, enum space space)
{
	long err = -1;

	if (space != USER)
		err = bpf_probe_read_kernel(to, size, from);
	if (space != KERNEL && err)
		err = bpf_probe_read_user(to, size, from);
	return err;
}

/* A text that fills all the room may end just there. */
static __always_inline bool is_cut(const void *from, __u64 room, enum space space)
{
	char next = 1;

	return read_bytes(&next, 1, from + room - 1, space) || next;
}

/* Reads a text to @bytes, and its length and whether it was cut to @tail. Returns the length. */
static __always_inline __u64 text(char *bytes, struct rt_tail *tail, __u64 room, const void *from,
				  enum space space)
{
	long got = read_text(bytes, room, from, space);
	__u64 n;

	tail->len = 0;
	tail->cut = 0;
	if (got <= 1) {
		*(__u64 *)bytes = 0;
		return 0;
	}
	n = bounded(got - 1, room - 1);
	tail->len = n;
	if (n == room - 1)
		tail->cut = is_cut(from, room, space);
	pad(bytes, room, n);
	return n;
}

__u64 rt_str_user(struct rt_string *to, __u64 room, const void *from)
{
	return text(to->bytes, (struct rt_tail *)to, room, from, USER);
}

__u64 rt_str_kernel(struct rt_string *to, __u64 room, const void *from)
{
	return text(to->bytes, (struct rt_tail *)to, room, from, KERNEL);
}

__u64 rt_str_any(struct rt_string *to, __u64 room, const void *from)
{
	return text(to->bytes, (struct rt_tail *)to, room, from, ANY);
}

static __always_inline __u64 buffer(struct rt_string *to, __u64 room, const void *from, __u64 len,
				    enum space space)
{
	__u64 n;

	to->cut = len > room;
	n = bounded(len, room);
	if (read_bytes(to->bytes, n, from, space))
		n = 0;
	n = bounded(n, room);
	to->len = n;
	pad(to->bytes, room, n);
	return n;
}

__u64 rt_buf_user(struct rt_string *to, __u64 room, const void *from, __u64 len)
{
	return buffer(to, room, from, len, USER);
}

__u64 rt_buf_kernel(struct rt_string *to, __u64 room, const void *from, __u64 len)
{
	return buffer(to, room, from, len, KERNEL);
}

__u64 rt_read_kernel(void *to, __u64 size, const void *from)
{
	return read_bytes(to, size, from, KERNEL);
}

__u64 rt_read_user(void *to, __u64 size, const void *from)
{
	return read_bytes(to, size, from, USER);
}

__u64 rt_read_any(void *to, __u64 size, const void *from)
{
	return read_bytes(to, size, from, ANY);
}

/* --- texts --- */

/* How many bytes of a word stand before its first NUL; 8: it has none. */
static __always_inline __u64 word_length(__u64 word)
{
	__u64 nul = (word - 0x0101010101010101) & ~word & 0x8080808080808080;

	nul &= -nul;
	if (!nul)
		return 8;
	/* all bits below that of the first NUL: a bit at the bottom of each byte up to it */
	return (((nul - 1) & 0x0101010101010101) * 0x0101010101010101 >> 56) - 1;
}

__u64 rt_str_comm(struct rt_string *to, const __u64 *comm)
{
	__u64 first = comm[0], second = comm[1], n = word_length(first);

	if (n == 8)
		n += word_length(second & ~0ull >> 8);
	to->len = n;
	to->cut = 0;
	*(__u64 *)to->bytes = first;
	*(__u64 *)(to->bytes + 8) = second;
	pad(to->bytes, 16, n);
	if (n <= 8)
		*(__u64 *)(to->bytes + 8) = 0;
	return n;
}

__u64 rt_str_copy(struct rt_string *to, __u64 room, const struct rt_string *from)
{
	__u64 n = from->len, words;

	to->cut = from->cut | (n > room - 1);
	n = bounded(n, room - 1);
	to->len = n;
	words = word_bytes((n + 7) >> 3);
	bpf_probe_read_kernel(to->bytes, words, from->bytes);
	pad(to->bytes, room, n);
	return n;
}

/* What is different in 8 words. */
static __always_inline __u64 differ_8(const __u64 *a, const __u64 *b)
{
	__u64 differ = 0;

#pragma unroll
	for (int i = 0; i < 8; i++)
		differ |= a[i] ^ b[i];
	return differ;
}

/*
 * Are the first @n bytes the same? There are @room of both. All of them are looked at, for each way
 * out of a loop is one more that the verifier has to go; and what stands behind the last 8 words
 * is reached from their end, not from where the loop ended, so that these ways become one.
 */
__attribute__((noinline)) __u64 rt_bytes_equal(const char *a, const char *b, __u64 room, __u64 n)
{
	__u64 differ = 0, words = (room + 7) >> 3, at, last, shift;

	if (!n)
		return 1;
	n = bounded(n - 1, room - 1);
	last = n >> 3; /* the last word, of which some bytes don't count */
	shift = 56 - ((n & 7) << 3);
	if (last < 8) {
#pragma clang loop unroll(disable)
		for (__u64 w = 0; w < 8; w++) {
			if (w >= last || w >= words)
				break;
			differ |= ((const __u64 *)a)[w] ^ ((const __u64 *)b)[w];
		}
	} else {
#pragma clang loop unroll(disable)
		for (__u64 w = 0; w + 8 <= words; w += 8) {
			if (w + 8 > last)
				break;
			differ |= differ_8((const __u64 *)a + w, (const __u64 *)b + w);
		}
		at = word_bytes(bounded(last - 8, words - 9));
		differ |= differ_8((const __u64 *)(a + at), (const __u64 *)(b + at));
	}
	at = word_bytes(bounded(last, (room - 1) >> 3));
	differ |= (*(const __u64 *)(a + at) ^ *(const __u64 *)(b + at)) << shift;
	return !differ;
}

__u64 rt_str_equal(const struct rt_string *a, const struct rt_string *b, __u64 room)
{
	__u64 n = a->len;

	if (n != b->len)
		return 0;
	return rt_bytes_equal(a->bytes, b->bytes, room, n);
}

__u64 rt_str_equal_n(const struct rt_string *a, const struct rt_string *b, __u64 room, __u64 n)
{
	__u64 of_a = a->len, of_b = b->len;

	if (of_a > n)
		of_a = n;
	if (of_b > n)
		of_b = n;
	if (of_a != of_b)
		return 0;
	return rt_bytes_equal(a->bytes, b->bytes, room, of_a);
}

/* --- one text within another --- */

/*
 * By a hash that rolls: the bytes as digits of a number of base @base, modulo 2^64. Of the text's
 * windows, each as long as what is looked for, one has its hash, or none. (Comparing at each
 * place would be too much for the verifier. The base is secret; for two texts of one length below
 * some hundred bytes to have one hash, it would have to be met by chance.)
 */
struct window {
	__u64 base, power; /* power: base to the length */
	__u64 hash, wanted, length;
	__u64 found;
};

/* The sign of a number, 0 or 1; clang would see a comparison in that, and make a branch of it, of
 * which the verifier goes both ways at each byte. */
static __always_inline __u64 sign(__u64 v)
{
	barrier_var(v);
	return v >> 63;
}

static __always_inline __u64 is_zero(__u64 v)
{
	return sign(v | -v) ^ 1;
}

/* Is a < b? Both are small. */
static __always_inline __u64 is_less(__u64 a, __u64 b)
{
	return sign(a - b);
}

/*
 * The length once more. What a comparison tells of one register the verifier keeps, and goes all
 * that follows for each outcome on its own; this makes it a number that has nothing to do with the
 * other.
 */
static __always_inline __u64 length_of(const struct rt_string *s)
{
	return *(const volatile __u32 *)&s->len;
}

static __always_inline void window_want(struct window *win, const struct rt_string *s, __u64 room)
{
	__u64 words = (room + 7) >> 3, end = length_of(s);

	win->power = 1;
	win->wanted = 0;
#pragma clang loop unroll(disable)
	for (__u64 w = 0; w < words; w++) {
		__u64 word = ((const __u64 *)s->bytes)[w];

		if (w << 3 >= end)
			break;
#pragma clang loop unroll(disable)
		for (__u64 i = 0; i < 8; i++, word >>= 8) {
			__u64 inside = is_less((w << 3) + i, win->length);
			__u64 factor;

			barrier_var(inside);
			factor = ((win->base - 1) & -inside) + 1;
			win->wanted = win->wanted * factor + (word & 0xff & -inside);
			win->power *= factor;
		}
	}
}

/* The 8 bytes that leave the window when those at @at come into it: of what is before the text,
 * nothing. */
static __always_inline __u64 window_leaves(const struct window *win, const char *text, __u64 at,
					   __u64 most)
{
	__u64 offset = at - win->length, before = sign(offset), missing, word;

	barrier_var(before);
	missing = -offset & -before; /* of the 8, so many are before it */
	offset &= before - 1;
	word = *(const __u64 *)(text + bounded(offset, most));
	return word << ((missing & 7) << 3) & -is_less(missing, 8);
}

/* The window moves over 8 bytes: @in comes into it, @out leaves it; @at: where @in stands. */
static __always_inline void window_move(struct window *win, __u64 in, __u64 out, __u64 at)
{
#pragma clang loop unroll(disable)
	for (__u64 i = 0; i < 8; i++, in >>= 8, out >>= 8) {
		win->hash = win->hash * win->base + (in & 0xff) - (out & 0xff) * win->power;
		win->found |=
			is_zero(win->hash ^ win->wanted) & (is_less(at + i + 1, win->length) ^ 1);
	}
}

__u64 rt_str_contains(const struct rt_string *a, __u64 room_a, const struct rt_string *b,
		      __u64 room_b)
{
	struct window win = { .base = rt_globals.seed[0] | 1 };
	__u64 words = (room_a + 7) >> 3, end = length_of(a);

	if (!length_of(b))
		return 1;
	if (length_of(b) > length_of(a))
		return 0;
	win.length = length_of(b);
	window_want(&win, b, room_b);
#pragma clang loop unroll(disable)
	for (__u64 w = 0; w < words; w++) {
		__u64 at = w << 3;

		if (at >= end)
			break;
		window_move(&win, ((const __u64 *)a->bytes)[w],
			    window_leaves(&win, a->bytes, at, (words << 3) - 8), at);
	}
	return win.found;
}

/* --- paths --- */

#define PATH_STEPS_MAX 40 /* names and mounts on the way up */

static __always_inline __u64 read_word(__u64 at)
{
	__u64 word = 0;

	bpf_probe_read_kernel(&word, sizeof(word), (void *)at);
	return word;
}

/* On the way up: @dentry on @mount, and where what was found already begins. */
struct path_walk {
	__u64 dentry, mount, at;
};

/* The name of @w->dentry and a slash in front of the text. False: there is no room, less three
 * bytes for dots. */
static __always_inline bool path_prepend(struct path_walk *w, char *bytes, __u64 room,
					 const __u32 *offsets)
{
	__u64 name = w->dentry + offsets[RT_PATH_QSTR], at = w->at, len;

	len = (__u32)read_word(name + offsets[RT_PATH_LEN]);
	if (len >= RT_PATH_NAME_MAX || at < len + 1 + 3)
		return false;
	at -= len + 1;
	barrier_var(at);
	if (at >= room) /* never: the verifier is to have one range, and no second way */
		return false;
	bytes[at] = '/';
	barrier_var(len);
	if (len >= RT_PATH_NAME_MAX)
		return false;
	bpf_probe_read_kernel(bytes + at + 1, len, (void *)read_word(name + offsets[RT_PATH_NAME]));
	w->at = at;
	return true;
}

static __always_inline bool path_is_root(const struct path_walk *w, const __u32 *offsets)
{
	return w->dentry ==
	       read_word(w->mount + offsets[RT_PATH_MOUNT] + offsets[RT_PATH_MNT_ROOT]);
}

/*
 * One name or mount further up; 0: the walk has ended. A function of its own, for kernels before
 * 6.8 want a loop to end with a jump, and clang lays out one with so many ways through it as it
 * likes.
 */
__attribute__((noinline)) __u64 rt_path_step(struct path_walk *w, char *bytes, __u64 room,
					     const __u32 *offsets)
{
	__u64 up;

	if (path_is_root(w, offsets)) {
		up = read_word(w->mount + offsets[RT_PATH_MNT_PARENT]);
		if (up == w->mount)
			return 0;
		w->dentry = read_word(w->mount + offsets[RT_PATH_MOUNTPOINT]);
		w->mount = up;
		return 1;
	}
	up = read_word(w->dentry + offsets[RT_PATH_PARENT]);
	if (up == w->dentry || !path_prepend(w, bytes, room, offsets))
		return 0;
	w->dentry = up;
	return 1;
}

/* Why it has ended is looked at afterwards: each thing more that is kept in the walk would double
 * what the verifier has to go through. */
__u64 rt_path(struct rt_string *to, __u64 room, const void *path, const __u32 *offsets)
{
	struct path_walk w;
	__u64 at, len;

	to->len = room - 1;
	to->cut = 0;
	w.at = *(const volatile __u32 *)&to->len; /* some number, as it is later */
	w.dentry = read_word((__u64)path + offsets[RT_PATH_DENTRY]);
	w.mount = read_word((__u64)path + offsets[RT_PATH_MNT]) - offsets[RT_PATH_MOUNT];
#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < PATH_STEPS_MAX; i++)
		if (!rt_path_step(&w, to->bytes, room, offsets))
			break;
	at = bounded(w.at, room - 1);
	if (path_is_root(&w, offsets) &&
	    w.mount == read_word(w.mount + offsets[RT_PATH_MNT_PARENT])) {
		if (at == room - 1)
			to->bytes[--at] = '/';
	} else if (w.dentry != read_word(w.dentry + offsets[RT_PATH_PARENT]) && at >= 3) {
		at = bounded(at - 3, room - 1);
		to->bytes[at] = to->bytes[at + 1] = to->bytes[at + 2] = '.';
	}
	at = bounded(at, room - 1);
	len = bounded(room - 1 - at, room - 1);
	to->len = len;
	/* towards the begin, so that it may overlap */
	bpf_probe_read_kernel(to->bytes, len, to->bytes + at);
	pad(to->bytes, room, len);
	return len;
}

/* --- numbers --- */

static __always_inline __u64 magnitude(__s64 v)
{
	return v < 0 ? -(__u64)v : v;
}

__u64 rt_div(__s64 a, __s64 b)
{
	__u64 q;

	if (!b)
		return 0;
	q = magnitude(a) / magnitude(b);
	return (a ^ b) < 0 ? -q : q;
}

__u64 rt_mod(__s64 a, __s64 b)
{
	__u64 rest;

	if (!b)
		return a;
	rest = magnitude(a) % magnitude(b);
	return a < 0 ? -rest : rest;
}

/* --- maps --- */

void *rt_slot(void *map, const void *key, const void *zero)
{
	void *value = bpf_map_lookup_elem(map, key);

	if (value)
		return value;
	/* another CPU may be first, and then there is one, too */
	bpf_map_update_elem(map, key, zero, BPF_NOEXIST);
	return bpf_map_lookup_elem(map, key);
}

__u64 rt_hist(struct rt_hist *value, __s64 v, __u64 bits)
{
	__u64 slots = RT_HIST_SLOTS(bits), slot;

	if (v < 0) {
		ADD(&value->negative, 1);
		return 0;
	}
	slot = bounded(rt_hist_slot(v, bits), slots - 1);
	ADD(&value->slots[slot], 1);
	return 0;
}

__u64 rt_lhist(__u64 *value, __s64 v, const __s64 *lhist, __u64 slots)
{
	__s64 min = lhist[0], max = lhist[1], step = lhist[2];
	__u64 slot = 0;

	if (v >= max)
		slot = slots - 1;
	else if (v >= min)
		slot = 1 + ((__u64)v - min) / (__u64)step;
	slot = bounded(slot, slots - 1);
	ADD(&value[slot], 1);
	return 0;
}

static __always_inline void extreme(struct rt_extreme *value, __s64 v, bool better)
{
	if (value->is_set && !better)
		return;
	value->value = v;
	value->is_set = 1;
}

__u64 rt_min(struct rt_extreme *value, __s64 v, __u64 is_signed)
{
	extreme(value, v, is_signed ? v < value->value : (__u64)v < (__u64)value->value);
	return 0;
}

__u64 rt_max(struct rt_extreme *value, __s64 v, __u64 is_signed)
{
	extreme(value, v, is_signed ? v > value->value : (__u64)v > (__u64)value->value);
	return 0;
}

/* --- records --- */

/* Puts a record into this CPU's ring. The reader looks every few milliseconds; it is woken by the
 * record that fills the ring beyond a mark. */
/* @now: what reads the ring is not to wait until there is more. */
static __always_inline bool output(struct rt_record *record, __u64 size, bool now)
{
	void *ring = rt_ring();
	__u64 mark = rt_globals.wake_bytes, filled;
	__u64 flags = now ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP;

	filled = bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA);
	if (filled < mark && filled + size + RING_HEADER >= mark)
		flags = BPF_RB_FORCE_WAKEUP;
	return !bpf_ringbuf_output(ring, record, size, flags);
}

static __always_inline void stamp(struct rt_record *record)
{
	record->ts = bpf_ktime_get_ns();
	record->cpu = bpf_get_smp_processor_id();
}

__u64 rt_send(struct rt_record *record, __u64 size, __u64 most, __u64 *lost)
{
	stamp(record);
	if (!output(record, bounded(size, most), false))
		ADD(lost, 1);
	return 0;
}

static __always_inline __u64 stack(void *context, struct rt_bytes *bytes, __u64 room, __u64 flags)
{
	long n = bpf_get_stack(context, bytes->bytes, room, flags);

	if (n < 0)
		n = 0;
	bytes->len = n;
	bytes->cut = n == room;
	return n;
}

__u64 rt_stack(void *context, struct rt_bytes *bytes, __u64 room, __u64 flags)
{
	return stack(context, bytes, room, flags);
}

#if defined(__TARGET_ARCH_x86)
#define USER_CS_64 0x33 /* arch/x86/include/asm/segment.h: __USER_CS, of 64-bit code */

/* Who called the function that is about to begin. */
static __always_inline bool find_caller(const struct pt_regs *regs, __u64 *caller)
{
	return regs->cs == USER_CS_64 &&
	       !bpf_probe_read_user(caller, sizeof(*caller), (void *)regs->sp);
}
#else
#define PSTATE_32BIT  0x10 /* arch/arm64/include/uapi/asm/ptrace.h: PSR_MODE32_BIT */
#define LINK_REGISTER 30

static __always_inline bool find_caller(const struct pt_regs *context, __u64 *caller)
{
	const struct user_pt_regs *regs = (const void *)context;

	*caller = regs->regs[LINK_REGISTER];
	return !(regs->pstate & PSTATE_32BIT);
}
#endif

__u64 rt_stack_called(void *context, struct rt_bytes *bytes, __u64 room, __u64 flags)
{
	__u64 *frames = (__u64 *)bytes->bytes, caller = 0;
	long n;

	if (!find_caller(context, &caller))
		return stack(context, bytes, room, flags);
	n = bpf_get_stack(context, frames + 1, room - sizeof(caller), flags);
	n = n > 0 ? n + (long)sizeof(caller) : 0;
	frames[0] = frames[1];
	frames[1] = caller;
	bytes->len = n;
	bytes->cut = n == room;
	return n;
}

static __always_inline void make_id(struct rt_bytes *bytes, __u64 room)
{
	const __u64 *words = (const __u64 *)&bytes->kind;
	__u64 nr = 2 + ((room + 7) >> 3), end = 2 + (((__u64)bytes->len + 7) >> 3);
	struct rt_hash h;

	rt_hash_begin(&h, rt_globals.seed[0], rt_globals.seed[1]);
#pragma clang loop unroll(disable)
	for (__u64 w = 0; w < nr; w++) {
		if (w >= end)
			break;
		rt_hash_word(&h, words[w]);
	}
	rt_hash_end(&h, &bytes->id);
}

__u64 rt_intern(struct rt_bytes *bytes, __u64 room, __u64 *lost)
{
	__u64 size, now = 1;

	make_id(bytes, room);
	if (bpf_map_lookup_elem(&rt_seen, &bytes->id))
		return 0;
	bytes->record.statement = RT_BYTES;
	stamp(&bytes->record);
	size = word_bytes(bounded(((__u64)bytes->len + 7) >> 3, (room + 7) >> 3));
	/* it is seen only where it was really sent: else the next one has to send it; whose stack
	 * it is may end at any moment, and has to be looked at before */
	if (!output(&bytes->record, sizeof(*bytes) + size, bytes->kind == RT_BYTES_USTACK)) {
		ADD(lost, 1);
		return 0;
	}
	bpf_map_update_elem(&rt_seen, &bytes->id, &now, BPF_ANY);
	return 0;
}

__u64 rt_append(void *record, __u64 offset, __u64 room, const struct rt_string *from, __u64 where)
{
	struct rt_tail *tail = record + (where >> 32);
	__u64 most = (__u32)where, n = from->len, size;

	if (offset > most)
		return offset;
	tail->cut = from->cut | (n > room);
	n = bounded(n, room);
	tail->len = n;
	size = word_bytes((n + 7) >> 3);
	bpf_probe_read_kernel(record + bounded(offset, most), size, from->bytes);
	return offset + size;
}

static __always_inline __u64 append(void *record, __u64 offset, __u64 room, const void *from,
				    __u64 where, enum space space)
{
	struct rt_tail *tail = record + (where >> 32);
	__u64 most = (__u32)where, n;

	if (offset > most)
		return offset;
	n = text(record + bounded(offset, most), tail, room, from, space);
	return offset + ((n + 7) & ~7ull);
}

__u64 rt_append_user(void *record, __u64 offset, __u64 room, const void *from, __u64 where)
{
	return append(record, offset, room, from, where, USER);
}

__u64 rt_append_kernel(void *record, __u64 offset, __u64 room, const void *from, __u64 where)
{
	return append(record, offset, room, from, where, KERNEL);
}

__u64 rt_append_any(void *record, __u64 offset, __u64 room, const void *from, __u64 where)
{
	return append(record, offset, room, from, where, ANY);
}
