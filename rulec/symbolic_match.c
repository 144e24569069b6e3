/* SPDX-License-Identifier: Apache-2.0 */
/* A state against a source: what the source asks for is learnt. Of a segment with fixed parts beside a placeholder the
 * ends are compared, and an open one is given a text that fits. */
#include "config.h"

#include "rulec/symbolic.h"

#include "rulec/sample.h"
#include "rulec/source_cover.h"
#include "rulec/symbolic_state.h"

/* Makes a single segment of what stands at `at`. False: the path ends there. */
static bool take_one(struct symbolic *symbolic, uint32_t at)
{
    struct symbolic_path split = { .count = 0 };

    if (at >= symbolic->now.count)
        return false;
    if (symbolic->now.tokens[at].kind != SYMBOLIC_REST)
        return true;
    symbolic_push(&split, symbolic_new(symbolic, SYMBOLIC_ONE, NULL));
    symbolic_push(&split, symbolic_new(symbolic, SYMBOLIC_REST, NULL));
    return symbolic_bind(symbolic, symbolic->now.tokens[at].variable, &split);
}

static struct slice literal_of(const struct plan_segment *segment, uint32_t part)
{
    return segment->parts[part].kind == PLAN_PART_LITERAL ? segment->parts[part].text : slice_of(NULL, 0);
}

/* Fixed bytes at both ends are looked at, no more. */
static bool mixed_takes(const struct plan_segment *segment, struct slice text)
{
    struct slice first = literal_of(segment, 0), last = literal_of(segment, segment->part_count - 1);

    return text.size > first.size + last.size && symbolic_text_equal(slice_of(text.data, first.size), first) &&
           symbolic_text_equal(slice_of(text.data + text.size - last.size, last.size), last);
}

static bool match_part(struct symbolic *symbolic, uint32_t at, const struct plan_part *part)
{
    struct symbolic_token token = symbolic->now.tokens[at];

    if (part->kind == PLAN_PART_REGEX)
        return false;
    if (token.kind == SYMBOLIC_TEXT)
        return source_part_takes(part, token.text, true);
    if (part->kind == PLAN_PART_LITERAL)
        return (!token.part || source_part_takes(token.part, part->text, true)) &&
               symbolic_bind_token(symbolic, token.variable,
                          (struct symbolic_token){ .kind = SYMBOLIC_TEXT, .text = part->text });
    if (part->kind == PLAN_PART_FREE || part == token.part)
        return true;
    if (!token.part)
        return symbolic_bind_token(symbolic, token.variable, symbolic_new(symbolic, SYMBOLIC_ONE, part));
    /* two types: a sample of one that is the other, too */
    struct slice sample = sample_part(token.part, symbolic_filler);
    if (!source_part_takes(part, sample, true))
        sample = sample_part(part, symbolic_filler);
    return source_part_takes(part, sample, true) && source_part_takes(token.part, sample, true) &&
           symbolic_bind_token(symbolic, token.variable, (struct symbolic_token){ .kind = SYMBOLIC_TEXT, .text = sample });
}

static void keep_capture(struct symbolic *symbolic, uint8_t capture, uint32_t from, uint32_t to)
{
    if (capture >= PLAN_CAPTURE_LIMIT)
        return;
    symbolic->captures[capture].count = 0;
    for (uint32_t i = from; i < to; i++)
        symbolic_push(&symbolic->captures[capture], symbolic->now.tokens[i]);
}

/* Gives an open segment a text: `start`, a filler, `end`. */
static bool give_text(struct symbolic *symbolic, struct arena *arena, uint32_t at, struct slice start, struct slice end)
{
    struct symbolic_token token = symbolic->now.tokens[at];
    char *text = arena_printf(arena, "%.*sx%.*s", (int)start.size, start.size ? start.data : "", (int)end.size,
                              end.size ? end.data : "");

    if (token.kind == SYMBOLIC_TEXT)
        return true;
    if (token.part && !source_part_takes(token.part, slice_from_string(text), true))
        return false;
    return symbolic_bind_token(symbolic, token.variable, (struct symbolic_token){ .kind = SYMBOLIC_TEXT,
                                                                                  .text = slice_from_string(text) });
}

static void keep_text(struct symbolic *symbolic, uint8_t capture, struct slice text)
{
    if (capture >= PLAN_CAPTURE_LIMIT)
        return;
    symbolic->captures[capture].count = 0;
    if (text.size)
        symbolic_push_text(&symbolic->captures[capture], text);
}

/* A text with fixed bytes at its ends: the placeholders share what is between. */
static bool match_mixed(struct symbolic *symbolic, struct arena *arena, uint32_t at, const struct plan_segment *segment)
{
    struct slice first = literal_of(segment, 0), last = literal_of(segment, segment->part_count - 1);

    if (!give_text(symbolic, arena, at, first, last) || !mixed_takes(segment, symbolic->now.tokens[at].text))
        return false;
    struct slice text = symbolic->now.tokens[at].text;
    text = slice_of(text.data + first.size, text.size - first.size - last.size);
    for (uint32_t i = 0; i < segment->part_count; i++)
        keep_text(symbolic, segment->parts[i].capture, text);
    return true;
}

static bool match_segment(struct symbolic *symbolic, struct arena *arena, uint32_t at, const struct plan_segment *segment)
{
    if (!take_one(symbolic, at))
        return false;
    if (segment->part_count != 1)
        return match_mixed(symbolic, arena, at, segment);
    if (!match_part(symbolic, at, &segment->parts[0]))
        return false;
    keep_capture(symbolic, segment->parts[0].capture, at, at + 1);
    return true;
}

/* What is left behind the head is nothing. */
static bool match_end(struct symbolic *symbolic, uint32_t at)
{
    while (at < symbolic->now.count) {
        if (symbolic->now.tokens[at].kind != SYMBOLIC_REST ||
            !symbolic_bind_nothing(symbolic, symbolic->now.tokens[at].variable))
            return false;
    }
    return true;
}

static bool match_path(struct symbolic *symbolic, struct slice path)
{
    struct symbolic_path wanted = { .count = 0 };

    if (!symbolic_read(&wanted, path))
        return false;
    for (uint32_t i = 0; i < wanted.count; i++) {
        struct plan_part part = { .kind = PLAN_PART_LITERAL, .text = wanted.tokens[i].text };

        if (!take_one(symbolic, i) || !match_part(symbolic, i, &part))
            return false;
    }
    return match_end(symbolic, wanted.count);
}

bool symbolic_may_match(const struct symbolic *symbolic, const struct plan_rule *rule)
{
    struct slice first = slice_of(NULL, 0);

    if (!plan_pattern(rule)) {
        const char *slash = plan_path(rule).size > 1 ? memchr(plan_path(rule).data + 1, '/', plan_path(rule).size - 1) : NULL;

        first = slice_of(plan_path(rule).data + 1, slash ? (size_t)(slash - plan_path(rule).data) - 1 : plan_path(rule).size - 1);
    } else if (plan_pattern(rule)->head_count && plan_pattern(rule)->head[0].part_count == 1 &&
               !(plan_pattern(rule)->tail == PLAN_TAIL_BELOW && plan_pattern(rule)->head_count == 1)) {
        first = literal_of(&plan_pattern(rule)->head[0], 0);
    }
    return first.size == 0 || symbolic->now.count == 0 || symbolic->now.tokens[0].kind != SYMBOLIC_TEXT ||
           symbolic_text_equal(symbolic->now.tokens[0].text, first);
}

/* The head, but for the segment that a tail goes on in. */
static bool match_head(struct symbolic *symbolic, struct arena *arena, const struct plan_pattern *pattern)
{
    uint32_t count = pattern->head_count - (pattern->tail == PLAN_TAIL_BELOW);

    for (uint32_t i = 0; i < count; i++)
        if (!match_segment(symbolic, arena, i, &pattern->head[i]))
            return false;
    return true;
}

/* `1.*`: the capture begins within a segment. */
static bool match_below(struct symbolic *symbolic, struct arena *arena, const struct plan_pattern *pattern)
{
    uint32_t at = pattern->head_count - 1;
    struct slice start = literal_of(&pattern->head[at], 0);

    if (!take_one(symbolic, at) || !give_text(symbolic, arena, at, start, slice_of(NULL, 0)))
        return false;
    struct slice text = symbolic->now.tokens[at].text;
    if (text.size < start.size || !symbolic_text_equal(slice_of(text.data, start.size), start))
        return false;
    keep_text(symbolic, pattern->tail_capture, slice_of(text.data + start.size, text.size - start.size));
    for (uint32_t i = at + 1; pattern->tail_capture < PLAN_CAPTURE_LIMIT && i < symbolic->now.count; i++)
        symbolic_push(&symbolic->captures[pattern->tail_capture], symbolic->now.tokens[i]);
    return true;
}

/* The last segment, where the path ends open, becomes one of its own. */
static bool match_suffix(struct symbolic *symbolic, struct arena *arena, const struct plan_pattern *pattern)
{
    struct slice suffix = pattern->suffix;
    uint32_t last = symbolic->now.count - 1;

    if (symbolic->now.count <= pattern->head_count)
        return false;
    if (symbolic->now.tokens[last].kind == SYMBOLIC_REST) {
        struct symbolic_path split = { .count = 0 };

        symbolic_push(&split, symbolic_new(symbolic, SYMBOLIC_REST, NULL));
        symbolic_push(&split, symbolic_new(symbolic, SYMBOLIC_ONE, NULL));
        if (!symbolic_bind(symbolic, symbolic->now.tokens[last].variable, &split))
            return false;
        last = symbolic->now.count - 1;
    }
    if (!give_text(symbolic, arena, last, slice_of(NULL, 0), suffix))
        return false;
    struct slice text = symbolic->now.tokens[last].text;
    if (text.size <= suffix.size ||
        !symbolic_text_equal(slice_of(text.data + text.size - suffix.size, suffix.size), suffix))
        return false;
    keep_capture(symbolic, pattern->tail_capture, pattern->head_count, last);
    if (pattern->tail_capture < PLAN_CAPTURE_LIMIT)
        symbolic_push_text(&symbolic->captures[pattern->tail_capture], slice_of(text.data, text.size - suffix.size));
    return true;
}

static bool match_rest(struct symbolic *symbolic, struct arena *arena, const struct plan_pattern *pattern)
{
    uint32_t count = symbolic->now.count;

    /* the last segments must be single ones by now */
    if (count < pattern->head_count + 1 + pattern->rest_count)
        return false;
    for (uint32_t i = 0; i < pattern->rest_count; i++) {
        uint32_t at = count - pattern->rest_count + i;

        if (symbolic->now.tokens[at].kind == SYMBOLIC_REST || !match_segment(symbolic, arena, at, &pattern->rest[i]))
            return false;
    }
    keep_capture(symbolic, pattern->tail_capture, pattern->head_count, count - pattern->rest_count);
    return true;
}

bool symbolic_match(struct symbolic *symbolic, struct arena *arena, const struct plan_rule *rule)
{
    const struct plan_pattern *pattern = plan_pattern(rule);

    for (uint32_t i = 0; i < PLAN_CAPTURE_LIMIT; i++)
        symbolic->captures[i].count = 0;
    if (!pattern)
        return match_path(symbolic, plan_path(rule));
    if (pattern->regex.size || !match_head(symbolic, arena, pattern))
        return false;
    switch (pattern->tail) {
    case PLAN_TAIL_NONE:
        return match_end(symbolic, pattern->head_count);
    case PLAN_TAIL_BELOW:
        return match_below(symbolic, arena, pattern);
    case PLAN_TAIL_SUBTREE:
        break;
    case PLAN_TAIL_MANY:
        if (pattern->suffix.size)
            return match_suffix(symbolic, arena, pattern);
        if (!take_one(symbolic, pattern->head_count))
            return false;
        if (pattern->rest_count)
            return match_rest(symbolic, arena, pattern);
        break;
    }
    keep_capture(symbolic, pattern->tail_capture, pattern->head_count, symbolic->now.count);
    return true;
}
