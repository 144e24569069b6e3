/* SPDX-License-Identifier: Apache-2.0 */
/* Damerau-Levenshtein distance (neighbours swapped count once) over short words, three rows at
 * a time. */
#include "config.h"

#include "grammar/suggest.h"

enum {
    WORD_LIMIT = 40, /* longer words are no misspelt keyword */
    DISTANCE_LIMIT = 3
};

static unsigned char folded(char byte)
{
    unsigned char c = (unsigned char)byte;

    return c >= 'A' && c <= 'Z' ? (unsigned char)(c + ('a' - 'A')) : c;
}

static unsigned smallest(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

unsigned suggest_distance(struct slice a, struct slice b, unsigned limit)
{
    unsigned
        rows[3][WORD_LIMIT +
                1]; /* distances of the prefixes of b to this prefix of a and the two before */
    size_t apart = a.size > b.size ? a.size - b.size : b.size - a.size;

    if (a.size > WORD_LIMIT || b.size > WORD_LIMIT || apart > limit)
        return limit + 1;
    for (size_t j = 0; j <= b.size; j++)
        rows[0][j] = (unsigned)j;
    for (size_t i = 1; i <= a.size; i++) {
        unsigned *row = rows[i % 3];
        const unsigned *above = rows[(i + 2) % 3];
        const unsigned *two_above = rows[(i + 1) % 3];

        row[0] = (unsigned)i;
        for (size_t j = 1; j <= b.size; j++) {
            unsigned changed = above[j - 1] + (folded(a.data[i - 1]) != folded(b.data[j - 1]));

            row[j] = smallest(changed, smallest(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && folded(a.data[i - 1]) == folded(b.data[j - 2]) &&
                folded(a.data[i - 2]) == folded(b.data[j - 1]))
                row[j] = smallest(row[j], two_above[j - 2] + 1);
        }
    }
    return smallest(rows[a.size % 3][b.size], limit + 1);
}

/* One mistake in a short word, one more for each three bytes of a longer one. */
static unsigned threshold(size_t size)
{
    return smallest((unsigned)(size < WORD_LIMIT ? (size + 2) / 3 : WORD_LIMIT),
                    DISTANCE_LIMIT);
}

void suggest_try(struct suggest *suggest, const char *name)
{
    struct slice known = slice_from_string(name);
    size_t size = suggest->word.size > known.size ? suggest->word.size : known.size;
    unsigned limit = threshold(size);
    unsigned distance;

    if (suggest->best != NULL && suggest->distance <= limit) {
        if (suggest->distance == 0)
            return;
        limit = suggest->distance - 1;
    }
    distance = suggest_distance(suggest->word, known, limit);
    /* Words that differ in half of their bytes are not alike. */
    if (distance > limit || (distance != 0 && distance * 2 >= size))
        return;
    suggest->best = name;
    suggest->distance = distance;
}

const char *suggest_nearest(struct slice word, const char *const *names, size_t count)
{
    struct suggest suggest = { .word = word };

    for (size_t i = 0; i < count; i++)
        suggest_try(&suggest, names[i]);
    return suggest.best;
}
