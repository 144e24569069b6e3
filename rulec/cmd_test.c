/* SPDX-License-Identifier: Apache-2.0 */
/* rulec test: every `expect` and every exact rule, asked in process, as TAP. */
#include "config.h"

#include "rulec/command.h"
#include "rulec/compilation.h"
#include "rulec/expect_run.h"
#include "rulec/http_ask.h"

#include "grammar/arena.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct option_spec test_options[] = {
    { "against", NULL, "URL", "ask a live server: http://HOST:PORT; the rules' hosts are sent as Host fields" },
    { "coverage", NULL, NULL, "list the rules that no expect reached" },
    { "verbose", "v", NULL, "one line for each exact rule, instead of one for all of a file" },
    { NULL, NULL, NULL, NULL }
};

enum {
    SHOWN_FAILURES = 20, /* of the rules of one file, unless --verbose */
    LINE_SHOWN = 100     /* bytes of a rule's line */
};

/* The exact rules of one source file. */
struct file_tests {
    const struct source *source;
    uint64_t held, failed, skipped;
};

struct test_run {
    const struct compilation *compilation;
    struct expect_runner *runner;
    uint64_t number, failed;
    bool is_verbose;
    uint32_t *reached;     /* places of the rules that answered an expect; NULL: nobody wants to know */
    size_t reached_count;
};

static void print_place(const struct compilation *compilation, uint32_t at)
{
    struct source_place place = source_locate(compilation->sources, at);

    printf("%s:%" PRIu32, place.source ? place.source->path : "?", place.line);
}

static void print_answered_at(const struct test_run *run)
{
    uint32_t at = expect_answered_at(run->runner);

    for (size_t i = 0; at && i < source_count(run->compilation->sources); i++) {
        const struct source *source = source_at(run->compilation->sources, i);

        if (at > source->first_line && at - source->first_line <= source->line_count) {
            printf(" by %s:%" PRIu32, source->path, at - source->first_line);
            return;
        }
    }
}

/* Comments of TAP: what was wanted and what came. */
static void print_difference(const struct test_run *run)
{
    printf("# wanted %s\n# got    %s", expect_wanted(run->runner), expect_got(run->runner));
    print_answered_at(run);
    putchar('\n');
}

static void run_expects(struct test_run *run)
{
    const struct plan *plan = run->compilation->plan;

    for (uint32_t i = 0; i < plan->expect_count; i++) {
        const struct plan_expect *expect = &plan->expects[i];
        enum expect_verdict verdict = expect_run_line(run->runner, expect);

        if (run->reached && expect_answered_at(run->runner))
            run->reached[run->reached_count++] = expect_answered_at(run->runner);
        printf("%s %" PRIu64 " - ", verdict == EXPECT_FAILS ? "not ok" : "ok", ++run->number);
        print_place(run->compilation, expect->span.at);
        printf(": %.*s %.*s", (int)expect->method.size, expect->method.data, (int)expect->url.size, expect->url.data);
        if (verdict == EXPECT_SKIPPED)
            printf(" # SKIP %s", expect_got(run->runner));
        putchar('\n');
        if (verdict != EXPECT_FAILS)
            continue;
        run->failed++;
        print_difference(run);
    }
}

/* Exact rules without conditions, those that are tests of themselves. */
static bool is_test(const struct plan *plan, const struct plan_rule *rule)
{
    return !rule->pattern && rule->path.size && plan->actions[rule->action].condition_count == 0;
}

static void print_rule(const struct test_run *run, const struct plan_rule *rule, enum expect_verdict verdict)
{
    printf("%s %" PRIu64 " - ", verdict == EXPECT_FAILS ? "not ok" : "ok", run->number);
    print_place(run->compilation, rule->span.at);
    printf(": %.*s", (int)rule->path.size, rule->path.data);
    if (verdict == EXPECT_SKIPPED) {
        printf(" # SKIP rules with conditions or override answer before it");
        print_answered_at(run);
    }
    putchar('\n');
}

static void run_rule(struct test_run *run, struct file_tests *file, uint32_t index)
{
    const struct plan_rule *rule = &run->compilation->plan->rules[index];
    enum expect_verdict verdict = expect_run_rule(run->runner, index);

    file->held += verdict == EXPECT_HOLDS;
    file->skipped += verdict == EXPECT_SKIPPED;
    file->failed += verdict == EXPECT_FAILS;
    if (run->is_verbose) {
        run->number++;
        print_rule(run, rule, verdict);
        if (verdict == EXPECT_FAILS)
            print_difference(run);
    } else if (verdict == EXPECT_FAILS && file->failed <= SHOWN_FAILURES) {
        printf("# ");
        print_place(run->compilation, rule->span.at);
        printf(": %.*s\n", (int)rule->path.size, rule->path.data);
        print_difference(run);
    }
}

static void print_file(struct test_run *run, const struct file_tests *file)
{
    if (run->is_verbose || !file->source)
        return;
    printf("%s %" PRIu64 " - %s: %" PRIu64 " exact rules answer for themselves", file->failed ? "not ok" : "ok",
           ++run->number, file->source->path, file->held);
    if (file->failed)
        printf(", %" PRIu64 " do not", file->failed);
    if (file->skipped)
        printf(", %" PRIu64 " stand behind rules with conditions or override", file->skipped);
    putchar('\n');
}

static int compare_by_place(const void *a, const void *b)
{
    const uint32_t *left = a, *right = b;

    return (left[0] > right[0]) - (left[0] < right[0]);
}

/* In the order of their places, so that the rules of a file are together whatever it includes. */
static void run_rules(struct test_run *run)
{
    const struct plan *plan = run->compilation->plan;
    uint32_t (*order)[2] = memory_resize(NULL, plan->rule_count, sizeof *order);
    struct file_tests file = { .source = NULL };
    size_t count = 0;

    for (uint32_t i = 0; i < plan->rule_count; i++) {
        if (!is_test(plan, &plan->rules[i]))
            continue;
        order[count][0] = plan->rules[i].span.at;
        order[count++][1] = i;
    }
    if (count)
        qsort(order, count, sizeof *order, compare_by_place);
    for (size_t i = 0; i < count; i++) {
        uint32_t at = order[i][0];

        if (!file.source || at - file.source->at >= file.source->text.size) {
            print_file(run, &file);
            run->failed += file.failed;
            file = (struct file_tests){ .source = source_locate(run->compilation->sources, at).source };
        }
        run_rule(run, &file, order[i][1]);
    }
    print_file(run, &file);
    run->failed += file.failed;
    free(order);
}

static int compare_places(const void *a, const void *b)
{
    const uint32_t *left = a, *right = b;

    return (*left > *right) - (*left < *right);
}

/* As comments of TAP: a rule without an expect is no failure. */
static void print_coverage(const struct test_run *run)
{
    const struct compilation *compilation = run->compilation;
    const struct plan *plan = compilation->plan;
    uint32_t missed = 0;

    if (run->reached_count)
        qsort(run->reached, run->reached_count, sizeof *run->reached, compare_places);
    for (uint32_t i = 0; i < plan->rule_count; i++) {
        uint32_t at = plan->rules[i].span.at, place = source_line_in_all(compilation->sources, at);
        struct slice line;

        if (run->reached_count &&
            bsearch(&place, run->reached, run->reached_count, sizeof *run->reached, compare_places))
            continue;
        missed++;
        line = source_locate(compilation->sources, at).line_text;
        while (line.size && (*line.data == ' ' || *line.data == '\t'))
            line = slice_of(line.data + 1, line.size - 1);
        printf("# no expect reaches ");
        print_place(compilation, at);
        printf(": %.*s\n", (int)(line.size < LINE_SHOWN ? line.size : LINE_SHOWN), line.data);
    }
    printf("# %" PRIu32 " of %" PRIu32 " rules are reached by an expect\n", plan->rule_count - missed, plan->rule_count);
}

static enum command_status run_tests(const struct command_line *line, const struct compilation *compilation,
                                     struct http_asker *server)
{
    struct test_run run = { .compilation = compilation, .is_verbose = options_has(line->options, "verbose") };
    struct ruleset *ruleset;
    enum ruleset_status opened = ruleset_open(compilation->file.bytes, compilation->file.size, &ruleset);

    if (opened != RULESET_OK)
        return command_machine_error(line, "the rule file just made is not good: %s", ruleset_strerror(opened));
    run.runner = expect_runner_open(compilation->plan, ruleset);
    expect_runner_against(run.runner, server);
    if (options_has(line->options, "coverage"))
        run.reached = memory_resize(NULL, compilation->plan->expect_count + 1u, sizeof *run.reached);
    puts("TAP version 13");
    run_expects(&run);
    run_rules(&run);
    if (run.number)
        printf("1..%" PRIu64 "\n", run.number);
    else
        puts("1..0 # SKIP the rules hold no test: no expect, no exact rule without conditions");
    if (run.reached)
        print_coverage(&run);
    free(run.reached);
    expect_runner_close(run.runner);
    ruleset_close(ruleset);
    return run.failed ? COMMAND_RULES : COMMAND_GOOD;
}

/* COMMAND_GOOD: *server is the one that --against names, NULL where there is none. */
static enum command_status open_server(const struct command_line *line, struct http_asker **server)
{
    const char *url = options_value(line->options, "against"), *reason;

    *server = NULL;
    if (!url)
        return COMMAND_GOOD;
    if (options_has(line->options, "coverage"))
        return command_usage_error(line, "a server does not say which rule answered: --coverage is without --against");
    if (!http_ask_is_built())
        return command_usage_error(line, "this rulec was built without libcurl: it cannot ask a server");
    if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)
        return command_usage_error(line, "--against is http://HOST:PORT, not \"%s\"", url);
    *server = http_asker_open(url, &reason);
    return *server ? COMMAND_GOOD : command_machine_error(line, "--against \"%s\": %s", url, reason);
}

static enum command_status run_test(const struct command_line *line)
{
    struct compilation compilation;
    struct http_asker *server;
    enum command_status status = open_server(line, &server);

    if (status != COMMAND_GOOD)
        return status;
    if (compilation_run(&compilation, line->words, line->word_count,
                        &(struct compilation_options){ .warnings_are_errors = false })) {
        status = run_tests(line, &compilation, server);
    } else {
        puts("Bail out! The rules do not compile.");
        if (compilation.failed_path) {
            status = command_machine_error(line, "%s: %s", compilation.failed_path, compilation.failed_reason);
        } else {
            fflush(stdout);
            diag_print_text(compilation.diag, stderr, line->colored_error);
            status = COMMAND_RULES;
        }
    }
    compilation_close(&compilation);
    http_asker_close(server);
    return status;
}

const struct command command_test = {
    .name = "test",
    .summary = "run the tests in the rules: every expect, every exact rule",
    .arguments = "FILE.redir...",
    .word_min = 1,
    .word_max = -1,
    .options = test_options,
    .details = "The output is TAP. Several files are one set of rules, as for compile.\n",
    .run = run_test,
};
