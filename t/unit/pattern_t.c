/* SPDX-License-Identifier: Apache-2.0 */
/* Which source meets which request, what is captured, and which of several wins: over rules compiled in the test. The
 * captures show in the target. */
#include "config.h"

#include "mod_redir307/pattern.h"
#include "t/lib/rules.h"

static struct rules rules;

struct row {
    const char *url, *want;
};

static void check_rows(const char *text, const struct row *rows, size_t count)
{
    if (rules_open(&rules, text)) {
        for (size_t i = 0; i < count; i++) answers(&rules, rows[i].url, rows[i].want, rows[i].url);
    }
    rules_close(&rules);
}
#define check(text, rows) check_rows((text), (rows), sizeof(rows) / sizeof(rows)[0])

static void exact_paths(void)
{
    static const struct row rows[] = {
        { "/", "307 /root" },
        { "http://h//", "307 /root" },
        { "/./", "307 /root" },
        { "/a", "307 /1" },
        { "/a/", "307 /1" }, /* each form answers for the other */
        { "/a/b", "none" },
        { "/A", "none" },
        { "/b", "307 /2" },
        { "/b/", "307 /3" }, /* the written form first */
        { "/x", "307 /4" },
        { "/x/", "none" },
        { "/y/", "307 /5" },
        { "/y", "none" },
        { "/star*", "307 /6" },
        { "/star%2a", "307 /6" },
        { "/brace%7bx%7D", "307 /7" },
        { "/q%3fx", "307 /8" },
        { "/caf%C3%A9", "307 /9" },
        { "/caf%c3%a9", "307 /9" },
        { "/s%2Ft", "307 /10" },
        { "/s%2ft", "307 /10" },
        { "/s/t", "none" },
        { "/a;b", "307 /11" },
        { "/a%3Bb", "307 /11" },
    };
    check("/ -> /root\n/a -> /1\n/b -> /2\n/b/ -> /3\n/x -> /4 { slash exact }\n/y/ -> /5 { slash exact }\n"
          "/star%2A -> /6\n/brace%7Bx%7D -> /7\n/q%3Fx -> /8\n/caf\xc3\xa9 -> /9\n/s%2Ft -> /10\n/a;b -> /11\n",
          rows);
}

static void letters_without_case(void)
{
    static const struct row rows[] = {
        { "/Foo", "307 /1" },
        { "/foo", "307 /1" },
        { "/FOO/", "307 /1" },
        { "/%46oo", "307 /1" },
        { "/Fo%C3%96", "307 /2" },
        { "/fO%c3%96", "307 /2" },
        { "/fo%C3%B6", "none" }, /* ASCII letters only: \xd6 and \xf6 are other bytes */
        { "/sub/X/y", "307 /s/X/y" }, /* what is captured stays as it was */
        { "/SUB/X/y", "307 /s/X/y" },
        { "/Item-12.HTML", "307 /i/12" },
        { "/k?Key=V", "307 /k" },
        { "/K?Key=V", "307 /k" },
        { "/k?key=V", "none" }, /* names and values of a query keep their case */
        { "/k?Key=v", "none" },
        { "/EN/x", "307 /l/EN" },
        { "/Slug/Ab-C", "307 /slug/Ab-C" },
        { "/exact/a", "307 /e1" },
        { "/exact/A", "307 /e2" },
    };
    check("group \"folded\" {\ncase ignore\n/Foo -> /1\n/Fo\xc3\x96 -> /2\n/sub/* -> /s/*\n/item-{x:int}.html -> /i/{x}\n"
          "/k?Key=V -> /k { query drop }\n/{l:en|de}/x -> /l/{l}\n/slug/{s:slug} -> /slug/{s}\n/exact/a -> /e1\n}\n"
          "/exact/A -> /e2\n",
          rows);
}

static void subtrees(void)
{
    static const struct row rows[] = {
        { "/a", "307 /b" },
        { "/a/", "307 /b/" },
        { "/a/x", "307 /b/x" },
        { "/a/x/y/", "307 /b/x/y/" },
        { "/ax", "none" },
        { "/a/1.", "307 /one?r=" },
        { "/a/1.2", "307 /one?r=2" },
        { "/a/1.2/c/", "307 /one?r=2/c/" },
        { "/a/1", "307 /b/1" },
        { "/m/x", "307 /many?r=x" },
        { "/m/x/y/", "307 /many?r=x/y/" },
        { "/m", "none" }, /* one segment at least */
        { "/m/", "none" },
        { "/n/x/c", "307 /nc?r=x" },
        { "/n/x/y/c", "307 /nc?r=x/y" },
        { "/n/x/y/c/", "307 /nc?r=x/y" },
        { "/n/c", "none" },
        { "/n/c/c", "307 /nc?r=c" },
        { "/o/x.ttl", "307 /ttl?r=x" },
        { "/o/x/y.ttl", "307 /ttl?r=x/y" },
        { "/o/.ttl", "none" }, /* a byte at least before it */
        { "/o/x.TTL", "none" },
        { "/o/x.ttl/", "307 /ttl?r=x" },
        { "/o/x%2ettl", "307 /ttl?r=x" },
    };
    check("/a/* -> /b/*\n/a/1.* -> /one?r=*\n/m/{x...} -> /many?r={x}\n/n/{x...}/c -> /nc?r={x}\n"
          "/o/{x...}.ttl -> /ttl?r={x}\n",
          rows);
}

static void the_whole_site(void)
{
    static const struct row rows[] = {
        { "/", "307 https://t.example/" },
        { "/a", "307 https://t.example/a" },
        { "/a/b/", "307 https://t.example/a/b/" },
        { "http://h//a", "307 https://t.example/a" },
    };
    check("/* -> https://t.example/*\n", rows);
}

static void placeholders_and_their_types(void)
{
    static const struct row rows[] = {
        { "/f/x/c", "307 /f?x=x" },
        { "/f/%2F/c", "307 /f?x=%2F" },
        { "/f//c", "none" }, /* never empty: it is /f/c */
        { "/f/x/y/c", "none" },
        { "/int/0", "307 /int?x=0" },
        { "/int/0123456789012345678901234567890", "307 /int?x=0123456789012345678901234567890" },
        { "/int/1a", "none" },
        { "/int/-1", "none" },
        { "/int/%31", "307 /int?x=1" },
        { "/int/%D9%A1", "none" }, /* digits of other scripts are none */
        { "/hex/09afAF", "307 /hex?x=09afAF" },
        { "/hex/g", "none" },
        { "/slug/a-b-9", "307 /slug?x=a-b-9" },
        { "/slug/A", "none" },
        { "/slug/a_b", "none" },
        { "/uuid/01234567-89ab-cdef-0123-456789ABCDEF", "307 /uuid?x=01234567-89ab-cdef-0123-456789ABCDEF" },
        { "/uuid/01234567-89ab-cdef-0123-456789ABCDE", "none" },
        { "/uuid/01234567-89ab-cdef-0123-456789ABCDEFF", "none" },
        { "/uuid/0123456789ab-cdef-0123-456789ABCDEF-", "none" },
        { "/uuid/g1234567-89ab-cdef-0123-456789ABCDEF", "none" },
        { "/date/2026-11-20", "307 /date?x=2026-11-20" },
        { "/date/2026-11-2", "none" },
        { "/date/2026-1120-", "none" },
        { "/date/99999-1-20", "none" },
        { "/version/1.2", "307 /version?x=1.2" },
        { "/version/1.2.3.44", "307 /version?x=1.2.3.44" },
        { "/version/1", "none" },
        { "/version/1.", "none" },
        { "/version/.1", "none" },
        { "/version/1..2", "none" },
        { "/set/en", "307 /set?x=en" },
        { "/set/en-GB", "307 /set?x=en-GB" },
        { "/set/fr", "none" },
        { "/set/e", "none" },
        { "/set/EN", "none" },
        { "/re/ab", "307 /re?x=ab" },
        { "/re/abc", "none" },
        { "/re/ab%0a", "none" }, /* nothing ends before a line end */
        { "/{}/x", "none" },
        { "/u/anything/z", "307 /u" },
    };
    check("/f/{x}/c -> /f?x={x}\n/int/{x:int} -> /int?x={x}\n/hex/{x:hex} -> /hex?x={x}\n/slug/{x:slug} -> /slug?x={x}\n"
          "/uuid/{x:uuid} -> /uuid?x={x}\n/date/{x:date} -> /date?x={x}\n/version/{x:version} -> /version?x={x}\n"
          "/set/{x:en|en-GB|de} -> /set?x={x}\n/re/{x:/[a-z]{2}/} -> /re?x={x}\n/u/{}/z -> /u\n",
          rows);
}

static void several_in_one_segment(void)
{
    static const struct row rows[] = {
        { "/item-7.html", "307 /item?x=7" },
        { "/item-.html", "none" },
        { "/item-7.htm", "none" },
        { "/item-7a.html", "none" },
        { "/2026-11/", "307 /ym?y=2026&m=11" },
        { "/2026-/", "none" },
        { "/v1-2-3", "307 /v?a=1&b=2-3" }, /* the first takes as little as can be */
        { "/v--", "none" },
        { "/v---", "307 /v?a=-&b=-" },
        { "/w1a23", "307 /w?a=1&b=a&c=23" },
        { "/e%20-%2F", "307 /e?a=%20&b=%2F" }, /* an escape is one character */
        { "/h1%201", "none" },
        { "/h1x201", "307 /h?a=1x&b=1" },
        { "/d2026-01-02and1.2.3", "307 /d?a=2026-01-02&b=1.2.3" },
    };
    check("/item-{x:int}.html -> /item?x={x}\n/{y:int}-{m:int}/ -> /ym?y={y}&m={m}\n/v{a}-{b} -> /v?a={a}&b={b}\n"
          "/w{a:int}{b:a|b|ab}{c:int} -> /w?a={a}&b={b}&c={c}\n/e{a}-{b} -> /e?a={a}&b={b}\n/h{a}20{b} -> /h?a={a}&b={b}\n"
          "/d{a:date}and{b:version} -> /d?a={a}&b={b}\n",
          rows);
}

static void queries(void)
{
    static const struct row rows[] = {
        { "/q?id=7", "307 /fixed" },
        { "/q?id=8", "307 /id?x=8" },
        { "/q?id=", "307 /id?x=" },
        { "/q?id", "307 /id?x=" },
        { "/q?id=%37", "307 /fixed" }, /* compared decoded */
        { "/q?i%64=7", "307 /fixed" },
        { "/q?ID=7", "307 /plain?ID=7" },
        { "/q?a=1&id=7&b=2", "307 /fixed?a=1&b=2" }, /* in any order, whatever else there is */
        { "/q?id=9&id=7", "307 /fixed" },           /* one that fits is enough; all of the name are used up */
        { "/q", "307 /plain" },
        { "/q?", "307 /plain" },
        { "/q?id=7;x=1", "307 /id?x=7%3Bx%3D1" }, /* ; is no separator */
        { "/two?lang=de&id=7", "307 /two2?l=de" },
        { "/two?lang=de", "none" },
        { "/two?id=7", "none" },
        { "/two?id=7&lang=a+b", "307 /two2?l=a%20b" },
        { "/flag?k", "307 /flagged" },
        { "/flag?k=", "307 /flagged" },
        { "/flag?k=x", "307 /flagged" },
        { "/flag?kk", "none" },
        { "/empty?k", "307 /e" },
        { "/empty?k=", "307 /e" },
        { "/empty?k=x", "none" },
        { "/typed?n=12", "307 /t/12" },
        { "/typed?n=x", "none" },
        { "/typed?n=x&n=12", "307 /t/12" },
        { "/typed?n=", "none" },
        { "/blank?k=a%20b", "307 /b" },
        { "/blank?k=a+b", "307 /b" },
        { "/blank?k=a%2Bb", "none" },
        { "/p/7?x=1", "307 /pp/7/1" },
        { "/many?a=1&b=2&c=3", "307 /abc" },
        { "/many?c=3&b=2&a=1", "307 /abc" },
        { "/many?a=1&b=2", "307 /ab" },
        { "/many?a=1&b=3", "307 /a?b=3" },
    };
    check("/q?id=7 -> /fixed\n/q?id={x} -> /id?x={x}\n/q -> /plain\n/two?id=7&lang={l} -> /two2?l={l}\n"
          "/flag?k -> /flagged\n/empty?k= -> /e\n/typed?n={n:int} -> /t/{n}\n/blank?k=a%20b -> /b\n"
          "/p/{id:int}?x={x} -> /pp/{id}/{x}\n/many?a=1&b=2&c=3 -> /abc\n/many?a=1&b=2 -> /ab\n/many?a=1 -> /a\n",
          rows);
}

static void the_most_specific_wins(void)
{
    static const struct row rows[] = {
        { "/a/b/c", "307 /exact" },
        { "/a/b/7", "307 /int" },
        { "/a/b/en", "307 /set" },
        { "/a/b/x7", "307 /prefix" },
        { "/a/b/abc", "307 /hex" },
        { "/a/b/zzz", "307 /slug" },
        { "/a/b/Z~", "307 /free" },
        { "/a/b/1.x", "307 /below" },
        { "/a/b/x.ttl", "307 /ttl1" },
        { "/a/b/Z/x.ttl", "307 /ttl" },
        { "/a/b/Z/x", "307 /sub" },
        { "/a/q/c", "307 /leftfree" },
        { "/a/q/d", "307 /asub" },
        { "/zz", "307 /all" },
    };
    check("/* -> /all\n/a/* -> /asub\n/a/{}/c -> /leftfree\n/a/b/* -> /sub\n/a/b/{x} -> /free\n/a/b/{x:slug} -> /slug\n"
          "/a/b/{x:hex} -> /hex\n/a/b/{x:int} -> /int\n/a/b/{x:en|de} -> /set\n/a/b/x{x:int} -> /prefix\n"
          "/a/b/1.* -> /below\n/a/b/{x}.ttl -> /ttl1\n/a/b/{x...}.ttl -> /ttl\n/a/b/c -> /exact\n",
          rows);
}

static void a_rule_that_does_not_hold_gives_way(void)
{
    if (rules_open(&rules, "/a/* -> /wide\n"
                           "/a/b -> /post { when method POST }\n"
                           "/a/b -> /put { when method PUT }\n"
                           "/a/{x} -> /free/{x} { when method POST PUT DELETE }\n")) {
        answers_to(&rules, "/a/b", "307 /post", "the first of one source", .method = "POST");
        answers_to(&rules, "/a/b", "307 /put", "the next one", .method = "PUT");
        answers_to(&rules, "/a/b", "307 /free/b", "the next best source", .method = "DELETE");
        answers_to(&rules, "/a/b", "307 /wide", "and the one behind it", .method = "GET");
    }
    rules_close(&rules);
}

/* More candidates than are kept at a time, at one key and over several shapes. */
static void long_chains_are_walked_to_their_end(void)
{
    enum { COUNT = 100 };
    static char text[32768];
    size_t size = 0;

    for (int i = 0; i < COUNT; i++) {
        size += (size_t)snprintf(text + size, sizeof(text) - size,
                                 "/a -> /e%d { when header X = \"%d\" }\n/s/* -> /s%d { when header X = \"%d\" }\n", i, i, i, i);
    }
    snprintf(text + size, sizeof(text) - size, "/a -> /last\n/s/* -> /slast\n");
    if (rules_open(&rules, text)) {
        unsigned wrong = 0;

        for (int i = 0; i < COUNT; i++) {
            char number[16], want[32], got[64];
            const struct rules_request request = { .headers = { "X", number } };

            snprintf(number, sizeof(number), "%d", i);
            snprintf(want, sizeof(want), "307 /e%d", i);
            rules_answer(&rules, "/a", &request, got, sizeof(got));
            wrong += strcmp(want, got) != 0;
            snprintf(want, sizeof(want), "307 /s%d", i);
            rules_answer(&rules, "/s/x", &request, got, sizeof(got));
            wrong += strcmp(want, got) != 0;
        }
        is_number(wrong, 0, "each of a hundred conditions");
        answers(&rules, "/a", "307 /last", "none of them");
        answers(&rules, "/s/x", "307 /slast", "nor of a subtree");
    }
    rules_close(&rules);
}

/* Rules that ignore case and rules that do not, at one path: as far as both are in their written form, as written. */
static void folded_and_exact_rules_are_one_row(void)
{
    if (rules_open(&rules, "/Foo -> /folded { case ignore; when method POST PUT }\n"
                           "/Foo -> /exact { when method POST }\n")) {
        answers_to(&rules, "/Foo", "307 /folded", "the first written", .method = "POST");
        answers_to(&rules, "/Foo", "307 /folded", "the only one that holds", .method = "PUT");
        answers_to(&rules, "/foo", "307 /folded", "the only one that fits", .method = "POST");
    }
    rules_close(&rules);
}

static void hosts_go_from_narrow_to_wide(void)
{
    static const struct row rows[] = {
        { "http://h.example/a", "307 /exact" },
        { "http://H.Example./a", "307 /exact" },
        { "http://h.example:8080/a", "307 /port" },
        { "http://h.example:8081/a", "307 /exact" },
        { "http://x.h.example/a", "307 /below-h" },
        { "http://y.x.h.example/a", "307 /below-h" },
        { "http://x.example/a", "307 /below" },
        { "http://example/a", "307 /any" },
        { "http://evilh.example/a", "307 /below" },
        { "http://apex.test/a", "307 /apex" },
        { "http://w.apex.test/a", "307 /apex" },
        { "http://wapex.test/a", "307 /any" },
        { "http://h.example/wide", "307 /wide" }, /* no rule of the host holds: wider ones are tried */
        { "http://h.example/b", "307 /below-b" },
        { "http://[::1]/a", "307 /six" },
        { "http://[::1]:99/a", "307 /six" },
        { "/a", "307 /any" },
    };
    check("/a -> /any\n/wide -> /wide\nsite h.example { /a -> /exact\n }\nsite h.example:8080 { /a -> /port\n }\n"
          "site *.example { /a -> /below\n /b -> /below-b\n }\nsite *.h.example { /a -> /below-h\n }\n"
          "site **.apex.test { /a -> /apex\n }\nsite [::1] { /a -> /six\n }\n",
          rows);
}

static void overrides_come_first(void)
{
    static const struct row rows[] = {
        { "http://h.example/a", "307 /down" },
        { "http://h.example/maintenance", "pass" },
        { "http://other.example/a", "307 /any" },
    };
    check("/a -> /any\nsite h.example {\n/a -> /a2\n/maintenance -> /no\n"
          "group \"down\" {\noverride\n/* -> /down\n/maintenance pass\n}\n}\n",
          rows);
}

/* Regexes look at the whole normal path. */
static void regexes(void)
{
    static const struct row rows[] = {
        { "/x/17", "307 /rx/17" },
        { "/x/17/", "none" },
        { "/x/a", "none" },
        { "/x/%31", "307 /rx/1" },
        { "/x/17%0a", "none" }, /* $ does not match before a line end (CVE-2019-10098) */
        { "/x/17\n", "none" },
        { "/y/ab/cd", "307 /ry/cd/ab" },
        { "/z/a", "307 /rz/a" },
        { "/z/A", "307 /rz/A" },
        { "/w/..-/x", "none" },
    };
    check("~ \"^/x/(?<id>\\d+)$\" -> /rx/{id}\n~ \"^/y/(\\w+)/(\\w+)$\" -> /ry/{2}/{1}\n"
          "~ \"^/z/([a-z])$\" -> /rz/{1} { case ignore }\n~ \"^/w/(.*)-/\" -> /rw/{1}/x\n",
          rows);
}

static void a_costly_regex_gives_up(void)
{
    static char url[3000] = "/e/";

    if (rules_open(&rules, "~ \"^/e/(a+)+$\" -> /rx\n/e/* -> /fallback\n")) {
        memset(url + 3, 'a', 60);
        url[63] = '!';
        answers(&rules, url, "307 /fallback", "a match that takes too long is none");
        ok(regex_scratch_limit_hits(rules.regex) > 0, "and is counted");
        url[63] = 0;
        answers(&rules, url, "307 /rx", "the same regex where it is cheap");
    }
    rules_close(&rules);
}

/* ---- bytes that are no program ---- */

static void damaged_programs_match_nothing(void)
{
    /* /a-{0:int}{1}/{2...}/{3}?k={4} */
    static const uint8_t program[] = { 1, 3, 0, 255, 2, 0, 'a', '-', 2, 0, 9, 1, 3, 2, 0, 0, 1,
                                       1, 9, 3, 1, 1, 0, 'k', 1, 1, 9, 4 };
    const struct pattern_parameter parameter = { .whole = SLICE("k=v"), .name = SLICE("k"), .value = SLICE("v") };
    const struct pattern_subject subject = { .path = SLICE("/a-7zz/b/c"), .parameters = &parameter, .parameter_count = 1 };
    struct pattern_capture captures[PATTERN_CAPTURE_LIMIT];
    struct pattern_flags flags = { .ignores_case = false };
    uint8_t *damaged = malloc(sizeof(program));
    unsigned cost, matches = 0;

    for (size_t size = 0; size < sizeof(program); size++) {
        uint8_t *cut = malloc(size ? size : 1);

        memcpy(cut, program, size);
        struct slice bytes = slice_of((const char *)cut, size);
        ok(!pattern_is_sound(bytes) || !pattern_match(bytes, flags, &subject, captures, &cost), "a program cut off");
        pattern_consumes(bytes, SLICE("k"));
        free(cut);
    }
    for (size_t at = 0; at < sizeof(program); at++) {
        for (unsigned value = 0; value < 256; value++) {
            memcpy(damaged, program, sizeof(program));
            damaged[at] = (uint8_t)value;
            struct slice bytes = slice_of((const char *)damaged, sizeof(program));

            pattern_is_sound(bytes);
            pattern_consumes(bytes, SLICE("k"));
            for (unsigned i = 0; i < PATTERN_CAPTURE_LIMIT; i++) captures[i].text = slice_of("", 0);
            if (!pattern_match(bytes, flags, &subject, captures, &cost)) continue;
            matches++;
            for (unsigned i = 0; i < PATTERN_CAPTURE_LIMIT; i++) {
                const char *data = captures[i].text.data;
                bool is_inside = captures[i].text.size == 0
                    || (data >= subject.path.data && data + captures[i].text.size <= subject.path.data + subject.path.size)
                    || (data == parameter.value.data && captures[i].text.size == 1);

                if (!is_inside) ok(false, "a capture outside of what was matched");
            }
        }
    }
    ok(matches > 256, "every byte was tried; some change nothing that counts");
    free(damaged);
}

/* The work of one segment is bounded, whatever stands in it. */
static void long_segments_end(void)
{
    static char url[8000] = "/s";

    if (rules_open(&rules, "/s{a}-{b}-{c}-{d} -> /t\n/s* -> /fallback\n/s/{x...}/y -> /rest\n")) {
        memset(url + 2, '-', 1000);
        answers(&rules, url, "307 /t", "dashes only");
        memset(url + 2, '-', 2000);
        answers(&rules, url, "307 /fallback", "a segment past the limit is not matched by several placeholders");
        for (size_t i = 2; i + 2 < sizeof(url); i += 2) memcpy(url + i, "/y", 2);
        answers(&rules, url, "307 /rest", "four thousand segments");
    }
    rules_close(&rules);
}

int main(void)
{
    exact_paths();
    letters_without_case();
    subtrees();
    the_whole_site();
    placeholders_and_their_types();
    several_in_one_segment();
    queries();
    the_most_specific_wins();
    a_rule_that_does_not_hold_gives_way();
    long_chains_are_walked_to_their_end();
    folded_and_exact_rules_are_one_row();
    hosts_go_from_narrow_to_wide();
    overrides_come_first();
    regexes();
    a_costly_regex_gives_up();
    damaged_programs_match_nothing();
    long_segments_end();
    return tap_done();
}
