/* SPDX-License-Identifier: Apache-2.0 */
/* A pattern as the engine needs it: its program, its rank and what of it can be hashed. Private to emit*.c. */
#ifndef RULEC_EMIT_PROGRAM_H
#define RULEC_EMIT_PROGRAM_H

#include "mod_redir307/ruleset_format.h"
#include "rulec/emit_build.h"
#include "rulec/plan.h"

/* `*.ttl` is two sources in one: a segment with a suffix, and a longer path that ends so. Each other pattern is one. */
enum { EMIT_FORM_LIMIT = 2 };
unsigned emit_pattern_forms(struct arena *arena, const struct plan_pattern *pattern,
                            struct plan_pattern forms[EMIT_FORM_LIMIT]);

/* The bytes of mod_redir307/pattern.h; in the arena. */
struct slice emit_program(struct emit_build *build, const struct plan_pattern *pattern, bool ignores_case);

/* A byte string that sorts as the patterns of one site rank (docs/language.md, "Which rule wins"); in the arena. */
struct slice emit_rank(struct arena *arena, const struct plan_pattern *pattern);

/* How much of constrained segments goes into the key: all first; less where a site would have too many shapes. */
enum emit_detail { EMIT_DETAIL_ENDS, EMIT_DETAIL_STARTS, EMIT_DETAIL_SEGMENTS, EMIT_DETAIL_COUNT };

struct emit_parameter {
    struct slice name, value;
    bool is_fixed;
};
struct emit_shape_of {
    struct ruleset_shape shape;  /* without best_rank, parameter_first and chain_limit */
    struct slice lead;           /* "/a/b": the fixed segments at the start; lower case where case is ignored */
    struct slice parts[2 * RULESET_SHAPE_PARTS]; /* what is hashed behind the lead, in order; `ends` may be empty */
    unsigned part_count;
    struct emit_parameter parameters[PLAN_PARAMETER_LIMIT]; /* sorted by name */
};
void emit_shape(struct arena *arena, const struct plan_pattern *pattern, bool ignores_case, enum emit_detail detail,
                struct emit_shape_of *result);

#endif
