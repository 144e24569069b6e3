/* SPDX-License-Identifier: Apache-2.0 */
/* Statuses, conditions and clauses of a rule, as words of the language. Part of dump. */
#ifndef RULEC_DUMP_CLAUSE_H
#define RULEC_DUMP_CLAUSE_H

#include "rulec/dump_text.h"

struct dump_writer {
    const struct ruleset *ruleset;
    FILE *out;
    struct dump_word word; /* scratch */
    const char *wrong;     /* why the rule file cannot be written back, static text; NULL: nothing is wrong */
};

extern const char dump_damaged[]; /* "a record is damaged" */

/* Clauses stand between braces, parted by "; ". */
struct dump_braces {
    FILE *out;
    bool is_open;
};
void dump_next_clause(struct dump_braces *braces);

/* " 307", " temporary auto". */
void dump_status(struct dump_writer *writer, unsigned status_get, unsigned status_other);
/* The clauses of a rule between braces, or nothing; ends the line. */
void dump_clauses(struct dump_writer *writer, const struct ruleset_action *action, unsigned flags, uint32_t place);

/* The conditions at this place of CONDITIONS (0: none). */
void dump_conditions(struct dump_writer *writer, struct dump_braces *braces, uint32_t at);
/* A rule has one `daily` and `weekly`; where it got several from the blocks around it, all but the first are written
 * as such blocks. Prints their first lines and returns how many are to be closed. */
unsigned dump_outer_windows(struct dump_writer *writer, uint32_t at);

#endif
