/* SPDX-License-Identifier: Apache-2.0 */
/* jansson takes UTF-8 only and reports a lack of memory by NULL: both are dealt with here. */
#include "config.h"

#include "rulec/json_out.h"

#include "grammar/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Bytes of the UTF-8 character at `at`, 0 where there is none (RFC 3629, 4). */
static size_t character_size(const unsigned char *at, size_t size)
{
    static const struct { unsigned char first, last, low, high; unsigned size; } forms[] = {
        { 0x01, 0x7F, 0, 0, 1 },       { 0xC2, 0xDF, 0x80, 0xBF, 2 }, { 0xE0, 0xE0, 0xA0, 0xBF, 3 },
        { 0xE1, 0xEC, 0x80, 0xBF, 3 }, { 0xED, 0xED, 0x80, 0x9F, 3 }, { 0xEE, 0xEF, 0x80, 0xBF, 3 },
        { 0xF0, 0xF0, 0x90, 0xBF, 4 }, { 0xF1, 0xF3, 0x80, 0xBF, 4 }, { 0xF4, 0xF4, 0x80, 0x8F, 4 },
    };

    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if (at[0] < forms[i].first || at[0] > forms[i].last || forms[i].size > size)
            continue;
        if (forms[i].size > 1 && (at[1] < forms[i].low || at[1] > forms[i].high))
            continue;
        for (unsigned j = 2; j < forms[i].size; j++)
            if ((at[j] & 0xC0) != 0x80)
                return 0;
        return forms[i].size;
    }
    return 0;
}

json_t *json_from_slice(struct slice text)
{
    const unsigned char *at = (const unsigned char *)text.data;
    char *clean = memory_resize(NULL, 3 * text.size + 1, 1);
    size_t size = 0;
    json_t *value;

    for (size_t i = 0; i < text.size;) {
        size_t step = character_size(at + i, text.size - i);

        if (step) {
            memcpy(clean + size, at + i, step);
            size += step;
            i += step;
        } else {
            memcpy(clean + size, "\xEF\xBF\xBD", 3);
            size += 3;
            i++;
        }
    }
    value = json_stringn(clean, size);
    free(clean);
    return value ? value : json_null();
}

json_t *json_from_text(const char *text)
{
    return json_from_slice(slice_from_string(text));
}

bool json_print(json_t *value, FILE *out)
{
    bool is_good = json_dumpf(value, out, JSON_INDENT(2)) == 0 && putc('\n', out) != EOF;

    json_decref(value);
    return is_good;
}
