/* SPDX-License-Identifier: Apache-2.0 */
/* Two lines for one page: people mean `/a` and `/a/` to be the same, and the two forms answer for each other, unless
 * both are written. */
#include "config.h"

#include "mod_redir307/hash.h"
#include "mod_redir307/url.h"
#include "rulec/check_status.h"
#include "rulec/condition_logic.h"

#include <stdlib.h>

enum {
    TOLD_LIMIT = 10,
    AHEAD = 16 /* slots lie anywhere in memory: each is asked for so many rules before it is looked at */
};

/* The rules whose path ends in a slash, by that path. */
struct slashed {
    const struct plan *plan;
    uint64_t *slots; /* the upper half of the key, and rule + 1; 0: free */
    size_t mask;
};

static uint64_t key_of(const struct plan *plan, const struct plan_rule *rule)
{
    return hash_path(url_without_last_slash(plan_path(rule)), 0, plan->actions[rule->action].site);
}

static bool is_slashed(const struct plan_rule *rule)
{
    return !plan_pattern(rule) && url_has_last_slash(plan_path(rule));
}

static const uint64_t upper_half = ~(uint64_t)UINT32_MAX;

static bool open_slashed(struct slashed *slashed, const struct plan *plan)
{
    size_t count = 0, slot_count = 64;

    for (uint32_t i = 0; i < plan->rule_count; i++)
        count += is_slashed(&plan->rules[i]);
    if (count == 0)
        return false;
    while (slot_count < 2 * count)
        slot_count *= 2;
    *slashed = (struct slashed){ .plan = plan, .mask = slot_count - 1 };
    slashed->slots = memory_resize(NULL, slot_count, sizeof *slashed->slots);
    memset(slashed->slots, 0, slot_count * sizeof *slashed->slots);
    for (uint32_t i = 0; i < plan->rule_count; i++) {
        if (!is_slashed(&plan->rules[i]))
            continue;
        uint64_t key = key_of(plan, &plan->rules[i]);
        size_t at = key & slashed->mask;
        while (slashed->slots[at])
            at = (at + 1) & slashed->mask;
        slashed->slots[at] = (key & upper_half) | (i + 1);
    }
    return true;
}

static bool answers_alike(const struct plan *plan, const struct plan_rule *a, const struct plan_rule *b)
{
    const struct plan_action *left = &plan->actions[a->action], *right = &plan->actions[b->action];

    return left->is_pass == right->is_pass && left->status_get == right->status_get &&
           slice_equal(url_without_last_slash(plan_target(a)), url_without_last_slash(plan_target(b)));
}

/* `/a -> /a/`: the one form leads to the other. */
static bool leads_to(const struct plan_rule *a, const struct plan_rule *b)
{
    return slice_equal(plan_target(a), plan_path(b));
}

static bool is_twin(const struct plan *plan, const struct plan_rule *rule, const struct plan_rule *other)
{
    const struct plan_action *a = &plan->actions[rule->action], *b = &plan->actions[other->action];

    return a->site == b->site && a->is_override == b->is_override &&
           slice_equal(plan_path(rule), url_without_last_slash(plan_path(other))) && !plan_template(rule) &&
           !plan_template(other) && !plan_choice(rule) &&
           !plan_choice(other) && !answers_alike(plan, rule, other) && !leads_to(rule, other) && !leads_to(other, rule) &&
           !actions_exclude(plan, a, b);
}

/* The rule's key; its slot is on its way. */
static uint64_t ask_for(const struct slashed *slashed, uint32_t number)
{
    uint64_t key = key_of(slashed->plan, &slashed->plan->rules[number]);

    __builtin_prefetch(&slashed->slots[key & slashed->mask]);
    return key;
}

void check_slash(const struct plan *plan, struct diag *diag)
{
    struct slashed slashed;
    uint64_t keys[AHEAD]; /* of the rules that come next */
    size_t count = 0;
    uint32_t more_at = 0;

    if (!open_slashed(&slashed, plan))
        return;
    for (uint32_t i = 0; i < plan->rule_count && i < AHEAD; i++)
        keys[i] = ask_for(&slashed, i);
    for (uint32_t i = 0; i < plan->rule_count; i++) {
        const struct plan_rule *rule = &plan->rules[i];
        uint64_t key = keys[i % AHEAD];

        if (plan->rule_count - i > AHEAD)
            keys[i % AHEAD] = ask_for(&slashed, i + AHEAD);
        if (plan_pattern(rule) || is_slashed(rule))
            continue;
        for (size_t at = key & slashed.mask; slashed.slots[at]; at = (at + 1) & slashed.mask) {
            const struct plan_rule *other = &plan->rules[(uint32_t)slashed.slots[at] - 1];

            if ((slashed.slots[at] ^ key) & upper_half)
                continue;
            if (!is_twin(plan, rule, other) || diag_is_allowed(diag, DIAG_SLASH_DIFFERS, rule->span))
                continue;
            if (count++ >= TOLD_LIMIT) {
                more_at = count == TOLD_LIMIT + 1 ? i : more_at;
                break;
            }
            diag_warning(diag, DIAG_SLASH_DIFFERS, rule->span,
                         "\"%.*s\" with and without its last slash is answered differently", (int)plan_path(rule).size,
                         plan_path(rule).data);
            diag_note(diag, other->span, "with the slash");
            break;
        }
    }
    if (count > TOLD_LIMIT)
        diag_warning(diag, DIAG_SLASH_DIFFERS, plan->rules[more_at].span,
                     "and %zu more from here on that are answered differently with a last slash", count - TOLD_LIMIT);
    free(slashed.slots);
}
