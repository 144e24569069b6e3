/* SPDX-License-Identifier: Apache-2.0 */
/* Opening a ruleset from bytes that are read, not touched in place: a file that shrinks meanwhile gives a short
 * read, never a signal. Private to ruleset and ruleset_map. */
#ifndef MOD_REDIR307_RULESET_INPUT_H
#define MOD_REDIR307_RULESET_INPUT_H

#include "mod_redir307/ruleset.h"

struct ruleset_input {
    /* Copies `size` bytes from offset `at`; false where they are not all there. */
    bool (*read)(void *baton, uint64_t at, void *buffer, size_t size);
    void *baton;
    uint64_t size;
    const uint8_t *bytes;     /* the same content where it may be touched in place; NULL: it may not */
    bool has_right_digests;   /* known from an earlier look at the same content */
};

/* The first page alone: whether it can be a rule file of this size. Cheap for a file of any size. */
enum ruleset_status ruleset_check_header(const struct ruleset_input *input);

/* Verifies what `input` reads; the ruleset then answers from `bytes`, which hold (or map) the same content. */
enum ruleset_status ruleset_open_input(const struct ruleset_input *input, const void *bytes,
                                       struct ruleset **opened);

#endif
