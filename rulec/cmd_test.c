/* SPDX-License-Identifier: Apache-2.0 */
/* rulec test: every `expect` and every exact rule, asked in process or of a server, as TAP or JSON. */
#include "config.h"

#include "rulec/command.h"
#include "rulec/compilation.h"
#include "rulec/coverage.h"
#include "rulec/expect_run.h"
#include "rulec/http_ask.h"
#include "rulec/json_out.h"

#include "grammar/arena.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct option_spec test_options[] = {
    { "against", NULL, "URL", "ask a live server: http://HOST:PORT; the rules' hosts are sent as Host fields" },
    { "coverage", NULL, NULL, "list the rules that no expect reached" },
    { "json", NULL, NULL, "as JSON, instead of TAP" },
    { "now", NULL, "TIME", "what is now (the clock's time unless given)" },
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
    struct coverage *coverage; /* NULL: nobody wants to know */
    json_t *expects, *files;   /* arrays; NULL: TAP is printed */
    json_t *failures;          /* of the file's exact rules */
};

static void print_place(const struct compilation *compilation, uint32_t at)
{
    struct source_place place = source_locate(compilation->sources, at);

    printf("%s:%" PRIu32, place.source ? place.source->path : "?", place.line);
}

/* The line of a rule that answered. False: none did. */
static bool find_answered_at(const struct test_run *run, const char **path, uint32_t *line)
{
    uint32_t at = expect_answered_at(run->runner);

    for (size_t i = 0; at && i < source_count(run->compilation->sources); i++) {
        const struct source *source = source_at(run->compilation->sources, i);

        if (at > source->first_line && at - source->first_line <= source->line_count) {
            *path = source->path;
            *line = at - source->first_line;
            return true;
        }
    }
    return false;
}

static void print_answered_at(const struct test_run *run)
{
    const char *path;
    uint32_t line;

    if (find_answered_at(run, &path, &line))
        printf(" by %s:%" PRIu32, path, line);
}

/* Comments of TAP: what was wanted and what came. */
static void print_difference(const struct test_run *run)
{
    printf("# wanted %s\n# got    %s", expect_wanted(run->runner), expect_got(run->runner));
    print_answered_at(run);
    putchar('\n');
}

static json_t *place_to_json(const struct test_run *run, uint32_t at)
{
    struct source_place place = source_locate(run->compilation->sources, at);
    json_t *object = json_object();

    json_object_set_new(object, "file", json_from_text(place.source ? place.source->path : "?"));
    json_object_set_new(object, "line", json_integer(place.line));
    return object;
}

/* The same as the comments of TAP. */
static void set_difference(const struct test_run *run, json_t *object)
{
    const char *path;
    uint32_t line;

    json_object_set_new(object, "wanted", json_from_text(expect_wanted(run->runner)));
    json_object_set_new(object, "got", json_from_text(expect_got(run->runner)));
    if (!find_answered_at(run, &path, &line))
        return;
    json_object_set_new(object, "by_file", json_from_text(path));
    json_object_set_new(object, "by_line", json_integer(line));
}

static void add_expect(const struct test_run *run, const struct plan_expect *expect, enum expect_verdict verdict)
{
    static const char *const results[] = { [EXPECT_HOLDS] = "ok", [EXPECT_FAILS] = "failed", [EXPECT_SKIPPED] = "skipped" };
    json_t *object = place_to_json(run, expect->span.at);

    json_object_set_new(object, "method", json_from_slice(expect->method));
    json_object_set_new(object, "url", json_from_slice(expect->url));
    json_object_set_new(object, "result", json_from_text(results[verdict]));
    if (verdict == EXPECT_FAILS)
        set_difference(run, object);
    if (verdict == EXPECT_SKIPPED)
        json_object_set_new(object, "why", json_from_text(expect_got(run->runner)));
    json_array_append_new(run->expects, object);
}

static void print_expect(const struct test_run *run, const struct plan_expect *expect, enum expect_verdict verdict)
{
    printf("%s %" PRIu64 " - ", verdict == EXPECT_FAILS ? "not ok" : "ok", run->number);
    print_place(run->compilation, expect->span.at);
    printf(": %.*s %.*s", (int)expect->method.size, expect->method.data, (int)expect->url.size, expect->url.data);
    if (verdict == EXPECT_SKIPPED)
        printf(" # SKIP %s", expect_got(run->runner));
    putchar('\n');
    if (verdict == EXPECT_FAILS)
        print_difference(run);
}

static void run_expects(struct test_run *run)
{
    const struct plan *plan = run->compilation->plan;

    for (uint32_t i = 0; i < plan->expect_count; i++) {
        const struct plan_expect *expect = &plan->expects[i];
        enum expect_verdict verdict = expect_run_line(run->runner, expect);

        if (run->coverage && expect_answered_at(run->runner))
            coverage_reach(run->coverage, expect_answered_at(run->runner));
        run->number++;
        run->failed += verdict == EXPECT_FAILS;
        if (run->expects)
            add_expect(run, expect, verdict);
        else
            print_expect(run, expect, verdict);
    }
}

/* Exact rules without conditions, those that are tests of themselves. */
static bool is_test(const struct plan *plan, const struct plan_rule *rule)
{
    return !plan_pattern(rule) && plan_path(rule).size && plan->actions[rule->action].condition_count == 0;
}

static void print_rule(const struct test_run *run, const struct plan_rule *rule, enum expect_verdict verdict)
{
    printf("%s %" PRIu64 " - ", verdict == EXPECT_FAILS ? "not ok" : "ok", run->number);
    print_place(run->compilation, rule->span.at);
    printf(": %.*s", (int)plan_path(rule).size, plan_path(rule).data);
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
    if (run->files) {
        if (verdict == EXPECT_FAILS && (run->is_verbose || file->failed <= SHOWN_FAILURES)) {
            json_t *object = place_to_json(run, rule->span.at);

            json_object_set_new(object, "path", json_from_slice(plan_path(rule)));
            set_difference(run, object);
            json_array_append_new(run->failures, object);
        }
    } else if (run->is_verbose) {
        run->number++;
        print_rule(run, rule, verdict);
        if (verdict == EXPECT_FAILS)
            print_difference(run);
    } else if (verdict == EXPECT_FAILS && file->failed <= SHOWN_FAILURES) {
        printf("# ");
        print_place(run->compilation, rule->span.at);
        printf(": %.*s\n", (int)plan_path(rule).size, plan_path(rule).data);
        print_difference(run);
    }
}

static void add_file(struct test_run *run, const struct file_tests *file)
{
    json_t *object = json_object();

    json_object_set_new(object, "file", json_from_text(file->source->path));
    json_object_set_new(object, "ok", json_integer((json_int_t)file->held));
    json_object_set_new(object, "failed", json_integer((json_int_t)file->failed));
    json_object_set_new(object, "skipped", json_integer((json_int_t)file->skipped));
    json_object_set_new(object, "failures", run->failures);
    json_array_append_new(run->files, object);
    run->failures = json_array();
}

static void print_file(struct test_run *run, const struct file_tests *file)
{
    if (file->source && run->files)
        add_file(run, file);
    if (run->is_verbose || !file->source || run->files)
        return;
    printf("%s %" PRIu64 " - %s: %" PRIu64 " exact %s", file->failed ? "not ok" : "ok", ++run->number,
           file->source->path, file->held, file->held == 1 ? "rule answers for itself" : "rules answer for themselves");
    if (file->failed)
        printf(", %" PRIu64 " do%s not", file->failed, file->failed == 1 ? "es" : "");
    if (file->skipped)
        printf(", %" PRIu64 " stand%s behind rules with conditions or override", file->skipped,
               file->skipped == 1 ? "s" : "");
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

/* What is written there, without the blanks around it. */
static struct slice line_of_rule(const struct test_run *run, uint32_t rule)
{
    const struct compilation *compilation = run->compilation;
    struct source_place place = source_locate(compilation->sources, compilation->plan->rules[rule].span.at);
    struct slice line = slice_trim(place.line_text);

    return line.size < LINE_SHOWN ? line : slice_of(line.data, LINE_SHOWN);
}

/* As comments of TAP: a rule without an expect is no failure. */
static void print_coverage(const struct test_run *run)
{
    const struct plan *plan = run->compilation->plan;
    uint32_t count;
    const uint32_t *missed = coverage_missed(run->coverage, &count);

    for (uint32_t i = 0; i < count; i++) {
        struct slice line = line_of_rule(run, missed[i]);

        printf("# no expect reaches ");
        print_place(run->compilation, plan->rules[missed[i]].span.at);
        printf(": %.*s\n", (int)line.size, line.data);
    }
    printf("# %" PRIu32 " of %" PRIu32 " rules are reached by an expect (%.1f %%)\n", plan->rule_count - count,
           plan->rule_count, coverage_percent(plan, count));
}

static json_t *coverage_to_json(const struct test_run *run)
{
    const struct plan *plan = run->compilation->plan;
    json_t *object = json_object(), *list = json_array();
    uint32_t count;
    const uint32_t *missed = coverage_missed(run->coverage, &count);

    for (uint32_t i = 0; i < count; i++) {
        json_t *item = place_to_json(run, plan->rules[missed[i]].span.at);

        json_object_set_new(item, "text", json_from_slice(line_of_rule(run, missed[i])));
        json_array_append_new(list, item);
    }
    json_object_set_new(object, "rules", json_integer(plan->rule_count));
    json_object_set_new(object, "reached", json_integer(plan->rule_count - count));
    json_object_set_new(object, "percent", json_real(coverage_percent(plan, count)));
    json_object_set_new(object, "missed", list);
    return object;
}

static void print_tap_end(const struct test_run *run)
{
    if (run->number)
        printf("1..%" PRIu64 "\n", run->number);
    else
        puts("1..0 # SKIP the rules hold no test: no expect, no exact rule without conditions");
    if (run->coverage)
        print_coverage(run);
}

static void print_json(struct test_run *run)
{
    json_t *root = json_object();

    json_object_set_new(root, "failed", json_integer((json_int_t)run->failed));
    json_object_set_new(root, "expects", run->expects);
    json_object_set_new(root, "exact_rules", run->files);
    if (run->coverage)
        json_object_set_new(root, "coverage", coverage_to_json(run));
    json_decref(run->failures);
    json_print(root, stdout);
}

static enum command_status run_tests(const struct command_line *line, const struct compilation *compilation,
                                     struct http_asker *server)
{
    struct test_run run = { .compilation = compilation, .is_verbose = options_has(line->options, "verbose") };

    run.runner = expect_runner_open(compilation->plan, compilation->ruleset);
    expect_runner_against(run.runner, server);
    if (options_has(line->options, "coverage"))
        run.coverage = coverage_open(compilation->plan);
    if (options_has(line->options, "json")) {
        run.expects = json_array();
        run.files = json_array();
        run.failures = json_array();
    } else {
        puts("TAP version 13");
    }
    run_expects(&run);
    run_rules(&run);
    if (run.files)
        print_json(&run);
    else
        print_tap_end(&run);
    coverage_close(run.coverage);
    expect_runner_close(run.runner);
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
    struct compilation_options options = { 0 };
    struct compilation compilation;
    struct http_asker *server;
    enum command_status status;

    if (!command_compilation_options(line, &options))
        return COMMAND_USAGE;
    status = open_server(line, &server);
    if (status != COMMAND_GOOD)
        return status;
    if (compilation_run(&compilation, line->words, line->word_count, &options)) {
        status = run_tests(line, &compilation, server);
    } else {
        if (!options_has(line->options, "json"))
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
    .details = "The output is TAP or JSON. Several files are one set of rules, as for compile.\n",
    .run = run_test,
};
