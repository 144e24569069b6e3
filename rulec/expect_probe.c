/* SPDX-License-Identifier: Apache-2.0 */
/* Points on both sides of each edge. Recurring windows are asked for at each hour of a week: none is shorter than the
 * gap between an hour and the next that a person would write a test for. */
#include "config.h"

#include "rulec/expect_probe.h"

#include <string.h>

void expect_probes_clear(struct expect_probes *probes)
{
    memset(probes->counts, 0, sizeof probes->counts);
    probes->has_week = false;
}

static void add(struct expect_probes *probes, enum expect_probe_kind kind, int64_t value)
{
    if (probes->counts[kind] < EXPECT_PROBE_LIMIT)
        probes->values[kind][probes->counts[kind]++] = value;
}

static void add_both_sides(struct expect_probes *probes, enum expect_probe_kind kind, int64_t edge)
{
    if (edge > 0 || kind == EXPECT_PROBE_TIME)
        add(probes, kind, edge - 1);
    add(probes, kind, edge);
}

static void add_week(struct expect_probes *probes, const struct plan_condition *condition)
{
    for (int day = 0; day < 7; day++) {
        add(probes, EXPECT_PROBE_TIME, day * INT64_C(86400) + condition->start_s);
        add(probes, EXPECT_PROBE_TIME, day * INT64_C(86400) + condition->end_s);
    }
    for (int hour = 0; !probes->has_week && hour < 7 * 24; hour++)
        add(probes, EXPECT_PROBE_TIME, hour * INT64_C(3600));
    probes->has_week = true;
}

static void note_condition(struct expect_probes *probes, const struct plan_condition *condition)
{
    switch (condition->kind) {
    case PLAN_CONDITION_WINDOW:
        if (condition->from_s != INT64_MIN)
            add_both_sides(probes, EXPECT_PROBE_TIME, condition->from_s);
        if (condition->until_s != INT64_MAX)
            add_both_sides(probes, EXPECT_PROBE_TIME, condition->until_s);
        break;
    case PLAN_CONDITION_RECURRING: add_week(probes, condition); break;
    case PLAN_CONDITION_CHANCE: add_both_sides(probes, EXPECT_PROBE_CHANCE, condition->share); break;
    case PLAN_CONDITION_BUSY: add_both_sides(probes, EXPECT_PROBE_BUSY, condition->share); break;
    default: break;
    }
}

/* One draw out of the share of each line. */
static void note_choice(struct expect_probes *probes, const struct plan_choice *choice)
{
    uint64_t sum = 0, all = 0;

    for (uint32_t i = 0; i < choice->line_count; i++)
        all += choice->lines[i].weight;
    for (uint32_t i = 0; all && i < choice->line_count; i++) {
        sum += choice->lines[i].weight;
        add(probes, EXPECT_PROBE_CHANCE, (int64_t)((sum * 1000000 - 1) / all));
    }
}

void expect_probes_note(struct expect_probes *probes, const struct plan *plan, const struct plan_rule *rule)
{
    const struct plan_action *action = &plan->actions[rule->action];

    for (uint32_t i = 0; i < action->condition_count; i++)
        note_condition(probes, &action->conditions[i]);
    if (plan_choice(rule) && plan_choice(rule)->by == PLAN_BY_CHANCE)
        note_choice(probes, plan_choice(rule));
}

bool expect_probes_apply(const struct expect_probes *probes, enum expect_probe_kind kind, size_t index,
                         struct request_key *key)
{
    if (index >= probes->counts[kind])
        return false;
    if (kind == EXPECT_PROBE_TIME)
        key->time_s = probes->values[kind][index];
    else if (kind == EXPECT_PROBE_CHANCE)
        key->chance = (uint64_t)probes->values[kind][index];
    else
        key->busy_percent = (unsigned)probes->values[kind][index];
    return true;
}
