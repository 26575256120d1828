/* SPDX-License-Identifier: MIT */
#ifndef MEMPLUG_TEST_LINUX_STRING_H
#define MEMPLUG_TEST_LINUX_STRING_H

#include <string.h>

#endif
