/* SPDX-License-Identifier: Apache-2.0 */
/* Counts lines by what they are. Comments and blank lines of the language are told by their first byte; those of
 * tables were counted when their rows were read. What is neither is "others": the sum always holds. */
#include "config.h"

#include "rulec/summary.h"

#include "rulec/plural.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Sources that are tables, one entry for each time that one is used. */
struct tables {
    const struct source **sources;
    size_t count, room;
};

static void collect_tables(const struct ast_block *block, struct tables *tables)
{
    for (const struct ast_item *item = block->items; item; item = item->next) {
        if (item->kind == AST_BLOCK)
            collect_tables(item->block, tables); /* no deeper than PARSE_NESTING_LIMIT and PARSE_INCLUDE_LIMIT allow */
        if (item->kind != AST_TABLE || !item->table->source)
            continue;
        if (tables->count == tables->room) {
            tables->room = tables->room ? 2 * tables->room : 16;
            tables->sources = memory_resize(tables->sources, tables->room, sizeof *tables->sources);
        }
        tables->sources[tables->count++] = item->table->source;
    }
}

static int compare_sources(const void *a, const void *b)
{
    const struct source *const *left = a, *const *right = b;

    return ((*left)->at > (*right)->at) - ((*left)->at < (*right)->at);
}

static bool is_table(const struct tables *tables, const struct source *source)
{
    return tables->count && bsearch(&source, tables->sources, tables->count, sizeof *tables->sources, compare_sources);
}

static uint64_t count_lines(struct slice text)
{
    const char *at = text.data, *end = at + text.size;
    uint64_t count = 0;

    while (at < end) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));

        count++;
        at = line_end ? line_end + 1 : end;
    }
    return count;
}

static void count_text(const struct source *source, struct summary *summary)
{
    const char *at = source->text.data, *end = at + source->text.size;

    if (source->text.size >= 3 && memcmp(at, "\xEF\xBB\xBF", 3) == 0)
        at += 3;
    while (at < end) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        const char *stop = line_end ? line_end : end;

        summary->lines++;
        while (at < stop && (byte_is_blank(*at) || *at == '\r'))
            at++;
        if (at == stop)
            summary->blanks++;
        else if (*at == '#')
            summary->comments++;
        at = line_end ? line_end + 1 : end;
    }
}

/* Lines on which rules of the language stand; those in tables are rows. */
static uint64_t count_rule_lines(const struct compilation *compilation, const struct tables *tables)
{
    const struct source *source = NULL;
    bool source_is_table = false;
    uint64_t count = 0;
    uint32_t last = 0;

    for (uint32_t i = 0; i < compilation->plan->rule_count; i++) {
        uint32_t at = compilation->plan->rules[i].span.at;
        uint32_t line;

        if (!source || at < source->at || at - source->at >= source->text.size) {
            source = source_locate(compilation->sources, at).source;
            source_is_table = source && is_table(tables, source);
        }
        if (source_is_table)
            continue;
        line = source_line_in_all(compilation->sources, at);
        count += line != last;
        last = line;
    }
    return count;
}

void summary_count(const struct compilation *compilation, struct summary *summary)
{
    const struct plan *plan = compilation->plan;
    struct tables tables = { .sources = NULL };
    uint64_t known;

    *summary = (struct summary){ .rows = plan->table_rows, .comments = plan->table_comments,
                                 .blanks = plan->table_blanks };
    collect_tables(compilation->ast->files, &tables);
    if (tables.count)
        qsort(tables.sources, tables.count, sizeof *tables.sources, compare_sources);
    for (size_t i = 0; i < tables.count; i++)
        summary->lines += count_lines(tables.sources[i]->text);
    for (size_t i = 0; i < source_count(compilation->sources); i++) {
        const struct source *source = source_at(compilation->sources, i);

        if (is_table(&tables, source)) {
            summary->tables++;
        } else {
            summary->files++;
            count_text(source, summary);
        }
    }
    summary->rule_lines = count_rule_lines(compilation, &tables);
    known = summary->rule_lines + summary->rows + summary->comments + summary->blanks;
    summary->others = summary->lines > known ? summary->lines - known : 0;
    free(tables.sources);
}

void summary_write(const struct summary *summary, char text[SUMMARY_TEXT_SIZE])
{
    uint64_t files = summary->files + summary->tables;

    snprintf(text, SUMMARY_TEXT_SIZE,
             "%" PRIu64 " line%s in %" PRIu64 " file%s: %" PRIu64 " of rules, %" PRIu64 " table row%s, %" PRIu64
             " comments and headings, %" PRIu64 " blank, %" PRIu64 " others",
             summary->lines, plural(summary->lines), files, plural(files), summary->rule_lines, summary->rows,
             plural(summary->rows), summary->comments, summary->blanks, summary->others);
}
