/* SPDX-License-Identifier: Apache-2.0 */
/* The encodings of mod_redir307/ruleset_format.h: condition programs, time zones, regexes. */
#include "rulec/emit_condition.h"

static unsigned condition_op(enum plan_condition_kind kind)
{
    switch (kind) {
    case PLAN_CONDITION_METHOD: return RULESET_CONDITION_METHOD;
    case PLAN_CONDITION_SCHEME: return RULESET_CONDITION_SCHEME;
    case PLAN_CONDITION_HEADER: return RULESET_CONDITION_HEADER;
    case PLAN_CONDITION_COOKIE: return RULESET_CONDITION_COOKIE;
    case PLAN_CONDITION_ACCEPT: return RULESET_CONDITION_ACCEPT;
    case PLAN_CONDITION_LANGUAGE: return RULESET_CONDITION_LANGUAGE;
    case PLAN_CONDITION_QUERY: return RULESET_CONDITION_QUERY;
    case PLAN_CONDITION_CLIENT: return RULESET_CONDITION_CLIENT;
    case PLAN_CONDITION_ENV: return RULESET_CONDITION_ENV;
    case PLAN_CONDITION_FLAG: return RULESET_CONDITION_FLAG;
    case PLAN_CONDITION_CHANCE: return RULESET_CONDITION_CHANCE;
    case PLAN_CONDITION_BUSY: return RULESET_CONDITION_BUSY;
    case PLAN_CONDITION_WINDOW: return RULESET_CONDITION_WINDOW;
    case PLAN_CONDITION_RECURRING: return RULESET_CONDITION_RECURRING;
    }
    return RULESET_CONDITION_NONE;
}

uint32_t emit_regex(struct emit_build *build, struct slice text, unsigned flags)
{
    struct bytes encoded = { 0 };

    bytes_put_u8(&encoded, flags);
    bytes_put_slice(&encoded, text);
    uint32_t at = (uint32_t)bytes_pool_add(&build->regexes, slice_of((const char *)encoded.data, encoded.size));
    bytes_free(&encoded);
    for (uint32_t i = 0; i < build->regex_count; i++) {
        if (build->regex_at[i] == at) return i;
    }
    if (build->regex_count == build->regex_room) {
        build->regex_room += 64;
        build->regex_at = memory_resize(build->regex_at, build->regex_room, sizeof *build->regex_at);
    }
    build->regex_at[build->regex_count] = at;
    return build->regex_count++;
}

static struct ruleset_zone_rule zone_rule(const struct plan_zone_rule *rule)
{
    return (struct ruleset_zone_rule){ .kind = rule->kind, .month = rule->month, .week = rule->week,
                                       .weekday = rule->weekday, .day = rule->day, .time_s = rule->time_s };
}

static uint32_t emit_zone(struct emit_build *build, uint32_t number)
{
    const struct plan_zone *zone = &build->plan->zones[number];
    struct bytes *section = &build->sections[RULESET_ZONES];

    if (build->zone_at[number]) return build->zone_at[number];
    if (section->size == 0) bytes_add(section, 8);
    const struct ruleset_zone head = {
        .name = emit_list(build, &zone->name, 1),
        .transition_count = zone->transition_count,
        .has_rule = zone->has_rule,
        .standard_s = zone->standard_s,
        .daylight_s = zone->daylight_s,
        .to_daylight = zone_rule(&zone->to_daylight),
        .to_standard = zone_rule(&zone->to_standard),
    };
    build->zone_at[number] = (uint32_t)section->size;
    bytes_put(section, &head, sizeof head);
    bytes_put(section, zone->transitions, zone->transition_count * sizeof zone->transitions[0]);
    bytes_put(section, zone->offsets, (zone->transition_count + 1u) * sizeof zone->offsets[0]);
    bytes_align(section, 8);
    return build->zone_at[number];
}

static void put_values(struct bytes *program, const struct plan_condition *condition)
{
    for (uint32_t i = 0; i < condition->value_count; i++) bytes_put_slice(program, condition->values[i]);
}

/* Present, equal or matched, after the name. */
static void put_named(struct emit_build *build, struct bytes *program, const struct plan_condition *condition)
{
    bytes_put_slice(program, condition->name);
    if (condition->operator == PLAN_EQUAL) put_values(program, condition);
    if (condition->operator == PLAN_REGEX) {
        uint32_t regex = emit_regex(build, condition->values[0], 0);

        bytes_put(program, &regex, sizeof regex);
    }
}

static void put_networks(struct bytes *program, const struct plan_condition *condition)
{
    for (uint32_t i = 0; i < condition->network_count; i++) {
        bytes_put_u8(program, condition->networks[i].family);
        bytes_put_u8(program, condition->networks[i].prefix);
        bytes_put(program, condition->networks[i].address, sizeof condition->networks[i].address);
    }
}

static unsigned condition_flags(const struct plan_condition *condition)
{
    bool is_named = condition->kind == PLAN_CONDITION_HEADER || condition->kind == PLAN_CONDITION_COOKIE
                 || condition->kind == PLAN_CONDITION_QUERY || condition->kind == PLAN_CONDITION_ENV;

    return (condition->is_unless ? RULESET_CONDITION_UNLESS : 0u)
         | (is_named && condition->operator == PLAN_EQUAL ? RULESET_CONDITION_EQUAL : 0u)
         | (is_named && condition->operator == PLAN_REGEX ? RULESET_CONDITION_REGEX : 0u);
}

static void put_condition(struct emit_build *build, struct bytes *program, const struct plan_condition *condition)
{
    bytes_put_u8(program, condition_op(condition->kind));
    bytes_put_u8(program, condition_flags(condition));
    bytes_put_u16(program, condition->kind == PLAN_CONDITION_CLIENT ? condition->network_count
                                                                    : condition->value_count);
    switch (condition->kind) {
    case PLAN_CONDITION_METHOD:
    case PLAN_CONDITION_SCHEME:
    case PLAN_CONDITION_ACCEPT:
    case PLAN_CONDITION_LANGUAGE:
    case PLAN_CONDITION_FLAG: put_values(program, condition); break;
    case PLAN_CONDITION_HEADER:
    case PLAN_CONDITION_COOKIE:
    case PLAN_CONDITION_QUERY:
    case PLAN_CONDITION_ENV: put_named(build, program, condition); break;
    case PLAN_CONDITION_CLIENT: put_networks(program, condition); break;
    case PLAN_CONDITION_CHANCE:
    case PLAN_CONDITION_BUSY: bytes_put(program, &condition->share, sizeof condition->share); break;
    case PLAN_CONDITION_WINDOW:
        bytes_put(program, &condition->from_s, sizeof condition->from_s);
        bytes_put(program, &condition->until_s, sizeof condition->until_s);
        break;
    case PLAN_CONDITION_RECURRING: {
        uint32_t zone = emit_zone(build, condition->zone);

        bytes_put(program, &zone, sizeof zone);
        bytes_put_u8(program, condition->days);
        bytes_put(program, &condition->start_s, sizeof condition->start_s);
        bytes_put(program, &condition->end_s, sizeof condition->end_s);
        break;
    }
    }
}

uint32_t emit_conditions(struct emit_build *build, const struct plan_action *action)
{
    struct bytes program = { 0 };

    if (action->condition_count == 0) return 0;
    if (build->conditions.bytes.size == 0) bytes_add(&build->conditions.bytes, 4);
    bytes_put_u16(&program, action->condition_count);
    for (uint32_t i = 0; i < action->condition_count; i++) put_condition(build, &program, &action->conditions[i]);
    uint64_t at = bytes_pool_add(&build->conditions, slice_of((const char *)program.data, program.size));
    bytes_free(&program);
    return (uint32_t)at;
}
