/* SPDX-License-Identifier: Apache-2.0 */
/* A fuzzer's bytes as changes to a good rule file: a section (past the last one: the header), where in it, how many
 * bytes, the bytes. Small inputs so reach every record, and stay small. */
#ifndef T_FUZZ_PATCHES_H
#define T_FUZZ_PATCHES_H

#include "t/lib/rule_file.h"

#include <stdbool.h>

/* Applies the next change; false at the end of the input. */
static inline bool patches_apply(const uint8_t **input, size_t *size, const uint8_t *good, uint8_t *file)
{
    if (*size < 5) return false;
    unsigned section = (*input)[0] % (RULESET_SECTION_COUNT + 1), count = (*input)[3] % 16 + 1;
    size_t at = (*input)[1] | (size_t)(*input)[2] << 8;
    size_t start = 0, room = sizeof(struct ruleset_header);

    if (section < RULESET_SECTION_COUNT) {
        struct ruleset_section entry = rule_file_section(good, section);

        start = entry.at;
        room = entry.size;
    }
    *input += 4;
    *size -= 4;
    for (unsigned i = 0; i < count && *size > 0; i++, ++*input, --*size) {
        if (room) file[start + (at + i) % room] = **input;
    }
    return true;
}

#endif
