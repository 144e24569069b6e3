/* SPDX-License-Identifier: Apache-2.0 */
/* Which rules no `expect` reached. Rules of one line count as one place: an answer names the
 * line. */
#ifndef RULEC_COVERAGE_H
#define RULEC_COVERAGE_H

#include "rulec/plan.h"

struct coverage;

struct coverage *coverage_open(const struct plan *plan);
void coverage_close(struct coverage *coverage); /* NULL is allowed */

/* An expect was answered, or passed on, by the rule at this place. */
void coverage_reach(struct coverage *coverage, uint32_t place);

/* The rules that were not reached, by their numbers, in the order written; *count of them.
 * Lives as long as the coverage, and until it is told of more. */
const uint32_t *coverage_missed(struct coverage *coverage, uint32_t *count);
/* Of 100; 100 where there is no rule. */
double coverage_percent(const struct plan *plan, uint32_t missed_count);

#endif
