/* SPDX-License-Identifier: Apache-2.0 */
/* A hop is taken over where nothing about it can differ from request to request: the engine looks at one rule only, it
 * has no conditions, keeps the query, sets no field, and its status is not weaker than that of the rule before. The
 * step from http to https on one host stays a hop of its own: browsers want it so before they remember a site as
 * secure (RFC 6797, 7.2). */
#include "config.h"

#include "rulec/flatten.h"

#include "mod_redir307/hash.h"
#include "mod_redir307/regex.h"
#include "rulec/flatten_pattern.h"
#include "rulec/follow.h"
#include "rulec/known_hosts.h"
#include "rulec/rule_places.h"
#include "rulec/segments.h"

#include <stdlib.h>

enum { HOP_LIMIT = 64 };

struct flattener {
    const struct plan *plan;
    const struct ruleset *ruleset;
    struct known_hosts *hosts;
    struct rule_places *places;
    struct regex_scratch *regex;
    bool *shares_hosts;   /* by site: another one has a host of it, or it is open */
    bool has_open_query;  /* a source with a query whose path is not fixed */
    uint64_t *query_paths; /* hashes of the paths that some source asks for with a query; 0: free */
    size_t query_mask;
    uint32_t seen_places; /* candidates of the last question */
    uint32_t first_place;
    struct follow follow;
};

static void note_candidate(void *baton, uint32_t place, const char *why)
{
    struct flattener *flattener = baton;
    (void)why;

    if (flattener->seen_places++ == 0)
        flattener->first_place = place;
}

/* ---- sources that look at the query ---- */

static uint64_t hash_segment(uint64_t hash, struct slice text)
{
    for (size_t i = 0; i < text.size; i++)
        hash = (hash ^ (unsigned char)byte_lower(text.data[i])) * HASH_MULTIPLIER;
    return hash_mix(hash + text.size) | 1;
}

static uint64_t hash_of_path(struct slice path)
{
    const char *at = path.data, *end = at + path.size;
    uint64_t hash = 1;

    while (at < end) {
        const char *start = ++at;

        while (at < end && *at != '/')
            at++;
        if (at > start)
            hash = hash_segment(hash, slice_of(start, (size_t)(at - start)));
    }
    return hash;
}

static bool has_query_path(const struct flattener *flattener, uint64_t hash)
{
    size_t at = hash & flattener->query_mask;

    while (flattener->query_paths[at] && flattener->query_paths[at] != hash)
        at = (at + 1) & flattener->query_mask;
    return flattener->query_paths[at] != 0;
}

static void find_query_paths(struct flattener *flattener)
{
    const struct plan *plan = flattener->plan;
    size_t count = 0, slot_count = 64;

    for (uint32_t i = 0; i < plan->rule_count; i++)
        count += plan_pattern(&plan->rules[i]) && plan_pattern(&plan->rules[i])->parameter_count;
    while (slot_count < 2 * count)
        slot_count *= 2;
    flattener->query_mask = slot_count - 1;
    flattener->query_paths = memory_resize(NULL, slot_count, sizeof *flattener->query_paths);
    memset(flattener->query_paths, 0, slot_count * sizeof *flattener->query_paths);
    for (uint32_t i = 0; i < plan->rule_count; i++) {
        const struct plan_pattern *pattern = plan_pattern(&plan->rules[i]);
        uint64_t hash = 1;
        bool is_fixed = true;

        if (!pattern || pattern->parameter_count == 0)
            continue;
        for (uint32_t s = 0; s < pattern->head_count && is_fixed; s++) {
            is_fixed = pattern->head[s].part_count == 1 && pattern->head[s].parts[0].kind == PLAN_PART_LITERAL;
            if (is_fixed)
                hash = hash_segment(hash, pattern->head[s].parts[0].text);
        }
        if (!is_fixed || pattern->tail != PLAN_TAIL_NONE) {
            flattener->has_open_query = true;
            continue;
        }
        size_t at = hash & flattener->query_mask;
        while (flattener->query_paths[at] && flattener->query_paths[at] != hash)
            at = (at + 1) & flattener->query_mask;
        flattener->query_paths[at] = hash;
    }
}

/* ---- may two hops be one ---- */

static bool uses_request(const struct plan_template *template)
{
    for (uint32_t i = 0; template && i < template->piece_count; i++)
        if (template->pieces[i].kind != PLAN_PIECE_TEXT && template->pieces[i].kind != PLAN_PIECE_CAPTURE &&
            template->pieces[i].kind != PLAN_PIECE_PATH)
            return true;
    return template && template->is_https;
}

static bool may_take_over(const struct flattener *flattener, const struct plan_rule *first,
                          const struct plan_rule *second)
{
    const struct plan_action *a = &flattener->plan->actions[first->action];
    const struct plan_action *b = &flattener->plan->actions[second->action];

    if (!flatten_may_join(flattener->plan, first, second) || uses_request(plan_template(second)))
        return false;
    return a->query.kind == PLAN_QUERY_DROP ||
           (b->query.kind == PLAN_QUERY_KEEP && !flattener->has_open_query &&
            !has_query_path(flattener, hash_of_path(flattener->follow.key.path)));
}

struct named_site {
    struct slice name;
    uint32_t site;
};

static int name_order(const void *left, const void *right)
{
    const struct named_site *a = left, *b = right;

    return slice_compare(a->name, b->name);
}

/* Which sites have hosts of their own: what one of them answers, all of them answer. */
static void find_shared_hosts(struct flattener *flattener)
{
    const struct plan *plan = flattener->plan;
    size_t count = 0, room = 0;

    for (uint32_t s = 0; s < plan->site_count; s++)
        room += plan->sites[s].host_count;
    struct named_site *rows = memory_resize(NULL, room + 1, sizeof *rows);
    flattener->shares_hosts = memory_resize(NULL, plan->site_count + 1u, sizeof(bool));
    memset(flattener->shares_hosts, 0, plan->site_count + 1u);
    for (uint32_t s = 0; s < plan->site_count; s++) {
        for (uint32_t h = 0; h < plan->sites[s].host_count; h++) {
            const struct plan_host *host = &plan->sites[s].hosts[h];

            rows[count++] = (struct named_site){ .name = host->name, .site = s };
            flattener->shares_hosts[s] |= host->kind != PLAN_HOST_EXACT;
        }
    }
    qsort(rows, count, sizeof *rows, name_order);
    for (size_t i = 1; i < count; i++)
        if (slice_equal(rows[i].name, rows[i - 1].name))
            flattener->shares_hosts[rows[i].site] = flattener->shares_hosts[rows[i - 1].site] = true;
    free(rows);
}

/* A path is asked for at the host where the client is: the answer is to be the same for all hosts of the site. */
static bool is_for_all_hosts(const struct flattener *flattener, const struct plan_rule *first,
                             const struct plan_rule *second)
{
    uint32_t site = flattener->plan->actions[first->action].site;

    if (flattener->plan->site_count == 1)
        return true;
    return !flattener->shares_hosts[site] && flattener->plan->actions[second->action].site == site;
}

/* Asks for the present URL. The rule that answers, where only that one was looked at; else RULE_PLACES_NONE. */
static uint32_t ask(struct flattener *flattener)
{
    struct follow *follow = &flattener->follow;
    struct answer_trace trace = { .candidate = note_candidate, .baton = flattener };

    flattener->seen_places = 0;
    answer_request(flattener->ruleset, &follow->key, &follow->scratch, &trace, &follow->answer);
    if (follow->answer.outcome != ANSWER_SEND || follow->answer.location.size == 0 || flattener->seen_places != 1 ||
        flattener->first_place != follow->answer.place)
        return RULE_PLACES_NONE;
    uint32_t rule = rule_places_find(flattener->places, follow->answer.place);
    if (rule == RULE_PLACES_NONE || !rule_places_is_alone(flattener->places, rule))
        return RULE_PLACES_NONE;
    return rule;
}

/* The location as it is sent from the first rule: with the origin that an earlier target named, and the fragment that
 * a client would have kept (Fetch, "location URL"). */
static struct slice join(struct flattener *flattener, struct slice origin, struct slice location, struct slice fragment)
{
    bool is_path = location.data[0] == '/', has_fragment = memchr(location.data, '#', location.size) != NULL;
    char *text = arena_printf(flattener->plan->arena, "%.*s%.*s%.*s", is_path ? (int)origin.size : 0,
                              origin.size ? origin.data : "", (int)location.size, location.data,
                              has_fragment ? 0 : (int)fragment.size, fragment.size ? fragment.data : "");

    return slice_from_string(text);
}

static struct slice origin_of(struct slice target)
{
    struct url_parts parts;

    if (!url_split(target, &parts) || !parts.has_authority)
        return slice_of(NULL, 0);
    return slice_of(target.data, (size_t)(parts.path.data - target.data));
}

static struct slice fragment_of(struct slice target)
{
    const char *hash = memchr(target.data, '#', target.size);

    return hash ? slice_of(hash, target.size - (size_t)(hash - target.data)) : slice_of(NULL, 0);
}

/* To https on the host where the client is, perhaps by http. `site`: the client is at any host of it; NULL: at the
 * host of the present state. */
static bool is_upgrade(const struct flattener *flattener, const struct plan_site *site, struct slice location)
{
    struct url_parts parts;
    char buffer[URL_HOST_LIMIT + 1];
    struct slice host;

    if (!url_split(location, &parts) || !parts.has_authority || parts.scheme.size != 5 ||
        !url_normalize_host(parts.host, buffer, &host))
        return false;
    if (!site)
        return slice_equal(host, flattener->follow.key.host);
    for (uint32_t i = 0; i < site->host_count; i++)
        if (site->hosts[i].kind != PLAN_HOST_EXACT || slice_equal(site->hosts[i].name, host))
            return true;
    return false;
}

/* Where the rule's chain ends, as far as it may be taken over; *hops: rules on the way, 1 where it is no chain. */
static struct slice find_end(struct flattener *flattener, const struct plan_rule *rule, unsigned *hops)
{
    const struct plan *plan = flattener->plan;
    const struct plan_site *site = &plan->sites[plan->actions[rule->action].site];
    bool is_path = plan_target(rule).data[0] == '/';
    struct follow *follow = &flattener->follow;
    struct request_key key = { .method = SLICE("GET"), .scheme = SLICE("http"), .regex = flattener->regex };
    struct slice end = plan_target(rule);
    char host[URL_HOST_LIMIT + 1];

    *hops = 1;
    if (known_hosts_leave(flattener->hosts, plan_target(rule)))
        return end;
    key.host = known_hosts_example(&site->hosts[0], host);
    key.port = site->hosts[0].port ? site->hosts[0].port : url_default_port(key.scheme);
    follow_start(follow, flattener->ruleset, &key);
    if (!follow_to(follow, plan_target(rule)))
        return end;
    while (*hops < HOP_LIMIT && known_hosts_reach(flattener->hosts, key.host, follow->key.host)) {
        uint32_t next = ask(flattener);

        if (next == RULE_PLACES_NONE || !may_take_over(flattener, rule, &plan->rules[next]) ||
            (is_path && !is_for_all_hosts(flattener, rule, &plan->rules[next])) ||
            is_upgrade(flattener, is_path ? site : NULL, follow->answer.location))
            break;
        is_path &= follow->answer.location.data[0] == '/';
        end = join(flattener, origin_of(end), follow->answer.location, fragment_of(end));
        ++*hops;
        if (!follow_to(follow, follow->answer.location))
            break;
    }
    return *hops < HOP_LIMIT ? end : plan_target(rule);
}

static void add_change(struct flatten_changes *changes, const struct flatten_change *change)
{
    if (changes->count == changes->room) {
        changes->room = changes->room ? 2 * changes->room : 64;
        changes->items = memory_resize(changes->items, changes->room, sizeof *changes->items);
    }
    changes->items[changes->count++] = *change;
}

static void flatten_fixed(struct flattener *flattener, struct flatten_changes *changes)
{
    const struct plan *plan = flattener->plan;

    for (uint32_t i = 0; i < plan->rule_count; i++) {
        const struct plan_rule *rule = &plan->rules[i];
        struct flatten_change change = { .rule = i, .before = plan_target(rule) };

        if (plan_template(rule) || plan_choice(rule) || plan_target(rule).size == 0)
            continue;
        change.after = find_end(flattener, rule, &change.hops);
        if (change.hops > 1 && change.after.size <= ANSWER_LOCATION_LIMIT)
            add_change(changes, &change);
    }
}

static void flatten_templates(struct flattener *flattener, struct flatten_changes *changes)
{
    const struct plan *plan = flattener->plan;
    struct flatten_patterns *patterns = NULL;

    for (uint32_t i = 0; i < plan->rule_count; i++) {
        struct flatten_change change = { .rule = i };
        uint32_t site = plan->actions[plan->rules[i].action].site;

        if (!plan_template(&plan->rules[i]) || (plan->site_count > 1 && flattener->shares_hosts[site]))
            continue;
        if (!patterns)
            patterns = flatten_patterns_open(plan);
        if (flatten_pattern(patterns, i, &change))
            add_change(changes, &change);
    }
    if (patterns)
        flatten_patterns_close(patterns);
}

/* The rule with another template. */
static void set_template(struct plan *plan, struct plan_rule *rule, struct plan_template *template)
{
    struct plan_more *more = arena_alloc(plan->arena, sizeof *more);

    *more = *rule->more;
    more->template = template;
    rule->more = more;
}

void flatten(struct plan *plan, const struct ruleset *ruleset, struct flatten_changes *changes)
{
    struct flattener *flattener = memory_resize(NULL, 1, sizeof *flattener);

    flattener->plan = plan;
    flattener->ruleset = ruleset;
    flattener->hosts = known_hosts_open(plan);
    flattener->places = rule_places_open(plan);
    flattener->regex = regex_scratch_open();
    find_shared_hosts(flattener);
    flattener->has_open_query = false;
    find_query_paths(flattener);
    flatten_fixed(flattener, changes);
    flatten_templates(flattener, changes);
    /* Written at the end, so that every rule was asked for as it stands. */
    for (size_t i = 0; i < changes->count; i++) {
        struct plan_rule *rule = &plan->rules[changes->items[i].rule];

        if (changes->items[i].template)
            set_template(plan, rule, changes->items[i].template);
        else
            plan_set_target(rule, changes->items[i].after);
    }
    known_hosts_close(flattener->hosts);
    rule_places_close(flattener->places);
    regex_scratch_close(flattener->regex);
    free(flattener->shares_hosts);
    free(flattener->query_paths);
    free(flattener);
}

void flatten_free(struct flatten_changes *changes)
{
    free(changes->items);
    *changes = (struct flatten_changes){ 0 };
}
