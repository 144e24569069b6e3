/* SPDX-License-Identifier: Apache-2.0 */
/* Goes round with the engine, and keeps which rule gave each answer. */
#include "config.h"

#include "rulec/loop_report.h"

#include "rulec/condition_logic.h"
#include "rulec/known_hosts.h"
#include "rulec/loop_methods.h"
#include "rulec/rule_places.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    SHOWN_HOPS = 8,
    ROUND_LIMIT = 1 << 20 /* hops of a loop */
};

void loop_report_open(struct loop_report *report, const struct plan *plan, struct diag *diag)
{
    *report = (struct loop_report){ .plan = plan, .diag = diag };
    report->is_reported = memory_resize(NULL, plan->rule_count + 1u, sizeof(bool));
    memset(report->is_reported, 0, plan->rule_count + 1u);
}

void loop_report_close(struct loop_report *report)
{
    if (report->places)
        rule_places_close(report->places);
    free(report->is_reported);
}

void loop_report_url(const struct follow *follow, char buffer[LOOP_URL_SIZE])
{
    const struct request_key *key = &follow->key;

    if (!known_hosts_is_example(key->host)) {
        follow_url(follow, buffer, LOOP_URL_SIZE);
        return;
    }
    snprintf(buffer, LOOP_URL_SIZE, "%.*s%s%.*s", (int)key->path.size, key->path.data, key->has_query ? "?" : "",
             (int)(key->has_query ? key->query.size : 0), key->has_query ? key->query.data : "");
}

uint32_t loop_report_rule(struct loop_report *report, const struct follow *follow)
{
    if (!report->places)
        report->places = rule_places_open(report->plan);
    return rule_places_find(report->places, follow->answer.place);
}

/* By luck, or by what the machine is doing. */
static const char *luck_of(const struct plan *plan, const struct plan_rule *rule)
{
    const struct plan_action *action = &plan->actions[rule->action];

    for (uint32_t i = 0; i < action->condition_count; i++) {
        enum plan_condition_kind kind = action->conditions[i].kind;

        if (kind == PLAN_CONDITION_CHANCE || kind == PLAN_CONDITION_BUSY || kind == PLAN_CONDITION_ENV)
            return condition_name(kind);
    }
    if (plan_choice(rule) && plan_choice(rule)->by == PLAN_BY_CHANCE)
        return "by chance";
    return plan_choice(rule) && plan_choice(rule)->by == PLAN_BY_CLIENT ? "by client" : NULL;
}

/* Goes round once, to the state with the shortest URL. False: it does not come again. */
static bool go_to_shortest(struct follow *follow)
{
    uint64_t start = follow_hash(follow);
    size_t shortest = SIZE_MAX;
    unsigned best = 0, hops = 0;

    do {
        size_t size = follow->key.path.size + (follow->key.has_query ? 1 + follow->key.query.size : 0);

        if (size < shortest) {
            shortest = size;
            best = hops;
        }
        hops++;
        if (!follow_step(follow))
            return false;
    } while (follow_hash(follow) != start && hops < ROUND_LIMIT);
    for (unsigned i = 0; i < best; i++)
        if (!follow_step(follow))
            return false;
    return true;
}

/* Each rule once, for a walk may go through it again with another path. */
static void tell_hops(struct loop_report *report, const uint32_t *rules, unsigned hops)
{
    for (unsigned i = 1; i < hops && i < SHOWN_HOPS; i++) {
        unsigned first = 0;

        while (rules[first] != rules[i])
            first++;
        if (first == i)
            diag_note(report->diag, report->plan->rules[rules[i]].span, "through this rule");
    }
}

/* The source is one path, with at most parameters of one value each. */
static bool has_one_source(const struct plan_rule *rule)
{
    const struct plan_pattern *pattern = plan_pattern(rule);
    struct slice value;

    if (pattern && (pattern->regex.size || pattern->capture_count || pattern->tail != PLAN_TAIL_NONE))
        return false;
    for (uint32_t i = 0; pattern && i < pattern->parameter_count; i++)
        if (!plan_parameter_value(&pattern->parameters[i], &value))
            return false;
    return true;
}

/* A `pass` with the rule's own parameters stands before it; one without them would stand behind. */
static void help_with_pass(struct loop_report *report, const struct follow *follow, const struct plan_rule *rule)
{
    const struct plan_pattern *pattern = plan_pattern(rule);
    struct slice path = follow->key.path, query = follow->key.query;
    bool has_query = follow->key.has_query && pattern && pattern->parameter_count > 0;

    diag_help(report->diag, "\"%.*s%s%.*s pass\"%s would end it there", (int)path.size, path.data, has_query ? "?" : "",
              has_query ? (int)query.size : 0, has_query ? query.data : "",
              has_one_source(rule) ? " in place of this rule" : "");
}

void loop_report_tell(struct loop_report *report, struct follow *follow)
{
    const struct plan_rule *rules = report->plan->rules;
    uint32_t through[SHOWN_HOPS];
    char url[LOOP_URL_SIZE];
    const char *luck = NULL;
    unsigned hops = 0;
    bool is_known = true;

    if (!go_to_shortest(follow))
        return;
    uint64_t start = follow_hash(follow);
    struct slice method = follow->key.method;
    loop_report_url(follow, url);
    do {
        if (!follow_step(follow))
            return;
        uint32_t rule = loop_report_rule(report, follow);
        if (rule == RULE_PLACES_NONE)
            return;
        is_known &= report->is_reported[rule];
        report->is_reported[rule] = true;
        if (!luck)
            luck = luck_of(report->plan, &rules[rule]);
        if (hops < SHOWN_HOPS)
            through[hops] = rule;
        hops++;
    } while (follow_hash(follow) != start && hops < ROUND_LIMIT);
    if (is_known)
        return;
    if (slice_equal(method, LOOP_OTHER_METHOD))
        method = SLICE("other methods");
    bool is_get = slice_equal(method, SLICE("GET"));
    if (luck)
        diag_warning(report->diag, DIAG_LOOP_UNDECIDED, rules[through[0]].span,
                     "redirect \"%s\" may lead back to itself: \"%s\" decides", url, luck);
    else
        diag_error(report->diag, DIAG_LOOP, rules[through[0]].span, "redirect \"%s\" leads back to itself%s%s%.*s", url,
                   hops == 1 ? "" : hops == 2 ? " over another rule" : " over other rules", is_get ? "" : ", for ",
                   is_get ? 0 : (int)method.size, method.data);
    tell_hops(report, through, hops);
    help_with_pass(report, follow, &rules[through[0]]);
}

void loop_report_growth(struct loop_report *report, const struct follow *follow, const uint32_t *rules, unsigned hops,
                        const char *url, size_t first_size)
{
    if (report->is_reported[rules[0]])
        return;
    for (unsigned i = 0; i < hops && i < SHOWN_HOPS; i++)
        report->is_reported[rules[i]] = true;
    diag_warning(report->diag, DIAG_LOOP_UNDECIDED, report->plan->rules[rules[0]].span,
                 "redirect \"%s\" leads on and on: after %u hops its path has %zu bytes, %zu at first", url, hops,
                 follow->key.path.size, first_size);
    tell_hops(report, rules, hops);
    diag_help(report->diag, "a \"pass\" for what it leads to would end it");
}
