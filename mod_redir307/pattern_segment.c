/* SPDX-License-Identifier: Apache-2.0 */
/* Matching inside one segment. Literals at both ends are cut off first; one placeholder between them, the usual case,
 * is one test. Several placeholders are solved from the right: for each part and each place where it could start, the
 * nearest place where it can end so that all parts behind it fit. That is linear in parts times bytes. */
#include "mod_redir307/pattern_segment.h"

#include "mod_redir307/regex.h"
#include "mod_redir307/ruleset_read.h"

enum { NOWHERE = UINT16_MAX };

static char lower(char byte)
{
    return byte >= 'A' && byte <= 'Z' ? (char)(byte | 32) : byte;
}

bool pattern_text_equal(struct slice a, struct slice b, bool ignores_case, bool *case_differs)
{
    if (a.size != b.size) return false;
    if (a.size == 0 || memcmp(a.data, b.data, a.size) == 0) return true;
    if (!ignores_case) return false;
    for (size_t i = 0; i < a.size; i++) {
        if (lower(a.data[i]) != lower(b.data[i])) return false;
    }
    *case_differs = true;
    return true;
}

bool pattern_is_boundary(struct slice text, size_t at)
{
    return !(at >= 1 && text.data[at - 1] == '%') && !(at >= 2 && text.data[at - 2] == '%');
}

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

static bool is_hex(char byte)
{
    return is_digit(byte) || (lower(byte) >= 'a' && lower(byte) <= 'f');
}

static bool is_slug(char byte, bool ignores_case)
{
    return is_digit(byte) || byte == '-' || (byte >= 'a' && byte <= 'z')
        || (ignores_case && byte >= 'A' && byte <= 'Z');
}

/* Kinds that are a run of bytes of one class. */
static bool is_run_byte(unsigned kind, char byte, bool ignores_case)
{
    switch (kind) {
    case PATTERN_INT: return is_digit(byte);
    case PATTERN_HEX: return is_hex(byte);
    case PATTERN_SLUG: return is_slug(byte, ignores_case);
    case PATTERN_FREE: return true;
    default: return false;
    }
}

static bool is_run(unsigned kind)
{
    return kind == PATTERN_INT || kind == PATTERN_HEX || kind == PATTERN_SLUG || kind == PATTERN_FREE;
}

static bool is_uuid(const char *text)
{
    for (unsigned i = 0; i < 36; i++) {
        bool wants_dash = i == 8 || i == 13 || i == 18 || i == 23;

        if (wants_dash ? text[i] != '-' : !is_hex(text[i])) return false;
    }
    return true;
}

static bool is_date(const char *text)
{
    for (unsigned i = 0; i < 10; i++) {
        if (i == 4 || i == 7 ? text[i] != '-' : !is_digit(text[i])) return false;
    }
    return true;
}

/* [0-9]+(\.[0-9]+)+ over the whole text. */
static bool is_version(struct slice text)
{
    bool after_digit = false, has_dot = false;

    for (size_t i = 0; i < text.size; i++) {
        if (is_digit(text.data[i])) {
            after_digit = true;
        } else if (text.data[i] == '.' && after_digit) {
            after_digit = false;
            has_dot = true;
        } else {
            return false;
        }
    }
    return after_digit && has_dot;
}

static bool next_member(const uint8_t **at, const uint8_t *end, struct slice *member)
{
    struct ruleset_cursor cursor = { .at = *at, .end = end };

    if (cursor.at == end) return false;
    *member = cursor_slice(&cursor);
    *at = cursor.at;
    return !cursor.failed;
}

static bool set_holds(const struct pattern_part *part, struct slice text, bool ignores_case, bool *case_differs)
{
    const uint8_t *at = part->set;
    struct slice member;
    bool holds = false;

    while (next_member(&at, part->set_end, &member)) {
        bool differs = false;

        if (!pattern_text_equal(text, member, ignores_case, &differs)) continue;
        holds = true;
        if (!differs) return true; /* the form that is written ranks first */
    }
    if (holds) *case_differs = true;
    return holds;
}

/* A placeholder against a whole text. */
static bool part_takes(const struct pattern_part *part, struct slice text, struct pattern_match_state *state)
{
    if (text.size == 0) return false;
    switch (part->kind) {
    case PATTERN_SET: return set_holds(part, text, state->ignores_case, &state->case_differs);
    case PATTERN_REGEX:
        return regex_match(state->subject->regexes, part->regex, text, state->subject->regex, NULL);
    case PATTERN_UUID: return text.size == 36 && is_uuid(text.data);
    case PATTERN_DATE: return text.size == 10 && is_date(text.data);
    case PATTERN_VERSION: return is_version(text);
    case PATTERN_FREE: return true;
    default: break;
    }
    if (!is_run(part->kind)) return false;
    for (size_t i = 0; i < text.size; i++) {
        if (!is_run_byte(part->kind, text.data[i], state->ignores_case)) return false;
    }
    return true;
}

/* `fits[q]`: the parts behind fit from q on; `next[q]`: the nearest such place at or behind q. Sets ends[p] for every
 * p to the nearest end of this part that starts at p, or NOWHERE. */
static void find_ends(const struct pattern_part *part, struct slice text, bool ignores_case, const uint8_t *fits,
                      const uint16_t *next, uint16_t *ends)
{
    size_t run_end = text.size;

    for (size_t p = text.size + 1; p-- > 0;) {
        struct slice left = slice_of(text.data + p, text.size - p);

        ends[p] = NOWHERE;
        if (is_run(part->kind)) {
            if (p < text.size && !is_run_byte(part->kind, text.data[p], ignores_case)) run_end = p;
            if (p < run_end && next[p + 1] != NOWHERE && next[p + 1] <= run_end) ends[p] = next[p + 1];
        } else if (part->kind == PATTERN_LITERAL) {
            bool differs = false;

            if (left.size >= part->text.size && fits[p + part->text.size]
                && pattern_text_equal(slice_of(left.data, part->text.size), part->text, ignores_case, &differs)) {
                ends[p] = (uint16_t)(p + part->text.size);
            }
        } else if (part->kind == PATTERN_UUID) {
            if (left.size >= 36 && fits[p + 36] && is_uuid(left.data)) ends[p] = (uint16_t)(p + 36);
        } else if (part->kind == PATTERN_DATE) {
            if (left.size >= 10 && fits[p + 10] && is_date(left.data)) ends[p] = (uint16_t)(p + 10);
        } else if (part->kind == PATTERN_VERSION) {
            bool has_dot = false;
            size_t limit = left.size < PATTERN_SHARED_VERSION_SIZE ? left.size : PATTERN_SHARED_VERSION_SIZE;

            for (size_t i = 0; i < limit; i++) {
                if (!is_digit(left.data[i])) {
                    if (left.data[i] != '.' || i == 0 || left.data[i - 1] == '.') break;
                    has_dot = true;
                } else if (has_dot && fits[p + i + 1]) {
                    ends[p] = (uint16_t)(p + i + 1);
                    break;
                }
            }
        } else if (part->kind == PATTERN_SET) {
            const uint8_t *at = part->set;
            struct slice member;

            while (next_member(&at, part->set_end, &member)) {
                bool differs = false;
                size_t end = p + member.size;

                if (member.size == 0 || left.size < member.size || !fits[end] || end >= ends[p]) continue;
                if (pattern_text_equal(slice_of(left.data, member.size), member, ignores_case, &differs)) {
                    ends[p] = (uint16_t)end;
                }
            }
        }
    }
}

static void keep(const struct pattern_part *part, struct slice text, struct pattern_capture *captures)
{
    if (captures && part->capture < PATTERN_CAPTURE_LIMIT) captures[part->capture].text = text;
}

/* How far a text is to be matched. */
struct extent {
    bool is_decoded; /* a query value: "%" is a byte like any other */
    bool open_end;   /* the last part may stop anywhere */
};

/* Several placeholders. *used: where the last part stops. */
static bool match_shared(const struct pattern_part *parts, unsigned count, struct slice text, struct extent extent,
                         struct pattern_match_state *state, size_t *used)
{
    uint16_t ends[PATTERN_PART_LIMIT][PATTERN_SHARED_SEGMENT_SIZE + 1];
    uint16_t next[PATTERN_SHARED_SEGMENT_SIZE + 2];
    uint8_t fits[PATTERN_SHARED_SEGMENT_SIZE + 1];

    if (text.size > PATTERN_SHARED_SEGMENT_SIZE || count > PATTERN_PART_LIMIT) return false;
    for (size_t q = 0; q <= text.size; q++) fits[q] = extent.open_end || q == text.size;
    for (unsigned i = count; i-- > 0;) {
        next[text.size + 1] = NOWHERE;
        for (size_t q = 0; q <= text.size && !extent.is_decoded; q++) fits[q] &= pattern_is_boundary(text, q);
        for (size_t q = text.size + 1; q-- > 0;) next[q] = fits[q] ? (uint16_t)q : next[q + 1];
        find_ends(&parts[i], text, state->ignores_case, fits, next, ends[i]);
        for (size_t q = 0; q <= text.size; q++) fits[q] = ends[i][q] != NOWHERE;
    }

    size_t at = 0;
    for (unsigned i = 0; i < count; i++) {
        uint16_t end = ends[i][at];

        if (end == NOWHERE) return false;
        struct slice taken = slice_of(text.data + at, end - at);
        if (parts[i].kind == PATTERN_LITERAL) {
            pattern_text_equal(taken, parts[i].text, state->ignores_case, &state->case_differs);
        } else {
            if (parts[i].kind == PATTERN_SET) {
                set_holds(&parts[i], taken, state->ignores_case, &state->case_differs);
            }
            keep(&parts[i], taken, state->captures);
        }
        at = end;
    }
    *used = at;
    return true;
}

static bool cut_start(const struct pattern_part *part, struct slice *text, struct pattern_match_state *state)
{
    if (text->size < part->text.size
        || !pattern_text_equal(slice_of(text->data, part->text.size), part->text, state->ignores_case,
                               &state->case_differs)) {
        return false;
    }
    *text = slice_of(text->data + part->text.size, text->size - part->text.size);
    return true;
}

static bool cut_end(const struct pattern_part *part, struct slice *text, struct extent extent,
                    struct pattern_match_state *state)
{
    struct slice last = part->text;

    if (text->size < last.size || !(extent.is_decoded || pattern_is_boundary(*text, text->size - last.size))) {
        return false;
    }
    text->size -= last.size;
    return pattern_text_equal(slice_of(text->data + text->size, last.size), last, state->ignores_case,
                              &state->case_differs);
}

static bool match_whole(const struct pattern_segment *segment, struct slice text, struct extent extent,
                        struct pattern_match_state *state)
{
    const struct pattern_part *first = segment->parts, *end = first + segment->part_count;
    size_t used;

    if (first < end && first->kind == PATTERN_LITERAL && !cut_start(first++, &text, state)) return false;
    if (first < end && end[-1].kind == PATTERN_LITERAL && !cut_end(--end, &text, extent, state)) return false;
    if (first == end) return text.size == 0;
    if (end - first == 1) {
        if (!part_takes(first, text, state)) return false;
        keep(first, text, state->captures);
        return true;
    }
    return match_shared(first, (unsigned)(end - first), text, extent, state, &used);
}

bool pattern_segment_match(const struct pattern_segment *segment, struct slice text,
                           struct pattern_match_state *state)
{
    return match_whole(segment, text, (struct extent){ .open_end = false }, state);
}

bool pattern_segment_match_start(const struct pattern_segment *segment, struct slice text,
                                 struct pattern_match_state *state, size_t *used)
{
    const struct pattern_part *first = segment->parts, *end = first + segment->part_count;
    size_t whole = text.size, more = 0;

    if (first < end && first->kind == PATTERN_LITERAL && !cut_start(first++, &text, state)) return false;
    if (first < end
        && !match_shared(first, (unsigned)(end - first), text, (struct extent){ .open_end = true }, state, &more)) {
        return false;
    }
    *used = whole - text.size + more;
    return true;
}

bool pattern_value_match(const struct pattern_segment *segment, struct slice value,
                         struct pattern_match_state *state)
{
    /* names and values of a query keep their case */
    struct pattern_match_state exact = { .subject = state->subject, .captures = state->captures };

    if (value.size == 0 && segment->part_count == 1 && segment->parts[0].kind == PATTERN_FREE) {
        keep(&segment->parts[0], value, state->captures);
        return true;
    }
    return match_whole(segment, value, (struct extent){ .is_decoded = true }, &exact);
}
