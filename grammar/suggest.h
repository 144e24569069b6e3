/* SPDX-License-Identifier: Apache-2.0 */
/* The known name nearest to what somebody wrote: "did you mean". */
#ifndef GRAMMAR_SUGGEST_H
#define GRAMMAR_SUGGEST_H

#include "mod_redir307/slice.h"

/* A search in steps, for names that stand in no array. Start with { .word = ... }. */
struct suggest {
    struct slice word;
    const char *best; /* NULL: no name was near enough so far */
    unsigned distance;
};

/* Of names equally near the first tried wins. */
void suggest_try(struct suggest *suggest, const char *name);

/* NULL where no name is near: a wild guess helps nobody. */
const char *suggest_nearest(struct slice word, const char *const *names, size_t count);

/* Insertions, deletions, changes and swaps of neighbours between two words (ASCII case is no
 * difference); `limit` + 1 where there are more than `limit`. */
unsigned suggest_distance(struct slice a, struct slice b, unsigned limit);

#endif
