/* SPDX-License-Identifier: Apache-2.0 */
/* Opens what a command line names as RULES. Whether it cannot be read (the machine's failure) or is no good (the
 * rules' mistake) is decided here, once for all subcommands. */
#include "config.h"

#include "rulec/rules_input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool rules_input_is_source(const char *path)
{
    static const char ending[] = ".redir";
    size_t size = strlen(path), ending_size = sizeof ending - 1;

    return strcmp(path, "-") == 0 || (size > ending_size && strcmp(path + size - ending_size, ending) == 0);
}

bool rules_input_readable(const char *path, char reason[RULESET_REASON_SIZE])
{
    /* O_NONBLOCK: a FIFO in its place must not hold us up. */
    int file = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    const char *why = NULL;
    struct stat status;

    if (file < 0 || fstat(file, &status) != 0)
        why = strerror(errno);
    else if (S_ISDIR(status.st_mode))
        why = "is a directory, not a rule file";
    else if (!S_ISREG(status.st_mode))
        why = "is no regular file; a rule file is mapped, so it cannot be a pipe or a device";
    if (file >= 0)
        close(file);
    if (why)
        snprintf(reason, RULESET_REASON_SIZE, "%s", why);
    return !why;
}

static enum rules_input_status open_source(const char *path, struct rules_input *input)
{
    char *paths[] = { (char *)(uintptr_t)path, NULL };

    input->is_compiled = true;
    if (!compilation_run(&input->compilation, paths, 1, &(struct compilation_options){ .warnings_are_errors = false })) {
        if (!input->compilation.failed_path)
            return RULES_INPUT_WRONG;
        snprintf(input->reason, sizeof input->reason, "%s", input->compilation.failed_reason);
        return RULES_INPUT_UNREADABLE;
    }
    input->ruleset = input->compilation.ruleset;
    return RULES_INPUT_GOOD;
}

enum rules_input_status rules_input_open(const char *path, struct rules_input *input)
{
    *input = (struct rules_input){ .ruleset = NULL };
    if (rules_input_is_source(path))
        return open_source(path, input);
    if (!rules_input_readable(path, input->reason))
        return RULES_INPUT_UNREADABLE;
    if (!ruleset_map_open(path, RULESET_MAP_SHARED_PAGES, &input->map, input->reason))
        return RULES_INPUT_WRONG;
    input->ruleset = input->map.ruleset;
    return RULES_INPUT_GOOD;
}

void rules_input_close(struct rules_input *input)
{
    if (input->is_compiled)
        compilation_close(&input->compilation);
    else if (input->ruleset)
        ruleset_map_close(&input->map);
    input->ruleset = NULL;
}
