/* SPDX-License-Identifier: Apache-2.0 */
/* Unification of rows of segments. Case and the last slash are not looked at, and a segment with fixed parts beside
 * a placeholder is compared at its ends only: what comes out is a request to ask the engine for, not an answer. */
#include "config.h"

#include "rulec/symbolic.h"

#include "mod_redir307/url.h"
#include "rulec/sample.h"
#include "rulec/source_cover.h"

#include <strings.h>

static bool text_equal(struct slice a, struct slice b)
{
    return a.size == b.size && (a.size == 0 || strncasecmp(a.data, b.data, a.size) == 0);
}

static bool push(struct symbolic_path *path, struct symbolic_token token)
{
    if (path->count == SYMBOLIC_LIMIT)
        return false;
    path->tokens[path->count++] = token;
    return true;
}

static bool push_text(struct symbolic_path *path, struct slice text)
{
    return push(path, (struct symbolic_token){ .kind = SYMBOLIC_TEXT, .text = text });
}

static struct symbolic_token new_variable(struct symbolic *symbolic, enum symbolic_kind kind,
                                          const struct plan_part *part)
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
            if (!push(&made, path->tokens[i]))
                return false;
            continue;
        }
        for (uint32_t k = 0; k < by->count; k++)
            if (!push(&made, by->tokens[k]))
                return false;
    }
    path->count = made.count;
    memcpy(path->tokens, made.tokens, made.count * sizeof *made.tokens);
    return true;
}

static bool bind(struct symbolic *symbolic, uint32_t variable, const struct symbolic_path *by)
{
    for (uint32_t i = 0; i < by->count; i++)
        if (is_variable(&by->tokens[i], variable))
            return false; /* it would hold itself */
    for (uint32_t i = 0; i < PLAN_CAPTURE_LIMIT; i++)
        if (symbolic->captures[i].count && !replace_in(&symbolic->captures[i], variable, by))
            return false;
    return replace_in(&symbolic->start, variable, by) && replace_in(&symbolic->now, variable, by);
}

static bool bind_token(struct symbolic *symbolic, uint32_t variable, struct symbolic_token by)
{
    struct symbolic_path one = { .count = 0 };

    push(&one, by);
    return bind(symbolic, variable, &one);
}

static bool bind_nothing(struct symbolic *symbolic, uint32_t variable)
{
    struct symbolic_path none = { .count = 0 };

    return bind(symbolic, variable, &none);
}

static const struct slice filler = { "x", 1 };

/* The segment as one token. False: it has several parts. */
static bool segment_token(struct symbolic *symbolic, const struct plan_segment *segment,
                          struct symbolic_token *token)
{
    const struct plan_part *part = &segment->parts[0];

    if (segment->part_count != 1 || part->kind == PLAN_PART_REGEX)
        return false;
    if (part->kind == PLAN_PART_LITERAL)
        *token = (struct symbolic_token){ .kind = SYMBOLIC_TEXT, .text = part->text };
    else
        *token = new_variable(symbolic, SYMBOLIC_ONE, part->kind == PLAN_PART_FREE ? NULL : part);
    return true;
}

static bool begin_path(struct symbolic_path *path, struct slice text)
{
    const char *at = text.data, *end = at + text.size;

    while (at < end) {
        const char *start = ++at;

        while (at < end && *at != '/')
            at++;
        if (at > start && !push_text(path, slice_of(start, (size_t)(at - start))))
            return false;
    }
    return true;
}

bool symbolic_begin(struct symbolic *symbolic, const struct plan_rule *rule)
{
    const struct plan_pattern *pattern = plan_pattern(rule);
    struct symbolic_token token;

    memset(symbolic, 0, sizeof *symbolic);
    if (!pattern) {
        if (!begin_path(&symbolic->start, plan_path(rule)))
            return false;
        symbolic->now = symbolic->start;
        return true;
    }
    if (pattern->regex.size || pattern->suffix.size || pattern->tail == PLAN_TAIL_BELOW)
        return false;
    for (uint32_t i = 0; i < pattern->head_count; i++)
        if (!segment_token(symbolic, &pattern->head[i], &token) || !push(&symbolic->start, token))
            return false;
    if (pattern->tail == PLAN_TAIL_MANY && !push(&symbolic->start, new_variable(symbolic, SYMBOLIC_ONE, NULL)))
        return false;
    if (pattern->tail != PLAN_TAIL_NONE && !push(&symbolic->start, new_variable(symbolic, SYMBOLIC_REST, NULL)))
        return false;
    for (uint32_t i = 0; i < pattern->rest_count; i++)
        if (!segment_token(symbolic, &pattern->rest[i], &token) || !push(&symbolic->start, token))
            return false;
    symbolic->now = symbolic->start;
    return true;
}

/* Makes a single segment of what stands at `at`. False: the path ends there. */
static bool take_one(struct symbolic *symbolic, uint32_t at)
{
    struct symbolic_path split = { .count = 0 };

    if (at >= symbolic->now.count)
        return false;
    if (symbolic->now.tokens[at].kind != SYMBOLIC_REST)
        return true;
    push(&split, new_variable(symbolic, SYMBOLIC_ONE, NULL));
    push(&split, new_variable(symbolic, SYMBOLIC_REST, NULL));
    return bind(symbolic, symbolic->now.tokens[at].variable, &split);
}

static struct slice literal_of(const struct plan_segment *segment, uint32_t part)
{
    return segment->parts[part].kind == PLAN_PART_LITERAL ? segment->parts[part].text : slice_of(NULL, 0);
}

/* Fixed bytes at both ends are looked at, no more. */
static bool mixed_takes(const struct plan_segment *segment, struct slice text)
{
    struct slice first = literal_of(segment, 0), last = literal_of(segment, segment->part_count - 1);

    return text.size > first.size + last.size && text_equal(slice_of(text.data, first.size), first) &&
           text_equal(slice_of(text.data + text.size - last.size, last.size), last);
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
               bind_token(symbolic, token.variable,
                          (struct symbolic_token){ .kind = SYMBOLIC_TEXT, .text = part->text });
    if (part->kind == PLAN_PART_FREE || part == token.part)
        return true;
    if (!token.part)
        return bind_token(symbolic, token.variable, new_variable(symbolic, SYMBOLIC_ONE, part));
    /* two types: a sample of one that is the other, too */
    struct slice sample = sample_part(token.part, filler);
    if (!source_part_takes(part, sample, true))
        sample = sample_part(part, filler);
    return source_part_takes(part, sample, true) && source_part_takes(token.part, sample, true) &&
           bind_token(symbolic, token.variable, (struct symbolic_token){ .kind = SYMBOLIC_TEXT, .text = sample });
}

static void keep_capture(struct symbolic *symbolic, uint8_t capture, uint32_t from, uint32_t to)
{
    if (capture >= PLAN_CAPTURE_LIMIT)
        return;
    symbolic->captures[capture].count = 0;
    for (uint32_t i = from; i < to; i++)
        push(&symbolic->captures[capture], symbolic->now.tokens[i]);
}

static bool match_segment(struct symbolic *symbolic, uint32_t at, const struct plan_segment *segment)
{
    if (!take_one(symbolic, at))
        return false;
    if (segment->part_count == 1) {
        if (!match_part(symbolic, at, &segment->parts[0]))
            return false;
        keep_capture(symbolic, segment->parts[0].capture, at, at + 1);
        return true;
    }
    if (symbolic->now.tokens[at].kind != SYMBOLIC_TEXT || !mixed_takes(segment, symbolic->now.tokens[at].text))
        return false;
    for (uint32_t i = 0; i < segment->part_count; i++)
        keep_capture(symbolic, segment->parts[i].capture, at, at + 1);
    return true;
}

/* What is left behind the head is nothing. */
static bool match_end(struct symbolic *symbolic, uint32_t at)
{
    while (at < symbolic->now.count) {
        if (symbolic->now.tokens[at].kind != SYMBOLIC_REST ||
            !bind_nothing(symbolic, symbolic->now.tokens[at].variable))
            return false;
    }
    return true;
}

static bool match_path(struct symbolic *symbolic, struct slice path)
{
    struct symbolic_path wanted = { .count = 0 };

    if (!begin_path(&wanted, path))
        return false;
    for (uint32_t i = 0; i < wanted.count; i++) {
        struct plan_part part = { .kind = PLAN_PART_LITERAL, .text = wanted.tokens[i].text };

        if (!take_one(symbolic, i) || !match_part(symbolic, i, &part))
            return false;
    }
    return match_end(symbolic, wanted.count);
}

void symbolic_copy(struct symbolic *to, const struct symbolic *from)
{
    to->start.count = from->start.count;
    memcpy(to->start.tokens, from->start.tokens, from->start.count * sizeof *from->start.tokens);
    to->now.count = from->now.count;
    memcpy(to->now.tokens, from->now.tokens, from->now.count * sizeof *from->now.tokens);
    to->variable_count = from->variable_count;
}

bool symbolic_may_match(const struct symbolic *symbolic, const struct plan_rule *rule)
{
    struct slice first = slice_of(NULL, 0);

    if (!plan_pattern(rule)) {
        struct slice path = plan_path(rule);
        const char *slash = path.size > 1 ? memchr(path.data + 1, '/', path.size - 1) : NULL;

        first = slice_of(path.data + 1, slash ? (size_t)(slash - path.data) - 1 : path.size - 1);
    } else if (plan_pattern(rule)->head_count && plan_pattern(rule)->head[0].part_count == 1 &&
               !(plan_pattern(rule)->tail == PLAN_TAIL_BELOW && plan_pattern(rule)->head_count == 1)) {
        first = literal_of(&plan_pattern(rule)->head[0], 0);
    }
    return first.size == 0 || symbolic->now.count == 0 || symbolic->now.tokens[0].kind != SYMBOLIC_TEXT ||
           text_equal(symbolic->now.tokens[0].text, first);
}

bool symbolic_match(struct symbolic *symbolic, const struct plan_rule *rule)
{
    const struct plan_pattern *pattern = plan_pattern(rule);

    for (uint32_t i = 0; i < PLAN_CAPTURE_LIMIT; i++)
        symbolic->captures[i].count = 0;
    if (!pattern)
        return match_path(symbolic, plan_path(rule));
    if (pattern->regex.size || pattern->suffix.size || pattern->tail == PLAN_TAIL_BELOW)
        return false;
    for (uint32_t i = 0; i < pattern->head_count; i++)
        if (!match_segment(symbolic, i, &pattern->head[i]))
            return false;
    if (pattern->tail == PLAN_TAIL_NONE)
        return match_end(symbolic, pattern->head_count);
    if (pattern->tail == PLAN_TAIL_MANY && !take_one(symbolic, pattern->head_count))
        return false;
    if (pattern->rest_count) {
        uint32_t count = symbolic->now.count;

        /* the last segments must be single ones by now */
        if (count < pattern->head_count + 1 + pattern->rest_count)
            return false;
        for (uint32_t i = 0; i < pattern->rest_count; i++) {
            uint32_t at = count - pattern->rest_count + i;

            if (symbolic->now.tokens[at].kind == SYMBOLIC_REST || !match_segment(symbolic, at, &pattern->rest[i]))
                return false;
        }
        keep_capture(symbolic, pattern->tail_capture, pattern->head_count, count - pattern->rest_count);
        return true;
    }
    keep_capture(symbolic, pattern->tail_capture, pattern->head_count, symbolic->now.count);
    return true;
}

/* A path that is written piece by piece: texts cut at slashes, captures that fill whole segments spliced in. */
struct builder {
    struct arena *arena;
    struct symbolic_path path;
    struct slice open; /* the segment that is not finished */
    bool has_spliced;  /* a capture stands where a segment began */
};

static bool end_segment(struct builder *builder)
{
    bool is_good = builder->open.size == 0 || push_text(&builder->path, builder->open);

    builder->open = slice_of(NULL, 0);
    builder->has_spliced = false;
    return is_good;
}

static bool add_bytes(struct builder *builder, struct slice text)
{
    if (text.size == 0)
        return true;
    if (builder->has_spliced)
        return false;
    if (builder->open.size == 0) {
        builder->open = text;
        return true;
    }
    builder->open = slice_from_string(arena_printf(builder->arena, "%.*s%.*s", (int)builder->open.size,
                                                   builder->open.data, (int)text.size, text.data));
    return true;
}

/* False: beside a segment that is not known. */
static bool add_text(struct builder *builder, struct slice text)
{
    const char *at = text.data, *end = at + text.size;

    while (at < end) {
        const char *slash = memchr(at, '/', (size_t)(end - at)), *stop = slash ? slash : end;

        if (!add_bytes(builder, slice_of(at, (size_t)(stop - at))))
            return false;
        if (slash && !end_segment(builder))
            return false;
        at = slash ? slash + 1 : end;
    }
    return true;
}

static bool add_tokens(struct builder *builder, const struct symbolic_path *capture)
{
    if (capture->count == 0)
        return true;
    if (capture->count == 1 && capture->tokens[0].kind == SYMBOLIC_TEXT)
        return add_bytes(builder, capture->tokens[0].text);
    if (builder->open.size || builder->has_spliced)
        return false;
    for (uint32_t i = 0; i < capture->count; i++)
        if (!push(&builder->path, capture->tokens[i]))
            return false;
    builder->has_spliced = true;
    return true;
}

/* *ends: query or fragment begin in it. */
static struct slice path_of(struct slice text, bool is_first, bool *ends)
{
    struct url_parts parts;

    *ends = false;
    if (is_first && url_split(text, &parts)) {
        *ends = parts.has_query || parts.has_fragment;
        return parts.path;
    }
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] != '?' && text.data[i] != '#')
            continue;
        *ends = true;
        return slice_of(text.data, i);
    }
    return text;
}

bool symbolic_follow(struct symbolic *symbolic, struct arena *arena, const struct plan_template *template,
                     struct slice target)
{
    struct builder builder = { .arena = arena };
    bool ends = false;

    if (!template) {
        if (!add_text(&builder, path_of(target, true, &ends)) || !end_segment(&builder))
            return false;
        symbolic->now = builder.path;
        return true;
    }
    if (template->is_https)
        return true;
    for (uint32_t i = 0; i < template->piece_count && !ends; i++) {
        const struct plan_piece *piece = &template->pieces[i];
        bool is_good = true;

        if (piece->place != PLAN_IN_PATH && piece->kind != PLAN_PIECE_TEXT)
            continue;
        if (piece->kind == PLAN_PIECE_TEXT)
            is_good = add_text(&builder, path_of(piece->text, i == 0, &ends));
        else if (piece->kind == PLAN_PIECE_CAPTURE && piece->capture < PLAN_CAPTURE_LIMIT)
            is_good = add_tokens(&builder, &symbolic->captures[piece->capture]);
        else if (piece->kind == PLAN_PIECE_PATH)
            is_good = add_tokens(&builder, &symbolic->now);
        else
            is_good = add_bytes(&builder, filler);
        if (!is_good)
            return false;
    }
    if (!end_segment(&builder))
        return false;
    symbolic->now = builder.path;
    return true;
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

            push(&split, a.kind == SYMBOLIC_REST ? b : a);
            push(&split, new_variable(symbolic, SYMBOLIC_REST, NULL));
            if (!bind(symbolic, a.kind == SYMBOLIC_REST ? a.variable : b.variable, &split))
                return false;
            continue;
        }
        if (a.kind == SYMBOLIC_TEXT && b.kind == SYMBOLIC_TEXT) {
            if (!text_equal(a.text, b.text))
                return false;
        } else if (a.kind == SYMBOLIC_TEXT || b.kind == SYMBOLIC_TEXT) {
            const struct symbolic_token *open = a.kind == SYMBOLIC_TEXT ? &b : &a;
            struct symbolic_token text = a.kind == SYMBOLIC_TEXT ? a : b;

            if (open->part && !source_part_takes(open->part, text.text, true))
                return false;
            if (!bind_token(symbolic, open->variable, text))
                return false;
        } else if (a.variable != b.variable) {
            bool keeps_a = a.part != NULL;

            if (!bind_token(symbolic, keeps_a ? b.variable : a.variable, keeps_a ? a : b))
                return false;
        }
        at++;
    }
    while (at < symbolic->start.count || at < symbolic->now.count) {
        struct symbolic_path *longer = at < symbolic->start.count ? &symbolic->start : &symbolic->now;

        if (longer->tokens[at].kind != SYMBOLIC_REST || !bind_nothing(symbolic, longer->tokens[at].variable))
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
