/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * vmlinux.h: the kernel types that Borescope depends on, and no more. Every struct is
 * preserve_access_index: the offsets here mean nothing, libbpf takes them from the running kernel's
 * BTF; a field that this kernel lacks is asked for by bpf_core_field_exists() in
 * bpf/lib/core/compat.bpf.h. README.md beside this file says how to add a field.
 *
 * ___suffix: another shape of the same kernel type (an older or newer kernel's); libbpf ignores
 * everything from the three underscores on.
 */
#ifndef __VMLINUX_H__
#define __VMLINUX_H__

/* --- scalars, as the BPF helpers' header wants them --- */
typedef signed char __s8;
typedef unsigned char __u8;
typedef short int __s16;
typedef short unsigned int __u16;
typedef int __s32;
typedef unsigned int __u32;
typedef long long int __s64;
typedef long long unsigned int __u64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u64 __be64;
typedef __u32 __wsum;
typedef _Bool bool;
typedef long unsigned int size_t;
typedef int pid_t;

#define true  1
#define false 0
#define NULL  ((void *)0)

/* --- BPF's own constants (include/uapi/linux/bpf.h) --- */
enum bpf_map_type {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_PERCPU_HASH = 5,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
	BPF_MAP_TYPE_LRU_HASH = 9,
	BPF_MAP_TYPE_ARRAY_OF_MAPS = 12,
	BPF_MAP_TYPE_RINGBUF = 27,
	BPF_MAP_TYPE_TASK_STORAGE = 29,
};

enum {
	BPF_ANY = 0,
	BPF_NOEXIST = 1,
	BPF_EXIST = 2,
};

enum {
	BPF_RB_NO_WAKEUP = 1,
	BPF_RB_FORCE_WAKEUP = 2,
};

enum {
	BPF_F_USER_STACK = 256,
};

enum {
	BPF_RB_AVAIL_DATA = 0,
};

#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
#endif

/* --- saved registers of a system call --- */
#if defined(__TARGET_ARCH_x86)
struct pt_regs {
	long unsigned int r15, r14, r13, r12, bp, bx, r11, r10, r9, r8;
	long unsigned int ax, cx, dx, si, di, orig_ax, ip, cs, flags, sp, ss;
};
#elif defined(__TARGET_ARCH_arm64)
struct user_pt_regs {
	__u64 regs[31], sp, pc, pstate;
};
struct pt_regs {
	union {
		struct user_pt_regs user_regs;
		struct {
			__u64 regs[31], sp, pc, pstate;
		};
	};
	__u64 orig_x0;
	__s32 syscallno;
};
#endif

/* --- samples: what a perf_event program is given, and what that is in the kernel --- */
struct bpf_perf_event_value {
	__u64 counter;
	__u64 enabled;
	__u64 running;
};

struct bpf_perf_event_data {
	struct pt_regs regs;
	__u64 sample_period;
	__u64 addr;
};

struct bpf_perf_event_data_kern {
	struct pt_regs *regs;
};

/* --- tasks --- */
struct thread_info {
	long unsigned int flags;
	__u32 status; /* x86: TS_COMPAT */
};

struct qstr {
	union {
		struct {
			__u32 hash;
			__u32 len;
		};
		__u64 hash_len;
	};
	const unsigned char *name;
};

struct file_system_type {
	const char *name;
};

struct super_block {
	__u32 s_dev;
	struct file_system_type *s_type;
	long unsigned int s_magic;
};

struct list_head { /* whole: there are arrays of it */
	struct list_head *next, *prev;
};

struct hlist_node {
	struct hlist_node *next;
};

struct hlist_head {
	struct hlist_node *first;
};

struct inode {
	unsigned short i_mode;
	struct hlist_head i_dentry;
	struct super_block *i_sb;
	long unsigned int i_ino; /* 7.x: u64 */
	__s64 i_size;
};

struct hlist_bl_node {
	struct hlist_bl_node **pprev;
};

struct dentry {
	struct hlist_bl_node d_hash;
	struct dentry *d_parent;
	struct qstr d_name;
	struct inode *d_inode;
	struct super_block *d_sb;
};

struct dentry___d_u { /* up to 6.18, and no more on 7.3 */
	union {
		struct hlist_node d_alias;
	} d_u;
};

struct dentry___alias { /* 7.3: the union has no name */
	struct hlist_node d_alias;
};

struct vfsmount {
	struct dentry *mnt_root;
};

struct mnt_namespace;

struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
	struct mnt_namespace *mnt_ns; /* NULL or an error's number: it is in none */
};

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};

typedef struct {
	__s64 counter;
} atomic64_t;
typedef atomic64_t atomic_long_t;

typedef struct {
	atomic64_t refcnt;
} file_ref_t;

struct file {
	struct path f_path;
	struct inode *f_inode;
	unsigned int f_flags;
	const struct cred *f_cred; /* those of who opened it */
	__s64 f_pos;
	void *private_data;
	atomic_long_t f_count; /* before 6.13 */
	file_ref_t f_ref;      /* from 6.13 (90ee6ed776c0) */
};

/* --- operations on files --- */
struct kiocb {
	struct file *ki_filp;
	__s64 ki_pos;
	void *ki_complete; /* a function; NULL: the caller waits */
};

struct iocb { /* of io_submit(2) */
	__s64 aio_offset;
};

struct kiocb___deferred { /* from 6.6, and no more on 7.2 */
	void *private;	    /* of the file system: a struct iomap_dio, once dio_complete is set */
	int ki_flags;
	void *dio_complete; /* a function */
};

struct iomap_dio {
	__s64 size;
	int error;
};

struct iattr {
	unsigned int ia_valid;
};

struct vm_area_struct {
	long unsigned int vm_end;
	struct file *vm_file;
};

struct vm_fault {
	struct vm_area_struct *vma;
	long unsigned int pgoff;
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};

struct files_struct {
	struct fdtable *fdt;
};

struct fs_struct {
	struct path root;
	struct path pwd;
};

struct percpu_counter {
	__s64 count;
};

struct rw_semaphore {
	atomic64_t count; /* up to now; a kernel with PREEMPT_RT has another struct */
};

struct mm_struct {
	struct rw_semaphore mmap_lock;
	long unsigned int start_code;
	long unsigned int end_code;
	long unsigned int arg_start;
	long unsigned int arg_end;
	long unsigned int start_stack;
	struct task_struct *owner; /* with CONFIG_MEMCG: the main thread of the process */
	struct file *exe_file;
	struct percpu_counter rss_stat[4]; /* from 6.2 (f1a7941243c1) */
};

struct mm_rss_stat___rss { /* before 6.2 */
	atomic_long_t count[4];
};

struct mm_struct___rss {
	struct mm_rss_stat___rss rss_stat;
};

struct kernfs_node {
	__u64 id;
	const char *name;
	struct kernfs_node *__parent; /* from 6.15 (633488947ef6) */
};

struct kernfs_node___parent { /* before 6.15 */
	struct kernfs_node *parent;
};

struct cgroup_subsys_state {
	struct cgroup *cgroup;
};

struct cgroup_root;

struct cgroup {
	int level;
	struct kernfs_node *kn;
	struct cgroup_root *root;
	struct cgroup *ancestors[0]; /* from 6.1 (7f203bc89eb6) */
};

struct cgroup___ids { /* before 6.1 */
	__u64 ancestor_ids[0];
};

enum cgroup_subsys_id {
	memory_cgrp_id = 4, /* depends on what the kernel is built with */
};

struct css_set {
	struct cgroup_subsys_state *subsys[0];
	struct cgroup *dfl_cgrp;
};

typedef struct {
	__u32 val;
} kuid_t;

struct cred {
	kuid_t uid;
};

typedef struct {
	int counter;
} atomic_t;

struct seqcount {
	unsigned int sequence;
};

struct seqcount_spinlock {
	struct seqcount seqcount;
};

typedef struct {
	struct seqcount_spinlock seqcount;
} seqlock_t;

struct signal_struct {
	atomic_t live; /* threads that have not begun to exit */
	int nr_threads;
	struct list_head thread_head;
	int group_exit_code;
	unsigned int flags;
	seqlock_t stats_lock;
	long unsigned int maxrss; /* pages */
	long long unsigned int sum_sched_runtime; /* of threads that are gone */
	struct mm_struct *oom_mm;
};

struct kernel_siginfo; /* docs/new-tool.md shows how it is added */

struct kernel_siginfo___code {
	int si_code;
};

struct sigaction {
	void *sa_handler;
};

struct k_sigaction {
	struct sigaction sa;
};

struct sighand_struct {
	struct k_sigaction action[64];
};

struct rq {
	unsigned int clock_update_flags;
	__u64 clock;
	int cpu; /* with CONFIG_SMP */
};

struct cfs_rq {
	struct rq *rq; /* with CONFIG_FAIR_GROUP_SCHED */
};

struct sched_entity {
	struct cfs_rq *cfs_rq;	     /* with CONFIG_FAIR_GROUP_SCHED; in whatever class the task is */
	unsigned char sched_delayed; /* from 6.12 (152e11f6df29) */
	__u64 sum_exec_runtime;	     /* ns */
};

struct sched_info { /* with CONFIG_SCHED_INFO; times in ns of rq.clock */
	long unsigned int pcount;
	__u64 run_delay;
	__u64 last_queued;
};

struct ns_common {
	unsigned int inum;
};

struct pid_namespace {
	struct ns_common ns;
};

struct upid {
	int nr;
	struct pid_namespace *ns;
};

struct pid {
	unsigned int level;
	struct upid numbers[0];
};

typedef struct {
	long unsigned int sig[1];
} sigset_t;

#if defined(__TARGET_ARCH_x86)
struct thread_struct {
	long unsigned int sp;
	long unsigned int fsbase;
};
#else
struct thread_struct {};
#endif

struct sigpending {
	sigset_t signal;
};

struct net;

struct nsproxy {
	struct mnt_namespace *mnt_ns;
	struct net *net_ns;
};

struct task_struct {
	struct thread_info thread_info;
	unsigned int __state; /* from 5.14 (2f064a59a11f) */
	void *stack;
	int on_cpu; /* not there without CONFIG_SMP on older kernels; on 7.3 a u8, as on_rq */
	int on_rq;
	struct sched_entity se;
	struct sched_info sched_info;
	struct pid *thread_pid;
	unsigned int flags;
	int exit_state;
	int exit_code;
	struct mm_struct *mm;
	pid_t pid;
	pid_t tgid;
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	struct list_head thread_node;
	__u64 start_boottime;
	__u64 self_exec_id; /* counts execve() */
	const struct cred *real_cred;
	const struct cred *cred;
	char comm[16];
	long unsigned int nvcsw;
	long unsigned int nivcsw;
	struct fs_struct *fs;
	struct files_struct *files;
	struct nsproxy *nsproxy;
	struct signal_struct *signal;
	struct sighand_struct *sighand;
	struct sigpending pending;
	struct css_set *cgroups;
	struct thread_struct thread;
};

struct task_struct___state { /* before 5.14 */
	volatile long int state;
};

/* --- iterators --- */
struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
	__u64 session_id;
};

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

struct linux_binprm {
	const char *filename;
	const char *interp; /* another string than filename when a script or binfmt_misc led to it */
};

/* --- system calls, at the tracepoints raw_syscalls --- */
struct trace_event_raw_sys_enter {
	long int id;
};

struct trace_event_raw_sys_exit {
	long int id;
	long int ret;
};

/* --- opening files --- */
struct open_how {
	__u64 flags;
	__u64 mode;
	__u64 resolve;
};

struct filename {
	const char *name;
};

struct io_kiocb { /* it begins with its command: of a read or write a kiocb */
	__u8 opcode;
};

struct io_uring_cqe {
	__s32 res;
};

struct io_cqe {
	__s32 res;
};

struct io_kiocb___cqe { /* from 5.19 (cef216fc32d7) */
	struct io_cqe cqe;
};

struct io_open { /* the first thing in an io_kiocb, in its union of commands */
	int dfd;
	struct filename *filename;
	struct open_how how;
};

struct io_open___delayed { /* 7.x: a struct delayed_filename, which is the pointer */
	struct {
		struct filename *pointer;
	} filename;
};

/* --- block layer --- */
struct gendisk {
	int major;
	int first_minor;
};

struct request_queue {
	struct gendisk *disk; /* from 5.15 (d152c682f03c) */
};

struct block_device {
	struct gendisk *bd_disk;
	__u32 bd_dev;
};

struct device {
	__u32 devt;
};

struct gendisk___hd { /* up to 5.10, where a partition is a struct hd_struct, as is part0 */
	struct {
		struct device __dev;
	} part0;
};

struct address_space {
	struct inode *host;
};

enum pageflags {
	PG_locked = 0,
	PG_writeback = 1,
	PG_uptodate = 3,
};

struct page {
	long unsigned int flags; /* up to 6.17 or so */
	struct address_space *mapping;
	long unsigned int compound_head; /* up to 6.18, and no more on 7.3 */
};

typedef struct {
	long unsigned int f;
} memdesc_flags_t;

struct page___memdesc { /* 6.18 has it */
	memdesc_flags_t flags;
};

struct page___info { /* 7.3 has it */
	long unsigned int compound_info;
};

struct bio_vec {
	struct page *bv_page;
};

struct bvec_iter {
	unsigned int bi_size;
	unsigned int bi_idx;
};

struct blkcg {
	struct cgroup_subsys_state css;
};

struct blkcg_gq {
	struct blkcg *blkcg;
};

struct bio {
	struct block_device *bi_bdev; /* from 5.12 (309dca309fc3) */
	unsigned int bi_opf;
	struct bvec_iter bi_iter;
	struct blkcg_gq *bi_blkg; /* with CONFIG_BLK_CGROUP */
	struct bio_vec *bi_io_vec;
};

struct bio___disk { /* up to 5.11 */
	struct gendisk *bi_disk;
};

struct blk_flush_queue {
	unsigned int flush_running_idx : 1;
	struct list_head flush_queue[2];
};

struct blk_mq_hw_ctx {
	struct blk_flush_queue *fq;
};

struct request {
	struct request_queue *q;
	struct blk_mq_hw_ctx *mq_hctx;
	__u32 cmd_flags;
	__u32 rq_flags;
	__u32 __data_len;
	__u64 __sector;
	struct bio *bio;
	struct bio *biotail;
	struct list_head queuelist;
	struct block_device *part; /* up to 5.10 a struct hd_struct */
	__u64 start_time_ns;
	__u64 io_start_time_ns;
};

struct request___flush { /* 6.1 has it, 6.12 has not */
	struct {
		struct list_head list;
	} flush;
};

struct request___disk { /* up to 5.16 (f3fa33acca9f took rq_disk away) */
	struct gendisk *rq_disk;
};

enum req_flag_bits {
	__REQ_SYNC = 11,
	__REQ_META = 12,
	__REQ_PRIO = 13,
	__REQ_NOMERGE = 14,
	__REQ_IDLE = 15,
	__REQ_FUA = 17,
	__REQ_PREFLUSH = 18,
	__REQ_RAHEAD = 19,
	__REQ_BACKGROUND = 20,
	__REQ_NOWAIT = 21,
};

/* --- sockets --- */
struct in6_addr {
	union {
		__be32 u6_addr32[4];
	} in6_u;
};

struct net {
	struct ns_common ns;
};

typedef struct {
	struct net *net;
} possible_net_t;

struct sock_common {
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	__be16 skc_dport;
	__u16 skc_num;
	short unsigned int skc_family;
	volatile unsigned char skc_state;
	unsigned char skc_ipv6only : 1;
	possible_net_t skc_net;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
	long unsigned int skc_flags; /* enum sock_flags */
};

struct sock_cgroup_data {
	struct cgroup *cgroup;
};

typedef struct {
	int owned; /* by a task, not by an interrupt */
} socket_lock_t;

struct sock {
	struct sock_common __sk_common;
	socket_lock_t sk_lock;
	int sk_err;
	__u8 sk_shutdown;
	__u16 sk_protocol;
	struct socket *sk_socket;
	kuid_t sk_uid;
	struct sock_cgroup_data sk_cgrp_data;
	struct dst_entry *sk_dst_cache;
};

enum sock_flags {
	SOCK_DONE = 1, /* of TCP: a FIN was received */
};

struct socket {
	short int type;
	struct file *file;
	struct sock *sk;
};

struct bpf_iter__tcp {
	struct bpf_iter_meta *meta;
	struct sock_common *sk_common;
};

struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	__u32 fd;
	struct file *file;
};

struct bpf_iter__bpf_map_elem {
	struct bpf_iter_meta *meta;
	void *key; /* both are NULL when the iterator has come to its end */
	void *value;
};

struct in_addr {
	__be32 s_addr;
};

struct sockaddr_in {
	__u16 sin_family;
	__be16 sin_port;
	struct in_addr sin_addr;
};

struct sockaddr_in6 {
	__u16 sin6_family;
	__be16 sin6_port;
	__be32 sin6_flowinfo;
	struct in6_addr sin6_addr;
};

struct iovec {
	void *iov_base;
	__u64 iov_len;
};

struct user_msghdr {
	void *msg_name;
	int msg_namelen;
	struct iovec *msg_iov;
};

/* --- TCP --- */
enum {
	IPPROTO_TCP = 6,
	IPPROTO_UDP = 17,
};

enum {
	TCP_ESTABLISHED = 1,
	TCP_SYN_SENT = 2,
	TCP_SYN_RECV = 3,
	TCP_FIN_WAIT1 = 4,
	TCP_FIN_WAIT2 = 5,
	TCP_TIME_WAIT = 6,
	TCP_CLOSE = 7,
	TCP_CLOSE_WAIT = 8,
	TCP_LAST_ACK = 9,
	TCP_LISTEN = 10,
	TCP_CLOSING = 11,
};

enum tcp_ca_state {
	TCP_CA_Loss = 4,
};

struct sk_buff {
	char cb[48];
	unsigned int len;
};

struct tcp_skb_cb { /* at the beginning of sk_buff.cb */
	__u32 seq;
	__u16 tcp_gso_segs;
	__u8 tcp_flags; /* from 6.15 a __u16, of which this is the lower byte */
	__u8 sacked;
};

struct ipv6_pinfo {
	int mcast_oif;
};

struct inet_sock {
	struct ipv6_pinfo *pinet6;
	__be16 inet_sport;
	int mc_index;
};

struct inet_connection_sock {
	__u8 icsk_ca_state : 5;
	__u8 icsk_pending;
	struct {
		__u32 lrcvtime;
	} icsk_ack;
	void *icsk_ulp_data; /* of a path of an MPTCP connection: a struct mptcp_subflow_context */
};

struct mptcp_subflow_context { /* with CONFIG_MPTCP */
	struct sock *conn;
};

struct tcp_sock {
	__u32 snd_una;
	__u32 snd_nxt;
	__u32 write_seq;
	__u32 snd_wnd;
	__u32 snd_cwnd;
	__u32 copied_seq;
	__u32 rcv_nxt;
	__u32 packets_out;
	__u32 srtt_us;
	__u32 tlp_high_seq;
	__u32 rcv_tstamp;
	__u32 lsndtime;
	__u64 bytes_acked;
	__u64 bytes_received;
	__u64 bytes_retrans;
	__u32 total_retrans;
	__u32 segs_out;
	__u32 segs_in;
	struct {
		__u32 seq;
		__u64 time;
	} rcvq_space;
	__u8 tlp_retrans : 1;
	__u8 syn_data : 1;
	__u8 syn_fastopen : 1;
	bool is_mptcp; /* with CONFIG_MPTCP: it is a path of an MPTCP connection */
};

struct request_sock {
	struct sock_common __req_common;
	__u8 num_retrans;
};

struct tcp_request_sock {
	__u32 snt_isn;
};

#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute pop
#endif

#endif
