/* SPDX-License-Identifier: Apache-2.0 */
/* The language, and nothing else. A keyword is a plain word wherever a name or a value stands,
 * so each list of words takes `keyword` too; what starts like a path, a URL or a placeholder has
 * a token of its own. The scan gives every line and every block's last line its end, and closes
 * what a file leaves open. Meaning is judged in rulec/. */
%require "3.8"
%locations
%define api.pure full
%define api.prefix {rules_}
%define api.token.prefix {TOK_}
%define api.value.type union
%define api.location.type {struct span}
%define parse.error custom
%define parse.lac full
%expect 0

%code requires {
#include "grammar/ast_make.h"

struct parse;
struct scan;
}

%code provides {
/* The next token: scan.c. */
int rules_lex(RULES_STYPE *value, RULES_LTYPE *span, struct scan *scan);
}

%code top {
#include "config.h"
}

%param {struct scan *scan}
%parse-param {struct parse *parse} {struct arena *arena}

%code {
#include "grammar/parse_file.h"
#include "grammar/scan.h"
#include "grammar/syntax_error.h"

#define YYLLOC_DEFAULT(whole, parts, count) \
    do { \
        if (count) { \
            (whole).at = YYRHSLOC(parts, 1).at; \
            (whole).end = YYRHSLOC(parts, count).end; \
        } else { \
            (whole).at = (whole).end = YYRHSLOC(parts, 0).end; \
        } \
    } while (0)

/* From the start of the first part to the end of the last: a line without its end. */
#define SPAN(first, last) ((struct span){ (first).at, (last).end })

static void rules_error(const RULES_LTYPE *span, struct scan *scan, struct parse *parse,
                        struct arena *arena, const char *message);

static const struct ast_words no_words = { NULL, NULL };
static const struct ast_items no_items = { NULL, NULL };
static const struct ast_choices no_choices = { NULL, NULL, false };
static const struct ast_withs no_withs = { NULL, NULL };
}

%initial-action { @$ = (struct span){ scan->source->at, scan->source->at }; }

%token END_OF_FILE 0 "the end of the file"
%token END "the end of the line"
%token ARROW "->"
%token EQUAL "="
%token TILDE "~"
%token OPEN "{"
%token CLOSE "}"
%token EMPTY "{}"

%token <struct ast_word>
    WORD   "a word"
    STRING "a quoted string"
    PATH   "a path"
    URL    "a URL"
    BRACED "a placeholder"

%token <struct ast_word>
    ACCEPT      "accept"
    ALLOW       "allow"
    AT          "at"
    BLOCKED_BY  "blocked-by"
    BUSY        "busy"
    BY          "by"
    CACHE       "cache"
    CASE        "case"
    CHANCE      "chance"
    CLIENT      "client"
    COLUMNS     "columns"
    COOKIE      "cookie"
    DAILY       "daily"
    ENV         "env"
    EXPECT      "expect"
    FLAG        "flag"
    FROM        "from"
    GROUP       "group"
    HEADER      "header"
    HEADING     "heading"
    INCLUDE     "include"
    LANGUAGE    "language"
    LET         "let"
    METHOD      "method"
    NOTE        "note"
    OVERRIDE    "override"
    OWNER       "owner"
    PATTERNS    "patterns"
    PREFLIGHT   "preflight"
    QUERY       "query"
    RETRY_AFTER "retry-after"
    REVIEW      "review"
    SCHEME      "scheme"
    SEPARATOR   "separator"
    SITE        "site"
    SLASH       "slash"
    STATUS      "status"
    TABLE       "table"
    TIMEZONE    "timezone"
    UNLESS      "unless"
    UNTIL       "until"
    VARY        "vary"
    WEEKLY      "weekly"
    WHEN        "when"
    WITH        "with"

/* Many lines at once, without words: see scan_lines.c. */
%token <struct ast_lines> LINES "rules"

%nterm <struct ast_word> word bare keyword target path_source url
%nterm <struct ast_word *> time_asked target_asked
%nterm <struct ast_words> words one_word two_words bares status
%nterm <struct ast_items> items item block rule
%nterm <struct ast_items> clauses table_clauses
%nterm <struct ast_block *> body table_body
%nterm <struct ast_clause *> clause table_clause
%nterm <struct ast_condition> condition
%nterm <struct ast_by *> by
%nterm <struct ast_choices> choices choice_lines
%nterm <struct ast_withs> with fields field_list facts
%nterm <struct ast_with *> field fact
%nterm <struct ast_expect *> question

%start file

%%

file
    : items                         { parse_file_done(parse, $items); }
    ;

items
    : %empty                    { $$ = no_items; }
    | items[all] item           { $$ = ast_items_join($all, $item); }
    ;

item
    : rule END
    | LINES                     { $$ = ast_lines_item(parse_tree(parse), &$LINES); }
    | clause END                { $$ = ast_clause_item(arena, $clause); }
    | "site" words block END
        { $$ = ast_block_item(arena, AST_BLOCK_SITE, SPAN(@1, @3), $words, $block); }
    | "group" block END
        { $$ = ast_block_item(arena, AST_BLOCK_GROUP, SPAN(@1, @2), no_words, $block); }
    | "group" one_word block END
        { $$ = ast_block_item(arena, AST_BLOCK_GROUP, SPAN(@1, @3), $one_word, $block); }
    | "include" word END        { $$ = parse_include(parse, &$word); }
    | "table" word table_body END
        {
            $$ = ast_table(arena, SPAN(@1, @3), &$word, parse_table(parse, &$word), $table_body);
        }
    | question "->" bares target_asked fields END
        {
            $$ = ast_expect_answer(arena, $question, SPAN(@1, @5), $bares, $target_asked,
                                   $fields);
        }
    | error END                 { $$ = no_items; yyerrok; }
    | error block END           { $$ = no_items; yyerrok; }
    | error block error END     { $$ = no_items; yyerrok; }
    ;

block
    : "{" items "}"             { $$ = $items; }
    | "{}"                      { $$ = no_items; }
    ;

/* What is left of a line with a mistake, inside braces that hold no rules. */
broken
    : error END                     { yyerrok; }
    | error skipped END             { yyerrok; }
    | error skipped error END       { yyerrok; }
    ;
skipped
    : "{" "}"
    | "{}"
    ;

/* ---- rules ---- */

rule
    : path_source "->" target status body
        {
            $$ = ast_rule(parse_tree(parse), @$, &(struct ast_rule_parts){
                .source = &$path_source, .target = &$target,
                .status = $status, .body = $body });
        }
    | path_source "->" by status body
        {
            $$ = ast_rule(parse_tree(parse), @$, &(struct ast_rule_parts){
                .source = &$path_source, .by = $by, .status = $status, .body = $body });
        }
    | path_source bares body
        {
            $$ = ast_rule(parse_tree(parse), @$, &(struct ast_rule_parts){
                .source = &$path_source, .status = $bares, .body = $body });
        }
    | "~" STRING "->" target status body
        {
            $$ = ast_rule(parse_tree(parse), @$, &(struct ast_rule_parts){
                .source = &$STRING, .source_is_regex = true, .target = &$target,
                .status = $status, .body = $body });
        }
    | "~" STRING "->" by status body
        {
            $$ = ast_rule(parse_tree(parse), @$, &(struct ast_rule_parts){
                .source = &$STRING, .source_is_regex = true, .by = $by,
                .status = $status, .body = $body });
        }
    | "~" STRING bares body
        {
            $$ = ast_rule(parse_tree(parse), @$, &(struct ast_rule_parts){
                .source = &$STRING, .source_is_regex = true,
                .status = $bares, .body = $body });
        }
    ;

path_source
    : PATH
    | URL
    | STRING
    ;

target
    : PATH
    | URL
    | BRACED
    | STRING
    ;

status
    : %empty                    { $$ = no_words; }
    | bares
    ;

body
    : %empty                    { $$ = NULL; }
    | "{}"
        { $$ = ast_block(arena, AST_BLOCK_RULE, @$, no_words, no_items); }
    | "{" clauses "}"
        { $$ = ast_block(arena, AST_BLOCK_RULE, @$, no_words, $clauses); }
    ;

clauses
    : %empty                    { $$ = no_items; }
    | clauses[all] clause END   { $$ = ast_items_join($all, ast_clause_item(arena, $clause)); }
    | clauses[all] broken       { $$ = $all; }
    ;

by
    : "by" "accept" choice_lines { $$ = ast_by(arena, AST_BY_ACCEPT, @$, NULL, $choice_lines); }
    | "by" "language" choice_lines
        { $$ = ast_by(arena, AST_BY_LANGUAGE, @$, NULL, $choice_lines); }
    | "by" "header" one_word choice_lines
        { $$ = ast_by(arena, AST_BY_HEADER, @$, $one_word.first, $choice_lines); }
    | "by" "cookie" one_word choice_lines
        { $$ = ast_by(arena, AST_BY_COOKIE, @$, $one_word.first, $choice_lines); }
    | "by" "method" choice_lines { $$ = ast_by(arena, AST_BY_METHOD, @$, NULL, $choice_lines); }
    | "by" "client" choice_lines { $$ = ast_by(arena, AST_BY_CLIENT, @$, NULL, $choice_lines); }
    | "by" "chance" choice_lines { $$ = ast_by(arena, AST_BY_CHANCE, @$, NULL, $choice_lines); }
    ;

choice_lines
    : "{}"                      { $$ = no_choices; }
    | "{" choices "}"           { $$ = $choices; }
    ;

choices
    : %empty                    { $$ = no_choices; }
    | choices[all] words END
        { $$ = ast_choices_add($all, ast_choice(arena, @words, $words)); }
    | choices[all] broken       { $$ = $all; $$.has_broken = true; }
    ;

/* ---- clauses ---- */

clause
    : "status" bares            { $$ = ast_clause(arena, AST_CLAUSE_STATUS, @$, &$1, $2); }
    | "when" condition
        { $$ = ast_clause_condition(arena, AST_CLAUSE_WHEN, @$, &$1, &$2); }
    | "unless" condition
        { $$ = ast_clause_condition(arena, AST_CLAUSE_UNLESS, @$, &$1, &$2); }
    | "from" one_word           { $$ = ast_clause(arena, AST_CLAUSE_FROM, @$, &$1, $2); }
    | "until" one_word          { $$ = ast_clause(arena, AST_CLAUSE_UNTIL, @$, &$1, $2); }
    | "daily" one_word          { $$ = ast_clause(arena, AST_CLAUSE_DAILY, @$, &$1, $2); }
    | "weekly" words            { $$ = ast_clause(arena, AST_CLAUSE_WEEKLY, @$, &$1, $2); }
    | "timezone" one_word       { $$ = ast_clause(arena, AST_CLAUSE_TIMEZONE, @$, &$1, $2); }
    | "review" one_word         { $$ = ast_clause(arena, AST_CLAUSE_REVIEW, @$, &$1, $2); }
    | "cache" words             { $$ = ast_clause(arena, AST_CLAUSE_CACHE, @$, &$1, $2); }
    | "vary" words              { $$ = ast_clause(arena, AST_CLAUSE_VARY, @$, &$1, $2); }
    | "query" words             { $$ = ast_clause(arena, AST_CLAUSE_QUERY, @$, &$1, $2); }
    | "case" one_word           { $$ = ast_clause(arena, AST_CLAUSE_CASE, @$, &$1, $2); }
    | "slash" one_word          { $$ = ast_clause(arena, AST_CLAUSE_SLASH, @$, &$1, $2); }
    | "let" two_words           { $$ = ast_clause(arena, AST_CLAUSE_LET, @$, &$1, $2); }
    | "preflight" one_word      { $$ = ast_clause(arena, AST_CLAUSE_PREFLIGHT, @$, &$1, $2); }
    | "header" two_words        { $$ = ast_clause(arena, AST_CLAUSE_HEADER, @$, &$1, $2); }
    | "retry-after" one_word    { $$ = ast_clause(arena, AST_CLAUSE_RETRY_AFTER, @$, &$1, $2); }
    | "blocked-by" one_word     { $$ = ast_clause(arena, AST_CLAUSE_BLOCKED_BY, @$, &$1, $2); }
    | "note" one_word           { $$ = ast_clause(arena, AST_CLAUSE_NOTE, @$, &$1, $2); }
    | "owner" one_word          { $$ = ast_clause(arena, AST_CLAUSE_OWNER, @$, &$1, $2); }
    | "override"
        { $$ = ast_clause(arena, AST_CLAUSE_OVERRIDE, @$, &$1, no_words); }
    | "allow" words             { $$ = ast_clause(arena, AST_CLAUSE_ALLOW, @$, &$1, $2); }
    ;

condition
    : "method" words
        { $$ = (struct ast_condition){ AST_CONDITION_METHOD, .words = $2 }; }
    | "scheme" words
        { $$ = (struct ast_condition){ AST_CONDITION_SCHEME, .words = $2 }; }
    | "accept" words
        { $$ = (struct ast_condition){ AST_CONDITION_ACCEPT, .words = $2 }; }
    | "language" words
        { $$ = (struct ast_condition){ AST_CONDITION_LANGUAGE, .words = $2 }; }
    | "client" words
        { $$ = (struct ast_condition){ AST_CONDITION_CLIENT, .words = $2 }; }
    | "flag" words
        { $$ = (struct ast_condition){ AST_CONDITION_FLAG, .words = $2 }; }
    | "chance" one_word
        { $$ = (struct ast_condition){ AST_CONDITION_CHANCE, .words = $2 }; }
    | "busy" one_word
        { $$ = (struct ast_condition){ AST_CONDITION_BUSY, .words = $2 }; }
    | "header" one_word
        { $$ = (struct ast_condition){ AST_CONDITION_HEADER, .name = $2.first }; }
    | "header" one_word "=" words
        { $$ = (struct ast_condition){ AST_CONDITION_HEADER, $2.first, AST_OPERATOR_EQUAL, $4 }; }
    | "header" one_word "~" STRING
        {
            $$ = (struct ast_condition){ AST_CONDITION_HEADER, $2.first, AST_OPERATOR_REGEX,
                                         ast_words_one(arena, &$4) };
        }
    | "cookie" one_word
        { $$ = (struct ast_condition){ AST_CONDITION_COOKIE, .name = $2.first }; }
    | "cookie" one_word "=" words
        { $$ = (struct ast_condition){ AST_CONDITION_COOKIE, $2.first, AST_OPERATOR_EQUAL, $4 }; }
    | "query" one_word
        { $$ = (struct ast_condition){ AST_CONDITION_QUERY, .name = $2.first }; }
    | "query" one_word "=" words
        { $$ = (struct ast_condition){ AST_CONDITION_QUERY, $2.first, AST_OPERATOR_EQUAL, $4 }; }
    | "env" one_word
        { $$ = (struct ast_condition){ AST_CONDITION_ENV, .name = $2.first }; }
    | "env" one_word "=" words
        { $$ = (struct ast_condition){ AST_CONDITION_ENV, $2.first, AST_OPERATOR_EQUAL, $4 }; }
    ;

/* ---- tables ---- */

table_body
    : %empty                    { $$ = NULL; }
    | "{}"
        { $$ = ast_block(arena, AST_BLOCK_RULE, @$, no_words, no_items); }
    | "{" table_clauses "}"
        { $$ = ast_block(arena, AST_BLOCK_RULE, @$, no_words, $table_clauses); }
    ;

table_clauses
    : %empty                    { $$ = no_items; }
    | table_clauses[all] table_clause END
        { $$ = ast_items_join($all, ast_clause_item(arena, $table_clause)); }
    | table_clauses[all] broken { $$ = $all; }
    ;

table_clause
    : clause
    | "columns" words           { $$ = ast_clause(arena, AST_CLAUSE_COLUMNS, @$, &$1, $2); }
    | "heading"
        { $$ = ast_clause(arena, AST_CLAUSE_HEADING, @$, &$1, no_words); }
    | "patterns"
        { $$ = ast_clause(arena, AST_CLAUSE_PATTERNS, @$, &$1, no_words); }
    | "separator" one_word      { $$ = ast_clause(arena, AST_CLAUSE_SEPARATOR, @$, &$1, $2); }
    ;

/* ---- expectations ---- */

question
    : "expect" bare url with time_asked
        { $$ = ast_expect(arena, &$bare, &$url, $with, $time_asked); }
    ;

url
    : PATH
    | URL
    | STRING
    ;

with
    : %empty                    { $$ = no_withs; }
    | "with" "{}"               { $$ = no_withs; }
    | "with" "{" facts "}"      { $$ = $facts; }
    ;

facts
    : %empty                    { $$ = no_withs; }
    | facts[all] fact END       { $$ = ast_withs_add($all, $fact); }
    | facts[all] broken         { $$ = $all; }
    ;

fact
    : "header" two_words        { $$ = ast_with(arena, &$1, $2); }
    | "cookie" two_words        { $$ = ast_with(arena, &$1, $2); }
    | "env" two_words           { $$ = ast_with(arena, &$1, $2); }
    | "client" one_word         { $$ = ast_with(arena, &$1, $2); }
    | "flag" words              { $$ = ast_with(arena, &$1, $2); }
    | "chance" one_word         { $$ = ast_with(arena, &$1, $2); }
    | "busy" one_word           { $$ = ast_with(arena, &$1, $2); }
    ;

time_asked
    : %empty                    { $$ = NULL; }
    | "at" one_word             { $$ = $one_word.first; }
    ;

target_asked
    : %empty                    { $$ = NULL; }
    | target                    { $$ = ast_words_one(arena, &$target).first; }
    ;

fields
    : %empty                    { $$ = no_withs; }
    | "{}"                      { $$ = no_withs; }
    | "{" field_list "}"        { $$ = $field_list; }
    ;

field_list
    : %empty                    { $$ = no_withs; }
    | field_list[all] field END { $$ = ast_withs_add($all, $field); }
    | field_list[all] broken    { $$ = $all; }
    ;

field
    : "header" two_words        { $$ = ast_with(arena, &$1, $2); }
    ;

/* ---- words ---- */

one_word
    : word                      { $$ = ast_words_one(arena, &$word); }
    ;

two_words
    : one_word word             { $$ = ast_words_add(arena, $one_word, &$word); }
    ;

words
    : one_word
    | words[all] word           { $$ = ast_words_add(arena, $all, &$word); }
    ;

/* Words that are neither quoted nor look like a source or a target: a status, a method. */
bares
    : bare                      { $$ = ast_words_one(arena, &$bare); }
    | bares[all] bare           { $$ = ast_words_add(arena, $all, &$bare); }
    ;

word
    : bare
    | STRING
    | PATH
    | URL
    | BRACED
    ;

bare
    : WORD
    | keyword
    ;

keyword
    : "accept" | "allow" | "at" | "blocked-by" | "busy" | "by" | "cache" | "case" | "chance"
    | "client" | "columns" | "cookie" | "daily" | "env" | "expect" | "flag" | "from" | "group"
    | "header" | "heading" | "include" | "language" | "let" | "method" | "note" | "override"
    | "owner" | "patterns" | "preflight" | "query" | "retry-after" | "review" | "scheme"
    | "separator" | "site" | "slash" | "status" | "table" | "timezone" | "unless" | "until"
    | "vary" | "weekly" | "when" | "with"
    ;

%%

/* Only a stack without bounds would bring bison here, and the nesting limit keeps it far away. */
static void rules_error(const RULES_LTYPE *span, struct scan *scan, struct parse *parse,
                        struct arena *arena, const char *message)
{
    (void)parse;
    (void)arena;
    diag_error(scan->diag, DIAG_NESTING_TOO_DEEP, *span, "these rules cannot be read: %s",
               message);
}

static int yyreport_syntax_error(const yypcontext_t *context, struct scan *scan,
                                 struct parse *parse, struct arena *arena)
{
    yysymbol_kind_t kinds[YYNTOKENS];
    const char *expected[YYNTOKENS];
    int count = yypcontext_expected_tokens(context, kinds, YYNTOKENS);

    (void)parse;
    (void)arena;
    if (count < 0)
        return count;
    for (int i = 0; i < count; i++)
        expected[i] = yysymbol_name(kinds[i]);
    syntax_error(scan, *yypcontext_location(context),
                 &(struct syntax_error){
                     .unexpected = yysymbol_name(yypcontext_token(context)),
                     .expected = expected,
                     .expected_count = (size_t)count
                 });
    scan_recover(scan, yypcontext_token(context) == YYSYMBOL_END);
    return 0;
}
