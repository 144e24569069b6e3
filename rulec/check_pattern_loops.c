/* SPDX-License-Identifier: Apache-2.0 */
/* Three steps, each for what the one before could not rule out. loop_graph says which rules could lead in a circle at
 * all. Those are followed with paths of which only parts are known, each rule that such a path meets, to a named
 * depth. Where a walk comes back to the rule that it began with, what was learnt of the path on the way makes a request,
 * and the engine is asked whether that goes round: so nothing is called a loop that is none. */
#include "config.h"

#include "rulec/check_pattern_loops.h"

#include "mod_redir307/regex.h"
#include "rulec/condition_logic.h"
#include "rulec/follow.h"
#include "rulec/known_hosts.h"
#include "rulec/loop_facts.h"
#include "rulec/loop_graph.h"
#include "rulec/rule_places.h"
#include "rulec/sample.h"
#include "rulec/symbolic.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

enum {
    DEPTH_LIMIT = 8,        /* rules of a walk that begins at one of them */
    STEP_LIMIT = 20000,     /* matches tried from one rule, and of all rules together */
    ALL_STEP_LIMIT = 1000000,
    HOP_LIMIT = 64,         /* of a request that is followed: past it the path grows with each hop */
    METHOD_LIMIT = 16,
    SHOWN_HOPS = 8,
    URL_TEXT_SIZE = 512
};

struct search {
    const struct plan *plan;
    const struct ruleset *ruleset;
    struct diag *diag;
    struct arena *arena;
    struct loop_graph graph;
    struct known_hosts *hosts;
    struct regex_scratch *regex;
    struct rule_places *places;
    bool *is_reported;               /* by rule */
    struct slice methods[METHOD_LIMIT];
    unsigned method_count;
    uint64_t steps, all_steps;
    uint32_t walk[DEPTH_LIMIT + 1];  /* rules from the first one on */
    unsigned depth;
    bool is_found;                   /* for the rule that the walk began with */
    bool ran_out;
    struct symbolic states[DEPTH_LIMIT + 2];
    struct sample sample;
    char path[SAMPLE_LIMIT];
    struct follow follow;
};

/* ---- asking the engine ---- */

static void say_url(struct search *search, char *buffer, size_t size)
{
    const struct request_key *key = &search->follow.key;

    if (!known_hosts_is_example(key->host)) {
        follow_url(&search->follow, buffer, size);
        return;
    }
    snprintf(buffer, size, "%.*s%s%.*s", (int)key->path.size, key->path.data, key->has_query ? "?" : "",
             (int)(key->has_query ? key->query.size : 0), key->has_query ? key->query.data : "");
}

static void tell_hops(struct search *search, const uint32_t *rules, unsigned hops)
{
    for (unsigned i = 1; i < hops && i < SHOWN_HOPS; i++)
        diag_note(search->diag, search->plan->rules[rules[i]].span, "through this rule");
}

/* From a state that comes again: once round. */
static void tell_loop(struct search *search, const char *undecided)
{
    uint64_t start = follow_hash(&search->follow);
    struct slice method = search->follow.key.method;
    bool is_get = slice_equal(method, SLICE("GET"));
    uint32_t rules[SHOWN_HOPS];
    char url[URL_TEXT_SIZE];
    unsigned hops = 0;
    bool is_known = true;

    say_url(search, url, sizeof url);
    do {
        if (!follow_step(&search->follow))
            return;
        uint32_t rule = rule_places_find(search->places, search->follow.answer.place);
        if (rule == RULE_PLACES_NONE)
            return;
        is_known &= search->is_reported[rule];
        search->is_reported[rule] = true;
        if (hops < SHOWN_HOPS)
            rules[hops] = rule;
        hops++;
    } while (follow_hash(&search->follow) != start && hops < HOP_LIMIT);
    if (is_known)
        return;
    if (undecided)
        diag_warning(search->diag, DIAG_LOOP_UNDECIDED, search->plan->rules[rules[0]].span,
                     "redirect \"%s\" may lead back to itself: \"%s\" decides", url, undecided);
    else
        diag_error(search->diag, DIAG_LOOP, search->plan->rules[rules[0]].span,
                   "redirect \"%s\" leads back to itself%s%s%.*s", url,
                   hops == 1 ? "" : hops == 2 ? " over another rule" : " over other rules",
                   is_get ? "" : ", for ", is_get ? 0 : (int)method.size, method.data);
    tell_hops(search, rules, hops);
    struct slice path = search->follow.key.path;
    diag_help(search->diag, "\"%.*s pass\" would end it there", (int)path.size, path.data);
}

/* A request that is still sent on after HOP_LIMIT hops, and never to where it was. */
static void tell_growth(struct search *search, const uint32_t *rules, unsigned hops, const char *url, uint64_t first_size)
{
    if (search->is_reported[rules[0]])
        return;
    for (unsigned i = 0; i < hops && i < SHOWN_HOPS; i++)
        search->is_reported[rules[i]] = true;
    diag_warning(search->diag, DIAG_LOOP_UNDECIDED, search->plan->rules[rules[0]].span,
                 "redirect \"%s\" leads on and on: after %d hops its path has %zu bytes, %" PRIu64 " at first", url,
                 HOP_LIMIT, search->follow.key.path.size, first_size);
    for (unsigned i = 1; i < hops && i < SHOWN_HOPS && rules[i] != rules[0]; i++)
        diag_note(search->diag, search->plan->rules[rules[i]].span, "through this rule");
    diag_help(search->diag, "a \"pass\" for what it leads to would end it");
}

/* True: the request is sent in a circle, or on and on, and that was told. */
static bool ask(struct search *search, const struct request_key *key, const struct loop_facts *facts)
{
    struct follow *follow = &search->follow;
    uint64_t seen[HOP_LIMIT];
    uint32_t rules[HOP_LIMIT];
    char url[URL_TEXT_SIZE];
    size_t first_size = key->path.size;

    follow_start(follow, search->ruleset, key);
    say_url(search, url, sizeof url);
    for (unsigned hop = 0; hop < HOP_LIMIT; hop++) {
        seen[hop] = follow_hash(follow);
        for (unsigned i = 0; i < hop; i++) {
            if (seen[i] != seen[hop])
                continue;
            tell_loop(search, facts->undecided);
            return true;
        }
        if (!follow_step(follow) || !known_hosts_reach(search->hosts, key->host, follow->key.host))
            return false;
        rules[hop] = rule_places_find(search->places, follow->answer.place);
        if (rules[hop] == RULE_PLACES_NONE)
            return false;
    }
    tell_growth(search, rules, HOP_LIMIT, url, first_size);
    return true;
}

/* The start of a walk that came back, as requests. */
static bool try_start(struct search *search, const struct symbolic *symbolic)
{
    static const struct { struct slice one, rest; } fillings[] = {
        { { "x", 1 }, { "", 0 } }, { { "x", 1 }, { "x", 1 } }, { { "any", 3 }, { "any/x", 5 } }
    };
    const struct plan_rule *rule = &search->plan->rules[search->walk[0]];
    const struct plan_site *site = &search->plan->sites[search->plan->actions[rule->action].site];
    bool has_sample = sample_source(rule, SLICE("x"), &search->sample);
    struct loop_facts facts;
    char host[URL_HOST_LIMIT + 1];

    if (!loop_facts_collect(&facts, search->arena, search->plan, search->walk, search->depth))
        return false;
    for (size_t f = 0; f < sizeof fillings / sizeof *fillings; f++) {
        struct request_key key = { .host = known_hosts_example(&site->hosts[0], host) };
        size_t size;

        if (!symbolic_write_start(symbolic, fillings[f].one, fillings[f].rest, search->path, sizeof search->path,
                                  &size))
            continue;
        key.path = slice_of(search->path, size);
        if (has_sample && search->sample.has_query) {
            key.has_query = true;
            key.query = sample_query(&search->sample);
        }
        for (unsigned s = 0; s < 2; s++) {
            key.scheme = s ? SLICE("https") : SLICE("http");
            key.port = site->hosts[0].port ? site->hosts[0].port : url_default_port(key.scheme);
            request_facts_bind(&facts.request, search->regex, &key);
            for (unsigned m = 0; m < search->method_count; m++) {
                key.method = search->methods[m];
                if (ask(search, &key, &facts))
                    return true;
            }
        }
    }
    return false;
}

/* ---- the walk ---- */

/* The lines of a rule one by one: targets of a choice, or the one there is. False: there is no such line. */
static bool target_of(const struct plan_rule *rule, uint32_t line, const struct plan_template **template,
                      struct slice *target)
{
    if (!plan_choice(rule)) {
        *template = plan_template(rule);
        *target = plan_target(rule);
        return line == 0 && (plan_template(rule) || plan_target(rule).size);
    }
    if (line >= plan_choice(rule)->line_count)
        return false;
    *template = plan_choice(rule)->lines[line].template;
    *target = plan_choice(rule)->lines[line].target;
    return true;
}

enum scheme { SCHEME_UNKNOWN, SCHEME_HTTP, SCHEME_HTTPS };

/* Where a walk is, as far as it is known. */
struct origin {
    uint32_t site;      /* that the walk came from, where no target named a host since */
    struct slice host;  /* that a target named, as it is written; else empty */
    enum scheme scheme;
};

static bool has_open_host(const struct plan_site *site)
{
    for (uint32_t i = 0; i < site->host_count; i++)
        if (site->hosts[i].kind != PLAN_HOST_EXACT)
            return true;
    return false;
}

static bool names_host(const struct plan_site *site, struct slice host)
{
    for (uint32_t i = 0; i < site->host_count; i++)
        if (site->hosts[i].name.size == host.size &&
            (host.size == 0 || strncasecmp(site->hosts[i].name.data, host.data, host.size) == 0))
            return true;
    return false;
}

/* The scheme that the rule asks for. */
static enum scheme asked_scheme(const struct plan_action *action)
{
    for (uint32_t i = 0; i < action->condition_count; i++) {
        const struct plan_condition *condition = &action->conditions[i];

        if (condition->kind != PLAN_CONDITION_SCHEME || condition->value_count != 1)
            continue;
        bool is_http = slice_equal(condition->values[0], SLICE("http")) != condition->is_unless;
        return is_http ? SCHEME_HTTP : SCHEME_HTTPS;
    }
    return SCHEME_UNKNOWN;
}

/* False: the rule is for other hosts, or another scheme. */
static bool takes_origin(const struct search *search, struct origin origin, uint32_t rule)
{
    const struct plan *plan = search->plan;
    const struct plan_action *action = &plan->actions[plan->rules[rule].action];
    const struct plan_site *site = &plan->sites[action->site], *from = &plan->sites[origin.site];
    enum scheme asked = asked_scheme(action);

    if (asked != SCHEME_UNKNOWN && origin.scheme != SCHEME_UNKNOWN && asked != origin.scheme)
        return false;
    if (has_open_host(site))
        return true;
    if (origin.host.size)
        return names_host(site, origin.host);
    if (action->site == origin.site || has_open_host(from))
        return true;
    for (uint32_t i = 0; i < from->host_count; i++)
        if (names_host(site, from->hosts[i].name))
            return true;
    return false;
}

static struct origin next_origin(const struct search *search, struct origin origin, const struct plan_rule *rule,
                                 const struct plan_template *template, struct slice target)
{
    const struct plan_action *action = &search->plan->actions[rule->action];
    struct url_parts parts;

    if (asked_scheme(action) != SCHEME_UNKNOWN)
        origin.scheme = asked_scheme(action);
    if (template && template->is_https)
        origin.scheme = SCHEME_HTTPS;
    if (template && template->piece_count) {
        const struct plan_piece *piece = &template->pieces[0];

        if (piece->kind == PLAN_PIECE_TEXT && piece->place != PLAN_IN_AUTHORITY)
            target = piece->text;
        else if (piece->place == PLAN_IN_AUTHORITY) /* one of several hosts: `site *` takes them all */
            return (struct origin){ .site = 0 };
    }
    if (!url_split(target, &parts) || !parts.has_authority)
        return origin;
    origin.host = parts.host;
    origin.scheme = parts.scheme.size == 5 ? SCHEME_HTTPS : SCHEME_HTTP;
    return origin;
}

/* A circle that goes through a rule twice is found from that rule. */
static bool is_in_walk(const struct search *search, uint32_t rule)
{
    for (unsigned d = 1; d < search->depth; d++)
        if (search->walk[d] == rule)
            return true;
    return false;
}

/* Conditions that hold for a request hold for the next one, too, but for method and scheme. */
static bool excludes_walk(const struct search *search, uint32_t rule)
{
    const struct plan *plan = search->plan;
    const struct plan_action *action = &plan->actions[plan->rules[rule].action];

    for (unsigned d = 0; d < search->depth; d++) {
        const struct plan_action *other = &plan->actions[plan->rules[search->walk[d]].action];

        for (uint32_t i = 0; i < action->condition_count; i++) {
            enum plan_condition_kind kind = action->conditions[i].kind;

            if (kind == PLAN_CONDITION_METHOD || kind == PLAN_CONDITION_SCHEME || kind == PLAN_CONDITION_QUERY)
                continue;
            for (uint32_t k = 0; k < other->condition_count; k++)
                if (conditions_exclude(plan, &action->conditions[i], &other->conditions[k]))
                    return true;
        }
    }
    return false;
}

static void walk_on(struct search *search, const struct symbolic *state, struct origin origin);

/* `state` matches the rule; each of its targets is followed. */
static void take_rule(struct search *search, uint32_t number, const struct symbolic *state, struct origin origin)
{
    const struct plan_rule *rule = &search->plan->rules[number];
    const struct plan_template *template;
    struct slice target;

    search->walk[search->depth++] = number;
    struct symbolic *next = &search->states[search->depth];
    for (uint32_t line = 0; target_of(rule, line, &template, &target) && !search->is_found; line++) {
        if (!template && target.size == 0)
            continue;
        symbolic_copy(next, state);
        memcpy(next->captures, state->captures, sizeof next->captures);
        if (symbolic_follow(next, search->arena, template, target))
            walk_on(search, next, next_origin(search, origin, rule, template, target));
    }
    search->depth--;
}

static void walk_on(struct search *search, const struct symbolic *state, struct origin origin)
{
    uint32_t first = search->walk[0], circle = search->graph.circle[first];
    struct symbolic matched;

    symbolic_copy(&matched, state);
    memset(matched.captures, 0, sizeof matched.captures);
    if (symbolic_close(&matched))
        search->is_found = try_start(search, &matched);
    if (search->is_found || search->depth > DEPTH_LIMIT - 1)
        return;
    for (uint32_t m = search->graph.member_first[circle]; m < search->graph.member_first[circle + 1]; m++) {
        uint32_t rule = search->graph.members[m];

        if (search->steps >= STEP_LIMIT || search->all_steps >= ALL_STEP_LIMIT) {
            search->ran_out = true;
            return;
        }
        if (!symbolic_may_match(state, &search->plan->rules[rule]) || is_in_walk(search, rule) ||
            !takes_origin(search, origin, rule))
            continue;
        search->steps++;
        search->all_steps++;
        symbolic_copy(&matched, state);
        if (!symbolic_match(&matched, &search->plan->rules[rule]) || excludes_walk(search, rule))
            continue;
        /* Back at the first rule: it may go on for ever. */
        if (rule == first) {
            search->is_found = try_start(search, &matched);
            continue;
        }
        take_rule(search, rule, &matched, origin);
        if (search->is_found)
            return;
    }
}

static bool has_other_condition(const struct plan_action *action)
{
    for (uint32_t i = 0; i < action->condition_count; i++)
        if (action->conditions[i].kind != PLAN_CONDITION_METHOD && action->conditions[i].kind != PLAN_CONDITION_SCHEME)
            return true;
    return false;
}

/* What check_loops does not follow. */
static bool is_special(const struct plan *plan, const struct plan_rule *rule)
{
    const struct plan_action *action = &plan->actions[rule->action];

    return !action->is_pass &&
           (plan_template(rule) || plan_choice(rule) || (plan_target(rule).size && has_other_condition(action)));
}

static void tell_undecided(struct search *search, uint32_t rule, const char *why)
{
    diag_warning(search->diag, DIAG_LOOP_UNDECIDED, search->plan->rules[rule].span,
                 "whether this redirect can lead back to itself is not decided: %s", why);
}

/* One message a circle, where no loop was found in it. */
static void walk_circle(struct search *search, uint32_t circle)
{
    uint32_t from = search->graph.member_first[circle], to = search->graph.member_first[circle + 1];
    uint32_t unknown = RULE_PLACES_NONE, unfinished = RULE_PLACES_NONE;
    bool has_found = false;

    for (uint32_t m = from; m < to; m++) {
        uint32_t number = search->graph.members[m];
        const struct plan_rule *rule = &search->plan->rules[number];

        if (plan_pattern(rule) && plan_pattern(rule)->regex.size && unknown == RULE_PLACES_NONE)
            unknown = number;
        if (!is_special(search->plan, rule) || search->is_reported[number] ||
            !symbolic_begin(&search->states[0], rule) || !symbolic_match(&search->states[0], rule))
            continue;
        search->depth = 0;
        search->steps = 0;
        search->is_found = search->ran_out = false;
        take_rule(search, number, &search->states[0], (struct origin){ .site = search->plan->actions[rule->action].site });
        has_found |= search->is_found;
        if (search->ran_out && unfinished == RULE_PLACES_NONE)
            unfinished = number;
    }
    if (has_found)
        return;
    if (unknown != RULE_PLACES_NONE)
        tell_undecided(search, unknown, "a regex is not looked into");
    else if (unfinished != RULE_PLACES_NONE)
        tell_undecided(search, unfinished, "too many rules lead to each other to follow them all");
}

static void add_method(struct search *search, struct slice method)
{
    for (unsigned i = 0; i < search->method_count; i++)
        if (slice_equal(search->methods[i], method))
            return;
    if (search->method_count < METHOD_LIMIT)
        search->methods[search->method_count++] = method;
}

static void find_methods(struct search *search)
{
    add_method(search, SLICE("GET"));
    for (uint32_t i = 0; i < search->plan->action_count; i++) {
        const struct plan_action *action = &search->plan->actions[i];

        for (uint32_t k = 0; k < action->condition_count; k++) {
            if (action->conditions[k].kind != PLAN_CONDITION_METHOD)
                continue;
            add_method(search, SLICE("POST"));
            for (uint32_t v = 0; v < action->conditions[k].value_count; v++)
                add_method(search, action->conditions[k].values[v]);
        }
    }
}

void check_pattern_loops(const struct plan *plan, const struct ruleset *ruleset, struct diag *diag)
{
    bool has_any = false;

    for (uint32_t i = 0; i < plan->rule_count && !has_any; i++)
        has_any = is_special(plan, &plan->rules[i]);
    if (!has_any)
        return;

    struct search *search = memory_resize(NULL, 1, sizeof *search);
    memset(search, 0, sizeof *search);
    search->plan = plan;
    search->ruleset = ruleset;
    search->diag = diag;
    search->arena = arena_open();
    search->hosts = known_hosts_open(plan);
    search->regex = regex_scratch_open();
    loop_graph_open(&search->graph, plan);
    if (search->graph.circle_count) {
        search->is_reported = arena_array(search->arena, plan->rule_count + 1u, sizeof(bool));
        search->places = rule_places_open(plan);
        find_methods(search);
        for (uint32_t c = 1; c <= search->graph.circle_count; c++)
            walk_circle(search, c);
        rule_places_close(search->places);
    }
    loop_graph_close(&search->graph);
    known_hosts_close(search->hosts);
    regex_scratch_close(search->regex);
    arena_close(search->arena);
    free(search);
}
