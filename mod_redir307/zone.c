/* SPDX-License-Identifier: Apache-2.0 */
/* A bisection over the transitions; behind the last one, the two edges of the year by the POSIX rule. */
#include "mod_redir307/zone.h"

enum { DAY_S = 86400 };

static int64_t floor_div(int64_t value, int64_t by)
{
    return value / by - (value % by < 0);
}

/* Both by the era method of 400-year cycles that begin on March 1. */
int64_t zone_days_from_civil(int64_t year, unsigned month, unsigned day)
{
    if (month <= 2) year--;
    int64_t era = floor_div(year, 400), year_of_era = year - era * 400;
    int64_t day_of_year = (153 * ((int64_t)month + (month > 2 ? -3 : 9)) + 2) / 5 + (int64_t)day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return era * 146097 + day_of_era - 719468;
}

int64_t zone_year_of(int64_t days)
{
    days += 719468;
    int64_t era = floor_div(days, 146097), day_of_era = days - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);

    /* from March 1: the last 60 days or so belong to the next civil year */
    return era * 400 + year_of_era + (day_of_year >= 306);
}

static bool is_leap(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* When the edge comes in a year, for a clock that is `offset_s` east of UTC before it. */
static int64_t edge_of_year(const struct ruleset_zone_rule *rule, int64_t year, int32_t offset_s)
{
    int64_t day = zone_days_from_civil(year, 1, 1);

    if (rule->kind == 1) {
        unsigned month = rule->month >= 1 && rule->month <= 12 ? rule->month : 1;
        int64_t first = zone_days_from_civil(year, month, 1);
        int64_t next = month == 12 ? zone_days_from_civil(year + 1, 1, 1) : zone_days_from_civil(year, month + 1, 1);
        int64_t weekday = (first + 4) % 7; /* 1970-01-01 was a Thursday; 0 is Sunday */

        if (weekday < 0) weekday += 7;
        day = first + (rule->weekday % 7 - weekday + 7) % 7 + 7 * ((int64_t)rule->week - 1);
        while (day >= next) day -= 7; /* week 5 is the last one */
    } else if (rule->kind == 2) {
        day += rule->day - 1 + (is_leap(year) && rule->day >= 60); /* Jn never counts February 29 */
    } else {
        day += rule->day;
    }
    return day * DAY_S + rule->time_s - offset_s;
}

static void by_rule(const struct ruleset_zone *zone, int64_t time_s, struct zone_time *result)
{
    int64_t year = zone_year_of(floor_div(time_s + zone->standard_s, DAY_S));
    int64_t latest = INT64_MIN;

    result->offset_s = zone->standard_s;
    result->has_next = false;
    if (zone->to_daylight.kind == 0) return;
    /* The edges around: the latest one passed tells the offset, the earliest one ahead the next change. */
    for (int64_t y = year - 1; y <= year + 1; y++) {
        int64_t edges[2] = { edge_of_year(&zone->to_daylight, y, zone->standard_s),
                             edge_of_year(&zone->to_standard, y, zone->daylight_s) };

        for (unsigned i = 0; i < 2; i++) {
            if (edges[i] <= time_s && edges[i] > latest) {
                latest = edges[i];
                result->offset_s = i == 0 ? zone->daylight_s : zone->standard_s;
            }
            if (edges[i] > time_s && (!result->has_next || edges[i] < result->next_change_s)) {
                result->has_next = true;
                result->next_change_s = edges[i];
            }
        }
    }
}

bool zone_at(const struct ruleset *ruleset, uint32_t at, int64_t time_s, struct zone_time *result)
{
    struct ruleset_zone zone;

    if (at == 0 || !ruleset_get(ruleset, RULESET_ZONES, at, &zone, sizeof zone)) return false;
    uint64_t count = zone.transition_count, times_at = (uint64_t)at + sizeof zone, offsets_at = times_at + 8 * count;
    const uint8_t *times = ruleset_bytes(ruleset, RULESET_ZONES, times_at, 8 * count + 4 * (count + 1));
    if (!times) return false;

    uint64_t low = 0, high = count;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        int64_t transition;

        memcpy(&transition, times + 8 * middle, sizeof transition);
        if (transition <= time_s) low = middle + 1;
        else high = middle;
    }
    if (low == count && zone.has_rule) {
        by_rule(&zone, time_s, result);
        return true;
    }
    memcpy(&result->offset_s, times + (offsets_at - times_at) + 4 * low, sizeof result->offset_s);
    result->has_next = low < count;
    if (low < count) memcpy(&result->next_change_s, times + 8 * low, sizeof result->next_change_s);
    return true;
}
