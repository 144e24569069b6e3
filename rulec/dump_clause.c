/* SPDX-License-Identifier: Apache-2.0 */
/* Everything of a rule but its source and its target. */
#include "config.h"

#include "rulec/dump_clause.h"

#include <inttypes.h>

const char dump_damaged[] = "a record is damaged";

void dump_next_clause(struct dump_braces *braces)
{
    fputs(braces->is_open ? "; " : " { ", braces->out);
    braces->is_open = true;
}

void dump_status(struct dump_writer *writer, unsigned status_get, unsigned status_other)
{
    if (status_get == status_other)
        fprintf(writer->out, " %u", status_get);
    else if (status_get == 302 && status_other == 307)
        fputs(" temporary auto", writer->out);
    else if (status_get == 301 && status_other == 308)
        fputs(" permanent auto", writer->out);
    else
        writer->wrong = "a rule has a pair of statuses that the language has no word for";
}

static void print_cache(struct dump_braces *braces, const struct ruleset_action *action)
{
    if (action->cache_kind == RULESET_CACHE_UNSAID)
        return;
    dump_next_clause(braces);
    if (action->cache_kind == RULESET_CACHE_DEFAULT)
        fputs("cache default", braces->out);
    else if (action->cache_kind == RULESET_CACHE_NONE)
        fputs("cache none", braces->out);
    else
        fprintf(braces->out, "cache %s%" PRIu32 "s", action->cache_kind == RULESET_CACHE_PRIVATE ? "private " : "",
                action->cache_seconds);
}

static void print_query(struct dump_writer *writer, struct dump_braces *braces, const struct ruleset_action *action)
{
    struct slice name;

    if (action->query_kind == RULESET_QUERY_KEEP)
        return;
    dump_next_clause(braces);
    if (action->query_kind == RULESET_QUERY_DROP) {
        fputs("query drop", writer->out);
        return;
    }
    fputs(action->query_kind == RULESET_QUERY_ONLY ? "query only" : "query except", writer->out);
    for (unsigned i = 0; ruleset_list_item(writer->ruleset, action->query_names, i, &name); i++) {
        dump_word_clear(&writer->word);
        dump_add_decoded(&writer->word, name, true);
        putc(' ', writer->out);
        dump_word_print(&writer->word, writer->out);
    }
}

static void print_headers(struct dump_writer *writer, struct dump_braces *braces, const struct ruleset_action *action)
{
    struct slice name, value;

    for (unsigned i = 0; ruleset_list_item(writer->ruleset, action->headers, i, &name) &&
                         ruleset_list_item(writer->ruleset, action->headers, i + 1, &value); i += 2) {
        dump_next_clause(braces);
        if (slice_equal(name, SLICE("Retry-After"))) {
            fprintf(writer->out, "retry-after %.*ss", (int)value.size, value.data);
            continue;
        }
        fputs("header ", writer->out);
        dump_string_print(name, writer->out);
        putc(' ', writer->out);
        dump_string_print(value, writer->out);
    }
    for (unsigned i = 0; ruleset_list_item(writer->ruleset, action->vary, i, &name); i++) {
        if (i == 0) {
            dump_next_clause(braces);
            fputs("vary", writer->out);
        }
        putc(' ', writer->out);
        dump_string_print(name, writer->out);
    }
}

static void print_word(struct dump_braces *braces, const char *clause)
{
    dump_next_clause(braces);
    fputs(clause, braces->out);
}

static void print_text(struct dump_braces *braces, const char *clause, struct slice text)
{
    if (text.size == 0)
        return;
    print_word(braces, clause);
    putc(' ', braces->out);
    dump_string_print(text, braces->out);
}

void dump_clauses(struct dump_writer *writer, const struct ruleset_action *action, unsigned flags, uint32_t place)
{
    struct dump_braces braces = { .out = writer->out };
    struct slice note, owner;

    dump_conditions(writer, &braces, action->conditions);
    if (flags & RULESET_RULE_CASE_IGNORE)
        print_word(&braces, "case ignore");
    if (flags & RULESET_RULE_SLASH_EXACT)
        print_word(&braces, "slash exact");
    print_query(writer, &braces, action);
    print_cache(&braces, action);
    if (action->flags & RULESET_ACTION_PREFLIGHT)
        print_word(&braces, "preflight redirect");
    print_headers(writer, &braces, action);
    ruleset_note(writer->ruleset, place, &note, &owner);
    print_text(&braces, "note", note);
    print_text(&braces, "owner", owner);
    fputs(braces.is_open ? " }\n" : "\n", writer->out);
}
