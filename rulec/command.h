/* SPDX-License-Identifier: Apache-2.0 */
/* What every subcommand looks like from outside, and the few words all of them say in the same way.
 * Only main.c, command.c and cmd_*.c print; what lies below them returns its findings. */
#ifndef RULEC_COMMAND_H
#define RULEC_COMMAND_H

#include "rulec/options.h"
#include "rulec/release_store.h"

#include <stdbool.h>

enum command_status {
    COMMAND_GOOD,    /* all is well */
    COMMAND_RULES,   /* the rules, or the rule file, are wrong */
    COMMAND_USAGE,   /* the command line is wrong */
    COMMAND_MACHINE  /* the machine failed: a file cannot be read or written, no memory */
};

struct command_line;

struct command {
    const char *name;
    const char *summary;                /* the line of `rulec --help` */
    const char *arguments;              /* "RULES METHOD URL": the words of the usage line */
    int word_min, word_max;             /* how many words; word_max -1: any number */
    const struct option_spec *options;  /* its own, without the common ones; ends with a NULL name */
    const char *details;                /* what --help says below the options; NULL: nothing */
    enum command_status (*run)(const struct command_line *line);
};

struct command_line {
    const struct command *command;
    const struct options *options;
    char **words;
    int word_count;
    bool is_quiet;       /* no summary, no word that is not a mistake */
    bool colored_out;    /* standard output takes colours */
    bool colored_error;  /* standard error does */
};

/* "rulec compile: message" on standard error; return it from the command: the status is told by the name. */
enum command_status command_usage_error(const struct command_line *line, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
enum command_status command_machine_error(const struct command_line *line, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
enum command_status command_rules_error(const struct command_line *line, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The same form without a verdict. */
void command_say(const struct command_line *line, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* `help: ...`, one line more under a message. */
void command_help_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Flushes standard output. A disk that filled up meanwhile makes `status` COMMAND_MACHINE. */
enum command_status command_finish(const struct command_line *line, enum command_status status);

/* "20%", "20", "0.5%": from 0 to 100. False: it is none. */
bool command_percent_read(const char *text, double *percent);

struct compilation_options;
/* --werror, --strict, --now, --threads. False: the message is printed, return COMMAND_USAGE. */
bool command_compilation_options(const struct command_line *line, struct compilation_options *options);

struct rules_input;
/* Opens RULES (a rule file or a rules source). False: the message is printed, *status says what to return, and there
 * is nothing to close. */
bool command_open_rules(const struct command_line *line, const char *path, struct rules_input *input,
                        enum command_status *status);

/* What a folder of releases said, printed and as an exit status. */
enum command_status command_release_result(const struct command_line *line, const struct release_store *store,
                                           enum release_status status);

/* One each, in cmd_NAME.c. */
extern const struct command command_compile, command_check, command_test, command_answer, command_explain,
    command_info, command_verify, command_dump, command_diff, command_fmt, command_deploy, command_rollback, command_releases;

#endif
