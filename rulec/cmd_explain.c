/* SPDX-License-Identifier: Apache-2.0 */
/* rulec explain: the answer to one request, the head of the response, and each rule that was considered with the
 * reason why it answers or not. The reasons come from the engine: the module's log tells the same. */
#include "config.h"

#include "rulec/answer_json.h"
#include "rulec/command.h"
#include "rulec/command_request.h"
#include "rulec/rules_input.h"

#include "grammar/arena.h"
#include "mod_redir307/answer.h"
#include "mod_redir307/trace.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct option_spec explain_options[] = {
    COMMAND_REQUEST_OPTIONS,
    { "json", NULL, NULL, "as JSON" },
    { NULL, NULL, NULL, NULL }
};

struct candidate {
    uint32_t place;
    const char *why;
};

struct explanation {
    const struct ruleset *ruleset;
    struct command_request request;
    struct request_key key;
    struct answer answer;
    struct candidate *candidates;
    size_t candidate_count, candidate_room;
    char host[URL_HOST_LIMIT + 1];
    struct answer_scratch scratch;
};

static void collect(void *baton, uint32_t place, const char *why)
{
    struct explanation *explanation = baton;

    if (explanation->candidate_count == explanation->candidate_room) {
        explanation->candidate_room = explanation->candidate_room ? 2 * explanation->candidate_room : 16;
        explanation->candidates = memory_resize(explanation->candidates, explanation->candidate_room,
                                                sizeof *explanation->candidates);
    }
    explanation->candidates[explanation->candidate_count++] = (struct candidate){ .place = place, .why = why };
}

/* The phrases of RFC 9110, 15, and RFC 7725; the module sends httpd's, which are these. */
static const char *status_phrase(unsigned status)
{
    static const struct { unsigned status; const char *phrase; } phrases[] = {
        { 301, "Moved Permanently" }, { 302, "Found" }, { 303, "See Other" }, { 307, "Temporary Redirect" },
        { 308, "Permanent Redirect" }, { 403, "Forbidden" }, { 404, "Not Found" }, { 406, "Not Acceptable" },
        { 410, "Gone" }, { 414, "Request-URI Too Long" }, { 451, "Unavailable For Legal Reasons" },
        { 503, "Service Unavailable" },
    };

    for (size_t i = 0; i < sizeof phrases / sizeof *phrases; i++)
        if (phrases[i].status == status)
            return phrases[i].phrase;
    return "";
}

static int slice_width(struct slice text)
{
    return (int)text.size; /* no text of a rule file or an answer is longer than 64 KiB */
}

static void print_candidates(const struct explanation *explanation)
{
    char text[TRACE_LINE_SIZE];

    for (size_t i = 0; i < explanation->candidate_count; i++) {
        const struct candidate *candidate = &explanation->candidates[i];
        struct slice note, owner;

        trace_candidate(explanation->ruleset, candidate->place, candidate->why, text, sizeof text);
        puts(text);
        ruleset_note(explanation->ruleset, candidate->place, &note, &owner);
        if (note.size)
            printf("    note: %.*s\n", slice_width(note), note.data);
        if (owner.size)
            printf("    owner: %.*s\n", slice_width(owner), owner.data);
    }
}

static void print_text(const struct explanation *explanation)
{
    const struct answer *answer = &explanation->answer;
    char text[TRACE_LINE_SIZE];
    struct slice name, value;

    trace_request(&explanation->key, text, sizeof text);
    printf("%s\n\n", text);
    if (answer->outcome == ANSWER_SEND) {
        printf("HTTP/1.1 %u %s\n", answer->status, status_phrase(answer->status));
        for (unsigned i = 0; answer_response_field(explanation->ruleset, answer, i, &name, &value); i++)
            printf("%.*s: %.*s\n", slice_width(name), name.data, slice_width(value), value.data);
        if (answer->is_too_long)
            puts("the target is longer than a Location may be: 414 is sent instead");
    } else {
        trace_answer(explanation->ruleset, answer, text, sizeof text);
        puts(text);
        if (answer->vary.size)
            printf("Vary: %.*s is added to the response that follows\n", slice_width(answer->vary), answer->vary.data);
    }
    if (explanation->candidate_count)
        putchar('\n');
    print_candidates(explanation);
}

static void print_json(const struct explanation *explanation)
{
    json_t *root = answer_to_json(explanation->ruleset, &explanation->answer), *candidates = json_array();

    for (size_t i = 0; i < explanation->candidate_count; i++) {
        json_t *candidate = json_object();

        answer_set_rule(candidate, explanation->ruleset, explanation->candidates[i].place);
        json_object_set_new(candidate, "why", json_from_text(explanation->candidates[i].why));
        json_array_append_new(candidates, candidate);
    }
    json_object_set_new(root, "candidates", candidates);
    json_print(root, stdout);
}

static enum command_status read_request(const struct command_line *line, struct arena *arena,
                                        struct explanation *explanation)
{
    enum command_status status = command_request_read(line, arena, &explanation->request);
    const char *wrong;

    if (status != COMMAND_GOOD)
        return status;
    wrong = request_from_url(slice_from_string(line->words[1]), slice_from_string(line->words[2]),
                             &explanation->request.base, explanation->host, &explanation->key);
    if (wrong)
        return command_usage_error(line, "\"%s\" is no request: %s", line->words[2], wrong);
    return COMMAND_GOOD;
}

static enum command_status run_explain(const struct command_line *line)
{
    struct explanation *explanation = memory_resize(NULL, 1, sizeof *explanation);
    struct regex_scratch *regex = regex_scratch_open();
    struct arena *arena = arena_open();
    struct rules_input input;
    enum command_status status;

    explanation->candidates = NULL;
    explanation->candidate_count = explanation->candidate_room = 0;
    status = read_request(line, arena, explanation);
    if (status == COMMAND_GOOD && command_open_rules(line, line->words[0], &input, &status)) {
        struct answer_trace trace = { .candidate = collect, .baton = explanation };

        explanation->ruleset = input.ruleset;
        request_facts_bind(&explanation->request.facts, regex, &explanation->key);
        answer_request(input.ruleset, &explanation->key, &explanation->scratch, &trace, &explanation->answer);
        if (options_has(line->options, "json"))
            print_json(explanation);
        else
            print_text(explanation);
        rules_input_close(&input);
    }
    free(explanation->candidates);
    free(explanation);
    regex_scratch_close(regex);
    arena_close(arena);
    return status;
}

const struct command command_explain = {
    .name = "explain",
    .summary = "say which rule answers a request, and why",
    .arguments = "RULES METHOD URL",
    .word_min = 3,
    .word_max = 3,
    .options = explain_options,
    .details = "RULES is a rule file (.r307) or a rules source (.redir). Shown are the head of the response and each\n"
               "rule that was considered, best first, with the reason why it answers or not.\n",
    .run = run_explain,
};
