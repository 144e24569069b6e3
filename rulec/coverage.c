/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "rulec/coverage.h"

#include "grammar/arena.h"

#include <stdlib.h>

struct coverage {
    const struct plan *plan;
    uint32_t *reached; /* places, an entry for each expect */
    size_t reached_count, reached_room;
    uint32_t *missed;
};

struct coverage *coverage_open(const struct plan *plan)
{
    struct coverage *coverage = memory_resize(NULL, 1, sizeof *coverage);

    *coverage = (struct coverage){ .plan = plan };
    return coverage;
}

void coverage_close(struct coverage *coverage)
{
    if (!coverage)
        return;
    free(coverage->reached);
    free(coverage->missed);
    free(coverage);
}

void coverage_reach(struct coverage *coverage, uint32_t place)
{
    if (coverage->reached_count == coverage->reached_room) {
        coverage->reached_room = coverage->reached_room ? 2 * coverage->reached_room : 64;
        coverage->reached =
            memory_resize(coverage->reached, coverage->reached_room, sizeof *coverage->reached);
    }
    coverage->reached[coverage->reached_count++] = place;
}

static int compare_places(const void *a, const void *b)
{
    const uint32_t *left = a, *right = b;

    return (*left > *right) - (*left < *right);
}

const uint32_t *coverage_missed(struct coverage *coverage, uint32_t *count)
{
    const struct plan *plan = coverage->plan;

    *count = 0;
    coverage->missed =
        memory_resize(coverage->missed, plan->rule_count + 1u, sizeof *coverage->missed);
    if (coverage->reached_count)
        qsort(coverage->reached, coverage->reached_count, sizeof *coverage->reached,
              compare_places);
    for (uint32_t i = 0; i < plan->rule_count; i++) {
        uint32_t place = source_line_in_all(plan->sources, plan->rules[i].span.at);

        if (!coverage->reached_count ||
            !bsearch(&place, coverage->reached, coverage->reached_count,
                     sizeof *coverage->reached, compare_places))
            coverage->missed[(*count)++] = i;
    }
    return coverage->missed;
}

double coverage_percent(const struct plan *plan, uint32_t missed_count)
{
    return plan->rule_count ? 100.0 * (plan->rule_count - missed_count) / plan->rule_count
                            : 100;
}
