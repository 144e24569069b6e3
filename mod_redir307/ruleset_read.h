/* SPDX-License-Identifier: Apache-2.0 */
/* The accessor layer: the one place that touches mapped bytes. Each read is clamped to its section, each value is
 * copied out once, before it is checked. Private to the engine and to the tools that walk a whole file. */
#ifndef MOD_REDIR307_RULESET_READ_H
#define MOD_REDIR307_RULESET_READ_H

#include "mod_redir307/hash.h"
#include "mod_redir307/regex.h"
#include "mod_redir307/ruleset.h"
#include "mod_redir307/ruleset_format.h"

#include <string.h>

/* Private copies of what was verified at open: later arithmetic uses nothing of the map. */
struct ruleset_view {
    const uint8_t *bytes;
    uint64_t size;
    uint64_t count;
};
struct ruleset {
    const uint8_t *bytes;
    uint64_t size;
    struct ruleset_header header;
    struct ruleset_view views[RULESET_SECTION_COUNT];
    struct regex_table *regexes; /* compiled from a private copy */
    struct identity_table *identities; /* NULL until ruleset_identify */
    struct { /* of the one scope in which all rules stand; see probe.h */
        uint64_t seed;  /* of its paths' hashes */
        uint32_t scope; /* 0: there are several, or its rules ignore case */
        bool has_shapes, has_queries;
    } probe;
};

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "rule files are little-endian and read as they lie; this machine would need byte swaps here"
#endif

/* The `size` bytes at `at` of a section, or NULL where they are not all inside; nothing here can wrap. */
static inline const uint8_t *ruleset_bytes(const struct ruleset *rs, enum ruleset_section_type type, uint64_t at,
                                           uint64_t size)
{
    const struct ruleset_view *view = &rs->views[type];

    return at <= view->size && size <= view->size - at ? view->bytes + at : NULL;
}

/* Copies a fixed-size record; false where it is not inside. */
static inline bool ruleset_get(const struct ruleset *rs, enum ruleset_section_type type, uint64_t at, void *record,
                               size_t size)
{
    const uint8_t *bytes = ruleset_bytes(rs, type, at, size);

    if (bytes) memcpy(record, bytes, size);
    return bytes != NULL;
}

static inline bool ruleset_get_action(const struct ruleset *rs, uint32_t index, struct ruleset_action *action)
{
    return ruleset_get(rs, RULESET_ACTIONS, (uint64_t)index * sizeof *action, action, sizeof *action);
}

/* Reads a byte string piece by piece; a read past the end gives zeros and sets `failed`. */
struct ruleset_cursor {
    const uint8_t *at;
    const uint8_t *end;
    bool failed;
};

static inline uint8_t cursor_u8(struct ruleset_cursor *cursor)
{
    if (cursor->at == cursor->end) {
        cursor->failed = true;
        return 0;
    }
    return *cursor->at++;
}

static inline uint16_t cursor_u16(struct ruleset_cursor *cursor)
{
    uint16_t value;

    if (cursor->end - cursor->at < 2) {
        cursor->at = cursor->end;
        cursor->failed = true;
        return 0;
    }
    memcpy(&value, cursor->at, sizeof value);
    cursor->at += 2;
    return value;
}

static inline struct slice cursor_slice(struct ruleset_cursor *cursor)
{
    uint16_t size = cursor_u16(cursor);

    if (cursor->end - cursor->at < size) {
        cursor->at = cursor->end;
        cursor->failed = true;
        return slice_of("", 0);
    }
    cursor->at += size;
    return slice_of((const char *)cursor->at - size, size);
}

/* A cursor over the rest of a section from `at`; already failed where `at` is outside. */
static inline struct ruleset_cursor ruleset_cursor(const struct ruleset *rs, enum ruleset_section_type type,
                                                   uint64_t at)
{
    const struct ruleset_view *view = &rs->views[type];
    struct ruleset_cursor cursor = { .at = view->bytes, .end = view->bytes, .failed = at > view->size };

    if (!cursor.failed) {
        cursor.at = view->bytes + at;
        cursor.end = view->bytes + view->size;
    }
    return cursor;
}

/* Bytes of one item, for sections of equal items; 0 for the others. */
uint64_t ruleset_item_size(enum ruleset_section_type type);

/* Item `index` of a list in LISTS; false past its end (and always for list 0). */
bool ruleset_list_item(const struct ruleset *rs, uint32_t list, unsigned index, struct slice *item);

/* ---- records of rules ---- */
struct ruleset_exact_view {
    struct ruleset_exact head;
    uint32_t action; /* without flags */
    uint8_t flags;
    struct slice key;
    struct slice target;
    uint64_t next_at; /* of the record behind */
};
/* False: not inside, or no rule (zeros). */
bool ruleset_get_exact(const struct ruleset *rs, uint64_t at, struct ruleset_exact_view *view);

struct ruleset_pattern_view {
    struct ruleset_pattern head;
    uint32_t action;
    uint8_t flags;
    struct slice program;
    struct slice target;
    uint64_t next_at;
};
bool ruleset_get_pattern(const struct ruleset *rs, uint64_t at, struct ruleset_pattern_view *view);

struct ruleset_host_view {
    struct ruleset_host head;
    struct slice name;
    struct ruleset_cursor captures;
    uint64_t next_at;
};
bool ruleset_get_host(const struct ruleset *rs, uint64_t at, struct ruleset_host_view *view);

#endif
