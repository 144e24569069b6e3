/* SPDX-License-Identifier: Apache-2.0 */
/* Segments, as all that compares sources looks at them. */
#ifndef RULEC_SEGMENTS_H
#define RULEC_SEGMENTS_H

#include "rulec/plan.h"

/* ASCII letters only, as `case ignore` compares them. */
static inline char byte_lower(char byte) { return byte >= 'A' && byte <= 'Z' ? (char)(byte | 32) : byte; }

/* Cuts the next segment off the front of a path. False: there is none. */
static inline bool next_segment(const char **at, const char *end, struct slice *segment)
{
    while (*at < end && **at == '/')
        ++*at;
    const char *from = *at;
    while (*at < end && **at != '/')
        ++*at;
    *segment = slice_of(from, (size_t)(*at - from));
    return segment->size > 0;
}

/* True where segment `number` of the pattern's head is one text: of `/a/1.*`, "a" is one and "1." is none. */
static inline bool segment_is_fixed(const struct plan_pattern *pattern, uint32_t number)
{
    bool is_open = pattern->tail == PLAN_TAIL_BELOW && number + 1 == pattern->head_count;
    const struct plan_segment *segment = &pattern->head[number];

    return !is_open && segment->part_count == 1 && segment->parts[0].kind == PLAN_PART_LITERAL;
}

#endif
