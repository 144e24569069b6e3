/* SPDX-License-Identifier: Apache-2.0 */
/* Targets: the quick way for what can be sent as it is written, then scheme, authority,
 * path, query and fragment of all others, each with the encoding of its place
 * (docs/language.md, "Targets"). */
#include "config.h"

#include "rulec/lower_target.h"

#include "rulec/lower_authority.h"

#include "mod_redir307/answer.h"
#include "mod_redir307/url.h"
#include "mod_redir307/url_scan.h"

#include <strings.h>

/* Unreserved, sub-delims, ":", "@", "/", "?": stand as they are in every path and query. `*`
 * means something. */
enum { CLEAN_PATTERN = 1, CLEAN_LITERAL = 2, CLEAN = CLEAN_PATTERN | CLEAN_LITERAL };
static const uint8_t byte_class[256] = {
    ['0'] = CLEAN,      ['1'] = CLEAN, ['2'] = CLEAN, ['3'] = CLEAN, ['4'] = CLEAN,
    ['5'] = CLEAN,      ['6'] = CLEAN, ['7'] = CLEAN, ['8'] = CLEAN, ['9'] = CLEAN,
    ['A'] = CLEAN,      ['B'] = CLEAN, ['C'] = CLEAN, ['D'] = CLEAN, ['E'] = CLEAN,
    ['F'] = CLEAN,      ['G'] = CLEAN, ['H'] = CLEAN, ['I'] = CLEAN, ['J'] = CLEAN,
    ['K'] = CLEAN,      ['L'] = CLEAN, ['M'] = CLEAN, ['N'] = CLEAN, ['O'] = CLEAN,
    ['P'] = CLEAN,      ['Q'] = CLEAN, ['R'] = CLEAN, ['S'] = CLEAN, ['T'] = CLEAN,
    ['U'] = CLEAN,      ['V'] = CLEAN, ['W'] = CLEAN, ['X'] = CLEAN, ['Y'] = CLEAN,
    ['Z'] = CLEAN,      ['a'] = CLEAN, ['b'] = CLEAN, ['c'] = CLEAN, ['d'] = CLEAN,
    ['e'] = CLEAN,      ['f'] = CLEAN, ['g'] = CLEAN, ['h'] = CLEAN, ['i'] = CLEAN,
    ['j'] = CLEAN,      ['k'] = CLEAN, ['l'] = CLEAN, ['m'] = CLEAN, ['n'] = CLEAN,
    ['o'] = CLEAN,      ['p'] = CLEAN, ['q'] = CLEAN, ['r'] = CLEAN, ['s'] = CLEAN,
    ['t'] = CLEAN,      ['u'] = CLEAN, ['v'] = CLEAN, ['w'] = CLEAN, ['x'] = CLEAN,
    ['y'] = CLEAN,      ['z'] = CLEAN, ['-'] = CLEAN, ['.'] = CLEAN, ['_'] = CLEAN,
    ['~'] = CLEAN,      ['!'] = CLEAN, ['$'] = CLEAN, ['&'] = CLEAN, ['\''] = CLEAN,
    ['('] = CLEAN,      [')'] = CLEAN, ['+'] = CLEAN, [','] = CLEAN, [';'] = CLEAN,
    ['='] = CLEAN,      [':'] = CLEAN, ['@'] = CLEAN, ['/'] = CLEAN, ['?'] = CLEAN,
    ['*'] = CLEAN_LITERAL,
};

struct writer {
    struct lower *lower;
    struct lower_word word;
    uint32_t site;
    const struct lower_skeleton *skeleton;
    uint32_t hole;    /* the next one */
    struct bytes *written; /* the target as it will be sent */
    size_t text_from;      /* where in it the piece of text that is written began */
    struct plan_piece pieces[LOWER_HOLE_LIMIT * 2 + 1];
    uint32_t piece_count;
};

static bool all_clean(struct slice text, unsigned reading)
{
    unsigned common = reading;

    for (size_t i = 0; i < text.size; i++)
        common &= byte_class[(unsigned char)text.data[i]];
    return common != 0;
}

/* True where the word is what will be sent: nothing in it means anything, and nothing has to
 * be encoded. */
static bool is_plain(const struct lower *lower, struct slice text, enum lower_reading reading)
{
    struct slice scheme, authority, rest;
    unsigned classes = reading == LOWER_LITERAL ? CLEAN_LITERAL : CLEAN_PATTERN;

    if (text.size == 0 || text.size > ANSWER_LOCATION_LIMIT)
        return false;
    if (url_is_usual_path(text))
        return true;
    if (text.data[0] == '/')
        return (text.size < 2 || text.data[1] != '/') && all_clean(text, classes);
    if (!lower->target_authority.data ||
        !lower_split_absolute(text, &scheme, &authority, &rest))
        return false;
    return slice_equal(authority, lower->target_authority) && all_clean(rest, classes);
}

static bool bad_target(struct writer *writer, const char *reason, const char *help)
{
    struct lower *lower = writer->lower;

    diag_error(lower->diag, DIAG_BAD_TARGET, writer->word.span, "the target \"%.*s\" %s",
               LOWER_SHOW(writer->word.text), reason);
    if (help)
        diag_help(lower->diag, "%s", help);
    return false;
}

static void end_text(struct writer *writer, enum plan_piece_place place)
{
    struct lower *lower = writer->lower;
    size_t size = writer->written->size - writer->text_from;

    if (size == 0)
        return;
    writer->pieces[writer->piece_count++] = (struct plan_piece){
        .kind = PLAN_PIECE_TEXT,
        .place = place,
        .capture = PLAN_NO_CAPTURE,
        .text = arena_copy(lower->arena, slice_of((const char *)writer->written->data + writer->text_from, size))
    };
    writer->text_from = writer->written->size;
}

static void put_hole(struct writer *writer, enum plan_piece_place place)
{
    const struct lower_hole *hole = &writer->skeleton->holes[writer->hole++];

    end_text(writer, place);
    writer->pieces[writer->piece_count++] =
        (struct plan_piece){ .kind = hole->kind,
                             .place = place,
                             .capture = hole->capture,
                             .transforms = hole->transforms };
}

static bool is_hex(char byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'F') ||
           (byte >= 'a' && byte <= 'f');
}

/* Path, query or fragment: what may stand is sent as it is written, what may never stand is
 * encoded. */
static bool put_component(struct writer *writer, struct slice text, enum plan_piece_place place)
{
    static const char hex[] = "0123456789ABCDEF";

    for (size_t i = 0; i < text.size; i++) {
        char byte = text.data[i];

        if (byte == LOWER_MARK) {
            put_hole(writer, place);
        } else if (byte == '%') {
            if (text.size - i < 3 || !is_hex(text.data[i + 1]) || !is_hex(text.data[i + 2])) {
                return bad_target(writer, "has a \"%\" that is no escape",
                                  "a literal \"%\" is written \"%25\"");
            }
            bytes_put(writer->written, &byte, 1);
        } else if (byte == '#') {
            return bad_target(writer, "has two fragments",
                              "a literal \"#\" is written \"%23\"");
        } else if (byte_class[(unsigned char)byte] || byte == '[' || byte == ']') {
            bytes_put(writer->written, &byte, 1);
        } else {
            char escape[3] = { '%', hex[(unsigned char)byte >> 4], hex[byte & 15] };
            bytes_put(writer->written, escape, sizeof(escape));
        }
    }
    return true;
}

/* Up to the first of the bytes in `stops`. */
static struct slice cut(struct slice *rest, const char *stops)
{
    size_t size = 0;

    while (size < rest->size && !strchr(stops, rest->data[size]))
        size++;
    struct slice head = slice_of(rest->data, size);
    *rest = slice_of(rest->data + size, rest->size - size);
    return head;
}

/* The authority ends before the path, and "{path}" begins one. */
static struct slice cut_authority(const struct writer *writer, struct slice *rest)
{
    uint32_t hole = writer->hole;
    size_t size = 0;

    while (size < rest->size && !strchr("/?#", rest->data[size])) {
        if (rest->data[size] == LOWER_MARK &&
            writer->skeleton->holes[hole++].kind == PLAN_PIECE_PATH)
            break;
        size++;
    }
    struct slice head = slice_of(rest->data, size);
    *rest = slice_of(rest->data + size, rest->size - size);
    return head;
}

static bool put_authority(struct writer *writer, struct slice *rest)
{
    struct slice authority = cut_authority(writer, rest), sent;

    if (!lower_authority(writer->lower, writer->word, writer->skeleton, authority, writer->hole,
                         writer->site, &sent)) {
        return false;
    }
    for (size_t i = 0; i < sent.size; i++) {
        if (sent.data[i] == LOWER_MARK)
            put_hole(writer, PLAN_IN_AUTHORITY);
        else
            bytes_put(writer->written, &sent.data[i], 1);
    }
    return true;
}

static const char start_help[] =
    "a target is a path that starts with \"/\", or a URL with http:// or https://";

/* Everything in front of the path. */
static bool put_start(struct writer *writer, struct slice *rest)
{
    struct slice text = *rest;
    size_t size = 0;

    if (text.data[0] == '/') {
        if (text.size > 1 && text.data[1] == '/') {
            return bad_target(writer, "starts with \"//\", which names another host",
                              "write https:// in front where that is meant, or a single \"/\"");
        }
        if (text.size > 1 && text.data[1] == '\\') {
            return bad_target(writer, "starts with \"/\\\", which browsers read as \"//\"",
                              NULL);
        }
        return true;
    }
    if (text.data[0] == LOWER_MARK) {
        enum plan_piece_kind kind = writer->skeleton->holes[0].kind;

        if (kind == PLAN_PIECE_PATH)
            return true;
        if (kind != PLAN_PIECE_SCHEME) {
            return bad_target(writer, "does not start with a \"/\" or a scheme", start_help);
        }
        if (!slice_starts_with(slice_of(text.data + 1, text.size - 1), SLICE("://"))) {
            return bad_target(writer, "has no \"://\" behind its scheme", NULL);
        }
        put_hole(writer, PLAN_IN_AUTHORITY);
        size = 1;
    } else {
        while (size < text.size && (byte_class[(unsigned char)text.data[size]] & CLEAN_PATTERN) &&
               !strchr(":/?@!$&'(),;=", text.data[size])) {
            size++;
        }
        if (size == 0 || size == text.size || text.data[size] != ':') {
            return bad_target(writer, "is neither a path nor a URL", start_help);
        }
        bool is_http = (size == 4 && strncasecmp(text.data, "http", 4) == 0) ||
                       (size == 5 && strncasecmp(text.data, "https", 5) == 0);
        if (!is_http)
            return bad_target(writer, "has a scheme that is neither http nor https",
                              start_help);
        if (!slice_starts_with(slice_of(text.data + size, text.size - size), SLICE("://"))) {
            return bad_target(writer, "has no \"//\" behind its scheme",
                              "write it as in https://host/path");
        }
        bytes_put(writer->written, text.data, size);
    }
    bytes_put(writer->written, "://", 3);
    *rest = slice_of(text.data + size + 3, text.size - size - 3);
    return put_authority(writer, rest);
}

/* `/a/ * -> /b/ *`: the "/" before the final star goes with an empty star, unless it is the
 * whole path. */
static bool drops_last_slash(const struct writer *writer, const struct lower_source *source,
                             struct slice path, bool is_end)
{
    const struct plan_pattern *pattern = source->pattern;
    const struct plan_piece *last = &writer->pieces[writer->piece_count - 1];

    return pattern && pattern->tail == PLAN_TAIL_SUBTREE && is_end && path.size > 2 &&
           path.data[path.size - 1] == LOWER_MARK && path.data[path.size - 2] == '/' &&
           last->kind == PLAN_PIECE_CAPTURE && last->capture == pattern->tail_capture;
}

static bool put_all(struct writer *writer, const struct lower_source *source,
                    struct plan_template *template)
{
    struct slice rest = writer->skeleton->text;

    if (!put_start(writer, &rest))
        return false;

    struct slice path = cut(&rest, "?#");
    if (!put_component(writer, path, PLAN_IN_PATH))
        return false;
    if (writer->piece_count) {
        template->drops_last_slash = drops_last_slash(writer, source, path, rest.size == 0);
    }
    if (rest.size && rest.data[0] == '?') {
        struct slice query;
        bool is_raw;

        bytes_put(writer->written, "?", 1);
        rest = slice_of(rest.data + 1, rest.size - 1);
        query = cut(&rest, "#");
        is_raw = query.size == 1 && query.data[0] == LOWER_MARK &&
                 writer->skeleton->holes[writer->hole].kind == PLAN_PIECE_QUERY;
        if (!put_component(writer, query, is_raw ? PLAN_IN_QUERY : PLAN_IN_VALUE))
            return false;
    }
    if (rest.size) {
        bytes_put(writer->written, "#", 1);
        rest = slice_of(rest.data + 1, rest.size - 1);
        if (!put_component(writer, rest, PLAN_IN_FRAGMENT))
            return false;
    }
    return true;
}

/* `https:`: the same URL under that scheme. */
static bool https_target(struct lower *lower, struct lower_word word, uint32_t site,
                         struct lower_target *target)
{
    if (lower_site_is_open(lower->plan, site)) {
        diag_error(lower->diag, DIAG_OPEN_REDIRECT, word.span,
                   "\"https:\" would let the request choose the host: here every host may be "
                   "asked for");
        diag_help(lower->diag, "put the rule into a \"site\" that names hosts or a domain");
        return false;
    }
    target->template = arena_alloc(lower->arena, sizeof(*target->template));
    target->template->is_https = true;
    return true;
}

/* The authority of a target without placeholders was judged: the next one of that name need
 * not be. */
static void remember_authority(struct lower *lower, struct slice text)
{
    struct slice scheme, authority, rest;

    if (text.data[0] == '/' || !lower_split_absolute(text, &scheme, &authority, &rest))
        return;
    lower->target_authority = authority;
}

bool lower_target(struct lower *lower, const struct lower_scope *scope, struct lower_word word,
                  enum lower_reading reading, const struct lower_source *source,
                  struct lower_target *target)
{
    static const struct lower_source no_source = { 0 };
    struct lower_skeleton skeleton;

    *target = (struct lower_target){ 0 };
    if (is_plain(lower, word.text, reading)) {
        target->text = word.text;
        return true;
    }
    if (!source)
        source = &no_source;
    struct writer writer = {
        .lower = lower, .word = word, .site = source->site, .skeleton = &skeleton, .written = &lower->written
    };
    struct plan_template template = { 0 };

    lower->written.size = 0;
    if (!lower_skeleton(lower, scope, word, reading, source, &skeleton))
        return false;
    if (skeleton.text.size == 0)
        return bad_target(&writer, "is empty", start_help);
    if (slice_equal(skeleton.text, SLICE("https:")))
        return https_target(lower, word, source->site, target);
    if (!put_all(&writer, source, &template))
        return false;
    if (writer.written->size > ANSWER_LOCATION_LIMIT) {
        diag_error(lower->diag, DIAG_TOO_LARGE, word.span,
                   "this target is longer than %d bytes", ANSWER_LOCATION_LIMIT);
        return false;
    }
    if (writer.piece_count == 0) {
        struct slice written = slice_of((const char *)writer.written->data, writer.written->size);

        target->text =
            slice_equal(written, word.text) ? word.text : arena_copy(lower->arena, written);
        remember_authority(lower, target->text);
        return true;
    }
    end_text(&writer, PLAN_IN_PATH);
    template.piece_count = writer.piece_count;
    template.pieces = arena_array(lower->arena, writer.piece_count, sizeof(*template.pieces));
    memcpy(template.pieces, writer.pieces, writer.piece_count * sizeof(*template.pieces));
    target->template = arena_alloc(lower->arena, sizeof(template));
    *target->template = template;
    return true;
}
