/* SPDX-License-Identifier: Apache-2.0 */
/* The words of a text with what stands between them, comments and line ends too: for who writes
 * the same text again in another layout. What a word is says scanner.l, as for the grammar. */
#ifndef GRAMMAR_LAYOUT_H
#define GRAMMAR_LAYOUT_H

#include "grammar/ast.h"
#include "grammar/diag.h"

enum layout_kind {
    LAYOUT_WORD,   /* a bare word or a keyword */
    LAYOUT_PLACE,  /* what starts like a path, a URL or a placeholder */
    LAYOUT_STRING, /* with its quotes */
    LAYOUT_ARROW,
    LAYOUT_SIGN, /* `=` and `~` */
    LAYOUT_OPEN,
    LAYOUT_CLOSE,
    LAYOUT_EMPTY,  /* `{}` */
    LAYOUT_END,    /* `;` or line ends */
    LAYOUT_COMMENT /* from `#` to the end of the line, without blanks at its end */
};

struct layout_token {
    struct span span;
    enum layout_kind kind;
    unsigned line_ends; /* END: how many; 0 for a `;` */
};

struct layout {
    struct layout_token *tokens;
    size_t count;
};

/* Reads source number 0 of the tree's sources, which parse_file_alone() has read without a
 * mistake. layout_fini() is due. */
void layout_init(struct layout *layout, const struct ast *ast, struct diag *diag);
void layout_fini(struct layout *layout);

#endif
