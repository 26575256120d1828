// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ranges for those who list them: made of a copy of the books, as there may be so many that nobody
 * ought to wait for the lock while they are found and described.
 */
#include <linux/bitmap.h>
#include <linux/nodemask.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "books/private.h"

/**
 * struct books_copy - what ranges are made of, as it was at one moment
 * @maps: those of the books that a range tells of
 * @nr: bits in each map
 * @generation: of that moment
 * @holders: by number of an owner, the opener's process id for who asks
 */
struct books_copy {
	struct region_maps maps;
	unsigned long nr;
	u64 generation;
	pid_t holders[REGION_MAX_DESCRIPTORS + 1];
};

/* The bits of a word that are not as the bit below them. */
static unsigned long changes(const unsigned long *map, unsigned long word)
{
	unsigned long below = word ? map[word - 1] >> (BITS_PER_LONG - 1) : 0;

	return map[word] ^ (map[word] << 1 | below);
}

/* Where a stretch ends that begins below this word, or in it. */
static unsigned long ends_in(const struct books_stretches *stretches, unsigned long word)
{
	unsigned long ends = ~stretches->map[word] | stretches->borders[word];
	const unsigned long *const *alike;

	for (alike = stretches->alike; *alike; alike++)
		ends |= changes(*alike, word);
	return ends;
}

/* Where the stretch that begins at @i ends; nothing is looked at from @limit on. */
unsigned long memplug_books_stretch_end(const struct books_stretches *stretches, unsigned long i,
					unsigned long limit)
{
	unsigned long next, ends;

	/* all at once: else many ends of one kind would have it look far for the others */
	for (next = i + 1; next < limit; next = round_down(next, BITS_PER_LONG) + BITS_PER_LONG) {
		ends = ends_in(stretches, BIT_WORD(next)) & BITMAP_FIRST_WORD_MASK(next);
		if (ends)
			return min(round_down(next, BITS_PER_LONG) + __ffs(ends), limit);
	}
	return limit;
}

/* Copies what is in the books, if there is room for it. */
static bool fill_copy(struct books_copy *copy)
{
	const struct region_maps *from = &memplug_books.maps;
	struct region_maps *to = &copy->maps;
	unsigned long nr = memplug_books.nr;
	unsigned int i;

	lockdep_assert_held(&memplug_books.lock);
	if (nr > copy->nr)
		return false;
	copy->nr = nr;
	copy->generation = memplug_books.generation;
	if (!nr)
		return true;
	bitmap_copy(to->managed, from->managed, nr);
	bitmap_copy(to->unplugged, from->unplugged, nr);
	bitmap_copy(to->tied, from->tied, nr);
	bitmap_copy(to->mapped, from->mapped, nr);
	bitmap_copy(to->quarantined, from->quarantined, nr);
	bitmap_copy(to->edges, from->edges, nr);
	bitmap_copy(to->low, from->low, nr);
	memcpy(to->owners, from->owners, nr * sizeof(*to->owners));
	memcpy(to->places, from->places, nr * sizeof(*to->places));
	for (i = 1; i <= REGION_MAX_DESCRIPTORS; i++)
		if (memplug_books.owners[i])
			copy->holders[i] = pid_vnr(memplug_books.owners[i]->opener);
	return true;
}

/* Fills in a copy that is all zero; -ENOMEM leaves nothing to be freed in it. */
static int copy_books(struct books_copy *copy)
{
	bool filled;

	do {
		/* the books may grow until there is room for what they were */
		memplug_books_free_maps(&copy->maps);
		copy->nr = memplug_region_nr();
		if (memplug_books_alloc_maps(&copy->maps, copy->nr))
			return -ENOMEM;
		spin_lock(&memplug_books.lock);
		filled = fill_copy(copy);
		spin_unlock(&memplug_books.lock);
	} while (!filled);
	return 0;
}

/* The range from @i to before @end, unplugged or wanted, as user space has it. */
static struct memplug_range describe_range(const struct books_copy *copy, unsigned long i,
					   unsigned long end)
{
	const struct region_maps *maps = &copy->maps;
	bool tied = test_bit(i, maps->tied);
	bool managed = test_bit(i, maps->managed);

	return (struct memplug_range){
		.start = subblock_address(i),
		.length = (end - i) * subblock_bytes(),
		.flags = (tied ? MEMPLUG_RANGE_TIED : 0) |
			 (test_bit(i, maps->mapped) ? MEMPLUG_RANGE_MAPPED : 0) |
			 (test_bit(i, maps->quarantined) ? MEMPLUG_RANGE_QUARANTINED : 0) |
			 (test_bit(i, maps->unplugged) ? 0 : MEMPLUG_RANGE_WANTED) |
			 (managed && test_bit(i, maps->low) ? MEMPLUG_RANGE_LOW : 0),
		.node = managed ? place_node(maps->places[i]) : NUMA_NO_NODE,
		.holder = tied ? copy->holders[maps->owners[i]] : 0,
	};
}

/* Returns how many ranges there are; no more than @capacity are written. */
static unsigned int write_ranges(const struct books_copy *copy,
				 const struct books_stretches *stretches,
				 struct memplug_range *ranges, unsigned int capacity)
{
	unsigned long i, end, nr = copy->nr;
	unsigned int count = 0;

	for (i = find_first_bit(stretches->map, nr); i < nr;
	     i = find_next_bit(stretches->map, nr, end)) {
		end = memplug_books_stretch_end(stretches, i, nr);
		if (count < capacity)
			ranges[count] = describe_range(copy, i, end);
		count++;
		cond_resched();
	}
	return count;
}

static int list_ranges(bool quarantined, struct memplug_range *ranges, unsigned int capacity,
		       u64 *generation)
{
	struct books_copy *copy = kvcalloc(1, sizeof(*copy), GFP_KERNEL);
	const struct region_maps *maps;
	int ret;

	if (!copy)
		return -ENOMEM;
	ret = copy_books(copy);
	if (ret)
		goto out;
	maps = &copy->maps;
	if (quarantined)
		ret = write_ranges(copy, &(struct books_stretches){
			.map = maps->quarantined,
			.borders = maps->edges,
			.alike = { maps->mapped, maps->unplugged, maps->managed },
		}, ranges, capacity);
	else
		ret = write_ranges(copy, &(struct books_stretches){
			.map = maps->unplugged,
			.borders = maps->edges,
			.alike = { maps->mapped, maps->quarantined },
		}, ranges, capacity);
	*generation = copy->generation;
	memplug_books_free_maps(&copy->maps);
out:
	kvfree(copy);
	return ret;
}

/**
 * memplug_region_list - the unplugged ranges
 * @ranges: result, by ascending address
 * @capacity: how many fit there; no more are written
 * @generation: of this snapshot
 *
 * Context: sleeps.
 *
 * Return: how many there are, or -ENOMEM.
 */
int memplug_region_list(struct memplug_range *ranges, unsigned int capacity, u64 *generation)
{
	return list_ranges(false, ranges, capacity, generation);
}

/**
 * memplug_region_list_quarantined - the ranges that are kept out as bad, or are to be
 * @ranges: result, by ascending address
 * @capacity: how many fit there; no more are written
 * @generation: of this snapshot
 *
 * Context: sleeps.
 *
 * Return: how many there are, or -ENOMEM.
 */
int memplug_region_list_quarantined(struct memplug_range *ranges, unsigned int capacity,
				    u64 *generation)
{
	return list_ranges(true, ranges, capacity, generation);
}
