/* SPDX-License-Identifier: Apache-2.0 */
/* Where sources stand: under the fixed segments in front (their lead), and where a placeholder ends that, under the
 * first fixed segment behind it (with its number); below that, under the first parameters that they ask for with one
 * value. A target meets few of these places. */
#ifndef RULEC_LOOP_PLACES_H
#define RULEC_LOOP_PLACES_H

#include "rulec/target_parts.h"

enum loop_place_kind {
    LOOP_PLACE_LEAD,
    LOOP_PLACE_NUMBER, /* of a lead: all sources with a fixed segment of this number */
    LOOP_PLACE_BEHIND, /* of a number: those with this text there */
    LOOP_PLACE_NAME,   /* of a lead, a text behind or a value: those that ask for one value of this parameter */
    LOOP_PLACE_VALUE   /* of a name: those that ask for this one */
};
enum { LOOP_PLACE_NONE = UINT32_MAX };

struct loop_place {
    uint64_t key;
    uint32_t parent; /* of a root itself */
    enum loop_place_kind kind;
    uint32_t names;  /* the first of its names + 1; 0: none */
};
/* A place of kind NAME. */
struct loop_name {
    struct slice text; /* the plan's, decoded */
    uint32_t place;
    uint32_t next;     /* of the same parent, + 1; 0: none */
};
struct loop_places {
    struct loop_place *items; /* the roots first */
    uint32_t count, room, root_count;
    uint32_t *slots; /* place + 1 by key; 0: free */
    size_t slot_count;
    bool has_numbers;
    struct loop_name *names;
    uint32_t name_count, name_room;
};

void loop_places_open(struct loop_places *places, uint32_t root_count);
void loop_places_close(struct loop_places *places);
/* The place of the rule's source, a LEAD, BEHIND or VALUE; made where it is new. */
uint32_t loop_places_of_source(struct loop_places *places, uint32_t root, const struct plan_rule *rule);

/* The place of a name's value; LOOP_PLACE_NONE: no source asks for it. */
uint32_t loop_places_value(const struct loop_places *places, uint32_t name_place, struct slice value);

/* Sources that a target meets by its path. Those below a NAME are in ALL and BELOW only. */
enum loop_places_part {
    LOOP_PLACES_UP,    /* at the place itself, and for a LEAD at those above it */
    LOOP_PLACES_ALL,   /* at it, and all below it */
    LOOP_PLACES_BELOW, /* of a LEAD: at longer leads alone */
    LOOP_PLACES_PART_COUNT
};
typedef void loop_places_visit(void *baton, uint32_t place, enum loop_places_part part);
void loop_places_meet(const struct loop_places *places, struct arena *arena, uint32_t root, const struct plan_rule *rule,
                      const struct target_parts *parts, loop_places_visit *visit, void *baton);

#endif
