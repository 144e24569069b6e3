/* SPDX-License-Identifier: Apache-2.0 */
/* A regex has to be one that matches in bounded time and says all it asks by itself: back-references, recursion,
 * callouts and verbs are refused. Offsets of PCRE2 become places of the source. */
#include "config.h"

#include "rulec/lower_regex.h"

#include "rulec/regex_pattern.h"

#include "mod_redir307/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

struct regex {
    struct lower *lower;
    struct lower_word word; /* in which it stands */
    struct slice text;
};

/* The place of `size` bytes of the regex. Escaped quotes in the word shift what stands behind them. */
static struct span span_of(const struct regex *regex, size_t at, size_t size)
{
    struct span span = regex->word.span;
    size_t before = (size_t)(regex->text.data - regex->word.text.data) + at;
    struct source_place place = source_locate(regex->lower->sources, span.at);

    if (!place.source || span.end - span.at < 2)
        return span;
    const char *raw = place.source->text.data + (span.at - place.source->at);
    size_t raw_size = span.end - span.at, from = raw[0] == '"' ? 1 : 0;
    for (; before > 0 && from < raw_size; before--)
        from +=
            raw[0] == '"' && raw[from] == '\\' && from + 1 < raw_size && raw[from + 1] == '"'
                ? 2
                : 1;
    if (from + size > raw_size)
        return span;
    return (struct span){ span.at + (uint32_t)from, span.at + (uint32_t)(from + size) };
}

static bool bad_regex(const struct regex *regex, size_t at, size_t size, const char *reason)
{
    diag_error(regex->lower->diag, DIAG_BAD_REGEX, span_of(regex, at, size), "this regex %s",
               reason);
    return false;
}

/* NULL: a mistake was reported. */
static pcre2_code *compile(const struct regex *regex)
{
    PCRE2_UCHAR message[256];
    PCRE2_SIZE at;
    int error;
    /* As the engine does it, without `case ignore`, which changes no syntax. */
    pcre2_code *code = pcre2_compile(
        (PCRE2_SPTR)regex->text.data, regex->text.size,
        PCRE2_NEVER_UTF | PCRE2_NEVER_BACKSLASH_C | PCRE2_DOLLAR_ENDONLY, &error, &at, NULL);

    if (code)
        return code;
    if (pcre2_get_error_message(error, message, sizeof(message)) < 0)
        message[0] = 0;
    if (at > 0)
        at--; /* PCRE2 points behind the byte that it could not take */
    bad_regex(regex, at, 1,
              arena_printf(regex->lower->arena, "does not compile: %s", (const char *)message));
    return NULL;
}

/* What PCRE2 takes and a rule may not have. */
static const struct refused {
    const char *text;
    const char *reason;
} refused[] = {
    { "(*", "begins with a verb: how it is matched is not the rule's business" },
    { "(?R", "calls itself: how long that takes has no bound" },
    { "(?&", "calls a group: how long that takes has no bound" },
    { "(?P>", "calls a group: how long that takes has no bound" },
    { "\\g<", "calls a group: how long that takes has no bound" },
    { "\\g'", "calls a group: how long that takes has no bound" },
    { "(?C", "has a callout, and there is nobody to call" },
    { "(?(", "has a condition of its own: write two rules" },
    { "\\K", "moves the start of its match, which nothing asks for" },
};

static bool is_call_by_number(struct slice rest)
{
    size_t at = 2;

    if (!slice_starts_with(rest, SLICE("(?")))
        return false;
    if (rest.size > 3 && (rest.data[2] == '+' || rest.data[2] == '-'))
        at = 3;
    return rest.size > at && rest.data[at] >= '0' && rest.data[at] <= '9';
}

static bool judge_syntax(const struct regex *regex)
{
    struct slice text = regex->text;
    bool in_class = false, in_quote = false;

    for (size_t at = 0; at < text.size; at++) {
        struct slice rest = slice_of(text.data + at, text.size - at);

        if (in_quote) {
            in_quote = !slice_starts_with(rest, SLICE("\\E"));
            continue;
        }
        if (slice_starts_with(rest, SLICE("\\Q"))) {
            in_quote = true;
            at++;
            continue;
        }
        if (!in_class) {
            for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
                if (slice_starts_with(rest, slice_from_string(refused[i].text)))
                    return bad_regex(regex, at, strlen(refused[i].text), refused[i].reason);
            }
            if (is_call_by_number(rest))
                return bad_regex(regex, at, 3,
                                 "calls a group: how long that takes has no bound");
        }
        if (text.data[at] == '\\')
            at++;
        else if (text.data[at] == '[' && !in_class) {
            in_class = true;
            at += at + 1 < text.size && text.data[at + 1] == '^';
            at += at + 1 < text.size && text.data[at + 1] == ']';
        } else if (text.data[at] == ']')
            in_class = false;
    }
    return true;
}

/* A compiled regex without what is refused; NULL: a mistake was reported. The caller frees it. */
static pcre2_code *read_regex(const struct regex *regex)
{
    uint32_t back_references = 0;

    if (regex->text.size == 0) {
        diag_error(regex->lower->diag, DIAG_BAD_REGEX, regex->word.span,
                   "this regex is empty: it matches everything");
        return NULL;
    }
    if (!judge_syntax(regex))
        return NULL;
    pcre2_code *code = compile(regex);
    if (!code)
        return NULL;
    pcre2_pattern_info(code, PCRE2_INFO_BACKREFMAX, &back_references);
    if (back_references == 0)
        return code;
    bad_regex(regex, 0, regex->text.size,
              "has a back-reference: how long that takes has no bound");
    pcre2_code_free(code);
    return NULL;
}

/* Paths in their normal form are ASCII. */
static bool is_ascii(const struct regex *regex)
{
    for (size_t at = 0; at < regex->text.size; at++) {
        if ((unsigned char)regex->text.data[at] < 0x80)
            continue;
        size_t size = 1;
        while (at + size < regex->text.size &&
               ((unsigned char)regex->text.data[at + size] & 0xc0) == 0x80)
            size++;
        bad_regex(regex, at, size,
                  "has a byte that no path has: it is compared with the normal form, in ASCII");
        diag_help(regex->lower->diag,
                  "write it as it is sent, percent-encoded in upper case: \"%%C3%%A9\"");
        return false;
    }
    return true;
}

bool lower_regex_field(struct lower *lower, struct lower_word word)
{
    const struct regex regex = { .lower = lower, .word = word, .text = word.text };
    pcre2_code *code = read_regex(&regex);

    pcre2_code_free(code);
    return code != NULL;
}

bool lower_regex_segment(struct lower *lower, struct lower_word word, struct slice text)
{
    const struct regex regex = { .lower = lower, .word = word, .text = text };
    pcre2_code *code = read_regex(&regex);

    pcre2_code_free(code);
    if (!code || !is_ascii(&regex))
        return false;
    const char *type = regex_segment_type(lower->arena, text);
    if (type) {
        diag_warning(lower->diag, DIAG_PLAIN_REGEX, span_of(&regex, 0, text.size),
                     "a placeholder says the same without a regex");
        diag_help(lower->diag, "write \"{x%s%s}\"", *type ? ":" : "", type);
    }
    return true;
}

/* ---- sources ---- */

/* The name of a group as it stands in the word, so that messages can point at it. */
static struct slice find_name(struct slice text, struct slice name)
{
    for (size_t at = 1; at + name.size < text.size; at++) {
        char before = text.data[at - 1], after = text.data[at + name.size];

        if ((before == '<' || before == '\'') && (after == '>' || after == '\'') &&
            memcmp(text.data + at, name.data, name.size) == 0) {
            return slice_of(text.data + at, name.size);
        }
    }
    return text;
}

/* Groups become captures in their order; one without a name has its number. */
static bool read_groups(struct lower_pattern *state, const pcre2_code *code)
{
    struct slice names[REGEX_GROUP_LIMIT] = { { 0 } };
    uint32_t count = 0, name_count = 0, entry_size = 0;
    PCRE2_SPTR table = NULL;

    pcre2_pattern_info(code, PCRE2_INFO_CAPTURECOUNT, &count);
    pcre2_pattern_info(code, PCRE2_INFO_NAMECOUNT, &name_count);
    pcre2_pattern_info(code, PCRE2_INFO_NAMEENTRYSIZE, &entry_size);
    pcre2_pattern_info(code, PCRE2_INFO_NAMETABLE, &table);
    if (count >= REGEX_GROUP_LIMIT) {
        diag_error(state->lower->diag, DIAG_TOO_LARGE, state->word.span,
                   "more than %d groups in a regex", REGEX_GROUP_LIMIT - 1);
        diag_help(state->lower->diag, "groups that no target names are written \"(?:...)\"");
        return false;
    }
    for (uint32_t i = 0; i < name_count; i++) {
        const unsigned char *entry = table + (size_t)i * entry_size;
        unsigned group = (unsigned)entry[0] << 8 | entry[1];

        if (group < REGEX_GROUP_LIMIT)
            names[group] =
                find_name(state->word.text, slice_from_string((const char *)entry + 2));
    }
    for (uint32_t group = 1; group <= count; group++) {
        uint8_t capture;
        struct slice number =
            slice_from_string(arena_printf(state->lower->arena, "%u", (unsigned)group));
        bool is_good = names[group].size ? lower_claim_name(state, names[group], &capture)
                                         : lower_add_capture(state, number, &capture);

        if (!is_good)
            return false;
    }
    return true;
}

bool lower_regex_source(struct lower *lower, const struct lower_scope *scope,
                        struct lower_word word, struct lower_source *source)
{
    const struct regex regex = { .lower = lower, .word = word, .text = word.text };
    struct lower_pattern state = { .lower = lower,
                                   .scope = scope,
                                   .word = word,
                                   .reading = LOWER_PATTERN,
                                   .site = scope->site };
    pcre2_code *code;

    *source = (struct lower_source){ .site = scope->site };
    if (!is_ascii(&regex))
        return false;
    code = read_regex(&regex);
    if (!code)
        return false;
    state.pattern = arena_alloc(lower->arena, sizeof(*state.pattern));
    state.pattern->tail_capture = PLAN_NO_CAPTURE;
    state.pattern->regex = word.text;
    bool is_good = read_groups(&state, code);
    pcre2_code_free(code);
    if (!is_good)
        return false;
    source->pattern = lower_pattern_finish(&state);
    const char *pattern = regex_pattern(lower->arena, word.text);
    if (pattern) {
        diag_warning(lower->diag, DIAG_PLAIN_REGEX, word.span,
                     "a pattern says the same without a regex");
        diag_help(lower->diag, "write \"%s\"", pattern);
    }
    return true;
}
