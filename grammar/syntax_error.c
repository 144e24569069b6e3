/* SPDX-License-Identifier: Apache-2.0 */
/* Says what the grammar did not expect. The tokens it would take (exact, thanks to parse.lac)
 * tell which part of the language the reader is in, so a keyword is proposed only where it
 * would be right. */
#include "config.h"

#include "grammar/syntax_error.h"

#include "grammar/parser.h"
#include "grammar/suggest.h"

#include <stdio.h>

enum { LIST_LIMIT = 6, LIST_SIZE = 256 };

/* The expected tokens, seen as a person would. */
struct wanted {
    bool word, path, braced, string, url, tilde, arrow, end, open, equal;
    size_t keyword_count; /* 0 where any word would do: a keyword is nothing special there */
};

static bool is_keyword(const char *name)
{
    return name[0] >= 'a' && name[0] <= 'z' && strchr(name, ' ') == NULL;
}

static void look(struct wanted *wanted, const char *name)
{
    const struct {
        const char *name;
        bool *found;
    } known[] = {
        { "a word", &wanted->word },
        { "a path", &wanted->path },
        { "a URL", &wanted->url },
        { "a placeholder", &wanted->braced },
        { "a quoted string", &wanted->string },
        { "~", &wanted->tilde },
        { "->", &wanted->arrow },
        { "=", &wanted->equal },
        { "the end of the line", &wanted->end },
        { "{", &wanted->open },
    };

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strcmp(name, known[i].name) == 0)
            *known[i].found = true;
    wanted->keyword_count += is_keyword(name);
}

static struct wanted look_at_all(const struct syntax_error *error)
{
    struct wanted wanted = { .word = false };

    for (size_t i = 0; i < error->expected_count; i++)
        look(&wanted, error->expected[i]);
    if (wanted.word)
        wanted.keyword_count = 0;
    return wanted;
}

static bool expects(const struct syntax_error *error, const char *name)
{
    for (size_t i = 0; i < error->expected_count; i++)
        if (strcmp(error->expected[i], name) == 0)
            return true;
    return false;
}

/* "a", "a or b", "a, b or c". */
struct list {
    char text[LIST_SIZE];
    size_t size;
    const char *last; /* not yet in text: what stands before it depends on what comes */
};

static void list_flush(struct list *list, const char *before)
{
    int size;

    if (list->last == NULL)
        return;
    size = snprintf(list->text + list->size, sizeof(list->text) - list->size, "%s%s",
                    list->size != 0 ? before : "", list->last);
    if (size > 0)
        list->size += (size_t)size;
    if (list->size >= sizeof(list->text))
        list->size = sizeof(list->text) - 1;
}

static void list_add(struct list *list, bool holds, const char *item)
{
    if (!holds)
        return;
    list_flush(list, ", ");
    list->last = item;
}

static const char *quoted(struct arena *arena, const char *keyword)
{
    return arena_printf(arena, "\"%s\"", keyword);
}

/* What would be right, in words. */
static void describe(struct scan *scan, const struct syntax_error *error,
                     const struct wanted *wanted, struct list *list)
{
    bool is_source = wanted->path && wanted->tilde;
    bool is_value = wanted->word && wanted->path;
    bool is_target = wanted->path && wanted->braced && !is_value;
    bool is_url = wanted->path && !is_source && !is_target && !is_value;

    list_add(list, wanted->arrow, "\"->\"");
    list_add(list, is_source, "a rule");
    list_add(list, is_source, "a clause");
    list_add(list, is_source, "a block");
    list_add(list, is_value, "a word");
    list_add(list, is_target, "a target");
    list_add(list, is_url, "a path or a URL");
    list_add(list, wanted->word && !is_value,
             scan->line_first == TOK_EXPECT && !wanted->arrow && !wanted->end && !wanted->open
                 ? "a word"
                 : "a status");
    list_add(list, wanted->string && !wanted->path, "a quoted string");
    list_add(list, wanted->equal, "\"=\"");
    list_add(list, wanted->tilde && !is_source, "\"~\"");
    if (!is_source && wanted->keyword_count > LIST_LIMIT)
        list_add(list, true, expects(error, "status") ? "a clause" : "a condition");
    else if (!is_source)
        for (size_t i = 0; i < error->expected_count && wanted->keyword_count != 0; i++)
            list_add(list, is_keyword(error->expected[i]),
                     quoted(scan->arena, error->expected[i]));
    list_add(list, wanted->open, "\"{\"");
    list_add(list, wanted->end, "the end of the line");
    list_flush(list, " or ");
}

static const char *nearest_keyword(const struct syntax_error *error, struct slice word)
{
    struct suggest suggest = { .word = word };

    for (size_t i = 0; i < error->expected_count; i++)
        if (is_keyword(error->expected[i]))
            suggest_try(&suggest, error->expected[i]);
    return suggest.best;
}

/* For who comes from another configuration language. */
static bool is_foreign_directive(struct slice word)
{
    static const char *const names[] = { "Redirect",     "RedirectMatch", "RedirectPermanent",
                                         "RedirectTemp", "RewriteRule",   "RewriteCond",
                                         "rewrite",      "return",        "redirect",
                                         "location" };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (slice_equal(word, slice_from_string(names[i])))
            return true;
    return false;
}

static void report_unknown_word(struct scan *scan, struct span span,
                                const struct syntax_error *error, const struct wanted *wanted)
{
    struct slice word = scan_text(scan, span);
    const char *nearest = nearest_keyword(error, word);
    bool is_condition = expects(error, "busy") && expects(error, "method");

    diag_error(scan->diag, DIAG_UNKNOWN_WORD, span, "unknown %s \"%.*s\"",
               is_condition ? "condition" : "word", (int)word.size, word.data);
    if (wanted->path && is_foreign_directive(word)) {
        diag_help(scan->diag, "a redirect is written: /old -> /new permanent");
    } else if (nearest != NULL) {
        diag_help(scan->diag, "did you mean \"%s\"?", nearest);
    } else if (is_condition) {
        diag_help(scan->diag, "conditions are: accept, busy, chance, client, cookie, env, "
                              "flag, header, language, "
                              "method, query, scheme");
    } else if (wanted->path) {
        diag_help(
            scan->diag,
            "a source starts with \"/\", \"//\", \"http://\", \"https://\", \"~\" or a quote; "
            "anything else here is a keyword");
    } else {
        struct list list = { .size = 0 };

        describe(scan, error, wanted, &list);
        diag_help(scan->diag, "expected %s", list.text);
    }
}

static bool is_status(struct slice word)
{
    static const char *const names[] = { "temporary", "permanent",
                                         "found",     "moved",
                                         "see-other", "gone",
                                         "pass",      "unavailable-for-legal-reasons" };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (slice_equal(word, slice_from_string(names[i])))
            return true;
    return word.size == 3 && word.data[0] >= '1' && word.data[0] <= '9';
}

static void report_no_target(struct scan *scan, struct span span,
                             const struct syntax_error *error)
{
    struct slice word = scan_text(scan, span);
    const char *nearest = nearest_keyword(error, word);

    diag_error(scan->diag, DIAG_NOT_A_TARGET, span, "\"%.*s\" is no target", (int)word.size,
               word.data);
    if (is_status(word))
        diag_help(scan->diag,
                  "a rule without a target has no arrow: SOURCE %.*s; with one, the status "
                  "stands behind it",
                  (int)word.size, word.data);
    else if (nearest != NULL)
        diag_help(scan->diag, "did you mean \"%s\"?", nearest);
    else if (slice_starts_with(word, SLICE("http/")) || slice_starts_with(word, SLICE("https/")))
        diag_help(scan->diag, "write it as in https://host/path");
    else if (slice_starts_with(word, SLICE("www.")))
        diag_help(scan->diag, "a target on another host is a whole URL: https://%.*s",
                  (int)word.size, word.data);
    else if (memchr(word.data, '.', word.size) != NULL &&
             memchr(word.data, ':', word.size) == NULL)
        diag_help(scan->diag, "a path starts with \"/\": /%.*s; another host is a whole URL: https://%.*s",
                  (int)word.size, word.data, (int)word.size, word.data);
    else
        diag_help(scan->diag,
                  "a target starts with \"/\", \"{\", \"http:\", \"https:\" or a quote");
}

/* The line up to there. */
static struct slice line_before(const struct scan *scan, struct span span)
{
    size_t end = span.at - scan->source->at, start = end;
    const char *text = scan->source->text.data;

    while (start > 0 && text[start - 1] != '\n')
        start--;
    return slice_of(text + start, end - start);
}

static bool contains(struct slice text, struct slice part)
{
    for (; text.size >= part.size; text = slice_of(text.data + 1, text.size - 1))
        if (slice_starts_with(text, part))
            return true;
    return false;
}

/* What people and their word processors write instead of "->". */
static bool has_other_arrow(struct slice line)
{
    return contains(line, SLICE("\u2192")) || contains(line, SLICE("\u21d2")) || contains(line, SLICE("=>")) ||
           contains(line, SLICE("-->")) || contains(line, SLICE("\u2013>")) || contains(line, SLICE("\u2014>"));
}

/* A rule of two words, most likely. */
static bool lacks_arrow(const struct scan *scan)
{
    return !scan->line_has_arrow &&
           (scan->line_first == TOK_PATH || scan->line_first == TOK_URL ||
            scan->line_first == TOK_STRING || scan->line_first == TOK_TILDE);
}

static void help_with_syntax(struct scan *scan, struct span span,
                             const struct syntax_error *error, const struct wanted *wanted)
{
    bool is_path =
        strcmp(error->unexpected, "a path") == 0 || strcmp(error->unexpected, "a URL") == 0;
    bool is_end = strcmp(error->unexpected, "the end of the line") == 0;

    struct slice line = line_before(scan, span);

    if (!scan->line_has_arrow && has_other_arrow(line)) {
        diag_help(scan->diag, "the arrow is written \"->\", between blanks");
    } else if (wanted->arrow && contains(line, SLICE("->"))) {
        diag_help(scan->diag, "\"->\" stands between blanks");
    } else if (wanted->tilde && wanted->path && strcmp(error->unexpected, "->") == 0) {
        diag_help(scan->diag, "the source stands before \"->\"");
    } else if (lacks_arrow(scan) && (is_path || strcmp(error->unexpected, "=") == 0)) {
        diag_help(scan->diag, "write \"->\" between the source and the target");
    } else if (wanted->string && !wanted->path) {
        diag_help(scan->diag, "a regex is written in quotes");
    } else if (wanted->open && is_end && !wanted->end) {
        diag_help(scan->diag, "a block begins on the line that names it");
        scan->no_block_at = span.at;
    } else if (wanted->end && !is_end && strcmp(error->unexpected, "{") != 0 &&
               strcmp(error->unexpected, "->") != 0 && strcmp(error->unexpected, "=") != 0 &&
               strcmp(error->unexpected, "~") != 0 && !is_path) {
        diag_help(scan->diag, "a text with blanks is written in quotes; a second clause on the "
                              "line comes after \";\"");
    }
}

/* The token as it was written, or what it stands for. */
static const char *name_unexpected(struct scan *scan, struct span span, const char *name)
{
    struct slice text = scan_text(scan, span), whole = scan->source->text;
    size_t at = span.at - scan->source->at;

    if (strcmp(name, "the end of the file") == 0)
        return name;
    if (strncmp(name, "the ", 4) == 0 || text.size == 0) /* what ends a line is not always its end */
        return at < whole.size && whole.data[at] == '}' ? "\"}\""
               : at < whole.size && whole.data[at] == ';' ? "\";\""
                                                          : "the end of the line";
    if (text.data[0] == '"')
        return "a string";
    return arena_printf(scan->arena, "\"%.*s\"",
                        (int)(text.size < LIST_SIZE ? text.size : LIST_SIZE), text.data);
}

/* A rule or a block in braces that hold clauses: most often the closing brace before it was
 * forgotten, so it is said once for each pair of braces. */
static bool is_item_among_clauses(const struct scan *scan, const struct syntax_error *error)
{
    static const char *const starts[] = { "a path",  "a URL", "site",  "group",
                                          "include", "table", "expect" };

    if (!expects(error, "status") || expects(error, "site") || scan->depth == 0 ||
        scan->depth > PARSE_NESTING_LIMIT)
        return false;
    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
        if (strcmp(error->unexpected, starts[i]) == 0)
            return true;
    return false;
}

static void report_item_among_clauses(struct scan *scan, struct span span,
                                      const struct syntax_error *error)
{
    struct span open = scan->open[scan->depth - 1];

    if (scan->odd_block_at == open.at)
        return;
    scan->odd_block_at = open.at;
    diag_error(scan->diag, DIAG_SYNTAX, span, "expected a clause, not %s",
               name_unexpected(scan, span, error->unexpected));
    diag_note(scan->diag, open, "the braces opened here hold clauses only");
}

/* The block of a line that should have begun before the line's end: that was said there. */
static bool is_echo(struct scan *scan, struct span span)
{
    struct slice between;

    if (scan->no_block_at == 0)
        return false;
    between = scan_text(scan, (struct span){ scan->no_block_at, span.at });
    scan->no_block_at = 0;
    for (size_t i = 0; i < between.size; i++)
        if (strchr(" \t\r\n", between.data[i]) == NULL)
            return false;
    return true;
}

void syntax_error(struct scan *scan, struct span span, const struct syntax_error *error)
{
    struct wanted wanted = look_at_all(error);
    bool is_word = strcmp(error->unexpected, "a word") == 0;
    bool is_known = is_keyword(error->unexpected);
    struct list list = { .size = 0 };

    if (strcmp(error->unexpected, "{") == 0 && is_echo(scan, span))
        return;
    if (is_item_among_clauses(scan, error)) {
        report_item_among_clauses(scan, span, error);
        return;
    }
    if ((is_word || is_known) && wanted.path && wanted.braced && !wanted.word && !wanted.end) {
        report_no_target(scan, span, error);
        return;
    }
    if (is_word && wanted.keyword_count != 0 && !wanted.end && !wanted.open) {
        report_unknown_word(scan, span, error, &wanted);
        return;
    }
    describe(scan, error, &wanted, &list);
    diag_error(scan->diag, DIAG_SYNTAX, span, "expected %s, not %s", list.text,
               name_unexpected(scan, span, error->unexpected));
    help_with_syntax(scan, span, error, &wanted);
}
