/* SPDX-License-Identifier: Apache-2.0 */
/* Union-find over sites: a name joins all sites that name it, and those of the domains above it. Ports are not looked
 * at. A site that takes every host joins all, where a rule stands in it. */
#include "config.h"

#include "rulec/site_groups.h"

#include <stdlib.h>

struct site_name {
    struct slice name;
    bool is_domain; /* and all below */
    uint32_t site;
};

static int name_order(const void *left, const void *right)
{
    const struct site_name *a = left, *b = right;

    if (a->is_domain != b->is_domain)
        return a->is_domain ? 1 : -1;
    return slice_compare(a->name, b->name);
}

/* The first entry of that kind and name; NULL: none. */
static const struct site_name *find(const struct site_groups *groups, struct slice name, bool is_domain)
{
    struct site_name wanted = { .name = name, .is_domain = is_domain };

    if (groups->name_count == 0)
        return NULL;
    return bsearch(&wanted, groups->names, groups->name_count, sizeof wanted, name_order);
}

static uint32_t root_of(uint32_t *group, uint32_t site)
{
    while (group[site] != site)
        site = group[site] = group[group[site]];
    return site;
}

static void join(uint32_t *group, uint32_t a, uint32_t b) { group[root_of(group, a)] = root_of(group, b); }

/* The domains above the name. */
static void join_above(struct site_groups *groups, struct slice name, uint32_t site)
{
    for (;;) {
        const char *dot = name.size ? memchr(name.data, '.', name.size) : NULL;
        const struct site_name *above;

        if (!dot)
            return;
        name = slice_of(dot + 1, name.size - (size_t)(dot + 1 - name.data));
        above = find(groups, name, true);
        if (above)
            join(groups->group, site, above->site);
    }
}

static bool takes_all(const struct plan_site *site)
{
    for (uint32_t h = 0; h < site->host_count; h++)
        if (site->hosts[h].kind == PLAN_HOST_ANY)
            return true;
    return false;
}

static void join_all(struct site_groups *groups, const struct plan *plan)
{
    for (uint32_t i = 0; i < plan->rule_count; i++) {
        uint32_t site = plan->actions[plan->rules[i].action].site;

        if (!takes_all(&plan->sites[site]))
            continue;
        for (uint32_t s = 0; s < plan->site_count; s++)
            join(groups->group, s, site);
        return;
    }
}

static void number(struct site_groups *groups, uint32_t site_count)
{
    uint32_t *own = memory_resize(NULL, site_count + 1u, sizeof *own);

    for (uint32_t s = 0; s < site_count; s++)
        own[s] = root_of(groups->group, s);
    groups->count = 0;
    for (uint32_t s = 0; s < site_count; s++)
        if (own[s] == s)
            groups->group[s] = groups->count++;
    for (uint32_t s = 0; s < site_count; s++)
        if (own[s] != s)
            groups->group[s] = groups->group[own[s]];
    free(own);
}

void site_groups_open(struct site_groups *groups, const struct plan *plan)
{
    size_t room = 1;

    for (uint32_t s = 0; s < plan->site_count; s++)
        room += plan->sites[s].host_count;
    groups->names = memory_resize(NULL, room, sizeof *groups->names);
    groups->name_count = 0;
    groups->group = memory_resize(NULL, plan->site_count + 1u, sizeof *groups->group);
    for (uint32_t s = 0; s < plan->site_count; s++) {
        groups->group[s] = s;
        for (uint32_t h = 0; h < plan->sites[s].host_count; h++) {
            const struct plan_host *host = &plan->sites[s].hosts[h];

            if (host->kind != PLAN_HOST_ANY)
                groups->names[groups->name_count++] = (struct site_name){
                    .name = host->name, .is_domain = host->kind == PLAN_HOST_BELOW, .site = s };
        }
    }
    qsort(groups->names, groups->name_count, sizeof *groups->names, name_order);
    for (size_t i = 0; i < groups->name_count; i++) {
        if (i && name_order(&groups->names[i - 1], &groups->names[i]) == 0)
            join(groups->group, groups->names[i].site, groups->names[i - 1].site);
        join_above(groups, groups->names[i].name, groups->names[i].site);
    }
    join_all(groups, plan);
    number(groups, plan->site_count);
}

void site_groups_close(struct site_groups *groups)
{
    free(groups->group);
    free(groups->names);
}

uint32_t site_groups_of_host(const struct site_groups *groups, struct slice host)
{
    const struct site_name *name = find(groups, host, false);

    while (!name) {
        const char *dot = host.size ? memchr(host.data, '.', host.size) : NULL;

        if (!dot)
            return groups->group[0];
        host = slice_of(dot + 1, host.size - (size_t)(dot + 1 - host.data));
        name = find(groups, host, true);
    }
    return groups->group[name->site];
}

static bool has_host(const struct plan_site *site, const struct plan_host *host)
{
    for (uint32_t i = 0; i < site->host_count; i++) {
        const struct plan_host *own = &site->hosts[i];

        if (own->kind == host->kind && own->port == host->port && slice_equal(own->name, host->name))
            return true;
    }
    return false;
}

bool site_has_all_hosts(const struct plan_site *outer, const struct plan_site *inner)
{
    for (uint32_t i = 0; i < inner->host_count; i++)
        if (!has_host(outer, &inner->hosts[i]))
            return false;
    return outer->host_count >= inner->host_count;
}
