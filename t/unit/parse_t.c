/* SPDX-License-Identifier: Apache-2.0 */
/* Rules in, tree and messages out. The tree is compared as a short text: one line an item,
 * blocks in braces. What each mistake looks like is kept in t/lang. */
#include "config.h"

#include "t/lib/parsed.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char *dumped;
static size_t dumped_size;
static FILE *out;

static void dump_words(const struct ast_word *word)
{
    for (; word != NULL; word = word->next)
        fprintf(out, word->is_quoted ? " '%.*s'" : " %.*s", (int)word->text.size, word->text.data);
}

static void dump_block(const struct ast_block *block);

static void dump_by(const struct ast_by *by)
{
    fprintf(out, " by%d", (int)by->kind);
    dump_words(by->name);
    fputs(" {", out);
    for (const struct ast_choice *choice = by->choices; choice != NULL; choice = choice->next) {
        dump_words(choice->keys);
        if (choice->target != NULL) {
            fputs(" ->", out);
            dump_words(choice->target);
        }
        if (choice->status != NULL) {
            fputs(" =", out);
            dump_words(choice->status);
        }
        fputs(";", out);
    }
    fputs(" }", out);
}

static void dump_rule(const struct ast_rule *rule)
{
    fputs(rule->source_is_regex ? "regex" : "rule", out);
    dump_words(&rule->source);
    if (rule->target != NULL) {
        fputs(" ->", out);
        dump_words(rule->target);
    }
    if (rule->by != NULL)
        dump_by(rule->by);
    if (rule->status != NULL) {
        fputs(" =", out);
        dump_words(rule->status);
    }
    if (rule->body != NULL)
        dump_block(rule->body);
}

static void dump_clause(const struct ast_clause *clause)
{
    static const char *const operators[] = { "", " =", " ~" };

    fprintf(out, "clause%d", (int)clause->kind);
    if (clause->kind == AST_CLAUSE_WHEN || clause->kind == AST_CLAUSE_UNLESS)
        fprintf(out, " if%d", (int)clause->condition);
    dump_words(clause->name);
    fputs(operators[clause->operator], out);
    dump_words(clause->words);
}

static void dump_withs(const struct ast_with *with)
{
    fputs(" {", out);
    for (; with != NULL; with = with->next) {
        dump_words(with->name);
        dump_words(with->words);
        fputs(";", out);
    }
    fputs(" }", out);
}

static void dump_expect(const struct ast_expect *expect)
{
    fputs("expect", out);
    dump_words(expect->method);
    dump_words(expect->url);
    if (expect->with != NULL)
        dump_withs(expect->with);
    if (expect->at != NULL) {
        fputs(" at", out);
        dump_words(expect->at);
    }
    fputs(expect->expects_pass ? " -> pass" : " ->", out);
    dump_words(expect->status);
    dump_words(expect->target);
    if (expect->headers != NULL)
        dump_withs(expect->headers);
}

static void dump_block(const struct ast_block *block)
{
    static const char *const kinds[] = { "file", "include", "site", "group", "" };

    fputs(kinds[block->kind], out);
    if (block->kind == AST_BLOCK_SITE || block->kind == AST_BLOCK_GROUP)
        dump_words(block->words);
    fputs(" { ", out);
    for (const struct ast_item *item = block->items; item != NULL; item = item->next) {
        switch (item->kind) {
        case AST_RULE: dump_rule(item->rule); break;
        case AST_LINES:
            for (uint32_t i = 0; i < item->lines->count; i++) {
                struct ast_word target;
                struct ast_rule rule = ast_line_rule(item->lines, i, &target);

                if (i != 0)
                    fputs("\n", out);
                dump_rule(&rule);
            }
            break;
        case AST_CLAUSE: dump_clause(item->clause); break;
        case AST_BLOCK: dump_block(item->block); break;
        case AST_EXPECT: dump_expect(item->expect); break;
        case AST_TABLE:
            fprintf(out, "table %s", item->table->source != NULL ? item->table->source->path : "(none)");
            if (item->table->body != NULL)
                dump_block(item->table->body);
            break;
        }
        fputs("\n", out);
    }
    fputs("}", out);
}

static void stop(void)
{
    parsed_close();
    free(dumped);
    dumped = NULL;
}

/* The items of the first file, one a line, and each message's code and line. */
static const char *dump(void)
{
    const struct diag_message *messages;
    size_t count = diag_messages(parsed.diag, &messages);

    free(dumped);
    out = open_memstream(&dumped, &dumped_size);
    if (parsed.ast->files->items != NULL)
        for (const struct ast_item *item = parsed.ast->files->items->block->items; item != NULL; item = item->next) {
            struct ast_item alone = *item;

            alone.next = NULL;
            dump_block(&(struct ast_block){ .kind = AST_BLOCK_RULE, .items = &alone });
            fputs("\n", out);
        }
    for (size_t i = 0; i < count; i++)
        fprintf(out, "R307-%03d:%u\n", (int)messages[i].code, (unsigned)source_locate(parsed.sources, messages[i].span.at).line);
    fclose(out);
    return dumped;
}

/* is_string() looks at its first argument twice. */
static void is_dump(const char *want, const char *name)
{
    const char *got = dump();

    is_string(got, want, name);
}

static void parses(const char *text, const char *tree, const char *name)
{
    parsed_open();
    parse_text(parsed.ast, parsed.diag, "test.redir", slice_from_string(text));
    is_dump(tree, name);
    stop();
}

/* What is read: its words and where they stand; runs of plain lines are no items of their own here. */
static char *lines_read(const char *text)
{
    char *copy;

    parsed_open();
    parse_text(parsed.ast, parsed.diag, "test.redir", slice_from_string(text));
    free(dumped);
    out = open_memstream(&dumped, &dumped_size);
    for (const struct ast_item *item = parsed.ast->files->items->block->items; item != NULL; item = item->next) {
        for (uint32_t i = 0; item->kind == AST_LINES && i < item->lines->count; i++) {
            struct ast_word target;
            struct ast_rule rule = ast_line_rule(item->lines, i, &target);

            fprintf(out, "%u-%u %u-%u %u-%u", rule.span.at, rule.span.end, rule.source.span.at, rule.source.span.end,
                    target.span.at, target.span.end);
            dump_rule(&rule);
        }
        if (item->kind == AST_RULE && item->rule->target != NULL) {
            const struct ast_rule *rule = item->rule;

            fprintf(out, "%u-%u %u-%u %u-%u", rule->span.at, rule->span.end, rule->source.span.at, rule->source.span.end,
                    rule->target->span.at, rule->target->span.end);
            dump_rule(rule);
        }
    }
    fprintf(out, "%zu rules, %zu mistakes", parsed.ast->rule_count, diag_error_count(parsed.diag));
    fclose(out);
    copy = strdup(dumped);
    stop();
    return copy;
}

/* The blanks behind a line make room for what sends it the long way. */
static void reads_alike(const char *text, const char *name)
{
    char *plain = lines_read(text), *long_way = strdup(text), *got;

    for (char *at = long_way; (at = strstr(at, "   \n")) != NULL; at++)
        at[1] = '#';
    got = lines_read(long_way);
    is_string(got, plain, name);
    free(plain);
    free(long_way);
    free(got);
}

static void plain_lines_are_rules_like_others(void)
{
    char *many = malloc(16 * 9000 + 1), *at = many;

    reads_alike("/a -> /b   \n", "one line");
    reads_alike("/a\t->  https://h.example/b#c   \nHTTP://h.example/a?b -> /c   \n", "URLs");
    reads_alike("/a -> /b   \n\n \t# c\n  /\xc3\xa4 -> /d   \n", "with something between them");
    reads_alike("/a/{x} -> /b/{x}   \n/a;b -> /c   \n\"/d\" -> /e   \n/f -> /g   \n", "beside others");
    reads_alike("/a -> b   \n/c d   \n/e - > /f   \n/g ->/h   \n/i -> /j   \n", "beside mistakes");
    parses("/a -> /b\r\n\r\n/c -> /d\r\n", " { rule /a -> /b\nrule /c -> /d\n}\n", "lines that end in CR LF");
    parses("/a -> /b", " { rule /a -> /b\n}\n", "a last line without an end");
    parses("/a -> /b\n{\n}\n", " { rule /a -> /b\n}\nR307-009:2\n", "a block that stands alone");
    parses("site h {\n/a -> /b\n/c -> /d }\n", " { site h { rule /a -> /b\nrule /c -> /d\n}\n}\n", "in a site");
    parses("/a -> /b {\n/c -> /d\n}\n/e -> /f\n", " { rule /a -> /b { }\n}\n { rule /e -> /f\n}\nR307-009:2\n",
           "not in a rule's braces");
    for (unsigned i = 0; i < 9000; i++)
        at += snprintf(at, 17, "/%04u -> /b   \n", i);
    reads_alike(many, "more than are read at once");
    free(many);
}

static void rules_have_a_source_and_more(void)
{
    parses("/a -> /b\n", " { rule /a -> /b\n}\n", "a source and a target");
    parses("/a -> /b permanent auto\n", " { rule /a -> /b = permanent auto\n}\n", "a status of two words");
    parses("/a gone", " { rule /a = gone\n}\n", "a status without target, the last line without its end");
    parses("//h/a -> https:", " { rule //h/a -> https:\n}\n", "an absolute source, another scheme");
    parses("HTTP://h/a -> {base}/b", " { rule HTTP://h/a -> {base}/b\n}\n", "a scheme in upper case, a constant");
    parses("\"/a b\" -> \"/x \\\"\\\\\\u{e4}\"", " { rule '/a b' -> '/x \"\\\xC3\xA4'\n}\n", "quotes and their escapes");
    parses("~ \"^/a\\d\\\\\\\"$\" -> /b", " { regex '^/a\\d\\\\\"$' -> /b\n}\n", "in a regex only \\\" is an escape");
    parses("/a -> /b {}", " { rule /a -> /b { }\n}\n", "empty braces");
    parses("/a -> /b { when method POST; note x }",
           " { rule /a -> /b { clause1 if0 POST\nclause19 x\n}\n}\n", "clauses in braces");
    parses("/site -> /status status { note note }", " { rule /site -> /status = status { clause19 note\n}\n}\n",
           "keywords are words where a word stands");
}

static void lines_end_where_a_reader_sees_it(void)
{
    parses("/a;b -> /c;d; /e gone;\n/f;;g gone ; /h gone",
           " { rule /a;b -> /c;d\n}\n { rule /e = gone\n}\n { rule /f;;g = gone\n}\n { rule /h = gone\n}\n",
           "a ; before white space");
    parses("/a gone\r\n\r\n  /b gone\r\n", " { rule /a = gone\n}\n { rule /b = gone\n}\n", "CRLF and empty lines");
    parses("group g { /a gone }", " { group g { rule /a = gone\n}\n}\n", "before a closing brace");
    parses("# x\n/a#b gone # y { \"\n   # /c gone", " { rule /a#b = gone\n}\n",
           "a # starts a comment only where a word could start");
    parses("\xEF\xBB\xBF/a gone", " { rule /a = gone\n}\n", "a byte order mark");
    parses("", "", "nothing");
    parses("\n;;\n # x", "", "nothing but blanks");
}

static void braces_in_words_form_placeholders(void)
{
    parses("/{x}/{}/{y:int}-{z...} -> /{x|lower}{y}", " { rule /{x}/{}/{y:int}-{z...} -> /{x|lower}{y}\n}\n",
           "names, types, rests");
    parses("/{x:/[a-z]{2}/}/b{y:/}/} gone", " { rule /{x:/[a-z]{2}/}/b{y:/}/} = gone\n}\n", "a regex ends at the first /}");
    parses("/{x:/a;#b/} gone", " { rule /{x:/a;#b/} = gone\n}\n", "; and # inside one");
    parses("/a -> {b}{c}", " { rule /a -> {b}{c}\n}\n", "a target of placeholders");
    parses("/a{ -> /b\n/c gone", " { rule /c = gone\n}\nR307-006:1\n", "an open brace is a mistake");
    parses("/a} -> /b\n/{x:/y} gone\n/c gone", " { rule /{x:/y} = gone\n}\n { rule /c = gone\n}\nR307-006:1\n",
           "so is a closing one; {x:/y} is a placeholder, if an odd one");
    parses("/a\"b gone\n/c gone", " { rule /c = gone\n}\nR307-003:1\n", "and a quote");
}

static void blocks_hold_items(void)
{
    parses("site a.example *.b.example {\n cache 1h\n group \"x y\" { override\n /a gone }\n group { }\n}\n",
           " { site a.example *.b.example { clause9 1h\ngroup 'x y' { clause21\nrule /a = gone\n}\ngroup { }\n}\n}\n",
           "sites, groups, clauses");
    parses("table none.csv { columns from - to; heading; patterns; separator \"|\"; status moved }",
           " { table (none) { clause23 from - to\nclause24\nclause25\nclause26 '|'\nclause0 moved\n}\n}\nR307-018:1\n",
           "a table's own clauses");
}

static void every_clause_is_known(void)
{
    parses("status gone; from 2026-01-01; until x; daily 22:00-04:00; weekly sat,sun; timezone Europe/Berlin; review x\n"
           "cache private 1h; vary A B; query except utm_* b; case ignore; slash exact; let base /x; preflight pass\n"
           "header A b; retry-after 1h; blocked-by https://x; note \"a b\"; owner me; override; allow loop chain",
           " { clause0 gone\n}\n { clause3 2026-01-01\n}\n { clause4 x\n}\n { clause5 22:00-04:00\n}\n"
           " { clause6 sat,sun\n}\n { clause7 Europe/Berlin\n}\n { clause8 x\n}\n { clause9 private 1h\n}\n"
           " { clause10 A B\n}\n { clause11 except utm_* b\n}\n { clause12 ignore\n}\n { clause13 exact\n}\n"
           " { clause14 base /x\n}\n { clause15 pass\n}\n { clause16 A b\n}\n { clause17 1h\n}\n"
           " { clause18 https://x\n}\n { clause19 'a b'\n}\n { clause20 me\n}\n { clause21\n}\n"
           " { clause22 loop chain\n}\n", "all of them");
    parses("when method GET POST; unless scheme http; when header A; when header A = x \"y\"; when header A ~ \"\\d\"\n"
           "when cookie c; when cookie c = 1; when accept text/turtle; when language de; when query q; when query q = 1\n"
           "when client 10.0.0.0/8 2001:db8::/32; when env E; unless env E = v; when flag f; when chance 10%; when busy 80%",
           " { clause1 if0 GET POST\n}\n { clause2 if1 http\n}\n { clause1 if2 A\n}\n { clause1 if2 A = x 'y'\n}\n"
           " { clause1 if2 A ~ '\\d'\n}\n { clause1 if3 c\n}\n { clause1 if3 c = 1\n}\n { clause1 if4 text/turtle\n}\n"
           " { clause1 if5 de\n}\n { clause1 if6 q\n}\n { clause1 if6 q = 1\n}\n"
           " { clause1 if7 10.0.0.0/8 2001:db8::/32\n}\n { clause1 if8 E\n}\n { clause2 if8 E = v\n}\n"
           " { clause1 if9 f\n}\n { clause1 if10 10%\n}\n { clause1 if11 80%\n}\n", "and every condition");
}

static void targets_may_be_chosen(void)
{
    parses("/o -> by accept {\n text/turtle a/b /o.ttl\n text/html otherwise /o.html found\n} see-other { note x }",
           " { rule /o by1 { text/turtle a/b -> /o.ttl; text/html otherwise -> /o.html = found; } = see-other"
           " { clause19 x\n}\n}\n", "by accept, with statuses");
    parses("/d -> by client { 70 https://eu.example/*; 30 https://us.example/* }",
           " { rule /d by6 { 70 -> https://eu.example/*; 30 -> https://us.example/*; }\n}\n", "by client");
    parses("/d -> by header X-A { \"a b\" \"/x y\"; /z /z; otherwise gone }",
           " { rule /d by3 X-A { 'a b' -> '/x y'; /z -> /z; otherwise = gone; }\n}\n", "quotes, a key like a path, no target");
    parses("/d -> by header X-A { on \"a b\" 406; a \"/b\" \"/x\" found; \"/k\" 403; c \"d\" }",
           " { rule /d by3 X-A { on 'a b' = 406; a '/b' -> '/x' = found; '/k' = 403; c -> 'd'; }\n}\n",
           "a quoted word is a target where it starts as one, or is the last");
    parses("/d -> by cookie c { x }; /d -> by method { GET / }; /d -> by chance { 1 / }; /d -> by language { de / }",
           " { rule /d by4 c { x; }\n}\n { rule /d by5 { GET -> /; }\n}\n { rule /d by7 { 1 -> /; }\n}\n"
           " { rule /d by2 { de -> /; }\n}\n", "the other forms");
}

static void expectations_are_read(void)
{
    parses("expect POST https://h/form at 2026-12-01T00:00Z -> 307 /form-v2\nexpect GET /a -> pass\nexpect GET /a -> 410",
           " { expect POST https://h/form at 2026-12-01T00:00Z -> 307 /form-v2\n}\n { expect GET /a -> pass\n}\n"
           " { expect GET /a -> 410\n}\n", "the three answers");
    parses("expect GET /a with { header A \"x\"; cookie c 1; client 10.1.2.3; flag f; env N v; chance 5%; busy 90% } -> 308 /b"
           " { header Vary \"Accept\"; header A b }",
           " { expect GET /a { header A 'x'; cookie c 1; client 10.1.2.3; flag f; env N v; chance 5%; busy 90%; } -> 308 /b"
           " { header Vary 'Accept'; header A b; }\n}\n", "with everything");
}

static void after_a_mistake_reading_goes_on(void)
{
    parses("sitee a {\n /a -> /b\n}\n/c gone\nfoo\n/d gone",
           " { rule /c = gone\n}\n { rule /d = gone\n}\nR307-010:1\nR307-010:5\n",
           "a block whose line is wrong is left out whole");
    parses("site \"a {\n /a -> x\n}\nsite a \"b\"c {\n /a -> x\n}\n/c gone",
           " { rule /c = gone\n}\nR307-004:1\nR307-011:2\nR307-013:3\nR307-003:4\nR307-011:5\n",
           "rules in a site whose line is wrong are looked at");
    parses("/a -> by acept {\n de /a { x }\n} found\n/c gone", " { rule /c = gone\n}\nR307-010:1\n",
           "choices of a form that is none bring no echo");
    parses("/a -> /b { sattus x; foo { y }; note x }\n/c gone",
           " { rule /a -> /b { clause19 x\n}\n}\n { rule /c = gone\n}\nR307-010:1\nR307-010:1\n",
           "each wrong clause is one message");
    parses("expect GET /a with { foo x { y }; flag f } -> pass { bar }\n/c gone",
           " { expect GET /a { flag f; } -> pass\n}\n { rule /c = gone\n}\nR307-010:1\nR307-010:1\n",
           "so is each wrong line of an expectation");
    parses("table none.csv { colums a { b } ; heading }\n/c gone",
           " { table (none) { clause24\n}\n}\n { rule /c = gone\n}\nR307-018:1\nR307-010:1\n", "and of a table");
    parses("site a\n{\n /b gone\n}\n/c gone", " { rule /c = gone\n}\nR307-009:1\n",
           "a block that begins a line too late is one mistake");
    parses("/a -> /b {\n note x\n/c gone\n/d gone\n", " { rule /a -> /b { clause19 x\n}\n}\nR307-012:1\nR307-009:3\n",
           "a forgotten brace is said once, not at every line behind it");
    parses("}\n/a gone }\n/c gone", " { rule /a = gone\n}\n { rule /c = gone\n}\nR307-013:1\nR307-013:2\n",
           "a brace too many closes nothing");
}

static char *repeat(const char *text, size_t count, const char *end)
{
    size_t size = strlen(text), end_size = strlen(end);
    char *whole = malloc(size * count + end_size + 1);

    for (size_t i = 0; i < count; i++)
        memcpy(whole + i * size, text, size);
    memcpy(whole + size * count, end, end_size + 1);
    return whole;
}

static void has_codes(const char *text, size_t size, const char *codes, const char *name)
{
    parsed_open();
    parse_text(parsed.ast, parsed.diag, "test.redir", slice_of(text, size));
    parsed.ast->files->items = NULL;
    is_dump(codes, name);
    stop();
}

static void limits_have_messages(void)
{
    char *text = repeat("group g {\n", 100000, "/a gone\n");
    char *name = malloc(PARSE_STRING_LIMIT + 20);

    has_codes(text, strlen(text), "R307-012:64\nR307-008:65\n", "100,000 blocks in each other");
    free(text);
    text = repeat("group g {\n", PARSE_NESTING_LIMIT, "");
    has_codes(text, strlen(text), "R307-012:64\n", "as many as may be");
    free(text);
    text = repeat("/a -> by accept { ", 100000, "");
    has_codes(text, strlen(text), "R307-009:1\nR307-012:1\n", "the same with braces that may not be nested");
    free(text);
    text = repeat("x", 1 << 20, " gone\n/b gone\n");
    text[0] = '/';
    has_codes(text, strlen(text), "R307-007:1\n", "a line of 1 MB");
    memset(text + 1, '\0', (1 << 20) - 1);
    has_codes(text, (1 << 20) + 14, "R307-007:1\nR307-002:1\n", "a line of 1 MB of NUL bytes");
    memset(text, '"', 1 << 20);
    has_codes(text, strlen(text), "R307-003:1\n", "a line of 1 MB of quotes");
    memset(text, '{', 1 << 20);
    has_codes(text, strlen(text), "R307-006:1\n", "a line of 1 MB of braces");
    free(text);
    memset(name, 'x', PARSE_STRING_LIMIT + 1);
    name[0] = '/';
    memcpy(name + PARSE_STRING_LIMIT, " gone\n", 6);
    has_codes(name, PARSE_STRING_LIMIT + 6, "", "a word as long as it may be");
    name[PARSE_STRING_LIMIT] = 'x';
    memcpy(name + PARSE_STRING_LIMIT + 1, " gone\n", 6);
    has_codes(name, PARSE_STRING_LIMIT + 7, "R307-007:1\n", "and one byte longer");
    free(name);
}

static void bytes_that_are_no_text_are_found(void)
{
    static const char bad[] = "/a\xFF gone\n# \xED\xA0\x80\n# \xC0\xAF\n# \xF4\x90\x80\x80\n# \xE2\x82\n"
                              "/\xC3\xA4 gone # \xF0\x9F\x98\x80\n";
    static const char control[] = "/a\0 gone\n/\007a gone\x7F\n";
    static const char utf16[] = "\xFF\xFE/\0a\0";

    has_codes(bad, sizeof(bad) - 1, "R307-001:1\nR307-001:2\nR307-001:3\nR307-001:4\nR307-001:5\n",
              "stray bytes, surrogates, overlong and unfinished forms");
    has_codes(utf16, sizeof(utf16) - 1, "R307-001:1\n", "UTF-16 is one mistake");
    has_codes(control, sizeof(control) - 1, "R307-002:1\nR307-002:2\n", "NUL and control bytes, one a line");
    parses("\"/\\u{0}\" gone\n\"/\\u{D800}\" gone\n\"/\\u{110000}\" gone\n\"\\n\" gone\n\"\\u{41\" gone\n\"/\\u{41}\" gone",
           " { rule '/A' = gone\n}\nR307-005:1\nR307-005:2\nR307-005:3\nR307-005:4\nR307-005:5\n",
           "nor can an escape make what is no text");
}

/* ---- files ---- */

static char folder[] = "/tmp/parse_t.XXXXXX";

static void write_file(const char *name, const char *text)
{
    char path[100];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    file = fopen(path, "wb");
    if (file == NULL || fputs(text, file) == EOF || fclose(file) != 0)
        tap_note("a file of this test could not be written");
}

static void reads(const char *name, const char *tree, const char *claim)
{
    char path[100];
    const char *reason = "";

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    parsed_open();
    if (ok(parse_file(parsed.ast, parsed.diag, path, &reason), claim))
        is_dump(tree, claim);
    stop();
}

static void files_include_files(void)
{
    char path[100];

    snprintf(path, sizeof(path), "%s/sub", folder);
    mkdir(path, 0700);
    write_file("main.redir", "include \"sub/*.redir\"\ngroup g { include sub/B.redir }\ninclude none.redir\ninclude none*\n");
    write_file("sub/a.redir", "/a gone\ninclude c.txt");
    write_file("sub/B.redir", "/B gone");
    write_file("sub/c.txt", "/c -> x\ntable t.csv");
    write_file("sub/t.csv", "/d\t/e\n");
    parsed_open();
    snprintf(path, sizeof(path), "%s/main.redir", folder);
    {
        const char *reason = "";
        const struct ast_item *first;
        char table[120];

        ok(parse_file(parsed.ast, parsed.diag, path, &reason), "a file with includes");
        first = parsed.ast->files->items->block->items;
        ok(first->kind == AST_BLOCK && first->block->kind == AST_BLOCK_INCLUDE
           && first->block->items->rule->source.text.data[1] == 'B', "a glob goes in byte order: B before a");
        ok(first->next->block->items->rule->source.text.data[1] == 'a', "then a");
        ok(first->next->next->block->items->block->kind == AST_BLOCK_INCLUDE, "an include in a group");
        first = first->next->block->items->next->block->items;
        snprintf(table, sizeof(table), "%s/sub/t.csv", folder);
        ok(first->kind == AST_TABLE && strcmp(first->table->source->path, table) == 0,
           "paths are relative to the including file");
        parsed.ast->files->items = NULL;
        is_dump("R307-014:3\nR307-017:4\nR307-011:1\n", "what is missing or wrong has its place");
    }
    stop();
}

static void includes_end(void)
{
    char name[20], text[40];

    write_file("loop.redir", "/a gone\ninclude loop2.redir");
    write_file("loop2.redir", "include \"./loop.redir\"\n/b gone");
    reads("loop.redir", " { rule /a = gone\n}\n { include { rule /b = gone\n}\n}\nR307-015:1\n", "a circle is an error");
    for (int i = 0; i <= PARSE_INCLUDE_LIMIT + 1; i++) {
        snprintf(name, sizeof(name), "deep%d", i);
        snprintf(text, sizeof(text), "include deep%d", i + 1);
        write_file(name, text);
    }
    write_file(name, "/a gone");
    parsed_open();
    {
        char path[100];
        const char *reason = "";

        snprintf(path, sizeof(path), "%s/deep1", folder);
        parse_file(parsed.ast, parsed.diag, path, &reason);
        is_number(diag_error_count(parsed.diag), 0, "files including each other as deep as they may");
        snprintf(path, sizeof(path), "%s/deep0", folder);
        parse_file(parsed.ast, parsed.diag, path, &reason);
        parsed.ast->files->items = NULL;
        is_dump("R307-016:1\n", "and one deeper");
        ok(!parse_file(parsed.ast, parsed.diag, "/nowhere/x.redir", &reason) && strcmp(reason, "No such file or directory") == 0,
           "a file of the command line that is missing is no message but a failure");
        ok(!parse_file(parsed.ast, parsed.diag, folder, &reason) && strcmp(reason, "it is a directory") == 0, "a directory likewise");
    }
    stop();
    write_file("nest.redir", "group a { group b {\ninclude nest2.redir\n} }");
    {
        char *nested = repeat("group g {\n", PARSE_NESTING_LIMIT - 1, "");

        write_file("nest2.redir", nested);
        free(nested);
    }
    parsed_open();
    {
        char path[100];
        const char *reason = "";

        snprintf(path, sizeof(path), "%s/nest.redir", folder);
        parse_file(parsed.ast, parsed.diag, path, &reason);
        parsed.ast->files->items = NULL;
        is_dump("R307-012:62\nR307-008:63\n", "nesting is counted over includes");
    }
    stop();
}

static void remove_files(void)
{
    static const char *const names[] = { "main.redir", "sub/a.redir", "sub/B.redir", "sub/c.txt", "sub/t.csv",
                                         "loop.redir", "loop2.redir", "nest.redir", "nest2.redir" };
    char path[100];

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        unlink(path);
    }
    for (int i = 0; i <= PARSE_INCLUDE_LIMIT + 1; i++) {
        snprintf(path, sizeof(path), "%s/deep%d", folder, i);
        unlink(path);
    }
    snprintf(path, sizeof(path), "%s/sub", folder);
    rmdir(path);
    rmdir(folder);
}

/* Bytes of no meaning: whatever comes, reading ends, and what is printed stays short. */
static void any_bytes_are_survived(void)
{
    static const char *const pieces[] = { "/a", " ", " ", "\n", "{", "}", " { ", " }", "\"", "\\", "->", " -> ", "~ ", "=",
                                          ";", "; ", "site", "when ", "by ", "accept", "expect ", "with", "at ", "table ",
                                          "#", "\r\n", "\0", "\xFF", "{x}", "{x:/", "/}", "header ", "query", "\xC3\xA4",
                                          "include", "permanent", "https://h/", "let ", "\t" };
    uint32_t random = 307;
    size_t rounds = 0;

    for (; rounds < 3000; rounds++) {
        char text[400];
        size_t size = 0;

        while (size < sizeof(text) - 20) {
            const char *piece;

            random = random * 1664525 + 1013904223;
            piece = pieces[(random >> 16) % (sizeof(pieces) / sizeof(pieces[0]))];
            memcpy(text + size, piece, strlen(piece) != 0 ? strlen(piece) : 1);
            size += strlen(piece) != 0 ? strlen(piece) : 1;
            if ((random >> 8) % 64 == 0)
                break;
        }
        parsed_open();
        parse_text(parsed.ast, parsed.diag, "random.redir", slice_of(text, size));
        out = open_memstream(&dumped, &dumped_size);
        diag_print_text(parsed.diag, out, false);
        fclose(out);
        if (dumped_size > 100000)
            break;
        stop();
    }
    is_number(rounds, 3000, "3,000 texts of pieces of the language in any order");
}

int main(void)
{
    if (mkdtemp(folder) == NULL)
        return 1;
    rules_have_a_source_and_more();
    plain_lines_are_rules_like_others();
    lines_end_where_a_reader_sees_it();
    braces_in_words_form_placeholders();
    blocks_hold_items();
    every_clause_is_known();
    targets_may_be_chosen();
    expectations_are_read();
    after_a_mistake_reading_goes_on();
    limits_have_messages();
    bytes_that_are_no_text_are_found();
    files_include_files();
    includes_end();
    remove_files();
    any_bytes_are_survived();
    return tap_done();
}
