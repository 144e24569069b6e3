/* SPDX-License-Identifier: Apache-2.0 */
/* Two-choice fingerprint index: a key's hash names two 64-byte lines; one read decides nearly every miss, two all.
 * Private to the engine. */
#ifndef MOD_REDIR307_INDEX_H
#define MOD_REDIR307_INDEX_H

#include "mod_redir307/ruleset_read.h"

enum { INDEX_CANDIDATES = 2 * RULESET_LINE_SLOTS };

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
        const uint8_t *line = index->bytes + at * RULESET_LINE_SIZE;
        uint16_t slots[2 + RULESET_LINE_SLOTS]; /* count, overflow, fingerprints */

        memcpy(slots, line, sizeof slots);
        unsigned hits = 0;
        for (unsigned i = 0; i < RULESET_LINE_SLOTS; i++) {
            hits |= (unsigned)(slots[2 + i] == fingerprint) << i;
        }
        while (hits) {
            unsigned slot = (unsigned)__builtin_ctz(hits);

            hits &= hits - 1;
            memcpy(&references[found++], line + offsetof(struct ruleset_line, reference) + 4 * slot, 4);
        }
        if (!(slots[1] & hash_overflow_bit(key))) break;
        at = hash_alternate(key, line_count);
    }
    return found;
}

#endif
