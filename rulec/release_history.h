/* SPDX-License-Identifier: Apache-2.0 */
/* What was current when: the lines of DIR/history, and the row of releases that roll-backs walk along. */
#ifndef RULEC_RELEASE_HISTORY_H
#define RULEC_RELEASE_HISTORY_H

#include "grammar/arena.h"
#include "mod_redir307/ruleset.h"

#include <stdbool.h>
#include <stdint.h>

enum { RELEASE_TIME_SIZE = 20 }; /* 2026-11-20T21:05:15Z */

struct release_line {
    char time[RELEASE_TIME_SIZE + 1];
    char action[16];
    char id[RULESET_ID_SIZE + 1];
    uint64_t rules;
};

struct release_history {
    struct release_line *lines;
    size_t line_count;
    bool ends_in_line_end; /* false: the last write was cut off */
};

/* A line that is none, or was cut off by a crash, is left out. */
void release_history_parse(struct arena *arena, struct slice text, struct release_history *history);

/* The text of one line, with its line end. */
const char *release_history_line(struct arena *arena, const char *action, const char *id, uint64_t rules);

/* The id that a roll-back goes to: what was current before `current` was deployed; a roll-back after a roll-back goes
 * further back. NULL: there is none. `current` is what the folder holds, whatever the history says: a change that was
 * cut off between the two is mended here. */
const char *release_history_previous(struct arena *arena, const struct release_history *history, const char *current);

/* The last line with that id; NULL: none. */
const struct release_line *release_history_find(const struct release_history *history, const char *id);

/* 32 lower-case hex digits. */
bool release_id_is_valid(struct slice id);

#endif
