/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MEMPLUG_PAUSE_H
#define MEMPLUG_PAUSE_H

/* Builds without MEMPLUG_DEBUG wait nowhere. */
#ifdef MEMPLUG_DEBUG
void memplug_pause_at(const char *point);
#else
static inline void memplug_pause_at(const char *point)
{
}
#endif

#endif
