/* SPDX-License-Identifier: Apache-2.0 */
/* The body of a request whose answer is known already. On HTTP/1 httpd reads it to its end
 * before the answer goes out. On HTTP/2 it does not: it answers and resets the stream, which
 * RFC 9113, 8.1 allows, and which curl 7.88 and Python's httpx, still sending what goes past the
 * first window of 64 KiB, take for a failure. So there it is read here. */
#include "mod_redir307/mod_redir307.h"

#include "apr_strings.h"
#include "http_core.h"
#include "http_protocol.h"

/* A body that is longer than this, or says no length. A length that is none was refused by
 * httpd already. */
static bool has_body_above(request_rec *r, apr_off_t limit)
{
    const char *length = apr_table_get(r->headers_in, "Content-Length");
    apr_off_t size;
    char *end;

    if (apr_table_get(r->headers_in, "Transfer-Encoding")) {
        return true;
    }
    if (!length) {
        return ap_request_has_body(r);
    }
    return apr_strtoff(&size, length, &end, 10) != APR_SUCCESS || *end || size > limit;
}

/* httpd's own reading and forgetting, which spares connections that are to end: as each one that
 * stands for a stream is marked. What comes too late for Timeout is declined by the answer. */
static int read_body(request_rec *r)
{
    ap_conn_keepalive_e keepalive = r->connection->keepalive;
    int status;

    r->connection->keepalive = AP_CONN_UNKNOWN;
    status = ap_discard_request_body(r);
    r->connection->keepalive = keepalive;
    /* Over LimitRequestBody: the 413 went out already. */
    return status == AP_FILTER_ERROR ? AP_FILTER_ERROR : OK;
}

int body_settle(request_rec *r, apr_off_t early_close)
{
    bool is_early = early_close != EARLY_CLOSE_OFF && has_body_above(r, early_close);

    if (!r->connection->master) {
        if (is_early) {
            r->connection->keepalive = AP_CONN_CLOSE;
        }
        return OK;
    }
    /* Who waits for a word before sending gets the answer instead. */
    return is_early || r->expecting_100 ? OK : read_body(r);
}
