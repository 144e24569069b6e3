/* SPDX-License-Identifier: Apache-2.0 */
/* The regexes of a rule file: compiled once when it is opened (PCRE2, with JIT where there is one), matched with the
 * caller's memory. Bytes, no UTF: a path in its normal form is ASCII. */
#ifndef MOD_REDIR307_REGEX_H
#define MOD_REDIR307_REGEX_H

#include "mod_redir307/slice.h"

#include <stdint.h>

enum {
    REGEX_MATCH_LIMIT = 100000, /* PCRE2's match(): about a millisecond; a match that passes it is none */
    REGEX_DEPTH_LIMIT = 1000,
    REGEX_HEAP_LIMIT = 1024,    /* kibibytes; without JIT only */
    REGEX_GROUP_LIMIT = 16
};

/* What one thread needs to match. NULL without memory. */
struct regex_scratch;
struct regex_scratch *regex_scratch_open(void);
void regex_scratch_close(struct regex_scratch *scratch);
/* Matches given up at a limit so far. */
uint64_t regex_scratch_limit_hits(const struct regex_scratch *scratch);

struct regex_table;

/* `bytes`: the section, copied here. NULL: an expression does not compile, or no memory. */
struct regex_table *regex_table_open(const uint8_t *bytes, uint64_t size, uint64_t count);
void regex_table_close(struct regex_table *table);

/* True: regex number `index` matches. Groups (REGEX_GROUP_LIMIT, [0] is the whole match) lie in the subject, unset ones
 * are empty; NULL: not wanted. False also where a limit was hit, and where there is no scratch or no such regex. */
bool regex_match(const struct regex_table *table, uint32_t index, struct slice subject, struct regex_scratch *scratch,
                 struct slice *groups);

#endif
