/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of paths: which paths regexes, sources and targets hold, and which of them have a path in common. */
#include "config.h"

#include "rulec/regex_set.h"
#include "rulec/rule_paths.h"
#include "t/lib/lowered.h"
#include "t/lib/tap.h"

#include <stdio.h>

enum answer { NO, YES, UNKNOWN };

static void takes(enum answer wanted, const char *regex, const char *text)
{
    struct path_sets sets;
    char name[200];
    enum answer got = UNKNOWN;

    snprintf(name, sizeof name, "%s %s %s", regex,
             wanted == YES ? "takes" : wanted == NO ? "does not take" : "is not looked into, for", text);
    path_sets_open(&sets);
    if (regex_set_put(&sets, slice_from_string(regex), false, false)) {
        path_end(&sets);
        path_put_text(&sets, slice_from_string(text), false);
        path_end(&sets);
        got = path_sets_meet(&sets) ? YES : NO;
    }
    path_sets_close(&sets);
    ok(got == wanted, name);
}

static void plain_regexes_are_sets(void)
{
    takes(YES, "^/x/(\\d+)$", "/x/12");
    takes(NO, "^/x/(\\d+)$", "/x/");
    takes(NO, "^/x/(\\d+)$", "/x/1a");
    takes(YES, "/x/", "/a/x/b");
    takes(NO, "^/x/", "/a/x/b");
    takes(YES, "^/(?:a|bc|)/$", "/bc/");
    takes(YES, "^/(?:a|bc|)/$", "//");
    takes(NO, "^/(?:a|bc|)/$", "/ab/");
    takes(YES, "^/(?<y>[0-9]{4})-[01]?[0-9]$", "/2024-7");
    takes(NO, "^/(?<y>[0-9]{4})-[01]?[0-9]$", "/204-7");
    takes(YES, "^/a{2,3}$", "/aaa");
    takes(NO, "^/a{2,3}$", "/aaaa");
    takes(YES, "^/a{2,}$", "/aaaa");
    takes(YES, "^/[^/]+/.*?\\.html$", "/a/b/c.html");
    takes(NO, "^/[^/]+/.*?\\.html$", "/a.html");
    takes(YES, "^/[]a]$", "/]");
    takes(YES, "^/\\w+\\.x$", "/a_1.x");
}

static void all_other_regexes_are_unknown(void)
{
    takes(UNKNOWN, "^/(?!x)", "/a");
    takes(UNKNOWN, "^/(a)\\1$", "/aa");
    takes(UNKNOWN, "^/a++$", "/a");
    takes(UNKNOWN, "(?i)^/a$", "/A");
    takes(UNKNOWN, "^/a|b$", "/a");
    takes(UNKNOWN, "^/\\bx", "/x");
    takes(UNKNOWN, "^/[[:alpha:]]$", "/a");
}

static void leads(bool wanted, const char *from, const char *to)
{
    const struct plan_template *template;
    struct target_parts parts;
    struct slice target;
    struct path_sets sets;
    char name[200], answer[200];

    snprintf(name, sizeof name, "%s %s to %s", from, wanted ? "can lead" : "never leads", to);
    snprintf(answer, sizeof answer, "%s gone", to);
    path_sets_open(&sets);
    if (ok(lowered_open_two(from, answer) && target_line(&lowered.plan->rules[0], 0, &template, &target), "two rules")) {
        target_parts_of(parsed.arena, template, target, &parts);
        rule_paths_put_target(&sets, parsed.arena, &lowered.plan->rules[0], template, &parts);
        rule_paths_put_source(&sets, parsed.arena, &lowered.plan->rules[1]);
        ok(path_sets_meet(&sets) == wanted, name);
    }
    path_sets_close(&sets);
    lowered_close();
}

static void targets_meet_sources(void)
{
    leads(true, "/a/* -> /b/*", "/b");
    leads(true, "/a/* -> /b/*", "/b/{x}/c");
    leads(false, "/a/* -> /b/*", "/bc");
    leads(false, "/a/* -> /b/*", "/");
    leads(true, "/* -> /*", "/");
    leads(false, "/a/{x:int} -> /b/{x}", "/b/{x:uuid}");
    leads(true, "/a/{x:int} -> /b/{x}", "/b/{x:slug}");
    leads(false, "/a/{x:int} -> /b/item-{x}", "/b/{x:int}");
    leads(true, "/a/{x} -> /b/{x}.html", "/b/*.html");
    leads(false, "/a/{x:slug} -> /b/{x}.html", "/b/*.ttl");
    leads(true, "/a/{x} -> /b/1.{x}", "/b/1.*");
    leads(false, "/a/{x:en|de} -> /{x}/b", "/{x:fr|it}/b");
    leads(true, "/a/* -> /b/*/c", "/b/c");
    leads(false, "/a/{x} -> /b/{x}?c=/d", "/b/{x}/d");
    leads(true, "/a/{x} -> /B/%7E{x}", "/B/~{x}");
    leads(false, "/a -> /b/ { slash exact }", "/b/c");
    leads(true, "/a/{x} -> /b/{x|lower}", "/b/{x}");
    leads(true, "/a/{x...} -> /b/{x}", "/b/{x...}/c");
    leads(false, "/a/{x} -> /b/{x}", "/b/{x...}/c");
    leads(true, "/{x} -> https://h.example{path}", "/{x}");
    leads(false, "/a/{x:/[a-z]{2}/} -> /b/{x}", "/b/{x:int}");
}

int main(void)
{
    plain_regexes_are_sets();
    all_other_regexes_are_unknown();
    targets_meet_sources();
    return tap_done();
}
