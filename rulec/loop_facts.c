/* SPDX-License-Identifier: Apache-2.0 */
/* All conditions of one thing (a header, a cookie, the client, ...) are asked about values that one of them names; the
 * first that they all take is sent. What only `unless` asks about is not sent. */
#include "config.h"

#include "rulec/loop_facts.h"

#include "rulec/condition_logic.h"
#include "rulec/local_time.h"

#include <strings.h>

enum { CONDITION_LIMIT = 256, DAY_S = 86400, WEEK_S = 7 * DAY_S };

struct collector {
    struct loop_facts *facts;
    struct arena *arena;
    const struct plan *plan;
    const struct plan_condition *conditions[CONDITION_LIMIT];
    unsigned count;
};

static bool same_thing(const struct plan_condition *a, const struct plan_condition *b)
{
    if (a->kind != b->kind || a->name.size != b->name.size)
        return false;
    if (a->kind == PLAN_CONDITION_HEADER && a->name.size)
        return strncasecmp(a->name.data, b->name.data, a->name.size) == 0;
    return slice_equal(a->name, b->name);
}

/* ---- one value of a name ---- */

static bool takes_value(const struct plan_condition *condition, struct slice value)
{
    bool is_in = condition->operator == PLAN_PRESENT;

    if (condition->operator == PLAN_REGEX)
        return false; /* not looked into */
    for (uint32_t i = 0; i < condition->value_count; i++)
        is_in |= slice_equal(condition->values[i], value);
    return is_in != condition->is_unless;
}

static bool all_take(const struct collector *collector, const struct plan_condition *like, struct slice value)
{
    for (unsigned i = 0; i < collector->count; i++)
        if (same_thing(collector->conditions[i], like) && !takes_value(collector->conditions[i], value))
            return false;
    return true;
}

/* A value for the condition's thing. False: none is known. *value.data NULL: it is not sent. */
static bool choose_value(const struct collector *collector, const struct plan_condition *like, struct slice *value)
{
    bool is_asked = false;

    *value = SLICE("1");
    for (unsigned i = 0; i < collector->count; i++) {
        const struct plan_condition *condition = collector->conditions[i];

        if (!same_thing(condition, like) || condition->is_unless)
            continue;
        is_asked = true;
        for (uint32_t v = 0; condition->operator == PLAN_EQUAL && v < condition->value_count; v++) {
            *value = condition->values[v];
            if (all_take(collector, like, *value))
                return true;
        }
    }
    if (!is_asked) {
        *value = slice_of(NULL, 0);
        return true;
    }
    *value = SLICE("1");
    return all_take(collector, like, *value);
}

static bool add_field(struct loop_facts *facts, struct slice name, struct slice value)
{
    if (facts->field_count == LOOP_FACTS_LIMIT)
        return false;
    facts->fields[facts->field_count++] = (struct plan_header){ .name = name, .value = value };
    return true;
}

static bool append_field(struct arena *arena, struct loop_facts *facts, struct slice name, struct slice value,
                         const char *separator)
{
    for (size_t i = 0; i < facts->field_count; i++) {
        struct slice own = facts->fields[i].value;

        if (!slice_equal(facts->fields[i].name, name))
            continue;
        facts->fields[i].value = slice_from_string(arena_printf(arena, "%.*s%s%.*s", (int)own.size, own.data, separator,
                                                                (int)value.size, value.data));
        return true;
    }
    return add_field(facts, name, value);
}

static bool add_named(struct collector *collector, const struct plan_condition *condition)
{
    struct loop_facts *facts = collector->facts;
    struct slice name = condition->name, value;
    struct arena *arena = collector->arena;

    if (!choose_value(collector, condition, &value))
        return false;
    if (!value.data)
        return true;
    struct slice pair = slice_from_string(arena_printf(arena, "%.*s=%.*s", (int)name.size, name.data, (int)value.size,
                                                       value.data));
    switch (condition->kind) {
    case PLAN_CONDITION_HEADER:
        return add_field(facts, name, value);
    case PLAN_CONDITION_COOKIE:
        return append_field(arena, facts, SLICE("Cookie"), pair, "; ");
    case PLAN_CONDITION_QUERY:
        facts->query = facts->query.size ? slice_from_string(arena_printf(arena, "%.*s&%.*s", (int)facts->query.size,
                                                                          facts->query.data, (int)pair.size, pair.data))
                                         : pair;
        return true;
    default:
        if (facts->env_count == LOOP_FACTS_LIMIT)
            return false;
        facts->env[facts->env_count++] = (struct plan_header){ .name = name, .value = value };
        return true;
    }
}

/* ---- lists, flags ---- */

static bool is_refused(const struct collector *collector, enum plan_condition_kind kind, struct slice value)
{
    for (unsigned i = 0; i < collector->count; i++) {
        const struct plan_condition *condition = collector->conditions[i];

        for (uint32_t v = 0; condition->kind == kind && condition->is_unless && v < condition->value_count; v++)
            if (slice_equal(condition->values[v], value))
                return true;
    }
    return false;
}

static bool add_listed(struct collector *collector, const struct plan_condition *condition)
{
    struct loop_facts *facts = collector->facts;

    if (condition->is_unless)
        return true;
    for (uint32_t v = 0; v < condition->value_count; v++) {
        struct slice value = condition->values[v];

        if (is_refused(collector, condition->kind, value))
            continue;
        if (condition->kind == PLAN_CONDITION_FLAG) {
            if (facts->flag_count == LOOP_FACTS_LIMIT)
                return false;
            facts->flags[facts->flag_count++] = value;
            return true;
        }
        return append_field(collector->arena, facts,
                            condition->kind == PLAN_CONDITION_ACCEPT ? SLICE("Accept") : SLICE("Accept-Language"), value,
                            ", ");
    }
    return false;
}

/* ---- the client ---- */

static bool is_within(const struct plan_network *network, const struct request_client *client)
{
    unsigned bits = network->prefix, mask = 0xff00u >> (bits % 8) & 0xff;

    return network->family == client->family && memcmp(network->address, client->address, bits / 8) == 0 &&
           (bits % 8 == 0 || (network->address[bits / 8] & mask) == (client->address[bits / 8] & mask));
}

static bool all_take_client(const struct collector *collector, const struct request_client *client)
{
    for (unsigned i = 0; i < collector->count; i++) {
        const struct plan_condition *condition = collector->conditions[i];
        bool is_in = false;

        if (condition->kind != PLAN_CONDITION_CLIENT)
            continue;
        for (uint32_t n = 0; n < condition->network_count; n++)
            is_in |= is_within(&condition->networks[n], client);
        if (is_in == condition->is_unless)
            return false;
    }
    return true;
}

static bool choose_client(const struct collector *collector)
{
    struct request_client *client = &collector->facts->request.client;

    if (all_take_client(collector, client))
        return true;
    for (unsigned i = 0; i < collector->count; i++) {
        const struct plan_condition *condition = collector->conditions[i];

        for (uint32_t n = 0; condition->kind == PLAN_CONDITION_CLIENT && n < condition->network_count; n++) {
            client->family = condition->networks[n].family;
            memcpy(client->address, condition->networks[n].address, sizeof client->address);
            if (all_take_client(collector, client))
                return true;
        }
    }
    return false;
}

/* ---- the time ---- */

static bool takes_time(const struct plan *plan, const struct plan_condition *condition, int64_t time_s)
{
    int64_t local;

    if (condition->kind == PLAN_CONDITION_WINDOW)
        return (time_s >= condition->from_s && time_s < condition->until_s) != condition->is_unless;
    if (condition->kind != PLAN_CONDITION_RECURRING)
        return true;
    local = time_s + local_time_offset(&plan->zones[condition->zone], time_s);
    /* 1970 began on a Thursday. */
    local = (local + 3 * DAY_S) % WEEK_S;
    return condition_holds_in_week(condition, (uint32_t)(local < 0 ? local + WEEK_S : local));
}

static bool all_take_time(const struct collector *collector, int64_t time_s)
{
    for (unsigned i = 0; i < collector->count; i++)
        if (!takes_time(collector->plan, collector->conditions[i], time_s))
            return false;
    return true;
}

/* Tries a time, and the edges of the recurring windows in the week behind it. */
static bool try_times_from(const struct collector *collector, int64_t time_s)
{
    int64_t *chosen = &collector->facts->request.time_s;

    *chosen = time_s;
    if (all_take_time(collector, time_s))
        return true;
    for (unsigned i = 0; i < collector->count; i++) {
        const struct plan_condition *condition = collector->conditions[i];

        for (int64_t day = 0; condition->kind == PLAN_CONDITION_RECURRING && day < 8; day++) {
            const struct plan_zone *zone = &collector->plan->zones[condition->zone];
            int64_t midnight = (time_s / DAY_S + day) * DAY_S;

            *chosen = local_time_to_unix(zone, midnight + condition->start_s);
            if (*chosen >= time_s && all_take_time(collector, *chosen))
                return true;
            *chosen = local_time_to_unix(zone, midnight + condition->end_s);
            if (*chosen >= time_s && all_take_time(collector, *chosen))
                return true;
        }
    }
    return false;
}

static bool choose_time(const struct collector *collector, int64_t now_s)
{
    if (try_times_from(collector, now_s))
        return true;
    for (unsigned i = 0; i < collector->count; i++) {
        const struct plan_condition *condition = collector->conditions[i];

        if (condition->kind != PLAN_CONDITION_WINDOW)
            continue;
        if (condition->from_s != INT64_MIN && try_times_from(collector, condition->from_s))
            return true;
        if (condition->until_s != INT64_MAX && try_times_from(collector, condition->until_s - WEEK_S))
            return true;
        if (condition->until_s != INT64_MAX && try_times_from(collector, condition->until_s - 1))
            return true;
    }
    return false;
}

/* ---- all of it ---- */

static void note_luck(struct loop_facts *facts, const struct plan_condition *condition)
{
    if (condition->kind != PLAN_CONDITION_CHANCE && condition->kind != PLAN_CONDITION_BUSY &&
        condition->kind != PLAN_CONDITION_ENV)
        return;
    facts->undecided = condition_name(condition->kind);
    if (condition->kind == PLAN_CONDITION_CHANCE && condition->is_unless)
        facts->request.chance = 999999;
    if (condition->kind == PLAN_CONDITION_BUSY && !condition->is_unless)
        facts->request.busy = 100;
}

/* False: no request is known with which it holds. `is_first`: no condition before it asked about the same. */
static bool add_condition(struct collector *collector, const struct plan_condition *condition, bool is_first)
{
    note_luck(collector->facts, condition);
    switch (condition->kind) {
    case PLAN_CONDITION_HEADER:
    case PLAN_CONDITION_COOKIE:
    case PLAN_CONDITION_QUERY:
    case PLAN_CONDITION_ENV:
        return !is_first || add_named(collector, condition);
    case PLAN_CONDITION_ACCEPT:
    case PLAN_CONDITION_LANGUAGE:
    case PLAN_CONDITION_FLAG:
        return add_listed(collector, condition);
    default:
        return true;
    }
}

static bool add_choice(struct collector *collector, const struct plan_choice *choice)
{
    struct loop_facts *facts = collector->facts;
    struct arena *arena = collector->arena;
    struct slice key = slice_of(NULL, 0);

    if (choice->by == PLAN_BY_CHANCE || choice->by == PLAN_BY_CLIENT)
        facts->undecided = choice->by == PLAN_BY_CHANCE ? "by chance" : "by client";
    for (uint32_t i = 0; i < choice->line_count && !key.data; i++)
        if (choice->lines[i].key_count)
            key = choice->lines[i].keys[0];
    if (!key.data)
        return true;
    switch (choice->by) {
    case PLAN_BY_ACCEPT:
        return append_field(arena, facts, SLICE("Accept"), key, ", ");
    case PLAN_BY_LANGUAGE:
        return append_field(arena, facts, SLICE("Accept-Language"), key, ", ");
    case PLAN_BY_HEADER:
        return add_field(facts, choice->name, key);
    case PLAN_BY_COOKIE:
        return append_field(arena, facts, SLICE("Cookie"),
                            slice_from_string(arena_printf(arena, "%.*s=%.*s", (int)choice->name.size, choice->name.data,
                                                           (int)key.size, key.data)), "; ");
    default:
        return true;
    }
}

static bool add_conditions(struct collector *collector, const struct plan_action *action)
{
    for (uint32_t i = 0; i < action->condition_count; i++) {
        if (collector->count == CONDITION_LIMIT)
            return false;
        collector->conditions[collector->count++] = &action->conditions[i];
    }
    return true;
}

static bool is_first_of(const struct collector *collector, unsigned number)
{
    for (unsigned i = 0; i < number; i++)
        if (same_thing(collector->conditions[i], collector->conditions[number]))
            return false;
    return true;
}

bool loop_facts_collect(struct loop_facts *facts, struct arena *arena, const struct plan *plan, const uint32_t *rules,
                        unsigned count)
{
    struct collector collector = { .facts = facts, .arena = arena, .plan = plan };

    memset(facts, 0, sizeof *facts);
    request_facts_init(&facts->request, arena);
    if (plan->now_s)
        facts->request.time_s = plan->now_s;
    facts->request.has_chance = true;
    for (unsigned r = 0; r < count; r++)
        if (!add_conditions(&collector, &plan->actions[plan->rules[rules[r]].action]))
            return false;
    for (unsigned i = 0; i < collector.count; i++)
        if (!add_condition(&collector, collector.conditions[i], is_first_of(&collector, i)))
            return false;
    for (unsigned r = 0; r < count; r++)
        if (plan_choice(&plan->rules[rules[r]]) && !add_choice(&collector, plan_choice(&plan->rules[rules[r]])))
            return false;
    if (!choose_client(&collector) || !choose_time(&collector, facts->request.time_s))
        return false;
    facts->request.env = facts->env;
    facts->request.env_count = facts->env_count;
    facts->request.flags = facts->flags;
    facts->request.flag_count = facts->flag_count;
    request_facts_set_fields(&facts->request, facts->fields, facts->field_count);
    return true;
}
