/* SPDX-License-Identifier: Apache-2.0 */
/* Reads an atom, then its quantifier, and puts the atom as often as that says. What is not known for certain ends it
 * all. */
#include "config.h"

#include "rulec/regex_set.h"

#include <string.h>

enum { REPEAT_LIMIT = 32, DEPTH_LIMIT = 16 };

struct reader {
    struct path_sets *sets;
    bool ignores_case;
    unsigned depth;
};

static bool put_alternatives(struct reader *reader, struct slice text);

static void add(struct path_class *class, unsigned from, unsigned to, bool ignores_case)
{
    for (unsigned byte = from; byte <= to; byte++) {
        unsigned lower = byte >= 'A' && byte <= 'Z' ? byte | 32 : byte;

        class->bits[byte / 64] |= (uint64_t)1 << (byte % 64);
        if (ignores_case && lower >= 'a' && lower <= 'z') {
            class->bits[lower / 64] |= (uint64_t)1 << (lower % 64);
            class->bits[(lower & ~32u) / 64] |= (uint64_t)1 << ((lower & ~32u) % 64);
        }
    }
}

/* `\d` and its like, or a character that stands for itself behind a backslash. */
static bool add_escape(struct path_class *class, char byte, bool ignores_case)
{
    if (byte == 'd' || byte == 'w')
        add(class, '0', '9', false);
    if (byte == 'w') {
        add(class, 'a', 'z', true);
        add(class, '_', '_', false);
    }
    if (byte == 'd' || byte == 'w')
        return true;
    if ((byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z'))
        return false;
    add(class, (unsigned char)byte, (unsigned char)byte, ignores_case);
    return true;
}

/* "[...]": *used: its bytes. */
static bool read_class(struct slice text, bool ignores_case, struct path_class *class, size_t *used)
{
    size_t at = 1;
    bool is_not = at < text.size && text.data[at] == '^';

    *class = (struct path_class){ { 0 } };
    at += is_not;
    for (size_t first = at; at < text.size && (text.data[at] != ']' || at == first); at++) {
        unsigned char from = (unsigned char)text.data[at], to = from;

        if (from == '[')
            return false;
        if (from == '\\') {
            if (++at == text.size || !add_escape(class, text.data[at], ignores_case))
                return false;
            continue;
        }
        if (at + 2 < text.size && text.data[at + 1] == '-' && text.data[at + 2] != ']') {
            to = (unsigned char)text.data[at + 2];
            if (to == '\\' || to == '[' || to < from)
                return false;
            at += 2;
        }
        add(class, from, to, ignores_case);
    }
    if (at == text.size)
        return false;
    for (unsigned word = 0; is_not && word < 4; word++)
        class->bits[word] = ~class->bits[word];
    *used = at + 1;
    return true;
}

/* The bytes of a group, from its "(" to its ")"; 0: it has no end. */
static size_t group_size(struct slice text)
{
    unsigned depth = 0;

    for (size_t i = 0; i < text.size; i++) {
        struct path_class class;
        size_t used;

        if (text.data[i] == '\\') {
            i++;
        } else if (text.data[i] == '[') {
            if (!read_class(slice_of(text.data + i, text.size - i), false, &class, &used))
                return 0;
            i += used - 1;
        } else if (text.data[i] == '(') {
            depth++;
        } else if (text.data[i] == ')' && --depth == 0) {
            return i + 1;
        }
    }
    return 0;
}

/* Without "?:" or a name. False: a group of another kind. */
static bool open_group(struct slice *inside)
{
    if (slice_starts_with(*inside, SLICE("?:"))) {
        *inside = slice_of(inside->data + 2, inside->size - 2);
    } else if (slice_starts_with(*inside, SLICE("?<")) && inside->size > 2 && inside->data[2] != '=' &&
               inside->data[2] != '!') {
        const char *end = memchr(inside->data, '>', inside->size);

        if (!end)
            return false;
        *inside = slice_of(end + 1, inside->size - (size_t)(end + 1 - inside->data));
    }
    return inside->size == 0 || (inside->data[0] != '?' && inside->data[0] != '*');
}

/* One atom at the start of the text; puts it where `puts`. *used: its bytes. */
static bool read_atom(struct reader *reader, struct slice text, bool puts, size_t *used)
{
    struct path_class class = { { 0 } };
    char byte = text.data[0];

    *used = 1;
    if (byte == '(') {
        *used = group_size(text);
        struct slice inside = slice_of(text.data + 1, *used ? *used - 2 : 0);

        return *used && open_group(&inside) && (!puts || put_alternatives(reader, inside));
    }
    if (byte == '[') {
        if (!read_class(text, reader->ignores_case, &class, used))
            return false;
    } else if (byte == '.') {
        add(&class, 0, 255, false);
    } else if (byte == '\\') {
        *used = 2;
        if (text.size < 2 || !add_escape(&class, text.data[1], reader->ignores_case))
            return false;
    } else if (strchr("*+?{}|)^$", byte)) {
        return false;
    } else {
        add(&class, (unsigned char)byte, (unsigned char)byte, reader->ignores_case);
    }
    if (puts)
        path_put_class(reader->sets, &class);
    return true;
}

static bool read_number(const char **at, const char *end, unsigned *number)
{
    const char *from = *at;

    for (*number = 0; *at < end && **at >= '0' && **at <= '9' && *number <= REPEAT_LIMIT; ++*at)
        *number = *number * 10 + (unsigned)(**at - '0');
    return *at > from && *number <= REPEAT_LIMIT;
}

struct quantifier {
    unsigned least, most; /* most UINT32_MAX: any number */
};

/* What stands behind an atom; *used: its bytes. A lazy one takes the same texts; a possessive one does not. */
static bool read_quantifier(struct slice text, struct quantifier *quantifier, size_t *used)
{
    const char *at = text.data, *end = at + text.size;

    *quantifier = (struct quantifier){ 1, 1 };
    *used = 0;
    if (at == end || !strchr("*+?{", *at))
        return true;
    if (*at != '{') {
        *quantifier = (struct quantifier){ *at == '+', *at == '?' ? 1 : UINT32_MAX };
        at++;
    } else {
        at++;
        if (!read_number(&at, end, &quantifier->least))
            return false;
        quantifier->most = quantifier->least;
        if (at < end && *at == ',') {
            at++;
            quantifier->most = UINT32_MAX;
            if (at < end && *at != '}' && !read_number(&at, end, &quantifier->most))
                return false;
        }
        if (at == end || *at++ != '}' || quantifier->most < quantifier->least)
            return false;
    }
    if (at < end && *at == '+')
        return false;
    at += at < end && *at == '?';
    *used = (size_t)(at - text.data);
    return true;
}

static bool put_sequence(struct reader *reader, struct slice text)
{
    while (text.size) {
        struct quantifier quantifier;
        size_t atom, more, used;

        if (!read_atom(reader, text, false, &atom) ||
            !read_quantifier(slice_of(text.data + atom, text.size - atom), &quantifier, &more))
            return false;
        for (unsigned i = 0; i < quantifier.least; i++)
            if (!read_atom(reader, text, true, &used))
                return false;
        if (quantifier.most == UINT32_MAX) {
            uint32_t begin = path_begin_optional(reader->sets);

            if (!read_atom(reader, text, true, &used))
                return false;
            path_end_repeated(reader->sets, begin);
        }
        for (unsigned i = quantifier.least; quantifier.most != UINT32_MAX && i < quantifier.most; i++) {
            uint32_t begin = path_begin_optional(reader->sets);

            if (!read_atom(reader, text, true, &used))
                return false;
            path_end_optional(reader->sets, begin);
        }
        text = slice_of(text.data + atom + more, text.size - atom - more);
    }
    return true;
}

/* The bytes in front of the next "|" that stands in no group. False: there is something unknown. */
static bool next_alternative(struct reader *reader, struct slice text, size_t *size)
{
    size_t at = 0;

    while (at < text.size && text.data[at] != '|') {
        struct quantifier quantifier;
        size_t atom, more;

        if (!read_atom(reader, slice_of(text.data + at, text.size - at), false, &atom) ||
            !read_quantifier(slice_of(text.data + at + atom, text.size - at - atom), &quantifier, &more))
            return false;
        at += atom + more;
    }
    *size = at;
    return true;
}

/* a|b|c as (a|(b|c)): each but the last is an optional way that jumps over the rest. */
static bool put_alternatives(struct reader *reader, struct slice text)
{
    size_t size;
    bool is_good;

    if (reader->depth == DEPTH_LIMIT || !next_alternative(reader, text, &size))
        return false;
    reader->depth++;
    if (size == text.size) {
        is_good = put_sequence(reader, text);
    } else {
        struct path_way way = path_begin_either(reader->sets);

        is_good = put_sequence(reader, slice_of(text.data, size));
        path_begin_or(reader->sets, &way);
        is_good = is_good && put_alternatives(reader, slice_of(text.data + size + 1, text.size - size - 1));
        path_end_either(reader->sets, &way);
    }
    reader->depth--;
    return is_good;
}

static bool has_outer_alternative(struct reader *reader, struct slice text)
{
    size_t size;

    return !next_alternative(reader, text, &size) || size < text.size;
}

bool regex_set_put(struct path_sets *sets, struct slice regex, bool is_whole, bool ignores_case)
{
    struct reader reader = { .sets = sets, .ignores_case = ignores_case };
    uint32_t before = sets->count;
    bool starts = is_whole, ends = is_whole;
    struct slice text = regex;

    if (text.size && text.data[0] == '^') {
        starts = true;
        text = slice_of(text.data + 1, text.size - 1);
    }
    if (text.size && text.data[text.size - 1] == '$' && (text.size < 2 || text.data[text.size - 2] != '\\')) {
        ends = true;
        text.size--;
    }
    /* "^" and "$" bind more strongly than "|". */
    if (text.size < regex.size && has_outer_alternative(&reader, text))
        return false;
    if (!starts)
        path_put_any(sets);
    if (!put_alternatives(&reader, text)) {
        sets->count = before;
        return false;
    }
    if (!ends)
        path_put_any(sets);
    return true;
}
