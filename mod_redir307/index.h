/* SPDX-License-Identifier: Apache-2.0 */
/* Two-choice fingerprint index: a key's hash names two 64-byte lines; one read decides nearly every miss, two all.
 * Private to the engine. */
#ifndef MOD_REDIR307_INDEX_H
#define MOD_REDIR307_INDEX_H

#include "mod_redir307/ruleset_read.h"

enum { INDEX_CANDIDATES = 2 * RULESET_LINE_SLOTS };

/* Eight fingerprints at once (a GNU C vector), the last two by themselves. */
typedef uint16_t index_eight __attribute__((vector_size(16)));
_Static_assert(RULESET_LINE_SLOTS == 10, "eight and two");

static inline const uint8_t *index_line(const struct ruleset_view *index, uint64_t number)
{
    return index->bytes + number * RULESET_LINE_SIZE;
}

/* Which slots have that fingerprint: all bits or none of each sixteen for the first eight; the last two by themselves. */
static inline void index_compare(const uint8_t *line, uint16_t fingerprint, uint64_t equal[2], uint16_t last[2])
{
    const uint8_t *fingerprints = line + offsetof(struct ruleset_line, fingerprint);
    index_eight eight;

    memcpy(&eight, fingerprints, sizeof eight);
    memcpy(last, fingerprints + sizeof eight, 2 * sizeof *last);
    eight = (index_eight)(eight == fingerprint);
    memcpy(equal, &eight, sizeof eight);
}

static inline bool index_line_may_hold(const uint8_t *line, uint16_t fingerprint)
{
    uint64_t equal[2];
    uint16_t last[2];

    index_compare(line, fingerprint, equal, last);
    return (equal[0] | equal[1]) || last[0] == fingerprint || last[1] == fingerprint;
}

/* True where keys of this kind may live in their other line. */
static inline bool index_line_overflows(const uint8_t *line, uint64_t key)
{
    uint16_t overflow;

    memcpy(&overflow, line + offsetof(struct ruleset_line, overflow), sizeof overflow);
    return overflow & hash_overflow_bit(key);
}

static inline uint32_t index_reference(const uint8_t *line, unsigned slot)
{
    uint32_t reference;

    memcpy(&reference, line + offsetof(struct ruleset_line, reference) + sizeof reference * slot, sizeof reference);
    return reference;
}

static inline unsigned index_add(const uint8_t *line, uint16_t fingerprint, uint32_t *references, unsigned found)
{
    uint64_t equal[2];
    uint16_t last[2];

    index_compare(line, fingerprint, equal, last);
    for (unsigned half = 0; half < 2; half++) {
        while (equal[half]) {
            unsigned at = (unsigned)__builtin_ctzll(equal[half]) & ~15u;

            references[found++] = index_reference(line, 4 * half + at / 16);
            equal[half] &= ~(0xffffull << at);
        }
    }
    if (last[0] == fingerprint) references[found++] = index_reference(line, 8);
    if (last[1] == fingerprint) references[found++] = index_reference(line, 9);
    return found;
}

/* Fills `references` with what has the key's fingerprint (at most INDEX_CANDIDATES); equal fingerprints prove nothing.
 * Reads one line, or two where the home line says that keys of its kind overflowed. */
static inline unsigned index_find(const struct ruleset_view *index, uint64_t key, uint32_t *references)
{
    uint16_t fingerprint = hash_fingerprint(key);
    unsigned found = 0;

    if (index->count == 0) return 0;

    const uint8_t *line = index_line(index, hash_home(key, index->count));
    found = index_add(line, fingerprint, references, found);
    if (!index_line_overflows(line, key)) return found;
    line = index_line(index, hash_alternate(key, index->count));
    return index_add(line, fingerprint, references, found);
}

/* False: index_find would find nothing. */
static inline bool index_has(const struct ruleset_view *index, uint64_t key)
{
    uint16_t fingerprint = hash_fingerprint(key);

    if (index->count == 0) return false;

    const uint8_t *line = index_line(index, hash_home(key, index->count));
    return index_line_may_hold(line, fingerprint)
        || (index_line_overflows(line, key)
            && index_line_may_hold(index_line(index, hash_alternate(key, index->count)), fingerprint));
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
