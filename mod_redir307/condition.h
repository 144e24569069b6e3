/* SPDX-License-Identifier: Apache-2.0 */
/* Does a rule's condition program hold for a request? Private to the engine. */
#ifndef MOD_REDIR307_CONDITION_H
#define MOD_REDIR307_CONDITION_H

#include "mod_redir307/request_key.h"
#include "mod_redir307/ruleset_read.h"

/* What was read of the request on the way to an answer: it goes into Vary, whichever branch wins. */
struct condition_reads {
    bool forwarded_scheme;
};

/* `conditions`: at in CONDITIONS, 0 holds always. What is no program does not hold. *why is static text, set where
 * the program does not hold. */
bool condition_holds(const struct ruleset *ruleset, uint32_t conditions, const struct request_key *key,
                     struct condition_reads *reads, const char **why);

#endif
