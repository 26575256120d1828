/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MEMPLUG_FLOOR_H
#define MEMPLUG_FLOOR_H

#include <linux/types.h>

/* What memplug_floor_reserve() says to a run. */
enum floor_verdict {
	FLOOR_OK,	/* reserved */
	FLOOR_ZONE,	/* this zone has no more to give */
	FLOOR_TOTAL,	/* nothing more may be taken anywhere */
};

/**
 * struct floor_share - what a run, or several, takes from what is available
 * @nr_pages: pages of the run
 * @nr_free: those of them that are free, and leave the zone at once
 */
struct floor_share {
	unsigned long nr_pages;
	unsigned long nr_free;
};

extern const struct kernel_param_ops memplug_floor_param_ops;
extern const struct kernel_param_ops memplug_floor_low_reserve_param_ops;

void memplug_floor_init(void);
u64 memplug_floor_bytes(void);
u64 memplug_floor_low_bytes(void);
enum floor_verdict memplug_floor_check(int place, struct floor_share in_zone,
				       unsigned long total_pages);
bool memplug_floor_has_room(unsigned long nr_pages);
enum floor_verdict memplug_floor_reserve(int place, struct floor_share share);
void memplug_floor_unreserve(int place, struct floor_share share);
bool memplug_floor_wait(unsigned long timeout);

#endif
