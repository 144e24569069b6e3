/* SPDX-License-Identifier: Apache-2.0 */
/* Placeholders have lost their names in the rule file: capture number 3 becomes `{c3}`. Bytes that the language would
 * read as its own are written as escapes in sources, and by the constant `{literal-star}` in targets, which are sent as
 * they are written; no group of a regex can have a name with a dash. */
#include "config.h"

#include "rulec/dump_text.h"

#include "grammar/arena.h"
#include "mod_redir307/pattern.h"
#include "mod_redir307/target.h"
#include "mod_redir307/url.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>

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
    const struct ruleset *ruleset;
    struct dump_word *word;
    struct dump_source *source;
    struct ruleset_cursor program;
    unsigned unnamed; /* placeholders that keep nothing, but need a name */
    bool in_query;
};

static const char *capture_name(const struct dump_source *source, unsigned capture)
{
    return capture < DUMP_CAPTURE_LIMIT ? source->names[capture] : "";
}

static void add_name(struct reading *reading, unsigned capture, const char *behind)
{
    char name[DUMP_NAME_SIZE + 16];

    if (capture == PATTERN_NO_CAPTURE)
        snprintf(name, sizeof name, "{u%u%s", reading->unnamed++, behind);
    else
        snprintf(name, sizeof name, "{%s%s", capture_name(reading->source, capture), behind);
    add(reading->word, name);
}

static void add_text(struct reading *reading, struct slice text)
{
    if (reading->in_query)
        dump_add_decoded(reading->word, text, false);
    else
        add_normal(reading->word, text);
}

static uint32_t read_u32(struct ruleset_cursor *cursor)
{
    uint32_t low = cursor_u16(cursor);

    return low | (uint32_t)cursor_u16(cursor) << 16;
}

static bool regex_text(const struct ruleset *ruleset, uint32_t number, struct slice *text)
{
    struct ruleset_cursor cursor = ruleset_cursor(ruleset, RULESET_REGEXES, 0);

    for (uint32_t i = 0; i <= number && !cursor.failed; i++) {
        cursor_u8(&cursor); /* flags: they follow from where the regex stands */
        *text = cursor_slice(&cursor);
    }
    return !cursor.failed;
}

bool dump_regex_print(const struct ruleset *ruleset, uint32_t number, FILE *out)
{
    struct slice text;

    if (!regex_text(ruleset, number, &text))
        return false;
    putc('"', out);
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '"')
            putc('\\', out);
        putc(text.data[i], out);
        /* A backslash takes the next byte with it: it does not escape a quote. */
        if (text.data[i] == '\\' && i + 1 < text.size)
            putc(text.data[++i], out);
    }
    putc('"', out);
    return true;
}

/* Groups that have a name are known to the target by it. */
static bool name_groups(const struct ruleset *ruleset, struct dump_source *source)
{
    struct slice text;
    uint32_t count = 0, entry_size = 0;
    PCRE2_SPTR table = NULL;
    PCRE2_SIZE at;
    pcre2_code *code;
    int error;

    if (!regex_text(ruleset, source->regex, &text))
        return false;
    code = pcre2_compile((PCRE2_SPTR)text.data, text.size, 0, &error, &at, NULL);
    if (!code)
        return false;
    pcre2_pattern_info(code, PCRE2_INFO_NAMECOUNT, &count);
    pcre2_pattern_info(code, PCRE2_INFO_NAMEENTRYSIZE, &entry_size);
    pcre2_pattern_info(code, PCRE2_INFO_NAMETABLE, &table);
    for (uint32_t i = 0; i < count; i++, table += entry_size) {
        unsigned group = (unsigned)table[0] << 8 | table[1]; /* then the name, with its NUL */
        char number[DUMP_NAME_SIZE];

        snprintf(number, sizeof number, "%u", group);
        for (unsigned k = 0; k < DUMP_CAPTURE_LIMIT; k++)
            if (strcmp(source->names[k], number) == 0)
                snprintf(source->names[k], DUMP_NAME_SIZE, "%s", (const char *)table + 2);
    }
    pcre2_code_free(code);
    return true;
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
    } else if (kind == PATTERN_REGEX) {
        struct slice text;

        if (!regex_text(reading->ruleset, read_u32(&reading->program), &text))
            return false;
        add_name(reading, capture, ":/");
        dump_word_add(reading->word, text);
        add(reading->word, "/}");
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

static bool add_regex(struct reading *reading)
{
    struct dump_source *source = reading->source;
    unsigned count;

    source->is_regex = true;
    source->regex = read_u32(&reading->program);
    count = cursor_u8(&reading->program);
    for (unsigned i = 0; i < count; i++) {
        unsigned capture = cursor_u8(&reading->program), group = cursor_u8(&reading->program);

        if (capture < DUMP_CAPTURE_LIMIT)
            snprintf(source->names[capture], DUMP_NAME_SIZE, "%u", group);
    }
    return !reading->program.failed && name_groups(reading->ruleset, source);
}

static bool add_tail(struct reading *reading, bool ends_in_slash, unsigned head_count)
{
    struct dump_source *source = reading->source;
    unsigned tail = cursor_u8(&reading->program);
    bool has_capture = tail == PATTERN_TAIL_SUBTREE || tail == PATTERN_TAIL_BELOW || tail == PATTERN_TAIL_MANY;
    unsigned capture = has_capture ? cursor_u8(&reading->program) : PATTERN_NO_CAPTURE;
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
    case PATTERN_TAIL_REGEX: return add_regex(reading);
    default: return false;
    }
}

void dump_source_init(struct dump_source *source)
{
    *source = (struct dump_source){ .star_capture = DUMP_NO_STAR };
    for (unsigned i = 0; i < DUMP_CAPTURE_LIMIT; i++)
        snprintf(source->names[i], DUMP_NAME_SIZE, "c%u", i);
}

bool dump_add_pattern(struct dump_word *word, const struct ruleset *ruleset, struct slice program, bool ends_in_slash,
                      struct dump_source *source)
{
    const uint8_t *start = (const uint8_t *)program.data;
    struct reading reading = { .ruleset = ruleset, .word = word, .source = source,
                               .program = { .at = start, .end = start + program.size } };
    unsigned head_count = cursor_u8(&reading.program);

    dump_source_init(source);
    if (!add_segments(&reading, head_count) || !add_tail(&reading, ends_in_slash, head_count))
        return false;
    reading.in_query = true;
    source->parameter_count = cursor_u8(&reading.program);
    if (source->parameter_count > DUMP_PARAMETER_LIMIT)
        return false;
    for (unsigned i = 0; i < source->parameter_count && !reading.program.failed; i++) {
        source->parameter_at[i] = word->size;
        add(word, i ? "&" : "?");
        dump_add_decoded(word, cursor_slice(&reading.program), false);
        if (cursor_u8(&reading.program) == PATTERN_VALUE_ANY)
            continue;
        add(word, "=");
        if (!add_segment(&reading))
            return false;
    }
    source->parameter_at[source->parameter_count] = word->size;
    return !reading.program.failed;
}

/* What is sent as it is: braces cannot be in it, a star is written by the constant. */
static void add_sent(struct dump_word *word, struct slice text)
{
    for (size_t i = 0; i < text.size; i++)
        dump_word_add(word, text.data[i] == '*' ? SLICE("{literal-star}") : slice_of(text.data + i, 1));
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

/* Labels of a host: letters, digits, dashes. */
static bool add_host_capture(struct dump_word *word, const struct dump_captures *captures, unsigned index,
                             unsigned transforms)
{
    struct ruleset_cursor hosts = captures->hosts;
    struct slice text = slice_of("", 0);

    for (unsigned i = 0; i <= index && i < captures->host_count; i++)
        text = cursor_slice(&hosts);
    for (size_t i = 0; i < text.size; i++) {
        char byte = text.data[i];

        if (transforms & TARGET_UPPER && byte >= 'a' && byte <= 'z')
            byte = (char)(byte - 32);
        if (transforms & TARGET_DASHES && byte == '_')
            byte = '-';
        dump_word_add(word, slice_of(&byte, 1));
    }
    return index < captures->host_count && !hosts.failed;
}

static bool add_piece(struct dump_word *word, struct ruleset_cursor *template, const struct dump_captures *captures)
{
    static const char *const builtins[] = {
        [TARGET_HOST] = "host", [TARGET_PATH] = "path", [TARGET_QUERY] = "query", [TARGET_SCHEME] = "scheme"
    };
    unsigned kind = cursor_u8(template), index, transforms;
    bool is_star;

    if (kind == TARGET_TEXT) {
        add_sent(word, cursor_slice(template));
        return !template->failed;
    }
    index = cursor_u8(template);
    cursor_u8(template); /* the place follows from where the placeholder stands */
    transforms = cursor_u8(template);
    if (template->failed || kind > TARGET_SCHEME)
        return false;
    if (kind == TARGET_HOST_CAPTURE)
        return add_host_capture(word, captures, index, transforms);
    is_star = kind == TARGET_CAPTURE && index == captures->source->star_capture;
    if (is_star && !transforms)
        add(word, "*");
    else if (kind == TARGET_CAPTURE || kind == TARGET_QUERY_CAPTURE)
        add_hole(word, is_star ? "*" : capture_name(captures->source, index), transforms);
    else
        add_hole(word, builtins[kind], transforms);
    return true;
}

bool dump_add_target(struct dump_word *word, struct slice target, bool is_template,
                     const struct dump_captures *captures)
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
        if (!add_piece(word, &template, captures))
            return false;
    return !template.failed;
}
