/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * bio_file.bpf.h: the file that a bio reads or writes, where it goes through the page cache.
 */
#ifndef BORESCOPE_BPF_BLOCK_BIO_FILE_BPF_H
#define BORESCOPE_BPF_BLOCK_BIO_FILE_BPF_H

#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#include "lib/core/compat.bpf.h"
#include "lib/core/constants.bpf.h"
#include "lib/block/request.shared.h"

/* The first page of @bio, which is not over; NULL: it has no data. */
static __always_inline struct page *bio_page(struct bio *bio)
{
	void *vecs = BPF_CORE_READ(bio, bi_io_vec);
	struct bio_vec *vec;

	if (!vecs || !BPF_CORE_READ(bio, bi_iter.bi_size))
		return NULL;
	vec = vecs + BPF_CORE_READ(bio, bi_iter.bi_idx) * bpf_core_type_size(struct bio_vec);
	return BPF_CORE_READ(vec, bv_page);
}

/*
 * The file that @bio reads or writes, by its first page; NULL: it is not known, or is the file
 * system's own data. @flags: as request_flags() has them. A page that is on its way to or from the
 * disk is marked so. Of direct I/O the pages are the program's memory, which may be a mapped file,
 * but another one; it says that nothing will follow (REQ_IDLE), as writing pages back never does.
 */
static __always_inline struct inode *bio_inode(struct bio *bio, __u32 flags)
{
	__u32 op = flags & 0xff;
	struct page *page;
	struct inode *inode;
	__u64 state;

	if (!bio || op > 1 || flags >> REQUEST_IDLE & 1)
		return NULL;
	page = bio_page(bio);
	if (!page)
		return NULL;
	page = page_head(page);
	state = page_flags(page);
	if (op ? !PAGE_HAS(state, PG_writeback)
	       : !PAGE_HAS(state, PG_locked) || PAGE_HAS(state, PG_uptodate))
		return NULL;
	inode = page_inode(page);
	if (!inode || BPF_CORE_READ(inode, i_sb, s_magic) == BDEVFS_MAGIC)
		return NULL;
	return inode;
}

#endif
