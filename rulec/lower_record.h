/* SPDX-License-Identifier: Apache-2.0 */
/* A table's text -> records of cells, with the place of each. */
#ifndef RULEC_LOWER_RECORD_H
#define RULEC_LOWER_RECORD_H

#include "rulec/lower_context.h"

enum lower_separator {
    LOWER_BY_BYTE,   /* a byte between cells, with quoting: CSV */
    LOWER_BY_TAB,    /* tabs, no quoting */
    LOWER_BY_BLANKS, /* runs of blanks, no quoting */
    LOWER_BY_LINE    /* tabs; on a line without any, runs of blanks */
};

enum { LOWER_CELL_LIMIT = 64 };

struct csv_parser;

struct lower_records {
    struct lower *lower;
    const struct source *source;
    enum lower_separator separator;
    char byte;                 /* LOWER_BY_BYTE */
    const char *at;            /* what is not read yet */
    struct csv_parser *parser; /* made where the first quote is seen */

    struct slice line; /* the record, without its line end */
    struct lower_word cells[LOWER_CELL_LIMIT];
    uint32_t cell_count;
    uint64_t comment_count, blank_count;
};

void lower_records_open(struct lower_records *records, struct lower *lower,
                        const struct source *source, enum lower_separator separator, char byte);
/* The next record. Comments and empty lines are counted and passed over, broken ones
 * reported. False: no more. */
bool lower_records_next(struct lower_records *records);
void lower_records_close(struct lower_records *records);

/* The place of a part of the source. */
struct span lower_records_span(const struct lower_records *records, struct slice part);

#endif
