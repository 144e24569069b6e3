/* SPDX-License-Identifier: Apache-2.0 */
/* httpd's request as the engine wants it. The path and the query are the bytes that the client sent: what httpd
 * decoded cannot tell `%2F` from `/` or `%3F` from `?` any more, so the engine has a normal form of its own. */
#include "mod_redir307/mod_redir307.h"

#include "apr_network_io.h"
#include "http_core.h"
#include "http_protocol.h"

/* The path and query of a request target: "/a?b" (origin-form) or "http://h/a?b" (absolute-form). */
static void read_target(const char *target, struct request_key *key)
{
    size_t path_size;

    if (*target != '/') {
        const char *authority = strstr(target, "://");

        if (!authority) {
            return; /* "?x", which httpd takes for "/": an empty path matches no rule */
        }
        target = authority + 3 + strcspn(authority + 3, "/?#");
    }
    path_size = strcspn(target, "?#");
    /* "http://h" and "http://h?q" ask for "/" (RFC 9112, 3.2.2). */
    key->path = path_size ? slice_of(target, path_size) : SLICE("/");
    if (target[path_size] == '?') {
        key->has_query = true;
        key->query = slice_of(target + path_size + 1, strcspn(target + path_size + 1, "#"));
    }
}

static bool is_trusted(const request_rec *r, const apr_array_header_t *trusted)
{
    for (int i = 0; trusted && i < trusted->nelts; i++) {
        /* The peer of this connection, whoever mod_remoteip says the client is. */
        if (apr_ipsubnet_test(APR_ARRAY_IDX(trusted, i, apr_ipsubnet_t *), r->connection->client_addr)) {
            return true;
        }
    }
    return false;
}

/* Only "http" and "https" count. Of several values the last is our proxy's own. */
static struct slice forwarded_scheme(const request_rec *r)
{
    const char *value = apr_table_get(r->headers_in, "X-Forwarded-Proto");
    const char *last = value ? strrchr(value, ',') : NULL;
    size_t size;

    if (!value) {
        return SLICE("");
    }
    last = last ? last + 1 : value;
    last += strspn(last, " \t");
    size = strcspn(last, " \t");
    if (last[size + strspn(last + size, " \t")] != '\0') {
        return SLICE("");
    }
    if (size == 4 && ap_cstr_casecmpn(last, "http", size) == 0) {
        return SLICE("http");
    }
    if (size == 5 && ap_cstr_casecmpn(last, "https", size) == 0) {
        return SLICE("https");
    }
    return SLICE("");
}

static bool is_preflight(const request_rec *r)
{
    return r->method_number == M_OPTIONS && apr_table_get(r->headers_in, "Origin") &&
           apr_table_get(r->headers_in, "Access-Control-Request-Method");
}

void request_key_read(const request_rec *r, const apr_array_header_t *trusted, char host[URL_HOST_LIMIT + 1],
                      struct request_key *key)
{
    *key = (struct request_key){ .method = slice_from_string(r->method) };
    read_target(r->unparsed_uri, key);

    key->scheme = slice_from_string(ap_http_scheme(r));
    if (is_trusted(r, trusted)) {
        struct slice forwarded = forwarded_scheme(r);

        /* The field was looked for, so the answer depends on it even where it is absent. */
        key->scheme_was_forwarded = true;
        if (forwarded.size) {
            key->scheme = forwarded;
        }
    }

    /* r->hostname is checked and lower case already; a name that no site can have stays empty. */
    if (!r->hostname || !url_normalize_host(slice_from_string(r->hostname), host, &key->host)) {
        key->host = SLICE("");
    }
    key->port = r->parsed_uri.port_str ? r->parsed_uri.port : url_default_port(key->scheme);
    key->is_preflight = is_preflight(r);
}
