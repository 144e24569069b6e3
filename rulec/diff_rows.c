/* SPDX-License-Identifier: Apache-2.0 */
/* What makes two sources the same: for an exact path its bytes, for all others the text that
 * dump makes of it, in which placeholders have numbers for names. */
#include "config.h"

#include "rulec/diff_rows.h"

#include "rulec/dump_choice.h"

#include "grammar/arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- text out of dump ---- */

struct text {
    char *data;
    size_t size;
    struct dump_writer to;
};

static void text_start(struct text *text, const struct ruleset *ruleset)
{
    *text = (struct text){ .to = { .ruleset = ruleset } };
    text->to.out = open_memstream(&text->data, &text->size);
    if (!text->to.out) {
        fputs("rulec: out of memory\n", stderr);
        exit(3);
    }
}

/* The text is the caller's. */
static char *text_end(struct text *text)
{
    bool is_good = fclose(text->to.out) == 0;

    dump_word_free(&text->to.word);
    if (!is_good) {
        fputs("rulec: out of memory\n", stderr);
        exit(3);
    }
    return text->data;
}

/* ---- actions ---- */

static uint64_t pool_text(struct bytes_pool *pool, char *text)
{
    uint64_t at = bytes_pool_add(pool, slice_of(text, strlen(text) + 1));

    free(text);
    return at;
}

static char *conditions_text(const struct ruleset *ruleset, uint32_t conditions)
{
    struct dump_braces braces = { .is_open = false };
    struct text text;

    text_start(&text, ruleset);
    braces.out = text.to.out;
    dump_conditions(&text.to, &braces, conditions);
    /* What a rule has of the windows around it. */
    dump_outer_windows(&text.to, conditions);
    return text_end(&text);
}

static char *settings_text(const struct ruleset *ruleset, const struct ruleset_action *action)
{
    struct ruleset_action bare = *action;
    struct text text;

    bare.conditions = 0;
    text_start(&text, ruleset);
    dump_clauses(&text.to, &bare, 0, 0);
    return text_end(&text);
}

static void read_actions(struct diff_rows *rows, struct bytes_pool *pool)
{
    struct ruleset_action action;

    rows->action_count = (size_t)(rows->ruleset->views[RULESET_ACTIONS].size / sizeof action);
    rows->actions = memory_resize(NULL, rows->action_count + 1, sizeof *rows->actions);
    for (size_t i = 0; i < rows->action_count; i++) {
        rows->actions[i] = (struct diff_action){ .conditions = 0 };
        if (i == 0 || !ruleset_get_action(rows->ruleset, (uint32_t)i, &action))
            continue;
        rows->actions[i].conditions =
            pool_text(pool, conditions_text(rows->ruleset, action.conditions));
        rows->actions[i].settings = pool_text(pool, settings_text(rows->ruleset, &action));
    }
}

/* ---- rows ---- */

static void set_source(struct diff_row *row, struct slice text, uint64_t seed)
{
    XXH128_hash_t hash = XXH3_128bits_withSeed(text.data, text.size, seed);

    row->source[0] = hash.high64;
    row->source[1] = hash.low64;
}

static void add_row(struct diff_rows *rows, struct diff_row *row)
{
    struct ruleset_action action;

    if (row->action >= rows->action_count ||
        !ruleset_get_action(rows->ruleset, row->action, &action)) {
        rows->wrong = dump_damaged;
        return;
    }
    row->scope = action.scope;
    if (rows->count == rows->room) {
        rows->room = rows->room ? rows->room + rows->room / 2 : 1024;
        rows->rows = memory_resize(rows->rows, rows->room, sizeof *rows->rows);
    }
    rows->rows[rows->count++] = *row;
}

static void read_exact(struct diff_rows *rows)
{
    struct ruleset_exact_view view;
    uint32_t order = 0;

    for (uint64_t at = 0; ruleset_get_exact(rows->ruleset, at, &view); at = view.next_at) {
        struct diff_row row = {
            .at = at, .order = order++, .action = view.action, .flags = view.flags
        };

        set_source(&row, view.key, view.flags & RULESET_RULE_SLASH);
        add_row(rows, &row);
    }
}

enum { PATTERN_SEED = 0x70617474, REGEX_SEED = 0x72656765 };

static char *regex_text(const struct ruleset *ruleset, uint32_t number)
{
    struct text text;

    text_start(&text, ruleset);
    fputs("~ ", text.to.out);
    dump_regex_print(ruleset, number, text.to.out);
    return text_end(&text);
}

/* `/a/ *.ttl` has two records, as it ranks in two ways: the one for a single segment is left
 * out. */
static bool is_half(const struct dump_source *source, const struct diff_row *row,
                    const struct diff_row *twin)
{
    return twin && twin->order == row->order && twin->scope == row->scope &&
           !source->takes_many;
}

static int compare_orders(const void *a, const void *b)
{
    const struct diff_row *left = a, *right = b;

    if (left->scope != right->scope)
        return left->scope < right->scope ? -1 : 1;
    return (left->order > right->order) - (left->order < right->order);
}

static void read_patterns(struct diff_rows *rows)
{
    size_t first = rows->count, kept = first;
    struct dump_word word = { .size = 0 };
    struct ruleset_pattern_view view;

    for (uint64_t at = 0; ruleset_get_pattern(rows->ruleset, at, &view); at = view.next_at)
        add_row(rows, &(struct diff_row){ .at = at,
                                          .order = view.head.order,
                                          .action = view.action,
                                          .flags = view.flags,
                                          .is_pattern = true });
    if (rows->count > first)
        qsort(rows->rows + first, rows->count - first, sizeof *rows->rows, compare_orders);
    for (size_t i = first; i < rows->count; i++) {
        struct diff_row row = rows->rows[i];
        struct dump_source source;
        char *regex;

        dump_word_clear(&word);
        if (!ruleset_get_pattern(rows->ruleset, row.at, &view) ||
            !dump_add_pattern(&word, rows->ruleset, view.program,
                              row.flags & RULESET_RULE_SLASH, &source)) {
            rows->wrong = dump_damaged;
            break;
        }
        /* What was kept lies before i: its neighbours are those of the sorted row still. */
        if (is_half(&source, &row, i + 1 < rows->count ? &rows->rows[i + 1] : NULL) ||
            is_half(&source, &row, kept > first ? &rows->rows[kept - 1] : NULL))
            continue;
        set_source(&row, slice_of(word.data, word.size), PATTERN_SEED);
        if (source.is_regex) {
            regex = regex_text(rows->ruleset, source.regex);
            set_source(&row, slice_from_string(regex), REGEX_SEED);
            free(regex);
        }
        rows->rows[kept++] = row;
    }
    rows->count = kept;
    dump_word_free(&word);
}

static int compare_rows(const void *a, const void *b)
{
    const struct diff_row *left = a, *right = b;

    if (left->scope != right->scope)
        return left->scope < right->scope ? -1 : 1;
    if (left->source[0] != right->source[0])
        return left->source[0] < right->source[0] ? -1 : 1;
    if (left->source[1] != right->source[1])
        return left->source[1] < right->source[1] ? -1 : 1;
    return (left->order > right->order) - (left->order < right->order);
}

bool diff_rows_read(struct diff_rows *rows, const struct ruleset *ruleset,
                    struct bytes_pool *pool)
{
    *rows = (struct diff_rows){ .ruleset = ruleset };
    read_actions(rows, pool);
    read_exact(rows);
    if (!rows->wrong)
        read_patterns(rows);
    if (rows->count)
        qsort(rows->rows, rows->count, sizeof *rows->rows, compare_rows);
    return !rows->wrong;
}

void diff_rows_free(struct diff_rows *rows)
{
    free(rows->rows);
    free(rows->actions);
    *rows = (struct diff_rows){ .count = 0 };
}

/* The first row of that scope or behind it. */
static size_t find_scope(const struct diff_rows *rows, uint64_t scope)
{
    size_t low = 0, high = rows->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (rows->rows[middle].scope < scope)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void diff_rows_of_scope(const struct diff_rows *rows, uint32_t scope, size_t *first,
                        size_t *end)
{
    *first = find_scope(rows, scope);
    *end = scope ? find_scope(rows, (uint64_t)scope + 1) : *first;
}

/* ---- one row ---- */

struct diff_target diff_row_target(const struct diff_rows *rows, const struct diff_row *row)
{
    struct diff_target target = { .is_template = row->flags & RULESET_RULE_TEMPLATE,
                                  .is_choice = row->flags & RULESET_RULE_CHOICE };
    struct ruleset_pattern_view pattern;
    struct ruleset_exact_view exact;

    if (row->is_pattern && ruleset_get_pattern(rows->ruleset, row->at, &pattern))
        target.bytes = pattern.target;
    else if (!row->is_pattern && ruleset_get_exact(rows->ruleset, row->at, &exact))
        target.bytes = exact.target;
    return target;
}

/* The word of the source, and what it tells its target. */
static void make_source(const struct diff_rows *rows, const struct diff_row *row,
                        struct dump_word *word, struct dump_source *source)
{
    struct ruleset_pattern_view pattern;
    struct ruleset_exact_view exact;

    dump_source_init(source);
    if (row->is_pattern && ruleset_get_pattern(rows->ruleset, row->at, &pattern))
        dump_add_pattern(word, rows->ruleset, pattern.program, row->flags & RULESET_RULE_SLASH,
                         source);
    else if (!row->is_pattern && ruleset_get_exact(rows->ruleset, row->at, &exact))
        dump_add_path(word, exact.key, row->flags & RULESET_RULE_SLASH);
}

char *diff_row_source(const struct diff_rows *rows, const struct diff_row *row)
{
    struct dump_source source;
    struct text text;

    text_start(&text, rows->ruleset);
    make_source(rows, row, &text.to.word, &source);
    if (source.is_regex) {
        fputs("~ ", text.to.out);
        dump_regex_print(rows->ruleset, source.regex, text.to.out);
    } else {
        dump_word_print(&text.to.word, text.to.out);
    }
    return text_end(&text);
}

/* The lines of a choice side by side, and no line end at the end. */
static char *join_lines(char *text)
{
    size_t size = strlen(text), made = 0;
    char *out = memory_resize(NULL, 2 * size + 1, 1);

    while (size && text[size - 1] == '\n')
        size--;
    for (size_t i = 0; i < size; i++) {
        if (text[i] != '\n') {
            out[made++] = text[i];
            continue;
        }
        while (i + 1 < size && text[i + 1] == ' ')
            i++;
        if (made && out[made - 1] != '{' && text[i + 1] != '}')
            out[made++] = ';';
        out[made++] = ' ';
    }
    out[made] = '\0';
    free(text);
    return out;
}

static void print_target(const struct diff_rows *rows, const struct diff_row *row,
                         const struct ruleset_host_view *host, struct text *text)
{
    struct diff_target target = diff_row_target(rows, row);
    struct dump_source source;
    struct dump_captures captures = { .source = &source, .hosts = { .failed = true } };

    if (host) {
        captures.hosts = host->captures;
        captures.host_count = host->head.capture_count;
    }
    make_source(rows, row, &text->to.word, &source);
    if (target.is_choice)
        dump_choice(&text->to, target.bytes, &captures);
    else if (target.bytes.size)
        dump_target(&text->to, target.bytes, target.is_template, &captures);
}

char *diff_row_target_text(const struct diff_rows *rows, const struct diff_row *row,
                           const struct ruleset_host_view *host)
{
    struct text text;

    text_start(&text, rows->ruleset);
    print_target(rows, row, host, &text);
    return text_end(&text);
}

char *diff_row_answer(const struct diff_rows *rows, const struct diff_row *row,
                      const struct ruleset_host_view *host)
{
    struct ruleset_action action;
    struct text text;

    text_start(&text, rows->ruleset);
    print_target(rows, row, host, &text);
    if (ruleset_get_action(rows->ruleset, row->action, &action)) {
        if (action.flags & RULESET_ACTION_PASS)
            fputs(" pass", text.to.out);
        else
            dump_status(&text.to, action.status_get, action.status_other);
        dump_clauses(&text.to, &action, row->flags, 0);
    }
    return join_lines(text_end(&text));
}

struct ruleset_place diff_row_place(const struct diff_rows *rows, const struct diff_row *row)
{
    struct ruleset_pattern_view pattern;
    struct ruleset_exact_view exact;

    if (row->is_pattern && ruleset_get_pattern(rows->ruleset, row->at, &pattern))
        return ruleset_place(rows->ruleset, pattern.head.place);
    if (!row->is_pattern && ruleset_get_exact(rows->ruleset, row->at, &exact))
        return ruleset_place(rows->ruleset, exact.head.place);
    return (struct ruleset_place){ .line = 0 };
}
