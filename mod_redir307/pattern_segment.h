/* SPDX-License-Identifier: Apache-2.0 */
/* One path segment or query value against its parts: literals and typed placeholders side by side. Each placeholder
 * takes as few bytes as possible such that the rest fits, and at least one. Private to the engine. */
#ifndef MOD_REDIR307_PATTERN_SEGMENT_H
#define MOD_REDIR307_PATTERN_SEGMENT_H

#include "mod_redir307/pattern.h"

struct pattern_part {
    unsigned kind;    /* enum pattern_part_kind */
    unsigned capture;
    struct slice text;
    unsigned set_count;
    const uint8_t *set, *set_end; /* set_count strings of the program */
    uint32_t regex;
    const uint8_t *regex_at; /* the number in the program */
};
struct pattern_segment {
    unsigned part_count;
    struct pattern_part parts[PATTERN_PART_LIMIT];
};

/* True where a cut at text[at] does not go through an escape: in a normal form each "%" starts one. */
bool pattern_is_boundary(struct slice text, size_t at);

/* How a text is looked at, and where what was found is put. */
struct pattern_match_state {
    const struct pattern_subject *subject; /* for its regexes */
    bool ignores_case;
    struct pattern_capture *captures; /* NULL: not wanted */
    bool case_differs;                /* only ever set */
};

bool pattern_segment_match(const struct pattern_segment *segment, struct slice text,
                           struct pattern_match_state *state);
/* The segment needs to match the start of the text only; *used: its bytes. */
bool pattern_segment_match_start(const struct pattern_segment *segment, struct slice text,
                                 struct pattern_match_state *state, size_t *used);
/* A decoded query value: case counts, and one placeholder alone also takes the empty value where it is free. */
bool pattern_value_match(const struct pattern_segment *segment, struct slice value,
                         struct pattern_match_state *state);

/* Equal up to the case of ASCII letters where `ignores_case`; sets *case_differs where only so. */
bool pattern_text_equal(struct slice a, struct slice b, bool ignores_case, bool *case_differs);

#endif
