/* SPDX-License-Identifier: Apache-2.0 */
/* From the place that an answer names back to the rule of the plan. */
#ifndef RULEC_RULE_PLACES_H
#define RULEC_RULE_PLACES_H

#include "rulec/plan.h"

struct rule_places;

enum { RULE_PLACES_NONE = UINT32_MAX };

/* Sorts the rules by place: n log n, so open one for all questions. */
struct rule_places *rule_places_open(const struct plan *plan);
void rule_places_close(struct rule_places *places);

/* The first rule of that line; RULE_PLACES_NONE where there is none. */
uint32_t rule_places_find(const struct rule_places *places, uint32_t place);
/* True where the line holds this one rule only. */
bool rule_places_is_alone(const struct rule_places *places, uint32_t rule);

#endif
