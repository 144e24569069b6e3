/* SPDX-License-Identifier: Apache-2.0 */
/* What the engine may know of one request. The adapter (httpd, rulec) fills it in; all slices are the caller's
 * and must live until the answer is used up. */
#ifndef MOD_REDIR307_REQUEST_KEY_H
#define MOD_REDIR307_REQUEST_KEY_H

#include "mod_redir307/slice.h"

#include <stdint.h>

/* What costs something to look up is asked for when a rule wants to know it. A NULL function: there is none. */
struct request_fields {
    /* All field lines of that name, joined by ", "; false: absent. Names compare without case. */
    bool (*header)(void *baton, struct slice name, struct slice *value);
    bool (*env)(void *baton, struct slice name, struct slice *value);
    bool (*flag)(void *baton, struct slice name);
    void *baton;
};

struct request_client {
    uint8_t family;      /* 4 or 6; 0: unknown. An IPv4 address mapped into IPv6 is given as IPv4 */
    uint8_t address[16]; /* network order; IPv4 in the first four */
};

struct regex_scratch; /* mod_redir307/regex.h */

struct request_key {
    struct slice method;    /* as sent: case counts */
    struct slice scheme;    /* "http" or "https" */
    bool scheme_was_forwarded; /* scheme was read from a trusted X-Forwarded-Proto: named in Vary when it decides */
    struct slice host;      /* normal form (url_normalize_host); empty: none was sent */
    uint16_t port;          /* the port the client named or the scheme's default */
    struct slice path;      /* raw, as in the request target, up to "?" */
    bool has_query;
    struct slice query;     /* raw, without "?" */
    const struct request_fields *fields; /* NULL: no fields, environment or flags */
    struct request_client client;
    int64_t time_s;         /* Unix time of the request */
    bool chance_is_fixed;   /* `chance` is the draw of every condition (tests), else the seed of their draws */
    uint64_t chance;        /* fixed: millionths, 0-999999; else any random number */
    unsigned busy_percent;  /* share of the server's workers that are busy */
    struct regex_scratch *regex; /* one a thread; NULL: no regex matches */
    bool is_preflight;      /* OPTIONS with Origin and Access-Control-Request-Method */
};

#endif
