/* SPDX-License-Identifier: MIT */
/* Which nodes there are: the machine says so. */
#ifndef MEMPLUG_TEST_LINUX_NODEMASK_H
#define MEMPLUG_TEST_LINUX_NODEMASK_H

#include <linux/mmzone.h>

/* As in Debian's kernel; the machine has fewer. */
#define MAX_NUMNODES 1024
#define nr_node_ids MAX_NUMNODES
#define NUMA_NO_NODE (-1)

enum node_states { N_POSSIBLE };

/* Only passed on. */
typedef struct {
	unsigned long bits[MAX_NUMNODES / 64];
} nodemask_t;

#ifdef __cplusplus
extern "C" {
#endif
int machine_nodes(void);
struct pglist_data *machine_node(int nid);
#ifdef __cplusplus
}
#endif

static inline bool node_online(int nid)
{
	return nid >= 0 && nid < machine_nodes();
}

#define NODE_DATA(nid) machine_node(nid)
#define for_each_online_node(nid) for ((nid) = 0; (nid) < machine_nodes(); (nid)++)
#define for_each_node_state(nid, state) for_each_online_node(nid)

#endif
