/* SPDX-License-Identifier: Apache-2.0 */
/* Finds rules of equal source by a key: all that the source means, written into one row of
 * bytes. Names of placeholders and the order of parameters mean nothing. Under `case ignore`
 * the form that is written ranks first, so two sources that differ in case are two. */
#include "config.h"

#include "rulec/check_same.h"

#include "mod_redir307/ruleset_format.h"
#include "rulec/bytes.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <stdlib.h>

/* Slots lie anywhere in memory: each is asked for so many rules before it is looked at. */
enum { AHEAD = 16 };

struct same {
    const struct plan *plan;
    struct diag *diag;
    /* The upper half of a key's hash, and the number + 1 of the last rule with that source;
     * 0: empty. */
    uint64_t *slots;
    uint32_t *previous; /* of each rule: the one before it with the same source + 1; 0: none */
    uint32_t slot_mask;
    struct bytes key, other; /* keys that are written; kept from rule to rule */
    uint64_t hashes[AHEAD]; /* of the rules that come next */
};

static void put_segments(struct bytes *key, const struct plan_segment *segments, uint32_t count)
{
    bytes_put_u32(key, count);
    for (uint32_t i = 0; i < count; i++) {
        bytes_put_u32(key, segments[i].part_count);
        for (uint32_t k = 0; k < segments[i].part_count; k++) {
            const struct plan_part *part = &segments[i].parts[k];

            bytes_put_u32(key, part->kind);
            bytes_put_slice32(key, part->text);
            bytes_put_u32(key, part->set_count);
            for (uint32_t s = 0; s < part->set_count; s++)
                bytes_put_slice32(key, part->set[s]);
        }
    }
}

static int compare_parameters(const void *left, const void *right)
{
    const struct plan_parameter *a = left, *b = right;

    return slice_compare(a->name, b->name);
}

static void put_pattern(struct bytes *key, const struct plan_pattern *pattern)
{
    struct plan_parameter sorted[PLAN_PARAMETER_LIMIT];

    put_segments(key, pattern->head, pattern->head_count);
    bytes_put_u32(key, pattern->tail);
    bytes_put_slice32(key, pattern->suffix);
    put_segments(key, pattern->rest, pattern->rest_count);
    bytes_put_u32(key, pattern->ends_in_slash);
    bytes_put_slice32(key, pattern->regex);

    bytes_put_u32(key, pattern->parameter_count);
    if (pattern->parameter_count == 0)
        return;
    memcpy(sorted, pattern->parameters, pattern->parameter_count * sizeof(*sorted));
    qsort(sorted, pattern->parameter_count, sizeof(*sorted), compare_parameters);
    for (uint32_t i = 0; i < pattern->parameter_count; i++) {
        bytes_put_slice32(key, sorted[i].name);
        bytes_put_u32(key, sorted[i].kind);
        put_segments(key, &sorted[i].value, 1);
    }
}

static void write_key(const struct plan *plan, const struct plan_rule *rule, struct bytes *key)
{
    key->size = 0;
    bytes_put_u32(key, plan->actions[rule->action].site);
    bytes_put_u32(key, rule->flags & PLAN_CASE_IGNORE);
    bytes_put_u32(key, plan_pattern(rule) ? 1 : 0);
    if (plan_pattern(rule))
        put_pattern(key, plan_pattern(rule));
    else
        bytes_put_slice32(key, plan_path(rule));
}

static bool is_same_source(struct same *same, uint32_t number, uint32_t other)
{
    write_key(same->plan, &same->plan->rules[number], &same->key);
    write_key(same->plan, &same->plan->rules[other], &same->other);
    return same->key.size == same->other.size &&
           memcmp(same->key.data, same->other.data, same->key.size) == 0;
}

static bool has_condition(const struct plan *plan, const struct plan_action *action,
                          const struct plan_condition *condition)
{
    for (uint32_t i = 0; i < action->condition_count; i++) {
        if (plan_conditions_equal(plan, &action->conditions[i], condition))
            return true;
    }
    return false;
}

/* True where `first` holds whenever `second` does: it asks for nothing more. */
static bool holds_before(const struct plan *plan, const struct plan_action *first,
                         const struct plan_action *second)
{
    if (first->is_override != second->is_override)
        return false;
    for (uint32_t i = 0; i < first->condition_count; i++) {
        if (!has_condition(plan, second, &first->conditions[i]))
            return false;
        /* Each of two equal chances draws for itself. */
        if (first->conditions[i].kind == PLAN_CONDITION_CHANCE &&
            second->condition_count > first->condition_count)
            return false;
    }
    return true;
}

/* A `by` form that no line of may hold is a condition by itself: what stands behind it can
 * be reached. */
static bool always_answers(const struct plan_rule *rule)
{
    const struct plan_choice *choice = plan_choice(rule);

    if (!choice || choice->by == PLAN_BY_CLIENT || choice->by == PLAN_BY_CHANCE)
        return true;
    for (uint32_t i = 0; i < choice->line_count; i++) {
        if (choice->lines[i].is_otherwise)
            return true;
    }
    return false;
}

static bool templates_equal(const struct plan_template *a, const struct plan_template *b)
{
    if (!a || !b)
        return a == b;
    if (a->is_https != b->is_https || a->drops_last_slash != b->drops_last_slash ||
        a->piece_count != b->piece_count) {
        return false;
    }
    for (uint32_t i = 0; i < a->piece_count; i++) {
        const struct plan_piece *left = &a->pieces[i], *right = &b->pieces[i];

        if (left->kind != right->kind || left->place != right->place ||
            left->transforms != right->transforms || left->capture != right->capture ||
            !slice_equal(left->text, right->text)) {
            return false;
        }
    }
    return true;
}

static bool goes_same_way(const struct plan_rule *first, const struct plan_rule *rule)
{
    return slice_equal(plan_target(first), plan_target(rule)) && plan_choice(first) == plan_choice(rule) &&
           templates_equal(plan_template(first), plan_template(rule));
}

static void report_same(const struct same *same, const struct plan_rule *first,
                        const struct plan_rule *rule)
{
    bool is_one_way = goes_same_way(first, rule);

    if (is_one_way && first->action == rule->action) {
        diag_warning(same->diag, DIAG_DUPLICATE_RULE, rule->span,
                     "this rule stands here a second time");
        diag_note(same->diag, first->span, "the same rule");
        return;
    }
    diag_error(same->diag, DIAG_CONFLICT, rule->span,
               "this source is answered already, with another %s",
               is_one_way ? "status or other clauses" : "target");
    diag_note(same->diag, first->span, "the other answer");
    diag_help(same->diag,
              "take one of the two away, or give them conditions that tell them apart");
}

/* Compares the rule with those of its source that stand before it. True: one of them leaves it
 * nothing to answer, and that was said. */
static bool judge(const struct same *same, uint32_t number)
{
    const struct plan_rule *rule = &same->plan->rules[number];
    const struct plan_action *action = &same->plan->actions[rule->action];
    unsigned compared = 0;

    for (uint32_t at = same->previous[number]; at; at = same->previous[at - 1]) {
        const struct plan_rule *other = &same->plan->rules[at - 1];
        const struct plan_action *before = &same->plan->actions[other->action];

        /* More rules than that have no place in a rule file. */
        if (++compared > RULESET_CHAIN_LIMIT)
            return false;
        if (!always_answers(other) || !holds_before(same->plan, before, action))
            continue;
        /* One that asks for more is hidden: check_hidden says so. */
        if (before->condition_count != action->condition_count)
            continue;
        /* The second one also answers for the other slash. */
        if (other->flags & ~rule->flags & PLAN_SLASH_EXACT && other->action == rule->action &&
            goes_same_way(other, rule))
            continue;
        report_same(same, other, rule);
        return true;
    }
    return false;
}

static void prepare(struct same *same, uint32_t number)
{
    write_key(same->plan, &same->plan->rules[number], &same->key);
    uint64_t hash = XXH3_64bits(same->key.data, same->key.size);
    same->hashes[number % AHEAD] = hash;
    __builtin_prefetch(&same->slots[(uint32_t)hash & same->slot_mask], 1);
}

/* Rules of one source hang on each other from the last to the first. One that was found to
 * stand there already is not added, so a line that is written a million times is compared a
 * million times and no more. */
static void enter(struct same *same, uint32_t number)
{
    uint64_t hash = same->hashes[number % AHEAD];
    uint64_t upper = hash & ~(uint64_t)UINT32_MAX;
    uint32_t at = (uint32_t)hash & same->slot_mask;
    while (same->slots[at]) {
        if ((same->slots[at] & ~(uint64_t)UINT32_MAX) == upper) {
            uint32_t other = (uint32_t)same->slots[at] - 1;

            if (is_same_source(same, number, other)) {
                same->previous[number] = other + 1;
                if (judge(same, number))
                    return;
                break;
            }
        }
        at = (at + 1) & same->slot_mask;
    }
    same->slots[at] = upper | (number + 1);
}

void check_same(const struct plan *plan, struct diag *diag)
{
    struct same same = { .plan = plan, .diag = diag };
    uint32_t slot_count = 64;

    while (slot_count / 4 * 3 < plan->rule_count && slot_count <= UINT32_MAX / 4)
        slot_count *= 2;
    same.slot_mask = slot_count - 1;
    same.slots = memory_resize(NULL, slot_count, sizeof(*same.slots));
    memset(same.slots, 0, slot_count * sizeof(*same.slots));
    same.previous = memory_zeroed(plan->rule_count + 1U, sizeof(*same.previous));

    for (uint32_t i = 0; i < plan->rule_count && i < AHEAD; i++)
        prepare(&same, i);
    for (uint32_t i = 0; i < plan->rule_count; i++) {
        enter(&same, i);
        if (plan->rule_count - i > AHEAD)
            prepare(&same, i + AHEAD);
    }
    free(same.slots);
    free(same.previous);
    bytes_free(&same.key);
    bytes_free(&same.other);
}
