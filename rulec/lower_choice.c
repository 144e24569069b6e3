/* SPDX-License-Identifier: Apache-2.0 */
/* Lines in the order written: keys, then what a rule has behind its source. A key that stands twice would never be
 * taken the second time, so it is a mistake. */
#include "config.h"

#include "rulec/lower_choice.h"

#include "rulec/lower_operand.h"
#include "rulec/lower_status.h"
#include "rulec/lower_target.h"
#include "rulec/lower_value.h"

#include <stdlib.h>

enum { LINE_LIMIT = 256, KEY_LIMIT = 1024, WEIGHT_LIMIT = 1000000 };

struct choice_kind {
    enum plan_by by;
    const char *name;
    bool (*read_key)(struct lower *lower, const struct ast_word *word,
                     struct slice *key); /* NULL: weights */
};

static const struct choice_kind choice_kinds[] = {
    [AST_BY_ACCEPT] = { PLAN_BY_ACCEPT, "by accept", lower_media_type },
    [AST_BY_LANGUAGE] = { PLAN_BY_LANGUAGE, "by language", lower_language },
    [AST_BY_HEADER] = { PLAN_BY_HEADER, "by header", lower_field_value },
    [AST_BY_COOKIE] = { PLAN_BY_COOKIE, "by cookie", lower_cookie_value },
    [AST_BY_METHOD] = { PLAN_BY_METHOD, "by method", lower_method },
    [AST_BY_CLIENT] = { PLAN_BY_CLIENT, "by client", NULL },
    [AST_BY_CHANCE] = { PLAN_BY_CHANCE, "by chance", NULL },
};

struct reader {
    struct lower *lower;
    const struct lower_scope *scope;
    const struct lower_source *source;
    const struct choice_kind *kind;
    struct plan_choice *choice;
    const struct ast_choice *otherwise;      /* the line that has it, so far */
    const struct ast_word *words[KEY_LIMIT]; /* each key as it was written */
    struct slice keys[KEY_LIMIT];
    uint32_t key_count;
};

static bool bad_choice(struct reader *reader, struct span span, const char *message,
                       const char *help)
{
    diag_error(reader->lower->diag, DIAG_BAD_CHOICE, span, "%s", message);
    if (help)
        diag_help(reader->lower->diag, "%s", help);
    return false;
}

static bool read_weight(struct reader *reader, const struct ast_choice *tree,
                        struct plan_choice_line *line)
{
    const struct ast_word *word = tree->keys;

    if (lower_is_word(word, "otherwise") && !word->is_quoted) {
        return bad_choice(reader, word->span,
                          "\"otherwise\" has no meaning here: one of the lines is always taken",
                          "write a weight, as in \"30 https://b.example/\"");
    }
    if (!word->next && lower_count(word->text, WEIGHT_LIMIT, &line->weight))
        return true;
    diag_error(reader->lower->diag, DIAG_BAD_CHOICE, word->span,
               "a line of \"%s\" starts with its weight, a whole number from 1 to %d",
               reader->kind->name, WEIGHT_LIMIT);
    diag_help(reader->lower->diag,
              "weights need not add up to 100: \"2 /a; 1 /b\" is two thirds and one third");
    return false;
}

/* True where it is new. GET and HEAD are one key, and may stand together. */
static bool judge_double(struct reader *reader, uint32_t line_start,
                         const struct ast_word *word, struct slice key, bool *is_kept)
{
    *is_kept = true;
    for (uint32_t i = 0; i < reader->key_count; i++) {
        if (!slice_equal(reader->keys[i], key))
            continue;
        if (i >= line_start && !slice_equal(reader->words[i]->text, word->text)) {
            *is_kept = false;
            return true;
        }
        diag_error(reader->lower->diag, DIAG_BAD_CHOICE, word->span,
                   "\"%.*s\" stands in this choice twice", LOWER_SHOW(word->text));
        diag_note(reader->lower->diag, reader->words[i]->span,
                  "the first one, which is always taken");
        return false;
    }
    return true;
}

static bool read_otherwise(struct reader *reader, const struct ast_choice *tree,
                           const struct ast_word *word, struct plan_choice_line *line)
{
    if (reader->otherwise) {
        bad_choice(reader, word->span, "\"otherwise\" stands in this choice twice", NULL);
        diag_note(reader->lower->diag, reader->otherwise->span, "the first one");
        return false;
    }
    reader->otherwise = tree;
    line->is_otherwise = true;
    return true;
}

static bool read_keys(struct reader *reader, const struct ast_choice *tree,
                      struct plan_choice_line *line)
{
    uint32_t start = reader->key_count;

    for (const struct ast_word *word = tree->keys; word; word = word->next) {
        struct slice key;
        bool is_kept;

        if (lower_is_word(word, "otherwise") && !word->is_quoted) {
            if (!read_otherwise(reader, tree, word, line))
                return false;
            continue;
        }
        if (reader->key_count == KEY_LIMIT) {
            diag_error(reader->lower->diag, DIAG_TOO_LARGE, word->span,
                       "more than %d keys in a choice", KEY_LIMIT);
            return false;
        }
        if (!reader->kind->read_key(reader->lower, word, &key) ||
            !judge_double(reader, start, word, key, &is_kept)) {
            return false;
        }
        if (!is_kept)
            continue;
        reader->words[reader->key_count] = word;
        reader->keys[reader->key_count++] = key;
    }
    line->key_count = reader->key_count - start;
    line->keys = arena_array(reader->lower->arena, line->key_count, sizeof(*line->keys));
    if (line->key_count)
        memcpy(line->keys, reader->keys + start, line->key_count * sizeof(*line->keys));
    return true;
}

static bool read_status(struct reader *reader, const struct ast_choice *tree,
                        struct plan_choice_line *line)
{
    struct lower_status status;

    if (!tree->status) {
        if (tree->target)
            return true;
        return bad_choice(reader, tree->span, "this line has neither a target nor a status",
                          "a line is keys, then a target, a status, or both");
    }
    if (!lower_status_of(reader->lower, tree->status, &status))
        return false;
    if (status.is_pass) {
        return bad_choice(
            reader, tree->status->span, "a line of a choice cannot be \"pass\"",
            "a choice without \"otherwise\" lets go what none of its lines names");
    }
    if (tree->target && !lower_status_redirects(&status)) {
        diag_error(reader->lower->diag, DIAG_UNEXPECTED_TARGET, tree->target->span,
                   "status %u is no redirect, and \"%.*s\" is read as the target of this line",
                   (unsigned)status.get, (int)tree->target->text.size, tree->target->text.data);
        diag_help(reader->lower->diag,
                  "leave the target away; a key that looks like one stands first on a line of its own");
        return false;
    }
    if (!tree->target && lower_status_redirects(&status)) {
        diag_error(reader->lower->diag, DIAG_MISSING_TARGET, tree->status->span,
                   "status %u is a redirect and needs a target", (unsigned)status.get);
        diag_help(reader->lower->diag, "a line is keys, then a target, a status, or both");
        return false;
    }
    line->status_get = status.get;
    line->status_other = status.other;
    return true;
}

static bool read_line(struct reader *reader, const struct ast_choice *tree,
                      struct plan_choice_line *line)
{
    struct lower_target target;

    if (!(reader->kind->read_key ? read_keys(reader, tree, line)
                                 : read_weight(reader, tree, line)))
        return false;
    if (!read_status(reader, tree, line))
        return false;
    if (!tree->target)
        return true;
    if (!lower_target(reader->lower, reader->scope, lower_word_of(tree->target), LOWER_PATTERN,
                      reader->source, &target))
        return false;
    line->target = target.text;
    line->template = target.template;
    line->target_at = tree->target->span.at;
    return true;
}

static bool read_name(struct reader *reader, const struct ast_by *by)
{
    if (!by->name)
        return true;
    reader->choice->name = by->name->text;
    return lower_token(reader->lower, by->name,
                       by->kind == AST_BY_COOKIE ? "cookie" : "header field");
}

struct plan_choice *lower_choice(struct lower *lower, const struct lower_scope *scope,
                                 const struct ast_by *by, const struct lower_source *source)
{
    struct reader *reader =
        memory_resize(NULL, 1, sizeof(*reader)); /* too large for a stack's comfort */
    struct plan_choice *choice = arena_alloc(lower->arena, sizeof(*choice));
    uint32_t count = 0;
    bool is_good;

    *reader = (struct reader){ .lower = lower,
                               .scope = scope,
                               .source = source,
                               .kind = &choice_kinds[by->kind],
                               .choice = choice };
    choice->by = reader->kind->by;
    is_good = read_name(reader, by);
    for (const struct ast_choice *line = by->choices; line; line = line->next)
        count++;
    if (count == 0 && !by->has_broken)
        bad_choice(reader, by->span, "this choice has no line", NULL);
    is_good &= count != 0;
    if (count > LINE_LIMIT) {
        diag_error(lower->diag, DIAG_TOO_LARGE, by->span, "more than %d lines in a choice",
                   LINE_LIMIT);
        is_good = false;
    } else {
        choice->lines = arena_array(lower->arena, count, sizeof(*choice->lines));
        for (const struct ast_choice *line = by->choices; line; line = line->next)
            is_good &= read_line(reader, line, &choice->lines[choice->line_count++]);
    }
    free(reader);
    return is_good ? choice : NULL;
}
