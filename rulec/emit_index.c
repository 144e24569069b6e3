/* SPDX-License-Identifier: Apache-2.0 */
/* A key lives in its home line, or else in its other one, which its home's overflow word then tells. At a load of 0.85
 * nearly all stay at home, so a miss reads 1.06 lines; where both lines are full, a short random walk makes room. */
#include "rulec/emit_index.h"

#include "mod_redir307/hash.h"
#include "mod_redir307/ruleset_format.h"

enum { WALK_LIMIT = 2000 };
static const double load = 0.85;

struct builder {
    const struct emit_index_input *input;
    struct ruleset_line *lines;
    uint64_t line_count;
    uint64_t random;
};

static uint64_t next_random(struct builder *builder)
{
    builder->random = builder->random * 6364136223846793005u + 1442695040888963407u;
    return builder->random >> 33;
}

static void set_slot(struct ruleset_line *line, unsigned slot, uint64_t key, uint32_t entry)
{
    line->fingerprint[slot] = hash_fingerprint(key);
    line->reference[slot] = entry;
}

/* Into one line, if there is room. */
static bool put_into(struct ruleset_line *line, uint64_t key, uint32_t entry)
{
    if (line->count == RULESET_LINE_SLOTS) return false;
    set_slot(line, line->count++, key, entry);
    return true;
}

/* True where the line holds an entry of the same key that takes this one in. */
static bool join_in(const struct builder *builder, const struct ruleset_line *line, uint64_t key, uint32_t entry)
{
    uint16_t fingerprint = hash_fingerprint(key);

    for (unsigned i = 0; i < line->count; i++) {
        if (line->fingerprint[i] == fingerprint && builder->input->keys[line->reference[i]] == key
            && builder->input->join(builder->input->baton, line->reference[i], entry)) {
            return true;
        }
    }
    return false;
}

static bool place(struct builder *builder, uint32_t entry)
{
    bool is_new = true;

    for (unsigned step = 0; step < WALK_LIMIT; step++) {
        uint64_t key = builder->input->keys[entry];
        struct ruleset_line *home = &builder->lines[hash_home(key, builder->line_count)];
        struct ruleset_line *other = &builder->lines[hash_alternate(key, builder->line_count)];

        if (is_new && builder->input->join) {
            if (join_in(builder, home, key, entry)) return true;
            if (home->overflow & hash_overflow_bit(key) && join_in(builder, other, key, entry)) return true;
        }
        is_new = false;
        if (put_into(home, key, entry)) return true;
        home->overflow |= hash_overflow_bit(key);
        if (put_into(other, key, entry)) return true;

        /* Both full: take the seat of one in the other line, which then looks for its own. */
        unsigned slot = (unsigned)(next_random(builder) % RULESET_LINE_SLOTS);
        uint32_t evicted = other->reference[slot];
        set_slot(other, slot, key, entry);
        entry = evicted;
    }
    return false;
}

bool emit_index(const struct emit_index_input *input, struct bytes *out)
{
    enum { AHEAD = 16 };

    if (input->count == 0) return true;
    uint64_t line_count = (uint64_t)((double)input->count / (RULESET_LINE_SLOTS * load)) + 1;
    struct builder builder = {
        .input = input,
        .lines = bytes_add(out, line_count * sizeof(struct ruleset_line)),
        .line_count = line_count,
    };

    for (size_t i = 0; i < input->count; i++) {
        /* the lines lie anywhere in memory: ask for them a little earlier */
        if (i + AHEAD < input->count) __builtin_prefetch(&builder.lines[hash_home(input->keys[i + AHEAD], line_count)], 1);
        if (!place(&builder, (uint32_t)i)) return false;
    }
    return true;
}

size_t emit_index_refer(struct bytes *lines, const uint32_t *references)
{
    struct ruleset_line *line = (struct ruleset_line *)(void *)lines->data;
    size_t count = lines->size / sizeof *line, used = 0;

    for (size_t i = 0; i < count; i++) {
        for (unsigned k = 0; k < line[i].count; k++) line[i].reference[k] = references[line[i].reference[k]];
        used += line[i].count;
    }
    return used;
}
