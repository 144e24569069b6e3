/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a pattern program. A cursor walks the program, another the path; segments are matched one by one from the left,
 * those behind `{x...}` from the right. What a segment's placeholders take is decided in pattern_segment. */
#include "mod_redir307/pattern.h"

#include "mod_redir307/pattern_segment.h"
#include "mod_redir307/ruleset_read.h"

/* Reads one segment of the program. False: no program. */
static bool read_segment(struct ruleset_cursor *program, struct pattern_segment *segment)
{
    segment->part_count = cursor_u8(program);
    if (segment->part_count > PATTERN_PART_LIMIT) return false;
    for (unsigned i = 0; i < segment->part_count; i++) {
        struct pattern_part *part = &segment->parts[i];

        part->kind = cursor_u8(program);
        part->capture = cursor_u8(program);
        part->text = slice_of("", 0);
        part->set_count = 0;
        if (part->kind >= PATTERN_PART_KIND_COUNT) return false;
        if (part->kind == PATTERN_LITERAL) part->text = cursor_slice(program);
        if (part->kind == PATTERN_SET) {
            part->set_count = cursor_u8(program);
            part->set = program->at;
            for (unsigned k = 0; k < part->set_count; k++) cursor_slice(program);
            part->set_end = program->at;
        }
    }
    return !program->failed;
}

/* The next segment of a path whose `at` is at a slash; it must not be empty. */
static bool next_segment(const char **at, const char *end, struct slice *segment)
{
    if (*at == end || **at != '/') return false;

    const char *start = *at + 1;
    const char *stop = memchr(start, '/', (size_t)(end - start));
    if (!stop) stop = end;
    *segment = slice_of(start, (size_t)(stop - start));
    *at = stop;
    return stop > start;
}

static void keep(struct pattern_capture *captures, unsigned capture, const char *start, const char *end)
{
    if (captures && capture < PATTERN_CAPTURE_LIMIT) {
        captures[capture].text = slice_of(start, (size_t)(end - start));
    }
}

/* The segments behind `{x...}`: read in order, matched where the last `count` segments of [at, *end) begin. */
static bool match_rest(struct ruleset_cursor *program, unsigned count, bool ignores_case, const char *at,
                       const char **end, struct pattern_capture *captures, bool *case_differs)
{
    const char *start = *end;

    for (unsigned i = 0; i < count; i++) {
        if (start == at) return false;
        do start--;
        while (start > at && *start != '/');
    }
    if (start <= at) return false; /* nothing left for `{x...}` itself */

    const char *walk = start;
    for (unsigned i = 0; i < count; i++) {
        struct pattern_segment segment;
        struct slice text;

        if (!read_segment(program, &segment) || !next_segment(&walk, *end, &text)) return false;
        if (!pattern_segment_match(&segment, text, ignores_case, captures, case_differs)) return false;
    }
    *end = start;
    return true;
}

/* `{x...}`, with what stands behind it. `at` is behind the head, `end` behind the path's last segment, `whole_end`
 * behind its trailing slash. */
static bool match_many(struct ruleset_cursor *program, bool ignores_case, const char *at, const char *end,
                       const char *whole_end, struct pattern_capture *captures, bool *case_differs,
                       bool *slash_is_captured)
{
    unsigned capture = cursor_u8(program);
    struct slice suffix = cursor_slice(program);
    unsigned rest_count = cursor_u8(program);

    if (program->failed || rest_count > PATTERN_SEGMENT_LIMIT) return false;
    if (at == end || *at != '/') return false;
    const char *stop = end;
    if (rest_count > 0 && !match_rest(program, rest_count, ignores_case, at, &stop, captures, case_differs)) {
        return false;
    }
    if (suffix.size > 0) {
        /* at least one byte before it */
        struct slice left = slice_of(at, (size_t)(stop - at));

        if (left.size < suffix.size + 2 || !pattern_is_boundary(left, left.size - suffix.size)) return false;
        if (!pattern_text_equal(slice_of(stop - suffix.size, suffix.size), suffix, ignores_case, case_differs)) {
            return false;
        }
        stop -= suffix.size;
    }
    if (stop - at < 2) return false;
    if (rest_count == 0 && suffix.size == 0) {
        stop = whole_end;
        *slash_is_captured = true;
    }
    keep(captures, capture, at + 1, stop);
    return true;
}

static bool match_path(struct ruleset_cursor *program, struct pattern_flags flags, struct slice path,
                       struct pattern_capture *captures, unsigned *cost)
{
    const char *at = path.data, *whole_end = path.data + path.size, *end = whole_end;
    bool has_slash = path.size > 1 && end[-1] == '/';
    bool case_differs = false, slash_counts = true;
    unsigned head_count = cursor_u8(program);

    if (path.size == 0 || head_count > PATTERN_SEGMENT_LIMIT) return false;
    if (end[-1] == '/') end--; /* "/" has no segment, "/a/" has one */

    struct pattern_segment last;
    struct slice text = slice_of("", 0);
    for (unsigned i = 0; i < head_count; i++) {
        if (!read_segment(program, &last) || !next_segment(&at, end, &text)) return false;
        /* The last one of a BELOW is judged when the tail is known. */
        if (i + 1 < head_count
            && !pattern_segment_match(&last, text, flags.ignores_case, captures, &case_differs)) {
            return false;
        }
    }

    unsigned tail = cursor_u8(program);
    if (head_count > 0 && tail != PATTERN_TAIL_BELOW
        && !pattern_segment_match(&last, text, flags.ignores_case, captures, &case_differs)) {
        return false;
    }
    switch (tail) {
    case PATTERN_TAIL_NONE:
        if (at != end) return false;
        break;
    case PATTERN_TAIL_SUBTREE:
        keep(captures, cursor_u8(program), at < whole_end ? at + 1 : at, whole_end);
        slash_counts = false;
        break;
    case PATTERN_TAIL_BELOW: {
        unsigned capture = cursor_u8(program);
        size_t used;

        if (head_count == 0
            || !pattern_segment_match_start(&last, text, flags.ignores_case, captures, &case_differs, &used)) {
            return false;
        }
        keep(captures, capture, text.data + used, whole_end);
        slash_counts = false;
        break;
    }
    case PATTERN_TAIL_MANY: {
        bool slash_is_captured = false;

        if (!match_many(program, flags.ignores_case, at, end, whole_end, captures, &case_differs,
                        &slash_is_captured)) {
            return false;
        }
        slash_counts = !slash_is_captured;
        break;
    }
    default:
        return false;
    }

    *cost = case_differs ? PATTERN_CASE_DIFFERS : 0;
    if (slash_counts && has_slash != flags.ends_in_slash && path.size > 1) {
        if (flags.is_slash_exact) return false;
        *cost |= PATTERN_SLASH_DIFFERS;
    }
    return !program->failed;
}

/* One parameter of the source: the first occurrence that fits is taken. */
static bool match_parameter(struct ruleset_cursor *program, const struct pattern_subject *subject,
                            struct pattern_capture *captures)
{
    struct slice name = cursor_slice(program);
    unsigned kind = cursor_u8(program);
    struct pattern_segment value;

    if (program->failed || kind > PATTERN_VALUE_PATTERN) return false;
    if (kind == PATTERN_VALUE_PATTERN && !read_segment(program, &value)) return false;
    for (unsigned i = 0; i < subject->parameter_count; i++) {
        const struct pattern_parameter *parameter = &subject->parameters[i];
        bool case_differs = false;

        if (!slice_equal(parameter->name, name)) continue;
        if (kind == PATTERN_VALUE_ANY || pattern_value_match(&value, parameter->value, captures, &case_differs)) {
            return true;
        }
    }
    return false;
}

bool pattern_match(struct slice program, struct pattern_flags flags, const struct pattern_subject *subject,
                   struct pattern_capture *captures, unsigned *cost)
{
    const uint8_t *start = (const uint8_t *)program.data;
    struct ruleset_cursor cursor = { .at = start, .end = start + program.size };

    if (!match_path(&cursor, flags, subject->path, captures, cost)) return false;
    unsigned count = cursor_u8(&cursor);
    if (count > PATTERN_PARAMETER_LIMIT) return false;
    for (unsigned i = 0; i < count; i++) {
        if (!match_parameter(&cursor, subject, captures)) return false;
    }
    return !cursor.failed;
}

/* Reads over everything before the parameters. */
static void skip_path(struct ruleset_cursor *program)
{
    struct pattern_segment segment;
    unsigned head_count = cursor_u8(program);

    for (unsigned i = 0; i < head_count; i++) program->failed |= !read_segment(program, &segment);
    unsigned tail = cursor_u8(program);
    program->failed |= tail > PATTERN_TAIL_MANY;
    if (tail != PATTERN_TAIL_NONE) cursor_u8(program);
    if (tail == PATTERN_TAIL_MANY) {
        cursor_slice(program);
        unsigned rest_count = cursor_u8(program);

        for (unsigned i = 0; i < rest_count; i++) program->failed |= !read_segment(program, &segment);
    }
}

/* Reads one parameter; its name. */
static struct slice skip_parameter(struct ruleset_cursor *program)
{
    struct pattern_segment value;
    struct slice name = cursor_slice(program);
    unsigned kind = cursor_u8(program);

    program->failed |= kind > PATTERN_VALUE_PATTERN;
    if (kind == PATTERN_VALUE_PATTERN) program->failed |= !read_segment(program, &value);
    return name;
}

bool pattern_consumes(struct slice program, struct slice name)
{
    const uint8_t *start = (const uint8_t *)program.data;
    struct ruleset_cursor cursor = { .at = start, .end = start + program.size };

    skip_path(&cursor);
    unsigned count = cursor_u8(&cursor);
    for (unsigned i = 0; i < count && !cursor.failed; i++) {
        struct slice own = skip_parameter(&cursor);

        if (!cursor.failed && slice_equal(own, name)) return true;
    }
    return false;
}

bool pattern_is_sound(struct slice program)
{
    const uint8_t *start = (const uint8_t *)program.data;
    struct ruleset_cursor cursor = { .at = start, .end = start + program.size };

    skip_path(&cursor);
    unsigned count = cursor_u8(&cursor);
    for (unsigned i = 0; i < count && !cursor.failed; i++) skip_parameter(&cursor);
    return !cursor.failed && cursor.at == cursor.end;
}
