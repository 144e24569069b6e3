/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions add up from block to block; equal ones count once, and their order says nothing. */
#include "config.h"

#include "rulec/lower_condition.h"

#include "rulec/lower_value.h"

static int compare_conditions(const struct plan_condition *a, const struct plan_condition *b)
{
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    if (a->is_unless != b->is_unless)
        return a->is_unless ? 1 : -1;
    for (uint32_t i = 0; i < a->value_count && i < b->value_count; i++) {
        int order = slice_compare(a->values[i], b->values[i]);
        if (order)
            return order;
    }
    return (a->value_count > b->value_count) - (a->value_count < b->value_count);
}

void lower_add_condition(struct lower *lower, struct lower_scope *scope,
                         const struct plan_condition *condition)
{
    struct plan_condition *all =
        arena_array(lower->arena, scope->condition_count + 1, sizeof(*all));
    uint32_t count = 0, from = 0;

    while (from < scope->condition_count &&
           compare_conditions(&scope->conditions[from], condition) < 0) {
        all[count++] = scope->conditions[from++];
    }
    if (from < scope->condition_count &&
        compare_conditions(&scope->conditions[from], condition) == 0)
        return;
    all[count++] = *condition;
    while (from < scope->condition_count)
        all[count++] = scope->conditions[from++];
    scope->conditions = all;
    scope->condition_count = count;
}

static bool judge_method(struct lower *lower, const struct ast_word *word)
{
    struct slice method = word->text;
    bool has_lower = false;

    for (size_t i = 0; i < method.size; i++) {
        char byte = method.data[i];
        bool is_token = (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
                        (byte >= 'a' && byte <= 'z') ||
                        (byte && strchr("!#$%&'*+-.^_`|~", byte));

        has_lower |= byte >= 'a' && byte <= 'z';
        if (is_token)
            continue;
        diag_error(lower->diag, DIAG_BAD_VALUE, word->span, "\"%.*s\" is no method",
                   LOWER_SHOW(method));
        return false;
    }
    if (has_lower) {
        diag_warning(lower->diag, DIAG_METHOD_CASE, word->span,
                     "\"%.*s\" has small letters: case counts in a method, and no client is "
                     "known to send this one",
                     LOWER_SHOW(method));
        char *upper = arena_string(lower->arena, method);
        for (char *at = upper; *at; at++) {
            if (*at >= 'a' && *at <= 'z')
                *at = (char)(*at - 32);
        }
        diag_help(lower->diag, "write \"%s\"", upper);
    }
    return true;
}

static bool judge_scheme(struct lower *lower, const struct ast_word *word)
{
    if (lower_is_word(word, "http") || lower_is_word(word, "https"))
        return true;
    diag_error(lower->diag, DIAG_BAD_VALUE, word->span,
               "\"%.*s\" is no scheme that a request comes by: http or https",
               LOWER_SHOW(word->text));
    return false;
}

void lower_condition(struct lower *lower, struct lower_scope *scope,
                     const struct ast_clause *clause)
{
    static const char *const later[] = {
        [AST_CONDITION_HEADER] = "when header", [AST_CONDITION_COOKIE] = "when cookie",
        [AST_CONDITION_ACCEPT] = "when accept", [AST_CONDITION_LANGUAGE] = "when language",
        [AST_CONDITION_QUERY] = "when query",   [AST_CONDITION_CLIENT] = "when client",
        [AST_CONDITION_ENV] = "when env",       [AST_CONDITION_FLAG] = "when flag",
        [AST_CONDITION_CHANCE] = "when chance", [AST_CONDITION_BUSY] = "when busy",
    };
    bool is_method = clause->condition == AST_CONDITION_METHOD;
    struct plan_condition condition = { .kind = is_method ? PLAN_CONDITION_METHOD
                                                          : PLAN_CONDITION_SCHEME,
                                        .is_unless = clause->kind == AST_CLAUSE_UNLESS };

    if (!is_method && clause->condition != AST_CONDITION_SCHEME) {
        const char *what = later[clause->condition];
        lower_refuse(lower, clause->span,
                     condition.is_unless ? arena_printf(lower->arena, "unless%s", what + 4)
                                         : what);
        return;
    }
    if (!clause->words) {
        lower_bad_value(lower, clause,
                        is_method ? "methods, as in \"GET POST\"" : "\"http\" or \"https\"");
        return;
    }
    condition.values =
        arena_array(lower->arena, lower_word_count(clause->words), sizeof(*condition.values));
    for (const struct ast_word *word = clause->words; word; word = word->next) {
        if (!(is_method ? judge_method(lower, word) : judge_scheme(lower, word)))
            return;
        /* HEAD counts as GET everywhere (docs/language.md, "Clauses"). */
        condition.values[condition.value_count++] =
            is_method && lower_is_word(word, "HEAD") ? SLICE("GET") : word->text;
    }
    condition.value_count = lower_sort_slices(condition.values, condition.value_count);
    lower_add_condition(lower, scope, &condition);
}
