/* SPDX-License-Identifier: Apache-2.0 */
/* Looks at many bytes of a URL at once, for whoever has many URLs to look at. */
#ifndef MOD_REDIR307_URL_SCAN_H
#define MOD_REDIR307_URL_SCAN_H

#include "mod_redir307/slice.h"

#include <stdint.h>

/* Sixteen bytes at a time (a GNU C vector, not an instruction set): a comparison gives 0xff or 0 for each byte. */
typedef uint8_t bytes16 __attribute__((vector_size(16)));
typedef int8_t signed16 __attribute__((vector_size(16)));

static inline bytes16 load16(const char *at)
{
    bytes16 bytes;

    memcpy(&bytes, at, sizeof bytes);
    return bytes;
}

/* Moved so that the range ends at the largest signed byte: one comparison finds both its ends. */
static inline bytes16 is_between(bytes16 bytes, unsigned low, unsigned high)
{
    return (bytes16)((signed16)(bytes + (uint8_t)(127 - high)) > (int8_t)(126 - high + low));
}

static inline bytes16 is_byte(bytes16 bytes, char byte)
{
    return (bytes16)(bytes == (uint8_t)byte);
}

static inline bool is_all(bytes16 bytes)
{
    uint64_t halves[2];

    memcpy(halves, &bytes, sizeof halves);
    return (halves[0] & halves[1]) == UINT64_MAX;
}

/* The bytes of nearly all paths: letters, digits, "-./:_". The rest ("@", "~" and the like may also stand bare) is left
 * to the exact look. */
static inline bytes16 is_usual(bytes16 bytes)
{
    return is_between(bytes | (uint8_t)0x20, 'a', 'z') | is_between(bytes, '-', ':') | is_byte(bytes, '_');
}

/* The same (and "," and ";", which may stand bare, too), and behind a slash neither slash nor dot. One bit turned puts these
 * two first among the bytes from "," to ";": behind a slash that range starts two bytes later. */
static inline bytes16 is_usual_part(const char *at)
{
    bytes16 bytes = load16(at), skipped = is_byte(load16(at - 1), '/') & (uint8_t)2;
    bytes16 turned = (bytes ^ (uint8_t)2) + (uint8_t)(127 - ';');

    return is_between(bytes | (uint8_t)0x20, 'a', 'z') | is_byte(bytes, '_')
         | (bytes16)((signed16)turned > (signed16)(skipped + (uint8_t)(126 - ';' + ',')));
}

/* True where the path is certain to be its own normal form and none of its bytes means anything: it has no query, no
 * placeholder, no escape. False says nothing. The last part overlaps the one before. */
static inline bool url_is_usual_path(struct slice path)
{
    if (path.size < 17 || path.data[0] != '/') return false;

    const char *last = path.data + path.size - 16;
    bytes16 good = is_usual_part(last);

    for (const char *at = path.data + 1; at < last; at += 16) good &= is_usual_part(at);
    return is_all(good);
}

#endif
