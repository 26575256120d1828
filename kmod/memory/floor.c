// SPDX-License-Identifier: GPL-2.0-only
/*
 * What may be taken. alloc_contig_range() ignores watermarks, so every run asks here
 * first, and what it asked for stays reserved until the claim is over: requests side by
 * side can't undershoot together what each alone would keep.
 *
 * floor.lock protects the reservations and their count. While a claim runs, its pages are
 * counted twice, as reserved and as gone already; who is refused meanwhile waits for its
 * end.
 */
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/sizes.h>
#include <linux/spinlock.h>
#include <linux/swap.h>
#include <linux/vmstat.h>
#include <linux/wait.h>

#include "compat.h"
#include "machine/hotplug.h"
#include "machine/place.h"
#include "memory/floor.h"
#include "parameter.h"

#define FLOOR_DEFAULT U64_MAX	/* the parameter was not given */

static struct floor_share reserved_in[MAX_PLACES];

static struct {
	spinlock_t lock;			/* protects reserved, reserved_in, ended */
	unsigned long reserved;			/* pages, in all zones */
	unsigned long ended;			/* reservations that have ended */
	wait_queue_head_t wait;			/* for one more to end */
	u64 parameter;				/* bytes, or FLOOR_DEFAULT */
	u64 standard;				/* bytes, computed at load */
	u64 low;				/* bytes that each low zone keeps, at least */
} floor = {
	.lock = __SPIN_LOCK_UNLOCKED(floor.lock),
	.wait = __WAIT_QUEUE_HEAD_INITIALIZER(floor.wait),
	.parameter = FLOOR_DEFAULT,
	.low = SZ_256M,
};

static int floor_set(const char *text, const struct kernel_param *kp)
{
	u64 bytes;
	int ret = text ? memplug_parameter_bytes(text, &bytes) : -EINVAL;

	if (ret)
		return ret;
	if (bytes == FLOOR_DEFAULT)
		return -EINVAL;
	WRITE_ONCE(floor.parameter, bytes);
	return 0;
}

static int floor_get(char *buffer, const struct kernel_param *kp)
{
	return scnprintf(buffer, PAGE_SIZE, "%llu\n", memplug_floor_bytes());
}

const struct kernel_param_ops memplug_floor_param_ops = {
	.set = floor_set,
	.get = floor_get,
};

static int low_reserve_set(const char *text, const struct kernel_param *kp)
{
	u64 bytes;
	int ret = text ? memplug_parameter_bytes(text, &bytes) : -EINVAL;

	if (!ret)
		WRITE_ONCE(floor.low, bytes);
	return ret;
}

static int low_reserve_get(char *buffer, const struct kernel_param *kp)
{
	return scnprintf(buffer, PAGE_SIZE, "%llu\n", READ_ONCE(floor.low));
}

const struct kernel_param_ops memplug_floor_low_reserve_param_ops = {
	.set = low_reserve_set,
	.get = low_reserve_get,
};

/**
 * memplug_floor_init - compute the floor that holds if none was given
 *
 * The figures are those of Hyper-V's balloon, from the memory present now: were they
 * computed from what is left later, the floor would sink with every unplug.
 */
void memplug_floor_init(void)
{
	u64 total = (u64)totalram_pages() << PAGE_SHIFT;

	if (total < 128ULL << 20)
		floor.standard = (8ULL << 20) + (total >> 1);
	else if (total < 512ULL << 20)
		floor.standard = (40ULL << 20) + (total >> 2);
	else if (total < 2048ULL << 20)
		floor.standard = (104ULL << 20) + (total >> 3);
	else if (total < 8192ULL << 20)
		floor.standard = (232ULL << 20) + (total >> 4);
	else
		floor.standard = (488ULL << 20) + (total >> 5);
	floor.standard = ALIGN(floor.standard, SZ_1M);
}

/** memplug_floor_bytes - available memory that an unplug leaves; 0: the kernel's reserves only */
u64 memplug_floor_bytes(void)
{
	u64 bytes = READ_ONCE(floor.parameter);

	return bytes == FLOOR_DEFAULT ? floor.standard : bytes;
}

/** memplug_floor_low_bytes - what each low zone keeps, at least */
u64 memplug_floor_low_bytes(void)
{
	return READ_ONCE(floor.low);
}

/* The kernel's counters are kept per CPU and may be off by this much together. */
static unsigned long counter_drift(void)
{
	return num_online_cpus() * 256UL;
}

/*
 * A zone that has lost its last memory has lost what it kept for each CPU, too: it is looked at
 * only while none can.
 */
static struct zone *zone_of(int place)
{
	memplug_hotplug_assert_excluded();
	return &NODE_DATA(place_node(place))->node_zones[place_zone(place)];
}

/*
 * Devices that can reach no other memory, and drivers that ask for it by name, find nothing
 * elsewhere. So a low zone keeps a quarter of itself, or more, whatever is in it at the moment.
 */
static bool low_allows(int place, struct zone *zone, unsigned long nr_pages)
{
	unsigned long kept;

	if (!place_is_low(place))
		return true;
	kept = max_t(u64, memplug_floor_low_bytes() >> PAGE_SHIFT, zone->present_pages / 4);
	return zone_managed_pages(zone) >= kept + reserved_in[place].nr_pages + nr_pages;
}

/*
 * Free pages of a zone that CPUs keep for themselves, up to an eighth of it since 6.7. No counter
 * has them as free until a claim begins, which has them all given back.
 */
static unsigned long kept_by_cpus(const struct zone *zone)
{
	unsigned long nr_pages = 0;
	int cpu;

	for_each_online_cpu(cpu)
		nr_pages += compat_pages_kept_by_cpu(zone, cpu);
	return nr_pages;
}

/* What the kernel calls available leaves out the high watermarks and reserves of all zones. */
static bool total_allows(unsigned long nr_pages, unsigned long kept)
{
	u64 floor_pages = memplug_floor_bytes() >> PAGE_SHIFT;

	lockdep_assert_held(&floor.lock);
	return si_mem_available() + kept >=
	       floor_pages + nr_pages + floor.reserved + counter_drift();
}

/*
 * Rule 4 of docs/design.md. Pages in use move to wherever the allocator finds room above its
 * own watermarks, in this zone or in another; but the free pages of a run leave the zone past
 * all of them. A run that is mostly free has to leave the zone its high watermark, in free
 * memory or in page cache that kswapd can drop. One that is mostly in use takes few free pages
 * along: it has to leave the minimum, for allocations that can't wait.
 */
static bool zone_allows(int place, struct floor_share share, unsigned long kept)
{
	struct zone *zone = zone_of(place);
	const struct floor_share *reserved = &reserved_in[place];
	unsigned long taken = share.nr_free + reserved->nr_free;
	/* counters of CPUs that count on */
	unsigned long free = data_race(zone_page_state_snapshot(zone, NR_FREE_PAGES)) + kept;
	unsigned long cache = zone_page_state(zone, NR_ZONE_INACTIVE_FILE) +
			      zone_page_state(zone, NR_ZONE_ACTIVE_FILE);
	unsigned long reserve = 0;
	int i;

	for (i = 0; i < MAX_NR_ZONES; i++)
		reserve = max_t(unsigned long, reserve, zone->lowmem_reserve[i]);

	if (!low_allows(place, zone, share.nr_pages))
		return false;
	/* nothing leaves: not even a zone that is at its minimum can lose by that */
	if (!share.nr_free)
		return true;
	if (free < taken + min_wmark_pages(zone) + reserve)
		return false;
	return share.nr_free <= share.nr_pages / 2 ||
	       free + cache / 2 >= taken + high_wmark_pages(zone) + reserve;
}

static enum floor_verdict verdict(int place, struct floor_share in_zone, unsigned long total_pages,
				  unsigned long kept)
{
	if (!total_allows(total_pages, kept))
		return FLOOR_TOTAL;
	return zone_allows(place, in_zone, kept) ? FLOOR_OK : FLOOR_ZONE;
}

/**
 * memplug_floor_check - may this much be taken, without taking it
 * @place: one with managed memory
 * @in_zone: what is to be taken from there
 * @total_pages: what is to be taken from all zones together
 *
 * Looks ahead to after the first claim: what CPUs keep of the zone's free pages counts as free.
 *
 * Context: memory hotplug is kept out.
 */
enum floor_verdict memplug_floor_check(int place, struct floor_share in_zone,
				       unsigned long total_pages)
{
	unsigned long kept = kept_by_cpus(zone_of(place));
	enum floor_verdict ret;

	spin_lock(&floor.lock);
	ret = verdict(place, in_zone, total_pages, kept);
	spin_unlock(&floor.lock);
	return ret;
}

/**
 * memplug_floor_has_room - may this much be taken, as far as all zones together go
 * @nr_pages: how many
 */
bool memplug_floor_has_room(unsigned long nr_pages)
{
	bool ret;

	spin_lock(&floor.lock);
	ret = total_allows(nr_pages, 0);
	spin_unlock(&floor.lock);
	return ret;
}

static void add_reservation(int place, struct floor_share share)
{
	struct floor_share *reserved = &reserved_in[place];

	lockdep_assert_held(&floor.lock);
	floor.reserved += share.nr_pages;
	reserved->nr_pages += share.nr_pages;
	reserved->nr_free += share.nr_free;
}

/**
 * memplug_floor_reserve - reserve a run's share before it is claimed
 * @place: the run's
 * @share: the run's share
 *
 * Context: memory hotplug is kept out.
 *
 * Return: FLOOR_OK, with the share reserved until memplug_floor_unreserve(); otherwise what stands
 * in the way. A refusal may be due to others in flight: memplug_floor_wait() tells.
 */
enum floor_verdict memplug_floor_reserve(int place, struct floor_share share)
{
	enum floor_verdict ret;

	spin_lock(&floor.lock);
	ret = verdict(place, share, share.nr_pages, 0);
	if (ret == FLOOR_OK)
		add_reservation(place, share);
	spin_unlock(&floor.lock);
	return ret;
}

/**
 * memplug_floor_unreserve - the claim is over: the counters of the kernel know of it now
 * @place: as reserved
 * @share: as reserved
 */
void memplug_floor_unreserve(int place, struct floor_share share)
{
	struct floor_share *reserved = &reserved_in[place];

	spin_lock(&floor.lock);
	floor.reserved -= share.nr_pages;
	reserved->nr_pages -= share.nr_pages;
	reserved->nr_free -= share.nr_free;
	WRITE_ONCE(floor.ended, floor.ended + 1);
	spin_unlock(&floor.lock);
	wake_up_all(&floor.wait);
}

/**
 * memplug_floor_wait - after a refusal: wait for others in flight
 * @timeout: in jiffies
 *
 * Context: sleeps; a fatal signal ends it early.
 *
 * Return: false if nobody else is in flight, so that the refusal stands; true if it is
 * worth asking again.
 */
bool memplug_floor_wait(unsigned long timeout)
{
	unsigned long ended = READ_ONCE(floor.ended);

	if (!READ_ONCE(floor.reserved))
		return false;
	wait_event_killable_timeout(floor.wait, READ_ONCE(floor.ended) != ended, timeout);
	return true;
}
