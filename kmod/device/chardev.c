// SPDX-License-Identifier: GPL-2.0-only
/*
 * The misc device: one table of commands, copying and checking in one place. Checks
 * syntax only; what is managed, and everything that takes time, is request.c's.
 *
 * The order of checks is part of the contract: command, rights, size, flags, fields.
 */
#include <linux/capability.h>
#include <linux/compat.h>
#include <linux/fs.h>
#include <linux/memory.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/user_namespace.h>

#include "compat.h"
#include "counters.h"
#include "device/chardev.h"
#include "device/inspect.h"
#include "device/mapping.h"
#include "device/tie.h"
#include "device/transfer.h"
#include "device/watcher.h"
#include "duty/quarantine.h"
#include "duty/target.h"
#include "machine/ram.h"
#include "request/dispatch.h"
#include "request/request.h"
#include "request/unmanaged.h"

#define UNPLUG_FLAGS (MEMPLUG_REQ_RANGE | MEMPLUG_REQ_NODE | MEMPLUG_REQ_WINDOW | \
		      MEMPLUG_REQ_CONTIGUOUS | MEMPLUG_REQ_EXACT | MEMPLUG_REQ_DRY_RUN | \
		      MEMPLUG_REQ_TIED | MEMPLUG_REQ_NORMAL | MEMPLUG_REQ_LOW)
#define PLUG_FLAGS (MEMPLUG_REQ_RANGE | MEMPLUG_REQ_ALL | MEMPLUG_REQ_NODE | MEMPLUG_REQ_DRY_RUN)

/* The most records of a survey in one call: 256 KiB of kernel memory. */
#define MAX_SURVEY_RECORDS 4096U

/* What a command takes: a descriptor that is open for writing, CAP_SYS_ADMIN. */
#define RIGHTS_WRITE BIT(0)
#define RIGHTS_ADMIN BIT(1)
#define RIGHTS_BOTH (RIGHTS_WRITE | RIGHTS_ADMIN)

/* An open descriptor. */
struct opened {
	spinlock_t lock;	/* keeps request from being freed while it is looked at */
	struct request *request;	/* the one that runs, if any */
	struct watcher watcher;
	struct pid *opener;
	struct region_owner *owner;	/* from the first tied range on; the running request's */
};

union argument {
	struct memplug_info info;
	struct memplug_nodes nodes;
	struct memplug_list list;
	struct memplug_counters counters;
	struct memplug_progress progress;
	struct memplug_target target;
	struct memplug_survey survey;
	struct memplug_quarantine quarantine;
	struct memplug_request request;
};

/**
 * struct call - one ioctl under way
 * @opened: the descriptor
 * @arg: its structure
 * @uarg: where that came from
 * @size: how much of it the caller and we both know
 * @answered: the structure has been copied back already
 */
struct call {
	struct opened *opened;
	union argument arg;
	void __user *uarg;
	u32 size;
	bool answered;
};

/**
 * struct command - how one ioctl is called
 * @number: MEMPLUG_IOC_*
 * @size: of its structure
 * @min_size: of the first version of its structure
 * @flags: those it knows
 * @rights: RIGHTS_*
 * @run: does it; the argument is copied back on success, and on -EMSGSIZE and -ENXIO,
 *       which come with answers
 */
struct command {
	unsigned int number;
	u32 size;
	u32 min_size;
	u32 flags;
	u32 rights;
	int (*run)(struct call *call);
};

static int answer(struct call *call)
{
	call->answered = true;
	return copy_to_user(call->uarg, &call->arg, call->size) ? -EFAULT : 0;
}

static bool may_see_addresses(void)
{
	return ns_capable_noaudit(&init_user_ns, CAP_SYS_ADMIN);
}

static int run_info(struct call *call)
{
	struct memplug_info *info = &call->arg.info;
	struct region_sizes sizes;

	memplug_region_sizes(&sizes);
	memplug_watcher_saw(&call->opened->watcher, sizes.generation);
	info->out_abi_version = MEMPLUG_ABI_VERSION;
	info->out_page_size = PAGE_SIZE;
	memset(info->out_module_version, 0, sizeof(info->out_module_version));
	strscpy(info->out_module_version, MEMPLUG_VERSION, sizeof(info->out_module_version));
	info->out_features = MEMPLUG_FEATURE_TARGET | MEMPLUG_FEATURE_OOM |
			     MEMPLUG_FEATURE_SURVEY | MEMPLUG_FEATURE_EVENTS |
			     MEMPLUG_FEATURE_TIED | MEMPLUG_FEATURE_MMAP |
			     MEMPLUG_FEATURE_QUARANTINE | MEMPLUG_FEATURE_ZONES;
	info->out_granularity = COMPAT_GRANULARITY_PAGES * PAGE_SIZE;
	info->out_subblock_size = subblock_bytes();
	info->out_memory_block_size = memory_block_size_bytes();
	info->out_managed_size = sizes.managed * subblock_bytes();
	info->out_unplugged_size = sizes.unplugged * subblock_bytes();
	info->out_wanted_size = sizes.wanted * subblock_bytes();
	info->out_target_size = sizes.target == REGION_NO_TARGET ? MEMPLUG_NO_TARGET :
								   sizes.target * subblock_bytes();
	info->out_floor_size = memplug_floor_bytes();
	info->out_generation = sizes.generation;
	info->out_nr_nodes = sizes.nr_nodes;
	info->out_max_blocked = MEMPLUG_MAX_BLOCKED;
	info->out_wanted_other_zone_size = sizes.wanted_other_zone * subblock_bytes();
	info->out_target_state = sizes.target_state;
	info->out_others = 0;	/* no MEMPLUG_FEATURE_OTHERS */
	info->out_low_managed_size = sizes.low_managed * subblock_bytes();
	info->out_low_unplugged_size = sizes.low_unplugged * subblock_bytes();
	info->out_low_reserve_size = memplug_ram_has_low_zones() ? memplug_floor_low_bytes() : 0;
	return 0;
}

static int run_nodes(struct call *call)
{
	struct memplug_nodes *nodes = &call->arg.nodes;
	unsigned int room = min_t(u32, nodes->capacity, nr_node_ids);
	struct memplug_node *records = NULL;
	int ret = 0;

	if (room) {
		records = kcalloc(room, sizeof(*records), GFP_KERNEL);
		if (!records)
			return -ENOMEM;
	}
	nodes->out_count = memplug_region_nodes(records, room, &nodes->out_generation);
	if (nodes->out_count > nodes->capacity)
		ret = -EMSGSIZE;
	else if (copy_to_user(u64_to_user_ptr(nodes->nodes), records,
			      nodes->out_count * sizeof(*records)))
		ret = -EFAULT;
	kfree(records);
	return ret;
}

/* Those ranges that are asked for: their count and generation, and as many as there is room for. */
static int read_list(struct memplug_list *list, struct memplug_range *records, u32 room)
{
	int count = list->flags & MEMPLUG_LIST_QUARANTINED ?
			    memplug_region_list_quarantined(records, room, &list->out_generation) :
			    memplug_region_list(records, room, &list->out_generation);

	if (count < 0)
		return count;
	list->out_count = count;
	return 0;
}

/* Copies the ranges, or -EAGAIN if there have come more than were counted a moment ago. */
static int copy_list(struct opened *opened, struct memplug_list *list, u32 room)
{
	struct memplug_range *records = kvcalloc(room + 1, sizeof(*records), GFP_KERNEL);
	bool visible = may_see_addresses();
	int ret;
	u32 i;

	if (!records)
		return -ENOMEM;
	ret = read_list(list, records, room);
	if (ret)
		goto out;
	list->out_flags = visible ? 0 : MEMPLUG_OUT_WITHHELD;
	if (list->out_count > room) {
		ret = -EAGAIN;
		goto out;
	}
	for (i = 0; i < list->out_count && !visible; i++)
		records[i].start = 0;
	if (copy_to_user(u64_to_user_ptr(list->ranges), records,
			 list->out_count * sizeof(*records)))
		ret = -EFAULT;
	else
		memplug_watcher_saw(&opened->watcher, list->out_generation);
out:
	kvfree(records);
	return ret;
}

static int run_list(struct call *call)
{
	struct memplug_list *list = &call->arg.list;
	int ret;

	if (list->__reserved)
		return -EINVAL;
	do {
		/* the capacity may be anything: ask how many there are before allocating */
		ret = read_list(list, NULL, 0);
		if (ret)
			return ret;
		if (list->out_count > list->capacity)
			return -EMSGSIZE;
		cond_resched();
		ret = copy_list(call->opened, list, list->out_count);
	} while (ret == -EAGAIN);
	return ret;
}

static int run_counters(struct call *call)
{
	memplug_counters_read(&call->arg.counters);
	return 0;
}

static int run_progress(struct call *call)
{
	struct memplug_progress *progress = &call->arg.progress;
	struct opened *opened = call->opened;
	const struct request *req;

	if (progress->__reserved)
		return -EINVAL;
	*progress = (struct memplug_progress){ .size = progress->size };
	spin_lock(&opened->lock);
	req = opened->request;
	if (req) {
		progress->out_operation = req->operation;
		progress->out_requested = READ_ONCE(req->requested) * subblock_bytes();
		progress->out_done = READ_ONCE(req->done) * subblock_bytes();
		progress->out_already = READ_ONCE(req->already) * subblock_bytes();
		progress->out_pages_migrated = READ_ONCE(req->migrated);
		progress->out_elapsed_ns = ktime_to_ns(ktime_sub(ktime_get(), req->started));
	}
	spin_unlock(&opened->lock);
	return 0;
}

static bool begin_request(struct opened *opened, struct request *req)
{
	bool free;

	spin_lock(&opened->lock);
	free = !opened->request;
	if (free)
		opened->request = req;
	spin_unlock(&opened->lock);
	return free;
}

static void end_request(struct opened *opened)
{
	spin_lock(&opened->lock);
	opened->request = NULL;
	spin_unlock(&opened->lock);
}

/* Does the running request tie what it takes to this descriptor? */
static int get_owner(struct opened *opened, struct request *req)
{
	int ret = 0;

	if (!request_is(req, MEMPLUG_REQ_TIED) || request_is(req, MEMPLUG_REQ_DRY_RUN))
		return 0;
	if (!opened->owner)
		ret = memplug_tie_open(opened->opener, &opened->owner);
	req->owner = opened->owner;
	return ret;
}

static int carry_out(struct call *call, struct request *req)
{
	struct memplug_request *user = &call->arg.request;
	int ret = get_owner(call->opened, req) ?: memplug_request_run(req);

	memplug_transfer_figures(user, req);
	if (ret)
		return ret;
	ret = memplug_transfer_results(user, req) ?: answer(call);
	if (ret)
		memplug_request_undo(req);
	return ret;
}

static int run_request(struct call *call, u32 operation)
{
	struct memplug_request *user = &call->arg.request;
	struct request *req = memplug_request_alloc();
	int ret;

	if (!req)
		return -ENOMEM;
	req->operation = operation;
	ret = memplug_transfer_request(user, req) ?: memplug_transfer_probe(user);
	if (ret)
		goto out;
	if (!begin_request(call->opened, req)) {
		ret = -EBUSY;
		goto out;
	}
	ret = carry_out(call, req);
	memplug_request_settle(req);
	end_request(call->opened);
out:
	memplug_request_free(req);
	return ret;
}

static int run_unplug(struct call *call)
{
	return run_request(call, MEMPLUG_OP_UNPLUG);
}

static int run_plug(struct call *call)
{
	return run_request(call, MEMPLUG_OP_PLUG);
}

static int run_target(struct call *call)
{
	u64 bytes = call->arg.target.target;

	if (bytes == MEMPLUG_NO_TARGET)
		return memplug_target_set(REGION_NO_TARGET);
	if (bytes & (subblock_bytes() - 1))
		return -EINVAL;
	return memplug_target_set(bytes / subblock_bytes());
}

static int run_quarantine(struct call *call)
{
	struct memplug_quarantine *quarantine = &call->arg.quarantine;
	bool end = quarantine->flags & MEMPLUG_QUARANTINE_END;
	struct subblock_run run, bad = { };
	unsigned long unplugged;
	int ret;

	if (quarantine->__reserved)
		return -EINVAL;
	ret = memplug_transfer_stretch(quarantine->start, quarantine->length, &run);
	if (ret)
		return ret;
	if (!end && memplug_unmanaged_find(run, &bad, &quarantine->out_bad_why)) {
		ret = -ENXIO;
		quarantine->out_changed = 0;
	} else {
		quarantine->out_changed = memplug_quarantine_change(run, !end) * subblock_bytes();
		quarantine->out_bad_why = MEMPLUG_BAD_NONE;
	}
	quarantine->out_quarantined = memplug_region_quarantined(run, &unplugged) *
				      subblock_bytes();
	quarantine->out_unplugged = unplugged * subblock_bytes();
	quarantine->out_bad_start = subblock_address(bad.first);
	quarantine->out_bad_length = bad.nr * subblock_bytes();
	return ret;
}

static int run_survey(struct call *call)
{
	struct memplug_survey *survey = &call->arg.survey;
	u32 room = min(survey->capacity, MAX_SURVEY_RECORDS);
	struct memplug_subblock *records;
	struct subblock_run run;
	unsigned long told;
	int ret;

	ret = memplug_transfer_stretch(survey->start, survey->length, &run);
	if (ret)
		return ret;
	if (!room)
		return -EINVAL;
	records = kvcalloc(room, sizeof(*records), GFP_KERNEL);
	if (!records)
		return -ENOMEM;
	survey->out_generation = memplug_region_generation();
	told = memplug_inspect(run, records, room, &survey->out_count);
	survey->out_next = subblock_address(run.first + told);
	if (!told)
		ret = -EINTR;
	else if (copy_to_user(u64_to_user_ptr(survey->records), records,
			      survey->out_count * sizeof(*records)))
		ret = -EFAULT;
	kvfree(records);
	return ret;
}

#define COMMAND(_number, _type, _last, _flags, _rights, _run) \
	{ \
		.number = (_number), .size = sizeof(_type), \
		.min_size = offsetofend(_type, _last), .flags = (_flags), \
		.rights = (_rights), .run = (_run), \
	}

static const struct command commands[] = {
	COMMAND(MEMPLUG_IOC_INFO, struct memplug_info, out_max_blocked, 0, 0, run_info),
	COMMAND(MEMPLUG_IOC_NODES, struct memplug_nodes, out_generation, 0, 0, run_nodes),
	COMMAND(MEMPLUG_IOC_LIST, struct memplug_list, __reserved, MEMPLUG_LIST_QUARANTINED, 0,
		run_list),
	COMMAND(MEMPLUG_IOC_COUNTERS, struct memplug_counters, out_floor_stops, 0, 0,
		run_counters),
	COMMAND(MEMPLUG_IOC_PROGRESS, struct memplug_progress, out_elapsed_ns, 0, 0,
		run_progress),
	COMMAND(MEMPLUG_IOC_UNPLUG, struct memplug_request, __reserved2, UNPLUG_FLAGS,
		RIGHTS_BOTH, run_unplug),
	COMMAND(MEMPLUG_IOC_PLUG, struct memplug_request, __reserved2, PLUG_FLAGS,
		RIGHTS_BOTH, run_plug),
	COMMAND(MEMPLUG_IOC_TARGET, struct memplug_target, target, 0, RIGHTS_BOTH, run_target),
	COMMAND(MEMPLUG_IOC_SURVEY, struct memplug_survey, out_generation, 0, RIGHTS_ADMIN,
		run_survey),
	COMMAND(MEMPLUG_IOC_QUARANTINE, struct memplug_quarantine, __reserved,
		MEMPLUG_QUARANTINE_END, RIGHTS_BOTH, run_quarantine),
};

/* The layout is the same for every caller, and does not change. */
static_assert(sizeof(struct memplug_info) == 176);
static_assert(sizeof(struct memplug_node) == 24);
static_assert(sizeof(struct memplug_nodes) == 32);
static_assert(sizeof(struct memplug_range) == 32);
static_assert(sizeof(struct memplug_list) == 40);
static_assert(sizeof(struct memplug_counters) == 104);
static_assert(sizeof(struct memplug_progress) == 56);
static_assert(sizeof(struct memplug_target) == 16);
static_assert(sizeof(struct memplug_subblock) == 64);
static_assert(sizeof(struct memplug_survey) == 56);
static_assert(sizeof(struct memplug_quarantine) == 72);
static_assert(sizeof(struct memplug_event) == 64);
static_assert(sizeof(struct memplug_blocked) == 32);
static_assert(sizeof(struct memplug_request) == 176);
static_assert(offsetof(struct memplug_request, node) == 56);
static_assert(offsetof(struct memplug_request, ranges) == 64);
static_assert(offsetof(struct memplug_request, out_ranges) == 88);
static_assert(offsetof(struct memplug_request, out_requested) == 104);

static const struct command *find_command(unsigned int number)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(commands); i++)
		if (commands[i].number == number)
			return &commands[i];
	return NULL;
}

static int copy_argument(const struct command *command, struct call *call)
{
	u32 size;
	int ret;

	/* every structure begins with size and flags */
	if (get_user(size, (u32 __user *)call->uarg))
		return -EFAULT;
	if (size < command->min_size)
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	call->size = min(size, command->size);
	ret = copy_struct_from_user(&call->arg, command->size, call->uarg, size);
	if (ret)
		return ret;
	/* info stands for all of them: the flags are in one place */
	return call->arg.info.flags & ~command->flags ? -EOPNOTSUPP : 0;
}

static long chardev_ioctl(struct file *file, unsigned int number, unsigned long pointer)
{
	const struct command *command = find_command(number);
	struct call call = {
		.opened = file->private_data,
		.uarg = (void __user *)pointer,
	};
	int ret;

	if (!command)
		return -ENOTTY;
	if ((command->rights & RIGHTS_WRITE) && !(file->f_mode & FMODE_WRITE))
		return -EBADF;
	if ((command->rights & RIGHTS_ADMIN) && !capable(CAP_SYS_ADMIN))
		return -EPERM;
	ret = copy_argument(command, &call);
	if (ret)
		return ret;
	/* what can't be written back has to be known before anything is done */
	if (copy_to_user(call.uarg, &call.arg, call.size))
		return -EFAULT;

	ret = command->run(&call);
	if (!call.answered && (!ret || ret == -EMSGSIZE || ret == -ENXIO))
		ret = answer(&call) ?: ret;
	return ret;
}

static ssize_t chardev_read(struct file *file, char __user *to, size_t size, loff_t *position)
{
	struct opened *opened = file->private_data;

	return memplug_watcher_read(&opened->watcher, to, size, file->f_flags & O_NONBLOCK,
				    may_see_addresses());
}

static __poll_t chardev_poll(struct file *file, poll_table *table)
{
	struct opened *opened = file->private_data;

	poll_wait(file, memplug_region_wait_queue(), table);
	return memplug_watcher_has_news(&opened->watcher) ? EPOLLIN | EPOLLRDNORM : 0;
}

/* Not opened for writing: EACCES, as for every file; whoever maps holds memory. */
static int chardev_mmap(struct file *file, struct vm_area_struct *vma)
{
	if (!(file->f_mode & FMODE_WRITE))
		return -EACCES;
	return capable(CAP_SYS_ADMIN) ? memplug_mapping_create(vma) : -EPERM;
}

static int chardev_open(struct inode *inode, struct file *file)
{
	struct opened *opened = kzalloc(sizeof(*opened), GFP_KERNEL);

	if (!opened)
		return -ENOMEM;
	spin_lock_init(&opened->lock);
	memplug_watcher_init(&opened->watcher);
	opened->opener = get_pid(task_tgid(current));
	file->private_data = opened;
	return 0;
}

static int chardev_release(struct inode *inode, struct file *file)
{
	struct opened *opened = file->private_data;

	memplug_tie_close(opened->owner);
	put_pid(opened->opener);
	memplug_watcher_exit(&opened->watcher);
	kfree(opened);
	return 0;
}

static const struct file_operations chardev_operations = {
	.owner = THIS_MODULE,
	.open = chardev_open,
	.release = chardev_release,
	.read = chardev_read,
	.unlocked_ioctl = chardev_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.poll = chardev_poll,
	.mmap = chardev_mmap,
	.get_unmapped_area = compat_get_unmapped_area,
	.llseek = noop_llseek,
};

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = MEMPLUG_DEVICE_NAME,
	.fops = &chardev_operations,
	.mode = 0600,
};

/**
 * memplug_chardev_init - open for business; everything else is set up
 *
 * Return: 0 or an error of the driver core.
 */
int memplug_chardev_init(void)
{
	return misc_register(&device);
}

/** memplug_chardev_exit - nobody has it open any more */
void memplug_chardev_exit(void)
{
	misc_deregister(&device);
}
