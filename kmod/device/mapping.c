// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shows unplugged memory to processes: the offset in the file is the physical address.
 *
 * By page frame, without a reference to its pages: get_user_pages(), and with it O_DIRECT and
 * RDMA, refuse such memory; KVM up to 6.12 takes references of its own. By huge pages where the
 * kernel is safe for that. What is mapped is held (memplug_region_map()), so a fault has nothing to
 * check: the memory neither goes back nor goes offline before the last part of the last copy of
 * the mapping is gone.
 */
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/slab.h>

#include "books/books.h"
#include "compat.h"
#include "device/mapping.h"
#include "device/tie.h"
#include "memory/contig.h"
#include "pause.h"

/* One mmap(), with what fork(), munmap() in its middle and mremap() have made of it. */
struct mapping {
	struct region_mapping books;
	refcount_t areas;
};

/*
 * That of a subblock is held while it is being zeroed, so that nobody sees it half-way. Subblocks
 * that are this far from each other share one.
 */
static struct mutex zero_locks[64];

/** memplug_mapping_init - set the locks up; before anything is mapped */
void memplug_mapping_init(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(zero_locks); i++)
		mutex_init(&zero_locks[i]);
}

/* Whoever had the memory before it was unplugged has left something in it. */
static void zero_once(unsigned long index)
{
	struct mutex *lock = &zero_locks[index % ARRAY_SIZE(zero_locks)];

	if (memplug_region_is_zeroed(index))
		return;
	mutex_lock(lock);
	if (!memplug_region_is_zeroed(index)) {
		memplug_contig_zero(subblock_pfn(index), subblock_pages());
		memplug_region_set_zeroed(index);
	}
	mutex_unlock(lock);
}

static unsigned long pfn_at(const struct vm_area_struct *area, unsigned long address)
{
	return area->vm_pgoff + ((address - area->vm_start) >> PAGE_SHIFT);
}

/*
 * Who touches one page touches the next, and a fault costs more than some entries of the page
 * table: all that the area has of this subblock and of the last level's table. In another table
 * there may be a huge entry already, beside which none of these can be.
 */
static vm_fault_t mapping_fault(struct vm_fault *vmf)
{
	struct vm_area_struct *area = vmf->vma;
	unsigned long index = vmf->pgoff >> memplug_subblock_order;
	unsigned long address = max(vmf->address & PMD_MASK, area->vm_start);
	unsigned long end = min((vmf->address & PMD_MASK) + PMD_SIZE - 1, area->vm_end - 1);
	unsigned long pfn;
	vm_fault_t ret;

	zero_once(index);
	if (PageHWPoison(pfn_to_page(vmf->pgoff)))
		return VM_FAULT_HWPOISON;
	ret = vmf_insert_pfn(area, vmf->address, vmf->pgoff);
	for (; address < end && ret == VM_FAULT_NOPAGE; address += PAGE_SIZE) {
		pfn = pfn_at(area, address);
		if (pfn >> memplug_subblock_order != index || PageHWPoison(pfn_to_page(pfn)))
			continue;
		/* if there is no memory for these, they have their own fault */
		if (vmf_insert_pfn(area, address, pfn) != VM_FAULT_NOPAGE)
			break;
	}
	return ret;
}

/*
 * For debuggers and whoever else reads or writes another's memory: get_user_pages() does not give
 * these pages away. One page at a time; the caller comes again for the rest. The area can't go
 * meanwhile, and with it the subblock stays ours.
 */
static int mapping_access(struct vm_area_struct *area, unsigned long address, void *buffer,
			  int length, int write)
{
	unsigned long pfn = pfn_at(area, address);
	int nr = min_t(int, length, PAGE_SIZE - offset_in_page(address));
	void *memory;

	if (write && !(area->vm_flags & VM_WRITE))
		return -EACCES;
	zero_once(pfn >> memplug_subblock_order);
	if (PageHWPoison(pfn_to_page(pfn)))
		return -EHWPOISON;
	/* there is no highmem on 64 bits */
	memory = page_address(pfn_to_page(pfn)) + offset_in_page(address);
	if (write)
		memcpy(memory, buffer, nr);
	else
		memcpy(buffer, memory, nr);
	return nr;
}

#ifdef COMPAT_HUGE_FAULTS
/* Falls back to single pages at the ends of an area, and where one of them is not to be touched. */
static vm_fault_t mapping_huge_fault(struct vm_fault *vmf, unsigned int order)
{
	struct vm_area_struct *area = vmf->vma;
	unsigned long address = vmf->address & HPAGE_PMD_MASK;
	unsigned long pfn = vmf->pgoff - ((vmf->address - address) >> PAGE_SHIFT);

	if (order != HPAGE_PMD_ORDER || subblock_pages() < HPAGE_PMD_NR ||
	    !IS_ALIGNED(pfn, HPAGE_PMD_NR) || address < area->vm_start ||
	    area->vm_end - address < HPAGE_PMD_SIZE ||
	    memplug_contig_find_hwpoison(pfn, HPAGE_PMD_NR))
		return VM_FAULT_FALLBACK;
	zero_once(pfn >> memplug_subblock_order);
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
	memplug_region_unmap(&mapping->books);
	memplug_pause_at("unmapped");
	kfree(mapping);
	memplug_tie_unmapped();
}

static const struct vm_operations_struct mapping_operations = {
	.open = mapping_open,
	.close = mapping_close,
	.fault = mapping_fault,
	.access = mapping_access,
#ifdef COMPAT_HUGE_FAULTS
	.huge_fault = mapping_huge_fault,
#endif
};

/**
 * memplug_mapping_create - map unplugged memory
 * @vma: of mmap(): its offset is the physical address
 *
 * Return: 0; -EINVAL if it is not to be shared; -ENXIO if not all of it is unplugged; -EBUSY if
 * some of it is about to be plugged; -ENOMEM, also if there are too many mappings.
 */
int memplug_mapping_create(struct vm_area_struct *vma)
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
	mapping->books.run.first = vma->vm_pgoff >> memplug_subblock_order;
	mapping->books.run.nr = (last >> memplug_subblock_order) - mapping->books.run.first + 1;
	refcount_set(&mapping->areas, 1);
	ret = memplug_region_map(&mapping->books);
	if (ret) {
		kfree(mapping);
		return ret;
	}
	vma->vm_private_data = mapping;
	vma->vm_ops = &mapping_operations;
	compat_set_vm_flags(vma, VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
	return 0;
}
