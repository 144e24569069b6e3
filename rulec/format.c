/* SPDX-License-Identifier: Apache-2.0 */
/* Lines are gathered while they belong together (one depth, no empty line between them), then
 * written with their columns under each other. A line is up to four cells of tokens: what a
 * column is depends on what the line is. */
#include "config.h"

#include "rulec/format.h"

#include "grammar/arena.h"
#include "grammar/parse.h"

#include <stdlib.h>
#include <string.h>

enum {
    INDENT = 4,
    CELL_COUNT = 4,
    CELL_LIMIT = 48,   /* a wider cell does not push the others away: it sticks out */
    COMMENT_LIMIT = 80 /* likewise for what stands before a comment at the line's end */
};

/* Cells of a rule: source; `-> target` or the word in its place; status; the rest. Of a line
 * under `by`: keys, target, status. Of an expect: `expect METHOD`; the request; `-> answer`.
 * All others have one. */
enum line_kind { LINE_RULE, LINE_CHOICE, LINE_EXPECT, LINE_OTHER, LINE_KIND_COUNT };

/* cut[i]: the first token of cell i; cut[CELL_COUNT]: behind the last. An empty cell starts
 * where the next one does. */
struct format_line {
    enum line_kind kind;
    size_t cut[CELL_COUNT + 1];
    size_t comment; /* token; SIZE_MAX: none */
};

struct format {
    const struct layout *layout;
    const struct source *source;
    struct bytes *out;
    struct format_line *lines; /* that belong together */
    size_t line_count, line_room;
    unsigned depth;
    bool holds_rules[PARSE_NESTING_LIMIT + 1]; /* by depth */
    bool holds_choices[PARSE_NESTING_LIMIT + 1];
};

static const size_t no_token = SIZE_MAX;

static const struct layout_token *token_at(const struct format *format, size_t index)
{
    return index < format->layout->count ? &format->layout->tokens[index] : NULL;
}

static bool is_kind(const struct format *format, size_t index, enum layout_kind kind)
{
    return index < format->layout->count && format->layout->tokens[index].kind == kind;
}

static struct slice text_of(const struct format *format, size_t index)
{
    const struct layout_token *token = &format->layout->tokens[index];

    return slice_of(format->source->text.data + (token->span.at - format->source->at),
                    token->span.end - token->span.at);
}

static bool is_word(const struct format *format, size_t index, const char *word)
{
    return is_kind(format, index, LAYOUT_WORD) &&
           slice_equal(text_of(format, index), slice_from_string(word));
}

/* ---- text ---- */

/* Characters, not bytes. */
static size_t put(struct bytes *out, struct slice text)
{
    size_t width = 0;

    if (out)
        bytes_put(out, text.data, text.size);
    for (size_t i = 0; i < text.size; i++)
        width += (text.data[i] & 0xC0) != 0x80;
    return width;
}

static void put_blanks(struct bytes *out, size_t count)
{
    if (count)
        memset(bytes_add(out, count), ' ', count);
}

static size_t skip_ends(const struct format *format, size_t index, size_t end)
{
    while (index < end && format->layout->tokens[index].kind == LAYOUT_END)
        index++;
    return index;
}

/* Tokens [index, end) with a blank between two; the ends of lines in braces become `; `.
 * Returns the width; `out` may be NULL. */
static size_t put_tokens(const struct format *format, size_t index, size_t end,
                         struct bytes *out)
{
    size_t width = 0;
    bool is_first = true, ends_line = false, is_open = false;

    for (index = skip_ends(format, index, end); index < end; index++) {
        enum layout_kind kind = format->layout->tokens[index].kind;
        bool closes_at_once = is_open && kind == LAYOUT_CLOSE;

        if (kind == LAYOUT_END) {
            ends_line = true;
            continue;
        }
        if (ends_line && !is_open && kind != LAYOUT_CLOSE)
            width += put(out, SLICE(";"));
        if (!is_first && !closes_at_once)
            width += put(out, SLICE(" "));
        width += put(out, text_of(format, index));
        is_first = ends_line = false;
        is_open = kind == LAYOUT_OPEN;
    }
    return width;
}

static size_t cell_width(const struct format *format, const struct format_line *line,
                         unsigned cell)
{
    return put_tokens(format, line->cut[cell], line->cut[cell + 1], NULL);
}

static bool has_cell(const struct format_line *line, unsigned cell)
{
    return line->cut[cell] < line->cut[cell + 1];
}

/* ---- columns ---- */

struct columns {
    size_t second[LINE_KIND_COUNT],
        third[LINE_KIND_COUNT]; /* where those cells start, from the indent on */
    size_t comment;
};

static void widen(size_t *column, size_t width, size_t limit)
{
    if (width <= limit && *column < width)
        *column = width;
}

/* The line behind its indent; returns its width. */
static size_t put_line(const struct format *format, const struct format_line *line,
                       const struct columns *columns, struct bytes *out)
{
    size_t width = cell_width(format, line, 0);

    if (out)
        put_tokens(format, line->cut[0], line->cut[1], out);
    for (unsigned cell = 1; cell < CELL_COUNT; cell++) {
        size_t column = cell == 1   ? columns->second[line->kind]
                        : cell == 2 ? columns->third[line->kind]
                                    : 0;
        size_t blanks = width < column ? column - width : width > 0;

        if (!has_cell(line, cell))
            continue;
        if (out) {
            put_blanks(out, blanks);
            put_tokens(format, line->cut[cell], line->cut[cell + 1], out);
        }
        width += blanks + cell_width(format, line, cell);
    }
    return width;
}

/* A comment behind a rule or a clause stands below the others; behind a brace that closes, right there. */
static bool has_aligned_comment(const struct format *format, const struct format_line *line)
{
    return line->comment != no_token && has_cell(line, 0) && !is_kind(format, line->cut[0], LAYOUT_CLOSE);
}

static void find_columns(const struct format *format, struct columns *columns)
{
    size_t second[LINE_KIND_COUNT] = { 0 }, third[LINE_KIND_COUNT] = { 0 };

    for (size_t i = 0; i < format->line_count; i++) {
        const struct format_line *line = &format->lines[i];

        if (has_cell(line, 1))
            widen(&second[line->kind], cell_width(format, line, 0), CELL_LIMIT);
        if (has_cell(line, 1) && is_kind(format, line->cut[1], LAYOUT_ARROW))
            widen(&third[line->kind], cell_width(format, line, 1), CELL_LIMIT);
        else if (line->kind != LINE_RULE && has_cell(line, 2))
            widen(&third[line->kind], cell_width(format, line, 1), CELL_LIMIT);
    }
    *columns = (struct columns){ .comment = 0 };
    for (unsigned kind = 0; kind < LINE_KIND_COUNT; kind++) {
        columns->second[kind] = second[kind] ? second[kind] + 1 : 0;
        columns->third[kind] = third[kind] ? columns->second[kind] + third[kind] + 1 : 0;
    }
    for (size_t i = 0; i < format->line_count; i++)
        if (has_aligned_comment(format, &format->lines[i]))
            widen(&columns->comment, put_line(format, &format->lines[i], columns, NULL),
                  COMMENT_LIMIT);
}

/* Writes the lines that belong together. */
static void flush_lines(struct format *format)
{
    struct columns columns;

    if (format->line_count == 0)
        return;
    find_columns(format, &columns);
    for (size_t i = 0; i < format->line_count; i++) {
        const struct format_line *line = &format->lines[i];
        size_t width;

        put_blanks(format->out, (size_t)INDENT * format->depth);
        width = put_line(format, line, &columns, format->out);
        if (line->comment != no_token) {
            if (has_cell(line, 0))
                put_blanks(format->out,
                           width < columns.comment && has_aligned_comment(format, line)
                               ? columns.comment - width + 1
                               : 1);
            put(format->out, text_of(format, line->comment));
        }
        bytes_put_u8(format->out, '\n');
    }
    format->line_count = 0;
}

static void add_line(struct format *format, const struct format_line *line)
{
    if (format->line_count == format->line_room) {
        format->line_room = format->line_room ? 2 * format->line_room : 256;
        format->lines = memory_resize(format->lines, format->line_room, sizeof *format->lines);
    }
    format->lines[format->line_count++] = *line;
}

/* ---- cells ---- */

static bool opens_braces(const struct format *format, size_t index)
{
    return is_kind(format, index, LAYOUT_OPEN) || is_kind(format, index, LAYOUT_EMPTY);
}

static void cut_rule(const struct format *format, struct format_line *line, size_t end)
{
    size_t at = line->cut[0] + (is_kind(format, line->cut[0], LAYOUT_SIGN) ? 2 : 1);

    line->cut[1] = at;
    if (is_kind(format, at, LAYOUT_ARROW) && is_word(format, at + 1, "by"))
        at = end;
    else if (is_kind(format, at, LAYOUT_ARROW))
        at += 2;
    else
        while (at < end && !opens_braces(format, at))
            at++;
    line->cut[2] = at < end ? at : end;
    while (at < end && !opens_braces(format, at))
        at++;
    line->cut[3] = at < end ? at : end;
}

/* The first word that can be a target parts keys from status; without one, the last word is the
 * status. */
static void cut_choice(const struct format *format, struct format_line *line, size_t end)
{
    size_t at = line->cut[0];

    while (at < end && !is_kind(format, at, LAYOUT_PLACE))
        at++;
    if (at == end && end - line->cut[0] > 1)
        at = end - 1;
    line->cut[1] = at;
    line->cut[2] = at < end ? at + 1 : end;
    line->cut[3] = end;
}

static void cut_expect(const struct format *format, struct format_line *line, size_t end)
{
    size_t at = line->cut[0] + 2;

    line->cut[1] = at;
    while (at < end && !is_kind(format, at, LAYOUT_ARROW))
        at++;
    line->cut[2] = at;
}

/* What kind of line the tokens from cut[0] to `end` are. */
static void cut_line(const struct format *format, struct format_line *line, size_t end)
{
    size_t first = line->cut[0];
    bool is_rule =
        format->holds_rules[format->depth] &&
        (is_kind(format, first, LAYOUT_PLACE) || is_kind(format, first, LAYOUT_STRING) ||
         is_kind(format, first, LAYOUT_SIGN));

    for (unsigned cell = 1; cell <= CELL_COUNT; cell++)
        line->cut[cell] = end;
    if (is_rule) {
        line->kind = LINE_RULE;
        cut_rule(format, line, end);
    } else if (format->holds_choices[format->depth]) {
        line->kind = LINE_CHOICE;
        cut_choice(format, line, end);
    } else if (format->holds_rules[format->depth] && is_word(format, first, "expect") &&
               end - first > 2) {
        line->kind = LINE_EXPECT;
        cut_expect(format, line, end);
    }
}

/* ---- lines and blocks ---- */

/* The brace that closes the one at `open`, which holds no braces. */
static size_t find_close(const struct format *format, size_t open, bool *has_line_ends)
{
    size_t at = open + 1;

    *has_line_ends = false;
    for (; at < format->layout->count && !is_kind(format, at, LAYOUT_CLOSE); at++)
        *has_line_ends |=
            is_kind(format, at, LAYOUT_COMMENT) || format->layout->tokens[at].line_ends != 0;
    return at;
}

/* Nothing in the braces, not even a comment. */
static bool is_empty_block(const struct format *format, size_t open)
{
    return is_kind(format, skip_ends(format, open + 1, format->layout->count), LAYOUT_CLOSE);
}

/* Reads a line from `at`; *opens: it ends with the brace of a block that has lines of its own.
 * Returns the token behind it. */
static size_t read_line(struct format *format, size_t at, struct format_line *line, bool *opens)
{
    bool starts_block = format->holds_rules[format->depth] &&
                        (is_word(format, at, "site") || is_word(format, at, "group"));
    size_t end = at, next;

    *line = (struct format_line){ .kind = LINE_OTHER, .cut = { at }, .comment = no_token };
    *opens = false;
    if (is_kind(format, end, LAYOUT_CLOSE))
        end++;
    while (end < format->layout->count && !*opens) {
        const struct layout_token *token = token_at(format, end);
        bool has_line_ends;
        size_t close;

        if (token->kind == LAYOUT_END || token->kind == LAYOUT_COMMENT ||
            token->kind == LAYOUT_CLOSE)
            break;
        if (token->kind != LAYOUT_OPEN) {
            end++;
            continue;
        }
        close = find_close(format, end, &has_line_ends);
        if (is_empty_block(format, end) || (!has_line_ends && !starts_block))
            end = close + 1;
        else
            *opens = true;
        end += *opens;
    }
    cut_line(format, line, end);
    /* `/a -> /b; # why`: the comment is the line's. */
    next = end;
    while (!*opens && is_kind(format, next, LAYOUT_END) &&
           token_at(format, next)->line_ends == 0)
        next++;
    if (!is_kind(format, next, LAYOUT_COMMENT))
        return end;
    line->comment = next;
    return next + 1;
}

/* A block begins: what its lines are, is known by the line before. */
static void open_block(struct format *format, const struct format_line *line)
{
    size_t first = line->cut[0], end = line->cut[CELL_COUNT];
    bool holds_rules = format->holds_rules[format->depth] &&
                       (is_word(format, first, "site") || is_word(format, first, "group"));
    bool holds_choices = false;

    for (size_t at = first; at + 1 < end && line->kind == LINE_RULE; at++)
        holds_choices |= is_kind(format, at, LAYOUT_ARROW) && is_word(format, at + 1, "by");
    flush_lines(format);
    format->depth++;
    format->holds_rules[format->depth] = holds_rules;
    format->holds_choices[format->depth] = holds_choices;
}

void format_write(const struct layout *layout, const struct source *source, struct bytes *out)
{
    struct format format = {
        .layout = layout, .source = source, .out = out, .holds_rules = { true }
    };
    bool is_at_start = true,
         has_blank = false; /* of the text or of a block; an empty line was written */
    size_t at = 0;

    while (at < layout->count) {
        struct format_line line;
        bool opens;

        if (is_kind(&format, at, LAYOUT_END)) {
            has_blank |= layout->tokens[at++].line_ends > 1;
            continue;
        }
        if (is_kind(&format, at, LAYOUT_CLOSE)) {
            flush_lines(&format);
            format.depth--;
            has_blank = false;
        }
        if (has_blank && !is_at_start) {
            flush_lines(&format);
            bytes_put_u8(out, '\n');
        }
        at = read_line(&format, at, &line, &opens);
        add_line(&format, &line);
        if (opens)
            open_block(&format, &line);
        is_at_start = opens;
        has_blank = false;
    }
    flush_lines(&format);
    free(format.lines);
}
