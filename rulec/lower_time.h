/* SPDX-License-Identifier: Apache-2.0 */
/* `from`, `until`, `daily`, `weekly`, `timezone` -> conditions of the scope. */
#ifndef RULEC_LOWER_TIME_H
#define RULEC_LOWER_TIME_H

#include "rulec/lower_context.h"

/* The clauses of one block that speak of time; NULL where there is none. */
struct lower_time_clauses {
    const struct ast_clause *timezone, *from, *until, *daily, *weekly;
};

/* All of a block at once: a time may stand before the zone in which it is read. */
void lower_times(struct lower *lower, struct lower_scope *scope,
                 const struct lower_time_clauses *clauses);

enum lower_day { LOWER_DAY_START, LOWER_DAY_END }; /* what a date alone means */
/* A time in the scope's zone, or with an offset of its own -> Unix time. False: a mistake was reported. */
bool lower_time(struct lower *lower, const struct lower_scope *scope, struct lower_word word,
                enum lower_day day, int64_t *time_s);

/* `until` of one row: narrows the scope's window, and warns where it is over or empty. */
bool lower_until(struct lower *lower, struct lower_scope *scope, struct lower_word word);

#endif
