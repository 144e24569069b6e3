/* SPDX-License-Identifier: Apache-2.0 */
/* Sorts all (host, site) pairs; hosts whose rows of sites are the same get one scope. */
#include "rulec/emit_scopes.h"

#include <stdlib.h>
#include <string.h>

struct pair {
    const struct plan_host *host;
    uint32_t site;
};

static int host_order(const struct plan_host *a, const struct plan_host *b)
{
    if (a->kind != b->kind) return a->kind < b->kind ? -1 : 1;
    if (a->port != b->port) return a->port < b->port ? -1 : 1;
    return slice_compare(a->name, b->name);
}

static int pair_order(const void *left, const void *right)
{
    const struct pair *a = left, *b = right;
    int order = host_order(a->host, b->host);

    return order ? order : (a->site > b->site) - (a->site < b->site);
}

/* A host with its row of sites in the sorted pairs. */
struct row {
    const struct pair *first;
    uint32_t count;
};

static int row_order(const void *left, const void *right)
{
    const struct row *a = left, *b = right;

    if (a->count != b->count) return a->count < b->count ? -1 : 1;
    for (uint32_t i = 0; i < a->count; i++) {
        if (a->first[i].site != b->first[i].site) return a->first[i].site < b->first[i].site ? -1 : 1;
    }
    return 0;
}

static int row_and_host_order(const void *left, const void *right)
{
    const struct row *a = left, *b = right;
    int order = row_order(a, b);

    return order ? order : host_order(a->first->host, b->first->host);
}

/* The most captures that a host of the site has: the width of its part in the scope's captures. */
static uint32_t capture_width(const struct plan_site *site)
{
    uint32_t width = 0;

    for (uint32_t i = 0; i < site->host_count; i++) {
        if (site->hosts[i].capture_count > width) width = site->hosts[i].capture_count;
    }
    return width;
}

static size_t make_rows(const struct plan *plan, struct row **rows)
{
    size_t pair_count = 0, row_count = 0;

    for (uint32_t s = 0; s < plan->site_count; s++) pair_count += plan->sites[s].host_count;
    struct pair *pairs = arena_array(plan->arena, pair_count + 1, sizeof *pairs);
    *rows = arena_array(plan->arena, pair_count + 1, sizeof **rows);
    pair_count = 0;
    for (uint32_t s = 0; s < plan->site_count; s++) {
        for (uint32_t h = 0; h < plan->sites[s].host_count; h++) {
            pairs[pair_count++] = (struct pair){ .host = &plan->sites[s].hosts[h], .site = s };
        }
    }
    qsort(pairs, pair_count, sizeof *pairs, pair_order);
    for (size_t i = 0; i < pair_count; i++) {
        if (i > 0 && host_order(pairs[i - 1].host, pairs[i].host) == 0) {
            if (pairs[i - 1].site != pairs[i].site) (*rows)[row_count - 1].count++;
            continue;
        }
        (*rows)[row_count++] = (struct row){ .first = &pairs[i], .count = 1 };
    }
    qsort(*rows, row_count, sizeof **rows, row_and_host_order);
    return row_count;
}

static void set_captures(const struct plan *plan, const struct row *row, struct emit_host *host)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < row->count; i++) count += capture_width(&plan->sites[row->first[i].site]);
    host->captures = arena_array(plan->arena, count + 1, sizeof *host->captures);
    host->capture_count = count;
    count = 0;
    for (uint32_t i = 0; i < row->count; i++) {
        const struct plan_host *own = row->first[i].host;
        uint32_t width = capture_width(&plan->sites[row->first[i].site]);

        for (uint32_t k = 0; k < width; k++) {
            host->captures[count++] = k < own->capture_count ? own->captures[k].value : slice_of("", 0);
        }
    }
}

/* One scope for a row of sites, and what each of them is in it. */
static void add_scope(const struct plan *plan, const struct row *row, const bool *has_rules,
                      const bool *has_overrides, struct emit_scopes *scopes, uint32_t *scope, uint32_t *override_scope)
{
    uint32_t base = 0;

    *scope = *override_scope = 0;
    for (uint32_t i = 0; i < row->count; i++) {
        uint32_t site = row->first[i].site;

        if (has_rules[site] && !*scope) *scope = ++scopes->scope_count;
        if (has_overrides[site] && !*override_scope) *override_scope = ++scopes->scope_count;
    }
    for (uint32_t i = 0; i < row->count; i++) {
        struct emit_site *site = &scopes->sites[row->first[i].site];

        site->members[site->member_count++] = (struct emit_member){
            .scope = *scope, .override_scope = *override_scope, .capture_base = base };
        base += capture_width(&plan->sites[row->first[i].site]);
    }
}

void emit_scopes_make(const struct plan *plan, const bool *has_rules, const bool *has_overrides,
                      struct emit_scopes *scopes)
{
    struct row *rows;
    size_t row_count = make_rows(plan, &rows);
    uint32_t scope = 0, override_scope = 0;

    *scopes = (struct emit_scopes){ .hosts = arena_array(plan->arena, row_count + 1, sizeof *scopes->hosts),
                                    .sites = arena_array(plan->arena, plan->site_count, sizeof *scopes->sites) };
    for (uint32_t s = 0; s < plan->site_count; s++) {
        /* at most one scope a host */
        scopes->sites[s].members = arena_array(plan->arena, plan->sites[s].host_count + 1u,
                                               sizeof *scopes->sites[s].members);
    }
    for (size_t i = 0; i < row_count; i++) {
        if (i == 0 || row_order(&rows[i - 1], &rows[i]) != 0) {
            add_scope(plan, &rows[i], has_rules, has_overrides, scopes, &scope, &override_scope);
        }
        if (!scope && !override_scope) continue;
        struct emit_host *host = &scopes->hosts[scopes->host_count++];
        host->host = rows[i].first->host;
        host->scope = scope;
        host->override_scope = override_scope;
        set_captures(plan, &rows[i], host);
    }
}
