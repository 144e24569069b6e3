/* SPDX-License-Identifier: Apache-2.0 */
/* The skeleton of a target: its bytes with the constants put in, and one LOWER_MARK for each
 * placeholder. No control byte may stand in a target, so the mark cannot be mistaken. */
#ifndef RULEC_LOWER_SKELETON_H
#define RULEC_LOWER_SKELETON_H

#include "rulec/lower_source.h"

enum { LOWER_MARK = 1, LOWER_HOLE_LIMIT = 64 };

/* One placeholder of a target. */
struct lower_hole {
    enum plan_piece_kind kind;
    uint8_t capture;
    uint8_t transforms;
    const struct plan_part *part; /* of the source, where it is one; NULL for its tail */
    struct slice whole;           /* as written */
};

struct lower_skeleton {
    struct slice text; /* in lower->skeleton */
    struct lower_hole holes[LOWER_HOLE_LIMIT];
    uint32_t hole_count;
};

/* False: a mistake was reported. */
bool lower_skeleton(struct lower *lower, const struct lower_scope *scope,
                    struct lower_word word, enum lower_reading reading,
                    const struct lower_source *source, struct lower_skeleton *skeleton);

#endif
