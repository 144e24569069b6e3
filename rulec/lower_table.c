/* SPDX-License-Identifier: Apache-2.0 */
/* Columns and rows of a table (docs/language.md, "Tables"). */
#include "config.h"

#include "rulec/lower_table.h"

#include "rulec/lower_clause.h"
#include "rulec/lower_host.h"
#include "rulec/lower_record.h"
#include "rulec/lower_rule.h"
#include "rulec/lower_status.h"
#include "rulec/lower_time.h"

#include "grammar/suggest.h"

#include <strings.h>

enum column {
    COLUMN_SKIP,
    COLUMN_FROM,
    COLUMN_TO,
    COLUMN_STATUS,
    COLUMN_SITE,
    COLUMN_NOTE,
    COLUMN_OWNER,
    COLUMN_UNTIL,
    COLUMN_KIND_COUNT
};
static const char *const column_names[] = { "-",    "from", "to",    "status",
                                            "site", "note", "owner", "until" };

struct table {
    struct lower *lower;
    const struct ast_table *tree;
    struct lower_records records;
    struct lower_table_clauses clauses;
    enum lower_reading reading;
    uint32_t column_of[COLUMN_KIND_COUNT]; /* cell number + 1; 0: the table has none */
    uint32_t column_count;

    struct slice last_status_text; /* lists repeat theirs */
    struct lower_status last_status;
    struct slice last_site_text;
    uint32_t last_site;
};

/* ---- separator ---- */

static bool ends_like(struct slice path, const char *end)
{
    size_t size = strlen(end);

    return path.size >= size && strncasecmp(path.data + path.size - size, end, size) == 0;
}

static void choose_separator(struct table *table, enum lower_separator *separator, char *byte)
{
    struct slice path = table->tree->file.text;
    const struct ast_clause *clause = table->clauses.separator;

    *byte = ',';
    *separator =
        ends_like(path, ".csv") || ends_like(path, ".csv.gz") ? LOWER_BY_BYTE : LOWER_BY_LINE;
    if (!clause)
        return;

    struct slice word = clause->words ? clause->words->text : slice_of(NULL, 0);
    if (slice_equal(word, SLICE("tab")) || slice_equal(word, SLICE("\t"))) {
        *separator = LOWER_BY_TAB;
    } else if (slice_equal(word, SLICE("blank")) || slice_equal(word, SLICE(" "))) {
        *separator = LOWER_BY_BLANKS;
    } else if (slice_equal(word, SLICE("comma"))) {
        *separator = LOWER_BY_BYTE;
    } else if (word.size == 1 && (unsigned char)word.data[0] > 0x20 &&
               (unsigned char)word.data[0] < 0x7f && word.data[0] != '"') {
        *separator = LOWER_BY_BYTE;
        *byte = word.data[0];
    } else {
        diag_error(
            table->lower->diag, DIAG_BAD_VALUE, clause->span,
            "\"%.*s\" is no separator: that is comma, tab, blank or one character of ASCII",
            LOWER_SHOW(word));
    }
}

/* ---- columns ---- */

/* True for a name; "-" is one here. */
static bool find_column(struct slice name, enum column *column)
{
    for (unsigned i = 0; i < COLUMN_KIND_COUNT; i++) {
        if (name.size != strlen(column_names[i]) ||
            strncasecmp(name.data, column_names[i], name.size) != 0)
            continue;
        *column = (enum column)i;
        return true;
    }
    return false;
}

/* Spreadsheets of many countries write other bytes than commas between cells. False: that is not what is wrong. */
static bool help_with_separator(const struct table *table)
{
    const struct lower_records *records = &table->records;
    bool has_commas = records->separator == LOWER_BY_BYTE && records->byte == ',';

    if (!has_commas || records->cell_count != 1)
        return false;
    if (lower_find(records->line, ';'))
        diag_help(table->lower->diag, "where cells end at \";\", say so: table \"...\" { separator \";\" }");
    else if (lower_find(records->line, '\t'))
        diag_help(table->lower->diag, "where cells end at tabs, say so: table \"...\" { separator tab }");
    else
        return false;
    return true;
}

static bool add_column(struct table *table, struct lower_word word)
{
    struct diag *diag = table->lower->diag;
    enum column column;

    table->column_count++;
    if (!find_column(word.text, &column)) {
        const char *near = suggest_nearest(word.text, column_names + 1, COLUMN_KIND_COUNT - 1);

        diag_error(diag, DIAG_BAD_COLUMN, word.span, "\"%.*s\" is no name of a column",
                   LOWER_SHOW(word.text));
        if (!table->clauses.columns && help_with_separator(table))
            return false;
        if (near)
            diag_help(diag, "did you mean \"%s\"?", near);
        if (!table->clauses.columns) {
            diag_help(diag, "the first line names the columns, unless the rules do: table "
                            "\"...\" { columns from to - status }");
        }
        return false;
    }
    if (column == COLUMN_SKIP)
        return true;
    if (table->column_of[column]) {
        diag_error(diag, DIAG_BAD_COLUMN, word.span, "two columns are named \"%s\"",
                   column_names[column]);
        return false;
    }
    table->column_of[column] = table->column_count;
    return true;
}

static bool read_columns(struct table *table, const struct lower_scope *scope)
{
    const struct ast_clause *clause = table->clauses.columns;
    struct span span = clause ? clause->span : table->tree->span;
    bool is_good = true;

    if (clause) {
        for (const struct ast_word *word = clause->words; word; word = word->next) {
            is_good &= add_column(table, lower_word_of(word));
        }
    }
    if (!clause || table->clauses.has_heading) {
        if (!lower_records_next(&table->records))
            return is_good;
        table->records.comment_count++; /* counted with what is no row */
        if (!clause) {
            span = lower_records_span(&table->records, table->records.line);
            for (uint32_t i = 0; i < table->records.cell_count; i++) {
                is_good &= add_column(table, table->records.cells[i]);
            }
        }
    }
    if (!is_good)
        return false;
    if (!table->column_of[COLUMN_FROM]) {
        diag_error(table->lower->diag, DIAG_BAD_COLUMN, span, "no column is named \"from\"");
        return false;
    }
    if (!table->column_of[COLUMN_TO] && !table->column_of[COLUMN_STATUS] &&
        lower_status_redirects(&scope->status)) {
        diag_error(table->lower->diag, DIAG_BAD_COLUMN, span,
                   "no column is named \"to\", and the status here is a redirect");
        return false;
    }
    return true;
}

/* ---- rows ---- */

/* An empty word where the table has no such column, or the row is too short for it. */
static struct lower_word cell(const struct table *table, enum column column)
{
    uint32_t at = table->column_of[column];

    if (at && at <= table->records.cell_count)
        return table->records.cells[at - 1];
    return (struct lower_word){ .span =
                                    lower_records_span(&table->records, table->records.line) };
}

static bool read_status(struct table *table, struct lower_word word,
                        struct lower_status *status)
{
    struct lower_word first = word, second;
    const char *blank = lower_find(word.text, ' ');
    bool has_second = blank != NULL;

    if (slice_equal(word.text, table->last_status_text)) {
        *status = table->last_status;
        return true;
    }
    if (has_second) {
        first.text.size = (size_t)(blank - word.text.data);
        while (*blank == ' ')
            blank++;
        second = (struct lower_word){
            .text = slice_of(blank, word.text.size - (size_t)(blank - word.text.data)),
            .span = word.span
        };
    }
    if (!lower_status_words(table->lower, first, has_second ? &second : NULL, status))
        return false;
    table->last_status_text = word.text;
    table->last_status = *status;
    return true;
}

/* A `site` cell is a host of the site around the table, or names one where there is none. */
static bool enter_site(struct table *table, const struct lower_scope *around,
                       struct lower_word word, struct lower_scope *scope)
{
    uint32_t site;

    if (slice_equal(word.text, table->last_site_text) && word.text.size) {
        site = table->last_site;
    } else {
        if (!lower_site_of_source(table->lower, around, word, word.text, 0, true, &site))
            return false;
        table->last_site_text = word.text;
        table->last_site = site;
    }
    scope->site = site;
    scope->is_in_site = true;
    scope->site_span = word.span;
    return true;
}

static void read_row(struct table *table, const struct lower_scope *around,
                     struct lower_scope *scope)
{
    const struct lower_records *records = &table->records;
    struct lower_word status = cell(table, COLUMN_STATUS), site = cell(table, COLUMN_SITE);
    struct lower_word until = cell(table, COLUMN_UNTIL);
    struct lower_rule rule = { .reading = table->reading,
                               .source = cell(table, COLUMN_FROM),
                               .target = cell(table, COLUMN_TO),
                               .note = cell(table, COLUMN_NOTE).text,
                               .owner = cell(table, COLUMN_OWNER).text };
    uint32_t cell_count = records->cell_count;

    rule.span = lower_records_span(records, records->line);
    while (cell_count > table->column_count && records->cells[cell_count - 1].text.size == 0)
        cell_count--;
    if (cell_count > table->column_count) {
        diag_error(table->lower->diag, DIAG_BAD_ROW, records->cells[table->column_count].span,
                   "this row has %u cells, and the table has %u columns", (unsigned)cell_count,
                   (unsigned)table->column_count);
        return;
    }
    if (rule.source.text.size == 0) {
        diag_error(table->lower->diag, DIAG_BAD_ROW, rule.span,
                   "this row has no source: its cell \"from\" is empty");
        return;
    }
    rule.has_target = rule.target.text.size > 0;
    rule.has_status = status.text.size > 0;
    rule.status_span = status.span;
    if (rule.has_status && !read_status(table, status, &rule.status))
        return;
    if (!rule.has_target && !rule.has_status && lower_status_redirects(&scope->status)) {
        diag_error(table->lower->diag, DIAG_MISSING_TARGET, rule.span,
                   "this row has no target: its cell \"to\" is empty");
        if (!help_with_separator(table))
            diag_help(table->lower->diag, "where there is nothing to go to, a cell \"status\" says \"gone\"");
        return;
    }
    if (table->column_of[COLUMN_SITE]) {
        scope->site = around->site;
        scope->is_in_site = around->is_in_site;
        scope->site_span = around->site_span;
        if (site.text.size && !enter_site(table, around, site, scope))
            return;
    }
    if (until.text.size) {
        struct lower_scope timed = *scope;

        timed.made_count = 0;
        if (lower_until(table->lower, &timed, until))
            lower_rule(table->lower, &timed, &rule);
        return;
    }
    lower_rule(table->lower, scope, &rule);
}

void lower_table(struct lower *lower, const struct lower_scope *scope,
                 const struct ast_table *tree)
{
    struct lower_scope around = *scope, inside;
    struct table table = { .lower = lower, .tree = tree };
    enum lower_separator separator;
    char byte;
    uint64_t row_count = 0;

    lower_clauses(lower, tree->body, &around, &table.clauses);
    if (!tree->source)
        return; /* could not be read: reported already */
    for (const struct lower_allow *allow = around.allows; allow; allow = allow->outer) {
        diag_allow(lower->diag, allow->code,
                   (struct span){ tree->source->at,
                                  tree->source->at + (uint32_t)tree->source->text.size });
    }
    table.reading = table.clauses.has_patterns ? LOWER_PATTERN : LOWER_LITERAL;
    choose_separator(&table, &separator, &byte);
    lower_records_open(&table.records, lower, tree->source, separator, byte);
    inside = around;
    if (read_columns(&table, &around)) {
        plan_reserve_rules(lower->plan, tree->source->line_count);
        for (; lower_records_next(&table.records); row_count++)
            read_row(&table, &around, &inside);
        if (row_count == 0) {
            diag_warning(lower->diag, DIAG_EMPTY_TABLE, tree->span,
                         "the table \"%.*s\" has no rows", LOWER_SHOW(tree->file.text));
        }
    }
    lower->plan->table_rows += row_count;
    lower->plan->table_comments += table.records.comment_count;
    lower->plan->table_blanks += table.records.blank_count;
    lower_records_close(&table.records);
}
