/* SPDX-License-Identifier: Apache-2.0 */
/* Sources as sets of URLs: does one hold another, can two meet? Hosts are not looked at. */
#ifndef RULEC_SOURCE_COVER_H
#define RULEC_SOURCE_COVER_H

#include "rulec/plan.h"

/* A source of any kind, cut into segments. */
struct source_view {
    const struct plan_segment *head, *rest;
    const struct plan_parameter *parameters;
    uint32_t head_count, rest_count, parameter_count;
    enum plan_tail tail;
    struct slice suffix;
    bool ends_in_slash, is_slash_exact, ignores_case;
    bool is_regex; /* nothing is known of it */
};

/* `pattern`: one of the rule's emit_pattern_forms, or NULL where the source is an exact path. */
void source_view_of(struct arena *arena, const struct plan_rule *rule, const struct plan_pattern *pattern,
                    struct source_view *view);

/* True: every URL that `inner` takes, `outer` takes. False: it is not so, or not certain. */
bool source_covers(const struct source_view *outer, const struct source_view *inner);

/* Two sources of equal rank, so of segments alike. True: there is a URL that both take, and it is no odd one (with
 * one parameter twice). False: there is none, or none is certain. */
bool source_meets(const struct source_view *a, const struct source_view *b);

/* A text against a single part; a regex takes none. */
bool source_part_takes(const struct plan_part *part, struct slice text, bool ignores_case);

#endif
