/* SPDX-License-Identifier: Apache-2.0 */
/* A sorted row of names, exact ones and domains; asked by bisection, once for each label of a name. */
#include "config.h"

#include "rulec/known_hosts.h"

#include <stdio.h>
#include <stdlib.h>

struct known_hosts {
    const struct plan_host **rows; /* by kind, then name */
    size_t count;
    struct slice last_authority; /* that known_hosts_leave was asked about */
    bool last_leaves;
};

static int host_order(const void *left, const void *right)
{
    const struct plan_host *a = *(const struct plan_host *const *)left, *b = *(const struct plan_host *const *)right;

    if (a->kind != b->kind) return a->kind < b->kind ? -1 : 1;
    return slice_compare(a->name, b->name);
}

struct known_hosts *known_hosts_open(const struct plan *plan)
{
    struct known_hosts *hosts = memory_resize(NULL, 1, sizeof *hosts);
    size_t room = 1;

    for (uint32_t s = 0; s < plan->site_count; s++) room += plan->sites[s].host_count;
    hosts->rows = memory_resize(NULL, room, sizeof(struct plan_host *));
    hosts->count = 0;
    hosts->last_authority = slice_of(NULL, 0);
    for (uint32_t s = 0; s < plan->site_count; s++) {
        for (uint32_t h = 0; h < plan->sites[s].host_count; h++) {
            const struct plan_host *host = &plan->sites[s].hosts[h];

            if (host->kind != PLAN_HOST_ANY) hosts->rows[hosts->count++] = host;
        }
    }
    qsort(hosts->rows, hosts->count, sizeof(struct plan_host *), host_order);
    return hosts;
}

void known_hosts_close(struct known_hosts *hosts)
{
    free(hosts->rows);
    free(hosts);
}

static bool is_named(const struct known_hosts *hosts, enum plan_host_kind kind, struct slice name)
{
    const struct plan_host wanted = { .kind = kind, .name = name }, *key = &wanted;

    return bsearch(&key, hosts->rows, hosts->count, sizeof(struct plan_host *), host_order) != NULL;
}

static bool is_known(const struct known_hosts *hosts, struct slice name)
{
    if (hosts->count == 0)
        return false;
    if (is_named(hosts, PLAN_HOST_EXACT, name) || is_named(hosts, PLAN_HOST_APEX, name))
        return true;
    while (name.size) {
        const char *dot = memchr(name.data, '.', name.size);

        if (!dot)
            return false;
        name = slice_of(dot + 1, name.size - (size_t)(dot + 1 - name.data));
        if (is_named(hosts, PLAN_HOST_BELOW, name))
            return true;
    }
    return false;
}

bool known_hosts_knows(const struct known_hosts *hosts, struct slice name) { return is_known(hosts, name); }

bool known_hosts_reach(const struct known_hosts *hosts, struct slice from, struct slice to)
{
    return slice_equal(from, to) || is_known(hosts, to);
}

bool known_hosts_leave(struct known_hosts *hosts, struct slice target)
{
    struct slice last = hosts->last_authority;
    struct url_parts parts;
    char buffer[URL_HOST_LIMIT + 1];
    struct slice name;

    if (target.size == 0 || target.data[0] == '/')
        return false;
    if (last.size && slice_starts_with(target, last) &&
        (target.size == last.size || target.data[last.size] == '/' || target.data[last.size] == '?' ||
         target.data[last.size] == '#'))
        return hosts->last_leaves;
    if (!url_split(target, &parts) || !parts.has_authority || !url_normalize_host(parts.host, buffer, &name))
        return false;
    hosts->last_authority = slice_of(target.data, (size_t)(parts.path.data - target.data));
    hosts->last_leaves = !is_known(hosts, name);
    return hosts->last_leaves;
}

static const struct slice nobody = { "any.invalid", sizeof "any.invalid" - 1 }; /* RFC 2606: nobody's name */

bool known_hosts_is_example(struct slice name)
{
    return slice_equal(name, nobody);
}

struct slice known_hosts_example(const struct plan_host *host, char buffer[URL_HOST_LIMIT + 1])
{
    int size;

    switch (host->kind) {
    case PLAN_HOST_EXACT:
    case PLAN_HOST_APEX: return host->name;
    case PLAN_HOST_BELOW:
        size = snprintf(buffer, URL_HOST_LIMIT + 1, "any.%.*s", (int)host->name.size, host->name.data);
        return slice_of(buffer, size > 0 && size <= URL_HOST_LIMIT ? (size_t)size : 0);
    case PLAN_HOST_ANY: break;
    }
    return nobody;
}
