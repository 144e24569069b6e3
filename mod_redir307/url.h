/* SPDX-License-Identifier: Apache-2.0 */
/* Normal forms of URLs: the same code in compiler and module (docs/language.md, "One normal form").
 * Pure functions over bytes; nothing here allocates. */
#ifndef MOD_REDIR307_URL_H
#define MOD_REDIR307_URL_H

#include "mod_redir307/slice.h"

#include <stdint.h>

enum {
    URL_PATH_LIMIT = 8192,                     /* bytes of a raw path; httpd's LimitRequestLine is 8190 */
    URL_NORMAL_LIMIT = 3 * URL_PATH_LIMIT + 1, /* bytes of its normal form: each may become %XX */
    URL_HOST_LIMIT = 255
};

/* Normal form of a path: %XX of bytes that may stand bare (RFC 3986 unreserved, sub-delims, ":", "@") decoded,
 * all others percent-encoded in upper case, dot segments removed, empty segments merged, `%2F` kept.
 * A path that already is its normal form is not copied: *normal is then `path` itself, else it lies in `buffer`
 * (3 * path.size + 1 bytes suffice). False: no valid path (does not start with "/", bad %, %00, NUL,
 * dot segments above the root, buffer too small). */
bool url_normalize_path(struct slice path, char *buffer, size_t buffer_size, struct slice *normal);

/* True where the path is certain to be its own normal form. False says nothing. */
bool url_is_plain_path(struct slice path);

/* Normal form of text that stands inside one segment ("/" is encoded, dots are left). Returns the bytes written
 * (at most 3 * text.size; the buffer must hold that) or SIZE_MAX where the text has a bad % or a NUL. */
size_t url_normalize_text(struct slice text, char *buffer);

/* Decodes one query name or value: %XX and `+` (a space). A bad % stays as it is. Never longer than the input;
 * returns the bytes written. */
size_t url_decode_query(struct slice text, char *buffer);

enum url_place {
    URL_IN_SEGMENT,  /* unreserved, sub-delims, ":", "@" stay */
    URL_IN_PATH,     /* "/" stays too */
    URL_IN_QUERY,    /* a whole query as sent: also "/", "?", "[", "]", and "%" stay; only bytes that may never stand are encoded */
    URL_IN_VALUE,    /* a query name or value: as a segment, without "&", "=", "+", "#", ";" */
    URL_IN_FRAGMENT  /* as a path, and "?" */
};
/* Percent-encodes raw bytes for that place. Returns the bytes that the result has (written only where it fits). */
size_t url_encode(struct slice bytes, enum url_place place, char *buffer, size_t buffer_size);

/* Visible ASCII without what no URI has (RFC 3986, 2): blanks, controls, "<>\^`{|} and bytes past ASCII. */
bool url_is_visible(struct slice text);

struct url_parts {
    struct slice scheme;    /* without ":"; empty where there is none */
    bool has_authority;
    struct slice userinfo;  /* without "@"; empty where there is none */
    struct slice host;      /* IPv6 without brackets */
    struct slice port;      /* digits, may be empty */
    struct slice path;
    bool has_query;
    struct slice query;     /* without "?" */
    bool has_fragment;
    struct slice fragment;  /* without "#" */
};
/* Splits as RFC 3986, appendix B; judges nothing. False where the authority has an unbalanced bracket. */
bool url_split(struct slice url, struct url_parts *parts);

/* Lower case (ASCII), without one trailing dot; in `buffer`. False: empty, too long, or a byte that no host may have. Non-ASCII
 * bytes are refused: IDNs must have become A-labels before. */
bool url_normalize_host(struct slice host, char buffer[URL_HOST_LIMIT + 1], struct slice *normal);

/* One `name=value` of a query; both raw. The next one is found by calling again with *rest; false at the end. */
struct url_parameter {
    struct slice whole; /* "name=value", as sent */
    struct slice name;
    bool has_value;     /* there was a "=" */
    struct slice value;
};
bool url_next_parameter(struct slice *rest, struct url_parameter *parameter);

/* "/a/" ends in a slash that may be folded; "/" is nothing but its root. */
static inline bool url_has_last_slash(struct slice path)
{
    return path.size > 1 && path.data[path.size - 1] == '/';
}

static inline struct slice url_without_last_slash(struct slice path)
{
    if (url_has_last_slash(path)) path.size--;
    return path;
}

/* 80 for http, 443 for https, else 0. */
uint16_t url_default_port(struct slice scheme);

#endif
