/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the scanner without the grammar. Between two of its tokens stand blanks and, at most,
 * one comment: that is how comments are found, and the scanner need not know who wants them. */
#include "config.h"

#include "grammar/layout.h"

#include "grammar/parser.h"
#include "grammar/scan.h"

#define YYSTYPE RULES_STYPE
#define YYLTYPE RULES_LTYPE
#include "grammar/scanner.h"

#include <stdlib.h>

struct reader {
    struct layout *layout;
    size_t room;
    const struct source *source;
};

static void add(struct reader *reader, enum layout_kind kind, struct span span,
                unsigned line_ends)
{
    struct layout *layout = reader->layout;

    if (layout->count == reader->room) {
        reader->room = reader->room != 0 ? 2 * reader->room : 1024;
        layout->tokens = memory_resize(layout->tokens, reader->room, sizeof(*layout->tokens));
    }
    layout->tokens[layout->count++] =
        (struct layout_token){ .span = span, .kind = kind, .line_ends = line_ends };
}

/* Bytes [from, end) of the row, between two tokens. */
static void add_comment(struct reader *reader, uint32_t from, uint32_t end)
{
    const char *text = reader->source->text.data + (from - reader->source->at);
    const char *start = from < end ? memchr(text, '#', end - from) : NULL;

    if (start == NULL)
        return;
    from += (uint32_t)(start - text);
    while (byte_is_blank(start[end - from - 1]) || start[end - from - 1] == '\r')
        end--;
    add(reader, LAYOUT_COMMENT, (struct span){ from, end }, 0);
}

static unsigned count_line_ends(const struct scan *scan, struct span span)
{
    struct slice text = scan_text(scan, span);
    unsigned count = 0;

    for (size_t i = 0; i < text.size; i++)
        count += text.data[i] == '\n';
    return count;
}

static enum layout_kind kind_of(int token)
{
    switch (token) {
    case TOK_END:
        return LAYOUT_END;
    case TOK_ARROW:
        return LAYOUT_ARROW;
    case TOK_EQUAL:
    case TOK_TILDE:
        return LAYOUT_SIGN;
    case TOK_OPEN:
        return LAYOUT_OPEN;
    case TOK_CLOSE:
        return LAYOUT_CLOSE;
    case TOK_EMPTY:
        return LAYOUT_EMPTY;
    case TOK_STRING:
        return LAYOUT_STRING;
    case TOK_PATH:
    case TOK_URL:
    case TOK_BRACED:
        return LAYOUT_PLACE;
    default:
        return LAYOUT_WORD;
    }
}

void layout_init(struct layout *layout, const struct ast *ast, struct diag *diag)
{
    struct reader reader = { .layout = layout, .source = source_at(ast->sources, 0) };
    uint32_t last_end = reader.source->at;
    RULES_STYPE value;
    struct scan scan;
    struct span span;

    *layout = (struct layout){ .count = 0 };
    scan_init(&scan, ast, diag, reader.source);
    /* The scanner asks what the last token was: strings after `~` have other escapes. */
    while ((scan.last = scanner_lex(&value, &span, scan.flex)) != 0) {
        add_comment(&reader, last_end, span.at);
        add(&reader, kind_of(scan.last), span,
            scan.last == TOK_END ? count_line_ends(&scan, span) : 0);
        last_end = span.end;
    }
    add_comment(&reader, last_end, reader.source->at + (uint32_t)reader.source->text.size);
    scan_fini(&scan);
}

void layout_fini(struct layout *layout)
{
    free(layout->tokens);
    layout->tokens = NULL;
    layout->count = 0;
}
