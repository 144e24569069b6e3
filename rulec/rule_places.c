/* SPDX-License-Identifier: Apache-2.0 */
/* A sorted row of places. */
#include "config.h"

#include "rulec/rule_places.h"

#include <stdlib.h>

struct placed {
    uint32_t place, rule;
};

struct rule_places {
    const struct plan *plan;
    struct placed *rows;
    size_t count;
};

static int placed_order(const void *left, const void *right)
{
    const struct placed *a = left, *b = right;

    if (a->place != b->place)
        return a->place < b->place ? -1 : 1;
    return (a->rule > b->rule) - (a->rule < b->rule);
}

struct rule_places *rule_places_open(const struct plan *plan)
{
    struct rule_places *places = memory_resize(NULL, 1, sizeof *places);
    bool is_sorted = true;

    *places = (struct rule_places){ .plan = plan, .count = plan->rule_count };
    places->rows = memory_resize(NULL, places->count + 1, sizeof *places->rows);
    for (uint32_t i = 0; i < plan->rule_count; i++) {
        places->rows[i] = (struct placed){
            .place = source_line_in_all(plan->sources, plan->rules[i].span.at), .rule = i
        };
        is_sorted &= i == 0 || places->rows[i - 1].place <= places->rows[i].place;
    }
    if (!is_sorted)
        qsort(places->rows, places->count, sizeof *places->rows, placed_order);
    return places;
}

void rule_places_close(struct rule_places *places)
{
    if (places)
        free(places->rows);
    free(places);
}

/* Index of the first row of that place or a later one. */
static size_t first_row(const struct rule_places *places, uint32_t place)
{
    size_t from = 0, to = places->count;

    while (from < to) {
        size_t middle = from + (to - from) / 2;

        if (places->rows[middle].place < place)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

uint32_t rule_places_find(const struct rule_places *places, uint32_t place)
{
    size_t at = first_row(places, place);

    return at < places->count && places->rows[at].place == place ? places->rows[at].rule
                                                                 : (uint32_t)RULE_PLACES_NONE;
}

bool rule_places_is_alone(const struct rule_places *places, uint32_t rule)
{
    uint32_t place = source_line_in_all(places->plan->sources, places->plan->rules[rule].span.at);
    size_t at = first_row(places, place);

    return at + 1 == places->count || places->rows[at + 1].place != place;
}
