/* SPDX-License-Identifier: Apache-2.0 */
/* The `by` forms: which line is taken, by what the request names, sends or is; weights; bytes that are no choice. */
#include "config.h"

#include "mod_redir307/choice.h"
#include "t/lib/rules.h"

static struct rules rules;

static void by_accept(void)
{
    static const char browser[] = "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8";

    if (rules_open(&rules, "/onto -> by accept {\n"
                           "    text/turtle application/n-triples              /onto.ttl\n"
                           "    application/ld+json                            /onto.json temporary\n"
                           "    text/html application/xhtml+xml otherwise      /onto.html found\n"
                           "} see-other\n"
                           "/strict -> by accept {\n    text/turtle /s.ttl\n    text/html /s.html\n}\n"
                           "/none -> by accept {\n    text/turtle /n.ttl\n    otherwise 406\n}\n")) {
        answers_to(&rules, "/onto", "303 /onto.ttl", "what is named", .headers = { "Accept", "text/turtle" });
        answers_to(&rules, "/onto", "303 /onto.ttl", "by its second name", .headers = { "Accept", "application/n-triples" });
        answers_to(&rules, "/onto", "307 /onto.json", "a line with a status of its own",
                   .headers = { "Accept", "application/ld+json" });
        answers_to(&rules, "/onto", "302 /onto.html", "a browser", .headers = { "Accept", browser });
        answers_to(&rules, "/onto", "302 /onto.html", "no field", .method = "GET");
        answers_to(&rules, "/onto", "302 /onto.html", "an empty one", .headers = { "Accept", " " });
        answers_to(&rules, "/onto", "302 /onto.html", "*/* is no wish for the first line", .headers = { "Accept", "*/*" });
        answers_to(&rules, "/onto", "302 /onto.html", "something else", .headers = { "Accept", "image/png" });
        answers_to(&rules, "/onto", "303 /onto.ttl", "text/* names the first of its type", .headers = { "Accept", "text/*" });
        answers_to(&rules, "/onto", "302 /onto.html", "the highest q wins",
                   .headers = { "Accept", "text/turtle;q=0.5, text/html;q=0.6" });
        answers_to(&rules, "/onto", "303 /onto.ttl", "then the first written",
                   .headers = { "Accept", "text/html;q=0.5, text/turtle;q=0.5" });
        answers_to(&rules, "/onto", "302 /onto.html", "q=0 names nothing",
                   .headers = { "Accept", "text/turtle;q=0, application/n-triples;q=0, text/html;q=0.1" });
        answers_to(&rules, "/onto", "302 /onto.html", "everything refused", .headers = { "Accept", "text/turtle;q=0" });
        answers_to(&rules, "/strict", "307 /s.ttl", "without otherwise */* takes the first line",
                   .headers = { "Accept", "*/*" });
        answers_to(&rules, "/strict", "307 /s.ttl", "as does no field", .method = "GET");
        answers_to(&rules, "/strict", "none", "anything else does not hold", .headers = { "Accept", "image/png" });
        answers_to(&rules, "/strict", "307 /s.html", "and that is no line which is refused",
                   .headers = { "Accept", "text/turtle;q=0, */*" });
        answers_to(&rules, "/strict", "none", "nor does it hold where all are",
                   .headers = { "Accept", "*/*, text/*;q=0" });
        answers_to(&rules, "/strict", "none", "*/*;q=0 refuses all", .headers = { "Accept", "*/*;q=0" });
        answers_to(&rules, "/none", "406", "a line that is a status", .headers = { "Accept", "image/png" });
        answers_to(&rules, "/none", "307 /n.ttl", "and one that is not", .headers = { "Accept", "text/turtle" });
    }
    rules_close(&rules);
}

static void by_language(void)
{
    if (rules_open(&rules, "/ -> by language { de /de/; fr /fr/; otherwise /en/ } found\n"
                           "/n -> by language {\n de-ch /ch/\n de /de/\n}\n")) {
        answers_to(&rules, "/", "302 /de/", "named", .headers = { "Accept-Language", "de" });
        answers_to(&rules, "/", "302 /de/", "a longer range", .headers = { "Accept-Language", "de-AT, fr;q=0.9" });
        answers_to(&rules, "/", "302 /fr/", "the highest q", .headers = { "Accept-Language", "de;q=0.8, fr;q=0.9" });
        answers_to(&rules, "/", "302 /en/", "none of them", .headers = { "Accept-Language", "it" });
        answers_to(&rules, "/", "302 /en/", "*", .headers = { "Accept-Language", "*" });
        answers_to(&rules, "/", "302 /en/", "refused", .headers = { "Accept-Language", "de;q=0" });
        answers_to(&rules, "/", "302 /en/", "no field", .method = "GET");
        answers_to(&rules, "/n", "307 /ch/", "a shorter range names the longer key", .headers = { "Accept-Language", "de" });
        answers_to(&rules, "/n", "307 /de/", "another region", .headers = { "Accept-Language", "de-AT" });
        answers_to(&rules, "/n", "307 /ch/", "the first where nothing is said", .method = "GET");
        answers_to(&rules, "/n", "307 /de/", "or the first that is not refused: de is more than de-CH",
                   .headers = { "Accept-Language", "*, de-ch;q=0" });
        answers_to(&rules, "/n", "none", "a language is refused with its regions",
                   .headers = { "Accept-Language", "*, de;q=0" });
        answers_to(&rules, "/n", "none", "something else", .headers = { "Accept-Language", "it" });
    }
    rules_close(&rules);
}

static void by_a_value(void)
{
    if (rules_open(&rules, "/h -> by header X-App { ios /ios; android /android; otherwise /web }\n"
                           "/c -> by cookie region {\n eu us /west\n asia /east\n}\n/c -> /c2\n"
                           "/m -> by method { GET /read; POST PUT /write 308 }\n")) {
        answers_to(&rules, "/h", "307 /ios", "a header", .headers = { "x-app", " ios " });
        answers_to(&rules, "/h", "307 /web", "case counts", .headers = { "X-App", "iOS" });
        answers_to(&rules, "/h", "307 /web", "absent", .method = "GET");
        answers_to(&rules, "/c", "307 /west", "a cookie", .headers = { "Cookie", "a=1; region=us" });
        answers_to(&rules, "/c", "307 /east", "another", .headers = { "Cookie", "region=\"asia\"" });
        answers_to(&rules, "/c", "307 /c2", "no line: the next rule", .headers = { "Cookie", "region=mars" });
        answers_to(&rules, "/c", "307 /c2", "no cookie", .method = "GET");
        answers_to(&rules, "/m", "307 /read", "HEAD is a GET", .method = "HEAD");
        answers_to(&rules, "/m", "308 /write", "a method", .method = "PUT");
        answers_to(&rules, "/m", "none", "none named", .method = "DELETE");
    }
    rules_close(&rules);
}

static void by_weight(void)
{
    if (rules_open(&rules, "/ch/* -> by chance { 70 https://eu.example/*; 30 https://us.example/* }\n"
                           "/cl -> by client { 1 /1; 1 /2; 2 /3 }\n")) {
        unsigned counts[4] = { 0 }, moved = 0;
        char got[64], again[64];

        answers_to(&rules, "/ch/a", "307 https://eu.example/a", "the first draw", .chance = 0);
        answers_to(&rules, "/ch/a", "307 https://eu.example/a", "the last of the first", .chance = 699999);
        answers_to(&rules, "/ch/a", "307 https://us.example/a", "the first of the second", .chance = 700000);
        answers_to(&rules, "/ch/a", "307 https://us.example/a", "the last draw", .chance = 999999);
        for (unsigned i = 0; i < 8000; i++) {
            const uint8_t client[] = { 4, 10, 0, (uint8_t)(i >> 8), (uint8_t)i };
            struct rules_request request = { .client = client, .chance = i };

            rules_answer(&rules, "/cl", &request, got, sizeof(got));
            request.chance = i * 7919;
            request.time_s = i;
            rules_answer(&rules, "/cl", &request, again, sizeof(again));
            moved += strcmp(got, again) != 0;
            counts[(got[5] - '0') & 3]++;
        }
        is_number(moved, 0, "the same client, the same target");
        ok(counts[1] > 1800 && counts[1] < 2200 && counts[2] > 1800 && counts[2] < 2200 && counts[3] > 3700,
           "shared out by weight");
        struct answer answer = rules_answer(&rules, "/cl", NULL, got, sizeof(got));
        ok(answer.outcome == ANSWER_SEND, "a client that is not known gets one, too");
        is_slice(answer.cache_control, "no-store", "which no cache may keep");
    }
    rules_close(&rules);
    ok(!rules_try(&rules, SLICE("/a -> by chance { 0 /never; 5 /always }")), "a weight of 0 is none");
    rules_close(&rules);
}

static void what_was_read_is_told(void)
{
    char got[64];

    if (rules_open(&rules, "/a -> by accept { text/turtle /t; otherwise /o }\n/l -> by language { de /d }\n"
                           "/h -> by header X-App { a /a }\n/c -> by cookie k { a /a }\n/m -> by method { GET /a }\n"
                           "/q/{x} -> by accept { text/turtle /{x}.ttl; otherwise https://t.example/{x}?f={x} }\n")) {
        is_slice(rules_answer(&rules, "/a", NULL, got, sizeof(got)).vary, "Accept", "Accept");
        is_slice(rules_answer(&rules, "/l", NULL, got, sizeof(got)).vary, "Accept-Language", "Accept-Language");
        is_slice(rules_answer(&rules, "/h", NULL, got, sizeof(got)).vary, "X-App", "also where no line is taken");
        is_slice(rules_answer(&rules, "/c", NULL, got, sizeof(got)).vary, "Cookie", "Cookie");
        is_slice(rules_answer(&rules, "/m", NULL, got, sizeof(got)).vary, "", "a method is part of the cache's key");
        answers(&rules, "/q/a%2Fb", "307 https://t.example/a%2Fb?f=a%2Fb", "targets have placeholders");
        answers_to(&rules, "/q/..%2F", "307 /..%2F.ttl", "each line its own", .headers = { "Accept", "text/turtle" });
    }
    rules_close(&rules);
}

/* ---- bytes that are no choice ---- */

static void damaged_choices_hold_nothing(void)
{
    static const uint8_t good[] = { CHOICE_BY_METHOD, 0, 0, 2, 0,                                 /* two lines */
                                    0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 3, 0, 'G', 'E', 'T', 2, 0, '/', 'a',
                                    1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 2, 0, '/', 'b' };
    const struct request_key key = { .method = SLICE("GET"), .client = { .family = 4 }, .chance_is_fixed = true };
    static struct lookup lookup;
    struct reads reads = { .field_count = 0 };
    struct choice_line line;
    struct slice name;
    unsigned by;

    lookup.key = &key;
    struct slice whole = slice_of((const char *)good, sizeof(good));
    ok(choice_pick(&lookup, whole, 1, &reads, &line), "a choice");
    is_slice(line.target, "/a", "its line");
    ok(choice_line_at(whole, 1, &by, &name, &line) && by == CHOICE_BY_METHOD, "the second line");
    is_slice(line.target, "/b", "its target");
    ok(!choice_line_at(whole, 2, &by, &name, &line), "no third");

    for (size_t size = 0; size < sizeof(good); size++) {
        uint8_t *cut = malloc(size ? size : 1);

        memcpy(cut, good, size);
        choice_pick(&lookup, slice_of((const char *)cut, size), 1, &reads, &line);
        if (choice_line_at(slice_of((const char *)cut, size), 1, &by, &name, &line)) ok(false, "a choice cut off");
        free(cut);
    }
    uint8_t *damaged = malloc(sizeof(good));
    for (size_t at = 0; at < sizeof(good); at++) {
        for (unsigned value = 0; value < 256; value++) {
            memcpy(damaged, good, sizeof(good));
            damaged[at] = (uint8_t)value;
            struct slice bytes = slice_of((const char *)damaged, sizeof(good));
            const char *end = bytes.data + bytes.size;

            if (!choice_pick(&lookup, bytes, 1, &reads, &line)) continue;
            if (line.target.size && (line.target.data < bytes.data || line.target.data + line.target.size > end)) {
                ok(false, "a target outside of the choice");
            }
        }
    }
    ok(true, "every byte was tried");
    free(damaged);
}

int main(void)
{
    by_accept();
    by_language();
    by_a_value();
    by_weight();
    what_was_read_is_told();
    damaged_choices_hold_nothing();
    return tap_done();
}
