/* SPDX-License-Identifier: Apache-2.0 */
/* Between words and grammar: gives every line one end (also before `}` and at the end of the
 * file), keeps the braces, closes what a file leaves open, and leaves out blocks that would
 * only repeat a mistake or are too deep. So the grammar never sees a brace too many, and its
 * stack is bounded by PARSE_NESTING_LIMIT. */
#include "config.h"

#include "grammar/scan.h"

#include "grammar/parser.h"

#define YYSTYPE RULES_STYPE
#define YYLTYPE RULES_LTYPE
#include "grammar/scanner.h"

#include <stdlib.h>

struct slice scan_text(const struct scan *scan, struct span span)
{
    return slice_of(scan->source->text.data + (span.at - scan->source->at), span.end - span.at);
}

void scan_init(struct scan *scan, const struct ast *ast, struct diag *diag,
               const struct source *source)
{
    *scan = (struct scan){ .arena = ast->arena, .diag = diag, .source = source };
    if (scanner_lex_init_extra(scan, &scan->flex) != 0 ||
        scanner__scan_buffer(source_buffer(ast->sources, source), source->text.size + 2,
                             scan->flex) == NULL) {
        fputs("rulec: out of memory\n", stderr);
        exit(3);
    }
}

void scan_fini(struct scan *scan)
{
    scanner_lex_destroy(scan->flex);
    free(scan->lines);
}

static bool may_hold_items(const struct scan *scan, unsigned depth)
{
    return depth == 0 || (depth <= PARSE_NESTING_LIMIT && scan->holds_items[depth - 1]);
}

/* A block that holds rules deserves a look, even where the line that opens it is wrong. */
static void leave_out_next_block(struct scan *scan)
{
    scan->skips_next_block = !may_hold_items(scan, scan->depth) ||
                             (scan->line_first != TOK_SITE && scan->line_first != TOK_GROUP);
}

void scan_recover(struct scan *scan, bool at_end_of_line)
{
    if (at_end_of_line)
        return;
    if (scan->last != TOK_OPEN)
        leave_out_next_block(scan);
    else if (!may_hold_items(scan, scan->depth) && scan->skip_depth == 0)
        scan->skip_depth =
            scan->depth; /* the mistake is the brace itself, which is open already */
}

bool scan_begin_error(struct scan *scan)
{
    bool reports = scan->skip_depth == 0 && !scan->line_has_error;

    if (scan->skip_depth == 0) {
        scan->line_has_error = true;
        leave_out_next_block(scan);
    }
    return reports;
}

/* ---- lines and blocks ---- */

static void end_line(struct scan *scan)
{
    scan->line_first = 0;
    scan->last = 0;
    scan->line_has_error = false;
    scan->line_has_arrow = false;
    scan->skips_next_block = false;
}

static int end_before(struct scan *scan, RULES_LTYPE *span, uint32_t at)
{
    *span = (struct span){ at, at };
    end_line(scan);
    return TOK_END;
}

static int open_block(struct scan *scan, struct span span)
{
    bool holds_items = may_hold_items(scan, scan->depth) &&
                       (scan->line_first == TOK_SITE || scan->line_first == TOK_GROUP);

    if (scan->outer_depth + scan->depth == PARSE_NESTING_LIMIT) {
        diag_error(scan->diag, DIAG_NESTING_TOO_DEEP, span,
                   "blocks stand in each other more than %d deep, this one is left out",
                   PARSE_NESTING_LIMIT);
        scan->skip_depth = scan->depth + 1;
    } else {
        scan->open[scan->depth] = span;
        scan->holds_items[scan->depth] = holds_items;
        if (scan->skips_next_block)
            scan->skip_depth = scan->depth + 1;
    }
    scan->depth++;
    end_line(scan);
    scan->last = TOK_OPEN;
    return TOK_OPEN;
}

static int close_block(struct scan *scan)
{
    scan->depth--;
    scan->line_first = TOK_CLOSE;
    scan->last = TOK_CLOSE;
    return TOK_CLOSE;
}

/* A line without an end gets one, then the open blocks theirs. */
static int end_file(struct scan *scan, RULES_LTYPE *span)
{
    uint32_t end = scan->source->at + (uint32_t)scan->source->text.size;

    *span = (struct span){ end, end };
    if (scan->skip_depth != 0) {
        scan->depth = scan->skip_depth;
        scan->skip_depth = 0;
    }
    if (!scan->is_at_end && scan->depth != 0) {
        unsigned room = PARSE_NESTING_LIMIT - scan->outer_depth;
        unsigned innermost = scan->depth < room ? scan->depth : room;

        diag_error(scan->diag, DIAG_OPEN_BLOCK, scan->open[innermost - 1],
                   "this block is not closed");
        diag_note(scan->diag, *span, "the file ends here");
        diag_help(scan->diag, "a \"}\" is missing");
    }
    scan->is_at_end = true;
    if (scan->line_first != 0)
        return end_before(scan, span, end);
    return scan->depth != 0 ? close_block(scan) : 0;
}

/* Leaves out what stands in a block that is skipped; true at the brace that closes it. */
static bool ends_skip(struct scan *scan, int token)
{
    if (token == TOK_OPEN) {
        scan->depth++;
    } else if (token == TOK_CLOSE && scan->depth == scan->skip_depth) {
        scan->skip_depth = 0;
        return true;
    } else if (token == TOK_CLOSE) {
        scan->depth--;
    }
    return false;
}

static void report_stray_brace(struct scan *scan, struct span span)
{
    diag_error(scan->diag, DIAG_STRAY_BRACE, span, "this \"}\" closes no block");
}

int rules_lex(RULES_STYPE *value, RULES_LTYPE *span, struct scan *scan)
{
    if (scan->is_closing) {
        scan->is_closing = false;
        *span = scan->closing_span;
        return close_block(scan);
    }
    for (;;) {
        if (scan->line_first == 0 && scan->skip_depth == 0 && !scan->is_at_end &&
            may_hold_items(scan, scan->depth) && scan_lines(scan, span, &value->TOK_LINES)) {
            scan->last = 0; /* it is as after the end of a line */
            return TOK_LINES;
        }
        int token = scan->is_at_end ? 0 : scanner_lex(value, span, scan->flex);

        if (token == 0)
            return end_file(scan, span);
        if (scan->skip_depth != 0 && !ends_skip(scan, token))
            continue;
        switch (token) {
        case TOK_END:
            if (scan->line_first == 0)
                continue;
            end_line(scan);
            return token;
        case TOK_OPEN:
            return open_block(scan, *span);
        case TOK_CLOSE:
            if (scan->depth == 0) {
                report_stray_brace(scan, *span);
                continue;
            }
            if (scan->line_first == 0)
                return close_block(scan);
            scan->is_closing = true;
            scan->closing_span = *span;
            return end_before(scan, span, span->at);
        default:
            if (scan->line_first == 0)
                scan->line_first = token;
            scan->last = token;
            scan->line_has_arrow |= token == TOK_ARROW;
            return token;
        }
    }
}
