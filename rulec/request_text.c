/* SPDX-License-Identifier: Apache-2.0 */
/* Splits what people write as a request. The path stays raw: bringing it into its normal form is the engine's part,
 * the same one for rulec and the module. */
#include "config.h"

#include "rulec/request_text.h"

#include <stddef.h>

void request_base_init(struct request_base *base)
{
    base->scheme = SLICE("http");
    base->host = slice_of(base->host_buffer, 0);
    base->port = 80;
}

/* Scheme names are compared without case (RFC 3986, 3.1). */
static bool is_word(struct slice text, const char *lower)
{
    if (strlen(lower) != text.size)
        return false;
    for (size_t i = 0; i < text.size; i++)
        if ((text.data[i] | 0x20) != lower[i])
            return false;
    return true;
}

/* Digits to a port; none: the scheme's. */
static bool read_port(struct slice digits, struct slice scheme, uint16_t *port)
{
    unsigned value = 0;

    if (digits.size == 0) {
        *port = url_default_port(scheme);
        return true;
    }
    for (size_t i = 0; i < digits.size; i++) {
        if (digits.data[i] < '0' || digits.data[i] > '9')
            return false;
        value = value * 10 + (unsigned)(digits.data[i] - '0');
        if (value > UINT16_MAX)
            return false;
    }
    *port = (uint16_t)value;
    return value != 0;
}

static const char *read_authority(const struct url_parts *parts, const struct request_base *base,
                                  char host_buffer[URL_HOST_LIMIT + 1], struct request_key *key)
{
    if (parts->scheme.size == 0)
        key->scheme = base->scheme;
    else if (is_word(parts->scheme, "https"))
        key->scheme = SLICE("https");
    else if (is_word(parts->scheme, "http"))
        key->scheme = SLICE("http");
    else
        return "its scheme is neither http nor https";
    if (!parts->has_authority)
        return "a URL with a scheme needs \"//\" and a host";
    if (!url_normalize_host(parts->host, host_buffer, &key->host))
        return "its host is not valid";
    if (!read_port(parts->port, key->scheme, &key->port))
        return "its port is not valid";
    return NULL;
}

static void set_target(const struct url_parts *parts, struct request_key *key)
{
    key->path = parts->path.size ? parts->path : SLICE("/");
    key->has_query = parts->has_query;
    key->query = parts->query;
}

static void set_base(const struct request_base *base, struct request_key *key)
{
    key->scheme = base->scheme;
    key->host = base->host;
    key->port = base->port;
}

const char *request_from_target(struct slice method, struct slice target, const struct request_base *base,
                                char host_buffer[URL_HOST_LIMIT + 1], struct request_key *key)
{
    const char *question, *end = target.data + target.size;

    if (target.size == 0 || target.data[0] != '/')
        return request_from_url(method, target, base, host_buffer, key);
    *key = (struct request_key){ .method = method };
    set_base(base, key);
    question = memchr(target.data, '?', target.size);
    key->path = slice_of(target.data, (size_t)((question ? question : end) - target.data));
    key->has_query = question != NULL;
    if (question)
        key->query = slice_of(question + 1, (size_t)(end - question) - 1);
    return NULL;
}

const char *request_from_url(struct slice method, struct slice url, const struct request_base *base,
                             char host_buffer[URL_HOST_LIMIT + 1], struct request_key *key)
{
    struct url_parts parts;
    const char *wrong;

    *key = (struct request_key){ .method = method };
    if (method.size == 0)
        return "the method is missing";
    if (url.size == 0)
        return "the URL is missing";
    if (!url_split(url, &parts))
        return "its host has an unbalanced bracket";
    if (parts.scheme.size || parts.has_authority) {
        wrong = read_authority(&parts, base, host_buffer, key);
        if (wrong)
            return wrong;
    } else if (parts.path.size && parts.path.data[0] == '/') {
        set_base(base, key);
    } else {
        return "a URL starts with \"/\", \"//\", \"http://\" or \"https://\"";
    }
    set_target(&parts, key);
    return NULL;
}

const char *request_base_set(struct request_base *base, const char *text)
{
    struct slice url = slice_from_string(text);
    struct url_parts parts;
    struct request_key key = { .port = 0 };
    struct request_base unset;
    char with_slashes[2 + URL_HOST_LIMIT + 8] = "//";
    const char *wrong;

    request_base_init(&unset);
    if (!strstr(text, "//")) {
        if (url.size >= sizeof with_slashes - 2)
            return "its host is not valid";
        memcpy(with_slashes + 2, text, url.size);
        url = slice_of(with_slashes, url.size + 2);
    }
    if (!url_split(url, &parts) || !parts.has_authority)
        return "it is no host and no URL";
    if (parts.path.size > 1 || parts.has_query || parts.has_fragment)
        return "it takes a scheme, a host and a port only";
    wrong = read_authority(&parts, &unset, base->host_buffer, &key);
    if (wrong)
        return wrong;
    base->scheme = key.scheme;
    /* It may still stand in the text, which need not last. */
    memmove(base->host_buffer, key.host.data, key.host.size);
    base->host = slice_of(base->host_buffer, key.host.size);
    base->port = key.port;
    return NULL;
}
