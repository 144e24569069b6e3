/* SPDX-License-Identifier: Apache-2.0 */
/* All (host, site) pairs are sorted, so that sites which name one host stand side by side; those with overrides once
 * more in a row of their own, mostly an empty one, that is also asked for every domain above a host. Too many sites of
 * one host, or too many different hosts of one site: some are left out, and less is found. */
#include "config.h"

#include "rulec/site_holders.h"

#include <stdlib.h>

enum {
    HOLDER_LIMIT = 32, /* sites that one host has */
    GROUP_LIMIT = 64   /* hosts of one site with different ones */
};

struct pair {
    const struct plan_host *host;
    uint32_t site;
};

struct pairs {
    struct pair *items;
    size_t count;
};

struct finder {
    const struct plan *plan;
    struct arena *arena;
    struct pairs all, overrides;
};

static int host_order(const struct plan_host *a, const struct plan_host *b)
{
    int order = slice_compare(a->name, b->name);

    if (order)
        return order;
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    return (a->port > b->port) - (a->port < b->port);
}

static int pair_order(const void *left, const void *right)
{
    const struct pair *a = left, *b = right;
    int order = host_order(a->host, b->host);

    return order ? order : (a->site > b->site) - (a->site < b->site);
}

static void sort_pairs(struct finder *finder, const bool *is_taken, struct pairs *pairs)
{
    const struct plan *plan = finder->plan;
    size_t room = 1;

    for (uint32_t s = 0; s < plan->site_count; s++)
        room += is_taken[s] ? plan->sites[s].host_count : 0;
    pairs->items = arena_array(finder->arena, room, sizeof *pairs->items);
    pairs->count = 0;
    for (uint32_t s = 0; s < plan->site_count; s++)
        for (uint32_t h = 0; is_taken[s] && h < plan->sites[s].host_count; h++)
            pairs->items[pairs->count++] = (struct pair){ .host = &plan->sites[s].hosts[h], .site = s };
    qsort(pairs->items, pairs->count, sizeof *pairs->items, pair_order);
}

static void find_pairs(struct finder *finder)
{
    const struct plan *plan = finder->plan;
    bool *has_rules = arena_array(finder->arena, 2 * (plan->site_count + 1u), sizeof *has_rules);
    bool *has_overrides = has_rules + plan->site_count + 1;

    for (uint32_t i = 0; i < plan->action_count; i++) {
        has_rules[plan->actions[i].site] = true;
        has_overrides[plan->actions[i].site] |= plan->actions[i].is_override;
    }
    sort_pairs(finder, has_rules, &finder->all);
    sort_pairs(finder, has_overrides, &finder->overrides);
}

/* ---- the holders of one host ---- */

struct list {
    struct site_holder items[HOLDER_LIMIT];
    uint32_t count;
};

static void add_holder(struct list *list, uint32_t site, enum site_holder_kind kind)
{
    for (uint32_t i = 0; i < list->count; i++) {
        if (list->items[i].site != site)
            continue;
        if (kind > list->items[i].kind)
            list->items[i].kind = kind;
        return;
    }
    if (list->count < HOLDER_LIMIT)
        list->items[list->count++] = (struct site_holder){ .site = site, .kind = kind };
}

static void add_all(struct list *list, const struct pairs *pairs, const struct plan_host *wanted,
                    enum site_holder_kind kind)
{
    size_t from = 0, to = pairs->count;

    while (from < to) {
        size_t middle = from + (to - from) / 2;

        if (host_order(pairs->items[middle].host, wanted) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    for (; from < pairs->count && host_order(pairs->items[from].host, wanted) == 0; from++)
        add_holder(list, pairs->items[from].site, kind);
}

/* For the port of the host, and for every port. */
static void add_overrides(struct list *list, const struct pairs *overrides, const struct plan_host *host,
                          enum plan_host_kind kind, struct slice name)
{
    struct plan_host wanted = { .kind = kind, .name = name, .port = host->port };

    add_all(list, overrides, &wanted, SITE_HOLDER_OVERRIDES);
    wanted.port = 0;
    if (host->port)
        add_all(list, overrides, &wanted, SITE_HOLDER_OVERRIDES);
}

static void add_wider(struct list *list, const struct pairs *overrides, const struct plan_host *host)
{
    struct slice name = host->name;

    if (overrides->count == 0)
        return;
    add_overrides(list, overrides, host, PLAN_HOST_ANY, slice_of(NULL, 0));
    if (host->kind == PLAN_HOST_ANY)
        return;
    if (host->kind == PLAN_HOST_BELOW) {
        add_overrides(list, overrides, host, PLAN_HOST_BELOW, name);
    } else {
        add_overrides(list, overrides, host, PLAN_HOST_EXACT, name);
        add_overrides(list, overrides, host, PLAN_HOST_APEX, name);
    }
    for (const char *dot; (dot = memchr(name.data, '.', name.size)) != NULL;) {
        name = slice_of(dot + 1, name.size - (size_t)(dot + 1 - name.data));
        add_overrides(list, overrides, host, PLAN_HOST_BELOW, name);
    }
}

static int holder_order(const void *left, const void *right)
{
    const struct site_holder *a = left, *b = right;

    return (a->site > b->site) - (a->site < b->site);
}

/* A host holds what it is, and the domain itself is what its `**.` says: that ranks as a wildcard. */
static void find_holders(const struct finder *finder, uint32_t site, const struct plan_host *host, struct list *list)
{
    list->count = 0;
    add_holder(list, site, SITE_HOLDER_ALIKE);
    add_all(list, &finder->all, host, SITE_HOLDER_ALIKE);
    if (host->kind == PLAN_HOST_APEX) {
        struct plan_host exact = { .kind = PLAN_HOST_EXACT, .name = host->name, .port = host->port };

        add_all(list, &finder->all, &exact, SITE_HOLDER_ALL);
    }
    add_wider(list, &finder->overrides, host);
    qsort(list->items, list->count, sizeof *list->items, holder_order);
}

/* ---- a site ---- */

static bool is_group(const struct site_holder_group *group, const struct list *list)
{
    if (group->count != list->count)
        return false;
    for (uint32_t i = 0; i < list->count; i++)
        if (group->items[i].site != list->items[i].site || group->items[i].kind != list->items[i].kind)
            return false;
    return true;
}

static struct site_holder_group copied(struct arena *arena, const struct list *list)
{
    struct site_holder *items = arena_array(arena, list->count, sizeof *items);

    memcpy(items, list->items, list->count * sizeof *items);
    return (struct site_holder_group){ .items = items, .count = list->count };
}

/* Leaves in `common` what is in the other, too. */
static void keep_common(struct list *common, const struct list *other)
{
    uint32_t kept = 0;

    for (uint32_t i = 0, k = 0; i < common->count; i++) {
        while (k < other->count && other->items[k].site < common->items[i].site)
            k++;
        if (k == other->count || other->items[k].site != common->items[i].site)
            continue;
        common->items[kept] = common->items[i];
        if (other->items[k].kind < common->items[kept].kind)
            common->items[kept].kind = other->items[k].kind;
        kept++;
    }
    common->count = kept;
}

static bool is_alone(const struct list *list, uint32_t site)
{
    for (uint32_t i = 0; i < list->count; i++)
        if (list->items[i].site != site && list->items[i].kind != SITE_HOLDER_OVERRIDES)
            return false;
    return true;
}

static void find_groups(const struct finder *finder, uint32_t number, struct site_holder_site *site)
{
    const struct plan_site *plan_site = &finder->plan->sites[number];
    struct site_holder_group groups[GROUP_LIMIT];
    struct list common = { .count = 0 }, list;
    uint32_t count = 0;

    site->is_alone = true;
    for (uint32_t h = 0; h < plan_site->host_count; h++) {
        bool is_known = false;

        find_holders(finder, number, &plan_site->hosts[h], &list);
        site->is_alone &= is_alone(&list, number);
        if (h == 0)
            common = list;
        else
            keep_common(&common, &list);
        for (uint32_t i = 0; i < count && i < GROUP_LIMIT && !is_known; i++)
            is_known = is_group(&groups[i], &list);
        if (is_known)
            continue;
        if (count < GROUP_LIMIT)
            groups[count] = copied(finder->arena, &list);
        count++;
    }
    site->all = copied(finder->arena, &common);
    if (count < 2 || count > GROUP_LIMIT)
        return;
    struct site_holder_group *kept = arena_array(finder->arena, count, sizeof *kept);
    memcpy(kept, groups, count * sizeof *kept);
    site->groups = kept;
    site->group_count = count;
}

const struct site_holder_site *site_holders_make(struct arena *arena, const struct plan *plan)
{
    struct finder finder = { .plan = plan, .arena = arena };
    struct site_holder_site *sites = arena_array(arena, plan->site_count, sizeof *sites);

    find_pairs(&finder);
    for (uint32_t s = 0; s < plan->site_count; s++)
        find_groups(&finder, s, &sites[s]);
    return sites;
}
