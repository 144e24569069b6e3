/* SPDX-License-Identifier: Apache-2.0 */
/* A rule is hidden where another one takes all its URLs, holds whenever it holds, and is asked first. What is asked
 * first is the order of docs/language.md, "Which rule wins". A rule with its own source and conditions again is
 * check_same's business. */
#include "config.h"

#include "rulec/check_hidden.h"

#include "rulec/condition_logic.h"
#include "rulec/rule_rank.h"
#include "rulec/site_holders.h"
#include "rulec/source_cover.h"
#include "rulec/source_index.h"

#include <stdlib.h>

enum {
    TOLD_LIMIT = 20,
    HIDER_LIMIT = 64,   /* rules that hide one together */
    SHOWN_LIMIT = 8,
    HOLDER_LIMIT = 256  /* rules that are compared with one; with more at one place not all are found */
};

struct hidden {
    const struct plan *plan;
    struct diag *diag;
    struct arena *arena;
    struct source_index *index;
    bool *has_exact; /* by site: in the index */
    bool *is_told_action;
    struct rule_ranks *ranks;
    size_t told_count, more_count;
    uint32_t more_at;
    const struct site_holder_site *sites;
};

/* `outer` is known to hold `inner`. */
static bool is_same(const struct source_view *inner, const struct source_view *outer)
{
    if (inner->parameter_count != outer->parameter_count || !source_covers(inner, outer))
        return false;
    for (uint32_t i = 0; i < inner->parameter_count; i++)
        if (inner->parameters[i].kind != outer->parameters[i].kind)
            return false;
    return true;
}

/* What is looked at: a form of a rule, or the part of it with one member of a closed set, on some hosts of its site. */
struct question {
    uint32_t rule;
    const struct plan_rule *source;
    struct rule_form form;
    const struct site_holder_group *hosts;
};

/* Rules that hide it together; one alone is the usual case. */
struct hiders {
    uint32_t rules[HIDER_LIMIT];
    unsigned count;
    bool is_same_source;
};

static void add_hider(struct hiders *hiders, uint32_t rule)
{
    for (unsigned i = 0; i < hiders->count; i++)
        if (hiders->rules[i] == rule)
            return;
    if (hiders->count < HIDER_LIMIT)
        hiders->rules[hiders->count++] = rule;
}

/* True where the rule, of a site that holds the question's hosts, is asked before and takes all of it. */
static bool comes_over(struct hidden *hidden, uint32_t a, enum site_holder_kind kind, const struct question *question,
                       bool *is_same_source)
{
    const struct rule_forms *holder = rule_ranks_forms(hidden->ranks, a);
    const struct plan_rule *rules = hidden->plan->rules;
    const struct plan_action *outer = &hidden->plan->actions[rules[a].action];
    const struct plan_action *inner = &hidden->plan->actions[rules[question->rule].action];

    for (unsigned i = 0; i < holder->count; i++) {
        bool comes_first = kind == SITE_HOLDER_ALL || (outer->is_override && !inner->is_override) ||
                           rule_form_is_before(&holder->items[i], a, &question->form, question->rule);

        if (!comes_first || !source_covers(&holder->items[i].view, &question->form.view))
            continue;
        *is_same_source = is_same(&question->form.view, &holder->items[i].view);
        /* the same source and conditions again: check_same tells of it */
        if (*is_same_source && outer->site == inner->site && question->source == &rules[question->rule] &&
            action_implies(hidden->plan, outer, inner) && action_implies(hidden->plan, inner, outer))
            continue;
        return true;
    }
    return false;
}

static bool answers_too(const struct hidden *hidden, uint32_t a, uint32_t b)
{
    const struct plan_rule *outer = &hidden->plan->rules[a], *inner = &hidden->plan->rules[b];
    const struct plan_action *action = &hidden->plan->actions[outer->action];
    const struct plan_action *own = &hidden->plan->actions[inner->action];

    /* A preflight goes past all rules that do not ask for it. */
    return rule_always_answers(outer) &&
           !(own->redirects_preflight && !action->redirects_preflight && !action->is_pass);
}

/* The one condition of a rule that another one's do not imply. *condition NULL: there is none. False: several. */
static bool find_leftover(const struct plan *plan, const struct plan_action *own, const struct plan_action *action,
                          const struct plan_condition **condition)
{
    *condition = NULL;
    for (uint32_t i = 0; i < action->condition_count; i++) {
        bool is_implied = false;

        for (uint32_t k = 0; k < own->condition_count && !is_implied; k++)
            is_implied = condition_implies(plan, &own->conditions[k], &action->conditions[i]);
        if (is_implied)
            continue;
        if (*condition)
            return false;
        *condition = &action->conditions[i];
    }
    return true;
}

/* Rules that hide it but for a condition each. */
struct partly {
    const struct plan_condition *conditions[HIDER_LIMIT];
    uint32_t rules[HIDER_LIMIT];
    unsigned count;
};

/* True: the rule hides it alone. Else, where it has one condition more, it is kept. */
static bool try_holder(struct hidden *hidden, uint32_t holder, enum site_holder_kind kind,
                       const struct question *question, struct partly *partly, bool *is_same_source)
{
    const struct plan *plan = hidden->plan;
    const struct plan_condition *condition;

    if (!answers_too(hidden, holder, question->rule) ||
        !find_leftover(plan, &plan->actions[plan->rules[question->rule].action],
                       &plan->actions[plan->rules[holder].action], &condition) ||
        (condition && partly->count == HIDER_LIMIT) || !comes_over(hidden, holder, kind, question, is_same_source))
        return false;
    if (!condition)
        return true;
    partly->conditions[partly->count] = condition;
    partly->rules[partly->count++] = holder;
    return false;
}

/* Adds what hides it; HOLDER_LIMIT many are compared. False: nothing does. */
static bool find_hiders(struct hidden *hidden, const struct question *question, struct hiders *hiders)
{
    const struct plan_action *action = &hidden->plan->actions[hidden->plan->rules[question->rule].action];
    uint32_t found[HOLDER_LIMIT];
    struct partly partly = { .count = 0 };
    bool used[HIDER_LIMIT], is_same_source = false;

    for (uint32_t s = 0; s < question->hosts->count; s++) {
        const struct site_holder *site = &question->hosts->items[s];
        bool is_wider = site->kind == SITE_HOLDER_OVERRIDES;

        /* what is no override, then overrides */
        for (unsigned round = action->is_override || is_wider ? 1 : 0; round < (is_wider && action->is_override ? 1 : 2);
             round++) {
            uint32_t count = source_index_holders(hidden->index, question->rule, question->source, site->site,
                                                  round == 1, found, HOLDER_LIMIT);

            for (uint32_t i = 0; i < count; i++) {
                if (!try_holder(hidden, found[i], site->kind, question, &partly, &is_same_source))
                    continue;
                hiders->is_same_source |= is_same_source;
                add_hider(hiders, found[i]);
                return true;
            }
        }
    }
    if (!conditions_cover(hidden->plan, action, partly.conditions, partly.count, used))
        return false;
    for (unsigned i = 0; i < partly.count; i++)
        if (used[i])
            add_hider(hiders, partly.rules[i]);
    return true;
}

/* ---- closed sets ---- */

/* The first segment of the head that is a closed set; its number. */
static bool find_set(const struct plan_rule *rule, uint32_t *number)
{
    const struct plan_pattern *pattern = plan_pattern(rule);

    for (*number = 0; pattern && *number < pattern->head_count; ++*number)
        if (pattern->head[*number].part_count == 1 && pattern->head[*number].parts[0].kind == PLAN_PART_SET)
            return pattern->head[*number].parts[0].set_count <= HIDER_LIMIT;
    return false;
}

/* Each member by itself is hidden. */
static bool find_set_hiders(struct hidden *hidden, const struct question *question, uint32_t number,
                            struct hiders *hiders)
{
    const struct plan_part *set = &plan_pattern(question->source)->head[number].parts[0];
    struct plan_pattern pattern = *plan_pattern(question->source);
    struct plan_segment head[PLAN_SEGMENT_LIMIT];
    struct plan_more more = *question->source->more;
    struct plan_rule source = *question->source;
    struct question part = *question;

    part.source = &source;
    memcpy(head, pattern.head, pattern.head_count * sizeof *head);
    pattern.head = head;
    more.pattern = &pattern;
    source.more = &more;
    part.form.view.head = head;
    for (uint32_t i = 0; i < set->set_count; i++) {
        struct plan_part text = { .kind = PLAN_PART_LITERAL, .capture = PLAN_NO_CAPTURE, .text = set->set[i] };

        head[number] = (struct plan_segment){ .parts = &text, .part_count = 1 };
        if (!find_hiders(hidden, &part, hiders))
            return false;
    }
    return set->set_count > 0;
}

/* ---- saying it ---- */

static void tell(struct hidden *hidden, uint32_t rule, const struct hiders *hiders)
{
    const struct plan_rule *rules = hidden->plan->rules;
    const struct plan_action *action = &hidden->plan->actions[rules[hiders->rules[0]].action];

    if (diag_is_allowed(hidden->diag, DIAG_HIDDEN_RULE, rules[rule].span))
        return;
    if (hidden->told_count == TOLD_LIMIT) {
        if (hidden->more_count++ == 0)
            hidden->more_at = rule;
        return;
    }
    hidden->told_count++;
    diag_warning(hidden->diag, DIAG_HIDDEN_RULE, rules[rule].span, "this rule can never fire");
    if (hiders->count == 1) {
        diag_note(hidden->diag, rules[hiders->rules[0]].span,
                  action->is_pass ? "this one passes on all that it takes" : "this one answers all that it takes");
    } else {
        for (unsigned i = 0; i < hiders->count && i < SHOWN_LIMIT; i++)
            diag_note(hidden->diag, rules[hiders->rules[i]].span,
                      i ? "and this one" : "this one answers a part of what it takes");
    }
    if (hiders->is_same_source && hiders->count == 1 && !action->is_override &&
        !action_implies(hidden->plan, action, &hidden->plan->actions[rules[rule].action]))
        diag_help(hidden->diag, "of rules with one source the one with more conditions stands first");
}

/* By one rule or several, or each member of a closed set by its own. */
static bool is_hidden(struct hidden *hidden, const struct question *question, bool has_forms, struct hiders *hiders)
{
    unsigned before = hiders->count;
    uint32_t set_at;

    if (find_hiders(hidden, question, hiders) ||
        (!has_forms && find_set(question->source, &set_at) && find_set_hiders(hidden, question, set_at, hiders)))
        return true;
    hiders->count = before;
    return false;
}

/* On all hosts of its site alike, or on each by others. */
static bool is_hidden_everywhere(struct hidden *hidden, struct question *question, bool has_forms, struct hiders *hiders)
{
    const struct plan_rule *rule = &hidden->plan->rules[question->rule];
    const struct site_holder_site *site = &hidden->sites[hidden->plan->actions[rule->action].site];

    question->hosts = &site->all;
    if (is_hidden(hidden, question, has_forms, hiders))
        return true;
    for (uint32_t i = 0; i < site->group_count; i++) {
        question->hosts = &site->groups[i];
        if (!is_hidden(hidden, question, has_forms, hiders))
            return false;
    }
    return site->group_count > 0;
}

/* Rules without patterns are hidden by overrides, by conditions and on hosts that are another site's, too; what else is
 * equal, check_same finds. */
static bool needs_look(const struct hidden *hidden, const struct plan_rule *rule)
{
    return plan_pattern(rule) || hidden->has_exact[hidden->plan->actions[rule->action].site];
}

static void judge(struct hidden *hidden, uint32_t number)
{
    const struct plan_rule *rule = &hidden->plan->rules[number];
    unsigned form_count = plan_pattern(rule) && plan_pattern(rule)->suffix.size ? EMIT_FORM_LIMIT : 1;
    struct hiders hiders = { .count = 0 };

    if (!needs_look(hidden, rule))
        return;
    for (unsigned i = 0; i < form_count; i++) {
        struct question question = { .rule = number, .source = rule,
                                     .form = rule_ranks_forms(hidden->ranks, number)->items[i] };

        if (!is_hidden_everywhere(hidden, &question, form_count > 1, &hiders))
            return;
    }
    tell(hidden, number, &hiders);
}

/* One message for all rules of an action, for they have the conditions of one block. */
static void find_contradictions(struct hidden *hidden)
{
    const struct plan *plan = hidden->plan;
    const struct plan_condition *first, *second;
    bool has_any = false;

    for (uint32_t i = 0; i < plan->action_count; i++) {
        hidden->is_told_action[i] = !action_excludes_itself(plan, &plan->actions[i], &first, &second);
        has_any |= !hidden->is_told_action[i];
    }
    for (uint32_t i = 0; has_any && i < plan->rule_count; i++) {
        uint32_t action = plan->rules[i].action;

        if (hidden->is_told_action[action])
            continue;
        hidden->is_told_action[action] = true;
        action_excludes_itself(plan, &plan->actions[action], &first, &second);
        diag_warning(hidden->diag, DIAG_HIDDEN_RULE, plan->rules[i].span,
                     "this rule can never fire: its conditions exclude each other (\"%s\")",
                     condition_name(first->kind));
    }
}

/* Exact paths are compared where something tells rules of one path apart (conditions, overrides, case), or several of
 * them may take all that a closed set takes. */
static bool needs_exact(const struct plan *plan)
{
    uint32_t flags = plan->rule_count ? plan->rules[0].flags : 0, set_at;

    for (uint32_t i = 0; i < plan->action_count; i++)
        if (plan->actions[i].condition_count || plan->actions[i].is_override)
            return true;
    for (uint32_t i = 0; i < plan->rule_count; i++)
        if (((plan->rules[i].flags ^ flags) & PLAN_CASE_IGNORE) || find_set(&plan->rules[i], &set_at))
            return true;
    return false;
}

static void find_exact(struct hidden *hidden)
{
    const struct plan *plan = hidden->plan;
    bool is_needed = needs_exact(plan);

    hidden->has_exact = arena_array(hidden->arena, plan->site_count, sizeof(bool));
    for (uint32_t s = 0; s < plan->site_count; s++)
        hidden->has_exact[s] = is_needed || !hidden->sites[s].is_alone;
}

void check_hidden(const struct plan *plan, struct diag *diag)
{
    struct hidden hidden = { .plan = plan, .diag = diag, .arena = arena_open(), .ranks = rule_ranks_open(plan) };

    hidden.is_told_action = arena_array(hidden.arena, plan->action_count + 1u, sizeof(bool));
    find_contradictions(&hidden);
    hidden.sites = site_holders_make(hidden.arena, plan);
    find_exact(&hidden);
    hidden.index = source_index_open(plan, hidden.has_exact);
    for (uint32_t i = 0; i < plan->rule_count; i++)
        judge(&hidden, i);
    if (hidden.more_count)
        diag_warning(diag, DIAG_HIDDEN_RULE, plan->rules[hidden.more_at].span,
                     "and %zu more from here on that can never fire", hidden.more_count);
    source_index_close(hidden.index);
    rule_ranks_close(hidden.ranks);
    arena_close(hidden.arena);
}
