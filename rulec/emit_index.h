/* SPDX-License-Identifier: Apache-2.0 */
/* Builds a two-choice fingerprint index (mod_redir307/index.h reads it). Equal keys are found while they are placed. */
#ifndef RULEC_EMIT_INDEX_H
#define RULEC_EMIT_INDEX_H

#include "rulec/bytes.h"

#include <stdbool.h>
#include <stdint.h>

struct emit_index_input {
    const uint64_t *keys; /* hashes */
    size_t count;         /* less than 2^32 */
    /* Entry `later` has the same hash as `earlier`, which is in the index. True: it belongs to it and takes no place of
     * its own. NULL: all keys are different. */
    bool (*join)(void *baton, uint32_t earlier, uint32_t later);
    void *baton;
};

/* Appends the lines to an empty `out`; a reference is the number of its entry, until emit_index_refer. False: the keys
 * do not fit (hostile hashes): take another seed. The same keys in the same order give the same lines. */
bool emit_index(const struct emit_index_input *input, struct bytes *out);

/* Turns entry numbers into references. Returns how many entries have a place. */
size_t emit_index_refer(struct bytes *lines, const uint32_t *references);

#endif
