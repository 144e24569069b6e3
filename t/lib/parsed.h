/* SPDX-License-Identifier: Apache-2.0 */
/* Rules written in a test, and the tree and the messages that they make. One at a time: the tests ask `parsed` for
 * it. Header only, over libgrammar. */
#ifndef T_LIB_PARSED_H
#define T_LIB_PARSED_H

#include "grammar/ast.h"
#include "grammar/parse.h"
#include "t/lib/tap.h"

struct parsed {
    struct arena *arena;
    struct source_set *sources;
    struct diag *diag;
    struct ast *ast;
};
static struct parsed parsed;

static inline void parsed_open(void)
{
    parsed.arena = arena_open();
    parsed.sources = source_set_open(parsed.arena);
    parsed.diag = diag_open(parsed.arena, parsed.sources);
    parsed.ast = ast_open(parsed.arena, parsed.sources);
}

static inline void parsed_close(void)
{
    source_set_close(parsed.sources);
    arena_close(parsed.arena);
}

#endif
