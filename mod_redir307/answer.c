/* SPDX-License-Identifier: Apache-2.0 */
/* The straight way of one request: candidates, best first; the first whose conditions hold and whose target can be
 * built answers. */
#include "mod_redir307/answer.h"

#include "mod_redir307/choice.h"
#include "mod_redir307/condition.h"
#include "mod_redir307/identity.h"
#include "mod_redir307/lookup.h"
#include "mod_redir307/target.h"

#include <stdio.h>
#include <string.h>

/* What one candidate is, read out of the map once. */
struct rule {
    uint32_t action;
    uint32_t place;
    uint64_t identity;
    bool is_choice;
    unsigned status_get, status_other; /* of a choice's line; 0: the action's */
    struct target_source source;
    struct pattern_capture captures[PATTERN_CAPTURE_LIMIT];
};

static bool read_rule(struct lookup *lookup, const struct lookup_match *match, struct rule *rule)
{
    const struct identity_table *identities = lookup->ruleset->identities;

    rule->status_get = rule->status_other = 0;
    if (match->is_exact) {
        const struct ruleset_exact_view *view = lookup_exact_view(lookup, match);

        if (!view) return false;
        rule->action = view->action;
        rule->place = view->head.place;
        rule->identity = identities ? identity_of_exact(identities, view) : 0;
        rule->is_choice = view->flags & RULESET_RULE_CHOICE;
        rule->source = (struct target_source){ .target = view->target,
                                               .is_template = view->flags & RULESET_RULE_TEMPLATE };
        return true;
    }

    struct ruleset_pattern_view view;
    if (!ruleset_get_pattern(lookup->ruleset, match->at, &view)) return false;
    if (!lookup_captures(lookup, &view, rule->captures)) return false;
    rule->action = view.action;
    rule->place = view.head.place;
    rule->identity = identities ? identity_of_pattern(identities, &view) : 0;
    rule->is_choice = view.flags & RULESET_RULE_CHOICE;
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

/* Seconds that an answer may be kept: never past the next edge of a window that was asked. One less than are left, for
 * the clock here shows whole seconds and a cache may count from a part of one. */
static uint64_t bounded(uint64_t seconds, const struct reads *reads, int64_t now)
{
    if (!reads->has_edge) return seconds;
    uint64_t left = reads->edge_s > now ? (uint64_t)(reads->edge_s - now) - 1 : 0;
    return left < seconds ? left : seconds;
}

/* "max-age=" and a number; `before` stands before it. */
static struct slice say_max_age(char *out, size_t room, const char *before, uint64_t seconds)
{
    int size = snprintf(out, room, "%smax-age=%llu", before, (unsigned long long)seconds);

    return slice_of(out, size > 0 && (size_t)size < room ? (size_t)size : 0);
}

/* Unsaid, permanent answers may be kept an hour: a wrong one can then be taken back. What depends on more than Vary can
 * tell is not kept at all. */
static struct slice cache_control(const struct lookup *lookup, const struct ruleset_action *action,
                                  const struct reads *reads, unsigned status)
{
    enum { UNSAID_SECONDS = 3600 };
    char *out = lookup->scratch->cache_control;
    size_t room = sizeof lookup->scratch->cache_control;
    int64_t now = lookup->key->time_s;
    bool lasts = status == 301 || status == 308 || status == 410;

    switch (action->cache_kind) {
    case RULESET_CACHE_DEFAULT: return slice_of(NULL, 0);
    case RULESET_CACHE_NONE: return SLICE("no-store");
    case RULESET_CACHE_SHARED: return say_max_age(out, room, "", bounded(action->cache_seconds, reads, now));
    case RULESET_CACHE_PRIVATE: return say_max_age(out, room, "private, ", bounded(action->cache_seconds, reads, now));
    default: break;
    }
    if (reads->depends_on_client) return SLICE("no-store");
    if (!lasts) return SLICE("no-cache");
    return reads->has_edge ? say_max_age(out, room, "", bounded(UNSAID_SECONDS, reads, now)) : SLICE("max-age=3600");
}

/* A field name (RFC 9110, 5.1): bytes of a damaged file must not get into a header. */
static bool is_token(struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        char byte = text.data[i];

        if (!((byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9')
              || (byte && strchr("!#$%&'*+-.^_`|~", byte)))) {
            return false;
        }
    }
    return text.size > 0;
}

static void set_vary(const struct reads *reads, struct answer_scratch *scratch, struct answer *answer)
{
    char *out = scratch->vary;
    size_t size = 0;

    for (unsigned i = 0; i < reads->field_count; i++) {
        struct slice name = reads->fields[i];
        size_t comma = size ? 2 : 0;

        if (name.size + comma > ANSWER_FIELD_LIMIT - size) continue;
        memcpy(out + size, ", ", comma);
        memcpy(out + size + comma, name.data, name.size);
        /* The copy is judged: the map's bytes could change in between. */
        if (is_token(slice_of(out + size + comma, name.size))) size += comma + name.size;
    }
    answer->vary = slice_of(out, size);
}

/* Fills in the answer of a rule whose conditions hold. False: it cannot answer, *why says so. */
static bool make_answer(struct lookup *lookup, const struct ruleset_action *action, const struct rule *rule,
                        struct answer *answer, const char **why)
{
    bool has_target = rule->source.target.size > 0;

    answer->place = rule->place;
    answer->identity = rule->identity;
    if (action->flags & RULESET_ACTION_PASS) {
        answer->outcome = ANSWER_PASS;
        *why = "passes the request on";
        return true;
    }
    answer->status = is_get(lookup->key->method) ? action->status_get : action->status_other;
    if (rule->status_get) answer->status = is_get(lookup->key->method) ? rule->status_get : rule->status_other;
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

/* What was made from other fields than those that were read: the rule's author names them (clause `vary`). */
static void read_vary(const struct ruleset *rs, const struct ruleset_action *action, struct reads *reads)
{
    struct slice name;

    for (unsigned i = 0; ruleset_list_item(rs, action->vary, i, &name); i++) reads_field(reads, name);
}

/* A `by` form: its line takes the place of the rule's target. */
static bool choose(struct lookup *lookup, struct rule *rule, struct reads *reads, const char **why)
{
    struct choice_line line;

    if (!rule->is_choice) return true;
    if (!choice_pick(lookup, rule->source.target, rule->place, reads, &line)) {
        *why = "no line of its `by` form fits";
        return false;
    }
    rule->source.target = line.target;
    rule->source.is_template = line.flags & CHOICE_TEMPLATE;
    rule->status_get = line.status_get;
    rule->status_other = line.status_other;
    return true;
}

/* False: the next candidate is to be tried. */
static bool try_rule(struct lookup *lookup, const struct lookup_match *match, struct reads *reads,
                     const struct answer_trace *trace, struct answer *answer)
{
    struct rule rule;
    struct ruleset_action action;
    const char *why = "its record is damaged";
    bool answers = false;

    if (!read_rule(lookup, match, &rule) || !ruleset_get_action(lookup->ruleset, rule.action, &action)) return false;
    if (lookup->key->is_preflight && !(action.flags & (RULESET_ACTION_PREFLIGHT | RULESET_ACTION_PASS))) {
        why = "a CORS preflight is left alone (`preflight redirect` would answer it)";
    } else {
        read_vary(lookup->ruleset, &action, reads);
        answers = (!action.conditions || condition_holds(lookup, action.conditions, rule.place, reads, &why))
               && choose(lookup, &rule, reads, &why) && make_answer(lookup, &action, &rule, answer, &why);
    }
    if (trace) trace->candidate(trace->baton, rule.place, why);
    if (answers && answer->outcome == ANSWER_SEND && !answer->is_too_long) {
        answer->cache_control = cache_control(lookup, &action, reads, answer->status);
        answer->has_fixed_cache_control = answer->cache_control.data != lookup->scratch->cache_control;
    }
    return answers;
}

void answer_probed(const struct ruleset *ruleset, const struct request_key *key, struct probe probe,
                   struct answer_scratch *scratch, const struct answer_trace *trace, struct answer *answer)
{
    struct lookup lookup;
    struct lookup_match match;
    struct reads reads;

    reads.field_count = 0;
    reads.depends_on_client = reads.has_edge = false;
    *answer = (struct answer){ .outcome = ANSWER_NONE };
    if (!lookup_begin(&lookup, ruleset, key, probe, scratch)) return;
    while (lookup_next(&lookup, &match)) {
        if (try_rule(&lookup, &match, &reads, trace, answer)) break;
        *answer = (struct answer){ .outcome = ANSWER_NONE };
    }
    set_vary(&reads, scratch, answer);
}

void answer_request(const struct ruleset *ruleset, const struct request_key *key, struct answer_scratch *scratch,
                    const struct answer_trace *trace, struct answer *answer)
{
    struct probe probe = probe_path(ruleset, key->path, key->has_query);

    if (probe.may_answer) {
        answer_probed(ruleset, key, probe, scratch, trace, answer);
    } else {
        *answer = (struct answer){ .outcome = ANSWER_NONE };
    }
}

/* No controls, as httpd would refuse them; no bytes past ASCII. */
static bool is_field_value(struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        unsigned char byte = (unsigned char)text.data[i];

        if ((byte < ' ' && byte != '\t') || byte >= 0x7f) return false;
    }
    return true;
}

bool answer_header(const struct ruleset *ruleset, uint32_t headers, unsigned index, struct slice *name,
                   struct slice *value)
{
    enum { HEADER_LIMIT = 1000 };

    return index < HEADER_LIMIT && ruleset_list_item(ruleset, headers, 2 * index, name)
        && ruleset_list_item(ruleset, headers, 2 * index + 1, value) && is_token(*name) && is_field_value(*value);
}
