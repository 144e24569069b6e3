/* SPDX-License-Identifier: Apache-2.0 */
/* A hash table of places. Letters count without case, for a source may ignore it. */
#include "config.h"

#include "rulec/loop_places.h"

#include "mod_redir307/hash.h"
#include "rulec/segments.h"

#include <stdlib.h>

enum {
    NONE = LOOP_PLACE_NONE,
    NAME_LIMIT = 4,  /* of one place: sources that ask for others stand at the place itself */
    QUERY_DEPTH = 3  /* parameters of a source that are looked at */
};

static uint64_t text_key(uint64_t parent, struct slice text)
{
    uint64_t key = parent * HASH_MULTIPLIER + 1;

    for (size_t i = 0; i < text.size; i++)
        key = (key ^ (unsigned char)byte_lower(text.data[i])) * HASH_MULTIPLIER2;
    return hash_mix(key + text.size) | 1;
}

static uint64_t number_key(uint64_t parent, uint32_t number)
{
    return hash_mix((parent ^ HASH_MULTIPLIER2) * HASH_MULTIPLIER + number) | 1;
}

/* ---- the table ---- */

static uint32_t *find_slot(const struct loop_places *places, uint64_t key)
{
    size_t mask = places->slot_count - 1, at = key & mask;

    while (places->slots[at] && places->items[places->slots[at] - 1].key != key)
        at = (at + 1) & mask;
    return &places->slots[at];
}

static uint32_t find(const struct loop_places *places, uint64_t key)
{
    uint32_t found = *find_slot(places, key);

    return found ? found - 1 : (uint32_t)NONE;
}

static void grow_slots(struct loop_places *places)
{
    places->slot_count = places->slot_count ? places->slot_count * 2 : 1024;
    places->slots = memory_resize(places->slots, places->slot_count, sizeof *places->slots);
    memset(places->slots, 0, places->slot_count * sizeof *places->slots);
    for (uint32_t i = 0; i < places->count; i++)
        *find_slot(places, places->items[i].key) = i + 1;
}

static uint32_t find_or_add(struct loop_places *places, uint64_t key, uint32_t parent, enum loop_place_kind kind)
{
    uint32_t found = places->slot_count ? find(places, key) : (uint32_t)NONE;

    if (found != NONE)
        return found;
    if (places->count == places->room) {
        places->room = places->room ? places->room * 2 : 256;
        places->items = memory_resize(places->items, places->room, sizeof *places->items);
    }
    places->items[places->count] = (struct loop_place){ .key = key, .parent = parent, .kind = kind };
    if (2 * ((size_t)places->count + 1) > places->slot_count)
        grow_slots(places);
    *find_slot(places, key) = ++places->count;
    return places->count - 1;
}

void loop_places_open(struct loop_places *places, uint32_t root_count)
{
    *places = (struct loop_places){ .root_count = root_count };
    for (uint32_t i = 0; i < root_count; i++)
        find_or_add(places, hash_mix(i + HASH_MULTIPLIER) | 1, i, LOOP_PLACE_LEAD);
}

void loop_places_close(struct loop_places *places)
{
    free(places->items);
    free(places->slots);
    free(places->names);
}

/* ---- sources ---- */

static uint32_t add_text(struct loop_places *places, uint32_t place, struct slice text, enum loop_place_kind kind)
{
    return find_or_add(places, text_key(places->items[place].key, text), place, kind);
}

static uint32_t place_of_path(struct loop_places *places, uint32_t root, const struct plan_rule *rule)
{
    const struct plan_pattern *pattern = plan_pattern(rule);
    const char *at = plan_path(rule).data;
    struct slice segment;
    uint32_t place = root, number = 0;

    if (!pattern) {
        while (next_segment(&at, plan_path(rule).data + plan_path(rule).size, &segment))
            place = add_text(places, place, segment, LOOP_PLACE_LEAD);
        return place;
    }
    for (; number < pattern->head_count && segment_is_fixed(pattern, number); number++)
        place = add_text(places, place, pattern->head[number].parts[0].text, LOOP_PLACE_LEAD);
    while (number < pattern->head_count && !segment_is_fixed(pattern, number))
        number++;
    if (number >= pattern->head_count)
        return place;
    places->has_numbers = true;
    place = find_or_add(places, number_key(places->items[place].key, number), place, LOOP_PLACE_NUMBER);
    return add_text(places, place, pattern->head[number].parts[0].text, LOOP_PLACE_BEHIND);
}

/* The NAME of a place; made where it is new. NONE: it has too many. */
static uint32_t find_or_add_name(struct loop_places *places, uint32_t parent, struct slice text)
{
    uint32_t count = 0;

    for (uint32_t n = places->items[parent].names; n; n = places->names[n - 1].next, count++)
        if (slice_equal(places->names[n - 1].text, text))
            return places->names[n - 1].place;
    if (count == NAME_LIMIT)
        return NONE;
    if (places->name_count == places->name_room) {
        places->name_room = places->name_room ? places->name_room * 2 : 64;
        places->names = memory_resize(places->names, places->name_room, sizeof *places->names);
    }
    uint32_t place = find_or_add(places, number_key(places->items[parent].key, PLAN_SEGMENT_LIMIT + 1 + count), parent,
                                 LOOP_PLACE_NAME);
    places->names[places->name_count++] = (struct loop_name){ .text = text, .place = place,
                                                              .next = places->items[parent].names };
    places->items[parent].names = places->name_count;
    return place;
}

uint32_t loop_places_of_source(struct loop_places *places, uint32_t root, const struct plan_rule *rule)
{
    const struct plan_pattern *pattern = plan_pattern(rule);
    uint32_t place = place_of_path(places, root, rule), depth = 0;

    for (uint32_t i = 0; pattern && i < pattern->parameter_count && depth < QUERY_DEPTH; i++) {
        struct slice value;
        uint32_t name;

        if (!plan_parameter_value(&pattern->parameters[i], &value))
            continue;
        name = find_or_add_name(places, place, pattern->parameters[i].name);
        if (name == NONE)
            continue;
        place = add_text(places, name, value, LOOP_PLACE_VALUE);
        depth++;
    }
    return place;
}

uint32_t loop_places_value(const struct loop_places *places, uint32_t name_place, struct slice value)
{
    return find(places, text_key(places->items[name_place].key, value));
}

/* ---- targets ---- */

/* A path as far as its segments can be counted. */
struct outline {
    struct slice segments[PLAN_SEGMENT_LIMIT]; /* data NULL: some segment */
    uint32_t count;
    bool is_open;                              /* any number of segments may follow */
};

static bool fills_one_segment(const struct plan_rule *rule, const struct plan_piece *piece)
{
    const struct plan_pattern *pattern = plan_pattern(rule);

    if (piece->kind != PLAN_PIECE_CAPTURE || !pattern || pattern->regex.size)
        return false;
    for (uint32_t i = 0; i < pattern->head_count + pattern->rest_count; i++) {
        const struct plan_segment *segment = i < pattern->head_count ? &pattern->head[i]
                                                                     : &pattern->rest[i - pattern->head_count];

        for (uint32_t p = 0; p < segment->part_count; p++)
            if (segment->parts[p].capture == piece->capture)
                return segment->parts[p].kind != PLAN_PART_REGEX;
    }
    return false;
}

struct outliner {
    struct outline *outline;
    struct slice text; /* of the segment that is not ended */
    bool has_text, is_some;
};

static void end_segment(struct outliner *outliner)
{
    struct outline *outline = outliner->outline;

    if ((outliner->has_text || outliner->is_some) && !outline->is_open) {
        if (outline->count == PLAN_SEGMENT_LIMIT)
            outline->is_open = true;
        else
            outline->segments[outline->count++] = outliner->is_some ? slice_of(NULL, 0) : outliner->text;
    }
    outliner->has_text = outliner->is_some = false;
}

/* A text between placeholders; a segment that has both is some segment. */
static void add_piece(struct outliner *outliner, struct slice text)
{
    const char *at = text.data, *end = at + text.size;

    while (at < end) {
        const char *from = at;

        while (at < end && *at != '/')
            at++;
        if (at > from) {
            outliner->is_some |= outliner->has_text;
            outliner->text = slice_of(from, (size_t)(at - from));
            outliner->has_text = true;
        }
        if (at < end)
            end_segment(outliner);
        at += at < end;
    }
}

static void find_outline(struct arena *arena, const struct plan_rule *rule, const struct target_parts *parts,
                         struct outline *outline)
{
    struct outliner outliner = { .outline = outline };

    outline->count = 0;
    outline->is_open = parts->is_https;
    for (uint32_t i = 0; i < parts->path.count && !outline->is_open; i++) {
        const struct plan_piece *piece = &parts->path.items[i];
        struct slice text;

        if (piece->kind == PLAN_PIECE_TEXT && target_normal_text(arena, piece->text, &text))
            add_piece(&outliner, text);
        else if (fills_one_segment(rule, piece))
            outliner.is_some = true;
        else
            outline->is_open = true; /* the segment that it stands in, too */
    }
    if (!outline->is_open)
        end_segment(&outliner);
}

/* Sources of the lead whose first fixed segment behind it is one of the outline's. */
static void meet_numbers(const struct loop_places *places, const struct outline *outline, uint32_t lead, uint32_t depth,
                         loop_places_visit *visit, void *baton)
{
    for (uint32_t number = depth; number < PLAN_SEGMENT_LIMIT && (number < outline->count || outline->is_open); number++) {
        uint32_t place = find(places, number_key(places->items[lead].key, number));

        if (place == NONE)
            continue;
        if (number >= outline->count || !outline->segments[number].data) {
            visit(baton, place, LOOP_PLACES_ALL);
            continue;
        }
        place = find(places, text_key(places->items[place].key, outline->segments[number]));
        if (place != NONE)
            visit(baton, place, LOOP_PLACES_UP);
    }
}

void loop_places_meet(const struct loop_places *places, struct arena *arena, uint32_t root, const struct plan_rule *rule,
                      const struct target_parts *parts, loop_places_visit *visit, void *baton)
{
    struct outline outline;
    uint32_t lead = root, depth = 0;

    find_outline(arena, rule, parts, &outline);
    for (;;) {
        uint32_t next;

        if (places->has_numbers)
            meet_numbers(places, &outline, lead, depth, visit, baton);
        if (depth >= outline.count || !outline.segments[depth].data)
            break;
        next = find(places, text_key(places->items[lead].key, outline.segments[depth]));
        if (next == NONE) {
            visit(baton, lead, LOOP_PLACES_UP);
            return;
        }
        lead = next;
        depth++;
    }
    visit(baton, lead, LOOP_PLACES_UP);
    if (depth < outline.count || outline.is_open)
        visit(baton, lead, LOOP_PLACES_BELOW);
}
