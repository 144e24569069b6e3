/* SPDX-License-Identifier: Apache-2.0 */
/* What became of every line that was read: nothing is dropped in silence. */
#ifndef RULEC_SUMMARY_H
#define RULEC_SUMMARY_H

#include "rulec/compilation.h"

#include <stdint.h>

/* The other fields add up to `lines`. */
struct summary {
    uint64_t lines;      /* of all files, included ones and tables */
    uint64_t rule_lines; /* lines on which rules start */
    uint64_t rows;       /* rows of tables */
    uint64_t comments;   /* and headings of tables */
    uint64_t blanks;
    uint64_t others;     /* clauses, blocks, tests, continued lines */
    uint64_t files, tables;
};

void summary_count(const struct compilation *compilation, struct summary *summary);

enum { SUMMARY_TEXT_SIZE = 256 };
/* "1300 lines: 12 of rules, 1222 table rows, 40 comments and headings, 18 blank, 8 others" */
void summary_write(const struct summary *summary, char text[SUMMARY_TEXT_SIZE]);

#endif
