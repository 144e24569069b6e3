/* SPDX-License-Identifier: Apache-2.0 */
/* What stands in one segment of a pattern, or in one query value: literals, placeholders,
 * the star. */
#ifndef RULEC_LOWER_SEGMENT_H
#define RULEC_LOWER_SEGMENT_H

#include "rulec/lower_source.h"

/* A pattern while it is read. */
struct lower_pattern {
    struct lower *lower;
    const struct lower_scope *scope;
    struct lower_word word; /* the whole source */
    enum lower_reading reading;
    uint32_t site;
    struct plan_pattern *pattern;                     /* counts are kept there */
    struct plan_segment segments[PLAN_SEGMENT_LIMIT]; /* head, then rest */
    struct plan_parameter parameters[PLAN_PARAMETER_LIMIT];
    struct slice captures[PLAN_CAPTURE_LIMIT];
    struct slice tail_text; /* the star or `{x...}` as written, for messages */
};

/* All of these: false after a reported mistake. */
bool lower_add_literal(struct lower_pattern *state, struct slice normal);
bool lower_read_path(struct lower_pattern *state, struct slice path);
bool lower_read_value(struct lower_pattern *state, struct slice text,
                      struct plan_segment *value);
bool lower_add_capture(struct lower_pattern *state, struct slice name, uint8_t *capture);
/* For a name that people gave, a part of the word or empty: two things of one name are a
 * mistake, wherever the other one stands. */
bool lower_claim_name(struct lower_pattern *state, struct slice name, uint8_t *capture);
/* Copies what was gathered into the arena. */
struct plan_pattern *lower_pattern_finish(struct lower_pattern *state);

#endif
