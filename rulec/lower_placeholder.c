/* SPDX-License-Identifier: Apache-2.0 */
/* `{}`, `{x}`, `{x...}`, `{x:int}`, `{x:en|de}`: names and types of a source's placeholders. */
#include "config.h"

#include "rulec/lower_placeholder.h"

#include "rulec/lower_regex.h"

#include "grammar/suggest.h"
#include "mod_redir307/url.h"

#include <stdlib.h>

static const struct type {
    const char *name;
    enum plan_part_kind kind;
} types[] = {
    { "int", PLAN_PART_INT },   { "hex", PLAN_PART_HEX },   { "slug", PLAN_PART_SLUG },
    { "uuid", PLAN_PART_UUID }, { "date", PLAN_PART_DATE }, { "version", PLAN_PART_VERSION },
};
enum { TYPE_COUNT = sizeof(types) / sizeof(types[0]) };

const char *lower_brace_end(const char *open, const char *end)
{
    const char *at = open + 1;

    while (at < end && *at != ':' && *at != '}')
        at++;
    if (at < end && *at == ':' && at + 1 < end && at[1] == '/') {
        for (at += 2; at + 1 < end; at++) {
            if (at[0] == '/' && at[1] == '}')
                return at + 2;
        }
        return NULL;
    }
    while (at < end && *at != '}')
        at++;
    return at < end ? at + 1 : NULL;
}

bool lower_is_name(struct slice text)
{
    if (text.size == 0)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        char byte = text.data[i];
        bool is_letter =
            (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_';
        bool is_other = (byte >= '0' && byte <= '9') || byte == '-';

        if (!is_letter && !(is_other && i > 0))
            return false;
    }
    return true;
}

bool lower_is_builtin(struct slice name)
{
    return slice_equal(name, SLICE("host")) || slice_equal(name, SLICE("path")) ||
           slice_equal(name, SLICE("query")) || slice_equal(name, SLICE("scheme"));
}

bool lower_bad_placeholder(struct lower_pattern *state, struct slice text, const char *reason)
{
    diag_error(state->lower->diag, DIAG_BAD_PLACEHOLDER, lower_span_of(state->word, text),
               "\"%.*s\": %s", LOWER_SHOW(text), reason);
    return false;
}

static int compare_slices(const void *left, const void *right)
{
    const struct slice *a = left, *b = right;

    return slice_compare(*a, *b);
}

/* Members between "|", in the form in which they are compared. */
static bool read_set(struct lower_pattern *state, struct lower_placeholder *placeholder,
                     struct slice text, bool in_query)
{
    struct plan_part *part = &placeholder->part;
    uint32_t count = 1, kept = 0;
    const char *at = text.data, *end = text.data + text.size;

    for (size_t i = 0; i < text.size; i++)
        count += text.data[i] == '|';
    part->kind = PLAN_PART_SET;
    part->set = arena_array(state->lower->arena, count, sizeof(*part->set));
    for (uint32_t i = 0; i < count; i++) {
        const char *bar = at < end ? memchr(at, '|', (size_t)(end - at)) : NULL;
        struct slice member = slice_of(at, (size_t)((bar ? bar : end) - at));
        char *buffer = lower_scratch(state->lower, member.size * 3 + 1);

        if (member.size == 0) {
            return lower_bad_placeholder(state, placeholder->whole,
                                         "a member of a closed set is empty");
        }
        if (!in_query && lower_find(member, '/')) {
            return lower_bad_placeholder(
                state, placeholder->whole,
                "a member of a closed set is one segment, without \"/\"");
        }
        size_t size =
            in_query ? url_decode_query(member, buffer) : url_normalize_text(member, buffer);
        if (size == SIZE_MAX) {
            return lower_bad_placeholder(state, placeholder->whole,
                                         "a member has a \"%\" that is no valid escape");
        }
        part->set[i] = arena_copy(state->lower->arena, slice_of(buffer, size));
        at += member.size + 1;
    }
    qsort(part->set, count, sizeof(*part->set), compare_slices);
    for (uint32_t i = 0; i < count; i++) {
        if (kept == 0 || !slice_equal(part->set[kept - 1], part->set[i]))
            part->set[kept++] = part->set[i];
    }
    part->set_count = kept;
    return true;
}

static bool read_type(struct lower_pattern *state, struct lower_placeholder *placeholder,
                      struct slice type, bool in_query)
{
    struct suggest suggest = { .word = type };

    if (type.size && type.data[0] == '/') {
        if (type.size < 2 || type.data[type.size - 1] != '/')
            return lower_bad_placeholder(state, placeholder->whole,
                                         "its regex does not end in \"/}\"");
        placeholder->part.kind = PLAN_PART_REGEX;
        placeholder->part.text = slice_of(type.data + 1, type.size - 2);
        return lower_regex_segment(state->lower, state->word, placeholder->part.text);
    }
    if (lower_find(type, '|'))
        return read_set(state, placeholder, type, in_query);
    for (size_t i = 0; i < TYPE_COUNT; i++) {
        suggest_try(&suggest, types[i].name);
        if (!slice_equal(type, slice_from_string(types[i].name)))
            continue;
        placeholder->part.kind = types[i].kind;
        return true;
    }
    diag_error(state->lower->diag, DIAG_BAD_PLACEHOLDER, lower_span_of(state->word, type),
               "unknown type \"%.*s\" of a placeholder", LOWER_SHOW(type));
    if (suggest.best)
        diag_help(state->lower->diag, "did you mean \"%s\"?", suggest.best);
    else
        diag_help(
            state->lower->diag,
            "types are int, hex, slug, uuid, date, version, closed sets as \"{x:en|de}\" and regexes as "
            "\"{x:/[a-z]+/}\"");
    return false;
}

bool lower_read_placeholder(struct lower_pattern *state, const char *open, const char *end,
                            bool in_query, struct lower_placeholder *placeholder)
{
    const char *after = lower_brace_end(open, end);

    if (!after)
        return lower_bad_placeholder(state, slice_of(open, (size_t)(end - open)),
                                     "the brace is not closed");
    *placeholder =
        (struct lower_placeholder){ .whole = slice_of(open, (size_t)(after - open)) };
    placeholder->part.kind = PLAN_PART_FREE;

    struct slice inside = slice_of(open + 1, placeholder->whole.size - 2);
    const char *colon = lower_find(inside, ':');
    struct slice name =
        slice_of(inside.data, colon ? (size_t)(colon - inside.data) : inside.size);
    if (name.size >= 3 && memcmp(name.data + name.size - 3, "...", 3) == 0) {
        placeholder->takes_many = true;
        name.size -= 3;
        if (colon)
            return lower_bad_placeholder(state, placeholder->whole,
                                         "what takes several segments has no type");
    }
    if (name.size && !lower_is_name(name)) {
        lower_bad_placeholder(
            state, placeholder->whole,
            "a name starts with a letter and goes on with letters, digits, \"_\" and \"-\"");
        if (lower_find(name, '|'))
            diag_help(state->lower->diag, "a closed set has a name in front: \"{x:en|de}\"");
        return false;
    }
    placeholder->name = name;
    if (!colon)
        return true;
    size_t used = name.size + 1;
    return read_type(state, placeholder, slice_of(inside.data + used, inside.size - used),
                     in_query);
}
