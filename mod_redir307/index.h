/* SPDX-License-Identifier: Apache-2.0 */
/* Two-choice fingerprint index: a key's hash names two 64-byte lines; one read decides nearly every miss, two all.
 * Private to the engine. */
#ifndef MOD_REDIR307_INDEX_H
#define MOD_REDIR307_INDEX_H

#include "mod_redir307/ruleset_read.h"

enum { INDEX_CANDIDATES = 2 * RULESET_LINE_SLOTS };

/* The first part of a line: what decides. */
struct index_slots {
    uint16_t count;
    uint16_t overflow;
    uint16_t fingerprint[RULESET_LINE_SLOTS];
};

/* Eight fingerprints at once (a GNU C vector), the last two by themselves. */
typedef uint16_t index_eight __attribute__((vector_size(16)));

static inline bool index_may_hold(const struct index_slots *slots, uint16_t fingerprint)
{
    index_eight eight;
    uint64_t halves[2];

    memcpy(&eight, slots->fingerprint, sizeof eight);
    eight = (index_eight)(eight == fingerprint);
    memcpy(halves, &eight, sizeof halves);
    return (halves[0] | halves[1]) || slots->fingerprint[8] == fingerprint || slots->fingerprint[9] == fingerprint;
}

static inline unsigned index_add(const uint8_t *line, const struct index_slots *slots, uint16_t fingerprint,
                                 uint32_t *references, unsigned found)
{
    for (unsigned i = 0; i < RULESET_LINE_SLOTS; i++) {
        if (slots->fingerprint[i] != fingerprint) continue;
        memcpy(&references[found++], line + offsetof(struct ruleset_line, reference) + 4 * i, 4);
    }
    return found;
}

/* False: index_find would find nothing. */
static inline bool index_has(const struct ruleset_view *index, uint64_t key)
{
    struct index_slots slots;

    if (index->count == 0) return false;
    memcpy(&slots, index->bytes + hash_home(key, index->count) * RULESET_LINE_SIZE, sizeof slots);
    if (index_may_hold(&slots, hash_fingerprint(key))) return true;
    if (!(slots.overflow & hash_overflow_bit(key))) return false;
    memcpy(&slots, index->bytes + hash_alternate(key, index->count) * RULESET_LINE_SIZE, sizeof slots);
    return index_may_hold(&slots, hash_fingerprint(key));
}

/* Fills `references` with what has the key's fingerprint (at most INDEX_CANDIDATES); equal fingerprints prove nothing.
 * Reads one line, or two where the home line says that keys of its kind overflowed. */
static inline unsigned index_find(const struct ruleset_view *index, uint64_t key, uint32_t *references)
{
    uint64_t line_count = index->count;
    unsigned found = 0;

    if (line_count == 0) return 0;

    uint16_t fingerprint = hash_fingerprint(key);
    uint64_t at = hash_home(key, line_count);
    for (int choice = 0; choice < 2; choice++) {
        struct index_slots slots;

        memcpy(&slots, index->bytes + at * RULESET_LINE_SIZE, sizeof slots);
        if (index_may_hold(&slots, fingerprint)) {
            found = index_add(index->bytes + at * RULESET_LINE_SIZE, &slots, fingerprint, references, found);
        }
        if (!(slots.overflow & hash_overflow_bit(key))) break;
        at = hash_alternate(key, line_count);
    }
    return found;
}

/* What the ancestor bitmap tells about a path's first segments, by their hash. */
struct index_ancestor {
    bool is_here;  /* some shape may have its lead here */
    bool is_above; /* some may have it further below */
};

static inline struct index_ancestor index_ancestor(const struct ruleset *rs, uint64_t hash)
{
    const struct ruleset_view *bitmap = &rs->views[RULESET_ANCESTORS];
    uint64_t word = 0, here = hash_here_bits(hash), below = hash_below_bits(hash);

    if (bitmap->count) memcpy(&word, bitmap->bytes + hash_word(hash, bitmap->count) * sizeof word, sizeof word);
    return (struct index_ancestor){ .is_here = (word & here) == here, .is_above = (word & below) == below };
}

#endif
