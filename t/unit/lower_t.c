/* SPDX-License-Identifier: Apache-2.0 */
/* Rules as they are written -> the plan. Each case is a line of rules and the plan as text.
 * Source: /fixed/<int id>-<x>/<set l de,en>, then the tail: "/ *name" a subtree, "+*name" what is
 * below, "/<x...>" with its suffix in [] or its rest; a last "/"; "?name" or "?name=value".
 * Target: text, and <name> for what a request fills in, with "@host", "@query" (raw), "@value" or
 * "@fragment" where it does not stand in the path, and |transforms.
 * Then what is not the default: status, flags, conditions, cache, query policy, fields, site. */
#include "config.h"

#include "rulec/check.h"
#include "t/lib/lowered.h"

#include <stdlib.h>
#include <unistd.h>

/* ---- a plan as text ---- */

static void put_capture(const struct plan_pattern *pattern, uint8_t capture)
{
    if (capture != PLAN_NO_CAPTURE)
        lowered_put_slice(pattern->captures[capture]);
}

static void put_segment(const struct plan_pattern *pattern, const struct plan_segment *segment)
{
    static const char *const kinds[] = { "",      "set ",  "int ",     "hex ", "slug ",
                                         "uuid ", "date ", "version ", "re ",  "" };

    for (uint32_t i = 0; i < segment->part_count; i++) {
        const struct plan_part *part = &segment->parts[i];

        if (part->kind == PLAN_PART_LITERAL) {
            lowered_put_slice(part->text);
            continue;
        }
        lowered_put("<%s", kinds[part->kind]);
        put_capture(pattern, part->capture);
        for (uint32_t k = 0; k < part->set_count; k++) {
            lowered_put(k ? "," : " ");
            lowered_put_slice(part->set[k]);
        }
        lowered_put(">");
    }
}

static void put_pattern(const struct plan_pattern *pattern)
{
    for (uint32_t i = 0; i < pattern->head_count; i++) {
        lowered_put("/");
        put_segment(pattern, &pattern->head[i]);
    }
    if (pattern->tail != PLAN_TAIL_NONE) {
        lowered_put("%s", pattern->tail == PLAN_TAIL_SUBTREE ? "/ *"
                          : pattern->tail == PLAN_TAIL_BELOW ? "+*"
                                                             : "/<");
        put_capture(pattern, pattern->tail_capture);
        if (pattern->tail == PLAN_TAIL_MANY)
            lowered_put("...>");
    }
    if (pattern->suffix.size)
        lowered_put("[%.*s]", (int)pattern->suffix.size, pattern->suffix.data);
    for (uint32_t i = 0; i < pattern->rest_count; i++) {
        lowered_put("/");
        put_segment(pattern, &pattern->rest[i]);
    }
    if (pattern->ends_in_slash)
        lowered_put("/");
    for (uint32_t i = 0; i < pattern->parameter_count; i++) {
        lowered_put("?");
        lowered_put_slice(pattern->parameters[i].name);
        if (pattern->parameters[i].kind == PLAN_VALUE_ANY)
            continue;
        lowered_put("=");
        put_segment(pattern, &pattern->parameters[i].value);
    }
}

static void put_piece(const struct plan_rule *rule, const struct plan_piece *piece)
{
    static const char *const places[] = { "@host", "", "@query", "@value", "@fragment" };
    const struct plan_host *host =
        &lowered.plan->sites[lowered.plan->actions[rule->action].site].hosts[0];

    switch (piece->kind) {
    case PLAN_PIECE_TEXT:
        lowered_put_slice(piece->text);
        return;
    case PLAN_PIECE_CAPTURE:
        lowered_put("<");
        put_capture(plan_pattern(rule), piece->capture);
        break;
    case PLAN_PIECE_QUERY_CAPTURE:
        lowered_put("<?");
        put_capture(plan_pattern(rule), piece->capture);
        break;
    case PLAN_PIECE_HOST_CAPTURE:
        lowered_put("<//");
        lowered_put_slice(host->captures[piece->capture].name);
        break;
    case PLAN_PIECE_HOST:
        lowered_put("<host");
        break;
    case PLAN_PIECE_PATH:
        lowered_put("<path");
        break;
    case PLAN_PIECE_QUERY:
        lowered_put("<query");
        break;
    case PLAN_PIECE_SCHEME:
        lowered_put("<scheme");
        break;
    }
    lowered_put("%s%s%s%s>", places[piece->place],
                piece->transforms & PLAN_LOWER ? "|lower" : "",
                piece->transforms & PLAN_UPPER ? "|upper" : "",
                piece->transforms & PLAN_DASHES ? "|dashes" : "");
}

static void put_target(const struct plan_rule *rule)
{
    const struct plan_template *template = plan_template(rule);

    lowered_put_slice(plan_target(rule));
    if (!template)
        return;
    if (template->is_https)
        lowered_put("https");
    for (uint32_t i = 0; i < template->piece_count; i++)
        put_piece(rule, &template->pieces[i]);
    if (template->drops_last_slash)
        lowered_put(" (drops /)");
}

static void put_site(uint32_t number)
{
    static const char *const kinds[] = { "", ".", "*.", "*" };
    const struct plan_site *site = &lowered.plan->sites[number];

    lowered_put(" site");
    for (uint32_t i = 0; i < site->host_count; i++) {
        const struct plan_host *host = &site->hosts[i];

        lowered_put(" %s", kinds[host->kind]);
        lowered_put_slice(host->name);
        if (host->port)
            lowered_put(":%u", (unsigned)host->port);
        for (uint32_t k = 0; k < host->capture_count; k++) {
            lowered_put("{%.*s=%.*s}", (int)host->captures[k].name.size,
                        host->captures[k].name.data, (int)host->captures[k].value.size,
                        host->captures[k].value.data);
        }
    }
}

static void put_action(const struct plan_action *action)
{
    static const char *const caches[] = { "", " cache default", " cache none", " cache",
                                          " cache private" };
    static const char *const queries[] = { "", " query drop", " query only", " query except" };

    if (action->is_pass)
        lowered_put(" pass");
    else if (action->status_get != action->status_other)
        lowered_put(" %d/%d", action->status_get, action->status_other);
    else if (action->status_get != 307)
        lowered_put(" %d", action->status_get);
    lowered_put("%s", caches[action->cache]);
    if (action->cache >= PLAN_CACHE_SHARED)
        lowered_put(" %us", (unsigned)action->cache_seconds);
    lowered_put("%s", queries[action->query.kind]);
    for (uint32_t i = 0; i < action->query.name_count; i++) {
        lowered_put(" ");
        lowered_put_slice(action->query.names[i]);
    }
    for (uint32_t i = 0; i < action->condition_count; i++) {
        const struct plan_condition *condition = &action->conditions[i];

        lowered_put(" %s %s", condition->is_unless ? "unless" : "when",
                    condition->kind == PLAN_CONDITION_METHOD ? "method" : "scheme");
        for (uint32_t k = 0; k < condition->value_count; k++) {
            lowered_put(" ");
            lowered_put_slice(condition->values[k]);
        }
    }
    for (uint32_t i = 0; i < action->header_count; i++) {
        lowered_put(" [");
        lowered_put_slice(action->headers[i].name);
        lowered_put(": ");
        lowered_put_slice(action->headers[i].value);
        lowered_put("]");
    }
    if (action->site)
        put_site(action->site);
}

static const char *show_rule(uint32_t number)
{
    const struct plan_rule *rule = &lowered.plan->rules[number];

    if (plan_pattern(rule))
        put_pattern(plan_pattern(rule));
    else
        lowered_put_slice(plan_path(rule));
    if (plan_target(rule).size || plan_template(rule)) {
        lowered_put(" -> ");
        put_target(rule);
    }
    put_action(&lowered.plan->actions[rule->action]);
    if (rule->flags & PLAN_CASE_IGNORE)
        lowered_put(" case-ignore");
    if (rule->flags & PLAN_SLASH_EXACT)
        lowered_put(" slash-exact");
    return lowered.shown;
}

/* All rules of the text, one a line. */
static const char *show(const char *text)
{
    lowered_open(text);
    for (uint32_t i = 0; i < lowered.plan->rule_count; i++) {
        if (i)
            lowered_put("\n");
        show_rule(i);
    }
    if (diag_error_count(parsed.diag)) {
        lowered_put(" (%zu errors)", diag_error_count(parsed.diag));
        diag_print_text(parsed.diag, stdout, false);
    }
    lowered_close();
    return lowered.shown;
}

static void plan_is(const char *text, const char *want, const char *name)
{
    const char *got = show(text);

    is_string(got, want, name);
}

/* ---- the cases ---- */

static void sources_have_one_normal_form(void)
{
    plan_is("/a/b -> /c", "/a/b -> /c", "a plain path stays itself");
    plan_is("/%61/%2f/%3f/é -> /c", "/a/%2F/%3F/%C3%A9 -> /c",
            "escapes become bare or upper case");
    plan_is("/a//b/./c/../d -> /c", "/a/b/d -> /c", "dot segments and empty ones go");
    plan_is("/%2A/%7Bx%7D -> /c", "/*/%7Bx%7D -> /c",
            "an escaped star is a star, an escaped brace a brace");
    plan_is("\"/a b\" -> /c", "/a%20b -> /c", "a quoted word may have blanks");
    plan_is("/a? -> /c", "/a -> /c", "a bare ? is no query");
    plan_is("/ -> /c", "/ -> /c", "the root");
    plan_is("/a/ -> /c", "/a/ -> /c", "a last slash is kept");
}

static void stars_and_placeholders_make_patterns(void)
{
    plan_is("/a/* -> /b/*", "/a/ ** -> /b/<*> (drops /)",
            "a subtree, whose last / goes with an empty star");
    plan_is("/* -> /b/*", "/ ** -> /b/<*> (drops /)", "the whole tree");
    plan_is("/a/* -> /*", "/a/ ** -> /<*>", "the root is no slash that goes");
    plan_is("/a/* -> /b/*?x=1", "/a/ ** -> /b/<*>?x=1", "a star before a query is not the end");
    plan_is("/a/* -> /b", "/a/ ** -> /b", "a star that is not used");
    plan_is("/a/*.ttl -> /b/*.rdf", "/a/<*...>[.ttl] -> /b/<*>.rdf", "a suffix");
    plan_is("/a/1.* -> /b/*", "/a/1.+** -> /b/<*>", "a segment that starts like this");
    plan_is("/a/{y:int}.* -> /b/{y}/*", "/a/<int y>.+** -> /b/<y>/<*>",
            "a typed one may start it");
    plan_is("/a/{x}/c -> /b/{x}", "/a/<x>/c -> /b/<x>", "one segment");
    plan_is("/a/{}/c/ -> /b", "/a/<>/c/ -> /b", "one segment without a name, and a last slash");
    plan_is("/a/{x...} -> /b/{x}", "/a/<x...> -> /b/<x>", "many segments");
    plan_is("/a/{x...}/c/d -> /b/{x}", "/a/<x...>/c/d -> /b/<x>", "many between");
    plan_is("/a/{x...}.ttl -> /b/{x}", "/a/<x...>[.ttl] -> /b/<x>", "many with a suffix");
    plan_is("/item-{id:int}.html -> /i/{id}", "/item-<int id>.html -> /i/<id>",
            "fixed parts of a segment");
    plan_is("/{y:int}-{m:int}/ -> /{m}/{y}", "/<int y>-<int m>/ -> /<m>/<y>",
            "two in one segment");
    plan_is("/{a:hex}/{b:slug}/{c:uuid}/{d:date}/{e:version} -> /x",
            "/<hex a>/<slug b>/<uuid c>/<date d>/<version e> -> /x", "each type");
    plan_is("/{l:fr|de|fr|ü} -> /x", "/<set l %C3%BC,de,fr> -> /x",
            "a closed set, sorted, without doubles");
    plan_is("//a//{x}// -> /x", "/<x>/ -> /x site a", "// names a host; empty segments merge");
}

static void queries_are_compared_decoded(void)
{
    plan_is("/a?id=7&lang={l} -> /b/{l}", "/a?id=7?lang=<l> -> /b/<?l>",
            "fixed and named values");
    plan_is("/a?k&e= -> /b", "/a?k?e= -> /b", "any value, and the empty one");
    plan_is("/a?q=x+y%26%3d -> /b", "/a?q=x y&= -> /b", "a value is decoded");
    plan_is("/a?n%20m=1 -> /b", "/a?n m=1 -> /b", "a name is decoded");
    plan_is("/a?v=v{n:int}.{x:a%2fb|c} -> /b", "/a?v=v<int n>.<set x a/b,c> -> /b",
            "parts of a value");
    plan_is("/a/*?q={q} -> /b/*?q={q}", "/a/ **?q=<q> -> /b/<*>?q=<?q@value>",
            "under a subtree");
    plan_is("/%61/./b/?q=1 -> /b", "/a/b/?q=1 -> /b", "the path before it is normal, too");
}

static void targets_are_sent_as_written(void)
{
    plan_is("/a -> https://h.example:8080/b?x=1&y#f", "/a -> https://h.example:8080/b?x=1&y#f",
            "a URL");
    plan_is("/a -> \"/b <c>é|\"", "/a -> /b%20%3Cc%3E%C3%A9%7C",
            "what may never stand is encoded");
    plan_is("/a -> /b%2f%zz", " (1 errors)", "a % that is no escape is a mistake");
    plan_is("/a -> https://müller.example:81/ü",
            "/a -> https://xn--mller-kva.example:81/%C3%BC", "a host becomes A-labels");
    plan_is("/a -> http://[2001:DB8::1]:8080/b", "/a -> http://[2001:DB8::1]:8080/b",
            "an IPv6 address");
    plan_is("/a -> /b/../c", "/a -> /b/../c", "dot segments of a target are its author's");
}

static void templates_know_their_places(void)
{
    plan_is("/{x}/* -> https://h.example/{x}/*?p={x}&*#{x}",
            "/<x>/ ** -> https://h.example/<x>/<*>?p=<x@value>&<*@value>#<x@fragment>",
            "path, value, fragment");
    plan_is("/{x} -> /b?{query}", "/<x> -> /b?<query@query>", "a query alone is raw");
    plan_is("/{x} -> /b?a=1&{query}", "/<x> -> /b?a=1&<query@value>",
            "elsewhere it is one value");
    plan_is("/{x} -> https://h.example{path}", "/<x> -> https://h.example<path>",
            "the path behind an authority");
    plan_is("/a -> {path}/b", "/a -> <path>/b", "the path in front");
    plan_is("/{x} -> /{x|lower|dashes}/{x|upper}", "/<x> -> /<x|lower|dashes>/<x|upper>",
            "transforms");
    plan_is("/{l:de|en} -> https://{l}.h.example/",
            "/<set l de,en> -> https://<l@host>.h.example/", "a closed set in a host");
    plan_is("/{x}?q={l:de|en} -> https://{l}.h.example/{x}",
            "/<x>?q=<set l de,en> -> https://<?l@host>.h.example/<x>",
            "a closed set of the query in a host");
    plan_is("let base \"https://raw.example/v2\"\n/{x} -> {base}/{x}",
            "/<x> -> https://raw.example/v2/<x>", "a constant may hold the authority");
    plan_is("let v /1\ngroup { let v /2; /a -> {v}/a }\n/b -> {v}/b", "/a -> /2/a\n/b -> /1/b",
            "the inner constant wins");
    plan_is("site h.example { /a -> https://{host}{path}; /b -> https: }",
            "/a -> https://<host@host><path> site h.example\n/b -> https site h.example",
            "the host, in a site");
    plan_is("site h.example { /a -> \"{scheme}://{host}/x\" }",
            "/a -> <scheme@host>://<host@host>/x site h.example", "the scheme");
}

static void sites_are_sets_of_hosts(void)
{
    plan_is("site B.example. a.example b.example { /a -> /b }",
            "/a -> /b site a.example b.example",
            "sorted, lower case, without doubles and last dots");
    plan_is("site *.a.example **.b.example { /a -> /b }",
            "/a -> /b site .b.example *.a.example *.b.example", "wildcards");
    plan_is("site h:8080 [FE80:0::1]:80 [::1] { /a -> /b }",
            "/a -> /b site ::1 fe80::1:80 h:8080", "ports and IPv6");
    plan_is("site bücher.example { /a -> /b }", "/a -> /b site xn--bcher-kva.example", "IDNs");
    plan_is("site {l:en|de}.x.example { /a -> https://y.example/{l} }",
            "/a -> https://y.example/<//l> site de.x.example{l=de} en.x.example{l=en}",
            "a closed set is expanded");
    plan_is("site *.{l:en|de}.x.example { /a -> https://{l}.example/ }",
            "/a -> https://<//l@host>.example/ site *.de.x.example{l=de} *.en.x.example{l=en}",
            "also below a wildcard");
    plan_is("site * { /a -> /b }", "/a -> /b", "site * is where rules stand anyway");
    plan_is("site *:8080 { /a -> /b }", "/a -> /b site *:8080", "every host of a port");
}

static void absolute_sources_name_their_site(void)
{
    plan_is("https://h.example/a -> /b", "/a -> /b site h.example", "a site of its own");
    plan_is("http://h.example:80/a -> /b", "/a -> /b site h.example",
            "a default port says nothing");
    plan_is("http://h.example:443/a -> /b", "/a -> /b site h.example:443", "another one does");
    plan_is("//h.example -> /b", "/ -> /b site h.example", "without a path it is the root");
    plan_is("https://h.example?q=1 -> /b", "/?q=1 -> /b site h.example", "also before a query");
    plan_is("site a.example b.example { //a.example/x -> /y }",
            "/x -> /y site a.example b.example", "inside its site it holds for the aliases");
    plan_is("site *.example { //a.example/x -> /y }", "/x -> /y site a.example",
            "inside a wider one it stays narrow");
    plan_is("site a.example { //a.example:81/x -> /y }", "/x -> /y site a.example:81",
            "also by its port");
}

static void twins_get_what_they_need(void)
{
    plan_is("/a -> /a/", "/a -> /a/ slash-exact", "a slash is added");
    plan_is("/a/ -> /a", "/a/ -> /a slash-exact", "a slash is taken away");
    plan_is("/a/?q=1 -> /a?q=1", "/a/?q=1 -> /a?q=1 slash-exact", "before a query");
    plan_is("/{x} -> /{x}/", "/<x> -> /<x>/ slash-exact", "with placeholders");
    plan_is("site h.example { /a -> https://h.example/a/ }",
            "/a -> https://h.example/a/ site h.example slash-exact", "at the same host");
    plan_is("/a -> https://h.example/a/", "/a -> https://h.example/a/",
            "another host is another thing");
    plan_is("/a -> /ab", "/a -> /ab", "a letter is no slash");
    plan_is("http://h.example/a -> https://h.example/a",
            "/a -> https://h.example/a when scheme http site h.example",
            "only the scheme differs");
    plan_is("http://h.example/* -> https://h.example/*",
            "/ ** -> https://h.example/<*> when scheme http site h.example", "of a whole host");
    plan_is("http://h.example/* -> https:", "/ ** -> https when scheme http site h.example",
            "in short");
    plan_is("http://h.example/a -> https://h.example/b",
            "/a -> https://h.example/b site h.example", "otherwise the scheme does not count");
}

static void status_words_pick_codes(void)
{
    plan_is("/a -> /b permanent\n/c -> /d moved\n/e -> /f found\n/g -> /h see-other",
            "/a -> /b 308\n/c -> /d 301\n/e -> /f 302\n/g -> /h 303", "words");
    plan_is("/a -> /b temporary auto\n/c -> /d permanent auto",
            "/a -> /b 302/307\n/c -> /d 301/308", "auto");
    plan_is("/a gone\n/b unavailable-for-legal-reasons\n/c 503\n/d pass",
            "/a 410\n/b 451\n/c 503\n/d pass", "without a target");
    plan_is("status permanent\n/a -> /b\n/c -> /d found", "/a -> /b 308\n/c -> /d 302",
            "the clause, the rule");
    plan_is("group { status gone; /a gone }", "/a 410", "a status that all of a block have");
}

static void inner_clauses_win_and_conditions_add_up(void)
{
    plan_is(
        "cache 1h\n/a -> /b\ngroup { cache private 90s; /c -> /d { cache none }; /e -> /f }",
        "/a -> /b cache 3600s\n/c -> /d cache none\n/e -> /f cache private 90s", "cache");
    plan_is("/a -> /b\ncase ignore\nslash exact", "/a -> /b case-ignore slash-exact",
            "where a clause stands does not matter");
    plan_is("query except utm_* fbclid\ngroup { query keep; /a -> /b }\n/c -> /d",
            "/a -> /b\n/c -> /d query except fbclid utm_*", "query");
    plan_is("when scheme http\ngroup { when method POST PUT POST; unless method PUT; /a -> /b "
            "{ when method HEAD } }",
            "/a -> /b when method GET when method POST PUT unless method PUT when scheme http",
            "conditions");
    plan_is("header X-B outer\nheader X-A a\n/a -> /b { header x-b inner; retry-after 2m }",
            "/a -> /b [Retry-After: 120] [X-A: a] [x-b: inner]", "fields add up by name");
    plan_is("/a 451 { blocked-by https://law.example/x }",
            "/a 451 [Link: <https://law.example/x>; rel=\"blocked-by\"]", "blocked-by");
    plan_is("cache 1h\nheader X a\nquery drop\n/a pass\n/b gone",
            "/a pass\n/b 410 cache 3600s [X: a]", "what a rule cannot use is not kept with it");
    plan_is("cache 1h30m\n/a -> /b", "/a -> /b cache 5400s", "durations add up");
}

static void equal_actions_and_sites_are_one(void)
{
    lowered_open(
        "/a -> /b\ngroup { /c -> /d }\n/e -> /f permanent { note n }\n/g -> /h permanent\n"
        "site a b { /x -> /y }\nsite b a { /x2 -> /y }\nsite * { /z -> /y }\n");
    is_number(diag_error_count(parsed.diag), 0, "no mistake");
    is_number(lowered.plan->action_count, 3, "actions are interned");
    is_number(lowered.plan->site_count, 2, "sites are interned");
    is_number(lowered.plan->note_count, 1, "one note");
    is_number(lowered.plan->notes[0].rule, 2, "of its rule");
    is_slice(lowered.plan->notes[0].note, "n", "as written");
    lowered_close();
}

static void expectations_are_ready_to_run(void)
{
    lowered_open(
        "/a -> /b\nexpect POST http://h.example/a -> temporary auto /é { header X-A b }\n"
        "expect GET /a -> pass\nexpect GET /a -> 410\n");
    is_number(diag_error_count(parsed.diag), 0, "no mistake");
    if (is_number(lowered.plan->expect_count, 3, "three of them")) {
        is_number(lowered.plan->expects[0].status, 307,
                  "the word stands for the code of that method");
        is_slice(lowered.plan->expects[0].target, "/%C3%A9", "the target as it is sent");
        is_number(lowered.plan->expects[0].header_count, 1, "a field");
        ok(lowered.plan->expects[1].expects_pass && lowered.plan->expects[1].status == 0,
           "pass");
        ok(lowered.plan->expects[2].status == 410 && !lowered.plan->expects[2].has_target,
           "a status alone");
    }
    lowered_close();
}

/* ---- tables ---- */

static char folder[] = "/tmp/lower_t.XXXXXX";

static const char *write_file(const char *name, const char *text)
{
    static char path[256];

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *out = fopen(path, "wb");
    if (out) {
        fputs(text, out);
        fclose(out);
    }
    return path;
}

/* The rules that the table makes; lowered_close() is the caller's. */
static const char *show_table(const char *name, const char *text, const char *rules)
{
    char path[300];
    char *file = strdup(write_file(name, text));

    snprintf(path, sizeof(path), "%s/test.redir", folder);
    lowered_open_at(path, rules, 0);
    for (uint32_t i = 0; i < lowered.plan->rule_count; i++) {
        if (i)
            lowered_put("\n");
        show_rule(i);
    }
    lowered_put(" (%u rows, %u comments, %u blank, %zu errors)",
                (unsigned)lowered.plan->table_rows, (unsigned)lowered.plan->table_comments,
                (unsigned)lowered.plan->table_blanks, diag_error_count(parsed.diag));
    diag_print_text(parsed.diag, stdout, false);
    remove(file);
    free(file);
    return lowered.shown;
}

static void table_is(const char *name, const char *text, const char *rules, const char *want,
                     const char *label)
{
    const char *got = show_table(name, text, rules);

    is_string(got, want, label);
}

static void tables_become_rules(void)
{
    table_is("t.csv", "from,to,status\n/a,/b,301\n# c\n\n/c,,gone\r\n/d,/e,\n",
             "table \"t.csv\"",
             "/a -> /b 301\n/c 410\n/d -> /e (3 rows, 2 comments, 1 blank, 0 errors)",
             "a CSV with its heading");
    lowered_close();
    table_is("t.csv", "Old,Note,New\n/a,\"x, \"\"y\"\"\",\"/b\"\n\"/c\",\"two\nlines\",/d",
             "table \"t.csv\" { columns from note to; heading; status moved }",
             "/a -> /b 301\n/c -> /d 301 (2 rows, 1 comments, 0 blank, 0 errors)",
             "named columns, quotes, no last line end");
    is_number(lowered.plan->note_count, 2, "notes of the rows");
    if (lowered.plan->note_count == 2) {
        is_slice(lowered.plan->notes[0].note, "x, \"y\"", "quotes undone");
        is_slice(lowered.plan->notes[1].note, "two\nlines", "a line end in quotes");
    }
    is_number(source_locate(parsed.sources, lowered.plan->rules[1].span.at).line, 3,
              "a rule's line is where its row begins");
    lowered_close();
    table_is("t.txt", "# from to\n/a\t/b\n/c d\t\t\n/e\t/f g\tmoved\n",
             "table \"t.txt\" { columns from to status }",
             "/a -> /b\n/e -> /f%20g 301 (3 rows, 1 comments, 0 blank, 1 errors)",
             "tabs: a cell may have blanks");
    lowered_close();
    table_is("t.txt", "/a    /b   permanent\n  /c /d\n",
             "table \"t.txt\" { columns from to status }",
             "/a -> /b 308\n/c -> /d (2 rows, 0 comments, 0 blank, 0 errors)",
             "runs of blanks");
    lowered_close();
    table_is("t.txt", "/a;/b,c\n", "table \"t.txt\" { columns from to; separator \";\" }",
             "/a -> /b,c (1 rows, 0 comments, 0 blank, 0 errors)", "a separator of one's own");
    lowered_close();
    table_is("t.csv",
             "\xef\xbb\xbf"
             "from,to\n/{x}/*?k={v},/y/{z}*\n",
             "table \"t.csv\"",
             "/%7Bx%7D/*?k={v} -> /y/%7Bz%7D* (1 rows, 1 comments, 0 blank, 0 errors)",
             "cells are literal, and a BOM is skipped");
    lowered_close();
    table_is("t.csv", "from,to\n/{x}/*,/y/{x}/*\n", "table \"t.csv\" { patterns }",
             "/<x>/ ** -> /y/<x>/<*> (drops /) (1 rows, 1 comments, 0 blank, 0 errors)",
             "unless patterns is written");
    lowered_close();
    table_is("t.csv",
             "from,to,site,owner\nhttp://a.example/x,/y,,me\n/z,/w,b.example,\n/v,/u,,\n",
             "table \"t.csv\"",
             "/x -> /y site a.example\n/z -> /w site b.example\n/v -> /u (3 rows, 1 comments, "
             "0 blank, 0 errors)",
             "sites of rows");
    is_number(lowered.plan->note_count, 1, "an owner");
    lowered_close();
}

/* ---- checks ---- */

static void check_holds(const char *text, size_t errors, size_t warnings, const char *name)
{
    lowered_open(text);
    bool is_good = check_run(lowered.plan, parsed.diag);
    ok(is_good == (errors == 0), name);
    is_number(diag_error_count(parsed.diag), errors, "so many errors");
    is_number(diag_warning_count(parsed.diag), warnings, "so many warnings");
    lowered_close();
}

static void same_sources_are_found(void)
{
    check_holds("/a -> /b\n/a -> /c", 1, 0, "another target");
    check_holds("/a -> /b\n/%61 -> /b", 0, 1, "the same rule in other letters");
    check_holds("/a -> /b\nsite h { /a -> /c }", 0, 0, "sites tell them apart");
    check_holds("/{x}?a=1&b -> /b\n/{y}?b&a=1 -> /c", 1, 0, "names and order mean nothing");
    check_holds("/{x} -> /b\n/{x:int} -> /c", 0, 0, "types tell them apart");
    check_holds("case ignore\n/a -> /b\n/A -> /c", 0, 0, "each answers for its own form");
    check_holds("/a -> /b\n/a/ -> /c", 0, 1, "a slash tells them apart, which deserves a word");
    check_holds("/a -> /c { when method POST }\n/a -> /b", 0, 0, "conditions first");
    check_holds("/a -> /b\n/a -> /c { when method POST }", 0, 1, "conditions behind");
    check_holds("when scheme http\n/a -> /b { unless method PUT }\n"
                "/a -> /c { when method POST; unless method PUT }",
                0, 1, "some of them behind");
}

int main(void)
{
    sources_have_one_normal_form();
    stars_and_placeholders_make_patterns();
    queries_are_compared_decoded();
    targets_are_sent_as_written();
    templates_know_their_places();
    sites_are_sets_of_hosts();
    absolute_sources_name_their_site();
    twins_get_what_they_need();
    status_words_pick_codes();
    inner_clauses_win_and_conditions_add_up();
    equal_actions_and_sites_are_one();
    expectations_are_ready_to_run();
    if (ok(mkdtemp(folder) != NULL, "a folder for tables")) {
        tables_become_rules();
        rmdir(folder);
    }
    same_sources_are_found();
    return tap_done();
}
