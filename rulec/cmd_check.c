/* SPDX-License-Identifier: Apache-2.0 */
/* rulec check: all that compile finds, and no file. The findings are what it is asked for: they go to standard output,
 * as text or in a form for programs. */
#include "config.h"

#include "rulec/command.h"
#include "rulec/compilation.h"
#include "rulec/expect_run.h"
#include "rulec/json_out.h"
#include "rulec/plural.h"
#include "rulec/report.h"
#include "rulec/summary.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct option_spec check_options[] = {
    { "format", NULL, "NAME", "text (the default), json, sarif, or github (annotations)" },
    { "werror", "Werror", NULL, "warnings are errors" },
    { "strict", NULL, NULL, "reviews whose day has come are errors, open ends are told" },
    { "now", NULL, "TIME", "what is now, for warnings about dates (the clock's time unless given)" },
    { "threads", NULL, "N", "let N threads share the work (one for each processor unless given); it never changes what comes out" },
    { NULL, NULL, NULL, NULL }
};

enum report_format { FORMAT_TEXT, FORMAT_JSON, FORMAT_SARIF, FORMAT_GITHUB, FORMAT_COUNT };
static const char *const format_names[FORMAT_COUNT] = { "text", "json", "sarif", "github" };

/* False: there is no such format. */
static bool read_format(const char *name, enum report_format *format)
{
    *format = FORMAT_TEXT;
    for (unsigned i = 0; name && i < FORMAT_COUNT; i++)
        if (strcmp(name, format_names[i]) == 0) {
            *format = (enum report_format)i;
            return true;
        }
    return !name;
}

static void print_text(const struct command_line *line, const struct compilation *compilation, size_t held)
{
    size_t errors = diag_error_count(compilation->diag), warnings = diag_warning_count(compilation->diag);
    char lines[SUMMARY_TEXT_SIZE];
    struct summary summary;

    diag_print_text(compilation->diag, stdout, line->colored_out);
    if (line->is_quiet)
        return;
    if (errors) {
        printf("%zu error%s, %zu warning%s\n", errors, plural(errors), warnings, plural(warnings));
        return;
    }
    summary_count(compilation, &summary);
    summary_write(&summary, lines);
    printf("%" PRIu32 " rule%s, %zu %s, %zu warning%s\n%s\n", compilation->plan->rule_count,
           plural(compilation->plan->rule_count), held, held == 1 ? "test holds" : "tests hold", warnings, plural(warnings),
           lines);
}

/* The tests in the rules are part of what is proved. *held: how many hold. */
static enum command_status run_tests(struct compilation *compilation, size_t *held)
{
    *held = expect_check(compilation->plan, compilation->ruleset, compilation->diag);
    return diag_error_count(compilation->diag) ? COMMAND_RULES : COMMAND_GOOD;
}

static enum command_status run_check(const struct command_line *line)
{
    enum report_format format;
    struct compilation_options options = { 0 };
    struct compilation compilation;
    enum command_status status;
    size_t held = 0;

    if (!read_format(options_value(line->options, "format"), &format))
        return command_usage_error(line, "unknown format \"%s\": it is text, json, sarif or github",
                                   options_value(line->options, "format"));
    if (!command_compilation_options(line, &options))
        return COMMAND_USAGE;
    if (compilation_run(&compilation, line->words, line->word_count, &options)) {
        status = run_tests(&compilation, &held);
    } else if (compilation.failed_path) {
        status = command_machine_error(line, "%s: %s", compilation.failed_path, compilation.failed_reason);
        compilation_close(&compilation);
        return status;
    } else {
        status = COMMAND_RULES;
    }
    /* A failure of the output is seen by command_finish. */
    switch (format) {
    case FORMAT_JSON: json_print(report_json(&compilation), stdout); break;
    case FORMAT_SARIF: json_print(report_sarif(&compilation), stdout); break;
    case FORMAT_GITHUB: report_github(&compilation, stdout); break;
    default: print_text(line, &compilation, held);
    }
    compilation_close(&compilation);
    return status;
}

const struct command command_check = {
    .name = "check",
    .summary = "prove rules and run their tests; write nothing",
    .arguments = "FILE.redir...",
    .word_min = 1,
    .word_max = -1,
    .options = check_options,
    .details = "Several files are one set of rules, as for compile. \"-\" is standard input.\n",
    .run = run_check,
};
