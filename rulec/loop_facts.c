/* SPDX-License-Identifier: Apache-2.0 */
/* One value that each condition takes. What `unless` names is not sent. Two conditions that ask for different values of
 * one thing exclude each other, and whoever walks leaves such rules out before. */
#include "config.h"

#include "rulec/loop_facts.h"

#include "rulec/condition_logic.h"

static struct slice value_of(const struct plan_condition *condition)
{
    return condition->value_count ? condition->values[0] : SLICE("1");
}

static bool add_field(struct loop_facts *facts, struct slice name, struct slice value)
{
    if (facts->field_count == LOOP_FACTS_LIMIT)
        return false;
    facts->fields[facts->field_count++] = (struct plan_header){ .name = name, .value = value };
    return true;
}

static bool add_cookie(struct arena *arena, struct loop_facts *facts, struct slice name, struct slice value)
{
    char *text = arena_printf(arena, "%.*s=%.*s", (int)name.size, name.data, (int)value.size, value.data);

    for (size_t i = 0; i < facts->field_count; i++) {
        struct slice own = facts->fields[i].value;

        if (!slice_equal(facts->fields[i].name, SLICE("Cookie")))
            continue;
        facts->fields[i].value = slice_from_string(
            arena_printf(arena, "%.*s; %s", (int)own.size, own.data, text));
        return true;
    }
    return add_field(facts, SLICE("Cookie"), slice_from_string(text));
}

/* False: no request is known with which it holds. */
static bool add_condition(struct arena *arena, struct loop_facts *facts, const struct plan_condition *condition)
{
    switch (condition->kind) {
    case PLAN_CONDITION_CHANCE:
    case PLAN_CONDITION_BUSY:
    case PLAN_CONDITION_ENV:
        facts->undecided = condition_name(condition->kind);
        break;
    default:
        break;
    }
    if (condition->is_unless) {
        if (condition->kind == PLAN_CONDITION_CHANCE)
            facts->request.chance = 999999;
        return true; /* what nobody sends */
    }
    if (condition->operator == PLAN_REGEX)
        return false;
    switch (condition->kind) {
    case PLAN_CONDITION_HEADER:
        return add_field(facts, condition->name, value_of(condition));
    case PLAN_CONDITION_COOKIE:
        return add_cookie(arena, facts, condition->name, value_of(condition));
    case PLAN_CONDITION_ACCEPT:
        return add_field(facts, SLICE("Accept"), value_of(condition));
    case PLAN_CONDITION_LANGUAGE:
        return add_field(facts, SLICE("Accept-Language"), value_of(condition));
    case PLAN_CONDITION_ENV:
        if (facts->env_count == LOOP_FACTS_LIMIT)
            return false;
        facts->env[facts->env_count++] = (struct plan_header){ .name = condition->name, .value = value_of(condition) };
        return true;
    case PLAN_CONDITION_FLAG:
        for (uint32_t i = 0; i < condition->value_count && facts->flag_count < LOOP_FACTS_LIMIT; i++)
            facts->flags[facts->flag_count++] = condition->values[i];
        return true;
    case PLAN_CONDITION_CLIENT:
        if (condition->network_count == 0)
            return false;
        facts->request.client.family = condition->networks[0].family;
        memcpy(facts->request.client.address, condition->networks[0].address,
               sizeof facts->request.client.address);
        return true;
    case PLAN_CONDITION_BUSY:
        facts->request.busy = 100;
        return true;
    case PLAN_CONDITION_WINDOW:
        if (condition->from_s > facts->request.time_s)
            facts->request.time_s = condition->from_s;
        if (condition->until_s <= facts->request.time_s)
            facts->request.time_s = condition->until_s - 1;
        return true;
    default:
        return true;
    }
}

static bool add_choice(struct arena *arena, struct loop_facts *facts, const struct plan_choice *choice)
{
    const struct plan_choice_line *line = &choice->lines[0];
    struct slice key = line->key_count ? line->keys[0] : slice_of(NULL, 0);

    if (choice->by == PLAN_BY_CHANCE || choice->by == PLAN_BY_CLIENT)
        facts->undecided = choice->by == PLAN_BY_CHANCE ? "by chance" : "by client";
    if (!key.data)
        return true;
    switch (choice->by) {
    case PLAN_BY_ACCEPT:
        return add_field(facts, SLICE("Accept"), key);
    case PLAN_BY_LANGUAGE:
        return add_field(facts, SLICE("Accept-Language"), key);
    case PLAN_BY_HEADER:
        return add_field(facts, choice->name, key);
    case PLAN_BY_COOKIE:
        return add_cookie(arena, facts, choice->name, key);
    default:
        return true;
    }
}

bool loop_facts_collect(struct loop_facts *facts, struct arena *arena, const struct plan *plan, const uint32_t *rules,
                        unsigned count)
{
    memset(facts, 0, sizeof *facts);
    request_facts_init(&facts->request, arena);
    if (plan->now_s)
        facts->request.time_s = plan->now_s;
    facts->request.has_chance = true;
    for (unsigned r = 0; r < count; r++) {
        const struct plan_rule *rule = &plan->rules[rules[r]];
        const struct plan_action *action = &plan->actions[rule->action];

        for (uint32_t i = 0; i < action->condition_count; i++)
            if (!add_condition(arena, facts, &action->conditions[i]))
                return false;
        if (plan_choice(rule) && !add_choice(arena, facts, plan_choice(rule)))
            return false;
    }
    facts->request.env = facts->env;
    facts->request.env_count = facts->env_count;
    facts->request.flags = facts->flags;
    facts->request.flag_count = facts->flag_count;
    request_facts_set_fields(&facts->request, facts->fields, facts->field_count);
    return true;
}
