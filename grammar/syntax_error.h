/* SPDX-License-Identifier: Apache-2.0 */
/* Words for a token that the grammar has no place for. Inside grammar/ only. */
#ifndef GRAMMAR_SYNTAX_ERROR_H
#define GRAMMAR_SYNTAX_ERROR_H

#include "grammar/scan.h"

/* Tokens by their aliases in parser.y; a keyword's alias is the keyword itself. */
struct syntax_error {
    const char *unexpected;
    const char *const *expected;
    size_t expected_count;
};

/* Reports the token at `span`, with what would be right there and, for a misspelt keyword, the
 * nearest that would. */
void syntax_error(struct scan *scan, struct span span, const struct syntax_error *error);

#endif
