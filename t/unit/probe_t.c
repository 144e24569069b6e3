/* SPDX-License-Identifier: Apache-2.0 */
/* What the path alone tells: wherever the probe says "no", the whole search finds nothing either, and it does say so
 * for the requests that it is there for. */
#include "config.h"

#include "mod_redir307/probe.h"
#include "t/lib/rules.h"

static struct rules rules;

/* The answer of a search that was told nothing by a probe. */
static enum answer_outcome outcome(struct slice path, struct slice query)
{
    const struct probe nothing = { .may_answer = true };
    const struct request_key key = {
        .method = SLICE("GET"), .scheme = SLICE("http"), .host = SLICE("any.test"), .port = 80, .path = path,
        .has_query = query.size > 0, .query = query, .regex = rules.regex,
    };
    struct answer answer;

    answer_probed(rules.ruleset, &key, nothing, &rules.scratch, NULL, &answer);
    return answer.outcome;
}

static bool may_answer(const char *path, bool has_query)
{
    return probe_path(rules.ruleset, slice_from_string(path), has_query).may_answer;
}

static const char *const sources[] = {
    "/exact/path", "/exact", "/", "/sub/*", "/sub/deep/er/*", "/a/:b/c", "/q?x=1", "/:one", "/end-*", "~ \"^/re/[0-9]+$\"", "/a|b",
};
static const char *const paths[] = {
    "/", "/exact", "/exact/", "/exact/path", "/exact/path/", "/exact/path/on", "/EXACT/path", "/sub", "/sub/", "/sub/x",
    "/sub/deep/er/x", "/sub/deep", "/a/x/c", "/a/x/d", "/a", "/q", "/q/", "/one", "/end-", "/end-x/y", "/re/12", "/re/x", "/a|b",
    "/a%7Cb", "/%65xact", "//exact", "/x/../exact", "/./exact", "/nothing/of/it/all", "/a-path-of/more/than/sixteen/bytes",
    "", "exact", "/%zz", "/no/../../way",
};

/* Each source alone and each two together; every path with and without a query. */
static void says_no_only_where_nothing_is(void)
{
    enum { SOURCES = sizeof sources / sizeof sources[0], PATHS = sizeof paths / sizeof paths[0] };
    unsigned wrong = 0, answered = 0, refused = 0;
    char text[512];

    for (unsigned pair = 0; pair < 2 * SOURCES * SOURCES; pair++) {
        unsigned a = pair / 2 % SOURCES, b = pair / 2 / SOURCES;

        if (a > b) continue;
        snprintf(text, sizeof text, "%s -> https://x.test/ %s\n", sources[a], pair % 2 ? "{ case ignore }" : "");
        if (a != b) snprintf(text + strlen(text), sizeof text - strlen(text), "%s -> https://x.test/\n", sources[b]);
        if (rules_try(&rules, slice_from_string(text))) {
            for (unsigned i = 0; i < 2 * PATHS; i++) {
                struct slice query = i % 2 ? SLICE("x=1&y=2") : SLICE("");
                const char *path = paths[i / 2];

                if (outcome(slice_from_string(path), query) == ANSWER_NONE) continue;
                answered++;
                if (may_answer(path, query.size > 0)) continue;
                wrong++;
                printf("# %s of %s", path, text);
            }
        }
        refused += !rules.ruleset;
        rules_close(&rules);
    }
    ok(refused == 0, "all rules compile");
    ok(answered > 500, "many requests are answered");
    ok(wrong == 0, "of all of them the probe says that it may be");
}

static void tells_the_usual_miss(void)
{
    if (rules_open(&rules, "/exact/path -> /x\n/sub/deep/* -> /y/*\n/q?x=1 -> /z\n")) {
        ok(!may_answer("/nothing/of/it/all", false), "an unknown path");
        ok(!may_answer("/exact/path/on", false), "one below an exact rule");
        ok(!may_answer("/sub/other", false), "one beside a subtree");
        ok(may_answer("/sub/deep/x", false), "one in it");
        ok(may_answer("/exact/path", false), "an exact one");
        ok(may_answer("/nothing", true), "a query where rules name queries");
        ok(may_answer("/%65xact/path", false), "a path that is not its own normal form");
    }
    rules_close(&rules);
    if (rules_open(&rules, "site shop.test {\n    /exact -> /x\n}\n")) {
        ok(may_answer("/nothing", false), "rules of a host are left to the search");
    }
    rules_close(&rules);
}

int main(void)
{
    says_no_only_where_nothing_is();
    tells_the_usual_miss();
    return tap_done();
}
