/* SPDX-License-Identifier: Apache-2.0 */
/* Fields are kept sorted by name, so that equal sets are one set. What the server or another
 * clause sends may not be set: two Location lines or a wrong length cannot be repaired by
 * anybody. */
#include "config.h"

#include "rulec/lower_header.h"

#include "rulec/lower_value.h"
#include "rulec/lower_target.h"

enum { HEADER_LIMIT = 256 };

int lower_compare_names(struct slice a, struct slice b)
{
    size_t common = a.size < b.size ? a.size : b.size;

    for (size_t i = 0; i < common; i++) {
        int left = (unsigned char)a.data[i], right = (unsigned char)b.data[i];

        if (left >= 'A' && left <= 'Z')
            left |= 32;
        if (right >= 'A' && right <= 'Z')
            right |= 32;
        if (left != right)
            return left < right ? -1 : 1;
    }
    return (a.size > b.size) - (a.size < b.size);
}

bool lower_has_header(const struct lower_scope *scope, struct slice name)
{
    for (uint32_t i = 0; i < scope->header_count; i++) {
        if (lower_compare_names(scope->headers[i].name, name) == 0)
            return true;
    }
    return false;
}

static void add_header(struct lower *lower, struct lower_scope *scope, struct span span,
                       struct slice name, struct slice value)
{
    uint32_t at = 0, count = scope->header_count;

    while (at < count && lower_compare_names(scope->headers[at].name, name) < 0)
        at++;

    bool replaces = at < count && lower_compare_names(scope->headers[at].name, name) == 0;
    if (count == HEADER_LIMIT && !replaces) {
        diag_error(lower->diag, DIAG_TOO_LARGE, span,
                   "more than %d header fields of one answer", HEADER_LIMIT);
        return;
    }

    struct plan_header *headers = arena_array(lower->arena, count + 1, sizeof(*headers));
    uint32_t behind = count - at - replaces;
    if (at)
        memcpy(headers, scope->headers, at * sizeof(*headers));
    headers[at] = (struct plan_header){ .name = name, .value = value };
    if (behind)
        memcpy(headers + at + 1, scope->headers + count - behind, behind * sizeof(*headers));
    scope->headers = headers;
    scope->header_count = at + 1 + behind;
}

static bool is_token_byte(char byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= 'a' && byte <= 'z') || (byte && strchr("!#$%&'*+-.^_`|~", byte));
}

bool lower_judge_field(struct lower *lower, const struct ast_word *name,
                       const struct ast_word *value)
{
    bool is_token = name->text.size > 0;

    for (size_t i = 0; i < name->text.size; i++)
        is_token &= is_token_byte(name->text.data[i]);
    if (!is_token) {
        diag_error(lower->diag, DIAG_BAD_HEADER, name->span,
                   "\"%.*s\" is no name of a header field", LOWER_SHOW(name->text));
        return false;
    }
    for (size_t i = 0; value && i < value->text.size; i++) {
        unsigned char byte = (unsigned char)value->text.data[i];

        if ((byte >= 0x20 && byte < 0x7f) || byte == '\t')
            continue;
        diag_error(
            lower->diag, DIAG_BAD_HEADER, value->span,
            "the value of a header field is printable ASCII: byte 0x%02x may not stand in it",
            (unsigned)byte);
        return false;
    }
    return true;
}

static const struct forbidden {
    const char *name;
    const char *help; /* NULL: there is no other way */
} forbidden[] = {
    { "Location", "the target of the rule is sent as Location" },
    { "Cache-Control", "write the clause \"cache\"" },
    { "Vary", "the rules say by themselves what an answer depends on" },
    { "Retry-After", "write the clause \"retry-after\"" },
    { "Content-Length", NULL },
    { "Content-Type", NULL },
    { "Content-Encoding", NULL },
    { "Content-Range", NULL },
    { "Transfer-Encoding", NULL },
    { "Connection", NULL },
    { "Keep-Alive", NULL },
    { "Proxy-Connection", NULL },
    { "Proxy-Authenticate", NULL },
    { "Proxy-Authorization", NULL },
    { "TE", NULL },
    { "Trailer", NULL },
    { "Upgrade", NULL },
    { "Date", NULL },
    { "Server", NULL },
    { "Status", NULL },
};

void lower_header(struct lower *lower, struct lower_scope *scope,
                  const struct ast_clause *clause)
{
    const struct ast_word *name = clause->words, *value = name ? name->next : NULL;

    if (!value || value->next) {
        diag_error(lower->diag, DIAG_BAD_VALUE, clause->span,
                   "\"header\" takes a name and a value");
        diag_help(lower->diag,
                  "a value with blanks stands in quotes: header X-Note \"two words\"");
        return;
    }
    if (!lower_judge_field(lower, name, value))
        return;
    for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++) {
        if (lower_compare_names(name->text, slice_from_string(forbidden[i].name)) != 0)
            continue;
        diag_error(lower->diag, DIAG_BAD_HEADER, name->span,
                   "the field \"%s\" may not be set by a rule", forbidden[i].name);
        if (forbidden[i].help)
            diag_help(lower->diag, "%s", forbidden[i].help);
        return;
    }
    add_header(lower, scope, name->span, name->text, value->text);
}

void lower_retry_after(struct lower *lower, struct lower_scope *scope,
                       const struct ast_clause *clause)
{
    uint32_t seconds;

    if (!clause->words || clause->words->next ||
        !lower_duration(clause->words->text, &seconds)) {
        lower_bad_value(lower, clause, "a duration as \"90s\", \"5m\", \"1h\"");
        return;
    }
    add_header(lower, scope, clause->span, SLICE("Retry-After"),
               slice_from_string(arena_printf(lower->arena, "%u", (unsigned)seconds)));
}

/* RFC 7725, 4: who asked for the block. */
void lower_blocked_by(struct lower *lower, struct lower_scope *scope,
                      const struct ast_clause *clause)
{
    struct lower_target target;
    struct slice scheme, authority, rest;
    const struct ast_word *url = clause->words;

    if (!url || url->next || !lower_split_absolute(url->text, &scheme, &authority, &rest) ||
        scheme.size == 0) {
        lower_bad_value(lower, clause, "one URL as \"https://example.com/why\"");
        return;
    }
    if (!lower_target(lower, scope, lower_word_of(url), LOWER_LITERAL, NULL, &target))
        return;
    add_header(lower, scope, clause->span, SLICE("Link"),
               slice_from_string(arena_printf(lower->arena, "<%.*s>; rel=\"blocked-by\"",
                                              (int)target.text.size, target.text.data)));
}
