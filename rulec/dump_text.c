/* SPDX-License-Identifier: Apache-2.0 */
/* Placeholders have lost their names in the rule file: capture number 3 becomes `{c3}`. Bytes that the language would
 * read as its own are written as escapes in sources, and by the constant `{star}` in targets, which are sent as they
 * are written. */
#include "config.h"

#include "rulec/dump_text.h"

#include "grammar/arena.h"
#include "mod_redir307/pattern.h"
#include "mod_redir307/target.h"
#include "mod_redir307/url.h"

#include <stdlib.h>

enum { NO_STAR = 256 };

void dump_word_clear(struct dump_word *word)
{
    word->size = 0;
}

void dump_word_free(struct dump_word *word)
{
    free(word->data);
    *word = (struct dump_word){ .data = NULL };
}

void dump_word_add(struct dump_word *word, struct slice text)
{
    if (word->room - word->size < text.size) {
        word->room = 2 * (word->size + text.size) + 256;
        word->data = memory_resize(word->data, word->room, 1);
    }
    if (text.size)
        memcpy(word->data + word->size, text.data, text.size);
    word->size += text.size;
}

static void add(struct dump_word *word, const char *text)
{
    dump_word_add(word, slice_from_string(text));
}

void dump_string_print(struct slice text, FILE *out)
{
    putc('"', out);
    for (size_t i = 0; i < text.size; i++) {
        unsigned char byte = (unsigned char)text.data[i];

        if (byte == '"' || byte == '\\')
            fprintf(out, "\\%c", byte);
        else if (byte < 0x20 || byte == 0x7f)
            putc(' ', out); /* line ends in the note of a table's row: no escape of the language names them */
        else
            putc(byte, out);
    }
    putc('"', out);
}

void dump_word_print(const struct dump_word *word, FILE *out)
{
    struct slice text = slice_of(word->data, word->size);
    bool is_bare = text.size && text.data[text.size - 1] != ';' && text.data[0] != '#';

    for (size_t i = 0; i < text.size; i++) {
        unsigned char byte = (unsigned char)text.data[i];

        is_bare = is_bare && byte > 0x20 && byte != 0x7f && byte != '"' && byte != '\\';
    }
    if (is_bare)
        fwrite(text.data, 1, text.size, out);
    else
        dump_string_print(text, out);
}

/* A normal form: only a star would mean something. */
static void add_normal(struct dump_word *word, struct slice text)
{
    for (size_t i = 0; i < text.size; i++)
        dump_word_add(word, text.data[i] == '*' ? SLICE("%2A") : slice_of(text.data + i, 1));
}

void dump_add_decoded(struct dump_word *word, struct slice text, bool keeps_last_star)
{
    bool has_star = keeps_last_star && text.size && text.data[text.size - 1] == '*';
    struct slice kept = slice_of(text.data, text.size - has_star);

    for (size_t i = 0; i < kept.size; i++) {
        char escape[3];
        size_t size = url_encode(slice_of(kept.data + i, 1), URL_IN_VALUE, escape, sizeof escape);

        dump_word_add(word, kept.data[i] == '*' ? SLICE("%2A") : slice_of(escape, size));
    }
    if (has_star)
        add(word, "*");
}

void dump_add_path(struct dump_word *word, struct slice path, bool ends_in_slash)
{
    add_normal(word, path);
    if (ends_in_slash && !slice_equal(path, SLICE("/")))
        add(word, "/");
}

struct reading {
    struct dump_word *word;
    struct ruleset_cursor program;
    unsigned unnamed; /* placeholders that keep nothing, but need a name */
    bool in_query;
};

static void add_name(struct reading *reading, unsigned capture, const char *behind)
{
    char name[32];

    if (capture == PATTERN_NO_CAPTURE)
        snprintf(name, sizeof name, "{u%u%s", reading->unnamed++, behind);
    else
        snprintf(name, sizeof name, "{c%u%s", capture, behind);
    add(reading->word, name);
}

static void add_text(struct reading *reading, struct slice text)
{
    if (reading->in_query)
        dump_add_decoded(reading->word, text, false);
    else
        add_normal(reading->word, text);
}

static bool add_part(struct reading *reading)
{
    static const char *const types[PATTERN_PART_KIND_COUNT] = {
        [PATTERN_INT] = ":int}",   [PATTERN_HEX] = ":hex}",   [PATTERN_SLUG] = ":slug}",
        [PATTERN_UUID] = ":uuid}", [PATTERN_DATE] = ":date}", [PATTERN_VERSION] = ":version}",
    };
    unsigned kind = cursor_u8(&reading->program), capture = cursor_u8(&reading->program);

    if (kind == PATTERN_LITERAL) {
        add_text(reading, cursor_slice(&reading->program));
    } else if (kind == PATTERN_SET) {
        unsigned count = cursor_u8(&reading->program);

        add_name(reading, capture, ":");
        for (unsigned i = 0; i < count; i++) {
            if (i)
                add(reading->word, "|");
            add_text(reading, cursor_slice(&reading->program));
        }
        add(reading->word, "}");
    } else if (kind == PATTERN_FREE && capture == PATTERN_NO_CAPTURE) {
        add(reading->word, "{}");
    } else if (kind == PATTERN_FREE) {
        add_name(reading, capture, "}");
    } else if (kind < PATTERN_PART_KIND_COUNT && types[kind]) {
        add_name(reading, capture, types[kind]);
    } else {
        return false;
    }
    return !reading->program.failed;
}

static bool add_segment(struct reading *reading)
{
    unsigned count = cursor_u8(&reading->program);

    for (unsigned i = 0; i < count; i++)
        if (!add_part(reading))
            return false;
    return !reading->program.failed;
}

static bool add_segments(struct reading *reading, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        add(reading->word, "/");
        if (!add_segment(reading))
            return false;
    }
    return true;
}

static bool add_tail(struct reading *reading, bool ends_in_slash, unsigned head_count, struct dump_source *source)
{
    unsigned tail = cursor_u8(&reading->program);
    unsigned capture = tail == PATTERN_TAIL_NONE ? PATTERN_NO_CAPTURE : cursor_u8(&reading->program);
    struct slice suffix;
    unsigned rest_count;

    switch (tail) {
    case PATTERN_TAIL_NONE:
        if (ends_in_slash || head_count == 0)
            add(reading->word, "/");
        return true;
    case PATTERN_TAIL_SUBTREE:
        add(reading->word, "/*");
        source->star_capture = capture;
        return true;
    case PATTERN_TAIL_BELOW:
        add(reading->word, "*");
        source->star_capture = capture;
        return true;
    case PATTERN_TAIL_MANY:
        source->takes_many = true;
        suffix = cursor_slice(&reading->program);
        rest_count = cursor_u8(&reading->program);
        add(reading->word, "/");
        add_name(reading, capture, "...}");
        add_normal(reading->word, suffix);
        if (!add_segments(reading, rest_count))
            return false;
        if (ends_in_slash)
            add(reading->word, "/");
        return true;
    default:
        return false;
    }
}

bool dump_add_pattern(struct dump_word *word, struct slice program, bool ends_in_slash, struct dump_source *source)
{
    const uint8_t *start = (const uint8_t *)program.data;
    struct reading reading = { .word = word, .program = { .at = start, .end = start + program.size } };
    unsigned head_count = cursor_u8(&reading.program), parameter_count;

    *source = (struct dump_source){ .star_capture = NO_STAR };
    if (!add_segments(&reading, head_count) || !add_tail(&reading, ends_in_slash, head_count, source))
        return false;
    reading.in_query = true;
    parameter_count = cursor_u8(&reading.program);
    for (unsigned i = 0; i < parameter_count && !reading.program.failed; i++) {
        add(word, i ? "&" : "?");
        dump_add_decoded(word, cursor_slice(&reading.program), false);
        if (cursor_u8(&reading.program) == PATTERN_VALUE_ANY)
            continue;
        add(word, "=");
        if (!add_segment(&reading))
            return false;
    }
    return !reading.program.failed;
}

/* What is sent as it is: braces cannot be in it, a star is written by the constant. */
static void add_sent(struct dump_word *word, struct slice text)
{
    for (size_t i = 0; i < text.size; i++)
        dump_word_add(word, text.data[i] == '*' ? SLICE("{star}") : slice_of(text.data + i, 1));
}

static void add_hole(struct dump_word *word, const char *name, unsigned transforms)
{
    add(word, "{");
    add(word, name);
    add(word, transforms & TARGET_DASHES ? "|dashes" : "");
    add(word, transforms & TARGET_LOWER ? "|lower" : "");
    add(word, transforms & TARGET_UPPER ? "|upper" : "");
    add(word, "}");
}

static bool add_piece(struct dump_word *word, struct ruleset_cursor *template, unsigned star_capture,
                      struct ruleset_cursor hosts, unsigned host_capture_count)
{
    static const char *const builtins[] = {
        [TARGET_HOST] = "host", [TARGET_PATH] = "path", [TARGET_QUERY] = "query", [TARGET_SCHEME] = "scheme"
    };
    unsigned kind = cursor_u8(template), index, transforms;
    char name[16];

    if (kind == TARGET_TEXT) {
        add_sent(word, cursor_slice(template));
        return !template->failed;
    }
    index = cursor_u8(template);
    cursor_u8(template); /* the place follows from where the placeholder stands */
    transforms = cursor_u8(template);
    if (kind == TARGET_HOST_CAPTURE) {
        struct slice text = slice_of("", 0);

        /* Labels of a host: letters, digits, dashes; `upper` and `dashes` do not change what hosts compare. */
        for (unsigned i = 0; i <= index && i < host_capture_count; i++)
            text = cursor_slice(&hosts);
        for (size_t i = 0; i < text.size; i++) {
            char byte = text.data[i];

            if (transforms & TARGET_UPPER && byte >= 'a' && byte <= 'z')
                byte = (char)(byte - 32);
            if (transforms & TARGET_DASHES && byte == '_')
                byte = '-';
            dump_word_add(word, slice_of(&byte, 1));
        }
        return index < host_capture_count && !hosts.failed && !template->failed;
    }
    if (kind == TARGET_CAPTURE || kind == TARGET_QUERY_CAPTURE) {
        if (index == star_capture && kind == TARGET_CAPTURE && !transforms) {
            add(word, "*");
            return !template->failed;
        }
        snprintf(name, sizeof name, "c%u", index);
        add_hole(word, index == star_capture && kind == TARGET_CAPTURE ? "*" : name, transforms);
        return !template->failed;
    }
    if (kind > TARGET_SCHEME)
        return false;
    add_hole(word, builtins[kind], transforms);
    return !template->failed;
}

bool dump_add_target(struct dump_word *word, struct slice target, bool is_template, unsigned star_capture,
                     struct ruleset_cursor hosts, unsigned host_capture_count)
{
    const uint8_t *start = (const uint8_t *)target.data;
    struct ruleset_cursor template = { .at = start, .end = start + target.size };

    if (!is_template) {
        add_sent(word, target);
        return true;
    }
    if (cursor_u8(&template) & TARGET_IS_HTTPS) {
        add(word, "https:");
        return true;
    }
    while (template.at < template.end)
        if (!add_piece(word, &template, star_capture, hosts, host_capture_count))
            return false;
    return !template.failed;
}
