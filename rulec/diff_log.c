/* SPDX-License-Identifier: Apache-2.0 */
/* Each request of a log is asked of both rule files, with the same draw for both. */
#include "config.h"

#include "rulec/diff_log.h"

#include "rulec/log_read.h"

#include "grammar/arena.h"
#include "mod_redir307/answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ANSWER_TEXT_SIZE = ANSWER_LOCATION_LIMIT + 8, CLIENT_SIZE = 64 };

struct replay {
    struct diff_log *log;
    const struct ruleset *rulesets[2];
    struct answer_scratch scratches[2];
    const struct diff_log_options *options;
    struct request_facts facts;
    struct regex_scratch *regex;
    char host[URL_HOST_LIMIT + 1];
    char line[LOG_LINE_LIMIT];
    char url[LOG_LINE_LIMIT + URL_HOST_LIMIT + 64];
    char answers[2][ANSWER_TEXT_SIZE];
};

/* "307 /b", "410", "pass". */
static struct slice write_answer(char text[ANSWER_TEXT_SIZE], const struct answer *answer)
{
    int size;

    if (answer->outcome != ANSWER_SEND)
        return SLICE("pass");
    size = snprintf(text, ANSWER_TEXT_SIZE, "%u%s%.*s", answer->status,
                    answer->location.size ? " " : "", (int)answer->location.size,
                    answer->location.size ? answer->location.data : "");
    return slice_of(text, (size_t)size);
}

static bool answers_alike(const struct answer *a, const struct answer *b)
{
    if (a->outcome != ANSWER_SEND || b->outcome != ANSWER_SEND)
        return (a->outcome == ANSWER_SEND) == (b->outcome == ANSWER_SEND);
    return a->status == b->status && slice_equal(a->location, b->location);
}

/* "shop.example:443" of vhost_combined. */
static bool read_host(struct slice text, struct request_base *base)
{
    char name[URL_HOST_LIMIT + 16];
    bool is_https = text.size > 4 && memcmp(text.data + text.size - 4, ":443", 4) == 0;

    if (text.size + sizeof "https://" > sizeof name)
        return false;
    snprintf(name, sizeof name, "http%s://%.*s", is_https ? "s" : "", (int)text.size,
             text.data);
    return request_base_set(base, name) == NULL;
}

static void read_client(struct replay *replay, struct slice text)
{
    char address[CLIENT_SIZE];
    struct request_client client;

    replay->facts.client = replay->options->facts->client;
    if (!replay->options->takes_client || text.size == 0 || text.size >= sizeof address)
        return;
    memcpy(address, text.data, text.size);
    address[text.size] = '\0';
    if (request_client_read(address, &client))
        replay->facts.client = client;
}

static void count_url(struct replay *replay, const struct request_key *key, struct slice old,
                      struct slice new)
{
    bool has_port = key->port && key->port != url_default_port(key->scheme);
    bool is_ipv6 = key->host.size && memchr(key->host.data, ':', key->host.size);
    char port[8] = "";
    int size;

    if (has_port)
        snprintf(port, sizeof port, ":%u", key->port);
    size = snprintf(replay->url, sizeof replay->url, "%.*s %.*s%s%s%.*s%s%s%.*s%s%.*s",
                    (int)key->method.size, key->method.data,
                    key->host.size ? (int)key->scheme.size : 0, key->scheme.data,
                    key->host.size ? "://" : "", is_ipv6 ? "[" : "", (int)key->host.size,
                    key->host.data, is_ipv6 ? "]" : "", key->host.size ? port : "",
                    (int)key->path.size, key->path.data, key->has_query ? "?" : "",
                    (int)key->query.size, key->has_query ? key->query.data : "");
    url_counts_add(&replay->log->urls, slice_of(replay->url, (size_t)size), old, new);
}

static void replay_line(struct replay *replay, struct slice line)
{
    struct log_request request;
    struct request_base base;
    const struct request_base *used = replay->options->base;
    struct request_key key;
    struct answer answers[2];
    struct slice texts[2];
    const char *wrong;

    if (!log_request_read(line, replay->line, &request)) {
        replay->log->unread += line.size != 0;
        return;
    }
    if (request.host.size && read_host(request.host, &base))
        used = &base;
    wrong = request.is_url
                ? request_from_url(request.method, request.target, used, replay->host, &key)
                : request_from_target(request.method, request.target, used, replay->host, &key);
    if (wrong) {
        replay->log->unread++;
        return;
    }
    read_client(replay, request.client);
    request_facts_bind(&replay->facts, replay->regex, &key);
    for (int i = 0; i < 2; i++)
        answer_request(replay->rulesets[i], &key, &replay->scratches[i], NULL, &answers[i]);
    replay->log->requests++;
    if (answers_alike(&answers[0], &answers[1]))
        return;
    replay->log->changed++;
    for (int i = 0; i < 2; i++)
        texts[i] = write_answer(replay->answers[i], &answers[i]);
    count_url(replay, &key, texts[0], texts[1]);
}

bool diff_log_run(struct diff_log *log, const char *path, const struct ruleset *old,
                  const struct ruleset *new, const struct diff_log_options *options,
                  const char **reason)
{
    struct log_reader *reader;
    struct replay *replay;
    struct slice line;

    *log = (struct diff_log){ .requests = 0 };
    *reason = NULL;
    reader = log_reader_open(path, reason);
    if (!reader)
        return false;
    url_counts_init(&log->urls);
    replay = memory_resize(NULL, 1, sizeof *replay);
    replay->log = log;
    replay->rulesets[0] = old;
    replay->rulesets[1] = new;
    replay->options = options;
    replay->facts = *options->facts;
    replay->regex = regex_scratch_open();
    while (log_reader_next(reader, &line, reason))
        replay_line(replay, line);
    regex_scratch_close(replay->regex);
    free(replay);
    log_reader_close(reader);
    return *reason == NULL;
}

void diff_log_fini(struct diff_log *log)
{
    url_counts_fini(&log->urls);
}
