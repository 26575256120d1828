/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A place: one zone of one node, as a number. Memory of one place borders on nothing else within a
 * run, and what is kept for each has MAX_PLACES entries.
 */
#ifndef MEMPLUG_PLACE_H
#define MEMPLUG_PLACE_H

#include <linux/mmzone.h>
#include <linux/nodemask.h>

#define NO_PLACE (-1)
#define MAX_PLACES (MAX_NUMNODES * MAX_NR_ZONES)

/* As many as this machine may have. */
static inline unsigned int nr_places(void)
{
	return nr_node_ids * MAX_NR_ZONES;
}

static inline int place_of(int nid, unsigned int zone)
{
	return nid * MAX_NR_ZONES + zone;
}

static inline int place_node(int place)
{
	return place == NO_PLACE ? NUMA_NO_NODE : place / MAX_NR_ZONES;
}

static inline unsigned int place_zone(int place)
{
	return place % MAX_NR_ZONES;
}

/* Where devices that can't reach all of memory find theirs: taken last, and never all of it. */
static inline bool place_is_low(int place)
{
	return place_zone(place) < ZONE_NORMAL;
}

#endif
