// SPDX-License-Identifier: GPL-2.0
/*
 * Shows unplugged memory to processes: the offset in the file is the physical address.
 *
 * By page frame, without a reference to its pages: get_user_pages(), and with it O_DIRECT and
 * RDMA, refuse such memory; KVM up to 6.12 takes references of its own. By huge pages where the
 * kernel is safe for that. What is mapped is held (region_map()), so a fault has nothing to
 * check: the memory neither goes back nor goes offline before the last part of the last copy of
 * the mapping is gone.
 */
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/slab.h>

#include "compat.h"
#include "contig.h"
#include "mapping.h"
#include "region.h"
#include "tie.h"

/* One mmap(), with what fork(), munmap() in its middle and mremap() have made of it. */
struct mapping {
	struct region_mapping books;
	refcount_t areas;
};

/* Held while a subblock is being zeroed, so that nobody sees it half-way. */
static DEFINE_MUTEX(zero_lock);

/* Whoever had the memory before it was unplugged has left something in it. */
static void zero_once(unsigned long index)
{
	if (region_is_zeroed(index))
		return;
	mutex_lock(&zero_lock);
	if (!region_is_zeroed(index)) {
		contig_zero(subblock_pfn(index), subblock_pages());
		region_set_zeroed(index);
	}
	mutex_unlock(&zero_lock);
}

static vm_fault_t mapping_fault(struct vm_fault *vmf)
{
	unsigned long pfn = vmf->pgoff;

	zero_once(pfn >> region_subblock_order);
	if (PageHWPoison(pfn_to_page(pfn)))
		return VM_FAULT_HWPOISON;
	return vmf_insert_pfn(vmf->vma, vmf->address, pfn);
}

#ifdef COMPAT_HUGE_FAULTS
/* Falls back to single pages at the ends of an area, and where one of them is not to be touched. */
static vm_fault_t mapping_huge_fault(struct vm_fault *vmf, unsigned int order)
{
	struct vm_area_struct *area = vmf->vma;
	unsigned long address = vmf->address & HPAGE_PMD_MASK;
	unsigned long pfn = vmf->pgoff - ((vmf->address - address) >> PAGE_SHIFT);

	if (order != HPAGE_PMD_ORDER || !IS_ALIGNED(pfn, HPAGE_PMD_NR) ||
	    address < area->vm_start || area->vm_end - address < HPAGE_PMD_SIZE ||
	    contig_find_hwpoison(pfn, HPAGE_PMD_NR))
		return VM_FAULT_FALLBACK;
	/* a subblock has at least a pageblock, and that no less than a huge page */
	zero_once(pfn >> region_subblock_order);
	return vmf_insert_pfn_pmd(vmf, compat_page_frame(pfn), vmf->flags & FAULT_FLAG_WRITE);
}
#endif

static void mapping_open(struct vm_area_struct *vma)
{
	struct mapping *mapping = vma->vm_private_data;

	refcount_inc(&mapping->areas);
}

static void mapping_close(struct vm_area_struct *vma)
{
	struct mapping *mapping = vma->vm_private_data;

	if (!refcount_dec_and_test(&mapping->areas))
		return;
	region_unmap(&mapping->books);
	kfree(mapping);
	tie_unmapped();
}

static const struct vm_operations_struct mapping_operations = {
	.open = mapping_open,
	.close = mapping_close,
	.fault = mapping_fault,
#ifdef COMPAT_HUGE_FAULTS
	.huge_fault = mapping_huge_fault,
#endif
};

/**
 * mapping_create - map unplugged memory
 * @vma: of mmap(): its offset is the physical address
 *
 * Return: 0; -EINVAL if it is not to be shared; -ENXIO if not all of it is unplugged; -EBUSY if
 * some of it is about to be plugged; -ENOMEM, also if there are too many mappings.
 */
int mapping_create(struct vm_area_struct *vma)
{
	unsigned long last = vma->vm_pgoff + vma_pages(vma) - 1;
	struct mapping *mapping;
	int ret;

	/* a private one would copy what it writes, to pages that are not these */
	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	if (last < vma->vm_pgoff)
		return -ENXIO;
	mapping = kzalloc(sizeof(*mapping), GFP_KERNEL);
	if (!mapping)
		return -ENOMEM;
	mapping->books.run.first = vma->vm_pgoff >> region_subblock_order;
	mapping->books.run.nr = (last >> region_subblock_order) - mapping->books.run.first + 1;
	refcount_set(&mapping->areas, 1);
	ret = region_map(&mapping->books);
	if (ret) {
		kfree(mapping);
		return ret;
	}
	vma->vm_private_data = mapping;
	vma->vm_ops = &mapping_operations;
	compat_set_vm_flags(vma, VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
	return 0;
}
