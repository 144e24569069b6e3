/* SPDX-License-Identifier: Apache-2.0 */
/* rulec fmt: rules in their one layout, on standard output or in place. A file with mistakes is
 * left alone: nobody knows what its words were meant to be. */
#include "config.h"

#include "rulec/command.h"
#include "rulec/file_replace.h"
#include "rulec/format.h"

#include "grammar/parse.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const struct option_spec fmt_options[] = {
    { "write", "w", NULL,
      "write the files, instead of standard output; names those that changed" },
    { "check", NULL, NULL, "write nothing: name the files that would change, and exit with 1" },
    { NULL, NULL, NULL, NULL }
};

enum fmt_way { FMT_PRINT, FMT_WRITE, FMT_CHECK };

static bool ends_in(const char *text, const char *ending)
{
    size_t size = strlen(text), ending_size = strlen(ending);

    return size >= ending_size && strcmp(text + size - ending_size, ending) == 0;
}

/* A name that is a link leads to the file: the link stays. */
static enum command_status write_file(const struct command_line *line, const char *path,
                                      const struct bytes *text)
{
    char *real = realpath(path, NULL);
    enum command_status status = COMMAND_GOOD;
    const char *reason = NULL;
    struct stat old;

    if (!real || stat(real, &old) != 0)
        reason = strerror(errno);
    if (reason || !file_replace(real, text->data, text->size, old.st_mode & 07777, &reason))
        status = command_machine_error(line, "%s: %s; the file is as it was", path, reason);
    free(real);
    return status;
}

static enum command_status hand_over(const struct command_line *line, const char *path,
                                     struct slice old, const struct bytes *text,
                                     enum fmt_way way)
{
    bool changes = !slice_equal(old, slice_of((const char *)text->data, text->size));

    if (way == FMT_PRINT) {
        if (text->size)
            fwrite(text->data, 1, text->size, stdout); /* a failure is seen by command_finish */
        return COMMAND_GOOD;
    }
    if (!changes)
        return COMMAND_GOOD;
    if (!line->is_quiet)
        printf("%s\n", path);
    return way == FMT_WRITE ? write_file(line, path, text) : COMMAND_RULES;
}

static enum command_status format_file(const struct command_line *line, const char *path,
                                       enum fmt_way way)
{
    struct arena *arena = arena_open();
    struct source_set *sources = source_set_open(arena);
    struct diag *diag = diag_open(arena, sources);
    struct ast *ast = ast_open(arena, sources);
    enum command_status status = COMMAND_GOOD;
    struct bytes text = { .size = 0 };
    struct layout layout;
    const char *reason;

    if (!parse_file_alone(ast, diag, path, &reason)) {
        status = command_machine_error(line, "%s: %s", path, reason);
    } else if (diag_error_count(diag) != 0) {
        diag_print_text(diag, stderr, line->colored_error);
        status = COMMAND_RULES;
    } else {
        layout_init(&layout, ast, diag);
        format_write(&layout, source_at(sources, 0), &text);
        status = hand_over(line, path, source_at(sources, 0)->text, &text, way);
        layout_fini(&layout);
    }
    bytes_free(&text);
    source_set_close(sources);
    arena_close(arena);
    return status;
}

static enum command_status run_fmt(const struct command_line *line)
{
    enum fmt_way way = options_has(line->options, "check")   ? FMT_CHECK
                       : options_has(line->options, "write") ? FMT_WRITE
                                                             : FMT_PRINT;
    enum command_status status = COMMAND_GOOD;

    if (way == FMT_CHECK && options_has(line->options, "write"))
        return command_usage_error(line,
                                   "--check writes nothing, --write does: give one of them");
    for (int i = 0; i < line->word_count && way == FMT_WRITE; i++)
        if (strcmp(line->words[i], "-") == 0 || ends_in(line->words[i], ".gz"))
            return command_usage_error(line, "\"%s\" cannot be written back: leave out -w",
                                       line->words[i]);
    for (int i = 0; i < line->word_count; i++) {
        enum command_status one = format_file(line, line->words[i], way);

        /* A failure of the machine tells more than a mistake in a file. */
        if (one > status)
            status = one;
    }
    return status;
}

const struct command command_fmt = {
    .name = "fmt",
    .summary = "bring rules into their one layout",
    .arguments = "FILE.redir...",
    .word_min = 1,
    .word_max = -1,
    .options = fmt_options,
    .details = "Only blanks and line ends change; words and comments stay as they are written. "
               "Included files are not\n"
               "touched: name them, too. A file with syntax errors is left alone, and the exit "
               "status is 1.\n",
    .run = run_fmt,
};
