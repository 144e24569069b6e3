/* SPDX-License-Identifier: Apache-2.0 */
/* The text that every match of a regex over a path must begin with: the engine finds the regex by it. */
#ifndef RULEC_REGEX_PREFIX_H
#define RULEC_REGEX_PREFIX_H

#include "grammar/arena.h"

/* "/x/a" of `^/x/a(b|c)`; empty where the regex is not anchored at the start, or begins with an alternative, an option
 * or a class. Never longer than what is certain: a quantified last character is not part of it. In the arena. */
struct slice regex_prefix(struct arena *arena, struct slice regex);

#endif
