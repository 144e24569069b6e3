/* SPDX-License-Identifier: Apache-2.0 */
/* A growing row of bytes: what a section is written into. */
#ifndef RULEC_BYTES_H
#define RULEC_BYTES_H

#include "mod_redir307/slice.h"

#include <stdint.h>

struct bytes {
    uint8_t *data; /* owned */
    size_t size, room;
};

/* `size` zeroed bytes at the end; valid until the next call. */
void *bytes_add(struct bytes *bytes, size_t size);
/* The same, not cleared. */
void *bytes_add_raw(struct bytes *bytes, size_t size);
void bytes_put(struct bytes *bytes, const void *data, size_t size);
void bytes_put_u8(struct bytes *bytes, unsigned value);
void bytes_put_u16(struct bytes *bytes, unsigned value);
/* u16 size, then the bytes; the caller has checked that they are at most 65535. */
void bytes_put_slice(struct bytes *bytes, struct slice text);
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
