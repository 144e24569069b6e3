/* SPDX-License-Identifier: Apache-2.0 */
/* Zone data as it is read, and local times in it. The C library reads the same data: both must agree at every instant
 * asked. What is broken is written here byte by byte. */
#include "config.h"

#include "rulec/local_time.h"
#include "rulec/zone_read.h"
#include "t/lib/tap.h"

#include <stdlib.h>
#include <time.h>

static struct arena *arena;

static int64_t when(const char *text)
{
    struct local_time time;

    if (!local_time_read(slice_from_string(text), &time)) {
        ok(false, text);
        return 0;
    }
    return time.seconds - time.offset_s;
}

/* ---- reading times ---- */

static void times_have_one_form(void)
{
    static const char *const wrong[] = { "",
                                         "2026",
                                         "2026-02-29",
                                         "2026-13-01",
                                         "2026-00-01",
                                         "2026-01-00",
                                         "2026-1-1",
                                         "2026-01-01T",
                                         "2026-01-01T24:00",
                                         "2026-01-01T10:60",
                                         "2026-01-01T10:00:60",
                                         "2026-01-01T10:00+0100",
                                         "2026-01-01T10:00Zx",
                                         "2026-01-01Z",
                                         "2026-01-01 10:00",
                                         "0000-01-01" };
    struct local_time time;

    is_number(when("1970-01-01"), 0, "where time begins");
    is_number(when("2000-02-29T00:00Z"), 951782400, "a leap day");
    is_number(when("2026-12-31T22:00:05+01:00"), 1798750805, "an offset");
    is_number(when("2026-12-31T22:00-05:30"), 1798774200, "an offset to the west");
    is_number(when("1900-03-01"), -2203891200, "1900 had no leap day");
    ok(local_time_read(SLICE("2026-12-31"), &time) && time.is_date && !time.has_offset,
       "a date");
    ok(local_time_read(SLICE("2026-12-31T00:00"), &time) && !time.is_date && !time.has_offset,
       "a local time");
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        ok(!local_time_read(slice_from_string(wrong[i]), &time), wrong[i]);

    char text[LOCAL_TIME_TEXT_SIZE];
    is_string(local_time_show(951782399, text), "2000-02-28T23:59:59Z", "shown");
    is_string(local_time_show(-1, text), "1969-12-31T23:59:59Z", "before 1970");
}

/* ---- rules ---- */

static void rules_are_read(void)
{
    struct plan_zone zone = { 0 };

    ok(zone_read_rule(SLICE("CET-1CEST,M3.5.0,M10.5.0/3"), &zone), "Berlin's");
    is_number(zone.standard_s, 3600, "in winter");
    is_number(zone.daylight_s, 7200, "in summer");
    is_number(zone.to_daylight.time_s, 7200, "two o'clock unless said");
    is_number(zone.to_standard.month, 10, "month");
    is_number(zone.to_standard.week, 5, "week");
    is_number(zone.to_standard.time_s, 10800, "time");
    ok(zone_read_rule(SLICE("<-02>2<-01>,M3.5.0/-1,M10.5.0/0"), &zone), "Nuuk's");
    is_number(zone.to_daylight.time_s, -3600, "the day before");
    ok(zone_read_rule(SLICE("IST-1GMT0,M10.5.0,M3.5.0/1"), &zone),
       "Dublin's, whose daylight time is in winter");
    ok(zone.daylight_s == 0 && zone.standard_s == 3600, "the other way round");
    ok(zone_read_rule(SLICE("<+0545>-5:45"), &zone) && zone.standard_s == 20700, "Kathmandu's");
    ok(zone.to_daylight.kind == 0, "without daylight time");
    ok(zone_read_rule(SLICE("EST5EDT,J60/0,299/24:30:15"), &zone), "days of the year");
    ok(zone.to_daylight.kind == 2 && zone.to_standard.kind == 3 &&
           zone.to_standard.time_s == 88215,
       "both sorts");

    static const char *const wrong[] = { "",
                                         "CET",
                                         "C-1",
                                         "CET-1CEST",
                                         "CET-1CEST,M3.5.0",
                                         "CET-25",
                                         "<+03-3",
                                         "CET-1x",
                                         "CET-1CEST,M13.5.0,M1.1.0",
                                         "CET-1CEST,M3.6.0,M1.1.0",
                                         "CET-1CEST,J0,J1",
                                         "CET-1CEST,M3.5.0,M10.5.0/168" };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        ok(!zone_read_rule(slice_from_string(wrong[i]), &zone), wrong[i]);
}

/* ---- files ---- */

/* A file of version 2: an empty first block, then `times` and their types, two types, and the footer. */
static struct slice make_file(const int64_t *times, const unsigned char *types, unsigned count,
                              const char *footer)
{
    static char bytes[512];
    char *at = bytes;

    memset(bytes, 0, sizeof(bytes));
    memcpy(at, "TZif2", 5);
    at += 44;
    memcpy(at, "TZif2", 5);
    at[35] = (char)count;
    at[39] = 2; /* types */
    at[43] = 4; /* characters */
    at += 44;
    for (unsigned i = 0; i < count; i++) {
        for (unsigned b = 0; b < 8; b++)
            *at++ = (char)((uint64_t)times[i] >> (56 - 8 * b));
    }
    for (unsigned i = 0; i < count; i++)
        *at++ = (char)types[i];
    memcpy(at, "\0\0\0\0\0\0\0\0\x0e\x10\1\0", 12); /* UTC+0, UTC+1 with daylight time */
    at += 12 + 4;
    *at++ = '\n';
    memcpy(at, footer, strlen(footer));
    at += strlen(footer);
    *at++ = '\n';
    return slice_of(bytes, (size_t)(at - bytes));
}

static void files_are_read(void)
{
    const int64_t times[] = { 1000, 2000, 3000 };
    const unsigned char types[] = { 1, 1, 0 };
    struct plan_zone zone = { 0 };
    const char *reason = NULL;
    struct slice file = make_file(times, types, 3, "WET0WEST,M3.5.0/1,M10.5.0");

    ok(zone_read_bytes(arena, file, &zone, &reason), "a good file");
    is_number(zone.transition_count, 2, "a transition that changes nothing is left out");
    is_number(local_time_offset(&zone, 999), 0, "before the first");
    is_number(local_time_offset(&zone, 1000), 3600, "at the first");
    is_number(local_time_offset(&zone, 2999), 3600, "until the second");
    is_number(local_time_offset(&zone, when("2050-07-01")), 3600, "then by the rule");

    for (size_t size = 0; size < file.size - 1; size++) {
        if (!zone_read_bytes(arena, slice_of(file.data, size), &zone, &reason))
            continue;
        ok(false, "a file that is cut off");
    }
    ok(!zone_read_bytes(arena, make_file(times, types, 3, "WET0WEST"), &zone, &reason),
       "a bad rule");
    is_string(reason, "the rule in its last line is not good", "says so");
    ok(zone_read_bytes(arena, make_file(times, types, 3, ""), &zone, &reason) && !zone.has_rule,
       "no rule");
    is_number(local_time_offset(&zone, when("2050-07-01")), 0, "the last offset stays");
    const int64_t falling[] = { 1000, 1000 };
    ok(!zone_read_bytes(arena, make_file(falling, types, 2, ""), &zone, &reason),
       "times that do not rise");
    const unsigned char unknown[] = { 2 };
    ok(!zone_read_bytes(arena, make_file(times, unknown, 1, ""), &zone, &reason),
       "an unknown type");
}

/* ---- the system's data ---- */

static bool open_zone(const char *name, struct plan_zone *zone)
{
    const char *reason = "";
    enum zone_read_status status;

    *zone = (struct plan_zone){ .name = slice_from_string(name) };
    status = zone_read(arena, zone->name, zone, &reason);
    if (status == ZONE_READ_OK)
        return true;
    printf("# %s: %d %s\n", name, (int)status, reason);
    return false;
}

static void agrees_with_the_c_library(const char *name)
{
    struct plan_zone zone;
    unsigned asked = 0, wrong = 0;

    if (!ok(open_zone(name, &zone), name))
        return;
    setenv("TZ", arena_printf(arena, ":%s", name), 1);
    tzset();
    for (int64_t time_s = -2000000000; time_s < 6000000000;
         time_s += 86400 * 5 + 3301, asked++) {
        time_t there = (time_t)time_s;
        struct tm civil;
        char text[64];

        if (!localtime_r(&there, &civil))
            continue;
        snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d", civil.tm_year + 1900,
                 civil.tm_mon + 1, civil.tm_mday, civil.tm_hour, civil.tm_min, civil.tm_sec);
        int64_t want = when(text) - time_s;
        int64_t back = local_time_to_unix(&zone, time_s + want);
        bool is_first =
            back == time_s ||
            (back < time_s && local_time_offset(&zone, back) + back == time_s + want);

        if (local_time_offset(&zone, time_s) == want && is_first)
            continue;
        if (wrong++ < 3)
            printf("# %s at %lld: %d, the C library has %lld; back %lld\n", name,
                   (long long)time_s, local_time_offset(&zone, time_s), (long long)want,
                   (long long)back);
    }
    is_number(wrong, 0, "the C library reads the same");
    ok(asked > 10000, "often enough");
}

static void edges_are_met(void)
{
    struct plan_zone berlin;

    if (!ok(open_zone("Europe/Berlin", &berlin), "Berlin"))
        return;
    ok(berlin.transitions[berlin.transition_count - 1] < when("2000-01-01"),
       "decades that the rule says are not written out");
    is_number(local_time_to_unix(&berlin, when("2026-07-01T12:00")), when("2026-07-01T10:00Z"),
              "summer");
    is_number(local_time_to_unix(&berlin, when("2026-12-01T12:00")), when("2026-12-01T11:00Z"),
              "winter");
    is_number(local_time_to_unix(&berlin, when("2026-03-29T01:59:59")),
              when("2026-03-29T00:59:59Z"), "before the leap");
    is_number(local_time_to_unix(&berlin, when("2026-03-29T02:30")), when("2026-03-29T01:30Z"),
              "a time that the clocks leap over: 03:30 in summer time");
    is_number(local_time_to_unix(&berlin, when("2026-03-29T03:00")), when("2026-03-29T01:00Z"),
              "behind it");
    is_number(local_time_to_unix(&berlin, when("2026-10-25T02:30")), when("2026-10-25T00:30Z"),
              "a time that comes twice is the first");
    is_number(local_time_to_unix(&berlin, when("2026-10-25T03:00")), when("2026-10-25T02:00Z"),
              "behind both");
    is_number(local_time_to_unix(&berlin, when("2090-07-01T12:00")), when("2090-07-01T10:00Z"),
              "far ahead");
}

static void names_are_judged(void)
{
    struct plan_zone zone = { 0 };
    const char *reason = "";

    is_number(zone_read(arena, SLICE("../etc/passwd"), &zone, &reason), ZONE_READ_BAD_NAME,
              "no way out of the data");
    is_number(zone_read(arena, SLICE("/etc/passwd"), &zone, &reason), ZONE_READ_BAD_NAME,
              "nor past it");
    is_number(zone_read(arena, SLICE("localtime"), &zone, &reason), ZONE_READ_BAD_NAME,
              "no machine's own");
    is_number(zone_read(arena, SLICE("Europe"), &zone, &reason), ZONE_READ_UNKNOWN, "a folder");
    is_number(zone_read(arena, SLICE("Europe/Berln"), &zone, &reason), ZONE_READ_UNKNOWN,
              "a slip");
    is_string(zone_read_nearest(arena, SLICE("Europe/Berln")), "Europe/Berlin",
              "what was meant");
    is_string(zone_read_nearest(arena, SLICE("berlin")), "Europe/Berlin", "the city alone");
    setenv("TZDIR", "/nowhere/at/all", 1);
    is_number(zone_read(arena, SLICE("Europe/Berlin"), &zone, &reason), ZONE_READ_NO_DATA,
              "TZDIR is asked");
    is_number(zone_read(arena, SLICE("UTC"), &zone, &reason), ZONE_READ_OK,
              "UTC needs no data");
    is_number(local_time_offset(&zone, 0), 0, "and is itself");
    unsetenv("TZDIR");
}

int main(void)
{
    static const char *const zones[] = {
        "Europe/Berlin",     "America/New_York", "Europe/Dublin",    "America/Sao_Paulo",
        "Africa/Casablanca", "Asia/Gaza",        "Antarctica/Troll", "Australia/Lord_Howe",
        "Pacific/Apia",      "America/Nuuk",     "Asia/Kathmandu",   "America/Santiago"
    };
    struct plan_zone zone;

    arena = arena_open();
    times_have_one_form();
    rules_are_read();
    files_are_read();
    if (open_zone("Europe/Berlin", &zone)) {
        for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]); i++)
            agrees_with_the_c_library(zones[i]);
        edges_are_met();
        names_are_judged();
    } else {
        tap_note("there is no zone data here");
    }
    arena_close(arena);
    return tap_done();
}
