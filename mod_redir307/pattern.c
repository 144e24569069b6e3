/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a pattern program. A cursor walks the program, another the path; segments are matched one by one from the left,
 * those behind `{x...}` from the right. What a segment's placeholders take is decided in pattern_segment. */
#include "mod_redir307/pattern.h"

#include "mod_redir307/pattern_segment.h"
#include "mod_redir307/regex.h"
#include "mod_redir307/ruleset_read.h"

static uint32_t read_u32(struct ruleset_cursor *program)
{
    uint32_t low = cursor_u16(program);

    return low | (uint32_t)cursor_u16(program) << 16;
}

/* Reads one segment of the program. False: no program. */
static bool read_segment(struct ruleset_cursor *program, struct pattern_segment *segment)
{
    segment->part_count = cursor_u8(program);
    if (segment->part_count > PATTERN_PART_LIMIT) return false;
    for (unsigned i = 0; i < segment->part_count; i++) {
        struct pattern_part *part = &segment->parts[i];

        *part = (struct pattern_part){ .kind = cursor_u8(program) };
        part->capture = cursor_u8(program);
        if (part->kind >= PATTERN_PART_KIND_COUNT) return false;
        if (part->kind == PATTERN_LITERAL) part->text = cursor_slice(program);
        if (part->kind == PATTERN_REGEX) {
            part->regex_at = program->at;
            part->regex = read_u32(program);
        }
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
static bool match_rest(struct ruleset_cursor *program, unsigned count, const char *at, const char **end,
                       struct pattern_match_state *state)
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
        if (!pattern_segment_match(&segment, text, state)) return false;
    }
    *end = start;
    return true;
}

/* A path under way: `at` behind what is matched, `end` behind the last segment, `whole_end` behind a trailing slash. */
struct path_walk {
    const char *at, *end, *whole_end;
    bool slash_counts; /* the trailing slash is not part of a capture */
};

/* `{x...}`, with what stands behind it. */
static bool match_many(struct ruleset_cursor *program, struct path_walk *path, struct pattern_match_state *state)
{
    unsigned capture = cursor_u8(program);
    struct slice suffix = cursor_slice(program);
    unsigned rest_count = cursor_u8(program);
    const char *at = path->at, *stop = path->end;

    if (program->failed || rest_count > PATTERN_SEGMENT_LIMIT) return false;
    if (at == stop || *at != '/') return false;
    if (rest_count > 0 && !match_rest(program, rest_count, at, &stop, state)) return false;
    if (suffix.size > 0) {
        struct slice left = slice_of(at, (size_t)(stop - at));

        /* at least one byte before it */
        if (left.size < suffix.size + 2 || !pattern_is_boundary(left, left.size - suffix.size)) return false;
        stop -= suffix.size;
        if (!pattern_text_equal(slice_of(stop, suffix.size), suffix, state->ignores_case, &state->case_differs)) {
            return false;
        }
    }
    if (stop - at < 2) return false;
    if (rest_count == 0 && suffix.size == 0) {
        stop = path->whole_end;
        path->slash_counts = false;
    }
    keep(state->captures, capture, at + 1, stop);
    return true;
}

/* A regex over the whole path, as it is. */
static bool match_regex(struct ruleset_cursor *program, struct slice path, struct pattern_match_state *state)
{
    struct slice groups[REGEX_GROUP_LIMIT];
    uint32_t regex = read_u32(program);
    unsigned count = cursor_u8(program);

    if (program->failed
        || !regex_match(state->subject->regexes, regex, path, state->subject->regex, groups)) {
        return false;
    }
    for (unsigned i = 0; i < count; i++) {
        unsigned capture = cursor_u8(program), group = cursor_u8(program);

        if (group >= REGEX_GROUP_LIMIT) return false;
        keep(state->captures, capture, groups[group].data, groups[group].data + groups[group].size);
    }
    return !program->failed;
}

/* What stands behind the head, whose last segment is `last` with the text `text`. */
static bool match_tail(struct ruleset_cursor *program, unsigned head_count, const struct pattern_segment *last,
                       struct slice text, struct path_walk *path, struct pattern_match_state *state)
{
    unsigned tail = cursor_u8(program);
    size_t used;

    if (head_count > 0 && tail != PATTERN_TAIL_BELOW && !pattern_segment_match(last, text, state)) return false;
    switch (tail) {
    case PATTERN_TAIL_NONE: return path->at == path->end;
    case PATTERN_TAIL_SUBTREE:
        path->slash_counts = false;
        keep(state->captures, cursor_u8(program), path->at < path->whole_end ? path->at + 1 : path->at,
             path->whole_end);
        return true;
    case PATTERN_TAIL_BELOW: {
        unsigned capture = cursor_u8(program);

        path->slash_counts = false;
        if (head_count == 0 || !pattern_segment_match_start(last, text, state, &used)) return false;
        keep(state->captures, capture, text.data + used, path->whole_end);
        return true;
    }
    case PATTERN_TAIL_MANY: return match_many(program, path, state);
    case PATTERN_TAIL_REGEX:
        path->slash_counts = false;
        return head_count == 0 && match_regex(program, state->subject->path, state);
    default: return false;
    }
}

static bool match_path(struct ruleset_cursor *program, struct pattern_flags flags, struct pattern_match_state *state,
                       unsigned *cost)
{
    struct slice whole = state->subject->path, text = slice_of("", 0);
    struct path_walk path = { .at = whole.data, .end = whole.data + whole.size, .slash_counts = true };
    struct pattern_segment last = { .part_count = 0 };
    unsigned head_count = cursor_u8(program);

    if (whole.size == 0 || head_count > PATTERN_SEGMENT_LIMIT) return false;
    path.whole_end = path.end;
    if (path.end[-1] == '/') path.end--; /* "/" has no segment, "/a/" has one */
    for (unsigned i = 0; i < head_count; i++) {
        if (!read_segment(program, &last) || !next_segment(&path.at, path.end, &text)) return false;
        /* The last one is judged when the tail is known. */
        if (i + 1 < head_count && !pattern_segment_match(&last, text, state)) return false;
    }
    if (!match_tail(program, head_count, &last, text, &path, state)) return false;

    bool has_slash = path.end < path.whole_end;
    *cost = state->case_differs ? PATTERN_CASE_DIFFERS : 0;
    if (path.slash_counts && has_slash != flags.ends_in_slash && whole.size > 1) {
        if (flags.is_slash_exact) return false;
        *cost |= PATTERN_SLASH_DIFFERS;
    }
    return !program->failed;
}

/* One parameter of the source: the first occurrence that fits is taken. */
static bool match_parameter(struct ruleset_cursor *program, struct pattern_match_state *state)
{
    struct slice name = cursor_slice(program);
    unsigned kind = cursor_u8(program);
    struct pattern_segment value;

    if (program->failed || kind > PATTERN_VALUE_PATTERN) return false;
    if (kind == PATTERN_VALUE_PATTERN && !read_segment(program, &value)) return false;
    for (unsigned i = 0; i < state->subject->parameter_count; i++) {
        const struct pattern_parameter *parameter = &state->subject->parameters[i];

        if (!slice_equal(parameter->name, name)) continue;
        if (kind == PATTERN_VALUE_ANY || pattern_value_match(&value, parameter->value, state)) return true;
    }
    return false;
}

bool pattern_match(struct slice program, struct pattern_flags flags, const struct pattern_subject *subject,
                   struct pattern_capture *captures, unsigned *cost)
{
    const uint8_t *start = (const uint8_t *)program.data;
    struct ruleset_cursor cursor = { .at = start, .end = start + program.size };
    struct pattern_match_state state = { .subject = subject, .ignores_case = flags.ignores_case,
                                         .captures = captures };

    if (!match_path(&cursor, flags, &state, cost)) return false;
    unsigned count = cursor_u8(&cursor);
    if (count > PATTERN_PARAMETER_LIMIT) return false;
    for (unsigned i = 0; i < count; i++) {
        if (!match_parameter(&cursor, &state)) return false;
    }
    return !cursor.failed;
}

/* Where the regexes of a program that is read over are put; NULL: nowhere. */
struct found_regexes {
    const uint8_t *start; /* of the program */
    struct pattern_regex *regexes;
    unsigned count, limit;
};

static void found_regex(struct found_regexes *found, const uint8_t *at, uint32_t index)
{
    if (found && found->count < found->limit) {
        found->regexes[found->count++] = (struct pattern_regex){ .at = (size_t)(at - found->start), .index = index };
    }
}

static void skip_segment(struct ruleset_cursor *program, struct found_regexes *found)
{
    struct pattern_segment segment;

    if (!read_segment(program, &segment)) {
        program->failed = true;
        return;
    }
    for (unsigned i = 0; i < segment.part_count; i++) {
        const struct pattern_part *part = &segment.parts[i];

        if (part->kind == PATTERN_REGEX) found_regex(found, part->regex_at, part->regex);
    }
}

/* Reads over everything before the parameters. */
static void skip_path(struct ruleset_cursor *program, struct found_regexes *found)
{
    unsigned head_count = cursor_u8(program);

    for (unsigned i = 0; i < head_count; i++) skip_segment(program, found);
    unsigned tail = cursor_u8(program);
    program->failed |= tail > PATTERN_TAIL_REGEX;
    if (tail == PATTERN_TAIL_REGEX) {
        const uint8_t *at = program->at;
        uint32_t index = read_u32(program);
        unsigned count = cursor_u8(program);

        if (!program->failed) found_regex(found, at, index);
        for (unsigned i = 0; i < 2 * count; i++) cursor_u8(program);
    } else if (tail != PATTERN_TAIL_NONE) {
        cursor_u8(program);
    }
    if (tail == PATTERN_TAIL_MANY) {
        cursor_slice(program);
        unsigned rest_count = cursor_u8(program);

        for (unsigned i = 0; i < rest_count; i++) skip_segment(program, found);
    }
}

/* Reads one parameter; its name. */
static struct slice skip_parameter(struct ruleset_cursor *program, struct found_regexes *found)
{
    struct slice name = cursor_slice(program);
    unsigned kind = cursor_u8(program);

    program->failed |= kind > PATTERN_VALUE_PATTERN;
    if (kind == PATTERN_VALUE_PATTERN) skip_segment(program, found);
    return name;
}

bool pattern_consumes(struct slice program, struct slice name)
{
    const uint8_t *start = (const uint8_t *)program.data;
    struct ruleset_cursor cursor = { .at = start, .end = start + program.size };

    skip_path(&cursor, NULL);
    unsigned count = cursor_u8(&cursor);
    for (unsigned i = 0; i < count && !cursor.failed; i++) {
        struct slice own = skip_parameter(&cursor, NULL);

        if (!cursor.failed && slice_equal(own, name)) return true;
    }
    return false;
}

unsigned pattern_regexes(struct slice program, struct pattern_regex *regexes, unsigned limit)
{
    const uint8_t *start = (const uint8_t *)program.data;
    struct ruleset_cursor cursor = { .at = start, .end = start + program.size };
    struct found_regexes found = { .start = start, .regexes = regexes, .limit = limit };

    skip_path(&cursor, &found);
    unsigned count = cursor_u8(&cursor);
    for (unsigned i = 0; i < count && !cursor.failed; i++) skip_parameter(&cursor, &found);
    return found.count;
}

bool pattern_is_sound(struct slice program)
{
    const uint8_t *start = (const uint8_t *)program.data;
    struct ruleset_cursor cursor = { .at = start, .end = start + program.size };

    skip_path(&cursor, NULL);
    unsigned count = cursor_u8(&cursor);
    for (unsigned i = 0; i < count && !cursor.failed; i++) skip_parameter(&cursor, NULL);
    return !cursor.failed && cursor.at == cursor.end;
}
