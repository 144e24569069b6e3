/* SPDX-License-Identifier: Apache-2.0 */
/* Asks a live server what the engine would be asked, over libcurl: `rulec test --against`. */
#ifndef RULEC_HTTP_ASK_H
#define RULEC_HTTP_ASK_H

#include "mod_redir307/answer.h"
#include "rulec/request_facts.h"

struct http_asker;

/* False where this rulec was built without libcurl. */
bool http_ask_is_built(void);

/* `server`: http://HOST:PORT, where all requests go, whatever host they are for. NULL: *reason says why. */
struct http_asker *http_asker_open(const char *server, const char **reason);
void http_asker_close(struct http_asker *asker); /* NULL is allowed */

/* Sends the request with its method, Host and fields; a redirect is not followed. A request for https goes out with
 * X-Forwarded-Proto. The answer is SEND where a redirect came, or a response that names this project in X-Redirect-By;
 * else NONE, with its status. Its slices live until the next call. False: *reason says why there is no answer. */
bool http_ask(struct http_asker *asker, const struct request_key *key, const struct request_facts *facts,
              struct answer *answer, const char **reason);
/* A field of the last response; empty: it was not sent. */
struct slice http_ask_field(const struct http_asker *asker, struct slice name);

#endif
