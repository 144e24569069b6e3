/* SPDX-License-Identifier: Apache-2.0 */
/* What the engine may know of one request. The adapter (httpd, rulec) fills it in; all slices are the caller's
 * and must live until the answer is used up. */
#ifndef MOD_REDIR307_REQUEST_KEY_H
#define MOD_REDIR307_REQUEST_KEY_H

#include "mod_redir307/slice.h"

#include <stdint.h>

struct request_key {
    struct slice method;    /* as sent: case counts */
    struct slice scheme;    /* "http" or "https" */
    bool scheme_was_forwarded; /* scheme was read from a trusted X-Forwarded-Proto: named in Vary when it decides */
    struct slice host;      /* normal form (url_normalize_host); empty: none was sent */
    uint16_t port;          /* the port the client named or the scheme's default */
    struct slice path;      /* raw, as in the request target, up to "?" */
    bool has_query;
    struct slice query;     /* raw, without "?" */
    bool is_preflight;      /* OPTIONS with Origin and Access-Control-Request-Method */
};

#endif
