/* SPDX-License-Identifier: Apache-2.0 */
/* What the grammar's actions need of the files around them. Inside grammar/ only. */
#ifndef GRAMMAR_PARSE_FILE_H
#define GRAMMAR_PARSE_FILE_H

#include "grammar/ast_make.h"
#include "grammar/parse.h"

/* One file while it is read. */
struct parse;

struct ast *parse_tree(const struct parse *parse);
void parse_file_done(struct parse *parse, struct ast_items items);
/* A block for each file that the word names, read to its end. */
struct ast_items parse_include(struct parse *parse, const struct ast_word *word);
/* NULL where it cannot be opened, which is reported. */
const struct source *parse_table(struct parse *parse, const struct ast_word *word);

#endif
