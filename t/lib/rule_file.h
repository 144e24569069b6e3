/* SPDX-License-Identifier: Apache-2.0 */
/* A rule file's bytes in a test's own hands: changed and signed again, so that what is asked is not the checksums but
 * what stands behind them. Header only. */
#ifndef T_LIB_RULE_FILE_H
#define T_LIB_RULE_FILE_H

#include "mod_redir307/hash.h"
#include "mod_redir307/ruleset_format.h"

#include <stddef.h>
#include <string.h>

static inline void rule_file_digest(const void *bytes, size_t size, uint8_t digest[RULESET_DIGEST_SIZE])
{
    XXH128_hash_t hash = XXH3_128bits(bytes, size);

    memcpy(digest, &hash.low64, 8);
    memcpy(digest + 8, &hash.high64, 8);
}

/* Makes the header's own digest right. Needs one page. */
static inline void rule_file_sign_header(uint8_t *bytes)
{
    const size_t id_at = offsetof(struct ruleset_header, id);

    memset(bytes + id_at, 0, RULESET_DIGEST_SIZE);
    uint8_t digest[RULESET_DIGEST_SIZE];
    rule_file_digest(bytes, RULESET_PAGE, digest);
    memcpy(bytes + id_at, digest, sizeof(digest));
}

/* Makes every digest right, of sections where they lie inside the bytes. Less than a page is left alone. */
static inline void rule_file_sign(uint8_t *bytes, size_t size)
{
    if (size < RULESET_PAGE) return;
    for (unsigned i = 0; i < RULESET_SECTION_COUNT; i++) {
        const size_t at = offsetof(struct ruleset_header, sections) + i * sizeof(struct ruleset_section);
        struct ruleset_section section;

        memcpy(&section, bytes + at, sizeof(section));
        if (section.at > size || section.size > size - section.at) continue;
        rule_file_digest(bytes + section.at, section.size, section.digest);
        memcpy(bytes + at, &section, sizeof(section));
    }
    rule_file_sign_header(bytes);
}

static inline struct ruleset_section rule_file_section(const uint8_t *bytes, unsigned type)
{
    struct ruleset_section section;

    memcpy(&section, bytes + offsetof(struct ruleset_header, sections) + type * sizeof(section), sizeof(section));
    return section;
}

#endif
