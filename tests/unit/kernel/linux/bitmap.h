/* SPDX-License-Identifier: MIT */
/* The few bitmap calls of the kernel that kmod/planner.c needs, for building it in user space. */
#ifndef MEMPLUG_TEST_LINUX_BITMAP_H
#define MEMPLUG_TEST_LINUX_BITMAP_H

#include <limits.h>
#include <stdbool.h>

#define BITS_PER_LONG (CHAR_BIT * (unsigned long)sizeof(long))

static inline bool test_bit(unsigned long bit, const unsigned long *map)
{
	return (map[bit / BITS_PER_LONG] >> (bit % BITS_PER_LONG)) & 1UL;
}

static inline void bitmap_clear(unsigned long *map, unsigned long first, unsigned long nr)
{
	unsigned long bit;

	for (bit = first; bit < first + nr; bit++)
		map[bit / BITS_PER_LONG] &= ~(1UL << (bit % BITS_PER_LONG));
}

static inline unsigned long find_next_bit(const unsigned long *map, unsigned long size,
					  unsigned long from)
{
	unsigned long bit;

	for (bit = from; bit < size; bit++)
		if (test_bit(bit, map))
			return bit;
	return size;
}

static inline unsigned long find_first_bit(const unsigned long *map, unsigned long size)
{
	return find_next_bit(map, size, 0);
}

static inline unsigned long find_last_bit(const unsigned long *map, unsigned long size)
{
	unsigned long bit;

	for (bit = size; bit > 0; bit--)
		if (test_bit(bit - 1, map))
			return bit - 1;
	return size;
}

#endif
