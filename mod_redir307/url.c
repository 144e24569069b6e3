/* SPDX-License-Identifier: Apache-2.0 */
/* Normal forms and splitting of URLs. One scan over a class table finds the usual path, which is its own normal
 * form and is not copied; everything else goes through the slow way. */
#include "mod_redir307/url.h"

#include "mod_redir307/url_scan.h"

#include <stdint.h>

/* What a byte may be, by place (RFC 3986, 3.3 to 3.5). */
enum {
    CLASS_UNRESERVED = 1, /* ALPHA DIGIT - . _ ~ */
    CLASS_SUB_DELIM = 2,  /* ! $ & ' ( ) * + , ; = */
    CLASS_PCHAR_REST = 4, /* : @ */
    CLASS_SLASH = 8,
    CLASS_QUESTION = 16,
    CLASS_IN_VALUE = 32,  /* may stand bare in a query name or value that is made of raw bytes */
    CLASS_SENT_QUERY = 64 /* [ ] and %: stay where a query is passed on as it was sent */
};
enum { HOST_PLAIN = 128 }; /* a-z 0-9 - . : as they stand in a host's normal form */

#define PCHAR (CLASS_UNRESERVED | CLASS_SUB_DELIM | CLASS_PCHAR_REST)

#define U (CLASS_UNRESERVED | CLASS_IN_VALUE)
#define H (U | HOST_PLAIN)
#define S (CLASS_SUB_DELIM | CLASS_IN_VALUE)
#define T CLASS_SUB_DELIM
#define R (CLASS_PCHAR_REST | CLASS_IN_VALUE)
static const uint8_t byte_class[256] = {
    ['0'] = H, ['1'] = H, ['2'] = H, ['3'] = H, ['4'] = H, ['5'] = H, ['6'] = H, ['7'] = H, ['8'] = H, ['9'] = H,
    ['A'] = U, ['B'] = U, ['C'] = U, ['D'] = U, ['E'] = U, ['F'] = U, ['G'] = U, ['H'] = U, ['I'] = U, ['J'] = U,
    ['K'] = U, ['L'] = U, ['M'] = U, ['N'] = U, ['O'] = U, ['P'] = U, ['Q'] = U, ['R'] = U, ['S'] = U, ['T'] = U,
    ['U'] = U, ['V'] = U, ['W'] = U, ['X'] = U, ['Y'] = U, ['Z'] = U,
    ['a'] = H, ['b'] = H, ['c'] = H, ['d'] = H, ['e'] = H, ['f'] = H, ['g'] = H, ['h'] = H, ['i'] = H, ['j'] = H,
    ['k'] = H, ['l'] = H, ['m'] = H, ['n'] = H, ['o'] = H, ['p'] = H, ['q'] = H, ['r'] = H, ['s'] = H, ['t'] = H,
    ['u'] = H, ['v'] = H, ['w'] = H, ['x'] = H, ['y'] = H, ['z'] = H,
    ['-'] = H, ['.'] = H, ['_'] = U, ['~'] = U,
    ['!'] = S, ['$'] = S, ['\''] = S, ['('] = S, [')'] = S, ['*'] = S, [','] = S,
    ['&'] = T, ['+'] = T, [';'] = T, ['='] = T,
    [':'] = R | HOST_PLAIN, ['@'] = R,
    ['/'] = CLASS_SLASH | CLASS_IN_VALUE,
    ['?'] = CLASS_QUESTION | CLASS_IN_VALUE,
    ['['] = CLASS_SENT_QUERY, [']'] = CLASS_SENT_QUERY, ['%'] = CLASS_SENT_QUERY,
};
#undef U
#undef H
#undef S
#undef T
#undef R

static const char upper_hex[] = "0123456789ABCDEF";

static unsigned class_of(char byte)
{
    return byte_class[(uint8_t)byte];
}

static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9') return digit - '0';
    if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
    if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
    return -1;
}

/* The byte that %XX at text[at] stands for, or -1. */
static int escape_value(struct slice text, size_t at)
{
    if (text.size - at < 3) return -1;
    int high = hex_value(text.data[at + 1]), low = hex_value(text.data[at + 2]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

static char *put_escape(char *out, unsigned byte)
{
    *out++ = '%';
    *out++ = upper_hex[byte >> 4 & 15];
    *out++ = upper_hex[byte & 15];
    return out;
}

/* Bare pchars and single slashes, no segment that starts with a dot (a superset of the dot segments, so that one look
 * at two neighbours decides). */
bool url_is_plain_path(struct slice path)
{
    unsigned bad = 0, after_slash = 0;

    if (url_is_usual_path(path)) return true;
    if (path.size == 0 || path.data[0] != '/') return false;
    for (size_t i = 0; i < path.size; i++) {
        unsigned byte = (uint8_t)path.data[i];
        unsigned is_slash = byte == '/', is_dot = byte == '.';

        bad |= (byte_class[byte] & (PCHAR | CLASS_SLASH)) == 0;
        bad |= after_slash & (is_slash | is_dot);
        after_slash = is_slash;
    }
    return !bad;
}

/* One pass: escapes decoded or made canonical. False: a bad escape or a NUL. */
static bool canonicalize(struct slice text, unsigned bare, char *out, size_t *out_size)
{
    char *start = out;

    for (size_t i = 0; i < text.size; i++) {
        unsigned byte = (uint8_t)text.data[i];

        if (byte == '%') {
            int value = escape_value(text, i);
            if (value <= 0) return false;
            i += 2;
            /* An escaped slash is no separator: it stays itself. */
            if (value != '/' && (byte_class[value] & PCHAR)) *out++ = (char)value;
            else out = put_escape(out, (unsigned)value);
        } else if (byte == 0) {
            return false;
        } else if (byte_class[byte] & bare) {
            *out++ = (char)byte;
        } else {
            out = put_escape(out, byte);
        }
    }
    *out_size = (size_t)(out - start);
    return true;
}

/* Dot segments removed, empty segments merged, in place. False: above the root. */
static bool remove_dots(char *path, size_t *size)
{
    size_t in = 1, out = 1; /* path[0] is the first slash */

    while (in < *size) {
        size_t end = in;

        while (end < *size && path[end] != '/') end++;
        size_t length = end - in;
        bool has_slash = end < *size;

        if (length == 0 || (length == 1 && path[in] == '.')) {
            /* nothing to keep: path[out - 1] is a slash already */
        } else if (length == 2 && path[in] == '.' && path[in + 1] == '.') {
            if (out == 1) return false;
            out--;
            while (path[out - 1] != '/') out--;
        } else {
            memmove(path + out, path + in, length);
            out += length;
            if (has_slash) path[out++] = '/';
        }
        in = end + 1;
    }
    *size = out;
    return true;
}

bool url_normalize_path(struct slice path, char *buffer, size_t buffer_size, struct slice *normal)
{
    if (path.size == 0 || path.data[0] != '/') return false;
    if (url_is_plain_path(path)) {
        *normal = path;
        return true;
    }
    if (path.size > (buffer_size > 0 ? (buffer_size - 1) / 3 : 0)) return false;

    size_t size;
    if (!canonicalize(path, PCHAR | CLASS_SLASH, buffer, &size)) return false;
    if (!remove_dots(buffer, &size)) return false;
    *normal = slice_of(buffer, size);
    return true;
}

size_t url_normalize_text(struct slice text, char *buffer)
{
    size_t size;

    return canonicalize(text, PCHAR, buffer, &size) ? size : SIZE_MAX;
}

size_t url_decode_query(struct slice text, char *buffer)
{
    size_t size = 0;

    for (size_t i = 0; i < text.size; i++) {
        char byte = text.data[i];

        if (byte == '%') {
            int value = escape_value(text, i);
            if (value >= 0) {
                byte = (char)value;
                i += 2;
            }
        } else if (byte == '+') {
            byte = ' ';
        }
        buffer[size++] = byte;
    }
    return size;
}

static inline bytes16 is_visible_part(bytes16 bytes)
{
    return is_between(bytes, '!', '~')
         & ~(is_byte(bytes, '"') | is_byte(bytes, '<') | is_byte(bytes, '>') | is_byte(bytes, '\\')
             | is_byte(bytes, '^') | is_byte(bytes, '`') | is_between(bytes, '{', '}'));
}

bool url_is_visible(struct slice text)
{
    unsigned bad = 0;

    if (text.size >= 16) {
        const char *last = text.data + text.size - 16;
        bytes16 usual = is_usual(load16(last)), good;

        for (const char *at = text.data; at < last; at += 16) usual &= is_usual(load16(at));
        if (is_all(usual)) return true;
        good = is_visible_part(load16(last));
        for (const char *at = text.data; at < last; at += 16) good &= is_visible_part(load16(at));
        return is_all(good);
    }
    for (size_t at = 0; at < text.size; at++) {
        unsigned char byte = (unsigned char)text.data[at];

        bad |= byte <= ' ' || byte >= 0x7f || (byte != '#' && !(byte_class[byte] & ~CLASS_IN_VALUE));
    }
    return !bad;
}

size_t url_encode(struct slice bytes, enum url_place place, char *buffer, size_t buffer_size)
{
    static const uint8_t bare[] = {
        [URL_IN_SEGMENT] = PCHAR,
        [URL_IN_PATH] = PCHAR | CLASS_SLASH,
        [URL_IN_QUERY] = PCHAR | CLASS_SLASH | CLASS_QUESTION | CLASS_SENT_QUERY,
        [URL_IN_VALUE] = CLASS_IN_VALUE,
        [URL_IN_FRAGMENT] = PCHAR | CLASS_SLASH | CLASS_QUESTION,
    };
    size_t size = 0;

    for (size_t i = 0; i < bytes.size; i++) {
        bool is_bare = class_of(bytes.data[i]) & bare[place];
        size_t need = is_bare ? 1 : 3;

        if (size + need <= buffer_size) {
            if (is_bare) buffer[size] = bytes.data[i];
            else put_escape(buffer + size, (uint8_t)bytes.data[i]);
        }
        size += need;
    }
    return size;
}

/* The first byte of a set. */
static const char *find(const char *at, const char *end, const char *set)
{
    for (; *set && at < end; set++) {
        const char *found = memchr(at, *set, (size_t)(end - at));

        if (found) end = found;
    }
    return end;
}

/* The authority's inside: userinfo@host:port. */
static bool split_authority(struct slice authority, struct url_parts *parts)
{
    const char *at = authority.data, *end = authority.data + authority.size;

    for (const char *p = end; p > authority.data; p--) {
        if (p[-1] == '@') {
            parts->userinfo = slice_of(authority.data, (size_t)(p - 1 - authority.data));
            at = p;
            break;
        }
    }
    if (at < end && *at == '[') {
        const char *close = find(at, end, "]");
        if (close == end) return false;
        parts->host = slice_of(at + 1, (size_t)(close - at - 1));
        at = close + 1;
        if (at < end && *at != ':') return false;
    } else {
        const char *colon = find(at, end, ":");
        parts->host = slice_of(at, (size_t)(colon - at));
        at = colon;
    }
    if (at < end) parts->port = slice_of(at + 1, (size_t)(end - at - 1));
    return true;
}

bool url_split(struct slice url, struct url_parts *parts)
{
    const char *at = url.data, *end = url.data + url.size;

    *parts = (struct url_parts){ 0 };
    if (url.size == 0) {
        parts->path = url;
        return true;
    }

    const char *stop = find(at, end, ":/?#");
    if (stop < end && *stop == ':' && stop > at) {
        parts->scheme = slice_of(at, (size_t)(stop - at));
        at = stop + 1;
    }
    if (end - at >= 2 && at[0] == '/' && at[1] == '/') {
        stop = find(at + 2, end, "/?#");
        parts->has_authority = true;
        if (!split_authority(slice_of(at + 2, (size_t)(stop - at - 2)), parts)) return false;
        at = stop;
    }
    stop = find(at, end, "?#");
    parts->path = slice_of(at, (size_t)(stop - at));
    at = stop;
    if (at < end && *at == '?') {
        stop = find(at, end, "#");
        parts->has_query = true;
        parts->query = slice_of(at + 1, (size_t)(stop - at - 1));
        at = stop;
    }
    if (at < end) {
        parts->has_fragment = true;
        parts->fragment = slice_of(at + 1, (size_t)(end - at - 1));
    }
    return true;
}

static inline bytes16 is_plain_host_part(bytes16 bytes)
{
    return is_between(bytes, 'a', 'z') | is_between(bytes, '0', ':') | is_between(bytes, '-', '.');
}

/* Lower case, digits and "-.:", as httpd gives a host and as it stands in links: nothing to change. */
static bool is_plain_host(struct slice host)
{
    unsigned plain = HOST_PLAIN;

    if (host.size >= 16) {
        bytes16 good = is_plain_host_part(load16(host.data + host.size - 16));

        for (size_t i = 0; i + 16 < host.size; i += 16) good &= is_plain_host_part(load16(host.data + i));
        return is_all(good);
    }
    if (host.size >= 8) {
        char both[16]; /* the first eight bytes and the last eight */

        memcpy(both, host.data, 8);
        memcpy(both + 8, host.data + host.size - 8, 8);
        return is_all(is_plain_host_part(load16(both)));
    }
    for (size_t i = 0; i < host.size; i++) plain &= byte_class[(uint8_t)host.data[i]];
    return plain;
}

bool url_normalize_host(struct slice host, char buffer[URL_HOST_LIMIT + 1], struct slice *normal)
{
    if (host.size > 1 && host.data[host.size - 1] == '.') host.size--;
    if (host.size == 0 || host.size > URL_HOST_LIMIT || host.data[0] == '.') return false;

    if (is_plain_host(host)) {
        memcpy(buffer, host.data, host.size);
        buffer[host.size] = 0;
        *normal = slice_of(buffer, host.size);
        return true;
    }
    for (size_t i = 0; i < host.size; i++) {
        char byte = host.data[i];

        if (byte >= 'A' && byte <= 'Z') byte = (char)(byte | 32);
        /* reg-name without escapes (RFC 3986, 3.2.2), and the colons of an IPv6 literal */
        if (!(class_of(byte) & (CLASS_UNRESERVED | CLASS_SUB_DELIM)) && byte != ':') return false;
        buffer[i] = byte;
    }
    buffer[host.size] = 0;
    *normal = slice_of(buffer, host.size);
    return true;
}

bool url_next_parameter(struct slice *rest, struct url_parameter *parameter)
{
    while (rest->size > 0) {
        const char *start = rest->data, *end = start + rest->size;
        const char *stop = memchr(start, '&', rest->size);

        if (!stop) stop = end;
        *rest = stop < end ? slice_of(stop + 1, (size_t)(end - stop - 1)) : slice_of(end, 0);
        if (stop == start) continue; /* "&&" holds nothing */

        parameter->whole = slice_of(start, (size_t)(stop - start));
        const char *equals = memchr(start, '=', parameter->whole.size);
        parameter->has_value = equals != NULL;
        parameter->name = slice_of(start, (size_t)((equals ? equals : stop) - start));
        parameter->value = equals ? slice_of(equals + 1, (size_t)(stop - equals - 1)) : slice_of(stop, 0);
        return true;
    }
    return false;
}

uint16_t url_default_port(struct slice scheme)
{
    if (slice_equal(scheme, SLICE("http"))) return 80;
    return slice_equal(scheme, SLICE("https")) ? 443 : 0;
}
