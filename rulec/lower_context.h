/* SPDX-License-Identifier: Apache-2.0 */
/* What the lower_* files share: the state of one lowering, and the scope, which is the sum
 * of the clauses that hold at one place of the tree. A scope is copied where a block opens
 * and changed by the block's clauses, so the inner clause wins and where it stands in its
 * block does not matter. */
#ifndef RULEC_LOWER_CONTEXT_H
#define RULEC_LOWER_CONTEXT_H

#include "grammar/ast.h"
#include "grammar/diag.h"
#include "rulec/bytes.h"
#include "rulec/plan.h"

/* A word of the rules or a cell of a table. */
struct lower_word {
    struct slice text;
    struct span span;
};

struct lower_status {
    uint16_t get, other; /* the code for GET and HEAD, and for all other methods; 0 for pass */
    bool is_pass;
};

struct lower_let {
    struct slice name;
    struct slice value;
    struct span span;
    const struct lower_let *outer;
};

/* A warning that is silent here: said again for each text that a block draws in, for their
 * places lie elsewhere. */
struct lower_allow {
    enum diag_code code;
    const struct lower_allow *outer;
};

/* One `daily` or `weekly`, of this block or one around it; all hold. */
struct lower_recurring {
    bool is_weekly; /* start_s and end_s are the whole day then */
    uint32_t zone;  /* index into plan->zones */
    uint8_t days;   /* as in struct plan_condition */
    uint32_t start_s, end_s;
    const struct lower_recurring *outer;
};

enum lower_zone_state { LOWER_ZONE_NONE, LOWER_ZONE_GOOD, LOWER_ZONE_BAD /* reported */ };

enum { LOWER_ACTION_ROOM = 8 };

struct lower_scope {
    bool is_in_site;
    uint32_t site;         /* index into plan->sites */
    struct span site_span; /* where is_in_site: the block */
    struct lower_status status;
    enum plan_cache_kind cache;
    uint32_t cache_seconds;
    struct plan_query_policy query;
    uint32_t flags;                    /* PLAN_CASE_IGNORE... */
    struct plan_condition *conditions; /* sorted */
    uint32_t condition_count;
    struct plan_header *headers; /* sorted by name */
    uint32_t header_count;
    struct slice *vary; /* in the order written */
    uint32_t vary_count;
    bool is_override, redirects_preflight;
    const struct lower_let *lets;
    const struct lower_allow *allows;
    struct slice note, owner;

    /* Of these the conditions WINDOW and RECURRING are made (lower_time.c). */
    enum lower_zone_state zone_state;
    uint32_t zone; /* index into plan->zones */
    bool has_window, has_review;
    int64_t from_s, until_s;
    const struct lower_recurring *recurring;

    /* Actions already made here, so that a plain rule costs no hash. */
    struct lower_made {
        uint32_t site;
        struct lower_status status;
        uint32_t action;
    } made[LOWER_ACTION_ROOM];
    unsigned made_count;
};

struct lower {
    struct arena *arena;
    struct source_set *sources;
    struct diag *diag;
    struct plan *plan;
    int64_t now_s; /* Unix time, for warnings about dates */

    char *scratch; /* see lower_scratch */
    size_t scratch_room;
    char *skeleton; /* of the target that is read: see lower_skeleton.h */
    size_t skeleton_room;
    struct bytes written; /* the same target as it will be sent */

    /* The authorities of the last absolute source and target: lists name the same host many
     * times in a row. */
    struct slice source_authority;
    uint32_t source_authority_scope_site;
    bool source_authority_in_site;
    uint32_t source_authority_site;
    struct slice target_authority;
};

/* The first such byte; NULL: there is none. */
static inline const char *lower_find(struct slice text, char byte)
{
    return text.size ? memchr(text.data, byte, text.size) : NULL;
}

/* `size` bytes for passing use, until the next call. */
char *lower_scratch(struct lower *lower, size_t size);
/* The place of `part`, a slice out of word.text, where that can be told; else the whole
 * word. */
struct span lower_span_of(struct lower_word word, struct slice part);
struct lower_word lower_word_of(const struct ast_word *word);

/* The longest slice fits a message: "%.*s" takes LOWER_SHOW(text). */
enum { LOWER_SHOW_LIMIT = 200 };
#define LOWER_SHOW(text)                                                                       \
    (int)((text).size < LOWER_SHOW_LIMIT ? (text).size : LOWER_SHOW_LIMIT),                    \
        (text).size ? (text).data : ""

#endif
