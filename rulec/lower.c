/* SPDX-License-Identifier: Apache-2.0 */
/* Walks the tree with the scope of each block and hands every item to the file that knows
 * it. */
#include "config.h"

#include "rulec/lower.h"

#include "rulec/lower_clause.h"
#include "rulec/lower_expect.h"
#include "rulec/lower_host.h"
#include "rulec/lower_rule.h"
#include "rulec/lower_status.h"
#include "rulec/lower_table.h"

#include <stdlib.h>
#include <time.h>

/* A clause in a rule's own braces that this rule can never use was meant for something else. */
static void judge_body(struct lower *lower, const struct ast_rule *tree,
                       const struct lower_rule *rule, const struct lower_status *status)
{
    for (const struct ast_item *item = tree->body ? tree->body->items : NULL; item;
         item = item->next) {
        const struct ast_clause *clause = item->clause; /* a rule's braces hold clauses only */
        const char *reason = NULL;

        switch (clause->kind) {
        case AST_CLAUSE_STATUS:
            if (rule->has_status)
                reason = "the line says its status already";
            break;
        case AST_CLAUSE_CACHE:
        case AST_CLAUSE_HEADER:
        case AST_CLAUSE_RETRY_AFTER:
        case AST_CLAUSE_BLOCKED_BY:
            if (status->is_pass)
                reason = "a request that is passed on is not answered here";
            break;
        case AST_CLAUSE_QUERY:
            if (!lower_status_redirects(status))
                reason = "without a target there is nothing to add a query to";
            break;
        default:
            break;
        }
        if (!reason)
            continue;
        diag_error(lower->diag, DIAG_MISPLACED_CLAUSE, clause->span,
                   "\"%s\" has no meaning in this rule: %s", lower_clause_name(clause->kind),
                   reason);
    }
}

static void lower_line(struct lower *lower, struct lower_scope *around,
                       const struct ast_rule *tree)
{
    struct lower_scope own;
    struct lower_scope *scope = around;
    struct lower_rule rule = { .reading = LOWER_PATTERN,
                               .source = lower_word_of(&tree->source),
                               .source_is_regex = tree->source_is_regex,
                               .by = tree->by,
                               .span = tree->span };

    if (tree->body) {
        own = *around;
        scope = &own;
        lower_clauses(lower, tree->body, scope, NULL);
        /* In a rule's own braces it holds for the rule, whose source stands before them. */
        for (const struct lower_allow *allow = own.allows; allow != around->allows;
             allow = allow->outer) {
            diag_allow(lower->diag, allow->code, tree->span);
        }
    }
    if (tree->target) {
        rule.has_target = true;
        rule.target = lower_word_of(tree->target);
    }
    if (tree->status) {
        rule.has_status = true;
        rule.status_span = tree->status->span;
        if (!lower_status_of(lower, tree->status, &rule.status))
            return;
    }
    judge_body(lower, tree, &rule, rule.has_status ? &rule.status : &scope->status);
    lower_rule(lower, scope, &rule);
}

static void lower_lines(struct lower *lower, struct lower_scope *scope, const struct ast_lines *lines)
{
    for (uint32_t i = 0; i < lines->count; i++) {
        struct ast_word target;
        struct ast_rule rule = ast_line_rule(lines, i, &target);

        lower_line(lower, scope, &rule);
    }
}

/* An included text has places of its own: what is allowed around it is allowed in it. */
static void allow_in(struct lower *lower, const struct lower_scope *scope,
                     const struct ast_block *block)
{
    for (const struct lower_allow *allow = scope->allows; allow; allow = allow->outer) {
        diag_allow(lower->diag, allow->code, block->span);
    }
}

static bool enter_site(struct lower *lower, struct lower_scope *scope,
                       const struct ast_block *block)
{
    struct span words = block->words ? block->words->span : block->span;

    if (scope->is_in_site) {
        diag_error(lower->diag, DIAG_SITE_IN_SITE, words, "a site stands inside a site");
        diag_note(lower->diag, scope->site_span, "the site around it");
        return false;
    }
    for (const struct ast_word *word = block->words; word; word = word->next)
        words.end = word->span.end;
    scope->is_in_site = true;
    scope->site_span = words;
    return lower_site(lower, block->words, words, &scope->site);
}

static void lower_block(struct lower *lower, const struct lower_scope *around,
                        const struct ast_block *block)
{
    struct lower_scope scope = *around;

    if (block->kind == AST_BLOCK_INCLUDE)
        allow_in(lower, around, block);
    if (block->kind == AST_BLOCK_SITE && !enter_site(lower, &scope, block))
        return;
    lower_clauses(lower, block, &scope, NULL);
    for (const struct ast_item *item = block->items; item; item = item->next) {
        switch (item->kind) {
        case AST_RULE:
            lower_line(lower, &scope, item->rule);
            break;
        case AST_LINES:
            lower_lines(lower, &scope, item->lines);
            break;
        case AST_BLOCK:
            lower_block(lower, &scope, item->block);
            break;
        case AST_TABLE:
            lower_table(lower, &scope, item->table);
            break;
        case AST_EXPECT:
            lower_expect(lower, &scope, item->expect);
            break;
        case AST_CLAUSE:
            break; /* part of the scope by now */
        }
    }
}

void lower(const struct ast *ast, struct diag *diag, struct plan *plan)
{
    struct lower state = { .arena = plan->arena,
                           .sources = ast->sources,
                           .diag = diag,
                           .plan = plan,
                           .now_s = plan->now_s ? plan->now_s : (int64_t)time(NULL) };
    struct lower_scope scope = { .status = lower_status_default };

    plan_reserve_rules(plan, ast->rule_count < UINT32_MAX ? (uint32_t)ast->rule_count : 0);
    lower_block(&state, &scope, ast->files);
    free(state.scratch);
    free(state.skeleton);
    bytes_free(&state.written);
}
