/* SPDX-License-Identifier: Apache-2.0 */
/* How an answer becomes httpd's response: its fields, and what is sent. What was decided in
 * answer.c is judged once more where bytes of a mapped file could have changed. */
#include "mod_redir307/mod_redir307.h"

#include "mod_redir307/trace.h"

#include "apr_strings.h"
#include "http_core.h"
#include "http_log.h"
#include "http_protocol.h"
#include "http_request.h"
#include "mod_core.h"

APLOG_USE_MODULE(redir307);

/* Statuses that an answer may have. Bytes of a mapped file can change under us, and httpd makes
 * an error page of anything odd. */
static bool is_status(unsigned status)
{
    switch (status) {
    case 301:
    case 302:
    case 303:
    case 307:
    case 308:
    case 403:
    case 404:
    case 406:
    case 410:
    case 414:
    case 451:
    case 503:
        return true;
    default:
        return false;
    }
}

static bool is_redirect(unsigned status)
{
    return status / 100 == 3;
}

/* A control byte would end the connection in httpd's own check (RFC 9110, 5.5). */
static bool is_field_value(struct slice value)
{
    for (size_t i = 0; i < value.size; i++) {
        unsigned char byte = (unsigned char)value.data[i];

        if ((byte < 0x20 && byte != '\t') || byte == 0x7f) {
            return false;
        }
    }
    return true;
}

static bool names_field(const char *list, struct slice name)
{
    while (list && *list) {
        size_t size;

        list += strspn(list, ", \t");
        size = strcspn(list, ", \t");
        if (size == name.size && ap_cstr_casecmpn(list, name.data, size) == 0) {
            return true;
        }
        list += size;
    }
    return false;
}

/* Into err_headers_out: the one table that every kind of response sends, be it a file, a
 * backend's or an error page. What stands there stays, and httpd joins it with the other
 * table's. */
static void add_vary(request_rec *r, struct slice vary)
{
    const char *present = vary.size ? apr_table_get(r->err_headers_out, "Vary") : NULL;

    while (vary.size) {
        const char *comma = memchr(vary.data, ',', vary.size);
        struct slice name =
            slice_of(vary.data, comma ? (size_t)(comma - vary.data) : vary.size);

        vary = comma ? slice_of(comma + 1, vary.size - name.size - 1) : SLICE("");
        while (vary.size && *vary.data == ' ') {
            vary = slice_of(vary.data + 1, vary.size - 1);
        }
        if (name.size && !names_field(present, name)) {
            apr_table_mergen(r->err_headers_out, "Vary",
                             apr_pstrmemdup(r->pool, name.data, name.size));
            present = apr_table_get(r->err_headers_out, "Vary");
        }
    }
}

/* Which rule it was: %{REDIR307_RULE}e and %{redir307}n in a log format. */
static void note_rule(request_rec *r, const struct ruleset *ruleset, uint32_t place)
{
    const struct ruleset_place where = ruleset_place(ruleset, place);
    size_t room = where.source.size + TRACE_WHERE_EXTRA;
    char *rule = apr_palloc(r->pool, room);

    trace_where(&where, rule, room);
    apr_table_setn(r->subprocess_env, "REDIR307_RULE", rule);
    apr_table_setn(r->notes, "redir307", rule);
}

static void expose(request_rec *r, enum expose what, const struct ruleset *ruleset)
{
    char id[RULESET_ID_SIZE + 1];

    if (what == EXPOSE_ID) {
        ruleset_id(ruleset, id);
        apr_table_setn(r->err_headers_out, "X-Redirect-By",
                       apr_pstrcat(r->pool, "redir307; id=", id, NULL));
    } else if (what == EXPOSE_RULE) {
        /* A file's name may hold anything: it is written like a path. */
        apr_table_setn(
            r->err_headers_out, "X-Redirect-By",
            apr_pstrcat(r->pool, "redir307; rule=",
                        ap_os_escape_path(r->pool, apr_table_get(r->notes, "redir307"), 1),
                        NULL));
    }
}

/* ap_die() throws away every field but Location and what stands in err_headers_out. */
static void set_fields(request_rec *r, const struct ruleset *ruleset,
                       const struct answer *answer)
{
    struct slice name, value;

    if (answer->location.size) {
        apr_table_setn(r->headers_out, "Location",
                       apr_pstrmemdup(r->pool, answer->location.data, answer->location.size));
    }
    if (answer->cache_control.size) {
        apr_table_setn(
            r->err_headers_out, "Cache-Control",
            apr_pstrmemdup(r->pool, answer->cache_control.data, answer->cache_control.size));
    }
    for (unsigned i = 0;
         answer->headers && answer_header(ruleset, answer->headers, i, &name, &value); i++) {
        /* The copies are judged: the map's bytes could change in between. */
        name.data = apr_pstrmemdup(r->pool, name.data, name.size);
        value.data = apr_pstrmemdup(r->pool, value.data, value.size);
        if (name.size && is_field_value(name) && is_field_value(value)) {
            apr_table_addn(r->err_headers_out, name.data, value.data);
        }
    }
}

int response_prepare(request_rec *r, const struct server_settings *server,
                     const struct ruleset *ruleset, const struct answer *answer)
{
    add_vary(r, answer->vary);
    if (answer->outcome == ANSWER_NONE ||
        (answer->outcome == ANSWER_SEND &&
         (!is_status(answer->status) ||
          (is_redirect(answer->status) && !answer->location.size)))) {
        return DECLINED;
    }
    note_rule(r, ruleset, answer->place);
    if (answer->identity) {
        counters_add(rules_file_salt(server->file) ^ answer->identity,
                     apr_time_sec(r->request_time));
    }
    if (answer->outcome == ANSWER_PASS) {
        return DECLINED;
    }
    set_fields(r, ruleset, answer);
    expose(r, server->expose, ruleset);
    return (int)answer->status;
}

/* An ErrorDocument for this status is httpd's to send. */
static bool has_error_document(request_rec *r, int status)
{
    return ap_response_code_string(r, ap_index_of_response(status)) != NULL;
}

/* The link that RFC 9110, 15.4 asks for. Written here in one piece: httpd's own page takes a
 * fifth of the instructions of an answer. */
static const char *write_note(request_rec *r, int status)
{
    const char *title = ap_get_status_line(status);
    const char *target = apr_table_get(r->headers_out, "Location");

    /* Nothing else of a Location could end an attribute. */
    if (strchr(target, '&')) {
        target = ap_escape_html(r->pool, target);
    }
    return apr_pstrcat(r->pool, "<!DOCTYPE html>\n<title>", title, "</title>\n<h1>", title + 4,
                       "</h1>\n<p>The document has moved <a href=\"", target, "\">here</a>.</p>\n",
                       NULL);
}

/* APR's rings cast a volatile away (apr_ring.h, APR_RING_SENTINEL), and clang warns where they
 * are used. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wcast-qual"

/* The answer, complete. The filters are those of an error page: "Header always" holds, "Header"
 * does not. */
static int send_note(request_rec *r, int status, const char *note)
{
    apr_bucket_alloc_t *buckets = r->connection->bucket_alloc;
    size_t size = strlen(note);
    apr_bucket_brigade *body;

    r->status = status;
    ap_set_content_length(r, (apr_off_t)size);
    ap_set_content_type(r, "text/html; charset=us-ascii");
    ap_run_insert_error_filter(r);
    if (!r->header_only) {
        body = apr_brigade_create(r->pool, buckets);
        APR_BRIGADE_INSERT_TAIL(body, apr_bucket_pool_create(note, size, r->pool, buckets));
        APR_BRIGADE_INSERT_TAIL(body, apr_bucket_eos_create(buckets));
        ap_pass_brigade(r->output_filters, body);
    }
    return DONE;
}

#pragma GCC diagnostic pop

static int send_without_body(request_rec *r, int status)
{
    r->status = status;
    r->clength = 0;
    apr_table_setn(r->headers_out, "Content-Length", "0");
    ap_run_insert_error_filter(r);
    return DONE;
}

/* What has no target, or an ErrorDocument, is httpd's to write. */
static int send_with_body(request_rec *r, int status)
{
    return is_redirect((unsigned)status) && !has_error_document(r, status)
               ? send_note(r, status, write_note(r, status))
               : status;
}

int response_send(request_rec *r, const struct server_settings *server, int status)
{
    int settled;

    if (status == HTTP_REQUEST_URI_TOO_LARGE) {
        ap_log_rerror(
            APLOG_MARK, APLOG_INFO, 0, r,
            "R307-907: the Location by rule %s would have over %d bytes; answered by 414",
            apr_table_get(r->notes, "redir307"), ANSWER_LOCATION_LIMIT);
    }
    settled = body_settle(r, server->early_close);
    if (settled != OK) {
        return settled;
    }
    return server->note == TOGGLE_OFF ? send_without_body(r, status) : send_with_body(r, status);
}
