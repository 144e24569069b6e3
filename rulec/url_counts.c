/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "rulec/url_counts.h"

#include "grammar/arena.h"
#include "mod_redir307/hash.h"

#include <stdlib.h>
#include <string.h>

enum { SLOT_COUNT = 2 * URL_COUNTS_LIMIT };

void url_counts_init(struct url_counts *counts)
{
    *counts =
        (struct url_counts){ .slots = memory_resize(NULL, SLOT_COUNT, sizeof *counts->slots),
                             .is_exact = true };
    memset(counts->slots, 0, SLOT_COUNT * sizeof *counts->slots);
}

static void free_entry(struct url_count *entry)
{
    free(entry->text);
    free(entry->old);
    free(entry->new);
    memset(entry, 0, sizeof *entry);
}

void url_counts_fini(struct url_counts *counts)
{
    for (size_t i = 0; counts->slots && i < SLOT_COUNT; i++)
        free_entry(&counts->slots[i]);
    free(counts->slots);
    counts->slots = NULL;
}

static char *copy(struct slice text)
{
    char *made = memory_resize(NULL, text.size + 1, 1);

    if (text.size)
        memcpy(made, text.data, text.size);
    made[text.size] = '\0';
    return made;
}

/* The slot of that text, or the free one where it belongs. */
static struct url_count *find(struct url_counts *counts, uint64_t hash, struct slice text)
{
    size_t slot = hash % SLOT_COUNT;

    for (; counts->slots[slot].text; slot = (slot + 1) % SLOT_COUNT) {
        const struct url_count *entry = &counts->slots[slot];

        if (entry->hash == hash && slice_equal(slice_from_string(entry->text), text))
            break;
    }
    return &counts->slots[slot];
}

/* Forgets those seen least until a half is free. */
static void make_room(struct url_counts *counts)
{
    struct url_count *old = counts->slots;

    counts->is_exact = false;
    for (uint64_t least = 1; counts->used > URL_COUNTS_LIMIT / 2; least *= 2)
        for (size_t i = 0; i < SLOT_COUNT && counts->used > URL_COUNTS_LIMIT / 2; i++)
            if (old[i].text && old[i].count <= least) {
                free_entry(&old[i]);
                counts->used--;
            }
    counts->slots = memory_resize(NULL, SLOT_COUNT, sizeof *counts->slots);
    memset(counts->slots, 0, SLOT_COUNT * sizeof *counts->slots);
    for (size_t i = 0; i < SLOT_COUNT; i++)
        if (old[i].text)
            *find(counts, old[i].hash, slice_from_string(old[i].text)) = old[i];
    free(old);
}

void url_counts_add(struct url_counts *counts, struct slice text, struct slice old,
                    struct slice new)
{
    uint64_t hash = hash_bytes(text, 0);
    struct url_count *entry = find(counts, hash, text);

    if (!entry->text && counts->used == URL_COUNTS_LIMIT) {
        make_room(counts);
        entry = find(counts, hash, text);
    }
    if (!entry->text) {
        *entry = (struct url_count){
            .text = copy(text), .old = copy(old), .new = copy(new), .hash = hash
        };
        counts->used++;
    }
    entry->count++;
}

static int compare_counts(const void *a, const void *b)
{
    const struct url_count *left = a, *right = b;

    if (!left->text || !right->text)
        return (left->text == NULL) - (right->text == NULL);
    if (left->count != right->count)
        return left->count > right->count ? -1 : 1;
    return strcmp(left->text, right->text);
}

uint64_t url_counts_sort(struct url_counts *counts)
{
    qsort(counts->slots, SLOT_COUNT, sizeof *counts->slots, compare_counts);
    return counts->used;
}
