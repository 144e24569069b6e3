/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the braces and stars of a target: constants become text, everything else a hole that
 * says what fills it. */
#include "config.h"

#include "rulec/lower_skeleton.h"

#include "rulec/lower_operand.h"

#include "grammar/suggest.h"

struct reader {
    struct lower *lower;
    const struct lower_scope *scope;
    struct lower_word word;
    const struct lower_source *source;
    struct lower_skeleton *skeleton;
};

static bool put(struct reader *reader, struct slice text)
{
    struct lower *lower = reader->lower;
    size_t size = reader->skeleton->text.size;

    for (size_t i = 0; i < text.size; i++) {
        unsigned char byte = (unsigned char)text.data[i];

        if (byte >= 0x20 && byte != 0x7f)
            continue;
        diag_error(lower->diag, DIAG_BAD_TARGET, reader->word.span,
                   "a target has no control byte (0x%02x here)", (unsigned)byte);
        return false;
    }
    if (lower->skeleton_room - size < text.size) {
        lower->skeleton_room = (size + text.size) * 2;
        lower->skeleton = memory_resize(lower->skeleton, lower->skeleton_room, 1);
    }
    if (text.size)
        memcpy(lower->skeleton + size, text.data, text.size);
    reader->skeleton->text = slice_of(lower->skeleton, size + text.size);
    return true;
}

static bool put_hole(struct reader *reader, const struct lower_hole *hole)
{
    struct lower_skeleton *skeleton = reader->skeleton;

    if (skeleton->hole_count == LOWER_HOLE_LIMIT) {
        diag_error(reader->lower->diag, DIAG_TOO_LARGE, reader->word.span,
                   "more than %d placeholders in a target", LOWER_HOLE_LIMIT);
        return false;
    }
    skeleton->holes[skeleton->hole_count++] = *hole;
    if (!put(reader, SLICE("-")))
        return false;
    reader->lower->skeleton[skeleton->text.size - 1] = LOWER_MARK;
    return true;
}

static bool read_transforms(struct reader *reader, struct slice text, struct lower_hole *hole)
{
    static const struct transform {
        const char *name;
        uint8_t bit;
    } transforms[] = { { "lower", PLAN_LOWER },
                       { "upper", PLAN_UPPER },
                       { "dashes", PLAN_DASHES } };
    const char *at = text.data, *end = text.data + text.size;

    while (at < end) {
        const char *bar = memchr(at, '|', (size_t)(end - at));
        struct slice name = slice_of(at, (size_t)((bar ? bar : end) - at));
        struct suggest suggest = { .word = name };
        unsigned bit = 0;

        for (size_t i = 0; i < sizeof(transforms) / sizeof(transforms[0]); i++) {
            suggest_try(&suggest, transforms[i].name);
            if (slice_equal(name, slice_from_string(transforms[i].name)))
                bit = transforms[i].bit;
        }
        if (!bit) {
            diag_error(reader->lower->diag, DIAG_BAD_PLACEHOLDER,
                       lower_span_of(reader->word, name), "unknown transform \"%.*s\"",
                       LOWER_SHOW(name));
            if (suggest.best)
                diag_help(reader->lower->diag, "did you mean \"%s\"?", suggest.best);
            else
                diag_help(reader->lower->diag, "there are |lower, |upper and |dashes");
            return false;
        }
        hole->transforms = (uint8_t)(hole->transforms | bit);
        at += name.size + 1;
    }
    if ((hole->transforms & PLAN_LOWER) && (hole->transforms & PLAN_UPPER)) {
        diag_error(reader->lower->diag, DIAG_BAD_PLACEHOLDER,
                   lower_span_of(reader->word, hole->whole),
                   "\"%.*s\" cannot be in lower and in upper case", LOWER_SHOW(hole->whole));
        return false;
    }
    return true;
}

/* A group of a regex that has a name is also known by its number. */
static bool find_group(const struct plan_pattern *pattern, struct slice name,
                       struct lower_hole *hole)
{
    uint32_t number;

    if (!pattern || pattern->regex.size == 0 ||
        !lower_count(name, pattern->capture_count, &number))
        return false;
    hole->capture = (uint8_t)(number - 1);
    hole->kind = PLAN_PIECE_CAPTURE;
    return true;
}

static bool find_capture(struct reader *reader, struct slice name, struct lower_hole *hole)
{
    const struct plan_pattern *pattern = reader->source ? reader->source->pattern : NULL;

    for (uint32_t i = 0; pattern && i < pattern->capture_count; i++) {
        bool in_query;

        if (!slice_equal(pattern->captures[i], name))
            continue;
        hole->capture = (uint8_t)i;
        hole->part = lower_capture_part(pattern, hole->capture, &in_query);
        hole->kind = in_query ? PLAN_PIECE_QUERY_CAPTURE : PLAN_PIECE_CAPTURE;
        return true;
    }
    return find_group(pattern, name, hole);
}

/* A set in the hosts of the site: every host must have it, at the same place. */
static bool find_host_capture(struct reader *reader, struct slice name, struct lower_hole *hole,
                              bool *is_partial)
{
    const struct plan_site *site = &reader->lower->plan->sites[reader->source->site];
    uint32_t found = 0;

    for (uint32_t i = 0; i < site->host_count; i++) {
        const struct plan_host *host = &site->hosts[i];

        for (uint32_t c = 0; c < host->capture_count; c++) {
            if (!slice_equal(host->captures[c].name, name))
                continue;
            if (found && hole->capture != c)
                continue;
            hole->capture = (uint8_t)c;
            found++;
        }
    }
    hole->kind = PLAN_PIECE_HOST_CAPTURE;
    *is_partial = found > 0 && found < site->host_count;
    return found == site->host_count;
}

static bool find_builtin(struct slice name, struct lower_hole *hole)
{
    if (!lower_is_builtin(name))
        return false;
    switch (name.data[0]) {
    case 'h':
        hole->kind = PLAN_PIECE_HOST;
        break;
    case 'p':
        hole->kind = PLAN_PIECE_PATH;
        break;
    case 'q':
        hole->kind = PLAN_PIECE_QUERY;
        break;
    default:
        hole->kind = PLAN_PIECE_SCHEME;
        break;
    }
    return true;
}

static bool unknown_placeholder(struct reader *reader, struct slice whole, struct slice name)
{
    struct lower *lower = reader->lower;
    struct suggest suggest = { .word = name };
    const struct plan_pattern *pattern = reader->source ? reader->source->pattern : NULL;
    const char *dots = name.size > 3 ? "..." : NULL;

    diag_error(lower->diag, DIAG_UNKNOWN_PLACEHOLDER, lower_span_of(reader->word, whole),
               "\"%.*s\" is neither in the source nor a constant", LOWER_SHOW(whole));
    if (name.size == 0) {
        diag_help(lower->diag, "give the source's placeholder a name: \"{x}\"");
        return false;
    }
    if (dots && memcmp(name.data + name.size - 3, dots, 3) == 0) {
        diag_help(lower->diag, "a target only names it: \"{%.*s}\"", (int)(name.size - 3),
                  name.data);
        return false;
    }
    const char *colon = lower_find(name, ':');
    if (colon) {
        diag_help(lower->diag, "a target only names it: \"{%.*s}\"", (int)(colon - name.data),
                  name.data);
        return false;
    }
    for (uint32_t i = 0; pattern && i < pattern->capture_count; i++) {
        if (pattern->captures[i].size > 1)
            suggest_try(&suggest, arena_string(lower->arena, pattern->captures[i]));
    }
    for (const struct lower_let *let = reader->scope->lets; let; let = let->outer) {
        suggest_try(&suggest, arena_string(lower->arena, let->name));
    }
    static const char *const builtins[] = { "host", "path", "query", "scheme" };
    for (size_t i = 0; i < sizeof(builtins) / sizeof(builtins[0]); i++)
        suggest_try(&suggest, builtins[i]);
    if (suggest.best)
        diag_help(lower->diag, "did you mean \"{%s}\"?", suggest.best);
    return false;
}

/* What stands between braces. */
static bool read_braces(struct reader *reader, struct slice whole)
{
    struct lower *lower = reader->lower;
    struct slice inside = slice_of(whole.data + 1, whole.size - 2);
    const char *bar = lower_find(inside, '|');
    struct slice name = slice_of(inside.data, bar ? (size_t)(bar - inside.data) : inside.size);
    struct lower_hole hole = { .whole = whole, .capture = PLAN_NO_CAPTURE };
    bool is_partial = false;

    for (const struct lower_let *let = reader->scope->lets; let; let = let->outer) {
        if (!slice_equal(let->name, name))
            continue;
        if (!bar)
            return put(reader, let->value);
        diag_error(lower->diag, DIAG_BAD_PLACEHOLDER, lower_span_of(reader->word, whole),
                   "\"%.*s\" is a constant: write it the way it shall be", LOWER_SHOW(name));
        return false;
    }
    if (!find_capture(reader, name, &hole) &&
        !find_host_capture(reader, name, &hole, &is_partial) && !find_builtin(name, &hole)) {
        if (!is_partial)
            return unknown_placeholder(reader, whole, name);
        diag_error(lower->diag, DIAG_UNKNOWN_PLACEHOLDER, lower_span_of(reader->word, whole),
                   "\"%.*s\" is not in every host of the site", LOWER_SHOW(name));
        return false;
    }
    if (bar && !read_transforms(reader, slice_of(bar + 1, inside.size - name.size - 1), &hole))
        return false;
    return put_hole(reader, &hole);
}

static bool read_star(struct reader *reader, struct slice star)
{
    struct lower_hole hole = { .whole = star };

    if (find_capture(reader, SLICE("*"), &hole))
        return put_hole(reader, &hole);
    diag_error(reader->lower->diag, DIAG_UNKNOWN_PLACEHOLDER, lower_span_of(reader->word, star),
               "the source has no \"*\" that this one could stand for");
    diag_help(reader->lower->diag, "a literal star is written \"%%2A\"");
    return false;
}

bool lower_skeleton(struct lower *lower, const struct lower_scope *scope,
                    struct lower_word word, enum lower_reading reading,
                    const struct lower_source *source, struct lower_skeleton *skeleton)
{
    struct reader reader = {
        .lower = lower, .scope = scope, .word = word, .source = source, .skeleton = skeleton
    };
    const char *at = word.text.data, *end = at + word.text.size;

    skeleton->text = slice_of(lower->skeleton, 0);
    skeleton->hole_count = 0;
    if (reading == LOWER_LITERAL)
        return put(&reader, word.text);
    while (at < end) {
        const char *start = at;

        while (at < end && *at != '{' && *at != '}' && *at != '*')
            at++;
        if (!put(&reader, slice_of(start, (size_t)(at - start))))
            return false;
        if (at == end)
            break;

        const char *close = *at == '{' ? memchr(at, '}', (size_t)(end - at)) : at;
        if (*at == '}' || !close) {
            diag_error(lower->diag, DIAG_BAD_PLACEHOLDER, lower_span_of(word, slice_of(at, 1)),
                       *at == '}' ? "\"}\" closes no placeholder" : "this brace is not closed");
            diag_help(lower->diag, "literal braces are written \"%%7B\" and \"%%7D\"");
            return false;
        }
        struct slice part = slice_of(at, (size_t)(close - at) + 1);
        if (!(*at == '*' ? read_star(&reader, part) : read_braces(&reader, part)))
            return false;
        at = close + 1;
    }
    return true;
}
