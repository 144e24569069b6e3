/* SPDX-License-Identifier: Apache-2.0 */
/* A method and a URL, as people write them, to what the engine asks about a request. Allocates nothing. */
#ifndef RULEC_REQUEST_TEXT_H
#define RULEC_REQUEST_TEXT_H

#include "mod_redir307/request_key.h"
#include "mod_redir307/url.h"

/* Where a URL without a host goes to. */
struct request_base {
    struct slice scheme;  /* "http" or "https" */
    struct slice host;    /* normal form; empty: as a request without a Host field */
    uint16_t port;
    char host_buffer[URL_HOST_LIMIT + 1];
};

/* No host, scheme http. */
void request_base_init(struct request_base *base);
/* From "https://h.example" or "h.example:8080". NULL: good; else what is wrong with it, static text. */
const char *request_base_set(struct request_base *base, const char *text);

/* Fills the key. A URL is absolute (http or https), `//host/path`, or a path with or without a query; a fragment is
 * left out, as no client sends it. `host_buffer` must live as long as the key. NULL: good; else what is wrong. */
const char *request_from_url(struct slice method, struct slice url, const struct request_base *base,
                             char host_buffer[URL_HOST_LIMIT + 1], struct request_key *key);
/* The same for the target of a logged request line: a leading "//" is part of the path (RFC 9112, 3.2.1). */
const char *request_from_target(struct slice method, struct slice target, const struct request_base *base,
                                char host_buffer[URL_HOST_LIMIT + 1], struct request_key *key);

#endif
