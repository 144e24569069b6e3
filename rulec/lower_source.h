/* SPDX-License-Identifier: Apache-2.0 */
/* A source word -> a path in normal form, or a pattern. */
#ifndef RULEC_LOWER_SOURCE_H
#define RULEC_LOWER_SOURCE_H

#include "rulec/lower_context.h"

enum lower_reading {
    LOWER_LITERAL, /* a table's cell: `*` and braces are ordinary bytes */
    LOWER_PATTERN
};

struct lower_source {
    uint32_t site;
    struct slice path;            /* an exact one without query, else empty */
    struct plan_pattern *pattern; /* else */
    struct slice scheme;          /* as written in an absolute source; empty: none */
    struct slice authority;       /* likewise */
    struct slice rest;            /* path and query as written */
};

/* False: a mistake was reported. */
bool lower_source(struct lower *lower, const struct lower_scope *scope, struct lower_word word,
                  enum lower_reading reading, struct lower_source *source);

/* Cuts `http://h`, `https://h` or `//h` off. False: there is none. */
bool lower_split_absolute(struct slice text, struct slice *scheme, struct slice *authority,
                          struct slice *rest);

/* The part that fills a capture, and whether it stands in the query; NULL: the path's tail
 * does. */
const struct plan_part *lower_capture_part(const struct plan_pattern *pattern, uint8_t capture,
                                           bool *in_query);

/* `{name...}`, `{name:type}`, `{name|transform}`: cuts at the closing brace. `open` points
 * at "{". NULL: none closes. */
const char *lower_brace_end(const char *open, const char *end);
bool lower_is_name(struct slice text);
/* host, path, query, scheme: what a target may always name. */
bool lower_is_builtin(struct slice name);

#endif
