/* SPDX-License-Identifier: Apache-2.0 */
/* The few words that all subcommands say in the same way. */
#include "config.h"

#include "rulec/command.h"

#include "rulec/compilation.h"
#include "rulec/release_store.h"
#include "rulec/request_facts.h"
#include "rulec/rules_input.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_message(const struct command_line *line, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));

static void print_message(const struct command_line *line, const char *format, va_list arguments)
{
    const char *bold = line->colored_error ? "\033[1m" : "";

    fflush(stdout); /* so that both streams, into one file, keep their order */
    fprintf(stderr, "%srulec %s:%s ", bold, line->command->name, *bold ? "\033[0m" : "");
    vfprintf(stderr, format, arguments);
    putc('\n', stderr);
}

enum command_status command_usage_error(const struct command_line *line, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    print_message(line, format, arguments);
    va_end(arguments);
    return COMMAND_USAGE;
}

enum command_status command_machine_error(const struct command_line *line, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    print_message(line, format, arguments);
    va_end(arguments);
    return COMMAND_MACHINE;
}

enum command_status command_rules_error(const struct command_line *line, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    print_message(line, format, arguments);
    va_end(arguments);
    return COMMAND_RULES;
}

void command_say(const struct command_line *line, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    print_message(line, format, arguments);
    va_end(arguments);
}

void command_help_line(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    fputs("help: ", stderr);
    vfprintf(stderr, format, arguments);
    putc('\n', stderr);
    va_end(arguments);
}

enum command_status command_finish(const struct command_line *line, enum command_status status)
{
    if (fflush(stdout) != 0 || ferror(stdout))
        return command_machine_error(line, "standard output: %s", strerror(errno ? errno : EIO));
    return status;
}

bool command_percent_read(const char *text, double *percent)
{
    char *end;

    if (*text < '0' || *text > '9')
        return false;
    *percent = strtod(text, &end);
    if (*end == '%')
        end++;
    return *end == '\0' && *percent <= 100;
}

enum { COMMAND_THREAD_LIMIT = 64 };

static bool read_threads(const char *text, unsigned *count)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);

    if (*text < '0' || *text > '9' || *end || value < 1 || value > COMMAND_THREAD_LIMIT)
        return false;
    *count = (unsigned)value;
    return true;
}

bool command_compilation_options(const struct command_line *line, struct compilation_options *options)
{
    const char *now = options_value(line->options, "now"), *threads = options_value(line->options, "threads");

    if (threads && !read_threads(threads, &options->thread_count)) {
        command_usage_error(line, "--threads: \"%s\" is no number from 1 to %d", threads, COMMAND_THREAD_LIMIT);
        return false;
    }
    options->warnings_are_errors = options_has(line->options, "werror");
    options->is_strict = options_has(line->options, "strict");
    if (!now || request_time_read(now, &options->now_s))
        return true;
    command_usage_error(line, "--now: \"%s\" is no time; it is written as in \"2026-12-31T22:00Z\" or \"2026-12-31\"", now);
    return false;
}

bool command_open_rules(const struct command_line *line, const char *path, struct rules_input *input,
                        enum command_status *status)
{
    enum rules_input_status opened = rules_input_open(path, input);

    if (opened == RULES_INPUT_GOOD)
        return true;
    *status = opened == RULES_INPUT_WRONG ? COMMAND_RULES : COMMAND_MACHINE;
    if (input->reason[0])
        command_say(line, "%s: %s", path, input->reason);
    else
        diag_print_text(input->compilation.diag, stderr, line->colored_error);
    rules_input_close(input);
    return false;
}

enum command_status command_release_result(const struct command_line *line, const struct release_store *store,
                                           enum release_status status)
{
    switch (status) {
    case RELEASE_WRONG: return command_rules_error(line, "%s", store->reason);
    case RELEASE_UNKNOWN: return command_usage_error(line, "%s", store->reason);
    case RELEASE_MACHINE: return command_machine_error(line, "%s", store->reason);
    case RELEASE_GOOD: break;
    }
    return COMMAND_GOOD;
}
