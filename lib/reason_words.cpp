// SPDX-License-Identifier: MIT
// The words for reasons.
#include "memplug/reason_words.hpp"

namespace memplug {

Words words_for(Reason reason) {
  switch (reason) {
    case Reason::Unmovable:
      return {"kernel memory is in the way: slab, page tables, stacks, drivers",
              "no request can move it; ask for other memory, or sooner after boot"};
    case Reason::Reserved:
      return {"reserved pages or a hole", "no request can move them; ask for other memory"};
    case Reason::Pinned:
      return {"user memory with extra references, for DMA for example",
              "end the process that pins it, then try again"};
    case Reason::Hugetlb:
      return {"huge pages that this kernel can't move",
              "free huge pages with vm.nr_hugepages, then try again"};
    case Reason::Hwpoison:
      return {"pages with an uncorrected memory error", "they stay where they are"};
    case Reason::Cma:
      return {"memory of a CMA area", "ask for memory outside it"};
    case Reason::Busy:
      return {"another request holds it, or its pages were in motion", "try again"};
    case Reason::NoMemory:
      return {"no room to move its contents to", "free memory or ask for less"};
    case Reason::Floor:
      return {"the floor would be undershot, or what its zone keeps",
              "free memory, ask for less or lower the floor"};
    case Reason::Offline:
      return {"its memory block is offline",
              "online it through /sys/devices/system/memory/memoryN/state"};
    case Reason::Mapped:
      return {"mapped by a process", "unmap it first"};
    case Reason::Held:
      return {"tied to a descriptor", "end the holder first"};
    case Reason::Quarantined:
      return {"kept out as bad", "end its quarantine first"};
    case Reason::Unknown:
      break;
  }
  return {"the claim failed and no page was found that explains it", "try again"};
}

Words words_for(BadWhy why) {
  switch (why) {
    case BadWhy::Offline:
      return {"its memory block is offline",
              "online it: echo online_kernel > /sys/devices/system/memory/memoryN/state"};
    case BadWhy::Zone:
      return {"it is in a zone that is not managed",
              "ask for memory of ZONE_NORMAL; or, of x86-64 below 4 GiB, load the module with "
              "zones=normal,dma32"};
    case BadWhy::Foreign:
      return {"another driver added it and may remove it", "ask for memory that was there at boot"};
    case BadWhy::Mixed:
      return {"it shares a subblock with a hole, another zone or another node",
              "leave its subblock out"};
    case BadWhy::Absent:
    case BadWhy::None:
      break;
  }
  return {"it is no System RAM", "lsmem and /proc/iomem tell where memory is"};
}

}  // namespace memplug
