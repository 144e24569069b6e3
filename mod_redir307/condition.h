/* SPDX-License-Identifier: Apache-2.0 */
/* Does a rule's condition program hold for a request? And what was read of the request to tell. Private to the engine. */
#ifndef MOD_REDIR307_CONDITION_H
#define MOD_REDIR307_CONDITION_H

#include "mod_redir307/condition_program.h"
#include "mod_redir307/lookup.h"

enum { READS_FIELD_LIMIT = 32 };

/* What was read on the way to an answer, whichever branch wins: it decides how long and for whom the answer may be
 * kept. The slices lie in the map or are static. */
struct reads {
    struct slice fields[READS_FIELD_LIMIT]; /* request fields, each once: Vary */
    unsigned field_count;
    bool depends_on_client;  /* client, chance, env, flag or busy: no cache can tell the next request apart */
    bool has_edge;
    int64_t edge_s;          /* the next time at which a window that was asked opens or closes */
};

void reads_field(struct reads *reads, struct slice name);

/* `conditions`: at in CONDITIONS, 0 holds always. `place` makes the draws of different rules independent. What is no
 * program does not hold. *why is static text, set where it does not hold. */
bool condition_holds(struct lookup *lookup, uint32_t conditions, uint32_t place, struct reads *reads,
                     const char **why);

/* A number below `count` for a draw: by the client, or by chance (fixed, or independent for each `salt`). */
uint64_t condition_draw_client(const struct request_key *key, uint64_t count);
uint64_t condition_draw_chance(const struct request_key *key, uint64_t salt, uint64_t count);

#endif
