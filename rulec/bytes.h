/* SPDX-License-Identifier: Apache-2.0 */
/* A growing row of bytes: what a section, a key or a target is written into. */
#ifndef RULEC_BYTES_H
#define RULEC_BYTES_H

#include "mod_redir307/slice.h"

#include <stdint.h>

struct bytes {
    uint8_t *data; /* owned */
    size_t size, room;
};

/* Makes room for `size` bytes more. */
void bytes_grow(struct bytes *bytes, size_t size);

/* `size` bytes at the end, not cleared; valid until the next call. */
static inline void *bytes_add_raw(struct bytes *bytes, size_t size)
{
    if (size > bytes->room - bytes->size) bytes_grow(bytes, size);

    void *added = bytes->data + bytes->size;
    bytes->size += size;
    return added;
}

/* The same, zeroed. */
void *bytes_add(struct bytes *bytes, size_t size);

static inline void bytes_put(struct bytes *bytes, const void *data, size_t size)
{
    if (size) memcpy(bytes_add_raw(bytes, size), data, size);
}

void bytes_put_u8(struct bytes *bytes, unsigned value);
void bytes_put_u16(struct bytes *bytes, unsigned value);
static inline void bytes_put_u32(struct bytes *bytes, uint32_t value)
{
    bytes_put(bytes, &value, sizeof value);
}
/* u16 size, then the bytes; the caller has checked that they are at most 65535. */
void bytes_put_slice(struct bytes *bytes, struct slice text);
/* u32 size, then the bytes: for keys, which are compared and never written to a file. */
static inline void bytes_put_slice32(struct bytes *bytes, struct slice text)
{
    bytes_put_u32(bytes, (uint32_t)text.size);
    bytes_put(bytes, text.data, text.size);
}
/* Zeros up to the next multiple. */
void bytes_align(struct bytes *bytes, size_t multiple);
void bytes_free(struct bytes *bytes);

/* Equal byte strings get one place. Offsets are into `bytes`. */
struct bytes_pool {
    struct bytes bytes;
    struct bytes_pool_slot {
        uint64_t hash;
        uint32_t at, size; /* size 0: free */
    } *slots;
    size_t slot_count, used;
};

/* Where the string stands (added where it was not there). Empty strings stand at 0. */
uint64_t bytes_pool_add(struct bytes_pool *pool, struct slice text);
void bytes_pool_free(struct bytes_pool *pool);

#endif
