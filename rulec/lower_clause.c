/* SPDX-License-Identifier: Apache-2.0 */
/* One function for each clause, one table that names them; conditions add up, of every other clause the inner one
 * wins, and a clause that may stand once in a block says so. */
#include "config.h"

#include "rulec/lower_clause.h"

#include "rulec/lower_header.h"
#include "rulec/lower_source.h"
#include "rulec/lower_status.h"

#include "grammar/suggest.h"
#include "mod_redir307/url.h"

#include <assert.h>
#include <stdlib.h>

/* A clause as its function sees it. */
struct place {
    struct lower *lower;
    struct lower_scope *scope;
    const struct ast_block *block;
    struct lower_table_clauses *table; /* NULL: not in a table's block */
    const struct lower_let *outer_lets; /* those of the blocks around this one */
};

/* ---- small values ---- */

bool lower_duration(struct slice text, uint32_t *seconds)
{
    static const struct unit {
        char letter;
        uint32_t seconds;
    } units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 }, { 'w', 604800 } };
    uint64_t sum = 0;
    size_t at = 0;

    while (at < text.size) {
        uint64_t number = 0, factor = 0;
        size_t start = at;

        while (at < text.size && text.data[at] >= '0' && text.data[at] <= '9' && number < UINT32_MAX) {
            number = number * 10 + (uint64_t)(text.data[at++] - '0');
        }
        if (at == start || at == text.size) return false;
        for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
            if (units[i].letter == text.data[at]) factor = units[i].seconds;
        }
        if (factor == 0) return false;
        sum += number * factor;
        if (sum > INT32_MAX) return false; /* RFC 9111, 1.2.2: caches hold no more */
        at++;
    }
    if (text.size == 0) return false;
    *seconds = (uint32_t)sum;
    return true;
}

static bool is_word(const struct ast_word *word, const char *name)
{
    return word && slice_equal(word->text, slice_from_string(name));
}

static void bad_value(const struct place *place, const struct ast_clause *clause, const char *takes)
{
    if (clause->words) {
        diag_error(place->lower->diag, DIAG_BAD_VALUE, clause->words->span, "\"%.*s\" is no value of this clause: it takes %s",
                   LOWER_SHOW(clause->words->text), takes);
    } else {
        diag_error(place->lower->diag, DIAG_BAD_VALUE, clause->span, "this clause takes %s", takes);
    }
}

static int compare_slices(const void *left, const void *right)
{
    const struct slice *a = left, *b = right;

    return slice_compare(*a, *b);
}

/* Sorted, without doubles. */
static uint32_t sort_slices(struct slice *texts, uint32_t count)
{
    uint32_t kept = 0;

    qsort(texts, count, sizeof(*texts), compare_slices);
    for (uint32_t i = 0; i < count; i++) {
        if (kept == 0 || !slice_equal(texts[kept - 1], texts[i])) texts[kept++] = texts[i];
    }
    return kept;
}

static uint32_t word_count(const struct ast_word *words)
{
    uint32_t count = 0;

    for (; words; words = words->next) count++;
    return count;
}

/* ---- conditions ---- */

static int compare_conditions(const struct plan_condition *a, const struct plan_condition *b)
{
    if (a->kind != b->kind) return a->kind < b->kind ? -1 : 1;
    if (a->is_unless != b->is_unless) return a->is_unless ? 1 : -1;
    for (uint32_t i = 0; i < a->value_count && i < b->value_count; i++) {
        int order = slice_compare(a->values[i], b->values[i]);
        if (order) return order;
    }
    return (a->value_count > b->value_count) - (a->value_count < b->value_count);
}

void lower_add_condition(struct lower *lower, struct lower_scope *scope, const struct plan_condition *condition)
{
    struct plan_condition *all = arena_array(lower->arena, scope->condition_count + 1, sizeof(*all));
    uint32_t count = 0, from = 0;

    while (from < scope->condition_count && compare_conditions(&scope->conditions[from], condition) < 0) {
        all[count++] = scope->conditions[from++];
    }
    if (from < scope->condition_count && compare_conditions(&scope->conditions[from], condition) == 0) return;
    all[count++] = *condition;
    while (from < scope->condition_count) all[count++] = scope->conditions[from++];
    scope->conditions = all;
    scope->condition_count = count;
}

static bool judge_method(struct lower *lower, const struct ast_word *word)
{
    struct slice method = word->text;
    bool has_lower = false;

    for (size_t i = 0; i < method.size; i++) {
        char byte = method.data[i];
        bool is_token = (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') ||
                        (byte && strchr("!#$%&'*+-.^_`|~", byte));

        has_lower |= byte >= 'a' && byte <= 'z';
        if (is_token) continue;
        diag_error(lower->diag, DIAG_BAD_VALUE, word->span, "\"%.*s\" is no method", LOWER_SHOW(method));
        return false;
    }
    if (has_lower) {
        diag_warning(lower->diag, DIAG_METHOD_CASE, word->span,
                     "\"%.*s\" has small letters: case counts in a method, and no client is known to send this one",
                     LOWER_SHOW(method));
        char *upper = arena_string(lower->arena, method);
        for (char *at = upper; *at; at++) {
            if (*at >= 'a' && *at <= 'z') *at = (char)(*at - 32);
        }
        diag_help(lower->diag, "write \"%s\"", upper);
    }
    return true;
}

static bool judge_scheme(struct lower *lower, const struct ast_word *word)
{
    if (is_word(word, "http") || is_word(word, "https")) return true;
    diag_error(lower->diag, DIAG_BAD_VALUE, word->span, "\"%.*s\" is no scheme that a request comes by: http or https",
               LOWER_SHOW(word->text));
    return false;
}

static void apply_condition(const struct place *place, const struct ast_clause *clause)
{
    static const char *const later[] = {
        [AST_CONDITION_HEADER] = "when header", [AST_CONDITION_COOKIE] = "when cookie",
        [AST_CONDITION_ACCEPT] = "when accept", [AST_CONDITION_LANGUAGE] = "when language",
        [AST_CONDITION_QUERY] = "when query", [AST_CONDITION_CLIENT] = "when client",
        [AST_CONDITION_ENV] = "when env", [AST_CONDITION_FLAG] = "when flag",
        [AST_CONDITION_CHANCE] = "when chance", [AST_CONDITION_BUSY] = "when busy",
    };
    struct lower *lower = place->lower;
    bool is_method = clause->condition == AST_CONDITION_METHOD;
    struct plan_condition condition = {
        .kind = is_method ? PLAN_CONDITION_METHOD : PLAN_CONDITION_SCHEME,
        .is_unless = clause->kind == AST_CLAUSE_UNLESS };

    if (!is_method && clause->condition != AST_CONDITION_SCHEME) {
        const char *what = later[clause->condition];
        lower_refuse(lower, clause->span, condition.is_unless ? arena_printf(lower->arena, "unless%s", what + 4) : what);
        return;
    }
    if (!clause->words) {
        bad_value(place, clause, is_method ? "methods, as in \"GET POST\"" : "\"http\" or \"https\"");
        return;
    }
    condition.values = arena_array(lower->arena, word_count(clause->words), sizeof(*condition.values));
    for (const struct ast_word *word = clause->words; word; word = word->next) {
        if (!(is_method ? judge_method(lower, word) : judge_scheme(lower, word))) return;
        /* HEAD counts as GET everywhere (docs/language.md, "Clauses"). */
        condition.values[condition.value_count++] = is_method && is_word(word, "HEAD") ? SLICE("GET") : word->text;
    }
    condition.value_count = sort_slices(condition.values, condition.value_count);
    lower_add_condition(lower, place->scope, &condition);
}

/* ---- clauses with a value ---- */

static void apply_status(const struct place *place, const struct ast_clause *clause)
{
    struct lower_status status;

    if (!clause->words) {
        bad_value(place, clause, "a status, as in \"permanent\"");
        return;
    }
    if (!lower_status_of(place->lower, clause->words, &status)) return;
    if (status.is_pass) {
        bad_value(place, clause, "a status; \"pass\" stands in a rule");
        return;
    }
    place->scope->status = status;
}

static void apply_cache(const struct place *place, const struct ast_clause *clause)
{
    const struct ast_word *word = clause->words;
    bool is_private = is_word(word, "private");
    const struct ast_word *duration = is_private ? word->next : word;
    uint32_t seconds = 0;
    enum plan_cache_kind kind = is_private ? PLAN_CACHE_PRIVATE : PLAN_CACHE_SHARED;

    if (is_word(word, "none")) {
        kind = PLAN_CACHE_NONE;
    } else if (is_word(word, "default")) {
        kind = PLAN_CACHE_DEFAULT;
    } else if (!duration || !lower_duration(duration->text, &seconds)) {
        bad_value(place, clause, "\"none\", \"default\", or a duration as \"1h\", also behind \"private\"");
        return;
    }
    if (duration->next) {
        bad_value(place, clause, "one value");
        return;
    }
    place->scope->cache = kind;
    place->scope->cache_seconds = seconds;
}

static void apply_query(const struct place *place, const struct ast_clause *clause)
{
    const struct ast_word *word = clause->words;
    struct plan_query_policy policy = { .kind = PLAN_QUERY_KEEP };

    if (is_word(word, "drop")) policy.kind = PLAN_QUERY_DROP;
    else if (is_word(word, "only")) policy.kind = PLAN_QUERY_ONLY;
    else if (is_word(word, "except")) policy.kind = PLAN_QUERY_EXCEPT;
    else if (!is_word(word, "keep")) {
        bad_value(place, clause, "\"keep\", \"drop\", \"only NAME...\" or \"except NAME...\"");
        return;
    }
    bool takes_names = policy.kind == PLAN_QUERY_ONLY || policy.kind == PLAN_QUERY_EXCEPT;
    if (takes_names != (word->next != NULL)) {
        bad_value(place, clause, takes_names ? "names of parameters behind it" : "no names behind it");
        return;
    }
    policy.names = arena_array(place->lower->arena, word_count(word->next) + 1, sizeof(*policy.names));
    for (const struct ast_word *name = word->next; name; name = name->next) {
        const char *star = lower_find(name->text, '*');

        if (name->text.size == 0 || (star && star + 1 < name->text.data + name->text.size)) {
            diag_error(place->lower->diag, DIAG_BAD_VALUE, name->span,
                       "\"%.*s\" is no name of a parameter: a \"*\" stands only at its end", LOWER_SHOW(name->text));
            return;
        }
        char *decoded = arena_alloc(place->lower->arena, name->text.size);
        policy.names[policy.name_count++] = slice_of(decoded, url_decode_query(name->text, decoded));
    }
    policy.name_count = sort_slices(policy.names, policy.name_count);
    place->scope->query = policy;
}

/* Two words, of which the first is the default. */
static void apply_flag(const struct place *place, const struct ast_clause *clause, const char *off, const char *on,
                       uint32_t flag)
{
    bool is_on = is_word(clause->words, on);

    if (!clause->words || clause->words->next || (!is_on && !is_word(clause->words, off))) {
        bad_value(place, clause, arena_printf(place->lower->arena, "\"%s\" or \"%s\"", off, on));
        return;
    }
    if (is_on) place->scope->flags |= flag;
    else place->scope->flags &= ~flag;
}

static void apply_case(const struct place *place, const struct ast_clause *clause)
{
    apply_flag(place, clause, "exact", "ignore", PLAN_CASE_IGNORE);
}

static void apply_slash(const struct place *place, const struct ast_clause *clause)
{
    apply_flag(place, clause, "ignore", "exact", PLAN_SLASH_EXACT);
}

static void apply_let(const struct place *place, const struct ast_clause *clause)
{
    struct lower *lower = place->lower;
    const struct ast_word *name = clause->words, *value = name ? name->next : NULL;

    if (!value || value->next) {
        bad_value(place, clause, "a name and a value");
        return;
    }
    if (!lower_is_name(name->text)) {
        diag_error(lower->diag, DIAG_BAD_VALUE, name->span,
                   "\"%.*s\" is no name: it starts with a letter and goes on with letters, digits, \"_\" and \"-\"", LOWER_SHOW(name->text));
        return;
    }
    if (lower_is_builtin(name->text)) {
        diag_error(lower->diag, DIAG_DOUBLE_NAME, name->span,
                   "\"%.*s\" is a part of the request that every target may use", LOWER_SHOW(name->text));
        return;
    }
    for (const struct lower_let *let = place->scope->lets; let != place->outer_lets; let = let->outer) {
        if (!slice_equal(let->name, name->text)) continue;
        diag_error(lower->diag, DIAG_DOUBLE_NAME, name->span, "two constants of this block are named \"%.*s\"",
                   LOWER_SHOW(name->text));
        diag_note(lower->diag, let->span, "the other one");
        return;
    }
    if (lower_find(value->text, '{') || lower_find(value->text, '}')) {
        diag_error(lower->diag, DIAG_BAD_VALUE, value->span, "a constant has no placeholders of its own");
        return;
    }
    struct lower_let *let = arena_alloc(lower->arena, sizeof(*let));
    *let = (struct lower_let){ .name = name->text, .value = value->text, .span = clause->span,
                               .outer = place->scope->lets };
    place->scope->lets = let;
}

static void apply_header(const struct place *place, const struct ast_clause *clause)
{
    for (const struct ast_item *item = place->block->items; item->clause != clause; item = item->next) {
        const struct ast_clause *other = item->kind == AST_CLAUSE ? item->clause : NULL;

        if (!other || other->kind != AST_CLAUSE_HEADER || !other->words || !clause->words ||
            lower_compare_names(other->words->text, clause->words->text) != 0) {
            continue;
        }
        diag_error(place->lower->diag, DIAG_DOUBLE_CLAUSE, clause->span, "the field \"%.*s\" is set twice in one block",
                   LOWER_SHOW(clause->words->text));
        diag_note(place->lower->diag, other->span, "the other one");
        return;
    }
    lower_header(place->lower, place->scope, clause);
}

static void apply_retry_after(const struct place *place, const struct ast_clause *clause)
{
    lower_retry_after(place->lower, place->scope, clause);
}

static void apply_blocked_by(const struct place *place, const struct ast_clause *clause)
{
    lower_blocked_by(place->lower, place->scope, clause);
}

static void apply_text(const struct place *place, const struct ast_clause *clause, struct slice *text)
{
    if (!clause->words || clause->words->next) {
        bad_value(place, clause, "one text; with blanks in it, it stands in quotes");
        return;
    }
    *text = clause->words->text;
}

static void apply_note(const struct place *place, const struct ast_clause *clause)
{
    apply_text(place, clause, &place->scope->note);
}

static void apply_owner(const struct place *place, const struct ast_clause *clause)
{
    apply_text(place, clause, &place->scope->owner);
}

static unsigned digits(struct slice text, size_t from, size_t count)
{
    unsigned value = 0;

    for (size_t i = from; i < from + count; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') return 0;
        value = value * 10 + (unsigned)(text.data[i] - '0');
    }
    return value;
}

static void apply_review(const struct place *place, const struct ast_clause *clause)
{
    static const unsigned days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    struct slice text = clause->words ? clause->words->text : slice_of(NULL, 0);
    unsigned year = 0, month = 0, day = 0;

    if (text.size == 10 && text.data[4] == '-' && text.data[7] == '-') {
        year = digits(text, 0, 4);
        month = digits(text, 5, 2);
        day = digits(text, 8, 2);
    }
    bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    if (year == 0 || month == 0 || month > 12 || day == 0 ||
        day > days[month - 1] + (is_leap && month == 2 ? 1U : 0U) || clause->words->next) {
        bad_value(place, clause, "a date as \"2026-12-31\"");
        return;
    }
    if (place->lower->today < year * 10000 + month * 100 + day) return;
    diag_warning(place->lower->diag, DIAG_REVIEW_PASSED, clause->span,
                 "the day to look at this again has come: %.*s", LOWER_SHOW(text));
    diag_help(place->lower->diag, "set a new date, or take the rule away");
}

static void apply_allow(const struct place *place, const struct ast_clause *clause)
{
    const enum diag_code *codes;
    size_t count = diag_code_list(&codes);

    if (!clause->words) bad_value(place, clause, "the code or the name of a warning");
    for (const struct ast_word *word = clause->words; word; word = word->next) {
        struct suggest suggest = { .word = word->text };
        enum diag_code code;

        if (!diag_code_find(word->text, &code)) {
            for (size_t i = 0; i < count; i++) {
                if (diag_code_severity(codes[i]) == DIAG_WARNING) suggest_try(&suggest, diag_code_name(codes[i]));
            }
            diag_error(place->lower->diag, DIAG_UNKNOWN_CODE, word->span, "\"%.*s\" is no code of a warning",
                       LOWER_SHOW(word->text));
            if (suggest.best) diag_help(place->lower->diag, "did you mean \"%s\"?", suggest.best);
        } else if (diag_code_severity(code) != DIAG_WARNING) {
            diag_error(place->lower->diag, DIAG_UNKNOWN_CODE, word->span,
                       "\"%.*s\" is an error: only warnings can be allowed", LOWER_SHOW(word->text));
        } else {
            struct lower_allow *allow = arena_alloc(place->lower->arena, sizeof(*allow));

            *allow = (struct lower_allow){ .code = code, .outer = place->scope->allows };
            place->scope->allows = allow;
            diag_allow(place->lower->diag, code, place->block->span);
        }
    }
}

static void apply_table_word(const struct place *place, const struct ast_clause *clause)
{
    if (clause->kind == AST_CLAUSE_COLUMNS) place->table->columns = clause;
    else if (clause->kind == AST_CLAUSE_SEPARATOR) place->table->separator = clause;
    else if (clause->kind == AST_CLAUSE_HEADING) place->table->has_heading = true;
    else place->table->has_patterns = true;
}

/* ---- the table of clauses ---- */

static const struct clause_kind {
    const char *name;
    void (*apply)(const struct place *place, const struct ast_clause *clause); /* NULL: not compiled */
    bool may_repeat;
    bool is_table_only;
} clause_kinds[] = {
    [AST_CLAUSE_STATUS] = { .name = "status", .apply = apply_status },
    [AST_CLAUSE_WHEN] = { .name = "when", .apply = apply_condition, .may_repeat = true },
    [AST_CLAUSE_UNLESS] = { .name = "unless", .apply = apply_condition, .may_repeat = true },
    [AST_CLAUSE_FROM] = { .name = "from" },
    [AST_CLAUSE_UNTIL] = { .name = "until" },
    [AST_CLAUSE_DAILY] = { .name = "daily" },
    [AST_CLAUSE_WEEKLY] = { .name = "weekly" },
    [AST_CLAUSE_TIMEZONE] = { .name = "timezone" },
    [AST_CLAUSE_REVIEW] = { .name = "review", .apply = apply_review },
    [AST_CLAUSE_CACHE] = { .name = "cache", .apply = apply_cache },
    [AST_CLAUSE_VARY] = { .name = "vary" },
    [AST_CLAUSE_QUERY] = { .name = "query", .apply = apply_query },
    [AST_CLAUSE_CASE] = { .name = "case", .apply = apply_case },
    [AST_CLAUSE_SLASH] = { .name = "slash", .apply = apply_slash },
    [AST_CLAUSE_LET] = { .name = "let", .apply = apply_let, .may_repeat = true },
    [AST_CLAUSE_PREFLIGHT] = { .name = "preflight" },
    [AST_CLAUSE_HEADER] = { .name = "header", .apply = apply_header, .may_repeat = true },
    [AST_CLAUSE_RETRY_AFTER] = { .name = "retry-after", .apply = apply_retry_after },
    [AST_CLAUSE_BLOCKED_BY] = { .name = "blocked-by", .apply = apply_blocked_by },
    [AST_CLAUSE_NOTE] = { .name = "note", .apply = apply_note },
    [AST_CLAUSE_OWNER] = { .name = "owner", .apply = apply_owner },
    [AST_CLAUSE_OVERRIDE] = { .name = "override" },
    [AST_CLAUSE_ALLOW] = { .name = "allow", .apply = apply_allow, .may_repeat = true },
    [AST_CLAUSE_COLUMNS] = { .name = "columns", .apply = apply_table_word, .is_table_only = true },
    [AST_CLAUSE_HEADING] = { .name = "heading", .apply = apply_table_word, .is_table_only = true },
    [AST_CLAUSE_PATTERNS] = { .name = "patterns", .apply = apply_table_word, .is_table_only = true },
    [AST_CLAUSE_SEPARATOR] = { .name = "separator", .apply = apply_table_word, .is_table_only = true },
};
enum { CLAUSE_KIND_COUNT = sizeof(clause_kinds) / sizeof(clause_kinds[0]) };

const char *lower_clause_name(enum ast_clause_kind kind)
{
    return clause_kinds[kind].name;
}

static void apply_clause(const struct place *place, const struct ast_clause *clause,
                         const struct ast_clause **seen)
{
    const struct clause_kind *kind = &clause_kinds[clause->kind];
    struct diag *diag = place->lower->diag;

    assert(place->table || !kind->is_table_only); /* the grammar takes them nowhere else */
    if (!kind->may_repeat && seen[clause->kind]) {
        diag_error(diag, DIAG_DOUBLE_CLAUSE, clause->span, "\"%s\" stands twice in one block", kind->name);
        diag_note(diag, seen[clause->kind]->span, "the other one");
        return;
    }
    seen[clause->kind] = clause;
    if (kind->apply) kind->apply(place, clause);
    else lower_refuse(place->lower, clause->span, kind->name);
}

void lower_clauses(struct lower *lower, const struct ast_block *block, struct lower_scope *scope,
                   struct lower_table_clauses *table)
{
    const struct place place = { .lower = lower, .scope = scope, .block = block, .table = table,
                                 .outer_lets = scope->lets };
    const struct ast_clause *seen[CLAUSE_KIND_COUNT] = { 0 };

    scope->made_count = 0;
    if (!block) return;
    for (const struct ast_item *item = block->items; item; item = item->next) {
        if (item->kind == AST_CLAUSE) apply_clause(&place, item->clause, seen);
    }
}
