/* SPDX-License-Identifier: Apache-2.0 */
/* What was written, as a tree: nodes and their makers. Nothing here is judged; words are kept
 * as they stand (escapes undone). Everything lives in the arena of the compilation. */
#ifndef GRAMMAR_AST_H
#define GRAMMAR_AST_H

#include "grammar/source.h"

#include <stdbool.h>
#include <stdint.h>

struct ast_word {
    struct slice text; /* without quotes, escapes undone */
    struct span span;  /* with quotes */
    struct ast_word *next;
    bool is_quoted;
};

enum ast_clause_kind {
    AST_CLAUSE_STATUS, AST_CLAUSE_WHEN, AST_CLAUSE_UNLESS, AST_CLAUSE_FROM, AST_CLAUSE_UNTIL,
    AST_CLAUSE_DAILY, AST_CLAUSE_WEEKLY, AST_CLAUSE_TIMEZONE, AST_CLAUSE_REVIEW, AST_CLAUSE_CACHE,
    AST_CLAUSE_VARY, AST_CLAUSE_QUERY, AST_CLAUSE_CASE, AST_CLAUSE_SLASH, AST_CLAUSE_LET,
    AST_CLAUSE_PREFLIGHT, AST_CLAUSE_HEADER, AST_CLAUSE_RETRY_AFTER, AST_CLAUSE_BLOCKED_BY,
    AST_CLAUSE_NOTE, AST_CLAUSE_OWNER, AST_CLAUSE_OVERRIDE, AST_CLAUSE_ALLOW,
    /* in a table's block only */
    AST_CLAUSE_COLUMNS, AST_CLAUSE_HEADING, AST_CLAUSE_PATTERNS, AST_CLAUSE_SEPARATOR
};

enum ast_condition_kind {
    AST_CONDITION_METHOD, AST_CONDITION_SCHEME, AST_CONDITION_HEADER, AST_CONDITION_COOKIE,
    AST_CONDITION_ACCEPT, AST_CONDITION_LANGUAGE, AST_CONDITION_QUERY, AST_CONDITION_CLIENT,
    AST_CONDITION_ENV, AST_CONDITION_FLAG, AST_CONDITION_CHANCE, AST_CONDITION_BUSY
};

enum ast_operator { AST_OPERATOR_NONE, AST_OPERATOR_EQUAL, AST_OPERATOR_REGEX }; /* none, `=`, `~` */

/* `words`: what follows the keyword. For when/unless, `condition` is set, and `words` follow
 * the condition's word and, for header/cookie/query/env, its name: the value after `=` or `~`,
 * or the list of alternatives. */
struct ast_clause {
    enum ast_clause_kind kind;
    struct span span;         /* the whole clause */
    struct span keyword_span;
    enum ast_condition_kind condition;
    struct ast_word *name;    /* header, cookie, query, env; else NULL */
    enum ast_operator operator;
    struct ast_word *words;   /* NULL for none */
};

/* One line of a `by` form: keys, then a target and/or a status. */
struct ast_choice {
    struct ast_word *keys;    /* media types, languages, values, one weight; the word `otherwise` may be among them */
    struct ast_word *target;  /* NULL: a status without target */
    struct ast_word *status;  /* NULL: the form's; up to two words (`permanent auto`) */
    struct span span;
    struct ast_choice *next;
};

enum ast_by_kind {
    AST_BY_NONE, AST_BY_ACCEPT, AST_BY_LANGUAGE, AST_BY_HEADER, AST_BY_COOKIE, AST_BY_METHOD,
    AST_BY_CLIENT, AST_BY_CHANCE
};

struct ast_by {
    enum ast_by_kind kind;
    struct span span;
    struct ast_word *name;      /* by header NAME, by cookie NAME */
    struct ast_choice *choices;
    bool has_broken;            /* lines with a mistake are not among them */
};

struct ast_block;

/* SOURCE -> TARGET [STATUS...] [{...}], SOURCE STATUS [{...}], SOURCE pass [{...}], SOURCE ->
 * by ... {...} STATUS */
struct ast_rule {
    struct ast_word source;   /* next unused */
    bool source_is_regex;     /* ~ "..." */
    struct ast_word *target;  /* NULL: none was written */
    struct ast_by *by;        /* NULL: no `by` form */
    struct ast_word *status;  /* NULL: unsaid; up to two words, `pass` and `gone` among them */
    struct ast_block *body;   /* NULL: no braces; holds clauses only */
    struct span span;
};

/* Lines that are a source, "->" and a target and nothing else, as most of a long list are. A line
 * takes 12 bytes here, a rule a dozen times as much. */
struct ast_line {
    uint32_t source_at, target_at;     /* where the words start in the row of sources */
    uint16_t source_size, target_size; /* PARSE_STRING_LIMIT */
};
struct ast_lines {
    const struct source *source;
    struct ast_line *lines; /* of the arena's passing part */
    uint32_t count;
};

/* table "FILE" [{ clauses }] */
struct ast_table {
    struct ast_word file;
    const struct source *source; /* the opened file; NULL where it could not be opened (already reported) */
    struct ast_block *body;      /* NULL: no braces */
    struct span span;
};

/* expect METHOD URL [with {...}] [at TIME] -> STATUS TARGET [{...}] | -> pass | -> STATUS */
struct ast_with {
    struct ast_word *name;    /* header, cookie, client, flag, env, chance, busy: as written */
    struct ast_word *words;   /* its arguments */
    struct ast_with *next;
};
struct ast_expect {
    struct ast_word *method;
    struct ast_word *url;
    struct ast_with *with;
    struct ast_word *at;          /* NULL: unsaid */
    struct ast_word *status;      /* a number or a status word; NULL where `pass` is expected */
    struct ast_word *target;      /* NULL: not said */
    struct ast_with *headers;     /* expected response fields: words are name, value */
    bool expects_pass;
    struct span span;
};

enum ast_item_kind { AST_RULE, AST_LINES, AST_CLAUSE, AST_BLOCK, AST_TABLE, AST_EXPECT };

struct ast_item {
    enum ast_item_kind kind;
    struct ast_item *next;
    union {
        struct ast_rule *rule;
        struct ast_lines *lines;
        struct ast_clause *clause;
        struct ast_block *block;
        struct ast_table *table;
        struct ast_expect *expect;
    };
};

enum ast_block_kind {
    AST_BLOCK_FILE,    /* a file of the command line */
    AST_BLOCK_INCLUDE, /* one included file */
    AST_BLOCK_SITE,
    AST_BLOCK_GROUP,
    AST_BLOCK_RULE,    /* the braces of a rule or a table */
};

struct ast_block {
    enum ast_block_kind kind;
    struct span span;
    struct ast_word *words;  /* hosts of a site, name of a group, path of an include */
    struct ast_item *items;  /* in the order written */
    struct ast_item *last;
};

/* All files of one compilation. */
struct ast {
    struct arena *arena;
    struct source_set *sources;
    struct ast_block *files; /* kind FILE, each an item of this block, in the order of the command line */
    size_t rule_count;
};

/* One of many lines as a rule; its target is put into *target, which the rule then points to. */
struct ast_rule ast_line_rule(const struct ast_lines *lines, uint32_t number, struct ast_word *target);

#endif
