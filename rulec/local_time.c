/* SPDX-License-Identifier: Apache-2.0 */
/* The civil calendar (proleptic Gregorian) and a zone's offsets: its transitions, behind the last one its POSIX rule. */
#include "config.h"

#include "rulec/local_time.h"

#include <stdio.h>

enum { DAY_S = 86400 };

static int64_t floor_div(int64_t value, int64_t by)
{
    return value / by - (value % by < 0);
}

static bool is_leap(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static unsigned month_days(int64_t year, unsigned month)
{
    static const unsigned days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

    return days[month - 1] + (month == 2 && is_leap(year) ? 1U : 0U);
}

/* Days from 1970-01-01 to January 1 of a year. */
static int64_t year_start(int64_t year)
{
    int64_t before = year - 1;

    return before * 365 + floor_div(before, 4) - floor_div(before, 100) +
           floor_div(before, 400) - 719162;
}

static int64_t days_of(int64_t year, unsigned month, unsigned day)
{
    int64_t days = year_start(year) + (int64_t)day - 1;

    for (unsigned m = 1; m < month; m++)
        days += month_days(year, m);
    return days;
}

static int64_t year_of(int64_t days)
{
    int64_t year = 1970 + floor_div(days * 400, 146097);

    while (year_start(year) > days)
        year--;
    while (year_start(year + 1) <= days)
        year++;
    return year;
}

/* ---- reading ---- */

/* `count` digits at *at. */
static bool read_digits(struct slice text, size_t *at, size_t count, unsigned limit,
                        unsigned *value)
{
    if (text.size - *at < count)
        return false;
    *value = 0;
    for (size_t i = 0; i < count; i++) {
        char byte = text.data[(*at)++];

        if (byte < '0' || byte > '9')
            return false;
        *value = *value * 10 + (unsigned)(byte - '0');
    }
    return *value <= limit;
}

static bool skip(struct slice text, size_t *at, char byte)
{
    if (*at == text.size || text.data[*at] != byte)
        return false;
    ++*at;
    return true;
}

static bool read_offset(struct slice text, size_t *at, struct local_time *time)
{
    bool is_west = *at < text.size && text.data[*at] == '-';
    unsigned hours, minutes;

    time->has_offset = true;
    if (skip(text, at, 'Z'))
        return true;
    if (!is_west && !(*at < text.size && text.data[*at] == '+'))
        return false;
    ++*at;
    if (!read_digits(text, at, 2, 23, &hours) || !skip(text, at, ':') ||
        !read_digits(text, at, 2, 59, &minutes))
        return false;
    time->offset_s = (int32_t)(hours * 3600 + minutes * 60);
    if (is_west)
        time->offset_s = -time->offset_s;
    return true;
}

bool local_time_read(struct slice text, struct local_time *time)
{
    unsigned year, month, day, hour = 0, minute = 0, second = 0;
    size_t at = 0;

    *time = (struct local_time){ .is_date = true };
    if (!read_digits(text, &at, 4, 9999, &year) || year == 0 || !skip(text, &at, '-') ||
        !read_digits(text, &at, 2, 12, &month) || month == 0 || !skip(text, &at, '-') ||
        !read_digits(text, &at, 2, 31, &day) || day == 0 || day > month_days(year, month)) {
        return false;
    }
    time->seconds = days_of(year, month, day) * DAY_S;
    if (at == text.size)
        return true;
    time->is_date = false;
    if (!skip(text, &at, 'T') || !read_digits(text, &at, 2, 23, &hour) ||
        !skip(text, &at, ':') || !read_digits(text, &at, 2, 59, &minute)) {
        return false;
    }
    if (skip(text, &at, ':') && !read_digits(text, &at, 2, 59, &second))
        return false;
    time->seconds += (int64_t)hour * 3600 + minute * 60 + second;
    if (at < text.size && !read_offset(text, &at, time))
        return false;
    return at == text.size;
}

/* ---- zones ---- */

/* When an edge of the POSIX rule comes in a year, for a clock that is `offset_s` east of UTC before it. */
static int64_t edge_of_year(const struct plan_zone_rule *rule, int64_t year, int32_t offset_s)
{
    int64_t day = year_start(year);

    if (rule->kind == 1) {
        int64_t first = days_of(year, rule->month, 1);
        int64_t weekday =
            first + 4 -
            floor_div(first + 4, 7) * 7; /* 1970-01-01 was a Thursday; 0 is Sunday */

        day = first + (rule->weekday - weekday + 7) % 7 + 7 * ((int64_t)rule->week - 1);
        while (day >= first + month_days(year, rule->month)) /* week 5 is the last one */
            day -= 7;
    } else if (rule->kind == 2) {
        day += rule->day - 1 +
               (is_leap(year) && rule->day >= 60 ? 1 : 0); /* Jn never counts February 29 */
    } else {
        day += rule->day;
    }
    return day * DAY_S + rule->time_s - offset_s;
}

/* The latest edge that has passed says which of both offsets it is. */
static int32_t offset_by_rule(const struct plan_zone *zone, int64_t time_s)
{
    int64_t year = year_of(floor_div(time_s + zone->standard_s, DAY_S)), latest = INT64_MIN;
    int32_t offset = zone->standard_s;

    if (zone->to_daylight.kind == 0)
        return offset;
    for (int64_t y = year - 1; y <= year + 1; y++) {
        int64_t to_daylight = edge_of_year(&zone->to_daylight, y, zone->standard_s);
        int64_t to_standard = edge_of_year(&zone->to_standard, y, zone->daylight_s);

        if (to_daylight <= time_s && to_daylight > latest) {
            latest = to_daylight;
            offset = zone->daylight_s;
        }
        if (to_standard <= time_s && to_standard > latest) {
            latest = to_standard;
            offset = zone->standard_s;
        }
    }
    return offset;
}

int32_t local_time_offset(const struct plan_zone *zone, int64_t time_s)
{
    uint32_t low = 0, high = zone->transition_count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (zone->transitions[middle] <= time_s)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == zone->transition_count && zone->has_rule)
        return offset_by_rule(zone, time_s);
    return zone->offsets[low];
}

bool local_time_rule_keeps(const struct plan_zone *zone, int64_t from, int64_t until, int32_t offset_s)
{
    int64_t first = year_of(floor_div(from + zone->standard_s, DAY_S)) - 1;
    int64_t last = year_of(floor_div(until + zone->standard_s, DAY_S)) + 1;

    if (offset_by_rule(zone, from) != offset_s)
        return false;
    for (int64_t year = first; year <= last && zone->to_daylight.kind != 0; year++) {
        const int64_t edges[] = { edge_of_year(&zone->to_daylight, year, zone->standard_s),
                                  edge_of_year(&zone->to_standard, year, zone->daylight_s) };

        for (unsigned i = 0; i < 2; i++) {
            if (edges[i] > from && edges[i] < until && offset_by_rule(zone, edges[i]) != offset_s)
                return false;
        }
    }
    return true;
}

int64_t local_time_to_unix(const struct plan_zone *zone, int64_t seconds)
{
    /* No clock is a day away from UTC, and no two changes lie within two days. */
    int32_t before = local_time_offset(zone, seconds - DAY_S);
    int32_t after = local_time_offset(zone, seconds + DAY_S);

    if (local_time_offset(zone, seconds - before) == before)
        return seconds - before;
    if (local_time_offset(zone, seconds - after) == after)
        return seconds - after;
    return seconds - before;
}

const char *local_time_show(int64_t time_s, char *buffer)
{
    int64_t days = floor_div(time_s, DAY_S), rest = time_s - days * DAY_S;
    int64_t year = year_of(days), day = days - year_start(year);
    unsigned month = 1;

    while (day >= month_days(year, month))
        day -= month_days(year, month++);
    snprintf(buffer, LOCAL_TIME_TEXT_SIZE, "%04d-%02u-%02dT%02d:%02d:%02dZ", (int)year % 10000,
             month, (int)day + 1, (int)(rest / 3600), (int)(rest / 60 % 60), (int)(rest % 60));
    return buffer;
}
