/* SPDX-License-Identifier: Apache-2.0 */
/* Rules written in a test, compiled and asked in the same process: text -> ruleset -> answer. What is not compiled is
 * shown as the test's comment. Header only, over librulec. */
#ifndef T_LIB_RULES_H
#define T_LIB_RULES_H

#include "grammar/ast.h"
#include "grammar/parse.h"
#include "mod_redir307/answer.h"
#include "mod_redir307/regex.h"
#include "rulec/check.h"
#include "rulec/emit.h"
#include "rulec/lower.h"
#include "rulec/request_text.h"
#include "t/lib/tap.h"

#include <stdlib.h>

struct rules {
    struct arena *arena;
    struct source_set *sources;
    struct diag *diag;
    struct plan *plan;
    struct emit_result file; /* size 0: the text has mistakes */
    struct ruleset *ruleset; /* NULL: likewise */
    struct regex_scratch *regex;
    struct answer_scratch scratch;
};

/* Compiles and opens. False: the messages are in rules->diag. rules_close() is due in both cases. */
static inline bool rules_try(struct rules *rules, struct slice text)
{
    const struct emit_options options = { .label = NULL };

    rules->arena = arena_open();
    rules->sources = source_set_open(rules->arena);
    rules->diag = diag_open(rules->arena, rules->sources);
    rules->plan = plan_open(rules->arena, rules->sources);
    rules->file = (struct emit_result){ .size = 0 };
    rules->ruleset = NULL;
    rules->regex = regex_scratch_open();

    struct ast *ast = ast_open(rules->arena, rules->sources);
    parse_text(ast, rules->diag, "test.redir", text);
    lower(ast, rules->diag, rules->plan);
    return diag_error_count(rules->diag) == 0 && check_run(rules->plan, rules->diag)
        && emit(rules->plan, rules->diag, &options, &rules->file)
        && ruleset_open(rules->file.bytes, rules->file.size, &rules->ruleset) == RULESET_OK;
}

/* The same for a text that must be good: says what is wrong with it. */
static inline bool rules_open(struct rules *rules, const char *text)
{
    const struct diag_message *messages;

    if (ok(rules_try(rules, slice_from_string(text)), "the rules compile")) return true;
    size_t count = diag_messages(rules->diag, &messages);
    for (size_t i = 0; i < count; i++) {
        printf("#   line %u: %s\n", source_locate(rules->sources, messages[i].span.at).line, messages[i].text);
    }
    return false;
}

static inline void rules_close(struct rules *rules)
{
    ruleset_close(rules->ruleset);
    regex_scratch_close(rules->regex);
    emit_free(&rules->file);
    plan_close(rules->plan);
    source_set_close(rules->sources);
    arena_close(rules->arena);
}

/* What a request brings beside its URL. Rows end in NULL. */
struct rules_request {
    const char *method;         /* NULL: GET */
    const char *headers[16];    /* name, value, name, value ... */
    const char *env[8];         /* likewise */
    const char *flags[4];       /* those that are on */
    const uint8_t *client;      /* family, then the address; NULL: unknown */
    int64_t time_s;
    bool draws;                 /* `chance` seeds the draws; else it is what is drawn */
    uint64_t chance;
    unsigned busy_percent;
    bool is_forwarded, is_preflight;
};

static inline bool rules_find(const char *const *pairs, struct slice name, struct slice *value)
{
    for (; pairs[0]; pairs += 2) {
        struct slice own = slice_from_string(pairs[0]);
        bool is_same = own.size == name.size;

        for (size_t i = 0; is_same && i < own.size; i++)
            is_same = (own.data[i] | 32) == (name.data[i] | 32);
        if (!is_same) continue;
        *value = slice_from_string(pairs[1]);
        return true;
    }
    return false;
}

static inline bool rules_header(void *baton, struct slice name, struct slice *value)
{
    return rules_find(((const struct rules_request *)baton)->headers, name, value);
}

static inline bool rules_env(void *baton, struct slice name, struct slice *value)
{
    return rules_find(((const struct rules_request *)baton)->env, name, value);
}

static inline bool rules_flag(void *baton, struct slice name)
{
    const struct rules_request *request = baton;

    for (unsigned i = 0; request->flags[i]; i++) {
        if (slice_equal(slice_from_string(request->flags[i]), name)) return true;
    }
    return false;
}

/* Asks, and writes the answer as "307 /target", "410", "pass" or "none". A `request` of NULL is a bare GET. */
static inline struct answer rules_answer(struct rules *rules, const char *url, const struct rules_request *request,
                                         char *text, size_t size)
{
    static const struct rules_request bare;
    struct rules_request all = request ? *request : bare;
    const struct request_fields fields = { .header = rules_header, .env = rules_env, .flag = rules_flag, .baton = &all };
    char host[URL_HOST_LIMIT + 1];
    struct request_base base;
    struct request_key key;
    struct answer answer = { .outcome = ANSWER_NONE };

    request_base_init(&base);
    const char *wrong = request_from_url(slice_from_string(all.method ? all.method : "GET"), slice_from_string(url),
                                         &base, host, &key);
    if (wrong) {
        snprintf(text, size, "%s", wrong);
        return answer;
    }
    key.fields = &fields;
    if (all.client) {
        key.client.family = all.client[0];
        memcpy(key.client.address, all.client + 1, all.client[0] == 4 ? 4 : 16);
    }
    key.time_s = all.time_s;
    key.chance_is_fixed = !all.draws;
    key.chance = all.chance;
    key.busy_percent = all.busy_percent;
    key.scheme_was_forwarded = all.is_forwarded;
    key.is_preflight = all.is_preflight;
    key.regex = rules->regex;
    answer_request(rules->ruleset, &key, &rules->scratch, NULL, &answer);
    if (answer.outcome != ANSWER_SEND) {
        snprintf(text, size, answer.outcome == ANSWER_PASS ? "pass" : "none");
    } else {
        snprintf(text, size, "%u%s%.*s", answer.status, answer.location.size ? " " : "", (int)answer.location.size,
                 answer.location.size ? answer.location.data : "");
    }
    return answer;
}

/* A request, what is wanted of it, and why it matters. */
static inline bool rules_is_at(const char *file, int line, struct rules *rules, const char *url,
                               const struct rules_request *request, const char *want, const char *name)
{
    char got[ANSWER_LOCATION_LIMIT + 64];

    if (!rules->ruleset) return tap_ok_at(file, line, false, name);
    rules_answer(rules, url, request, got, sizeof(got));
    if (tap_bytes_at(file, line, got, strlen(got), want, strlen(want), name)) return true;
    printf("#   sent %s\n", url);
    return false;
}
#define answers(rules, url, want, name) rules_is_at(__FILE__, __LINE__, (rules), (url), NULL, (want), (name))
/* With more than a URL: the last arguments are members of struct rules_request. */
#define answers_to(rules, url, want, name, ...) \
    rules_is_at(__FILE__, __LINE__, (rules), (url), &(struct rules_request){ __VA_ARGS__ }, (want), (name))

#endif
