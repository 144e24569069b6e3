/* SPDX-License-Identifier: Apache-2.0 */
/* Sources: the quick way for plain paths, which nearly all are, and the cutting of absolute
 * URLs, paths and queries. What stands in a segment or a query value is read by
 * lower_segment. */
#include "config.h"

#include "rulec/lower_source.h"

#include "rulec/lower_host.h"
#include "rulec/lower_segment.h"

#include "mod_redir307/url.h"
#include "mod_redir307/url_scan.h"

#include <strings.h>

/* Bytes that end the quick way. */
enum { ENDS_PATH = 1, ENDS_LITERAL = 2 };
static const uint8_t special[256] = { ['?'] = ENDS_PATH,
                                      ['#'] = ENDS_PATH,
                                      ['*'] = ENDS_LITERAL,
                                      ['{'] = ENDS_LITERAL,
                                      ['}'] = ENDS_LITERAL };

static unsigned special_bytes(struct slice text)
{
    unsigned found = 0;

    for (size_t i = 0; i < text.size; i++)
        found |= special[(unsigned char)text.data[i]];
    return found;
}

bool lower_split_absolute(struct slice text, struct slice *scheme, struct slice *authority,
                          struct slice *rest)
{
    size_t at;

    if (text.size >= 2 && text.data[0] == '/' && text.data[1] == '/') {
        *scheme = slice_of(text.data, 0);
        at = 2;
    } else if (text.size >= 7 && strncasecmp(text.data, "http://", 7) == 0) {
        *scheme = SLICE("http");
        at = 7;
    } else if (text.size >= 8 && strncasecmp(text.data, "https://", 8) == 0) {
        *scheme = SLICE("https");
        at = 8;
    } else {
        return false;
    }
    size_t end = at;
    while (end < text.size && text.data[end] != '/' && text.data[end] != '?' &&
           text.data[end] != '#')
        end++;
    *authority = slice_of(text.data + at, end - at);
    *rest = slice_of(text.data + end, text.size - end);
    return true;
}

const struct plan_part *lower_capture_part(const struct plan_pattern *pattern, uint8_t capture,
                                           bool *in_query)
{
    *in_query = false;
    for (uint32_t i = 0; i < pattern->head_count + pattern->rest_count; i++) {
        const struct plan_segment *segment = i < pattern->head_count
                                                 ? &pattern->head[i]
                                                 : &pattern->rest[i - pattern->head_count];

        for (uint32_t k = 0; k < segment->part_count; k++) {
            if (segment->parts[k].kind != PLAN_PART_LITERAL &&
                segment->parts[k].capture == capture) {
                return &segment->parts[k];
            }
        }
    }
    for (uint32_t i = 0; i < pattern->parameter_count; i++) {
        const struct plan_segment *value = &pattern->parameters[i].value;

        for (uint32_t k = 0; k < value->part_count; k++) {
            if (value->parts[k].kind != PLAN_PART_LITERAL &&
                value->parts[k].capture == capture) {
                *in_query = true;
                return &value->parts[k];
            }
        }
    }
    return NULL;
}

/* Says what is wrong with a path that has no normal form. */
static bool bad_path(struct lower *lower, struct lower_word word, struct slice path)
{
    const char *reason = "its dot segments lead above the root";

    if (path.size > URL_PATH_LIMIT) {
        diag_error(lower->diag, DIAG_BAD_SOURCE, word.span, "this path is longer than %d bytes",
                   URL_PATH_LIMIT);
        return false;
    }
    for (size_t i = 0; i < path.size; i++) {
        char normal[9];

        if (path.data[i] != '%')
            continue;
        size_t size = path.size - i < 3 ? path.size - i : 3;
        if (url_normalize_text(slice_of(path.data + i, size), normal) != SIZE_MAX)
            continue;
        diag_error(lower->diag, DIAG_BAD_SOURCE,
                   lower_span_of(word, slice_of(path.data + i, size)),
                   "\"%.*s\" is no valid escape in a path", (int)size, path.data + i);
        if (slice_equal(slice_of(path.data + i, size), SLICE("%00"))) {
            diag_help(lower->diag, "no server takes a NUL in a path");
        } else {
            diag_help(lower->diag, "a literal \"%%\" is written \"%%25\"");
        }
        return false;
    }
    diag_error(lower->diag, DIAG_BAD_SOURCE, word.span, "\"%.*s\" is no valid path: %s",
               LOWER_SHOW(path), reason);
    return false;
}

static bool exact_path(struct lower *lower, struct lower_word word, struct slice path,
                       struct slice *normal)
{
    size_t room = path.size * 3 + 1;

    if (path.size > URL_PATH_LIMIT)
        return bad_path(lower, word, path);
    if (!url_normalize_path(path, lower_scratch(lower, room), room, normal))
        return bad_path(lower, word, path);
    if (normal->data != path.data)
        *normal = arena_copy(lower->arena, *normal);
    return true;
}

/* What ends at `stop` or the end, braces skipped where they mean something. */
static struct slice cut(const char *at, const char *end, char stop, enum lower_reading reading)
{
    const char *start = at;

    while (at < end && *at != stop) {
        const char *close =
            reading == LOWER_PATTERN && *at == '{' ? lower_brace_end(at, end) : NULL;
        at = close ? close : at + 1;
    }
    return slice_of(start, (size_t)(at - start));
}

/* One `name`, `name=` or `name=value`. */
static bool read_parameter(struct lower_pattern *state, struct slice text)
{
    struct lower *lower = state->lower;
    struct slice name = cut(text.data, text.data + text.size, '=', state->reading);
    struct plan_parameter *parameter = &state->parameters[state->pattern->parameter_count];

    if (state->pattern->parameter_count == PLAN_PARAMETER_LIMIT) {
        diag_error(lower->diag, DIAG_TOO_LARGE, state->word.span,
                   "more than %d query parameters in a source", PLAN_PARAMETER_LIMIT);
        return false;
    }
    if (name.size == 0) {
        diag_error(lower->diag, DIAG_BAD_SOURCE, lower_span_of(state->word, text),
                   "\"%.*s\" is a query parameter without a name", LOWER_SHOW(text));
        return false;
    }
    if (state->reading == LOWER_PATTERN && (special_bytes(name) & ENDS_LITERAL)) {
        diag_error(
            lower->diag, DIAG_BAD_PLACEHOLDER, lower_span_of(state->word, name),
            "the name of a query parameter is fixed: a placeholder stands only in its value");
        return false;
    }
    char *decoded = lower_scratch(lower, name.size);
    size_t size = url_decode_query(name, decoded);
    *parameter = (struct plan_parameter){ .kind = PLAN_VALUE_ANY };
    parameter->name = size == name.size && memcmp(decoded, name.data, size) == 0
                          ? name
                          : arena_copy(lower->arena, slice_of(decoded, size));
    for (uint32_t i = 0; i < state->pattern->parameter_count; i++) {
        if (!slice_equal(state->parameters[i].name, parameter->name))
            continue;
        diag_error(lower->diag, DIAG_BAD_SOURCE, lower_span_of(state->word, text),
                   "the query parameter \"%.*s\" stands here twice",
                   LOWER_SHOW(parameter->name));
        diag_help(lower->diag,
                  "of several parameters of one name one match is enough: write it once");
        return false;
    }
    if (name.size < text.size) {
        parameter->kind = PLAN_VALUE_PATTERN;
        struct slice value = slice_of(text.data + name.size + 1, text.size - name.size - 1);
        if (!lower_read_value(state, value, &parameter->value))
            return false;
    }
    state->pattern->parameter_count++;
    return true;
}

static bool read_query(struct lower_pattern *state, struct slice query)
{
    if (query.size == 0)
        return true; /* where there is none, data is NULL */
    const char *at = query.data, *end = query.data + query.size;

    while (at < end) {
        struct slice text = cut(at, end, '&', state->reading);

        if (text.size && !read_parameter(state, text))
            return false;
        at = text.data + text.size + 1;
    }
    return true;
}

/* A literal path of a source that has a query. */
static bool read_fixed_path(struct lower_pattern *state, struct slice path)
{
    struct slice normal;
    const char *at, *end;

    if (!exact_path(state->lower, state->word, path, &normal))
        return false;
    at = normal.data + 1;
    end = normal.data + normal.size;
    while (at < end) {
        const char *slash = memchr(at, '/', (size_t)(end - at));
        const char *stop = slash ? slash : end;

        if (!lower_add_literal(state, slice_of(at, (size_t)(stop - at))))
            return false;
        at = stop + 1;
    }
    state->pattern->ends_in_slash = normal.data[normal.size - 1] == '/';
    return true;
}

static bool fragment_in_source(struct lower *lower, struct lower_word word,
                               struct slice fragment)
{
    diag_error(lower->diag, DIAG_SOURCE_FRAGMENT, lower_span_of(word, fragment),
               "a source cannot have a fragment: no client ever sends \"%.*s\"",
               LOWER_SHOW(fragment));
    diag_help(lower->diag, "leave it away; a literal \"#\" is written \"%%23\"");
    return false;
}

static bool read_pattern(struct lower *lower, const struct lower_scope *scope,
                         struct lower_word word, enum lower_reading reading,
                         struct lower_source *source)
{
    const char *end = source->rest.data + source->rest.size;
    struct slice whole = cut(source->rest.data, end, '#', reading);
    struct lower_pattern state = {
        .lower = lower, .scope = scope, .word = word, .reading = reading, .site = source->site
    };

    if (whole.data + whole.size < end) {
        struct slice fragment =
            slice_of(whole.data + whole.size, source->rest.size - whole.size);
        return fragment_in_source(lower, word, fragment);
    }
    struct slice path = cut(whole.data, whole.data + whole.size, '?', reading), query = { 0 };
    if (path.size < whole.size)
        query = slice_of(path.data + path.size + 1, whole.size - path.size - 1);
    if (path.size == 0)
        path = SLICE("/");

    bool is_fixed = reading == LOWER_LITERAL || !(special_bytes(path) & ENDS_LITERAL);
    if (is_fixed && query.size == 0)
        return exact_path(lower, word, path, &source->path);

    state.pattern = arena_alloc(lower->arena, sizeof(*state.pattern));
    state.pattern->tail_capture = PLAN_NO_CAPTURE;
    if (!(is_fixed ? read_fixed_path(&state, path) : lower_read_path(&state, path)))
        return false;
    if (!read_query(&state, query))
        return false;
    source->pattern = lower_pattern_finish(&state);
    return true;
}

bool lower_source(struct lower *lower, const struct lower_scope *scope, struct lower_word word,
                  enum lower_reading reading, struct lower_source *source)
{
    *source = (struct lower_source){ .site = scope->site, .rest = word.text };
    if (word.text.size <= URL_PATH_LIMIT && url_is_usual_path(word.text)) {
        source->path = word.text;
        return true;
    }
    if (lower_split_absolute(word.text, &source->scheme, &source->authority, &source->rest)) {
        if (!lower_site_of_source(lower, scope, word, source->authority,
                                  url_default_port(source->scheme), reading == LOWER_PATTERN,
                                  &source->site)) {
            return false;
        }
        if (source->rest.size == 0)
            source->rest = SLICE("/");
    } else if (word.text.size == 0 || word.text.data[0] != '/') {
        diag_error(lower->diag, DIAG_BAD_SOURCE, word.span,
                   "\"%.*s\" is no source: it starts neither with \"/\" nor with \"http://\" "
                   "or \"https://\"",
                   LOWER_SHOW(word.text));
        return false;
    }
    unsigned ends = reading == LOWER_PATTERN ? ENDS_PATH | ENDS_LITERAL : ENDS_PATH;
    if (!(special_bytes(source->rest) & ends) && source->rest.data[0] == '/') {
        return exact_path(lower, word, source->rest, &source->path);
    }
    return read_pattern(lower, scope, word, reading, source);
}
