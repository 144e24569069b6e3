/* SPDX-License-Identifier: Apache-2.0 */
/* A request for which several rules hold, as far as their conditions go. */
#ifndef RULEC_LOOP_FACTS_H
#define RULEC_LOOP_FACTS_H

#include "rulec/plan.h"
#include "rulec/request_facts.h"

enum { LOOP_FACTS_LIMIT = 32 };

struct loop_facts {
    struct plan_header fields[LOOP_FACTS_LIMIT], env[LOOP_FACTS_LIMIT];
    struct slice flags[LOOP_FACTS_LIMIT];
    size_t field_count, env_count, flag_count;
    struct request_facts request;
    struct slice query;    /* parameters that are asked for; empty: none */
    const char *undecided; /* a condition that is a matter of luck, or of the machine; NULL: none */
};

/* False: no such request is known. Method and scheme are the caller's. `facts` stays where it is. */
bool loop_facts_collect(struct loop_facts *facts, struct arena *arena, const struct plan *plan, const uint32_t *rules,
                        unsigned count);

#endif
