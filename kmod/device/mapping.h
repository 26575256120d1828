/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MEMPLUG_MAPPING_H
#define MEMPLUG_MAPPING_H

struct vm_area_struct;

void memplug_mapping_init(void);
int memplug_mapping_create(struct vm_area_struct *vma);

#endif
