/* SPDX-License-Identifier: Apache-2.0 */
/* Which regexes a pattern says, and which it does not. */
#include "config.h"

#include "rulec/regex_pattern.h"
#include "t/lib/tap.h"

static struct arena *arena;

static void says(const char *regex, const char *want)
{
    const char *got = regex_pattern(arena, slice_from_string(regex));

    is_string(got ? got : "(none)", want, *regex ? regex : "nothing");
}

static void what_lists_consist_of(void)
{
    says("^/$", "/");
    says("^/a/b$", "/a/b");
    says("^/a/b\\z", "/a/b");
    says("^/a\\.html$", "/a.html");
    says("^/a/?$", "/a");
    says("^/a/(.*)$", "/a/*");
    says("^/a/(.*)", "/a/*");
    says("^/a/.*", "/a/*");
    says("^/a/", "/a/*");
    says("^/a/(\\d+)$", "/a/{a:int}");
    says("^/a/(?<id>[0-9]+)/x$", "/a/{id:int}/x");
    says("^/a/(?P<id>[^/]+)/(?'n'[a-z0-9-]+)/?$", "/a/{id}/{n:slug}");
    says("^/(de|en)/(.*)$", "/{a:de|en}/*");
    says("^/v([^/]+)-(\\d{4}-\\d{2}-\\d{2})\\.tgz$", "/v{a}-{b:date}.tgz");
}

static void what_no_pattern_says(void)
{
    says("", "(none)");
    says("/a", "(none)");
    says("^/a", "(none)");
    says("^/a$|^/b$", "(none)");
    says("^/a.b$", "(none)");
    says("^/(\\d{3})$", "(none)");
    says("^/(.*)/x$", "(none)");
    says("^/a(.*)$", "(none)");
    says("^/a/(.+)$", "(none)");
    says("^/(a(b))$", "(none)");
    says("^/(\\d+)?$", "(none)");
    says("^/ab?$", "(none)");
    says("^/a/+$", "(none)");
    says("^/(?i)a$", "(none)");
    says("^/(?=a)a$", "(none)");
    says("^/(a|)$", "(none)");
    says("^/(a", "(none)");
    says("^/a/?b$", "(none)");
    says("^/[ab]$", "(none)");
    says("^/\\d+$", "(none)");
}

int main(void)
{
    arena = arena_open();
    what_lists_consist_of();
    what_no_pattern_says();
    is_string(regex_segment_type(arena, SLICE("de|en|x-y")), "de|en|x-y", "a closed set");
    is_string(regex_segment_type(arena, SLICE("[^/]+")), "",
              "what a placeholder takes by itself");
    ok(regex_segment_type(arena, SLICE("[a-z]{2}")) == NULL, "what no type says");
    ok(regex_segment_type(arena, SLICE("a")) == NULL, "one text is no set");
    arena_close(arena);
    return tap_done();
}
