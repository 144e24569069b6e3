/* SPDX-License-Identifier: Apache-2.0 */
/* Are the bytes of a source text? Asked once, before anything reads words in them. */
#ifndef GRAMMAR_TEXT_CHECK_H
#define GRAMMAR_TEXT_CHECK_H

#include "grammar/diag.h"

/* Reports bytes that are no UTF-8 and control bytes, one message a line, each with its place;
 * NUL bytes of the source's buffer become 0x01, so that nobody behind this stops at one. False
 * where it is no text at all (UTF-16): then there is one message, and nothing in it should be
 * read. */
bool text_check(struct diag *diag, const struct source_set *sources,
                const struct source *source);

/* Bytes of the well-formed UTF-8 character (RFC 3629) at `text`, of which `size` bytes are
 * there; 0: it is none. */
size_t text_character_size(const char *text, size_t size);

#endif
