/* SPDX-License-Identifier: MIT */
#ifndef MEMPLUG_TEST_LINUX_SIZES_H
#define MEMPLUG_TEST_LINUX_SIZES_H

#define SZ_8M 0x00800000
#define SZ_32M 0x02000000
#define SZ_64M 0x04000000
#define SZ_256M 0x10000000

#endif
