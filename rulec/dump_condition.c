/* SPDX-License-Identifier: Apache-2.0 */
/* Condition programs back to `when`, `unless`, `from`, `until`, `daily` and `weekly`. Times come back in UTC. */
#include "config.h"

#include "rulec/dump_clause.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <time.h>

enum { DAY_S = 86400, ALL_DAYS = 0x7f };

struct condition {
    unsigned op, flags, value_count;
    struct slice name;
    struct ruleset_cursor operands;
};

/* A window made of all `from` and `until` of a rule: all of them must hold. */
struct window {
    int64_t from_s, until_s;
};

static const char *const names[RULESET_CONDITION_OP_COUNT] = {
    [RULESET_CONDITION_METHOD] = "method",     [RULESET_CONDITION_SCHEME] = "scheme",
    [RULESET_CONDITION_HEADER] = "header",     [RULESET_CONDITION_COOKIE] = "cookie",
    [RULESET_CONDITION_ACCEPT] = "accept",     [RULESET_CONDITION_LANGUAGE] = "language",
    [RULESET_CONDITION_QUERY] = "query",       [RULESET_CONDITION_CLIENT] = "client",
    [RULESET_CONDITION_ENV] = "env",           [RULESET_CONDITION_FLAG] = "flag",
    [RULESET_CONDITION_CHANCE] = "chance",     [RULESET_CONDITION_BUSY] = "busy",
};

static uint64_t read_number(struct ruleset_cursor *cursor, unsigned size)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < size; i++)
        value |= (uint64_t)cursor_u8(cursor) << (8 * i);
    return value;
}

static bool has_name(unsigned op)
{
    return op == RULESET_CONDITION_HEADER || op == RULESET_CONDITION_COOKIE || op == RULESET_CONDITION_QUERY ||
           op == RULESET_CONDITION_ENV;
}

/* Takes one condition off the program and leaves its operands to be read. */
static bool next_condition(struct ruleset_cursor *program, struct condition *condition)
{
    unsigned string_count, number_size = 0;

    *condition = (struct condition){ .op = cursor_u8(program), .flags = cursor_u8(program) };
    condition->value_count = string_count = cursor_u16(program);
    if (has_name(condition->op))
        condition->name = cursor_slice(program);
    if (has_name(condition->op) && !(condition->flags & RULESET_CONDITION_EQUAL))
        string_count = 0;
    condition->operands = *program;
    switch (condition->op) {
    case RULESET_CONDITION_CLIENT: number_size = 18 * condition->value_count; break;
    case RULESET_CONDITION_CHANCE:
    case RULESET_CONDITION_BUSY: number_size = 4; break;
    case RULESET_CONDITION_WINDOW: number_size = 16; break;
    case RULESET_CONDITION_RECURRING: number_size = 13; break;
    default:
        if (condition->op >= RULESET_CONDITION_OP_COUNT || !names[condition->op])
            return false;
        number_size = has_name(condition->op) && condition->flags & RULESET_CONDITION_REGEX ? 4 : 0;
    }
    if (number_size)
        string_count = 0;
    for (unsigned i = 0; i < string_count && !program->failed; i++)
        cursor_slice(program);
    for (unsigned i = 0; i < number_size && !program->failed; i++)
        cursor_u8(program);
    return !program->failed;
}

static void print_strings(struct dump_writer *writer, struct condition *condition)
{
    for (unsigned i = 0; i < condition->value_count; i++) {
        struct slice value = cursor_slice(&condition->operands);

        putc(' ', writer->out);
        dump_word_clear(&writer->word);
        if (condition->op == RULESET_CONDITION_QUERY)
            dump_add_decoded(&writer->word, value, false);
        else
            dump_word_add(&writer->word, value);
        dump_string_print(slice_of(writer->word.data, writer->word.size), writer->out);
    }
}

/* NAME, NAME = "v" "w", NAME ~ "re". */
static void print_named(struct dump_writer *writer, struct condition *condition)
{
    dump_word_clear(&writer->word);
    if (condition->op == RULESET_CONDITION_QUERY)
        dump_add_decoded(&writer->word, condition->name, false);
    else
        dump_word_add(&writer->word, condition->name);
    putc(' ', writer->out);
    dump_string_print(slice_of(writer->word.data, writer->word.size), writer->out);
    if (condition->flags & RULESET_CONDITION_EQUAL) {
        fputs(" =", writer->out);
        print_strings(writer, condition);
    } else if (condition->flags & RULESET_CONDITION_REGEX) {
        fputs(" ~ ", writer->out);
        if (!dump_regex_print(writer->ruleset, (uint32_t)read_number(&condition->operands, 4), writer->out))
            writer->wrong = dump_damaged;
    }
}

static void print_networks(struct dump_writer *writer, struct condition *condition)
{
    for (unsigned i = 0; i < condition->value_count; i++) {
        unsigned family = cursor_u8(&condition->operands), prefix = cursor_u8(&condition->operands);
        char text[INET6_ADDRSTRLEN];
        uint8_t address[16];

        for (unsigned k = 0; k < sizeof address; k++)
            address[k] = cursor_u8(&condition->operands);
        if (!inet_ntop(family == 4 ? AF_INET : AF_INET6, address, text, sizeof text))
            writer->wrong = dump_damaged;
        else
            fprintf(writer->out, " %s/%u", text, prefix);
    }
}

/* 12.5%, from millionths. */
static void print_share(FILE *out, uint32_t millionths)
{
    char text[32];
    int size = snprintf(text, sizeof text, "%" PRIu32 ".%04" PRIu32, millionths / 10000, millionths % 10000);

    while (text[size - 1] == '0')
        size--;
    if (text[size - 1] == '.')
        size--;
    fprintf(out, " %.*s%%", size, text);
}

static void print_condition(struct dump_writer *writer, struct dump_braces *braces, struct condition *condition)
{
    dump_next_clause(braces);
    fprintf(writer->out, "%s %s", condition->flags & RULESET_CONDITION_UNLESS ? "unless" : "when", names[condition->op]);
    if (has_name(condition->op))
        print_named(writer, condition);
    else if (condition->op == RULESET_CONDITION_CLIENT)
        print_networks(writer, condition);
    else if (condition->op == RULESET_CONDITION_CHANCE)
        print_share(writer->out, (uint32_t)read_number(&condition->operands, 4));
    else if (condition->op == RULESET_CONDITION_BUSY)
        fprintf(writer->out, " %" PRIu32 "%%", (uint32_t)read_number(&condition->operands, 4));
    else
        print_strings(writer, condition);
}

static void print_time(struct dump_writer *writer, struct dump_braces *braces, const char *word, int64_t time_s)
{
    time_t at = (time_t)time_s;
    char text[32];
    struct tm utc;

    dump_next_clause(braces);
    if (!gmtime_r(&at, &utc) || !strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc))
        writer->wrong = dump_damaged;
    else
        fprintf(writer->out, "%s %s", word, text);
}

static void print_clock(FILE *out, uint32_t seconds)
{
    fprintf(out, "%02" PRIu32 ":%02" PRIu32, seconds / 3600, seconds / 60 % 60);
    if (seconds % 60)
        fprintf(out, ":%02" PRIu32, seconds % 60);
}

static void print_recurring(struct dump_writer *writer, struct dump_braces *braces, struct condition *condition)
{
    static const char *const days[] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" };
    uint64_t zone_at = read_number(&condition->operands, 4);
    unsigned mask = cursor_u8(&condition->operands);
    uint32_t start = (uint32_t)read_number(&condition->operands, 4);
    uint32_t end = (uint32_t)read_number(&condition->operands, 4);
    bool is_all_day = start == 0 && end == DAY_S;
    struct ruleset_zone zone;
    struct slice name;
    unsigned printed = 0;

    if (!ruleset_get(writer->ruleset, RULESET_ZONES, zone_at, &zone, sizeof zone) ||
        !ruleset_list_item(writer->ruleset, zone.name, 0, &name)) {
        writer->wrong = dump_damaged;
        return;
    }
    dump_next_clause(braces);
    fprintf(writer->out, "timezone %.*s", (int)name.size, name.data);
    if (!is_all_day || mask == ALL_DAYS) {
        dump_next_clause(braces);
        fputs("daily ", writer->out);
        print_clock(writer->out, start);
        putc('-', writer->out);
        print_clock(writer->out, end);
    }
    if (mask == ALL_DAYS)
        return;
    dump_next_clause(braces);
    fputs("weekly ", writer->out);
    for (unsigned i = 0; i < 7; i++)
        if (mask >> i & 1)
            fprintf(writer->out, "%s%s", printed++ ? "," : "", days[i]);
}

static struct ruleset_cursor program_at(struct dump_writer *writer, uint32_t at, unsigned *count)
{
    struct ruleset_cursor program = ruleset_cursor(writer->ruleset, RULESET_CONDITIONS, at);

    *count = at ? cursor_u16(&program) : 0;
    return program;
}

void dump_conditions(struct dump_writer *writer, struct dump_braces *braces, uint32_t at)
{
    struct window window = { .from_s = INT64_MIN, .until_s = INT64_MAX };
    unsigned count, recurring = 0;
    struct ruleset_cursor program = program_at(writer, at, &count);
    struct condition condition;

    for (unsigned i = 0; i < count; i++) {
        if (!next_condition(&program, &condition)) {
            writer->wrong = dump_damaged;
            return;
        }
        if (condition.op == RULESET_CONDITION_WINDOW) {
            int64_t from = (int64_t)read_number(&condition.operands, 8);
            int64_t until = (int64_t)read_number(&condition.operands, 8);

            window.from_s = from > window.from_s ? from : window.from_s;
            window.until_s = until < window.until_s ? until : window.until_s;
        } else if (condition.op != RULESET_CONDITION_RECURRING) {
            print_condition(writer, braces, &condition);
        } else if (recurring++ == 0) {
            print_recurring(writer, braces, &condition);
        }
    }
    if (window.from_s != INT64_MIN)
        print_time(writer, braces, "from", window.from_s);
    if (window.until_s != INT64_MAX)
        print_time(writer, braces, "until", window.until_s);
}

unsigned dump_outer_windows(struct dump_writer *writer, uint32_t at)
{
    unsigned count, recurring = 0;
    struct ruleset_cursor program = program_at(writer, at, &count);
    struct condition condition;

    for (unsigned i = 0; i < count && next_condition(&program, &condition); i++) {
        struct dump_braces inside = { .out = writer->out };

        if (condition.op != RULESET_CONDITION_RECURRING || recurring++ == 0)
            continue;
        fputs("    group window", writer->out);
        print_recurring(writer, &inside, &condition);
        putc('\n', writer->out);
    }
    return recurring > 1 ? recurring - 1 : 0;
}
