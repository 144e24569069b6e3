/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of normal paths, byte by byte, and one question about them: is there a path in both of two sets and in none of
 * some others? */
#ifndef RULEC_PATH_SET_H
#define RULEC_PATH_SET_H

#include "mod_redir307/slice.h"

#include <stdbool.h>
#include <stdint.h>

enum { PATH_SET_LIMIT = 4096 }; /* steps of all sets of one question */

struct path_class {
    uint64_t bits[4]; /* by byte */
};

/* A program that runs along the path's bytes. */
struct path_step {
    enum { PATH_BYTE, PATH_SPLIT, PATH_END } kind;
    uint32_t to, other; /* SPLIT: both ways go on. BYTE: the step behind it */
    struct path_class class;
};
/* The sets of one question, one behind the other. */
struct path_sets {
    struct path_step *steps;
    uint32_t count;
    bool is_full; /* the limit was reached */
};

void path_sets_open(struct path_sets *sets);
void path_sets_close(struct path_sets *sets);
void path_sets_clear(struct path_sets *sets);

/* Writes the next piece of the set that is begun: each begins where the one before ended. */
void path_put_text(struct path_sets *sets, struct slice text, bool ignores_case);
void path_put_any(struct path_sets *sets);                 /* bytes, none too */
void path_put_one_or_more(struct path_sets *sets, const struct path_class *class);
void path_put_none_or_more(struct path_sets *sets, const struct path_class *class);
void path_put_class(struct path_sets *sets, const struct path_class *class);
void path_put_slash_or_none(struct path_sets *sets);
/* What is put between begin and end may be left out, or come several times: (...)? (...)* (...)+ */
uint32_t path_begin_optional(struct path_sets *sets);
void path_end_optional(struct path_sets *sets, uint32_t begin);
void path_end_repeated(struct path_sets *sets, uint32_t begin);
uint32_t path_begin_many(const struct path_sets *sets);
void path_end_many(struct path_sets *sets, uint32_t begin);
/* One of two: (...|...). */
struct path_way {
    uint32_t split, jump;
};
struct path_way path_begin_either(struct path_sets *sets);
void path_begin_or(struct path_sets *sets, struct path_way *way);
void path_end_either(struct path_sets *sets, const struct path_way *way);
/* One of several texts. */
void path_put_alternatives(struct path_sets *sets, const struct slice *texts, uint32_t count, bool ignores_case);
/* Ends the set; the next one begins. */
void path_end(struct path_sets *sets);

extern const struct path_class path_not_slash;
struct path_class path_class_of(const char *ranges); /* "09af": pairs of first and last byte */

/* False: no path is in the first and in the second set and in none of those behind them. True: there is one, or it
 * would take too long to find out. */
bool path_sets_meet(const struct path_sets *sets);

#endif
