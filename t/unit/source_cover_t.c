/* SPDX-License-Identifier: Apache-2.0 */
/* What sources, and conditions, say about each other. Each case is two rules; their sources or conditions are
 * compared. */
#include "config.h"

#include "rulec/condition_logic.h"
#include "rulec/source_cover.h"
#include "t/lib/lowered.h"

#include <stdio.h>

static struct source_view view_of(uint32_t rule)
{
    struct source_view view;

    source_view_of(parsed.arena, &lowered.plan->rules[rule], plan_pattern(&lowered.plan->rules[rule]), &view);
    return view;
}

/* `outer` and `inner` are sources; a body behind them, as in "/a { case ignore }", is the rule's. */
static void covers(bool wanted, const char *outer, const char *inner)
{
    char name[300], first[200], second[200];

    snprintf(first, sizeof first, "%.*s gone%s", (int)strcspn(outer, " "), outer,
             outer + strcspn(outer, " "));
    snprintf(second, sizeof second, "%.*s gone%s", (int)strcspn(inner, " "), inner, inner + strcspn(inner, " "));
    snprintf(name, sizeof name, "%s %s %s", outer, wanted ? "holds" : "does not hold", inner);
    if (ok(lowered_open_two(first, second), "two rules")) {
        struct source_view a = view_of(0), b = view_of(1);

        ok(source_covers(&a, &b) == wanted, name);
    }
    lowered_close();
}

static void meets(bool wanted, const char *left, const char *right)
{
    char name[300], first[200], second[200];

    snprintf(first, sizeof first, "%s gone", left);
    snprintf(second, sizeof second, "%s gone", right);
    snprintf(name, sizeof name, "%s and %s %s", left, right, wanted ? "meet" : "do not meet");
    if (ok(lowered_open_two(first, second), "two rules")) {
        struct source_view a = view_of(0), b = view_of(1);

        ok(source_meets(&a, &b) == wanted && source_meets(&b, &a) == wanted, name);
    }
    lowered_close();
}

enum relation { NOTHING, IMPLIES, EXCLUDES };

/* The first condition implies the second one, or both exclude each other. */
static void conditions(enum relation wanted, const char *strong, const char *weak)
{
    static const char *const words[] = { "says nothing of", "implies", "excludes" };
    char name[300], first[200], second[200];

    snprintf(first, sizeof first, "/a gone { %s }", strong);
    snprintf(second, sizeof second, "/b gone { %s }", weak);
    snprintf(name, sizeof name, "%s: %s %s", strong, words[wanted], weak);
    if (ok(lowered_open_two(first, second), "two rules")) {
        const struct plan_action *a = &lowered.plan->actions[lowered.plan->rules[0].action];
        const struct plan_action *b = &lowered.plan->actions[lowered.plan->rules[1].action];

        ok(action_implies(lowered.plan, a, b) == (wanted == IMPLIES), name);
        ok(actions_exclude(lowered.plan, a, b) == (wanted == EXCLUDES), name);
        ok(actions_exclude(lowered.plan, b, a) == (wanted == EXCLUDES), name);
    }
    lowered_close();
}

static void subtrees_hold_what_is_below(void)
{
    covers(true, "/a/*", "/a");
    covers(true, "/a/*", "/a/b/c");
    covers(true, "/a/*", "/a/{x...}/c");
    covers(true, "/a/*", "/a/*.ttl");
    covers(true, "/{x}/*", "/a/*");
    covers(false, "/a/*", "/b");
    covers(false, "/a/b/*", "/a/*");
    covers(false, "/a/{x...}", "/a/*");
    covers(true, "/a/{x...}", "/a/{x}/b");
    covers(true, "/a/{x...}/c", "/a/b/c");
    covers(false, "/a/{x...}/c", "/a/c");
    covers(true, "/a/1.*", "/a/1.2/x");
    covers(false, "/a/1.*", "/a/{x}");
    covers(true, "/a/*.ttl", "/a/b/c.ttl");
    covers(false, "/a/*.ttl", "/a/.ttl");
}

static void types_hold_each_other(void)
{
    covers(true, "/{x}", "/{x:int}");
    covers(true, "/{x:hex}", "/{x:int}");
    covers(true, "/{x:slug}", "/{x:date}");
    covers(false, "/{x:slug}", "/{x:uuid}");
    covers(true, "/{x:slug} { case ignore }", "/{x:uuid}");
    covers(true, "/{x:en|de}", "/de");
    covers(true, "/{x:en|de|fr}", "/{x:fr|en}");
    covers(false, "/{x:en|de}", "/{x:en|fr}");
    covers(true, "/{x}.html", "/a-{y}.html");
    covers(false, "/{x}.html", "/.html");
    covers(true, "/{x:version}", "/1.20.3");
    covers(false, "/{x:version}", "/1.");
}

static void slash_and_case_count(void)
{
    covers(true, "/a", "/a/");
    covers(false, "/a { slash exact }", "/a");
    covers(true, "/a { slash exact }", "/a { slash exact }");
    covers(true, "/A { case ignore }", "/a");
    covers(false, "/a", "/a { case ignore }");
    covers(true, "/{x}", "/a { case ignore }");
}

static void queries_narrow(void)
{
    covers(true, "/a?k", "/a?k={v}");
    covers(true, "/a?k={v}", "/a?k");
    covers(true, "/a?k", "/a?l=2&k=1");
    covers(false, "/a?k=1", "/a?k");
    covers(false, "/a?k&l", "/a?k");
    covers(true, "/a", "/a?k");
}

static void some_meet(void)
{
    meets(true, "/{x:en|de}", "/{x:de|fr}");
    meets(false, "/{x:en|de}", "/{x:it|fr}");
    meets(true, "/a-{x}", "/{x}-a");
    meets(false, "/a-{x}", "/b-{x}");
    meets(true, "/x?a=1", "/x?b=2");
    meets(false, "/x?a=1", "/x?a=2");
    meets(false, "/{x}.ttl", "/{x}.xml");
}

static void conditions_are_compared(void)
{
    conditions(IMPLIES, "when method POST", "when method POST PUT");
    conditions(NOTHING, "when method POST PUT", "when method POST");
    conditions(EXCLUDES, "when method POST", "when method GET");
    conditions(EXCLUDES, "when method HEAD", "unless method GET");
    conditions(IMPLIES, "when method POST", "unless method GET");
    conditions(EXCLUDES, "when cookie a", "unless cookie a");
    conditions(IMPLIES, "when cookie a = \"1\"", "when cookie a");
    conditions(EXCLUDES, "when cookie a = \"1\"", "unless cookie a");
    conditions(NOTHING, "when cookie a", "unless cookie b");
    conditions(NOTHING, "when flag a", "when flag b");
    conditions(EXCLUDES, "when header X = \"1\"", "when header x = \"2\"");
    conditions(NOTHING, "when chance 10%", "when chance 10%");
    conditions(NOTHING, "when chance 10%", "unless chance 10%");
    conditions(EXCLUDES, "when client 10.0.0.0/8", "when client 192.168.0.0/16");
    conditions(NOTHING, "when client 10.0.0.0/8", "when client 10.1.0.0/16");
    conditions(EXCLUDES, "until 2098-01-01T00:00Z", "from 2098-01-01T00:00Z");
    conditions(IMPLIES, "from 2098-02-01T00:00Z; until 2098-03-01T00:00Z", "from 2098-01-01T00:00Z");
}

int main(void)
{
    subtrees_hold_what_is_below();
    types_hold_each_other();
    slash_and_case_count();
    queries_narrow();
    some_meet();
    conditions_are_compared();
    return tap_done();
}
