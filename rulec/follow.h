/* SPDX-License-Identifier: Apache-2.0 */
/* Follows redirects as a client would, with the engine's own answers: one request state after the other. */
#ifndef RULEC_FOLLOW_H
#define RULEC_FOLLOW_H

#include "mod_redir307/answer.h"

struct follow {
    const struct ruleset *ruleset;
    struct request_key key;      /* the state: what is asked next */
    struct answer answer;        /* of the last step */
    char host[URL_HOST_LIMIT + 1];
    char location[ANSWER_LOCATION_LIMIT + 1];
    struct answer_scratch scratch;
};

/* Takes the state over by reference: its slices must live until the first step that leads on. */
void follow_start(struct follow *follow, const struct ruleset *ruleset, const struct request_key *key);
/* Where `location` leads from the present state (RFC 9110, 10.2.2); the method stays. False: nowhere a client would
 * ask us (another scheme, a bad host). */
bool follow_to(struct follow *follow, struct slice location);
/* The method with which a client follows such an answer (RFC 9110, 15.4). */
struct slice follow_method_after(struct slice method, unsigned status);
/* Asks, and goes where the answer leads, the method changed as clients do (RFC 9110, 15.4). False: the state is not
 * redirected, and stays. */
bool follow_step(struct follow *follow);
/* Equal states have equal hashes. */
uint64_t follow_hash(const struct follow *follow);
/* The state's URL, as a message shows it; cut where it is too long. */
void follow_url(const struct follow *follow, char *buffer, size_t size);

#endif
