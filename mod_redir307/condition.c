/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions fail closed: an unknown operation or damaged bytes never hold. All conditions of a program must hold; of
 * one condition's values one is enough. Windows are asked last, so that what a cache can tell apart by fields alone
 * needs no bound. */
#include "mod_redir307/condition.h"

#include "mod_redir307/field.h"
#include "mod_redir307/regex.h"
#include "mod_redir307/zone.h"

enum { DAY_S = CONDITION_DAY_S, MILLION = 1000000 };

void reads_field(struct reads *reads, struct slice name)
{
    for (unsigned i = 0; i < reads->field_count; i++) {
        if (field_equal(reads->fields[i], name)) return;
    }
    if (reads->field_count < READS_FIELD_LIMIT) reads->fields[reads->field_count++] = name;
    else reads->depends_on_client = true; /* more than Vary can tell: not to be kept at all */
}

static void reads_edge(struct reads *reads, int64_t edge_s)
{
    if (!reads->has_edge || edge_s < reads->edge_s) reads->edge_s = edge_s;
    reads->has_edge = true;
}

uint64_t condition_draw_client(const struct request_key *key, uint64_t count)
{
    struct slice address = slice_of((const char *)key->client.address, key->client.family == 4 ? 4 : 16);

    return hash_reduce(hash_bytes(address, key->client.family), count);
}

uint64_t condition_draw_chance(const struct request_key *key, uint64_t salt, uint64_t count)
{
    if (key->chance_is_fixed) return key->chance % MILLION * count / MILLION;
    return hash_reduce(hash_mix((key->chance + salt) * HASH_MULTIPLIER) * HASH_MULTIPLIER, count);
}

/* HEAD is a GET whose body is not sent (RFC 9110, 9.3.2). */
static struct slice effective_method(struct slice method)
{
    return slice_equal(method, SLICE("HEAD")) ? SLICE("GET") : method;
}

static bool any_is(const struct condition *condition, struct slice wanted)
{
    struct ruleset_cursor values = condition->values;
    bool found = false;

    for (unsigned i = 0; i < condition->value_count; i++) found |= slice_equal(cursor_slice(&values), wanted);
    return found;
}

static bool method_holds(const struct condition *condition, struct slice method)
{
    struct ruleset_cursor values = condition->values;
    bool found = false;

    for (unsigned i = 0; i < condition->value_count; i++) {
        found |= slice_equal(effective_method(cursor_slice(&values)), effective_method(method));
    }
    return found;
}

/* Present, equal to a value, or matched: for fields, cookies, parameters and the environment. */
static bool value_holds(const struct lookup *lookup, const struct condition *condition, struct slice value)
{
    if (condition->flags & RULESET_CONDITION_REGEX) {
        return regex_match(lookup->ruleset->regexes, condition->number, value, lookup->key->regex, NULL);
    }
    return !(condition->flags & RULESET_CONDITION_EQUAL) || any_is(condition, value);
}

static bool get_header(const struct request_key *key, struct slice name, struct slice *value)
{
    return key->fields && key->fields->header && key->fields->header(key->fields->baton, name, value);
}

static bool header_holds(struct lookup *lookup, const struct condition *condition, struct reads *reads)
{
    struct slice value;

    reads_field(reads, condition->name);
    return get_header(lookup->key, condition->name, &value) && value_holds(lookup, condition, slice_trim(value));
}

static bool cookie_holds(struct lookup *lookup, const struct condition *condition, struct reads *reads)
{
    struct slice cookies, value;

    reads_field(reads, SLICE("Cookie"));
    return get_header(lookup->key, SLICE("Cookie"), &cookies) && field_cookie(cookies, condition->name, &value)
        && value_holds(lookup, condition, value);
}

static bool list_holds(const struct lookup *lookup, const struct condition *condition, enum field_list list,
                       struct slice name, struct reads *reads)
{
    struct ruleset_cursor values = condition->values;
    struct slice field;
    bool holds = false;

    reads_field(reads, name);
    if (!get_header(lookup->key, name, &field)) return false;
    for (unsigned i = 0; i < condition->value_count; i++) {
        holds |= field_quality(list, field, cursor_slice(&values)) > 0;
    }
    return holds;
}

static bool query_holds(struct lookup *lookup, const struct condition *condition)
{
    lookup_read_parameters(lookup);
    for (unsigned i = 0; i < lookup->parameter_count; i++) {
        if (slice_equal(lookup->parameters[i].name, condition->name)
            && value_holds(lookup, condition, lookup->parameters[i].value)) {
            return true;
        }
    }
    return false;
}

static bool is_in_network(const struct request_client *client, unsigned family, unsigned prefix,
                          const uint8_t *network)
{
    unsigned bits = family == 4 ? 32 : 128;

    if (client->family != family || prefix > bits) return false;
    unsigned whole = prefix / 8, rest = prefix % 8;
    if (memcmp(client->address, network, whole) != 0) return false;
    unsigned mask = rest ? 0xff00u >> rest & 0xff : 0;
    return mask == 0 || ((client->address[whole] ^ network[whole]) & mask) == 0;
}

static bool client_holds(const struct request_key *key, const struct condition *condition, struct reads *reads)
{
    struct ruleset_cursor values = condition->values;
    bool holds = false;

    reads->depends_on_client = true;
    for (unsigned i = 0; i < condition->value_count; i++) {
        unsigned family = cursor_u8(&values), prefix = cursor_u8(&values);
        uint8_t network[16];

        for (unsigned k = 0; k < sizeof network; k++) network[k] = cursor_u8(&values);
        holds |= is_in_network(&key->client, family, prefix, network);
    }
    return holds;
}

static bool env_holds(const struct lookup *lookup, const struct condition *condition, struct reads *reads)
{
    const struct request_fields *fields = lookup->key->fields;
    struct slice value;

    reads->depends_on_client = true;
    return fields && fields->env && fields->env(fields->baton, condition->name, &value)
        && value_holds(lookup, condition, value);
}

static bool flag_holds(const struct request_key *key, const struct condition *condition, struct reads *reads)
{
    struct ruleset_cursor values = condition->values;
    bool holds = false;

    reads->depends_on_client = true;
    for (unsigned i = 0; i < condition->value_count; i++) {
        struct slice name = cursor_slice(&values);

        holds |= key->fields && key->fields->flag && key->fields->flag(key->fields->baton, name);
    }
    return holds;
}

static bool window_holds(int64_t now, const struct condition *condition, struct reads *reads)
{
    if (now < condition->from_s) {
        reads_edge(reads, condition->from_s);
        return false;
    }
    if (now < condition->until_s) {
        if (condition->until_s != INT64_MAX) reads_edge(reads, condition->until_s);
        return true;
    }
    return false;
}

/* By the local clock. The next edge is the next time the clock shows a start, an end or midnight, or changes: never
 * later than the true one. */
static bool recurring_holds(const struct lookup *lookup, const struct condition *condition, struct reads *reads)
{
    int64_t now = lookup->key->time_s;
    struct zone_time zone;

    if (!zone_at(lookup->ruleset, condition->number, now, &zone)) return false;
    int64_t local = now + zone.offset_s, day = local / DAY_S - (local % DAY_S < 0);
    uint32_t clock = (uint32_t)(local - day * DAY_S), next = DAY_S;
    unsigned weekday = (unsigned)(((day + 3) % 7 + 7) % 7); /* 0: Monday; 1970-01-01 was a Thursday */
    bool today = condition->days >> weekday & 1, yesterday = condition->days >> (weekday + 6) % 7 & 1;
    bool is_over_midnight = condition->end_s <= condition->start_s;

    if (condition->start_s > clock) next = condition->start_s;
    if (condition->end_s > clock && condition->end_s < next) next = condition->end_s;
    reads_edge(reads, now + (int64_t)(next - clock));
    if (zone.has_next) reads_edge(reads, zone.next_change_s);
    if (!is_over_midnight) return today && clock >= condition->start_s && clock < condition->end_s;
    return (today && clock >= condition->start_s) || (yesterday && clock < condition->end_s);
}

/* What a condition says where it decides against the rule; [1] for `unless`. */
static const char *const reasons[RULESET_CONDITION_OP_COUNT][2] = {
    [RULESET_CONDITION_METHOD] = { "its `when method` names other methods", "its `unless method` names this method" },
    [RULESET_CONDITION_SCHEME] = { "its `when scheme` names another scheme", "its `unless scheme` names this scheme" },
    [RULESET_CONDITION_HEADER] = { "its `when header` does not hold", "its `unless header` holds" },
    [RULESET_CONDITION_COOKIE] = { "its `when cookie` does not hold", "its `unless cookie` holds" },
    [RULESET_CONDITION_ACCEPT] = { "its `when accept` names no type that the client names",
                                   "its `unless accept` names a type that the client names" },
    [RULESET_CONDITION_LANGUAGE] = { "its `when language` names no language that the client names",
                                     "its `unless language` names a language that the client names" },
    [RULESET_CONDITION_QUERY] = { "its `when query` does not hold", "its `unless query` holds" },
    [RULESET_CONDITION_CLIENT] = { "its `when client` names other addresses", "its `unless client` names this address" },
    [RULESET_CONDITION_ENV] = { "its `when env` does not hold", "its `unless env` holds" },
    [RULESET_CONDITION_FLAG] = { "its `when flag` is off", "its `unless flag` is on" },
    [RULESET_CONDITION_CHANCE] = { "its `when chance` was not drawn", "its `unless chance` was drawn" },
    [RULESET_CONDITION_BUSY] = { "its `when busy` does not hold", "its `unless busy` holds" },
    [RULESET_CONDITION_WINDOW] = { "it is not yet, or no longer, in force (`from`, `until`)",
                                   "it is not yet, or no longer, in force (`from`, `until`)" },
    [RULESET_CONDITION_RECURRING] = { "it is not the time of its `daily` or `weekly`",
                                      "it is not the time of its `daily` or `weekly`" },
};

static bool ask(struct lookup *lookup, const struct condition *condition, uint64_t salt, struct reads *reads)
{
    const struct request_key *key = lookup->key;

    switch (condition->op) {
    case RULESET_CONDITION_METHOD: return method_holds(condition, key->method);
    case RULESET_CONDITION_SCHEME:
        if (key->scheme_was_forwarded) reads_field(reads, SLICE("X-Forwarded-Proto"));
        return any_is(condition, key->scheme);
    case RULESET_CONDITION_HEADER: return header_holds(lookup, condition, reads);
    case RULESET_CONDITION_COOKIE: return cookie_holds(lookup, condition, reads);
    case RULESET_CONDITION_ACCEPT: return list_holds(lookup, condition, FIELD_MEDIA_TYPES, SLICE("Accept"), reads);
    case RULESET_CONDITION_LANGUAGE:
        return list_holds(lookup, condition, FIELD_LANGUAGES, SLICE("Accept-Language"), reads);
    case RULESET_CONDITION_QUERY: return query_holds(lookup, condition);
    case RULESET_CONDITION_CLIENT: return client_holds(key, condition, reads);
    case RULESET_CONDITION_ENV: return env_holds(lookup, condition, reads);
    case RULESET_CONDITION_FLAG: return flag_holds(key, condition, reads);
    case RULESET_CONDITION_CHANCE:
        reads->depends_on_client = true;
        return condition_draw_chance(key, salt, MILLION) < condition->number;
    case RULESET_CONDITION_BUSY:
        reads->depends_on_client = true;
        return key->busy_percent >= condition->number;
    case RULESET_CONDITION_WINDOW: return window_holds(key->time_s, condition, reads);
    case RULESET_CONDITION_RECURRING: return recurring_holds(lookup, condition, reads);
    default: return false;
    }
}

/* What a condition names must be there: else `unless` would make it hold. */
static bool names_are_there(const struct lookup *lookup, const struct condition *condition)
{
    const struct ruleset *rs = lookup->ruleset;
    struct zone_time zone;

    if (condition->flags & RULESET_CONDITION_REGEX && condition->number >= rs->views[RULESET_REGEXES].count) return false;
    return condition->op != RULESET_CONDITION_RECURRING
        || zone_at(rs, condition->number, lookup->key->time_s, &zone);
}

bool condition_holds(struct lookup *lookup, uint32_t conditions, uint32_t place, struct reads *reads,
                     const char **why)
{
    if (conditions == 0) return true;

    struct ruleset_cursor program = ruleset_cursor(lookup->ruleset, RULESET_CONDITIONS, conditions);
    unsigned count = cursor_u16(&program);

    *why = "its conditions are damaged";
    for (unsigned i = 0; i < count; i++) {
        struct condition condition;

        if (!condition_read(&program, &condition) || !names_are_there(lookup, &condition)) return false;
        bool is_unless = condition.flags & RULESET_CONDITION_UNLESS;
        if (ask(lookup, &condition, (uint64_t)place << 8 | i, reads) == is_unless) {
            *why = reasons[condition.op][is_unless];
            return false;
        }
    }
    return !program.failed;
}
