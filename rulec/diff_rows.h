/* SPDX-License-Identifier: Apache-2.0 */
/* A rule file as a sorted row of small records, one a rule and site, so that two files can be
 * compared by walking along both. Texts of the rules stay in the map; only clauses, which many
 * rules share, are made into text. */
#ifndef RULEC_DIFF_ROWS_H
#define RULEC_DIFF_ROWS_H

#include "mod_redir307/ruleset_read.h"
#include "rulec/bytes.h"

struct diff_row {
    uint64_t source[2]; /* hash of the source in its canonical form */
    uint64_t at;        /* of its record */
    uint32_t scope;
    uint32_t order; /* among rules of one source */
    uint32_t action;
    uint8_t flags;
    bool is_pattern;
};

/* Equal numbers of one pool: equal texts. */
struct diff_action {
    uint64_t conditions, settings; /* where their text stands in the pool; it ends in NUL */
};

struct diff_rows {
    const struct ruleset *ruleset;
    struct diff_row *rows; /* by scope, source, order */
    size_t count, room;
    struct diff_action *actions; /* by number */
    size_t action_count;
    const char *wrong; /* the rule file is damaged: static text; NULL: it is good */
};

/* Both files of a comparison share one pool. diff_rows_free() is due in every case. False: see
 * `wrong`. */
bool diff_rows_read(struct diff_rows *rows, const struct ruleset *ruleset,
                    struct bytes_pool *pool);
void diff_rows_free(struct diff_rows *rows);

/* The rows of one scope: [*first, *end). */
void diff_rows_of_scope(const struct diff_rows *rows, uint32_t scope, size_t *first,
                        size_t *end);

struct diff_target {
    struct slice bytes;
    bool is_template, is_choice;
};
struct diff_target diff_row_target(const struct diff_rows *rows, const struct diff_row *row);

/* "/a", "/b/{1}", or a regex with its sign. malloc'ed. */
char *diff_row_source(const struct diff_rows *rows, const struct diff_row *row);
/* " -> /b 307 { when method POST }": all but the source, its note and its owner. `host` (NULL:
 * none): whose part of a closed set is written out. malloc'ed. */
char *diff_row_answer(const struct diff_rows *rows, const struct diff_row *row,
                      const struct ruleset_host_view *host);
/* The target alone, as text: equal texts of equal sources lead to equal places. malloc'ed. */
char *diff_row_target_text(const struct diff_rows *rows, const struct diff_row *row,
                           const struct ruleset_host_view *host);
/* Where it was written. */
struct ruleset_place diff_row_place(const struct diff_rows *rows, const struct diff_row *row);

#endif
