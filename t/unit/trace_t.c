/* SPDX-License-Identifier: Apache-2.0 */
/* A decision in words: what stands in each line, and that no line is longer than the room for
 * it. */
#include "config.h"

#include "mod_redir307/trace.h"
#include "t/lib/tap.h"

static struct ruleset_place answered;

/* In the place of the rule file: trace asks it for nothing else. */
struct ruleset_place ruleset_place(const struct ruleset *ruleset, uint32_t place)
{
    (void)ruleset;
    (void)place;
    return answered;
}

static void a_place_is_a_file_and_a_line(void)
{
    char line[TRACE_LINE_SIZE];

    answered = (struct ruleset_place){ .source = SLICE("shop.redir"), .line = 12 };
    is_number(trace_place(NULL, 1, line, sizeof(line)), 13, "the size of a place");
    is_string(line, "shop.redir:12", "a place");
    answered.line = 4294967295u;
    trace_place(NULL, 1, line, sizeof(line));
    is_string(line, "shop.redir:4294967295", "the last line that there can be");
    answered.line = 0;
    trace_place(NULL, 1, line, sizeof(line));
    is_string(line, "shop.redir:0", "an unknown line");
    answered.source = SLICE("");
    is_number(trace_place(NULL, 1, line, sizeof(line)), 1, "the size of an unknown place");
    is_string(line, "?", "an unknown place");
}

static void a_line_never_outgrows_its_room(void)
{
    char line[32];

    answered = (struct ruleset_place){ .source = SLICE("shop.redir"), .line = 12 };
    for (size_t size = 1; size <= 20; size++) {
        size_t want = size - 1 < 13 ? size - 1 : 13;

        memset(line, '#', sizeof(line));
        if (trace_place(NULL, 1, line, size) != want || strlen(line) != want ||
            line[size] != '#') {
            ok(false, "a place is cut to its room");
            return;
        }
        memset(line, '#', sizeof(line));
        if (trace_candidate(NULL, 1, "answers", line, size) > size - 1 ||
            strlen(line) > size - 1 || line[size] != '#') {
            ok(false, "a candidate is cut to its room");
            return;
        }
    }
    ok(true, "places and candidates are cut to their room");
    is_number(trace_place(NULL, 1, line, 0), 0, "no room, nothing written");
}

static void a_candidate_says_why(void)
{
    char line[TRACE_LINE_SIZE];

    answered = (struct ruleset_place){ .source = SLICE("shop.redir"), .line = 12 };
    trace_candidate(NULL, 1, "answers", line, sizeof(line));
    is_string(line, "shop.redir:12: answers", "a candidate");
}

static void a_request_is_a_method_and_a_url(void)
{
    char line[TRACE_LINE_SIZE], small[16];
    struct request_key key = { .method = SLICE("POST"),
                               .scheme = SLICE("https"),
                               .host = SLICE("shop.example"),
                               .port = 443,
                               .path = SLICE("/pay") };

    trace_request(&key, line, sizeof(line));
    is_string(line, "POST https://shop.example/pay", "a request");
    key.port = 8443;
    key.has_query = true;
    trace_request(&key, line, sizeof(line));
    is_string(line, "POST https://shop.example:8443/pay?",
              "another port, and a bare question mark");
    key.query = SLICE("a=b");
    key.host = SLICE("::1");
    trace_request(&key, line, sizeof(line));
    is_string(line, "POST https://[::1]:8443/pay?a=b", "an IPv6 address and a query");
    is_number(trace_request(&key, small, sizeof(small)), 15, "a long request is cut");
    is_string(small, "POST https://[:", "to its room");
    key = (struct request_key){ .method = SLICE("GET"),
                                .scheme = SLICE("http"),
                                .path = SLICE("/") };
    trace_request(&key, line, sizeof(line));
    is_string(line, "GET http:///", "no host");
}

static void an_answer_names_its_rule(void)
{
    char line[TRACE_LINE_SIZE];
    struct answer answer = { .outcome = ANSWER_SEND,
                             .status = 307,
                             .location = SLICE("https://pay.example/") };

    answered = (struct ruleset_place){ .source = SLICE("shop.redir"), .line = 12 };
    trace_answer(NULL, &answer, line, sizeof(line));
    is_string(line, "307 https://pay.example/ by shop.redir:12", "a redirect");
    answer = (struct answer){ .outcome = ANSWER_SEND, .status = 410 };
    trace_answer(NULL, &answer, line, sizeof(line));
    is_string(line, "410 by shop.redir:12", "an answer without a target");
    answer = (struct answer){ .outcome = ANSWER_PASS };
    trace_answer(NULL, &answer, line, sizeof(line));
    is_string(line, "passed on by shop.redir:12", "an exception");
    answer = (struct answer){ .outcome = ANSWER_NONE };
    trace_answer(NULL, &answer, line, sizeof(line));
    is_string(line, "passed on: no rule", "no rule");
}

int main(void)
{
    a_place_is_a_file_and_a_line();
    a_line_never_outgrows_its_room();
    a_candidate_says_why();
    a_request_is_a_method_and_a_url();
    an_answer_names_its_rule();
    return tap_done();
}
