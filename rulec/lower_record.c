/* SPDX-License-Identifier: Apache-2.0 */
/* Lines are found here, so that each record's line is known; the inside of a record that has
 * quotes is libcsv's business. A line without a quote, which nearly all are, is cut in place
 * and not copied. */
#include "config.h"

#include "rulec/lower_record.h"

#include <csv.h>
#include <stdlib.h>

/* A record in quotes may go over several lines; one that goes on for longer has lost its
 * closing quote. */
enum { RECORD_LINE_LIMIT = 64 };

void lower_records_open(struct lower_records *records, struct lower *lower,
                        const struct source *source, enum lower_separator separator, char byte)
{
    *records = (struct lower_records){ .lower = lower,
                                       .source = source,
                                       .separator = separator,
                                       .byte = byte,
                                       .at = source->text.data };
    if (slice_starts_with(source->text, SLICE("\xef\xbb\xbf")))
        records->at += 3;
}

void lower_records_close(struct lower_records *records)
{
    if (!records->parser)
        return;
    csv_free(records->parser);
    free(records->parser);
    records->parser = NULL;
}

struct span lower_records_span(const struct lower_records *records, struct slice part)
{
    uint32_t at = records->source->at + (uint32_t)(part.data - records->source->text.data);

    return (struct span){ .at = at, .end = at + (uint32_t)part.size };
}

static bool too_many_cells(struct lower_records *records)
{
    if (records->cell_count < LOWER_CELL_LIMIT)
        return false;
    diag_error(records->lower->diag, DIAG_BAD_ROW, lower_records_span(records, records->line),
               "this row has more than %d cells", LOWER_CELL_LIMIT);
    return true;
}

static void add_cell(struct lower_records *records, struct slice text)
{
    records->cells[records->cell_count++] =
        (struct lower_word){ .text = text, .span = lower_records_span(records, text) };
}

static bool split_by(struct lower_records *records, char byte)
{
    const char *at = records->line.data, *end = at + records->line.size;

    while (true) {
        const char *stop = at < end ? memchr(at, byte, (size_t)(end - at)) : NULL;

        if (too_many_cells(records))
            return false;
        add_cell(records, slice_trim(slice_of(at, (size_t)((stop ? stop : end) - at))));
        if (!stop)
            return true;
        at = stop + 1;
    }
}

static bool split_by_blanks(struct lower_records *records)
{
    struct slice rest = records->line, word;

    while ((word = slice_next_word(&rest)).size) {
        if (too_many_cells(records))
            return false;
        add_cell(records, word);
    }
    return true;
}

/* libcsv's callback for one field; a record that has too many is reported when it ends. */
static void take_field(void *bytes, size_t size, void *baton)
{
    struct lower_records *records = baton;

    if (records->cell_count < LOWER_CELL_LIMIT) {
        records->cells[records->cell_count] =
            (struct lower_word){ .text =
                                     arena_copy(records->lower->arena, slice_of(bytes, size)),
                                 .span = lower_records_span(records, records->line) };
    }
    records->cell_count++;
}

static void end_record(int terminator, void *baton)
{
    (void)terminator;
    (void)baton;
}

/* For libcsv no byte ends a record: a line feed that it sees stands inside quotes and is
 * part of its field. */
static int is_record_end(unsigned char byte)
{
    (void)byte;
    return 0;
}

static bool split_quoted(struct lower_records *records)
{
    struct diag *diag = records->lower->diag;

    if (!records->parser) {
        records->parser = memory_resize(NULL, 1, sizeof(*records->parser));
        csv_init(records->parser, CSV_STRICT | CSV_STRICT_FINI);
        csv_set_delim(records->parser, (unsigned char)records->byte);
        csv_set_term_func(records->parser, is_record_end);
    }
    size_t used = csv_parse(records->parser, records->line.data, records->line.size, take_field,
                            end_record, records);
    if (used != records->line.size ||
        csv_fini(records->parser, take_field, end_record, records) != 0) {
        struct slice rest = slice_of(records->line.data + used, records->line.size - used);

        if (rest.size)
            rest.size = 1;
        diag_error(diag, DIAG_BAD_QUOTING,
                   lower_records_span(records, rest.size ? rest : records->line),
                   "this row's quotes are broken");
        diag_help(diag, "a cell that has a quote stands in quotes itself, and the quote is "
                        "written twice: \"\"");
        csv_free(records->parser);
        free(records->parser);
        records->parser = NULL;
        return false;
    }
    if (records->cell_count <= LOWER_CELL_LIMIT)
        return true;
    records->cell_count = LOWER_CELL_LIMIT;
    too_many_cells(records);
    return false;
}

static size_t count_quotes(const char *at, const char *end)
{
    size_t count = 0;

    while (at < end && (at = memchr(at, '"', (size_t)(end - at))) != NULL) {
        count++;
        at++;
    }
    return count;
}

/* The end of the line at `at`, before its line feed. */
static const char *line_end(const char *at, const char *end)
{
    const char *feed = at < end ? memchr(at, '\n', (size_t)(end - at)) : NULL;

    return feed ? feed : end;
}

/* Goes over line ends that stand inside quotes. False: the quote is never closed; the line
 * alone is passed over. */
static bool extend_quoted(struct lower_records *records, const char *end, const char **stop)
{
    const char *first_stop = *stop;
    size_t quotes = count_quotes(records->line.data, *stop);

    for (unsigned lines = 1; quotes % 2 != 0; lines++) {
        if (*stop == end || lines == RECORD_LINE_LIMIT) {
            struct slice line =
                slice_of(records->line.data, (size_t)(first_stop - records->line.data));
            const char *quote = lower_find(line, '"');

            diag_error(records->lower->diag, DIAG_BAD_QUOTING,
                       lower_records_span(records, slice_of(quote, 1)),
                       "a quote in this row is not closed");
            *stop = first_stop;
            return false;
        }
        const char *next = line_end(*stop + 1, end);
        quotes += count_quotes(*stop, next);
        *stop = next;
    }
    return true;
}

static bool split_record(struct lower_records *records)
{
    records->cell_count = 0;
    switch (records->separator) {
    case LOWER_BY_BYTE:
        return lower_find(records->line, '"') ? split_quoted(records)
                                              : split_by(records, records->byte);
    case LOWER_BY_TAB:
        return split_by(records, '\t');
    case LOWER_BY_BLANKS:
        return split_by_blanks(records);
    case LOWER_BY_LINE:
        return lower_find(records->line, '\t') ? split_by(records, '\t')
                                               : split_by_blanks(records);
    }
    return false;
}

bool lower_records_next(struct lower_records *records)
{
    const char *end = records->source->text.data + records->source->text.size;

    while (records->at < end) {
        const char *start = records->at, *stop = line_end(start, end);
        bool is_whole = true;

        records->line = slice_of(start, (size_t)(stop - start));
        if (*start == '#') {
            records->comment_count++;
            records->at = stop < end ? stop + 1 : end;
            continue;
        }
        if (records->separator == LOWER_BY_BYTE && lower_find(records->line, '"')) {
            is_whole = extend_quoted(records, end, &stop);
        }
        records->at = stop < end ? stop + 1 : end;
        if (!is_whole)
            continue;
        records->line = slice_without_cr(slice_of(start, (size_t)(stop - start)));
        if (slice_trim(records->line).size == 0) {
            records->blank_count++;
            continue;
        }
        if (split_record(records))
            return true;
        /* A stray quote may have drawn in the rows behind it: they are read for themselves. */
        stop = line_end(start, end);
        records->at = stop < end ? stop + 1 : end;
    }
    return false;
}
