/* SPDX-License-Identifier: Apache-2.0 */
/* rulec check: all that compile finds, and no file. The findings are what it is asked for: they go to standard output,
 * as text or as JSON. */
#include "config.h"

#include "rulec/command.h"
#include "rulec/compilation.h"
#include "rulec/expect_run.h"
#include "rulec/json_out.h"
#include "rulec/summary.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct option_spec check_options[] = {
    { "format", NULL, "NAME", "text (the default) or json" },
    { "werror", "Werror", NULL, "warnings are errors" },
    { NULL, NULL, NULL, NULL }
};

static void set_place(json_t *object, const struct source_set *sources, struct span span)
{
    struct source_place start = source_locate(sources, span.at);
    struct source_place end = source_locate(sources, span.end);

    if (!start.source)
        return;
    json_object_set_new(object, "file", json_from_text(start.source->path));
    json_object_set_new(object, "line", json_integer(start.line));
    json_object_set_new(object, "column", json_integer(start.column));
    if (end.source != start.source)
        return;
    json_object_set_new(object, "end_line", json_integer(end.line));
    json_object_set_new(object, "end_column", json_integer(end.column));
}

static json_t *message_to_json(const struct source_set *sources, const struct diag_message *message)
{
    json_t *object = json_object(), *notes = json_array();
    char code[16];

    snprintf(code, sizeof code, "R307-%03d", (int)message->code);
    set_place(object, sources, message->span);
    json_object_set_new(object, "severity", json_from_text(message->severity == DIAG_ERROR ? "error" : "warning"));
    json_object_set_new(object, "code", json_from_text(code));
    json_object_set_new(object, "name", json_from_text(diag_code_name(message->code)));
    json_object_set_new(object, "message", json_from_text(message->text));
    for (const struct diag_note *note = message->notes; note; note = note->next) {
        json_t *item = json_object();

        json_object_set_new(item, "kind", json_from_text(note->is_help ? "help" : "note"));
        json_object_set_new(item, "message", json_from_text(note->text));
        if (!note->is_help)
            set_place(item, sources, note->span);
        json_array_append_new(notes, item);
    }
    json_object_set_new(object, "notes", notes);
    return object;
}

static void print_json(const struct compilation *compilation)
{
    const struct diag_message *messages;
    size_t count = diag_messages(compilation->diag, &messages);
    json_t *root = json_object(), *list = json_array();

    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, message_to_json(compilation->sources, &messages[i]));
    json_object_set_new(root, "diagnostics", list);
    json_object_set_new(root, "errors", json_integer((json_int_t)diag_error_count(compilation->diag)));
    json_object_set_new(root, "warnings", json_integer((json_int_t)diag_warning_count(compilation->diag)));
    json_object_set_new(root, "rules", json_integer(compilation->plan ? compilation->plan->rule_count : 0));
    json_print(root, stdout); /* a failure of the output is seen by command_finish */
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
        printf("%zu error%s, %zu warning%s\n", errors, errors == 1 ? "" : "s", warnings, warnings == 1 ? "" : "s");
        return;
    }
    summary_count(compilation, &summary);
    summary_write(&summary, lines);
    printf("%" PRIu32 " rules, %zu tests hold, %zu warning%s\n%s\n", compilation->plan->rule_count, held, warnings,
           warnings == 1 ? "" : "s", lines);
}

/* The tests in the rules are part of what is proved. *held: how many hold. */
static enum command_status run_tests(const struct command_line *line, struct compilation *compilation, size_t *held)
{
    struct ruleset *ruleset;
    enum ruleset_status opened = ruleset_open(compilation->file.bytes, compilation->file.size, &ruleset);

    if (opened != RULESET_OK)
        return command_machine_error(line, "the rule file just made is not good: %s", ruleset_strerror(opened));
    *held = expect_check(compilation->plan, ruleset, compilation->diag);
    ruleset_close(ruleset);
    return diag_error_count(compilation->diag) ? COMMAND_RULES : COMMAND_GOOD;
}

static enum command_status run_check(const struct command_line *line)
{
    const char *format = options_value(line->options, "format");
    bool is_json = format && strcmp(format, "json") == 0;
    struct compilation_options options = { .warnings_are_errors = options_has(line->options, "werror") };
    struct compilation compilation;
    enum command_status status;
    size_t held = 0;

    if (format && !is_json && strcmp(format, "text") != 0) {
        bool is_planned = strcmp(format, "sarif") == 0 || strcmp(format, "github") == 0;

        return command_usage_error(line, "%s \"%s\"; the formats are text and json",
                                   is_planned ? "this version does not write the format" : "unknown format", format);
    }
    if (compilation_run(&compilation, line->words, line->word_count, &options)) {
        status = run_tests(line, &compilation, &held);
    } else if (compilation.failed_path) {
        status = command_machine_error(line, "%s: %s", compilation.failed_path, compilation.failed_reason);
        compilation_close(&compilation);
        return status;
    } else {
        status = COMMAND_RULES;
    }
    if (is_json)
        print_json(&compilation);
    else
        print_text(line, &compilation, held);
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
