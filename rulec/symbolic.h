/* SPDX-License-Identifier: Apache-2.0 */
/* A request's path of which only parts are known, on its way through rules. */
#ifndef RULEC_SYMBOLIC_H
#define RULEC_SYMBOLIC_H

#include "rulec/target_parts.h"

enum { SYMBOLIC_LIMIT = 24 }; /* segments of a path that is followed */

enum symbolic_kind {
    SYMBOLIC_TEXT, /* a segment that is known */
    SYMBOLIC_ONE,  /* some segment */
    SYMBOLIC_REST  /* any number of segments, none too */
};
struct symbolic_token {
    enum symbolic_kind kind;
    struct slice text;            /* TEXT */
    uint32_t variable;            /* ONE, REST */
    const struct plan_part *part; /* ONE: what it must be; NULL: anything */
};
struct symbolic_path {
    struct symbolic_token tokens[SYMBOLIC_LIMIT];
    uint32_t count;
};

/* Where a walk began and where it is: what is learnt of a variable on the way holds for both. */
struct symbolic {
    struct symbolic_path start, now;
    struct symbolic_path captures[PLAN_CAPTURE_LIMIT];
    uint32_t variable_count;
};

/* Paths that the rule's source takes. False: it has something that is not followed (a regex, more than the limit). What
 * is made on the way is put into the arena. */
bool symbolic_begin(struct symbolic *symbolic, struct arena *arena, const struct plan_rule *rule);
/* Without the captures, which the next match makes. */
void symbolic_copy(struct symbolic *to, const struct symbolic *from);
/* False: quickly seen that the rule takes none of it. */
bool symbolic_may_match(const struct symbolic *symbolic, const struct plan_rule *rule);
/* Narrows the state to what the rule takes. False: it takes none of it. */
bool symbolic_match(struct symbolic *symbolic, struct arena *arena, const struct plan_rule *rule);
/* Goes where the target leads, after a match. */
bool symbolic_follow(struct symbolic *symbolic, struct arena *arena, const struct target_parts *parts);
/* Narrows the state to where now and start are one. */
bool symbolic_close(struct symbolic *symbolic);
/* The start with its variables filled in. False: too long. */
bool symbolic_write_start(const struct symbolic *symbolic, struct slice one, struct slice rest, char *buffer,
                          size_t size, size_t *written);

#endif
