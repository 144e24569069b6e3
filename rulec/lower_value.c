/* SPDX-License-Identifier: Apache-2.0 */
/* Durations, lists of words, and what is said where a clause has a value that it does not take. */
#include "config.h"

#include "rulec/lower_value.h"

#include <stdlib.h>

bool lower_duration(struct slice text, uint32_t *seconds)
{
    static const struct unit {
        char letter;
        uint32_t seconds;
    } units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 }, { 'w', 604800 } };
    uint64_t sum = 0;
    size_t at = 0;

    while (at < text.size) {
        uint64_t number = 0, factor = 0;
        size_t start = at;

        while (at < text.size && text.data[at] >= '0' && text.data[at] <= '9' &&
               number < UINT32_MAX) {
            number = number * 10 + (uint64_t)(text.data[at++] - '0');
        }
        if (at == start || at == text.size)
            return false;
        for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
            if (units[i].letter == text.data[at])
                factor = units[i].seconds;
        }
        if (factor == 0)
            return false;
        sum += number * factor;
        if (sum > INT32_MAX)
            return false; /* RFC 9111, 1.2.2: caches hold no more */
        at++;
    }
    if (text.size == 0)
        return false;
    *seconds = (uint32_t)sum;
    return true;
}

bool lower_is_word(const struct ast_word *word, const char *name)
{
    return word && slice_equal(word->text, slice_from_string(name));
}

void lower_bad_value(struct lower *lower, const struct ast_clause *clause, const char *takes)
{
    if (clause->words) {
        diag_error(lower->diag, DIAG_BAD_VALUE, clause->words->span,
                   "\"%.*s\" is no value of this clause: it takes %s",
                   LOWER_SHOW(clause->words->text), takes);
    } else {
        diag_error(lower->diag, DIAG_BAD_VALUE, clause->span, "this clause takes %s", takes);
    }
}

static int compare_slices(const void *left, const void *right)
{
    const struct slice *a = left, *b = right;

    return slice_compare(*a, *b);
}

uint32_t lower_sort_slices(struct slice *texts, uint32_t count)
{
    uint32_t kept = 0;

    qsort(texts, count, sizeof(*texts), compare_slices);
    for (uint32_t i = 0; i < count; i++) {
        if (kept == 0 || !slice_equal(texts[kept - 1], texts[i]))
            texts[kept++] = texts[i];
    }
    return kept;
}

uint32_t lower_word_count(const struct ast_word *words)
{
    uint32_t count = 0;

    for (; words; words = words->next)
        count++;
    return count;
}
