/* SPDX-License-Identifier: Apache-2.0 */
/* A request with all that a condition may ask about, as one JSON object: a line of
 * `rulec answer RULES -`. */
#ifndef RULEC_REQUEST_JSON_H
#define RULEC_REQUEST_JSON_H

#include "grammar/arena.h"
#include "rulec/command_request.h"

/* *request holds what is unsaid, and then what is said; what lasts is taken from the arena.
 * NULL: good; else what is wrong, static text. */
const char *request_from_json(struct slice text, struct arena *arena,
                              struct command_request *request,
                              char host_buffer[URL_HOST_LIMIT + 1], struct request_key *key);

#endif
