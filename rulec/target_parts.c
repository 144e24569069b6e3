/* SPDX-License-Identifier: Apache-2.0 */
/* One walk along the pieces: where a text has the byte that ends a part, the next part begins. */
#include "config.h"

#include "rulec/target_parts.h"

#include "mod_redir307/url.h"

#include <strings.h>

enum place { AUTHORITY, PATH, QUERY, FRAGMENT };

struct cutter {
    struct target_parts *parts;
    enum place place;
};

static void add(struct target_pieces *pieces, struct plan_piece piece)
{
    if (piece.kind != PLAN_PIECE_TEXT || piece.text.size)
        pieces->items[pieces->count++] = piece;
}

static struct target_pieces *pieces_at(struct cutter *cutter)
{
    switch (cutter->place) {
    case QUERY:
        return &cutter->parts->query;
    case FRAGMENT:
        return &cutter->parts->fragment;
    case PATH:
    case AUTHORITY:
        break;
    }
    return &cutter->parts->path;
}

static bool ends_part(enum place place, char byte)
{
    switch (place) {
    case AUTHORITY:
        return byte == '/' || byte == '?' || byte == '#';
    case PATH:
        return byte == '?' || byte == '#';
    case QUERY:
        return byte == '#';
    case FRAGMENT:
        break;
    }
    return false;
}

static void cut_text(struct cutter *cutter, struct plan_piece piece)
{
    struct slice text = piece.text;

    while (text.size) {
        size_t size = 0;

        while (size < text.size && !ends_part(cutter->place, text.data[size]))
            size++;
        piece.text = slice_of(text.data, size);
        if (cutter->place != AUTHORITY)
            add(pieces_at(cutter), piece);
        if (size == text.size)
            return;
        char end = text.data[size];
        if (end != '/')
            size++;
        cutter->place = end == '/' ? PATH : end == '?' ? QUERY : FRAGMENT;
        cutter->parts->has_query |= end == '?';
        cutter->parts->has_fragment |= end == '#';
        text = slice_of(text.data + size, text.size - size);
    }
}

static struct slice known_scheme(struct slice scheme)
{
    if (scheme.size == 5 && strncasecmp(scheme.data, "https", 5) == 0)
        return SLICE("https");
    return scheme.size == 4 && strncasecmp(scheme.data, "http", 4) == 0 ? SLICE("http") : slice_of(NULL, 0);
}

/* Takes scheme and host off the first text. */
static void cut_start(struct cutter *cutter, struct plan_piece *first, bool is_alone)
{
    struct target_parts *parts = cutter->parts;
    struct slice text = first->text;
    struct url_parts url;

    if (!url_split(text, &url) || !url.has_authority)
        return;
    bool is_open = !is_alone && (size_t)(url.path.data + url.path.size - text.data) == text.size && url.path.size == 0;
    parts->has_authority = true;
    parts->scheme = known_scheme(url.scheme);
    parts->has_open_host = is_open;
    if (!is_open) {
        parts->host = url.host;
        parts->port = url.port;
    }
    size_t used = (size_t)(url.path.data - text.data);
    first->text = slice_of(text.data + used, text.size - used);
    cutter->place = is_open ? AUTHORITY : PATH;
}

void target_parts_of(struct arena *arena, const struct plan_template *template, struct slice target,
                     struct target_parts *parts)
{
    struct plan_piece whole = { .kind = PLAN_PIECE_TEXT, .capture = PLAN_NO_CAPTURE, .text = target };
    const struct plan_piece *pieces = template ? template->pieces : &whole;
    uint32_t count = template ? template->piece_count : 1;
    struct cutter cutter = { .parts = parts, .place = PATH };

    *parts = (struct target_parts){ 0 };
    if (template && template->is_https) {
        parts->is_https = true;
        parts->scheme = SLICE("https");
        return;
    }
    struct plan_piece *room = arena_array(arena, 3 * (count + 1u), sizeof *room);
    parts->path.items = room;
    parts->query.items = room + count + 1;
    parts->fragment.items = room + 2 * (count + 1u);
    for (uint32_t i = 0; i < count; i++) {
        struct plan_piece piece = pieces[i];

        if (piece.kind == PLAN_PIECE_TEXT) {
            if (i == 0)
                cut_start(&cutter, &piece, count == 1);
            else if (i == 1 && pieces[0].place == PLAN_IN_AUTHORITY && slice_starts_with(piece.text, SLICE("://")))
                piece.text = slice_of(piece.text.data + 3, piece.text.size - 3);
            cut_text(&cutter, piece);
        } else if (piece.place == PLAN_IN_AUTHORITY) {
            parts->has_authority = parts->has_open_host = true;
            cutter.place = AUTHORITY;
        } else {
            if (cutter.place == AUTHORITY)
                cutter.place = PATH;
            add(pieces_at(&cutter), piece);
        }
    }
}

bool target_line(const struct plan_rule *rule, uint32_t line, const struct plan_template **template,
                 struct slice *target)
{
    if (!plan_choice(rule)) {
        *template = plan_template(rule);
        *target = plan_target(rule);
        return line == 0;
    }
    if (line >= plan_choice(rule)->line_count)
        return false;
    *template = plan_choice(rule)->lines[line].template;
    *target = plan_choice(rule)->lines[line].target;
    return true;
}

static bool is_dots(struct slice segment)
{
    return slice_equal(segment, SLICE(".")) || slice_equal(segment, SLICE(".."));
}

bool target_normal_text(struct arena *arena, struct slice text, struct slice *normal)
{
    char *out = arena_alloc(arena, 3 * text.size + 1);
    size_t size = 0, at = 0;

    while (at < text.size) {
        size_t from = at;

        if (text.data[at] == '/') {
            if (size == 0 || out[size - 1] != '/')
                out[size++] = '/';
            at++;
            continue;
        }
        while (at < text.size && text.data[at] != '/')
            at++;
        size_t written = url_normalize_text(slice_of(text.data + from, at - from), out + size);
        if (written == SIZE_MAX || is_dots(slice_of(out + size, written)))
            return false;
        size += written;
    }
    *normal = slice_of(out, size);
    return true;
}
