/* SPDX-License-Identifier: Apache-2.0 */
/* Windows of nested blocks are one window: what they share. `daily` and `weekly` of a rule make one condition for each
 * `daily` of the same zone, for a window over midnight belongs to the day it starts on. */
#include "config.h"

#include "rulec/lower_time.h"

#include "rulec/local_time.h"
#include "rulec/lower_condition.h"
#include "rulec/lower_value.h"
#include "rulec/zone_read.h"

#include <strings.h>

enum { DAY_S = 86400, ALL_DAYS = 127 };

/* ---- zones ---- */

static bool unknown_zone(struct lower *lower, const struct ast_word *word)
{
    diag_error(lower->diag, DIAG_BAD_TIMEZONE, word->span,
               "the system's zone data has no \"%.*s\"", LOWER_SHOW(word->text));
    const char *near = zone_read_nearest(lower->arena, word->text);
    if (near)
        diag_help(lower->diag, "did you mean \"%s\"?", near);
    else
        diag_help(lower->diag, "a zone is named by area and city, as in \"Europe/Berlin\"");
    return false;
}

static bool read_zone(struct lower *lower, const struct ast_word *word, uint32_t number)
{
    struct plan_zone *zone = &lower->plan->zones[number];
    const char *reason = "";

    switch (zone_read(lower->arena, word->text, zone, &reason)) {
    case ZONE_READ_OK:
        return true;
    case ZONE_READ_UNKNOWN:
        return unknown_zone(lower, word);
    case ZONE_READ_BAD_NAME:
        diag_error(lower->diag, DIAG_BAD_TIMEZONE, word->span,
                   "\"%.*s\" is no name of a time zone", LOWER_SHOW(word->text));
        diag_help(lower->diag, "a zone is named by area and city, as in \"Europe/Berlin\"");
        return false;
    case ZONE_READ_NO_DATA:
        diag_error(lower->diag, DIAG_BAD_TIMEZONE, word->span,
                   "there is no zone data on this system");
        diag_help(lower->diag, "on Debian: apt-get install tzdata; TZDIR names another folder");
        return false;
    case ZONE_READ_BROKEN:
        diag_error(lower->diag, DIAG_BAD_TIMEZONE, word->span,
                   "the system's data of \"%.*s\" cannot be used: %s", LOWER_SHOW(word->text),
                   reason);
        return false;
    }
    return false;
}

/* One that could not be read is a zone without offsets, so that its times are not reported, too. */
static void apply_zone(struct lower *lower, struct lower_scope *scope,
                       const struct ast_clause *clause)
{
    bool is_new;

    scope->zone = plan_intern_zone(lower->plan, clause->words->text, &is_new);
    scope->zone_state = LOWER_ZONE_GOOD;
    if (is_new)
        read_zone(lower, clause->words, scope->zone);
    if (!lower->plan->zones[scope->zone].offsets)
        scope->zone_state = LOWER_ZONE_BAD;
}

/* False: there is none to count by, which is reported here or was before. */
static bool has_zone(struct lower *lower, const struct lower_scope *scope, struct span span,
                     const char *what)
{
    if (scope->zone_state == LOWER_ZONE_GOOD)
        return true;
    if (scope->zone_state == LOWER_ZONE_BAD)
        return false;
    diag_error(lower->diag, DIAG_UNZONED_TIME, span,
               "%s is local time, and no \"timezone\" says whose", what);
    diag_help(
        lower->diag,
        "write \"timezone Europe/Berlin\" in this block or one around it, or \"timezone UTC\"");
    return false;
}

/* ---- windows ---- */

bool lower_time(struct lower *lower, const struct lower_scope *scope, struct lower_word word,
                enum lower_day day, int64_t *time_s)
{
    struct local_time time;

    if (!local_time_read(word.text, &time)) {
        diag_error(lower->diag, DIAG_BAD_VALUE, word.span, "\"%.*s\" is no time",
                   LOWER_SHOW(word.text));
        diag_help(
            lower->diag,
            "it is written as in \"2026-12-31T22:00+01:00\", \"2026-12-31T21:00Z\", or, with a "
            "\"timezone\", \"2026-12-31T22:00\" and \"2026-12-31\"");
        return false;
    }
    if (time.has_offset) {
        *time_s = time.seconds - time.offset_s;
        return true;
    }
    const char *what = time.is_date ? "a date alone" : "a time without \"Z\" or an offset";
    if (!has_zone(lower, scope, word.span, what))
        return false;
    if (time.is_date && day == LOWER_DAY_END)
        time.seconds += DAY_S;
    *time_s = local_time_to_unix(&lower->plan->zones[scope->zone], time.seconds);
    return true;
}

static void narrow(struct lower_scope *scope, int64_t from_s, int64_t until_s)
{
    if (!scope->has_window) {
        scope->has_window = true;
        scope->from_s = INT64_MIN;
        scope->until_s = INT64_MAX;
    }
    if (from_s > scope->from_s)
        scope->from_s = from_s;
    if (until_s < scope->until_s)
        scope->until_s = until_s;
}

/* After the window was narrowed by what stands at `span`, with this end of its own. */
static void judge_window(struct lower *lower, const struct lower_scope *scope, struct span span,
                         int64_t until_s)
{
    char text[LOCAL_TIME_TEXT_SIZE];

    if (scope->from_s >= scope->until_s) {
        diag_warning(lower->diag, DIAG_EMPTY_WINDOW, span,
                     "no time is left: what is here can never fire");
        diag_help(lower->diag,
                  "windows of the blocks around it hold, too: this one would begin at %s",
                  local_time_show(scope->from_s, text));
    } else if (until_s <= lower->now_s) {
        diag_warning(lower->diag, DIAG_EXPIRED_WINDOW, span, "this window is over since %s",
                     local_time_show(until_s, text));
        diag_help(lower->diag, "take away what is in it, or give it another end");
    }
}

static void apply_window(struct lower *lower, struct lower_scope *scope,
                         const struct lower_time_clauses *clauses)
{
    const struct ast_clause *last = clauses->until ? clauses->until : clauses->from;
    int64_t from_s = INT64_MIN, until_s = INT64_MAX;
    bool is_good = true;

    if (!last)
        return;
    if (clauses->from)
        is_good = lower_time(lower, scope, lower_word_of(clauses->from->words), LOWER_DAY_START,
                             &from_s);
    if (clauses->until)
        is_good &= lower_time(lower, scope, lower_word_of(clauses->until->words), LOWER_DAY_END,
                              &until_s);
    if (!is_good)
        return;
    narrow(scope, from_s, until_s);
    judge_window(lower, scope, last->span, until_s);
}

/* ---- recurring windows ---- */

static bool read_clock(struct slice text, size_t *at, uint32_t *seconds)
{
    static const uint32_t units[] = { 3600, 60, 1 }, limits[] = { 24, 59, 59 };
    unsigned part = 0;

    *seconds = 0;
    for (; part < 3; part++) {
        if (part > 0 && !(*at < text.size && text.data[*at] == ':'))
            break;
        *at += part > 0;
        if (text.size - *at < 2 || text.data[*at] < '0' || text.data[*at] > '9' ||
            text.data[*at + 1] < '0' || text.data[*at + 1] > '9') {
            return false;
        }
        uint32_t value =
            (uint32_t)(text.data[*at] - '0') * 10 + (uint32_t)(text.data[*at + 1] - '0');
        if (value > limits[part])
            return false;
        *seconds += value * units[part];
        *at += 2;
    }
    return part >= 2 && *seconds <= DAY_S;
}

static void apply_daily(struct lower *lower, struct lower_scope *scope,
                        const struct ast_clause *clause)
{
    struct slice text = clause->words->text;
    struct lower_recurring *window = arena_alloc(lower->arena, sizeof(*window));
    size_t at = 0;
    bool is_good = read_clock(text, &at, &window->start_s) && at < text.size &&
                   text.data[at++] == '-' && read_clock(text, &at, &window->end_s) &&
                   at == text.size && window->start_s < DAY_S;

    if (!is_good || window->start_s == window->end_s) {
        lower_bad_value(lower, clause, "two times of the day, as in \"22:00-04:00\"");
        return;
    }
    if (!has_zone(lower, scope, clause->words->span, "a time of the day"))
        return;
    if (window->end_s == 0)
        window->end_s = DAY_S;
    window->days = ALL_DAYS;
    window->zone = scope->zone;
    window->outer = scope->recurring;
    scope->recurring = window;
}

/* "sat", "Saturday". False: no day. */
static bool find_day(struct slice text, unsigned *day)
{
    static const char *const names[] = { "monday", "tuesday",  "wednesday", "thursday",
                                         "friday", "saturday", "sunday" };

    for (unsigned i = 0; i < 7; i++) {
        if ((text.size != 3 && text.size != strlen(names[i])) ||
            strncasecmp(text.data, names[i], text.size) != 0)
            continue;
        *day = i;
        return true;
    }
    return false;
}

/* One day, or "mon-fri", which may go over the week's end. */
static bool read_days(struct slice text, uint8_t *days)
{
    const char *dash = lower_find(text, '-');
    struct slice first = slice_of(text.data, dash ? (size_t)(dash - text.data) : text.size);
    unsigned from, to;

    if (!find_day(first, &from))
        return false;
    to = from;
    if (dash && !find_day(slice_of(dash + 1, text.size - first.size - 1), &to))
        return false;
    for (unsigned day = from;; day = (day + 1) % 7) {
        *days = (uint8_t)(*days | 1U << day);
        if (day == to)
            return true;
    }
}

static void apply_weekly(struct lower *lower, struct lower_scope *scope,
                         const struct ast_clause *clause)
{
    struct lower_recurring *window = arena_alloc(lower->arena, sizeof(*window));

    for (const struct ast_word *word = clause->words; word; word = word->next) {
        const char *at = word->text.data, *end = at + word->text.size;

        for (bool is_first = true; is_first || at <= end; is_first = false) {
            const char *comma = at < end ? memchr(at, ',', (size_t)(end - at)) : NULL;
            struct slice text = slice_of(at, (size_t)((comma ? comma : end) - at));

            if (!read_days(text, &window->days)) {
                diag_error(lower->diag, DIAG_BAD_VALUE, word->span,
                           "\"%.*s\" is no day of the week", LOWER_SHOW(text));
                diag_help(lower->diag, "days are written as in \"sat,sun\" or \"mon-fri\"");
                return;
            }
            at += text.size + 1;
        }
    }
    if (!has_zone(lower, scope, clause->span, "a day of the week"))
        return;
    window->end_s = DAY_S;
    window->is_weekly = true;
    window->zone = scope->zone;
    window->outer = scope->recurring;
    scope->recurring = window;
}

/* The days on which a window of that zone starts. */
static uint8_t days_of(const struct lower_scope *scope, uint32_t zone)
{
    uint8_t days = ALL_DAYS;

    for (const struct lower_recurring *window = scope->recurring; window;
         window = window->outer) {
        if (window->is_weekly && window->zone == zone)
            days &= window->days;
    }
    return days;
}

static bool has_daily(const struct lower_scope *scope, uint32_t zone)
{
    for (const struct lower_recurring *window = scope->recurring; window;
         window = window->outer) {
        if (!window->is_weekly && window->zone == zone)
            return true;
    }
    return false;
}

/* ---- the scope's conditions ---- */

/* Those of the blocks around are made anew: the inner ones changed them. */
static void drop_times(struct lower_scope *scope)
{
    while (scope->condition_count &&
           scope->conditions[scope->condition_count - 1].kind >= PLAN_CONDITION_WINDOW)
        scope
            ->condition_count--; /* they are the last ones, and the row is shared: nothing is written to it */
}

static void set_conditions(struct lower *lower, struct lower_scope *scope)
{
    drop_times(scope);
    if (scope->has_window) {
        lower_add_condition(lower, scope,
                            &(struct plan_condition){ .kind = PLAN_CONDITION_WINDOW,
                                                      .from_s = scope->from_s,
                                                      .until_s = scope->until_s });
    }
    for (const struct lower_recurring *window = scope->recurring; window;
         window = window->outer) {
        if (window->is_weekly && has_daily(scope, window->zone))
            continue;
        struct plan_condition condition = { .kind = PLAN_CONDITION_RECURRING,
                                            .zone = window->zone,
                                            .days = days_of(scope, window->zone),
                                            .start_s = window->start_s,
                                            .end_s = window->end_s };
        lower_add_condition(lower, scope, &condition);
    }
}

void lower_times(struct lower *lower, struct lower_scope *scope,
                 const struct lower_time_clauses *clauses)
{
    if (clauses->timezone)
        apply_zone(lower, scope, clauses->timezone);
    if (!clauses->from && !clauses->until && !clauses->daily && !clauses->weekly)
        return;
    apply_window(lower, scope, clauses);
    if (clauses->daily)
        apply_daily(lower, scope, clauses->daily);
    if (clauses->weekly)
        apply_weekly(lower, scope, clauses->weekly);
    if ((clauses->daily || clauses->weekly) && scope->recurring &&
        days_of(scope, scope->recurring->zone) == 0) {
        diag_warning(lower->diag, DIAG_EMPTY_WINDOW,
                     (clauses->weekly ? clauses->weekly : clauses->daily)->span,
                     "no day is left: what is here can never fire");
    }
    set_conditions(lower, scope);
}

bool lower_until(struct lower *lower, struct lower_scope *scope, struct lower_word word)
{
    int64_t until_s;

    if (!lower_time(lower, scope, word, LOWER_DAY_END, &until_s))
        return false;
    narrow(scope, INT64_MIN, until_s);
    judge_window(lower, scope, word.span, until_s);
    set_conditions(lower, scope);
    return true;
}
