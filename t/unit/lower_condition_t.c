/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions, windows, choices and the facts of expectations, as they are written -> the plan. Each case is a line of
 * rules and what it asks as text; times are Unix seconds, "-" is open. */
#include "config.h"

#include "rulec/local_time.h"
#include "t/lib/lowered.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <unistd.h>

enum { NOW_S = 1800000000 /* 2027-01-15T08:00Z */ };

static void open_rules(const char *text)
{
    lowered_open_at("test.redir", text, NOW_S);
}

/* ---- a plan as text ---- */

static void put_edge(int64_t time_s)
{
    char text[LOCAL_TIME_TEXT_SIZE];

    lowered_put(" %s", time_s == INT64_MIN || time_s == INT64_MAX
                           ? "-"
                           : local_time_show(time_s, text));
}

static void put_networks(const struct plan_condition *condition)
{
    for (uint32_t i = 0; i < condition->network_count; i++) {
        const struct plan_network *network = &condition->networks[i];
        char text[INET6_ADDRSTRLEN];

        lowered_put(" %s/%u",
                    inet_ntop(network->family == 4 ? AF_INET : AF_INET6, network->address, text,
                              sizeof(text)),
                    (unsigned)network->prefix);
    }
}

static void put_condition(const struct plan_condition *condition)
{
    static const char *const kinds[] = { "method",   "scheme", "header", "cookie",   "accept",
                                         "language", "query",  "client", "env",      "flag",
                                         "chance",   "busy",   "window", "recurring" };
    static const char *const operators[] = { "", " =", " ~" };

    lowered_put("%s%s%s", lowered.shown_size ? "; " : "", condition->is_unless ? "unless " : "",
                kinds[condition->kind]);
    if (condition->name.size) {
        lowered_put(" ");
        lowered_put_slice(condition->name);
    }
    lowered_put("%s", operators[condition->operator]);
    for (uint32_t i = 0; i < condition->value_count; i++) {
        lowered_put(" ");
        lowered_put_slice(condition->values[i]);
    }
    put_networks(condition);
    if (condition->kind == PLAN_CONDITION_CHANCE || condition->kind == PLAN_CONDITION_BUSY)
        lowered_put(" %u", (unsigned)condition->share);
    if (condition->kind == PLAN_CONDITION_WINDOW) {
        put_edge(condition->from_s);
        put_edge(condition->until_s);
    }
    if (condition->kind == PLAN_CONDITION_RECURRING) {
        lowered_put(" ");
        lowered_put_slice(lowered.plan->zones[condition->zone].name);
        lowered_put(" %x %u-%u", condition->days, (unsigned)condition->start_s,
                    (unsigned)condition->end_s);
    }
}

/* The conditions of the last rule. */
static void asks(const char *text, const char *want, const char *name)
{
    open_rules(text);
    if (lowered.plan->rule_count) {
        const struct plan_action *action =
            &lowered.plan->actions[lowered.plan->rules[lowered.plan->rule_count - 1].action];

        for (uint32_t i = 0; i < action->condition_count; i++)
            put_condition(&action->conditions[i]);
    }
    if (diag_error_count(parsed.diag))
        lowered_put(" (%zu errors)", diag_error_count(parsed.diag));
    if (!is_string(lowered.shown, want, name))
        diag_print_text(parsed.diag, stdout, false);
    lowered_close();
}

/* ---- conditions ---- */

static void values_are_in_the_form_that_is_compared(void)
{
    asks("/a -> /b { when header X-Ab = \"2 x\" 1 1 }", "header X-Ab = 1 2 x",
         "sorted, without doubles");
    asks("/a -> /b { when header X-A }", "header X-A", "presence");
    asks("/a -> /b { unless header X-A ~ \"^(a|\\\"b\\\")\\d$\" }",
         "unless header X-A ~ ^(a|\"b\")\\d$", "a regex");
    asks("/a -> /b { when cookie beta = 1 \"\" }", "cookie beta =  1", "an empty value is one");
    asks("/a -> /b { when accept Text/Turtle application/ld+json }",
         "accept application/ld+json text/turtle", "types");
    asks("/a -> /b { when language de-CH EN zh-Hant-TW }", "language de-ch en zh-hant-tw",
         "languages");
    asks("/a -> /b { when query \"a%20b\" = \"x+y\" %26 }", "query a b = & x y",
         "queries are decoded");
    asks("/a -> /b { when env GEO = \"D E\" }", "env GEO = D E", "environment");
    asks("/a -> /b { when flag b a.b-c_d }", "flag a.b-c_d b", "flags");
    asks("/a -> /b { when chance 0.25% }", "chance 2500", "millionths");
    asks("/a -> /b { when chance 100% }", "chance 1000000", "all of them");
    asks("/a -> /b { when busy 80% }", "busy 80", "per cent");
    asks("/a -> /b { when method HEAD POST }", "method GET POST", "HEAD counts as GET");
}

static void networks_have_one_form(void)
{
    asks("/a -> /b { when client 10.0.0.0/8 192.0.2.1 10.0.0.0/8 }",
         "client 10.0.0.0/8 192.0.2.1/32", "IPv4");
    asks("/a -> /b { when client 2001:DB8::/32 ::1 }", "client ::1/128 2001:db8::/32", "IPv6");
    asks("/a -> /b { when client ::ffff:10.1.0.0/112 }", "client 10.1.0.0/16",
         "IPv4 inside IPv6 is IPv4");
    asks("/a -> /b { when client 0.0.0.0/0 ::/0 }", "client 0.0.0.0/0 ::/0", "everybody");
    asks("/a -> /b { when client 10.128.0.0/9 }", "client 10.128.0.0/9",
         "a prefix inside a byte");
}

static void conditions_add_up_in_one_order(void)
{
    asks("when busy 50%\nunless cookie a\ngroup { when cookie a = b; /a -> /b { when method "
         "GET } }",
         "method GET; cookie a = b; unless cookie a; busy 50", "blocks");
    asks("when flag f\ngroup { when flag f; /a -> /b { when flag f } }", "flag f",
         "the same counts once");
    asks("when chance 10%\ngroup { when chance 10%; /a -> /b }", "chance 100000; chance 100000",
         "but each chance is a draw of its own");
    asks("when header A = x\ngroup { when header B = x; /a -> /b }",
         "header A = x; header B = x", "names tell them apart");
    asks("when header A ~ \"x\"\ngroup { when header A = x; /a -> /b }",
         "header A = x; header A ~ x", "what is asked tells them apart");
}

static void equal_actions_are_one(void)
{
    open_rules("/a -> /b { when client 10.0.0.0/8; when chance 1% }\n/c -> /d { when chance "
               "1%; when client 10.0.0.0/8 }\n"
               "/e -> /f { when client 10.0.0.0/9; when chance 1% }\n/g -> /h { when client "
               "10.0.0.0/8; when chance 2% }\n"
               "/i -> /j { override }\n/k -> /l { preflight redirect }\n/m -> /n { vary A b a "
               "}\n/o -> /p { vary A B }\n"
               "group { preflight redirect; group { preflight pass; /q -> /r } }\n/s pass { "
               "preflight redirect }\n");
    is_number(diag_error_count(parsed.diag), 0, "no mistake");
    is_number(lowered.plan->rules[0].action, lowered.plan->rules[1].action, "in any order");
    ok(lowered.plan->rules[0].action != lowered.plan->rules[2].action, "another network");
    ok(lowered.plan->rules[0].action != lowered.plan->rules[3].action, "another share");
    ok(lowered.plan->actions[lowered.plan->rules[4].action].is_override, "override");
    ok(lowered.plan->actions[lowered.plan->rules[5].action].redirects_preflight, "preflight");
    is_number(lowered.plan->actions[lowered.plan->rules[6].action].vary_count, 2,
              "names compare without case");
    is_slice(lowered.plan->actions[lowered.plan->rules[6].action].vary[1], "b",
             "and stay as they are written");
    ok(!lowered.plan->actions[lowered.plan->rules[8].action].redirects_preflight,
       "the inner clause wins");
    ok(!lowered.plan->actions[lowered.plan->rules[9].action].redirects_preflight,
       "what is passed on is not redirected");
    lowered_close();
}

/* ---- time ---- */

static void windows_are_one_window(void)
{
    asks("/a -> /b { from 2030-01-01T00:00Z; until 2030-02-01T12:30:15+01:00 }",
         "window 2030-01-01T00:00:00Z 2030-02-01T11:30:15Z", "offsets");
    asks("/a -> /b { until 2030-01-01T00:00Z }", "window - 2030-01-01T00:00:00Z",
         "open at one end");
    asks("from 2030-01-01T00:00Z\ngroup { until 2032-01-01T00:00Z; /a -> /b { from "
         "2031-01-01T00:00Z; until "
         "2033-01-01T00:00Z } }",
         "window 2031-01-01T00:00:00Z 2032-01-01T00:00:00Z", "what all of them share");
    asks("/a -> /b { until 2030-12-31; from 2030-06-01; timezone Europe/Berlin }",
         "window 2030-05-31T22:00:00Z 2030-12-31T23:00:00Z",
         "a date is a day there, wherever the zone stands");
    asks("timezone Europe/Berlin\nfrom 2030-06-01T12:00\ngroup { timezone America/New_York; /a "
         "-> /b { until "
         "2030-06-01T12:00 } }",
         "window 2030-06-01T10:00:00Z 2030-06-01T16:00:00Z",
         "each time in the zone of its place");
    asks("timezone America/New_York\n/a -> /b { from 2030-06-01T12:00Z }",
         "window 2030-06-01T12:00:00Z -", "an offset of its own counts");
    asks("timezone Europe/Berlin\n/a -> /b { from 2030-03-31T02:30 }",
         "window 2030-03-31T01:30:00Z -", "a time that the clocks leap over");
    asks("timezone Europe/Berlin\n/a -> /b { from 2030-10-27T02:30 }",
         "window 2030-10-27T00:30:00Z -", "a time that comes twice");
    asks("timezone UTC\nfrom 2030-01-01\ngroup { when flag f; /a -> /b { when flag g } }",
         "flag f; flag g; window 2030-01-01T00:00:00Z -",
         "conditions of inner blocks stand before it");
}

static void days_and_hours_are_one_condition(void)
{
    asks("timezone UTC\n/a -> /b { daily 22:00-04:00 }", "recurring UTC 7f 79200-14400",
         "over midnight");
    asks("timezone UTC\n/a -> /b { daily 22:00:30-00:00 }", "recurring UTC 7f 79230-86400",
         "until midnight");
    asks("timezone UTC\n/a -> /b { daily 00:00-24:00 }", "recurring UTC 7f 0-86400", "all day");
    asks("timezone UTC\n/a -> /b { weekly sat,sun }", "recurring UTC 60 0-86400", "days");
    asks("timezone UTC\n/a -> /b { weekly Mon-Wed friday }", "recurring UTC 17 0-86400",
         "a row of days, long names");
    asks("timezone UTC\n/a -> /b { weekly fri-mon }", "recurring UTC 71 0-86400",
         "over the week's end");
    asks("timezone UTC\n/a -> /b { weekly sat; daily 22:00-04:00 }",
         "recurring UTC 20 79200-14400", "both of one rule");
    asks("timezone UTC\nweekly mon-fri\ngroup { daily 22:00-04:00; /a -> /b { weekly fri,sat } "
         "}",
         "recurring UTC 10 79200-14400", "both of blocks");
    asks(
        "timezone UTC\ndaily 08:00-18:00\ngroup { daily 12:00-20:00; /a -> /b { weekly sat } }",
        "recurring UTC 20 28800-64800; recurring UTC 20 43200-72000",
        "two of the day both hold");
    asks("timezone UTC\ndaily 22:00-04:00\ngroup { timezone Europe/Berlin; /a -> /b { weekly "
         "sat } }",
         "recurring UTC 7f 79200-14400; recurring Europe/Berlin 20 0-86400",
         "days of another zone are their own");
    open_rules("until 2020-01-01T00:00Z\ngroup { /a -> /b { until 2099-01-01T00:00Z } }");
    is_number(diag_warning_count(parsed.diag), 1,
              "what is over is told once, where it says so");
    lowered_close();
    asks("timezone UTC\n/z -> /y { daily 22:00-04:00 }\n/a -> /b", "",
         "a block's times end with it");
}

static void dates_are_warned_of(void)
{
    open_rules("/a -> /b { until 2027-01-15T08:00Z }\n/c -> /d { until 2027-01-15T08:00:01Z }\n"
               "/e -> /f { review 2027-01-15 }\n/g -> /h { review 2027-01-16 }\n");
    is_number(diag_error_count(parsed.diag), 0, "no mistake");
    is_number(diag_warning_count(parsed.diag), 2, "what is over, and what is due");
    is_number(lowered.plan->rule_count, 4, "and all of them are rules");
    lowered_close();
}

static void zones_are_read_once(void)
{
    open_rules("timezone Europe/Berlin\n/a -> /b { daily 22:00-04:00 }\n"
               "group { timezone UTC; group { timezone Europe/Berlin; /c -> /d { daily "
               "22:00-04:00 } } }\n");
    is_number(lowered.plan->zone_count, 2, "by name");
    ok(lowered.plan->zones[0].transition_count > 50 && lowered.plan->zones[0].has_rule,
       "with its data");
    is_number(lowered.plan->rules[0].action, lowered.plan->rules[1].action,
              "and equal conditions are equal");
    lowered_close();
}

/* ---- choices ---- */

static void put_line(const struct plan_choice_line *line)
{
    for (uint32_t i = 0; i < line->key_count; i++) {
        lowered_put_slice(line->keys[i]);
        lowered_put(" ");
    }
    if (line->weight)
        lowered_put("%u ", (unsigned)line->weight);
    lowered_put("%s", line->is_otherwise ? "otherwise " : "");
    if (line->template)
        lowered_put("<%u pieces>", (unsigned)line->template->piece_count);
    lowered_put_slice(line->target);
    if (line->status_get)
        lowered_put(" %u/%u", line->status_get, line->status_other);
}

static void chooses(const char *text, const char *want, const char *name)
{
    open_rules(text);
    const struct plan_choice *choice =
        lowered.plan->rule_count ? plan_choice(&lowered.plan->rules[0]) : NULL;
    if (choice) {
        lowered_put("%d ", (int)choice->by);
        lowered_put_slice(choice->name);
        for (uint32_t i = 0; i < choice->line_count; i++) {
            lowered_put(" | ");
            put_line(&choice->lines[i]);
        }
    }
    if (diag_error_count(parsed.diag))
        lowered_put(" (%zu errors)", diag_error_count(parsed.diag));
    if (!is_string(lowered.shown, want, name))
        diag_print_text(parsed.diag, stdout, false);
    lowered_close();
}

static void choices_are_lines(void)
{
    chooses(
        "/a -> by accept { Text/Turtle application/n-triples /o.ttl; text/html otherwise "
        "/o.html found } see-other",
        "0  | text/turtle application/n-triples /o.ttl | text/html otherwise /o.html 302/302",
        "types");
    chooses("/* -> by client { 70 https://eu.example/*; 30 /us/* permanent auto }",
            "5  | 70 <2 pieces> | 30 <2 pieces> 301/308", "weights and templates");
    chooses("/a -> by header X-A { \"b c\" D /1; \"otherwise\" 410; otherwise /2 }",
            "2 X-A | b c D /1 | otherwise  410/410 | otherwise /2", "a quoted word is a value");
    chooses("/a -> by cookie beta { 1 /1 }", "3 beta | 1 /1", "a cookie");
    chooses("/a -> by method { GET HEAD /g; POST /p }", "4  | GET /g | POST /p",
            "HEAD counts as GET");
    chooses("/a -> by language { DE-ch /de; otherwise 406 }",
            "1  | de-ch /de | otherwise  406/406", "languages");
    chooses("/{x}/a -> by chance { 1 /{x}; 2 /b }", "6  | 1 <2 pieces> | 2 /b",
            "captures of the source");
}

static void twins_in_a_line_count(void)
{
    open_rules("/de -> by language { de /de/; otherwise /en/ }\n"
               "http://h.example/a -> by cookie c { 1 https://h.example/a; 2 /b }\n");
    is_number(lowered.plan->rules[0].flags, PLAN_SLASH_EXACT,
              "a target that differs in its last slash");
    is_number(lowered.plan->actions[lowered.plan->rules[1].action].condition_count, 1,
              "one that differs in its scheme");
    is_number(lowered.plan->actions[lowered.plan->rules[0].action].status_get, 307,
              "the status of all");
    lowered_close();
}

/* ---- regexes ---- */

static void groups_are_captures(void)
{
    open_rules("~ \"^/x/(?<id>\\d{3})(a|b)?(?:c)?\" -> /y/{2}/{id}/{1}\n"
               "/p/v{x:/[a-z]{2}/}.html -> /q/{x}\n/r?q={x:/a.b/} -> /s\n");
    is_number(diag_error_count(parsed.diag), 0, "no mistake");
    if (is_number(lowered.plan->rule_count, 3, "three rules")) {
        const struct plan_pattern *pattern = plan_pattern(&lowered.plan->rules[0]);
        const struct plan_template *template = plan_template(&lowered.plan->rules[0]);

        is_slice(pattern->regex, "^/x/(?<id>\\d{3})(a|b)?(?:c)?", "the regex as it is");
        is_number(pattern->capture_count, 2, "two groups");
        is_slice(pattern->captures[0], "id", "a name");
        is_slice(pattern->captures[1], "2", "a number");
        ok(template->pieces[1].capture == 1 && template->pieces[3].capture == 0 &&
               template->pieces[5].capture == 0,
           "a group with a name has its number, too");
        is_number(plan_pattern(&lowered.plan->rules[1])->head[1].parts[1].kind, PLAN_PART_REGEX,
                  "a part of a segment");
        is_slice(plan_pattern(&lowered.plan->rules[1])->head[1].parts[1].text, "[a-z]{2}",
                 "without its slashes");
    }
    lowered_close();
}

/* ---- expectations ---- */

static void facts_are_ready_to_use(void)
{
    open_rules("timezone Europe/Berlin\n/a -> /b\n"
               "expect GET /a with { header A \"x y\"; cookie c 1; flag f g; cookie d \"2 3\"; "
               "client 10.1.2.3; env E v; "
               "chance 5%; busy 90%; header B z } at 2030-06-01T12:00 -> 307 /b\n"
               "expect GET /a with {} -> 307 /b\n");
    is_number(diag_error_count(parsed.diag), 0, "no mistake");
    if (is_number(lowered.plan->expect_count, 2, "two of them")) {
        const struct plan_expect *all = &lowered.plan->expects[0],
                                 *none = &lowered.plan->expects[1];

        is_number(all->field_count, 3, "fields");
        is_slice(all->fields[1].name, "Cookie", "cookies are one field");
        is_slice(all->fields[1].value, "c=1; d=2 3", "as clients send them");
        is_slice(all->fields[2].name, "B", "fields behind it");
        is_number(all->flag_count, 2, "flags");
        is_number(all->env_count, 1, "environment");
        ok(all->client.family == 4 && all->client.prefix == 32 && all->client.address[1] == 1,
           "a client");
        ok(all->has_chance && all->chance == 50000 && all->has_busy && all->busy == 90,
           "draw and load");
        ok(all->has_time && all->time_s == 1906538400, "a time in the zone of its place");
        ok(!none->has_time && !none->has_chance && !none->has_busy && none->client.family == 0,
           "nothing said");
    }
    lowered_close();
}

static void rows_may_end(void)
{
    char folder[] = "/tmp/lower_condition_t.XXXXXX", table[64], rules[128];

    if (!ok(mkdtemp(folder) != NULL, "a folder for a table"))
        return;
    snprintf(table, sizeof(table), "%s/t.csv", folder);
    snprintf(rules, sizeof(rules), "timezone UTC\ntable \"%s\"\n", table);
    FILE *out = fopen(table, "w");
    if (ok(out != NULL, "a table")) {
        fputs("from,to,until\n/a,/b,\n/c,/d,2030-01-01\n/e,/f,2020-01-01\n/g,/h,soon\n", out);
        fclose(out);
        open_rules(rules);
        is_number(diag_error_count(parsed.diag), 1, "what is no time is a mistake");
        is_number(diag_warning_count(parsed.diag), 1, "what is over is told");
        if (is_number(lowered.plan->rule_count, 3, "the others are rules")) {
            is_number(lowered.plan->actions[lowered.plan->rules[0].action].condition_count, 0,
                      "an empty cell says nothing");
            is_number(
                lowered.plan->actions[lowered.plan->rules[1].action].conditions[0].until_s,
                1893542400, "the end of its day");
        }
        lowered_close();
        remove(table);
    }
    rmdir(folder);
}

/* `count` times the piece, whose "%u" is the number, in between. */
static void is_too_large_at(unsigned count, const char *before, const char *piece,
                            const char *behind)
{
    static char text[1 << 17];

    for (unsigned more = 0; more < 2; more++) {
        size_t size = (size_t)snprintf(text, sizeof(text), "%s", before);

        for (unsigned i = 0; i < count + more; i++) {
            const char *at = strstr(piece, "%u");

            size += (size_t)snprintf(text + size, sizeof(text) - size, "%.*s%u%s",
                                     (int)(at - piece), piece, i, at + 2);
        }
        snprintf(text + size, sizeof(text) - size, "%s", behind);
        open_rules(text);
        is_number(diag_error_count(parsed.diag), more,
                  more ? "and one more is a mistake" : before);
        lowered_close();
    }
}

static void limits_are_kept(void)
{
    is_too_large_at(4096, "/a -> /b { when flag", " f%u", " }");
    is_too_large_at(256, "/a -> /b {", " when flag f%u;", " }");
    is_too_large_at(64, "/a -> /b { vary", " F%u", " }");
    is_too_large_at(256, "/a -> by header A {", " v%u /b;", " }");
    is_too_large_at(1024, "/a -> by header A {", " v%u", " /b }");
    is_too_large_at(15, "~ \"^/", "(a%u)", "\" -> /b");
}

int main(void)
{
    values_are_in_the_form_that_is_compared();
    networks_have_one_form();
    conditions_add_up_in_one_order();
    equal_actions_are_one();
    windows_are_one_window();
    days_and_hours_are_one_condition();
    dates_are_warned_of();
    zones_are_read_once();
    choices_are_lines();
    twins_in_a_line_count();
    groups_are_captures();
    facts_are_ready_to_use();
    rows_may_end();
    limits_are_kept();
    return tap_done();
}
