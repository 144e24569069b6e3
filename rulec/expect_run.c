/* SPDX-License-Identifier: Apache-2.0 */
/* Asks the engine what the rules' own tests want to know. It knows nothing of how an answer is found: it makes a
 * request, asks, and compares. */
#include "config.h"

#include "rulec/expect_run.h"

#include "rulec/expect_probe.h"
#include "rulec/http_ask.h"
#include "rulec/request_facts.h"
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
    struct arena *arena;           /* what one request needs */
    struct regex_scratch *regex;
    struct http_asker *server;     /* NULL: in process */
    struct request_facts facts;
    struct request_base base;
    struct expect_probes probes;
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
    runner->arena = arena_open();
    runner->regex = regex_scratch_open();
    runner->server = NULL;
    runner->placed = NULL;
    runner->answered_at = 0;
    expect_probes_clear(&runner->probes);
    runner->wanted[0] = runner->got[0] = '\0';
    request_base_init(&runner->base);
    return runner;
}

void expect_runner_close(struct expect_runner *runner)
{
    if (!runner)
        return;
    free(runner->placed);
    regex_scratch_close(runner->regex);
    arena_close(runner->arena);
    free(runner);
}

void expect_runner_against(struct expect_runner *runner, struct http_asker *server)
{
    runner->server = server;
}

const char *expect_wanted(const struct expect_runner *runner) { return runner->wanted; }
const char *expect_got(const struct expect_runner *runner) { return runner->got; }
uint32_t expect_answered_at(const struct expect_runner *runner) { return runner->answered_at; }

/* "307 /b", "410", "pass". */
static void write_answer(char text[EXPECT_TEXT_SIZE], const struct answer *answer)
{
    if (answer->outcome == ANSWER_NONE && answer->status)
        snprintf(text, EXPECT_TEXT_SIZE, "%u by the server itself", answer->status);
    else if (answer->outcome != ANSWER_SEND)
        snprintf(text, EXPECT_TEXT_SIZE, answer->outcome == ANSWER_PASS ? "pass" : "pass (no rule answers)");
    else if (answer->location.size)
        snprintf(text, EXPECT_TEXT_SIZE, "%u %.*s", answer->status, (int)answer->location.size, answer->location.data);
    else
        snprintf(text, EXPECT_TEXT_SIZE, "%u", answer->status);
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

/* A rule that was considered: would it think otherwise at another time? */
static void note_candidate(void *baton, uint32_t place, const char *why)
{
    struct expect_runner *runner = baton;
    const struct plan_rule *rule = rule_at(runner, place);

    (void)why;
    if (rule)
        expect_probes_note(&runner->probes, runner->plan, rule);
}

static void ask(struct expect_runner *runner, struct request_key *key, const struct answer_trace *trace,
                struct answer *answer)
{
    request_facts_bind(&runner->facts, runner->regex, key);
    answer_request(runner->ruleset, key, &runner->scratch, trace, answer);
    runner->answered_at = answer->outcome == ANSWER_NONE ? 0 : answer->place;
}

/* The same, and what the rules read on the way. */
static void ask_and_note(struct expect_runner *runner, struct request_key *key, struct answer *answer)
{
    const struct answer_trace trace = { .candidate = note_candidate, .baton = runner };

    expect_probes_clear(&runner->probes);
    ask(runner, key, &trace, answer);
}

/* Does any other time, draw or load give another answer than the one in `got`? */
static bool hangs_on(struct expect_runner *runner, const struct request_key *key, enum expect_probe_kind kind)
{
    char text[EXPECT_TEXT_SIZE];
    struct request_key probe = *key;
    struct answer answer;

    for (size_t i = 0; expect_probes_apply(&runner->probes, kind, i, &probe); i++) {
        answer_request(runner->ruleset, &probe, &runner->scratch, NULL, &answer);
        write_answer(text, &answer);
        if (strcmp(text, runner->got) != 0)
            return true;
    }
    return false;
}

/* "An expect whose answer depends on time, chance or busy must say it" (docs/language.md). NULL: this one need not. */
static const char *unsaid(struct expect_runner *runner, const struct plan_expect *expect,
                          const struct request_key *key)
{
    if (!expect->has_time && hangs_on(runner, key, EXPECT_PROBE_TIME))
        return "an answer that depends on the time: say at TIME";
    if (!expect->has_chance && hangs_on(runner, key, EXPECT_PROBE_CHANCE))
        return "an answer that depends on chance: say with { chance 5% }";
    if (!expect->has_busy && hangs_on(runner, key, EXPECT_PROBE_BUSY))
        return "an answer that depends on the load: say with { busy 90% }";
    return NULL;
}

static bool is_name(struct slice name, const char *other)
{
    return strlen(other) == name.size && strncasecmp(name.data, other, name.size) == 0;
}

/* A field of the response, by its name without regard to case. Empty: it is not sent. */
static struct slice response_field(const struct expect_runner *runner, const struct answer *answer, struct slice name)
{
    struct slice field_name, value;

    if (runner->server)
        return http_ask_field(runner->server, name);
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

static void set_facts(struct expect_runner *runner, const struct plan_expect *expect)
{
    struct request_facts *facts = &runner->facts;

    request_facts_init(facts, runner->arena);
    facts->has_chance = true;
    if (runner->plan->now_s)
        facts->time_s = runner->plan->now_s;
    if (!expect)
        return;
    request_facts_set_fields(facts, expect->fields, expect->field_count);
    facts->env = expect->env;
    facts->env_count = expect->env_count;
    facts->flags = expect->flags;
    facts->flag_count = expect->flag_count;
    if (expect->client.family) {
        facts->client.family = expect->client.family;
        memcpy(facts->client.address, expect->client.address, sizeof facts->client.address);
    }
    if (expect->has_time)
        facts->time_s = expect->time_s;
    facts->chance = expect->has_chance ? expect->chance : 0;
    facts->busy = expect->has_busy ? expect->busy : 0;
}

static enum expect_verdict judge(struct expect_runner *runner, const struct plan_expect *expect,
                                 const struct answer *answer)
{
    /* A server says by its status alone that a rule answered: 410 may be its own word as well. */
    bool has_answer = answer->outcome == ANSWER_SEND || (runner->server && answer->status);
    bool holds;

    write_answer(runner->got, answer);
    if (expect->expects_pass)
        holds = answer->outcome != ANSWER_SEND;
    else
        holds = has_answer && (!expect->status || expect->status == answer->status) &&
                (!expect->has_target || slice_equal(expect->target, answer->location));
    return holds ? compare_fields(runner, expect, answer) : EXPECT_FAILS;
}

static enum expect_verdict run_in_process(struct expect_runner *runner, const struct plan_expect *expect,
                                          struct request_key *key)
{
    struct answer answer;
    const char *missing;

    ask_and_note(runner, key, &answer);
    write_answer(runner->got, &answer);
    missing = unsaid(runner, expect, key);
    if (missing) {
        snprintf(runner->got, sizeof runner->got, "%s", missing);
        runner->answered_at = 0;
        return EXPECT_FAILS;
    }
    ask(runner, key, NULL, &answer); /* the questions above wrote over the first answer */
    return judge(runner, expect, &answer);
}

static enum expect_verdict run_against(struct expect_runner *runner, const struct plan_expect *expect,
                                       const struct request_key *key)
{
    const char *reason;
    struct answer answer;

    runner->answered_at = 0;
    if (expect->has_time || expect->has_chance || expect->has_busy || expect->flag_count || expect->env_count ||
        expect->client.family) {
        snprintf(runner->got, sizeof runner->got, "a server cannot be told a time, chance, load, flag, variable or client");
        return EXPECT_SKIPPED;
    }
    if (http_ask(runner->server, key, &runner->facts, &answer, &reason))
        return judge(runner, expect, &answer);
    snprintf(runner->got, sizeof runner->got, "no answer: %s", reason);
    return EXPECT_FAILS;
}

enum expect_verdict expect_run_line(struct expect_runner *runner, const struct plan_expect *expect)
{
    struct request_key key;
    const char *wrong = request_from_url(expect->method, expect->url, &runner->base, runner->host, &key);

    write_wanted(runner, expect);
    if (wrong) {
        snprintf(runner->got, sizeof runner->got, "no request: %s", wrong);
        runner->answered_at = 0;
        return EXPECT_FAILS;
    }
    set_facts(runner, expect);
    return runner->server ? run_against(runner, expect, &key) : run_in_process(runner, expect, &key);
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

/* Is it right that the rule which answered stands before this one: by `override`, or by conditions that hold? */
static bool may_stand_before(struct expect_runner *runner, const struct plan_action *action, uint32_t place)
{
    const struct plan_rule *other = place ? rule_at(runner, place) : NULL;
    const struct plan_action *others;

    if (!other)
        return false;
    others = &runner->plan->actions[other->action];
    return (others->is_override && !action->is_override) || others->condition_count > 0 || plan_choice(other);
}

static bool answers_as_written(const struct plan_rule *rule, const struct plan_action *action, unsigned status,
                               const struct answer *answer, uint32_t place)
{
    if (action->is_pass)
        return answer->outcome == ANSWER_PASS && answer->place == place;
    if (answer->outcome != ANSWER_SEND || answer->status != status)
        return false;
    /* With placeholders the target is the engine's work: that this rule gave it is the test. */
    return plan_template(rule) ? answer->place == place : slice_equal(plan_target(rule), answer->location);
}

/* The server must give the answer that this rule gives in process. */
static enum expect_verdict rule_against(struct expect_runner *runner, const struct request_key *key,
                                        const struct answer *wanted)
{
    const char *reason;
    struct answer answer;

    write_answer(runner->wanted, wanted);
    runner->answered_at = 0;
    if (!http_ask(runner->server, key, &runner->facts, &answer, &reason)) {
        snprintf(runner->got, sizeof runner->got, "no answer: %s", reason);
        return EXPECT_FAILS;
    }
    write_answer(runner->got, &answer);
    if (wanted->outcome != ANSWER_SEND)
        return answer.outcome != ANSWER_SEND ? EXPECT_HOLDS : EXPECT_FAILS;
    return answer.status == wanted->status && slice_equal(answer.location, wanted->location) ? EXPECT_HOLDS
                                                                                             : EXPECT_FAILS;
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
    if (plan_pattern(rule) || plan_choice(rule) || plan_path(rule).size == 0 || action->condition_count > 0)
        return EXPECT_SKIPPED;
    set_facts(runner, NULL);
    for (unsigned i = 0; i < sizeof variants / sizeof *variants; i++) {
        struct request_key key = { .method = slice_from_string(variants[i].method),
                                   .scheme = slice_from_string(variants[i].scheme), .path = plan_path(rule) };
        unsigned status = i < 2 ? action->status_get : action->status_other;
        struct answer answer;

        choose_host(runner, action, &key);
        ask(runner, &key, NULL, &answer);
        if (answers_as_written(rule, action, status, &answer, place))
            return runner->server ? rule_against(runner, &key, &answer) : EXPECT_HOLDS;
        if (!may_stand_before(runner, action, answer.outcome == ANSWER_NONE ? 0 : answer.place))
            others_may = false;
        if (i > 0 && others_may)
            continue;
        if (action->is_pass)
            snprintf(runner->wanted, sizeof runner->wanted, "pass");
        else if (plan_target(rule).size)
            snprintf(runner->wanted, sizeof runner->wanted, "%u %.*s", status, (int)rule->target_size,
                     rule->target_data);
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
