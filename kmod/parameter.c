// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads sizes as module parameters have them: a number, and K, M, G, T, P or E. memparse() takes
 * the same words, but lets them wrap around: 16E is 0 for it. Pure, so that it also builds in user
 * space, for its test.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "parameter.h"

/* What a digit is worth; 16 or more if it is none. */
static unsigned int digit_of(char character)
{
	if (character >= '0' && character <= '9')
		return character - '0';
	character |= 0x20;
	if (character >= 'a' && character <= 'f')
		return character - 'a' + 10;
	return UINT_MAX;
}

/* Decimal; hexadecimal behind 0x and octal behind 0, as in every parameter of the kernel's. */
static unsigned int take_base(const char **text)
{
	if (**text != '0')
		return 10;
	if (((*text)[1] | 0x20) != 'x' || digit_of((*text)[2]) >= 16)
		return 8;
	*text += 2;
	return 16;
}

static int take_number(const char **text, u64 *number)
{
	unsigned int base, digit;

	if (**text < '0' || **text > '9')
		return -EINVAL;
	base = take_base(text);
	*number = 0;
	for (;; (*text)++) {
		digit = digit_of(**text);
		if (digit >= base)
			return 0;
		if (*number > (U64_MAX - digit) / base)
			return -ERANGE;
		*number = *number * base + digit;
	}
}

/**
 * memplug_parameter_bytes - read a size
 * @text: what stands behind the parameter's name, or was written to its file
 * @bytes: result
 *
 * Return: 0; -EINVAL if it is not a size; -ERANGE if it is more than 64 bits hold.
 */
int memplug_parameter_bytes(const char *text, u64 *bytes)
{
	static const char letters[] = "kmgtpe";
	unsigned int shift = 0;
	const char *letter;
	u64 number;
	int ret = take_number(&text, &number);

	if (ret)
		return ret;
	letter = *text ? strchr(letters, *text | 0x20) : NULL;
	if (letter) {
		shift = 10 * (letter - letters + 1);
		text++;
	}
	if (*text == '\n')
		text++;
	if (*text)
		return -EINVAL;
	if (number > U64_MAX >> shift)
		return -ERANGE;
	*bytes = number << shift;
	return 0;
}
