/* SPDX-License-Identifier: MIT */
#ifndef MEMPLUG_TEST_LINUX_SIZES_H
#define MEMPLUG_TEST_LINUX_SIZES_H

#define SZ_256M 0x10000000

#endif
