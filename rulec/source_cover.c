/* SPDX-License-Identifier: Apache-2.0 */
/* Segment against segment, part against part. Where it gets difficult the answer is "not certain". */
#include "config.h"

#include "rulec/source_cover.h"

#include "mod_redir307/url.h"
#include "rulec/segments.h"

void source_view_of(struct arena *arena, const struct plan_rule *rule, const struct plan_pattern *pattern,
                    struct source_view *view)
{
    *view = (struct source_view){ .is_slash_exact = rule->flags & PLAN_SLASH_EXACT,
                                  .ignores_case = rule->flags & PLAN_CASE_IGNORE };
    if (pattern) {
        view->head = pattern->head;
        view->head_count = pattern->head_count;
        view->rest = pattern->rest;
        view->rest_count = pattern->rest_count;
        view->parameters = pattern->parameters;
        view->parameter_count = pattern->parameter_count;
        view->tail = pattern->tail;
        view->suffix = pattern->suffix;
        view->ends_in_slash = pattern->ends_in_slash;
        view->is_regex = pattern->regex.size > 0;
        return;
    }
    uint32_t count = 0;
    for (size_t i = 0; i < plan_path(rule).size; i++)
        count += plan_path(rule).data[i] == '/';

    struct plan_segment *head = arena_array(arena, count, sizeof *head);
    struct plan_part *parts = arena_array(arena, count, sizeof *parts);
    const char *at = plan_path(rule).data, *end = at + plan_path(rule).size;
    uint32_t used = 0;
    while (at < end) {
        const char *start = ++at;

        while (at < end && *at != '/')
            at++;
        if (at == start)
            continue;
        parts[used] = (struct plan_part){ .kind = PLAN_PART_LITERAL, .capture = PLAN_NO_CAPTURE,
                                          .text = slice_of(start, (size_t)(at - start)) };
        head[used] = (struct plan_segment){ .parts = &parts[used], .part_count = 1 };
        used++;
    }
    view->head = head;
    view->head_count = used;
    view->ends_in_slash = plan_path(rule).size > 0 && end[-1] == '/';
}

/* ---- texts and types ---- */

static bool text_equal(struct slice a, struct slice b, bool ignores_case)
{
    if (a.size != b.size)
        return false;
    if (!ignores_case)
        return slice_equal(a, b);
    for (size_t i = 0; i < a.size; i++)
        if (byte_lower(a.data[i]) != byte_lower(b.data[i]))
            return false;
    return true;
}

static bool starts_with(struct slice text, struct slice start, bool ignores_case)
{
    return text.size >= start.size && text_equal(slice_of(text.data, start.size), start, ignores_case);
}

/* An escape is one character: "%20" has no end "0". */
static bool is_inside_escape(struct slice text, size_t at)
{
    return at < text.size && ((at >= 1 && text.data[at - 1] == '%') || (at >= 2 && text.data[at - 2] == '%'));
}

static bool ends_with(struct slice text, struct slice end, bool ignores_case)
{
    if (end.size == 0) /* a text without a byte may be NULL */
        return true;
    return text.size >= end.size && !is_inside_escape(text, text.size - end.size) &&
           text_equal(slice_of(text.data + text.size - end.size, end.size), end, ignores_case);
}

static bool is_digit(char byte) { return byte >= '0' && byte <= '9'; }
static bool is_hex(char byte) { return is_digit(byte) || (byte_lower(byte) >= 'a' && byte_lower(byte) <= 'f'); }

static bool is_slug(char byte, bool ignores_case)
{
    char folded = ignores_case ? byte_lower(byte) : byte;

    return is_digit(byte) || byte == '-' || (folded >= 'a' && folded <= 'z');
}

static bool text_has_type(struct slice text, enum plan_part_kind kind, bool ignores_case)
{
    static const uint8_t group[] = { 8, 4, 4, 4, 12 };
    size_t at = 0, numbers = 0;

    switch (kind) {
    case PLAN_PART_FREE:
        return text.size > 0;
    case PLAN_PART_INT:
    case PLAN_PART_HEX:
    case PLAN_PART_SLUG:
        for (size_t i = 0; i < text.size; i++)
            if (!(kind == PLAN_PART_INT   ? is_digit(text.data[i])
                  : kind == PLAN_PART_HEX ? is_hex(text.data[i])
                                          : is_slug(text.data[i], ignores_case)))
                return false;
        return text.size > 0;
    case PLAN_PART_DATE:
        for (size_t i = 0; i < text.size; i++)
            if (i == 4 || i == 7 ? text.data[i] != '-' : !is_digit(text.data[i]))
                return false;
        return text.size == 10;
    case PLAN_PART_UUID:
        for (size_t g = 0; g < sizeof group; g++) {
            for (uint8_t i = 0; i < group[g]; i++, at++)
                if (at >= text.size || !is_hex(text.data[at]))
                    return false;
            if (g + 1 < sizeof group && (at >= text.size || text.data[at++] != '-'))
                return false;
        }
        return at == text.size;
    case PLAN_PART_VERSION:
        for (; at < text.size; at++, numbers++) {
            size_t from = at;

            while (at < text.size && is_digit(text.data[at]))
                at++;
            if (at == from || (at < text.size && text.data[at] != '.'))
                return false;
        }
        return numbers > 1 && text.data[text.size - 1] != '.';
    case PLAN_PART_LITERAL:
    case PLAN_PART_SET:
    case PLAN_PART_REGEX:
        break;
    }
    return false;
}

static bool type_covers(enum plan_part_kind outer, enum plan_part_kind inner, bool ignores_case)
{
    if (outer == inner || outer == PLAN_PART_FREE)
        return outer != PLAN_PART_REGEX && outer != PLAN_PART_SET && outer != PLAN_PART_LITERAL;
    switch (inner) {
    case PLAN_PART_INT:
        return outer == PLAN_PART_HEX || outer == PLAN_PART_SLUG;
    case PLAN_PART_DATE:
        return outer == PLAN_PART_SLUG;
    case PLAN_PART_UUID:
    case PLAN_PART_HEX:
        return outer == PLAN_PART_SLUG && ignores_case;
    default:
        return false;
    }
}

static bool set_has(const struct plan_part *set, struct slice text, bool ignores_case)
{
    for (uint32_t i = 0; i < set->set_count; i++)
        if (text_equal(set->set[i], text, ignores_case))
            return true;
    return false;
}

bool source_part_takes(const struct plan_part *part, struct slice text, bool ignores_case)
{
    switch (part->kind) {
    case PLAN_PART_LITERAL:
        return text_equal(part->text, text, ignores_case);
    case PLAN_PART_SET:
        return set_has(part, text, ignores_case);
    case PLAN_PART_REGEX:
        return false;
    default:
        return text_has_type(text, part->kind, ignores_case);
    }
}

static bool part_covers(const struct plan_part *outer, const struct plan_part *inner, bool ignores_case)
{
    switch (inner->kind) {
    case PLAN_PART_LITERAL:
        return source_part_takes(outer, inner->text, ignores_case);
    case PLAN_PART_SET:
        for (uint32_t i = 0; i < inner->set_count; i++)
            if (!source_part_takes(outer, inner->set[i], ignores_case))
                return false;
        return inner->set_count > 0;
    case PLAN_PART_REGEX:
        return outer->kind == PLAN_PART_FREE ||
               (outer->kind == PLAN_PART_REGEX && slice_equal(outer->text, inner->text));
    default:
        return type_covers(outer->kind, inner->kind, ignores_case);
    }
}

static bool has_letter(struct slice text)
{
    for (size_t i = 0; i < text.size; i++)
        if (byte_lower(text.data[i]) >= 'a' && byte_lower(text.data[i]) <= 'z')
            return true;
    return false;
}

/* ---- segments ---- */

static struct slice first_text(const struct plan_segment *segment)
{
    const struct plan_part *part = &segment->parts[0];

    return segment->part_count && part->kind == PLAN_PART_LITERAL ? part->text : slice_of(NULL, 0);
}

static struct slice last_text(const struct plan_segment *segment)
{
    const struct plan_part *part = segment->part_count ? &segment->parts[segment->part_count - 1] : NULL;

    return part && part->kind == PLAN_PART_LITERAL ? part->text : slice_of(NULL, 0);
}

static bool is_single(const struct plan_segment *segment, enum plan_part_kind kind)
{
    return segment->part_count == 1 && segment->parts[0].kind == kind;
}

/* "a-{x}.html" and the like: a free placeholder with at most fixed parts around it. */
static bool is_framed(const struct plan_segment *segment, struct slice *start, struct slice *end)
{
    uint32_t free_at = first_text(segment).size ? 1 : 0;

    *start = free_at ? first_text(segment) : slice_of(NULL, 0);
    *end = free_at + 1 < segment->part_count ? last_text(segment) : slice_of(NULL, 0);
    return free_at < segment->part_count && segment->parts[free_at].kind == PLAN_PART_FREE &&
           segment->part_count == free_at + 1 + (end->size ? 1u : 0u);
}

/* `outer_ignores`: the case that outer ignores; where it does not and inner does, letters differ. */
static bool segment_covers(const struct plan_segment *outer, const struct plan_segment *inner, bool outer_ignores,
                           bool inner_ignores)
{
    struct slice start, end;

    if (is_single(outer, PLAN_PART_FREE))
        return inner->part_count > 0;
    if (inner_ignores && !outer_ignores) {
        for (uint32_t i = 0; i < inner->part_count; i++)
            if (inner->parts[i].kind != PLAN_PART_INT && inner->parts[i].kind != PLAN_PART_DATE &&
                inner->parts[i].kind != PLAN_PART_VERSION &&
                (inner->parts[i].kind != PLAN_PART_LITERAL || has_letter(inner->parts[i].text)))
                return false;
    }
    if (is_framed(outer, &start, &end)) {
        struct slice from = first_text(inner), to = last_text(inner);

        if (!starts_with(from, start, outer_ignores) || !ends_with(to, end, outer_ignores))
            return false;
        return inner->part_count > 1 || from.size > start.size + end.size;
    }
    if (outer->part_count == 1 && inner->part_count == 1)
        return part_covers(&outer->parts[0], &inner->parts[0], outer_ignores);
    if (outer->part_count == 1) {
        enum plan_part_kind kind = outer->parts[0].kind;

        /* what takes any bytes of one kind takes several pieces of them */
        if (kind != PLAN_PART_INT && kind != PLAN_PART_HEX && kind != PLAN_PART_SLUG)
            return false;
        for (uint32_t i = 0; i < inner->part_count; i++)
            if (!part_covers(&outer->parts[0], &inner->parts[i], outer_ignores))
                return false;
        return inner->part_count > 0;
    }
    if (outer->part_count != inner->part_count)
        return false;
    for (uint32_t i = 0; i < outer->part_count; i++) {
        const struct plan_part *a = &outer->parts[i], *b = &inner->parts[i];
        bool is_same = a->kind == b->kind && (a->kind == PLAN_PART_SET || a->kind == PLAN_PART_REGEX ||
                                              text_equal(a->text, b->text, outer_ignores));

        if (!is_same || !part_covers(a, b, outer_ignores))
            return false;
    }
    return true;
}

/* ---- whole sources ---- */

static bool heads_cover(const struct source_view *outer, const struct source_view *inner, uint32_t count)
{
    /* Segments that inner has for certain: its head, and behind it one for `{x...}` and those of its rest. */
    uint32_t certain = inner->head_count + (inner->tail == PLAN_TAIL_MANY ? 1 + inner->rest_count : 0);

    if (certain < count)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        bool is_open = inner->tail == PLAN_TAIL_BELOW && i + 1 == inner->head_count;

        if (is_single(&outer->head[i], PLAN_PART_FREE))
            continue;
        if (is_open || i >= inner->head_count ||
            !segment_covers(&outer->head[i], &inner->head[i], outer->ignores_case, inner->ignores_case))
            return false;
    }
    return true;
}

/* The segments behind outer's `{x...}` against inner's last ones. */
static bool rests_cover(const struct source_view *outer, const struct source_view *inner)
{
    bool is_fixed = inner->tail == PLAN_TAIL_NONE;
    const struct plan_segment *last = is_fixed ? inner->head : inner->rest;
    uint32_t count = is_fixed ? inner->head_count : inner->rest_count;

    if (!is_fixed && inner->tail != PLAN_TAIL_MANY)
        return outer->rest_count == 0;
    if (is_fixed && inner->head_count < outer->head_count + 1 + outer->rest_count)
        return false;
    if (count < outer->rest_count)
        return false;
    for (uint32_t i = 0; i < outer->rest_count; i++)
        if (!segment_covers(&outer->rest[i], &last[count - outer->rest_count + i], outer->ignores_case,
                            inner->ignores_case))
            return false;
    return true;
}

static bool suffix_covers(const struct source_view *outer, const struct source_view *inner)
{
    bool ignores_case = outer->ignores_case;

    if (outer->suffix.size == 0)
        return true;
    if (inner->ignores_case && !ignores_case && has_letter(outer->suffix))
        return false;
    if (inner->tail == PLAN_TAIL_MANY && inner->rest_count == 0)
        return ends_with(inner->suffix, outer->suffix, ignores_case);
    if (inner->tail != PLAN_TAIL_NONE || inner->head_count == 0)
        return false;
    const struct plan_segment *last = &inner->head[inner->head_count - 1];
    struct slice text = last_text(last);
    return ends_with(text, outer->suffix, ignores_case) &&
           (text.size > outer->suffix.size || last->part_count > 1);
}

static bool path_covers(const struct source_view *outer, const struct source_view *inner)
{
    bool takes_both = !outer->is_slash_exact ||
                      (inner->is_slash_exact && inner->ends_in_slash == outer->ends_in_slash);

    switch (outer->tail) {
    case PLAN_TAIL_NONE:
        return inner->tail == PLAN_TAIL_NONE && inner->head_count == outer->head_count && takes_both &&
               heads_cover(outer, inner, outer->head_count);
    case PLAN_TAIL_SUBTREE:
        return heads_cover(outer, inner, outer->head_count);
    case PLAN_TAIL_BELOW: {
        uint32_t open = outer->head_count - 1;
        struct slice start = first_text(&outer->head[open]);

        return outer->head[open].part_count == 1 && start.size && inner->head_count > open &&
               (outer->ignores_case || !inner->ignores_case || !has_letter(start)) &&
               heads_cover(outer, inner, open) &&
               starts_with(first_text(&inner->head[open]), start, outer->ignores_case);
    }
    case PLAN_TAIL_MANY: {
        uint32_t certain = inner->head_count + (inner->tail == PLAN_TAIL_MANY ? 1 + inner->rest_count : 0);

        return certain > outer->head_count && (takes_both || (outer->rest_count + outer->suffix.size == 0)) &&
               heads_cover(outer, inner, outer->head_count) && rests_cover(outer, inner) &&
               suffix_covers(outer, inner);
    }
    }
    return false;
}

static bool value_covers(const struct plan_parameter *outer, const struct plan_parameter *inner)
{
    bool takes_all = outer->kind == PLAN_VALUE_ANY || is_single(&outer->value, PLAN_PART_FREE);

    if (takes_all)
        return true;
    if (inner->kind == PLAN_VALUE_ANY)
        return false;
    if (outer->value.part_count == 0 || inner->value.part_count == 0)
        return outer->value.part_count == inner->value.part_count;
    return segment_covers(&outer->value, &inner->value, false, false);
}

static const struct plan_parameter *find_parameter(const struct source_view *view, struct slice name)
{
    for (uint32_t i = 0; i < view->parameter_count; i++)
        if (slice_equal(view->parameters[i].name, name))
            return &view->parameters[i];
    return NULL;
}

bool source_covers(const struct source_view *outer, const struct source_view *inner)
{
    if (outer->is_regex || inner->is_regex || !path_covers(outer, inner))
        return false;
    for (uint32_t i = 0; i < outer->parameter_count; i++) {
        const struct plan_parameter *own = find_parameter(inner, outer->parameters[i].name);

        if (!own || !value_covers(&outer->parameters[i], own))
            return false;
    }
    return true;
}

/* ---- meeting ---- */

/* Both of one segment; what begins or ends differently never meets. */
static bool segments_meet(const struct plan_segment *a, const struct plan_segment *b, bool ignores_case)
{
    struct slice start, end, other_start, other_end;

    if (segment_covers(a, b, ignores_case, ignores_case) || segment_covers(b, a, ignores_case, ignores_case))
        return true;
    if (is_framed(a, &start, &end) && is_framed(b, &other_start, &other_end))
        return (starts_with(start, other_start, ignores_case) || starts_with(other_start, start, ignores_case)) &&
               (ends_with(end, other_end, ignores_case) || ends_with(other_end, end, ignores_case));
    if (is_single(a, PLAN_PART_SET)) {
        for (uint32_t i = 0; i < a->parts[0].set_count; i++) {
            struct plan_part text = { .kind = PLAN_PART_LITERAL, .text = a->parts[0].set[i] };
            struct plan_segment one = { .parts = &text, .part_count = 1 };

            if (segment_covers(b, &one, ignores_case, ignores_case))
                return true;
        }
    }
    return false;
}

static bool values_meet(const struct plan_parameter *a, const struct plan_parameter *b)
{
    if (a->kind == PLAN_VALUE_ANY || b->kind == PLAN_VALUE_ANY)
        return true;
    return value_covers(a, b) || value_covers(b, a) ||
           (a->value.part_count && b->value.part_count && segments_meet(&a->value, &b->value, false));
}

bool source_meets(const struct source_view *a, const struct source_view *b)
{
    bool ignores_case = a->ignores_case && b->ignores_case;

    if (a->is_regex || b->is_regex || a->tail != b->tail || a->head_count != b->head_count ||
        a->rest_count != b->rest_count)
        return false;
    if (a->is_slash_exact && b->is_slash_exact && a->ends_in_slash != b->ends_in_slash)
        return false;
    for (uint32_t i = 0; i < a->head_count; i++)
        if (!segments_meet(&a->head[i], &b->head[i], ignores_case))
            return false;
    for (uint32_t i = 0; i < a->rest_count; i++)
        if (!segments_meet(&a->rest[i], &b->rest[i], ignores_case))
            return false;
    if (!ends_with(a->suffix, b->suffix, ignores_case) && !ends_with(b->suffix, a->suffix, ignores_case))
        return false;
    for (uint32_t i = 0; i < a->parameter_count; i++) {
        const struct plan_parameter *other = find_parameter(b, a->parameters[i].name);

        if (other && !values_meet(&a->parameters[i], other))
            return false;
    }
    return true;
}
