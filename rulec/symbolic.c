/* SPDX-License-Identifier: Apache-2.0 */
/* Unification of rows of segments. Case and the last slash are not looked at: what comes out is a request to ask the
 * engine for, not an answer. */
#include "config.h"

#include "rulec/symbolic.h"

#include "rulec/sample.h"
#include "rulec/source_cover.h"
#include "rulec/symbolic_state.h"

#include <strings.h>

bool symbolic_text_equal(struct slice a, struct slice b)
{
    return a.size == b.size && (a.size == 0 || strncasecmp(a.data, b.data, a.size) == 0);
}

bool symbolic_push(struct symbolic_path *path, struct symbolic_token token)
{
    if (path->count == SYMBOLIC_LIMIT)
        return false;
    path->tokens[path->count++] = token;
    return true;
}

bool symbolic_push_text(struct symbolic_path *path, struct slice text)
{
    return symbolic_push(path, (struct symbolic_token){ .kind = SYMBOLIC_TEXT, .text = text });
}

struct symbolic_token symbolic_new(struct symbolic *symbolic, enum symbolic_kind kind, const struct plan_part *part)
{
    return (struct symbolic_token){ .kind = kind, .variable = symbolic->variable_count++, .part = part };
}

static bool is_variable(const struct symbolic_token *token, uint32_t variable)
{
    return token->kind != SYMBOLIC_TEXT && token->variable == variable;
}

static bool replace_in(struct symbolic_path *path, uint32_t variable, const struct symbolic_path *by)
{
    struct symbolic_path made = { .count = 0 };
    bool occurs = false;

    for (uint32_t i = 0; i < path->count; i++)
        occurs |= is_variable(&path->tokens[i], variable);
    if (!occurs)
        return true;
    for (uint32_t i = 0; i < path->count; i++) {
        if (!is_variable(&path->tokens[i], variable)) {
            if (!symbolic_push(&made, path->tokens[i]))
                return false;
            continue;
        }
        for (uint32_t k = 0; k < by->count; k++)
            if (!symbolic_push(&made, by->tokens[k]))
                return false;
    }
    path->count = made.count;
    memcpy(path->tokens, made.tokens, made.count * sizeof *made.tokens);
    return true;
}

bool symbolic_bind(struct symbolic *symbolic, uint32_t variable, const struct symbolic_path *by)
{
    for (uint32_t i = 0; i < by->count; i++)
        if (is_variable(&by->tokens[i], variable))
            return false; /* it would hold itself */
    for (uint32_t i = 0; i < PLAN_CAPTURE_LIMIT; i++)
        if (symbolic->captures[i].count && !replace_in(&symbolic->captures[i], variable, by))
            return false;
    return replace_in(&symbolic->start, variable, by) && replace_in(&symbolic->now, variable, by);
}

bool symbolic_bind_token(struct symbolic *symbolic, uint32_t variable, struct symbolic_token by)
{
    struct symbolic_path one = { .count = 0 };

    symbolic_push(&one, by);
    return symbolic_bind(symbolic, variable, &one);
}

bool symbolic_bind_nothing(struct symbolic *symbolic, uint32_t variable)
{
    struct symbolic_path none = { .count = 0 };

    return symbolic_bind(symbolic, variable, &none);
}

const struct slice symbolic_filler = { "x", 1 };

bool symbolic_read(struct symbolic_path *path, struct slice text)
{
    const char *at = text.data, *end = at + text.size;

    while (at < end) {
        const char *start = ++at;

        while (at < end && *at != '/')
            at++;
        if (at > start && !symbolic_push_text(path, slice_of(start, (size_t)(at - start))))
            return false;
    }
    return true;
}

/* The parts side by side, each placeholder filled in: one text. False: there is a regex, or too many bytes. */
static bool fill_parts(struct arena *arena, const struct plan_segment *segment, const char *more, struct slice *text)
{
    const char *made = "";

    for (uint32_t i = 0; i < segment->part_count; i++) {
        struct slice part = sample_part(&segment->parts[i], symbolic_filler);

        if (!part.data)
            return false;
        made = arena_printf(arena, "%s%.*s", made, (int)part.size, part.data);
    }
    *text = slice_from_string(arena_printf(arena, "%s%s", made, more));
    return true;
}

/* The segment as one token: where it has several parts, a text that it takes. */
static bool segment_token(struct symbolic *symbolic, struct arena *arena, const struct plan_segment *segment,
                          struct symbolic_token *token)
{
    const struct plan_part *part = &segment->parts[0];

    *token = (struct symbolic_token){ .kind = SYMBOLIC_TEXT, .text = part->text };
    if (segment->part_count != 1)
        return fill_parts(arena, segment, "", &token->text);
    if (part->kind == PLAN_PART_REGEX)
        return false;
    if (part->kind != PLAN_PART_LITERAL)
        *token = symbolic_new(symbolic, SYMBOLIC_ONE, part->kind == PLAN_PART_FREE ? NULL : part);
    return true;
}

static bool begin_segments(struct symbolic *symbolic, struct arena *arena, const struct plan_segment *segments,
                           uint32_t count)
{
    struct symbolic_token token;

    for (uint32_t i = 0; i < count; i++)
        if (!segment_token(symbolic, arena, &segments[i], &token) || !symbolic_push(&symbolic->start, token))
            return false;
    return true;
}

static bool begin_tail(struct symbolic *symbolic, struct arena *arena, const struct plan_pattern *pattern)
{
    struct symbolic_path *path = &symbolic->start;
    struct slice text;

    switch (pattern->tail) {
    case PLAN_TAIL_NONE:
        return true;
    case PLAN_TAIL_SUBTREE:
        return symbolic_push(path, symbolic_new(symbolic, SYMBOLIC_REST, NULL));
    case PLAN_TAIL_BELOW:
        return fill_parts(arena, &pattern->head[pattern->head_count - 1], "x", &text) &&
               symbolic_push_text(path, text) && symbolic_push(path, symbolic_new(symbolic, SYMBOLIC_REST, NULL));
    case PLAN_TAIL_MANY:
        break;
    }
    if (pattern->suffix.size) {
        text = slice_from_string(arena_printf(arena, "x%.*s", (int)pattern->suffix.size, pattern->suffix.data));
        return symbolic_push(path, symbolic_new(symbolic, SYMBOLIC_REST, NULL)) && symbolic_push_text(path, text);
    }
    return symbolic_push(path, symbolic_new(symbolic, SYMBOLIC_ONE, NULL)) &&
           symbolic_push(path, symbolic_new(symbolic, SYMBOLIC_REST, NULL));
}

bool symbolic_begin(struct symbolic *symbolic, struct arena *arena, const struct plan_rule *rule)
{
    const struct plan_pattern *pattern = plan_pattern(rule);

    memset(symbolic, 0, sizeof *symbolic);
    if (!pattern) {
        if (!symbolic_read(&symbolic->start, plan_path(rule)))
            return false;
        symbolic->now = symbolic->start;
        return true;
    }
    if (pattern->regex.size ||
        !begin_segments(symbolic, arena, pattern->head, pattern->head_count - (pattern->tail == PLAN_TAIL_BELOW)) ||
        !begin_tail(symbolic, arena, pattern) ||
        !begin_segments(symbolic, arena, pattern->rest, pattern->rest_count))
        return false;
    symbolic->now = symbolic->start;
    return true;
}

void symbolic_copy(struct symbolic *to, const struct symbolic *from)
{
    to->start.count = from->start.count;
    memcpy(to->start.tokens, from->start.tokens, from->start.count * sizeof *from->start.tokens);
    to->now.count = from->now.count;
    memcpy(to->now.tokens, from->now.tokens, from->now.count * sizeof *from->now.tokens);
    to->variable_count = from->variable_count;
}

bool symbolic_close(struct symbolic *symbolic)
{
    uint32_t at = 0;

    while (at < symbolic->start.count && at < symbolic->now.count) {
        struct symbolic_token a = symbolic->start.tokens[at], b = symbolic->now.tokens[at];

        if (a.kind == SYMBOLIC_REST && b.kind == SYMBOLIC_REST) {
            if (a.variable == b.variable) {
                at++;
                continue;
            }
            return false;
        }
        if (a.kind == SYMBOLIC_REST || b.kind == SYMBOLIC_REST) {
            /* the other side is one segment: the rest begins with it, or is nothing */
            struct symbolic_path split = { .count = 0 };

            symbolic_push(&split, a.kind == SYMBOLIC_REST ? b : a);
            symbolic_push(&split, symbolic_new(symbolic, SYMBOLIC_REST, NULL));
            if (!symbolic_bind(symbolic, a.kind == SYMBOLIC_REST ? a.variable : b.variable, &split))
                return false;
            continue;
        }
        if (a.kind == SYMBOLIC_TEXT && b.kind == SYMBOLIC_TEXT) {
            if (!symbolic_text_equal(a.text, b.text))
                return false;
        } else if (a.kind == SYMBOLIC_TEXT || b.kind == SYMBOLIC_TEXT) {
            const struct symbolic_token *open = a.kind == SYMBOLIC_TEXT ? &b : &a;
            struct symbolic_token text = a.kind == SYMBOLIC_TEXT ? a : b;

            if (open->part && !source_part_takes(open->part, text.text, true))
                return false;
            if (!symbolic_bind_token(symbolic, open->variable, text))
                return false;
        } else if (a.variable != b.variable) {
            bool keeps_a = a.part != NULL;

            if (!symbolic_bind_token(symbolic, keeps_a ? b.variable : a.variable, keeps_a ? a : b))
                return false;
        }
        at++;
    }
    while (at < symbolic->start.count || at < symbolic->now.count) {
        struct symbolic_path *longer = at < symbolic->start.count ? &symbolic->start : &symbolic->now;

        if (longer->tokens[at].kind != SYMBOLIC_REST || !symbolic_bind_nothing(symbolic, longer->tokens[at].variable))
            return false;
    }
    return true;
}

static bool put(char *buffer, size_t size, size_t *written, struct slice text)
{
    if (text.size > size - *written)
        return false;
    if (text.size)
        memcpy(buffer + *written, text.data, text.size);
    *written += text.size;
    return true;
}

bool symbolic_write_start(const struct symbolic *symbolic, struct slice one, struct slice rest, char *buffer,
                          size_t size, size_t *written)
{
    *written = 0;
    for (uint32_t i = 0; i < symbolic->start.count; i++) {
        const struct symbolic_token *token = &symbolic->start.tokens[i];
        struct slice text = token->kind == SYMBOLIC_TEXT   ? token->text
                            : token->kind == SYMBOLIC_REST ? rest
                            : token->part                  ? sample_part(token->part, one)
                                                           : one;

        if (token->kind == SYMBOLIC_REST && rest.size == 0)
            continue;
        if (!put(buffer, size, written, SLICE("/")) || !put(buffer, size, written, text))
            return false;
    }
    return *written > 0 || put(buffer, size, written, SLICE("/"));
}
