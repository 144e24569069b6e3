/* SPDX-License-Identifier: Apache-2.0 */
/* Builds a two-choice fingerprint index (mod_redir307/index.h reads it). */
#ifndef RULEC_EMIT_INDEX_H
#define RULEC_EMIT_INDEX_H

#include "rulec/bytes.h"

#include <stdbool.h>
#include <stdint.h>

struct emit_index_key {
    uint64_t key;
    uint32_t reference;
};

/* Appends the lines to an empty `out`. False: the keys do not fit (equal or hostile hashes): take another seed. The same
 * keys in the same order give the same lines. */
bool emit_index(const struct emit_index_key *keys, size_t count, struct bytes *out);

#endif
