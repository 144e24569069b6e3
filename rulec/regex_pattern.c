/* SPDX-License-Identifier: Apache-2.0 */
/* Knows the few regexes that nearly all lists consist of, written as people write them; whatever else stands there
 * makes it silent. */
#include "config.h"

#include "rulec/regex_pattern.h"

static const struct known {
    const char *regex;
    const char *type;
} known[] = {
    { "[^/]+", "" },
    { "\\d+", "int" },
    { "[0-9]+", "int" },
    { "[0-9a-f]+", "hex" },
    { "[0-9A-Fa-f]+", "hex" },
    { "[0-9a-fA-F]+", "hex" },
    { "[a-fA-F0-9]+", "hex" },
    { "[a-f0-9]+", "hex" },
    { "[a-z0-9-]+", "slug" },
    { "[-a-z0-9]+", "slug" },
    { "\\d{4}-\\d{2}-\\d{2}", "date" },
    { "[0-9]{4}-[0-9]{2}-[0-9]{2}", "date" },
    { "\\d+(\\.\\d+)+", "version" },
    { "\\d+(?:\\.\\d+)+", "version" },
};

/* Stands in a pattern as it stands in a regex. */
static bool is_plain(char byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= 'a' && byte <= 'z') || (byte && strchr("-_~%!&',;=:@", byte));
}

static bool is_set(struct slice regex)
{
    bool has_bar = false, is_empty = true;

    for (size_t i = 0; i < regex.size; i++) {
        if (regex.data[i] == '|' ? is_empty : !is_plain(regex.data[i]))
            return false;
        is_empty = regex.data[i] == '|';
        has_bar |= is_empty;
    }
    return has_bar && !is_empty;
}

const char *regex_segment_type(struct arena *arena, struct slice regex)
{
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (slice_equal(regex, slice_from_string(known[i].regex)))
            return known[i].type;
    }
    return is_set(regex) ? arena_string(arena, regex) : NULL;
}

struct translation {
    struct arena *arena;
    const char *at, *end;
    char *text;
    size_t size;
    unsigned names; /* given to groups that have none */
};

static void put(struct translation *made, struct slice text)
{
    memcpy(made->text + made->size, text.data, text.size);
    made->size += text.size;
}

static bool skip(struct translation *made, const char *text)
{
    size_t size = strlen(text);

    if ((size_t)(made->end - made->at) < size || memcmp(made->at, text, size) != 0)
        return false;
    made->at += size;
    return true;
}

/* `$`, or nothing where what came last takes the rest anyway. */
static bool is_end(const struct translation *made)
{
    return made->at == made->end || (made->at + 1 == made->end && *made->at == '$') ||
           (made->end - made->at == 2 && memcmp(made->at, "\\z", 2) == 0);
}

/* Behind "(": its name, if it has one, and its inside up to the matching ")". */
static bool read_group(struct translation *made, struct slice *name, struct slice *inside)
{
    unsigned depth = 1;

    *name = slice_of(NULL, 0);
    if (skip(made, "?<") || skip(made, "?P<") || skip(made, "?'")) {
        const char *start = made->at;

        while (made->at < made->end && *made->at != '>' && *made->at != '\'')
            made->at++;
        if (made->at == made->end)
            return false;
        *name = slice_of(start, (size_t)(made->at++ - start));
    } else if (!skip(made, "?:") && made->at < made->end && *made->at == '?') {
        return false;
    }
    const char *start = made->at;
    for (; made->at < made->end; made->at++) {
        if (*made->at == '\\' && made->at + 1 < made->end)
            made->at++;
        else if (*made->at == '(')
            depth++;
        else if (*made->at == ')' && --depth == 0)
            break;
    }
    if (made->at == made->end)
        return false;
    *inside = slice_of(start, (size_t)(made->at++ - start));
    return made->at == made->end || !strchr("?*+{", *made->at);
}

static void put_placeholder(struct translation *made, struct slice name, const char *type)
{
    char letter = (char)('a' + made->names % 26);

    put(made, SLICE("{"));
    if (name.size == 0) {
        name = slice_of(&letter, 1);
        made->names++;
    }
    put(made, name);
    if (*type) {
        put(made, SLICE(":"));
        put(made, slice_from_string(type));
    }
    put(made, SLICE("}"));
}

/* `(...)` at *at. */
static bool translate_group(struct translation *made)
{
    struct slice name, inside;

    if (!read_group(made, &name, &inside))
        return false;
    if (slice_equal(inside, SLICE(".*")) && made->text[made->size - 1] == '/' && is_end(made)) {
        put(made, SLICE("*"));
        made->at = made->end;
        return true;
    }
    const char *type = regex_segment_type(made->arena, inside);
    if (!type)
        return false;
    put_placeholder(made, name, type);
    return true;
}

const char *regex_pattern(struct arena *arena, struct slice regex)
{
    struct translation made = { .arena = arena,
                                .at = regex.data,
                                .end = regex.data + regex.size };

    made.text = arena_alloc(arena, regex.size * 2 + 2); /* "(en|de)" becomes "{a:en|de}" */
    if (!skip(&made, "^/"))
        return NULL;
    put(&made, SLICE("/"));
    while (made.at < made.end) {
        bool is_escaped =
            made.at + 1 < made.end && *made.at == '\\' && strchr("./-", made.at[1]);

        if (is_end(&made))
            return made.text;
        if (skip(&made, "/?$"))
            return made.at == made.end ? made.text : NULL;
        if (skip(&made, "(")) {
            if (!translate_group(&made))
                return NULL;
            continue;
        }
        if (made.text[made.size - 1] == '/' && skip(&made, ".*")) {
            put(&made, SLICE("*"));
            return is_end(&made) ? made.text : NULL;
        }
        if (!is_escaped && *made.at != '/' && !is_plain(*made.at))
            return NULL;
        made.at += is_escaped;
        put(&made, slice_of(made.at++, 1));
        if (made.at < made.end && strchr("?*+{", *made.at) &&
            !(*made.at == '?' && made.at[-1] == '/'))
            return NULL;
    }
    if (made.text[made.size - 1] == '*')
        return made.text;
    if (made.text[made.size - 1] != '/')
        return NULL; /* it goes on as it likes, in the middle of a segment */
    put(&made, SLICE("*"));
    return made.text;
}
