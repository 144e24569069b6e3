/* SPDX-License-Identifier: Apache-2.0 */
/* What one site's indexes hold for the request at hand: adds to lookup->found, best first, what ranks behind
 * lookup->last and before lookup->dropped. Private to lookup. */
#ifndef MOD_REDIR307_LOOKUP_COLLECT_H
#define MOD_REDIR307_LOOKUP_COLLECT_H

#include "mod_redir307/lookup.h"

void lookup_collect_exact(struct lookup *lookup);
/* `bare`: a normal path without its trailing slash. */
void lookup_walk_path(const struct ruleset *rs, uint32_t scope, struct slice bare, struct lookup_walk *walk);
/* Shapes [first, end) of the scope are next. */
void lookup_begin_shapes(struct lookup *lookup, unsigned first, unsigned end);
/* Probes the next shape. There must be one: shape_next < shape_end. */
void lookup_collect_shape(struct lookup *lookup);

bool lookup_match_pattern(struct lookup *lookup, const struct ruleset_pattern_view *rule,
                          struct pattern_capture *captures, unsigned *cost);

/* Puts a match where it belongs in `found`; the worst one is dropped where it is full. */
void lookup_add(struct lookup *lookup, const struct lookup_match *match);

/* The path in lower case, made once; true where it differs from the path. */
bool lookup_fold(struct lookup *lookup);

#endif
