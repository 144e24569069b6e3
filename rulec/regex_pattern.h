/* SPDX-License-Identifier: Apache-2.0 */
/* What a pattern of the language says as well as a regex does: it is found faster, proved more about, and read by more
 * people. */
#ifndef RULEC_REGEX_PATTERN_H
#define RULEC_REGEX_PATTERN_H

#include "grammar/arena.h"

/* "/a/{id:int}" for `^/a/(?<id>\d+)$`; NULL where no pattern says it, or that is not certain. In the arena. */
const char *regex_pattern(struct arena *arena, struct slice regex);
/* "int" for `\d+`, "en|de" for `en|de`, "" for `[^/]+`, which a placeholder takes by itself; NULL: none. */
const char *regex_segment_type(struct arena *arena, struct slice regex);

#endif
