/* SPDX-License-Identifier: Apache-2.0 */
/* All programs run side by side over one path, of which no byte is chosen before it is needed: bytes that no step
 * tells apart are one. The rows of steps that are reached are kept, so each is gone on from once. */
#include "config.h"

#include "rulec/path_set.h"

#include "grammar/arena.h"
#include "mod_redir307/hash.h"

#include <stdlib.h>

enum { ROW_LIMIT = 3000, BLOCK_LIMIT = 64 };

const struct path_class path_not_slash = { { ~((uint64_t)1 << '/'), ~(uint64_t)0, ~(uint64_t)0, ~(uint64_t)0 } };

static const struct path_class everything = { { ~(uint64_t)0, ~(uint64_t)0, ~(uint64_t)0, ~(uint64_t)0 } };

/* ---- writing ---- */

void path_sets_open(struct path_sets *sets)
{
    sets->steps = memory_resize(NULL, PATH_SET_LIMIT, sizeof *sets->steps);
    path_sets_clear(sets);
}

void path_sets_close(struct path_sets *sets) { free(sets->steps); }

void path_sets_clear(struct path_sets *sets)
{
    sets->count = 0;
    sets->is_full = false;
}

static uint32_t put(struct path_sets *sets, struct path_step step)
{
    if (sets->count == PATH_SET_LIMIT) {
        sets->is_full = true;
        return PATH_SET_LIMIT - 1;
    }
    sets->steps[sets->count] = step;
    return sets->count++;
}

static void add_byte(struct path_class *class, unsigned char byte)
{
    class->bits[byte / 64] |= (uint64_t)1 << (byte % 64);
}

struct path_class path_class_of(const char *ranges)
{
    struct path_class class = { { 0 } };

    for (; ranges[0] && ranges[1]; ranges += 2)
        for (int byte = ranges[0]; byte <= ranges[1]; byte++)
            add_byte(&class, (unsigned char)byte);
    return class;
}

void path_put_class(struct path_sets *sets, const struct path_class *class)
{
    put(sets, (struct path_step){ .kind = PATH_BYTE, .to = sets->count + 1, .class = *class });
}

static void put_byte(struct path_sets *sets, char byte, bool ignores_case)
{
    struct path_class class = { { 0 } };
    char folded = byte >= 'A' && byte <= 'Z' ? (char)(byte | 32) : byte;

    add_byte(&class, (unsigned char)byte);
    if (ignores_case && folded >= 'a' && folded <= 'z') {
        add_byte(&class, (unsigned char)folded);
        add_byte(&class, (unsigned char)(folded & ~32));
    }
    path_put_class(sets, &class);
}

void path_put_text(struct path_sets *sets, struct slice text, bool ignores_case)
{
    for (size_t i = 0; i < text.size; i++)
        put_byte(sets, text.data[i], ignores_case);
}

uint32_t path_begin_many(const struct path_sets *sets) { return sets->count; }

void path_end_many(struct path_sets *sets, uint32_t begin)
{
    put(sets, (struct path_step){ .kind = PATH_SPLIT, .to = begin, .other = sets->count + 1 });
}

uint32_t path_begin_optional(struct path_sets *sets)
{
    return put(sets, (struct path_step){ .kind = PATH_SPLIT, .to = sets->count + 1, .other = sets->count + 1 });
}

void path_end_optional(struct path_sets *sets, uint32_t begin) { sets->steps[begin].other = sets->count; }

void path_end_repeated(struct path_sets *sets, uint32_t begin)
{
    put(sets, (struct path_step){ .kind = PATH_SPLIT, .to = begin, .other = begin });
    sets->steps[begin].other = sets->count;
}

void path_put_one_or_more(struct path_sets *sets, const struct path_class *class)
{
    uint32_t begin = path_begin_many(sets);

    path_put_class(sets, class);
    path_end_many(sets, begin);
}

void path_put_none_or_more(struct path_sets *sets, const struct path_class *class)
{
    uint32_t begin = path_begin_optional(sets);

    path_put_class(sets, class);
    path_end_repeated(sets, begin);
}

void path_put_any(struct path_sets *sets) { path_put_none_or_more(sets, &everything); }

void path_put_slash_or_none(struct path_sets *sets)
{
    uint32_t begin = path_begin_optional(sets);

    put_byte(sets, '/', false);
    path_end_optional(sets, begin);
}

struct path_way path_begin_either(struct path_sets *sets)
{
    return (struct path_way){ .split = path_begin_optional(sets) };
}

void path_begin_or(struct path_sets *sets, struct path_way *way)
{
    way->jump = put(sets, (struct path_step){ .kind = PATH_SPLIT });
    path_end_optional(sets, way->split);
}

void path_end_either(struct path_sets *sets, const struct path_way *way)
{
    sets->steps[way->jump].to = sets->steps[way->jump].other = sets->count;
}

void path_put_alternatives(struct path_sets *sets, const struct slice *texts, uint32_t count, bool ignores_case)
{
    struct path_way way;

    if (count <= 1) {
        if (count)
            path_put_text(sets, texts[0], ignores_case);
        return;
    }
    way = path_begin_either(sets);
    path_put_text(sets, texts[0], ignores_case);
    path_begin_or(sets, &way);
    path_put_alternatives(sets, texts + 1, count - 1, ignores_case);
    path_end_either(sets, &way);
}

void path_end(struct path_sets *sets) { put(sets, (struct path_step){ .kind = PATH_END }); }

/* ---- asking ---- */

struct question {
    const struct path_sets *sets;
    uint32_t first_end, second_end; /* the steps at which the two end */
    uint32_t words;                 /* of a row */
    uint64_t *rows;
    uint32_t row_count, row_room;
    uint32_t *slots; /* row + 1 */
    uint32_t slot_count;
    uint32_t *open; /* steps that are still to be looked at */
    uint32_t *active; /* of the row at hand: steps that take a byte */
};

static bool has(const uint64_t *row, uint32_t step) { return row[step / 64] >> (step % 64) & 1; }

/* The step, and those that it leads to without a byte. */
static void add_step(struct question *question, uint64_t *row, uint32_t step)
{
    uint32_t count = 0;

    question->open[count++] = step;
    while (count) {
        uint32_t at = question->open[--count];

        if (has(row, at))
            continue;
        row[at / 64] |= (uint64_t)1 << (at % 64);
        if (question->sets->steps[at].kind != PATH_SPLIT)
            continue;
        question->open[count++] = question->sets->steps[at].to;
        question->open[count++] = question->sets->steps[at].other;
    }
}

static bool has_between(const uint64_t *row, uint32_t from, uint32_t to)
{
    for (uint32_t step = from; step < to; step++) {
        if (step % 64 == 0 && to - step >= 64 && row[step / 64] == 0) {
            step += 63;
            continue;
        }
        if (has(row, step))
            return true;
    }
    return false;
}

/* True: a path that ends here is the one. */
static bool is_good_end(const struct question *question, const uint64_t *row)
{
    const struct path_sets *sets = question->sets;

    if (!has(row, question->first_end) || !has(row, question->second_end))
        return false;
    for (uint32_t step = question->second_end + 1; step < sets->count; step++)
        if (sets->steps[step].kind == PATH_END && has(row, step))
            return false;
    return true;
}

/* The slot of an equal row, or a free one. */
static uint32_t *find_slot(struct question *question, const uint64_t *row)
{
    size_t size = question->words * sizeof *row;
    uint32_t mask = question->slot_count - 1, at = (uint32_t)hash_bytes(slice_of((const char *)row, size), 1) & mask;

    while (question->slots[at] &&
           memcmp(question->rows + (size_t)(question->slots[at] - 1) * question->words, row, size) != 0)
        at = (at + 1) & mask;
    return &question->slots[at];
}

static void grow_slots(struct question *question)
{
    question->slot_count = question->slot_count ? 2 * question->slot_count : 128;
    question->slots = memory_resize(question->slots, question->slot_count, sizeof *question->slots);
    memset(question->slots, 0, question->slot_count * sizeof *question->slots);
    for (uint32_t row = 0; row < question->row_count; row++)
        *find_slot(question, question->rows + (size_t)row * question->words) = row + 1;
}

/* Keeps the last row where it is new and both sets can still be reached. */
static void keep_row(struct question *question)
{
    const uint64_t *row = question->rows + (size_t)question->row_count * question->words;

    if (!has_between(row, 0, question->first_end + 1) ||
        !has_between(row, question->first_end + 1, question->second_end + 1))
        return;
    if (2 * (question->row_count + 1) > question->slot_count)
        grow_slots(question);
    uint32_t *slot = find_slot(question, row);
    if (*slot == 0)
        *slot = ++question->row_count;
}

static uint64_t *new_row(struct question *question)
{
    if (question->row_count + 1 >= question->row_room) {
        question->row_room *= 2;
        question->rows = memory_resize(question->rows, (size_t)question->row_room * question->words, sizeof(uint64_t));
    }
    uint64_t *row = question->rows + (size_t)question->row_count * question->words;
    memset(row, 0, question->words * sizeof *row);
    return row;
}

static unsigned char first_byte(const struct path_class *class)
{
    for (unsigned word = 0; word < 4; word++)
        if (class->bits[word])
            return (unsigned char)(word * 64 + (unsigned)__builtin_ctzll(class->bits[word]));
    return 0;
}

static bool is_empty(const struct path_class *class)
{
    return !(class->bits[0] | class->bits[1] | class->bits[2] | class->bits[3]);
}

/* Cuts the blocks of bytes along a class. False: too many. */
static bool cut(struct path_class blocks[BLOCK_LIMIT], unsigned *count, const struct path_class *class)
{
    unsigned before = *count;

    for (unsigned i = 0; i < before; i++) {
        struct path_class inside = blocks[i], outside = blocks[i];

        for (unsigned word = 0; word < 4; word++) {
            inside.bits[word] &= class->bits[word];
            outside.bits[word] &= ~class->bits[word];
        }
        if (is_empty(&inside) || is_empty(&outside))
            continue;
        if (*count == BLOCK_LIMIT)
            return false;
        blocks[i] = inside;
        blocks[(*count)++] = outside;
    }
    return true;
}

/* The steps of a row that take a byte. */
static uint32_t find_active(const struct question *question, uint32_t row, uint32_t *active)
{
    const uint64_t *words = question->rows + (size_t)row * question->words;
    uint32_t count = 0;

    for (uint32_t word = 0; word < question->words; word++)
        for (uint64_t left = words[word]; left; left &= left - 1) {
            uint32_t step = word * 64 + (uint32_t)__builtin_ctzll(left);

            if (question->sets->steps[step].kind == PATH_BYTE)
                active[count++] = step;
        }
    return count;
}

/* All rows that one byte more leads to. False: too many. */
static bool go_on(struct question *question, uint32_t row)
{
    const struct path_step *steps = question->sets->steps;
    struct path_class blocks[BLOCK_LIMIT] = { everything };
    unsigned count = 1;
    uint32_t active_count = find_active(question, row, question->active);

    for (uint32_t i = 0; i < active_count; i++)
        if (!cut(blocks, &count, &steps[question->active[i]].class))
            return false;
    for (unsigned i = 0; i < count; i++) {
        unsigned char byte = first_byte(&blocks[i]);

        if (question->row_count >= ROW_LIMIT)
            return false;
        uint64_t *next = new_row(question);
        for (uint32_t k = 0; k < active_count; k++) {
            const struct path_step *step = &steps[question->active[k]];

            if (step->class.bits[byte / 64] >> (byte % 64) & 1)
                add_step(question, next, step->to);
        }
        keep_row(question);
    }
    return true;
}

bool path_sets_meet(const struct path_sets *sets)
{
    struct question question = { .sets = sets, .words = (sets->count + 63) / 64, .row_room = 64 };
    bool meets = false, is_beginning = true;

    if (sets->is_full)
        return true;
    while (sets->steps[question.first_end].kind != PATH_END)
        question.first_end++;
    question.second_end = question.first_end + 1;
    while (sets->steps[question.second_end].kind != PATH_END)
        question.second_end++;
    question.rows = memory_resize(NULL, (size_t)question.row_room * question.words, sizeof(uint64_t));
    question.open = memory_resize(NULL, 3 * (size_t)sets->count + 2, sizeof *question.open);
    question.active = question.open + 2 * (size_t)sets->count + 2;

    uint64_t *first = new_row(&question);
    for (uint32_t step = 0; step < sets->count; step++) {
        if (is_beginning)
            add_step(&question, first, step);
        is_beginning = sets->steps[step].kind == PATH_END;
    }
    keep_row(&question);
    for (uint32_t row = 0; row < question.row_count && !meets; row++)
        meets = is_good_end(&question, question.rows + (size_t)row * question.words) || !go_on(&question, row);
    free(question.rows);
    free(question.slots);
    free(question.open);
    return meets;
}
