// SPDX-License-Identifier: GPL-2.0-only
/*
 * Carries a request between user space's words (bytes, addresses, pointers) and the
 * module's (subblocks, bitmaps): checks what comes in, writes what goes out.
 */
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/uaccess.h>

#include "device/transfer.h"
#include "request/request.h"

static bool is_whole(u64 value)
{
	return !(value & (subblock_bytes() - 1));
}

/**
 * memplug_transfer_stretch - a stretch of memory in user space's words
 * @start: first byte
 * @length: bytes
 * @run: result
 *
 * Return: 0; -EINVAL if these are not whole subblocks, or none; -EOVERFLOW if it wraps around.
 */
int memplug_transfer_stretch(u64 start, u64 length, struct subblock_run *run)
{
	if (!length || !is_whole(start) || !is_whole(length))
		return -EINVAL;
	if (start + length < start)
		return -EOVERFLOW;
	run->first = subblock_at(start);
	run->nr = length / subblock_bytes();
	return 0;
}

static int check_align(const struct memplug_request *user, struct request *req)
{
	req->align = 1;
	if (!user->align)
		return 0;
	if (!(user->flags & MEMPLUG_REQ_CONTIGUOUS) || !is_power_of_2(user->align) ||
	    user->align < subblock_bytes())
		return -EINVAL;
	req->align = user->align / subblock_bytes();
	return 0;
}

static int check_place(const struct memplug_request *user, struct request *req)
{
	const u32 excluded = MEMPLUG_REQ_ALL | MEMPLUG_REQ_NODE | MEMPLUG_REQ_WINDOW |
			     MEMPLUG_REQ_CONTIGUOUS | MEMPLUG_REQ_NORMAL | MEMPLUG_REQ_LOW;
	const u32 zones = MEMPLUG_REQ_NORMAL | MEMPLUG_REQ_LOW;

	req->within.first = 0;
	req->within.nr = subblock_at(U64_MAX);
	if ((user->flags & zones) == zones)
		return -EINVAL;
	if (user->flags & zones)
		req->zone = user->flags & MEMPLUG_REQ_LOW ? REQUEST_LOW : REQUEST_NORMAL;
	if (user->flags & MEMPLUG_REQ_WINDOW) {
		int ret = memplug_transfer_stretch(user->window_start, user->window_length,
						   &req->within);

		if (ret)
			return ret;
	} else if (user->window_start || user->window_length) {
		return -EINVAL;
	}
	if (user->flags & MEMPLUG_REQ_RANGE) {
		if (user->flags & excluded)
			return -EINVAL;
		return memplug_transfer_stretch(user->start, user->length, &req->within);
	}
	return user->start ? -EINVAL : 0;
}

/**
 * memplug_transfer_request - what the user asks, checked without looking at memory
 * @user: as it came; flags are known ones
 * @req: with its operation; result
 *
 * Return: 0, -EINVAL or -EOVERFLOW as the contract says.
 */
int memplug_transfer_request(const struct memplug_request *user, struct request *req)
{
	bool all = user->flags & MEMPLUG_REQ_ALL;
	int ret;

	if (user->__reserved || user->__reserved2)
		return -EINVAL;
	if (!is_whole(user->length) || !user->length != all)
		return -EINVAL;
	if (req->operation == MEMPLUG_OP_PLUG && user->timeout_ns)
		return -EINVAL;
	if (user->flags & MEMPLUG_REQ_NODE)
		req->nid = user->node < 0 ? MAX_NUMNODES : user->node;
	else if (user->node)
		return -EINVAL;
	ret = check_align(user, req);
	if (!ret)
		ret = check_place(user, req);
	req->flags = user->flags;
	req->length = user->length / subblock_bytes();
	req->timeout_ns = user->timeout_ns;
	return ret;
}

/**
 * memplug_transfer_probe - can results be written
 * @user: as it came
 *
 * It is better to find out before anything is done; memplug_transfer_results() may fail still.
 *
 * Return: 0 or -EFAULT.
 */
int memplug_transfer_probe(const struct memplug_request *user)
{
	u64 most = memplug_region_nr();

	if (clear_user(u64_to_user_ptr(user->ranges),
		       min_t(u64, user->ranges_capacity, most) * sizeof(struct memplug_range)) ||
	    clear_user(u64_to_user_ptr(user->blocked),
		       min_t(u64, user->blocked_capacity, MEMPLUG_MAX_BLOCKED) *
			       sizeof(struct memplug_blocked)))
		return -EFAULT;
	return 0;
}

static int write_ranges(struct memplug_request *user, const struct request *req)
{
	struct memplug_range __user *to = u64_to_user_ptr(user->ranges);
	struct subblock_run run = { };
	u32 count = 0;

	while (memplug_request_next_range(req, run.first + run.nr, &run)) {
		struct memplug_range record = {
			.start = subblock_address(run.first),
			.length = run.nr * subblock_bytes(),
			.node = memplug_region_node(run.first),
		};

		if (count < user->ranges_capacity &&
		    copy_to_user(to + count, &record, sizeof(record)))
			return -EFAULT;
		count++;
	}
	user->out_ranges = count;
	return 0;
}

/**
 * memplug_transfer_results - tell the user what came of it
 * @user: result, but for what memplug_transfer_figures() fills in
 * @req: over, with success
 *
 * Return: 0 or -EFAULT.
 */
int memplug_transfer_results(struct memplug_request *user, const struct request *req)
{
	const struct blockers *blockers = &req->blockers;
	int ret = write_ranges(user, req);

	if (ret)
		return ret;
	user->out_blocked = blockers->nr;
	if (copy_to_user(u64_to_user_ptr(user->blocked), blockers->records,
			 min(user->blocked_capacity, blockers->nr) * sizeof(*blockers->records)))
		return -EFAULT;
	if (user->out_ranges > user->ranges_capacity || blockers->overflow ||
	    blockers->nr > user->blocked_capacity)
		user->out_flags |= MEMPLUG_OUT_TRUNCATED;
	return 0;
}

/**
 * memplug_transfer_figures - tell the user the figures
 * @user: result
 * @req: over, with whatever result
 */
void memplug_transfer_figures(struct memplug_request *user, const struct request *req)
{
	user->out_ranges = 0;
	user->out_blocked = 0;
	user->out_flags = 0;
	user->out_stop = req->stop;
	user->out_requested = req->requested * subblock_bytes();
	user->out_done = req->done * subblock_bytes();
	user->out_already = req->already * subblock_bytes();
	user->out_left = req->left * subblock_bytes();
	user->out_pages_migrated = req->migrated;
	user->out_elapsed_ns = req->elapsed_ns;
	user->out_bad_start = subblock_address(req->bad.first);
	user->out_bad_length = req->bad.nr * subblock_bytes();
	user->out_bad_why = req->bad_why;
}
