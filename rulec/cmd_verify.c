/* SPDX-License-Identifier: Apache-2.0 */
/* rulec verify: walks every record of a rule file. Opening it proves header and checksums; this proves the rest. */
#include "config.h"

#include "rulec/command.h"
#include "rulec/plural.h"
#include "rulec/rules_input.h"

#include <inttypes.h>
#include <stdio.h>

static const struct option_spec verify_options[] = { { NULL, NULL, NULL, NULL } };

static enum command_status run_verify(const struct command_line *line)
{
    struct ruleset_counts counts;
    struct rules_input input;
    enum command_status status = COMMAND_GOOD;
    char id[RULESET_ID_SIZE + 1];
    const char *wrong;
    uint64_t at = 0;

    if (!command_open_rules(line, line->words[0], &input, &status))
        return status;
    wrong = ruleset_verify(input.ruleset, &at);
    if (wrong) {
        status = command_rules_error(line, "%s: at byte %" PRIu64 ": %s", line->words[0], at, wrong);
        command_help_line("compile it again, or take a copy that is whole");
    } else if (!line->is_quiet) {
        ruleset_counts(input.ruleset, &counts);
        ruleset_id(input.ruleset, id);
        printf("%s: good; every record of its %" PRIu64 " rule%s was walked, id %s\n", line->words[0], counts.rules,
               plural(counts.rules), id);
    }
    rules_input_close(&input);
    return status;
}

const struct command command_verify = {
    .name = "verify",
    .summary = "walk every record of a rule file",
    .arguments = "RULES",
    .word_min = 1,
    .word_max = 1,
    .options = verify_options,
    .run = run_verify,
};
