/* SPDX-License-Identifier: Apache-2.0 */
/* Clauses of a block hold for all its rules, so what is found is told at the first rule of each kind of answer, with
 * the number of the others. */
#include "config.h"

#include "rulec/check_status.h"

#include "rulec/condition_logic.h"
#include "rulec/known_hosts.h"

#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

static bool is_get(struct slice method)
{
    return slice_equal(method, SLICE("GET")) || slice_equal(method, SLICE("HEAD"));
}

/* The action's `when method`; NULL: none. */
static const struct plan_condition *method_guard(const struct plan_action *action)
{
    for (uint32_t i = 0; i < action->condition_count; i++)
        if (action->conditions[i].kind == PLAN_CONDITION_METHOD && !action->conditions[i].is_unless)
            return &action->conditions[i];
    return NULL;
}

static bool guards_get(const struct plan_condition *guard, bool wants_get)
{
    for (uint32_t i = 0; i < guard->value_count; i++)
        if (is_get(guard->values[i]) != wants_get)
            return false;
    return guard->value_count > 0;
}

static bool keeps_method(unsigned status) { return status == 307 || status == 308; }
static bool is_permanent(unsigned status) { return status == 301 || status == 308 || status == 410; }

/* ---- 307 and 308 to another origin ---- */

/* The first piece of what is sent; empty where there is no target. */
static struct slice target_start(const struct plan_rule *rule)
{
    const struct plan_template *template = plan_template(rule);

    if (plan_target(rule).size || !template || template->piece_count == 0)
        return plan_target(rule);
    return template->pieces[0].kind == PLAN_PIECE_TEXT && template->pieces[0].place != PLAN_IN_AUTHORITY
               ? template->pieces[0].text : slice_of(NULL, 0);
}

static struct slice origin_of(struct slice target)
{
    struct url_parts parts;

    if (!url_split(target, &parts) || !parts.has_authority)
        return slice_of(NULL, 0);
    return slice_of(target.data, (size_t)(parts.path.data - target.data));
}

/* Words of paths to which people send passwords. */
static const char *const secret_words[] = { "auth",   "login",   "logon",  "oauth",   "passwd", "password",
                                            "signin", "sign-in", "signup", "sign-up", "token" };

/* True where the text, of which a word begins at `at`, has this one there. */
static bool is_word_at(struct slice text, size_t at, const char *word)
{
    size_t size = strlen(word);

    return size <= text.size - at && strncasecmp(text.data + at, word, size) == 0
        && (at + size == text.size || !isalnum((unsigned char)text.data[at + size]));
}

static bool is_secret(struct slice text)
{
    for (size_t at = 0; at < text.size; at++) {
        if (at > 0 && isalnum((unsigned char)text.data[at - 1]))
            continue;
        for (size_t i = 0; i < sizeof secret_words / sizeof *secret_words; i++)
            if ((text.data[at] | 32) == *secret_words[i] && is_word_at(text, at, secret_words[i]))
                return true;
    }
    return false;
}

static bool takes_secrets(const struct plan_rule *rule)
{
    const struct plan_pattern *pattern = plan_pattern(rule);

    if (!pattern)
        return is_secret(plan_path(rule));
    for (uint32_t i = 0; i < pattern->head_count; i++)
        for (uint32_t k = 0; k < pattern->head[i].part_count; k++)
            if (is_secret(pattern->head[i].parts[k].text))
                return true;
    return false;
}

static bool is_clear(struct slice target)
{
    return target.size >= 7 && strncasecmp(target.data, "http://", 7) == 0;
}

struct leaving {
    uint32_t first;
    size_t count;
};

static void note_leaving(struct leaving *leaving, uint32_t rule)
{
    if (leaving->count++ == 0)
        leaving->first = rule;
}

static void tell_leaving(const struct plan *plan, const struct leaving *leaving, const char *why, struct diag *diag)
{
    if (leaving->count == 0)
        return;
    const struct plan_rule *rule = &plan->rules[leaving->first];
    struct slice origin = origin_of(target_start(rule));
    diag_warning(diag, DIAG_BODY_LEAVES, rule->span, "a form that is sent here is sent again, with its body, to %.*s: %s",
                 (int)origin.size, origin.data, why);
    if (leaving->count > 1)
        diag_help(diag, "so it is with %zu more", leaving->count - 1);
    diag_help(diag, "\"found\" and \"moved\" turn a POST into a GET, \"when method GET\" leaves it here; "
                    "\"allow body-leaves\" says that it is meant");
}

/* That 307 keeps the body is what people write it for, so only what is odd is told: passwords that leave, and bodies
 * that go over http. One message for all, for a list that moves an old domain has thousands. */
static void find_bodies(const struct plan *plan, struct diag *diag)
{
    struct known_hosts *hosts = known_hosts_open(plan);
    struct leaving secret = { 0, 0 }, clear = { 0, 0 };

    for (uint32_t i = 0; i < plan->rule_count; i++) {
        const struct plan_rule *rule = &plan->rules[i];
        const struct plan_action *action = &plan->actions[rule->action];
        struct slice target;

        if (action->is_pass || !keeps_method(action->status_other) || method_guard(action))
            continue;
        target = target_start(rule);
        bool is_odd = target.size && target.data[0] != '/' && (is_clear(target) || takes_secrets(rule));
        if (!is_odd || !known_hosts_leave(hosts, target) || diag_is_allowed(diag, DIAG_BODY_LEAVES, rule->span))
            continue;
        note_leaving(takes_secrets(rule) ? &secret : &clear, i);
    }
    known_hosts_close(hosts);
    tell_leaving(plan, &secret, "passwords, too", diag);
    tell_leaving(plan, &clear, "over http anybody on the way can read it", diag);
}

/* ---- answers that contradict their conditions ---- */

/* Whether the answer is one for ever, as far as clients know. The URL, its scheme and the method are what a client
 * remembers with it; a window that never ends is no condition once it has begun. */
static const struct plan_condition *passing_condition(const struct plan_action *action)
{
    for (uint32_t i = 0; i < action->condition_count; i++) {
        const struct plan_condition *condition = &action->conditions[i];

        switch (condition->kind) {
        case PLAN_CONDITION_METHOD:
        case PLAN_CONDITION_SCHEME:
        case PLAN_CONDITION_QUERY:
            break;
        case PLAN_CONDITION_WINDOW:
            if (condition->until_s != INT64_MAX)
                return condition;
            break;
        default:
            return condition;
        }
    }
    return NULL;
}

static const char *choice_name(enum plan_by by)
{
    static const char *const names[] = {
        [PLAN_BY_ACCEPT] = "by accept", [PLAN_BY_LANGUAGE] = "by language", [PLAN_BY_HEADER] = "by header",
        [PLAN_BY_COOKIE] = "by cookie", [PLAN_BY_METHOD] = "by method",     [PLAN_BY_CLIENT] = "by client",
        [PLAN_BY_CHANCE] = "by chance",
    };

    return names[by];
}

/* A line of the choice is permanent. */
static bool chooses_permanent(const struct plan_rule *rule, const struct plan_action *action)
{
    if (!plan_choice(rule) || plan_choice(rule)->by == PLAN_BY_METHOD)
        return false;
    for (uint32_t i = 0; i < plan_choice(rule)->line_count; i++) {
        const struct plan_choice_line *line = &plan_choice(rule)->lines[i];
        unsigned status = line->status_get ? line->status_get : action->status_get;
        bool has_target = line->target.size > 0 || line->template;

        if (is_permanent(status) && (has_target || status == 410))
            return true;
    }
    return false;
}

static void tell_permanent(const struct plan_rule *rule, bool is_gone, const char *what, uint32_t more,
                           struct diag *diag)
{
    diag_warning(diag, DIAG_PERMANENT_CONDITION, rule->span,
                 "a permanent answer that depends on \"%s\": clients and search engines take it for good", what);
    if (more)
        diag_help(diag, "so it is with %u more of this block", more);
    diag_help(diag, "write %s", is_gone ? "404, which nobody takes for good" : "\"temporary\" or \"found\"");
}

static void judge_action(const struct plan *plan, uint32_t rule_number, uint32_t more, struct diag *diag)
{
    const struct plan_rule *rule = &plan->rules[rule_number];
    const struct plan_action *action = &plan->actions[rule->action];
    const struct plan_condition *guard = method_guard(action), *passing = passing_condition(action);

    if (guard && guards_get(guard, false) && (action->status_other == 301 || action->status_other == 302)) {
        diag_warning(diag, DIAG_METHOD_LOST, rule->span,
                     "with %u a client may turn a %.*s into a GET, and its body is lost", action->status_other,
                     (int)guard->values[0].size, guard->values[0].data);
        if (more)
            diag_help(diag, "so it is with %u more of this block", more);
        diag_help(diag, "write \"%s\", which keeps the method, or \"see-other\", which says that a GET is meant",
                  action->status_other == 301 ? "permanent" : "temporary");
    }
    if (passing && is_permanent(action->status_get))
        tell_permanent(rule, action->status_get == 410, condition_name(passing->kind), more, diag);
}

static bool is_gone(const struct plan_action *action) { return !action->is_pass && action->status_get == 410; }

void check_status(const struct plan *plan, struct diag *diag)
{
    uint32_t *first = memory_resize(NULL, plan->action_count + 1u, sizeof *first);
    uint32_t *count = memory_resize(NULL, plan->action_count + 1u, sizeof *count);

    memset(count, 0, (plan->action_count + 1u) * sizeof *count);
    for (uint32_t i = 0; i < plan->rule_count; i++) {
        const struct plan_rule *rule = &plan->rules[i];

        if (plan_choice(rule) && chooses_permanent(rule, &plan->actions[rule->action]))
            tell_permanent(rule, false, choice_name(plan_choice(rule)->by), 0, diag);
        else if ((plan_target(rule).size || plan_template(rule) || is_gone(&plan->actions[rule->action])) && count[rule->action]++ == 0)
            first[rule->action] = i;
    }
    for (uint32_t i = 0; i < plan->action_count; i++)
        if (count[i])
            judge_action(plan, first[i], count[i] - 1, diag);
    free(first);
    free(count);
    find_bodies(plan, diag);
}
