/* SPDX-License-Identifier: Apache-2.0 */
/* An answer of the engine as people and programs read it: explain, and the JSON lines of
 * answer. */
#ifndef RULEC_ANSWER_JSON_H
#define RULEC_ANSWER_JSON_H

#include "mod_redir307/answer.h"
#include "rulec/json_out.h"

/* Field number `index` of the response, Location first; false past the last. */
bool answer_response_field(const struct ruleset *ruleset, const struct answer *answer,
                           unsigned index, struct slice *name, struct slice *value);
/* Where a rule stands, with its note and owner, as members of an object. */
void answer_set_rule(json_t *object, const struct ruleset *ruleset, uint32_t place);
/* outcome, status, headers, rule. Of a request that is passed on, the headers are what is added to
 * the response. */
json_t *answer_to_json(const struct ruleset *ruleset, const struct answer *answer);

#endif
