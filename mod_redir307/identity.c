/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers and offsets of a rule file change with every compilation, so an identity is made of what they lead to: names
 * of hosts, texts of regexes, names of zones. */
#include "mod_redir307/identity.h"

#include "mod_redir307/condition_program.h"
#include "mod_redir307/pattern.h"

#include <stdlib.h>

enum { SOURCE_FLAGS = RULESET_RULE_SLASH | RULESET_RULE_SLASH_EXACT | RULESET_RULE_CASE_IGNORE };

static uint64_t join(uint64_t hash, uint64_t part)
{
    return hash_mix((hash ^ part) * HASH_MULTIPLIER + part);
}

static uint64_t join_text(uint64_t hash, struct slice text)
{
    return join(hash, hash_bytes(text, 0));
}

/* ---- sites ---- */

/* A host belongs to one scope, so one host names it: the one with the least hash, lest each new host of a site gives
 * its rules new identities. */
static void name_scope(uint64_t *scopes, uint64_t count, uint32_t scope, uint64_t name)
{
    if (scope && scope < count && name < scopes[scope]) scopes[scope] = name;
}

static uint64_t *name_scopes(const struct ruleset *rs, uint64_t *count)
{
    enum { ANY = 1, ANY_OVERRIDE = 2, OVERRIDE = 3 };
    struct ruleset_host_view host;

    *count = rs->views[RULESET_SCOPES].size / sizeof(struct ruleset_scope);
    uint64_t *scopes = malloc((*count + 1) * sizeof *scopes);
    if (!scopes) return NULL;
    memset(scopes, 0xff, (*count + 1) * sizeof *scopes);
    name_scope(scopes, *count, rs->header.any_scope, ANY);
    name_scope(scopes, *count, rs->header.any_override_scope, ANY_OVERRIDE);
    for (uint64_t at = 0; ruleset_get_host(rs, at, &host); at = host.next_at) {
        uint64_t name = hash_host(host.name, host.head.kind, host.head.port, 0);

        name_scope(scopes, *count, host.head.scope, name);
        name_scope(scopes, *count, host.head.override_scope, join(name, OVERRIDE));
    }
    return scopes;
}

/* ---- conditions ---- */

static uint64_t regex_identity(const struct identity_table *table, uint32_t index)
{
    return index < table->regex_count ? table->regexes[index] : 0;
}

static uint64_t zone_identity(const struct ruleset *rs, uint32_t at)
{
    struct ruleset_zone zone;
    struct slice name;

    return at && ruleset_get(rs, RULESET_ZONES, at, &zone, sizeof zone) && ruleset_list_item(rs, zone.name, 0, &name)
               ? hash_bytes(name, 0)
               : 0;
}

static uint64_t join_condition(uint64_t hash, const struct ruleset *rs, const struct identity_table *table,
                               const struct condition *condition, const uint8_t *end)
{
    uint64_t number = condition->number;

    if (condition->op == RULESET_CONDITION_RECURRING) number = zone_identity(rs, condition->number);
    if (condition->flags & RULESET_CONDITION_REGEX) number = regex_identity(table, condition->number);
    hash = join(hash, (uint64_t)condition->op << 32 | condition->flags << 16 | condition->value_count);
    if (condition->name.size) hash = join_text(hash, condition->name);
    hash = join(hash, number);
    hash = join(hash, (uint64_t)condition->from_s);
    hash = join(hash, (uint64_t)condition->until_s);
    hash = join(hash, (uint64_t)condition->days << 40 ^ (uint64_t)condition->start_s << 20 ^ condition->end_s);
    return join_text(hash, slice_of((const char *)condition->values.at, (size_t)(end - condition->values.at)));
}

static uint64_t join_conditions(uint64_t hash, const struct ruleset *rs, const struct identity_table *table,
                                uint32_t at)
{
    if (at == 0) return hash;

    struct ruleset_cursor program = ruleset_cursor(rs, RULESET_CONDITIONS, at);
    unsigned count = cursor_u16(&program);
    for (unsigned i = 0; i < count; i++) {
        struct condition condition;

        if (!condition_read(&program, &condition)) break;
        hash = join_condition(hash, rs, table, &condition, program.at);
    }
    return hash;
}

/* ---- the table ---- */

static void fill_regexes(struct identity_table *table, const struct ruleset *rs)
{
    struct ruleset_cursor cursor = ruleset_cursor(rs, RULESET_REGEXES, 0);

    for (uint64_t i = 0; i < table->regex_count; i++) {
        unsigned flags = cursor_u8(&cursor);

        table->regexes[i] = hash_bytes(cursor_slice(&cursor), flags);
    }
}

static bool fill_actions(struct identity_table *table, const struct ruleset *rs)
{
    uint64_t scope_count, *scopes = name_scopes(rs, &scope_count);
    struct ruleset_action action;

    if (!scopes) return false;
    for (uint64_t i = 0; i < table->action_count; i++) {
        table->actions[i] = 0;
        if (!ruleset_get_action(rs, (uint32_t)i, &action)) continue;
        uint64_t site = action.scope < scope_count ? scopes[action.scope] : 0;
        table->actions[i] = join_conditions(site, rs, table, action.conditions);
    }
    free(scopes);
    return true;
}

struct identity_table *identity_table_open(const struct ruleset *rs)
{
    struct identity_table *table = calloc(1, sizeof *table);

    if (!table) return NULL;
    table->action_count = rs->views[RULESET_ACTIONS].size / sizeof(struct ruleset_action);
    table->regex_count = rs->views[RULESET_REGEXES].count;
    table->actions = malloc((table->action_count + 1) * sizeof *table->actions);
    table->regexes = malloc((table->regex_count + 1) * sizeof *table->regexes);
    if (!table->actions || !table->regexes) {
        identity_table_close(table);
        return NULL;
    }
    fill_regexes(table, rs);
    if (!fill_actions(table, rs)) {
        identity_table_close(table);
        return NULL;
    }
    return table;
}

void identity_table_close(struct identity_table *table)
{
    if (!table) return;
    free(table->actions);
    free(table->regexes);
    free(table);
}

/* ---- rules ---- */

static uint64_t of_action(const struct identity_table *table, uint32_t action, unsigned flags)
{
    return (action < table->action_count ? table->actions[action] : 0) + (flags & SOURCE_FLAGS);
}

uint64_t identity_of_exact(const struct identity_table *table, const struct ruleset_exact_view *rule)
{
    uint64_t identity = hash_bytes(rule->key, of_action(table, rule->action, rule->flags));

    return identity ? identity : 1;
}

uint64_t identity_of_pattern(const struct identity_table *table, const struct ruleset_pattern_view *rule)
{
    enum { REGEX_LIMIT = 64 };
    uint64_t identity = of_action(table, rule->action, rule->flags) ^ HASH_MULTIPLIER2;
    struct pattern_regex regexes[REGEX_LIMIT];
    unsigned count = table->regex_count ? pattern_regexes(rule->program, regexes, REGEX_LIMIT) : 0;
    size_t done = 0;

    for (unsigned i = 0; i < count; i++) {
        struct slice before = slice_of(rule->program.data + done, regexes[i].at - done);

        identity = join(hash_bytes(before, identity), regex_identity(table, regexes[i].index));
        done = regexes[i].at + sizeof regexes[i].index;
    }
    identity = hash_bytes(slice_of(rule->program.data + done, rule->program.size - done), identity);
    return identity ? identity : 1;
}
