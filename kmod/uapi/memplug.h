/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * memplug: take aligned physical ranges out of a running Linux and put them back.
 *
 * This header is the contract between the memplug kernel module and user space.
 * It is plain C and C++, and its layout is the same for 32-bit and 64-bit callers.
 *
 * The device
 *   /dev/memplug is a misc device, mode 0600. All commands are ioctls on it.
 *
 * Lifetime
 *   A range that UNPLUG took stays unplugged until PLUG gives it back or the module
 *   is unloaded, which plugs everything back. A memory block with unplugged memory may
 *   go offline, or be removed; if it comes back in a zone that is managed, the module
 *   unplugs it there again. With the parameter oom_give_back, memory goes back to a machine
 *   that is out of it. Closing the descriptor, or the death of the process, changes nothing.
 *   Not so with MEMPLUG_REQ_TIED: what that takes is tied to the descriptor, and goes back
 *   when its last copy (dup(), fork(), exec()) has been closed and the last mapping of the
 *   range is gone, however the processes ended. Before, only closing gives it back: PLUG,
 *   out of memory and memory hotplug leave what is tied or mapped alone, and the module
 *   can't be unloaded.
 *   Memory that QUARANTINE has marked stays out until that ends: PLUG and a machine out of
 *   memory leave it alone, and the module can't be unloaded.
 *
 * Mapping
 *   mmap() shows unplugged memory: the offset is its physical address. Needs MAP_SHARED, a
 *   descriptor that is open for writing and CAP_SYS_ADMIN in the initial user namespace. The
 *   memory is write-back cached, O_SYNC or not. It reads zero at first: whatever was in a
 *   subblock when it was taken is gone before the first mapping shows it; what is written
 *   later stays until it is plugged, also from one mapping to the next. A mapping holds the
 *   subblocks that it touches, all of them until the last part of it is unmapped in the last
 *   process that has it by fork(). It can't grow (mremap()), is not in core dumps, and
 *   O_DIRECT, RDMA and VFIO refuse it (EFAULT). KVM takes it; up to Linux 6.12 it may keep a
 *   page for a while after the mapping is gone, which is free only then. A page with a memory
 *   error gives SIGBUS. Linux 6.12 and later map it by huge pages where it is aligned for them
 *   (some only if transparent huge pages are on), older ones by base pages. Mapping and
 *   unmapping are no change of the generation.
 *   Errors of mmap():
 *     EACCES  the descriptor is not open for writing
 *     EPERM   no CAP_SYS_ADMIN
 *     EINVAL  MAP_PRIVATE
 *     ENXIO   not all of it is unplugged
 *     EBUSY   some of it is about to be plugged, or the UNPLUG that took it still runs
 *     ENOMEM  no kernel memory, or there are 1024 mappings already
 *
 * Privilege
 *   UNPLUG, PLUG, TARGET and QUARANTINE need a descriptor that is open for writing (EBADF) and
 *   CAP_SYS_ADMIN in the initial user namespace (EPERM), checked at each call, also
 *   for a dry run. SURVEY needs the capability only. Reading needs neither, but without
 *   that capability physical addresses are withheld: every start, and every page frame,
 *   reads 0, and MEMPLUG_OUT_WITHHELD is set.
 *
 * Concurrency
 *   Any number of descriptors and threads may call at once. A subblock belongs to at
 *   most one request at a time; a request that meets a subblock of another one passes
 *   it over with the reason MEMPLUG_REASON_BUSY. One descriptor carries at most one
 *   request: a second UNPLUG or PLUG on it gets EBUSY while the first runs. PROGRESS
 *   and the reading commands may be called beside it.
 *
 * Extending
 *   Every structure begins with its size in bytes, set by the caller. A kernel that
 *   knows a longer structure takes the missing tail as zero; a kernel that knows a
 *   shorter one accepts the longer if the unknown tail is zero (E2BIG otherwise).
 *   Fields named out_* are written by the kernel and ignored on input; it writes no
 *   more than size bytes. All others must be zero where not used.
 *
 * Errors of every command
 *   ENOTTY      unknown command
 *   EFAULT      a pointer that can't be read or written
 *   EINVAL      size smaller than the first version of the structure, or a reserved
 *               field that is not zero
 *   E2BIG       size larger than this kernel knows with a tail that is not zero, or
 *               larger than a page
 *   EOPNOTSUPP  a flag that this command does not know
 *   ENOMEM      no kernel memory for the call itself
 * On success a command returns 0. A command that fails has changed nothing, but for
 * the EFAULT of PLUG described there.
 *
 * Waiting for changes
 *   poll() reports POLLIN when the generation has changed since INFO or LIST was last
 *   read on this descriptor (or since it was opened). The state of the target counts.
 *   read() tells what the changes were: see struct memplug_event. From the first read() on
 *   poll() reports on that descriptor that there are events to read, and nothing else.
 *
 * All sizes and addresses are in bytes, addresses are physical.
 */
#ifndef _UAPI_MEMPLUG_H
#define _UAPI_MEMPLUG_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define MEMPLUG_DEVICE_NAME "memplug"
#define MEMPLUG_ABI_VERSION 1

/* The commands carry their size in the structure, not in the number. */
#define MEMPLUG_IOC_TYPE 0xBD
#define MEMPLUG_IOC_INFO     _IO(MEMPLUG_IOC_TYPE, 0x00) /* struct memplug_info */
#define MEMPLUG_IOC_NODES    _IO(MEMPLUG_IOC_TYPE, 0x01) /* struct memplug_nodes */
#define MEMPLUG_IOC_LIST     _IO(MEMPLUG_IOC_TYPE, 0x02) /* struct memplug_list */
#define MEMPLUG_IOC_COUNTERS _IO(MEMPLUG_IOC_TYPE, 0x03) /* struct memplug_counters */
#define MEMPLUG_IOC_PROGRESS _IO(MEMPLUG_IOC_TYPE, 0x04) /* struct memplug_progress */
#define MEMPLUG_IOC_UNPLUG   _IO(MEMPLUG_IOC_TYPE, 0x05) /* struct memplug_request */
#define MEMPLUG_IOC_PLUG     _IO(MEMPLUG_IOC_TYPE, 0x06) /* struct memplug_request */
#define MEMPLUG_IOC_TARGET   _IO(MEMPLUG_IOC_TYPE, 0x07) /* struct memplug_target */
#define MEMPLUG_IOC_SURVEY   _IO(MEMPLUG_IOC_TYPE, 0x08) /* struct memplug_survey */
#define MEMPLUG_IOC_QUARANTINE _IO(MEMPLUG_IOC_TYPE, 0x09) /* struct memplug_quarantine */

/* No target is set (memplug_info.out_target_size), or none is to be (memplug_target.target). */
#define MEMPLUG_NO_TARGET (~(__u64)0)

/* memplug_info.out_features */
#define MEMPLUG_FEATURE_TARGET (1U << 0) /* TARGET, out_target_state, out_wanted_* */
#define MEMPLUG_FEATURE_OOM    (1U << 1) /* the parameter oom_give_back, out_oom_* */
#define MEMPLUG_FEATURE_OTHERS (1U << 2) /* out_others; early modules only */
#define MEMPLUG_FEATURE_SURVEY (1U << 3) /* SURVEY */
#define MEMPLUG_FEATURE_EVENTS (1U << 4) /* read() */
#define MEMPLUG_FEATURE_TIED   (1U << 5) /* MEMPLUG_REQ_TIED */
#define MEMPLUG_FEATURE_MMAP   (1U << 6) /* mmap() */
#define MEMPLUG_FEATURE_QUARANTINE (1U << 7) /* QUARANTINE, MEMPLUG_LIST_QUARANTINED */
#define MEMPLUG_FEATURE_ZONES  (1U << 8) /* MEMPLUG_*_LOW, _REQ_NORMAL, out_low_* */

/* memplug_info.out_target_state */
#define MEMPLUG_TARGET_NONE    0 /* no target is set */
#define MEMPLUG_TARGET_REACHED 1 /* as much is plugged as it says, and nothing is wanted that
				  * could be had
				  */
#define MEMPLUG_TARGET_WORKING 2 /* on the way */
#define MEMPLUG_TARGET_FLOOR   3 /* the floor has let no more be taken for a second or longer;
				  * goes on when there is room
				  */
#define MEMPLUG_TARGET_BLOCKED 4 /* nothing more could be had for a second or longer; tries
				  * again all along
				  */

/*
 * memplug_info.out_others: other drivers, at work on this machine, that take memory out of it
 * or put it back. Each works; together they are hard to reason about.
 * Only early modules looked for them, and say so with MEMPLUG_FEATURE_OTHERS: to look at a
 * device's driver takes the lock of the device, and meanwhile a reset of it that does not wait
 * fails. A module without that feature tells 0. sysfs has the answer for everybody: the folder
 * of a driver at work, /sys/bus/virtio/drivers/virtio_mem, virtio_balloon there, or
 * /sys/bus/vmbus/drivers/hv_balloon, has a link to a device beside that to its module, and
 * Xen's balloon is there with /sys/devices/system/xen_memory/xen_memory0.
 */
#define MEMPLUG_OTHER_VIRTIO_MEM     (1U << 0)
#define MEMPLUG_OTHER_VIRTIO_BALLOON (1U << 1)
#define MEMPLUG_OTHER_HV_BALLOON     (1U << 2)
#define MEMPLUG_OTHER_XEN_BALLOON    (1U << 3)

/* The most blocked records that a request keeps. */
#define MEMPLUG_MAX_BLOCKED 256

/* out_flags of several structures */
#define MEMPLUG_OUT_WITHHELD  (1U << 0) /* addresses read 0: no CAP_SYS_ADMIN */
#define MEMPLUG_OUT_TRUNCATED (1U << 1) /* a result list did not fit or was capped */

/**
 * struct memplug_info - what the module is and how much it holds (MEMPLUG_IOC_INFO)
 * @size: in: sizeof(struct memplug_info)
 * @flags: in: must be 0
 * @out_abi_version: MEMPLUG_ABI_VERSION of the module
 * @out_page_size: size of a base page
 * @out_module_version: the module's version, NUL-terminated
 * @out_features: MEMPLUG_FEATURE_*: abilities that came after the first version
 * @out_granularity: the smallest piece that this kernel can claim safely
 * @out_subblock_size: the unit of plugging; every size and address is a multiple of it
 * @out_memory_block_size: the kernel's memory block, the unit of memory hotplug
 * @out_managed_size: memory that memplug looks after; plugged plus unplugged
 * @out_unplugged_size: memory that memplug holds
 * @out_wanted_size: memory that should be unplugged but is not at the moment: it was when
 *                   its memory block went offline, and is to be again when that is back; or
 *                   it is in quarantine and could not be had yet.
 *                   PLUG with ALL ends that, PLUG with RANGE for what of it is plugged, and
 *                   the removal of the memory, too; what is in quarantine, the latter only
 * @out_target_size: plugged size worked toward, or MEMPLUG_NO_TARGET
 * @out_floor_size: available memory that an unplug leaves; 0: no floor
 * @out_generation: goes up with every change of the managed or unplugged set, of what is
 *                  wanted, of what is in quarantine, of the target and of its state
 * @out_nr_nodes: how many nodes MEMPLUG_IOC_NODES has to tell of
 * @out_max_blocked: MEMPLUG_MAX_BLOCKED of the module
 * @out_wanted_other_zone_size: of out_wanted_size, what came back online in a zone where
 *                              memplug takes nothing, such as ZONE_MOVABLE
 * @out_target_state: MEMPLUG_TARGET_*
 * @out_others: MEMPLUG_OTHER_* with MEMPLUG_FEATURE_OTHERS, else 0
 * @out_low_managed_size: of out_managed_size, what is in zones below ZONE_NORMAL: ZONE_DMA32
 *                        of x86-64. 0 unless the module was loaded with such a zone
 * @out_low_unplugged_size: of out_unplugged_size, likewise
 * @out_low_reserve_size: what each such zone keeps at least, free or in use; a quarter of
 *                        it, if that is more
 *
 * One consistent snapshot of the sizes and the target's state. May sleep. No errors of its
 * own. The last six came after the first version: a kernel without them leaves them as
 * they were, so set them to 0.
 */
struct memplug_info {
	__u32 size;
	__u32 flags;
	__u32 out_abi_version;
	__u32 out_page_size;
	char  out_module_version[32];
	__aligned_u64 out_features;
	__aligned_u64 out_granularity;
	__aligned_u64 out_subblock_size;
	__aligned_u64 out_memory_block_size;
	__aligned_u64 out_managed_size;
	__aligned_u64 out_unplugged_size;
	__aligned_u64 out_wanted_size;
	__aligned_u64 out_target_size;
	__aligned_u64 out_floor_size;
	__aligned_u64 out_generation;
	__u32 out_nr_nodes;
	__u32 out_max_blocked;
	__aligned_u64 out_wanted_other_zone_size;
	__u32 out_target_state;
	__u32 out_others;
	__aligned_u64 out_low_managed_size;
	__aligned_u64 out_low_unplugged_size;
	__aligned_u64 out_low_reserve_size;
};

/**
 * struct memplug_node - one node's share
 * @node: NUMA node
 * @__reserved: 0
 * @managed_size: managed memory of the node
 * @unplugged_size: memory of the node that memplug holds
 */
struct memplug_node {
	__s32 node;
	__u32 __reserved;
	__aligned_u64 managed_size;
	__aligned_u64 unplugged_size;
};

/**
 * struct memplug_nodes - sizes per node (MEMPLUG_IOC_NODES)
 * @size: in: sizeof(struct memplug_nodes)
 * @flags: in: must be 0
 * @nodes: in: pointer to an array of struct memplug_node
 * @capacity: in: how many records fit there; 0 asks for the count only
 * @out_count: records written, or needed
 * @out_generation: generation of the snapshot
 *
 * Tells of every node that has managed memory, by ascending number, in one
 * consistent snapshot. EMSGSIZE: @capacity is too small, @out_count says what is
 * needed, nothing was written to @nodes.
 */
struct memplug_nodes {
	__u32 size;
	__u32 flags;
	__aligned_u64 nodes;
	__u32 capacity;
	__u32 out_count;
	__aligned_u64 out_generation;
};

/* memplug_range.flags */
#define MEMPLUG_RANGE_TIED        (1U << 0) /* lives as long as a descriptor; see holder */
#define MEMPLUG_RANGE_MAPPED      (1U << 1) /* mapped by some process */
#define MEMPLUG_RANGE_QUARANTINED (1U << 2) /* kept out as bad */
#define MEMPLUG_RANGE_WANTED      (1U << 3) /* not unplugged, but to be */
#define MEMPLUG_RANGE_LOW         (1U << 4) /* managed, in a zone below ZONE_NORMAL */

/**
 * struct memplug_range - a stretch of memory, unplugged or wanted, with equal attributes
 * @start: physical address of its first byte; 0 if withheld
 * @length: bytes
 * @flags: MEMPLUG_RANGE_*, of LIST; 0 of what a request took
 * @node: NUMA node that all of it belongs to; -1 of wanted memory that is not managed
 * @holder: process id of the opener of a tied range in the caller's pid namespace,
 *          else 0
 * @__reserved: 0
 */
struct memplug_range {
	__aligned_u64 start;
	__aligned_u64 length;
	__u32 flags;
	__s32 node;
	__s32 holder;
	__u32 __reserved;
};

/* memplug_list.flags */
#define MEMPLUG_LIST_QUARANTINED (1U << 0) /* what is in quarantine, unplugged or wanted */

/**
 * struct memplug_list - the unplugged ranges (MEMPLUG_IOC_LIST)
 * @size: in: sizeof(struct memplug_list)
 * @flags: in: MEMPLUG_LIST_QUARANTINED: the ranges in quarantine instead; or 0
 * @ranges: in: pointer to an array of struct memplug_range
 * @capacity: in: how many records fit there; 0 asks for the count only
 * @out_count: records written, or needed
 * @out_generation: generation of the snapshot
 * @out_flags: MEMPLUG_OUT_WITHHELD or 0
 * @__reserved: in: must be 0
 *
 * One consistent snapshot by ascending address. Only records with equal attributes
 * are merged, and none across a border of zones. EMSGSIZE: @capacity is too small, @out_count
 * says what is needed, nothing was written to @ranges.
 */
struct memplug_list {
	__u32 size;
	__u32 flags;
	__aligned_u64 ranges;
	__u32 capacity;
	__u32 out_count;
	__aligned_u64 out_generation;
	__u32 out_flags;
	__u32 __reserved;
};

/**
 * struct memplug_counters - what was done since the module was loaded (MEMPLUG_IOC_COUNTERS)
 * @size: in: sizeof(struct memplug_counters)
 * @flags: in: must be 0
 * @out_unplug_requests: UNPLUG calls that ran, dry runs not counted
 * @out_plug_requests: PLUG calls that ran, dry runs not counted
 * @out_claims: attempts to take a run of subblocks
 * @out_claims_failed: those of them that took nothing
 * @out_pages_migrated: base pages moved during claims. The kernel counts migrations
 *                      system-wide, so pages that others moved meanwhile are included
 * @out_pages_claimed: base pages taken
 * @out_pages_released: base pages given back, roll-backs included
 * @out_floor_stops: requests that the floor stopped
 * @out_survey_ns: time spent on looking at pages to choose what to take
 * @out_claim_ns: time that claims took, added up over those that ran side by side
 *
 * @out_oom_events: times that the machine was out of memory and got some back
 * @out_oom_pages: base pages that it got back then, also in out_pages_released
 *
 * What comes after out_floor_stops came after the first version: a kernel without it
 * leaves it as it was, so set it to 0.
 */
struct memplug_counters {
	__u32 size;
	__u32 flags;
	__aligned_u64 out_unplug_requests;
	__aligned_u64 out_plug_requests;
	__aligned_u64 out_claims;
	__aligned_u64 out_claims_failed;
	__aligned_u64 out_pages_migrated;
	__aligned_u64 out_pages_claimed;
	__aligned_u64 out_pages_released;
	__aligned_u64 out_floor_stops;
	__aligned_u64 out_survey_ns;
	__aligned_u64 out_claim_ns;
	__aligned_u64 out_oom_events;
	__aligned_u64 out_oom_pages;
};

/* memplug_progress.out_operation */
#define MEMPLUG_OP_NONE   0
#define MEMPLUG_OP_UNPLUG 1
#define MEMPLUG_OP_PLUG   2

/**
 * struct memplug_progress - how far the request on this descriptor is (MEMPLUG_IOC_PROGRESS)
 * @size: in: sizeof(struct memplug_progress)
 * @flags: in: must be 0
 * @out_operation: MEMPLUG_OP_*; NONE: no request runs on this descriptor, the other
 *                 fields are 0
 * @__reserved: in: must be 0
 * @out_requested: bytes asked for
 * @out_done: bytes taken or given back so far
 * @out_already: bytes that were so before
 * @out_pages_migrated: as in struct memplug_counters, of this request
 * @out_elapsed_ns: time since the request began
 */
struct memplug_progress {
	__u32 size;
	__u32 flags;
	__u32 out_operation;
	__u32 __reserved;
	__aligned_u64 out_requested;
	__aligned_u64 out_done;
	__aligned_u64 out_already;
	__aligned_u64 out_pages_migrated;
	__aligned_u64 out_elapsed_ns;
};

/* memplug_request.flags. U: known to UNPLUG, P: known to PLUG. */
#define MEMPLUG_REQ_RANGE      (1U << 0) /* U P: exactly [start, start + length) */
#define MEMPLUG_REQ_ALL        (1U << 1) /*   P: everything ordinary; length is 0 */
#define MEMPLUG_REQ_NODE       (1U << 2) /* U P: only memory of node */
#define MEMPLUG_REQ_WINDOW     (1U << 3) /* U  : only memory inside the window */
#define MEMPLUG_REQ_CONTIGUOUS (1U << 4) /* U  : one run or nothing */
#define MEMPLUG_REQ_EXACT      (1U << 5) /* U  : all or nothing */
#define MEMPLUG_REQ_DRY_RUN    (1U << 6) /* U P: only tell what would be done */
#define MEMPLUG_REQ_TIED       (1U << 7) /* U  : tie what it takes to the descriptor */
#define MEMPLUG_REQ_NORMAL     (1U << 8) /* U  : only memory of ZONE_NORMAL */
#define MEMPLUG_REQ_LOW        (1U << 9) /* U  : only memory of zones below it */

/* memplug_request.out_stop: why a request ended before all of it was done */
#define MEMPLUG_STOP_NONE        0 /* all done, or already so */
#define MEMPLUG_STOP_FLOOR       1 /* more would leave less than the floor, or
				    * a zone less than it keeps
				    */
#define MEMPLUG_STOP_TIMEOUT     2 /* timeout_ns passed */
#define MEMPLUG_STOP_INTERRUPTED 3 /* a signal came */
#define MEMPLUG_STOP_EXHAUSTED   4 /* there is nothing left to try */

/* memplug_blocked.reason: why a stretch of memory could not be had */
#define MEMPLUG_REASON_UNKNOWN      0 /* the claim failed and no blocker was found */
#define MEMPLUG_REASON_UNMOVABLE    1 /* kernel memory: slab, page table, stack, driver */
#define MEMPLUG_REASON_RESERVED     2 /* a reserved page or a hole */
#define MEMPLUG_REASON_PINNED       3 /* user memory with extra references, e.g. for DMA */
#define MEMPLUG_REASON_HUGETLB      4 /* a hugetlb page that this kernel can't move */
#define MEMPLUG_REASON_HWPOISON     5 /* a page with an uncorrected memory error */
#define MEMPLUG_REASON_CMA          6 /* memory of a CMA area */
#define MEMPLUG_REASON_BUSY         7 /* another request, or memory in flux: try again */
#define MEMPLUG_REASON_NO_MEMORY    8 /* no room to move its contents to */
#define MEMPLUG_REASON_FLOOR        9 /* the floor would be undershot, or what a zone keeps */
#define MEMPLUG_REASON_OFFLINE     10 /* its memory block is offline or went offline */
#define MEMPLUG_REASON_MAPPED      11 /* plug: mapped by a process */
#define MEMPLUG_REASON_HELD        12 /* plug: tied to a descriptor */
#define MEMPLUG_REASON_QUARANTINED 13 /* plug: kept out as bad */

/**
 * struct memplug_blocked - a stretch of memory that a request could not have
 * @start: physical address of its first byte
 * @length: bytes, a multiple of the subblock
 * @pfn: the first page frame seen to be in the way; 0 if none is known
 * @reason: MEMPLUG_REASON_*
 * @node: NUMA node
 *
 * Neighbours with the same reason and node are merged; @pfn is of the lowest of them.
 */
struct memplug_blocked {
	__aligned_u64 start;
	__aligned_u64 length;
	__aligned_u64 pfn;
	__u32 reason;
	__s32 node;
};

/* memplug_request.out_bad_why: why a part of the range or window is not managed */
#define MEMPLUG_BAD_NONE       0 /* nothing is wrong with it */
#define MEMPLUG_BAD_ABSENT     1 /* not System RAM at all, or a hole */
#define MEMPLUG_BAD_OFFLINE    2 /* System RAM whose memory block is offline */
#define MEMPLUG_BAD_ZONE       3 /* memory of a zone that is not managed: another than
				  * ZONE_NORMAL, unless the module was loaded with it
				  */
#define MEMPLUG_BAD_FOREIGN    4 /* memory added by another driver, which may remove it */
#define MEMPLUG_BAD_MIXED      5 /* a subblock that is only partly managed memory: more
				  * than one zone or node in it, or partly a hole
				  */

/**
 * struct memplug_request - take memory out or put it back (MEMPLUG_IOC_UNPLUG, _PLUG)
 * @size: in: sizeof(struct memplug_request)
 * @flags: in: MEMPLUG_REQ_*
 * @length: in: bytes wanted, a multiple of the subblock, not 0; with ALL it must be 0
 * @start: in: with RANGE its first byte, a multiple of the subblock; else 0
 * @window_start: in: with WINDOW its first byte, a multiple of the subblock; else 0
 * @window_length: in: with WINDOW its bytes, a multiple of the subblock, not 0; else 0
 * @align: in: with CONTIGUOUS the alignment of the run: 0, or a power of two not below
 *         the subblock; else 0
 * @timeout_ns: in: begin nothing new after this time; 0: no limit. PLUG: must be 0
 * @node: in: with NODE the node, which must be online; else 0
 * @ranges_capacity: in: how many records fit at @ranges
 * @ranges: in: pointer to an array of struct memplug_range; ignored if capacity is 0
 * @blocked: in: pointer to an array of struct memplug_blocked; ignored if capacity is 0
 * @blocked_capacity: in: how many records fit at @blocked
 * @__reserved: in: must be 0
 * @out_ranges: ranges that this request changed; more than the capacity: only as many
 *              as fit were written, and MEMPLUG_OUT_TRUNCATED is set
 * @out_blocked: stretches that could not be had, likewise; capped at
 *               MEMPLUG_MAX_BLOCKED, with MEMPLUG_OUT_TRUNCATED if there were more
 * @out_flags: MEMPLUG_OUT_TRUNCATED or 0
 * @out_stop: MEMPLUG_STOP_*
 * @out_requested: @length, or with ALL what there was to give back
 * @out_done: bytes that this request changed
 * @out_already: with RANGE: bytes that were so before
 * @out_left: PLUG with ALL or by size: bytes that are unplugged but not ordinary
 * @out_pages_migrated: as in struct memplug_counters, of this request
 * @out_elapsed_ns: time that the request took
 * @out_bad_start: with ENXIO: first byte of the first part that is not managed
 * @out_bad_length: with ENXIO: bytes of that part
 * @out_bad_why: with ENXIO: MEMPLUG_BAD_*
 * @__reserved2: in: must be 0
 *
 * requested == done + already + shortfall, and out_stop is NONE if and only if the
 * shortfall is 0. A request that ran returns 0 however little it got. Records come by
 * ascending address. A dry run reports as if it had run, from what it can see: a
 * forecast, not a promise.
 *
 * UNPLUG sleeps, for seconds if much has to be moved. A signal makes it stop after the
 * runs in flight and return 0 with MEMPLUG_STOP_INTERRUPTED, never EINTR; a timeout
 * does the same with MEMPLUG_STOP_TIMEOUT. What only stops the caller, as SIGSTOP does, is no
 * such signal: the request is carried out, and the caller stops when it returns. It takes best
 * effort unless EXACT or
 * CONTIGUOUS is set; with these, what was taken is given back if not all can be had,
 * also after a signal or a timeout. Until UNPLUG returns, what it took is nobody else's: PLUG and
 * mmap() are refused, as busy. It never leaves less than the floor available. Zones below
 * ZONE_NORMAL come when ZONE_NORMAL is not enough, unless flags or a range ask for them; each
 * keeps what out_low_reserve_size tells. What kept ZONE_NORMAL from giving all is what
 * out_stop tells then, if anything did.
 * PLUG gives back from the lowest address up, ordinary ranges only unless RANGE names
 * others, which are then refused with a reason. A page with a memory error stays held,
 * with its subblock. With TIED, what was unplugged before (out_already) stays as it was, tied
 * or not.
 *
 * Errors:
 *   EBADF      the descriptor is not open for writing
 *   EPERM      no CAP_SYS_ADMIN
 *   EBUSY      another request runs on this descriptor
 *   EINVAL     a length, address or alignment that breaks the rules above; flags that
 *              exclude each other: RANGE with ALL, NODE, WINDOW, CONTIGUOUS, NORMAL or LOW,
 *              and NORMAL with LOW; a field
 *              that is not 0 although its flag is not set
 *   EOVERFLOW  start + length or window_start + window_length passes the end of the
 *              address space
 *   ENXIO      part of the range, or all of the window, is not managed memory
 *              (out_bad_* say which and why); the node is not online
 *   EUSERS     TIED: 191 descriptors have ranges tied to them already
 *   EFAULT     as above; if the results can't be written after the work was done,
 *              UNPLUG gives back what it took, PLUG does not take it out again
 */
struct memplug_request {
	__u32 size;
	__u32 flags;
	__aligned_u64 length;
	__aligned_u64 start;
	__aligned_u64 window_start;
	__aligned_u64 window_length;
	__aligned_u64 align;
	__aligned_u64 timeout_ns;
	__s32 node;
	__u32 ranges_capacity;
	__aligned_u64 ranges;
	__aligned_u64 blocked;
	__u32 blocked_capacity;
	__u32 __reserved;
	__u32 out_ranges;
	__u32 out_blocked;
	__u32 out_flags;
	__u32 out_stop;
	__aligned_u64 out_requested;
	__aligned_u64 out_done;
	__aligned_u64 out_already;
	__aligned_u64 out_left;
	__aligned_u64 out_pages_migrated;
	__aligned_u64 out_elapsed_ns;
	__aligned_u64 out_bad_start;
	__aligned_u64 out_bad_length;
	__u32 out_bad_why;
	__u32 __reserved2;
};

/**
 * struct memplug_target - set the plugged size to work toward (MEMPLUG_IOC_TARGET)
 * @size: in: sizeof(struct memplug_target)
 * @flags: in: must be 0
 * @target: in: bytes, a multiple of the subblock, at most what is managed; or
 *          MEMPLUG_NO_TARGET to work toward none
 *
 * Returns at once; a worker of the module unplugs and plugs, under the same floor as any
 * request, until as much is plugged as @target says. INFO tells how far it is, and poll() when
 * that changes. What can't be had is tried again, after milliseconds at first and seconds
 * later. Cancels what the worker was doing for an earlier target; MEMPLUG_NO_TARGET also waits
 * for its end, which takes as long as the claims in flight: tens of milliseconds, so that from
 * then on nothing but requests, and memory that is wanted, changes what is plugged.
 *
 * The target moves along with what others do: an UNPLUG or PLUG moves it by what it did, and
 * memory that comes or goes moves it by what of that is plugged. So the worker never undoes
 * what was asked for. Memory given back because the machine was out of it moves nothing.
 *
 * Errors:
 *   EBADF   the descriptor is not open for writing
 *   EPERM   no CAP_SYS_ADMIN
 *   EINVAL  @target is not a multiple of the subblock
 *   ERANGE  @target is more than is managed
 */
struct memplug_target {
	__u32 size;
	__u32 flags;
	__aligned_u64 target;
};

/* memplug_subblock.state */
#define MEMPLUG_SUBBLOCK_PLUGGED   0 /* managed; Linux uses it. The counts tell of its pages */
#define MEMPLUG_SUBBLOCK_UNPLUGGED 1 /* memplug holds it */
#define MEMPLUG_SUBBLOCK_BUSY      2 /* a request is taking it or giving it back */
#define MEMPLUG_SUBBLOCK_UNMANAGED 3 /* why says why */

/* memplug_subblock.flags */
#define MEMPLUG_SUBBLOCK_CERTAIN (1U << 0) /* the blocker does not go away by trying */
#define MEMPLUG_SUBBLOCK_WANTED  (1U << 1) /* is to be unplugged, and is not */
#define MEMPLUG_SUBBLOCK_QUARANTINED (1U << 2) /* is kept out as bad, or to be */
#define MEMPLUG_SUBBLOCK_LOW     (1U << 3) /* managed, in a zone below ZONE_NORMAL */

/**
 * struct memplug_subblock - what a subblock, or a stretch of equal ones, looks like
 * @start: physical address of its first byte
 * @length: bytes: one subblock if it is plugged or busy, else as many neighbours as are alike
 * @pfn: PLUGGED: the first page frame seen to be in the way of a claim, of those that last
 *       longest: for good, then PINNED, then BUSY; 0: none was seen
 * @state: MEMPLUG_SUBBLOCK_PLUGGED, ...
 * @flags: MEMPLUG_SUBBLOCK_CERTAIN, _WANTED, _QUARANTINED, _LOW
 * @reason: with @pfn: MEMPLUG_REASON_*; else 0
 * @why: UNMANAGED: MEMPLUG_BAD_*; else 0
 * @node: NUMA node, or -1 where that is not managed
 * @free: PLUGGED, as all counts, in base pages: free
 * @movable: in use, and the kernel can move or drop them; the next three are of these
 * @anon: pages of processes
 * @file: pages of the page cache, tmpfs included
 * @huge: those of either that are part of a huge page
 *
 * What is neither free nor movable is in the way.
 */
struct memplug_subblock {
	__aligned_u64 start;
	__aligned_u64 length;
	__aligned_u64 pfn;
	__u32 state;
	__u32 flags;
	__u32 reason;
	__u32 why;
	__s32 node;
	__u32 free;
	__u32 movable;
	__u32 anon;
	__u32 file;
	__u32 huge;
};

/**
 * struct memplug_survey - look at memory and tell what could be taken (MEMPLUG_IOC_SURVEY)
 * @size: in: sizeof(struct memplug_survey)
 * @flags: in: must be 0
 * @start: in: first byte to look at, a multiple of the subblock
 * @length: in: bytes to look at, a multiple of the subblock, not 0
 * @records: in: pointer to an array of struct memplug_subblock
 * @capacity: in: how many records fit there, not 0
 * @out_count: records written, by ascending address, without gaps
 * @out_next: first byte that was not told of; @start + @length: all was. Go on there
 * @out_generation: generation before the first look
 *
 * Reads struct pages and changes nothing. It takes no lock that others need, so each record is
 * right for the moment when it was made, and may be out of date when it is read. A look at a
 * subblock of 4 MiB costs 1 us if it is free and up to 0.1 ms if it is in use in small pages.
 * Ends early, with what it has, after a signal and after a few thousand subblocks. Sleeps; waits
 * while memory hotplug is under way, or the machine is about to hibernate.
 *
 * Errors:
 *   EPERM      no CAP_SYS_ADMIN
 *   EINVAL     @start or @length is not a multiple of the subblock; @length or @capacity is 0
 *   EOVERFLOW  the end is beyond the last physical address
 *   EINTR      a signal came before the first record
 *   ENOMEM     no memory to work with
 */
struct memplug_survey {
	__u32 size;
	__u32 flags;
	__aligned_u64 start;
	__aligned_u64 length;
	__aligned_u64 records;
	__u32 capacity;
	__u32 out_count;
	__aligned_u64 out_next;
	__aligned_u64 out_generation;
};

/* memplug_quarantine.flags */
#define MEMPLUG_QUARANTINE_END (1U << 0) /* end it */

/**
 * struct memplug_quarantine - keep memory out as bad, or end that (MEMPLUG_IOC_QUARANTINE)
 * @size: in: sizeof(struct memplug_quarantine)
 * @flags: in: MEMPLUG_QUARANTINE_END or 0
 * @start: in: first byte, a multiple of the subblock
 * @length: in: bytes, a multiple of the subblock, not 0
 * @out_changed: bytes that were not so before
 * @out_quarantined: bytes of the range that are in quarantine now
 * @out_unplugged: those of them that are unplugged. The rest is wanted: a worker of the module
 *                 takes it as soon as it can be had, under the floor, and tries again all along
 * @out_bad_start: with ENXIO: first byte of the first part that is not managed
 * @out_bad_length: with ENXIO: bytes of that part
 * @out_bad_why: with ENXIO: MEMPLUG_BAD_*
 * @__reserved: in: must be 0
 *
 * Marks the range and returns at once. What was unplugged is tied to nobody from then on; what is
 * mapped stays mapped. The mark outlives every descriptor and keeps the module loaded; when the
 * memory is removed, it goes with it. A memory block with marked memory may go offline, and when it
 * comes back in a managed zone what is marked is taken before others get at it, if it can be.
 * The target moves by what became wanted. With END the marks are taken away: what is unplugged is
 * ordinary then, for PLUG to give back, and what is wanted is not any more.
 *
 * Errors:
 *   EBADF      the descriptor is not open for writing
 *   EPERM      no CAP_SYS_ADMIN
 *   EINVAL     @start or @length is not a multiple of the subblock, or @length is 0
 *   EOVERFLOW  the end is beyond the last address
 *   ENXIO      part of the range is not managed memory (out_bad_* say which and why), and nothing
 *              was marked; not with END
 */
struct memplug_quarantine {
	__u32 size;
	__u32 flags;
	__aligned_u64 start;
	__aligned_u64 length;
	__aligned_u64 out_changed;
	__aligned_u64 out_quarantined;
	__aligned_u64 out_unplugged;
	__aligned_u64 out_bad_start;
	__aligned_u64 out_bad_length;
	__u32 out_bad_why;
	__u32 __reserved;
};

/* memplug_event.type */
#define MEMPLUG_EVENT_UNPLUGGED    1 /* the range is unplugged; value: all that is, in bytes */
#define MEMPLUG_EVENT_PLUGGED      2 /* the range is plugged; value: as above */
#define MEMPLUG_EVENT_CAME         3 /* memory in the range is managed now; value: all that is */
#define MEMPLUG_EVENT_WENT         4 /* memory in the range is not managed any more; as above */
#define MEMPLUG_EVENT_WANTED       5 /* what is wanted has changed; value: how much is now */
#define MEMPLUG_EVENT_TARGET       6 /* a target was set, or MEMPLUG_NO_TARGET; value: it */
#define MEMPLUG_EVENT_TARGET_STATE 7 /* value: MEMPLUG_TARGET_* */
#define MEMPLUG_EVENT_QUARANTINE   8 /* of the range, some is in quarantine now, or not any more;
				      * value: all that is
				      */

/* memplug_event.cause, of UNPLUGGED and PLUGGED; else NONE */
#define MEMPLUG_CAUSE_NONE    0
#define MEMPLUG_CAUSE_REQUEST 1 /* an UNPLUG or PLUG, its roll-back, or the end of what it tied */
#define MEMPLUG_CAUSE_TARGET  2 /* the way to the target, or to what is wanted */
#define MEMPLUG_CAUSE_NEED    3 /* the machine was out of memory */
#define MEMPLUG_CAUSE_HOTPLUG 4 /* a memory block did not go offline after all */

/**
 * struct memplug_event - one change of the generation (read())
 * @generation: after the change. Each change is one event: INFO and LIST with an equal or higher
 *              one know of it already
 * @time_ns: when, on CLOCK_MONOTONIC
 * @type: MEMPLUG_EVENT_*
 * @cause: MEMPLUG_CAUSE_*
 * @node: of UNPLUGGED and PLUGGED the NUMA node; else -1
 * @lost: events before this one that were not read in time and are gone
 * @start: physical address of the first byte of the range; 0 without a range, or if withheld
 * @length: bytes of the range; 0 without one
 * @value: as the type says
 * @__reserved: 0
 *
 * A descriptor has events from its first read() on, which may be one with O_NONBLOCK. It keeps the
 * newest 1024; who reads too late loses the oldest. read() takes as many as there are and as fit
 * into the buffer, eight at most, in order; it waits for the first unless O_NONBLOCK is set. Needs
 * no privilege; without CAP_SYS_ADMIN in the initial user namespace @start is withheld. A claim
 * that is rolled back is two events.
 *
 * Errors of read():
 *   EAGAIN   there is none, and O_NONBLOCK is set
 *   EINVAL   the buffer is too small for one
 *   EFAULT   the buffer can't be written; the events that were for it are gone
 *   EINTR    a signal came before the first
 *   ENOMEM   no memory to keep events in
 */
struct memplug_event {
	__aligned_u64 generation;
	__aligned_u64 time_ns;
	__u32 type;
	__u32 cause;
	__s32 node;
	__u32 lost;
	__aligned_u64 start;
	__aligned_u64 length;
	__aligned_u64 value;
	__aligned_u64 __reserved;
};

#endif /* _UAPI_MEMPLUG_H */
