/* SPDX-License-Identifier: Apache-2.0 */
/* Sources and targets written as sets of normal paths. What fills a placeholder twice is taken to be two: a set does
 * not remember. */
#include "config.h"

#include "rulec/rule_paths.h"

#include "rulec/regex_prefix.h"
#include "rulec/regex_set.h"

static void put_digits(struct path_sets *sets)
{
    const struct path_class digits = path_class_of("09");

    path_put_one_or_more(sets, &digits);
}

static void put_counted(struct path_sets *sets, const char *ranges, const uint8_t *groups, size_t group_count)
{
    const struct path_class class = path_class_of(ranges), dash = path_class_of("--");

    for (size_t g = 0; g < group_count; g++) {
        for (uint8_t i = 0; i < groups[g]; i++)
            path_put_class(sets, &class);
        if (g + 1 < group_count)
            path_put_class(sets, &dash);
    }
}

static void put_version(struct path_sets *sets)
{
    const struct path_class dot = path_class_of("..");
    uint32_t begin;

    put_digits(sets);
    begin = path_begin_many(sets);
    path_put_class(sets, &dot);
    put_digits(sets);
    path_end_many(sets, begin);
}

static void put_part(struct path_sets *sets, const struct plan_part *part, bool ignores_case)
{
    static const uint8_t uuid[] = { 8, 4, 4, 4, 12 }, date[] = { 4, 2, 2 };
    struct path_class class;

    switch (part->kind) {
    case PLAN_PART_LITERAL:
        path_put_text(sets, part->text, ignores_case);
        break;
    case PLAN_PART_SET:
        path_put_alternatives(sets, part->set, part->set_count, ignores_case);
        break;
    case PLAN_PART_INT:
        put_digits(sets);
        break;
    case PLAN_PART_HEX:
        class = path_class_of("09afAF");
        path_put_one_or_more(sets, &class);
        break;
    case PLAN_PART_SLUG:
        class = path_class_of(ignores_case ? "09az--AZ" : "09az--");
        path_put_one_or_more(sets, &class);
        break;
    case PLAN_PART_UUID:
        put_counted(sets, "09afAF", uuid, sizeof uuid);
        break;
    case PLAN_PART_DATE:
        put_counted(sets, "09", date, sizeof date);
        break;
    case PLAN_PART_VERSION:
        put_version(sets);
        break;
    case PLAN_PART_REGEX:
        if (!regex_set_put(sets, part->text, true, ignores_case))
            path_put_none_or_more(sets, &path_not_slash);
        break;
    case PLAN_PART_FREE:
        path_put_one_or_more(sets, &path_not_slash);
        break;
    }
}

static void put_segments(struct path_sets *sets, const struct plan_segment *segments, uint32_t count,
                         bool ignores_case)
{
    for (uint32_t i = 0; i < count; i++) {
        path_put_text(sets, SLICE("/"), false);
        for (uint32_t p = 0; p < segments[i].part_count; p++)
            put_part(sets, &segments[i].parts[p], ignores_case);
    }
}

/* One segment or more, any. */
static void put_free_segments(struct path_sets *sets)
{
    uint32_t begin = path_begin_many(sets);

    path_put_text(sets, SLICE("/"), false);
    path_put_one_or_more(sets, &path_not_slash);
    path_end_many(sets, begin);
}

static void put_last_slash(struct path_sets *sets, bool is_exact, bool is_written, bool is_root)
{
    if (is_root || (is_exact && is_written))
        path_put_text(sets, SLICE("/"), false);
    else if (!is_exact)
        path_put_slash_or_none(sets);
}

static void put_pattern(struct path_sets *sets, struct arena *arena, const struct plan_rule *rule)
{
    const struct plan_pattern *pattern = plan_pattern(rule);
    bool ignores_case = rule->flags & PLAN_CASE_IGNORE, is_exact = rule->flags & PLAN_SLASH_EXACT;
    uint32_t begin;

    if (pattern->regex.size) {
        if (!regex_set_put(sets, pattern->regex, false, ignores_case)) {
            path_put_text(sets, regex_prefix(arena, pattern->regex), ignores_case);
            path_put_any(sets);
        }
        return;
    }
    put_segments(sets, pattern->head, pattern->head_count, ignores_case);
    switch (pattern->tail) {
    case PLAN_TAIL_NONE:
        put_last_slash(sets, is_exact, pattern->ends_in_slash, pattern->head_count == 0);
        break;
    case PLAN_TAIL_SUBTREE:
        begin = pattern->head_count ? path_begin_optional(sets) : UINT32_MAX;
        path_put_text(sets, SLICE("/"), false);
        path_put_any(sets);
        if (begin != UINT32_MAX)
            path_end_optional(sets, begin);
        break;
    case PLAN_TAIL_BELOW:
        path_put_any(sets);
        break;
    case PLAN_TAIL_MANY:
        if (pattern->rest_count) {
            put_free_segments(sets);
            put_segments(sets, pattern->rest, pattern->rest_count, ignores_case);
            put_last_slash(sets, is_exact, pattern->ends_in_slash, false);
            break;
        }
        path_put_text(sets, SLICE("/"), false);
        path_put_class(sets, &path_not_slash);
        path_put_any(sets);
        if (pattern->suffix.size) {
            path_put_text(sets, pattern->suffix, ignores_case);
            path_put_slash_or_none(sets);
        }
        break;
    }
}

static void put_source(struct path_sets *sets, struct arena *arena, const struct plan_rule *rule)
{
    struct slice path = plan_path(rule);

    if (plan_pattern(rule)) {
        put_pattern(sets, arena, rule);
        return;
    }
    bool is_written = path.size && path.data[path.size - 1] == '/', is_root = path.size == 1;
    if (is_written)
        path.size--;
    path_put_text(sets, path, rule->flags & PLAN_CASE_IGNORE);
    put_last_slash(sets, rule->flags & PLAN_SLASH_EXACT, is_written, is_root);
}

void rule_paths_put_source(struct path_sets *sets, struct arena *arena, const struct plan_rule *rule)
{
    put_source(sets, arena, rule);
    path_end(sets);
}

static bool is_single(const struct plan_segment *segments, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (segments[i].part_count != 1 || segments[i].parts[0].kind == PLAN_PART_REGEX)
            return false;
    return true;
}

bool rule_paths_are_exact(const struct plan_rule *rule)
{
    const struct plan_pattern *pattern = plan_pattern(rule);

    if (!pattern)
        return true;
    return pattern->regex.size == 0 && pattern->suffix.size == 0 && pattern->rest_count == 0 &&
           pattern->parameter_count == 0 && is_single(pattern->head, pattern->head_count) &&
           (pattern->tail != PLAN_TAIL_BELOW ||
            pattern->head[pattern->head_count - 1].parts[0].kind == PLAN_PART_LITERAL);
}

/* ---- targets ---- */

static const struct plan_part *find_part(const struct plan_segment *segments, uint32_t count, uint8_t capture)
{
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t p = 0; p < segments[i].part_count; p++)
            if (segments[i].parts[p].capture == capture)
                return &segments[i].parts[p];
    return NULL;
}

/* False: it is a part of one segment. True: it may be nothing, or have slashes. */
static bool put_capture(struct path_sets *sets, const struct plan_rule *rule, const struct plan_piece *piece)
{
    const struct plan_pattern *pattern = plan_pattern(rule);
    const struct plan_part *part = find_part(pattern->head, pattern->head_count, piece->capture);

    if (!part)
        part = find_part(pattern->rest, pattern->rest_count, piece->capture);
    if (!part || (piece->transforms && part->kind == PLAN_PART_REGEX))
        path_put_any(sets);
    else if (piece->transforms)
        path_put_one_or_more(sets, &path_not_slash);
    else
        put_part(sets, part, rule->flags & PLAN_CASE_IGNORE);
    return !part || part->kind == PLAN_PART_REGEX;
}

static bool is_first_slash(struct slice text) { return text.size && text.data[0] == '/'; }

/* Slashes that meet are one, and what is inserted may be nothing, or begin or end with one. */
static void put_text_piece(struct path_sets *sets, struct slice text, bool is_open)
{
    if (is_open && is_first_slash(text)) {
        path_put_slash_or_none(sets);
        text = slice_of(text.data + 1, text.size - 1);
    }
    path_put_text(sets, text, false);
}

/* "/b/ *": with nothing behind it, the slash before the final star goes, too. */
static void put_dropping(struct path_sets *sets, struct slice text, bool is_open)
{
    uint32_t begin;

    put_text_piece(sets, slice_of(text.data, text.size - 1), is_open);
    begin = path_begin_optional(sets);
    path_put_text(sets, SLICE("/"), false);
    path_put_any(sets);
    path_end_optional(sets, begin);
}

static void put_pieces(struct path_sets *sets, struct arena *arena, const struct plan_rule *rule,
                       const struct target_pieces *path, bool drops_last_slash)
{
    bool is_open = false; /* behind what was inserted */

    for (uint32_t i = 0; i < path->count; i++) {
        const struct plan_piece *piece = &path->items[i];
        struct slice text;

        switch (piece->kind) {
        case PLAN_PIECE_TEXT:
            if (!target_normal_text(arena, piece->text, &text)) {
                path_put_any(sets);
                break;
            }
            if (drops_last_slash && i + 2 == path->count && text.size && text.data[text.size - 1] == '/') {
                put_dropping(sets, text, is_open);
                return;
            }
            put_text_piece(sets, text, is_open);
            is_open = false;
            break;
        case PLAN_PIECE_CAPTURE:
            is_open = put_capture(sets, rule, piece);
            break;
        default: /* a value of the request: any text */
            path_put_any(sets);
            is_open = true;
            break;
        }
    }
}

void rule_paths_put_target(struct path_sets *sets, struct arena *arena, const struct plan_rule *rule,
                           const struct plan_template *template, const struct target_parts *parts)
{
    if (parts->is_https)
        put_source(sets, arena, rule);
    else if (parts->path.count == 0)
        path_put_text(sets, SLICE("/"), false);
    else
        put_pieces(sets, arena, rule, &parts->path, template && template->drops_last_slash);
    path_end(sets);
}
