/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints, for those who want to see what memplug does: docs/tracing.md. They take numbers, and
 * know nobody's structures: all of memplug may use them.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM memplug

#if !defined(MEMPLUG_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define MEMPLUG_TRACE_H

#include <linux/memory.h>
#include <linux/tracepoint.h>

#include "subblock.h"
#include "uapi/memplug.h"

#define show_operation(operation) \
	__print_symbolic(operation, { MEMPLUG_OP_UNPLUG, "unplug" }, { MEMPLUG_OP_PLUG, "plug" })

#define show_stop(stop) \
	__print_symbolic(stop, \
			 { MEMPLUG_STOP_NONE, "none" }, \
			 { MEMPLUG_STOP_FLOOR, "floor" }, \
			 { MEMPLUG_STOP_TIMEOUT, "timeout" }, \
			 { MEMPLUG_STOP_INTERRUPTED, "interrupted" }, \
			 { MEMPLUG_STOP_EXHAUSTED, "exhausted" })

#define show_reason(reason) \
	__print_symbolic(reason, \
			 { MEMPLUG_REASON_UNKNOWN, "unknown" }, \
			 { MEMPLUG_REASON_UNMOVABLE, "unmovable" }, \
			 { MEMPLUG_REASON_RESERVED, "reserved" }, \
			 { MEMPLUG_REASON_PINNED, "pinned" }, \
			 { MEMPLUG_REASON_HUGETLB, "hugetlb" }, \
			 { MEMPLUG_REASON_HWPOISON, "hwpoison" }, \
			 { MEMPLUG_REASON_CMA, "cma" }, \
			 { MEMPLUG_REASON_BUSY, "busy" }, \
			 { MEMPLUG_REASON_NO_MEMORY, "no_memory" }, \
			 { MEMPLUG_REASON_FLOOR, "floor" }, \
			 { MEMPLUG_REASON_OFFLINE, "offline" }, \
			 { MEMPLUG_REASON_MAPPED, "mapped" }, \
			 { MEMPLUG_REASON_HELD, "held" }, \
			 { MEMPLUG_REASON_QUARANTINED, "quarantined" })

#define show_memory_event(event) \
	__print_symbolic(event, \
			 { MEM_GOING_OFFLINE, "going_offline" }, \
			 { MEM_GOING_ONLINE, "going_online" }, \
			 { MEM_ONLINE, "online" }, \
			 { MEM_OFFLINE, "offline" }, \
			 { MEM_CANCEL_OFFLINE, "cancel_offline" }, \
			 { MEM_CANCEL_ONLINE, "cancel_online" })

/* A request begins; it has been checked. All sizes are in bytes. */
TRACE_EVENT(memplug_request_start,
	TP_PROTO(const void *id, u32 operation, u32 flags, unsigned long nr, int nid,
		 bool background),
	TP_ARGS(id, operation, flags, nr, nid, background),
	TP_STRUCT__entry(
		__field(const void *, id)
		__field(u32, operation)
		__field(u32, flags)
		__field(u64, length)
		__field(int, nid)
		__field(bool, background)
	),
	TP_fast_assign(
		__entry->id = id;
		__entry->operation = operation;
		__entry->flags = flags;
		__entry->length = nr * subblock_bytes();
		__entry->nid = nid;
		__entry->background = background;
	),
	TP_printk("request=%p operation=%s flags=%#x length=%llu node=%d background=%d",
		  __entry->id, show_operation(__entry->operation), __entry->flags,
		  __entry->length, __entry->nid, __entry->background)
);

/* A request that was carried out is over. */
TRACE_EVENT(memplug_request_end,
	TP_PROTO(const void *id, u32 operation, u32 stop, unsigned long requested,
		 unsigned long done, unsigned long already, u64 migrated, u64 elapsed_ns),
	TP_ARGS(id, operation, stop, requested, done, already, migrated, elapsed_ns),
	TP_STRUCT__entry(
		__field(const void *, id)
		__field(u32, operation)
		__field(u32, stop)
		__field(u64, requested)
		__field(u64, done)
		__field(u64, already)
		__field(u64, migrated)
		__field(u64, elapsed_ns)
	),
	TP_fast_assign(
		__entry->id = id;
		__entry->operation = operation;
		__entry->stop = stop;
		__entry->requested = requested * subblock_bytes();
		__entry->done = done * subblock_bytes();
		__entry->already = already * subblock_bytes();
		__entry->migrated = migrated;
		__entry->elapsed_ns = elapsed_ns;
	),
	TP_printk("request=%p operation=%s requested=%llu done=%llu already=%llu stop=%s migrated=%llu elapsed_ns=%llu",
		  __entry->id, show_operation(__entry->operation), __entry->requested,
		  __entry->done, __entry->already, show_stop(__entry->stop),
		  __entry->migrated, __entry->elapsed_ns)
);

/* A claim of a run was tried; result is 0 or a negative errno. */
TRACE_EVENT(memplug_claim,
	TP_PROTO(const struct subblock_run *run, int result, u64 migrated, u64 elapsed_ns),
	TP_ARGS(run, result, migrated, elapsed_ns),
	TP_STRUCT__entry(
		__field(u64, start)
		__field(u64, length)
		__field(int, result)
		__field(u64, migrated)
		__field(u64, elapsed_ns)
	),
	TP_fast_assign(
		__entry->start = subblock_address(run->first);
		__entry->length = run->nr * subblock_bytes();
		__entry->result = result;
		__entry->migrated = migrated;
		__entry->elapsed_ns = elapsed_ns;
	),
	TP_printk("start=%#llx length=%llu result=%d migrated=%llu elapsed_ns=%llu",
		  __entry->start, __entry->length, __entry->result, __entry->migrated,
		  __entry->elapsed_ns)
);

/* A request gives a subblock up, for this reason. */
TRACE_EVENT(memplug_blocked,
	TP_PROTO(const void *id, unsigned long index, u32 reason, unsigned long pfn),
	TP_ARGS(id, index, reason, pfn),
	TP_STRUCT__entry(
		__field(const void *, id)
		__field(u64, start)
		__field(u32, reason)
		__field(unsigned long, pfn)
	),
	TP_fast_assign(
		__entry->id = id;
		__entry->start = subblock_address(index);
		__entry->reason = reason;
		__entry->pfn = pfn;
	),
	TP_printk("request=%p start=%#llx reason=%s pfn=%#lx", __entry->id, __entry->start,
		  show_reason(__entry->reason), __entry->pfn)
);

/* Pages are given back. */
TRACE_EVENT(memplug_release,
	TP_PROTO(unsigned long start_pfn, unsigned long nr_pages),
	TP_ARGS(start_pfn, nr_pages),
	TP_STRUCT__entry(
		__field(u64, start)
		__field(u64, length)
	),
	TP_fast_assign(
		__entry->start = PFN_PHYS((u64)start_pfn);
		__entry->length = PFN_PHYS((u64)nr_pages);
	),
	TP_printk("start=%#llx length=%llu", __entry->start, __entry->length)
);

/* An event of memory hotplug was dealt with; result is 0 or a negative errno that refuses it. */
TRACE_EVENT(memplug_hotplug,
	TP_PROTO(unsigned long event, unsigned long start_pfn, unsigned long nr_pages, int result),
	TP_ARGS(event, start_pfn, nr_pages, result),
	TP_STRUCT__entry(
		__field(unsigned long, event)
		__field(u64, start)
		__field(u64, length)
		__field(int, result)
	),
	TP_fast_assign(
		__entry->event = event;
		__entry->start = PFN_PHYS((u64)start_pfn);
		__entry->length = PFN_PHYS((u64)nr_pages);
		__entry->result = result;
	),
	TP_printk("event=%s start=%#llx length=%llu result=%d",
		  show_memory_event(__entry->event), __entry->start, __entry->length,
		  __entry->result)
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
