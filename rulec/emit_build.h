/* SPDX-License-Identifier: Apache-2.0 */
/* The file under construction: one growing section each. Private to emit*.c. */
#ifndef RULEC_EMIT_BUILD_H
#define RULEC_EMIT_BUILD_H

#include "mod_redir307/lookup.h"
#include "mod_redir307/ruleset_format.h"
#include "rulec/bytes.h"
#include "rulec/emit_scopes.h"
#include "rulec/plan.h"

struct emit_build {
    const struct plan *plan;
    struct diag *diag;
    struct emit_scopes scopes;
    uint64_t seed;
    struct bytes sections[RULESET_SECTION_COUNT]; /* TARGETS and LISTS come from the pools at the end, EXACT has a size
                                                   * alone: it is written into the file at once */
    struct bytes_pool lists;      /* encoded lists */
    struct bytes_pool conditions; /* encoded programs */
    struct bytes_pool targets;
    struct bytes_pool regexes;    /* encoded, to find equal ones */
    uint32_t *regex_at;           /* [number]: where its encoding stands in the pool */
    uint32_t regex_count, regex_room;
    uint32_t *zone_at;            /* [plan zone]: at in ZONES; 0: not yet written */
    uint32_t **action_numbers;    /* [plan action][member of its site]; 0: not yet written */
    bool *scope_ignores_case;     /* by scope */
    uint32_t *scope_exact_chain;  /* by scope: exact rules of one key at most; 0: it has none */
    uint64_t exact_key_count, pattern_key_count;
    struct emit_exact *exact;     /* what emit_exact_write writes; NULL before emit_exact */
};

enum { EMIT_PROBE_LINES = 2 }; /* that one key costs at most: its home and the other one */

/* How often a phase is searched at most where that many candidates can wait. Each further search needs a full row of
 * them before it (lookup_next). */
static inline uint64_t emit_searches(uint64_t candidates)
{
    return candidates > LOOKUP_FOUND_LIMIT ? candidates / LOOKUP_FOUND_LIMIT + 1 : 1;
}

/* The number in ACTIONS of a rule's action in one of its site's members. */
uint32_t emit_action(struct emit_build *build, const struct plan_rule *rule, uint32_t member);
/* A list in LISTS; 0 for none. */
uint32_t emit_list(struct emit_build *build, const struct slice *items, uint32_t count);
/* The number of a regex in REGEXES. */
uint32_t emit_regex(struct emit_build *build, struct slice text, unsigned flags);
/* The members of a rule's site, and the rule's scope in one of them. */
const struct emit_site *emit_rule_site(const struct emit_build *build, const struct plan_rule *rule);
uint32_t emit_rule_scope(const struct emit_build *build, const struct plan_rule *rule, uint32_t member);
/* The target's bytes as they are written: a literal, or an encoded template. Templates live in the arena. */
struct slice emit_target(struct emit_build *build, const struct plan_rule *rule, uint32_t member);
/* A record's `action` word: number and flags (RULESET_RULE_SLASH and what the rule itself says). */
uint32_t emit_action_word(struct emit_build *build, const struct plan_rule *rule, uint32_t member, bool ends_in_slash);
/* The line of a rule, counted over all sources. */
uint32_t emit_place(const struct emit_build *build, const struct plan_rule *rule);

/* The sections of exact rules and of all others. False: the keys do not fit, another seed is wanted; limits that the
 * rules pass are messages. */
bool emit_exact(struct emit_build *build);
bool emit_patterns(struct emit_build *build);
/* The records of exact rules; `out` has room for the section and is zero. */
void emit_exact_write(const struct emit_build *build, uint8_t *out);
void emit_exact_free(struct emit_build *build);

#endif
