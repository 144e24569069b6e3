/* SPDX-License-Identifier: Apache-2.0 */
/* Sites that have hosts in common, directly or over others, are one group: who asks in one of them is answered there. */
#ifndef RULEC_SITE_GROUPS_H
#define RULEC_SITE_GROUPS_H

#include "rulec/plan.h"

struct site_groups {
    uint32_t *group;  /* by site, from 0 */
    uint32_t count;
    struct site_name *names; /* sorted */
    size_t name_count;
};

/* Linear in hosts, but for their sorting. */
void site_groups_open(struct site_groups *groups, const struct plan *plan);
void site_groups_close(struct site_groups *groups);
/* Of a host that some site names, or that lies below a domain that one names. */
uint32_t site_groups_of_host(const struct site_groups *groups, struct slice host);

/* True where each host of `inner` is one of `outer`, with its port. */
bool site_has_all_hosts(const struct plan_site *outer, const struct plan_site *inner);

#endif
