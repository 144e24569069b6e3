/* SPDX-License-Identifier: Apache-2.0 */
/* Walks the records of a rule file scope by scope. A scope is a set of hosts that share rules: it becomes a `site`
 * block; a host whose name was made from a closed set gets one of its own, with its part of the set written out. */
#include "config.h"

#include "rulec/dump.h"

#include "grammar/arena.h"
#include "rulec/dump_rules.h"

#include <inttypes.h>
#include <stdlib.h>

struct dump {
    struct dump_writer to;
    struct dumped_rules rules;
    struct ruleset_host_view *hosts;
    size_t host_count, host_room;
    struct dump_seen seen;
};

static void collect_hosts(struct dump *dump)
{
    struct ruleset_host_view host;

    for (uint64_t at = 0; ruleset_get_host(dump->to.ruleset, at, &host); at = host.next_at) {
        if (dump->host_count == dump->host_room) {
            dump->host_room = dump->host_room ? 2 * dump->host_room : 64;
            dump->hosts = memory_resize(dump->hosts, dump->host_room, sizeof *dump->hosts);
        }
        dump->hosts[dump->host_count++] = host;
    }
}

/* The same name at the same port; NULL: none. */
static const struct ruleset_host_view *find_host(const struct dump *dump, const struct ruleset_host_view *like,
                                                 enum ruleset_host_kind kind)
{
    for (size_t i = 0; i < dump->host_count; i++) {
        const struct ruleset_host_view *host = &dump->hosts[i];

        if (host->head.kind == kind && host->head.port == like->head.port && slice_equal(host->name, like->name))
            return host;
    }
    return NULL;
}

static uint32_t scope_of(const struct ruleset_host_view *host, bool is_override)
{
    return is_override ? host->head.override_scope : host->head.scope;
}

/* True for the `d` of a `**.d` whose rules are not those of all hosts below, because a `*.d` stands in another site.
 * It can be written by its name, unless that stands in a site, too, and would win; then both are written at once. */
static bool is_split(const struct dump *dump, const struct ruleset_host_view *apex, bool is_override)
{
    const struct ruleset_host_view *below = find_host(dump, apex, RULESET_HOST_BELOW);

    return scope_of(apex, is_override) && below && scope_of(below, is_override) != scope_of(apex, is_override) &&
           find_host(dump, apex, RULESET_HOST_EXACT);
}

/* One of the two hosts of a split `**.d`. */
static bool is_half_of_split(const struct dump *dump, const struct ruleset_host_view *host, bool is_override)
{
    const struct ruleset_host_view *apex = host;

    if (host->head.kind == RULESET_HOST_BELOW)
        apex = find_host(dump, host, RULESET_HOST_APEX);
    return apex && apex->head.kind == RULESET_HOST_APEX && is_split(dump, apex, is_override);
}

static void print_host(struct dump *dump, const struct ruleset_host_view *host, const char *stars)
{
    bool is_ipv6 = host->name.size && memchr(host->name.data, ':', host->name.size);

    fprintf(dump->to.out, " %s%s%.*s%s", stars, is_ipv6 ? "[" : "", (int)host->name.size,
            host->name.size ? host->name.data : "", is_ipv6 ? "]" : "");
    if (host->head.kind == RULESET_HOST_ANY)
        putc('*', dump->to.out);
    if (host->head.port)
        fprintf(dump->to.out, ":%u", host->head.port);
}

/* `**.d` is two hosts that mostly have one scope. */
static void print_host_of_scope(struct dump *dump, const struct ruleset_host_view *host, uint32_t scope, bool is_override)
{
    const struct ruleset_host_view *twin = NULL;
    const char *stars = "";

    if (host->head.kind == RULESET_HOST_APEX)
        twin = find_host(dump, host, RULESET_HOST_BELOW);
    else if (host->head.kind == RULESET_HOST_BELOW)
        twin = find_host(dump, host, RULESET_HOST_APEX);
    if (twin && scope_of(twin, is_override) != scope)
        twin = NULL;
    if (host->head.kind == RULESET_HOST_APEX && twin)
        return; /* it is in the `**.` */
    if (host->head.kind == RULESET_HOST_BELOW)
        stars = twin ? "**." : "*.";
    print_host(dump, host, stars);
}

static void open_site(struct dump *dump, bool is_override)
{
    fputs(" {\n", dump->to.out);
    if (is_override)
        fputs("    override\n", dump->to.out);
}

static void print_rules(struct dump *dump, struct dumped_range rules, const struct ruleset_host_view *host)
{
    dump_seen_clear(&dump->seen, rules.count);
    for (size_t i = 0; i < rules.count && !dump->to.wrong; i++)
        if (!dump_is_half(&dump->to, rules, i))
            dump_rule(&dump->to, &dump->seen, 0, &rules.first[i], host);
    fputs("}\n", dump->to.out);
}

/* The rules of all hosts below, in their order: those of `**.d` in such sites, those of `*.d` alone in others. */
static void print_split(struct dump *dump, struct dumped_range rules, const struct ruleset_host_view *below,
                        bool is_override)
{
    uint32_t scope = scope_of(find_host(dump, below, RULESET_HOST_APEX), is_override);
    struct dumped_range with_apex = dump_scope_rules(&dump->rules, scope);
    struct dumped_rule *sorted = memory_resize(NULL, with_apex.count + 1, sizeof *sorted);
    bool is_open = false, was_with_apex = false;

    if (with_apex.count)
        memcpy(sorted, with_apex.first, with_apex.count * sizeof *sorted);
    dump_sort_by_place(sorted, with_apex.count);
    with_apex.first = sorted;
    dump_seen_clear(&dump->seen, rules.count);
    for (size_t i = 0; i < rules.count && !dump->to.wrong; i++) {
        bool is_with_apex = dump_has_rule(&dump->to, with_apex, &rules.first[i]);

        if (dump_is_half(&dump->to, rules, i))
            continue;
        if (!is_open || is_with_apex != was_with_apex) {
            fputs(is_open ? "}\n\nsite" : "\nsite", dump->to.out);
            print_host(dump, below, is_with_apex ? "**." : "*.");
            open_site(dump, is_override);
        }
        dump_rule(&dump->to, &dump->seen, is_with_apex, &rules.first[i], NULL);
        is_open = true;
        was_with_apex = is_with_apex;
    }
    fputs("}\n", dump->to.out);
    free(sorted);
}

/* Hosts that share the block of their scope; `only_count` just counts them. */
static size_t print_shared_hosts(struct dump *dump, uint32_t scope, bool is_override, bool only_count)
{
    size_t count = 0;

    for (size_t i = 0; i < dump->host_count; i++) {
        const struct ruleset_host_view *host = &dump->hosts[i];
        bool has_captures = host->head.kind == RULESET_HOST_EXACT && host->head.capture_count;
        bool is_any = host->head.kind == RULESET_HOST_ANY && !host->head.port; /* stands in the header */

        if (scope_of(host, is_override) != scope || has_captures || is_any || is_half_of_split(dump, host, is_override))
            continue;
        count++;
        if (!only_count)
            print_host_of_scope(dump, host, scope, is_override);
    }
    return count;
}

static void print_scope(struct dump *dump, struct dumped_range rules)
{
    const struct ruleset_header *header = &dump->to.ruleset->header;
    uint32_t index = rules.first[0].scope;
    bool is_any = index == header->any_scope || index == header->any_override_scope, is_override;
    struct ruleset_scope scope;

    if (!index || !ruleset_get(dump->to.ruleset, RULESET_SCOPES, (uint64_t)index * sizeof scope, &scope, sizeof scope)) {
        dump->to.wrong = dump_damaged;
        return;
    }
    is_override = scope.flags & RULESET_SCOPE_IS_OVERRIDE;
    for (size_t i = 0; i < dump->host_count && !dump->to.wrong; i++) {
        const struct ruleset_host_view *host = &dump->hosts[i];

        if (scope_of(host, is_override) != index)
            continue;
        if (host->head.kind == RULESET_HOST_BELOW && is_half_of_split(dump, host, is_override)) {
            print_split(dump, rules, host, is_override);
        } else if (host->head.kind == RULESET_HOST_EXACT && host->head.capture_count) {
            fputs("\nsite", dump->to.out);
            print_host(dump, host, "");
            open_site(dump, is_override);
            print_rules(dump, rules, host);
        }
    }
    if (!is_any && print_shared_hosts(dump, index, is_override, true) == 0)
        return;
    fputs("\nsite", dump->to.out);
    print_shared_hosts(dump, index, is_override, false);
    fputs(is_any ? " *" : "", dump->to.out);
    open_site(dump, is_override);
    print_rules(dump, rules, NULL);
}

static void print_all(struct dump *dump)
{
    const struct ruleset_header *header = &dump->to.ruleset->header;
    char id[RULESET_ID_SIZE + 1];

    ruleset_id(dump->to.ruleset, id);
    fprintf(dump->to.out, "# from the rule file %s: %" PRIu64 " rules\n", id, header->rule_count);
    if (header->expect_count)
        fprintf(dump->to.out, "# %" PRIu32 " tests stood in the rules; a rule file keeps none of them\n", header->expect_count);
    fputs("let literal-star \"*\" # a star that is sent as it is\n", dump->to.out);
    for (size_t i = 0; i < dump->rules.count && !dump->to.wrong;) {
        struct dumped_range range = dump_scope_rules(&dump->rules, dump->rules.items[i].scope);

        print_scope(dump, range);
        i += range.count;
    }
    if (!dump->to.wrong && dump->seen.hidden_count)
        fprintf(dump->to.out, "# %zu rules are left out: on their hosts, rules of other sites with the same source stand "
                "before them\n", dump->seen.hidden_count);
}

const char *dump_write(const struct ruleset *ruleset, FILE *out)
{
    struct dump dump = { .to = { .ruleset = ruleset, .out = out } };

    dump_collect_rules(&dump.to, &dump.rules);
    collect_hosts(&dump);
    if (!dump.to.wrong)
        print_all(&dump);
    dump_word_free(&dump.to.word);
    dump_seen_free(&dump.seen);
    free(dump.rules.items);
    free(dump.hosts);
    return dump.to.wrong;
}
