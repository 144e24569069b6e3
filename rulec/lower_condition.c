/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions are kept in the order in which the engine asks them (enum plan_condition_kind), so equal sets are equal
 * rows. Two of one kind both hold, or one stays where they are the same: but two draws of chance are two. */
#include "config.h"

#include "rulec/lower_condition.h"

#include "rulec/lower_operand.h"
#include "rulec/lower_regex.h"
#include "rulec/lower_value.h"

#include <stdlib.h>

enum { VALUE_LIMIT = 4096, CONDITION_LIMIT = 256 };

static int compare_numbers(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int compare_values(const struct plan_condition *a, const struct plan_condition *b)
{
    for (uint32_t i = 0; i < a->value_count && i < b->value_count; i++) {
        int order = slice_compare(a->values[i], b->values[i]);

        if (order)
            return order;
    }
    return compare_numbers(a->value_count, b->value_count);
}

static int compare_networks(const struct plan_network *a, const struct plan_network *b)
{
    if (a->family != b->family)
        return compare_numbers(a->family, b->family);
    int order = memcmp(a->address, b->address, sizeof(a->address));
    return order ? order : compare_numbers(a->prefix, b->prefix);
}

static int compare_conditions(const struct plan_condition *a, const struct plan_condition *b)
{
    int orders[] = { compare_numbers(a->kind, b->kind),
                     compare_numbers(a->is_unless, b->is_unless),
                     slice_compare(a->name, b->name),
                     compare_numbers(a->operator, b->operator),
                     compare_values(a, b),
                     compare_numbers(a->network_count, b->network_count),
                     compare_numbers(a->share, b->share),
                     compare_numbers(a->from_s, b->from_s),
                     compare_numbers(a->until_s, b->until_s),
                     compare_numbers(a->zone, b->zone),
                     compare_numbers(a->days, b->days),
                     compare_numbers(a->start_s, b->start_s),
                     compare_numbers(a->end_s, b->end_s) };
    int order = 0;

    for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]) && order == 0; i++)
        order = orders[i];
    for (uint32_t i = 0; order == 0 && i < a->network_count; i++)
        order = compare_networks(&a->networks[i], &b->networks[i]);
    return order;
}

void lower_add_condition(struct lower *lower, struct lower_scope *scope,
                         const struct plan_condition *condition)
{
    struct plan_condition *all =
        arena_array(lower->arena, scope->condition_count + 1, sizeof(*all));
    uint32_t count = 0, from = 0;

    while (from < scope->condition_count &&
           compare_conditions(&scope->conditions[from], condition) < 0)
        all[count++] = scope->conditions[from++];
    if (from < scope->condition_count && condition->kind != PLAN_CONDITION_CHANCE &&
        compare_conditions(&scope->conditions[from], condition) == 0) {
        return;
    }
    all[count++] = *condition;
    while (from < scope->condition_count)
        all[count++] = scope->conditions[from++];
    scope->conditions = all;
    scope->condition_count = count;
}

static bool read_scheme(struct lower *lower, const struct ast_word *word, struct slice *scheme)
{
    *scheme = word->text;
    if (slice_equal(word->text, SLICE("http")) || slice_equal(word->text, SLICE("https")))
        return true;
    diag_error(lower->diag, DIAG_BAD_VALUE, word->span,
               "\"%.*s\" is no scheme that a request comes by: http or https",
               LOWER_SHOW(word->text));
    return false;
}

static bool read_field_name(struct lower *lower, const struct ast_word *word,
                            struct slice *name)
{
    *name = word->text;
    return lower_token(lower, word, "header field");
}

static bool read_cookie_name(struct lower *lower, const struct ast_word *word,
                             struct slice *name)
{
    *name = word->text;
    return lower_token(lower, word, "cookie");
}

/* How each condition reads its name and its values; those without read_value have a way of their own. */
static const struct condition_kind {
    enum plan_condition_kind kind;
    bool (*read_name)(struct lower *lower, const struct ast_word *word, struct slice *name);
    bool (*read_value)(struct lower *lower, const struct ast_word *word, struct slice *value);
} condition_kinds[] = {
    [AST_CONDITION_METHOD] = { .kind = PLAN_CONDITION_METHOD, .read_value = lower_method },
    [AST_CONDITION_SCHEME] = { .kind = PLAN_CONDITION_SCHEME, .read_value = read_scheme },
    [AST_CONDITION_HEADER] = { PLAN_CONDITION_HEADER, read_field_name, lower_field_value },
    [AST_CONDITION_COOKIE] = { PLAN_CONDITION_COOKIE, read_cookie_name, lower_cookie_value },
    [AST_CONDITION_ACCEPT] = { .kind = PLAN_CONDITION_ACCEPT, .read_value = lower_media_type },
    [AST_CONDITION_LANGUAGE] = { .kind = PLAN_CONDITION_LANGUAGE,
                                 .read_value = lower_language },
    [AST_CONDITION_QUERY] = { PLAN_CONDITION_QUERY, lower_query_word, lower_query_word },
    [AST_CONDITION_CLIENT] = { .kind = PLAN_CONDITION_CLIENT },
    [AST_CONDITION_ENV] = { PLAN_CONDITION_ENV, lower_env_name, lower_env_value },
    [AST_CONDITION_FLAG] = { .kind = PLAN_CONDITION_FLAG, .read_value = lower_flag },
    [AST_CONDITION_CHANCE] = { .kind = PLAN_CONDITION_CHANCE },
    [AST_CONDITION_BUSY] = { .kind = PLAN_CONDITION_BUSY },
};

static int order_networks(const void *left, const void *right)
{
    return compare_networks(left, right);
}

static bool read_networks(struct lower *lower, const struct ast_word *words,
                          struct plan_condition *condition)
{
    uint32_t count = 0, kept = 0;

    condition->networks =
        arena_array(lower->arena, lower_word_count(words), sizeof(*condition->networks));
    for (const struct ast_word *word = words; word; word = word->next) {
        if (!lower_network(lower, word, &condition->networks[count++]))
            return false;
    }
    qsort(condition->networks, count, sizeof(*condition->networks), order_networks);
    for (uint32_t i = 0; i < count; i++) {
        if (kept == 0 ||
            compare_networks(&condition->networks[kept - 1], &condition->networks[i]) != 0)
            condition->networks[kept++] = condition->networks[i];
    }
    condition->network_count = kept;
    return true;
}

static bool read_values(struct lower *lower, const struct condition_kind *kind,
                        const struct ast_clause *clause, struct plan_condition *condition)
{
    condition->values =
        arena_array(lower->arena, lower_word_count(clause->words), sizeof(*condition->values));
    for (const struct ast_word *word = clause->words; word; word = word->next) {
        if (!kind->read_value(lower, word, &condition->values[condition->value_count++]))
            return false;
    }
    condition->value_count = lower_sort_slices(condition->values, condition->value_count);
    return true;
}

static bool read_regex(struct lower *lower, const struct ast_clause *clause,
                       struct plan_condition *condition)
{
    condition->operator= PLAN_REGEX;
    condition->values = arena_alloc(lower->arena, sizeof(*condition->values));
    condition->values[0] = clause->words->text;
    condition->value_count = 1;
    return lower_regex_field(lower, lower_word_of(clause->words));
}

static bool judge_size(struct lower *lower, const struct lower_scope *scope,
                       const struct ast_clause *clause)
{
    if (lower_word_count(clause->words) > VALUE_LIMIT) {
        diag_error(lower->diag, DIAG_TOO_LARGE, clause->span,
                   "more than %d values in one condition", VALUE_LIMIT);
        return false;
    }
    if (scope->condition_count >= CONDITION_LIMIT) {
        diag_error(lower->diag, DIAG_TOO_LARGE, clause->span,
                   "more than %d conditions of one rule", CONDITION_LIMIT);
        return false;
    }
    return true;
}

void lower_condition(struct lower *lower, struct lower_scope *scope,
                     const struct ast_clause *clause)
{
    const struct condition_kind *kind = &condition_kinds[clause->condition];
    struct plan_condition condition = { .kind = kind->kind,
                                        .is_unless = clause->kind == AST_CLAUSE_UNLESS };
    bool is_good = true;

    if (!judge_size(lower, scope, clause))
        return;
    if (clause->name)
        is_good = kind->read_name(lower, clause->name, &condition.name);
    if (clause->name && clause->words)
        condition.operator= PLAN_EQUAL;
    if (clause->operator== AST_OPERATOR_REGEX)
        is_good &= read_regex(lower, clause, &condition);
    else if (clause->condition == AST_CONDITION_CLIENT)
        is_good &= read_networks(lower, clause->words, &condition);
    else if (clause->condition == AST_CONDITION_CHANCE)
        is_good &= lower_share(lower, clause->words, &condition.share);
    else if (clause->condition == AST_CONDITION_BUSY)
        is_good &= lower_percent(lower, clause->words, 1, &condition.share);
    else if (clause->words)
        is_good &= read_values(lower, kind, clause, &condition);
    if (is_good)
        lower_add_condition(lower, scope, &condition);
}
