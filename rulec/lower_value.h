/* SPDX-License-Identifier: Apache-2.0 */
/* Values of clauses: what several of them share. */
#ifndef RULEC_LOWER_VALUE_H
#define RULEC_LOWER_VALUE_H

#include "rulec/lower_context.h"

/* "90s", "5m", "1h", "2d", "1w", and several of them: "1h30m". */
bool lower_duration(struct slice text, uint32_t *seconds);

/* True where there is such a word. */
bool lower_is_word(const struct ast_word *word, const char *name);
uint32_t lower_word_count(const struct ast_word *words);

/* Sorted in place, doubles taken out; returns how many are left. */
uint32_t lower_sort_slices(struct slice *texts, uint32_t count);

/* "... is no value of this clause: it takes ..." */
void lower_bad_value(struct lower *lower, const struct ast_clause *clause, const char *takes);

#endif
