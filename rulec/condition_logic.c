/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of values, names and windows, compared. What a regex says of a text is not looked into: two are compared as
 * they are written. */
#include "config.h"

#include "rulec/condition_logic.h"

#include <strings.h>

/* Values are sorted and without doubles; HEAD counts as GET. */
static bool has_value(const struct plan_condition *condition, struct slice value)
{
    bool is_head = condition->kind == PLAN_CONDITION_METHOD && slice_equal(value, SLICE("HEAD"));

    for (uint32_t i = 0; i < condition->value_count; i++) {
        struct slice own = condition->values[i];

        if (condition->kind == PLAN_CONDITION_METHOD && slice_equal(own, SLICE("HEAD")))
            own = SLICE("GET");
        if (slice_equal(own, is_head ? SLICE("GET") : value))
            return true;
    }
    return false;
}

static bool is_within(const struct plan_condition *inner, const struct plan_condition *outer)
{
    for (uint32_t i = 0; i < inner->value_count; i++)
        if (!has_value(outer, inner->values[i]))
            return false;
    return inner->value_count > 0;
}

static bool is_disjoint(const struct plan_condition *a, const struct plan_condition *b)
{
    for (uint32_t i = 0; i < a->value_count; i++)
        if (has_value(b, a->values[i]))
            return false;
    return a->value_count > 0 && b->value_count > 0;
}

static bool same_name(const struct plan_condition *a, const struct plan_condition *b)
{
    if (a->kind != b->kind || a->name.size != b->name.size)
        return false;
    if (a->kind == PLAN_CONDITION_HEADER)
        return a->name.size == 0 || strncasecmp(a->name.data, b->name.data, a->name.size) == 0;
    return slice_equal(a->name, b->name);
}

/* One and the same, but for `unless`. */
static bool is_opposite(const struct plan *plan, const struct plan_condition *a, const struct plan_condition *b)
{
    struct plan_condition turned = *b;

    if (a->kind != b->kind || a->is_unless == b->is_unless)
        return false;
    turned.is_unless = a->is_unless;
    return plan_conditions_equal(plan, a, &turned);
}

static bool has_one_value(enum plan_condition_kind kind)
{
    return kind == PLAN_CONDITION_METHOD || kind == PLAN_CONDITION_SCHEME || kind == PLAN_CONDITION_HEADER ||
           kind == PLAN_CONDITION_COOKIE || kind == PLAN_CONDITION_ENV;
}

static bool is_named(enum plan_condition_kind kind)
{
    return kind == PLAN_CONDITION_HEADER || kind == PLAN_CONDITION_COOKIE || kind == PLAN_CONDITION_ENV ||
           kind == PLAN_CONDITION_QUERY;
}

/* Where the affirmative `a` holds, the affirmative form of `b` holds, too. */
static bool covers_values(const struct plan_condition *a, const struct plan_condition *b)
{
    if (is_named(a->kind) && b->operator == PLAN_PRESENT)
        return true;
    if (a->operator != b->operator)
        return false;
    return is_within(a, b);
}

static bool is_same_prefix(const struct plan_network *a, const struct plan_network *b)
{
    uint8_t bits = a->prefix < b->prefix ? a->prefix : b->prefix;

    if (a->family != b->family || memcmp(a->address, b->address, bits / 8) != 0)
        return false;
    if (bits % 8 == 0)
        return true;
    unsigned mask = 0xff00u >> (bits % 8) & 0xff;
    return (a->address[bits / 8] & mask) == (b->address[bits / 8] & mask);
}

static bool networks_disjoint(const struct plan_condition *a, const struct plan_condition *b)
{
    for (uint32_t i = 0; i < a->network_count; i++)
        for (uint32_t k = 0; k < b->network_count; k++)
            if (is_same_prefix(&a->networks[i], &b->networks[k]))
                return false;
    return a->network_count > 0 && b->network_count > 0;
}

/* ---- daily and weekly ---- */

enum { DAY_S = 86400, WEEK_S = 7 * DAY_S };

bool condition_holds_in_week(const struct plan_condition *condition, uint32_t second)
{
    uint32_t day = second / DAY_S, clock = second % DAY_S;
    bool today = condition->days >> day & 1, yesterday = condition->days >> (day + 6) % 7 & 1, is_in;

    if (condition->start_s < condition->end_s)
        is_in = today && clock >= condition->start_s && clock < condition->end_s;
    else
        is_in = (today && clock >= condition->start_s) || (yesterday && clock < condition->end_s);
    return is_in != condition->is_unless;
}

enum relation { RELATION_EXCLUDES, RELATION_IMPLIES };

static bool relation_fails(const struct plan_condition *a, const struct plan_condition *b, enum relation relation,
                           uint32_t second)
{
    return condition_holds_in_week(a, second) &&
           condition_holds_in_week(b, second) == (relation == RELATION_EXCLUDES);
}

/* Clocks of one zone: what holds changes only where one of the two windows begins or ends. */
static bool is_so_all_week(const struct plan_condition *a, const struct plan_condition *b, enum relation relation)
{
    if (a->zone != b->zone)
        return false;
    for (uint32_t day = 0; day < 7; day++) {
        uint32_t start = day * DAY_S, edges[] = { start, start + a->start_s, start + a->end_s,
                                                  start + b->start_s, start + b->end_s };

        for (size_t i = 0; i < sizeof edges / sizeof *edges; i++)
            if (relation_fails(a, b, relation, edges[i] % WEEK_S))
                return false;
    }
    return true;
}

bool conditions_exclude(const struct plan *plan, const struct plan_condition *a, const struct plan_condition *b)
{
    if (!same_name(a, b))
        return false;
    switch (a->kind) {
    case PLAN_CONDITION_CHANCE: /* each draws by itself */
        return false;
    case PLAN_CONDITION_WINDOW:
        return !a->is_unless && !b->is_unless && (a->until_s <= b->from_s || b->until_s <= a->from_s);
    case PLAN_CONDITION_CLIENT:
        if (!a->is_unless && !b->is_unless)
            return networks_disjoint(a, b);
        return is_opposite(plan, a, b);
    case PLAN_CONDITION_RECURRING:
        return is_so_all_week(a, b, RELATION_EXCLUDES);
    case PLAN_CONDITION_BUSY:
        return is_opposite(plan, a, b);
    default:
        break;
    }
    if (a->is_unless && b->is_unless)
        return false;
    if (!a->is_unless && !b->is_unless)
        return has_one_value(a->kind) && a->operator != PLAN_REGEX && b->operator != PLAN_REGEX && is_disjoint(a, b);
    return a->is_unless ? covers_values(b, a) : covers_values(a, b);
}

bool condition_implies(const struct plan *plan, const struct plan_condition *strong,
                       const struct plan_condition *weak)
{
    if (!same_name(strong, weak) || strong->kind == PLAN_CONDITION_CHANCE)
        return false;
    if (strong->kind == PLAN_CONDITION_WINDOW)
        return !strong->is_unless && !weak->is_unless && weak->from_s <= strong->from_s &&
               strong->until_s <= weak->until_s;
    if (strong->kind == PLAN_CONDITION_RECURRING)
        return is_so_all_week(strong, weak, RELATION_IMPLIES);
    if (strong->kind == PLAN_CONDITION_CLIENT || strong->kind == PLAN_CONDITION_BUSY)
        return plan_conditions_equal(plan, strong, weak);
    if (!strong->is_unless && !weak->is_unless)
        return covers_values(strong, weak);
    if (strong->is_unless && weak->is_unless)
        return covers_values(weak, strong);
    /* "POST" says "not GET", where there is one value only. */
    return !strong->is_unless && has_one_value(strong->kind) && strong->operator != PLAN_REGEX &&
           weak->operator == strong->operator && is_disjoint(strong, weak);
}

bool actions_exclude(const struct plan *plan, const struct plan_action *a, const struct plan_action *b)
{
    for (uint32_t i = 0; i < a->condition_count; i++)
        for (uint32_t k = 0; k < b->condition_count; k++)
            if (conditions_exclude(plan, &a->conditions[i], &b->conditions[k]))
                return true;
    return false;
}

bool action_implies(const struct plan *plan, const struct plan_action *strong, const struct plan_action *weak)
{
    for (uint32_t i = 0; i < weak->condition_count; i++) {
        bool is_implied = false;

        for (uint32_t k = 0; k < strong->condition_count && !is_implied; k++)
            is_implied = condition_implies(plan, &strong->conditions[k], &weak->conditions[i]);
        if (!is_implied)
            return false;
    }
    return true;
}

bool action_excludes_itself(const struct plan *plan, const struct plan_action *action,
                            const struct plan_condition **first, const struct plan_condition **second)
{
    for (uint32_t i = 0; i < action->condition_count; i++) {
        for (uint32_t k = i + 1; k < action->condition_count; k++) {
            if (!conditions_exclude(plan, &action->conditions[i], &action->conditions[k]))
                continue;
            *first = &action->conditions[i];
            *second = &action->conditions[k];
            return true;
        }
    }
    return false;
}

/* ---- one of several ---- */

/* Where one does not hold, the other does. */
static bool is_complement(const struct plan *plan, const struct plan_condition *a, const struct plan_condition *b)
{
    struct plan_condition turned = *a;

    if (a->kind == PLAN_CONDITION_SCHEME && b->kind == PLAN_CONDITION_SCHEME && !a->is_unless && !b->is_unless)
        return is_disjoint(a, b); /* there are two */
    if (a->kind == PLAN_CONDITION_WINDOW)
        return false;
    turned.is_unless = !a->is_unless;
    return condition_implies(plan, &turned, b);
}

/* The windows, one after the other, leave no gap in `own` (NULL: in all time). Sets *used of those it takes. */
static bool windows_join(const struct plan_condition *const *conditions, unsigned count,
                         const struct plan_condition *own, bool *used)
{
    int64_t reached = own ? own->from_s : INT64_MIN, end = own ? own->until_s : INT64_MAX;

    for (unsigned round = 0; round < count; round++) {
        unsigned best = count;

        for (unsigned i = 0; i < count; i++) {
            if (conditions[i]->kind != PLAN_CONDITION_WINDOW || conditions[i]->is_unless ||
                conditions[i]->from_s > reached)
                continue;
            if (best == count || conditions[i]->until_s > conditions[best]->until_s)
                best = i;
        }
        if (best == count || conditions[best]->until_s <= reached)
            return false;
        used[best] = true;
        reached = conditions[best]->until_s;
        if (reached >= end)
            return true;
    }
    return false;
}

bool conditions_cover(const struct plan *plan, const struct plan_action *own,
                      const struct plan_condition *const *conditions, unsigned count, bool *used)
{
    const struct plan_condition *window = NULL;

    memset(used, 0, count * sizeof *used);
    for (unsigned i = 0; i < count; i++) {
        for (unsigned k = 0; k < count; k++) {
            if (i == k || !is_complement(plan, conditions[i], conditions[k]))
                continue;
            used[i] = used[k] = true;
            return true;
        }
    }
    for (uint32_t i = 0; i < own->condition_count; i++)
        if (own->conditions[i].kind == PLAN_CONDITION_WINDOW && !own->conditions[i].is_unless)
            window = &own->conditions[i];
    return windows_join(conditions, count, window, used);
}

const char *condition_name(enum plan_condition_kind kind)
{
    static const char *const names[] = {
        [PLAN_CONDITION_METHOD] = "method",     [PLAN_CONDITION_SCHEME] = "scheme",
        [PLAN_CONDITION_HEADER] = "header",     [PLAN_CONDITION_COOKIE] = "cookie",
        [PLAN_CONDITION_ACCEPT] = "accept",     [PLAN_CONDITION_LANGUAGE] = "language",
        [PLAN_CONDITION_QUERY] = "query",       [PLAN_CONDITION_CLIENT] = "client",
        [PLAN_CONDITION_ENV] = "env",           [PLAN_CONDITION_FLAG] = "flag",
        [PLAN_CONDITION_CHANCE] = "chance",     [PLAN_CONDITION_BUSY] = "busy",
        [PLAN_CONDITION_WINDOW] = "from/until", [PLAN_CONDITION_RECURRING] = "daily/weekly",
    };

    return names[kind];
}
