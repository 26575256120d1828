/* SPDX-License-Identifier: MIT */
/*
 * The few bitmap calls of the kernel that the module's pure parts need, for building them in
 * user space. Word by word, as the kernel's are: the benchmark measures what is built on them.
 */
#ifndef MEMPLUG_TEST_LINUX_BITMAP_H
#define MEMPLUG_TEST_LINUX_BITMAP_H

#include <limits.h>
#include <stdbool.h>

#include <linux/string.h>

#define BITS_PER_LONG (CHAR_BIT * (unsigned long)sizeof(long))
#define BITS_TO_LONGS(bits) (((bits) + BITS_PER_LONG - 1) / BITS_PER_LONG)

#define DECLARE_BITMAP(name, bits) unsigned long name[BITS_TO_LONGS(bits)]
#define BIT_WORD(bit) ((bit) / BITS_PER_LONG)
#define BITMAP_LAST_WORD_MASK(size) (~0UL >> (-(size) % BITS_PER_LONG))
#define BITMAP_FIRST_WORD_MASK(first) (~0UL << ((first) % BITS_PER_LONG))
#define round_down(number, step) ((number) - (number) % (step))

static inline unsigned long __ffs(unsigned long word)
{
	return (unsigned long)__builtin_ctzl(word);
}

static inline unsigned long hweight_long(unsigned long word)
{
	return (unsigned long)__builtin_popcountl(word);
}

static inline bool test_bit(unsigned long bit, const unsigned long *map)
{
	return (map[bit / BITS_PER_LONG] >> (bit % BITS_PER_LONG)) & 1UL;
}

static inline void __set_bit(unsigned long bit, unsigned long *map)
{
	map[bit / BITS_PER_LONG] |= 1UL << (bit % BITS_PER_LONG);
}

static inline void __clear_bit(unsigned long bit, unsigned long *map)
{
	map[bit / BITS_PER_LONG] &= ~(1UL << (bit % BITS_PER_LONG));
}

static inline void __assign_bit(unsigned long bit, unsigned long *map, bool value)
{
	if (value)
		__set_bit(bit, map);
	else
		__clear_bit(bit, map);
}

/* The bits of word @index that are within [first, end), which has some in that word. */
static inline unsigned long bits_within(unsigned long index, unsigned long first,
					unsigned long end)
{
	unsigned long base = index * BITS_PER_LONG;
	unsigned long mask = ~0UL;

	if (first > base)
		mask <<= first - base;
	if (end < base + BITS_PER_LONG)
		mask &= ~0UL >> (base + BITS_PER_LONG - end);
	return mask;
}

static inline void bitmap_set(unsigned long *map, unsigned long first, unsigned long nr)
{
	unsigned long end = first + nr;
	unsigned long i;

	for (i = first / BITS_PER_LONG; i < BITS_TO_LONGS(end); i++)
		map[i] |= bits_within(i, first, end);
}

static inline void bitmap_clear(unsigned long *map, unsigned long first, unsigned long nr)
{
	unsigned long end = first + nr;
	unsigned long i;

	for (i = first / BITS_PER_LONG; i < BITS_TO_LONGS(end); i++)
		map[i] &= ~bits_within(i, first, end);
}

static inline void bitmap_zero(unsigned long *map, unsigned long size)
{
	unsigned long i;

	for (i = 0; i < BITS_TO_LONGS(size); i++)
		map[i] = 0;
}

static inline void bitmap_copy(unsigned long *to, const unsigned long *from, unsigned long size)
{
	unsigned long i;

	for (i = 0; i < BITS_TO_LONGS(size); i++)
		to[i] = from[i];
}

/* Whole words, as in the kernel. */
static inline void bitmap_or(unsigned long *to, const unsigned long *one,
			     const unsigned long *other, unsigned long size)
{
	unsigned long i;

	for (i = 0; i < BITS_TO_LONGS(size); i++)
		to[i] = one[i] | other[i];
}

/* What lies beyond @size in the last word is cleared, as in the kernel. */
static inline void bitmap_and(unsigned long *to, const unsigned long *one,
			      const unsigned long *other, unsigned long size)
{
	unsigned long i;

	for (i = 0; i < BITS_TO_LONGS(size); i++)
		to[i] = one[i] & other[i] & bits_within(i, 0, size);
}

static inline void bitmap_andnot(unsigned long *to, const unsigned long *one,
				 const unsigned long *other, unsigned long size)
{
	unsigned long i;

	for (i = 0; i < BITS_TO_LONGS(size); i++)
		to[i] = one[i] & ~other[i] & bits_within(i, 0, size);
}

static inline bool bitmap_intersects(const unsigned long *one, const unsigned long *other,
				     unsigned long size)
{
	unsigned long i;

	for (i = 0; i < BITS_TO_LONGS(size); i++)
		if (one[i] & other[i] & bits_within(i, 0, size))
			return true;
	return false;
}

static inline bool bitmap_empty(const unsigned long *map, unsigned long size)
{
	unsigned long i;

	for (i = 0; i < BITS_TO_LONGS(size); i++)
		if (map[i] & bits_within(i, 0, size))
			return false;
	return true;
}

static inline unsigned long bitmap_weight(const unsigned long *map, unsigned long size)
{
	unsigned long i, weight = 0;

	for (i = 0; i < BITS_TO_LONGS(size); i++)
		weight += (unsigned long)__builtin_popcountl(map[i] & bits_within(i, 0, size));
	return weight;
}

/* The first bit from @from on that is set once @flip has been applied, or @size. */
static inline unsigned long find_next_flipped_bit(const unsigned long *map, unsigned long size,
						  unsigned long from, unsigned long flip)
{
	unsigned long word, bit;

	if (from >= size)
		return size;
	word = (map[from / BITS_PER_LONG] ^ flip) & (~0UL << (from % BITS_PER_LONG));
	for (bit = from - from % BITS_PER_LONG; !word;) {
		bit += BITS_PER_LONG;
		if (bit >= size)
			return size;
		word = map[bit / BITS_PER_LONG] ^ flip;
	}
	bit += (unsigned long)__builtin_ctzl(word);
	return bit < size ? bit : size;
}

static inline unsigned long find_next_bit(const unsigned long *map, unsigned long size,
					  unsigned long from)
{
	return find_next_flipped_bit(map, size, from, 0UL);
}

static inline unsigned long find_next_zero_bit(const unsigned long *map, unsigned long size,
					       unsigned long from)
{
	return find_next_flipped_bit(map, size, from, ~0UL);
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

#define for_each_set_bit(bit, map, size) \
	for ((bit) = find_first_bit(map, size); (bit) < (size); \
	     (bit) = find_next_bit(map, size, (bit) + 1))

#endif
