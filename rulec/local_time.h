/* SPDX-License-Identifier: Apache-2.0 */
/* Dates and times as they are written, and what a local time is in a zone. */
#ifndef RULEC_LOCAL_TIME_H
#define RULEC_LOCAL_TIME_H

#include "rulec/plan.h"

struct local_time {
    int64_t seconds;  /* of that clock since 1970-01-01T00:00; a date alone: its start */
    bool is_date;     /* no time of the day was written */
    bool has_offset;  /* "Z" or "+01:00" */
    int32_t offset_s; /* east of UTC */
};
/* "2026-12-31", "2026-12-31T22:00", "2026-12-31T22:00:05", the latter two with "Z", "+01:00" or "-05:30" behind it.
 * False: it is none, or there is no such day. */
bool local_time_read(struct slice text, struct local_time *time);

/* Seconds east of UTC at a Unix time. */
int32_t local_time_offset(const struct plan_zone *zone, int64_t time_s);
/* True where the zone's rule alone gives this offset from `from` until `until`, all the time. */
bool local_time_rule_keeps(const struct plan_zone *zone, int64_t from, int64_t until, int32_t offset_s);
/* The Unix time at which the zone's clocks show `seconds` (counted as in struct local_time). Where they show it twice
 * the first of both; where they leap over it, as far behind the leap (RFC 5545, 3.3.5). */
int64_t local_time_to_unix(const struct plan_zone *zone, int64_t seconds);

/* "2026-12-31T22:00:05Z"; buffer of LOCAL_TIME_TEXT_SIZE. */
enum { LOCAL_TIME_TEXT_SIZE = 64 };
const char *local_time_show(int64_t time_s, char *buffer);

#endif
