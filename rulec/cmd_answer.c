/* SPDX-License-Identifier: Apache-2.0 */
/* rulec answer: what the module would say, one line a request. A log can be replayed at full speed:
 * the lines are read and written in large blocks and nothing is allocated for a line, unless it is
 * JSON. */
#include "config.h"

#include "rulec/answer_json.h"
#include "rulec/command.h"
#include "rulec/command_request.h"
#include "rulec/request_json.h"
#include "rulec/rules_input.h"

#include "grammar/arena.h"
#include "mod_redir307/answer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct option_spec answer_options[] = { COMMAND_REQUEST_OPTIONS,
                                                     { NULL, NULL, NULL, NULL } };

enum {
    INPUT_SIZE = 1 << 20, /* longest line, and bytes of one read() */
    OUTPUT_SIZE = 1 << 20,
    JSON_ANSWER_LIMIT = OUTPUT_SIZE / 2,
    /* room that one answer line may need */
    LINE_ROOM = ANSWER_LOCATION_LIMIT + 256
};

struct replay {
    const struct ruleset *ruleset;
    struct command_request request;
    struct regex_scratch *regex;
    struct answer_scratch scratch;
    char host[URL_HOST_LIMIT + 1];
    uint64_t line_count, bad_count, first_bad;
    const char *first_reason;
    size_t output_size;
    char output[OUTPUT_SIZE];
};

/* False: standard output cannot be written, errno says why. */
static bool flush_output(struct replay *replay)
{
    size_t done = 0;

    while (done < replay->output_size) {
        ssize_t written =
            write(STDOUT_FILENO, replay->output + done, replay->output_size - done);

        if (written < 0 && errno != EINTR)
            return false;
        if (written > 0)
            done += (size_t)written;
    }
    replay->output_size = 0;
    return true;
}

static void put(struct replay *replay, struct slice text)
{
    memcpy(replay->output + replay->output_size, text.data, text.size);
    replay->output_size += text.size;
}

static void put_answer(struct replay *replay, const struct answer *answer)
{
    char status[4];

    if (answer->outcome != ANSWER_SEND) {
        put(replay, SLICE("pass\n"));
        return;
    }
    status[0] = (char)('0' + answer->status / 100 % 10);
    status[1] = (char)('0' + answer->status / 10 % 10);
    status[2] = (char)('0' + answer->status % 10);
    status[3] = ' ';
    put(replay, slice_of(status, answer->location.size ? 4 : 3));
    if (answer->location.size)
        put(replay, answer->location);
    put(replay, SLICE("\n"));
}

static void answer_bad(struct replay *replay, const char *reason)
{
    if (replay->bad_count++ == 0) {
        replay->first_bad = replay->line_count;
        replay->first_reason = reason;
    }
    put(replay, SLICE("invalid\n"));
}

/* One line, too; members as `rulec explain --json` has them, but for the candidates. */
static void put_answer_json(struct replay *replay, const struct answer *answer)
{
    json_t *root = answer_to_json(replay->ruleset, answer);
    char *text = json_dumps(root, JSON_COMPACT);

    json_decref(root);
    /* A damaged rule file could name fields without end. */
    if (text && strlen(text) <= JSON_ANSWER_LIMIT)
        put(replay, slice_from_string(text));
    else
        put(replay, SLICE("{}"));
    put(replay, SLICE("\n"));
    free(text);
}

/* A request with all that conditions may ask about. */
static void answer_json_line(struct replay *replay, struct slice line)
{
    struct command_request request = replay->request;
    struct arena *arena = arena_open();
    struct request_key key;
    struct answer answer;
    const char *wrong = request_from_json(line, arena, &request, replay->host, &key);

    replay->line_count++;
    if (wrong) {
        answer_bad(replay, wrong);
    } else {
        request_facts_bind(&request.facts, replay->regex, &key);
        answer_request(replay->ruleset, &key, &replay->scratch, NULL, &answer);
        put_answer_json(replay, &answer);
    }
    arena_close(arena);
}

/* `METHOD URL`, or a request line as logs have it: `METHOD TARGET HTTP/1.1`. */
static void answer_line(struct replay *replay, struct slice line)
{
    struct slice method = slice_next_word(&line), url = slice_next_word(&line), version = slice_next_word(&line);
    struct request_key key;
    struct answer answer;
    const char *wrong;

    replay->line_count++;
    if (version.size == 0)
        wrong = request_from_url(method, url, &replay->request.base, replay->host, &key);
    else if (slice_starts_with(version, SLICE("HTTP/")) && slice_next_word(&line).size == 0)
        wrong = request_from_target(method, url, &replay->request.base, replay->host, &key);
    else
        wrong = "a line is METHOD URL";
    if (wrong) {
        answer_bad(replay, wrong);
        return;
    }
    request_facts_bind(&replay->request.facts, replay->regex, &key);
    answer_request(replay->ruleset, &key, &replay->scratch, NULL, &answer);
    put_answer(replay, &answer);
}

/* Answers all whole lines of the block; returns the bytes used up. False in *is_good: the output
 * failed. */
static size_t answer_block(struct replay *replay, const char *block, size_t size, bool *is_good)
{
    size_t at = 0;
    const char *line_end;

    while (at < size && (line_end = memchr(block + at, '\n', size - at))) {
        struct slice line = slice_without_cr(slice_of(block + at, (size_t)(line_end - block) - at));
        bool is_json = slice_starts_with(line, SLICE("{"));
        size_t room = is_json ? JSON_ANSWER_LIMIT + LINE_ROOM : LINE_ROOM;

        if (OUTPUT_SIZE - replay->output_size < room && !flush_output(replay)) {
            *is_good = false;
            return at;
        }
        if (is_json)
            answer_json_line(replay, line);
        else
            answer_line(replay, line);
        at = (size_t)(line_end - block) + 1;
    }
    return at;
}

static enum command_status output_failed(const struct command_line *line)
{
    return command_machine_error(line, "standard output: %s", strerror(errno));
}

static enum command_status replay_lines(const struct command_line *line, struct replay *replay)
{
    char *block = memory_resize(NULL, INPUT_SIZE + 1, 1);
    size_t size = 0;
    bool is_good = true, skips = false; /* skips: the rest of a line that is too long */
    enum command_status status = COMMAND_GOOD;

    for (;;) {
        ssize_t got = read(STDIN_FILENO, block + size, INPUT_SIZE - size);
        size_t used = 0;

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            status = command_machine_error(line, "standard input: %s", strerror(errno));
            break;
        }
        size += (size_t)got;
        if (got == 0 && size && !skips)
            block[size++] = '\n'; /* the last line may lack its end */
        if (skips) {
            const char *line_end = memchr(block, '\n', size);

            used = line_end ? (size_t)(line_end - block) + 1 : size;
            skips = !line_end;
        }
        used += answer_block(replay, block + used, size - used, &is_good);
        if (!is_good || !flush_output(replay)) {
            status = output_failed(line);
            break;
        }
        if (used == 0 && size >= INPUT_SIZE) {
            replay->line_count++;
            answer_bad(replay, "the line is too long");
            skips = true;
            used = size;
        }
        memmove(block, block + used, size - used);
        size -= used;
        if (got == 0)
            break;
    }
    if (status == COMMAND_GOOD && !flush_output(replay))
        status = output_failed(line);
    free(block);
    return status;
}

static enum command_status run_lines(const struct command_line *line, struct replay *replay)
{
    enum command_status status = replay_lines(line, replay);

    if (status != COMMAND_GOOD || replay->bad_count == 0)
        return status;
    return command_usage_error(
        line,
        "%" PRIu64 " of %" PRIu64 " lines are no requests; the first is line %" PRIu64 ": %s",
        replay->bad_count, replay->line_count, replay->first_bad, replay->first_reason);
}

static enum command_status run_one(const struct command_line *line, struct replay *replay)
{
    struct request_key key;
    struct answer answer;
    const char *wrong =
        request_from_url(slice_from_string(line->words[1]), slice_from_string(line->words[2]),
                         &replay->request.base, replay->host, &key);

    if (wrong)
        return command_usage_error(line, "\"%s\" is no request: %s", line->words[2], wrong);
    request_facts_bind(&replay->request.facts, replay->regex, &key);
    answer_request(replay->ruleset, &key, &replay->scratch, NULL, &answer);
    put_answer(replay, &answer);
    return flush_output(replay) ? COMMAND_GOOD : output_failed(line);
}

static enum command_status run_answer(const struct command_line *line)
{
    bool reads_lines = line->word_count == 2 && strcmp(line->words[1], "-") == 0;
    enum command_status status;
    struct rules_input input;
    struct replay *replay;
    struct arena *arena;

    if (line->word_count != 3 && !reads_lines)
        return command_usage_error(
            line, "it takes RULES METHOD URL, or RULES - and lines on standard input");
    if (reads_lines && strcmp(line->words[0], "-") == 0)
        return command_usage_error(line,
                                   "rules and requests cannot both come from standard input");
    arena = arena_open();
    replay = memory_resize(NULL, 1, sizeof *replay);
    replay->line_count = replay->bad_count = replay->first_bad = 0;
    replay->first_reason = NULL;
    replay->output_size = 0;
    replay->regex = regex_scratch_open();
    status = command_request_read(line, arena, &replay->request);
    if (status == COMMAND_GOOD && command_open_rules(line, line->words[0], &input, &status)) {
        replay->ruleset = input.ruleset;
        status = reads_lines ? run_lines(line, replay) : run_one(line, replay);
        rules_input_close(&input);
    }
    regex_scratch_close(replay->regex);
    free(replay);
    arena_close(arena);
    return status;
}

const struct command command_answer = {
    .name = "answer",
    .summary = "answer requests as the server would, one line each",
    .arguments = "RULES METHOD URL | RULES -",
    .word_min = 2,
    .word_max = 3,
    .options = answer_options,
    .details = "RULES is a rule file (.r307) or a rules source (.redir). With \"-\", each line "
               "of standard input is\n"
               "METHOD URL, or a request line out of a log (GET /a HTTP/1.1). A line of the "
               "answer is STATUS TARGET,\n"
               "STATUS alone where there is no target, pass where the request is left to the "
               "server, or invalid.\n"
               "A line of JSON, as in {\"method\": \"GET\", \"url\": \"/a\", \"client\": "
               "\"10.1.2.3\"}, is answered by\n"
               "a line of JSON; rulec(1) names the members.\n",
    .run = run_answer,
};
