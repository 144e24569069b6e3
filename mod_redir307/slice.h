/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes with their length: neither source text nor mapped strings end in NUL.
 * Header-only, without any other knowledge; shared by the engine, the grammar and rulec. */
#ifndef MOD_REDIR307_SLICE_H
#define MOD_REDIR307_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct slice {
    const char *data; /* not owned, not NUL-terminated; may be NULL where size is 0 */
    size_t size;      /* bytes */
};

/* A slice of a string literal. */
#define SLICE(literal) ((struct slice){ .data = ("" literal), .size = sizeof(literal) - 1 })

static inline struct slice slice_of(const char *data, size_t size)
{
    return (struct slice){ .data = data, .size = size };
}

static inline struct slice slice_from_string(const char *string)
{
    return (struct slice){ .data = string, .size = string ? strlen(string) : 0 };
}

static inline bool slice_equal(struct slice a, struct slice b)
{
    /* of `b`, which often is a literal: its bytes are compared in place then */
    return a.size == b.size && (b.size == 0 || memcmp(a.data, b.data, b.size) == 0);
}

/* Bytewise order; a prefix comes first. */
static inline int slice_compare(struct slice a, struct slice b)
{
    size_t common = a.size < b.size ? a.size : b.size;
    int order = common ? memcmp(a.data, b.data, common) : 0;

    return order ? order : (a.size > b.size) - (a.size < b.size);
}

static inline bool slice_starts_with(struct slice whole, struct slice start)
{
    return whole.size >= start.size && (start.size == 0 || memcmp(whole.data, start.data, start.size) == 0);
}

static inline bool byte_is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

/* Without the blanks at both ends. */
static inline struct slice slice_trim(struct slice text)
{
    while (text.size && byte_is_blank(*text.data)) {
        text.data++;
        text.size--;
    }
    while (text.size && byte_is_blank(text.data[text.size - 1])) text.size--;
    return text;
}

/* A line that was cut off at its "\n", without the "\r" that may stand before that. */
static inline struct slice slice_without_cr(struct slice line)
{
    if (line.size && line.data[line.size - 1] == '\r') line.size--;
    return line;
}

/* Takes the next word off the front of *rest, and the blanks before it; empty at the end. */
static inline struct slice slice_next_word(struct slice *rest)
{
    while (rest->size && byte_is_blank(*rest->data)) {
        rest->data++;
        rest->size--;
    }

    struct slice word = slice_of(rest->data, 0);
    while (rest->size && !byte_is_blank(*rest->data)) {
        rest->data++;
        rest->size--;
        word.size++;
    }
    return word;
}

#endif
