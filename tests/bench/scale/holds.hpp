// SPDX-License-Identifier: MIT
// The rows that tell how long the lock of the books is held.
#pragma once

void add_holds();
