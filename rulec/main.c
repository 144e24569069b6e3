/* SPDX-License-Identifier: Apache-2.0 */
/* The table of subcommands: --help prints it, and a test holds rulec(1) to it. What a subcommand does is in cmd_*.c. */
#include "config.h"

#include "rulec/command.h"

#include "grammar/suggest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

static const struct command *const commands[] = {
    &command_compile, &command_check, &command_test, &command_answer, &command_explain,  &command_info,
    &command_verify,  &command_dump,  &command_diff, &command_fmt,    &command_deploy,   &command_rollback,
    &command_releases,
};
enum { COMMAND_COUNT = sizeof commands / sizeof *commands };

static const struct option_spec main_options[] = {
    { "help", "h", NULL, "show this text; rulec SUBCOMMAND --help tells more" },
    { "version", "V", NULL, "show the version" },
    { NULL, NULL, NULL, NULL }
};

static void print_help(FILE *out)
{
    fprintf(out, "rulec: redirect rules from text to the file that mod_redir307 serves\n\n"
                 "usage: rulec SUBCOMMAND [OPTION...] [WORD...]\n\n");
    for (int i = 0; i < COMMAND_COUNT; i++)
        fprintf(out, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
    putc('\n', out);
    options_print(main_options, out);
    fprintf(out, "\nexit status: 0 good, 1 the rules are wrong, 2 the command line is wrong, 3 the machine failed\n");
}

static void print_usage(const struct command *command, FILE *out)
{
    fprintf(out, "usage: rulec %s [OPTION...] %s\n", command->name, command->arguments);
}

static void print_command_help(const struct command *command, FILE *out)
{
    fprintf(out, "rulec %s: %s\n\n", command->name, command->summary);
    print_usage(command, out);
    putc('\n', out);
    options_print(command->options, out);
    options_print(options_common, out);
    if (command->details)
        fprintf(out, "\n%s", command->details);
}

static const struct command *find_command(const char *name)
{
    for (int i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

static int refuse_name(const char *name, const char *what)
{
    struct suggest suggest = { .word = slice_from_string(name) };

    for (int i = 0; i < COMMAND_COUNT; i++)
        suggest_try(&suggest, commands[i]->name);
    fprintf(stderr, "rulec: unknown %s \"%s\"\n", what, name);
    if (suggest.best)
        fprintf(stderr, "help: did you mean \"%s\"?\n", suggest.best);
    else
        fputs("help: rulec --help lists the subcommands\n", stderr);
    return COMMAND_USAGE;
}

enum color_wish { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

static bool takes_color(int descriptor, enum color_wish wish)
{
    const char *no_color = getenv("NO_COLOR");
    const char *terminal = getenv("TERM");

    if (wish != COLOR_AUTO)
        return wish == COLOR_ALWAYS;
    if (no_color && *no_color)
        return false;
    return isatty(descriptor) && !(terminal && strcmp(terminal, "dumb") == 0);
}

/* False where the word is none of the three. */
static bool read_color(const char *word, enum color_wish *wish)
{
    static const char *const words[] = { "auto", "always", "never" };

    *wish = COLOR_AUTO;
    if (!word)
        return true;
    for (unsigned i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(word, words[i]) == 0) {
            *wish = (enum color_wish)i;
            return true;
        }
    return false;
}

/* Names the first word that is missing, or the first that is too many. */
static void refuse_word_count(const struct command_line *line)
{
    struct slice rest = slice_from_string(line->command->arguments), word = slice_next_word(&rest);

    if (line->word_count > line->command->word_min) {
        command_say(line, "\"%s\" is one word too many", line->words[line->command->word_max]);
        return;
    }
    for (int i = 0; i < line->word_count; i++)
        word = slice_next_word(&rest);
    if (word.size > 3 && memcmp(word.data + word.size - 3, "...", 3) == 0)
        word.size -= 3;
    command_say(line, "%.*s is missing", (int)word.size, word.data);
}

static enum command_status run_command(const struct command *command, int argc, char **argv)
{
    struct command_line line = { .command = command };
    struct options *options;
    const char *reason, *help;
    enum color_wish wish;
    enum command_status status;

    options = options_parse(command->options, argc, argv, &line.words, &line.word_count, &reason, &help);
    if (!options) {
        command_say(&line, "%s", reason);
        if (help)
            command_help_line("%s", help);
        else
            command_help_line("rulec %s --help lists its options", command->name);
        return COMMAND_USAGE;
    }
    line.options = options;
    if (options_has(options, "help")) {
        print_command_help(command, stdout);
        status = command_finish(&line, COMMAND_GOOD);
    } else if (!read_color(options_value(options, "color"), &wish)) {
        status = command_usage_error(&line, "--color is auto, always or never, not \"%s\"",
                                     options_value(options, "color"));
    } else if (line.word_count < command->word_min ||
               (command->word_max >= 0 && line.word_count > command->word_max)) {
        refuse_word_count(&line);
        print_usage(command, stderr);
        status = COMMAND_USAGE;
    } else {
        line.is_quiet = options_has(options, "quiet");
        line.colored_out = takes_color(STDOUT_FILENO, wish);
        line.colored_error = takes_color(STDERR_FILENO, wish);
        status = command_finish(&line, command->run(&line));
    }
    options_close(options);
    return status;
}

static int run_main_option(const char *word)
{
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
        print_help(stdout);
    else if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0)
        puts("rulec " PACKAGE_VERSION);
    else
        return refuse_name(word, "option");
    return fflush(stdout) == 0 ? COMMAND_GOOD : COMMAND_MACHINE;
}

/* Large arrays come from the system, already zero, and go back to it at once. glibc would keep more and more of them
 * after the first is freed. */
static void keep_no_large_memory(void)
{
#ifdef M_MMAP_THRESHOLD
    mallopt(M_MMAP_THRESHOLD, 1 << 20);
#endif
}

int main(int argc, char **argv)
{
    const struct command *command;

    keep_no_large_memory();
    if (argc < 2) {
        print_help(stderr);
        return COMMAND_USAGE;
    }
    if (argv[1][0] == '-')
        return run_main_option(argv[1]);
    if (strcmp(argv[1], "help") == 0 && argc == 2)
        return run_main_option("--help");
    if (strcmp(argv[1], "help") == 0) {
        char *help[] = { (char[]){ "--help" }, NULL };

        command = find_command(argv[2]);
        return command ? (int)run_command(command, 1, help) : refuse_name(argv[2], "subcommand");
    }
    command = find_command(argv[1]);
    return command ? (int)run_command(command, argc - 2, argv + 2) : refuse_name(argv[1], "subcommand");
}
