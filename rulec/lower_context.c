/* SPDX-License-Identifier: Apache-2.0 */
/* Small things that all lower_* files need: passing memory, places inside words, and the one
 * way to refuse. */
#include "config.h"

#include "rulec/lower_context.h"

char *lower_scratch(struct lower *lower, size_t size)
{
    if (lower->scratch_room < size) {
        lower->scratch_room = size * 2;
        lower->scratch = memory_resize(lower->scratch, lower->scratch_room, 1);
    }
    return lower->scratch;
}

struct span lower_span_of(struct lower_word word, struct slice part)
{
    size_t written = word.span.end - word.span.at;

    /* Two bytes more are the quotes; any other difference is an escape somewhere before. */
    if (written != word.text.size && written != word.text.size + 2)
        return word.span;
    if (part.size == 0)
        return word.span;
    size_t from = (size_t)(part.data - word.text.data) + (written - word.text.size) / 2;
    return (struct span){ .at = word.span.at + (uint32_t)from,
                          .end = word.span.at + (uint32_t)(from + part.size) };
}

struct lower_word lower_word_of(const struct ast_word *word)
{
    return (struct lower_word){ .text = word->text, .span = word->span };
}
