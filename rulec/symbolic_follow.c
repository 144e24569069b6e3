/* SPDX-License-Identifier: Apache-2.0 */
/* Where a template leads: the captures of the match put between its texts. */
#include "config.h"

#include "rulec/symbolic.h"

#include "rulec/symbolic_state.h"

/* A path that is written piece by piece: texts cut at slashes, captures that fill whole segments spliced in. */
struct builder {
    struct arena *arena;
    struct symbolic_path path;
    struct slice open; /* the segment that is not finished */
    bool has_spliced;  /* a capture stands where a segment began */
};

static bool end_segment(struct builder *builder)
{
    bool is_good = builder->open.size == 0 || symbolic_push_text(&builder->path, builder->open);

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
    for (uint32_t i = 0; i < capture->count; i++) {
        const struct symbolic_token *token = &capture->tokens[i];

        if (i > 0 && !end_segment(builder))
            return false;
        if (token->kind == SYMBOLIC_TEXT) {
            if (!add_bytes(builder, token->text))
                return false;
            continue;
        }
        if (builder->open.size || builder->has_spliced || !symbolic_push(&builder->path, *token))
            return false;
        builder->has_spliced = true;
    }
    return true;
}

bool symbolic_follow(struct symbolic *symbolic, struct arena *arena, const struct target_parts *parts)
{
    struct builder builder = { .arena = arena };
    struct slice text;

    if (parts->is_https)
        return true;
    for (uint32_t i = 0; i < parts->path.count; i++) {
        const struct plan_piece *piece = &parts->path.items[i];
        bool is_good = false;

        switch (piece->kind) {
        case PLAN_PIECE_TEXT:
            is_good = target_normal_text(arena, piece->text, &text) && add_text(&builder, text);
            break;
        case PLAN_PIECE_CAPTURE:
            is_good = piece->capture < PLAN_CAPTURE_LIMIT && add_tokens(&builder, &symbolic->captures[piece->capture]);
            break;
        case PLAN_PIECE_PATH:
            is_good = add_tokens(&builder, &symbolic->now);
            break;
        default:
            is_good = add_bytes(&builder, symbolic_filler);
            break;
        }
        if (!is_good)
            return false;
    }
    if (!end_segment(&builder))
        return false;
    symbolic->now = builder.path;
    return true;
}
