/* SPDX-License-Identifier: MIT */
/* The kernel's doubly linked list, as far as books/holds.c uses it. */
#ifndef MEMPLUG_TEST_LINUX_LIST_H
#define MEMPLUG_TEST_LINUX_LIST_H

#include <stddef.h>

struct list_head {
	struct list_head *next;
	struct list_head *prev;
};

#define LIST_HEAD_INIT(name) { &(name), &(name) }

static inline void INIT_LIST_HEAD(struct list_head *list)
{
	list->next = list;
	list->prev = list;
}

static inline void list_add(struct list_head *entry, struct list_head *head)
{
	entry->next = head->next;
	entry->prev = head;
	head->next->prev = entry;
	head->next = entry;
}

static inline void list_del(struct list_head *entry)
{
	entry->prev->next = entry->next;
	entry->next->prev = entry->prev;
}

#define list_entry(pointer, type, member) \
	((type *)((char *)(pointer) - offsetof(type, member)))

#define list_for_each_entry(position, head, member) \
	for ((position) = list_entry((head)->next, __typeof__(*(position)), member); \
	     &(position)->member != (head); \
	     (position) = list_entry((position)->member.next, __typeof__(*(position)), member))

#endif
