/* SPDX-License-Identifier: Apache-2.0 */
/* Condition programs as they stand in the file, taken apart. Private to the engine. */
#ifndef MOD_REDIR307_CONDITION_PROGRAM_H
#define MOD_REDIR307_CONDITION_PROGRAM_H

#include "mod_redir307/ruleset_read.h"

enum { CONDITION_DAY_S = 86400 };

/* One condition, taken out of its program; the strings are read again by each question. */
struct condition {
    unsigned op, flags, value_count;
    struct slice name;
    struct ruleset_cursor values; /* value_count strings, or networks */
    uint32_t number;              /* regex, share, zone */
    int64_t from_s, until_s;
    unsigned days;
    uint32_t start_s, end_s;
};

/* The next condition of a program. False: none that this engine knows. */
bool condition_read(struct ruleset_cursor *program, struct condition *condition);

/* True where the bytes of the section hold nothing but programs that this engine knows. */
bool condition_section_is_sound(const uint8_t *bytes, uint64_t size);

#endif
