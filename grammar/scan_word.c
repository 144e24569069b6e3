/* SPDX-License-Identifier: Apache-2.0 */
/* What is wrong with a word that scanner.l took as a whole, and what a string means without its
 * escapes. A mistake is told once a line; the rest of the line is left to the grammar's
 * recovery. */
#include "config.h"

#include "grammar/scan.h"

#include "grammar/parser.h"

#include <stdint.h>

int scan_long_word(struct scan *scan, struct span span)
{
    if (scan_begin_error(scan))
        diag_error(scan->diag, DIAG_WORD_TOO_LONG, span,
                   "a word of %lu bytes is too long, the limit is %d",
                   (unsigned long)(span.end - span.at), PARSE_STRING_LIMIT);
    return TOK_RULES_error;
}

/* Where the placeholder ends that begins with the brace at `at`, as in scanner.l; 0: it is
 * none. */
static size_t placeholder_end(struct slice text, size_t at)
{
    for (size_t i = at + 1; i < text.size; i++) {
        if (text.data[i] == '}')
            return i + 1;
        if (text.data[i] == '{')
            return 0;
        if (text.data[i] == ':' && i + 1 < text.size && text.data[i + 1] == '/') {
            for (i += 2; i + 1 < text.size; i++)
                if (text.data[i] == '/' && text.data[i + 1] == '}')
                    return i + 2;
            return 0;
        }
    }
    return 0;
}

static struct span part_of(struct span span, size_t at, size_t size)
{
    return (struct span){ span.at + (uint32_t)at, span.at + (uint32_t)(at + size) };
}

static void report_brace(struct scan *scan, struct slice text, size_t at, struct span span)
{
    diag_error(scan->diag, DIAG_BRACE_IN_WORD, part_of(span, at, 1),
               "the \"%c\" inside this word forms no placeholder", text.data[at]);
    if (text.data[at] == '{' && at + 1 == text.size)
        diag_help(scan->diag, "a block begins with a blank before its \"{\"");
    else if (text.data[at] == '}' && (at == 0 || at + 1 == text.size))
        diag_help(scan->diag, "a block ends with a \"}\" that stands alone, between blanks");
    else
        diag_help(scan->diag, "in a path a literal \"%c\" is written %s", text.data[at],
                  text.data[at] == '{' ? "%7B" : "%7D");
}

/* Place of the first brace that forms no placeholder. */
static size_t find_bad_brace(struct slice text)
{
    size_t at = 0;

    while (at < text.size) {
        size_t end = text.data[at] == '{'   ? placeholder_end(text, at)
                     : text.data[at] == '}' ? 0
                                            : at + 1;

        if (end == 0)
            break;
        at = end;
    }
    return at;
}

/* True where the word is whole without the brace at its end, and the brace meant a block. */
static bool is_glued_brace(const struct scan *scan, struct slice text, size_t brace)
{
    if (brace == 0 || brace + 1 != text.size)
        return false;
    if (text.data[brace] == '}')
        return scan->depth > 0;
    return scan->line_first != 0 || slice_equal(text, SLICE("group{"));
}

int scan_bad_word(struct scan *scan, struct span span, int *good_size)
{
    struct slice text = scan_text(scan, span);
    const char *quote = memchr(text.data, '"', text.size);
    bool reports = scan_begin_error(scan);
    size_t brace;

    if (quote != NULL) {
        if (reports) {
            diag_error(scan->diag, DIAG_QUOTE_IN_WORD,
                       part_of(span, (size_t)(quote - text.data), 1),
                       "a quote cannot stand inside a bare word");
            diag_help(
                scan->diag,
                "quote the whole word and write \\\" inside it; in a path %%22 stands for it");
        }
        return TOK_RULES_error;
    }
    brace = find_bad_brace(text);
    if (reports)
        report_brace(scan, text, brace, span);
    if (is_glued_brace(scan, text, brace))
        *good_size = (int)brace;
    return TOK_RULES_error;
}

int scan_open_string(struct scan *scan, struct span span)
{
    if (scan_begin_error(scan)) {
        diag_error(scan->diag, DIAG_OPEN_STRING, span, "this string does not end on its line");
        diag_help(scan->diag, "a string ends with \"; inside it that is written \\\"");
    }
    return TOK_RULES_error;
}

int scan_bad_string_end(struct scan *scan, struct span span)
{
    struct slice text = scan_text(scan, span);
    size_t at = 1;

    if (!scan_begin_error(scan))
        return TOK_RULES_error;
    while (text.data[at] != '"')
        at += text.data[at] == '\\' ? 2 : 1;
    diag_error(scan->diag, DIAG_QUOTE_IN_WORD, part_of(span, at, 1),
               "a blank is missing behind this string");
    diag_help(scan->diag, "a \" inside a string is written \\\"");
    return TOK_RULES_error;
}

/* ---- strings ---- */

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* Writes a character as UTF-8, returns its bytes. */
static size_t put_character(char *out, uint32_t c)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xC0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xE0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3F));
        out[2] = (char)(0x80 | (c & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 0x3F));
    out[2] = (char)(0x80 | (c >> 6 & 0x3F));
    out[3] = (char)(0x80 | (c & 0x3F));
    return 4;
}

/* Bytes of the escape at `text`, which starts with a backslash; the character in *c. 0: it is
 * none. */
static size_t read_escape(struct slice text, uint32_t *c)
{
    uint32_t value = 0;
    size_t at = 3;

    if (text.data[1] == '"' || text.data[1] == '\\') {
        *c = (unsigned char)text.data[1];
        return 2;
    }
    if (text.size < 5 || text.data[1] != 'u' || text.data[2] != '{')
        return 0;
    for (; at < text.size && hex_digit(text.data[at]) >= 0; at++) {
        if (at == 3 + 6)
            return 0;
        value = value << 4 | (uint32_t)hex_digit(text.data[at]);
    }
    /* No control byte, no half of a surrogate pair: what comes out must be text. */
    if (at == 3 || at == text.size || text.data[at] != '}' || value > 0x10FFFF ||
        value < 0x20 || value == 0x7F || (value >= 0xD800 && value <= 0xDFFF))
        return 0;
    *c = value;
    return at + 1;
}

static int bad_escape(struct scan *scan, struct span span)
{
    if (scan_begin_error(scan)) {
        diag_error(scan->diag, DIAG_BAD_ESCAPE, span, "this is no escape that a string knows");
        diag_help(
            scan->diag,
            "\\\" \\\\ and \\u{HEX} (a printable character) are; a backslash is written \\\\");
    }
    return TOK_RULES_error;
}

/* Bytes written to `out`, which has room for all of `inside`: no escape is shorter than its
 * character. SIZE_MAX: a bad escape, reported. */
static size_t undo_escapes(struct scan *scan, struct slice inside, struct span span,
                           bool is_regex, char *out)
{
    size_t size = 0;

    for (size_t at = 0; at < inside.size;) {
        uint32_t c = 0;
        size_t step;

        if (inside.data[at] != '\\') {
            out[size++] = inside.data[at++];
        } else if (is_regex) {
            if (inside.data[at + 1] != '"')
                out[size++] = '\\';
            out[size++] = inside.data[at + 1];
            at += 2;
        } else if ((step = read_escape(slice_of(inside.data + at, inside.size - at), &c)) !=
                   0) {
            size += put_character(out + size, c);
            at += step;
        } else {
            bad_escape(scan, part_of(span, at + 1, 2));
            return SIZE_MAX;
        }
    }
    return size;
}

bool scan_string(struct scan *scan, struct span span, bool is_regex, struct ast_word *word)
{
    struct slice text = scan_text(scan, span);
    struct slice inside = slice_of(text.data + 1, text.size - 2);

    if (inside.size > PARSE_STRING_LIMIT) {
        scan_long_word(scan, span);
        return false;
    }
    if (memchr(inside.data, '\\', inside.size) != NULL) {
        char *out = arena_alloc(scan->arena, inside.size);
        size_t size = undo_escapes(scan, inside, span, is_regex, out);

        if (size == SIZE_MAX)
            return false;
        inside = slice_of(out, size);
    }
    *word = (struct ast_word){ .text = inside, .span = span, .is_quoted = true };
    return true;
}
