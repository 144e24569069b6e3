/* SPDX-License-Identifier: Apache-2.0 */
/* The ranks are those that the engine searches by: emit_program makes them. */
#include "config.h"

#include "rulec/rule_rank.h"

#include <stdlib.h>

struct rule_ranks {
    const struct plan *plan;
    struct arena *arena;
    struct rule_forms **forms; /* by rule; NULL: not made */
};

struct rule_ranks *rule_ranks_open(const struct plan *plan)
{
    struct arena *arena = arena_open();
    struct rule_ranks *ranks = arena_alloc(arena, sizeof *ranks);

    ranks->plan = plan;
    ranks->arena = arena;
    ranks->forms = arena_array(arena, plan->rule_count + 1u, sizeof *ranks->forms);
    return ranks;
}

void rule_ranks_close(struct rule_ranks *ranks) { arena_close(ranks->arena); }

static bool is_whole(const struct plan_pattern *pattern)
{
    if (pattern->tail != PLAN_TAIL_NONE || pattern->parameter_count == 0)
        return false;
    for (uint32_t i = 0; i < pattern->head_count; i++)
        if (pattern->head[i].part_count != 1 || pattern->head[i].parts[0].kind != PLAN_PART_LITERAL)
            return false;
    return true;
}

/* Made when first needed: for most rules nobody asks. */
const struct rule_forms *rule_ranks_forms(struct rule_ranks *ranks, uint32_t number)
{
    const struct plan_rule *rule = &ranks->plan->rules[number];
    struct rule_forms *forms = ranks->forms[number];
    struct plan_pattern *patterns;

    if (forms)
        return forms;
    forms = ranks->forms[number] = arena_alloc(ranks->arena, sizeof *forms);
    forms->count = 1;
    if (!plan_pattern(rule)) {
        forms->items[0] = (struct rule_form){ .phase = RULE_PHASE_EXACT };
        source_view_of(ranks->arena, rule, NULL, &forms->items[0].view);
        return forms;
    }
    patterns = arena_array(ranks->arena, EMIT_FORM_LIMIT, sizeof *patterns);
    forms->count = emit_pattern_forms(ranks->arena, plan_pattern(rule), patterns);
    for (unsigned i = 0; i < forms->count; i++) {
        forms->items[i].phase = is_whole(&patterns[i]) ? RULE_PHASE_WHOLE : RULE_PHASE_SHAPES;
        forms->items[i].rank = emit_rank(ranks->arena, &patterns[i]);
        source_view_of(ranks->arena, rule, &patterns[i], &forms->items[i].view);
    }
    return forms;
}

/* The bytes as they are written: where ranks are equal, the form that a request has wins. */
static bool written_equal(const struct source_view *a, const struct source_view *b)
{
    if (a->ends_in_slash != b->ends_in_slash || a->head_count != b->head_count)
        return false;
    if (!a->ignores_case && !b->ignores_case)
        return true;
    for (uint32_t i = 0; i < a->head_count; i++) {
        const struct plan_part *left = &a->head[i].parts[0], *right = &b->head[i].parts[0];

        if (left->kind != right->kind || !slice_equal(left->text, right->text))
            return false;
    }
    return true;
}

bool rule_form_is_before(const struct rule_form *a, uint32_t a_rule, const struct rule_form *b, uint32_t b_rule)
{
    if (a->phase != b->phase)
        return a->phase < b->phase;
    int order = a->phase == RULE_PHASE_EXACT ? 0 : slice_compare(a->rank, b->rank);

    if (order != 0)
        return order < 0;
    return a_rule < b_rule && written_equal(&a->view, &b->view);
}

bool rule_ranks_is_before(struct rule_ranks *ranks, uint32_t before, uint32_t rule)
{
    const struct rule_forms *own = rule_ranks_forms(ranks, rule);
    const struct rule_form *form = &rule_ranks_forms(ranks, before)->items[0];

    for (unsigned i = 0; i < own->count; i++) {
        const struct rule_form *other = &own->items[i];
        bool is_higher = form->phase != other->phase ? form->phase < other->phase
                                                     : form->phase != RULE_PHASE_EXACT &&
                                                           slice_compare(form->rank, other->rank) < 0;

        if (!is_higher && (!rule_form_is_before(form, before, other, rule) ||
                           !source_covers(&form->view, &other->view)))
            return false;
    }
    return true;
}

/* ---- does it answer ---- */

/* Some line is for every request. */
static bool has_answer(const struct plan_rule *rule)
{
    if (!plan_choice(rule) || plan_choice(rule)->by == PLAN_BY_CLIENT || plan_choice(rule)->by == PLAN_BY_CHANCE)
        return true;
    for (uint32_t i = 0; i < plan_choice(rule)->line_count; i++)
        if (plan_choice(rule)->lines[i].is_otherwise)
            return true;
    return false;
}

static bool is_cut(const struct plan_segment *segment) { return segment->part_count > 1; }

/* What stands beside fixed bytes may be a dot, and a target with a dot segment makes the rule not hold. A whole
 * segment never is one. */
static bool captures_parts(const struct plan_pattern *pattern)
{
    if (pattern->tail == PLAN_TAIL_BELOW || pattern->suffix.size)
        return true;
    for (uint32_t i = 0; i < pattern->head_count; i++)
        if (is_cut(&pattern->head[i]))
            return true;
    for (uint32_t i = 0; i < pattern->rest_count; i++)
        if (is_cut(&pattern->rest[i]))
            return true;
    return false;
}

static bool may_fail(const struct plan_rule *rule)
{
    for (uint32_t i = 0; plan_template(rule) && i < plan_template(rule)->piece_count; i++) {
        const struct plan_piece *piece = &plan_template(rule)->pieces[i];

        if (piece->place == PLAN_IN_PATH &&
            (piece->kind == PLAN_PIECE_QUERY_CAPTURE ||
             (piece->kind == PLAN_PIECE_CAPTURE && captures_parts(plan_pattern(rule)))))
            return true;
    }
    return false;
}

bool rule_always_answers(const struct plan_rule *rule) { return has_answer(rule) && !may_fail(rule); }
