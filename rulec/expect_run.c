/* SPDX-License-Identifier: Apache-2.0 */
/* Asks the engine what the rules' own tests want to know. It knows nothing of how an answer is found: it makes a
 * request, asks, and compares. */
#include "config.h"

#include "rulec/expect_run.h"

#include "rulec/request_text.h"

#include "grammar/arena.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

/* Where a rule stands, for finding the rule that answered instead of another one. */
struct placed_rule {
    uint32_t place;
    uint32_t rule;
};

struct expect_runner {
    const struct plan *plan;
    const struct ruleset *ruleset;
    struct request_base base;
    struct placed_rule *placed; /* sorted by place; made when first needed */
    uint32_t answered_at;
    char wanted[EXPECT_TEXT_SIZE];
    char got[EXPECT_TEXT_SIZE];
    char host[2 * URL_HOST_LIMIT + 2];
    struct answer_scratch scratch;
};

struct expect_runner *expect_runner_open(const struct plan *plan, const struct ruleset *ruleset)
{
    struct expect_runner *runner = memory_resize(NULL, 1, sizeof *runner);

    runner->plan = plan;
    runner->ruleset = ruleset;
    runner->placed = NULL;
    runner->answered_at = 0;
    runner->wanted[0] = runner->got[0] = '\0';
    request_base_init(&runner->base);
    return runner;
}

void expect_runner_close(struct expect_runner *runner)
{
    if (!runner)
        return;
    free(runner->placed);
    free(runner);
}

const char *expect_wanted(const struct expect_runner *runner) { return runner->wanted; }
const char *expect_got(const struct expect_runner *runner) { return runner->got; }
uint32_t expect_answered_at(const struct expect_runner *runner) { return runner->answered_at; }

/* "307 /b", "410", "pass". */
static void write_answer(char text[EXPECT_TEXT_SIZE], const struct answer *answer)
{
    if (answer->outcome != ANSWER_SEND)
        snprintf(text, EXPECT_TEXT_SIZE, answer->outcome == ANSWER_PASS ? "pass" : "pass (no rule answers)");
    else if (answer->location.size)
        snprintf(text, EXPECT_TEXT_SIZE, "%u %.*s", answer->status, (int)answer->location.size, answer->location.data);
    else
        snprintf(text, EXPECT_TEXT_SIZE, "%u", answer->status);
}

static void ask(struct expect_runner *runner, const struct request_key *key, struct answer *answer)
{
    answer_request(runner->ruleset, key, &runner->scratch, NULL, answer);
    runner->answered_at = answer->outcome == ANSWER_NONE ? 0 : answer->place;
}

static bool is_name(struct slice name, const char *other)
{
    return strlen(other) == name.size && strncasecmp(name.data, other, name.size) == 0;
}

/* A field of the response, by its name without regard to case. Empty: it is not sent. */
static struct slice response_field(const struct expect_runner *runner, const struct answer *answer, struct slice name)
{
    struct slice field_name, value;

    if (is_name(name, "Location"))
        return answer->location;
    if (is_name(name, "Cache-Control"))
        return answer->cache_control;
    if (is_name(name, "Vary"))
        return answer->vary;
    for (unsigned i = 0; answer->headers && answer_header(runner->ruleset, answer->headers, i, &field_name, &value); i++)
        if (field_name.size == name.size && strncasecmp(field_name.data, name.data, name.size) == 0)
            return value;
    return slice_of(NULL, 0);
}

static enum expect_verdict compare_fields(struct expect_runner *runner, const struct plan_expect *expect,
                                          const struct answer *answer)
{
    for (uint32_t i = 0; i < expect->header_count; i++) {
        const struct plan_header *header = &expect->headers[i];
        struct slice value = response_field(runner, answer, header->name);

        if (slice_equal(value, header->value))
            continue;
        snprintf(runner->wanted, sizeof runner->wanted, "%.*s: %.*s", (int)header->name.size, header->name.data,
                 (int)header->value.size, header->value.data);
        if (value.size)
            snprintf(runner->got, sizeof runner->got, "%.*s: %.*s", (int)header->name.size, header->name.data,
                     (int)value.size, value.data);
        else
            snprintf(runner->got, sizeof runner->got, "no field %.*s", (int)header->name.size, header->name.data);
        return EXPECT_FAILS;
    }
    return EXPECT_HOLDS;
}

static void write_wanted(struct expect_runner *runner, const struct plan_expect *expect)
{
    size_t size = 0;

    if (expect->expects_pass)
        snprintf(runner->wanted, sizeof runner->wanted, "pass");
    if (expect->expects_pass)
        return;
    if (expect->status)
        size = (size_t)snprintf(runner->wanted, sizeof runner->wanted, "%u", expect->status);
    if (expect->has_target)
        snprintf(runner->wanted + size, sizeof runner->wanted - size, "%s%.*s", size ? " " : "",
                 (int)expect->target.size, expect->target.data);
}

static bool has_field(const struct plan_expect *expect, const char *name)
{
    for (uint32_t i = 0; i < expect->field_count; i++)
        if (is_name(expect->fields[i].name, name))
            return true;
    return false;
}

enum expect_verdict expect_run_line(struct expect_runner *runner, const struct plan_expect *expect)
{
    struct request_key key;
    struct answer answer;
    bool holds;
    const char *wrong = request_from_url(expect->method, expect->url, &runner->base, runner->host, &key);

    write_wanted(runner, expect);
    if (wrong) {
        snprintf(runner->got, sizeof runner->got, "no request: %s", wrong);
        runner->answered_at = 0;
        return EXPECT_FAILS;
    }
    key.is_preflight = slice_equal(key.method, SLICE("OPTIONS")) && has_field(expect, "Origin") &&
                       has_field(expect, "Access-Control-Request-Method");
    ask(runner, &key, &answer);
    write_answer(runner->got, &answer);
    if (expect->expects_pass)
        holds = answer.outcome != ANSWER_SEND;
    else
        holds = answer.outcome == ANSWER_SEND && (!expect->status || expect->status == answer.status) &&
                (!expect->has_target || slice_equal(expect->target, answer.location));
    return holds ? compare_fields(runner, expect, &answer) : EXPECT_FAILS;
}

/* A request's host that the rule's site takes. */
static void choose_host(struct expect_runner *runner, const struct plan_action *action, struct request_key *key)
{
    const struct plan_site *site = &runner->plan->sites[action->site];
    const struct plan_host *host = site->host_count ? &site->hosts[0] : NULL;
    int size = 0;

    if (!host || host->kind == PLAN_HOST_ANY)
        runner->host[0] = '\0';
    else /* "rulec-test" is one label, which `*.h.example` asks for */
        size = snprintf(runner->host, sizeof runner->host, "%s%.*s",
                        host->kind == PLAN_HOST_BELOW ? "rulec-test." : "", (int)host->name.size, host->name.data);
    key->host = slice_of(runner->host, (size_t)size);
    key->port = host && host->port ? host->port : url_default_port(key->scheme);
}

static int compare_places(const void *a, const void *b)
{
    const struct placed_rule *left = a, *right = b;

    return (left->place > right->place) - (left->place < right->place);
}

static uint32_t place_of(const struct plan *plan, uint32_t rule)
{
    return source_line_in_all(plan->sources, plan->rules[rule].span.at);
}

static const struct plan_rule *rule_at(struct expect_runner *runner, uint32_t place)
{
    const struct plan *plan = runner->plan;
    const struct placed_rule *found;

    if (!runner->placed) {
        runner->placed = memory_resize(NULL, plan->rule_count, sizeof *runner->placed);
        for (uint32_t i = 0; i < plan->rule_count; i++)
            runner->placed[i] = (struct placed_rule){ .place = place_of(plan, i), .rule = i };
        qsort(runner->placed, plan->rule_count, sizeof *runner->placed, compare_places);
    }
    found = bsearch(&(struct placed_rule){ .place = place }, runner->placed, plan->rule_count, sizeof *runner->placed,
                    compare_places);
    return found ? &plan->rules[found->rule] : NULL;
}

/* Is it right that the rule which answered stands before this one: by `override`, or by conditions that hold? */
static bool may_stand_before(struct expect_runner *runner, const struct plan_action *action, uint32_t place)
{
    const struct plan_rule *other = place ? rule_at(runner, place) : NULL;
    const struct plan_action *others;

    if (!other)
        return false;
    others = &runner->plan->actions[other->action];
    return (others->is_override && !action->is_override) || others->condition_count > 0;
}

static bool answers_as_written(const struct plan_rule *rule, const struct plan_action *action, unsigned status,
                               const struct answer *answer, uint32_t place)
{
    if (action->is_pass)
        return answer->outcome == ANSWER_PASS && answer->place == place;
    if (answer->outcome != ANSWER_SEND || answer->status != status)
        return false;
    /* With placeholders the target is the engine's work: that this rule gave it is the test. */
    return rule->template ? answer->place == place : slice_equal(rule->target, answer->location);
}

enum expect_verdict expect_run_rule(struct expect_runner *runner, uint32_t rule_index)
{
    /* Conditions on method or scheme of another rule with the same source may leave only some requests to this one. */
    static const struct { const char *method, *scheme; } variants[] = {
        { "GET", "http" }, { "GET", "https" }, { "POST", "http" }, { "POST", "https" },
    };
    const struct plan_rule *rule = &runner->plan->rules[rule_index];
    const struct plan_action *action = &runner->plan->actions[rule->action];
    uint32_t place = place_of(runner->plan, rule_index);
    bool others_may = true;

    runner->wanted[0] = runner->got[0] = '\0';
    if (rule->pattern || rule->path.size == 0 || action->condition_count > 0)
        return EXPECT_SKIPPED;
    for (unsigned i = 0; i < sizeof variants / sizeof *variants; i++) {
        struct request_key key = { .method = slice_from_string(variants[i].method),
                                   .scheme = slice_from_string(variants[i].scheme), .path = rule->path };
        unsigned status = i < 2 ? action->status_get : action->status_other;
        struct answer answer;

        choose_host(runner, action, &key);
        ask(runner, &key, &answer);
        if (answers_as_written(rule, action, status, &answer, place))
            return EXPECT_HOLDS;
        if (!may_stand_before(runner, action, answer.outcome == ANSWER_NONE ? 0 : answer.place))
            others_may = false;
        if (i > 0 && others_may)
            continue;
        if (action->is_pass)
            snprintf(runner->wanted, sizeof runner->wanted, "pass");
        else if (rule->target.size)
            snprintf(runner->wanted, sizeof runner->wanted, "%u %.*s", status, (int)rule->target.size, rule->target.data);
        else
            snprintf(runner->wanted, sizeof runner->wanted, "%u by this rule", status);
        write_answer(runner->got, &answer);
        if (!others_may)
            break;
    }
    return others_may ? EXPECT_SKIPPED : EXPECT_FAILS;
}

size_t expect_check(const struct plan *plan, const struct ruleset *ruleset, struct diag *diag)
{
    struct expect_runner *runner = expect_runner_open(plan, ruleset);
    size_t held = 0;

    for (uint32_t i = 0; i < plan->expect_count; i++) {
        const struct plan_expect *expect = &plan->expects[i];

        if (expect_run_line(runner, expect) == EXPECT_HOLDS) {
            held++;
            continue;
        }
        diag_error(diag, DIAG_EXPECT_FAILED, expect->span, "%.*s \"%.*s\" is expected to give \"%s\", but gives \"%s\"",
                   (int)expect->method.size, expect->method.data, (int)expect->url.size, expect->url.data,
                   runner->wanted, runner->got);
        if (runner->answered_at) {
            const struct plan_rule *rule = rule_at(runner, runner->answered_at);

            if (rule)
                diag_note(diag, rule->span, "by this rule");
        }
    }
    expect_runner_close(runner);
    return held;
}
