/* SPDX-License-Identifier: Apache-2.0 */
/* A key lives in its home line, or else in its other one, which its home's overflow word then tells. At a load of 0.85
 * nearly all stay at home, so a miss reads 1.06 lines; where both lines are full, a short random walk makes room. */
#include "rulec/emit_index.h"

#include "grammar/arena.h"
#include "mod_redir307/hash.h"
#include "mod_redir307/ruleset_format.h"

#include <stdlib.h>

enum { WALK_LIMIT = 2000 };
static const double load = 0.85;

struct builder {
    const struct emit_index_key *keys;
    struct ruleset_line *lines;
    uint32_t *owners; /* RULESET_LINE_SLOTS a line: which key sits in the slot */
    uint64_t line_count;
    uint64_t random;
};

static uint64_t next_random(struct builder *builder)
{
    builder->random = builder->random * 6364136223846793005u + 1442695040888963407u;
    return builder->random >> 33;
}

static void set_slot(struct builder *builder, uint64_t line_at, unsigned slot, uint32_t key)
{
    const struct emit_index_key *entry = &builder->keys[key];
    struct ruleset_line *line = &builder->lines[line_at];

    line->fingerprint[slot] = hash_fingerprint(entry->key);
    line->reference[slot] = entry->reference;
    builder->owners[line_at * RULESET_LINE_SLOTS + slot] = key;
}

/* Into one line, if there is room. */
static bool put_into(struct builder *builder, uint64_t line_at, uint32_t key)
{
    struct ruleset_line *line = &builder->lines[line_at];

    if (line->count == RULESET_LINE_SLOTS) return false;
    set_slot(builder, line_at, line->count++, key);
    return true;
}

static bool place(struct builder *builder, uint32_t key)
{
    for (unsigned step = 0; step < WALK_LIMIT; step++) {
        uint64_t hash = builder->keys[key].key;
        uint64_t home = hash_home(hash, builder->line_count);
        uint64_t other = hash_alternate(hash, builder->line_count);

        if (put_into(builder, home, key)) return true;
        builder->lines[home].overflow |= hash_overflow_bit(hash);
        if (put_into(builder, other, key)) return true;

        /* Both full: take the seat of one in the other line, which then looks for its own. */
        unsigned slot = (unsigned)(next_random(builder) % RULESET_LINE_SLOTS);
        uint32_t evicted = builder->owners[other * RULESET_LINE_SLOTS + slot];
        set_slot(builder, other, slot, key);
        key = evicted;
    }
    return false;
}

bool emit_index(const struct emit_index_key *keys, size_t count, struct bytes *out)
{
    if (count == 0) return true;

    uint64_t line_count = (uint64_t)((double)count / (RULESET_LINE_SLOTS * load)) + 1;
    struct builder builder = {
        .keys = keys,
        .lines = bytes_add(out, line_count * sizeof(struct ruleset_line)),
        .owners = memory_resize(NULL, line_count * RULESET_LINE_SLOTS, sizeof(uint32_t)),
        .line_count = line_count,
    };
    bool fits = true;

    for (size_t i = 0; fits && i < count; i++) fits = place(&builder, (uint32_t)i);
    free(builder.owners);
    return fits;
}
