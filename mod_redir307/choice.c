/* SPDX-License-Identifier: Apache-2.0 */
/* Takes one line of a `by` form. Lines are read in order, twice at most; nothing is kept but the best one. */
#include "mod_redir307/choice.h"

#include "mod_redir307/field.h"

struct choice {
    unsigned by;
    struct slice name;
    unsigned line_count;
    struct ruleset_cursor lines;
};

static uint32_t read_u32(struct ruleset_cursor *cursor)
{
    uint32_t low = cursor_u16(cursor);

    return low | (uint32_t)cursor_u16(cursor) << 16;
}

static bool read_choice(struct slice bytes, struct choice *choice)
{
    const uint8_t *start = (const uint8_t *)bytes.data;
    struct ruleset_cursor cursor = { .at = start, .end = start + bytes.size };

    choice->by = cursor_u8(&cursor);
    choice->name = cursor_slice(&cursor);
    choice->line_count = cursor_u16(&cursor);
    choice->lines = cursor;
    return !cursor.failed && choice->by != CHOICE_BY_NONE && choice->by < CHOICE_BY_COUNT;
}

static bool read_line(struct ruleset_cursor *lines, struct choice_line *line)
{
    line->flags = cursor_u8(lines);
    line->status_get = cursor_u16(lines);
    line->status_other = cursor_u16(lines);
    line->weight = read_u32(lines);
    line->key_count = cursor_u16(lines);
    line->keys = *lines;
    for (unsigned i = 0; i < line->key_count && !lines->failed; i++) cursor_slice(lines);
    line->target = cursor_slice(lines);
    return !lines->failed;
}

bool choice_line_at(struct slice bytes, unsigned index, unsigned *by, struct slice *name, struct choice_line *line)
{
    struct choice choice;

    if (!read_choice(bytes, &choice) || index >= choice.line_count) return false;
    *by = choice.by;
    *name = choice.name;
    for (unsigned i = 0; i <= index; i++) {
        if (!read_line(&choice.lines, line)) return false;
    }
    return true;
}

static bool pick_otherwise(const struct choice *choice, struct choice_line *line)
{
    struct ruleset_cursor lines = choice->lines;

    for (unsigned i = 0; i < choice->line_count; i++) {
        if (!read_line(&lines, line)) return false;
        if (line->flags & CHOICE_OTHERWISE) return true;
    }
    return false;
}

static bool get_header(const struct lookup *lookup, struct slice name, struct slice *value)
{
    const struct request_fields *fields = lookup->key->fields;

    return fields && fields->header && fields->header(fields->baton, name, value);
}

/* The highest quality wins, then the first written. Where nothing is named but anything will do, the first line that
 * the request does not refuse. */
static bool pick_by_list(struct lookup *lookup, const struct choice *choice, enum field_list list, struct slice name,
                         struct reads *reads, struct choice_line *line)
{
    struct ruleset_cursor lines = choice->lines;
    struct slice field = slice_of("", 0);
    struct choice_line next, first;
    bool has_first = false;
    int best = 0;

    reads_field(reads, name);
    if (!get_header(lookup, name, &field)) field = slice_of("", 0);
    for (unsigned i = 0; i < choice->line_count; i++) {
        if (!read_line(&lines, &next)) return false;
        struct ruleset_cursor keys = next.keys;
        for (unsigned k = 0; k < next.key_count; k++) {
            int quality = field_quality(list, field, cursor_slice(&keys));

            if (quality != 0 && !has_first) {
                has_first = true;
                first = next;
            }
            if (quality <= best) continue;
            best = quality;
            *line = next;
        }
    }
    if (best > 0 || pick_otherwise(choice, line)) return true;
    if (!has_first || field_wildcard_quality(list, field) <= 0) return false;
    *line = first;
    return true;
}

static bool pick_by_value(const struct choice *choice, bool is_there, struct slice value, struct choice_line *line)
{
    struct ruleset_cursor lines = choice->lines;

    for (unsigned i = 0; is_there && i < choice->line_count; i++) {
        if (!read_line(&lines, line)) return false;
        struct ruleset_cursor keys = line->keys;
        for (unsigned k = 0; k < line->key_count; k++) {
            if (slice_equal(cursor_slice(&keys), value)) return true;
        }
    }
    return pick_otherwise(choice, line);
}

static uint64_t weight_of_all(const struct choice *choice)
{
    struct ruleset_cursor lines = choice->lines;
    struct choice_line line;
    uint64_t sum = 0;

    for (unsigned i = 0; i < choice->line_count && read_line(&lines, &line); i++) sum += line.weight;
    return sum;
}

static bool pick_by_weight(struct choice *choice, uint64_t drawn, struct choice_line *line)
{
    for (unsigned i = 0; i < choice->line_count && read_line(&choice->lines, line); i++) {
        if (drawn < line->weight) return true;
        drawn -= line->weight;
    }
    return false;
}

bool choice_pick(struct lookup *lookup, struct slice bytes, uint32_t place, struct reads *reads,
                 struct choice_line *line)
{
    const struct request_key *key = lookup->key;
    struct choice choice;
    struct slice field = slice_of("", 0), value = field;
    bool is_there;

    if (!read_choice(bytes, &choice)) return false;
    switch (choice.by) {
    case CHOICE_BY_ACCEPT:
        return pick_by_list(lookup, &choice, FIELD_MEDIA_TYPES, SLICE("Accept"), reads, line);
    case CHOICE_BY_LANGUAGE:
        return pick_by_list(lookup, &choice, FIELD_LANGUAGES, SLICE("Accept-Language"), reads, line);
    case CHOICE_BY_HEADER:
        reads_field(reads, choice.name);
        is_there = get_header(lookup, choice.name, &value);
        return pick_by_value(&choice, is_there, slice_trim(value), line);
    case CHOICE_BY_COOKIE:
        reads_field(reads, SLICE("Cookie"));
        is_there = get_header(lookup, SLICE("Cookie"), &field) && field_cookie(field, choice.name, &value);
        return pick_by_value(&choice, is_there, value, line);
    case CHOICE_BY_METHOD: {
        bool is_head = slice_equal(key->method, SLICE("HEAD"));

        return pick_by_value(&choice, true, is_head ? SLICE("GET") : key->method, line);
    }
    case CHOICE_BY_CLIENT:
        reads->depends_on_client = true;
        return pick_by_weight(&choice, condition_draw_client(key, weight_of_all(&choice)), line);
    case CHOICE_BY_CHANCE:
        reads->depends_on_client = true;
        return pick_by_weight(&choice, condition_draw_chance(key, (uint64_t)place << 8 | 255, weight_of_all(&choice)),
                              line);
    default: return false;
    }
}
