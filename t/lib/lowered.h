/* SPDX-License-Identifier: Apache-2.0 */
/* Rules written in a test, read and brought into the plan; what they became is compared as text. One at a time: the
 * tests ask `lowered` for it. Header only, over librulec. */
#ifndef T_LIB_LOWERED_H
#define T_LIB_LOWERED_H

#include "rulec/lower.h"
#include "t/lib/parsed.h"

#include <stdarg.h>
#include <stdio.h>

struct lowered {
    struct plan *plan;
    char shown[4096]; /* what lowered_put() wrote */
    size_t shown_size;
};
static struct lowered lowered;

/* Mistakes are in parsed.diag. `path`: what includes and tables are relative to; `now_s`: what dates are compared with,
 * 0: the clock. */
static inline void lowered_open_at(const char *path, const char *text, int64_t now_s)
{
    parsed_open();
    lowered.plan = plan_open(parsed.arena, parsed.sources);
    lowered.plan->now_s = now_s;
    lowered.shown_size = 0;
    lowered.shown[0] = 0;
    parse_text(parsed.ast, parsed.diag, path, slice_from_string(text));
    lower(parsed.ast, parsed.diag, lowered.plan);
}

static inline void lowered_open(const char *text)
{
    lowered_open_at("test.redir", text, 0);
}

/* Two rules, to be compared. False: they have become more or fewer. */
static inline bool lowered_open_two(const char *first, const char *second)
{
    static char text[1024];

    snprintf(text, sizeof text, "%s\n%s\n", first, second);
    lowered_open(text);
    return lowered.plan->rule_count == 2;
}

/* What was shown stays. */
static inline void lowered_close(void)
{
    plan_close(lowered.plan);
    parsed_close();
}

static inline void lowered_put(const char *format, ...) __attribute__((format(printf, 1, 2)));
static inline void lowered_put(const char *format, ...)
{
    size_t room = sizeof lowered.shown - lowered.shown_size;
    va_list arguments;

    va_start(arguments, format);
    int size = vsnprintf(lowered.shown + lowered.shown_size, room, format, arguments);
    va_end(arguments);
    if (size > 0) lowered.shown_size += (size_t)size < room ? (size_t)size : room - 1;
}

static inline void lowered_put_slice(struct slice text)
{
    lowered_put("%.*s", (int)text.size, text.size ? text.data : "");
}

#endif
