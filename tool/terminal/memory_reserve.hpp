// SPDX-License-Identifier: MIT
// Memory that is kept from the beginning, to tell what was done when there is no more. An unplug is
// what may make it so, with vm.overcommit_memory=2 above all.
#pragma once

namespace memplug {

// When operator new finds no memory in this thread, it gets the reserve; the next time, and in
// other threads, std::bad_alloc. For main().
void keep_memory_reserve();

}  // namespace memplug
