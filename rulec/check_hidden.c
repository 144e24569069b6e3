/* SPDX-License-Identifier: Apache-2.0 */
/* A rule is hidden where another one takes all its URLs, holds whenever it holds, and is asked first. What is asked
 * first is the order of docs/language.md, "Which rule wins". A rule with its own source and conditions again is
 * check_same's business. */
#include "config.h"

#include "rulec/check_hidden.h"

#include "rulec/condition_logic.h"
#include "rulec/rule_rank.h"
#include "rulec/site_groups.h"
#include "rulec/source_cover.h"
#include "rulec/source_index.h"

#include <stdlib.h>

enum {
    TOLD_LIMIT = 20,
    HOLDER_LIMIT = 256, /* rules that are compared with one; with more at one place not all are found */
    SITE_LIMIT = 16     /* sites that have all hosts of another one */
};

struct hidden {
    const struct plan *plan;
    struct diag *diag;
    struct arena *arena;
    struct source_index *index;
    bool has_exact; /* in the index */
    bool *is_told_action;
    struct rule_ranks *ranks;
    size_t told_count, more_count;
    uint32_t more_at;
    uint32_t *sites_first, *sites; /* by site: where its covering sites begin */
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

static bool hides(struct hidden *hidden, uint32_t a, uint32_t b, unsigned form_index, bool *is_same_source)
{
    const struct rule_forms *holder = rule_ranks_forms(hidden->ranks, a);
    const struct rule_form *form = &rule_ranks_forms(hidden->ranks, b)->items[form_index];
    const struct plan_rule *rules = hidden->plan->rules;
    const struct plan_action *outer = &hidden->plan->actions[rules[a].action];
    const struct plan_action *inner = &hidden->plan->actions[rules[b].action];

    for (unsigned i = 0; i < holder->count; i++) {
        bool comes_first = (outer->is_override && !inner->is_override) || rule_form_is_before(&holder->items[i], a, form, b);

        if (!comes_first || !source_covers(&holder->items[i].view, &form->view))
            continue;
        *is_same_source = is_same(&form->view, &holder->items[i].view);
        if (*is_same_source && action_implies(hidden->plan, outer, inner))
            continue; /* check_same tells of it */
        return true;
    }
    return false;
}

static bool could_hide(const struct hidden *hidden, uint32_t a, uint32_t b)
{
    const struct plan_rule *outer = &hidden->plan->rules[a], *inner = &hidden->plan->rules[b];
    const struct plan_action *action = &hidden->plan->actions[outer->action];
    const struct plan_action *own = &hidden->plan->actions[inner->action];

    if (!rule_always_answers(outer))
        return false;
    /* A preflight goes past all rules that do not ask for it. */
    if (own->redirects_preflight && !action->redirects_preflight && !action->is_pass)
        return false;
    return action_implies(hidden->plan, own, action);
}

/* The rule that hides a form; HOLDER_LIMIT many are compared. UINT32_MAX: none. */
static uint32_t find_hider(struct hidden *hidden, uint32_t rule, unsigned form, bool *is_same_source)
{
    const struct plan_action *action = &hidden->plan->actions[hidden->plan->rules[rule].action];
    uint32_t found[HOLDER_LIMIT];

    for (unsigned round = action->is_override ? 1 : 0; round < 2; round++) {
        for (uint32_t s = hidden->sites_first[action->site]; s < hidden->sites_first[action->site + 1]; s++) {
            uint32_t count = source_index_holders(hidden->index, rule, hidden->sites[s], round == 1, found,
                                                  HOLDER_LIMIT);

            for (uint32_t i = 0; i < count; i++) {
                bool is_plain_site = round == 0 || action->is_override;

                /* `site *` goes before none of its own rank, but its overrides go before all that is none */
                if (is_plain_site && hidden->sites[s] == 0 && action->site != 0)
                    continue;
                if (!could_hide(hidden, found[i], rule))
                    continue;
                if (hides(hidden, found[i], rule, form, is_same_source))
                    return found[i];
            }
        }
    }
    return UINT32_MAX;
}

static void tell(struct hidden *hidden, uint32_t rule, uint32_t by, bool is_same_source)
{
    const struct plan_rule *rules = hidden->plan->rules;
    const struct plan_action *action = &hidden->plan->actions[rules[by].action];

    if (diag_is_allowed(hidden->diag, DIAG_HIDDEN_RULE, rules[rule].span))
        return;
    if (hidden->told_count == TOLD_LIMIT) {
        if (hidden->more_count++ == 0)
            hidden->more_at = rule;
        return;
    }
    hidden->told_count++;
    diag_warning(hidden->diag, DIAG_HIDDEN_RULE, rules[rule].span, "this rule can never fire");
    diag_note(hidden->diag, rules[by].span,
              action->is_pass ? "this one passes on all that it takes" : "this one answers all that it takes");
    if (is_same_source && !action->is_override)
        diag_help(hidden->diag, "of rules with one source the one with more conditions stands first");
}

/* Rules without patterns are hidden by overrides and by conditions only; what else is equal, check_same finds. */
static bool needs_look(const struct hidden *hidden, const struct plan_rule *rule)
{
    return plan_pattern(rule) || hidden->has_exact;
}

static void judge(struct hidden *hidden, uint32_t number)
{
    const struct plan_rule *rule = &hidden->plan->rules[number];
    unsigned form_count = plan_pattern(rule) && plan_pattern(rule)->suffix.size ? EMIT_FORM_LIMIT : 1;
    uint32_t by = UINT32_MAX;
    bool is_same_source = false;

    if (!needs_look(hidden, rule))
        return;
    for (unsigned i = 0; i < form_count; i++) {
        by = find_hider(hidden, number, i, &is_same_source);
        if (by == UINT32_MAX)
            return;
    }
    tell(hidden, number, by, is_same_source);
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

struct first_host {
    const struct plan_host *host;
    uint32_t site;
};

static int host_order(const void *left, const void *right)
{
    const struct first_host *a = left, *b = right;
    int order = slice_compare(a->host->name, b->host->name);

    return order ? order : (a->site > b->site) - (a->site < b->site);
}

/* For each site: itself, those that have all its hosts, and `site *`, whose overrides hold everywhere. */
static void find_sites(struct hidden *hidden)
{
    const struct plan *plan = hidden->plan;
    size_t host_count = 0, count = 0, room = (size_t)plan->site_count * SITE_LIMIT;

    for (uint32_t s = 0; s < plan->site_count; s++)
        host_count += plan->sites[s].host_count;
    struct first_host *rows = arena_array(hidden->arena, host_count + 1, sizeof *rows);
    for (uint32_t s = 0, at = 0; s < plan->site_count; s++)
        for (uint32_t h = 0; h < plan->sites[s].host_count; h++)
            rows[at++] = (struct first_host){ .host = &plan->sites[s].hosts[h], .site = s };
    qsort(rows, host_count, sizeof *rows, host_order);

    hidden->sites_first = arena_array(hidden->arena, plan->site_count + 1u, sizeof(uint32_t));
    hidden->sites = arena_array(hidden->arena, room, sizeof(uint32_t));
    for (uint32_t s = 0; s < plan->site_count; s++) {
        struct first_host wanted = { .host = &plan->sites[s].hosts[0], .site = 0 };
        size_t from = 0, to = host_count, first = count;

        hidden->sites_first[s] = (uint32_t)count;
        hidden->sites[count++] = s;
        while (from < to) {
            size_t middle = from + (to - from) / 2;

            if (host_order(&rows[middle], &wanted) < 0)
                from = middle + 1;
            else
                to = middle;
        }
        for (; from < host_count && slice_equal(rows[from].host->name, wanted.host->name); from++)
            if (rows[from].site != s && rows[from].site != 0 && count - first < SITE_LIMIT - 1 &&
                site_has_all_hosts(&plan->sites[rows[from].site], &plan->sites[s]))
                hidden->sites[count++] = rows[from].site;
        if (s != 0)
            hidden->sites[count++] = 0;
    }
    hidden->sites_first[plan->site_count] = (uint32_t)count;
}

/* Exact paths are compared where something tells rules of one path apart: conditions, overrides, case. */
static bool needs_exact(const struct plan *plan)
{
    uint32_t flags = plan->rule_count ? plan->rules[0].flags : 0;

    for (uint32_t i = 0; i < plan->action_count; i++)
        if (plan->actions[i].condition_count || plan->actions[i].is_override)
            return true;
    for (uint32_t i = 0; i < plan->rule_count; i++)
        if ((plan->rules[i].flags ^ flags) & PLAN_CASE_IGNORE)
            return true;
    return false;
}

void check_hidden(const struct plan *plan, struct diag *diag)
{
    struct hidden hidden = { .plan = plan, .diag = diag, .arena = arena_open(), .ranks = rule_ranks_open(plan),
                             .has_exact = needs_exact(plan) };

    hidden.is_told_action = arena_array(hidden.arena, plan->action_count + 1u, sizeof(bool));
    find_contradictions(&hidden);
    find_sites(&hidden);
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
