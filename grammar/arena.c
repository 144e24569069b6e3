/* SPDX-License-Identifier: Apache-2.0 */
/* Memory of one compilation: chunks that only grow, handed out from the front. A chunk comes
 * zeroed from the system, so nothing is cleared here. Running out of memory ends the process in
 * no_memory() and nowhere else. */
#include "config.h"

#include "grammar/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    CHUNK_SIZE =
        1 << 20, /* large enough that the C library takes it from the system: already zero */
    CHUNK_LIMIT = 16 << 20, /* chunks double up to this */
    ALIGNMENT = 16
};

struct chunk {
    struct chunk *earlier;
    size_t size;
    /* Keeps the bytes behind the header aligned for any type. */
    _Alignas(ALIGNMENT) char bytes[];
};

struct arena {
    struct chunk *chunks;
    char *next;  /* first free byte of the newest chunk */
    size_t left; /* bytes free there */
    size_t chunk_size;
    struct arena *passing; /* NULL: none */
};

static _Noreturn void no_memory(void)
{
    fputs("rulec: out of memory\n", stderr);
    exit(3);
}

static struct chunk *chunk_open(size_t size)
{
    struct chunk *chunk;

    if (size > SIZE_MAX - sizeof(*chunk))
        no_memory();
    chunk = calloc(1, sizeof(*chunk) + size);
    if (chunk == NULL)
        no_memory();
    chunk->size = size;
    return chunk;
}

struct arena *arena_open(void)
{
    struct arena *arena = calloc(1, sizeof(*arena));

    if (arena == NULL)
        no_memory();
    arena->chunk_size = CHUNK_SIZE;
    return arena;
}

struct arena *arena_passing(struct arena *arena)
{
    if (arena->passing == NULL)
        arena->passing = arena_open();
    return arena->passing;
}

void arena_release(struct arena *arena)
{
    arena_close(arena->passing);
    arena->passing = NULL;
}

void arena_close(struct arena *arena)
{
    if (arena == NULL)
        return;
    arena_close(arena->passing);
    for (struct chunk *chunk = arena->chunks, *earlier; chunk != NULL; chunk = earlier) {
        earlier = chunk->earlier;
        free(chunk);
    }
    free(arena);
}

/* A piece too large to share a chunk gets one of its own, behind the newest: that one goes on
 * being filled. */
static void *alloc_alone(struct arena *arena, size_t size)
{
    struct chunk *chunk = chunk_open(size);

    if (arena->chunks == NULL) {
        arena->chunks = chunk;
    } else {
        chunk->earlier = arena->chunks->earlier;
        arena->chunks->earlier = chunk;
    }
    return chunk->bytes;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    size_t padded;
    void *memory;

    if (size > SIZE_MAX - ALIGNMENT)
        no_memory();
    padded = size == 0 ? ALIGNMENT : (size + (ALIGNMENT - 1)) & ~(size_t)(ALIGNMENT - 1);
    if (padded > arena->left) {
        struct chunk *chunk;

        if (padded > arena->chunk_size / 4)
            return alloc_alone(arena, padded);
        chunk = chunk_open(arena->chunk_size);
        chunk->earlier = arena->chunks;
        arena->chunks = chunk;
        arena->next = chunk->bytes;
        arena->left = chunk->size;
        if (arena->chunk_size < CHUNK_LIMIT)
            arena->chunk_size *= 2;
    }
    memory = arena->next;
    arena->next += padded;
    arena->left -= padded;
    return memory;
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size)
        no_memory();
    return arena_alloc(arena, count * size);
}

char *arena_string(struct arena *arena, struct slice text)
{
    char *copy;

    if (text.size == SIZE_MAX)
        no_memory();
    copy = arena_alloc(arena, text.size + 1);
    if (text.size != 0)
        memcpy(copy, text.data, text.size);
    return copy;
}

struct slice arena_copy(struct arena *arena, struct slice text)
{
    return slice_of(arena_string(arena, text), text.size);
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
    va_list arguments;
    char *text;
    int size;

    va_start(arguments, format);
    size = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (size < 0)
        no_memory();
    text = arena_alloc(arena, (size_t)size + 1);
    va_start(arguments, format);
    vsnprintf(text, (size_t)size + 1, format, arguments);
    va_end(arguments);
    return text;
}

void *memory_zeroed(size_t count, size_t size)
{
    void *memory = calloc(count != 0 ? count : 1, size);

    if (memory == NULL)
        no_memory();
    return memory;
}

void *memory_resize(void *memory, size_t count, size_t size)
{
    void *resized;

    if (size != 0 && count > SIZE_MAX / size)
        no_memory();
    resized = realloc(memory, count * size != 0 ? count * size : 1);
    if (resized == NULL)
        no_memory();
    return resized;
}
