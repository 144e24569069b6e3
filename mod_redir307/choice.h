/* SPDX-License-Identifier: Apache-2.0 */
/* `by ...` forms: one source, several targets, chosen by what the request says. Private to the engine.
 *
 *   choice    u8 by, string name (HEADER, COOKIE; else empty), u16 line_count, line*line_count
 *   line      u8 flags, u16 status_get, u16 status_other (0: the rule's), u32 weight, u16 key_count, string*key_count,
 *             string target (empty: none)
 *   string    u16 size, bytes */
#ifndef MOD_REDIR307_CHOICE_H
#define MOD_REDIR307_CHOICE_H

#include "mod_redir307/condition.h"

enum choice_by {
    CHOICE_BY_NONE,
    CHOICE_BY_ACCEPT,
    CHOICE_BY_LANGUAGE,
    CHOICE_BY_HEADER,
    CHOICE_BY_COOKIE,
    CHOICE_BY_METHOD,
    CHOICE_BY_CLIENT,
    CHOICE_BY_CHANCE,
    CHOICE_BY_COUNT
};
enum choice_line_flag { CHOICE_OTHERWISE = 1, CHOICE_TEMPLATE = 2 };

struct choice_line {
    unsigned flags;
    unsigned status_get, status_other;
    uint32_t weight;
    unsigned key_count;
    struct ruleset_cursor keys;
    struct slice target;
};

/* False: no line is to be taken, the form does not hold; or the bytes are no choice. */
bool choice_pick(struct lookup *lookup, struct slice choice, uint32_t place, struct reads *reads,
                 struct choice_line *line);

/* Line number `index` of a choice, for tools; false past the last. */
bool choice_line_at(struct slice choice, unsigned index, unsigned *by, struct slice *name, struct choice_line *line);

#endif
