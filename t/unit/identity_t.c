/* SPDX-License-Identifier: Apache-2.0 */
/* A rule keeps its identity while the file around it changes, and no two rules of a file share one. */
#include "config.h"

#include "t/lib/rules.h"

/* Regexes, zones, conditions, hosts: all that is stored by number or offset. */
#define BODY                                                                 \
    "/old -> /new\n"                                                         \
    "/slash/ -> /other { slash exact }\n"                                    \
    "/slash -> /another { slash exact }\n"                                   \
    "/when -> /a { when header X = \"1\" }\n"                                \
    "/when -> /b { when header X = \"2\" }\n"                                \
    "/when -> /c { when header X ~ \"^3\" }\n"                               \
    "/when -> /d { when header X ~ \"^4\" }\n"                               \
    "/daily -> /e { daily 09:00-10:00; timezone Europe/Zurich }\n"           \
    "/tree/* -> /t/*\n"                                                      \
    "/q?id={i:int} -> /i/{i}\n"                                              \
    "~ \"^/re/([0-9]+)$\" -> /r/$1\n"                                        \
    "~ \"^/re/([a-z]+)$\" -> /s/$1\n"                                        \
    "/seg/{x:/[a-c]+/} -> /x\n"

static const char *const asked[] = {
    "http://lab.test/old", "http://lab.test/slash/", "http://lab.test/slash", "http://lab.test/when?1",
    "http://lab.test/when?2", "http://lab.test/when?3", "http://lab.test/when?4", "http://lab.test/daily",
    "http://lab.test/tree/x", "http://lab.test/q?id=7", "http://lab.test/re/5", "http://lab.test/re/a",
    "http://lab.test/seg/ab"
};
enum { ASKED = sizeof(asked) / sizeof(asked[0]) };

static struct rules rules;

static uint64_t identity_at(const char *url)
{
    char text[256], header[2] = { url[strlen(url) - 1], 0 };
    /* 2026-01-15 08:30 UTC: inside the daily window. */
    struct rules_request request = { .headers = { "X", header }, .time_s = 1768465800 };

    return rules_answer(&rules, url, &request, text, sizeof text).identity;
}

static void read_identities(const char *text, uint64_t identities[ASKED])
{
    memset(identities, 0, ASKED * sizeof *identities);
    if (rules_open(&rules, text) && ok(ruleset_identify(rules.ruleset), "the rules are identified")) {
        for (unsigned i = 0; i < ASKED; i++) identities[i] = identity_at(asked[i]);
    }
    rules_close(&rules);
}

static void each_rule_has_its_own(void)
{
    uint64_t here[ASKED];

    read_identities("site lab.test {\n" BODY "}\n", here);
    for (unsigned i = 0; i < ASKED; i++) {
        unsigned same = 0;

        for (unsigned j = 0; j < ASKED; j++) same += here[j] == here[i];
        is_number(same, here[i] != 0, asked[i]);
    }
}

static void they_stay_when_the_file_changes(void)
{
    static const struct row {
        const char *what, *text;
    } rows[] = {
        { "other lines before them", "# one\n# two\nsite lab.test {\n" BODY "}\n" },
        { "other rules and sites before them",
          "/else -> /x\nsite a.test { /old -> /y\n ~ \"^/zzz\" -> /z\n"
          "/u -> /v { daily 01:00-02:00; timezone America/New_York\n when header Y ~ \"x\" } }\n"
          "site lab.test {\n~ \"^/aaa\" -> /z\n/aaa -> /z { when header X ~ \"q\" }\n" BODY "}\n" },
        { "another status for all of them", "status permanent\nsite lab.test {\n" BODY "}\n" },
    };
    uint64_t before[ASKED], after[ASKED];

    read_identities("site lab.test {\n" BODY "}\n", before);
    for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
        unsigned differing = 0;

        read_identities(rows[row].text, after);
        for (unsigned i = 0; i < ASKED; i++) differing += before[i] == 0 || before[i] != after[i];
        is_number(differing, 0, rows[row].what);
    }
}

static void they_differ_where_the_rule_does(void)
{
    uint64_t before[ASKED], after[ASKED];

    read_identities("site lab.test {\n" BODY "}\n", before);
    read_identities(BODY, after);
    for (unsigned i = 0; i < ASKED; i++) ok(before[i] != after[i], "in another site it is another rule");
    read_identities("site lab.test { case ignore\n" BODY "}\n", after);
    ok(before[0] != after[0], "another source: it is another rule");
}

static void a_walk_finds_each(void)
{
    struct ruleset_walk walk = { .at = 0 };
    struct ruleset_rule rule;
    unsigned seen = 0, matched = 0;

    if (rules_open(&rules, "site lab.test {\n" BODY "}\n")) {
        uint64_t bare = identity_at(asked[0]);

        ok(bare == 0, "no identity unless it is asked for");
        ok(ruleset_identify(rules.ruleset), "asked for");
        while (ruleset_next_rule(rules.ruleset, &walk, &rule)) {
            seen++;
            for (unsigned i = 0; i < ASKED; i++) matched += rule.identity == identity_at(asked[i]);
        }
        is_number(seen, ASKED, "the walk meets all rules");
        is_number(matched, ASKED, "each with the identity of its answer");
        ok(!ruleset_next_rule(rules.ruleset, &walk, &rule), "and ends");
    }
    rules_close(&rules);
}

int main(void)
{
    each_rule_has_its_own();
    they_stay_when_the_file_changes();
    they_differ_where_the_rule_does();
    a_walk_finds_each();
    return tap_done();
}
