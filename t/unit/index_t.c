/* SPDX-License-Identifier: Apache-2.0 */
/* The two-choice index, writer against reader: no key is lost, and a miss reads little more than one line of 64 bytes.
 * The lines are counted where the reader copies from them. */
#include "config.h"

#include "mod_redir307/ruleset_read.h"

static const unsigned char *counted_from; /* the lines */
static size_t counted_size;
static unsigned counted_lines;
static size_t counted_last;

static void *counting_copy(void *to, const void *from, size_t size)
{
    uintptr_t at = (uintptr_t)from - (uintptr_t)counted_from;

    if (at < counted_size) {
        if (at / RULESET_LINE_SIZE != counted_last) counted_lines++;
        counted_last = at / RULESET_LINE_SIZE;
    }
    return memcpy(to, from, size);
}

/* The reader's own copies, and nobody else's, go through the counter. */
#undef memcpy
#define memcpy counting_copy
#include "mod_redir307/index.h"
#undef memcpy

#include "rulec/emit_index.h"
#include "t/lib/tap.h"

#include <stdlib.h>

enum { MOST_KEYS = 250000, MISSES = 250000 };

static uint64_t keys[MOST_KEYS];

/* splitmix64: the same numbers in every run. */
static uint64_t random_state = 307;
static uint64_t random_number(void)
{
    uint64_t value = random_state += HASH_MULTIPLIER;

    return hash_mix(hash_mix(value) * HASH_MULTIPLIER);
}

static struct bytes lines;
static struct ruleset_view view;

static void count_in(struct ruleset_view lines_of)
{
    view = lines_of;
    counted_from = view.bytes;
    counted_size = view.count * RULESET_LINE_SIZE;
}

static bool build(size_t count)
{
    const struct emit_index_input input = { .keys = keys, .count = count };

    lines = (struct bytes){ 0 };
    if (!emit_index(&input, &lines)) return false;
    count_in((struct ruleset_view){ .bytes = lines.data, .size = lines.size, .count = lines.size / RULESET_LINE_SIZE });
    return true;
}

/* Candidates of a key; counted_lines is what that took. */
static unsigned find(uint64_t key, uint32_t references[INDEX_CANDIDATES])
{
    counted_lines = 0;
    counted_last = SIZE_MAX;
    return index_find(&view, key, references);
}

static bool is_found(uint64_t key, uint32_t entry)
{
    uint32_t references[INDEX_CANDIDATES];
    unsigned count = find(key, references);

    for (unsigned i = 0; i < count; i++) {
        if (references[i] == entry) return true;
    }
    return false;
}

static void no_key_is_lost(void)
{
    static const size_t counts[] = { 1, 2, 8, 9, 10, 11, 12, 17, 18, 19, 20, 100, 1000, 12345, MOST_KEYS };

    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        size_t lost = 0, most = 0;
        char name[64];

        for (size_t k = 0; k < counts[i]; k++) keys[k] = random_number();
        snprintf(name, sizeof(name), "%zu keys", counts[i]);
        if (!ok(build(counts[i]), name)) continue;
        for (size_t k = 0; k < counts[i]; k++) {
            lost += !is_found(keys[k], (uint32_t)k);
            if (counted_lines > most) most = counted_lines;
        }
        is_number(lost, 0, "all are found");
        ok(most <= 2, "in two lines at most");
        bytes_free(&lines);
    }
}

/* Goal: at the load that is written, a miss reads 1.06 lines in the mean and 2 at most; 8 bytes a key. */
static void a_miss_reads_one_line(void)
{
    uint32_t references[INDEX_CANDIDATES];
    uint64_t sum = 0, false_matches = 0;
    unsigned most = 0;

    for (size_t k = 0; k < MOST_KEYS; k++) keys[k] = random_number();
    if (!ok(build(MOST_KEYS), "250,000 keys")) return;
    for (size_t i = 0; i < MISSES; i++) {
        false_matches += find(random_number(), references);
        sum += counted_lines;
        if (counted_lines > most) most = counted_lines;
    }
    printf("# mean %.4f lines, max %u; %.5f false matches; %.2f bytes a key\n", (double)sum / MISSES, most,
           (double)false_matches / MISSES, (double)lines.size / MOST_KEYS);
    ok(sum > MISSES, "the counter counts: some misses look at a second line");
    ok(sum * 100 <= (uint64_t)MISSES * 106, "1.06 lines in the mean");
    ok(most == 2, "two at most");
    ok(false_matches * 1000 <= MISSES, "a fingerprint misleads one miss in a thousand at most");
    ok(lines.size <= 8 * (size_t)MOST_KEYS, "8 bytes a key at most");
    bytes_free(&lines);
}

/* Paths are hashed: short, long, alike. Their keys behave as random ones do. */
static void keys_of_paths_are_spread(void)
{
    uint64_t sum = 0;
    size_t lost = 0;
    uint32_t references[INDEX_CANDIDATES];
    char path[64];

    for (size_t k = 0; k < MOST_KEYS; k++) {
        int size = snprintf(path, sizeof(path), "/docs/web/api/page-%zu", k);
        keys[k] = hash_path(slice_of(path, (size_t)size), 42, (uint32_t)(1 + k % 7));
    }
    if (!ok(build(MOST_KEYS), "250,000 paths")) return;
    for (size_t k = 0; k < MOST_KEYS; k++) lost += !is_found(keys[k], (uint32_t)k);
    is_number(lost, 0, "all are found");
    for (size_t k = 0; k < MISSES; k++) {
        int size = snprintf(path, sizeof(path), "/docs/web/api/page-%zu/", k);
        find(hash_path(slice_of(path, (size_t)size), 42, (uint32_t)(1 + k % 7)), references);
        sum += counted_lines;
    }
    ok(sum * 100 <= (uint64_t)MISSES * 106, "1.06 lines in the mean");
    bytes_free(&lines);
}

static bool joins(void *baton, uint32_t earlier, uint32_t later)
{
    unsigned *count = baton;

    ++*count;
    return earlier < later;
}

static bool joins_nothing(void *baton, uint32_t earlier, uint32_t later)
{
    (void)baton;
    (void)earlier;
    (void)later;
    return false;
}

static void equal_keys_are_joined_or_refused(void)
{
    unsigned joined = 0;
    struct emit_index_input input = { .keys = keys, .count = 1000, .join = joins, .baton = &joined };

    for (size_t k = 0; k < 1000; k++) keys[k] = 0x123456789abcdef0;
    lines = (struct bytes){ 0 };
    ok(emit_index(&input, &lines), "a thousand rules of one key");
    is_number(joined, 999, "are joined to the first");
    bytes_free(&lines);

    input.join = joins_nothing;
    lines = (struct bytes){ 0 };
    ok(!emit_index(&input, &lines), "a thousand different keys of one hash do not fit: another seed is wanted");
    bytes_free(&lines);

    input.count = 0;
    lines = (struct bytes){ 0 };
    ok(emit_index(&input, &lines), "no key at all");
    count_in((struct ruleset_view){ .bytes = lines.data, .size = lines.size, .count = lines.size / RULESET_LINE_SIZE });
    uint32_t references[INDEX_CANDIDATES];
    is_number(find(7, references), 0, "and nothing to find");
    bytes_free(&lines);
}

/* A line full of one fingerprint, and both lines of it: as many candidates as there is room for. */
static void hostile_lines_stay_in_their_room(void)
{
    static struct ruleset_line table[3];
    uint32_t references[INDEX_CANDIDATES];

    memset(table, 0xff, sizeof(table));
    count_in((struct ruleset_view){ .bytes = (const uint8_t *)table, .size = sizeof(table), .count = 3 });
    is_number(find(UINT64_MAX, references), INDEX_CANDIDATES, "two full lines");
    ok(counted_lines <= 2, "and no more");
    memset(table, 0, sizeof(table));
    is_number(find(UINT64_MAX, references), 0, "zeros hold nothing");
    is_number(find(0, references), 0, "also for a fingerprint of zero");
    is_number(counted_lines, 1, "after one line");
}

int main(void)
{
    no_key_is_lost();
    a_miss_reads_one_line();
    keys_of_paths_are_spread();
    equal_keys_are_joined_or_refused();
    hostile_lines_stay_in_their_room();
    return tap_done();
}
