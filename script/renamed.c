/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <string.h>

#include "base/util.h"
#include "script/renamed.h"

#define WAS_MAX 128 /* bytes of "record.field" */

/* The comments say which kernel was the first with the new name. */
static const struct renamed functions[] = {
	{ "ieee80211_get_channel", "ieee80211_get_channel_khz", .other_args = true }, /* 5.8 */
	{ "scsi_init_io", "scsi_alloc_sgtables" },				      /* 5.11 */
	{ "blk_throtl_bio", "__blk_throtl_bio",
	  .but = "it is called where there is a limit only" }, /* 5.14 */
	{ "blk_account_io_start", "__blk_account_io_start",
	  .but = "it is called for what is accounted only" }, /* 5.16 */
	{ "blk_account_io_done", "__blk_account_io_done",
	  .but = "it is called for what is accounted only" }, /* 5.16 */
	{ "__blk_account_io_start", "blk_account_io_start" },
	{ "__blk_account_io_done", "blk_account_io_done" },
	{ "scsi_mq_done", "scsi_done" },					 /* 5.16 */
	{ "add_to_page_cache_lru", "filemap_add_folio", .other_args = true },	 /* 5.16 */
	{ "account_page_dirtied", "folio_account_dirtied", .other_args = true }, /* 5.16 */
	{ "dev_queue_xmit", "__dev_queue_xmit" }, /* 5.18, with one argument more */
	{ "tcp_drop", "tcp_drop_reason" },	  /* 5.18, likewise */
	{ "migrate_misplaced_page", "migrate_misplaced_folio", true, true }, /* 6.7 */
	{ "swap_readpage", "swap_read_folio", true, true },		     /* 6.9 */
	{ "swap_writepage", "swap_writeout", .other_args = true },	     /* 6.16 */
};

static const struct renamed events[] = {
	{ "tcp:tcp_set_state", "sock:inet_sock_set_state",
	  .but = "it tells of other protocols, too" }, /* 4.16 */
	{ "vmscan:mm_vmscan_writepage", "vmscan:mm_vmscan_write_folio" },
};

/* Both ways, as far as one field is another: new scripts meet old kernels, too. */
static const struct renamed fields[] = {
	{ "task_struct.real_start_time", "start_boottime" }, /* 5.5 */
	{ "task_struct.start_boottime", "real_start_time" },
	{ "mm_struct.mmap_sem", "mmap_lock" }, /* 5.8 */
	{ "mm_struct.mmap_lock", "mmap_sem" },
	{ "bio.bi_disk", "bi_bdev.bd_disk" }, /* 5.12 */
	{ "task_struct.state", "__state" },   /* 5.14 */
	{ "task_struct.__state", "state" },
	{ "task_struct.cpu", "thread_info.cpu" }, /* 5.16 */
	{ "request.rq_disk", "q.disk" },	  /* 5.17 */
	{ "cfs_rq.nr_running", "nr_queued" },	  /* 6.14 */
	{ "cfs_rq.nr_queued", "nr_running" },
	{ "cfs_rq.h_nr_running", "h_nr_queued" }, /* 6.14 */
	{ "cfs_rq.h_nr_queued", "h_nr_running" },
	{ "kernfs_node.parent", "__parent" }, /* 6.15 */
	{ "kernfs_node.__parent", "parent" },
};

static const struct {
	const char *gone, *near;
} nearest[] = {
	{ "__elv_add_request", "tracepoint:block:block_rq_insert" },
	{ "__page_cache_alloc", "kprobe:filemap_alloc_folio_noprof" },
	{ "__page_cache_alloc", "kprobe:filemap_alloc_folio" },
	{ "__do_page_cache_readahead", "kprobe:page_cache_ra_unbounded" },
	{ "blk_account_io_completion", "tracepoint:block:block_rq_complete" },
	{ "blk_account_io_start", "tracepoint:block:block_io_start" },
	{ "blk_account_io_done", "tracepoint:block:block_io_done" },
	{ "__blk_account_io_start", "tracepoint:block:block_io_start" },
	{ "__blk_account_io_done", "tracepoint:block:block_io_done" },
	{ "blk_start_request", "kprobe:blk_mq_start_request" },
	{ "handle_page_fault", "tracepoint:exceptions:page_fault_user" },
	{ "handle_page_fault", "kprobe:handle_mm_fault" },
	{ "kmem:kmalloc_node", "tracepoint:kmem:kmalloc" },
	{ "kmem:kmem_cache_alloc_node", "tracepoint:kmem:kmem_cache_alloc" },
	{ "new_sync_read", "kprobe:vfs_read" },
	{ "new_sync_write", "kprobe:vfs_write" },
	{ "tcp_drop", "tracepoint:skb:kfree_skb" },
};

static const struct renamed *find(const struct renamed *table, size_t nr, const char *name,
				  const struct renamed *last)
{
	for (size_t i = last ? last - table + 1 : 0; i < nr; i++)
		if (!strcmp(table[i].was, name))
			return &table[i];
	return NULL;
}

const struct renamed *renamed_function(const char *name, const struct renamed *last)
{
	return find(functions, ARRAY_SIZE(functions), name, last);
}

const struct renamed *renamed_event(const char *name)
{
	return find(events, ARRAY_SIZE(events), name, NULL);
}

const struct renamed *renamed_field(const char *record, const char *field,
				    const struct renamed *last)
{
	char was[WAS_MAX];

	if (strlen(record) + strlen(field) + 2 > sizeof(was))
		return NULL;
	stpcpy(stpcpy(stpcpy(was, record), "."), field);
	return find(fields, ARRAY_SIZE(fields), was, last);
}

const char *renamed_nearest(const char *name, size_t i)
{
	for (size_t k = 0; k < ARRAY_SIZE(nearest); k++)
		if (!strcmp(nearest[k].gone, name) && !i--)
			return nearest[k].near;
	return NULL;
}
