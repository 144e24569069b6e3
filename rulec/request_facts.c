/* SPDX-License-Identifier: Apache-2.0 */
/* Answers the engine's questions about a request out of plain lists. */
#include "config.h"

#include "rulec/request_facts.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

void request_facts_init(struct request_facts *facts, struct arena *arena)
{
    *facts = (struct request_facts){ .arena = arena, .time_s = (int64_t)time(NULL),
                                     .client = { .family = 4, .address = { 192, 0, 2, 1 } } };
}

void request_facts_set_chance(struct request_facts *facts, double percent)
{
    facts->has_chance = true;
    /* A draw is less than a million: 100% is the last one. */
    facts->chance = percent >= 100 ? 999999 : (uint32_t)(percent * 10000);
}

static bool same_name(struct slice a, struct slice b)
{
    return a.size == b.size && (a.size == 0 || strncasecmp(a.data, b.data, a.size) == 0);
}

void request_facts_set_fields(struct request_facts *facts, const struct plan_header *sent, size_t count)
{
    facts->fields = arena_array(facts->arena, count + 1, sizeof *facts->fields);
    facts->field_count = 0;
    for (size_t i = 0; i < count; i++) {
        struct plan_header *field = facts->fields, *end = field + facts->field_count;

        while (field < end && !same_name(field->name, sent[i].name))
            field++;
        if (field == end) {
            *field = sent[i];
            facts->field_count++;
        } else {
            field->value = slice_from_string(arena_printf(facts->arena, "%.*s, %.*s", (int)field->value.size,
                                                          field->value.data, (int)sent[i].value.size,
                                                          sent[i].value.size ? sent[i].value.data : ""));
        }
    }
}

static bool ask_header(void *baton, struct slice name, struct slice *value)
{
    const struct request_facts *facts = baton;

    for (size_t i = 0; i < facts->field_count; i++)
        if (same_name(facts->fields[i].name, name)) {
            *value = facts->fields[i].value;
            return true;
        }
    return false;
}

static bool ask_env(void *baton, struct slice name, struct slice *value)
{
    const struct request_facts *facts = baton;

    for (size_t i = 0; i < facts->env_count; i++)
        if (slice_equal(facts->env[i].name, name)) {
            *value = facts->env[i].value;
            return true;
        }
    return false;
}

static bool ask_flag(void *baton, struct slice name)
{
    const struct request_facts *facts = baton;

    for (size_t i = 0; i < facts->flag_count; i++)
        if (slice_equal(facts->flags[i], name))
            return true;
    return false;
}

/* SplitMix64: any number will do that differs from one request to the next. */
static uint64_t next_random(void)
{
    static uint64_t state;
    struct timespec now;
    uint64_t mixed;

    if (state == 0) {
        clock_gettime(CLOCK_REALTIME, &now);
        state = (uint64_t)now.tv_sec * 1000000007u + (uint64_t)now.tv_nsec;
    }
    mixed = state += 0x9E3779B97F4A7C15u;
    mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9u;
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBu;
    return mixed ^ (mixed >> 31);
}

/* OPTIONS with Origin and Access-Control-Request-Method. */
static bool is_preflight(const struct request_facts *facts, struct slice method)
{
    bool has_origin = false, has_method = false;

    for (size_t i = 0; i < facts->field_count; i++) {
        has_origin |= same_name(facts->fields[i].name, SLICE("Origin"));
        has_method |= same_name(facts->fields[i].name, SLICE("Access-Control-Request-Method"));
    }
    return has_origin && has_method && slice_equal(method, SLICE("OPTIONS"));
}

void request_facts_bind(struct request_facts *facts, struct regex_scratch *scratch, struct request_key *key)
{
    facts->asked = (struct request_fields){ .header = ask_header, .env = ask_env, .flag = ask_flag, .baton = facts };
    key->fields = &facts->asked;
    key->client = facts->client;
    key->time_s = facts->time_s;
    key->chance_is_fixed = facts->has_chance;
    key->chance = facts->has_chance ? facts->chance : next_random();
    key->busy_percent = facts->busy;
    key->regex = scratch;
    key->is_preflight = is_preflight(facts, key->method);
}

bool request_client_read(const char *text, struct request_client *client)
{
    static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
    struct in_addr four;
    struct in6_addr six;

    *client = (struct request_client){ .family = 0 };
    if (inet_pton(AF_INET, text, &four) == 1) {
        client->family = 4;
        memcpy(client->address, &four, 4);
    } else if (inet_pton(AF_INET6, text, &six) == 1) {
        bool is_mapped = memcmp(&six, mapped, sizeof mapped) == 0;

        client->family = is_mapped ? 4 : 6;
        memcpy(client->address, (const uint8_t *)&six + (is_mapped ? 12 : 0), is_mapped ? 4 : 16);
    }
    return client->family != 0;
}

/* Days from 1970-01-01 to a date of the Gregorian calendar, counted in years that start in March. */
static int64_t days_of(int year, int month, int day)
{
    int64_t y = month > 2 ? year : year - 1;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

static int month_days(int year, int month)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return days[month - 1] + (month == 2 && is_leap);
}

/* `size` digits to a number of at most `limit`; moves *text behind them. */
static bool read_digits(const char **text, int size, int limit, int *number)
{
    *number = 0;
    for (int i = 0; i < size; i++, (*text)++) {
        if (**text < '0' || **text > '9')
            return false;
        *number = *number * 10 + (**text - '0');
    }
    return *number <= limit;
}

static bool skip(const char **text, char byte)
{
    if (**text != byte)
        return false;
    (*text)++;
    return true;
}

/* Z or +hh:mm. */
static bool read_offset(const char **text, int64_t *seconds)
{
    int sign = **text == '-' ? -1 : 1, hours, minutes;

    *seconds = 0;
    if (skip(text, 'Z'))
        return true;
    if (!skip(text, '+') && !skip(text, '-'))
        return false;
    if (!read_digits(text, 2, 23, &hours) || !skip(text, ':') || !read_digits(text, 2, 59, &minutes))
        return false;
    *seconds = sign * (hours * 3600 + minutes * 60);
    return true;
}

bool request_time_read(const char *text, int64_t *time_s)
{
    int year, month, day, hour = 0, minute = 0, second = 0;
    int64_t offset = 0;

    if (!read_digits(&text, 4, 9999, &year) || !skip(&text, '-') || !read_digits(&text, 2, 12, &month) ||
        !skip(&text, '-') || !read_digits(&text, 2, 31, &day) || month < 1 || day < 1 || day > month_days(year, month))
        return false;
    if (*text) {
        if (!skip(&text, 'T') || !read_digits(&text, 2, 23, &hour) || !skip(&text, ':') ||
            !read_digits(&text, 2, 59, &minute))
            return false;
        if (skip(&text, ':') && !read_digits(&text, 2, 59, &second))
            return false;
        if (!read_offset(&text, &offset) || *text)
            return false;
    }
    *time_s = days_of(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - offset;
    return true;
}
