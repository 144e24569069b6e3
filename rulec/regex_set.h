/* SPDX-License-Identifier: Apache-2.0 */
/* A regex as a set of paths, as far as it is a plain one. */
#ifndef RULEC_REGEX_SET_H
#define RULEC_REGEX_SET_H

#include "rulec/path_set.h"

/* Puts what the expression takes: characters, classes, groups, alternatives and quantifiers. False: it has something
 * else, and nothing was put. `is_whole`: it stands for all of a text, else it may begin and end in the middle of one
 * where it has no "^" and "$". */
bool regex_set_put(struct path_sets *sets, struct slice regex, bool is_whole, bool ignores_case);

#endif
