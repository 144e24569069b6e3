/* SPDX-License-Identifier: Apache-2.0 */
/* Growing sections and pools of equal strings. */
#include "rulec/bytes.h"

#include "grammar/arena.h"
#include "mod_redir307/hash.h"

#include <stdlib.h>

void bytes_grow(struct bytes *bytes, size_t size)
{
    size_t room = bytes->room ? bytes->room : 4096;

    while (room - bytes->size < size) room += room / 2;
    bytes->data = memory_resize(bytes->data, room, 1);
    bytes->room = room;
}

void *bytes_add(struct bytes *bytes, size_t size)
{
    void *added = bytes_add_raw(bytes, size);

    memset(added, 0, size);
    return added;
}

void bytes_put_u8(struct bytes *bytes, unsigned value)
{
    uint8_t byte = (uint8_t)value;

    bytes_put(bytes, &byte, 1);
}

void bytes_put_u16(struct bytes *bytes, unsigned value)
{
    uint16_t word = (uint16_t)value;

    bytes_put(bytes, &word, sizeof word);
}

void bytes_put_slice(struct bytes *bytes, struct slice text)
{
    bytes_put_u16(bytes, (unsigned)text.size);
    bytes_put(bytes, text.data, text.size);
}

void bytes_align(struct bytes *bytes, size_t multiple)
{
    size_t over = bytes->size % multiple;

    if (over) bytes_add(bytes, multiple - over);
}

void bytes_free(struct bytes *bytes)
{
    free(bytes->data);
    *bytes = (struct bytes){ 0 };
}

static struct bytes_pool_slot *find_slot(struct bytes_pool *pool, uint64_t hash, struct slice text)
{
    size_t mask = pool->slot_count - 1;

    for (size_t i = hash & mask;; i = (i + 1) & mask) {
        struct bytes_pool_slot *slot = &pool->slots[i];

        if (slot->size == 0) return slot;
        if (slot->hash == hash && slot->size == text.size
            && memcmp(pool->bytes.data + slot->at, text.data, text.size) == 0) {
            return slot;
        }
    }
}

static void grow(struct bytes_pool *pool)
{
    struct bytes_pool_slot *old = pool->slots;
    size_t old_count = pool->slot_count;

    pool->slot_count = old_count ? 2 * old_count : 1024;
    pool->slots = memory_resize(NULL, pool->slot_count, sizeof *pool->slots);
    memset(pool->slots, 0, pool->slot_count * sizeof *pool->slots);
    for (size_t i = 0; i < old_count; i++) {
        if (old[i].size == 0) continue;
        size_t at = old[i].hash & (pool->slot_count - 1);
        while (pool->slots[at].size) at = (at + 1) & (pool->slot_count - 1);
        pool->slots[at] = old[i];
    }
    free(old);
}

uint64_t bytes_pool_add(struct bytes_pool *pool, struct slice text)
{
    if (text.size == 0) return 0;
    if (pool->used * 4 >= pool->slot_count * 3) grow(pool);

    uint64_t hash = hash_bytes(text, 0);
    struct bytes_pool_slot *slot = find_slot(pool, hash, text);
    if (slot->size == 0) {
        *slot = (struct bytes_pool_slot){ .hash = hash, .at = (uint32_t)pool->bytes.size,
                                          .size = (uint32_t)text.size };
        bytes_put(&pool->bytes, text.data, text.size);
        pool->used++;
    }
    return slot->at;
}

void bytes_pool_free(struct bytes_pool *pool)
{
    bytes_free(&pool->bytes);
    free(pool->slots);
    *pool = (struct bytes_pool){ 0 };
}
