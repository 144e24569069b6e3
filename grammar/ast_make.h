/* SPDX-License-Identifier: Apache-2.0 */
/* The makers of ast.h's nodes: one call for each action of the grammar. Inside grammar/ only.
 * */
#ifndef GRAMMAR_AST_MAKE_H
#define GRAMMAR_AST_MAKE_H

#include "grammar/ast.h"

/* Lists while they are read: the tail is known, so each item is added at once. */
struct ast_words {
    struct ast_word *first, *last;
};
struct ast_items {
    struct ast_item *first, *last;
};
struct ast_choices {
    struct ast_choice *first, *last;
    bool has_broken; /* a line had a mistake, which was told */
};
struct ast_withs {
    struct ast_with *first, *last;
};

/* ---- lists ---- */
struct ast_words ast_words_one(struct arena *arena, const struct ast_word *word);
struct ast_words ast_words_add(struct arena *arena, struct ast_words words,
                               const struct ast_word *word);
struct ast_items ast_items_join(struct ast_items items, struct ast_items more);
struct ast_choices ast_choices_add(struct ast_choices choices, struct ast_choice *choice);
struct ast_withs ast_withs_add(struct ast_withs withs, struct ast_with *with);

/* ---- items: each a list of one ---- */
/* What a rule consists of; the words are copied. */
struct ast_rule_parts {
    const struct ast_word *source;
    bool source_is_regex;
    const struct ast_word *target; /* NULL: none */
    struct ast_by *by;
    struct ast_words status;
    struct ast_block *body;
};
struct ast_items ast_rule(struct ast *ast, struct span span,
                          const struct ast_rule_parts *parts);
/* The lines are copied. */
struct ast_items ast_lines_item(struct ast *ast, const struct ast_lines *lines);
struct ast_items ast_clause_item(struct arena *arena, struct ast_clause *clause);
struct ast_items ast_block_item(struct arena *arena, enum ast_block_kind kind, struct span span,
                                struct ast_words words, struct ast_items items);
struct ast_items ast_table(struct arena *arena, struct span span, const struct ast_word *file,
                           const struct source *source, struct ast_block *body);

/* ---- parts ---- */
struct ast_block *ast_block(struct arena *arena, enum ast_block_kind kind, struct span span,
                            struct ast_words words, struct ast_items items);
struct ast_clause *ast_clause(struct arena *arena, enum ast_clause_kind kind, struct span span,
                              const struct ast_word *keyword, struct ast_words words);
/* The condition of a when or unless, which ast_clause_condition() then completes. */
struct ast_condition {
    enum ast_condition_kind kind;
    struct ast_word *name;
    enum ast_operator operator;
    struct ast_words words;
};
struct ast_clause *ast_clause_condition(struct arena *arena, enum ast_clause_kind kind,
                                        struct span span, const struct ast_word *keyword,
                                        const struct ast_condition *condition);
struct ast_by *ast_by(struct arena *arena, enum ast_by_kind kind, struct span span,
                      struct ast_word *name, struct ast_choices choices);
/* Parts keys, target and status of a line; the keys may be any words, so only the first word
 * that can be a target (or, without one, the last quoted one that starts so, or that is the last
 * word) is taken for it, and without a target the last word for a status. */
struct ast_choice *ast_choice(struct arena *arena, struct span span, struct ast_words words);
struct ast_with *ast_with(struct arena *arena, const struct ast_word *name,
                          struct ast_words words);

/* EXPECT METHOD URL with at; what is expected is set by ast_expect_answer(). */
struct ast_expect *ast_expect(struct arena *arena, const struct ast_word *method,
                              const struct ast_word *url, struct ast_withs with,
                              struct ast_word *at);
struct ast_items ast_expect_answer(struct arena *arena, struct ast_expect *expect,
                                   struct span span, struct ast_words status,
                                   struct ast_word *target, struct ast_withs headers);

#endif
