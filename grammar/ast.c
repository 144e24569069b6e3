/* SPDX-License-Identifier: Apache-2.0 */
/* Makes nodes. A rule, which there may be millions of, is one piece of memory with its item and
 * its target. */
#include "config.h"

#include "grammar/ast_make.h"
#include "grammar/parse.h"

struct ast *ast_open(struct arena *arena, struct source_set *sources)
{
    struct ast *ast = arena_alloc(arena, sizeof(*ast));

    ast->arena = arena;
    ast->sources = sources;
    ast->files = ast_block(arena, AST_BLOCK_FILE, (struct span){ 0, 0 },
                           (struct ast_words){ NULL, NULL }, (struct ast_items){ NULL, NULL });
    return ast;
}

static struct ast_word *copy_word(struct arena *arena, const struct ast_word *word)
{
    struct ast_word *copy = arena_alloc(arena, sizeof(*copy));

    *copy = *word;
    copy->next = NULL;
    return copy;
}

struct ast_words ast_words_one(struct arena *arena, const struct ast_word *word)
{
    struct ast_word *copy = copy_word(arena, word);

    return (struct ast_words){ copy, copy };
}

struct ast_words ast_words_add(struct arena *arena, struct ast_words words,
                               const struct ast_word *word)
{
    struct ast_word *copy = copy_word(arena, word);

    if (words.first == NULL)
        return (struct ast_words){ copy, copy };
    words.last->next = copy;
    return (struct ast_words){ words.first, copy };
}

struct ast_items ast_items_join(struct ast_items items, struct ast_items more)
{
    if (items.first == NULL)
        return more;
    if (more.first == NULL)
        return items;
    items.last->next = more.first;
    return (struct ast_items){ items.first, more.last };
}

struct ast_choices ast_choices_add(struct ast_choices choices, struct ast_choice *choice)
{
    if (choices.first == NULL)
        return (struct ast_choices){ choice, choice, choices.has_broken };
    choices.last->next = choice;
    return (struct ast_choices){ choices.first, choice, choices.has_broken };
}

struct ast_withs ast_withs_add(struct ast_withs withs, struct ast_with *with)
{
    if (withs.first == NULL)
        return (struct ast_withs){ with, with };
    withs.last->next = with;
    return (struct ast_withs){ withs.first, with };
}

static struct ast_items one_item(struct ast_item *item)
{
    return (struct ast_items){ item, item };
}

struct ast_items ast_rule(struct ast *ast, struct span span, const struct ast_rule_parts *parts)
{
    struct whole {
        struct ast_item item;
        struct ast_rule rule;
        struct ast_word target;
    } *whole = arena_alloc(ast->arena, sizeof(*whole));

    whole->item.kind = AST_RULE;
    whole->item.rule = &whole->rule;
    whole->rule = (struct ast_rule){ .source = *parts->source,
                                     .source_is_regex = parts->source_is_regex,
                                     .by = parts->by,
                                     .status = parts->status.first,
                                     .body = parts->body,
                                     .span = span };
    if (parts->target != NULL) {
        whole->target = *parts->target;
        whole->rule.target = &whole->target;
    }
    ast->rule_count++;
    return one_item(&whole->item);
}

struct ast_items ast_lines_item(struct ast *ast, const struct ast_lines *lines)
{
    struct whole {
        struct ast_item item;
        struct ast_lines lines;
    } *whole = arena_alloc(ast->arena, sizeof(*whole));

    whole->item.kind = AST_LINES;
    whole->item.lines = &whole->lines;
    whole->lines = *lines;
    whole->lines.lines = arena_array(arena_passing(ast->arena), lines->count, sizeof(*lines->lines));
    memcpy(whole->lines.lines, lines->lines, lines->count * sizeof(*lines->lines));
    ast->rule_count += lines->count;
    return one_item(&whole->item);
}

static struct ast_word line_word(const struct source *source, uint32_t at, uint16_t size)
{
    return (struct ast_word){ .text = slice_of(source->text.data + (at - source->at), size),
                              .span = { at, at + size } };
}

struct ast_rule ast_line_rule(const struct ast_lines *lines, uint32_t number, struct ast_word *target)
{
    const struct ast_line *line = &lines->lines[number];

    *target = line_word(lines->source, line->target_at, line->target_size);
    return (struct ast_rule){ .source = line_word(lines->source, line->source_at, line->source_size),
                              .target = target,
                              .span = { line->source_at, target->span.end } };
}

struct ast_items ast_clause_item(struct arena *arena, struct ast_clause *clause)
{
    struct ast_item *item = arena_alloc(arena, sizeof(*item));

    item->kind = AST_CLAUSE;
    item->clause = clause;
    return one_item(item);
}

struct ast_block *ast_block(struct arena *arena, enum ast_block_kind kind, struct span span,
                            struct ast_words words, struct ast_items items)
{
    struct ast_block *block = arena_alloc(arena, sizeof(*block));

    block->kind = kind;
    block->span = span;
    block->words = words.first;
    block->items = items.first;
    block->last = items.last;
    return block;
}

struct ast_items ast_block_item(struct arena *arena, enum ast_block_kind kind, struct span span,
                                struct ast_words words, struct ast_items items)
{
    struct ast_item *item = arena_alloc(arena, sizeof(*item));

    item->kind = AST_BLOCK;
    item->block = ast_block(arena, kind, span, words, items);
    return one_item(item);
}

struct ast_items ast_table(struct arena *arena, struct span span, const struct ast_word *file,
                           const struct source *source, struct ast_block *body)
{
    struct ast_item *item = arena_alloc(arena, sizeof(*item));

    item->kind = AST_TABLE;
    item->table = arena_alloc(arena, sizeof(*item->table));
    *item->table =
        (struct ast_table){ .file = *file, .source = source, .body = body, .span = span };
    return one_item(item);
}

struct ast_clause *ast_clause(struct arena *arena, enum ast_clause_kind kind, struct span span,
                              const struct ast_word *keyword, struct ast_words words)
{
    struct ast_clause *clause = arena_alloc(arena, sizeof(*clause));

    clause->kind = kind;
    clause->span = span;
    clause->keyword_span = keyword->span;
    clause->words = words.first;
    return clause;
}

struct ast_clause *ast_clause_condition(struct arena *arena, enum ast_clause_kind kind,
                                        struct span span, const struct ast_word *keyword,
                                        const struct ast_condition *condition)
{
    struct ast_clause *clause = ast_clause(arena, kind, span, keyword, condition->words);

    clause->condition = condition->kind;
    clause->name = condition->name;
    clause->operator= condition->operator;
    return clause;
}

struct ast_by *ast_by(struct arena *arena, enum ast_by_kind kind, struct span span,
                      struct ast_word *name, struct ast_choices choices)
{
    struct ast_by *by = arena_alloc(arena, sizeof(*by));

    *by = (struct ast_by){ .kind = kind, .span = span, .name = name, .choices = choices.first,
                            .has_broken = choices.has_broken };
    return by;
}

static bool starts_a_target(struct slice text)
{
    return slice_starts_with(text, SLICE("/")) || slice_starts_with(text, SLICE("{")) ||
           slice_starts_with(text, SLICE("http:")) || slice_starts_with(text, SLICE("https:"));
}

/* Keys, target, status. A quoted word is a target where it starts as one, or nothing stands behind it. */
struct ast_choice *ast_choice(struct arena *arena, struct span span, struct ast_words words)
{
    struct ast_choice *choice = arena_alloc(arena, sizeof(*choice));
    struct ast_word *before = NULL, *before_quoted = NULL, *before_last = NULL;

    choice->span = span;
    choice->keys = words.first;
    for (struct ast_word *word = words.first; word->next != NULL; word = word->next) {
        if (before == NULL && !word->next->is_quoted && starts_a_target(word->next->text))
            before = word;
        if (word->next->is_quoted &&
            (starts_a_target(word->next->text) || word->next->next == NULL))
            before_quoted = word;
        before_last = word;
    }
    if (before == NULL)
        before = before_quoted;
    if (before != NULL) {
        choice->target = before->next;
        choice->status = choice->target->next;
        choice->target->next = NULL;
    } else if (before_last != NULL) {
        before = before_last;
        choice->status = before->next;
    }
    if (before != NULL)
        before->next = NULL;
    return choice;
}

struct ast_with *ast_with(struct arena *arena, const struct ast_word *name,
                          struct ast_words words)
{
    struct ast_with *with = arena_alloc(arena, sizeof(*with));

    with->name = copy_word(arena, name);
    with->words = words.first;
    return with;
}

struct ast_expect *ast_expect(struct arena *arena, const struct ast_word *method,
                              const struct ast_word *url, struct ast_withs with,
                              struct ast_word *at)
{
    struct ast_expect *expect = arena_alloc(arena, sizeof(*expect));

    expect->method = copy_word(arena, method);
    expect->url = copy_word(arena, url);
    expect->with = with.first;
    expect->at = at;
    return expect;
}

struct ast_items ast_expect_answer(struct arena *arena, struct ast_expect *expect,
                                   struct span span, struct ast_words status,
                                   struct ast_word *target, struct ast_withs headers)
{
    struct ast_item *item = arena_alloc(arena, sizeof(*item));

    expect->span = span;
    expect->status = status.first;
    expect->target = target;
    expect->headers = headers.first;
    if (target == NULL && status.first == status.last &&
        slice_equal(status.first->text, SLICE("pass"))) {
        expect->expects_pass = true;
        expect->status = NULL;
    }
    item->kind = AST_EXPECT;
    item->expect = expect;
    return one_item(item);
}
