/* SPDX-License-Identifier: Apache-2.0 */
/* Reads segments and query values of a pattern: literals in their normal form, placeholders
 * with their types, the star and `{x...}`, which make the pattern's tail. Judges names and
 * says what to write instead. */
#include "config.h"

#include "rulec/lower_segment.h"

#include "rulec/lower_placeholder.h"

#include "mod_redir307/url.h"

static bool too_many(struct lower_pattern *state, int limit, const char *what)
{
    diag_error(state->lower->diag, DIAG_TOO_LARGE, state->word.span,
               "more than %d %s in a source", limit, what);
    return false;
}

static bool add_segment(struct lower_pattern *state, const struct plan_part *parts,
                        uint32_t count)
{
    struct plan_pattern *pattern = state->pattern;
    uint32_t at = pattern->head_count + pattern->rest_count;

    if (at == PLAN_SEGMENT_LIMIT)
        return too_many(state, PLAN_SEGMENT_LIMIT, "segments");
    state->segments[at].part_count = count;
    state->segments[at].parts = arena_array(state->lower->arena, count, sizeof(*parts));
    memcpy(state->segments[at].parts, parts, count * sizeof(*parts));
    if (pattern->tail == PLAN_TAIL_MANY)
        pattern->rest_count++;
    else
        pattern->head_count++;
    return true;
}

bool lower_add_literal(struct lower_pattern *state, struct slice normal)
{
    return add_segment(state,
                       &(struct plan_part){ .kind = PLAN_PART_LITERAL,
                                            .capture = PLAN_NO_CAPTURE,
                                            .text = normal },
                       1);
}

bool lower_add_capture(struct lower_pattern *state, struct slice name, uint8_t *capture)
{
    if (state->pattern->capture_count == PLAN_CAPTURE_LIMIT) {
        return too_many(state, PLAN_CAPTURE_LIMIT, "named placeholders");
    }
    *capture = (uint8_t)state->pattern->capture_count;
    state->captures[state->pattern->capture_count++] = name;
    return true;
}

static bool double_name(struct lower_pattern *state, struct slice name, const char *other)
{
    diag_error(state->lower->diag, DIAG_DOUBLE_NAME, lower_span_of(state->word, name),
               "the placeholder \"%.*s\" has the name of %s", LOWER_SHOW(name), other);
    return false;
}

bool lower_claim_name(struct lower_pattern *state, struct slice name, uint8_t *capture)
{
    const struct plan_host *host = &state->lower->plan->sites[state->site].hosts[0];

    *capture = PLAN_NO_CAPTURE;
    if (name.size == 0)
        return true;
    for (uint32_t i = 0; i < state->pattern->capture_count; i++) {
        if (slice_equal(state->captures[i], name))
            return double_name(state, name, "another one of this source");
    }
    for (uint32_t i = 0; i < host->capture_count; i++) {
        if (slice_equal(host->captures[i].name, name))
            return double_name(state, name, "one of the site's hosts");
    }
    for (const struct lower_let *let = state->scope->lets; let; let = let->outer) {
        if (!slice_equal(let->name, name))
            continue;
        double_name(state, name, "a constant");
        diag_note(state->lower->diag, let->span, "the constant");
        return false;
    }
    if (lower_is_builtin(name))
        return double_name(state, name, "a part of the request that every target may use");
    return lower_add_capture(state, name, capture);
}

/* What stands between placeholders, in its normal form: of a segment, or decoded for a query
 * value. */
static bool read_literal(struct lower_pattern *state, struct slice text, bool in_query,
                         struct plan_part *part)
{
    char *buffer = lower_scratch(state->lower, text.size * 3);
    size_t size = in_query ? url_decode_query(text, buffer) : url_normalize_text(text, buffer);

    if (size == SIZE_MAX) {
        diag_error(state->lower->diag, DIAG_BAD_SOURCE, lower_span_of(state->word, text),
                   "\"%.*s\" has a \"%%\" that is no valid escape", LOWER_SHOW(text));
        diag_help(state->lower->diag, "a literal \"%%\" is written \"%%25\"");
        return false;
    }
    *part = (struct plan_part){ .kind = PLAN_PART_LITERAL,
                                .capture = PLAN_NO_CAPTURE,
                                .text = text };
    if (size != text.size || memcmp(buffer, text.data, size) != 0) {
        part->text = arena_copy(state->lower->arena, slice_of(buffer, size));
    }
    return true;
}

enum special_part { SPECIAL_NONE, SPECIAL_STAR, SPECIAL_MANY };

/* One segment as it was read: at most one of its parts is a star or `{x...}`, and takes no
 * place in `parts`. */
struct segment {
    struct plan_part parts[PLAN_PART_LIMIT];
    uint32_t part_count;
    enum special_part special;
    uint32_t special_at;       /* parts before it */
    struct slice special_text; /* as written */
    struct slice special_name;
};

static bool one_tail_only(struct lower_pattern *state, struct slice text)
{
    diag_error(state->lower->diag, DIAG_BAD_PLACEHOLDER, lower_span_of(state->word, text),
               "\"%.*s\" is the second part of this source that takes several segments",
               LOWER_SHOW(text));
    diag_help(state->lower->diag,
              "a source has one \"*\" or one \"{x...}\"; \"{x}\" takes a single segment");
    return false;
}

/* Reads one part at *at. */
static bool read_part(struct lower_pattern *state, const char **at, const char *end,
                      bool in_query, struct segment *segment)
{
    struct lower_placeholder placeholder;
    const char *start = *at;

    if (*start == '}') {
        return lower_bad_placeholder(state, slice_of(start, 1), "\"}\" closes no placeholder");
    }
    if (*start == '*' && in_query) {
        diag_error(state->lower->diag, DIAG_STAR_IN_MIDDLE,
                   lower_span_of(state->word, slice_of(start, 1)),
                   "a \"*\" in a query takes nothing");
        diag_help(state->lower->diag,
                  "write \"{x}\" for a value that may be any, \"%%2A\" for a literal star");
        return false;
    }
    if (*start == '*' || *start == '{') {
        placeholder =
            (struct lower_placeholder){ .whole = slice_of(start, 1), .name = SLICE("*") };
        if (*start == '{' && !lower_read_placeholder(state, start, end, in_query, &placeholder))
            return false;
        *at = start + placeholder.whole.size;
        if (*start == '*' || placeholder.takes_many) {
            if (in_query) {
                return lower_bad_placeholder(state, placeholder.whole,
                                             "it cannot take segments: it stands in a query");
            }
            if (segment->special || state->tail_text.size)
                return one_tail_only(state, placeholder.whole);
            segment->special = *start == '*' ? SPECIAL_STAR : SPECIAL_MANY;
            segment->special_at = segment->part_count;
            segment->special_text = placeholder.whole;
            segment->special_name = placeholder.name;
            return true;
        }
        if (segment->part_count == PLAN_PART_LIMIT) {
            return too_many(state, PLAN_PART_LIMIT, "parts of one segment or value");
        }
        if (!lower_claim_name(state, placeholder.name, &placeholder.part.capture))
            return false;
        segment->parts[segment->part_count++] = placeholder.part;
        return true;
    }
    while (*at < end && **at != '{' && **at != '}' && **at != '*')
        ++*at;
    if (segment->part_count == PLAN_PART_LIMIT) {
        return too_many(state, PLAN_PART_LIMIT, "parts of one segment or value");
    }
    return read_literal(state, slice_of(start, (size_t)(*at - start)), in_query,
                        &segment->parts[segment->part_count++]);
}

/* The end of the segment that starts at `at`: a "/" inside a regex is none. */
static const char *segment_end(const char *at, const char *end)
{
    while (at < end && *at != '/') {
        const char *close = *at == '{' ? lower_brace_end(at, end) : NULL;
        at = close ? close : at + 1;
    }
    return at;
}

static bool takes_several(struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '*' ||
            slice_starts_with(slice_of(text.data + i, text.size - i), SLICE("...}")))
            return true;
    }
    return false;
}

/* What stands behind a star, with "{}" for further ones in the middle. */
static struct slice behind_star(const struct lower_pattern *state, struct slice text)
{
    char *copy = arena_alloc(state->lower->arena, 2 * text.size + 1);
    size_t size = 0;

    for (size_t i = 0; i < text.size; i++) {
        bool is_in_middle = text.data[i] == '*' && i && text.data[i - 1] == '/' &&
                            i + 1 < text.size && text.data[i + 1] == '/';

        copy[size++] = is_in_middle ? '{' : text.data[i];
        if (is_in_middle)
            copy[size++] = '}';
    }
    return slice_of(copy, size);
}

/* "/a/ * /c": says what was meant, with the source as it would then look. */
static bool star_in_middle(struct lower_pattern *state, struct slice star)
{
    struct slice whole = state->word.text;
    size_t before = (size_t)(star.data - whole.data);
    size_t after = before + star.size;
    bool fills_segment = before > 0 && whole.data[before - 1] == '/' && after < whole.size &&
                         whole.data[after] == '/';
    struct slice rest = behind_star(state, slice_of(whole.data + after, whole.size - after));

    diag_error(state->lower->diag, DIAG_STAR_IN_MIDDLE, lower_span_of(state->word, star),
               "a \"*\" stands only at the end of a path, or in front of a suffix");
    if (after + 1 == whole.size && whole.data[after] == '/') {
        diag_help(state->lower->diag, "write \"%.*s\": it takes what ends in \"/\", too",
                  (int)after, whole.data);
        return false;
    }
    diag_help(state->lower->diag, "write \"%.*s{}%.*s\" for one segment", (int)before,
              whole.data, (int)rest.size, rest.data);
    if (fills_segment && !takes_several(rest)) {
        diag_help(state->lower->diag, "write \"%.*s{x...}%.*s\" for one segment or more",
                  (int)before, whole.data, (int)rest.size, rest.data);
    }
    return false;
}

/* The segment with the star or `{x...}` decides about the tail. */
static bool set_tail(struct lower_pattern *state, const struct segment *segment)
{
    struct plan_pattern *pattern = state->pattern;
    bool is_star = segment->special == SPECIAL_STAR;
    bool has_suffix = segment->special_at == 0 && segment->part_count == 1 &&
                      segment->parts[0].kind == PLAN_PART_LITERAL;

    state->tail_text = segment->special_text;
    if (is_star) {
        if (!lower_add_capture(state, segment->special_name, &pattern->tail_capture))
            return false;
    } else if (!lower_claim_name(state, segment->special_name, &pattern->tail_capture)) {
        return false;
    }
    if (segment->part_count == 0) {
        pattern->tail = is_star ? PLAN_TAIL_SUBTREE : PLAN_TAIL_MANY;
        return true;
    }
    if (has_suffix) {
        pattern->tail = PLAN_TAIL_MANY;
        pattern->suffix = segment->parts[0].text;
        return true;
    }
    if (is_star && segment->special_at == segment->part_count) {
        if (!add_segment(state, segment->parts, segment->part_count))
            return false;
        pattern->tail = PLAN_TAIL_BELOW;
        return true;
    }
    if (is_star)
        return star_in_middle(state, segment->special_text);
    return lower_bad_placeholder(
        state, segment->special_text,
        "it takes whole segments, and only a fixed suffix may follow it in its segment");
}

/* A regex takes all that the fixed parts around it leave. */
static bool judge_regex_parts(struct lower_pattern *state, const struct segment *segment)
{
    uint32_t regexes = 0, others = segment->special ? 1 : 0;

    for (uint32_t i = 0; i < segment->part_count; i++) {
        regexes += segment->parts[i].kind == PLAN_PART_REGEX;
        others += segment->parts[i].kind != PLAN_PART_LITERAL;
    }
    if (regexes == 0 || others == 1)
        return true;
    diag_error(state->lower->diag, DIAG_BAD_PLACEHOLDER, state->word.span,
               "beside a regex only fixed text stands in its segment");
    diag_help(state->lower->diag,
              "write one regex over all of it, or a regex as the source: ~ \"^/...\"");
    return false;
}

static bool is_dots(const struct segment *segment)
{
    struct slice text = segment->parts[0].text;

    return segment->part_count == 1 && !segment->special &&
           segment->parts[0].kind == PLAN_PART_LITERAL &&
           (slice_equal(text, SLICE(".")) || slice_equal(text, SLICE("..")));
}

/* Nothing may follow a star, or a suffix; a "/" alone neither. */
static bool may_go_on(struct lower_pattern *state)
{
    struct plan_pattern *pattern = state->pattern;

    if (pattern->tail == PLAN_TAIL_NONE)
        return true;
    if (pattern->tail == PLAN_TAIL_MANY && pattern->suffix.size == 0)
        return true;
    if (state->tail_text.data[0] == '*')
        return star_in_middle(state, state->tail_text);
    return lower_bad_placeholder(state, state->tail_text,
                                 "where a suffix follows it, the source ends there");
}

bool lower_read_path(struct lower_pattern *state, struct slice path)
{
    struct plan_pattern *pattern = state->pattern;
    const char *at = path.data, *end = path.data + path.size;

    while (at < end) {
        const char *stop = segment_end(at + 1, end); /* `at` is at a "/" */
        struct segment segment = { 0 };

        for (at++; at < stop;) {
            if (!read_part(state, &at, stop, false, &segment))
                return false;
        }
        if (segment.part_count == 0 && !segment.special)
            continue; /* empty segments merge */
        if (is_dots(&segment)) {
            diag_error(state->lower->diag, DIAG_BAD_SOURCE, state->word.span,
                       "a source with placeholders has no dot segments");
            diag_help(state->lower->diag, "write the path as it is without \".\" and \"..\"");
            return false;
        }
        if (!may_go_on(state) || !judge_regex_parts(state, &segment))
            return false;
        if (segment.special ? !set_tail(state, &segment)
                            : !add_segment(state, segment.parts, segment.part_count)) {
            return false;
        }
    }
    if (path.data[path.size - 1] != '/')
        return true;
    if (!may_go_on(state))
        return false;
    if (pattern->tail == PLAN_TAIL_MANY && pattern->rest_count == 0) {
        return lower_bad_placeholder(state, state->tail_text,
                                     "at the end it takes a last \"/\", too: leave that away");
    }
    pattern->ends_in_slash = true;
    return true;
}

bool lower_read_value(struct lower_pattern *state, struct slice text,
                      struct plan_segment *value)
{
    struct segment segment = { 0 };
    const char *at = text.data, *end = text.data + text.size;

    if (state->reading == LOWER_LITERAL) {
        if (text.size && !read_literal(state, text, true, &segment.parts[segment.part_count++]))
            return false;
    } else {
        while (at < end) {
            if (!read_part(state, &at, end, true, &segment))
                return false;
        }
    }
    if (!judge_regex_parts(state, &segment))
        return false;
    value->part_count = segment.part_count;
    if (segment.part_count) {
        value->parts =
            arena_array(state->lower->arena, segment.part_count, sizeof(*value->parts));
        memcpy(value->parts, segment.parts, segment.part_count * sizeof(*value->parts));
    }
    return true;
}

static void *keep(struct lower_pattern *state, const void *items, uint32_t count, size_t size)
{
    if (count == 0)
        return NULL;
    void *copy = arena_array(state->lower->arena, count, size);
    memcpy(copy, items, count * size);
    return copy;
}

struct plan_pattern *lower_pattern_finish(struct lower_pattern *state)
{
    struct plan_pattern *pattern = state->pattern;

    pattern->head = keep(state, state->segments, pattern->head_count, sizeof(*state->segments));
    pattern->rest = keep(state, state->segments + pattern->head_count, pattern->rest_count,
                         sizeof(*state->segments));
    pattern->parameters =
        keep(state, state->parameters, pattern->parameter_count, sizeof(*state->parameters));
    pattern->captures =
        keep(state, state->captures, pattern->capture_count, sizeof(*state->captures));
    return pattern;
}
