/* SPDX-License-Identifier: Apache-2.0 */
/* The body of a request whose answer is known already. Before its own pages httpd reads it to
 * its end on HTTP/1, and tells what is wrong with it instead. On HTTP/2 it does not: it answers
 * and resets the stream, which RFC 9113, 8.1 allows, and which curl 7.88 and Python's httpx,
 * still sending what goes past the first window of 64 KiB, take for a failure. Here it is read
 * on both. */
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
static int read_body_of_stream(request_rec *r)
{
    ap_conn_keepalive_e keepalive = r->connection->keepalive;
    int status;

    r->connection->keepalive = AP_CONN_UNKNOWN;
    status = ap_discard_request_body(r);
    r->connection->keepalive = keepalive;
    /* Over LimitRequestBody: the 413 went out already. */
    return status == AP_FILTER_ERROR ? AP_FILTER_ERROR : OK;
}

static bool announces_body(const request_rec *r)
{
    return apr_table_get(r->headers_in, "Content-Length") ||
           apr_table_get(r->headers_in, "Transfer-Encoding");
}

/* A body that is cut off, malformed or over LimitRequestBody is answered by that: 408, 400 or
 * 413, as before httpd's own pages. */
int body_settle(request_rec *r, apr_off_t early_close)
{
    bool is_early = early_close != EARLY_CLOSE_OFF && has_body_above(r, early_close);

    if (is_early && !r->connection->master) {
        r->connection->keepalive = AP_CONN_CLOSE;
    }
    /* Who waits for a word before sending gets the answer instead. */
    if (is_early || r->expecting_100) {
        return OK;
    }
    if (r->connection->master) {
        return read_body_of_stream(r);
    }
    return announces_body(r) ? ap_discard_request_body(r) : OK;
}
