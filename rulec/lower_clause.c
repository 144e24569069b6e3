/* SPDX-License-Identifier: Apache-2.0 */
/* One function for each clause, one table that names them; conditions add up, of every other
 * clause the inner one wins, and a clause that may stand once in a block says so. */
#include "config.h"

#include "rulec/lower_clause.h"

#include "rulec/local_time.h"
#include "rulec/lower_condition.h"
#include "rulec/lower_header.h"
#include "rulec/lower_operand.h"
#include "rulec/lower_source.h"
#include "rulec/lower_status.h"
#include "rulec/lower_time.h"
#include "rulec/lower_value.h"

#include "grammar/suggest.h"
#include "mod_redir307/url.h"

#include <assert.h>

enum { VARY_LIMIT = 64 };

/* A clause as its function sees it. */
struct place {
    struct lower *lower;
    struct lower_scope *scope;
    const struct ast_block *block;
    struct lower_table_clauses *table;  /* NULL: not in a table's block */
    const struct lower_let *outer_lets; /* those of the blocks around this one */
};

/* ---- clauses with a value ---- */

static void apply_status(const struct place *place, const struct ast_clause *clause)
{
    struct lower_status status;

    if (!clause->words) {
        lower_bad_value(place->lower, clause, "a status, as in \"permanent\"");
        return;
    }
    if (!lower_status_of(place->lower, clause->words, &status))
        return;
    if (status.is_pass) {
        lower_bad_value(place->lower, clause, "a status; \"pass\" stands in a rule");
        return;
    }
    place->scope->status = status;
}

static void apply_cache(const struct place *place, const struct ast_clause *clause)
{
    const struct ast_word *word = clause->words;
    bool is_private = lower_is_word(word, "private");
    const struct ast_word *duration = is_private ? word->next : word;
    uint32_t seconds = 0;
    enum plan_cache_kind kind = is_private ? PLAN_CACHE_PRIVATE : PLAN_CACHE_SHARED;

    if (lower_is_word(word, "none")) {
        kind = PLAN_CACHE_NONE;
    } else if (lower_is_word(word, "default")) {
        kind = PLAN_CACHE_DEFAULT;
    } else if (!duration || !lower_duration(duration->text, &seconds)) {
        lower_bad_value(
            place->lower, clause,
            "\"none\", \"default\", or a duration as \"1h\", also behind \"private\"");
        return;
    }
    if (duration->next) {
        diag_error(place->lower->diag, DIAG_BAD_VALUE, duration->next->span,
                   "\"%.*s\" is one value too many: \"cache\" takes one", LOWER_SHOW(duration->next->text));
        return;
    }
    place->scope->cache = kind;
    place->scope->cache_seconds = seconds;
}

static void apply_query(const struct place *place, const struct ast_clause *clause)
{
    const struct ast_word *word = clause->words;
    struct plan_query_policy policy = { .kind = PLAN_QUERY_KEEP };

    if (lower_is_word(word, "drop"))
        policy.kind = PLAN_QUERY_DROP;
    else if (lower_is_word(word, "only"))
        policy.kind = PLAN_QUERY_ONLY;
    else if (lower_is_word(word, "except"))
        policy.kind = PLAN_QUERY_EXCEPT;
    else if (!lower_is_word(word, "keep")) {
        lower_bad_value(place->lower, clause,
                        "\"keep\", \"drop\", \"only NAME...\" or \"except NAME...\"");
        return;
    }
    bool takes_names = policy.kind == PLAN_QUERY_ONLY || policy.kind == PLAN_QUERY_EXCEPT;
    if (takes_names && !word->next) {
        diag_error(place->lower->diag, DIAG_BAD_VALUE, word->span, "no name of a parameter follows \"%.*s\"",
                   LOWER_SHOW(word->text));
        return;
    }
    if (!takes_names && word->next) {
        diag_error(place->lower->diag, DIAG_BAD_VALUE, word->next->span,
                   "\"%.*s\" follows \"%.*s\", which takes no names", LOWER_SHOW(word->next->text),
                   LOWER_SHOW(word->text));
        diag_help(place->lower->diag, "names of parameters stand behind \"only\" or \"except\"");
        return;
    }
    policy.names = arena_array(place->lower->arena, lower_word_count(word->next) + 1,
                               sizeof(*policy.names));
    for (const struct ast_word *name = word->next; name; name = name->next) {
        const char *star = lower_find(name->text, '*');

        if (name->text.size == 0 || (star && star + 1 < name->text.data + name->text.size)) {
            diag_error(place->lower->diag, DIAG_BAD_VALUE, name->span,
                       "\"%.*s\" is no name of a parameter: a \"*\" stands only at its end",
                       LOWER_SHOW(name->text));
            return;
        }
        char *decoded = arena_alloc(place->lower->arena, name->text.size);
        policy.names[policy.name_count++] =
            slice_of(decoded, url_decode_query(name->text, decoded));
    }
    policy.name_count = lower_sort_slices(policy.names, policy.name_count);
    place->scope->query = policy;
}

/* Two words, of which the first is the default. */
static void apply_flag(const struct place *place, const struct ast_clause *clause,
                       const char *off, const char *on, uint32_t flag)
{
    bool is_on = lower_is_word(clause->words, on);

    if (!clause->words || clause->words->next ||
        (!is_on && !lower_is_word(clause->words, off))) {
        lower_bad_value(place->lower, clause,
                        arena_printf(place->lower->arena, "\"%s\" or \"%s\"", off, on));
        return;
    }
    if (is_on)
        place->scope->flags |= flag;
    else
        place->scope->flags &= ~flag;
}

static void apply_case(const struct place *place, const struct ast_clause *clause)
{
    apply_flag(place, clause, "exact", "ignore", PLAN_CASE_IGNORE);
}

static void apply_slash(const struct place *place, const struct ast_clause *clause)
{
    apply_flag(place, clause, "ignore", "exact", PLAN_SLASH_EXACT);
}

enum { LET_LIMIT = 1024 };

static void apply_let(const struct place *place, const struct ast_clause *clause)
{
    struct lower *lower = place->lower;
    const struct ast_word *name = clause->words, *value = name ? name->next : NULL;

    if (!value || value->next) {
        lower_bad_value(place->lower, clause, "a name and a value");
        return;
    }
    if (!lower_is_name(name->text)) {
        diag_error(lower->diag, DIAG_BAD_VALUE, name->span,
                   "\"%.*s\" is no name: it starts with a letter and goes on with letters, "
                   "digits, \"_\" and \"-\"",
                   LOWER_SHOW(name->text));
        return;
    }
    if (lower_is_builtin(name->text)) {
        diag_error(lower->diag, DIAG_DOUBLE_NAME, name->span,
                   "\"%.*s\" is a part of the request that every target may use",
                   LOWER_SHOW(name->text));
        return;
    }
    unsigned count = 0;
    for (const struct lower_let *let = place->scope->lets; let != place->outer_lets;
         let = let->outer) {
        if (++count == LET_LIMIT) {
            diag_error(lower->diag, DIAG_TOO_LARGE, name->span,
                       "more than %d constants of one block", LET_LIMIT);
            return;
        }
        if (!slice_equal(let->name, name->text))
            continue;
        diag_error(lower->diag, DIAG_DOUBLE_NAME, name->span,
                   "two constants of this block are named \"%.*s\"", LOWER_SHOW(name->text));
        diag_note(lower->diag, let->span, "the other one");
        return;
    }
    if (lower_find(value->text, '{') || lower_find(value->text, '}')) {
        diag_error(lower->diag, DIAG_BAD_VALUE, value->span,
                   "a constant has no placeholders of its own");
        return;
    }
    struct lower_let *let = arena_alloc(lower->arena, sizeof(*let));
    *let = (struct lower_let){ .name = name->text,
                               .value = value->text,
                               .span = clause->span,
                               .outer = place->scope->lets };
    place->scope->lets = let;
}

static void apply_condition(const struct place *place, const struct ast_clause *clause)
{
    lower_condition(place->lower, place->scope, clause);
}

static void apply_header(const struct place *place, const struct ast_clause *clause)
{
    /* Looked for only where there is one, of this block or around it. */
    bool is_set = clause->words && lower_has_header(place->scope, clause->words->text) &&
                  diag_error_count(place->lower->diag) < DIAG_LIMIT;

    for (const struct ast_item *item = place->block->items; is_set && item->clause != clause;
         item = item->next) {
        const struct ast_clause *other = item->kind == AST_CLAUSE ? item->clause : NULL;

        if (!other || other->kind != AST_CLAUSE_HEADER || !other->words ||
            lower_compare_names(other->words->text, clause->words->text) != 0) {
            continue;
        }
        diag_error(place->lower->diag, DIAG_DOUBLE_CLAUSE, clause->span,
                   "the field \"%.*s\" is set twice in one block",
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

static void apply_text(const struct place *place, const struct ast_clause *clause,
                       struct slice *text)
{
    if (!clause->words || clause->words->next) {
        lower_bad_value(place->lower, clause,
                        "one text; with blanks in it, it stands in quotes");
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

static void apply_review(const struct place *place, const struct ast_clause *clause)
{
    struct local_time day;

    if (!local_time_read(clause->words->text, &day) || !day.is_date) {
        lower_bad_value(place->lower, clause, "a date as \"2026-12-31\"");
        return;
    }
    place->scope->has_review = true;
    if (place->lower->now_s < day.seconds) /* it begins at midnight UTC */
        return;
    diag_warning(place->lower->diag, DIAG_REVIEW_PASSED, clause->span,
                 "the day to look at this again has come: %.*s",
                 LOWER_SHOW(clause->words->text));
    diag_help(place->lower->diag, "set a new date, or take the rule away");
}

static void apply_allow(const struct place *place, const struct ast_clause *clause)
{
    const enum diag_code *codes;
    size_t count = diag_code_list(&codes);

    if (!clause->words)
        lower_bad_value(place->lower, clause, "the code or the name of a warning");
    for (const struct ast_word *word = clause->words; word; word = word->next) {
        struct suggest suggest = { .word = word->text };
        enum diag_code code;

        if (!diag_code_find(word->text, &code)) {
            for (size_t i = 0; i < count; i++) {
                if (diag_code_severity(codes[i]) == DIAG_WARNING)
                    suggest_try(&suggest, diag_code_name(codes[i]));
            }
            diag_error(place->lower->diag, DIAG_UNKNOWN_CODE, word->span,
                       "\"%.*s\" is no code of a warning", LOWER_SHOW(word->text));
            if (suggest.best)
                diag_help(place->lower->diag, "did you mean \"%s\"?", suggest.best);
        } else if (diag_code_severity(code) != DIAG_WARNING) {
            diag_error(place->lower->diag, DIAG_UNKNOWN_CODE, word->span,
                       "\"%.*s\" is an error: only warnings can be allowed",
                       LOWER_SHOW(word->text));
        } else {
            struct lower_allow *allow = arena_alloc(place->lower->arena, sizeof(*allow));

            *allow = (struct lower_allow){ .code = code, .outer = place->scope->allows };
            place->scope->allows = allow;
            diag_allow(place->lower->diag, code, place->block->span);
        }
    }
}

static void apply_vary(const struct place *place, const struct ast_clause *clause)
{
    struct lower_scope *scope = place->scope;

    scope->vary_count = 0;
    scope->vary =
        arena_array(place->lower->arena, lower_word_count(clause->words), sizeof(*scope->vary));
    for (const struct ast_word *word = clause->words; word; word = word->next) {
        bool is_new = true;

        if (lower_is_word(word, "*")) {
            diag_error(
                place->lower->diag, DIAG_BAD_VALUE, word->span,
                "\"*\" would keep every cache from any use: name the fields that were read");
            return;
        }
        if (!lower_token(place->lower, word, "header field"))
            return;
        for (uint32_t i = 0; i < scope->vary_count; i++)
            is_new &= lower_compare_names(scope->vary[i], word->text) != 0;
        if (is_new && scope->vary_count == VARY_LIMIT) {
            diag_error(place->lower->diag, DIAG_TOO_LARGE, word->span,
                       "more than %d fields in one \"vary\"", VARY_LIMIT);
            return;
        }
        if (is_new)
            scope->vary[scope->vary_count++] = word->text;
    }
}

static void apply_preflight(const struct place *place, const struct ast_clause *clause)
{
    bool redirects = lower_is_word(clause->words, "redirect");

    if (!redirects && !lower_is_word(clause->words, "pass"))
        lower_bad_value(place->lower, clause, "\"pass\" or \"redirect\"");
    place->scope->redirects_preflight = redirects;
}

static void apply_override(const struct place *place, const struct ast_clause *clause)
{
    (void)clause;
    place->scope->is_override = true;
}

/* Read with the others of its block, once all of them were seen. */
static void apply_time(const struct place *place, const struct ast_clause *clause)
{
    (void)place;
    (void)clause;
}

static void apply_table_word(const struct place *place, const struct ast_clause *clause)
{
    if (clause->kind == AST_CLAUSE_COLUMNS)
        place->table->columns = clause;
    else if (clause->kind == AST_CLAUSE_SEPARATOR)
        place->table->separator = clause;
    else if (clause->kind == AST_CLAUSE_HEADING)
        place->table->has_heading = true;
    else
        place->table->has_patterns = true;
}

/* ---- the table of clauses ---- */

static const struct clause_kind {
    const char *name;
    void (*apply)(const struct place *place, const struct ast_clause *clause);
    bool may_repeat;
    bool is_table_only;
} clause_kinds[] = {
    [AST_CLAUSE_STATUS] = { .name = "status", .apply = apply_status },
    [AST_CLAUSE_WHEN] = { .name = "when", .apply = apply_condition, .may_repeat = true },
    [AST_CLAUSE_UNLESS] = { .name = "unless", .apply = apply_condition, .may_repeat = true },
    [AST_CLAUSE_FROM] = { .name = "from", .apply = apply_time },
    [AST_CLAUSE_UNTIL] = { .name = "until", .apply = apply_time },
    [AST_CLAUSE_DAILY] = { .name = "daily", .apply = apply_time },
    [AST_CLAUSE_WEEKLY] = { .name = "weekly", .apply = apply_time },
    [AST_CLAUSE_TIMEZONE] = { .name = "timezone", .apply = apply_time },
    [AST_CLAUSE_REVIEW] = { .name = "review", .apply = apply_review },
    [AST_CLAUSE_CACHE] = { .name = "cache", .apply = apply_cache },
    [AST_CLAUSE_VARY] = { .name = "vary", .apply = apply_vary },
    [AST_CLAUSE_QUERY] = { .name = "query", .apply = apply_query },
    [AST_CLAUSE_CASE] = { .name = "case", .apply = apply_case },
    [AST_CLAUSE_SLASH] = { .name = "slash", .apply = apply_slash },
    [AST_CLAUSE_LET] = { .name = "let", .apply = apply_let, .may_repeat = true },
    [AST_CLAUSE_PREFLIGHT] = { .name = "preflight", .apply = apply_preflight },
    [AST_CLAUSE_HEADER] = { .name = "header", .apply = apply_header, .may_repeat = true },
    [AST_CLAUSE_RETRY_AFTER] = { .name = "retry-after", .apply = apply_retry_after },
    [AST_CLAUSE_BLOCKED_BY] = { .name = "blocked-by", .apply = apply_blocked_by },
    [AST_CLAUSE_NOTE] = { .name = "note", .apply = apply_note },
    [AST_CLAUSE_OWNER] = { .name = "owner", .apply = apply_owner },
    [AST_CLAUSE_OVERRIDE] = { .name = "override", .apply = apply_override },
    [AST_CLAUSE_ALLOW] = { .name = "allow", .apply = apply_allow, .may_repeat = true },
    [AST_CLAUSE_COLUMNS] = { .name = "columns",
                             .apply = apply_table_word,
                             .is_table_only = true },
    [AST_CLAUSE_HEADING] = { .name = "heading",
                             .apply = apply_table_word,
                             .is_table_only = true },
    [AST_CLAUSE_PATTERNS] = { .name = "patterns",
                              .apply = apply_table_word,
                              .is_table_only = true },
    [AST_CLAUSE_SEPARATOR] = { .name = "separator",
                               .apply = apply_table_word,
                               .is_table_only = true },
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
        diag_error(diag, DIAG_DOUBLE_CLAUSE, clause->span, "\"%s\" stands twice in one block",
                   kind->name);
        diag_note(diag, seen[clause->kind]->span, "the other one");
        return;
    }
    seen[clause->kind] = clause;
    kind->apply(place, clause);
}

void lower_clauses(struct lower *lower, const struct ast_block *block,
                   struct lower_scope *scope, struct lower_table_clauses *table)
{
    const struct place place = { .lower = lower,
                                 .scope = scope,
                                 .block = block,
                                 .table = table,
                                 .outer_lets = scope->lets };
    const struct ast_clause *seen[CLAUSE_KIND_COUNT] = { 0 };

    scope->made_count = 0;
    if (!block)
        return;
    for (const struct ast_item *item = block->items; item; item = item->next) {
        if (item->kind == AST_CLAUSE)
            apply_clause(&place, item->clause, seen);
    }
    lower_times(lower, scope,
                &(struct lower_time_clauses){ .timezone = seen[AST_CLAUSE_TIMEZONE],
                                              .from = seen[AST_CLAUSE_FROM],
                                              .until = seen[AST_CLAUSE_UNTIL],
                                              .daily = seen[AST_CLAUSE_DAILY],
                                              .weekly = seen[AST_CLAUSE_WEEKLY] });
}
