/* SPDX-License-Identifier: Apache-2.0 */
/* Nothing here trusts what it inserts, nor the bytes of the map: the finished Location is looked through once more
 * before it may leave. */
#include "mod_redir307/target.h"

/* Appends to the Location; once something did not fit, nothing more is written. */
struct writer {
    char *data;
    size_t size;
    bool is_full;
};

static void put(struct writer *out, struct slice text)
{
    if (text.size > ANSWER_LOCATION_LIMIT - out->size) {
        out->is_full = true;
        return;
    }
    if (text.size) memcpy(out->data + out->size, text.data, text.size);
    out->size += text.size;
}

static void put_encoded(struct writer *out, struct slice bytes, enum url_place place)
{
    size_t room = ANSWER_LOCATION_LIMIT - out->size;
    size_t size = url_encode(bytes, place, out->data + out->size, room);

    if (size > room) out->is_full = true;
    else out->size += size;
}

/* Text that is percent-encoded already: its escapes stay. */
static void put_normal(struct writer *out, struct slice text, enum url_place place)
{
    for (size_t i = 0; i < text.size && !out->is_full; i++) {
        if (text.data[i] == '%') put(out, slice_of(text.data + i, 1));
        else put_encoded(out, slice_of(text.data + i, 1), place);
    }
}

/* Lower and upper leave escapes alone; dashes take `_`, blanks and their escapes. */
static void transform(char *text, size_t *size, unsigned transforms)
{
    size_t out = 0;

    for (size_t i = 0; i < *size; i++) {
        char byte = text[i];
        bool is_escape = byte == '%' && *size - i >= 3;

        if (transforms & TARGET_DASHES) {
            bool is_blank_escape = is_escape && text[i + 1] == '2' && text[i + 2] == '0';

            if (byte == '_' || byte == ' ' || is_blank_escape) {
                text[out++] = '-';
                if (is_blank_escape) i += 2;
                continue;
            }
        }
        if (is_escape) {
            text[out++] = text[i++];
            text[out++] = text[i++];
            text[out++] = text[i];
            continue;
        }
        if (transforms & TARGET_LOWER && byte >= 'A' && byte <= 'Z') byte = (char)(byte + 32);
        else if (transforms & TARGET_UPPER && byte >= 'a' && byte <= 'z') byte = (char)(byte - 32);
        text[out++] = byte;
    }
    *size = out;
}

static enum url_place url_place(unsigned place)
{
    switch (place) {
    case TARGET_IN_PATH: return URL_IN_SEGMENT;
    case TARGET_IN_FRAGMENT: return URL_IN_FRAGMENT;
    default: return URL_IN_VALUE;
    }
}

/* The host without its port; the brackets of an IPv6 address may stand bare in an authority only (RFC 3986, 3.2.2). */
static void put_host(struct writer *out, const struct lookup *lookup, unsigned place)
{
    struct slice host = lookup->key->host;
    bool is_ipv6 = host.size && memchr(host.data, ':', host.size), is_bare = place == TARGET_IN_AUTHORITY;

    if (is_ipv6) put(out, is_bare ? SLICE("[") : SLICE("%5B"));
    put(out, host);
    if (is_ipv6) put(out, is_bare ? SLICE("]") : SLICE("%5D"));
}

/* The request's query; where there is none, the "?" that was to lead it goes, too. */
static void put_query(struct writer *out, struct slice query, unsigned place)
{
    bool stands_alone = place == TARGET_IN_QUERY;

    if (stands_alone && query.size == 0 && out->size && out->data[out->size - 1] == '?') out->size--;
    put_encoded(out, query, stands_alone ? URL_IN_QUERY : url_place(place));
}

static void put_piece(struct writer *out, const struct lookup *lookup, const struct target_source *source,
                      unsigned kind, unsigned index, unsigned place, unsigned transforms)
{
    size_t start = out->size;

    switch (kind) {
    case TARGET_CAPTURE:
        if (!source->captures || index >= PATTERN_CAPTURE_LIMIT) break;
        if (place == TARGET_IN_PATH) put(out, source->captures[index].text);
        else put_normal(out, source->captures[index].text, url_place(place));
        break;
    case TARGET_QUERY_CAPTURE:
        if (!source->captures || index >= PATTERN_CAPTURE_LIMIT) break;
        put_encoded(out, source->captures[index].text, url_place(place));
        break;
    case TARGET_HOST_CAPTURE: put(out, lookup_host_capture(lookup, index)); break;
    case TARGET_HOST: put_host(out, lookup, place); break;
    case TARGET_PATH:
        if (place == TARGET_IN_PATH) put(out, lookup->path);
        else put_normal(out, lookup->path, url_place(place));
        break;
    case TARGET_QUERY: put_query(out, lookup->key->query, place); break;
    case TARGET_SCHEME: put(out, lookup->key->scheme); break;
    default: break;
    }
    if (transforms) {
        size_t size = out->size - start;

        transform(out->data + start, &size, transforms);
        out->size = start + size;
    }
}

/* `/a/ *` asked for as `/a`: the star is empty and there was no slash before it. */
static bool is_root_without_slash(const struct lookup *lookup)
{
    return !lookup->has_slash && lookup->path.size > 1;
}

static bool put_template(struct writer *out, const struct lookup *lookup, const struct target_source *source,
                         unsigned *flags)
{
    const uint8_t *start = (const uint8_t *)source->target.data;
    struct ruleset_cursor template = { .at = start, .end = start + source->target.size };
    size_t last_piece = 0;

    *flags = cursor_u8(&template);
    if (*flags >= TARGET_FLAGS_END) return false;
    if (*flags & TARGET_IS_HTTPS) {
        if (source->target.size != 1) return false;
        put(out, SLICE("https://"));
        put_host(out, lookup, TARGET_IN_AUTHORITY);
        put(out, lookup->path);
        return !template.failed;
    }
    while (template.at < template.end && !out->is_full) {
        unsigned kind = cursor_u8(&template);

        last_piece = out->size;
        if (kind == TARGET_TEXT) {
            put(out, cursor_slice(&template));
        } else {
            unsigned index = cursor_u8(&template), place = cursor_u8(&template), transforms = cursor_u8(&template);

            if (kind > TARGET_SCHEME || place > TARGET_IN_FRAGMENT || transforms >= TARGET_TRANSFORMS_END) return false;
            put_piece(out, lookup, source, kind, index, place, transforms);
        }
    }
    bool star_is_empty = out->size == last_piece;
    if (*flags & TARGET_DROPS_LAST_SLASH && star_is_empty && is_root_without_slash(lookup) && out->size > 1
        && out->data[out->size - 1] == '/') {
        out->size--;
    }
    return !template.failed;
}

/* True where a decoded name ends a `*` pattern or equals the name. */
static bool name_fits(struct slice pattern, struct slice name)
{
    if (pattern.size && pattern.data[pattern.size - 1] == '*') {
        return slice_starts_with(name, slice_of(pattern.data, pattern.size - 1));
    }
    return slice_equal(pattern, name);
}

static bool is_listed(const struct lookup *lookup, uint32_t list, struct slice name)
{
    struct slice item;

    for (unsigned i = 0; ruleset_list_item(lookup->ruleset, list, i, &item); i++) {
        if (name_fits(item, name)) return true;
    }
    return false;
}

/* The target's own parameters win over the request's. `own` is raw: its names are decoded one by one. */
static bool is_own(struct slice own, struct slice name)
{
    struct url_parameter parameter;
    char buffer[256];

    while (url_next_parameter(&own, &parameter)) {
        if (parameter.name.size > sizeof buffer) continue;
        if (slice_equal(slice_of(buffer, url_decode_query(parameter.name, buffer)), name)) return true;
    }
    return false;
}

/* Appends what the policy lets through of the request's query. `own`: the query that the target has itself. */
static void put_remaining(struct writer *out, struct lookup *lookup, const struct ruleset_action *action,
                          const struct target_source *source, struct slice own, bool has_own)
{
    struct slice rest = lookup->key->query;
    struct url_parameter raw;
    bool needs_mark = !has_own, needs_and = has_own && own.size > 0;

    lookup_read_parameters(lookup);
    for (unsigned i = 0; url_next_parameter(&rest, &raw); i++) {
        if (i < lookup->parameter_count) {
            struct slice name = lookup->parameters[i].name;

            if (source->program.size && pattern_consumes(source->program, name)) continue;
            if (own.size && is_own(own, name)) continue;
            if (action->query_kind == RULESET_QUERY_ONLY && !is_listed(lookup, action->query_names, name)) continue;
            if (action->query_kind == RULESET_QUERY_EXCEPT && is_listed(lookup, action->query_names, name)) continue;
        } else if (action->query_kind == RULESET_QUERY_ONLY) {
            break;
        }
        put(out, needs_mark ? SLICE("?") : needs_and ? SLICE("&") : SLICE(""));
        put_encoded(out, raw.whole, URL_IN_QUERY);
        needs_mark = false;
        needs_and = true;
    }
}

static void add_query(struct writer *out, struct lookup *lookup, const struct ruleset_action *action,
                      const struct target_source *source)
{
    if (!lookup->key->has_query || lookup->key->query.size == 0 || action->query_kind == RULESET_QUERY_DROP) return;

    const char *hash = memchr(out->data, '#', out->size);
    size_t end = hash ? (size_t)(hash - out->data) : out->size;
    struct slice fragment = slice_of("", 0);

    if (hash) {
        fragment = slice_of(lookup->scratch->fragment, out->size - end);
        memcpy(lookup->scratch->fragment, hash, fragment.size);
        out->size = end;
    }
    const char *mark = memchr(out->data, '?', end);
    struct slice own = mark ? slice_of(mark + 1, end - (size_t)(mark + 1 - out->data)) : slice_of("", 0);
    put_remaining(out, lookup, action, source, own, mark != NULL);
    put(out, fragment);
}

/* A segment "." or ".." in the path of a Location: a client would take it away, and lead elsewhere. */
static bool has_dot_segment(struct slice location)
{
    size_t end = 0, from = 0;

    while (end < location.size && location.data[end] != '?' && location.data[end] != '#') end++;
    while (from < end) {
        const char *slash = memchr(location.data + from, '/', end - from);

        if (!slash) return false;
        from = (size_t)(slash - location.data) + 1;
        size_t to = from;
        while (to < end && location.data[to] != '/') to++;
        size_t size = to - from;
        if ((size == 1 && location.data[from] == '.')
            || (size == 2 && location.data[from] == '.' && location.data[from + 1] == '.')) {
            return true;
        }
    }
    return false;
}

/* The last look: nothing that no URI has, and a start that cannot lead to another host. */
static bool is_safe(struct slice location)
{
    if (location.size == 0 || !url_is_visible(location)) return false;
    if (location.data[0] == '/') return location.size == 1 || location.data[1] != '/';
    return slice_starts_with(location, SLICE("https://")) || slice_starts_with(location, SLICE("http://"));
}

enum target_result target_build(struct lookup *lookup, const struct ruleset_action *action,
                                const struct target_source *source, struct slice *location)
{
    struct writer out = { .data = lookup->scratch->location };
    unsigned flags = 0;

    if (!source->is_template) {
        put(&out, source->target);
    } else if (!put_template(&out, lookup, source, &flags)) {
        return TARGET_UNSAFE;
    }
    if (!(flags & TARGET_USES_QUERY)) add_query(&out, lookup, action, source);
    if (out.is_full) return TARGET_TOO_LONG;

    struct slice built = slice_of(out.data, out.size);
    while (built.size > 1 && built.data[0] == '/' && built.data[1] == '/') {
        built.data++; /* an empty insertion behind the first slash */
        built.size--;
    }
    if (source->is_template && has_dot_segment(built)) return TARGET_UNSAFE;
    if (!is_safe(built)) return TARGET_UNSAFE;
    *location = built;
    return TARGET_BUILT;
}
