/* SPDX-License-Identifier: Apache-2.0 */
/* A target cut into scheme, host, path, query and fragment, with or without placeholders. */
#ifndef RULEC_TARGET_PARTS_H
#define RULEC_TARGET_PARTS_H

#include "grammar/arena.h"
#include "rulec/plan.h"

struct target_pieces {
    struct plan_piece *items; /* of a TEXT only the bytes that stand in this part */
    uint32_t count;
};
struct target_parts {
    bool is_https;            /* `https:`: the request's URL, and no more is set but scheme */
    bool has_authority;
    bool has_open_host;       /* a placeholder stands in the authority */
    struct slice scheme;      /* "http", "https"; empty: the request's */
    struct slice host, port;  /* as written, where it is not open */
    struct target_pieces path, query, fragment;
    bool has_query, has_fragment;
};

/* The target of one line: a template, or the text where there is none. In the arena. */
void target_parts_of(struct arena *arena, const struct plan_template *template, struct slice target,
                     struct target_parts *parts);

/* A rule's target lines one by one: of a choice, or the one there is. False: there is no such line. A line that only
 * has a status has neither. */
bool target_line(const struct plan_rule *rule, uint32_t line, const struct plan_template **template,
                 struct slice *target);

/* A piece of a path in normal form; it may begin and end anywhere. False: it has dot segments, or a bad escape. */
bool target_normal_text(struct arena *arena, struct slice text, struct slice *normal);

#endif
