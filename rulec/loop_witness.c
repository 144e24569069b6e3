/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of a circle are followed with paths of which only parts are known, to a named depth. Where a walk comes back to
 * the rule that it began with, what was learnt of the path on the way makes a request, and the engine is asked whether
 * that goes round: so nothing is called a loop that is none. Then the rules' sources are tried with texts that stand
 * in the circle. */
#include "config.h"

#include "rulec/loop_witness.h"

#include "mod_redir307/regex.h"
#include "rulec/follow.h"
#include "rulec/known_hosts.h"
#include "rulec/loop_facts.h"
#include "rulec/rule_places.h"
#include "rulec/sample.h"
#include "rulec/symbolic.h"

#include <stdlib.h>

enum {
    DEPTH_LIMIT = 32,       /* rules of a walk that begins at one of them */
    STEP_LIMIT = 20000,     /* matches tried from one rule, and of all rules together */
    ALL_STEP_LIMIT = 1000000,
    ASK_LIMIT = 4000,       /* requests that are followed for one circle */
    TRIED_LIMIT = 64,       /* rules of a circle whose sources are tried */
    TEXT_LIMIT = 24,        /* texts that placeholders are filled with */
    HOP_LIMIT = 64,         /* of a request that is followed: past it the path may grow with each round */
    FAR_LIMIT = 4096,       /* past it no circle is waited for */
    ALL_FAR_LIMIT = 200000  /* hops past HOP_LIMIT, of all requests together */
};

struct loop_witness {
    const struct plan *plan;
    const struct ruleset *ruleset;
    struct arena *arena;             /* of one circle */
    struct known_hosts *hosts;
    struct regex_scratch *regex;
    struct loop_report *report;
    const struct loop_methods *methods;
    const struct loop_circle *circle;
    struct loop_hop *hops;           /* of the circle's rules */
    uint32_t *hop_first;
    uint64_t steps, all_steps;
    unsigned asked, far_hops;
    uint32_t walk[DEPTH_LIMIT + 1];  /* places in the circle, from the first one on */
    uint32_t rules[DEPTH_LIMIT + 1]; /* the same, numbers of the plan */
    unsigned depth, depth_limit;
    bool is_found;                   /* for the rule that the walk began with */
    struct symbolic states[DEPTH_LIMIT + 2];
    struct sample sample;
    char path[SAMPLE_LIMIT];
    struct follow follow;
};

/* ---- asking the engine ---- */

/* The last rule of the walk answered before, and the path was shorter then. */
static bool has_grown(const uint32_t rules[HOP_LIMIT], const size_t sizes[HOP_LIMIT])
{
    for (unsigned hop = 0; hop + 1 < HOP_LIMIT; hop++)
        if (rules[hop] == rules[HOP_LIMIT - 1] && sizes[hop] < sizes[HOP_LIMIT - 1])
            return true;
    return false;
}

/* Hops after which the request is the one that is kept (Brent): a circle of more than HOP_LIMIT of them. */
static bool comes_again_far(struct loop_witness *witness, const struct request_key *key)
{
    struct follow *follow = &witness->follow;
    uint64_t kept = follow_hash(follow);

    for (unsigned hop = 1, keep_at = 1; hop < FAR_LIMIT && witness->far_hops++ < ALL_FAR_LIMIT; hop++) {
        if (!follow_step(follow) || !known_hosts_reach(witness->hosts, key->host, follow->key.host))
            return false;
        if (follow_hash(follow) == kept)
            return true;
        if (hop == keep_at) {
            kept = follow_hash(follow);
            keep_at *= 2;
        }
    }
    return false;
}

/* True: the request is sent in a circle, or on and on, and that was told. */
static bool ask(struct loop_witness *witness, const struct request_key *key)
{
    struct follow *follow = &witness->follow;
    uint64_t seen[HOP_LIMIT];
    uint32_t rules[HOP_LIMIT];
    size_t sizes[HOP_LIMIT], first_size = key->path.size;
    char url[LOOP_URL_SIZE];

    if (witness->asked++ >= ASK_LIMIT)
        return false;
    follow_start(follow, witness->ruleset, key);
    loop_report_url(follow, url);
    for (unsigned hop = 0; hop < HOP_LIMIT; hop++) {
        seen[hop] = follow_hash(follow);
        for (unsigned i = 0; i < hop; i++) {
            if (seen[i] != seen[hop])
                continue;
            loop_report_tell(witness->report, follow);
            return true;
        }
        if (!follow_step(follow) || !known_hosts_reach(witness->hosts, key->host, follow->key.host))
            return false;
        rules[hop] = loop_report_rule(witness->report, follow);
        if (rules[hop] == RULE_PLACES_NONE)
            return false;
        sizes[hop] = follow->key.path.size;
    }
    if (follow->key.path.size > first_size && has_grown(rules, sizes)) {
        loop_report_growth(witness->report, follow, rules, HOP_LIMIT, url, first_size);
        return true;
    }
    if (!comes_again_far(witness, key))
        return false;
    loop_report_tell(witness->report, follow);
    return true;
}

/* The query that the rule's source asks for, and the conditions. */
static void set_query(struct loop_witness *witness, const struct loop_facts *facts, bool has_sample,
                      struct request_key *key)
{
    struct slice own = has_sample ? sample_query(&witness->sample) : slice_of(NULL, 0);

    if (own.size && facts->query.size)
        own = slice_from_string(arena_printf(witness->arena, "%.*s&%.*s", (int)own.size, own.data,
                                             (int)facts->query.size, facts->query.data));
    key->query = own.size ? own : facts->query;
    key->has_query = key->query.size > 0;
}

/* A path for the rule's site, by every scheme and method. */
static bool ask_all(struct loop_witness *witness, struct loop_facts *facts, uint32_t number, struct slice path,
                    bool has_sample)
{
    const struct plan *plan = witness->plan;
    const struct plan_site *site = &plan->sites[plan->actions[plan->rules[number].action].site];
    char host[URL_HOST_LIMIT + 1];

    for (uint32_t h = 0; h < site->host_count && h < 4; h++) {
        struct request_key key = { .host = known_hosts_example(&site->hosts[h], host), .path = path };

        set_query(witness, facts, has_sample, &key);
        for (unsigned s = 0; s < 2; s++) {
            key.scheme = s ? SLICE("https") : SLICE("http");
            key.port = site->hosts[h].port ? site->hosts[h].port : url_default_port(key.scheme);
            request_facts_bind(&facts->request, witness->regex, &key);
            for (unsigned m = 0; m < witness->methods->count; m++) {
                key.method = witness->methods->items[m];
                if (ask(witness, &key))
                    return true;
            }
        }
    }
    return false;
}

/* The start of a walk that came back, as requests. */
static bool try_start(struct loop_witness *witness, const struct symbolic *symbolic)
{
    static const struct { struct slice one, rest; } fillings[] = {
        { { "x", 1 }, { "", 0 } }, { { "x", 1 }, { "x", 1 } }, { { "any", 3 }, { "any/x", 5 } }
    };
    uint32_t first = witness->rules[0];
    bool has_sample = sample_source(&witness->plan->rules[first], SLICE("x"), &witness->sample);
    struct loop_facts facts;

    if (!loop_facts_collect(&facts, witness->arena, witness->plan, witness->rules, witness->depth))
        return false;
    for (size_t f = 0; f < sizeof fillings / sizeof *fillings; f++) {
        size_t size;

        if (symbolic_write_start(symbolic, fillings[f].one, fillings[f].rest, witness->path, sizeof witness->path, &size) &&
            ask_all(witness, &facts, first, slice_of(witness->path, size), has_sample))
            return true;
    }
    return false;
}

/* ---- the walk ---- */

static void walk_on(struct loop_witness *witness, const struct symbolic *state, const struct loop_hop *hop);

/* `state` matches the rule; each of its targets is followed. */
static void take_rule(struct loop_witness *witness, uint32_t place, const struct symbolic *state)
{
    witness->walk[witness->depth] = place;
    witness->rules[witness->depth++] = witness->circle->rules[place];
    struct symbolic *next = &witness->states[witness->depth];
    for (uint32_t h = witness->hop_first[place]; h < witness->hop_first[place + 1] && !witness->is_found; h++) {
        if (witness->hops[h].leads_nowhere)
            continue;
        symbolic_copy(next, state);
        memcpy(next->captures, state->captures, sizeof next->captures);
        if (symbolic_follow(next, witness->arena, &witness->hops[h].parts))
            walk_on(witness, next, &witness->hops[h]);
    }
    witness->depth--;
}

/* A circle that goes through a rule twice is found from that rule. */
static bool is_in_walk(const struct loop_witness *witness, uint32_t place)
{
    for (unsigned d = 1; d < witness->depth; d++)
        if (witness->walk[d] == place)
            return true;
    return false;
}

static bool has_time(const struct loop_witness *witness)
{
    return witness->steps < STEP_LIMIT && witness->all_steps < ALL_STEP_LIMIT && witness->asked < ASK_LIMIT;
}

static void walk_on(struct loop_witness *witness, const struct symbolic *state, const struct loop_hop *hop)
{
    const struct plan_rule *rules = witness->plan->rules;
    struct symbolic matched;

    symbolic_copy(&matched, state);
    memset(matched.captures, 0, sizeof matched.captures);
    if (symbolic_close(&matched))
        witness->is_found = try_start(witness, &matched);
    const struct loop_circle *circle = witness->circle;
    uint32_t from = witness->walk[witness->depth - 1];
    for (uint32_t e = circle->first[from]; e < circle->first[from + 1] && !witness->is_found && has_time(witness); e++) {
        uint32_t place = circle->to[e], rule = circle->rules[place];
        bool is_first = place == witness->walk[0];

        if (!symbolic_may_match(state, &rules[rule]) || is_in_walk(witness, place) ||
            (!is_first && witness->depth >= witness->depth_limit) ||
            !loop_hop_may_ask(witness->arena, witness->plan, hop, rule))
            continue;
        witness->steps++;
        witness->all_steps++;
        symbolic_copy(&matched, state);
        if (!symbolic_match(&matched, witness->arena, &rules[rule]))
            continue;
        /* Back at the first rule: it may go on for ever. */
        if (is_first)
            witness->is_found = try_start(witness, &matched);
        else
            take_rule(witness, place, &matched);
    }
}

static bool walk_from(struct loop_witness *witness, uint32_t place)
{
    const struct plan_rule *rule = &witness->plan->rules[witness->circle->rules[place]];

    witness->is_found = false;
    witness->steps = 0;
    for (witness->depth_limit = 1; witness->depth_limit <= DEPTH_LIMIT && !witness->is_found;
         witness->depth_limit *= 2) {
        witness->depth = 0;
        if (!symbolic_begin(&witness->states[0], witness->arena, rule) ||
            !symbolic_match(&witness->states[0], witness->arena, rule))
            return false;
        take_rule(witness, place, &witness->states[0]);
    }
    return witness->is_found;
}

/* ---- trying ---- */

static void add_text(struct slice *texts, unsigned *count, struct slice text)
{
    for (unsigned i = 0; i < *count; i++)
        if (slice_equal(texts[i], text))
            return;
    if (text.size && *count < TEXT_LIMIT)
        texts[(*count)++] = text;
}

/* Segments that stand in the circle's sources and targets. */
static unsigned find_texts(struct loop_witness *witness, struct slice *texts)
{
    unsigned count = 0;

    add_text(texts, &count, SLICE("x"));
    add_text(texts, &count, SLICE("1"));
    for (uint32_t h = 0; h < witness->hop_first[witness->circle->count] && count < TEXT_LIMIT; h++) {
        const struct target_pieces *path = &witness->hops[h].parts.path;

        for (uint32_t i = 0; i < path->count; i++) {
            const struct slice text = path->items[i].text;
            if (path->items[i].kind != PLAN_PIECE_TEXT || text.size == 0)
                continue;

            const char *at = text.data, *end = at + text.size;
            while (at < end) {
                const char *from = at;

                while (at < end && *at != '/')
                    at++;
                add_text(texts, &count, slice_of(from, (size_t)(at - from)));
                at += at < end;
            }
        }
    }
    return count;
}

static bool try_texts(struct loop_witness *witness)
{
    struct slice texts[TEXT_LIMIT];
    unsigned text_count = find_texts(witness, texts);
    struct loop_facts facts, own;
    uint32_t count = witness->circle->count < TRIED_LIMIT ? witness->circle->count : TRIED_LIMIT;
    bool fits_all = loop_facts_collect(&facts, witness->arena, witness->plan, witness->circle->rules, count);

    for (uint32_t i = 0; i < count; i++) {
        uint32_t rule = witness->circle->rules[i];
        bool fits_one = loop_facts_collect(&own, witness->arena, witness->plan, &rule, 1);

        for (unsigned t = 0; t < text_count; t++) {
            if (!sample_source(&witness->plan->rules[rule], texts[t], &witness->sample))
                continue;
            if ((fits_all && ask_all(witness, &facts, rule, sample_path(&witness->sample), true)) ||
                (fits_one && ask_all(witness, &own, rule, sample_path(&witness->sample), true)))
                return true;
        }
    }
    return false;
}

/* ---- one circle ---- */

static void find_hops(struct loop_witness *witness)
{
    const struct loop_circle *circle = witness->circle;
    uint32_t room = circle->count + 1, count = 0;

    for (uint32_t i = 0; i < circle->count; i++) {
        const struct plan_rule *rule = &witness->plan->rules[circle->rules[i]];

        room += plan_choice(rule) ? plan_choice(rule)->line_count : 0;
    }
    witness->hops = arena_array(witness->arena, room, sizeof *witness->hops);
    witness->hop_first = arena_array(witness->arena, circle->count + 1u, sizeof *witness->hop_first);
    for (uint32_t i = 0; i < circle->count; i++) {
        witness->hop_first[i] = count;
        for (uint32_t line = 0; loop_hop_of(witness->arena, witness->plan, circle->rules[i], line, &witness->hops[count]);
             line++)
            count++;
    }
    witness->hop_first[circle->count] = count;
}

bool loop_witness_find(struct loop_witness *witness, const struct loop_circle *circle)
{
    bool is_found = false;

    witness->arena = arena_open();
    witness->circle = circle;
    witness->asked = 0;
    find_hops(witness);
    for (uint32_t place = 0; place < circle->count && has_time(witness); place++)
        if (!witness->report->is_reported[circle->rules[place]])
            is_found |= walk_from(witness, place);
    if (!is_found) {
        witness->asked = 0;
        is_found = try_texts(witness);
    }
    arena_close(witness->arena);
    return is_found;
}

struct loop_witness *loop_witness_open(const struct plan *plan, const struct ruleset *ruleset,
                                       const struct loop_methods *methods, struct loop_report *report)
{
    struct loop_witness *witness = memory_resize(NULL, 1, sizeof *witness);

    memset(witness, 0, sizeof *witness);
    witness->plan = plan;
    witness->ruleset = ruleset;
    witness->methods = methods;
    witness->report = report;
    witness->hosts = known_hosts_open(plan);
    witness->regex = regex_scratch_open();
    return witness;
}

void loop_witness_close(struct loop_witness *witness)
{
    known_hosts_close(witness->hosts);
    regex_scratch_close(witness->regex);
    free(witness);
}
