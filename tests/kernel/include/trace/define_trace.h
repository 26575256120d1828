/* SPDX-License-Identifier: MIT */
/* What tracepoints are made of comes to nothing: see linux/tracepoint.h. */
