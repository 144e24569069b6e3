/* SPDX-License-Identifier: Apache-2.0 */
/* Local time by a zone of the rule file: transitions first, then the POSIX rule, over hand-made zones. The edges of the
 * rules come from elsewhere: Python's zoneinfo and the C library agree on them (the C library from 1971 on; rules by the
 * day of the year are taken from it and from a calendar). */
#include "config.h"

#include "mod_redir307/zone.h"
#include "t/lib/tap.h"

enum { DAY_S = 86400, ZONE_AT = 8, MOST_TRANSITIONS = 8 };

/* A rule file's zones, and nothing else of it. */
static uint8_t section[ZONE_AT + sizeof(struct ruleset_zone) + 12 * MOST_TRANSITIONS + 4];
static struct ruleset ruleset;

static void set_zone(struct ruleset_zone zone, const int64_t *transitions, const int32_t *offsets)
{
    uint8_t *at = section + ZONE_AT;

    memset(section, 0, sizeof(section));
    memcpy(at, &zone, sizeof(zone));
    at += sizeof(zone);
    if (zone.transition_count) memcpy(at, transitions, 8 * zone.transition_count);
    at += 8 * zone.transition_count;
    memcpy(at, offsets, 4 * (zone.transition_count + 1));
    at += 4 * (zone.transition_count + 1);
    ruleset.views[RULESET_ZONES] = (struct ruleset_view){ .bytes = section, .size = (uint64_t)(at - section) };
}

static void is_zone(int64_t time_s, int32_t offset_s, bool has_next, int64_t next_s, const char *name)
{
    struct zone_time got = { .offset_s = -1 };

    if (!ok(zone_at(&ruleset, ZONE_AT, time_s, &got), name)) return;
    is_number(got.offset_s, offset_s, "its offset");
    is_number(got.has_next, has_next, "whether it changes once more");
    if (has_next) is_number(got.next_change_s, next_s, "when it changes next");
}

/* ---- the civil calendar ---- */

/* Day by day through 1600 to 2500, and once each four centuries around year 0. */
static void days_are_counted_without_a_gap(void)
{
    static const unsigned char lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    int64_t day = -135140; /* 1600-01-01 */
    unsigned wrong = 0;

    for (int64_t year = 1600; year <= 2500; year++) {
        bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

        for (unsigned month = 1; month <= 12; month++) {
            unsigned length = lengths[month - 1] + (month == 2 && is_leap ? 1u : 0u);

            for (unsigned d = 1; d <= length; d++, day++)
                wrong += zone_days_from_civil(year, month, d) != day || zone_year_of(day) != year;
        }
    }
    is_number(wrong, 0, "1600 to 2500");
    is_number(zone_days_from_civil(1970, 1, 1), 0, "the epoch");
    is_number(zone_days_from_civil(2000, 2, 29), 11016, "a leap day");
    is_number(zone_days_from_civil(1900, 3, 1) - zone_days_from_civil(1900, 2, 28), 1, "1900 had none");
    is_number(zone_days_from_civil(0, 3, 1), -719468, "year 0");
    for (int64_t year = -1200; year <= 1200; year++) {
        int64_t first = zone_days_from_civil(year, 1, 1), last = zone_days_from_civil(year, 12, 31);

        wrong += zone_year_of(first) != year || zone_year_of(last) != year || zone_year_of(last + 1) != year + 1;
    }
    is_number(wrong, 0, "years before 0, too");
}

/* ---- transitions ---- */

static void transitions_hold_from_their_second_on(void)
{
    static const int64_t transitions[] = { -1000, 1000, 2000 };
    static const int32_t offsets[] = { 3208, 3600, 7200, -1800 };

    set_zone((struct ruleset_zone){ .transition_count = 3 }, transitions, offsets);
    is_zone(INT64_MIN, 3208, true, -1000, "before all");
    is_zone(-1001, 3208, true, -1000, "a second before the first");
    is_zone(-1000, 3600, true, 1000, "at the first");
    is_zone(0, 3600, true, 1000, "behind it");
    is_zone(999, 3600, true, 1000, "a second before the second");
    is_zone(1000, 7200, true, 2000, "at the second");
    is_zone(1999, 7200, true, 2000, "a second before the last");
    is_zone(2000, -1800, false, 0, "at the last");
    is_zone(INT64_MAX, -1800, false, 0, "for ever");
}

static void a_zone_may_never_change(void)
{
    static const int32_t offsets[] = { 20700 };

    set_zone((struct ruleset_zone){ .transition_count = 0 }, NULL, offsets);
    is_zone(0, 20700, false, 0, "no transition, no rule");
    set_zone((struct ruleset_zone){ .has_rule = 1, .standard_s = 20700, .daylight_s = 20700 }, NULL, offsets);
    is_zone(1780000000, 20700, false, 0, "a rule without daylight time");
}

static void the_rule_holds_behind_the_last_transition(void)
{
    static const int64_t transitions[] = { 828234000, 846378000 }; /* 1996: March 31, October 27, 01:00 UTC */
    static const int32_t offsets[] = { 3600, 7200, 3600 };
    const struct ruleset_zone berlin = {
        .transition_count = 2, .has_rule = 1, .standard_s = 3600, .daylight_s = 7200,
        .to_daylight = { .kind = 1, .month = 3, .week = 5, .time_s = 7200 },
        .to_standard = { .kind = 1, .month = 10, .week = 5, .time_s = 10800 },
    };

    set_zone(berlin, transitions, offsets);
    is_zone(0, 3600, true, 828234000, "before the first one of the table");
    is_zone(846377999, 7200, true, 846378000, "before the last one of the table");
    is_zone(846378000, 3600, true, 859683600, "the next one is the rule's");
    is_zone(859683600, 7200, true, 877827600, "1997-03-30");
}

/* ---- rules ---- */

struct rule {
    const char *text;
    int32_t standard_s, daylight_s;
    struct ruleset_zone_rule to_daylight, to_standard;
    struct {
        bool is_to_daylight; /* the first edge */
        int64_t edges[4];    /* one behind the other */
    } runs[6];
};

static const struct rule rules[] = {
    { "CET-1CEST,M3.5.0,M10.5.0/3", 3600, 7200,
      { .kind = 1, .month = 3, .week = 5, .time_s = 7200 },
      { .kind = 1, .month = 10, .week = 5, .time_s = 10800 },
      {
        { true, { -2233263600, -2214514800, -2201814000, -2183065200 } },
        { true, { -23929200, -5785200, 7520400, 25664400 } },
        { true, { 922582800, 941331600, 954032400, 972781200 } },
        { true, { 1679792400, 1698541200, 1711846800, 1729990800 } },
        { true, { 4078429200, 4096573200, 4109878800, 4128627600 } },
        { true, { 13545363600, 13564112400, 13576813200, 13595562000 } },
      } },
    { "AEST-10AEDT,M10.1.0,M4.1.0/3", 36000, 39600,
      { .kind = 1, .month = 10, .week = 1, .time_s = 7200 },
      { .kind = 1, .month = 4, .week = 1, .time_s = 10800 },
      {
        { false, { -2232691200, -2216966400, -2201241600, -2184912000 } },
        { false, { -23356800, -7632000, 8092800, 23817600 } },
        { false, { 923155200, 938880000, 954604800, 970329600 } },
        { false, { 1680364800, 1696089600, 1712419200, 1728144000 } },
        { false, { 4079001600, 4094726400, 4110451200, 4126176000 } },
        { false, { 13545936000, 13561660800, 13577385600, 13593110400 } },
      } },
    { "<-02>2<-01>,M3.5.0/-1,M10.5.0/0", -7200, -3600,
      { .kind = 1, .month = 3, .week = 5, .time_s = -3600 },
      { .kind = 1, .month = 10, .week = 5, .time_s = 0 },
      {
        { true, { -2233263600, -2214514800, -2201814000, -2183065200 } },
        { true, { -23929200, -5785200, 7520400, 25664400 } },
        { true, { 922582800, 941331600, 954032400, 972781200 } },
        { true, { 1679792400, 1698541200, 1711846800, 1729990800 } },
        { true, { 4078429200, 4096573200, 4109878800, 4128627600 } },
        { true, { 13545363600, 13564112400, 13576813200, 13595562000 } },
      } },
    { "IST-1GMT0,M10.5.0,M3.5.0/1", 3600, 0,
      { .kind = 1, .month = 10, .week = 5, .time_s = 7200 },
      { .kind = 1, .month = 3, .week = 5, .time_s = 3600 },
      {
        { false, { -2233263600, -2214514800, -2201814000, -2183065200 } },
        { false, { -23929200, -5785200, 7520400, 25664400 } },
        { false, { 922582800, 941331600, 954032400, 972781200 } },
        { false, { 1679792400, 1698541200, 1711846800, 1729990800 } },
        { false, { 4078429200, 4096573200, 4109878800, 4128627600 } },
        { false, { 13545363600, 13564112400, 13576813200, 13595562000 } },
      } },
    { "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", 37800, 39600,
      { .kind = 1, .month = 10, .week = 1, .time_s = 7200 },
      { .kind = 1, .month = 4, .week = 1, .time_s = 7200 },
      {
        { false, { -2232694800, -2216968200, -2201245200, -2184913800 } },
        { false, { -23360400, -7633800, 8089200, 23815800 } },
        { false, { 923151600, 938878200, 954601200, 970327800 } },
        { false, { 1680361200, 1696087800, 1712415600, 1728142200 } },
        { false, { 4078998000, 4094724600, 4110447600, 4126174200 } },
        { false, { 13545932400, 13561659000, 13577382000, 13593108600 } },
      } },
    { "EST5EDT,M2.5.3,M12.4.6/-30", -18000, -14400,
      { .kind = 1, .month = 2, .week = 5, .weekday = 3, .time_s = 7200 },
      { .kind = 1, .month = 12, .week = 4, .weekday = 6, .time_s = -108000 },
      {
        { true, { -2236006800, -2209860000, -2203952400, -2178410400 } },
        { true, { -26672400, -525600, 4777200, 30924000 } },
        { true, { 919839600, 945986400, 951289200, 977436000 } },
        { true, { 1677049200, 1703196000, 1709103600, 1735250400 } },
        { true, { 4075686000, 4101832800, 4107135600, 4133282400 } },
        { true, { 13542620400, 13568767200, 13574070000, 13600216800 } },
      } },
    { "EST5EDT,J59,J300/2", -18000, -14400,
      { .kind = 2, .day = 59, .time_s = 7200 },
      { .kind = 2, .day = 300, .time_s = 7200 },
      {
        { true, { -2235488400, -2214669600, -2203952400, -2183133600 } },
        { true, { -26499600, -5680800, 5036400, 25855200 } },
        { true, { 920185200, 941004000, 951721200, 972626400 } },
        { true, { 1677567600, 1698386400, 1709103600, 1730008800 } },
        { true, { 4075945200, 4096764000, 4107481200, 4128300000 } },
        { true, { 13542966000, 13563784800, 13574502000, 13595407200 } },
      } },
    { "EST5EDT,J60/0,J365/20", -18000, -14400,
      { .kind = 2, .day = 60, .time_s = 0 },
      { .kind = 2, .day = 365, .time_s = 72000 },
      {
        { true, { -2235409200, -2208988800, -2203873200, -2177452800 } },
        { true, { -26420400, 0, 5115600, 31536000 } },
        { true, { 920264400, 946684800, 951886800, 978307200 } },
        { true, { 1677646800, 1704067200, 1709269200, 1735689600 } },
        { true, { 4076024400, 4102444800, 4107560400, 4133980800 } },
        { true, { 13543045200, 13569465600, 13574667600, 13601088000 } },
      } },
    { "EST5EDT,59/0,299/2:30:15", -18000, -14400,
      { .kind = 3, .day = 59, .time_s = 0 },
      { .kind = 3, .day = 299, .time_s = 9015 },
      {
        { true, { -2235409200, -2214667785, -2203873200, -2183131785 } },
        { true, { -26420400, -5678985, 5115600, 25857015 } },
        { true, { 920264400, 941005815, 951800400, 972541815 } },
        { true, { 1677646800, 1698388215, 1709182800, 1729924215 } },
        { true, { 4076024400, 4096765815, 4107560400, 4128301815 } },
        { true, { 13543045200, 13563786615, 13574581200, 13595322615 } },
      } },
    { "<-03>3<-02>,M3.5.0/-2,M10.5.0/-1", -10800, -7200,
      { .kind = 1, .month = 3, .week = 5, .time_s = -7200 },
      { .kind = 1, .month = 10, .week = 5, .time_s = -3600 },
      {
        { true, { -2233263600, -2214514800, -2201814000, -2183065200 } },
        { true, { -23929200, -5785200, 7520400, 25664400 } },
        { true, { 922582800, 941331600, 954032400, 972781200 } },
        { true, { 1679792400, 1698541200, 1711846800, 1729990800 } },
        { true, { 4078429200, 4096573200, 4109878800, 4128627600 } },
        { true, { 13545363600, 13564112400, 13576813200, 13595562000 } },
      } },
    { "<+14>-14<+15>,M11.3.2/100,M1.2.0/-40", 50400, 54000,
      { .kind = 1, .month = 11, .week = 3, .weekday = 2, .time_s = 360000 },
      { .kind = 1, .month = 1, .week = 2, .time_s = -144000 },
      {
        { false, { -2240118000, -2212221600, -2208063600, -2180772000 } },
        { false, { -30783600, -3492000, 666000, 27957600 } },
        { false, { 915728400, 943020000, 947178000, 975074400 } },
        { false, { 1672938000, 1700834400, 1704992400, 1732284000 } },
        { false, { 4071574800, 4098866400, 4103024400, 4130316000 } },
        { false, { 13538509200, 13565800800, 13569958800, 13597855200 } },
      } },
};

static void edges_come_to_the_second(void)
{
    static const int32_t before_all[] = { 1 };

    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        const struct rule *rule = &rules[i];
        unsigned wrong = 0;

        set_zone((struct ruleset_zone){ .has_rule = 1, .standard_s = rule->standard_s, .daylight_s = rule->daylight_s,
                                        .to_daylight = rule->to_daylight, .to_standard = rule->to_standard },
                 NULL, before_all);
        for (size_t r = 0; r < sizeof(rule->runs) / sizeof(rule->runs[0]); r++) {
            bool is_daylight = rule->runs[r].is_to_daylight;

            for (unsigned k = 0; k < 4; k++, is_daylight = !is_daylight) {
                int64_t edge = rule->runs[r].edges[k], inside[2] = { edge, k < 3 ? rule->runs[r].edges[k + 1] - 1 : edge };
                struct zone_time got;

                for (unsigned at = 0; at < 2; at++) {
                    if (zone_at(&ruleset, ZONE_AT, inside[at], &got)
                        && got.offset_s == (is_daylight ? rule->daylight_s : rule->standard_s)
                        && got.has_next && (k == 3 || got.next_change_s == rule->runs[r].edges[k + 1])) {
                        continue;
                    }
                    if (wrong++ < 3) {
                        printf("# %s at %lld: %d, next %lld\n", rule->text, (long long)inside[at], (int)got.offset_s,
                               (long long)got.next_change_s);
                    }
                }
                if (k > 0) continue;
                wrong += !zone_at(&ruleset, ZONE_AT, edge - 1, &got) || got.next_change_s != edge
                      || got.offset_s != (is_daylight ? rule->standard_s : rule->daylight_s);
            }
        }
        is_number(wrong, 0, rule->text);
    }
}

/* Whatever the rule says, time goes on: the next change lies ahead, and nothing changes before it. */
static void no_change_comes_unannounced(void)
{
    static const int32_t before_all[] = { 0 };

    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        const struct rule *rule = &rules[i];
        int64_t time_s = -2208988800, end_s = 13600000000; /* 1900 to 2400 */
        unsigned wrong = 0, changes = 0;

        set_zone((struct ruleset_zone){ .has_rule = 1, .standard_s = rule->standard_s, .daylight_s = rule->daylight_s,
                                        .to_daylight = rule->to_daylight, .to_standard = rule->to_standard },
                 NULL, before_all);
        while (time_s < end_s && wrong == 0) {
            struct zone_time now, before_next, next;

            if (!zone_at(&ruleset, ZONE_AT, time_s, &now) || !now.has_next || now.next_change_s <= time_s
                || !zone_at(&ruleset, ZONE_AT, now.next_change_s - 1, &before_next)
                || !zone_at(&ruleset, ZONE_AT, now.next_change_s, &next) || before_next.offset_s != now.offset_s
                || next.offset_s == now.offset_s) {
                wrong++;
                printf("# %s at %lld\n", rule->text, (long long)time_s);
            }
            time_s = now.next_change_s;
            changes++;
        }
        is_number(wrong, 0, rule->text);
        ok(changes >= 1000 && changes <= 1004, "two changes a year");
    }
}

/* ---- damaged bytes ---- */

static void what_is_no_zone_is_refused(void)
{
    static const int64_t transitions[] = { 1000, 2000 };
    static const int32_t offsets[] = { 1, 2, 3 };
    struct zone_time got;

    set_zone((struct ruleset_zone){ .transition_count = 2 }, transitions, offsets);
    uint64_t whole = ruleset.views[RULESET_ZONES].size;
    ok(!zone_at(&ruleset, 0, 0, &got), "zone 0 is none");
    ok(!zone_at(&ruleset, (uint32_t)whole, 0, &got), "behind the section");
    ok(!zone_at(&ruleset, UINT32_MAX, 0, &got), "far behind it");
    for (uint64_t size = 0; size < whole; size++) {
        ruleset.views[RULESET_ZONES].size = size;
        if (zone_at(&ruleset, ZONE_AT, 1500, &got)) ok(false, "a zone that is cut off");
    }
    ruleset.views[RULESET_ZONES].size = whole;
    ok(zone_at(&ruleset, ZONE_AT, 1500, &got) && got.offset_s == 2, "whole, it is good");
    memset(section + ZONE_AT + 4, 0xff, 4);
    ok(!zone_at(&ruleset, ZONE_AT, 1500, &got), "a count past all memory");
}

/* Each byte of a zone with a rule at its extremes: an answer or none, but no overflow and no endless loop. */
static void damaged_rules_end(void)
{
    static const int32_t before_all[] = { 0 };
    static const uint8_t values[] = { 0, 1, 2, 3, 4, 5, 6, 7, 12, 13, 127, 128, 255 };
    struct zone_time got;
    unsigned answers = 0;

    for (size_t at = 4; at < sizeof(struct ruleset_zone); at++) {
        for (size_t v = 0; v < sizeof(values); v++) {
            const struct rule *rule = &rules[v % (sizeof(rules) / sizeof(rules[0]))];

            set_zone((struct ruleset_zone){ .has_rule = 1, .standard_s = rule->standard_s,
                                            .daylight_s = rule->daylight_s, .to_daylight = rule->to_daylight,
                                            .to_standard = rule->to_standard },
                     NULL, before_all);
            section[ZONE_AT + at] = values[v];
            answers += zone_at(&ruleset, ZONE_AT, 1780000000, &got);
            answers += zone_at(&ruleset, ZONE_AT, 0, &got);
        }
    }
    ok(answers > 0, "every byte was tried");
}

int main(void)
{
    days_are_counted_without_a_gap();
    transitions_hold_from_their_second_on();
    a_zone_may_never_change();
    the_rule_holds_behind_the_last_transition();
    edges_come_to_the_second();
    no_change_comes_unannounced();
    what_is_no_zone_is_refused();
    damaged_rules_end();
    return tap_done();
}
