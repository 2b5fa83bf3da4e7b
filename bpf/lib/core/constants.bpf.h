/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * constants.bpf.h: the kernel's constants that are macros there. BTF has no macros, so that neither
 * our vmlinux.h nor a full one has these. Each group names the kernel's header; all values are the
 * same from 5.10 to 7.x, as far as a kernel has the constant. (Enumerators do stand in BTF: those
 * belong in vmlinux.h.)
 */
#ifndef BORESCOPE_BPF_CORE_CONSTANTS_BPF_H
#define BORESCOPE_BPF_CORE_CONSTANTS_BPF_H

#include <vmlinux.h> /* before the macros: a full one may have enumerators of such names */

/* include/uapi/asm-generic/errno-base.h, errno.h; include/linux/errno.h, err.h */
#define EINTR		      4
#define E2BIG		      7
#define EAGAIN		      11
#define ENOMEM		      12
#define EBUSY		      16
#define ENOSYS		      38
#define EHOSTUNREACH	      113
#define ERESTARTSYS	      512
#define ERESTART_RESTARTBLOCK 516
#define EIOCBQUEUED	      529
#define MAX_ERRNO	      4095

/* include/linux/sched.h: task_struct.flags, and the bits of its state */
#define PF_IO_WORKER	     0x00000010 /* before 5.12 with PF_KTHREAD */
#define PF_KTHREAD	     0x00200000
#define TASK_UNINTERRUPTIBLE 0x0002
#define TASK_NOLOAD	     0x0400
#define TASK_REPORT	     0x007f
#define TASK_DEAD	     0x0080
#define TASK_RTLOCK_WAIT     0x1000 /* from 5.15 */
#define TASK_FROZEN	     0x8000 /* from 6.1 */
/* both bits: either alone is another state */
#define TASK_IDLE (TASK_UNINTERRUPTIBLE | TASK_NOLOAD)

/* include/uapi/asm-generic/signal.h, of x86 and arm64 */
#define SIGKILL	 9
#define SIGSEGV	 11
#define SIGCHLD	 17
#define SIGCONT	 18
#define SIGSTOP	 19
#define SIGTSTP	 20
#define SIGTTIN	 21
#define SIGTTOU	 22
#define SIGURG	 23
#define SIGWINCH 28
#define SIGRTMIN 32
#define _NSIG	 64

/* include/uapi/asm-generic/siginfo.h: kernel_siginfo.si_code, of a signal that a task has sent */
#define SI_USER	 0
#define SI_QUEUE -1
#define SI_TKILL -6

/* include/trace/events/signal.h: what became of a signal that was sent */
#define TRACE_SIGNAL_DELIVERED 0
#define TRACE_SIGNAL_LOSE_INFO 4

/* include/linux/sched/signal.h: signal_struct.flags */
#define SIGNAL_GROUP_EXIT 0x00000004

/* include/linux/mm_types_task.h: enumerators, of an enum without a name */
#define MM_FILEPAGES  0
#define MM_ANONPAGES  1
#define MM_SHMEMPAGES 3

/* include/uapi/linux/stat.h: inode.i_mode */
#define S_IFMT	 0170000
#define S_IFIFO	 0010000
#define S_IFDIR	 0040000
#define S_IFBLK	 0060000
#define S_IFREG	 0100000
#define S_IFSOCK 0140000

/* include/uapi/linux/magic.h: super_block.s_magic */
#define ANON_INODE_FS_MAGIC 0x09041934

/* include/uapi/linux/fcntl.h, asm-generic/fcntl.h (arm64 has its own O_LARGEFILE), openat2.h */
#define AT_FDCWD	-100
#define AT_EMPTY_PATH	0x1000
#define O_WRONLY	01
#define O_CREAT		0100
#define O_TRUNC		01000
#define O_APPEND	02000
#define __O_TMPFILE	020000000
#define RESOLVE_IN_ROOT 0x10
#if defined(__TARGET_ARCH_arm64)
#define O_LARGEFILE 0400000
#else
#define O_LARGEFILE 0100000
#endif

/* include/linux/fs.h: iattr.ia_valid, kiocb.ki_flags (from 6.6 to 6.18 or so) */
#define ATTR_SIZE	     (1 << 3)
#define IOCB_DIO_CALLER_COMP (1 << 22)

/* include/linux/socket.h */
#define AF_INET	 2
#define AF_INET6 10

/* include/net/sock.h: sock.sk_shutdown */
#define RCV_SHUTDOWN  1
#define SHUTDOWN_MASK 3

/* include/net/tcp.h: tcp_skb_cb.tcp_flags, .sacked */
#define TCPHDR_SYN 0x02
#define TCPHDR_ACK 0x10
#define TCPCB_LOST 0x04 /* the segment counts as lost */

/* include/uapi/linux/magic.h: super_block.s_magic of the block devices' own page cache */
#define BDEVFS_MAGIC 0x62646576

/* include/uapi/linux/futex.h */
#define FUTEX_LOCK_PI  6
#define FUTEX_LOCK_PI2 13 /* from 5.14 */

#endif
