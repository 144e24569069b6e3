/* SPDX-License-Identifier: Apache-2.0 */
/* The straight way of one request: candidates, best first; the first whose conditions hold and whose target can be
 * built answers. */
#include "mod_redir307/answer.h"

#include "mod_redir307/condition.h"
#include "mod_redir307/lookup.h"
#include "mod_redir307/target.h"

#include <stdio.h>

/* What one candidate is, read out of the map once. */
struct rule {
    uint32_t action;
    uint32_t place;
    struct target_source source;
    struct pattern_capture captures[PATTERN_CAPTURE_LIMIT];
};

static bool read_rule(struct lookup *lookup, const struct lookup_match *match, struct rule *rule)
{
    if (match->is_exact) {
        struct ruleset_exact_view view;

        if (!ruleset_get_exact(lookup->ruleset, match->at, &view)) return false;
        rule->action = view.action;
        rule->place = view.head.place;
        rule->source = (struct target_source){ .target = view.target,
                                               .is_template = view.flags & RULESET_RULE_TEMPLATE };
        return true;
    }

    struct ruleset_pattern_view view;
    if (!ruleset_get_pattern(lookup->ruleset, match->at, &view)) return false;
    if (!lookup_captures(lookup, &view, rule->captures)) return false;
    rule->action = view.action;
    rule->place = view.head.place;
    rule->source = (struct target_source){ .target = view.target,
                                           .is_template = view.flags & RULESET_RULE_TEMPLATE,
                                           .program = view.program,
                                           .captures = rule->captures };
    return true;
}

static bool is_known_status(unsigned status, bool has_target)
{
    switch (status) {
    case 301: case 302: case 303: case 307: case 308: return has_target;
    case 403: case 404: case 406: case 410: case 451: case 503: return !has_target;
    default: return false;
    }
}

static bool is_get(struct slice method)
{
    return slice_equal(method, SLICE("GET")) || slice_equal(method, SLICE("HEAD"));
}

/* Permanent answers may be kept an hour unless the rule says otherwise: a wrong one can then be taken back. */
static void set_cache(const struct ruleset_action *action, struct answer_scratch *scratch, struct answer *answer)
{
    char *out = scratch->cache_control;
    size_t room = sizeof scratch->cache_control;
    int size = 0;

    switch (action->cache_kind) {
    case RULESET_CACHE_DEFAULT: break;
    case RULESET_CACHE_NONE: size = snprintf(out, room, "no-store"); break;
    case RULESET_CACHE_SHARED: size = snprintf(out, room, "max-age=%lu", (unsigned long)action->cache_seconds); break;
    case RULESET_CACHE_PRIVATE:
        size = snprintf(out, room, "private, max-age=%lu", (unsigned long)action->cache_seconds);
        break;
    default: {
        bool lasts = answer->status == 301 || answer->status == 308 || answer->status == 410;

        size = snprintf(out, room, "%s", lasts ? "max-age=3600" : "no-cache");
    }
    }
    answer->cache_control = slice_of(out, (size_t)size);
}

static void add_vary(struct answer_scratch *scratch, struct answer *answer, struct slice name)
{
    char *out = scratch->vary;
    size_t size = answer->vary.size, comma = size ? 2 : 0;

    if (name.size + comma > ANSWER_FIELD_LIMIT - size) return;
    if (comma) memcpy(out + size, ", ", comma);
    memcpy(out + size + comma, name.data, name.size);
    answer->vary = slice_of(out, size + comma + name.size);
}

static void set_vary(const struct ruleset *rs, uint32_t list, const struct condition_reads *reads,
                     struct answer_scratch *scratch, struct answer *answer)
{
    struct slice name;

    if (reads->forwarded_scheme) add_vary(scratch, answer, SLICE("X-Forwarded-Proto"));
    for (unsigned i = 0; ruleset_list_item(rs, list, i, &name); i++) add_vary(scratch, answer, name);
}

/* Fills in the answer of a rule whose conditions hold. False: it cannot answer, *why says so. */
static bool make_answer(struct lookup *lookup, const struct ruleset_action *action, const struct rule *rule,
                        struct answer *answer, const char **why)
{
    bool has_target = rule->source.target.size > 0;

    answer->place = rule->place;
    if (action->flags & RULESET_ACTION_PASS) {
        answer->outcome = ANSWER_PASS;
        *why = "passes the request on";
        return true;
    }
    answer->status = is_get(lookup->key->method) ? action->status_get : action->status_other;
    if (!is_known_status(answer->status, has_target)) {
        *why = "its record is damaged";
        return false;
    }
    if (has_target) {
        switch (target_build(lookup, action, &rule->source, &answer->location)) {
        case TARGET_BUILT: break;
        case TARGET_TOO_LONG:
            answer->status = 414;
            answer->is_too_long = true;
            break;
        case TARGET_UNSAFE:
            *why = "its target would lead elsewhere than the rule says";
            return false;
        }
    }
    answer->outcome = ANSWER_SEND;
    answer->headers = action->headers;
    *why = "answers";
    return true;
}

/* False: the next candidate is to be tried. */
static bool try_rule(struct lookup *lookup, const struct lookup_match *match, struct condition_reads *reads,
                     const struct answer_trace *trace, struct answer *answer)
{
    struct rule rule;
    struct ruleset_action action;
    const char *why = "its record is damaged";
    bool answers = false;

    if (!read_rule(lookup, match, &rule) || !ruleset_get_action(lookup->ruleset, rule.action, &action)) return false;
    if (lookup->key->is_preflight && !(action.flags & (RULESET_ACTION_PREFLIGHT | RULESET_ACTION_PASS))) {
        why = "a CORS preflight is left alone (`preflight redirect` would answer it)";
    } else if (condition_holds(lookup->ruleset, action.conditions, lookup->key, reads, &why)) {
        answers = make_answer(lookup, &action, &rule, answer, &why);
    }
    if (trace) trace->candidate(trace->baton, rule.place, why);
    if (!answers) return false;
    set_vary(lookup->ruleset, action.vary, reads, lookup->scratch, answer);
    if (answer->outcome == ANSWER_SEND && !answer->is_too_long) set_cache(&action, lookup->scratch, answer);
    return true;
}

void answer_request(const struct ruleset *ruleset, const struct request_key *key, struct answer_scratch *scratch,
                    const struct answer_trace *trace, struct answer *answer)
{
    struct lookup lookup;
    struct lookup_match match;
    struct condition_reads reads = { 0 };

    *answer = (struct answer){ .outcome = ANSWER_NONE };
    if (!lookup_begin(&lookup, ruleset, key, scratch)) return;
    while (lookup_next(&lookup, &match)) {
        if (try_rule(&lookup, &match, &reads, trace, answer)) return;
        *answer = (struct answer){ .outcome = ANSWER_NONE };
    }
    set_vary(ruleset, 0, &reads, scratch, answer);
}

bool answer_header(const struct ruleset *ruleset, uint32_t headers, unsigned index, struct slice *name,
                   struct slice *value)
{
    return index < 1000 && ruleset_list_item(ruleset, headers, 2 * index, name)
        && ruleset_list_item(ruleset, headers, 2 * index + 1, value);
}
