/* SPDX-License-Identifier: Apache-2.0 */
/* Messages as people read them: place, message, code, the line, carets, notes, helps. A
 * terminal is never sent a control byte of the rules, and of a long line only the part around
 * the place is shown. */
#include "config.h"

#include "grammar/diag.h"

enum {
    LINE_LIMIT = 160, /* characters of a source line that are shown */
    LINE_BEFORE = 60  /* of them before the place, in a longer line */
};

struct style {
    const char *place, *error, *warning, *note, *help, *caret, *end;
};
static const struct style plain_style = { "", "", "", "", "", "", "" };
static const struct style color_style = { .place = "\033[1m",
                                          .error = "\033[1;31m",
                                          .warning = "\033[1;35m",
                                          .note = "\033[1;36m",
                                          .help = "\033[1;32m",
                                          .caret = "\033[32m",
                                          .end = "\033[0m" };

/* Where the next character starts: a stray byte counts as one. */
static size_t next_character(struct slice text, size_t at)
{
    for (at++; at < text.size && ((unsigned char)text.data[at] & 0xC0) == 0x80; at++)
        ;
    return at;
}

static bool is_whole_character(struct slice text, size_t at, size_t end)
{
    unsigned char first = (unsigned char)text.data[at];
    size_t size = first < 0x80   ? 1
                  : first < 0xC2 ? 0
                  : first < 0xE0 ? 2
                  : first < 0xF0 ? 3
                  : first < 0xF5 ? 4
                                 : 0;

    /* U+0080 to U+009F are control characters too. */
    if (first == 0xC2 && size == end - at && (unsigned char)text.data[at + 1] < 0xA0)
        return false;
    return size == end - at && first >= 0x20 && first != 0x7F;
}

static void print_character(struct slice text, size_t at, size_t end, FILE *out)
{
    if (text.data[at] == '\t')
        putc('\t', out);
    else if (is_whole_character(text, at, end))
        fwrite(text.data + at, 1, end - at, out);
    else
        fputs("\xEF\xBF\xBD", out); /* U+FFFD stands for what cannot be shown */
}

/* The part of a line that is shown, in bytes: [start, end) without the rest of it. */
static void choose_window(struct slice line, size_t column, size_t *start, size_t *end)
{
    size_t at = 0, character = 0;
    size_t first = column > LINE_BEFORE ? column - LINE_BEFORE : 0;

    *start = 0;
    *end = line.size;
    if (line.size <= LINE_LIMIT)
        return;
    for (; at < line.size && character < first; character++)
        at = next_character(line, at);
    *start = at;
    for (character = 0; at < line.size && character < LINE_LIMIT; character++)
        at = next_character(line, at);
    *end = at;
}

static void print_line(const struct source_place *place, struct span span,
                       const struct style *style, FILE *out)
{
    struct slice line = place->line_text;
    size_t here = span.at - place->source->at - (size_t)(line.data - place->source->text.data);
    size_t last = here + (span.end > span.at ? span.end - span.at : 1);
    size_t start, end;
    int width = fprintf(out, "%5u", (unsigned)place->line);

    choose_window(line, place->column - 1, &start, &end);
    fprintf(out, " | %s", start > 0 ? "..." : "");
    for (size_t at = start, next; at < end; at = next) {
        next = next_character(line, at);
        print_character(line, at, next, out);
    }
    fprintf(out, "%s\n%*s | %s", end < line.size ? "..." : "", width, "",
            start > 0 ? "   " : "");
    for (size_t at = start; at < here && at < end; at = next_character(line, at))
        putc(line.data[at] == '\t' ? '\t' : ' ', out);
    fprintf(out, "%s^", style->caret);
    if (here < end)
        for (size_t at = next_character(line, here); at < end && at < last;
             at = next_character(line, at))
            putc('~', out);
    fprintf(out, "%s\n", style->end);
}

/* "shop.redir:12:14: error: "; a message without a place begins with the word. */
static void print_head(const struct source_place *place, const char *color, const char *word,
                       const struct style *style, FILE *out)
{
    if (place->source != NULL)
        fprintf(out, "%s%s:%u:%u:%s ", style->place, place->source->path, (unsigned)place->line,
                (unsigned)place->column, style->end);
    fprintf(out, "%s%s:%s ", color, word, style->end);
}

static void print_message(const struct diag *diag, const struct diag_message *message,
                          const struct style *style, FILE *out)
{
    const struct source_set *sources = diag_sources(diag);
    struct source_place place = source_locate(sources, message->span.at);
    bool is_error = message->severity == DIAG_ERROR;

    print_head(&place, is_error ? style->error : style->warning, is_error ? "error" : "warning",
               style, out);
    fprintf(out, "%s [R307-%03d]\n", message->text, (int)message->code);
    if (place.source != NULL)
        print_line(&place, message->span, style, out);
    for (const struct diag_note *note = message->notes; note != NULL; note = note->next) {
        struct source_place other = { .source = NULL };

        if (!note->is_help)
            other = source_locate(sources, note->span.at);
        print_head(&other, note->is_help ? style->help : style->note,
                   note->is_help ? "help" : "note", style, out);
        fprintf(out, "%s\n", note->text);
    }
}

void diag_print_text(struct diag *diag, FILE *out, bool colored)
{
    const struct diag_message *messages;
    size_t count = diag_messages(diag, &messages);

    for (size_t i = 0; i < count; i++)
        print_message(diag, &messages[i], colored ? &color_style : &plain_style, out);
}
