/* SPDX-License-Identifier: Apache-2.0 */
/* rulec dump: a rule file back to the language. */
#include "config.h"

#include "rulec/command.h"
#include "rulec/dump.h"
#include "rulec/rules_input.h"

#include <stdio.h>

static const struct option_spec dump_options[] = { { NULL, NULL, NULL, NULL } };

static enum command_status run_dump(const struct command_line *line)
{
    struct rules_input input;
    enum command_status status = COMMAND_GOOD;
    const char *wrong;

    if (!command_open_rules(line, line->words[0], &input, &status))
        return status;
    wrong = dump_write(input.ruleset, stdout);
    if (wrong)
        status = command_rules_error(line, "%s: %s; what is written is not whole", line->words[0], wrong);
    rules_input_close(&input);
    return status;
}

const struct command command_dump = {
    .name = "dump",
    .summary = "write a rule file back as rules",
    .arguments = "RULES",
    .word_min = 1,
    .word_max = 1,
    .options = dump_options,
    .details = "Compiling the output gives the same answers. Comments, groups, tests and the names of placeholders are\n"
               "not in a rule file and do not come back.\n",
    .run = run_dump,
};
