/* SPDX-License-Identifier: MIT */
/*
 * The few bitmap calls of the kernel that the module's pure parts need, for building them in
 * user space. Word by word where it matters: the benchmark measures what is built on them.
 */
#ifndef MEMPLUG_TEST_LINUX_BITMAP_H
#define MEMPLUG_TEST_LINUX_BITMAP_H

#include <limits.h>
#include <stdbool.h>

#define BITS_PER_LONG (CHAR_BIT * (unsigned long)sizeof(long))

static inline bool test_bit(unsigned long bit, const unsigned long *map)
{
	return (map[bit / BITS_PER_LONG] >> (bit % BITS_PER_LONG)) & 1UL;
}

static inline void bitmap_set(unsigned long *map, unsigned long first, unsigned long nr)
{
	unsigned long bit;

	for (bit = first; bit < first + nr; bit++)
		map[bit / BITS_PER_LONG] |= 1UL << (bit % BITS_PER_LONG);
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
	unsigned long word, bit;

	if (from >= size)
		return size;
	word = map[from / BITS_PER_LONG] & (~0UL << (from % BITS_PER_LONG));
	for (bit = from - from % BITS_PER_LONG; !word;) {
		bit += BITS_PER_LONG;
		if (bit >= size)
			return size;
		word = map[bit / BITS_PER_LONG];
	}
	bit += (unsigned long)__builtin_ctzl(word);
	return bit < size ? bit : size;
}

static inline unsigned long find_first_bit(const unsigned long *map, unsigned long size)
{
	return find_next_bit(map, size, 0);
}

static inline unsigned long find_last_bit(const unsigned long *map, unsigned long size)
{
	unsigned long index, word;

	if (!size)
		return size;
	index = (size - 1) / BITS_PER_LONG;
	word = map[index] & (~0UL >> (BITS_PER_LONG - 1 - (size - 1) % BITS_PER_LONG));
	while (!word) {
		if (!index)
			return size;
		word = map[--index];
	}
	return index * BITS_PER_LONG + BITS_PER_LONG - 1 - (unsigned long)__builtin_clzl(word);
}

#endif
