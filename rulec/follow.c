/* SPDX-License-Identifier: Apache-2.0 */
/* A client's walk from Location to Location. */
#include "config.h"

#include "rulec/follow.h"

#include "mod_redir307/hash.h"

#include <stdio.h>

void follow_start(struct follow *follow, const struct ruleset *ruleset, const struct request_key *key)
{
    follow->ruleset = ruleset;
    follow->key = *key;
    follow->answer = (struct answer){ .outcome = ANSWER_NONE };
}

static bool port_of(const struct url_parts *parts, uint16_t *port)
{
    unsigned value = 0;

    if (parts->port.size == 0) {
        *port = url_default_port(parts->scheme);
        return *port != 0;
    }
    for (size_t i = 0; i < parts->port.size && value <= UINT16_MAX; i++) {
        if (parts->port.data[i] < '0' || parts->port.data[i] > '9') return false;
        value = value * 10 + (unsigned)(parts->port.data[i] - '0');
    }
    *port = (uint16_t)value;
    return value > 0 && value <= UINT16_MAX;
}

bool follow_to(struct follow *follow, struct slice location)
{
    struct url_parts parts;

    if (location.size > ANSWER_LOCATION_LIMIT) return false;
    if (location.size) memmove(follow->location, location.data, location.size);
    if (!url_split(slice_of(follow->location, location.size), &parts)) return false;
    if (parts.has_authority) {
        struct slice host;
        uint16_t port;

        if (parts.scheme.size == 0) parts.scheme = follow->key.scheme;
        if (!port_of(&parts, &port) || !url_normalize_host(parts.host, follow->host, &host)) return false;
        follow->key.scheme = slice_equal(parts.scheme, SLICE("https")) ? SLICE("https") : SLICE("http");
        follow->key.host = host;
        follow->key.port = port;
    }
    follow->key.path = parts.path.size ? parts.path : SLICE("/");
    follow->key.has_query = parts.has_query;
    follow->key.query = parts.query;
    return true;
}

struct slice follow_method_after(struct slice method, unsigned status)
{
    bool is_post = slice_equal(method, SLICE("POST")), is_head = slice_equal(method, SLICE("HEAD"));

    if (status == 303 && !is_head) return SLICE("GET");
    return is_post && (status == 301 || status == 302) ? SLICE("GET") : method;
}

bool follow_step(struct follow *follow)
{
    answer_request(follow->ruleset, &follow->key, &follow->scratch, NULL, &follow->answer);
    if (follow->answer.outcome != ANSWER_SEND || follow->answer.location.size == 0) return false;
    if (!follow_to(follow, follow->answer.location)) return false;
    follow->key.method = follow_method_after(follow->key.method, follow->answer.status);
    return true;
}

uint64_t follow_hash(const struct follow *follow)
{
    const struct request_key *key = &follow->key;
    uint64_t hash = hash_bytes(key->host, (uint64_t)key->port << 1 | (key->scheme.size == 5));

    hash = hash_bytes(key->method, hash);
    hash = hash_bytes(key->path, hash);
    return key->has_query ? hash_bytes(key->query, hash + 1) : hash;
}

void follow_url(const struct follow *follow, char *buffer, size_t size)
{
    const struct request_key *key = &follow->key;
    bool has_port = key->port != url_default_port(key->scheme);
    char port[8] = "";

    if (has_port) snprintf(port, sizeof port, ":%u", key->port);
    snprintf(buffer, size, "%.*s://%.*s%s%.*s%s%.*s", (int)key->scheme.size, key->scheme.data, (int)key->host.size,
             key->host.data, port, (int)key->path.size, key->path.data, key->has_query ? "?" : "",
             (int)(key->has_query ? key->query.size : 0), key->has_query ? key->query.data : "");
}
