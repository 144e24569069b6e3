/* SPDX-License-Identifier: Apache-2.0 */
/* One compilation, one arena: everything is taken from it and nothing is freed singly.
 * Running out of memory ends the process in one place (exit status 3). */
#ifndef GRAMMAR_ARENA_H
#define GRAMMAR_ARENA_H

#include "mod_redir307/slice.h"

#include <stddef.h>

struct arena;

struct arena *arena_open(void);
void arena_close(struct arena *arena); /* frees all that was taken from it; NULL is allowed */

/* Zeroed, aligned for any type; never NULL; lives as long as the arena. */
void *arena_alloc(struct arena *arena, size_t size);
/* An array of `count` zeroed items; ends the process where count * size overflows. */
void *arena_array(struct arena *arena, size_t count, size_t size);
struct slice arena_copy(struct arena *arena, struct slice text);
/* The copy ends in NUL. */
char *arena_string(struct arena *arena, struct slice text);
char *arena_printf(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A part of the arena whose memory may go before the rest does: arena_release() frees it. */
struct arena *arena_passing(struct arena *arena);
void arena_release(struct arena *arena);

/* For memory outside an arena (growing arrays): realloc that ends the process on failure. */
void *memory_resize(void *memory, size_t count, size_t size);
/* New and all zero: pages that nobody writes to take no memory. */
void *memory_zeroed(size_t count, size_t size);

#endif
