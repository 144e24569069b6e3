/* SPDX-License-Identifier: Apache-2.0 */
/* httpd's request as the engine wants it. The path and the query are the bytes that the client
 * sent: what httpd decoded cannot tell `%2F` from `/` or `%3F` from `?` any more, so the engine
 * has a normal form of its own. */
#include "mod_redir307/mod_redir307.h"

#include "mod_redir307/regex.h"

#include "apr_network_io.h"
#include "http_core.h"
#include "http_protocol.h"

#include <pthread.h>
#include <stdlib.h>

/* "/a?b" (origin-form) or "http://h/a?b" (absolute-form). */
void request_target_read(const request_rec *r, struct request_target *target)
{
    const char *text = r->unparsed_uri, *mark;
    size_t size, path_size;

    *target = (struct request_target){ .has_query = false };
    if (*text != '/') {
        const char *authority = strstr(text, "://");

        if (!authority) {
            return; /* "?x", which httpd takes for "/": an empty path matches no rule */
        }
        text = authority + 3 + strcspn(authority + 3, "/?");
    }
    size = strlen(text);
    mark = memchr(text, '?', size);
    path_size = mark ? (size_t)(mark - text) : size;
    /* "http://h" and "http://h?q" ask for "/" (RFC 9112, 3.2.2). */
    target->path = path_size ? slice_of(text, path_size) : SLICE("/");
    if (mark) {
        target->has_query = true;
        target->query = slice_of(mark + 1, size - path_size - 1);
    }
}

static bool is_trusted(const request_rec *r, const apr_array_header_t *trusted)
{
    for (int i = 0; trusted && i < trusted->nelts; i++) {
        /* The peer of this connection, whoever mod_remoteip says the client is. */
        if (apr_ipsubnet_test(APR_ARRAY_IDX(trusted, i, apr_ipsubnet_t *),
                              r->connection->client_addr)) {
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

/* httpd's tables want a name that ends in NUL. */
enum { FIELD_NAME_LIMIT = 255 };

static bool get_from(const apr_table_t *table, struct slice name, struct slice *value)
{
    char name_string[FIELD_NAME_LIMIT + 1];
    const char *found;

    if (name.size > FIELD_NAME_LIMIT) {
        return false;
    }
    memcpy(name_string, name.data, name.size);
    name_string[name.size] = '\0';
    found = apr_table_get(table, name_string);
    if (found) {
        *value = slice_from_string(found);
    }
    return found != NULL;
}

/* httpd has joined repeated lines by ", " already. */
static bool get_header(void *baton, struct slice name, struct slice *value)
{
    const struct request_memory *memory = baton;

    return get_from(memory->r->headers_in, name, value);
}

/* What SetEnvIf and modules before us set; SetEnv comes later. */
static bool get_env(void *baton, struct slice name, struct slice *value)
{
    const struct request_memory *memory = baton;

    return get_from(memory->r->subprocess_env, name, value);
}

static bool get_flag(void *baton, struct slice name)
{
    const struct request_memory *memory = baton;

    return flag_is_on(memory->flags, name);
}

/* The client as mod_remoteip and others see it. */
static struct request_client read_client(const request_rec *r)
{
    static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
    const apr_sockaddr_t *address = r->useragent_addr;
    struct request_client client = { .family = 0 };

    if (address && address->family == APR_INET) {
        client.family = 4;
        memcpy(client.address, &address->sa.sin.sin_addr, 4);
    }
#if APR_HAVE_IPV6
    else if (address && address->family == APR_INET6) {
        const uint8_t *bytes = (const uint8_t *)&address->sa.sin6.sin6_addr;

        if (memcmp(bytes, mapped, sizeof(mapped)) == 0) {
            client.family = 4;
            memcpy(client.address, bytes + sizeof(mapped), 4);
        } else {
            client.family = 6;
            memcpy(client.address, bytes, 16);
        }
    }
#endif
    return client;
}

/* Another number for each request of each child: for sharing out load, not for secrets. The
 * engine mixes it. */
static uint64_t draw(const request_rec *r)
{
    uint64_t number = (uint64_t)r->request_time * 0x9e3779b97f4a7c15u;

    number ^= (uint64_t)r->connection->id << 32 ^ (uint64_t)(uintptr_t)r ^
              (uint64_t)r->connection->keepalives << 48;
    number = (number ^ number >> 31) * 0xbf58476d1ce4e5b9u;
    return number ^ number >> 29;
}

static pthread_key_t scratch_key;
static bool has_scratch_key;

static void close_scratch(void *scratch)
{
    regex_scratch_close(((struct request_scratch *)scratch)->regex);
    free(scratch);
}

/* Threads that end later leave their memory to the process. */
static apr_status_t forget_key(void *baton)
{
    (void)baton;
    has_scratch_key = false;
    pthread_key_delete(scratch_key);
    return APR_SUCCESS;
}

void request_scratch_init(apr_pool_t *pchild)
{
    has_scratch_key = pthread_key_create(&scratch_key, close_scratch) == 0;
    if (has_scratch_key) {
        apr_pool_cleanup_register(pchild, NULL, forget_key, apr_pool_cleanup_null);
    }
}

static apr_status_t close_regex(void *baton)
{
    struct request_scratch *scratch = baton;

    regex_scratch_close(scratch->regex);
    return APR_SUCCESS;
}

struct request_scratch *request_scratch(const request_rec *r)
{
    struct request_scratch *scratch =
        has_scratch_key ? pthread_getspecific(scratch_key) : NULL;

    if (scratch) {
        return scratch;
    }
    scratch = has_scratch_key ? malloc(sizeof(*scratch)) : NULL;
    if (!scratch || pthread_setspecific(scratch_key, scratch) != 0) {
        free(scratch);
        scratch = apr_palloc(r->pool, sizeof(*scratch));
        apr_pool_cleanup_register(r->pool, scratch, close_regex, apr_pool_cleanup_null);
    }
    scratch->regex = NULL;
    return scratch;
}

void request_key_read(const request_rec *r, const struct server_settings *server,
                      const struct request_target *target, struct request_memory *memory,
                      struct request_key *key)
{
    *key = (struct request_key){ .method = slice_from_string(r->method),
                                 .path = target->path,
                                 .has_query = target->has_query,
                                 .query = target->query };

    key->scheme = slice_from_string(ap_http_scheme(r));
    if (is_trusted(r, server->trusted)) {
        struct slice forwarded = forwarded_scheme(r);

        /* The field was looked for, so the answer depends on it even where it is absent. */
        key->scheme_was_forwarded = true;
        if (forwarded.size) {
            key->scheme = forwarded;
        }
    }

    /* r->hostname is checked and lower case already; a name that no site can have stays
     * empty. */
    if (!r->hostname ||
        !url_normalize_host(slice_from_string(r->hostname), memory->host, &key->host)) {
        key->host = SLICE("");
    }
    key->port = r->parsed_uri.port_str ? r->parsed_uri.port : url_default_port(key->scheme);
    key->is_preflight = is_preflight(r);
}

void request_facts_read(const request_rec *r, const struct flag_names *flags,
                        struct request_memory *memory, struct request_key *key)
{
    memory->r = r;
    memory->flags = flags;
    memory->fields = (struct request_fields){
        .header = get_header, .env = get_env, .flag = get_flag, .baton = memory
    };
    key->fields = &memory->fields;
    key->client = read_client(r);
    key->time_s = apr_time_sec(r->request_time);
    key->chance = draw(r);
    key->busy_percent = busy_percent_now();
}
