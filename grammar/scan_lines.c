/* SPDX-License-Identifier: Apache-2.0 */
/* The short way for plain lines: a source, "->", a target, the end. A list of a million rules is
 * hardly anything else, and to scanner and grammar each of them is some thirty bytes of state and
 * thousands of instructions. What is plain is told from few bytes; all that may mean more goes the
 * long way, so both read the same. */
#include "config.h"

#include "grammar/scan.h"

#include "mod_redir307/slice.h"

/* As in scanner.l: what may stand in a word and needs no second look there. */
static bool is_plain(unsigned char byte)
{
    return byte > ' ' && byte != '"' && byte != ';' && byte != '{' && byte != '}';
}

static bool is_letter(char byte, char letter)
{
    return (byte | 0x20) == letter;
}

/* A path or a URL: other words may be keywords. The text ends in NUL. */
static bool starts_word(const char *at)
{
    if (*at == '/')
        return true;
    if (!is_letter(at[0], 'h') || !is_letter(at[1], 't') || !is_letter(at[2], 't') || !is_letter(at[3], 'p'))
        return false;
    return at[4] == ':' || (is_letter(at[4], 's') && at[5] == ':');
}

/* Past the word at *at and the blanks behind it; false: there is no such word. */
static bool read_word(char **at, uint16_t *size)
{
    char *start = *at, *end = start;

    if (!starts_word(start))
        return false;
    while (is_plain((unsigned char)*end))
        end++;
    if (end - start > PARSE_STRING_LIMIT)
        return false;
    *size = (uint16_t)(end - start);
    while (byte_is_blank(*end))
        end++;
    *at = end;
    return true;
}

static bool read_line(const struct source *source, char **at, struct ast_line *line)
{
    char *start = *at, *next = start;

    if (!read_word(&next, &line->source_size) || next[0] != '-' || next[1] != '>' || !byte_is_blank(next[2]) ||
        next == start + line->source_size)
        return false;
    next += 3;
    while (byte_is_blank(*next))
        next++;
    char *target = next;
    if (!read_word(&next, &line->target_size))
        return false;
    if (*next == '\r')
        next++;
    if (*next != '\n')
        return false;
    line->source_at = source->at + (uint32_t)(start - source->text.data);
    line->target_at = source->at + (uint32_t)(target - source->text.data);
    while (*next == '\n' || *next == '\r' || byte_is_blank(*next))
        next++;
    *at = next;
    return true;
}

bool scan_lines(struct scan *scan, struct span *span, struct ast_lines *lines)
{
    char *at = scan_rest(scan);

    *lines = (struct ast_lines){ .source = scan->source, .lines = scan->lines };
    while (lines->count < SCAN_LINE_ROOM && starts_word(at)) {
        if (!scan->lines)
            scan->lines = lines->lines = memory_resize(NULL, SCAN_LINE_ROOM, sizeof(*scan->lines));
        if (!read_line(scan->source, &at, &lines->lines[lines->count]))
            break;
        lines->count++;
    }
    if (lines->count == 0)
        return false;
    const struct ast_line *last = &lines->lines[lines->count - 1];
    *span = (struct span){ lines->lines[0].source_at, last->target_at + last->target_size };
    scan_skip_to(scan, at);
    return true;
}
