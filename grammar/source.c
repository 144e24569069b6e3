/* SPDX-License-Identifier: Apache-2.0 */
/* Reads texts whole and finds lines in them. Texts are read, not mapped: the scanner writes
 * into its buffer, and a file that somebody shortens meanwhile must not end the process. Each
 * source takes its bytes and one more of the row of offsets, so the end of a file has a place
 * of its own. */
#include "config.h"

#include "grammar/source.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum {
    LINE_PAGE_SIZE = 1 << 16, /* line numbers are kept for each of these many bytes of text */
    END_SIZE = 2,             /* NUL bytes behind the text: the scanner's end mark */
    FIRST_SIZE = 1 << 16,     /* first buffer where the size is not known */
    READ_SIZE = 1 << 30,      /* a single read() is asked for no more */
    UNPACK_SIZE = 1 << 17,
    UNPACK_FACTOR = 100,      /* lists are packed to a tenth; what grows more than this is no list */
    UNPACK_FREE = 1 << 24     /* bytes that a small file may grow to in any case */
};

struct opened {
    struct source source;
    char *memory;         /* NULL: the text is the caller's */
    uint32_t *page_lines; /* line ends before each page */
};

struct source_set {
    struct arena *arena;
    struct opened **items;
    size_t count;
    size_t capacity;
    uint64_t next_at;
    uint64_t next_line;
    struct source_cursor cursor; /* of source_line_in_all() */
};

struct source_set *source_set_open(struct arena *arena)
{
    struct source_set *set = arena_alloc(arena, sizeof(*set));

    set->arena = arena;
    set->next_at = 1;
    return set;
}

void source_set_close(struct source_set *set)
{
    if (set == NULL)
        return;
    for (size_t i = 0; i < set->count; i++)
        free(set->items[i]->memory);
    free(set->items);
    set->items = NULL;
    set->count = 0;
}

static uint32_t count_line_ends(const char *from, const char *end)
{
    uint32_t count = 0;

    for (; (from = memchr(from, '\n', (size_t)(end - from))) != NULL; from++)
        count++;
    return count;
}

static void index_lines(struct arena *arena, struct opened *item)
{
    struct slice text = item->source.text;
    uint32_t lines = 0;

    item->page_lines =
        arena_array(arena, text.size / LINE_PAGE_SIZE + 1, sizeof(*item->page_lines));
    for (size_t at = 0; at < text.size; at += LINE_PAGE_SIZE) {
        size_t size = text.size - at < LINE_PAGE_SIZE ? text.size - at : LINE_PAGE_SIZE;

        item->page_lines[at / LINE_PAGE_SIZE] = lines;
        lines += count_line_ends(text.data + at, text.data + at + size);
    }
    item->source.line_count = lines + 1;
}

/* Takes `memory` over, in failure too. */
static const struct source *add(struct source_set *set, const char *path, struct slice text,
                                char *memory, const char **reason)
{
    struct opened *item;

    if (text.size >= 3 && memcmp(text.data, "\xEF\xBB\xBF", 3) == 0)
        text = slice_of(text.data + 3, text.size - 3);
    if (text.size >= UINT32_MAX - set->next_at) {
        free(memory);
        *reason = "all files together are larger than 4 GiB";
        return NULL;
    }
    item = arena_alloc(set->arena, sizeof(*item));
    item->memory = memory;
    item->source.path = arena_string(set->arena, slice_from_string(path));
    item->source.text = text.data != NULL ? text : SLICE("");
    item->source.at = (uint32_t)set->next_at;
    index_lines(set->arena, item);
    item->source.first_line = (uint32_t)set->next_line;
    set->next_at += text.size + 1;
    set->next_line += item->source.line_count;
    if (set->count == set->capacity) {
        set->capacity = set->capacity != 0 ? set->capacity * 2 : 16;
        set->items = memory_resize(set->items, set->capacity, sizeof(*set->items));
    }
    set->items[set->count++] = item;
    return &item->source;
}

const struct source *source_add(struct source_set *set, const char *path, struct slice text)
{
    const char *reason;

    return add(set, path, text, NULL, &reason);
}

static struct slice end_text(char *memory, size_t size)
{
    memset(memory + size, 0, END_SIZE);
    return slice_of(memory, size);
}

const struct source *source_add_copy(struct source_set *set, const char *path,
                                     struct slice text)
{
    char *memory = memory_resize(NULL, text.size + END_SIZE, 1);
    const char *reason;

    if (text.size != 0)
        memcpy(memory, text.data, text.size);
    return add(set, path, end_text(memory, text.size), memory, &reason);
}

/* What a read needs: bytes that came so far, in a buffer with room for the end mark. */
struct growing {
    char *memory;
    size_t size;
    size_t capacity;
};

static bool make_room(struct growing *text, size_t size, const char **reason)
{
    if (text->capacity - text->size > size)
        return true;
    if (text->size > UINT32_MAX) {
        *reason = "it is larger than 4 GiB";
        return false;
    }
    text->capacity =
        text->capacity * 2 > text->size + size + 1 ? text->capacity * 2 : text->size + size + 1;
    text->memory = memory_resize(text->memory, text->capacity + END_SIZE, 1);
    return true;
}

static bool read_plain(int file, struct growing *text, const char **reason)
{
    for (;;) {
        size_t room;
        ssize_t size;

        if (!make_room(text, 1, reason))
            return false;
        room = text->capacity - text->size;
        size = read(file, text->memory + text->size, room < READ_SIZE ? room : READ_SIZE);
        if (size == 0)
            return true;
        if (size > 0) {
            text->size += (size_t)size;
        } else if (errno != EINTR) {
            *reason = strerror(errno);
            return false;
        }
    }
}

/* Takes the file over. */
static bool read_packed(int file, uint64_t file_size, struct growing *text, const char **reason)
{
    gzFile packed = gzdopen(file, "rb");
    uint64_t limit = UNPACK_FREE + UNPACK_FACTOR * file_size;
    int size = -1;
    int status;

    if (packed == NULL) {
        close(file);
        *reason = "out of memory";
        return false;
    }
    gzbuffer(packed, UNPACK_SIZE);
    while (make_room(text, UNPACK_SIZE, reason) &&
           (size = gzread(packed, text->memory + text->size, UNPACK_SIZE)) > 0) {
        text->size += (size_t)size;
        if (text->size > limit) {
            *reason = "it unpacks to more than 100 times its size";
            break;
        }
    }
    if (size == 0 && gzdirect(packed) && text->size != 0)
        size = -1;
    status = gzclose(packed);
    if (size > 0)
        return false;
    if (size < 0 || status != Z_OK) {
        *reason = "it is damaged or not in gzip format";
        return false;
    }
    return true;
}

static bool ends_in_gz(const char *path)
{
    size_t size = strlen(path);

    return size > 3 && strcmp(path + size - 3, ".gz") == 0;
}

/* Does not wait for the other end of a FIFO; NULL where the file is one to read. */
static const char *why_not_readable(int file, struct stat *status)
{
    if (fstat(file, status) != 0)
        return strerror(errno);
    if (S_ISDIR(status->st_mode))
        return "it is a directory";
    if (S_ISFIFO(status->st_mode))
        return "it is a FIFO, not a file; \"-\" reads standard input";
    if (!S_ISREG(status->st_mode))
        return "it is a device or a socket, not a file";
    return NULL;
}

static bool read_file(const char *path, struct growing *text, const char **reason)
{
    int file = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    struct stat status;
    bool good;

    if (file < 0) {
        /* A socket cannot be opened at all. */
        *reason = errno == ENXIO ? "it is a device or a socket, not a file" : strerror(errno);
        return false;
    }
    *reason = why_not_readable(file, &status);
    if (*reason == NULL && status.st_size >= (off_t)UINT32_MAX)
        *reason = "it is larger than 4 GiB";
    if (*reason != NULL) {
        close(file);
        return false;
    }
    if (ends_in_gz(path))
        return read_packed(file, (uint64_t)status.st_size, text, reason);
    good =
        make_room(text, (size_t)status.st_size + 1, reason) && read_plain(file, text, reason);
    close(file);
    return good;
}

const struct source *source_open(struct source_set *set, const char *path, const char **reason)
{
    struct growing text = { .memory = NULL };
    const char *why = NULL;
    const struct source *source = NULL;
    bool good;

    if (strcmp(path, "-") == 0)
        good = make_room(&text, FIRST_SIZE, &why) && read_plain(STDIN_FILENO, &text, &why);
    else
        good = read_file(path, &text, &why);
    if (good)
        source = add(set, path, end_text(text.memory, text.size), text.memory, &why);
    else
        free(text.memory);
    if (source == NULL)
        /* strerror() keeps its text only until the next call. */
        *reason = arena_string(set->arena, slice_from_string(why));
    return source;
}

size_t source_count(const struct source_set *set)
{
    return set->count;
}

const struct source *source_at(const struct source_set *set, size_t index)
{
    return index < set->count ? &set->items[index]->source : NULL;
}

/* NULL where the offset is in no source. */
static const struct opened *find(const struct source_set *set, uint32_t at)
{
    size_t low = 0;
    size_t high = set->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (set->items[middle]->source.at <= at)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0 || at - set->items[low - 1]->source.at > set->items[low - 1]->source.text.size)
        return NULL;
    return set->items[low - 1];
}

char *source_buffer(const struct source_set *set, const struct source *source)
{
    const struct opened *item = find(set, source->at);

    if (item == NULL || item->memory == NULL)
        return NULL;
    return item->memory + (item->source.text.data - item->memory);
}

/* Line of byte `at` of the text, from 1. */
static uint32_t line_of(const struct opened *item, size_t at)
{
    size_t page = at / LINE_PAGE_SIZE;
    const char *text = item->source.text.data;

    /* The end of a text may be the start of a page that no text stands in. */
    if (page != 0 && at == item->source.text.size && at % LINE_PAGE_SIZE == 0)
        page--;
    return item->page_lines[page] + count_line_ends(text + page * LINE_PAGE_SIZE, text + at) +
           1;
}

static uint32_t count_characters(const char *from, const char *end)
{
    uint32_t count = 0;

    for (; from < end; from++)
        count += ((unsigned char)*from & 0xC0) != 0x80;
    return count;
}

struct source_place source_locate(const struct source_set *set, uint32_t at)
{
    const struct opened *item = find(set, at);
    const char *text, *here, *start, *end, *last;

    if (item == NULL)
        return (struct source_place){ .source = NULL };
    text = item->source.text.data;
    here = text + (at - item->source.at);
    last = text + item->source.text.size;
    for (start = here; start > text && start[-1] != '\n'; start--)
        ;
    end = memchr(here, '\n', (size_t)(last - here));
    if (end == NULL)
        end = last;
    if (end > start && end[-1] == '\r')
        end--;
    return (struct source_place){ .source = &item->source,
                                  .line = line_of(item, (size_t)(here - text)),
                                  .column = count_characters(start, here) + 1,
                                  .line_text = slice_of(start, (size_t)(end - start)) };
}

uint32_t source_line_from(const struct source_set *set, struct source_cursor *cursor, uint32_t at)
{
    const struct opened *item = cursor->item;

    if (item != NULL && at >= cursor->at && at - item->source.at <= item->source.text.size &&
        at - cursor->at < LINE_PAGE_SIZE) {
        const char *text = item->source.text.data;

        cursor->line += count_line_ends(text + (cursor->at - item->source.at), text + (at - item->source.at));
    } else {
        item = find(set, at);
        if (item == NULL)
            return 0;
        cursor->item = item;
        cursor->line = line_of(item, at - item->source.at);
    }
    cursor->at = at;
    return item->source.first_line + cursor->line;
}

uint32_t source_line_in_all(struct source_set *set, uint32_t at)
{
    return source_line_from(set, &set->cursor, at);
}
