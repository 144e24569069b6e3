/* SPDX-License-Identifier: Apache-2.0 */
/* rulec compile: proves the rules, runs their tests, and writes the rule file. Nothing is written unless all holds. */
#include "config.h"

#include "rulec/command.h"
#include "rulec/compilation.h"
#include "rulec/expect_run.h"
#include "rulec/file_replace.h"
#include "rulec/plural.h"
#include "rulec/rules_input.h"
#include "rulec/summary.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static const struct option_spec compile_options[] = {
    { "output", "o", "FILE", "write FILE; unsaid: the name of the one FILE.redir with .r307; -: standard output" },
    { "werror", "Werror", NULL, "warnings are errors" },
    { "strict", NULL, NULL, "reviews whose day has come are errors, open ends are told" },
    { "now", NULL, "TIME", "what is now, for warnings about dates (the clock's time unless given)" },
    { "threads", NULL, "N", "let N threads share the work (one for each processor unless given); it never changes what comes out" },
    { "flatten", NULL, NULL, "a redirect to a redirect leads to the end at once, where that means the same" },
    { "label", NULL, "TEXT", "keep TEXT in the rule file (it changes its id)" },
    { "timings", NULL, NULL, "show how long each step took, and the memory used" },
    { NULL, NULL, NULL, NULL }
};

/* shop.redir -> shop.r307 */
static const char *default_output(struct arena *arena, const char *input)
{
    size_t size = strlen(input);

    if (size > 6 && rules_input_is_source(input))
        size -= 6;
    return arena_printf(arena, "%.*s.r307", (int)size, input);
}

static double now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void print_timings(const struct compilation *compilation, double expect_ms, double write_ms, double total_ms)
{
    const struct { const char *name; double ms; } steps[] = {
        { "read and parse", compilation->times.parse_ms }, { "understand", compilation->times.lower_ms },
        { "check", compilation->times.check_ms },          { "lay out", compilation->times.emit_ms },
        { "test", expect_ms },                             { "write", write_ms },
        { "all", total_ms },
    };
    struct rusage usage;

    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        fprintf(stderr, "%-15s %10.1f ms\n", steps[i].name, steps[i].ms);
    if (getrusage(RUSAGE_SELF, &usage) == 0)
        fprintf(stderr, "%-15s %10.1f MB\n", "peak memory", (double)usage.ru_maxrss / 1024);
}

static void print_summary(const struct compilation *compilation, const char *output, size_t held, FILE *out)
{
    char id[RULESET_ID_SIZE + 1], lines[SUMMARY_TEXT_SIZE];
    struct summary summary;

    ruleset_id(compilation->ruleset, id);
    summary_count(compilation, &summary);
    summary_write(&summary, lines);
    fprintf(out, "%s: %" PRIu32 " rule%s, %zu %s, %zu bytes, id %s\n%s\n", output, compilation->plan->rule_count,
            plural(compilation->plan->rule_count), held, held == 1 ? "test holds" : "tests hold", compilation->file.size, id,
            lines);
}

/* The output on its way: it is written while the proofs go on, and put in place when all holds. */
struct output {
    const char *path;
    struct file_replacement *replacement; /* NULL: nothing is on its way */
};

static void begin_output(void *baton, const struct compilation *compilation)
{
    struct output *output = baton;

    output->replacement = file_replace_begin(output->path, compilation->file.bytes, compilation->file.size, 0644,
                                             compilation->plan->thread_count > 1 ? FILE_REPLACE_MEANWHILE
                                                                                    : FILE_REPLACE_AT_END);
}

static enum command_status end_output(const struct command_line *line, struct output *output)
{
    struct file_replacement *replacement = output->replacement;
    const char *reason;

    output->replacement = NULL;
    if (file_replace_end(replacement, &reason))
        return COMMAND_GOOD;
    return command_machine_error(line, "%s: %s; the old file, if there was one, is as it was",
                                 strcmp(output->path, "-") == 0 ? "standard output" : output->path, reason);
}

/* Which targets --flatten has changed. */
static void print_flattened(const struct compilation *compilation, FILE *out)
{
    const struct flatten_changes *changes = &compilation->flattened;

    for (size_t i = 0; i < changes->count; i++) {
        const struct flatten_change *change = &changes->items[i];
        struct source_place place = source_locate(compilation->sources, compilation->plan->rules[change->rule].span.at);

        fprintf(out, "%s:%" PRIu32 ": %u hops are one now: %.*s (it was %.*s)\n", place.source ? place.source->path : "",
                place.line, change->hops, (int)change->after.size, change->after.data, (int)change->before.size,
                change->before.data);
    }
    fprintf(out, "%zu target%s changed by --flatten\n", changes->count, plural(changes->count));
}

/* The compilation is good: test what it made, write it, tell of it. */
static enum command_status finish(const struct command_line *line, struct compilation *compilation,
                                  struct output *output, double start_ms)
{
    FILE *told = strcmp(output->path, "-") == 0 ? stderr : stdout;
    double expect_start = now_ms(), write_start;
    enum command_status status;
    size_t held = expect_check(compilation->plan, compilation->ruleset, compilation->diag);

    write_start = now_ms();
    if (diag_error_count(compilation->diag)) {
        status = COMMAND_RULES;
    } else {
        status = end_output(line, output);
        if (status == COMMAND_GOOD && !line->is_quiet && options_has(line->options, "flatten"))
            print_flattened(compilation, told);
        if (status == COMMAND_GOOD && !line->is_quiet)
            print_summary(compilation, output->path, held, told);
    }
    if (options_has(line->options, "timings"))
        print_timings(compilation, write_start - expect_start, now_ms() - write_start, now_ms() - start_ms);
    return status;
}

/* NULL: there is none, and the message is printed. */
static const char *choose_output(const struct command_line *line, struct arena *arena)
{
    const char *output = options_value(line->options, "output");

    if (!output && (line->word_count > 1 || strcmp(line->words[0], "-") == 0)) {
        command_usage_error(line, "say with -o FILE what to write: there is no one file to name it after");
        return NULL;
    }
    if (!output)
        return default_output(arena, line->words[0]);
    if (strcmp(output, "-") == 0 && isatty(STDOUT_FILENO)) {
        command_usage_error(line, "a rule file is not for a terminal: send it to a file or a pipe");
        return NULL;
    }
    if (strcmp(output, "-") != 0 && rules_input_is_source(output)) {
        command_usage_error(line, "\"%s\" is named like a rules source; a rule file is named NAME.r307", output);
        return NULL;
    }
    return output;
}

static enum command_status run_compile(const struct command_line *line)
{
    double start_ms = now_ms();
    struct arena *names = arena_open();
    struct output output = { .path = choose_output(line, names) };
    struct compilation_options options = {
        .flattens = options_has(line->options, "flatten"),
        .emit = { .label = options_value(line->options, "label") },
        .when_laid_out = begin_output,
        .baton = &output,
    };
    struct compilation compilation;
    enum command_status status;

    if (!output.path || !command_compilation_options(line, &options)) {
        arena_close(names);
        return COMMAND_USAGE;
    }
    if (compilation_run(&compilation, line->words, line->word_count, &options))
        status = finish(line, &compilation, &output, start_ms);
    else if (compilation.failed_path)
        status = command_machine_error(line, "%s: %s", compilation.failed_path, compilation.failed_reason);
    else
        status = COMMAND_RULES;
    file_replace_drop(output.replacement);
    diag_print_text(compilation.diag, stderr, line->colored_error);
    if (status == COMMAND_RULES)
        command_say(line, "%zu error%s, %zu warning%s; nothing is written", diag_error_count(compilation.diag),
                    plural(diag_error_count(compilation.diag)), diag_warning_count(compilation.diag),
                    plural(diag_warning_count(compilation.diag)));
    compilation_close(&compilation);
    arena_close(names);
    return status;
}

const struct command command_compile = {
    .name = "compile",
    .summary = "prove rules, run their tests, write the rule file",
    .arguments = "FILE.redir...",
    .word_min = 1,
    .word_max = -1,
    .options = compile_options,
    .details = "Several files are one set of rules. \"-\" is standard input. The rule file is written beside the old\n"
               "one and renamed over it, so a server never sees half of one. The same rules give the same bytes.\n",
    .run = run_compile,
};
