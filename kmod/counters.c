// SPDX-License-Identifier: GPL-2.0-only
/* What was done since the module was loaded: right one by one, not a snapshot together. */
#include <linux/atomic.h>

#include "counters.h"

static atomic64_t unplug_requests, plug_requests, floor_stops;
static atomic64_t claims, claims_failed;
static atomic64_t migrated, claimed, released;
static atomic64_t survey_ns, claim_ns;
static atomic64_t oom_events, oom_pages;

/**
 * memplug_counters_add_request - a request that was not a dry run is over
 * @operation: MEMPLUG_OP_*
 * @stop: MEMPLUG_STOP_*
 */
void memplug_counters_add_request(u32 operation, u32 stop)
{
	atomic64_inc(operation == MEMPLUG_OP_UNPLUG ? &unplug_requests : &plug_requests);
	if (stop == MEMPLUG_STOP_FLOOR)
		atomic64_inc(&floor_stops);
}

/**
 * memplug_counters_add_claim - a claim was tried
 * @pages_claimed: what it took; 0: it failed
 * @pages_migrated: what the kernel moved meanwhile
 * @ns: time that it took
 */
void memplug_counters_add_claim(unsigned long pages_claimed, u64 pages_migrated, u64 ns)
{
	atomic64_inc(&claims);
	if (!pages_claimed)
		atomic64_inc(&claims_failed);
	atomic64_add(pages_claimed, &claimed);
	atomic64_add(pages_migrated, &migrated);
	atomic64_add(ns, &claim_ns);
}

/**
 * memplug_counters_add_survey - pages were looked at
 * @ns: time that it took
 */
void memplug_counters_add_survey(u64 ns)
{
	atomic64_add(ns, &survey_ns);
}

/**
 * memplug_counters_add_release - pages were given back
 * @pages: how many
 */
void memplug_counters_add_release(unsigned long pages)
{
	atomic64_add(pages, &released);
}

/**
 * memplug_counters_add_oom - memory was given back to a machine that had none left
 * @pages: how many; memplug_counters_add_release() was told of them, too
 */
void memplug_counters_add_oom(unsigned long pages)
{
	atomic64_inc(&oom_events);
	atomic64_add(pages, &oom_pages);
}

/**
 * memplug_counters_read - fill in the results of MEMPLUG_IOC_COUNTERS
 * @counters: result; the input fields stay as they are
 */
void memplug_counters_read(struct memplug_counters *counters)
{
	counters->out_unplug_requests = atomic64_read(&unplug_requests);
	counters->out_plug_requests = atomic64_read(&plug_requests);
	counters->out_claims = atomic64_read(&claims);
	counters->out_claims_failed = atomic64_read(&claims_failed);
	counters->out_pages_migrated = atomic64_read(&migrated);
	counters->out_pages_claimed = atomic64_read(&claimed);
	counters->out_pages_released = atomic64_read(&released);
	counters->out_floor_stops = atomic64_read(&floor_stops);
	counters->out_survey_ns = atomic64_read(&survey_ns);
	counters->out_claim_ns = atomic64_read(&claim_ns);
	counters->out_oom_events = atomic64_read(&oom_events);
	counters->out_oom_pages = atomic64_read(&oom_pages);
}
