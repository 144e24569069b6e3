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
static const char *note_rule(request_rec *r, const struct ruleset *ruleset, uint32_t place)
{
    const struct ruleset_place where = ruleset_place(ruleset, place);
    size_t room = where.source.size + TRACE_WHERE_EXTRA;
    char *rule = apr_palloc(r->pool, room);

    trace_where(&where, rule, room);
    apr_table_setn(r->subprocess_env, "REDIR307_RULE", rule);
    apr_table_setn(r->notes, "redir307", rule);
    return rule;
}

static void expose(request_rec *r, enum expose what, const struct ruleset *ruleset,
                   const char *rule)
{
    char id[RULESET_ID_SIZE + 1];

    if (what == EXPOSE_ID) {
        ruleset_id(ruleset, id);
        apr_table_setn(r->err_headers_out, "X-Redirect-By",
                       apr_pstrcat(r->pool, "redir307; id=", id, NULL));
    } else if (what == EXPOSE_RULE) {
        /* A file's name may hold anything: it is written like a path. */
        apr_table_setn(r->err_headers_out, "X-Redirect-By",
                       apr_pstrcat(r->pool, "redir307; rule=",
                                   ap_os_escape_path(r->pool, rule, 1), NULL));
    }
}

static void add_headers(request_rec *r, const struct ruleset *ruleset, uint32_t headers)
{
    struct slice name, value;

    for (unsigned i = 0; answer_header(ruleset, headers, i, &name, &value); i++) {
        /* The copies are judged: the map's bytes could change in between. */
        name.data = apr_pstrmemdup(r->pool, name.data, name.size);
        value.data = apr_pstrmemdup(r->pool, value.data, value.size);
        if (name.size && is_field_value(name) && is_field_value(value)) {
            apr_table_addn(r->err_headers_out, name.data, value.data);
        }
    }
}

static const char *copy(request_rec *r, struct slice text)
{
    return text.size ? apr_pstrmemdup(r->pool, text.data, text.size) : NULL;
}

bool response_prepare(request_rec *r, const struct server_settings *server,
                      const struct ruleset *ruleset, const struct answer *answer,
                      struct response *response)
{
    add_vary(r, answer->vary);
    if (answer->outcome == ANSWER_NONE ||
        (answer->outcome == ANSWER_SEND &&
         (!is_status(answer->status) ||
          (is_redirect(answer->status) && !answer->location.size)))) {
        return false;
    }
    response->rule = note_rule(r, ruleset, answer->place);
    if (answer->identity) {
        counters_add(rules_file_salt(server->file) ^ answer->identity,
                     apr_time_sec(r->request_time));
    }
    if (answer->outcome == ANSWER_PASS) {
        return false;
    }
    response->status = (int)answer->status;
    response->location = copy(r, answer->location);
    response->cache_control = answer->has_fixed_cache_control
                                  ? answer->cache_control.data
                                  : copy(r, answer->cache_control);
    if (answer->headers) {
        add_headers(r, ruleset, answer->headers);
    }
    expose(r, server->expose, ruleset, response->rule);
    return true;
}

/* An ErrorDocument for this status is httpd's to send. */
static bool has_error_document(request_rec *r, int status)
{
    return ap_response_code_string(r, ap_index_of_response(status)) != NULL;
}

/* What has no target, or an ErrorDocument, is httpd's to write. It throws away every field but
 * Location and what stands in err_headers_out. */
static int leave_page(request_rec *r, const struct response *response)
{
    if (response->cache_control) {
        apr_table_setn(r->err_headers_out, "Cache-Control", response->cache_control);
    }
    return response->status;
}

/* The rest of an answer of our own. The filters are those of an error page: "Header always"
 * holds, "Header" does not. Where there is none of them and nothing else in err_headers_out,
 * no field goes there: what httpd takes to join its two tables is a tenth of an answer. */
static void finish_head(request_rec *r, const struct response *response)
{
    const ap_filter_t *filters = r->output_filters;
    bool is_joined;

    r->status = response->status;
    ap_run_insert_error_filter(r);
    if (response->cache_control) {
        is_joined = r->output_filters != filters || !apr_is_empty_table(r->err_headers_out);
        apr_table_setn(is_joined ? r->err_headers_out : r->headers_out, "Cache-Control",
                       response->cache_control);
    }
}

/* The link that RFC 9110, 15.4 asks for. Written here in one piece: httpd's own page takes a
 * fifth of the instructions of an answer. */
static const char *write_note(request_rec *r, const struct response *response)
{
    const char *title = ap_get_status_line(response->status);
    const char *target = response->location;

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

static int send_note(request_rec *r, const struct response *response)
{
    apr_bucket_alloc_t *buckets = r->connection->bucket_alloc;
    const char *note = write_note(r, response);
    size_t size = strlen(note);
    apr_bucket_brigade *body;

    if (r->header_only) { /* else httpd counts it */
        ap_set_content_length(r, (apr_off_t)size);
    }
    ap_set_content_type(r, "text/html; charset=us-ascii");
    finish_head(r, response);
    if (!r->header_only) {
        body = apr_brigade_create(r->pool, buckets);
        APR_BRIGADE_INSERT_TAIL(body, apr_bucket_pool_create(note, size, r->pool, buckets));
        APR_BRIGADE_INSERT_TAIL(body, apr_bucket_eos_create(buckets));
        ap_pass_brigade(r->output_filters, body);
    }
    return DONE;
}

#pragma GCC diagnostic pop

int response_send(request_rec *r, const struct server_settings *server,
                  const struct response *response)
{
    int settled;

    if (response->status == HTTP_REQUEST_URI_TOO_LARGE) {
        ap_log_rerror(
            APLOG_MARK, APLOG_INFO, 0, r,
            "R307-907: the Location by rule %s would have over %d bytes; answered by 414",
            response->rule, ANSWER_LOCATION_LIMIT);
    }
    settled = body_settle(r, server->early_close);
    if (settled != OK) {
        return settled;
    }
    if (response->location) {
        apr_table_setn(r->headers_out, "Location", response->location);
    }
    if (server->note == TOGGLE_OFF) {
        finish_head(r, response);
        return DONE; /* httpd says that there is no body: "Content-Length: 0" */
    }
    return is_redirect((unsigned)response->status) && !has_error_document(r, response->status)
               ? send_note(r, response)
               : leave_page(r, response);
}
