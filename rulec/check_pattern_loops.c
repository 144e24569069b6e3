/* SPDX-License-Identifier: Apache-2.0 */
/* Four steps, each for what the one before could not rule out. loop_graph says from afar which rules could lead in a
 * circle at all; loop_edges compares their paths; loop_circles asks what every loop must do. A circle that is left has a
 * loop, which loop_witness finds and the engine confirms, or it is told as undecided: never is it passed over. */
#include "config.h"

#include "rulec/check_pattern_loops.h"

#include "rulec/condition_logic.h"
#include "rulec/loop_witness.h"

#include <stdlib.h>

enum { SHOWN_RULES = 8 };

struct search {
    const struct plan *plan;
    struct loop_report *report;
    struct loop_witness *witness;
    bool *is_undecided; /* by rule: told to be that */
    bool has_conditions; /* some rule holds for some requests only, whatever their method and scheme; or it is not known */
};

static bool has_other_condition(const struct plan_action *action)
{
    for (uint32_t i = 0; i < action->condition_count; i++)
        if (action->conditions[i].kind != PLAN_CONDITION_METHOD && action->conditions[i].kind != PLAN_CONDITION_SCHEME)
            return true;
    return false;
}

/* Where a rule may hold or not, what stands behind it may be asked: then check_loops, which asks once, decides nothing. */
static bool has_conditions(const struct plan *plan)
{
    for (uint32_t i = 0; i < plan->action_count; i++)
        if (has_other_condition(&plan->actions[i]))
            return true;
    for (uint32_t i = 0; i < plan->rule_count; i++)
        if (plan_choice(&plan->rules[i]))
            return true;
    return false;
}

/* What check_loops does not follow to its end. */
static bool is_special(const struct search *search, const struct plan_rule *rule)
{
    const struct plan *plan = search->plan;
    const struct plan_action *action = &plan->actions[rule->action];

    if (action->is_pass)
        return false;
    if (search->has_conditions)
        return true;
    return plan_template(rule) || plan_choice(rule) ||
           (plan_target(rule).size && (has_other_condition(action) || (plan_pattern(rule) && plan_pattern(rule)->parameter_count)));
}

/* ---- why it is not decided ---- */

static bool has_regex_part(const struct plan_segment *segments, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t p = 0; p < segments[i].part_count; p++)
            if (segments[i].parts[p].kind == PLAN_PART_REGEX)
                return true;
    return false;
}

static bool has_regex(const struct plan *plan, const struct plan_rule *rule)
{
    const struct plan_action *action = &plan->actions[rule->action];

    for (uint32_t i = 0; i < action->condition_count; i++)
        if (action->conditions[i].operator == PLAN_REGEX)
            return true;
    return plan_pattern(rule) && (plan_pattern(rule)->regex.size || has_regex_part(plan_pattern(rule)->head, plan_pattern(rule)->head_count) ||
                             has_regex_part(plan_pattern(rule)->rest, plan_pattern(rule)->rest_count));
}

static bool has_transform(const struct plan_rule *rule)
{
    const struct plan_template *template;
    struct slice target;

    for (uint32_t line = 0; target_line(rule, line, &template, &target); line++)
        for (uint32_t i = 0; template && i < template->piece_count; i++)
            if (template->pieces[i].transforms)
                return true;
    return false;
}

static bool has_condition(const struct plan *plan, const struct plan_rule *rule, enum plan_condition_kind kind)
{
    const struct plan_action *action = &plan->actions[rule->action];

    for (uint32_t i = 0; i < action->condition_count; i++)
        if (action->conditions[i].kind == kind)
            return true;
    return false;
}

/* The rule that makes it so, and why. */
static uint32_t find_reason(const struct search *search, const struct loop_circle *circle, const char **why)
{
    static const enum plan_condition_kind kinds[] = { PLAN_CONDITION_CHANCE, PLAN_CONDITION_BUSY, PLAN_CONDITION_ENV,
                                                      PLAN_CONDITION_RECURRING };
    static const char *const luck[] = { "\"chance\" decides", "\"busy\" decides", "\"env\" decides",
                                        "it depends on the clocks of several time zones" };
    const struct plan *plan = search->plan;

    for (uint32_t i = 0; i < circle->count; i++) {
        *why = "a regex is not looked into";
        if (has_regex(plan, &plan->rules[circle->rules[i]]))
            return circle->rules[i];
    }
    for (uint32_t i = 0; i < circle->count; i++) {
        *why = "what a transform makes of a text is not followed";
        if (has_transform(&plan->rules[circle->rules[i]]))
            return circle->rules[i];
    }
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        for (uint32_t i = 0; i < circle->count; i++) {
            *why = luck[k];
            if (has_condition(plan, &plan->rules[circle->rules[i]], kinds[k]))
                return circle->rules[i];
        }
    }
    *why = circle->is_cut_short ? "too many rules lead to each other to follow them all"
           : circle->only_grows ? "with each time round the path would get longer"
                                : "no loop was found, and none could be ruled out";
    return circle->rules[0];
}

/* One message a circle, for its rules lead to each other. */
static void tell_undecided(struct search *search, const struct loop_circle *circle)
{
    const char *why;
    uint32_t first = find_reason(search, circle, &why);
    bool is_known = true;
    unsigned shown = 0;

    for (uint32_t i = 0; i < circle->count; i++) {
        is_known &= search->is_undecided[circle->rules[i]];
        search->is_undecided[circle->rules[i]] = true;
    }
    if (is_known)
        return;
    diag_warning(search->report->diag, DIAG_LOOP_UNDECIDED, search->plan->rules[first].span,
                 "whether this redirect can lead back to itself is not decided: %s", why);
    for (uint32_t i = 0; i < circle->count && shown < SHOWN_RULES; i++) {
        if (circle->rules[i] == first)
            continue;
        diag_note(search->report->diag, search->plan->rules[circle->rules[i]].span, "it may come through this rule");
        shown++;
    }
    diag_help(search->report->diag, "a \"pass\" for what it leads to would decide it, and \"allow loop-undecided\" says that it "
                            "was looked at");
}

static void judge(void *baton, const struct loop_circle *circle)
{
    struct search *search = baton;
    bool has_special = false, is_reported = false;

    for (uint32_t i = 0; i < circle->count; i++) {
        has_special |= is_special(search, &search->plan->rules[circle->rules[i]]);
        is_reported |= search->report->is_reported[circle->rules[i]];
    }
    if (has_special && !loop_witness_find(search->witness, circle) && !is_reported)
        tell_undecided(search, circle);
}

static bool has_special_member(const struct search *search, const struct loop_graph *graph, uint32_t circle)
{
    for (uint32_t m = graph->member_first[circle]; m < graph->member_first[circle + 1]; m++)
        if (is_special(search, &search->plan->rules[graph->members[m]]))
            return true;
    return false;
}

void check_pattern_loops(const struct plan *plan, const struct ruleset *ruleset, const struct loop_methods *methods,
                         struct loop_report *report)
{
    struct search search = { .plan = plan, .report = report, .has_conditions = methods->is_cut_short || has_conditions(plan) };
    struct loop_graph graph;
    bool has_any = false;

    for (uint32_t i = 0; i < plan->rule_count && !has_any; i++)
        has_any = is_special(&search, &plan->rules[i]);
    if (!has_any)
        return;
    loop_graph_open(&graph, plan);
    if (graph.circle_count) {
        struct rule_ranks *ranks = rule_ranks_open(plan);

        search.is_undecided = memory_resize(NULL, plan->rule_count + 1u, sizeof(bool));
        memset(search.is_undecided, 0, plan->rule_count + 1u);
        search.witness = loop_witness_open(plan, ruleset, methods, report);
        for (uint32_t c = 1; c <= graph.circle_count; c++) {
            struct loop_edges edges;

            if (!has_special_member(&search, &graph, c))
                continue;
            struct arena *arena = arena_open();
            loop_edges_find(&edges, arena, plan, &graph, ranks, c);
            loop_circles_tell(arena, &edges, judge, &search);
            arena_close(arena);
        }
        loop_witness_close(search.witness);
        rule_ranks_close(ranks);
        free(search.is_undecided);
    }
    loop_graph_close(&graph);
}
