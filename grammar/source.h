/* SPDX-License-Identifier: Apache-2.0 */
/* The texts of one compilation. All of them share one row of offsets, so a place is one number:
 * line and column are worked out only when a message is printed or a place is written down. */
#ifndef GRAMMAR_SOURCE_H
#define GRAMMAR_SOURCE_H

#include "grammar/arena.h"

#include <stdint.h>

/* Bytes [at, end) of the row of sources; {0, 0} is no place. */
struct span {
    uint32_t at;
    uint32_t end;
};

struct source {
    const char *path;  /* as the user named it, or as `include` found it: relative to the including file's folder */
    struct slice text; /* the whole file without a byte order mark, unpacked where it was .gz */
    uint32_t at;       /* offset of its first byte in the row; never 0 */
    uint32_t line_count;  /* lines in text, an empty one behind the last line end among them */
    uint32_t first_line;  /* lines of all earlier sources together: first_line + line is unique ("place") */
};

struct source_set;

struct source_set *source_set_open(struct arena *arena);
void source_set_close(struct source_set *set);

/* Reads a file (`-`: standard input; `.gz` is unpacked). On failure NULL and *reason (static or
 * arena text). Limits: a file and all files together are smaller than 4 GiB. */
const struct source *source_open(struct source_set *set, const char *path, const char **reason);
/* A text that is no file (tests). `text` is not copied and must live as long as the set. NULL
 * where all texts together would reach 4 GiB. */
const struct source *source_add(struct source_set *set, const char *path, struct slice text);
/* The same with a copy of the text, so that source_buffer() has one. */
const struct source *source_add_copy(struct source_set *set, const char *path, struct slice text);
/* The text of a source for a scanner: writable, two NUL bytes behind it. NULL for a source_add.
 * What is changed there changes source->text. */
char *source_buffer(const struct source_set *set, const struct source *source);

size_t source_count(const struct source_set *set);
const struct source *source_at(const struct source_set *set, size_t index); /* in order of opening */

struct source_place {
    const struct source *source; /* NULL where the offset is in no source */
    uint32_t line;               /* from 1 */
    uint32_t column;             /* from 1, in UTF-8 characters */
    struct slice line_text;      /* without its line end */
};
struct source_place source_locate(const struct source_set *set, uint32_t at);
/* The line of an offset counted over all sources (first_line + line); cheap when asked in
 * rising order. */
uint32_t source_line_in_all(struct source_set *set, uint32_t at);
/* The same for who asks beside others: where he asked last is his own. All zero at first. */
struct source_cursor {
    const void *item;
    uint32_t at, line;
};
uint32_t source_line_from(const struct source_set *set, struct source_cursor *cursor, uint32_t at);

#endif
