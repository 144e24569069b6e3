/* SPDX-License-Identifier: Apache-2.0 */
/* Fills in a target: literals as they are, templates piece by piece, each inserted text encoded for the place where it
 * stands, then the request's remaining query as the rule's policy says. Private to the engine.
 *
 *   template  u8 flags (enum target_flag), then pieces to the end
 *   piece     u8 kind, [TEXT: u16 size, bytes] or [all others: u8 index, u8 place, u8 transforms] */
#ifndef MOD_REDIR307_TARGET_H
#define MOD_REDIR307_TARGET_H

#include "mod_redir307/lookup.h"

enum target_flag {
    TARGET_IS_HTTPS = 1,         /* the request's URL under https; no pieces */
    TARGET_DROPS_LAST_SLASH = 2, /* before the final star, where the request was the subtree's root without "/" */
    TARGET_USES_QUERY = 4,       /* {query} stands in it: no parameters are added */
    TARGET_FLAGS_END = 8
};
enum target_piece {
    TARGET_TEXT,
    TARGET_CAPTURE,       /* of the path: normal form */
    TARGET_QUERY_CAPTURE, /* decoded */
    TARGET_HOST_CAPTURE,
    TARGET_HOST,
    TARGET_PATH,
    TARGET_QUERY,
    TARGET_SCHEME
};
enum target_place { TARGET_IN_AUTHORITY, TARGET_IN_PATH, TARGET_IN_QUERY, TARGET_IN_VALUE, TARGET_IN_FRAGMENT };
enum target_transform { TARGET_LOWER = 1, TARGET_UPPER = 2, TARGET_DASHES = 4, TARGET_TRANSFORMS_END = 8 };

enum target_result {
    TARGET_BUILT,
    TARGET_TOO_LONG, /* past ANSWER_LOCATION_LIMIT */
    TARGET_UNSAFE    /* would lead elsewhere than the rule says (a made dot segment), or the file is damaged */
};

struct target_source {
    struct slice target;
    bool is_template;
    struct slice program; /* of the rule's pattern; empty for exact sources */
    const struct pattern_capture *captures;
};

/* *location lies in the lookup's scratch; ASCII without blanks and controls, "http(s)://..." or a path that starts with
 * one slash. */
enum target_result target_build(struct lookup *lookup, const struct ruleset_action *action,
                                const struct target_source *source, struct slice *location);

#endif
