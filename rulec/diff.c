/* SPDX-License-Identifier: Apache-2.0 */
/* Hosts are paired first: those with one scope in the old file and one in the new are one site
 * of the comparison. The sorted rows of its two scopes are then walked along together. */
#include "config.h"

#include "rulec/diff.h"

#include "grammar/arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- hosts ---- */

/* A host of either file, with its scopes in both; 0: none. */
struct paired_host {
    struct ruleset_host_view old, new; /* name.data NULL: that file does not know it */
    uint32_t scopes[2][2];             /* [is_override][old, new] */
};

struct host_row {
    struct ruleset_host_view *hosts; /* by name, kind, port */
    size_t count;
};

static int compare_hosts(const void *a, const void *b)
{
    const struct ruleset_host_view *left = a, *right = b;
    size_t size = left->name.size < right->name.size ? left->name.size : right->name.size;
    int order = size ? memcmp(left->name.data, right->name.data, size) : 0;

    if (order)
        return order;
    if (left->name.size != right->name.size)
        return left->name.size < right->name.size ? -1 : 1;
    if (left->head.kind != right->head.kind)
        return left->head.kind < right->head.kind ? -1 : 1;
    return (left->head.port > right->head.port) - (left->head.port < right->head.port);
}

/* The domain of `**.d` is as good as the host `d` where nobody names that. */
static void join_kinds(struct host_row *row)
{
    for (size_t i = 0, end; i < row->count; i = end) {
        bool has_exact = false;

        for (end = i; end < row->count && slice_equal(row->hosts[end].name, row->hosts[i].name);
             end++)
            has_exact |= row->hosts[end].head.kind == RULESET_HOST_EXACT;
        for (size_t k = i; k < end && !has_exact; k++)
            if (row->hosts[k].head.kind == RULESET_HOST_APEX)
                row->hosts[k].head.kind = RULESET_HOST_EXACT;
    }
    qsort(row->hosts, row->count, sizeof *row->hosts, compare_hosts);
}

/* `*` without a port is told by the header. */
static void read_hosts(const struct ruleset *ruleset, struct host_row *row)
{
    struct ruleset_host_view host;
    size_t room = 64;

    row->hosts = memory_resize(NULL, room, sizeof *row->hosts);
    memset(row->hosts, 0, sizeof *row->hosts);
    row->hosts[0].head.kind = RULESET_HOST_ANY;
    row->hosts[0].head.scope = ruleset->header.any_scope;
    row->hosts[0].head.override_scope = ruleset->header.any_override_scope;
    row->hosts[0].name = slice_of("", 0);
    row->count = 1;
    for (uint64_t at = 0; ruleset_get_host(ruleset, at, &host); at = host.next_at) {
        if (host.head.kind == RULESET_HOST_ANY && host.head.port == 0)
            continue;
        if (row->count == room) {
            room *= 2;
            row->hosts = memory_resize(row->hosts, room, sizeof *row->hosts);
        }
        row->hosts[row->count++] = host;
    }
    qsort(row->hosts, row->count, sizeof *row->hosts, compare_hosts);
    join_kinds(row);
}

/* Where a host of one file would find its rules in the other is not asked: a host that is new
 * has new rules. */
static struct paired_host *pair_hosts(const struct host_row *old, const struct host_row *new,
                                      size_t *count)
{
    struct paired_host *pairs = memory_resize(NULL, old->count + new->count, sizeof *pairs);
    size_t i = 0, k = 0;

    *count = 0;
    while (i < old->count || k < new->count) {
        int order = i == old->count   ? 1
                    : k == new->count ? -1
                                      : compare_hosts(&old->hosts[i], &new->hosts[k]);
        struct paired_host *pair = &pairs[(*count)++];

        memset(pair, 0, sizeof *pair);
        if (order <= 0) {
            pair->old = old->hosts[i++];
            pair->scopes[0][0] = pair->old.head.scope;
            pair->scopes[1][0] = pair->old.head.override_scope;
        }
        if (order >= 0) {
            pair->new = new->hosts[k++];
            pair->scopes[0][1] = pair->new.head.scope;
            pair->scopes[1][1] = pair->new.head.override_scope;
        }
    }
    return pairs;
}

/* ---- sites ---- */

struct site_member {
    uint32_t scopes[2];
    bool is_override;
    const struct paired_host *host;
};

static int compare_members(const void *a, const void *b)
{
    const struct site_member *left = a, *right = b;

    for (int i = 0; i < 2; i++)
        if (left->scopes[i] != right->scopes[i])
            return left->scopes[i] < right->scopes[i] ? -1 : 1;
    if (left->is_override != right->is_override)
        return left->is_override ? 1 : -1;
    return (left->host > right->host) - (left->host < right->host);
}

static void print_host(const struct ruleset_host_view *host, bool has_apex, FILE *out)
{
    bool is_ipv6 = host->name.size && memchr(host->name.data, ':', host->name.size);

    fprintf(out, "%s%s%.*s%s",
            host->head.kind != RULESET_HOST_BELOW ? ""
            : has_apex                            ? "**."
                                                  : "*.",
            is_ipv6 ? "[" : "", (int)host->name.size, host->name.data, is_ipv6 ? "]" : "");
    if (host->head.kind == RULESET_HOST_ANY)
        putc('*', out);
    if (host->head.port)
        fprintf(out, ":%u", host->head.port);
}

static const struct ruleset_host_view *view_of(const struct paired_host *host)
{
    return host->old.name.data ? &host->old : &host->new;
}

/* `**.d` is two hosts, which the order of hosts puts side by side. */
static bool is_twin(const struct site_member *apex, const struct site_member *below)
{
    const struct ruleset_host_view *left = view_of(apex->host), *right = view_of(below->host);

    return left->head.kind != RULESET_HOST_BELOW && right->head.kind == RULESET_HOST_BELOW &&
           left->head.port == right->head.port && slice_equal(left->name, right->name);
}

static char *hosts_text(const struct site_member *members, size_t count)
{
    size_t size;
    char *text = NULL;
    FILE *out = open_memstream(&text, &size);

    for (size_t i = 0; out && i < count; i++) {
        if (i + 1 < count && is_twin(&members[i], &members[i + 1]))
            continue;
        if (i && !(i == 1 && is_twin(&members[0], &members[1])))
            putc(' ', out);
        print_host(view_of(members[i].host), i && is_twin(&members[i - 1], &members[i]), out);
    }
    if (!out || fclose(out) != 0) {
        fputs("rulec: out of memory\n", stderr);
        exit(3);
    }
    return text;
}

/* ---- rules ---- */

struct walk {
    const struct diff_rows *old, *new;
    const struct site_member *members; /* hosts of the site */
    size_t member_count;
    const struct paired_host
        *host;                   /* whose part of a closed set is shown; NULL: none has one */
    struct diff_change *changes; /* of one site */
    size_t count, room;
    struct diff_counts *counts;
};

static void add_change(struct walk *walk, enum diff_kind kind, unsigned parts,
                       const struct diff_row *old, const struct diff_row *new)
{
    if (walk->count == walk->room) {
        walk->room = walk->room ? walk->room + walk->room / 2 : 64;
        walk->changes = memory_resize(walk->changes, walk->room, sizeof *walk->changes);
    }
    walk->changes[walk->count++] = (struct diff_change){
        .kind = kind,
        .parts = parts,
        .old = old,
        .new = new,
        .source = old ? diff_row_source(walk->old, old) : diff_row_source(walk->new, new),
        .old_host = walk->host ? &walk->host->old : NULL,
        .new_host = walk->host ? &walk->host->new : NULL,
    };
    walk->counts->added += kind == DIFF_ADDED;
    walk->counts->removed += kind == DIFF_REMOVED;
    walk->counts->changed += kind == DIFF_CHANGED;
    for (unsigned i = 0; i < DIFF_PART_COUNT; i++)
        walk->counts->parts[i] += parts >> i & 1;
}

static uint64_t conditions_of(const struct diff_rows *rows, const struct diff_row *row)
{
    return rows->actions[row->action].conditions;
}

static bool has_captures(const struct paired_host *host)
{
    return host->old.head.capture_count || host->new.head.capture_count;
}

static bool has_same_target_text(const struct walk *walk, const struct diff_row *old,
                                 const struct diff_row *new, const struct paired_host *host)
{
    char *left = diff_row_target_text(walk->old, old, host ? &host->old : NULL);
    char *right = diff_row_target_text(walk->new, new, host ? &host->new : NULL);
    bool is_same = strcmp(left, right) == 0;

    free(left);
    free(right);
    return is_same;
}

/* What stands in a closed set of the host is part of a target: `{l}` and the text written out
 * are the same. walk->host is set to a host where they differ. */
static bool has_same_target(struct walk *walk, const struct diff_row *old,
                            const struct diff_row *new)
{
    struct diff_target left = diff_row_target(walk->old, old);
    struct diff_target right = diff_row_target(walk->new, new);
    bool is_same = slice_equal(left.bytes, right.bytes) &&
                   left.is_template == right.is_template && left.is_choice == right.is_choice;

    if (!walk->host ||
        !(left.is_template || left.is_choice || right.is_template || right.is_choice))
        return is_same;
    for (size_t i = 0; i < walk->member_count; i++) {
        const struct paired_host *host = walk->members[i].host;

        if (has_captures(host) && !has_same_target_text(walk, old, new, host)) {
            walk->host = host;
            return false;
        }
    }
    return true;
}

static unsigned compare_rules(struct walk *walk, const struct diff_row *old,
                              const struct diff_row *new)
{
    enum { SHAPE = RULESET_RULE_SLASH_EXACT | RULESET_RULE_CASE_IGNORE };
    struct ruleset_action was, is;
    unsigned parts = 0;

    if (!has_same_target(walk, old, new))
        parts |= DIFF_TARGET;
    if (!ruleset_get_action(walk->old->ruleset, old->action, &was) ||
        !ruleset_get_action(walk->new->ruleset, new->action, &is) ||
        was.status_get != is.status_get || was.status_other != is.status_other ||
        (was.flags & RULESET_ACTION_PASS) != (is.flags & RULESET_ACTION_PASS))
        parts |= DIFF_STATUS;
    if (conditions_of(walk->old, old) != conditions_of(walk->new, new))
        parts |= DIFF_CONDITIONS;
    if (walk->old->actions[old->action].settings != walk->new->actions[new->action].settings ||
        (old->flags & SHAPE) != (new->flags &SHAPE))
        parts |= DIFF_SETTINGS;
    return parts;
}

static void compare_pair(struct walk *walk, const struct diff_row *old,
                         const struct diff_row *new, unsigned more)
{
    unsigned parts = compare_rules(walk, old, new) | more;

    if (parts)
        add_change(walk, DIFF_CHANGED, parts, old, new);
    else
        walk->counts->alike++;
}

static size_t chain_size(const struct diff_row *rows, size_t count)
{
    size_t size = 1;

    while (size < count && rows[size].source[0] == rows[0].source[0] &&
           rows[size].source[1] == rows[0].source[1])
        size++;
    return size;
}

/* Rules of one source: those with the same conditions belong together, then the rest in order.
 * */
static void compare_chains(struct walk *walk, const struct diff_row *old, size_t old_count,
                           const struct diff_row *new, size_t new_count)
{
    bool *is_taken = memory_resize(NULL, old_count + new_count, sizeof *is_taken);
    bool *old_taken = is_taken, *new_taken = is_taken + old_count;
    size_t last = 0, k = 0;

    memset(is_taken, 0, old_count + new_count);
    for (size_t i = 0; i < old_count; i++)
        for (size_t j = 0; j < new_count && !old_taken[i]; j++) {
            if (new_taken[j] ||
                conditions_of(walk->old, &old[i]) != conditions_of(walk->new, &new[j]))
                continue;
            /* The order counts: the first whose conditions hold answers. */
            compare_pair(walk, &old[i], &new[j], j < last ? DIFF_ORDER : 0);
            old_taken[i] = new_taken[j] = true;
            last = j > last ? j : last;
        }
    for (size_t i = 0; i < old_count; i++) {
        while (k < new_count && new_taken[k])
            k++;
        if (old_taken[i])
            continue;
        if (k < new_count)
            compare_pair(walk, &old[i], &new[k++], 0);
        else
            add_change(walk, DIFF_REMOVED, 0, &old[i], NULL);
    }
    for (; k < new_count; k++)
        if (!new_taken[k])
            add_change(walk, DIFF_ADDED, 0, NULL, &new[k]);
    free(is_taken);
}

static int compare_sources(const struct diff_row *old, const struct diff_row *new)
{
    for (int i = 0; i < 2; i++)
        if (old->source[i] != new->source[i])
            return old->source[i] < new->source[i] ? -1 : 1;
    return 0;
}

static void set_members(struct walk *walk, const struct site_member *members, size_t count)
{
    walk->members = members;
    walk->member_count = count;
    walk->host = NULL;
    for (size_t i = 0; i < count && !walk->host; i++)
        if (has_captures(members[i].host))
            walk->host = members[i].host;
}

static void compare_scopes(struct walk *walk, const uint32_t scopes[2])
{
    size_t i, k, old_end, new_end;

    diff_rows_of_scope(walk->old, scopes[0], &i, &old_end);
    diff_rows_of_scope(walk->new, scopes[1], &k, &new_end);
    while (i < old_end || k < new_end) {
        const struct diff_row *old = walk->old->rows + i, *new = walk->new->rows + k;
        int order = i == old_end ? 1 : k == new_end ? -1 : compare_sources(old, new);
        size_t old_size = order <= 0 ? chain_size(old, old_end - i) : 0;
        size_t new_size = order >= 0 ? chain_size(new, new_end - k) : 0;

        if (old_size == 1 && new_size == 1)
            compare_pair(walk, old, new, 0);
        else
            compare_chains(walk, old, old_size, new, new_size);
        i += old_size;
        k += new_size;
    }
}

static int compare_changes(const void *a, const void *b)
{
    const struct diff_change *left = a, *right = b;
    int order = strcmp(left->source, right->source);

    if (order)
        return order;
    if (left->kind != right->kind) /* what went, before what came */
        return left->kind == DIFF_REMOVED || right->kind == DIFF_ADDED ? -1 : 1;
    if (left->old && right->old)
        return (left->old > right->old) - (left->old < right->old);
    return (left->new > right->new) - (left->new < right->new);
}

static void report(struct walk *walk, const struct site_member *members, size_t count,
                   void (*tell)(void *baton, const struct diff_site *site), void *baton)
{
    struct diff_site site = { .is_override = members[0].is_override,
                              .changes = walk->changes,
                              .change_count = walk->count };
    char *hosts;

    if (walk->count == 0)
        return;
    qsort(walk->changes, walk->count, sizeof *walk->changes, compare_changes);
    site.hosts = hosts = hosts_text(members, count);
    tell(baton, &site);
    free(hosts);
    for (size_t i = 0; i < walk->count; i++)
        free((char *)(uintptr_t)walk->changes[i].source);
    walk->count = 0;
}

void diff_run(const struct diff_rows *old, const struct diff_rows *new,
              void (*tell)(void *baton, const struct diff_site *site), void *baton,
              struct diff_counts *counts)
{
    struct walk walk = { .old = old, .new = new, .counts = counts };
    struct host_row old_hosts, new_hosts;
    struct site_member *members;
    struct paired_host *pairs;
    size_t pair_count, count = 0;

    *counts = (struct diff_counts){ .added = 0 };
    read_hosts(old->ruleset, &old_hosts);
    read_hosts(new->ruleset, &new_hosts);
    pairs = pair_hosts(&old_hosts, &new_hosts, &pair_count);
    members = memory_resize(NULL, 2 * pair_count, sizeof *members);
    for (size_t i = 0; i < pair_count; i++)
        for (int is_override = 0; is_override < 2; is_override++) {
            const uint32_t *scopes = pairs[i].scopes[is_override];

            if (scopes[0] || scopes[1])
                members[count++] = (struct site_member){ .scopes = { scopes[0], scopes[1] },
                                                         .is_override = is_override,
                                                         .host = &pairs[i] };
        }
    if (count)
        qsort(members, count, sizeof *members, compare_members);
    for (size_t i = 0, end; i < count; i = end) {
        for (end = i + 1; end < count && members[end].scopes[0] == members[i].scopes[0] &&
                          members[end].scopes[1] == members[i].scopes[1] &&
                          members[end].is_override == members[i].is_override;
             end++)
            continue;
        set_members(&walk, members + i, end - i);
        compare_scopes(&walk, members[i].scopes);
        report(&walk, members + i, end - i, tell, baton);
    }
    free(walk.changes);
    free(members);
    free(pairs);
    free(old_hosts.hosts);
    free(new_hosts.hosts);
}
