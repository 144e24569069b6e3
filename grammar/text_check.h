/* SPDX-License-Identifier: Apache-2.0 */
/* Are the bytes of a source text? Asked once, before anything reads words in them. */
#ifndef GRAMMAR_TEXT_CHECK_H
#define GRAMMAR_TEXT_CHECK_H

#include "grammar/diag.h"

/* Reports bytes that are no UTF-8 and control bytes, one message a line, each with its place;
 * NUL bytes of the source's buffer become 0x01, so that nobody behind this stops at one. False
 * where it is no text at all (UTF-16, a binary file): then there is one message, and nothing in it should be
 * read. */
bool text_check(struct diag *diag, const struct source_set *sources,
                const struct source *source);

#endif
