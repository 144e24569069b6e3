/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the sources that may hold another one whole, without looking at all of them: by the fixed segments in front,
 * the fixed bytes at both ends of the first segment that is not, and the first fixed one behind that. */
#ifndef RULEC_SOURCE_INDEX_H
#define RULEC_SOURCE_INDEX_H

#include "rulec/plan.h"

struct source_index;

/* `has_exact`: by site, exact paths, too; they are most of a list, and mostly nobody asks for them. */
struct source_index *source_index_open(const struct plan *plan, const bool *has_exact);
void source_index_close(struct source_index *index);

/* Rules of the site (`overrides`: those under `override`), but for `rule` itself, whose source may hold that of `own`: the
 * rule, or one with a part of its URLs; at most `limit` of them, in no order. Returns how many there are in `found`. */
uint32_t source_index_holders(const struct source_index *index, uint32_t rule, const struct plan_rule *own, uint32_t site,
                              bool overrides, uint32_t *found, uint32_t limit);

#endif
