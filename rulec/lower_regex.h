/* SPDX-License-Identifier: Apache-2.0 */
/* Regexes: compiled once to see that they are good, and judged. What the engine will do with them is in
 * mod_redir307/regex.h. */
#ifndef RULEC_LOWER_REGEX_H
#define RULEC_LOWER_REGEX_H

#include "rulec/lower_segment.h"

/* All of these: false after a reported mistake. */

/* Of `when header NAME ~ "..."`. */
bool lower_regex_field(struct lower *lower, struct lower_word word);
/* Of `{x:/.../}`: `regex` is a part of the word. */
bool lower_regex_segment(struct lower *lower, struct lower_word word, struct slice regex);
/* Of `~ "..."`: its groups are the captures. */
bool lower_regex_source(struct lower *lower, const struct lower_scope *scope,
                        struct lower_word word, struct lower_source *source);

#endif
