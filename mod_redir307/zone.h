/* SPDX-License-Identifier: Apache-2.0 */
/* Local time by a zone of the rule file: transitions, then the POSIX rule. Private to the engine. */
#ifndef MOD_REDIR307_ZONE_H
#define MOD_REDIR307_ZONE_H

#include "mod_redir307/ruleset_read.h"

struct zone_time {
    int32_t offset_s;     /* east of UTC */
    bool has_next;
    int64_t next_change_s;/* Unix time at which the offset may change next */
};
/* False: there is no such zone. */
bool zone_at(const struct ruleset *ruleset, uint32_t zone, int64_t time_s, struct zone_time *result);

/* Days since 1970-01-01 of a civil date (proleptic Gregorian). */
int64_t zone_days_from_civil(int64_t year, unsigned month, unsigned day);
/* The year of a day. */
int64_t zone_year_of(int64_t days);

#endif
