/* SPDX-License-Identifier: Apache-2.0 */
/* Sources of equal rank are fixed and open at the same segments. So they are sorted by site, rank and fixed texts;
 * only what stands together then can meet. In a large group each is compared with its neighbours only, and the
 * parameters of queries are compared by their names first: one path of a real list has 15,990 of them. Two sources that
 * are one URL each, with other parameters, meet where somebody sends both, which nobody does: that is told once. */
#include "config.h"

#include "rulec/check_rank.h"

#include "mod_redir307/hash.h"
#include "rulec/condition_logic.h"
#include "rulec/emit_program.h"
#include "rulec/segments.h"
#include "rulec/source_cover.h"

#include <stdlib.h>

enum { TOLD_LIMIT = 10, NEIGHBOUR_LIMIT = 32 };

struct entry {
    uint64_t group; /* of site, rank and fixed texts */
    uint64_t names; /* of the parameters, and which values are fixed */
    const struct plan_pattern *form; /* the rule's, or one of its emit_pattern_forms */
    uint32_t rule;
    bool is_fixed;  /* one path, and each parameter has one value */
};

struct ranks {
    const struct plan *plan;
    struct diag *diag;
    struct arena *arena;
    struct entry *entries;
    size_t count;
    bool told_fixed;
    size_t told_count, more_count;
    uint32_t more_at;
};

static uint64_t hash_text(uint64_t hash, struct slice text)
{
    for (size_t i = 0; i < text.size; i++)
        hash = (hash ^ (unsigned char)byte_lower(text.data[i])) * HASH_MULTIPLIER;
    return hash_mix(hash + text.size);
}

static void describe(struct ranks *ranks, uint32_t rule, const struct plan_pattern *pattern)
{
    const struct plan_action *action = &ranks->plan->actions[ranks->plan->rules[rule].action];
    uint64_t group = hash_mix(((uint64_t)action->site << 1 | action->is_override) + HASH_MULTIPLIER);
    uint32_t fixed_values = 0, fixed_segments = 0;
    uint64_t names = 0;

    for (uint32_t i = 0; i < pattern->head_count; i++) {
        if (!segment_is_fixed(pattern, i))
            continue;
        group = hash_text(group + i, pattern->head[i].parts[0].text);
        fixed_segments++;
    }
    for (uint32_t i = 0; i < pattern->parameter_count; i++) {
        const struct plan_parameter *parameter = &pattern->parameters[i];
        struct slice value;
        bool is_fixed = plan_parameter_value(parameter, &value);

        names += hash_mix(hash_bytes(parameter->name, 7 + (is_fixed ? 1 : 0)));
        fixed_values += is_fixed;
    }
    bool is_whole = pattern->tail == PLAN_TAIL_NONE && fixed_segments == pattern->head_count;
    if (!is_whole)
        group = hash_bytes(emit_rank(ranks->arena, pattern), group);
    group = hash_mix(group + ((uint64_t)pattern->parameter_count << 8 | fixed_values));
    ranks->entries[ranks->count++] = (struct entry){
        .group = group, .names = names, .form = pattern, .rule = rule,
        .is_fixed = is_whole && fixed_values == pattern->parameter_count
    };
}

static void describe_all(struct ranks *ranks)
{
    const struct plan *plan = ranks->plan;
    size_t room = 0;

    for (uint32_t i = 0; i < plan->rule_count; i++)
        room += plan_pattern(&plan->rules[i]) ? EMIT_FORM_LIMIT : 0;
    ranks->entries = memory_resize(NULL, room + 1, sizeof *ranks->entries);
    for (uint32_t i = 0; i < plan->rule_count; i++) {
        const struct plan_pattern *pattern = plan_pattern(&plan->rules[i]);

        if (!pattern || pattern->regex.size)
            continue;
        if (pattern->suffix.size == 0) {
            describe(ranks, i, pattern);
            continue;
        }
        struct plan_pattern *forms = arena_array(ranks->arena, EMIT_FORM_LIMIT, sizeof *forms);
        unsigned count = emit_pattern_forms(ranks->arena, pattern, forms);
        for (unsigned f = 0; f < count; f++)
            describe(ranks, i, &forms[f]);
    }
}

static int entry_order(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;

    if (a->group != b->group)
        return a->group < b->group ? -1 : 1;
    if (a->names != b->names)
        return a->names < b->names ? -1 : 1;
    return (a->rule > b->rule) - (a->rule < b->rule);
}

static bool answers_alike(const struct plan_rule *a, const struct plan_rule *b)
{
    return a->action == b->action && !plan_template(a) && !plan_template(b) && !plan_choice(a) && !plan_choice(b) &&
           slice_equal(plan_target(a), plan_target(b));
}

/* The one that is held whole by an earlier one never fires: check_hidden's business. Two that are the same are
 * check_same's. */
static bool is_settled(const struct source_view *first, const struct source_view *second, const struct ranks *ranks,
                       const struct plan_rule *earlier, const struct plan_rule *later)
{
    const struct plan_action *before = &ranks->plan->actions[earlier->action];
    const struct plan_action *after = &ranks->plan->actions[later->action];

    if (!source_covers(first, second))
        return false;
    return source_covers(second, first) || action_implies(ranks->plan, after, before);
}

static void compare(struct ranks *ranks, const struct entry *left, const struct entry *right)
{
    const struct entry *a = left->rule < right->rule ? left : right, *b = a == left ? right : left;
    const struct plan_rule *earlier = &ranks->plan->rules[a->rule], *later = &ranks->plan->rules[b->rule];
    struct source_view first, second;

    if (a->rule == b->rule || answers_alike(earlier, later) ||
        actions_exclude(ranks->plan, &ranks->plan->actions[earlier->action], &ranks->plan->actions[later->action]))
        return;
    source_view_of(ranks->arena, earlier, a->form, &first);
    source_view_of(ranks->arena, later, b->form, &second);
    if (!source_meets(&first, &second) || is_settled(&first, &second, ranks, earlier, later) ||
        diag_is_allowed(ranks->diag, DIAG_EQUAL_RANK, later->span))
        return;
    bool are_fixed = left->is_fixed && right->is_fixed;
    if (are_fixed ? ranks->told_fixed : ranks->told_count == TOLD_LIMIT) {
        if (ranks->more_count++ == 0)
            ranks->more_at = b->rule;
        return;
    }
    ranks->told_fixed |= are_fixed;
    ranks->told_count += !are_fixed;
    diag_warning(ranks->diag, DIAG_EQUAL_RANK, later->span,
                 "this source and another one rank alike, and there are URLs that both take: the first line answers");
    diag_note(ranks->diag, earlier->span, "this line");
}

/* Of fixed values with the same names no two are alike in one request; of two such rows the first ones speak for
 * all. In a group either all are so, or none. */
static void compare_rows(struct ranks *ranks, size_t from, size_t to)
{
    const struct entry *entries = ranks->entries;
    size_t rows[NEIGHBOUR_LIMIT], count = 0;

    for (size_t i = from; i < to && count < NEIGHBOUR_LIMIT; i++)
        if (i == from || entries[i].names != entries[i - 1].names)
            rows[count++] = i;
    for (size_t i = 0; i < count; i++)
        for (size_t k = i + 1; k < count; k++)
            compare(ranks, &entries[rows[i]], &entries[rows[k]]);
}

static void compare_group(struct ranks *ranks, size_t from, size_t to)
{
    if (ranks->entries[from].is_fixed) {
        compare_rows(ranks, from, to);
        return;
    }
    for (size_t i = from; i < to; i++)
        for (size_t k = i + 1; k < to && k <= i + NEIGHBOUR_LIMIT; k++)
            compare(ranks, &ranks->entries[i], &ranks->entries[k]);
}

void check_rank(const struct plan *plan, struct diag *diag)
{
    struct ranks ranks = { .plan = plan, .diag = diag, .arena = arena_open() };

    describe_all(&ranks);
    qsort(ranks.entries, ranks.count, sizeof *ranks.entries, entry_order);
    for (size_t from = 0, to; from < ranks.count; from = to) {
        for (to = from + 1; to < ranks.count && ranks.entries[to].group == ranks.entries[from].group;)
            to++;
        if (to - from > 1)
            compare_group(&ranks, from, to);
    }
    if (ranks.more_count)
        diag_warning(diag, DIAG_EQUAL_RANK, plan->rules[ranks.more_at].span,
                     "and %zu more from here on that rank like another source that they meet", ranks.more_count);
    free(ranks.entries);
    arena_close(ranks.arena);
}
