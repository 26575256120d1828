/* SPDX-License-Identifier: MIT */
/* Nobody traces: each tracepoint is a function that does nothing. */
#ifndef MEMPLUG_TEST_LINUX_TRACEPOINT_H
#define MEMPLUG_TEST_LINUX_TRACEPOINT_H

#include <linux/types.h>

#define TP_PROTO(...) __VA_ARGS__
/* What the semicolon behind it ends. */
#define TRACE_EVENT(name, proto, ...) \
	static inline void trace_##name(proto) \
	{ \
	} \
	struct trace_##name

#endif
