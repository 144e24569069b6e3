/* SPDX-License-Identifier: Apache-2.0 */
/* Each condition true and false, what it writes into Vary and Cache-Control, and windows to the second, over rules
 * compiled in the test. */
#include "config.h"

#include "mod_redir307/condition.h"
#include "t/lib/rule_file.h"
#include "t/lib/rules.h"

static struct rules rules;

/* 2026-11-20T12:00:00Z */
enum { NOON = 1795176000, HOUR = 3600, DAY = 86400 };

/* The answer with its Vary and Cache-Control: "307 /t | Cookie | no-cache". */
static bool full_at(int line, const char *url, const struct rules_request *request, const char *want, const char *name)
{
    char text[512], got[1024];

    if (!rules.ruleset) return ok(false, name);
    struct answer answer = rules_answer(&rules, url, request, text, sizeof(text));
    snprintf(got, sizeof(got), "%s | %.*s | %.*s", text, (int)answer.vary.size, answer.vary.size ? answer.vary.data : "",
             (int)answer.cache_control.size, answer.cache_control.size ? answer.cache_control.data : "");
    return tap_bytes_at(__FILE__, line, got, strlen(got), want, strlen(want), name);
}
#define full(url, want, name, ...) full_at(__LINE__, (url), &(struct rules_request){ __VA_ARGS__ }, (want), (name))

static void methods(void)
{
    if (rules_open(&rules, "/a -> /t { when method GET PUT }\n/b -> /t { unless method GET }\n")) {
        full("/a", "307 /t |  | no-cache", "GET", .method = "GET");
        full("/a", "307 /t |  | no-cache", "HEAD is a GET", .method = "HEAD");
        full("/a", "307 /t |  | no-cache", "another one named", .method = "PUT");
        full("/a", "none |  | ", "none named", .method = "POST");
        full("/a", "none |  | ", "case counts", .method = "get");
        full("/a", "none |  | ", "a method that nobody knows", .method = "FOO");
        full("/b", "none |  | ", "unless", .method = "GET");
        full("/b", "none |  | ", "also for HEAD", .method = "HEAD");
        full("/b", "307 /t |  | no-cache", "unless another", .method = "POST");
    }
    rules_close(&rules);
}

static void statuses_by_method(void)
{
    if (rules_open(&rules, "/p -> /t permanent auto\n/t -> /u temporary auto\n/m -> /t moved\n/s -> /t see-other\n/g gone\n"
                           "/l unavailable-for-legal-reasons\n/n 404\n/b 503\n/x -> /t 302\n")) {
        full("/p", "301 /t |  | max-age=3600", "permanent auto", .method = "HEAD");
        full("/p", "308 /t |  | max-age=3600", "keeps a POST", .method = "POST");
        full("/t", "302 /u |  | no-cache", "temporary auto", .method = "GET");
        full("/t", "307 /u |  | no-cache", "keeps a PUT", .method = "PUT");
        full("/m", "301 /t |  | max-age=3600", "moved", .method = "POST");
        full("/s", "303 /t |  | no-cache", "see other", .method = "POST");
        full("/g", "410 |  | max-age=3600", "gone", .method = "GET");
        full("/l", "451 |  | no-cache", "unavailable", .method = "GET");
        full("/n", "404 |  | no-cache", "a number", .method = "GET");
        full("/b", "503 |  | no-cache", "another", .method = "GET");
        full("/x", "302 /t |  | no-cache", "a number with a target", .method = "POST");
    }
    rules_close(&rules);
}

static void schemes(void)
{
    if (rules_open(&rules, "/a -> /t { when scheme http }\n")) {
        full("http://h/a", "307 /t |  | no-cache", "plain", .method = "GET");
        full("https://h/a", "none |  | ", "TLS", .method = "GET");
        full("http://h/a", "307 /t | X-Forwarded-Proto | no-cache", "told by a trusted proxy", .is_forwarded = true);
        full("https://h/a", "none | X-Forwarded-Proto | ", "also where it does not hold", .is_forwarded = true);
        full("http://h/b", "none |  | ", "not where nobody asked", .is_forwarded = true);
    }
    rules_close(&rules);
}

static void headers(void)
{
    if (rules_open(&rules, "/is -> /t { when header X-A }\n/eq -> /t { when header X-A = \"1\" }\n"
                           "/re -> /t { when header X-A ~ \"^v[0-9]+$\" }\n/not -> /t { unless header X-A }\n"
                           "/neq -> /t { unless header X-A = \"1\" }\n")) {
        full("/is", "307 /t | X-A | no-cache", "there", .headers = { "x-a", "0" });
        full("/is", "307 /t | X-A | no-cache", "empty is there", .headers = { "X-A", "" });
        full("/is", "none | X-A | ", "absent", .headers = { "X-B", "1" });
        full("/eq", "307 /t | X-A | no-cache", "equal", .headers = { "X-A", "1" });
        full("/eq", "307 /t | X-A | no-cache", "blanks around do not count", .headers = { "X-A", " 1\t" });
        full("/eq", "none | X-A | ", "the whole value counts", .headers = { "X-A", "1, 1" });
        full("/eq", "none | X-A | ", "and nothing else", .headers = { "X-A", "11" });
        full("/eq", "none | X-A | ", "nor nothing", .headers = { "X-A", "" });
        full("/re", "307 /t | X-A | no-cache", "matched", .headers = { "X-A", "v17" });
        full("/re", "none | X-A | ", "not matched", .headers = { "X-A", "v17x" });
        full("/re", "none | X-A | ", "$ is the end", .headers = { "X-A", "v17\n" });
        full("/re", "none | X-A | ", "bytes past ASCII", .headers = { "X-A", "v\xff" });
        full("/not", "307 /t | X-A | no-cache", "unless it is there", .method = "GET");
        full("/not", "none | X-A | ", "it is", .headers = { "X-A", "" });
        full("/neq", "307 /t | X-A | no-cache", "unless equal: absent", .method = "GET");
        full("/neq", "307 /t | X-A | no-cache", "another value", .headers = { "X-A", "2" });
        full("/neq", "none | X-A | ", "equal", .headers = { "X-A", "1" });
    }
    rules_close(&rules);
}

static void cookies(void)
{
    if (rules_open(&rules, "/is -> /t found { when cookie beta }\n/eq -> /t { when cookie beta = \"1\" }\n")) {
        full("/is", "302 /t | Cookie | no-cache", "there", .headers = { "Cookie", "a=2; beta=0" });
        full("/is", "none | Cookie | ", "no cookie at all", .method = "GET");
        full("/is", "none | Cookie | ", "others", .headers = { "Cookie", "xbeta=1; Beta=1" });
        full("/eq", "307 /t | Cookie | no-cache", "equal", .headers = { "Cookie", "beta=1" });
        full("/eq", "307 /t | Cookie | no-cache", "quoted", .headers = { "Cookie", "beta=\"1\"" });
        full("/eq", "307 /t | Cookie | no-cache", "of two lines", .headers = { "Cookie", "c=2, beta=1" });
        full("/eq", "none | Cookie | ", "not equal", .headers = { "Cookie", "beta=10" });
        full("/eq", "none | Cookie | ", "empty", .headers = { "Cookie", "beta=" });
        full("/eq", "none | Cookie | ", "the first counts", .headers = { "Cookie", "beta=2; beta=1" });
    }
    rules_close(&rules);
}

static void wishes(void)
{
    if (rules_open(&rules, "/a -> /t { when accept text/turtle }\n/l -> /t { when language de }\n"
                           "/n -> /t { unless accept text/html }\n")) {
        full("/a", "307 /t | Accept | no-cache", "named", .headers = { "Accept", "text/turtle;q=0.1" });
        full("/a", "307 /t | Accept | no-cache", "by its type", .headers = { "Accept", "text/*" });
        full("/a", "none | Accept | ", "*/* is no wish", .headers = { "Accept", "*/*" });
        full("/a", "none | Accept | ", "refused", .headers = { "Accept", "text/turtle;q=0, text/*" });
        full("/a", "none | Accept | ", "no field", .method = "GET");
        full("/l", "307 /t | Accept-Language | no-cache", "a language", .headers = { "Accept-Language", "de-CH" });
        full("/l", "none | Accept-Language | ", "*", .headers = { "Accept-Language", "*" });
        full("/l", "none | Accept-Language | ", "another", .headers = { "Accept-Language", "en, de;q=0" });
        full("/n", "307 /t | Accept | no-cache", "unless named", .headers = { "Accept", "*/*" });
        full("/n", "none | Accept | ", "named", .headers = { "Accept", "text/html, */*" });
    }
    rules_close(&rules);
}

static void queries(void)
{
    if (rules_open(&rules, "/is -> /t { when query k; query drop }\n/eq -> /t { when query k = \"a b\"; query drop }\n")) {
        full("/is?k", "307 /t |  | no-cache", "there", .method = "GET");
        full("/is?%6b=", "307 /t |  | no-cache", "escaped", .method = "GET");
        full("/is?kk", "none |  | ", "another", .method = "GET");
        full("/is", "none |  | ", "no query", .method = "GET");
        full("/eq?k=a+b", "307 /t |  | no-cache", "decoded", .method = "GET");
        full("/eq?k=1&k=a%20b", "307 /t |  | no-cache", "any occurrence", .method = "GET");
        full("/eq?k=a%2Bb", "none |  | ", "a plus is no blank", .method = "GET");
    }
    rules_close(&rules);
}

static void clients(void)
{
    static const uint8_t inside[] = { 4, 10, 255, 0, 1 }, outside[] = { 4, 11, 0, 0, 1 }, edge[] = { 4, 192, 0, 2, 127 },
                         past[] = { 4, 192, 0, 2, 128 }, one[] = { 4, 203, 0, 113, 7 }, other[] = { 4, 203, 0, 113, 6 };
    static const uint8_t six[] = { 6, 0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 },
                         six_out[] = { 6, 0x20, 1, 0x0d, 0xb9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 },
                         six_like_four[] = { 6, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };

    if (rules_open(&rules, "/a -> /t { when client 10.0.0.0/8 192.0.2.0/25 203.0.113.7 2001:db8::/32 }\n"
                           "/all -> /t { when client 0.0.0.0/0 }\n/not -> /t { unless client 10.0.0.0/8 }\n"
                           "/kept -> /t { when client 10.0.0.0/8; cache 1h }\n")) {
        full("/a", "307 /t |  | no-store", "in a network", .client = inside);
        full("/a", "none |  | ", "in none", .client = outside);
        full("/a", "307 /t |  | no-store", "its last address", .client = edge);
        full("/a", "none |  | ", "the one behind", .client = past);
        full("/a", "307 /t |  | no-store", "one address", .client = one);
        full("/a", "none |  | ", "its neighbour", .client = other);
        full("/a", "307 /t |  | no-store", "IPv6", .client = six);
        full("/a", "none |  | ", "another network", .client = six_out);
        full("/a", "none |  | ", "IPv6 that starts like IPv4", .client = six_like_four);
        full("/a", "none |  | ", "unknown", .method = "GET");
        full("/all", "307 /t |  | no-store", "every IPv4 address", .client = outside);
        full("/all", "none |  | ", "is no IPv6 address", .client = six);
        full("/not", "none |  | ", "unless inside", .client = inside);
        full("/not", "307 /t |  | no-store", "unless outside", .client = outside);
        full("/kept", "307 /t |  | max-age=3600", "the rule may say otherwise", .client = inside);
    }
    rules_close(&rules);
}

static void environment_and_flags(void)
{
    if (rules_open(&rules, "/is -> /t { when env A }\n/eq -> /t { when env A = \"1\"; vary X-Country }\n"
                           "/f -> /t { when flag f g }\n/nf -> /t { unless flag f }\n")) {
        full("/is", "307 /t |  | no-store", "there", .env = { "A", "" });
        full("/is", "none |  | ", "absent", .method = "GET");
        full("/eq", "307 /t | X-Country | no-store", "equal, and what it was made of", .env = { "A", "1" });
        full("/eq", "none | X-Country | ", "also where it does not hold", .env = { "A", "2" });
        full("/f", "307 /t |  | no-store", "one of two flags", .flags = { "g" });
        full("/f", "none |  | ", "none", .flags = { "h" });
        full("/nf", "307 /t |  | no-store", "unless it is on", .method = "GET");
        full("/nf", "none |  | ", "it is", .flags = { "f" });
    }
    rules_close(&rules);
}

static void draws(void)
{
    if (rules_open(&rules, "/c -> /t { when chance 10% }\n/never -> /t { when chance 0.0001% }\n/all -> /t { when chance 100% }\n"
                           "/b -> /t { when busy 80% }\n/two -> /t { when chance 50%; unless chance 50% }\n")) {
        unsigned hits = 0, both = 0;
        char got[64];

        full("/c", "307 /t |  | no-store", "the first draw", .chance = 0);
        full("/c", "307 /t |  | no-store", "the last that holds", .chance = 99999);
        full("/c", "none |  | ", "the first that does not", .chance = 100000);
        full("/c", "none |  | ", "the last draw", .chance = 999999);
        full("/all", "307 /t |  | no-store", "everybody", .chance = 999999);
        full("/never", "307 /t |  | no-store", "one in a million", .chance = 0);
        full("/never", "none |  | ", "not two", .chance = 1);
        full("/b", "307 /t |  | no-store", "busy enough", .busy_percent = 80);
        full("/b", "none |  | ", "not busy enough", .busy_percent = 79);
        for (unsigned i = 0; i < 20000; i++) {
            const struct rules_request request = { .draws = true, .chance = i * HASH_MULTIPLIER };

            rules_answer(&rules, "/c", &request, got, sizeof(got));
            hits += strcmp(got, "307 /t") == 0;
            rules_answer(&rules, "/two", &request, got, sizeof(got));
            both += strcmp(got, "307 /t") == 0;
        }
        ok(hits > 1800 && hits < 2200, "a tenth of many draws");
        ok(both > 4600 && both < 5400, "each condition draws by itself");
    }
    rules_close(&rules);
}

/* ---- time ---- */

static void windows(void)
{
    if (rules_open(&rules, "/w -> /t permanent { from 2026-11-20T12:00Z; until 2026-11-20T13:00:00Z }\n/w -> /else permanent\n"
                           "/u -> /t { until 2026-11-20T12:00Z; cache 10h }\n/f -> /t { from 2026-11-20T13:00+01:00; cache 10h }\n"
                           "/d -> /t { cache default; until 2026-11-20T12:00Z }\n/n -> /t { cache none; until 2026-11-20T12:00Z }\n"
                           "/p -> /t { cache private 10h; until 2026-11-20T12:00Z }\n")) {
        full("/w", "308 /else |  | max-age=0", "a second before", .time_s = NOON - 1);
        full("/w", "308 /t |  | max-age=3599", "the first second", .time_s = NOON);
        full("/w", "308 /t |  | max-age=0", "the last second", .time_s = NOON + HOUR - 1);
        full("/w", "308 /else |  | max-age=3600", "behind it: no edge to come", .time_s = NOON + HOUR);
        full("/w", "308 /else |  | max-age=3600", "long before", .time_s = NOON - DAY);
        full("/w", "308 /else |  | max-age=3600", "the clock at 1970", .time_s = 0);
        full("/u", "307 /t |  | max-age=99", "never past the edge", .time_s = NOON - 100);
        full("/u", "307 /t |  | max-age=36000", "long before it", .time_s = NOON - DAY);
        full("/u", "none |  | ", "closed", .time_s = NOON);
        full("/f", "none |  | ", "an offset", .time_s = NOON - 1);
        full("/f", "307 /t |  | max-age=36000", "an open end", .time_s = NOON);
        full("/d", "307 /t |  | ", "no field", .time_s = NOON - 100);
        full("/n", "307 /t |  | no-store", "no-store", .time_s = NOON - 100);
        full("/p", "307 /t |  | private, max-age=99", "private", .time_s = NOON - 100);
    }
    rules_close(&rules);
}

/* November 20, 2026 is a Friday. Berlin is an hour ahead of UTC then. */
static void recurring(void)
{
    const int64_t midnight = NOON - 13 * (int64_t)HOUR; /* of Berlin: 2026-11-20T00:00 */

    if (rules_open(&rules, "timezone Europe/Berlin\n"
                           "/d -> /t { daily 09:00-17:00; cache 10d }\n"
                           "/n -> /t { daily 22:00-04:00; cache 10d }\n"
                           "/w -> /t { weekly sat,sun; cache 10d }\n"
                           "/sn -> /t { weekly sat; daily 22:00-04:00; cache 10d }\n"
                           "/x -> /t { daily 00:00-24:00; weekly fri; cache 10d }\n")) {
        full("/d", "none |  | ", "a second early", .time_s = midnight + 9 * HOUR - 1);
        full("/d", "307 /t |  | max-age=28799", "from nine", .time_s = midnight + 9 * HOUR);
        full("/d", "307 /t |  | max-age=0", "to five", .time_s = midnight + 17 * HOUR - 1);
        full("/d", "none |  | ", "not longer", .time_s = midnight + 17 * HOUR);
        full("/n", "307 /t |  | max-age=7199", "in the evening: midnight may change it", .time_s = midnight + 22 * HOUR);
        full("/n", "307 /t |  | max-age=0", "in the morning", .time_s = midnight + 4 * HOUR - 1);
        full("/n", "none |  | ", "from four on", .time_s = midnight + 4 * HOUR);
        full("/w", "none |  | ", "Friday night", .time_s = midnight + DAY - 1);
        full("/w", "307 /t |  | max-age=86399", "Saturday", .time_s = midnight + DAY);
        full("/w", "307 /t |  | max-age=0", "Sunday night", .time_s = midnight + 3 * DAY - 1);
        full("/w", "none |  | ", "Monday", .time_s = midnight + 3 * DAY);
        full("/sn", "none |  | ", "Saturday at three: it is Friday's window", .time_s = midnight + DAY + 3 * HOUR);
        full("/sn", "307 /t |  | max-age=3599", "Saturday at 23", .time_s = midnight + DAY + 23 * HOUR);
        full("/sn", "307 /t |  | max-age=3599", "Sunday at three: Saturday's window", .time_s = midnight + 2 * DAY + 3 * HOUR);
        full("/sn", "none |  | ", "Sunday at 23", .time_s = midnight + 2 * DAY + 23 * HOUR);
        full("/x", "307 /t |  | max-age=86399", "all day", .time_s = midnight);
        full("/x", "none |  | ", "but not the next", .time_s = midnight + DAY);
    }
    rules_close(&rules);
}

/* Berlin leaps from 02:00 to 03:00 on 2026-03-29 at 01:00 UTC, and back from 03:00 to 02:00 on 2026-10-25 at 01:00. */
static void recurring_over_leaping_clocks(void)
{
    enum { SPRING = 1774746000, AUTUMN = 1792890000 };

    if (rules_open(&rules, "timezone Europe/Berlin\n/in -> /t { daily 02:00-03:00; cache 10d }\n/to -> /t { daily 01:00-02:30; cache 10d }\n")) {
        full("/in", "none |  | ", "before the leap", .time_s = SPRING - 1);
        full("/in", "none |  | ", "the hour is not there", .time_s = SPRING);
        full("/to", "307 /t |  | max-age=0", "up to the leap", .time_s = SPRING - 1);
        full("/to", "none |  | ", "02:30 is not there", .time_s = SPRING);
        full("/in", "none |  | ", "01:59:59 in autumn", .time_s = AUTUMN - HOUR - 1);
        full("/in", "307 /t |  | max-age=3599", "the hour", .time_s = AUTUMN - HOUR);
        full("/in", "307 /t |  | max-age=0", "its last second", .time_s = AUTUMN - 1);
        full("/in", "307 /t |  | max-age=3599", "comes twice", .time_s = AUTUMN);
        full("/in", "none |  | ", "and no third time", .time_s = AUTUMN + HOUR);
    }
    rules_close(&rules);
}

/* Sydney: daylight time in January. */
static void recurring_in_the_south(void)
{
    enum { JANUARY = 1799193600, JULY = 1782864000 }; /* 2027-01-06, 2026-07-01: 00:00 UTC */

    if (rules_open(&rules, "timezone Australia/Sydney\n/d -> /t { daily 11:00-12:00 }\n")) {
        full("/d", "307 /t |  | no-cache", "eleven in summer", .time_s = JANUARY);
        full("/d", "none |  | ", "not ten in winter", .time_s = JULY);
        full("/d", "307 /t |  | no-cache", "eleven in winter", .time_s = JULY + HOUR);
        full("/d", "none |  | ", "twelve in summer", .time_s = JANUARY + HOUR);
    }
    rules_close(&rules);
}

/* What a cache is told never outlives the answer: along the edges, the answer stays what it is until max-age is over. */
static void max_age_never_lies(void)
{
    unsigned wrong = 0, asked = 0;

    if (rules_open(&rules, "timezone America/New_York\n"
                           "/a -> /night permanent { daily 22:00-04:00; weekly fri,sat; cache 3d }\n"
                           "/a -> /day permanent { daily 09:30-17:15; until 2026-11-04T12:00; cache 3d }\n"
                           "/a -> /else permanent { cache 3d }\n")) {
        for (int64_t time_s = 1793664000 - 2 * DAY; time_s < 1793664000 + 8 * DAY; time_s += 1741, asked++) {
            struct rules_request request = { .time_s = time_s };
            char got[64], then[64];
            long age = -1;

            struct answer answer = rules_answer(&rules, "/a", &request, got, sizeof(got));
            if (answer.cache_control.size > 8) age = strtol(answer.cache_control.data + 8, NULL, 10);
            if (age <= 0) wrong++;
            for (long part = 0; part < 8 && age > 0; part++) {
                request.time_s = time_s + (age - 1) * part / 7;
                rules_answer(&rules, "/a", &request, then, sizeof(then));
                wrong += strcmp(got, then) != 0;
            }
        }
    }
    is_number(wrong, 0, "ten days around the end of daylight time");
    ok(asked > 400, "often enough");
    rules_close(&rules);
}

/* ---- what was read on the way ---- */

static void vary_names_what_was_read(void)
{
    if (rules_open(&rules, "/a -> /1 { when header X-A; when cookie c }\n/a -> /2 { when header X-B }\n/a -> /3 { vary X-C }\n"
                           "/p pass { when header X-P }\n/p -> /p1\n"
                           "/twice -> /1 { when header X-A = \"1\"; unless header x-a = \"2\" }\n"
                           "/m -> /1 { when method POST; when header X-A }\n")) {
        full("/a", "307 /3 | X-A, X-B, X-C | no-cache", "what did not hold was read, too", .method = "GET");
        full("/a", "307 /3 | X-A, Cookie, X-B, X-C | no-cache", "as far as was asked", .headers = { "X-A", "1" });
        full("/a", "307 /1 | X-A, Cookie | no-cache", "not what was not asked", .headers = { "X-A", "1", "Cookie", "c=1" });
        full("/p", "pass | X-P | ", "a pass", .headers = { "X-P", "1" });
        full("/p", "307 /p1 | X-P | no-cache", "no pass", .method = "GET");
        full("/twice", "none | X-A | ", "each once", .headers = { "X-A", "2" });
        full("/m", "none |  | ", "the method decides first", .headers = { "X-A", "2" });
    }
    rules_close(&rules);
}

static void preflights_are_left_alone(void)
{
    if (rules_open(&rules, "/a -> /t\n/r -> /t { preflight redirect }\n/p pass\n")) {
        full("/a", "none |  | ", "a preflight", .method = "OPTIONS", .is_preflight = true);
        full("/a", "307 /t |  | no-cache", "an OPTIONS request that is none", .method = "OPTIONS");
        full("/r", "307 /t |  | no-cache", "where the rule says so", .method = "OPTIONS", .is_preflight = true);
        full("/p", "pass |  | ", "a pass is one", .method = "OPTIONS", .is_preflight = true);
    }
    rules_close(&rules);
}

/* ---- bytes that are no program ---- */

static void unknown_operations_are_not_sound(void)
{
    static const uint8_t good[] = { 0, 0, 0, 0, 1, 0, RULESET_CONDITION_METHOD, 0, 1, 0, 3, 0, 'G', 'E', 'T' };
    uint8_t *bytes = malloc(sizeof(good));

    ok(condition_section_is_sound(good, sizeof(good)), "a good section");
    ok(condition_section_is_sound(good, 0) && condition_section_is_sound(good, 4), "an empty one");
    for (size_t size = 5; size < sizeof(good); size++) {
        uint8_t *cut = malloc(size);

        memcpy(cut, good, size);
        if (condition_section_is_sound(cut, size)) ok(false, "a section that is cut off");
        free(cut);
    }
    for (unsigned op = 0; op < 256; op++) {
        memcpy(bytes, good, sizeof(good));
        bytes[6] = (uint8_t)op;
        bool is_sound = condition_section_is_sound(bytes, sizeof(good));
        if (is_sound && (op == RULESET_CONDITION_NONE || op >= RULESET_CONDITION_OP_COUNT)) ok(false, "an unknown operation");
    }
    memcpy(bytes, good, sizeof(good));
    bytes[7] = 8;
    ok(!condition_section_is_sound(bytes, sizeof(good)), "an unknown flag");
    free(bytes);
}

/* A question that cannot be asked never lets a rule answer, `unless` neither. */
static void what_cannot_be_asked_does_not_hold(void)
{
    if (rules_open(&rules, "/a -> /t { unless header X ~ \"^v\" }\n")) {
        struct ruleset_section section = rule_file_section(rules.file.bytes, RULESET_CONDITIONS);
        const uint8_t name[] = { 1, 0, 'X', 0, 0, 0, 0 };
        uint8_t *regex = (uint8_t *)rules.file.bytes + section.at + 4 + 2 + sizeof(struct ruleset_condition);

        full("/a", "307 /t | X | no-cache", "no field", .method = "GET");
        full("/a", "307 /t | X | no-cache", "not matched", .headers = { "X", "1" });
        full("/a", "none | X | ", "matched", .headers = { "X", "v1" });
        if (ok(memcmp(regex, name, sizeof(name)) == 0, "the number of its regex")) {
            regex[3] = 99; /* under the open ruleset */
            full("/a", "none |  | ", "a regex that is not there: damaged bytes are not asked", .headers = { "X", "1" });
        }
    }
    rules_close(&rules);
}

int main(void)
{
    methods();
    statuses_by_method();
    schemes();
    headers();
    cookies();
    wishes();
    queries();
    clients();
    environment_and_flags();
    draws();
    windows();
    recurring();
    recurring_over_leaping_clocks();
    recurring_in_the_south();
    max_age_never_lies();
    vary_names_what_was_read();
    preflights_are_left_alone();
    unknown_operations_are_not_sound();
    what_cannot_be_asked_does_not_hold();
    return tap_done();
}
