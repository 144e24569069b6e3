/* SPDX-License-Identifier: Apache-2.0 */
/* Where sources stand: under the fixed segments in front (their lead), and where a placeholder ends that, under the
 * first fixed segment behind it (with its number). A target meets few of these places. */
#ifndef RULEC_LOOP_PLACES_H
#define RULEC_LOOP_PLACES_H

#include "rulec/target_parts.h"

enum loop_place_kind {
    LOOP_PLACE_LEAD,
    LOOP_PLACE_NUMBER, /* of a lead: all sources with a fixed segment of this number */
    LOOP_PLACE_BEHIND  /* of a number: those with this text there */
};
struct loop_place {
    uint64_t key;
    uint32_t parent; /* of a root itself */
    enum loop_place_kind kind;
};
struct loop_places {
    struct loop_place *items; /* the roots first */
    uint32_t count, room, root_count;
    uint32_t *slots; /* place + 1 by key; 0: free */
    size_t slot_count;
    bool has_numbers;
};

void loop_places_open(struct loop_places *places, uint32_t root_count);
void loop_places_close(struct loop_places *places);
/* The place of the rule's source, a LEAD or BEHIND; made where it is new. */
uint32_t loop_places_of_source(struct loop_places *places, uint32_t root, const struct plan_rule *rule);

/* What a target can meet: sources at a place itself (and for a LEAD at those above it), or all at and below it. */
typedef void loop_places_visit(void *baton, uint32_t place, bool with_below);
void loop_places_meet(const struct loop_places *places, struct arena *arena, uint32_t root, const struct plan_rule *rule,
                      const struct target_parts *parts, loop_places_visit *visit, void *baton);

#endif
