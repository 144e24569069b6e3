/* SPDX-License-Identifier: Apache-2.0 */
/* What a target becomes: what is inserted is encoded for its place, nothing splits a header, nobody chooses the host,
 * the request's query goes where the rule says. */
#include "config.h"

#include "mod_redir307/ruleset_format.h"
#include "t/lib/rules.h"

static struct rules rules;

static void pasted_bytes_cannot_split_a_header(void)
{
    static const struct row {
        const char *url, *want;
    } rows[] = {
        { "http://lab.test/old", "307 https://new.test/n" },
        { "http://lab.test/p/a", "307 https://new.test/q/a" },
        { "http://lab.test/p/%0d%0aSet-Cookie:x=1", "307 https://new.test/q/%0D%0ASet-Cookie:x=1" },
        { "http://lab.test/p/%0a", "307 https://new.test/q/%0A" },
        { "http://lab.test/p/%0d", "307 https://new.test/q/%0D" },
        { "http://lab.test/p/%0d%0a%20fold", "307 https://new.test/q/%0D%0A%20fold" },
        { "http://lab.test/p/%0d%0a%09fold", "307 https://new.test/q/%0D%0A%09fold" },
        { "http://lab.test/p/%09%7f%01%1b", "307 https://new.test/q/%09%7F%01%1B" },
        { "http://lab.test/p/\r\n x", "307 https://new.test/q/%0D%0A%20x" },
        { "http://lab.test/p/%ff", "307 https://new.test/q/%FF" },
        { "http://lab.test/p/\xff\xc3\xa9", "307 https://new.test/q/%FF%C3%A9" },
        { "http://lab.test/p/%c0%ae%c0%ae/", "307 https://new.test/q/%C0%AE%C0%AE/" },
        { "http://lab.test/p/%3Fa=b", "307 https://new.test/q/%3Fa=b" },
        { "http://lab.test/p/%23x", "307 https://new.test/q/%23x" },
        { "http://lab.test/p/%25", "307 https://new.test/q/%25" },
        { "http://lab.test/p/%2541", "307 https://new.test/q/%2541" },
        { "http://lab.test/p/%252e%252e/x", "307 https://new.test/q/%252e%252e/x" },
        { "http://lab.test/p/..;/x", "307 https://new.test/q/..;/x" },
        { "http://lab.test/p/\"><script>", "307 https://new.test/q/%22%3E%3Cscript%3E" },
        { "http://lab.test/p/a%5cb", "307 https://new.test/q/a%5Cb" },
        { "http://lab.test/p/a\\b", "307 https://new.test/q/a%5Cb" },
        { "http://lab.test/p/{x}|^`", "307 https://new.test/q/%7Bx%7D%7C%5E%60" },
        { "http://lab.test/p/a%20b+c", "307 https://new.test/q/a%20b+c" },
        { "http://lab.test/p/@evil.test", "307 https://new.test/q/@evil.test" },
        { "http://lab.test/p/.evil.test", "307 https://new.test/q/.evil.test" },
        { "http://lab.test/p/:80@evil.test", "307 https://new.test/q/:80@evil.test" },
        { "http://lab.test/p/%2fevil", "307 https://new.test/q/%2Fevil" },
        { "http://lab.test/p/a?a=%0d%0aX:y", "307 https://new.test/q/a?a=%0d%0aX:y" },
        { "http://lab.test/p/a?a=\r\nX: y", "307 https://new.test/q/a?a=%0D%0AX:%20y" },
        { "http://lab.test/p/a?a=\xff", "307 https://new.test/q/a?a=%FF" },
        { "http://lab.test/p/a?", "307 https://new.test/q/a" },
        { "http://lab.test/p.evil.test", "none" },
        { "http://lab.test/p@evil.test", "none" },
        { "http://lab.test/pX", "none" },
        { "http://lab.test/old;v=1", "none" },
        { "http://lab.test/old%3bv", "none" },
        { "http://lab.test/old%20", "none" },
        { "http://lab.test/old%0a", "none" },
        { "http://lab.test/OLD", "none" },
        { "http://lab.test/old/", "307 https://new.test/n" },
        { "http://lab.test//old", "307 https://new.test/n" },
        { "http://lab.test/a/%2E%2e/o%6cd", "307 https://new.test/n" },
        { "http://lab.test/old%00", "none" },
        { "http://lab.test/old%zz", "none" },
        { "http://lab.test/../old", "none" },
    };

    if (rules_open(&rules, "site lab.test {\n"
                           "    /old -> https://new.test/n\n"
                           "    /p/* -> https://new.test/q/*\n"
                           "}\n")) {
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) answers(&rules, rows[i].url, rows[i].want, rows[i].url);
    }
    rules_close(&rules);
}

static void a_path_never_becomes_a_host(void)
{
    static const struct row {
        const char *url, *want;
    } rows[] = {
        { "http://h/r//evil.test", "308 /s/evil.test" },
        { "http://h/r/%2fevil.test", "308 /s/%2Fevil.test" },
        { "http://h/r/\\evil.test", "308 /s/%5Cevil.test" },
        { "http://h/r/%5cevil.test", "308 /s/%5Cevil.test" },
        { "http://h/r/%09/evil.test", "308 /s/%09/evil.test" },
        { "http://h/r/%0a/evil.test", "308 /s/%0A/evil.test" },
        { "http://h/t//evil.test", "307 /evil.test" },
        { "http://h/t/%2fevil.test", "307 /%2Fevil.test" },
        { "http://h/t/%2f%2fevil.test", "307 /%2F%2Fevil.test" },
        { "http://h/t/%5cevil.test", "307 /%5Cevil.test" },
        { "http://h/t/", "307 /" },
        { "http://h/t", "307 /" },
        { "http://h/u/a?x=/evil.test", "307 /%2Fevil.test" },
        { "http://h/u/a?x=%2Fevil.test", "307 /%2Fevil.test" },
        { "http://h/u/a?x=%5Cevil.test", "307 /%5Cevil.test" },
        { "http://h/u/a?x=%09", "307 /%09" },
        { "http://h/v/b?x=", "307 /evil" },
        { "http://h/v/b?x=y", "307 /y/evil" },
        { "http://h/w/x//evil.test", "307 /evil.test" },
        { "http://h/r/%e3%80%82evil", "308 /s/%E3%80%82evil" },
        { "http://h/r/\xe2\x81\x84" "evil", "308 /s/%E2%81%84evil" },
    };

    if (rules_open(&rules, "/r/* -> /s/* permanent\n"
                           "/t/* -> /*\n"
                           "/u/a?x={x} -> /{x}\n"
                           "/v/b?x={x} -> /{x}/evil\n"
                           "/w/{x}/* -> /*\n")) {
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) answers(&rules, rows[i].url, rows[i].want, rows[i].url);
    }
    rules_close(&rules);
}

static void dot_segments_are_not_made(void)
{
    if (rules_open(&rules, "/a/{x}-/* -> /b/{x}/*\n"
                           "/a/* -> /fallback\n"
                           "/q?x={x} -> /q/{x}/end\n"
                           "/d?x={x}&y={y} -> /d/{x}{y}/end\n"
                           "/h?x={x} -> https://t.example/{x}\n"
                           "/k?x={x} -> /k/?y={x}#{x}\n")) {
        answers(&rules, "http://h/a/x-/c", "307 /b/x/c", "a capture");
        answers(&rules, "http://h/a/..-/c", "307 /fallback", "two dots would lead up: the next rule answers");
        answers(&rules, "http://h/a/.-/c", "307 /fallback", "one dot would vanish");
        answers(&rules, "http://h/a/...-/c", "307 /b/.../c", "three are a name");
        answers(&rules, "http://h/q?x=..", "none", "decoded from a query");
        answers(&rules, "http://h/q?x=%2e%2E", "none", "escaped in a query");
        answers(&rules, "http://h/q?x=%252e%252e", "307 /q/%252e%252e/end", "escaped twice they are text");
        answers(&rules, "http://h/q?x=../..", "307 /q/..%2F../end", "a slash of a query is no separator");
        answers(&rules, "http://h/d?x=.&y=.", "none", "put together of two");
        answers(&rules, "http://h/h?x=..", "none", "behind an authority");
        answers(&rules, "http://h/k?x=..", "307 /k/?y=..#..", "query and fragment have no dot segments");
    }
    rules_close(&rules);
}

static void insertions_are_encoded_for_their_place(void)
{
    if (rules_open(&rules, "/s?x={x} -> /s/{x}\n"
                           "/v?x={x} -> /v?y={x}&z=1\n"
                           "/f?x={x} -> /f#{x}\n"
                           "/p/{x} -> /p?y={x}\n"
                           "/g/{x} -> /g#{x}\n"
                           "/path/* -> https://t.example{path}?from={path}\n"
                           "/sch -> /sch?s={scheme}&h={host}\n")) {
        answers(&rules, "http://h/s?x=a/b%3Fc%23d", "307 /s/a%2Fb%3Fc%23d", "a segment cannot become two");
        answers(&rules, "http://h/s?x=a+b%2Bc", "307 /s/a%20b+c", "a plus is a blank, an escaped one is itself");
        answers(&rules, "http://h/s?x=%0d%0aX:y", "307 /s/%0D%0AX:y", "no line ends");
        answers(&rules, "http://h/s?x=%00", "307 /s/%00", "no NUL");
        answers(&rules, "http://h/v?x=a%26b%3Dc%2Bd%3Be", "307 /v?y=a%26b%3Dc%2Bd%3Be&z=1",
                "a value cannot become two parameters");
        answers(&rules, "http://h/v?x=a%23b", "307 /v?y=a%23b&z=1", "nor end the query");
        answers(&rules, "http://h/v?x=100%", "307 /v?y=100%25&z=1", "a bare % is text");
        answers(&rules, "http://h/f?x=a%23b%20c", "307 /f#a%23b%20c", "a fragment stays one");
        answers(&rules, "http://h/p/a&b=c", "307 /p?y=a%26b%3Dc", "of the path into a query: separators are escaped");
        answers(&rules, "http://h/p/a%26b%20c", "307 /p?y=a%26b%20c", "however they were written");
        answers(&rules, "http://h/p/%2541", "307 /p?y=%2541", "nothing is encoded twice");
        answers(&rules, "http://h/g/a%23b", "307 /g#a%23b", "of the path into a fragment");
        answers(&rules, "http://h/path/a&b", "307 https://t.example/path/a&b?from=/path/a%26b", "the path at two places");
        answers(&rules, "http://evil.test/sch", "307 /sch?s=http&h=evil.test", "scheme and host as values");
        answers(&rules, "https://[::1]/sch", "307 /sch?s=https&h=%5B::1%5D", "brackets may not stand in a query");
    }
    rules_close(&rules);
}

static void hosts_come_from_the_rules(void)
{
    if (rules_open(&rules, "site **.example.com {\n"
                           "    /tls -> https:\n"
                           "    /self -> https://{host}/other\n"
                           "}\n"
                           "site {lang:en|de}.example.net {\n"
                           "    /* -> https://www.example.net/{lang}/*\n"
                           "}\n")) {
        answers(&rules, "http://www.example.com/tls?a=b", "307 https://www.example.com/tls?a=b", "https: is the same URL");
        answers(&rules, "http://www.example.com:8080/tls", "307 https://www.example.com/tls", "without its port");
        answers(&rules, "http://WWW.Example.COM./self", "307 https://www.example.com/other", "in its normal form");
        answers(&rules, "http://example.com/self", "307 https://example.com/other", "the domain itself");
        answers(&rules, "http://evilexample.com/self", "none", "another domain that ends so");
        answers(&rules, "http://example.com.evil.test/self", "none", "or starts so");
        answers(&rules, "http://de.example.net/x", "307 https://www.example.net/de/x", "a host's capture");
        answers(&rules, "http://fr.example.net/x", "none", "a set is closed");
        answers(&rules, "http://a,b.example.com/self", "307 https://a,b.example.com/other", "odd labels stay labels");
    }
    rules_close(&rules);

    ok(!rules_try(&rules, SLICE("/a/{x} -> https://{x}/")), "a free capture may not be a host");
    rules_close(&rules);
    ok(!rules_try(&rules, SLICE("/a/{x} -> https://new.test{x}")), "nor end one");
    rules_close(&rules);
    ok(!rules_try(&rules, SLICE("/a/{x} -> //{x}")), "nor without a scheme");
    rules_close(&rules);
    ok(!rules_try(&rules, SLICE("/a -> https://{host}/")), "in `site *` nobody's host may");
    rules_close(&rules);
    ok(!rules_try(&rules, SLICE("/a -> https:")), "nor under https:");
    rules_close(&rules);
}

static void only_http_targets_compile(void)
{
    static const char *const wrong[] = {
        "javascript:alert(1)", "data:text/html,x", "vbscript:x", "file:///etc/passwd", "JaVaScRiPt:alert(1)",
        "//host/x", "/\\host", "\\\\host", "https:/host", "https:host", "http://", "http://[::1", "https://u@h/",
        "https://u:p@h/", "https://@h/", "https://h:0/", "https://h:65536/", "https://h:x/", "/a#b#c", "/a%zz", "/a%",
        "https://b..example/", "https://h\\x/", "https://h example/", "\"\"", "\" javascript:x\"",
        "\"java\\u{9}script:x\"",
    };

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char text[128];

        snprintf(text, sizeof(text), "/a -> %s\n", wrong[i]);
        ok(!rules_try(&rules, slice_from_string(text)), text);
        rules_close(&rules);
    }
    ok(!rules_try(&rules, SLICE("/a -> /b gone\n")), "410 has no target");
    rules_close(&rules);
    ok(!rules_try(&rules, SLICE("/a permanent\n")), "308 has one");
    rules_close(&rules);
}

static void the_rest_of_the_query_goes_where_the_rule_says(void)
{
    if (rules_open(&rules,
                   "/keep -> /t\n"
                   "/own -> /t?k=v\n"
                   "/frag -> /t#f\n"
                   "/ownfrag -> /t?k=v#f\n"
                   "/empty -> /t?\n"
                   "/used?id={id} -> /t/{id}\n"
                   "/raw -> /t?x=1&{query}\n"
                   "/alone -> /t?{query}\n"
                   "/value -> /t?q={query}\n"
                   "group \"d\" { query drop\n /drop -> /t\n }\n"
                   "group \"o\" { query only a utm_*\n /only -> /t\n }\n"
                   "group \"e\" { query except a utm_*\n /except -> /t\n }\n")) {
        answers(&rules, "http://h/keep?a=1&b=2", "307 /t?a=1&b=2", "all of it, as sent");
        answers(&rules, "http://h/keep?b=%20+&a", "307 /t?b=%20+&a", "neither decoded nor sorted");
        answers(&rules, "http://h/keep?", "307 /t", "a bare ? is no query");
        answers(&rules, "http://h/keep?&&a&&", "307 /t?a", "empty parameters are none");
        answers(&rules, "http://h/keep?a=%0d%0aX:y", "307 /t?a=%0d%0aX:y", "escapes stay");
        answers(&rules, "http://h/keep?a=<\">\\^`{|}", "307 /t?a=%3C%22%3E%5C%5E%60%7B%7C%7D", "what no URL has is escaped");
        answers(&rules, "http://h/keep?a=b?c/d", "307 /t?a=b?c/d", "a ? in it");
        answers(&rules, "http://h/own?a=1", "307 /t?k=v&a=1", "behind the target's own: never two ?");
        answers(&rules, "http://h/own?k=x&a=1", "307 /t?k=v&a=1", "the target's own win");
        answers(&rules, "http://h/own?%6b=x&a=1", "307 /t?k=v&a=1", "however they are written");
        answers(&rules, "http://h/own?K=x", "307 /t?k=v&K=x", "names have a case");
        answers(&rules, "http://h/frag?a=1", "307 /t?a=1#f", "before the fragment");
        answers(&rules, "http://h/ownfrag?a=1", "307 /t?k=v&a=1#f", "between both");
        answers(&rules, "http://h/used?id=7&b=1&id=8", "307 /t/7?b=1", "what matched is used up, every time it occurs");
        answers(&rules, "http://h/used?b=1&%69d=7", "307 /t/7?b=1", "also where its name is escaped");
        answers(&rules, "http://h/raw?a=1&b", "307 /t?x=1&a%3D1%26b", "{query} beside others is one value; nothing is added");
        answers(&rules, "http://h/alone?a=1#", "307 /t?a=1", "alone behind the ?");
        answers(&rules, "http://h/alone", "307 /t", "and without one there is no ?");
        answers(&rules, "http://h/value?a=1&b=2", "307 /t?q=a%3D1%26b%3D2", "as one value");
        answers(&rules, "http://h/drop?a=1", "307 /t", "dropped");
        answers(&rules, "http://h/only?b=1&a=2&utm_x=3&a2=4", "307 /t?a=2&utm_x=3", "only these");
        answers(&rules, "http://h/only?b=1", "307 /t", "none of these");
        answers(&rules, "http://h/except?b=1&a=2&utm_x=3&a2=4", "307 /t?b=1&a2=4", "all but these");
    }
    rules_close(&rules);
}

static void a_subtree_keeps_its_slash(void)
{
    if (rules_open(&rules, "/a/* -> /b/*\n"
                           "/c/* -> https://t.example/*\n"
                           "/d/* -> /e*\n"
                           "/f/* -> /g/*?x=1\n"
                           "/i/1.* -> /j/*\n")) {
        answers(&rules, "http://h/a", "307 /b", "asked for without it, the target has none");
        answers(&rules, "http://h/a/", "307 /b/", "with it, it has one");
        answers(&rules, "http://h/a/x/y", "307 /b/x/y", "below");
        answers(&rules, "http://h/a/x/y/", "307 /b/x/y/", "a slash at the end stays");
        answers(&rules, "http://h/c", "307 https://t.example/", "an authority keeps its slash");
        answers(&rules, "http://h/c/x", "307 https://t.example/x", "below one");
        answers(&rules, "http://h/d/x", "307 /ex", "a star behind text");
        answers(&rules, "http://h/d", "307 /e", "and nothing");
        answers(&rules, "http://h/f/x?y=2", "307 /g/x?x=1&y=2", "a star in the middle of a target");
        answers(&rules, "http://h/i/1.2/x", "307 /j/2/x", "the rest of a segment");
        answers(&rules, "http://h/i/1.", "307 /j/", "may be empty");
        answers(&rules, "http://h/i/1./../x", "none", "dots are cleared first");
    }
    rules_close(&rules);
}

static void transforms_leave_escapes_alone(void)
{
    if (rules_open(&rules, "/l/{x} -> /l/{x|lower}\n"
                           "/u/{x} -> /u/{x|upper}\n"
                           "/d/{x} -> /d/{x|dashes}\n"
                           "/b/{x} -> /b/{x|dashes|lower}\n"
                           "/q?x={x} -> /q/{x|dashes}\n")) {
        answers(&rules, "http://h/l/ABC%20%C3%84", "307 /l/abc%20%C3%84", "lower");
        answers(&rules, "http://h/u/abc%20%c3%84", "307 /u/ABC%20%C3%84", "upper");
        answers(&rules, "http://h/d/a_b%20c_%5f", "307 /d/a-b-c--", "dashes");
        answers(&rules, "http://h/b/A_B%20C", "307 /b/a-b-c", "one after the other");
        answers(&rules, "http://h/q?x=a+b_c", "307 /q/a-b-c", "of a query's value");
    }
    rules_close(&rules);
}

static void what_is_too_long_is_said(void)
{
    static char url[64 + URL_PATH_LIMIT] = "http://h/p/";
    char got[ANSWER_LOCATION_LIMIT + 64];

    if (rules_open(&rules, "/p/* -> https://new.test/q/*\n")) {
        size_t start = strlen(url);

        memset(url + start, 'x', ANSWER_LOCATION_LIMIT - 19);
        url[start + ANSWER_LOCATION_LIMIT - 19] = 0;
        struct answer answer = rules_answer(&rules, url, NULL, got, sizeof(got));
        is_number(answer.status, 307, "a Location of the last size that is sent");
        is_number(answer.location.size, ANSWER_LOCATION_LIMIT, "is whole");
        url[start + ANSWER_LOCATION_LIMIT - 19] = 'x';
        answer = rules_answer(&rules, url, NULL, got, sizeof(got));
        is_number(answer.status, 414, "one byte more is refused");
        ok(answer.is_too_long && answer.location.size == 0, "and nothing is cut off");
        for (size_t i = 0; i < 8100; i += 3) memcpy(url + start + i, "%0a", 4);
        answer = rules_answer(&rules, url, NULL, got, sizeof(got));
        is_number(answer.status, 307, "escapes do not grow");
        memset(url + start, 0x0a, 4000);
        url[start + 4000] = 0;
        answer = rules_answer(&rules, url, NULL, got, sizeof(got));
        is_number(answer.status, 414, "raw bytes do");
    }
    rules_close(&rules);
}

/* What somebody wrote over a mapped file: before it is noticed, no target is made of it. */
static void a_template_of_foreign_bytes_is_none(void)
{
    struct ruleset_header header;
    char got[ANSWER_LOCATION_LIMIT + 64];

    if (!rules_open(&rules, "/p/{x} -> /q/{x}/z\n")) return;
    memcpy(&header, rules.file.bytes, sizeof(header));
    uint8_t *targets = (uint8_t *)rules.file.bytes + header.sections[RULESET_TARGETS].at;
    size_t size = header.sections[RULESET_TARGETS].size;
    rules_answer(&rules, "http://lab.test/p/a", NULL, got, sizeof(got));
    is_string(got, "307 /q/a/z", "the template as it was compiled");
    for (unsigned byte = 0; byte < 256; byte++) {
        memset(targets, (int)byte, size);
        rules_answer(&rules, "http://lab.test/p/a", NULL, got, sizeof(got));
        if (!is_string(got, "none", "a template of one byte only")) printf("#   byte %u\n", byte);
    }
    rules_close(&rules);
}

int main(void)
{
    pasted_bytes_cannot_split_a_header();
    a_path_never_becomes_a_host();
    dot_segments_are_not_made();
    insertions_are_encoded_for_their_place();
    hosts_come_from_the_rules();
    only_http_targets_compile();
    the_rest_of_the_query_goes_where_the_rule_says();
    a_subtree_keeps_its_slash();
    transforms_leave_escapes_alone();
    what_is_too_long_is_said();
    a_template_of_foreign_bytes_is_none();
    return tap_done();
}
