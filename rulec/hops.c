/* SPDX-License-Identifier: Apache-2.0 */
/* The engine is asked, so all that it knows of ranks, folding and queries holds here. */
#include "config.h"

#include "rulec/hops.h"

#include "mod_redir307/regex.h"
#include "rulec/known_hosts.h"
#include "rulec/rule_places.h"
#include "rulec/sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct hops {
    const struct plan *plan;
    const struct ruleset *ruleset;
    struct known_hosts *hosts;
    struct rule_places *places; /* made when first needed */
    struct regex_scratch *regex;
    int64_t now_s;
    char first_host[URL_HOST_LIMIT + 1];
    char before[ANSWER_LOCATION_LIMIT + 1]; /* a state that was left */
    struct sample sample;
    struct follow follow;
};

struct hops *hops_open(const struct plan *plan, const struct ruleset *ruleset)
{
    struct hops *hops = memory_resize(NULL, 1, sizeof *hops);

    hops->plan = plan;
    hops->ruleset = ruleset;
    hops->hosts = known_hosts_open(plan);
    hops->places = NULL;
    hops->regex = regex_scratch_open();
    hops->now_s = plan->now_s ? plan->now_s : (int64_t)time(NULL);
    hops->sample.size = hops->sample.path_size = 0;
    return hops;
}

void hops_close(struct hops *hops)
{
    known_hosts_close(hops->hosts);
    rule_places_close(hops->places);
    regex_scratch_close(hops->regex);
    free(hops);
}

static uint32_t rule_at(struct hops *hops, uint32_t place)
{
    if (!hops->places)
        hops->places = rule_places_open(hops->plan);
    return rule_places_find(hops->places, place);
}

static bool names_value(const struct plan_condition *condition, struct slice value)
{
    for (uint32_t i = 0; i < condition->value_count; i++)
        if (slice_equal(condition->values[i], value))
            return true;
    return false;
}

/* The plain choice where the condition lets it, else what it names. */
static struct slice choose(const struct plan_condition *condition, struct slice plain, struct slice other)
{
    bool names_plain = names_value(condition, plain);

    if (names_plain != condition->is_unless)
        return plain;
    return condition->is_unless ? other : condition->values[0];
}

/* The plain state of the rule's site, method and scheme. */
static void set_key(struct hops *hops, const struct plan_action *action, struct request_key *key)
{
    const struct plan_host *host = &hops->plan->sites[action->site].hosts[0];

    *key = (struct request_key){ .method = SLICE("GET"), .scheme = SLICE("http"), .time_s = hops->now_s,
                                 .regex = hops->regex };
    for (uint32_t i = 0; i < action->condition_count; i++) {
        const struct plan_condition *condition = &action->conditions[i];

        if (condition->kind == PLAN_CONDITION_METHOD && condition->value_count)
            key->method = choose(condition, key->method, SLICE("POST"));
        if (condition->kind == PLAN_CONDITION_SCHEME && condition->value_count)
            key->scheme = choose(condition, key->scheme, SLICE("https"));
    }
    key->host = known_hosts_example(host, hops->first_host);
    key->port = host->port ? host->port : url_default_port(key->scheme);
}

static bool is_get(struct slice method)
{
    return slice_equal(method, SLICE("GET")) || slice_equal(method, SLICE("HEAD"));
}

static bool start_fixed(struct hops *hops, const struct plan_rule *rule)
{
    const struct plan_action *action = &hops->plan->actions[rule->action];
    struct follow *follow = &hops->follow;
    struct request_key key;

    if (known_hosts_leave(hops->hosts, plan_target(rule)))
        return false;
    set_key(hops, action, &key);
    unsigned status = is_get(key.method) ? action->status_get : action->status_other;
    follow_start(follow, hops->ruleset, &key);
    if (!follow_to(follow, plan_target(rule)))
        return false;
    follow->key.method = follow_method_after(key.method, status);
    return known_hosts_reach(hops->hosts, key.host, follow->key.host);
}

static bool start_template(struct hops *hops, uint32_t number)
{
    const struct plan_rule *rule = &hops->plan->rules[number];
    struct follow *follow = &hops->follow;
    struct request_key key;

    if (plan_template(rule)->piece_count && plan_template(rule)->pieces[0].kind == PLAN_PIECE_TEXT &&
        plan_template(rule)->pieces[0].place == PLAN_IN_PATH &&
        known_hosts_leave(hops->hosts, plan_template(rule)->pieces[0].text))
        return false;
    if (!sample_source(rule, SLICE("any"), &hops->sample))
        return false;
    set_key(hops, &hops->plan->actions[rule->action], &key);
    key.path = sample_path(&hops->sample);
    key.has_query = hops->sample.has_query;
    key.query = sample_query(&hops->sample);
    follow_start(follow, hops->ruleset, &key);
    if (!follow_step(follow) || rule_at(hops, follow->answer.place) != number)
        return false;
    return known_hosts_reach(hops->hosts, key.host, follow->key.host);
}

bool hops_start(struct hops *hops, uint32_t number)
{
    const struct plan_rule *rule = &hops->plan->rules[number];

    if (hops->plan->actions[rule->action].is_pass || plan_choice(rule))
        return false;
    if (plan_template(rule))
        return start_template(hops, number);
    return plan_target(rule).size && start_fixed(hops, rule);
}

/* Behind the first `size` bytes of hops->before, as far as there is room. */
static size_t put(struct hops *hops, size_t size, struct slice text)
{
    if (text.size > sizeof hops->before - size)
        text.size = sizeof hops->before - size;
    if (text.size)
        memcpy(hops->before + size, text.data, text.size);
    return size + text.size;
}

/* Path and query of the present state, kept in hops->before. */
static struct slice keep_state(struct hops *hops)
{
    const struct request_key *key = &hops->follow.key;
    size_t size = put(hops, 0, key->path);

    if (key->has_query)
        size = put(hops, put(hops, size, SLICE("?")), key->query);
    return slice_of(hops->before, size);
}

static bool is_upgrade(const struct hops *hops, struct slice before, struct slice host_before, bool was_http)
{
    const struct request_key *key = &hops->follow.key;
    struct slice query = key->has_query ? key->query : slice_of(NULL, 0);

    return was_http && slice_equal(key->scheme, SLICE("https")) && slice_equal(key->host, host_before) &&
           slice_starts_with(before, key->path) &&
           before.size == key->path.size + (key->has_query ? 1 + query.size : 0) &&
           (query.size == 0 || memcmp(before.data + key->path.size + 1, query.data, query.size) == 0);
}

bool hops_step(struct hops *hops, struct hop *hop)
{
    struct follow *follow = &hops->follow;
    struct slice before = keep_state(hops);
    bool was_http = slice_equal(follow->key.scheme, SLICE("http"));
    char host[URL_HOST_LIMIT + 1];
    size_t host_size = follow->key.host.size;

    if (host_size)
        memcpy(host, follow->key.host.data, host_size);
    bool goes_on = follow_step(follow);
    bool answers = follow->answer.outcome != ANSWER_NONE;
    *hop = (struct hop){ .rule = answers ? rule_at(hops, follow->answer.place) : (uint32_t)HOPS_NO_RULE,
                         .status = follow->answer.outcome == ANSWER_SEND ? follow->answer.status : 0,
                         .location = follow->answer.location };
    if (!goes_on)
        return false;
    hop->is_upgrade = is_upgrade(hops, before, slice_of(host, host_size), was_http);
    return true;
}

void hops_url(const struct hops *hops, char *buffer, size_t size)
{
    const struct request_key *key = &hops->follow.key;

    if (!known_hosts_is_example(key->host)) {
        follow_url(&hops->follow, buffer, size);
        return;
    }
    snprintf(buffer, size, "%.*s%s%.*s", (int)key->path.size, key->path.data, key->has_query ? "?" : "",
             (int)(key->has_query ? key->query.size : 0), key->has_query ? key->query.data : "");
}
