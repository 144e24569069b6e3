/* SPDX-License-Identifier: Apache-2.0 */
/* The walk over every record, slot and table (`rulec verify`): what the checksums cannot tell, namely that a file with
 * right checksums was also written as docs/file-format.md says. */
#include "mod_redir307/index.h"
#include "mod_redir307/pattern.h"
#include "mod_redir307/url.h"

#include <stdlib.h>

struct walk {
    const struct ruleset *rs;
    uint64_t at;       /* where it went wrong: offset in its section */
    enum ruleset_section_type section;
    char folded[UINT16_MAX];
};

static const char *fail(struct walk *walk, enum ruleset_section_type section, uint64_t at, const char *what)
{
    walk->section = section;
    walk->at = at;
    return what;
}

static bool list_is_sound(const struct ruleset *rs, uint32_t list)
{
    struct ruleset_cursor cursor = ruleset_cursor(rs, RULESET_LISTS, list);
    struct slice item;

    if (list == 0) return true;
    unsigned count = cursor_u16(&cursor);
    return count > 0 && !cursor.failed && ruleset_list_item(rs, list, count - 1, &item);
}

static bool status_is_known(unsigned status)
{
    static const uint16_t known[] = { 301, 302, 303, 307, 308, 403, 404, 406, 410, 451, 503 };

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (status == known[i]) return true;
    }
    return false;
}

static const char *walk_actions(struct walk *walk)
{
    const struct ruleset *rs = walk->rs;

    for (uint64_t i = 1; i < rs->views[RULESET_ACTIONS].count; i++) {
        struct ruleset_action action;
        uint64_t at = i * sizeof action;

        ruleset_get_action(rs, (uint32_t)i, &action);
        if (action.scope == 0 || action.scope >= rs->views[RULESET_SCOPES].count) {
            return fail(walk, RULESET_ACTIONS, at, "an action names a scope that is not there");
        }
        bool is_pass = action.flags & RULESET_ACTION_PASS;
        if (!is_pass && (!status_is_known(action.status_get) || !status_is_known(action.status_other))) {
            return fail(walk, RULESET_ACTIONS, at, "an action has an unknown status");
        }
        if (action.cache_kind > RULESET_CACHE_PRIVATE || action.query_kind > RULESET_QUERY_EXCEPT) {
            return fail(walk, RULESET_ACTIONS, at, "an action has an unknown cache or query policy");
        }
        if (!list_is_sound(rs, action.query_names) || !list_is_sound(rs, action.headers)
            || !list_is_sound(rs, action.vary)) {
            return fail(walk, RULESET_ACTIONS, at, "an action names a list that is not there");
        }
        if (action.conditions && action.conditions >= rs->views[RULESET_CONDITIONS].size) {
            return fail(walk, RULESET_ACTIONS, at, "an action names conditions that are not there");
        }
    }
    return NULL;
}

static const char *walk_scopes(struct walk *walk)
{
    const struct ruleset *rs = walk->rs;

    for (uint64_t i = 1; i < rs->views[RULESET_SCOPES].count; i++) {
        struct ruleset_scope scope;
        uint64_t at = i * sizeof scope;

        ruleset_get(rs, RULESET_SCOPES, at, &scope, sizeof scope);
        if (scope.shape_count > RULESET_SHAPE_LIMIT || scope.whole_shape_count > scope.shape_count
            || scope.shape_first + (uint64_t)scope.shape_count > rs->views[RULESET_SHAPES].count) {
            return fail(walk, RULESET_SCOPES, at, "a scope names shapes that are not there");
        }
    }
    for (uint64_t i = 0; i < rs->views[RULESET_SHAPES].count; i++) {
        struct ruleset_shape shape;
        uint64_t at = i * sizeof shape;

        ruleset_get(rs, RULESET_SHAPES, at, &shape, sizeof shape);
        if (shape.kind == RULESET_SHAPE_NONE || shape.kind > RULESET_SHAPE_REGEX
            || shape.part_count > RULESET_SHAPE_PARTS || shape.lead > PATTERN_SEGMENT_LIMIT
            || shape.parameter_count > PATTERN_PARAMETER_LIMIT
            || shape.parameter_first + (uint64_t)shape.parameter_count > rs->views[RULESET_SHAPE_PARAMETERS].count) {
            return fail(walk, RULESET_SHAPES, at, "a shape is out of its limits");
        }
    }
    return NULL;
}

static bool index_holds(const struct ruleset_view *index, uint64_t key, uint64_t reference)
{
    uint32_t references[INDEX_CANDIDATES];
    unsigned count = index_find(index, key, references);

    for (unsigned i = 0; i < count; i++) {
        if (references[i] == reference) return true;
    }
    return false;
}

/* Slots in use; UINT64_MAX where a line is not as it is written. */
static uint64_t count_slots(const struct ruleset_view *index)
{
    uint64_t slots = 0;

    for (uint64_t i = 0; i < index->count; i++) {
        struct ruleset_line line;

        memcpy(&line, index->bytes + i * sizeof line, sizeof line);
        if (line.count > RULESET_LINE_SLOTS) return UINT64_MAX;
        for (unsigned k = 0; k < RULESET_LINE_SLOTS; k++) {
            if ((line.fingerprint[k] != 0) != (k < line.count)) return UINT64_MAX;
        }
        slots += line.count;
    }
    return slots;
}

static struct slice fold(struct walk *walk, struct slice key)
{
    for (size_t i = 0; i < key.size; i++) {
        char byte = key.data[i];

        walk->folded[i] = byte >= 'A' && byte <= 'Z' ? (char)(byte | 32) : byte;
    }
    return slice_of(walk->folded, key.size);
}

static bool ignores_case(const struct ruleset *rs, uint32_t number)
{
    struct ruleset_scope scope;

    return ruleset_get(rs, RULESET_SCOPES, (uint64_t)number * sizeof scope, &scope, sizeof scope)
        && scope.flags & RULESET_SCOPE_HAS_CASE_IGNORE;
}

static const char *walk_exact(struct walk *walk)
{
    const struct ruleset *rs = walk->rs;
    const struct ruleset_view *index = &rs->views[RULESET_EXACT_INDEX];
    uint64_t keys = 0, size = rs->views[RULESET_EXACT].size;
    struct ruleset_exact_view rule;
    bool is_first = true;

    for (uint64_t at = 0; at < size; at = rule.next_at) {
        struct ruleset_action action;

        if (!ruleset_get_exact(rs, at, &rule)) return fail(walk, RULESET_EXACT, at, "a record is cut off");
        if (!ruleset_get_action(rs, rule.action, &action)) {
            return fail(walk, RULESET_EXACT, at, "a record names an action that is not there");
        }
        if (rule.key.data[0] != '/') return fail(walk, RULESET_EXACT, at, "a record's key is no path");
        if (is_first) {
            struct slice key = ignores_case(rs, action.scope) ? fold(walk, rule.key) : rule.key;

            keys++;
            if (!index_holds(index, hash_path(key, rs->header.seed, action.scope), at / 4)) {
                return fail(walk, RULESET_EXACT, at, "a record cannot be found by its key");
            }
        }
        is_first = !(rule.flags & RULESET_RULE_MORE);
    }
    if (!is_first) return fail(walk, RULESET_EXACT, size, "the last chain of records does not end");
    if (count_slots(index) != keys || keys != rs->header.exact_key_count) {
        return fail(walk, RULESET_EXACT_INDEX, 0, "the index of exact rules and their records differ in number");
    }
    return NULL;
}

static const char *walk_patterns(struct walk *walk)
{
    const struct ruleset *rs = walk->rs;
    const struct ruleset_view *index = &rs->views[RULESET_PATTERN_INDEX];
    uint64_t keys = 0, size = rs->views[RULESET_PATTERNS].size;
    struct ruleset_pattern_view rule;
    bool is_first = true;

    for (uint64_t at = 0; at < size; at = rule.next_at) {
        struct ruleset_action action;

        if (!ruleset_get_pattern(rs, at, &rule)) return fail(walk, RULESET_PATTERNS, at, "a record is cut off");
        if (!ruleset_get_action(rs, rule.action, &action)) {
            return fail(walk, RULESET_PATTERNS, at, "a record names an action that is not there");
        }
        if (!pattern_is_sound(rule.program)) return fail(walk, RULESET_PATTERNS, at, "a record holds no pattern");
        keys += is_first;
        is_first = !(rule.flags & RULESET_RULE_MORE);
    }
    if (!is_first) return fail(walk, RULESET_PATTERNS, size, "the last chain of records does not end");
    if (count_slots(index) != keys || keys != rs->header.pattern_key_count) {
        return fail(walk, RULESET_PATTERN_INDEX, 0, "the index of patterns and their records differ in number");
    }
    for (uint64_t i = 0; i < index->count; i++) {
        struct ruleset_line line;

        memcpy(&line, index->bytes + i * sizeof line, sizeof line);
        for (unsigned k = 0; k < line.count; k++) {
            if (!ruleset_get_pattern(rs, (uint64_t)line.reference[k] * 4, &rule)) {
                return fail(walk, RULESET_PATTERN_INDEX, i * sizeof line, "a slot leads to no record");
            }
        }
    }
    return NULL;
}

static const char *walk_hosts(struct walk *walk)
{
    const struct ruleset *rs = walk->rs;
    const struct ruleset_view *index = &rs->views[RULESET_HOST_INDEX];
    uint64_t hosts = 0, size = rs->views[RULESET_HOSTS].size;
    struct ruleset_host_view host;

    for (uint64_t at = 0; at < size; at = host.next_at, hosts++) {
        if (!ruleset_get_host(rs, at, &host) || host.head.kind > RULESET_HOST_ANY) {
            return fail(walk, RULESET_HOSTS, at, "a host's record is cut off");
        }
        if (host.head.scope >= rs->views[RULESET_SCOPES].count
            || host.head.override_scope >= rs->views[RULESET_SCOPES].count) {
            return fail(walk, RULESET_HOSTS, at, "a host names a scope that is not there");
        }
        if (!index_holds(index, hash_host(host.name, host.head.kind, host.head.port, rs->header.seed), at / 8)) {
            return fail(walk, RULESET_HOSTS, at, "a host cannot be found by its name");
        }
    }
    return count_slots(index) == hosts ? NULL
                                       : fail(walk, RULESET_HOST_INDEX, 0, "the index of hosts and their records differ");
}

static const char *walk_places(struct walk *walk)
{
    const struct ruleset *rs = walk->rs;

    for (uint64_t i = 0; i < rs->views[RULESET_SOURCES].count; i++) {
        struct ruleset_source source;

        ruleset_get(rs, RULESET_SOURCES, i * sizeof source, &source, sizeof source);
        if (!source.name || !list_is_sound(rs, source.name)) {
            return fail(walk, RULESET_SOURCES, i * sizeof source, "a source file has no name");
        }
    }
    for (uint64_t i = 0; i < rs->views[RULESET_NOTES].count; i++) {
        struct ruleset_note note;

        ruleset_get(rs, RULESET_NOTES, i * sizeof note, &note, sizeof note);
        if (!list_is_sound(rs, note.note) || !list_is_sound(rs, note.owner)) {
            return fail(walk, RULESET_NOTES, i * sizeof note, "a note is not there");
        }
    }
    return NULL;
}

/* The first byte in [at, end) that is not zero; `end` where all are. Most are compared with the one before, at once. */
static uint64_t past_zeros(const uint8_t *bytes, uint64_t at, uint64_t end)
{
    if (at < end && bytes[at] == 0 && memcmp(bytes + at, bytes + at + 1, (size_t)(end - at - 1)) == 0) return end;
    while (at < end && bytes[at] == 0) at++;
    return at;
}

/* What no digest covers: the zeros behind each section. */
static const char *walk_padding(struct walk *walk)
{
    const struct ruleset *rs = walk->rs;

    for (unsigned i = 0; i < RULESET_SECTION_COUNT; i++) {
        const struct ruleset_section *section = &rs->header.sections[i];
        uint64_t end = i + 1 < RULESET_SECTION_COUNT ? rs->header.sections[i + 1].at : rs->size;
        uint64_t at = past_zeros(rs->bytes, section->at + section->size, end);

        if (at < end) {
            return fail(walk, (enum ruleset_section_type)i, at - section->at, "bytes behind a section are not zero");
        }
    }
    return NULL;
}

const char *ruleset_verify(const struct ruleset *ruleset, uint64_t *at)
{
    static const char *(*const steps[])(struct walk *) = { walk_padding, walk_scopes, walk_actions, walk_hosts, walk_exact,
                                                           walk_patterns, walk_places };
    struct walk *walk = malloc(sizeof *walk);
    const char *what = NULL;

    *at = 0;
    if (!walk) return "out of memory";
    walk->rs = ruleset;
    for (size_t i = 0; !what && i < sizeof steps / sizeof steps[0]; i++) what = steps[i](walk);
    if (what) *at = ruleset->header.sections[walk->section].at + walk->at;
    free(walk);
    return what;
}
