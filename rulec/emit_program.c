/* SPDX-License-Identifier: Apache-2.0 */
/* Encodes patterns: once to be run, once to be ranked, once to be found by hash. */
#include "rulec/emit_program.h"

#include "mod_redir307/pattern.h"
#include "rulec/bytes.h"
#include "rulec/regex_prefix.h"

#include <stdlib.h>

_Static_assert((int)PATTERN_NO_CAPTURE == (int)PLAN_NO_CAPTURE
               && (int)PATTERN_CAPTURE_LIMIT == (int)PLAN_CAPTURE_LIMIT
               && (int)PATTERN_PART_LIMIT == (int)PLAN_PART_LIMIT
               && (int)PATTERN_SEGMENT_LIMIT == (int)PLAN_SEGMENT_LIMIT
               && (int)PATTERN_PARAMETER_LIMIT == (int)PLAN_PARAMETER_LIMIT, "the plan's limits are the engine's");

static bool is_fixed(const struct plan_segment *segment)
{
    return segment->part_count == 1 && segment->parts[0].kind == PLAN_PART_LITERAL;
}

static bool is_free(const struct plan_segment *segment)
{
    return segment->part_count == 1 && segment->parts[0].kind == PLAN_PART_FREE;
}

unsigned emit_pattern_forms(struct arena *arena, const struct plan_pattern *pattern,
                            struct plan_pattern forms[EMIT_FORM_LIMIT])
{
    forms[0] = *pattern;
    if (pattern->tail != PLAN_TAIL_MANY || pattern->suffix.size == 0) return 1;

    struct plan_segment *head = arena_array(arena, pattern->head_count + 1u, sizeof *head);
    struct plan_part *parts = arena_array(arena, 2, sizeof *parts);
    if (pattern->head_count) memcpy(head, pattern->head, pattern->head_count * sizeof *head);
    parts[0] = (struct plan_part){ .kind = PLAN_PART_FREE, .capture = pattern->tail_capture };
    parts[1] = (struct plan_part){ .kind = PLAN_PART_LITERAL, .capture = PLAN_NO_CAPTURE, .text = pattern->suffix };
    head[pattern->head_count] = (struct plan_segment){ .parts = parts, .part_count = 2 };

    forms[1] = forms[0];
    forms[0].head = head;
    forms[0].head_count = pattern->head_count + 1;
    forms[0].tail = PLAN_TAIL_NONE;
    forms[0].suffix = slice_of("", 0);
    return 2;
}

static unsigned part_kind(enum plan_part_kind kind)
{
    switch (kind) {
    case PLAN_PART_LITERAL: return PATTERN_LITERAL;
    case PLAN_PART_SET: return PATTERN_SET;
    case PLAN_PART_INT: return PATTERN_INT;
    case PLAN_PART_HEX: return PATTERN_HEX;
    case PLAN_PART_SLUG: return PATTERN_SLUG;
    case PLAN_PART_UUID: return PATTERN_UUID;
    case PLAN_PART_DATE: return PATTERN_DATE;
    case PLAN_PART_VERSION: return PATTERN_VERSION;
    case PLAN_PART_REGEX: return PATTERN_REGEX;
    case PLAN_PART_FREE: return PATTERN_FREE;
    }
    return PATTERN_FREE;
}

/* `ignores_case` concerns the regexes of a path's segment. */
static void put_segment(struct emit_build *build, struct bytes *out, const struct plan_segment *segment,
                        bool ignores_case)
{
    bytes_put_u8(out, segment->part_count);
    for (uint32_t i = 0; i < segment->part_count; i++) {
        const struct plan_part *part = &segment->parts[i];

        bytes_put_u8(out, part_kind(part->kind));
        bytes_put_u8(out, part->capture);
        if (part->kind == PLAN_PART_LITERAL) bytes_put_slice(out, part->text);
        if (part->kind == PLAN_PART_REGEX) {
            uint32_t regex = emit_regex(build, part->text, RULESET_REGEX_WHOLE
                                                           | (ignores_case ? RULESET_REGEX_CASELESS : 0u));
            bytes_put(out, &regex, sizeof regex);
        }
        if (part->kind == PLAN_PART_SET) {
            bytes_put_u8(out, part->set_count);
            for (uint32_t k = 0; k < part->set_count; k++) bytes_put_slice(out, part->set[k]);
        }
    }
}

static unsigned tail_kind(enum plan_tail tail)
{
    switch (tail) {
    case PLAN_TAIL_NONE: return PATTERN_TAIL_NONE;
    case PLAN_TAIL_SUBTREE: return PATTERN_TAIL_SUBTREE;
    case PLAN_TAIL_BELOW: return PATTERN_TAIL_BELOW;
    case PLAN_TAIL_MANY: return PATTERN_TAIL_MANY;
    }
    return PATTERN_TAIL_NONE;
}

static void put_parameters(struct emit_build *build, struct bytes *out, const struct plan_pattern *pattern)
{
    bytes_put_u8(out, pattern->parameter_count);
    for (uint32_t i = 0; i < pattern->parameter_count; i++) {
        const struct plan_parameter *parameter = &pattern->parameters[i];
        bool is_any = parameter->kind == PLAN_VALUE_ANY;

        bytes_put_slice(out, parameter->name);
        bytes_put_u8(out, is_any ? PATTERN_VALUE_ANY : PATTERN_VALUE_PATTERN);
        if (!is_any) put_segment(build, out, &parameter->value, false);
    }
}

/* Groups by number: the captures of a regex stand in the order of its groups. */
static void put_regex(struct emit_build *build, struct bytes *out, const struct plan_pattern *pattern,
                      bool ignores_case)
{
    uint32_t regex = emit_regex(build, pattern->regex, ignores_case ? RULESET_REGEX_CASELESS : 0u);

    bytes_put_u8(out, 0);
    bytes_put_u8(out, PATTERN_TAIL_REGEX);
    bytes_put(out, &regex, sizeof regex);
    bytes_put_u8(out, pattern->capture_count);
    for (uint32_t i = 0; i < pattern->capture_count; i++) {
        bytes_put_u8(out, i);
        bytes_put_u8(out, i + 1);
    }
}

struct slice emit_program(struct emit_build *build, const struct plan_pattern *pattern, bool ignores_case)
{
    struct bytes out = { 0 };

    if (pattern->regex.size) {
        put_regex(build, &out, pattern, ignores_case);
    } else {
        bytes_put_u8(&out, pattern->head_count);
        for (uint32_t i = 0; i < pattern->head_count; i++) put_segment(build, &out, &pattern->head[i], ignores_case);
        bytes_put_u8(&out, tail_kind(pattern->tail));
        if (pattern->tail != PLAN_TAIL_NONE) bytes_put_u8(&out, pattern->tail_capture);
        if (pattern->tail == PLAN_TAIL_MANY) {
            bytes_put_slice(&out, pattern->suffix);
            bytes_put_u8(&out, pattern->rest_count);
            for (uint32_t i = 0; i < pattern->rest_count; i++) {
                put_segment(build, &out, &pattern->rest[i], ignores_case);
            }
        }
    }
    put_parameters(build, &out, pattern);
    struct slice program = arena_copy(build->plan->arena, slice_of((const char *)out.data, out.size));
    bytes_free(&out);
    return program;
}

/* ---- rank ---- */
enum { /* classes of a path's next element, best first; the end of the path is less than all */
    RANK_END = 0x00, RANK_FIXED = 0x10, RANK_CONSTRAINED = 0x20, RANK_FREE = 0x30, RANK_SUBTREE = 0x40
};
enum { RANK_MANY_WITH_REST = 1, RANK_REGEX = 2, RANK_PLAIN = 3 };

static size_t fixed_size(const struct plan_segment *segment)
{
    size_t size = 0;

    for (uint32_t i = 0; i < segment->part_count; i++) {
        if (segment->parts[i].kind == PLAN_PART_LITERAL) size += segment->parts[i].text.size;
    }
    return size;
}

/* More fixed bytes come first. */
static void put_fixed_size(struct bytes *out, size_t size)
{
    size_t rest = size < 0xffff ? 0xffff - size : 0;

    bytes_put_u8(out, (unsigned)(rest >> 8));
    bytes_put_u8(out, (unsigned)(rest & 255));
}

static void put_constrained(struct bytes *out, const struct plan_segment *segment, bool has_star)
{
    bool is_closed = !has_star;
    unsigned best = has_star ? PLAN_PART_FREE : 255;

    for (uint32_t i = 0; i < segment->part_count; i++) {
        enum plan_part_kind kind = segment->parts[i].kind;

        if (kind == PLAN_PART_LITERAL) continue;
        if (kind != PLAN_PART_SET) is_closed = false;
        if ((unsigned)kind < best) best = kind;
    }
    bytes_put_u8(out, RANK_CONSTRAINED);
    bytes_put_u8(out, is_closed ? 0 : 1);
    put_fixed_size(out, fixed_size(segment));
    bytes_put_u8(out, best);
}

static void put_segment_rank(struct bytes *out, const struct plan_segment *segment)
{
    if (is_fixed(segment)) bytes_put_u8(out, RANK_FIXED);
    else if (is_free(segment)) bytes_put_u8(out, RANK_FREE);
    else put_constrained(out, segment, false);
}

/* The whole segments that a path must begin with to match. */
static struct slice regex_lead(struct arena *arena, struct slice regex)
{
    struct slice prefix = regex_prefix(arena, regex);

    while (prefix.size && prefix.data[prefix.size - 1] != '/') prefix.size--;
    if (prefix.size) prefix.size--;
    return prefix;
}

static uint32_t segments_of(struct slice lead)
{
    uint32_t count = 0;

    for (size_t i = 0; i < lead.size; i++) count += lead.data[i] == '/';
    return count;
}

/* Directly before the subtree of its literal prefix. */
static void put_regex_rank(struct bytes *out, uint32_t lead)
{
    for (uint32_t i = 0; i < lead; i++) bytes_put_u8(out, RANK_FIXED);
    bytes_put_u8(out, RANK_SUBTREE);
    bytes_put_u8(out, RANK_REGEX);
    put_fixed_size(out, 0);
}

static void put_path_rank(struct bytes *out, const struct plan_pattern *pattern)
{
    bool is_below = pattern->tail == PLAN_TAIL_BELOW;
    size_t rest_size = pattern->suffix.size;

    for (uint32_t i = 0; i < pattern->head_count; i++) {
        if (is_below && i + 1 == pattern->head_count) put_constrained(out, &pattern->head[i], true);
        else put_segment_rank(out, &pattern->head[i]);
    }
    if (pattern->tail == PLAN_TAIL_NONE) {
        bytes_put_u8(out, RANK_END);
        return;
    }
    bytes_put_u8(out, RANK_SUBTREE);
    for (uint32_t i = 0; i < pattern->rest_count; i++) rest_size += fixed_size(&pattern->rest[i]);
    bytes_put_u8(out, pattern->rest_count || pattern->suffix.size ? RANK_MANY_WITH_REST : RANK_PLAIN);
    put_fixed_size(out, rest_size);
}

struct slice emit_rank(struct arena *arena, const struct plan_pattern *pattern)
{
    struct bytes out = { 0 };
    unsigned fixed = 0;

    if (pattern->regex.size) put_regex_rank(&out, segments_of(regex_lead(arena, pattern->regex)));
    else put_path_rank(&out, pattern);
    for (uint32_t i = 0; i < pattern->parameter_count; i++) {
        const struct plan_parameter *parameter = &pattern->parameters[i];

        fixed += parameter->kind == PLAN_VALUE_PATTERN && (parameter->value.part_count == 0 || is_fixed(&parameter->value));
    }
    bytes_put_u8(&out, 255 - pattern->parameter_count);
    bytes_put_u8(&out, 255 - fixed);
    struct slice rank = arena_copy(arena, slice_of((const char *)out.data, out.size));
    bytes_free(&out);
    return rank;
}

/* ---- shape ---- */
static struct slice folded(struct arena *arena, struct slice text, bool ignores_case)
{
    if (!ignores_case) return text;
    char *copy = arena_string(arena, text);
    for (size_t i = 0; i < text.size; i++) {
        if (copy[i] >= 'A' && copy[i] <= 'Z') copy[i] = (char)(copy[i] | 32);
    }
    return slice_of(copy, text.size);
}

static size_t at_most(size_t size, size_t limit)
{
    return size < limit ? size : limit;
}

static void add_part(struct emit_shape_of *result, struct ruleset_shape_part part, struct slice start,
                     struct slice end)
{
    if (result->shape.part_count == RULESET_SHAPE_PARTS) return; /* the program compares it all the same */
    result->shape.parts[result->shape.part_count++] = part;
    result->parts[result->part_count++] = start;
    result->parts[result->part_count++] = end;
}

/* What is fixed of one segment: all of it, or its first and last bytes. */
static void add_segment(struct arena *arena, struct emit_shape_of *result, unsigned number,
                        const struct plan_segment *segment, bool is_open, bool ignores_case, enum emit_detail detail)
{
    struct ruleset_shape_part part = { .segment = (uint8_t)number };
    struct slice start = slice_of("", 0), end = slice_of("", 0);

    if (is_fixed(segment) && !is_open) {
        part.prefix = RULESET_PART_WHOLE;
        add_part(result, part, folded(arena, segment->parts[0].text, ignores_case), end);
        return;
    }
    if (segment->part_count == 0 || detail == EMIT_DETAIL_SEGMENTS) return;
    const struct plan_part *first = &segment->parts[0], *last = &segment->parts[segment->part_count - 1];
    if (first->kind == PLAN_PART_LITERAL) {
        start = slice_of(first->text.data, at_most(first->text.size, RULESET_PART_WHOLE - 1));
    }
    if (last->kind == PLAN_PART_LITERAL && !is_open && detail == EMIT_DETAIL_ENDS) {
        size_t size = at_most(last->text.size, RULESET_PART_WHOLE - 1);

        end = slice_of(last->text.data + last->text.size - size, size);
    }
    if (start.size + end.size == 0) return;
    part.prefix = (uint8_t)start.size;
    part.suffix = (uint8_t)end.size;
    add_part(result, part, folded(arena, start, ignores_case), folded(arena, end, ignores_case));
}

static int parameter_order(const void *left, const void *right)
{
    const struct emit_parameter *a = left, *b = right;

    return slice_compare(a->name, b->name);
}

static void add_parameters(const struct plan_pattern *pattern, struct emit_shape_of *result)
{
    for (uint32_t i = 0; i < pattern->parameter_count; i++) {
        const struct plan_parameter *parameter = &pattern->parameters[i];
        bool is_pattern = parameter->kind == PLAN_VALUE_PATTERN;
        bool has_text = is_pattern && is_fixed(&parameter->value);

        result->parameters[i] = (struct emit_parameter){
            .name = parameter->name,
            .is_fixed = has_text || (is_pattern && parameter->value.part_count == 0),
            .value = has_text ? parameter->value.parts[0].text : slice_of("", 0),
        };
    }
    qsort(result->parameters, pattern->parameter_count, sizeof result->parameters[0], parameter_order);
    result->shape.parameter_count = (uint8_t)pattern->parameter_count;
}

static uint8_t shape_kind(const struct plan_pattern *pattern, uint32_t lead)
{
    switch (pattern->tail) {
    case PLAN_TAIL_NONE:
        return lead == pattern->head_count && pattern->parameter_count ? RULESET_SHAPE_WHOLE : RULESET_SHAPE_HEAD;
    case PLAN_TAIL_SUBTREE: return RULESET_SHAPE_SUBTREE;
    case PLAN_TAIL_BELOW: return RULESET_SHAPE_BELOW;
    case PLAN_TAIL_MANY: return RULESET_SHAPE_MANY;
    }
    return RULESET_SHAPE_NONE;
}

static struct slice join(struct arena *arena, const struct plan_segment *segments, uint32_t count)
{
    struct bytes out = { 0 };

    for (uint32_t i = 0; i < count; i++) {
        bytes_put_u8(&out, '/');
        bytes_put(&out, segments[i].parts[0].text.data, segments[i].parts[0].text.size);
    }
    struct slice path = arena_copy(arena, slice_of((const char *)out.data, out.size));
    bytes_free(&out);
    return path;
}

void emit_shape(struct arena *arena, const struct plan_pattern *pattern, bool ignores_case, enum emit_detail detail,
                struct emit_shape_of *result)
{
    bool is_below = pattern->tail == PLAN_TAIL_BELOW;
    uint32_t lead = 0;

    *result = (struct emit_shape_of){ .lead = slice_of("", 0) };
    if (pattern->regex.size) {
        result->lead = folded(arena, regex_lead(arena, pattern->regex), ignores_case);
        result->shape.kind = RULESET_SHAPE_REGEX;
        result->shape.flags = ignores_case ? RULESET_SHAPE_CASE_IGNORE : 0;
        result->shape.lead = (uint8_t)segments_of(result->lead);
        return;
    }
    while (lead < pattern->head_count && is_fixed(&pattern->head[lead])
           && !(is_below && lead + 1 == pattern->head_count)) {
        lead++;
    }
    result->shape.kind = shape_kind(pattern, lead);
    result->shape.flags = ignores_case ? RULESET_SHAPE_CASE_IGNORE : 0;
    result->lead = folded(arena, join(arena, pattern->head, lead), ignores_case);
    add_parameters(pattern, result);
    if (result->shape.kind == RULESET_SHAPE_WHOLE) {
        /* one shape whatever the depth: the whole path is hashed; "/" is itself */
        if (result->lead.size == 0) result->lead = SLICE("/");
        return;
    }
    result->shape.lead = (uint8_t)lead;
    result->shape.head_count = (uint8_t)pattern->head_count;
    result->shape.rest_count = (uint8_t)pattern->rest_count;
    for (uint32_t i = lead; i < pattern->head_count; i++) {
        add_segment(arena, result, i, &pattern->head[i], is_below && i + 1 == pattern->head_count, ignores_case, detail);
    }
    for (uint32_t i = 0; i < pattern->rest_count; i++) {
        add_segment(arena, result, RULESET_PART_FROM_END | (pattern->rest_count - 1 - i), &pattern->rest[i], false,
                    ignores_case, detail);
    }
    if (pattern->suffix.size && detail == EMIT_DETAIL_ENDS) {
        size_t size = at_most(pattern->suffix.size, RULESET_PART_WHOLE - 1);
        struct slice end = slice_of(pattern->suffix.data + pattern->suffix.size - size, size);

        add_part(result, (struct ruleset_shape_part){ .segment = RULESET_PART_FROM_END, .suffix = (uint8_t)size },
                 slice_of("", 0), folded(arena, end, ignores_case));
    }
}
