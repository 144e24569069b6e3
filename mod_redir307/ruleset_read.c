/* SPDX-License-Identifier: Apache-2.0 */
/* Records, lists and places out of an open ruleset, each read clamped to its section. What does not fit is not there. */
#include "mod_redir307/ruleset_read.h"

bool ruleset_list_item(const struct ruleset *rs, uint32_t list, unsigned index, struct slice *item)
{
    if (list == 0) return false;

    struct ruleset_cursor cursor = ruleset_cursor(rs, RULESET_LISTS, list);
    unsigned count = cursor_u16(&cursor);
    if (index >= count) return false;
    for (unsigned i = 0; i <= index && !cursor.failed; i++) *item = cursor_slice(&cursor);
    return !cursor.failed;
}

/* The last item of a sorted section whose first u32 is at most `place`; -1 where there is none. */
static int64_t find_place(const struct ruleset *rs, enum ruleset_section_type type, uint64_t one, uint32_t place)
{
    int64_t low = 0, high = (int64_t)rs->views[type].count;

    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        uint32_t first = 0;

        /* struct ruleset_source keeps its place second */
        ruleset_get(rs, type, (uint64_t)middle * one + (type == RULESET_SOURCES ? 4 : 0), &first, sizeof first);
        if (first <= place) low = middle + 1;
        else high = middle;
    }
    return low - 1;
}

struct ruleset_place ruleset_place(const struct ruleset *ruleset, uint32_t place)
{
    struct ruleset_place found = { .source = slice_of("", 0) };
    struct ruleset_source source;
    int64_t index = find_place(ruleset, RULESET_SOURCES, sizeof source, place);

    if (index >= 0 && ruleset_get(ruleset, RULESET_SOURCES, (uint64_t)index * sizeof source, &source, sizeof source)
        && ruleset_list_item(ruleset, source.name, 0, &found.source)) {
        found.line = place - source.first_place;
    }
    return found;
}

void ruleset_note(const struct ruleset *ruleset, uint32_t place, struct slice *note, struct slice *owner)
{
    struct ruleset_note entry;
    int64_t index = find_place(ruleset, RULESET_NOTES, sizeof entry, place);

    *note = *owner = slice_of("", 0);
    if (index < 0
        || !ruleset_get(ruleset, RULESET_NOTES, (uint64_t)index * sizeof entry, &entry, sizeof entry)
        || entry.place != place) {
        return;
    }
    ruleset_list_item(ruleset, entry.note, 0, note);
    ruleset_list_item(ruleset, entry.owner, 0, owner);
}

static struct slice slice_at(const uint8_t *bytes, size_t size)
{
    return slice_of((const char *)bytes, size);
}

bool ruleset_get_exact(const struct ruleset *rs, uint64_t at, struct ruleset_exact_view *view)
{
    if (!ruleset_get(rs, RULESET_EXACT, at, &view->head, sizeof view->head)) return false;
    view->action = view->head.action & RULESET_ACTION_MASK;
    view->flags = (uint8_t)(view->head.action >> RULESET_FLAG_SHIFT);
    if (view->action == 0 || view->head.key_size == 0) return false;

    size_t key_size = view->head.key_size, target_size = view->head.target_size;
    bool is_shared = view->flags & RULESET_RULE_SHARED;
    size_t inline_size = is_shared ? 4 : target_size;
    const uint8_t *bytes = ruleset_bytes(rs, RULESET_EXACT, at + sizeof view->head, key_size + inline_size);
    if (!bytes) return false;
    view->key = slice_at(bytes, key_size);
    view->next_at = (at + sizeof view->head + key_size + inline_size + 3) & ~(uint64_t)3;
    if (is_shared) {
        uint32_t target_at;

        memcpy(&target_at, bytes + key_size, sizeof target_at);
        const uint8_t *target = ruleset_bytes(rs, RULESET_TARGETS, target_at, target_size);
        if (!target) return false;
        view->target = slice_at(target, target_size);
    } else {
        view->target = slice_at(bytes + key_size, target_size);
    }
    return true;
}

bool ruleset_get_pattern(const struct ruleset *rs, uint64_t at, struct ruleset_pattern_view *view)
{
    if (!ruleset_get(rs, RULESET_PATTERNS, at, &view->head, sizeof view->head)) return false;
    view->action = view->head.action & RULESET_ACTION_MASK;
    view->flags = (uint8_t)(view->head.action >> RULESET_FLAG_SHIFT);
    if (view->action == 0 || view->head.program_size == 0) return false;

    const uint8_t *program = ruleset_bytes(rs, RULESET_PATTERNS, at + sizeof view->head, view->head.program_size);
    const uint8_t *target = ruleset_bytes(rs, RULESET_TARGETS, view->head.target_at, view->head.target_size);
    if (!program || !target) return false;
    view->program = slice_at(program, view->head.program_size);
    view->target = slice_at(target, view->head.target_size);
    view->next_at = (at + sizeof view->head + view->head.program_size + 3) & ~(uint64_t)3;
    return true;
}

bool ruleset_get_host(const struct ruleset *rs, uint64_t at, struct ruleset_host_view *view)
{
    if (!ruleset_get(rs, RULESET_HOSTS, at, &view->head, sizeof view->head)) return false;
    if (view->head.kind == RULESET_HOST_NONE || view->head.size < sizeof view->head + view->head.name_size) {
        return false;
    }
    const uint8_t *bytes = ruleset_bytes(rs, RULESET_HOSTS, at, view->head.size);
    if (!bytes) return false;
    view->name = slice_at(bytes + sizeof view->head, view->head.name_size);
    view->captures = (struct ruleset_cursor){ .at = bytes + sizeof view->head + view->head.name_size,
                                              .end = bytes + view->head.size };
    view->next_at = (at + view->head.size + 7) & ~(uint64_t)7;
    return true;
}
