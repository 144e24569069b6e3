/* SPDX-License-Identifier: Apache-2.0 */
/* The one way into the grammar: files in, tree and messages out. */
#ifndef GRAMMAR_PARSE_H
#define GRAMMAR_PARSE_H

#include "grammar/ast.h"
#include "grammar/diag.h"

enum {
    PARSE_NESTING_LIMIT = 64,        /* blocks inside each other */
    PARSE_INCLUDE_LIMIT = 16,        /* files including each other */
    PARSE_FILE_LIMIT = 10000,        /* files and tables of one compilation */
    PARSE_STRING_LIMIT = 65535       /* bytes of one word */
};

/* Reads `path`, all it includes and all tables it names. Mistakes are messages of `diag` and
 * the rest is still read, so one run shows many of them. False where the file itself could not
 * be read: *reason says why. */
bool parse_file(struct ast *ast, struct diag *diag, const char *path, const char **reason);
/* The same without opening what it includes and the tables it names: for who looks at one file's words only. */
bool parse_file_alone(struct ast *ast, struct diag *diag, const char *path, const char **reason);
/* The same as parse_file for a text (tests, fuzzing); includes are resolved relative to `path`. */
void parse_text(struct ast *ast, struct diag *diag, const char *path, struct slice text);

/* An empty tree for parse_file; the arena and the set are the caller's. */
struct ast *ast_open(struct arena *arena, struct source_set *sources);

#endif
