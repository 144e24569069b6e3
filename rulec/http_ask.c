/* SPDX-License-Identifier: Apache-2.0 */
/* One connection, kept alive from request to request. The request target is sent byte for byte, so that the server's
 * own reading of it is what is tested. */
#include "config.h"

#include "rulec/http_ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#ifdef HAVE_LIBCURL

#include <curl/curl.h>

enum { FIELD_LIMIT = 64, TEXT_LIMIT = 65536, PATIENCE_S = 20 };

struct http_asker {
    CURL *curl;
    char server[512];
    char error[CURL_ERROR_SIZE];
    struct plan_header fields[FIELD_LIMIT];
    size_t field_count;
    size_t text_size;
    char text[TEXT_LIMIT]; /* what the fields' slices lie in */
    char target[3 * (URL_PATH_LIMIT + URL_PATH_LIMIT) + 2];
};

bool http_ask_is_built(void)
{
    return true;
}

/* libcurl's callback: one line of the head at a time. A new status line (after a 100) starts again. */
static size_t keep_field(char *line, size_t size, size_t count, void *baton)
{
    struct http_asker *asker = baton;
    size_t bytes = size * count;
    char *kept = asker->text + asker->text_size;
    struct slice field;
    const char *colon;

    if (bytes >= 5 && memcmp(line, "HTTP/", 5) == 0) {
        asker->field_count = 0;
        asker->text_size = 0;
        return bytes;
    }
    if (asker->field_count == FIELD_LIMIT || bytes > TEXT_LIMIT - asker->text_size)
        return bytes;
    memcpy(kept, line, bytes);
    asker->text_size += bytes;
    field = slice_without_cr(slice_of(kept, bytes && kept[bytes - 1] == '\n' ? bytes - 1 : bytes));
    colon = field.size ? memchr(field.data, ':', field.size) : NULL;
    if (colon) {
        size_t name_size = (size_t)(colon - field.data);

        asker->fields[asker->field_count++] =
            (struct plan_header){ .name = slice_trim(slice_of(field.data, name_size)),
                                  .value = slice_trim(slice_of(colon + 1, field.size - name_size - 1)) };
    }
    return bytes;
}

static size_t drop_body(char *bytes, size_t size, size_t count, void *baton)
{
    (void)bytes;
    (void)baton;
    return size * count;
}

struct http_asker *http_asker_open(const char *server, const char **reason)
{
    struct http_asker *asker = memory_resize(NULL, 1, sizeof *asker);
    size_t size = strlen(server);

    while (size && server[size - 1] == '/')
        size--;
    *reason = "no memory";
    if (size >= sizeof asker->server) {
        *reason = "it is too long";
        free(asker);
        return NULL;
    }
    memcpy(asker->server, server, size);
    asker->server[size] = '\0';
    asker->field_count = asker->text_size = 0;
    asker->curl = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? curl_easy_init() : NULL;
    if (asker->curl)
        return asker;
    free(asker);
    return NULL;
}

void http_asker_close(struct http_asker *asker)
{
    if (!asker)
        return;
    curl_easy_cleanup(asker->curl);
    curl_global_cleanup();
    free(asker);
}

static struct curl_slist *add_line(struct curl_slist *lines, struct arena *arena, const char *name, struct slice value)
{
    return curl_slist_append(lines, arena_printf(arena, value.size ? "%s: %.*s" : "%s;", name, (int)value.size,
                                                 value.size ? value.data : ""));
}

static struct curl_slist *make_head(const struct request_key *key, const struct request_facts *facts)
{
    struct curl_slist *lines = NULL;
    bool is_ipv6 = key->host.size && memchr(key->host.data, ':', key->host.size);

    if (key->host.size) {
        const char *host = arena_printf(facts->arena, "%s%.*s%s", is_ipv6 ? "[" : "", (int)key->host.size, key->host.data,
                                        is_ipv6 ? "]" : "");

        if (key->port != url_default_port(key->scheme))
            host = arena_printf(facts->arena, "%s:%u", host, key->port);
        lines = add_line(lines, facts->arena, "Host", slice_from_string(host));
    }
    if (slice_equal(key->scheme, SLICE("https")))
        lines = add_line(lines, facts->arena, "X-Forwarded-Proto", key->scheme);
    /* libcurl would send one of its own: an expect without it means a request without it. */
    lines = curl_slist_append(lines, "Accept:");
    for (size_t i = 0; i < facts->field_count; i++)
        lines = add_line(lines, facts->arena, arena_string(facts->arena, facts->fields[i].name), facts->fields[i].value);
    return lines;
}

/* The target as a client sends it: bytes that may never stand in a URL are encoded, all others stay. */
static bool write_target(struct http_asker *asker, const struct request_key *key)
{
    size_t room = sizeof asker->target - 1;
    size_t size = url_encode(key->path, URL_IN_QUERY, asker->target, room);

    if (size < room && key->has_query) {
        asker->target[size++] = '?';
        size += url_encode(key->query, URL_IN_QUERY, asker->target + size, room - size);
    }
    if (size > room)
        return false;
    asker->target[size] = '\0';
    return true;
}

struct slice http_ask_field(const struct http_asker *asker, struct slice name)
{
    for (size_t i = 0; i < asker->field_count; i++)
        if (asker->fields[i].name.size == name.size &&
            strncasecmp(asker->fields[i].name.data, name.data, name.size) == 0)
            return asker->fields[i].value;
    return slice_of(NULL, 0);
}

bool http_ask(struct http_asker *asker, const struct request_key *key, const struct request_facts *facts,
              struct answer *answer, const char **reason)
{
    const char *method = arena_string(facts->arena, key->method);
    struct curl_slist *head = make_head(key, facts);
    CURL *curl = asker->curl;
    CURLcode result;
    long status = 0;

    *answer = (struct answer){ .outcome = ANSWER_NONE };
    if (!write_target(asker, key)) {
        *reason = "the URL is too long to be asked for";
        curl_slist_free_all(head);
        return false;
    }
    curl_easy_reset(curl); /* the connection stays */
    asker->error[0] = '\0';
    curl_easy_setopt(curl, CURLOPT_URL, asker->server);
    curl_easy_setopt(curl, CURLOPT_REQUEST_TARGET, asker->target);
#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(curl, CURLOPT_NOBODY, strcmp(method, "HEAD") == 0 ? 1L : 0L);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, head);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, keep_field);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, asker);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, drop_body);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, asker->error);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)PATIENCE_S);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    result = curl_easy_perform(curl);
    curl_slist_free_all(head);
    if (result != CURLE_OK) {
        *reason = asker->error[0] ? asker->error : curl_easy_strerror(result);
        return false;
    }
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    answer->status = (unsigned)status;
    answer->location = http_ask_field(asker, SLICE("Location"));
    if ((status >= 300 && status < 400 && answer->location.size) ||
        slice_starts_with(http_ask_field(asker, SLICE("X-Redirect-By")), SLICE("redir307")))
        answer->outcome = ANSWER_SEND;
    return true;
}

#else

bool http_ask_is_built(void)
{
    return false;
}

struct http_asker *http_asker_open(const char *server, const char **reason)
{
    (void)server;
    *reason = "this rulec was built without libcurl";
    return NULL;
}

void http_asker_close(struct http_asker *asker)
{
    (void)asker;
}

bool http_ask(struct http_asker *asker, const struct request_key *key, const struct request_facts *facts,
              struct answer *answer, const char **reason)
{
    (void)asker;
    (void)key;
    (void)facts;
    *answer = (struct answer){ .outcome = ANSWER_NONE };
    *reason = "this rulec was built without libcurl";
    return false;
}

struct slice http_ask_field(const struct http_asker *asker, struct slice name)
{
    (void)asker;
    (void)name;
    return slice_of(NULL, 0);
}

#endif
